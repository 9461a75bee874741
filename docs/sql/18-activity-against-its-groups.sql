-- Question: How does each activity stand against the other activities of its groups in the latest round?
-- Fråga: Hur står sig varje insats mot de andra insatserna i sina jämförelsegrupper i den senaste omgången?
-- The group is counted without the activity itself. Look at n and n_others first: of many
-- comparisons, one in twenty is significant by chance.
with

latest as (
    select max(round) as round from activity_comparisons
)

select
    compared.round,
    compared.unit_id as activity,
    compared.group_id,
    compared.n_activities,
    compared.questionnaire_id,
    compared.measure_id,
    measures.label_sv as measure,
    compared.n,
    compared.share,
    compared.n_others,
    compared.share_others,
    compared.difference,
    compared.difference_significant
from activity_comparisons as compared
inner join latest using (round)
inner join questionnaires using (questionnaire_id)
inner join measures using (measure_id)
where compared.gender = 'T'
    and questionnaires.respondent_group = 'participant'
    and compared.n > 0
    and compared.n_others > 0
order by
    compared.unit_id,
    compared.group_id,
    compared.questionnaire_id,
    length(compared.measure_id),
    compared.measure_id
