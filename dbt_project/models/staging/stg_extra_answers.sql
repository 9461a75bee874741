with

answers as (
    select * from {{ source('lake', 'extra_answers') }}
),

bundles as (
    select * from {{ ref('stg_bundles') }}
),

extra_questions as (
    select * from {{ source('register', 'extra_questions') }}
),

scales as (
    select * from {{ ref('scales') }}
),

final as (
    select
        answers.response_id,
        answers.bundle_id,
        bundles.round,
        extra_questions.question_id,
        cast(answers.code as integer) as code,
        scales.is_answer,
        scales.is_answer and answers.code >= extra_questions.positive_min_code as is_positive
    from answers
    inner join bundles
        on answers.bundle_id = bundles.bundle_id
    inner join extra_questions
        on answers.question_id = extra_questions.question_id
        and bundles.association_id = extra_questions.association_id
        and {{ applies('bundles.round', 'extra_questions') }}
    left join scales
        on extra_questions.scale_id = scales.scale_id
        and answers.code = scales.code
)

select * from final
