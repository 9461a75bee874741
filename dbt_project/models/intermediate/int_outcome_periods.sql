with

rounds as (
    select * from {{ ref('rounds') }}
),

kinds as (
    select * from {{ ref('outcome_periods') }}
),

sources as (
    select * from {{ ref('outcome_sources') }}
),

starts as (
    select
        rounds.round,
        kinds.period_kind,
        kinds.n_months,
        make_date(rounds.round, kinds.first_month, 1) as period_start
    from rounds
    cross join kinds
),

spans as (
    select
        round,
        period_kind,
        period_start,
        {{ last_day_of('period_start', 'n_months') }} as period_end
    from starts
),

final as (
    select
        {{ period_name('spans.period_start', 'spans.period_end') }} as period,
        spans.round,
        spans.period_kind,
        spans.period_start,
        spans.period_end,
        sources.source_id
    from spans
    inner join sources
        on sources.delivers = 'participations'
        and spans.period_start >= coalesce(sources.first_day, spans.period_start)
        and spans.period_end <= coalesce(sources.last_day, spans.period_end)
)

select * from final
