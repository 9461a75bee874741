-- The nation's questionnaires are the same by questionnaire and in all; what is handed out and
-- returned adds up from activities to associations to the nation, in which not all of them are.
-- Figures of register studies have no questionnaires.
with

associations as (
    select * from {{ ref('stg_associations') }}
),

rates as (
    select
        response_rates.*,
        coalesce(associations.in_nation, true) as in_nation
    from {{ ref('response_rates') }} as response_rates
    left join associations
        on response_rates.level = 'association'
        and response_rates.unit_id = associations.association_id
),

added_up as (
    select
        round,
        sum(case when level = 'nation' then returned else 0 end) as n_nation,
        sum(case when level = 'county' then returned else 0 end) as n_counties,
        sum(case when level = 'association' and in_nation then returned else 0 end) as n_inside,
        sum(case when level = 'association' then returned end) as n_associations,
        sum(case when level = 'activity' then returned else 0 end) as n_activities,
        sum(case when level = 'nation' then handed_out end) as handed_out_nation,
        sum(case when level = 'association' and in_nation then handed_out end) as handed_out_inside
    from rates
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
    select
        bundles.round,
        sum(bundles.n_returned) as n_questionnaires,
        sum(case when associations.in_nation then bundles.n_returned else 0 end) as n_inside
    from {{ ref('stg_bundles') }} as bundles
    left join associations
        on bundles.association_id = associations.association_id
    group by bundles.round
)

select submitted.round
from submitted
left join added_up
    on submitted.round = added_up.round
left join volumes
    on submitted.round = volumes.round
where submitted.n_inside is distinct from added_up.n_nation
    or submitted.n_inside is distinct from coalesce(volumes.n_questionnaires, 0)
    or submitted.n_inside is distinct from added_up.n_counties
    or submitted.n_inside is distinct from added_up.n_inside
    or submitted.n_questionnaires is distinct from added_up.n_associations
    or added_up.n_activities > added_up.n_associations
    or added_up.handed_out_nation is distinct from added_up.handed_out_inside
