with

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
),

final as (
    select
        file,
        sha256,
        round,
        association_id,
        delivery_source,
        layout_id,
        received,
        received_on,
        state,
        state = 'loaded' as is_counting,
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
