with

activities as (
    select * from {{ ref('stg_activities') }}
),

activity_groups as (
    select * from {{ ref('stg_activity_groups') }}
),

final as (
    select
        round,
        {{ activity_id() }} as unit_id,
        activity_groups.group_id,
        activities.is_synthetic
    from activity_groups
    inner join activities using (round, association_id, insats_kod)
)

select * from final
