-- Question: On which measures do women and men differ in the latest round?
-- Fråga: På vilka mått skiljer sig kvinnor och män i den senaste omgången?
-- `significant` is the test behind change_significant (two-sided pooled z-test, 5 %), here between
-- women and men. Out of 30 such tests one or two are significant by chance alone.
with

latest as (
    select max(round) as round from measure_results
),

pairs as (
    select
        women.round,
        women.questionnaire_id,
        women.measure_id,
        women.n as n_women,
        men.n as n_men,
        women.share as share_women,
        men.share as share_men,
        women.share - men.share as difference,
        1.0 * (women.n_positive + men.n_positive) / (women.n + men.n) as pooled
    from measure_results as women
    inner join latest using (round)
    inner join measure_results as men
        using (round, level, unit_id, questionnaire_id, measure_id)
    where women.level = 'nation'
        and women.gender = 'K'
        and men.gender = 'M'
        and women.n > 0
        and men.n > 0
)

select
    pairs.round,
    pairs.questionnaire_id,
    pairs.measure_id,
    measures.label_sv as measure,
    pairs.n_women,
    pairs.n_men,
    pairs.share_women,
    pairs.share_men,
    pairs.difference,
    abs(pairs.difference) / 100 > 1.959964 * sqrt(
        pairs.pooled * (1 - pairs.pooled) * (1.0 / pairs.n_women + 1.0 / pairs.n_men)
    ) as significant
from pairs
inner join measures using (measure_id)
order by abs(pairs.difference) desc, pairs.questionnaire_id, pairs.measure_id
