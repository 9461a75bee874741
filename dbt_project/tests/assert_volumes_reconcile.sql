-- The nation's questionnaires are the same by questionnaire and in all; what is handed out and
-- returned adds up from activities to associations to the nation. Figures of register studies have
-- no questionnaires.
with

rates as (
    select
        round,
        sum(case when level = 'nation' then returned end) as n_nation,
        sum(case when level = 'county' then returned end) as n_counties,
        sum(case when level = 'association' then returned end) as n_associations,
        sum(case when level = 'activity' then returned else 0 end) as n_activities,
        sum(case when level = 'nation' then handed_out end) as handed_out_nation,
        sum(case when level = 'association' then handed_out end) as handed_out_associations
    from {{ ref('response_rates') }}
    group by round
),

volumes as (
    select distinct figures.round, figures.n_questionnaires
    from {{ ref('national_results') }} as figures
    inner join {{ ref('indicators') }} as indicators
        on figures.indicator_id = indicators.indicator_id
        and indicators.kind <> 'register'
    where figures.gender = 'T'
),

submitted as (
    select round, count(*) as n_questionnaires
    from {{ ref('stg_responses') }}
    group by round
)

select submitted.round
from submitted
left join rates
    on submitted.round = rates.round
left join volumes
    on submitted.round = volumes.round
where submitted.n_questionnaires is distinct from rates.n_nation
    or submitted.n_questionnaires is distinct from volumes.n_questionnaires
    or rates.n_counties is distinct from rates.n_nation
    or rates.n_associations is distinct from rates.n_nation
    or rates.n_activities > rates.n_nation
    or rates.handed_out_nation is distinct from rates.handed_out_associations
