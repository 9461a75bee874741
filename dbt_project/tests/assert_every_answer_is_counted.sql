-- No answer is lost on its way to the counts, and each has a respondent. Answers to follow-up
-- questions, of which some do not count by rule, are left to assert_bases_reconcile. Rounds that did
-- not change are not read again.
with

cells as (
    select
        round,
        cell_id,
        count(*) as n_answers
    from {{ ref('stg_answers') }}
    where {{ in_changed_rounds('answers') }}
    group by round, cell_id
),

parts as (
    select
        round,
        n_answers,
        {{ parts_of('cell_id') }}
    from cells
),

staged as (
    select
        bundles.round,
        questions.question_id,
        sum(parts.n_answers) as n_answers
    from parts
    inner join {{ ref('stg_bundles') }} as bundles
        on parts.bundle_id = bundles.bundle_id
    inner join {{ ref('questions') }} as questions
        on parts.question_no = questions.question_no
        and bundles.questionnaire_id = questions.questionnaire_id
        and questions.base_question_id is null
        and {{ applies('bundles.round', 'questions') }}
    group by bundles.round, questions.question_id
),

counted as (
    select
        round,
        question_id,
        sum(n + n_dont_know) as n_answers
    from {{ ref('int_measure_counts') }}
    group by round, question_id
)

select staged.round, staged.question_id, staged.n_answers, counted.n_answers as n_counted
from staged
left join counted
    on staged.round = counted.round
    and staged.question_id = counted.question_id
where staged.n_answers <> coalesce(counted.n_answers, 0)

union all

select parts.round, 'without a bundle', parts.n_answers, 0
from parts
left join {{ source('lake', 'bundles') }} as bundles
    on parts.bundle_id = bundles.bundle_id
where bundles.bundle_id is null
