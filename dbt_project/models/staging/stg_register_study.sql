with

register_study as (
    select * from {{ source('outcomes', 'register_study') }}
),

final as (
    select
        level,
        unit_id,
        cohort,
        months_after,
        gender,
        n,
        n_sustained,
        is_synthetic
    from register_study
)

select * from final
