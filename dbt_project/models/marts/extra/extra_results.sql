{% set unit = 'level, unit_id, question_id, gender' %}

with

bundles as (
    select * from {{ ref('stg_bundles') }}
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

-- A row per bundle of returned questionnaires and question that a project asks of it, answered or not;
-- of a question for one activity only that activity's.
asked as (
    select
        bundles.bundle_id,
        bundles.round,
        bundles.association_id,
        bundles.insats_kod,
        bundles.questionnaire_id,
        bundles.kon,
        bundles.n_returned,
        bundles.is_synthetic,
        questions.project_id,
        questions.question_id,
        questions.label_sv,
        questions.scale_id
    from bundles
    left join activities
        on bundles.round = activities.round
        and bundles.association_id = activities.association_id
        and bundles.insats_kod = activities.insats_kod
    inner join questions
        on bundles.association_id = questions.association_id
        and bundles.questionnaire_id = questions.questionnaire_id
        and {{ applies('bundles.round', 'questions') }}
        and coalesce(questions.activity_key = activities.activity_key, questions.activity_key is null)
),

counts as (
    select
        bundle_id,
        question_id,
        count(case when is_answer then 1 end) as n,
        count(case when is_positive then 1 end) as n_positive,
        count(case when not is_answer then 1 end) as n_dont_know,
        sum(case when is_answer then code - 1 else 0 end) as sum_index
    from answers
    group by bundle_id, question_id
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
        asked.n_returned,
        coalesce(counts.n, 0) as n,
        coalesce(counts.n_positive, 0) as n_positive,
        coalesce(counts.n_dont_know, 0) as n_dont_know,
        coalesce(counts.sum_index, 0) as sum_index
    from asked
    left join counts
        on asked.bundle_id = counts.bundle_id
        and asked.question_id = counts.question_id
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
        {{ total('n_returned') }} as n_asked,
        {{ total('n') }} as n,
        {{ total('n_positive') }} as n_positive,
        {{ total('n_dont_know') }} as n_dont_know,
        {{ total('sum_index') }} as sum_index,
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
        {{ previous('round', unit) }} as previous_round,
        {{ previous('n', unit) }} as n_previous,
        {{ previous('n_positive', unit) }} as n_positive_previous
    from rolled_up
    inner join answer_codes
        on rolled_up.scale_id = answer_codes.scale_id
),

-- One wording in all its rounds, so an earlier round always compares.
compared as (
    select
        *,
        previous_round is not null as comparable
    from figures
),

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
        figures.comparable,
        figures.previous_round,
        {{ since_previous('figures') }},
        figures.is_synthetic
    from compared as figures
)

select * from final
