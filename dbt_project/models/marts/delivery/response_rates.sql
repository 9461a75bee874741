{% set pooled_levels = ['nation', 'county', 'association'] %}

with

rounds as (
    select * from {{ ref('rounds') }}
),

questionnaires as (
    select * from {{ ref('questionnaires') }}
    where kind = 'questionnaire'
),

associations as (
    select * from {{ ref('stg_associations') }}
),

-- Once per association, whether it sent a workbook, web answers or both.
deliveries as (
    select
        round,
        association_id,
        bool_or(is_synthetic) as is_synthetic
    from {{ ref('stg_deliveries') }}
    where is_counting
    group by round, association_id
),

activities as (
    select * from {{ ref('stg_activities') }}
),

handed_out as (
    select * from {{ ref('stg_handed_out') }}
),

bundles as (
    select * from {{ ref('stg_bundles') }}
),

levels as (
    {{ rows_of('level', pooled_levels) }}
),

association_levels as (
    select
        association_id,
        agreement_from,
        agreement_to,
        levels.level,
        {{ unit_id(pooled_levels) }} as unit_id
    from associations
    cross join levels
),

association_units as (
    select * from association_levels
    where unit_id is not null
),

coverage as (
    select
        rounds.round,
        association_units.level,
        association_units.unit_id,
        count(*) filter (where {{ is_expected('association_units', 'rounds') }})
            as n_associations_expected,
        count(deliveries.association_id) as n_associations_delivered
    from rounds
    cross join association_units
    left join deliveries
        on rounds.round = deliveries.round
        and association_units.association_id = deliveries.association_id
    group by rounds.round, association_units.level, association_units.unit_id
),

-- What an activity handed out, and what came back: from it, or from the association without one.
-- Who delivered has a row for every questionnaire of the round, also where nothing came back.
listed_and_returned as (
    select
        activities.round,
        activities.association_id,
        activities.insats_kod,
        questionnaires.questionnaire_id,
        1 as n_listed,
        handed_out.handed_out,
        0 as returned,
        activities.is_synthetic
    from activities
    inner join questionnaires
        on questionnaires.has_activity
        and {{ applies('activities.round', 'questionnaires') }}
    left join handed_out
        on activities.round = handed_out.round
        and activities.association_id = handed_out.association_id
        and activities.insats_kod = handed_out.insats_kod
        and questionnaires.questionnaire_id = handed_out.questionnaire_id

    union all

    select
        round,
        association_id,
        insats_kod,
        questionnaire_id,
        0 as n_listed,
        null as handed_out,
        n_returned as returned,
        is_synthetic
    from bundles

    union all

    select
        deliveries.round,
        deliveries.association_id,
        null as insats_kod,
        questionnaires.questionnaire_id,
        0 as n_listed,
        null as handed_out,
        0 as returned,
        deliveries.is_synthetic
    from deliveries
    inner join questionnaires
        on {{ applies('deliveries.round', 'questionnaires') }}
),

by_activity as (
    select
        round,
        association_id,
        insats_kod,
        questionnaire_id,
        {{ total('n_listed') }} as n_listed,
        {{ total('handed_out') }} as handed_out,
        {{ total('returned') }} as returned,
        bool_or(is_synthetic) as is_synthetic
    from listed_and_returned
    group by round, association_id, insats_kod, questionnaire_id
),

-- An association knows its count when each of its activities does.
by_association as (
    select
        round,
        association_id,
        questionnaire_id,
        {{ total('n_listed') }} as n_listed,
        {{ total('case when returned > 0 then n_listed else 0 end') }} as n_answering,
        case
            when sum(n_listed) = count(handed_out) then {{ total('handed_out') }}
        end as handed_out,
        {{ total('returned') }} as returned,
        bool_or(is_synthetic) as is_synthetic
    from by_activity
    group by round, association_id, questionnaire_id
),

by_unit as (
    select
        round,
        'activity' as level,
        {{ activity_id() }} as unit_id,
        questionnaire_id,
        'association' as coverage_level,
        association_id as coverage_unit_id,
        handed_out,
        returned,
        case when handed_out is not null then returned end as returned_known,
        n_listed as n_activities_expected,
        case when returned > 0 then n_listed else 0 end as n_activities_delivered,
        is_synthetic
    from by_activity
    where insats_kod is not null

    union all

    select
        by_association.round,
        association_units.level,
        association_units.unit_id,
        by_association.questionnaire_id,
        association_units.level as coverage_level,
        association_units.unit_id as coverage_unit_id,
        {{ total('handed_out') }} as handed_out,
        {{ total('returned') }} as returned,
        {{ total('case when handed_out is not null then returned end') }} as returned_known,
        {{ total('n_listed') }} as n_activities_expected,
        {{ total('n_answering') }} as n_activities_delivered,
        bool_or(is_synthetic) as is_synthetic
    from by_association
    inner join association_units
        on by_association.association_id = association_units.association_id
    group by
        by_association.round,
        association_units.level,
        association_units.unit_id,
        by_association.questionnaire_id
),

final as (
    select
        by_unit.round,
        by_unit.level,
        by_unit.unit_id,
        by_unit.questionnaire_id,
        by_unit.handed_out,
        by_unit.returned,
        by_unit.returned_known,
        {{ percent('by_unit.returned_known', 'by_unit.handed_out') }} as response_rate,
        coverage.n_associations_expected,
        coverage.n_associations_delivered,
        case
            when questionnaires.has_activity then by_unit.n_activities_expected
        end as n_activities_expected,
        case
            when questionnaires.has_activity then by_unit.n_activities_delivered
        end as n_activities_delivered,
        by_unit.is_synthetic
    from by_unit
    inner join questionnaires
        on by_unit.questionnaire_id = questionnaires.questionnaire_id
    left join coverage
        on by_unit.round = coverage.round
        and by_unit.coverage_level = coverage.level
        and by_unit.coverage_unit_id = coverage.unit_id
)

select * from final
