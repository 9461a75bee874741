with

answers as (
    select * from {{ source('lake', 'answers') }}
),

final as (
    select
        round,
        cell_id,
        response_id
    from answers
)

select * from final
