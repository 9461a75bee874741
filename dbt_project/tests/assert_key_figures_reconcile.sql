-- Each association's answers, when it is in the nation, count once in each of its municipalities, and
-- no value stands on fewer answers than the key figure asks for.
with

published as (
    select kpi_id, period, sum(count) as n
    from {{ ref('key_figure_values') }}
    group by kpi_id, period
),

answered as (
    select key_figures.kpi_id, counts.round as period, sum(counts.n) as n
    from {{ ref('int_measure_counts') }} as counts
    inner join {{ ref('questions') }} as questions
        on counts.question_id = questions.question_id
    inner join {{ ref('key_figures') }} as key_figures
        on questions.measure_id = key_figures.measure_id
        and questions.questionnaire_id = key_figures.questionnaire_id
        and {{ applies('counts.round', 'key_figures', 'year') }}
    inner join {{ ref('rounds') }} as rounds
        on counts.round = rounds.round
    inner join {{ ref('memberships') }} as memberships
        on counts.association_id = memberships.association_id
        and {{ applies('rounds.round', 'memberships') }}
    where counts.in_nation
    group by key_figures.kpi_id, counts.round
)

select answered.kpi_id, answered.period, null as municipality_id
from answered
left join published
    on answered.kpi_id = published.kpi_id
    and answered.period = published.period
where answered.n <> coalesce(published.n, -1)

union all

select figures.kpi_id, figures.period, figures.municipality_id
from {{ ref('key_figure_values') }} as figures
inner join {{ ref('key_figures') }} as key_figures
    on figures.kpi_id = key_figures.kpi_id
where (figures.status = 'Missing') <> (figures.value is null)
    or (figures.status = 'Missing')
        <> (figures.count = 0 or figures.count < key_figures.min_answers)
