-- Question: How has a measure developed in the nation, for everybody, women and men?
-- Fråga: Hur har ett mått utvecklats i riket, för alla, kvinnor och män?
-- Change the measure and the questionnaire in `chosen`. A point that is not comparable with the one
-- before (comparable false) starts a new line in a chart.
with

chosen as (
    select '1a' as measure_id, 'participant_ending' as questionnaire_id
)

select
    results.round,
    results.gender,
    measures.label_sv as measure,
    results.n,
    results.share,
    results.ci_low,
    results.ci_high,
    results.comparable,
    results.change,
    results.change_significant
from measure_results as results
inner join chosen using (measure_id, questionnaire_id)
inner join measures using (measure_id)
where results.level = 'nation'
order by results.gender desc, results.round
