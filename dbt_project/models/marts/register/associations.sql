with

associations as (
    select * from {{ ref('stg_associations') }}
)

select * from associations
