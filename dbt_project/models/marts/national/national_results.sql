with

measure_results as (
    select * from {{ ref('measure_results') }}
),

indicator_results as (
    select * from {{ ref('indicator_results') }}
    where level = 'nation'
),

measures as (
    select * from {{ ref('measures') }}
),

indicators as (
    select * from {{ ref('indicators') }}
),

questionnaires as (
    select * from {{ ref('questionnaires') }}
),

bundles as (
    select * from {{ ref('stg_bundles') }}
),

associations as (
    select * from {{ ref('stg_associations') }}
    where in_nation
),

genders as (
    {{ rows_of('gender', var('genders')) }}
),

-- What was returned, and apart from it which associations a register study has.
volumes as (
    select
        bundles.round,
        questionnaires.kind,
        genders.gender,
        count(distinct bundles.association_id) as n_associations,
        {{ total('n_returned') }} as n_questionnaires
    from bundles
    inner join associations
        on bundles.association_id = associations.association_id
    inner join questionnaires
        on bundles.questionnaire_id = questionnaires.questionnaire_id
    inner join genders
        on genders.gender in ('T', bundles.kon)
    group by bundles.round, questionnaires.kind, genders.gender

    union all

    select
        measure_results.round,
        questionnaires.kind,
        measure_results.gender,
        count(distinct measure_results.unit_id) as n_associations,
        0 as n_questionnaires
    from measure_results
    inner join questionnaires
        on measure_results.questionnaire_id = questionnaires.questionnaire_id
        and questionnaires.kind = 'register'
    inner join associations
        on measure_results.unit_id = associations.association_id
    where measure_results.level = 'association'
    group by measure_results.round, questionnaires.kind, measure_results.gender
),

figures as (
    select
        measure_results.round,
        'measure' as figure_kind,
        measure_results.measure_id as figure_id,
        measure_results.questionnaire_id as answered_by,
        measure_results.gender,
        measures.indicator_id,
        null as n_measures,
        measure_results.n,
        measure_results.n_positive,
        measure_results.n_missing,
        measure_results.n_dont_know,
        measure_results.share,
        measure_results.mean_index,
        measure_results.ci_low,
        measure_results.ci_high,
        measure_results.comparable,
        measure_results.previous_round,
        measure_results.share_previous,
        measure_results.change,
        measure_results.change_significant,
        measure_results.target_share,
        measure_results.distance,
        measure_results.reached,
        measure_results.is_synthetic
    from measure_results
    inner join measures
        on measure_results.measure_id = measures.measure_id
    where measure_results.level = 'nation'

    union all

    select
        round,
        'indicator' as figure_kind,
        indicator_id as figure_id,
        respondent_group as answered_by,
        gender,
        indicator_id,
        n_measures,
        n,
        null as n_positive,
        null as n_missing,
        null as n_dont_know,
        share,
        null as mean_index,
        null as ci_low,
        null as ci_high,
        null as comparable,
        null as previous_round,
        null as share_previous,
        null as change,
        null as change_significant,
        target_share,
        distance,
        reached,
        is_synthetic
    from indicator_results
),

final as (
    select
        figures.*,
        coalesce(volumes.n_associations, 0) as n_associations,
        coalesce(volumes.n_questionnaires, 0) as n_questionnaires
    from figures
    inner join indicators
        on figures.indicator_id = indicators.indicator_id
    left join volumes
        on figures.round = volumes.round
        and figures.gender = volumes.gender
        and indicators.kind = volumes.kind
)

select * from final
