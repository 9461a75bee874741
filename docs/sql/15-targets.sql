-- Question: Which figures with a target level reach it in the latest round?
-- Fråga: Vilka värden med en målnivå når den i den senaste omgången?
-- `reached` compares the shares alone; `certain` says that the whole interval lies on that side.
with

latest as (
    select max(round) as round from measure_results
)

select
    results.round,
    results.level,
    results.unit_id,
    results.questionnaire_id,
    results.measure_id,
    measures.label_sv as measure,
    results.n,
    results.share,
    results.ci_low,
    results.ci_high,
    results.target_share,
    results.share >= results.target_share as reached,
    results.ci_low >= results.target_share or results.ci_high < results.target_share as certain
from measure_results as results
inner join latest using (round)
inner join measures using (measure_id)
where results.target_share is not null
    and results.gender = 'T'
    and results.n > 0
order by
    results.level,
    results.unit_id,
    length(results.measure_id),
    results.measure_id,
    results.questionnaire_id
