with

responses as (
    select * from {{ source('lake', 'responses') }}
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

-- A workbook's responses have its own codes. Those from the web have keys, of which the workbook
-- that counts may list some: only these are activities.
final as (
    select
        responses.sha256,
        responses.sheet,
        responses.row as sheet_row,
        deliveries.round,
        deliveries.association_id,
        activities.insats_kod,
        responses.questionnaire_id,
        responses.kon,
        deliveries.is_synthetic
    from responses
    inner join deliveries
        on responses.sha256 = deliveries.sha256
        and responses.round = deliveries.round
        and deliveries.state = 'loaded'
    inner join questionnaires
        on responses.questionnaire_id = questionnaires.questionnaire_id
        and {{ applies('deliveries.round', 'questionnaires') }}
    left join activities
        on questionnaires.has_activity
        and deliveries.round = activities.round
        and deliveries.association_id = activities.association_id
        and responses.insats_kod in (activities.insats_kod, activities.activity_key)
)

select * from final
