-- Question: What was delivered, which delivery counts, and what was found in it?
-- Fråga: Vad har levererats, vilken leverans räknas, och vilka fynd finns i den?
-- Only deliveries in state loaded are behind the figures. Received is in UTC.
select
    submissions.round,
    coalesce(associations.association_name, submissions.association_id) as association,
    submissions.file,
    submissions.received,
    submissions.delivery_source,
    submissions.layout_id,
    submissions.state,
    submissions.n_questionnaires,
    submissions.n_stop,
    submissions.n_error,
    submissions.n_warning,
    submissions.n_info
from submissions
left join associations using (association_id)
order by submissions.round desc, submissions.file, submissions.received, submissions.sha256
