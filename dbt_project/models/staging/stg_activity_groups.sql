{% set columns = ['langd', 'inriktning'] %}

with

activities as (
    select * from {{ source('lake', 'activities') }}
),

categories as (
    select * from {{ source('lake', 'activity_categories') }}
),

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
),

associations as (
    select * from {{ source('register', 'associations') }}
),

-- In any case: two associations may write the same group differently.
grouped as (
    {% for column in columns %}
    select
        sha256,
        insats_kod,
        {{ column }} as group_id
    from activities
    where {{ column }} is not null

    union all
    {% endfor %}

    select
        sha256,
        insats_kod,
        category || '=' || lower(value) as group_id
    from categories
),

-- Only the nation's activities are compared.
final as (
    select
        deliveries.round,
        deliveries.association_id,
        grouped.insats_kod,
        grouped.group_id
    from grouped
    inner join deliveries
        on grouped.sha256 = deliveries.sha256
        and deliveries.state = 'loaded'
    inner join associations
        on deliveries.association_id = associations.association_id
        and associations.in_nation
)

select * from final
