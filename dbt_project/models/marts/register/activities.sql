with

activities as (
    select * from {{ ref('stg_activities') }}
),

final as (
    select
        round,
        association_id,
        insats_kod,
        {{ activity_id() }} as unit_id,
        inriktning,
        langd,
        is_synthetic
    from activities
)

select * from final
