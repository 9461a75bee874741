-- Question: Where did associations change most since their previous round, beyond chance?
-- Fråga: Var har förbunden förändrats mest sedan sin förra omgång, utöver slumpen?
-- Only comparable questions have a change. Units with fewer than min_n answers in either round are
-- left out: the test needs some. Of n_tested changes one in twenty is significant by chance alone.
with

chosen as (
    select 10 as min_n
),

latest as (
    select max(round) as round from measure_results
),

tested as (
    select
        results.*,
        previous.n as n_previous,
        count(*) over () as n_tested
    from measure_results as results
    inner join latest using (round)
    inner join measure_results as previous
        on results.previous_round = previous.round
        and results.level = previous.level
        and results.unit_id = previous.unit_id
        and results.questionnaire_id = previous.questionnaire_id
        and results.measure_id = previous.measure_id
        and results.gender = previous.gender
    inner join chosen on results.n >= chosen.min_n and previous.n >= chosen.min_n
    where results.level = 'association'
        and results.gender = 'T'
        and results.comparable
)

select
    tested.round,
    associations.association_name,
    tested.questionnaire_id,
    tested.measure_id,
    measures.label_sv as measure,
    tested.previous_round,
    tested.n_previous,
    tested.share_previous,
    tested.n,
    tested.share,
    tested.change,
    tested.n_tested
from tested
inner join associations on tested.unit_id = associations.association_id
inner join measures using (measure_id)
where tested.change_significant
order by abs(tested.change) desc, tested.unit_id, tested.questionnaire_id, tested.measure_id
limit 20
