with

targets as (
    select * from {{ source('register', 'targets') }}
),

final as (
    select
        measure_id,
        indicator_id,
        level,
        nullif(unit_id, '') as unit_id,
        first_round,
        last_round,
        target_share
    from targets
)

select * from final
