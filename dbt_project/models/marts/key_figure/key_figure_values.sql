{{ config(alias='key_figures') }}

with

measure_results as (
    select * from {{ ref('measure_results') }}
    where level = 'association' and gender = 'T'
),

key_figures as (
    select * from {{ ref('key_figures') }}
),

associations as (
    select * from {{ ref('associations') }}
    where in_nation
),

memberships as (
    select * from {{ ref('memberships') }}
),

deliveries as (
    select * from {{ ref('stg_deliveries') }}
    where is_counting
),

rounds as (
    select
        round,
        bool_or(is_synthetic) as is_synthetic
    from deliveries
    group by round
),

-- Distinct: a municipality that left and came back has several rows.
members as (
    select distinct
        rounds.round,
        rounds.is_synthetic,
        memberships.municipality_code,
        memberships.association_id
    from rounds
    inner join memberships
        on {{ applies('rounds.round', 'memberships') }}
    inner join associations
        on memberships.association_id = associations.association_id
),

pooled as (
    select
        key_figures.kpi_id,
        members.municipality_code as municipality_id,
        members.round as period,
        key_figures.min_answers,
        members.is_synthetic,
        coalesce({{ total('measure_results.n') }}, 0) as n,
        coalesce({{ total('measure_results.n_positive') }}, 0) as n_positive,
        {{ dbt.listagg('association_id', "','", 'order by association_id') }} as association_ids
    from members
    inner join key_figures
        on {{ applies('members.round', 'key_figures', 'year') }}
    left join measure_results
        on members.round = measure_results.round
        and members.association_id = measure_results.unit_id
        and key_figures.questionnaire_id = measure_results.questionnaire_id
        and key_figures.measure_id = measure_results.measure_id
    group by
        key_figures.kpi_id,
        members.municipality_code,
        members.round,
        key_figures.min_answers,
        members.is_synthetic
),

final as (
    select
        kpi_id,
        municipality_id,
        period,
        'T' as gender,
        case when n >= min_answers then {{ percent('n_positive', 'n') }} end as value,
        n as count,
        case when n >= min_answers and n > 0 then '' else 'Missing' end as status,
        association_ids,
        is_synthetic
    from pooled
)

select * from final
