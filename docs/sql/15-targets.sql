-- Question: Which figures reach their target level in the latest round, and how far off are they?
-- Fråga: Vilka värden når sin målnivå i den senaste omgången, och hur långt är det dit?
-- `reached` goes by the whole interval: where it is unclear, more answers would tell. Measures first,
-- then indicators, which have no interval of their own.
with

latest as (
    select max(round) as round from measure_results
),

figures as (
    select
        results.round,
        results.level,
        results.unit_id,
        results.questionnaire_id as answered_by,
        results.measure_id as figure_id,
        measures.label_sv as figure,
        results.n,
        results.share,
        results.ci_low,
        results.ci_high,
        results.target_share,
        results.distance,
        results.reached,
        1 as kind
    from measure_results as results
    inner join measures using (measure_id)
    where results.gender = 'T'

    union all

    select
        results.round,
        results.level,
        results.unit_id,
        results.respondent_group,
        results.indicator_id,
        indicators.label_sv,
        results.n,
        results.share,
        null,
        null,
        results.target_share,
        results.distance,
        results.reached,
        2
    from indicator_results as results
    inner join indicators using (indicator_id)
    where results.gender = 'T'
)

select
    figures.round,
    figures.level,
    figures.unit_id,
    figures.answered_by,
    figures.figure_id,
    figures.figure,
    figures.n,
    figures.share,
    figures.ci_low,
    figures.ci_high,
    figures.target_share,
    figures.distance,
    figures.reached
from figures
inner join latest using (round)
where figures.reached is not null
order by
    figures.kind,
    figures.level,
    figures.unit_id,
    length(figures.figure_id),
    figures.figure_id,
    figures.answered_by
