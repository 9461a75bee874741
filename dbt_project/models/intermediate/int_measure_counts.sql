with

responses as (
    select * from {{ ref('stg_responses') }}
),

answers as (
    select * from {{ ref('stg_answers') }}
),

questions as (
    select * from {{ ref('questions') }}
),

associations as (
    select * from {{ ref('stg_associations') }}
),

-- A row per returned questionnaire and question of its round, answered or not.
asked as (
    select
        responses.sha256,
        responses.sheet,
        responses.sheet_row,
        responses.round,
        responses.association_id,
        responses.insats_kod,
        responses.questionnaire_id,
        responses.kon,
        responses.is_synthetic,
        questions.question_id,
        questions.base_question_id
    from responses
    inner join questions
        on responses.questionnaire_id = questions.questionnaire_id
        and {{ applies('responses.round', 'questions') }}
),

answered as (
    select
        asked.round,
        asked.association_id,
        asked.insats_kod,
        asked.questionnaire_id,
        asked.kon,
        asked.is_synthetic,
        asked.question_id,
        asked.base_question_id is null or coalesce(bases.is_positive, false) as is_in_base,
        answers.code,
        answers.is_answer,
        answers.is_positive
    from asked
    left join answers
        on asked.sha256 = answers.sha256
        and asked.sheet = answers.sheet
        and asked.sheet_row = answers.sheet_row
        and asked.question_id = answers.question_id
    left join answers as bases
        on asked.sha256 = bases.sha256
        and asked.sheet = bases.sheet
        and asked.sheet_row = bases.sheet_row
        and asked.base_question_id = bases.question_id
),

counted as (
    select
        round,
        association_id,
        insats_kod,
        questionnaire_id,
        kon,
        question_id,
        count(*) filter (where is_in_base) as n_base,
        count(*) filter (where is_in_base and is_answer) as n,
        count(*) filter (where is_in_base and is_positive) as n_positive,
        count(*) filter (where is_in_base and not is_answer) as n_dont_know,
        {{ total('case when is_in_base and is_answer then code - 1 else 0 end') }} as sum_index,
        bool_or(is_synthetic) as is_synthetic
    from answered
    group by round, association_id, insats_kod, questionnaire_id, kon, question_id
),

-- A key cannot be null: no activity and no stated gender become ''.
final as (
    select
        counted.round,
        counted.association_id,
        associations.county_code,
        associations.in_nation,
        coalesce(counted.insats_kod, '') as insats_kod,
        counted.questionnaire_id,
        coalesce(counted.kon, '') as kon,
        counted.question_id,
        counted.n_base,
        counted.n,
        counted.n_positive,
        counted.n_dont_know,
        counted.sum_index,
        counted.is_synthetic
    from counted
    left join associations
        on counted.association_id = associations.association_id
)

select * from final
