{# The answers in counting deliveries to a table of questions, each on its question's scale: the CTEs
   `answers` and `final`. Expects the CTEs responses, deliveries, scales and the questions.
   of_delivery: what beside its rounds a question's row must agree on with the delivery. #}
{% macro answers_to(questions, of_delivery=none) -%}
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
        scales.is_answer and answers.code >= {{ questions }}.positive_min_code as is_positive
    from answers
    inner join deliveries
        on answers.sha256 = deliveries.sha256
        and answers.round = deliveries.round
        and deliveries.state = 'loaded'
    inner join {{ questions }}
        on answers.question_id = {{ questions }}.question_id
        and {{ applies('deliveries.round', questions) }}
        {%- if of_delivery %}
        and deliveries.{{ of_delivery }} = {{ questions }}.{{ of_delivery }}
        {%- endif %}
    left join scales
        on {{ questions }}.scale_id = scales.scale_id
        and answers.code = scales.code
)
{%- endmacro %}
