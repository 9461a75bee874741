with

items as (
    select * from {{ ref('int_item_sums') }}
),

-- The sum of an indicator's items in the questionnaire. What is no item adds nothing to it.
totalled as (
    select
        *,
        sum(sum_score) over (partition by round, questionnaire_id, indicator_id) as total_score,
        sum(sum_product) over (partition by round, questionnaire_id, indicator_id) as total_square
    from items
),

spreads as (
    select
        *,
        {{ item_spreads() }}
    from totalled
),

final as (
    select
        round,
        questionnaire_id,
        question_id,
        n_asked,
        n,
        {{ percent('n_missing', 'n_asked') }} as non_response,
        {{ percent('n_lowest', 'n') }} as floor_share,
        {{ percent('n_highest', 'n') }} as ceiling_share,
        {{ item_total() }} as item_total,
        is_synthetic
    from spreads
)

select * from final
