with

associations as (
    select * from {{ source('register', 'associations') }}
),

final as (
    select
        association_id,
        association_name,
        county_code,
        agreement_from,
        agreement_to,
        true as in_nation
    from associations
)

select * from final
