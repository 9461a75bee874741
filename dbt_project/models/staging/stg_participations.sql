with

participations as (
    select * from {{ source('outcomes', 'participations') }}
),

settings as (
    select * from {{ source('outcomes', 'settings') }}
),

figures as (
    select * from {{ ref('outcome_figures') }}
),

described as (
    select
        participations.*,
        settings.dropout_months,
        case
            when parents.part_of <> '' then parents.figure_id
            else figures.figure_id
        end as way_out,
        coalesce(figures.is_positive, false) as is_positive,
        coalesce(figures.is_left_out, false) as is_left_out,
        coalesce(
            participations.end_date
                <= {{ months_later('participations.start_date', 'settings.dropout_months') }},
            false
        ) as is_early
    from participations
    cross join settings
    left join figures
        on participations.exit_reason = figures.figure_id
    left join figures as parents
        on figures.part_of = parents.figure_id
),

-- Who was registered by mistake is neither a dropout nor a positive result.
final as (
    select
        sha256,
        row as sheet_row,
        association_id,
        insats_kod,
        kon,
        start_date,
        end_date,
        last_date,
        exit_reason,
        way_out,
        is_left_out,
        is_early and not is_left_out as is_dropout,
        is_positive and not is_early and not is_left_out as is_positive_leaver,
        years_without_work,
        {{ dbt.datediff('start_date', 'end_date', 'day') }} as throughput_days,
        dropout_months,
        is_synthetic
    from described
)

select * from final
