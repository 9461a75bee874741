with

responses as (
    select * from {{ ref('stg_responses') }}
),

answers as (
    select * from {{ ref('stg_extra_answers') }}
),

questions as (
    select * from {{ ref('stg_extra_questions') }}
),

activities as (
    select * from {{ ref('stg_activities') }}
),

scales as (
    select * from {{ ref('scales') }}
),

levels as (
    {{ rows_of('level', var('extra_levels')) }}
),

genders as (
    {{ rows_of('gender', var('genders')) }}
),

answer_codes as (
    select
        scale_id,
        count(*) as n_codes
    from scales
    where is_answer
    group by scale_id
),

-- A row per returned questionnaire and question that a project asks of it, answered or not; of a
-- question for one activity only that activity's.
asked as (
    select
        responses.sha256,
        responses.sheet,
        responses.sheet_row,
        responses.round,
        responses.association_id,
        responses.insats_kod,
        responses.questionnaire_id,
        responses.kon,
        responses.is_synthetic,
        questions.project_id,
        questions.question_id,
        questions.label_sv,
        questions.scale_id
    from responses
    left join activities
        on responses.round = activities.round
        and responses.association_id = activities.association_id
        and responses.insats_kod = activities.insats_kod
    inner join questions
        on responses.association_id = questions.association_id
        and responses.questionnaire_id = questions.questionnaire_id
        and {{ applies('responses.round', 'questions') }}
        and coalesce(questions.activity_key = activities.activity_key, questions.activity_key is null)
),

answered as (
    select
        asked.round,
        levels.level,
        {{ unit_id(var('extra_levels')) }} as unit_id,
        asked.questionnaire_id,
        asked.question_id,
        genders.gender,
        asked.label_sv,
        asked.scale_id,
        asked.is_synthetic,
        answers.code,
        answers.is_answer,
        answers.is_positive
    from asked
    left join answers
        on asked.sha256 = answers.sha256
        and asked.sheet = answers.sheet
        and asked.sheet_row = answers.sheet_row
        and asked.question_id = answers.question_id
    cross join levels
    inner join genders
        on genders.gender in ('T', asked.kon)
),

rolled_up as (
    select
        round,
        level,
        unit_id,
        questionnaire_id,
        question_id,
        gender,
        label_sv,
        scale_id,
        count(*) as n_asked,
        count(*) filter (where is_answer) as n,
        count(*) filter (where is_positive) as n_positive,
        count(*) filter (where not is_answer) as n_dont_know,
        {{ total('case when is_answer then code - 1 else 0 end') }} as sum_index,
        bool_or(is_synthetic) as is_synthetic
    from answered
    where unit_id is not null
    group by round, level, unit_id, questionnaire_id, question_id, gender, label_sv, scale_id
),

figures as (
    select
        rolled_up.*,
        rolled_up.n_asked - rolled_up.n - rolled_up.n_dont_know as n_missing,
        {{ percent('n_positive', 'n') }} as share,
        {{ percent('sum_index', '(n * (n_codes - 1))') }} as mean_index,
        {{ wilson_bound('-') }} as ci_low,
        {{ wilson_bound('+') }} as ci_high,
        max(case when n > 0 then round end) over (
            partition by level, unit_id, question_id, gender
            order by round
            rows between unbounded preceding and 1 preceding
        ) as previous_round
    from rolled_up
    inner join answer_codes
        on rolled_up.scale_id = answer_codes.scale_id
),

-- One wording in all its rounds, so an earlier round always compares.
final as (
    select
        figures.round,
        figures.level,
        figures.unit_id,
        figures.questionnaire_id,
        figures.question_id,
        figures.gender,
        figures.label_sv,
        figures.n,
        figures.n_positive,
        figures.n_missing,
        figures.n_dont_know,
        figures.share,
        figures.mean_index,
        figures.ci_low,
        figures.ci_high,
        previous.round is not null as comparable,
        figures.previous_round,
        previous.share as share_previous,
        figures.share - previous.share as change,
        case
            when previous.round is not null and figures.n > 0
                then {{ differs('figures', 'previous') }}
        end as change_significant,
        figures.is_synthetic
    from figures
    left join figures as previous
        on figures.previous_round = previous.round
        and figures.level = previous.level
        and figures.unit_id = previous.unit_id
        and figures.question_id = previous.question_id
        and figures.gender = previous.gender
)

select * from final
