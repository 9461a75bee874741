-- Question: How does an association stand against the nation in the latest round?
-- Fråga: Hur står sig ett förbund mot riket i den senaste omgången?
-- Change the association in `chosen`. The nation includes the association. `outside` says that the
-- nation's share lies outside the association's interval: a reason to look, no test.
with

chosen as (
    select 'testskogen' as unit_id, 'T' as gender
),

latest as (
    select max(round) as round from measure_results
)

select
    own.round,
    own.questionnaire_id,
    own.measure_id,
    measures.label_sv as measure,
    own.n,
    own.share,
    own.ci_low,
    own.ci_high,
    nation.n as n_nation,
    nation.share as share_nation,
    own.share - nation.share as difference,
    nation.share not between own.ci_low and own.ci_high as outside
from measure_results as own
inner join chosen using (unit_id, gender)
inner join latest using (round)
inner join measure_results as nation using (round, questionnaire_id, measure_id, gender)
inner join measures using (measure_id)
where own.level = 'association'
    and nation.level = 'nation'
    and own.n > 0
order by own.questionnaire_id, length(own.measure_id), own.measure_id
