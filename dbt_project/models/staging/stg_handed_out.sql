with

handed_out as (
    select * from {{ source('lake', 'handed_out') }}
),

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
),

final as (
    select
        deliveries.round,
        deliveries.association_id,
        handed_out.insats_kod,
        handed_out.questionnaire_id,
        handed_out.handed_out
    from handed_out
    inner join deliveries
        on handed_out.sha256 = deliveries.sha256
        and deliveries.state = 'loaded'
)

select * from final
