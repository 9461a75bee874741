-- Question: How do the groups of respondents see each indicator in the latest round?
-- Fråga: Hur ser svarandegrupperna på varje indikator i den senaste omgången?
-- `all_groups` is the unweighted mean of the groups beside it. An empty cell: the group is not
-- asked, or did not answer.
with

latest as (
    select max(round) as round from indicator_results
)

select
    results.round,
    results.indicator_id,
    indicators.label_sv as indicator,
    indicators.verification,
    max(results.share) filter (where results.respondent_group = 'participant') as participant,
    max(results.share) filter (where results.respondent_group = 'staff') as staff,
    max(results.share) filter (where results.respondent_group = 'association_head')
        as association_head,
    max(results.share) filter (where results.respondent_group = 'board') as board,
    max(results.share) filter (where results.respondent_group = 'managers') as managers,
    max(results.share) filter (where results.respondent_group = 'referrer') as referrer,
    max(results.share) filter (where results.respondent_group = 'all') as all_groups,
    max(results.target_share) filter (where results.respondent_group = 'all') as target_share
from indicator_results as results
inner join latest using (round)
inner join indicators using (indicator_id)
where results.level = 'nation'
    and results.gender = 'T'
group by results.round, results.indicator_id, indicators.label_sv, indicators.verification
order by length(results.indicator_id), results.indicator_id
