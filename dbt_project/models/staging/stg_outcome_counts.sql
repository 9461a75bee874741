with

counts as (
    select * from {{ source('outcomes', 'counts') }}
),

sources as (
    select * from {{ ref('outcome_sources') }}
),

final as (
    select
        counts.sha256,
        counts.row as sheet_row,
        sources.source_id,
        counts.association_id,
        counts.insats_kod,
        counts.kon,
        {{ period_name('counts.period_start', 'counts.period_end') }} as period,
        cast(extract(year from counts.period_start) as integer) as round,
        counts.period_kind,
        counts.period_start,
        counts.period_end,
        counts.active,
        counts.ended,
        counts.dropouts,
        {%- for way in var('ways_out') + var('ways_to_work') %}
        counts.{{ way }},
        {%- endfor %}
        counts.active_next,
        counts.is_synthetic
    from counts
    inner join sources
        on sources.delivers = 'counts'
        and counts.period_start >= coalesce(sources.first_day, counts.period_start)
        and counts.period_end <= coalesce(sources.last_day, counts.period_end)
)

select * from final
