-- The nation is the sum of its counties and the sum of its associations; activities are parts of it,
-- and a group of activities is the sum of them. What is out of the nation is in none of these. Not so
-- of a register study: its nation is given, no sum of ours.
with

results as (
    select * from {{ ref('measure_results') }}
),

outside as (
    select association_id from {{ ref('stg_associations') }}
    where not in_nation
),

outside_units as (
    select association_id as unit_id from outside

    union all

    select activities.unit_id
    from {{ ref('activities') }} as activities
    inner join outside
        on activities.association_id = outside.association_id
),

totals as (
    select
        results.round,
        results.question_id,
        results.gender,
        results.level,
        sum(results.n) as n,
        sum(results.n_positive) as n_positive,
        sum(results.n_missing) as n_missing,
        sum(results.n_dont_know) as n_dont_know
    from results
    left join outside_units
        on results.unit_id = outside_units.unit_id
    where results.level <> 'activity_group'
        and outside_units.unit_id is null
        and results.question_id in (select question_id from {{ ref('questions') }})
    group by results.round, results.question_id, results.gender, results.level
),

nation as (
    select * from totals
    where level = 'nation'
),

parts as (
    select nation.round, nation.question_id, nation.gender, levels.level
    from nation
    cross join (
        {{ rows_of('level', ['county', 'association', 'activity']) }}
    ) as levels
),

grouped as (
    select
        activities.round,
        activities.question_id,
        activities.gender,
        activity_groups.group_id,
        sum(activities.n) as n,
        sum(activities.n_positive) as n_positive,
        sum(activities.n_missing) as n_missing,
        sum(activities.n_dont_know) as n_dont_know
    from results as activities
    inner join {{ ref('activity_groups') }} as activity_groups
        on activities.round = activity_groups.round
        and activities.unit_id = activity_groups.unit_id
    where activities.level = 'activity'
    group by
        activities.round,
        activities.question_id,
        activities.gender,
        activity_groups.group_id
),

groups as (
    select * from results
    where level = 'activity_group'
)

select parts.round, parts.question_id, parts.gender, parts.level as unit
from parts
inner join nation
    on parts.round = nation.round
    and parts.question_id = nation.question_id
    and parts.gender = nation.gender
left join totals
    on parts.round = totals.round
    and parts.question_id = totals.question_id
    and parts.gender = totals.gender
    and parts.level = totals.level
where
    (
        parts.level in ('county', 'association')
        and (
            totals.n is null
            or totals.n <> nation.n
            or totals.n_positive <> nation.n_positive
            or totals.n_missing <> nation.n_missing
            or totals.n_dont_know <> nation.n_dont_know
        )
    )
    or totals.n > nation.n
    or totals.n_positive > nation.n_positive

union all

select
    coalesce(groups.round, grouped.round),
    coalesce(groups.question_id, grouped.question_id),
    coalesce(groups.gender, grouped.gender),
    coalesce(groups.unit_id, grouped.group_id)
from groups
full outer join grouped
    on groups.round = grouped.round
    and groups.question_id = grouped.question_id
    and groups.gender = grouped.gender
    and groups.unit_id = grouped.group_id
where groups.n is distinct from grouped.n
    or groups.n_positive is distinct from grouped.n_positive
    or groups.n_missing is distinct from grouped.n_missing
    or groups.n_dont_know is distinct from grouped.n_dont_know
