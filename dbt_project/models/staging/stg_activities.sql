with

activities as (
    select * from {{ source('lake', 'activities') }}
),

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
),

final as (
    select
        deliveries.round,
        deliveries.association_id,
        activities.insats_kod,
        activities.activity_key,
        activities.inriktning,
        activities.langd,
        deliveries.is_synthetic
    from activities
    inner join deliveries
        on activities.sha256 = deliveries.sha256
        and deliveries.state = 'loaded'
)

select * from final
