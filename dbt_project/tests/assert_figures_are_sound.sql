-- A share exists where there are answers, inside its interval; so do the means of indicators. A
-- target that is reached is no higher than the share, one that is not reached is higher.
select round, level, unit_id, gender, measure_id as figure_id
from {{ ref('measure_results') }}
where (n = 0) <> (share is null)
    or not (0 <= ci_low and ci_low <= share + 1e-9 and share <= ci_high + 1e-9 and ci_high <= 100)
    or not (0 <= mean_index and mean_index <= 100)
    or comparable <> (share_previous is not null)
    or change_significant and change = 0
    or (reached is null) <> (target_share is null or share is null)
    or (reached is null) <> (distance is null)
    or reached = 'reached' and distance < -1e-9
    or reached = 'not_reached' and distance > 1e-9

union all

select round, level, unit_id, gender, indicator_id
from {{ ref('indicator_results') }}
where (n_measures = 0) <> (share is null)
    or not (0 <= share and share <= 100)
    or (reached is null) <> (target_share is null or share is null)
    or (reached is null) <> (distance is null)
    or reached = 'reached' and distance < -1e-9
    or reached = 'not_reached' and distance > 1e-9
