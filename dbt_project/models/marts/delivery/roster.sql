with

rounds as (
    select * from {{ ref('rounds') }}
),

associations as (
    select * from {{ ref('stg_associations') }}
),

memberships as (
    select * from {{ ref('stg_memberships') }}
),

deliveries as (
    select * from {{ ref('stg_deliveries') }}
),

-- A round is in the roster from its first delivery on: which day it is decides nothing.
delivered_rounds as (
    select
        rounds.round,
        rounds.opens,
        rounds.closes,
        rounds.delivery_deadline,
        bool_or(deliveries.is_synthetic) as is_synthetic
    from rounds
    inner join deliveries
        on rounds.round = deliveries.round
    group by rounds.round, rounds.opens, rounds.closes, rounds.delivery_deadline
),

expected as (
    select
        delivered_rounds.round,
        associations.association_id
    from delivered_rounds
    inner join associations
        on {{ is_expected('associations', 'delivered_rounds') }}
),

-- Each association's deliveries; the first in order tells how the association stands.
ordered as (
    select
        *,
        row_number() over (
            partition by round, association_id
            order by
                is_counting desc,
                state in ('stopped', 'withdrawn') desc,
                delivery_source = '{{ var("workbook_source") }}' desc,
                received desc,
                file desc,
                sha256 desc
        ) as place,
        min(received) over (partition by round, association_id) as first_received,
        count(*) over (partition by round, association_id) as n_deliveries,
        count(case when state = 'replaced' then 1 end)
            over (partition by round, association_id) as n_replaced,
        sum(case when is_counting then n_questionnaires end)
            over (partition by round, association_id) as n_counting
    from deliveries
    where association_id is not null
),

telling as (
    select ordered.*
    from ordered
    inner join rounds
        on ordered.round = rounds.round
    where ordered.place = 1
),

pairs as (
    select round, association_id from expected
    union
    select round, association_id from telling
),

-- The register has no word for a merger: an association ended, and all its last municipalities
-- were members of the other from the round after.
ended as (
    select
        association_id,
        max(last_round) as last_round
    from memberships
    group by association_id
    having count(*) = count(last_round)
),

leaving as (
    select
        memberships.association_id,
        memberships.municipality_code,
        ended.last_round + 1 as round,
        count(*) over (partition by memberships.association_id) as n_leaving
    from memberships
    inner join ended
        on memberships.association_id = ended.association_id
        and memberships.last_round = ended.last_round
),

mergers as (
    select
        leaving.association_id as merged_id,
        memberships.association_id,
        leaving.round
    from leaving
    inner join memberships
        on leaving.municipality_code = memberships.municipality_code
        and leaving.round = memberships.first_round
        and leaving.association_id <> memberships.association_id
    group by
        leaving.association_id,
        memberships.association_id,
        leaving.round,
        leaving.n_leaving
    having count(*) = leaving.n_leaving
),

merged as (
    select
        round,
        association_id,
        {{ dbt.listagg('merged_id', "','", 'order by merged_id') }} as merged_from
    from mergers
    group by round, association_id
),

final as (
    select
        pairs.round,
        pairs.association_id,
        associations.kind,
        expected.association_id is not null as is_expected,
        coalesce(merged.merged_from, '') as merged_from,
        case
            when telling.is_counting then 'delivered'
            when telling.state = 'stopped' then 'waiting'
            when telling.state = 'withdrawn' then 'withdrawn'
            else 'missing'
        end as state,
        telling.first_received,
        telling.received,
        case
            when telling.is_counting
                then cast({{ dbt.datediff(
                    'delivered_rounds.delivery_deadline', 'telling.received_on', 'day'
                ) }} as integer)
        end as days_late,
        coalesce(telling.n_deliveries, 0) as n_deliveries,
        coalesce(telling.n_replaced, 0) as n_replaced,
        cast(telling.n_counting as integer) as n_questionnaires,
        delivered_rounds.is_synthetic
    from pairs
    inner join delivered_rounds
        on pairs.round = delivered_rounds.round
    left join associations
        on pairs.association_id = associations.association_id
    left join expected
        on pairs.round = expected.round
        and pairs.association_id = expected.association_id
    left join telling
        on pairs.round = telling.round
        and pairs.association_id = telling.association_id
    left join merged
        on pairs.round = merged.round
        and pairs.association_id = merged.association_id
)

select * from final
