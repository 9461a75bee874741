-- Question: How well do the questions of an indicator go together, and which one fits the least?
-- Fråga: Hur väl hör en indikators frågor ihop, och vilken fråga passar sämst?
-- Latest round. With placeholders among the questions the figures try the method, not the instrument.
with

latest as (
    select max(round) as round from reliability
),

described as (
    select
        item_quality.round,
        questionnaires.respondent_group,
        measures.indicator_id,
        item_quality.question_id,
        item_quality.item_total,
        questions.verification,
        row_number() over (
            partition by item_quality.round, questionnaires.respondent_group, measures.indicator_id
            order by item_quality.item_total nulls last, item_quality.question_id
        ) as place
    from item_quality
    inner join questions using (question_id, questionnaire_id)
    inner join measures using (measure_id)
    inner join questionnaires using (questionnaire_id)
),

summed as (
    select
        round,
        respondent_group,
        indicator_id,
        max(case when place = 1 and item_total is not null then question_id end) as weakest_question,
        min(item_total) as its_item_total,
        count(case when verification = 'placeholder' then 1 end) as n_placeholders,
        count(*) as n_questions
    from described
    group by round, respondent_group, indicator_id
)

select
    reliability.round,
    reliability.respondent_group,
    reliability.indicator_id,
    indicators.label_sv as indicator,
    reliability.n_items,
    reliability.n_complete,
    reliability.alpha,
    reliability.alpha_low,
    reliability.alpha_high,
    summed.weakest_question,
    summed.its_item_total,
    reliability.item_non_response,
    reliability.ceiling_share,
    reliability.stability,
    reliability.n_associations,
    summed.n_placeholders,
    summed.n_questions
from reliability
inner join latest using (round)
inner join indicators using (indicator_id)
inner join summed using (round, respondent_group, indicator_id)
order by length(reliability.indicator_id), reliability.indicator_id, reliability.respondent_group
