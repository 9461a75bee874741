-- Question: Who was expected in the latest round, who delivered, and who was late or is missing?
-- Fråga: Vilka väntades i den senaste omgången, vilka levererade, och vilka var sena eller saknas?
-- A round is in the roster from its first delivery on.
select
    coalesce(associations.association_name, roster.association_id) as association,
    roster.is_expected,
    roster.merged_from,
    roster.state,
    roster.received,
    roster.days_late,
    roster.n_questionnaires
from roster
left join associations using (association_id)
where roster.round = (select max(round) from roster)
order by roster.state, association, roster.association_id
