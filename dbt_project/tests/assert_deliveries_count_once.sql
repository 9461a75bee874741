-- One delivery counts for a round, association and source, and one for a file's content.
select round, association_id, count(*) as n_deliveries
from {{ ref('stg_deliveries') }}
where is_counting
group by round, association_id, delivery_source
having count(*) > 1

union all

select max(round), sha256, count(*)
from {{ ref('stg_deliveries') }}
where is_counting
group by sha256
having count(*) > 1
