-- In a round at most one target applies to the same figure and unit, or to all units of a level.
select rounds.round, targets.measure_id, targets.indicator_id, targets.level, targets.unit_id
from {{ ref('stg_targets') }} as targets
inner join {{ ref('rounds') }} as rounds
    on {{ applies('rounds.round', 'targets') }}
group by rounds.round, targets.measure_id, targets.indicator_id, targets.level, targets.unit_id
having count(*) > 1
