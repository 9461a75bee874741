-- The questions are answered as the nation's measures are, and where an indicator has a single item
-- everybody who answered it is complete.
with

nation as (
    select * from {{ ref('measure_results') }}
    where level = 'nation' and gender = 'T'
)

select items.round, items.question_id
from {{ ref('int_item_sums') }} as items
left join nation
    on items.round = nation.round
    and items.question_id = nation.question_id
where items.n is distinct from nation.n
    or items.n_missing is distinct from nation.n_missing
    or items.n_lowest + items.n_highest > items.n
    or items.n_complete > items.n
    or (items.is_item and items.n_items = 1 and items.n_complete <> items.n)
