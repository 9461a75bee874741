with

activities as (
    select * from {{ source('lake', 'activities') }}
),

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
),

listed as (
    select
        deliveries.round,
        deliveries.association_id,
        activities.insats_kod,
        activities.langd,
        activities.inriktning
    from activities
    inner join deliveries
        on activities.sha256 = deliveries.sha256
        and deliveries.state = 'loaded'
),

final as (
    select round, association_id, insats_kod, langd as group_id
    from listed
    where langd is not null

    union all

    select round, association_id, insats_kod, inriktning
    from listed
    where inriktning is not null
)

select * from final
