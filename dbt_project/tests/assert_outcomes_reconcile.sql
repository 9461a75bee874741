-- The identities of the outcome table hold in every row, women and men are part of everybody, and
-- the nation is the sum of its counties and of the associations in it.
with

outcomes as (
    select * from {{ ref('outcomes') }}
),

totals as (
    select
        outcomes.period,
        outcomes.gender,
        outcomes.level,
        sum(outcomes.active) as active,
        sum(outcomes.ended) as ended,
        sum(outcomes.leavers) as leavers,
        sum(outcomes.positive) as positive
    from outcomes
    left join {{ ref('stg_associations') }} as associations
        on outcomes.level = 'association'
        and outcomes.unit_id = associations.association_id
    where coalesce(associations.in_nation, true)
    group by outcomes.period, outcomes.gender, outcomes.level
)

select period, level, unit_id, gender, 'identities' as what
from outcomes
where ended <> dropouts
        {%- for way in var('ways_out') %} + {{ way }}{% endfor %}
    or active_next <> active - ended
    or leavers <> ended - dropouts
    or work < {% for way in var('ways_to_work') %}{{ way }}{% if not loop.last %} + {% endif %}{% endfor %}
    or positive > leavers
    or throughput_months_n <> positive
    or years_without_work_n > positive
    or active <= 0
    or least(ended, dropouts, active_next
        {%- for way in var('ways_out') + var('ways_to_work') %}, {{ way }}{% endfor %}) < 0

union all

select period, level, unit_id, '', 'genders'
from outcomes
group by period, level, unit_id
having
    max(case when gender = 'T' then active else -1 end)
        < sum(case when gender in ('K', 'M') then active else 0 end)
    or max(case when gender = 'T' then positive else -1 end)
        < sum(case when gender in ('K', 'M') then positive else 0 end)

union all

select nation.period, totals.level, '', nation.gender, 'levels'
from totals as nation
inner join totals
    on nation.period = totals.period
    and nation.gender = totals.gender
where nation.level = 'nation'
    and totals.level in ('county', 'association')
    and (
        totals.active <> nation.active
        or totals.ended <> nation.ended
        or totals.leavers <> nation.leavers
        or totals.positive <> nation.positive
    )
