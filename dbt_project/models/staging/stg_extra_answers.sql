with

answers as (
    select * from {{ source('lake', 'extra_answers') }}
),

bundles as (
    select * from {{ source('lake', 'bundles') }}
),

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
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
        deliveries.round,
        extra_questions.question_id,
        cast(answers.code as integer) as code,
        scales.is_answer,
        scales.is_answer and answers.code >= extra_questions.positive_min_code as is_positive
    from answers
    inner join bundles
        on answers.bundle_id = bundles.bundle_id
    inner join deliveries
        on bundles.sha256 = deliveries.sha256
        and bundles.round = deliveries.round
        and deliveries.state = 'loaded'
    inner join extra_questions
        on answers.question_id = extra_questions.question_id
        and deliveries.association_id = extra_questions.association_id
        and {{ applies('deliveries.round', 'extra_questions') }}
    left join scales
        on extra_questions.scale_id = scales.scale_id
        and answers.code = scales.code
)

select * from final
