with

extra_questions as (
    select * from {{ source('register', 'extra_questions') }}
),

final as (
    select
        project_id,
        association_id,
        questionnaire_id,
        question_id,
        label_sv,
        scale_id,
        positive_min_code,
        first_round,
        last_round,
        activity_key
    from extra_questions
)

select * from final
