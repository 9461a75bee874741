{{ config(materialized=built_by_round(), pre_hook="{{ forget_changed_rounds('figures') }}") }}

with

measure_results as (
    select * from {{ ref('measure_results') }}
    where {{ to_be_built('figures') }}
),

activity_groups as (
    select * from {{ ref('activity_groups') }}
),

activities as (
    select * from measure_results
    where level = 'activity'
),

groups as (
    select * from measure_results
    where level = 'activity_group'
),

-- Each activity beside its group, and beside what the group is without it.
paired as (
    select
        activities.round,
        activities.unit_id,
        activity_groups.group_id,
        activities.questionnaire_id,
        activities.measure_id,
        activities.gender,
        activities.n,
        activities.n_positive,
        activities.share,
        groups.n - activities.n as n_others,
        groups.n_positive - activities.n_positive as n_positive_others,
        count(case when activities.n > 0 then 1 end) over (
            partition by
                activities.round,
                activity_groups.group_id,
                activities.questionnaire_id,
                activities.measure_id,
                activities.gender
        ) as n_activities,
        groups.is_synthetic
    from activities
    inner join activity_groups
        on activities.round = activity_groups.round
        and activities.unit_id = activity_groups.unit_id
    inner join groups
        on activities.round = groups.round
        and activity_groups.group_id = groups.unit_id
        and activities.questionnaire_id = groups.questionnaire_id
        and activities.measure_id = groups.measure_id
        and activities.gender = groups.gender
),

compared as (
    select
        paired.*,
        {{ percent('n_positive_others', 'n_others') }} as share_others
    from paired
),

final as (
    select
        round,
        unit_id,
        group_id,
        questionnaire_id,
        measure_id,
        gender,
        n,
        share,
        n_others,
        share_others,
        share - share_others as difference,
        case
            when n > 0 and n_others > 0 then {{ proportions_differ(
                'n_positive', 'n', 'n_positive_others', 'n_others'
            ) }}
        end as difference_significant,
        n_activities,
        is_synthetic
    from compared
)

select * from final
