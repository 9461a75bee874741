-- The nation is the sum of its counties and the sum of its associations; activities and groups of
-- activities are parts of it. Not so of a register study: its nation is given, no sum of ours.
with

totals as (
    select
        round,
        question_id,
        gender,
        level,
        sum(n) as n,
        sum(n_positive) as n_positive,
        sum(n_missing) as n_missing,
        sum(n_dont_know) as n_dont_know
    from {{ ref('measure_results') }}
    where question_id in (select question_id from {{ ref('questions') }})
    group by round, question_id, gender, level
),

nation as (
    select * from totals
    where level = 'nation'
),

parts as (
    select nation.round, nation.question_id, nation.gender, levels.level
    from nation
    cross join (
        {{ rows_of('level', var('levels')) }}
    ) as levels
)

select parts.round, parts.question_id, parts.gender, parts.level
from parts
inner join nation
    on parts.round = nation.round
    and parts.question_id = nation.question_id
    and parts.gender = nation.gender
left join totals
    on parts.round = totals.round
    and parts.question_id = totals.question_id
    and parts.gender = totals.gender
    and parts.level = totals.level
where
    (
        parts.level in ('county', 'association')
        and (
            totals.n is null
            or totals.n <> nation.n
            or totals.n_positive <> nation.n_positive
            or totals.n_missing <> nation.n_missing
            or totals.n_dont_know <> nation.n_dont_know
        )
    )
    or totals.n > nation.n
    or totals.n_positive > nation.n_positive
