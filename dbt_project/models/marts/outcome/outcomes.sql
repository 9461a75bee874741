{%- set group_level = 'activity_group' -%}
{%- set own_levels = var('levels') | reject('equalto', group_level) | list -%}
{%- set unit = 'period_kind, level, unit_id, gender' -%}
with

counts as (
    select * from {{ ref('int_outcome_counts') }}
),

participations as (
    select * from {{ ref('stg_participations') }}
),

periods as (
    select * from {{ ref('int_outcome_periods') }}
),

associations as (
    select * from {{ ref('stg_associations') }}
),

activity_groups as (
    select * from {{ ref('stg_activity_groups') }}
),

outcome_figures as (
    select * from {{ ref('outcome_figures') }}
),

targets as (
    select * from {{ ref('stg_targets') }}
),

levels as (
    {{ rows_of('level', own_levels) }}
),

genders as (
    {{ rows_of('gender', var('genders')) }}
),

-- 1 for each way out that is a positive result, 0 for the others.
positive_ways as (
    select
        {%- for way in var('ways_out') %}
        count(case when figure_id = '{{ way }}' and is_positive then 1 end) as {{ way }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from outcome_figures
),

places as (
    select distinct
        counts.round,
        counts.association_id,
        counts.insats_kod,
        associations.county_code,
        associations.in_nation
    from counts
    inner join associations
        on counts.association_id = associations.association_id
),

-- Every place once for each unit it belongs to; who is not in the nation has only its own units.
units as (
    select
        places.round,
        places.association_id,
        places.insats_kod,
        levels.level,
        {{ unit_id(own_levels) }} as unit_id
    from places
    cross join levels
    where places.in_nation or levels.level in ('association', 'activity')

    union all

    select
        places.round,
        places.association_id,
        places.insats_kod,
        '{{ group_level }}' as level,
        activity_groups.group_id as unit_id
    from places
    inner join activity_groups
        on places.round = activity_groups.round
        and places.association_id = activity_groups.association_id
        and places.insats_kod = activity_groups.insats_kod
    where places.in_nation
),

rolled_up as (
    select
        counts.round,
        counts.period,
        counts.period_kind,
        counts.period_start,
        counts.period_end,
        counts.source_id,
        units.level,
        units.unit_id,
        genders.gender,
        {%- for figure in ['active', 'ended', 'dropouts'] + var('ways_out') + ['active_next'] %}
        {{ total('counts.' ~ figure) }} as {{ figure }},
        {%- endfor %}
        {%- for way in var('ways_to_work') %}
        {{ total_if_known('counts.' ~ way) }} as {{ way }},
        {%- endfor %}
        {{ total('counts.misregistrations') }} as misregistrations,
        max(counts.dropout_months) as dropout_months,
        min(counts.last_date) as last_date,
        bool_or(counts.is_synthetic) as is_synthetic
    from counts
    inner join units
        on counts.round = units.round
        and counts.association_id = units.association_id
        and counts.insats_kod = units.insats_kod
    inner join genders
        on genders.gender in ('T', counts.kon)
    where units.unit_id is not null
    group by
        counts.round,
        counts.period,
        counts.period_kind,
        counts.period_start,
        counts.period_end,
        counts.source_id,
        units.level,
        units.unit_id,
        genders.gender
    having sum(counts.active) > 0
),

-- Medians cannot be rolled up from counts: the positive leavers themselves, in each of their units.
leavers as (
    select
        periods.period,
        units.level,
        units.unit_id,
        genders.gender,
        participations.years_without_work,
        participations.throughput_days
    from participations
    inner join periods
        on participations.end_date between periods.period_start and periods.period_end
    inner join units
        on periods.round = units.round
        and participations.association_id = units.association_id
        and participations.insats_kod = units.insats_kod
    inner join genders
        on genders.gender in ('T', participations.kon)
    where participations.is_positive_leaver and units.unit_id is not null
),

backgrounds as (
    select
        period,
        level,
        unit_id,
        gender,
        count(years_without_work) as n_years,
        {{ total('years_without_work') }} as years,
        {{ median_of('years_without_work') }} as median_years,
        count(throughput_days) as n_days,
        {{ total('throughput_days') }} as days,
        {{ median_of('throughput_days') }} as median_days
    from leavers
    group by period, level, unit_id, gender
),

-- Only participations tell of backgrounds: they are counted with a dropout limit.
sums as (
    select
        rolled_up.*,
        rolled_up.ended - rolled_up.dropouts as n,
        {% for way in var('ways_out') -%}
        rolled_up.{{ way }} * positive_ways.{{ way }}{% if not loop.last %} + {% endif %}
        {%- endfor %} as n_positive,
        case
            when rolled_up.dropout_months is not null then coalesce(backgrounds.n_years, 0)
        end as n_years,
        cast(backgrounds.years as double) / nullif(backgrounds.n_years, 0) as mean_years,
        backgrounds.median_years,
        case
            when rolled_up.dropout_months is not null then coalesce(backgrounds.n_days, 0)
        end as n_days,
        cast(backgrounds.days as double) / nullif(backgrounds.n_days, 0) as mean_days,
        backgrounds.median_days
    from rolled_up
    cross join positive_ways
    left join backgrounds
        on rolled_up.period = backgrounds.period
        and rolled_up.level = backgrounds.level
        and rolled_up.unit_id = backgrounds.unit_id
        and rolled_up.gender = backgrounds.gender
),

figures as (
    select
        *,
        {{ percent('n_positive', 'n') }} as positive_rate,
        {{ wilson_bound('-') }} as ci_low,
        {{ wilson_bound('+') }} as ci_high,
        '{{ var('outcome_rate') }}' as measure_id,
        {{ previous('period', unit) }} as previous_period,
        {{ previous('source_id', unit) }} as source_previous,
        {{ previous('n', unit) }} as n_previous,
        {{ previous('n_positive', unit) }} as n_positive_previous
    from sums
),

compared as (
    select
        *,
        coalesce(source_previous = source_id, false) as comparable
    from figures
),

final as (
    select
        figures.round,
        figures.period,
        figures.period_kind,
        figures.period_start,
        figures.period_end,
        figures.source_id,
        figures.level,
        figures.unit_id,
        figures.gender,
        figures.active,
        figures.ended,
        figures.dropouts,
        figures.n as leavers,
        figures.work,
        figures.work_supported,
        figures.work_unsupported,
        figures.studies,
        figures.other_vocational,
        figures.medical_rehab,
        figures.sickness_compensation,
        figures.other,
        figures.active_next,
        figures.n_positive as positive,
        figures.positive_rate,
        figures.ci_low,
        figures.ci_high,
        figures.n_years as years_without_work_n,
        figures.mean_years as years_without_work_mean,
        figures.median_years as years_without_work_median,
        figures.n_days as throughput_months_n,
        figures.mean_days / {{ var('days_per_month') }} as throughput_months_mean,
        figures.median_days / {{ var('days_per_month') }} as throughput_months_median,
        figures.misregistrations,
        figures.dropout_months,
        figures.last_date,
        figures.comparable,
        figures.previous_period,
        {{ since_previous('figures', 'positive_rate', 'rate_previous') }},
        {{ target_share() }} as target_share,
        {{ distance('figures.positive_rate') }} as distance,
        {{ reached('figures.ci_low', 'figures.ci_high') }} as reached,
        figures.is_synthetic
    from compared as figures
    {{ join_targets('figures', 'measure_id') }}
)

select * from final
