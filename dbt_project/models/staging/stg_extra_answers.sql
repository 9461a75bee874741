with

responses as (
    select * from {{ source('lake', 'responses') }}
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

answers as (
    select
        sha256,
        sheet,
        row as sheet_row,
        round,
        {{ entries('answers', 'question_id', 'code') }}
    from responses
),

final as (
    select
        answers.sha256,
        answers.sheet,
        answers.sheet_row,
        deliveries.round,
        answers.question_id,
        cast(answers.code as integer) as code,
        scales.is_answer,
        scales.is_answer and answers.code >= extra_questions.positive_min_code as is_positive
    from answers
    inner join deliveries
        on answers.sha256 = deliveries.sha256
        and answers.round = deliveries.round
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
