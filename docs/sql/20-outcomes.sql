-- Question: What came of the participations, by period, for everybody, women and men?
-- Fråga: Vad blev det av deltagandena, per period, för alla, kvinnor och män?
-- Where `is_break` is true the source is another one than before: draw no line across it.
with

chosen as (
    select 'nation' as level, '0000' as unit_id, 'calendar_year' as period_kind
)

select
    outcomes.period,
    outcomes.gender,
    outcome_sources.label_sv as source,
    outcomes.previous_period is not null and not outcomes.comparable as is_break,
    outcomes.active,
    outcomes.ended,
    outcomes.dropouts,
    outcomes.work,
    outcomes.studies,
    outcomes.other_vocational,
    outcomes.medical_rehab,
    outcomes.sickness_compensation,
    outcomes.other,
    outcomes.active_next,
    outcomes.positive,
    outcomes.leavers,
    outcomes.positive_rate,
    outcomes.ci_low,
    outcomes.ci_high,
    outcomes.change,
    outcomes.change_significant
from outcomes
inner join chosen using (level, unit_id, period_kind)
inner join outcome_sources using (source_id)
order by outcomes.gender = 'T' desc, outcomes.gender, outcomes.period
