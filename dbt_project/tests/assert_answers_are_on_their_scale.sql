-- The code of a counting answer is one of its question's scale; a respondent answers a question once.
-- Rounds that did not change are not read again.
with

answers as (
    select * from {{ ref('stg_answers') }}
    where {{ in_changed_rounds() }}
),

parts as (
    select distinct {{ parts_of('cell_id') }}
    from answers
),

numbered as (
    select
        response_id,
        {{ parts_of('cell_id') }}
    from answers
)

select bundles.round, questions.question_id, parts.code
from parts
inner join {{ ref('stg_bundles') }} as bundles
    on parts.bundle_id = bundles.bundle_id
inner join {{ ref('questions') }} as questions
    on parts.question_no = questions.question_no
left join {{ ref('scales') }} as scales
    on questions.scale_id = scales.scale_id
    and parts.code = scales.code
where scales.code is null

union all

select -1, cast(question_no as {{ dbt.type_string() }}), max(code)
from numbered
group by response_id, question_no
having count(*) > 1
