-- n + n_missing + n_dont_know is the number of returned questionnaires of the association, for a
-- follow-up question the number of positive answers to its base question. A register study asks no
-- question and nobody returned it: it has no base to reconcile with.
with

results as (
    select * from {{ ref('measure_results') }}
    where level = 'association' and gender = 'T'
),

returned as (
    select round, association_id, questionnaire_id, sum(n_returned) as n_returned
    from {{ ref('stg_bundles') }}
    group by round, association_id, questionnaire_id
)

select
    results.round,
    results.unit_id,
    results.question_id,
    results.n + results.n_missing + results.n_dont_know as n_base,
    case
        when questions.base_question_id is null then returned.n_returned
        else bases.n_positive
    end as n_expected
from results
inner join {{ ref('questions') }} as questions
    on results.question_id = questions.question_id
left join returned
    on results.round = returned.round
    and results.unit_id = returned.association_id
    and results.questionnaire_id = returned.questionnaire_id
left join results as bases
    on results.round = bases.round
    and results.unit_id = bases.unit_id
    and questions.base_question_id = bases.question_id
where results.n_missing < 0
    or results.n_positive > results.n
    or case
        when questions.base_question_id is null then returned.n_returned
        else bases.n_positive
    end is distinct from results.n + results.n_missing + results.n_dont_know
