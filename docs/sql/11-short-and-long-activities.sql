-- Question: Do participants of short and long activities answer differently in the latest round?
-- Fråga: Svarar deltagare i korta och långa insatser olika i den senaste omgången?
-- The length is what associations state in the sheet Insatser; an activity without belongs to
-- neither.
with

latest as (
    select max(round) as round from measure_results
)

select
    short.round,
    short.questionnaire_id,
    short.measure_id,
    measures.label_sv as measure,
    short.n as n_short,
    short.share as share_short,
    short.ci_low as ci_low_short,
    short.ci_high as ci_high_short,
    long.n as n_long,
    long.share as share_long,
    long.ci_low as ci_low_long,
    long.ci_high as ci_high_long,
    short.share - long.share as difference
from measure_results as short
inner join latest using (round)
inner join measure_results as long using (round, level, questionnaire_id, measure_id, gender)
inner join questionnaires using (questionnaire_id)
inner join measures using (measure_id)
where short.level = 'activity_group'
    and short.unit_id = 'kort'
    and long.unit_id = 'lång'
    and short.gender = 'T'
    and questionnaires.respondent_group = 'participant'
order by short.questionnaire_id, length(short.measure_id), short.measure_id
