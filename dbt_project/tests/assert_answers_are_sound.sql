-- The code of an answer is one of its question's scale; a respondent answers a question once. Rounds
-- that did not change are not read again.
with

answers as (
    select * from {{ ref('stg_answers') }}
    where {{ in_changed_rounds('answers') }}
),

given as (
    select distinct
        round,
        question_no,
        code
    from answers
)

select given.round, given.question_no, given.code
from given
left join {{ ref('questions') }} as questions
    on given.question_no = questions.question_no
left join {{ ref('scales') }} as scales
    on questions.scale_id = scales.scale_id
    and given.code = scales.code
where scales.code is null

union all

select max(round), question_no, max(code)
from answers
group by response_id, question_no
having count(*) > 1
