-- Question: Which questions do respondents leave blank or answer with a don't know?
-- Fråga: Vilka frågor hoppar de svarande över eller svarar vet ej på?
-- n_base is everybody whom the question counts: all who returned the questionnaire, or for a
-- follow-up question those with a positive answer to base_question_id. Latest round, the nation.
with

latest as (
    select max(round) as round from measure_results
),

counted as (
    select
        round,
        questionnaire_id,
        question_id,
        n + n_missing + n_dont_know as n_base,
        n,
        n_missing,
        n_dont_know
    from measure_results
    inner join latest using (round)
    where level = 'nation'
        and gender = 'T'
)

select
    counted.round,
    counted.questionnaire_id,
    counted.question_id,
    questions.label_sv as question,
    questions.base_question_id,
    counted.n_base,
    counted.n,
    counted.n_missing,
    counted.n_dont_know,
    100.0 * counted.n_missing / nullif(counted.n_base, 0) as missing_percent,
    100.0 * counted.n_dont_know / nullif(counted.n_base, 0) as dont_know_percent
from counted
inner join questions using (question_id, questionnaire_id)
order by missing_percent + dont_know_percent desc nulls last, counted.question_id
