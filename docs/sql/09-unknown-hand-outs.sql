-- Question: Which activities returned questionnaires without telling how many they handed out?
-- Fråga: Vilka insatser har lämnat in enkäter utan att ange hur många som delades ut?
-- One such activity makes its association's response rate unknown, so these are worth a call.
select
    rates.round,
    associations.association_name,
    rates.unit_id as activity,
    rates.questionnaire_id,
    rates.returned
from response_rates as rates
inner join associations on split_part(rates.unit_id, '/', 1) = associations.association_id
where rates.level = 'activity'
    and rates.handed_out is null
order by rates.round desc, rates.unit_id, rates.questionnaire_id
