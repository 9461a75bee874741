with

bundles as (
    select * from {{ source('lake', 'bundles') }}
),

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
),

questionnaires as (
    select * from {{ ref('questionnaires') }}
),

activities as (
    select
        deliveries.round,
        deliveries.association_id,
        listed.insats_kod,
        listed.activity_key
    from {{ source('lake', 'activities') }} as listed
    inner join deliveries
        on listed.sha256 = deliveries.sha256
        and deliveries.state = 'loaded'
),

-- A workbook's bundles have its own codes. Those from the web have keys, of which the workbook that
-- counts may list some: only these are activities.
final as (
    select
        bundles.bundle_id,
        bundles.sha256,
        deliveries.round,
        deliveries.association_id,
        activities.insats_kod,
        bundles.questionnaire_id,
        bundles.kon,
        bundles.n_returned,
        deliveries.is_synthetic
    from bundles
    inner join deliveries
        on bundles.sha256 = deliveries.sha256
        and bundles.round = deliveries.round
        and deliveries.state = 'loaded'
    inner join questionnaires
        on bundles.questionnaire_id = questionnaires.questionnaire_id
        and {{ applies('deliveries.round', 'questionnaires') }}
    left join activities
        on questionnaires.has_activity
        and deliveries.round = activities.round
        and deliveries.association_id = activities.association_id
        and bundles.insats_kod in (activities.insats_kod, activities.activity_key)
)

select * from final
