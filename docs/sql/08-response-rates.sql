-- Question: How many questionnaires came back in each round, and how well is that known?
-- Fråga: Hur många enkäter kom in i varje omgång, och hur säkert är det?
-- response_rate concerns known_percent of what was returned, that of the associations that know how
-- many they handed out. A rate on a small part says little.
select
    rates.round,
    rates.questionnaire_id,
    questionnaires.sheet_name as questionnaire,
    rates.returned,
    rates.handed_out,
    rates.returned_known,
    rates.response_rate,
    100.0 * rates.returned_known / nullif(rates.returned, 0) as known_percent,
    rates.n_associations_delivered,
    rates.n_associations_expected,
    rates.n_activities_delivered,
    rates.n_activities_expected
from response_rates as rates
inner join questionnaires using (questionnaire_id)
where rates.level = 'nation'
order by rates.questionnaire_id, rates.round
