-- An indicator's answers are those of its measures, by group and for all bundles.
with

measured as (
    select
        measure_results.round,
        measure_results.level,
        measure_results.unit_id,
        measure_results.gender,
        measures.indicator_id,
        sum(measure_results.n) as n,
        min(measure_results.share) as lowest,
        max(measure_results.share) as highest
    from {{ ref('measure_results') }} as measure_results
    inner join {{ ref('measures') }} as measures
        on measure_results.measure_id = measures.measure_id
    group by
        measure_results.round,
        measure_results.level,
        measure_results.unit_id,
        measure_results.gender,
        measures.indicator_id
),

indicated as (
    select
        round,
        level,
        unit_id,
        gender,
        indicator_id,
        sum(case when respondent_group = 'all' then n else 0 end) as n_all,
        sum(case when respondent_group <> 'all' then n else 0 end) as n_groups,
        min(share) as lowest,
        max(share) as highest
    from {{ ref('indicator_results') }}
    group by round, level, unit_id, gender, indicator_id
)

select measured.round, measured.level, measured.unit_id, measured.gender, measured.indicator_id
from measured
left join indicated
    on measured.round = indicated.round
    and measured.level = indicated.level
    and measured.unit_id = indicated.unit_id
    and measured.gender = indicated.gender
    and measured.indicator_id = indicated.indicator_id
where coalesce(indicated.n_all, -1) <> measured.n
    or indicated.n_groups <> measured.n
    or indicated.lowest < measured.lowest - 1e-9
    or indicated.highest > measured.highest + 1e-9
