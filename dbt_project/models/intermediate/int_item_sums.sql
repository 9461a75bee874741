{{ config(materialized=built_by_round(), pre_hook="{{ forget_changed_rounds('answers') }}") }}

with

bundles as (
    select * from {{ ref('stg_bundles') }}
    where {{ to_be_built('answers') }}
),

answers as (
    select * from {{ ref('stg_answers') }}
    where {{ to_be_built('answers') }}
),

counts as (
    select * from {{ ref('int_measure_counts') }}
    where in_nation and {{ to_be_built('answers') }}
),

associations as (
    select * from {{ ref('stg_associations') }}
    where in_nation
),

questions as (
    select * from {{ ref('questions') }}
),

measures as (
    select * from {{ ref('measures') }}
),

questionnaires as (
    select * from {{ ref('questionnaires') }}
),

scales as (
    select * from {{ ref('scales') }}
),

answer_codes as (
    select
        scale_id,
        count(*) as n_codes
    from scales
    where is_answer
    group by scale_id
),

asked as (
    select
        round,
        questionnaire_id,
        question_id,
        {{ total('n_base') }} as n_asked,
        {{ total('n') }} as n,
        {{ total('n_base - n - n_dont_know') }} as n_missing,
        bool_or(is_synthetic) as is_synthetic
    from counts
    group by round, questionnaire_id, question_id
),

-- A follow-up is no item: who is asked it depends on another answer.
described as (
    select
        asked.*,
        questionnaires.respondent_group,
        measures.indicator_id,
        questions.measure_id,
        questions.question_no,
        questions.scale_id,
        questions.base_question_id,
        questions.base_question_id is null as is_item,
        answer_codes.n_codes,
        count(case when questions.base_question_id is null then 1 end) over (
            partition by asked.round, asked.questionnaire_id, measures.indicator_id
        ) as n_items
    from asked
    inner join questions
        on asked.question_id = questions.question_id
    inner join measures
        on questions.measure_id = measures.measure_id
    inner join questionnaires
        on asked.questionnaire_id = questionnaires.questionnaire_id
    inner join answer_codes
        on questions.scale_id = answer_codes.scale_id
),

cells as (
    select distinct cell_id
    from answers
),

parts as (
    select
        cell_id,
        {{ parts_of('cell_id') }}
    from cells
),

-- What is to be known of an answer, once for all that are alike.
valid as (
    select
        parts.cell_id,
        described.round,
        described.question_id,
        described.indicator_id,
        described.is_item,
        described.n_items,
        parts.code = 1 as is_lowest,
        parts.code = described.n_codes as is_highest,
        {{ index_parts('parts.code', 'described.n_codes') }} as score
    from parts
    inner join bundles
        on parts.bundle_id = bundles.bundle_id
    inner join associations
        on bundles.association_id = associations.association_id
    inner join described
        on bundles.round = described.round
        and bundles.questionnaire_id = described.questionnaire_id
        and parts.question_no = described.question_no
    inner join scales
        on described.scale_id = scales.scale_id
        and parts.code = scales.code
        and scales.is_answer
    left join questions as bases
        on described.base_question_id = bases.question_id
    left join scales as base_scales
        on bases.scale_id = base_scales.scale_id
        and parts.base_code = base_scales.code
    where described.is_item
        or (base_scales.is_answer and parts.base_code >= bases.positive_min_code)
),

answered as (
    select
        answers.response_id,
        valid.*
    from answers
    inner join valid
        on answers.cell_id = valid.cell_id
),

-- What a respondent answered of an indicator's items, all of them or not.
totalled as (
    select
        *,
        count(case when is_item then 1 end) over respondent as n_answered,
        sum(case when is_item then score end) over respondent as sum_answered
    from answered
    window respondent as (partition by response_id, indicator_id)
),

-- The total is that of a complete respondent, and null for what is no item.
scored as (
    select
        round,
        question_id,
        is_lowest,
        is_highest,
        score,
        case when is_item and n_answered = n_items then sum_answered end as total
    from totalled
),

summed as (
    select
        round,
        question_id,
        count(case when is_lowest then 1 end) as n_lowest,
        count(case when is_highest then 1 end) as n_highest,
        count(total) as n_complete,
        {{ total('case when total is not null then score end') }} as sum_score,
        {{ total('case when total is not null then score * score end') }} as sum_square,
        {{ total('score * total') }} as sum_product
    from scored
    group by round, question_id
),

final as (
    select
        described.round,
        described.questionnaire_id,
        described.question_id,
        described.respondent_group,
        described.indicator_id,
        described.measure_id,
        described.is_item,
        described.n_items,
        described.n_asked,
        described.n,
        described.n_missing,
        coalesce(summed.n_lowest, 0) as n_lowest,
        coalesce(summed.n_highest, 0) as n_highest,
        coalesce(summed.n_complete, 0) as n_complete,
        coalesce(summed.sum_score, 0) as sum_score,
        coalesce(summed.sum_square, 0) as sum_square,
        coalesce(summed.sum_product, 0) as sum_product,
        described.is_synthetic
    from described
    left join summed
        on described.round = summed.round
        and described.question_id = summed.question_id
)

select * from final
