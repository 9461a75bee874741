-- Question: How does the rate to work or studies stand against its target in the latest year?
-- Fråga: Hur står sig andelen till arbete eller studier mot målnivån det senaste året?
-- Without a target `target_share`, `distance` and `reached` are null.
with

latest as (
    select period_kind, max(period) as period
    from outcomes
    where period_kind = 'calendar_year'
    group by period_kind
)

select
    outcomes.period,
    outcomes.level,
    outcomes.unit_id,
    outcomes.leavers,
    outcomes.positive,
    outcomes.positive_rate,
    outcomes.ci_low,
    outcomes.ci_high,
    outcomes.target_share,
    outcomes.distance,
    outcomes.reached
from outcomes
inner join latest using (period_kind, period)
where outcomes.level in ('nation', 'association')
    and outcomes.gender = 'T'
    and outcomes.leavers > 0
order by outcomes.level desc, outcomes.positive_rate desc, outcomes.unit_id
