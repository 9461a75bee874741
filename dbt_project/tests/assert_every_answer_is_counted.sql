-- No answer is lost on its way to the counts. Follow-up questions, of which some answers do not
-- count by rule, are left to assert_bases_reconcile.
with

staged as (
    select round, question_id, count(*) as n_answers
    from {{ ref('stg_answers') }}
    group by round, question_id
),

counted as (
    select round, question_id, sum(n + n_dont_know) as n_answers
    from {{ ref('int_measure_counts') }}
    group by round, question_id
)

select staged.round, staged.question_id, staged.n_answers, counted.n_answers as n_counted
from staged
inner join {{ ref('questions') }} as questions
    on staged.question_id = questions.question_id
    and questions.base_question_id is null
left join counted
    on staged.round = counted.round
    and staged.question_id = counted.question_id
where staged.n_answers <> coalesce(counted.n_answers, 0)
