with

memberships as (
    select * from {{ source('register', 'memberships') }}
),

final as (
    select
        association_id,
        municipality_code,
        first_round,
        last_round
    from memberships
)

select * from final
