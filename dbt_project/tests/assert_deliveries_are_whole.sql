-- The lake holds every questionnaire that the manifest says was returned in a counting delivery.
with

held as (
    select round, sha256, count(*) as n_questionnaires
    from {{ source('lake', 'responses') }}
    group by round, sha256
)

select deliveries.file, deliveries.n_questionnaires, held.n_questionnaires as n_held
from {{ ref('stg_deliveries') }} as deliveries
left join held
    on deliveries.round = held.round
    and deliveries.sha256 = held.sha256
where deliveries.is_counting
    and deliveries.n_questionnaires <> coalesce(held.n_questionnaires, 0)
