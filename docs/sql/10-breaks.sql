-- Question: Where is a measure not comparable with the round before, and what was asked then?
-- Fråga: Var går ett mått inte att jämföra med omgången före, och vad frågades då?
-- Draw these as a break in the line. A measure that ended has no row; see last_round in questions.
select
    results.questionnaire_id,
    results.measure_id,
    measures.label_sv as measure,
    results.previous_round,
    old_questions.label_sv as question_before,
    old_questions.scale_id as scale_before,
    results.round,
    new_questions.label_sv as question,
    new_questions.scale_id as scale
from measure_results as results
inner join measure_results as previous
    on results.previous_round = previous.round
    and results.level = previous.level
    and results.unit_id = previous.unit_id
    and results.questionnaire_id = previous.questionnaire_id
    and results.measure_id = previous.measure_id
    and results.gender = previous.gender
inner join questions as old_questions on previous.question_id = old_questions.question_id
inner join questions as new_questions on results.question_id = new_questions.question_id
inner join measures on results.measure_id = measures.measure_id
where results.level = 'nation'
    and results.gender = 'T'
    and not results.comparable
order by results.questionnaire_id, length(results.measure_id), results.measure_id, results.round
