{{ config(materialized=built_by_round(), pre_hook="{{ forget_changed_rounds('figures') }}") }}

{% set unit = 'level, unit_id, questionnaire_id, measure_id, gender' %}

with

counts as (
    select * from {{ ref('int_measure_counts') }}
),

activity_groups as (
    select
        *,
        'activity_group' as level
    from {{ ref('stg_activity_groups') }}
),

questions as (
    select * from {{ ref('questions') }}
),

scales as (
    select * from {{ ref('scales') }}
),

register_study as (
    select * from {{ ref('stg_register_study') }}
),

register_studies as (
    select * from {{ ref('register_studies') }}
),

targets as (
    select * from {{ ref('stg_targets') }}
),

levels as (
    {{ rows_of('level', var('levels')) }}
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

-- Every count once for each unit it belongs to, for its gender and for the total. An activity may
-- be in several groups.
unit_counts as (
    select
        counts.*,
        levels.level,
        {{ unit_id(var('levels')) }} as unit_id,
        genders.gender
    from counts
    cross join levels
    left join activity_groups using (round, association_id, insats_kod, level)
    inner join genders
        on genders.gender in ('T', counts.kon)
),

rolled_up as (
    select
        round,
        level,
        unit_id,
        questionnaire_id,
        question_id,
        gender,
        {{ total('n_base') }} as n_base,
        {{ total('n') }} as n,
        {{ total('n_positive') }} as n_positive,
        {{ total('n_dont_know') }} as n_dont_know,
        {{ total('sum_index') }} as sum_index,
        bool_or(is_synthetic) as is_synthetic
    from unit_counts
    where unit_id is not null
    group by round, level, unit_id, questionnaire_id, question_id, gender
),

asked as (
    select
        rolled_up.round,
        rolled_up.level,
        rolled_up.unit_id,
        rolled_up.questionnaire_id,
        questions.measure_id,
        rolled_up.gender,
        rolled_up.question_id,
        rolled_up.n,
        rolled_up.n_positive,
        rolled_up.n_base - rolled_up.n - rolled_up.n_dont_know as n_missing,
        rolled_up.n_dont_know,
        {{ percent('sum_index', '(n * (n_codes - 1))') }} as mean_index,
        coalesce(questions.comparable_from, questions.first_round) as comparable_from,
        rolled_up.is_synthetic
    from rolled_up
    inner join questions
        on rolled_up.question_id = questions.question_id
    inner join answer_codes
        on questions.scale_id = answer_codes.scale_id
),

-- As delivered: the study's nation is no sum of its associations, and nobody was asked. Every
-- cohort is followed up in the same way, so it is comparable with all before it.
studied as (
    select
        register_study.cohort as round,
        register_study.level,
        register_study.unit_id,
        register_studies.questionnaire_id,
        register_studies.measure_id,
        register_study.gender,
        'register_' || register_studies.measure_id as question_id,
        register_study.n,
        register_study.n_sustained as n_positive,
        0 as n_missing,
        0 as n_dont_know,
        null as mean_index,
        null as comparable_from,
        register_study.is_synthetic
    from register_study
    inner join register_studies
        on register_study.months_after = register_studies.months_after
),

counted as (
    select * from asked
    union all
    select * from studied
),

figures as (
    select
        *,
        {{ percent('n_positive', 'n') }} as share,
        {{ wilson_bound('-') }} as ci_low,
        {{ wilson_bound('+') }} as ci_high,
        {{ previous('round', unit) }} as previous_round,
        {{ previous('n', unit) }} as n_previous,
        {{ previous('n_positive', unit) }} as n_positive_previous
    from counted
),

compared as (
    select
        *,
        coalesce(coalesce(comparable_from, previous_round) <= previous_round, false) as comparable
    from figures
),

final as (
    select
        figures.round,
        figures.level,
        figures.unit_id,
        figures.questionnaire_id,
        figures.measure_id,
        figures.gender,
        figures.question_id,
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
        {{ target_share() }} as target_share,
        {{ distance('figures.share') }} as distance,
        {{ reached('figures.ci_low', 'figures.ci_high') }} as reached,
        figures.is_synthetic
    from compared as figures
    {{ join_targets('figures', 'measure_id') }}
    where {{ to_be_built('figures', 'figures.round') }}
)

select * from final
