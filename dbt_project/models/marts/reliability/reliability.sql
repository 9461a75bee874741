with

items as (
    select * from {{ ref('int_item_sums') }}
),

measure_results as (
    select * from {{ ref('measure_results') }}
),

indicator_results as (
    select * from {{ ref('indicator_results') }}
),

measures as (
    select * from {{ ref('measures') }}
),

questionnaires as (
    select * from {{ ref('questionnaires') }}
),

associations as (
    select * from {{ ref('stg_associations') }}
    where in_nation
),

-- Each measure once, over the group's questionnaires.
pooled as (
    select
        round,
        respondent_group,
        indicator_id,
        measure_id,
        bool_or(is_item) as is_item,
        {{ total('n_asked') }} as n_asked,
        {{ total('n_missing') }} as n_missing,
        {{ percent('sum(n_lowest)', 'sum(n)') }} as floor_share,
        {{ percent('sum(n_highest)', 'sum(n)') }} as ceiling_share,
        bool_or(is_synthetic) as is_synthetic
    from items
    group by round, respondent_group, indicator_id, measure_id
),

asked as (
    select
        round,
        respondent_group,
        indicator_id,
        count(case when is_item then 1 end) as n_items,
        {{ total('n_asked') }} as n_asked,
        {{ total('n_missing') }} as n_missing,
        {{ mean_of('floor_share') }} as floor_share,
        {{ mean_of('ceiling_share') }} as ceiling_share,
        bool_or(is_synthetic) as is_synthetic
    from pooled
    group by round, respondent_group, indicator_id
),

-- Complete is who was asked all items: a questionnaire with some of them adds nobody.
scored as (
    select
        items.round,
        items.respondent_group,
        items.indicator_id,
        items.measure_id,
        {{ total('items.n_complete') }} as n_complete,
        {{ total('items.sum_score') }} as sum_score,
        {{ total('items.sum_square') }} as sum_square,
        {{ total('items.sum_product') }} as sum_product
    from items
    inner join asked
        on items.round = asked.round
        and items.respondent_group = asked.respondent_group
        and items.indicator_id = asked.indicator_id
        and items.n_items = asked.n_items
    where items.is_item
    group by items.round, items.respondent_group, items.indicator_id, items.measure_id
),

totalled as (
    select
        *,
        sum(sum_score) over (partition by round, respondent_group, indicator_id) as total_score,
        sum(sum_product) over (partition by round, respondent_group, indicator_id) as total_square
    from scored
),

spreads as (
    select
        *,
        {{ item_spreads() }}
    from totalled
),

correlated as (
    select
        *,
        {{ item_total() }} as item_total
    from spreads
),

-- 1 - alpha = 1 - k/(k - 1)·(1 - items/total) = (k·items - total) / ((k - 1)·total).
summed as (
    select
        round,
        respondent_group,
        indicator_id,
        count(*) as n_items,
        max(n_complete) as n_complete,
        cast(count(*) * sum(item_spread) - max(total_spread) as double)
            / nullif(cast((count(*) - 1) * max(total_spread) as double), 0) as unexplained,
        min(item_total) as item_total_lowest,
        {{ mean_of('item_total') }} as item_total_mean
    from correlated
    group by round, respondent_group, indicator_id
),

consistency as (
    select
        round,
        respondent_group,
        indicator_id,
        n_complete,
        1 - unexplained as alpha,
        {{ alpha_bound('+') }} as alpha_low,
        {{ alpha_bound('-') }} as alpha_high,
        item_total_lowest,
        item_total_mean
    from summed
),

-- What of an indicator was answered in the nation, and in which round all of it was before.
answered as (
    select
        measure_results.round,
        questionnaires.respondent_group,
        measures.indicator_id,
        count(case when measure_results.n > 0 then 1 end) as n_answered,
        min(measure_results.previous_round) as previous_round,
        bool_and(measure_results.comparable)
            and min(measure_results.previous_round) = max(measure_results.previous_round)
            as is_comparable
    from measure_results
    inner join measures
        on measure_results.measure_id = measures.measure_id
    inner join questionnaires
        on measure_results.questionnaire_id = questionnaires.questionnaire_id
    where measure_results.level = 'nation'
        and measure_results.gender = 'T'
    group by measure_results.round, questionnaires.respondent_group, measures.indicator_id
),

-- As many measures as before are the same: each of them was answered then.
compared as (
    select
        answered.round,
        answered.respondent_group,
        answered.indicator_id,
        answered.previous_round
    from answered
    inner join answered as earlier
        on answered.previous_round = earlier.round
        and answered.respondent_group = earlier.respondent_group
        and answered.indicator_id = earlier.indicator_id
        and answered.n_answered = earlier.n_answered
    where answered.is_comparable
),

-- In whole parts of a percent, since a sum of doubles depends on the order of threads.
of_associations as (
    select
        indicator_results.round,
        indicator_results.unit_id,
        indicator_results.respondent_group,
        indicator_results.indicator_id,
        cast(round(indicator_results.share * 1e10) as decimal(38, 0)) as parts
    from indicator_results
    inner join associations
        on indicator_results.unit_id = associations.association_id
    where level = 'association'
        and gender = 'T'
        and n > 0
),

paired as (
    select
        compared.round,
        compared.respondent_group,
        compared.indicator_id,
        later.parts,
        earlier.parts as parts_previous
    from compared
    inner join of_associations as later
        on compared.round = later.round
        and compared.respondent_group = later.respondent_group
        and compared.indicator_id = later.indicator_id
    inner join of_associations as earlier
        on compared.previous_round = earlier.round
        and compared.respondent_group = earlier.respondent_group
        and compared.indicator_id = earlier.indicator_id
        and later.unit_id = earlier.unit_id
),

spread_pairs as (
    select
        round,
        respondent_group,
        indicator_id,
        count(*) as n_associations,
        {{ spread('count(*)', 'sum(parts * parts)', 'sum(parts)', 'sum(parts)') }} as spread_now,
        {{ spread(
            'count(*)',
            'sum(parts_previous * parts_previous)',
            'sum(parts_previous)',
            'sum(parts_previous)'
        ) }} as spread_previous,
        {{ spread(
            'count(*)', 'sum(parts * parts_previous)', 'sum(parts)', 'sum(parts_previous)'
        ) }} as joint_spread
    from paired
    group by round, respondent_group, indicator_id
),

-- Two points always lie on a line.
stability as (
    select
        round,
        respondent_group,
        indicator_id,
        n_associations,
        case
            when n_associations > 2
                then {{ correlation('joint_spread', 'spread_now', 'spread_previous') }}
        end as correlation
    from spread_pairs
),

final as (
    select
        asked.round,
        asked.respondent_group,
        asked.indicator_id,
        asked.n_items,
        coalesce(consistency.n_complete, 0) as n_complete,
        consistency.alpha,
        consistency.alpha_low,
        consistency.alpha_high,
        consistency.item_total_lowest,
        consistency.item_total_mean,
        asked.n_asked,
        {{ percent('asked.n_missing', 'asked.n_asked') }} as item_non_response,
        asked.floor_share,
        asked.ceiling_share,
        coalesce(stability.n_associations, 0) as n_associations,
        stability.correlation as stability,
        asked.is_synthetic
    from asked
    left join consistency
        on asked.round = consistency.round
        and asked.respondent_group = consistency.respondent_group
        and asked.indicator_id = consistency.indicator_id
    left join stability
        on asked.round = stability.round
        and asked.respondent_group = stability.respondent_group
        and asked.indicator_id = stability.indicator_id
)

select * from final
