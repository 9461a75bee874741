with

answers as (
    select * from {{ source('lake', 'answers') }}
),

final as (
    select
        round,
        cell_id,
        response_id,
        {{ parts_of('cell_id') }}
    from answers
)

select * from final
