{{ config(materialized=built_by_round(), pre_hook="{{ forget_changed_rounds('answers') }}") }}

with

answers as (
    select * from {{ ref('stg_answers') }}
    where {{ to_be_built('answers') }}
),

bundles as (
    select * from {{ ref('stg_bundles') }}
    where {{ to_be_built('answers') }}
),

questions as (
    select * from {{ ref('questions') }}
),

scales as (
    select * from {{ ref('scales') }}
),

associations as (
    select * from {{ ref('stg_associations') }}
),

-- The one pass over the answers: what follows is about cells, of which there are few.
cells as (
    select
        cell_id,
        cast(count(*) as integer) as n_answers
    from answers
    group by cell_id
),

parts as (
    select
        {{ parts_of('cell_id') }},
        n_answers
    from cells
),

-- What an answer is, once for all that are alike.
kinds as (
    select distinct
        question_no,
        base_code,
        code
    from parts
),

judged as (
    select
        kinds.question_no,
        kinds.base_code,
        kinds.code,
        scales.is_answer,
        scales.is_answer and kinds.code >= questions.positive_min_code as is_positive,
        questions.base_question_id is null or coalesce(
            base_scales.is_answer and kinds.base_code >= bases.positive_min_code, false
        ) as is_in_base
    from kinds
    inner join questions
        on kinds.question_no = questions.question_no
    left join scales
        on questions.scale_id = scales.scale_id
        and kinds.code = scales.code
    left join questions as bases
        on questions.base_question_id = bases.question_id
    left join scales as base_scales
        on bases.scale_id = base_scales.scale_id
        and kinds.base_code = base_scales.code
),

summed as (
    select
        parts.bundle_id,
        parts.question_no,
        sum(case when is_positive then n_answers else 0 end) as n_yes,
        sum(case when is_in_base and is_answer then n_answers else 0 end) as n,
        sum(case when is_in_base and is_positive then n_answers else 0 end) as n_positive,
        sum(case when is_in_base and not is_answer then n_answers else 0 end) as n_dont_know,
        sum(
            case when is_in_base and is_answer then n_answers * (parts.code - 1) else 0 end
        ) as sum_index
    from parts
    inner join judged
        on parts.question_no = judged.question_no
        and parts.base_code = judged.base_code
        and parts.code = judged.code
    group by parts.bundle_id, parts.question_no
),

-- A row per bundle of returned questionnaires and question of its round, answered or not.
asked as (
    select
        bundles.bundle_id,
        bundles.n_returned,
        questions.question_no,
        bases.question_no as base_no
    from bundles
    inner join questions
        on bundles.questionnaire_id = questions.questionnaire_id
        and {{ applies('bundles.round', 'questions') }}
    left join questions as bases
        on questions.base_question_id = bases.question_id
),

-- The base of a follow-up is who answered the question before it positively.
counted as (
    select
        asked.bundle_id,
        asked.question_no,
        case
            when asked.base_no is null then asked.n_returned
            else coalesce(bases.n_yes, 0)
        end as n_base,
        coalesce(summed.n, 0) as n,
        coalesce(summed.n_positive, 0) as n_positive,
        coalesce(summed.n_dont_know, 0) as n_dont_know,
        coalesce(summed.sum_index, 0) as sum_index
    from asked
    left join summed
        on asked.bundle_id = summed.bundle_id
        and asked.question_no = summed.question_no
    left join summed as bases
        on asked.bundle_id = bases.bundle_id
        and asked.base_no = bases.question_no
),

-- A key cannot be null: no activity and no stated gender become ''.
final as (
    select
        bundles.round,
        bundles.association_id,
        associations.county_code,
        associations.in_nation,
        coalesce(bundles.insats_kod, '') as insats_kod,
        bundles.questionnaire_id,
        coalesce(bundles.kon, '') as kon,
        questions.question_id,
        {{ total('counted.n_base') }} as n_base,
        {{ total('counted.n') }} as n,
        {{ total('counted.n_positive') }} as n_positive,
        {{ total('counted.n_dont_know') }} as n_dont_know,
        {{ total('counted.sum_index') }} as sum_index,
        bool_or(bundles.is_synthetic) as is_synthetic
    from counted
    inner join bundles
        on counted.bundle_id = bundles.bundle_id
    inner join questions
        on counted.question_no = questions.question_no
    left join associations
        on bundles.association_id = associations.association_id
    group by
        bundles.round,
        bundles.association_id,
        associations.county_code,
        associations.in_nation,
        coalesce(bundles.insats_kod, ''),
        bundles.questionnaire_id,
        coalesce(bundles.kon, ''),
        questions.question_id
)

select * from final
