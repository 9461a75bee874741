-- Every questionnaire that the manifest says was returned in a counting delivery is counted.
with

counted as (
    select round, sha256, sum(n_returned) as n_questionnaires
    from {{ ref('stg_bundles') }}
    group by round, sha256
)

select deliveries.file, deliveries.n_questionnaires, counted.n_questionnaires as n_counted
from {{ ref('stg_deliveries') }} as deliveries
left join counted
    on deliveries.round = counted.round
    and deliveries.sha256 = counted.sha256
where deliveries.is_counting
    and deliveries.n_questionnaires <> coalesce(counted.n_questionnaires, 0)
