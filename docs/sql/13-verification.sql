-- Question: What in the instrument is confirmed, what is inferred, and what is a placeholder?
-- Fråga: Vad i instrumentet är bekräftat, vad är tolkat och vad är platshållare?
-- A figure is no better known than the least known of its indicator, measure and question.
with

everything as (
    select 'indicator' as kind, indicator_id as id, label_sv as label, verification, source
    from indicators

    union all

    select 'measure', measure_id, label_sv, verification, source
    from measures

    union all

    select 'question', question_id, label_sv, verification, source
    from questions

    union all

    select 'questionnaire', questionnaire_id, sheet_name, verification, source
    from questionnaires

    union all

    select 'round', cast(round as varchar), opens || ' to ' || closes, verification, source
    from rounds

    union all

    select 'scale', scale_id || ' ' || code, label_sv, verification, null
    from scales
)

select * from everything
order by kind, length(id), id
