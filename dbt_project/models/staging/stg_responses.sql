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

final as (
    select
        responses.sha256,
        responses.sheet,
        responses.row as sheet_row,
        deliveries.round,
        deliveries.association_id,
        case when questionnaires.has_activity then responses.insats_kod end as insats_kod,
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
)

select * from final
