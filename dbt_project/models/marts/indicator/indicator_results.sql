{{ config(materialized=built_by_round(), pre_hook="{{ forget_changed_rounds('figures') }}") }}

with

measure_results as (
    select * from {{ ref('measure_results') }}
    where {{ to_be_built('figures') }}
),

measures as (
    select * from {{ ref('measures') }}
),

questionnaires as (
    select * from {{ ref('questionnaires') }}
),

targets as (
    select * from {{ ref('stg_targets') }}
),

-- The bounds are means too. Whatever the correlation of the answers to several measures, which the
-- same people give, the mean's standard error is at most the mean of the standard errors: the
-- interval is wide enough, if anything too wide.
by_group as (
    select
        measure_results.round,
        measure_results.level,
        measure_results.unit_id,
        questionnaires.respondent_group,
        measures.indicator_id,
        measure_results.gender,
        {{ mean_of('measure_results.share') }} as share,
        {{ mean_of('measure_results.ci_low') }} as low,
        {{ mean_of('measure_results.ci_high') }} as high,
        count(measure_results.share) as n_measures,
        {{ total('measure_results.n') }} as n,
        bool_or(measure_results.is_synthetic) as is_synthetic
    from measure_results
    inner join measures
        on measure_results.measure_id = measures.measure_id
    inner join questionnaires
        on measure_results.questionnaire_id = questionnaires.questionnaire_id
    group by
        measure_results.round,
        measure_results.level,
        measure_results.unit_id,
        questionnaires.respondent_group,
        measures.indicator_id,
        measure_results.gender
),

all_groups as (
    select
        round,
        level,
        unit_id,
        'all' as respondent_group,
        indicator_id,
        gender,
        {{ mean_of('share') }} as share,
        {{ mean_of('low') }} as low,
        {{ mean_of('high') }} as high,
        {{ total('n_measures') }} as n_measures,
        {{ total('n') }} as n,
        bool_or(is_synthetic) as is_synthetic
    from by_group
    group by round, level, unit_id, indicator_id, gender
),

figures as (
    select * from by_group
    union all
    select * from all_groups
),

final as (
    select
        figures.round,
        figures.level,
        figures.unit_id,
        figures.respondent_group,
        figures.indicator_id,
        figures.gender,
        figures.share,
        figures.n_measures,
        figures.n,
        {{ target_share() }} as target_share,
        {{ distance('figures.share') }} as distance,
        {{ reached('figures.low', 'figures.high') }} as reached,
        figures.is_synthetic
    from figures
    {{ join_targets('figures', 'indicator_id') }}
)

select * from final
