with

deliveries as (
    select * from {{ ref('stg_deliveries') }}
),

final as (
    select
        file,
        sha256,
        association_id,
        round,
        received,
        delivery_source,
        layout_id,
        state,
        n_questionnaires,
        rows_per_questionnaire,
        n_stop,
        n_error,
        n_warning,
        n_info,
        is_synthetic
    from deliveries
)

select * from final
