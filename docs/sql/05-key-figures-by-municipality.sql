-- Question: What are the key figures of each municipality in the latest year?
-- Fråga: Vilka värden har nyckeltalen i varje kommun det senaste året?
-- Municipalities of the same association have the same value. An empty value has status Missing:
-- the answers were fewer than min_answers.
with

latest as (
    select max(period) as period from key_figures
)

select
    figures.period,
    figures.kpi_id,
    definitions.title,
    figures.municipality_id,
    municipalities.municipality_name,
    figures.value,
    figures.count,
    figures.status,
    figures.association_ids
from key_figures as figures
inner join latest using (period)
inner join key_figure_definitions as definitions using (kpi_id)
inner join municipalities on figures.municipality_id = municipalities.municipality_code
order by figures.kpi_id, figures.municipality_id
