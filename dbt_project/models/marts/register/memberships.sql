with

memberships as (
    select * from {{ ref('stg_memberships') }}
)

select * from memberships
