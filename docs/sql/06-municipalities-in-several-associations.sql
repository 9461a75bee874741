-- Question: Which municipalities belong to several associations in the same round?
-- Fråga: Vilka kommuner hör till flera förbund i samma omgång?
-- Their key figures pool the answers of all these associations, so do not add municipalities up.
select
    rounds.round,
    memberships.municipality_code,
    municipalities.municipality_name,
    count(distinct memberships.association_id) as n_associations,
    string_agg(distinct memberships.association_id, ',' order by memberships.association_id)
        as association_ids
from rounds
inner join memberships
    on rounds.round between memberships.first_round
        and coalesce(memberships.last_round, rounds.round)
inner join municipalities using (municipality_code)
group by rounds.round, memberships.municipality_code, municipalities.municipality_name
having count(distinct memberships.association_id) > 1
order by rounds.round, memberships.municipality_code
