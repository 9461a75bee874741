with

participations as (
    select * from {{ ref('stg_participations') }}
),

periods as (
    select * from {{ ref('int_outcome_periods') }}
),

counts as (
    select * from {{ ref('stg_outcome_counts') }}
),

-- A participation once for each period it overlaps, as far as its file goes.
overlapping as (
    select
        periods.*,
        participations.association_id,
        participations.insats_kod,
        participations.kon,
        participations.exit_reason,
        participations.way_out,
        participations.is_dropout,
        participations.is_left_out,
        not participations.is_left_out as is_active,
        not participations.is_left_out
            and coalesce(participations.end_date <= periods.period_end, false) as is_ended,
        coalesce(participations.end_date, participations.start_date)
            between periods.period_start and periods.period_end as is_its_period,
        participations.dropout_months,
        participations.last_date,
        participations.is_synthetic
    from participations
    inner join periods
        on participations.start_date <= periods.period_end
        and coalesce(participations.end_date, periods.period_end) >= periods.period_start
        and participations.last_date >= periods.period_start
),

from_participations as (
    select
        period,
        round,
        period_kind,
        period_start,
        period_end,
        source_id,
        association_id,
        insats_kod,
        kon,
        count(*) filter (where is_active) as active,
        count(*) filter (where is_ended) as ended,
        count(*) filter (where is_ended and is_dropout) as dropouts,
        {%- for way in var('ways_out') %}
        count(*) filter (
            where is_ended and not is_dropout and way_out = '{{ way }}'
        ) as {{ way }},
        {%- endfor %}
        {%- for way in var('ways_to_work') %}
        count(*) filter (
            where is_ended and not is_dropout and exit_reason = '{{ way }}'
        ) as {{ way }},
        {%- endfor %}
        count(*) filter (where is_active and not is_ended) as active_next,
        count(*) filter (where is_left_out and is_its_period) as misregistrations,
        max(dropout_months) as dropout_months,
        min(case when is_active then last_date end) as last_date,
        bool_or(is_synthetic) as is_synthetic
    from overlapping
    where is_active or is_its_period
    group by
        period,
        round,
        period_kind,
        period_start,
        period_end,
        source_id,
        association_id,
        insats_kod,
        kon
),

from_counts as (
    select
        period,
        round,
        period_kind,
        period_start,
        period_end,
        source_id,
        association_id,
        insats_kod,
        kon,
        {{ total('active') }} as active,
        {{ total('ended') }} as ended,
        {{ total('dropouts') }} as dropouts,
        {%- for way in var('ways_out') %}
        {{ total(way) }} as {{ way }},
        {%- endfor %}
        {%- for way in var('ways_to_work') %}
        {{ total_if_known(way) }} as {{ way }},
        {%- endfor %}
        {{ total('active_next') }} as active_next,
        cast(null as bigint) as misregistrations,
        cast(null as integer) as dropout_months,
        cast(null as date) as last_date,
        bool_or(is_synthetic) as is_synthetic
    from counts
    group by
        period,
        round,
        period_kind,
        period_start,
        period_end,
        source_id,
        association_id,
        insats_kod,
        kon
),

final as (
    select * from from_participations

    union all

    select * from from_counts
)

select * from final
