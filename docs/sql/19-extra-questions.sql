-- Question: What do the projects' own questions say in the latest round, by project and association?
-- Fråga: Vad säger projektens egna frågor i den senaste omgången, per projekt och förbund?
-- They are asked of these associations alone and are part of no other table.
with

latest as (
    select max(round) as round from extra_results
)

select
    results.round,
    results.level,
    results.unit_id,
    results.questionnaire_id,
    results.question_id,
    results.label_sv as question,
    results.n,
    results.share,
    results.ci_low,
    results.ci_high,
    results.change,
    results.change_significant
from extra_results as results
inner join latest using (round)
where results.gender = 'T'
    and results.level in ('project', 'association')
    and results.n > 0
order by
    results.question_id,
    results.level desc,
    results.unit_id
