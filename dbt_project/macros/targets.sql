{# The target of a figure's own unit, before the one common to all units of the level. #}
{% macro target_share() -%}
    coalesce(own_targets.target_share, common_targets.target_share)
{%- endmacro %}

{# Joins figures (with round, level, unit_id) to the targets of their measure_id or indicator_id. #}
{% macro join_targets(figures, figure_id) -%}
    left join targets as own_targets
        on {{ figures }}.{{ figure_id }} = own_targets.{{ figure_id }}
        and {{ figures }}.level = own_targets.level
        and {{ figures }}.unit_id = own_targets.unit_id
        and {{ applies(figures ~ '.round', 'own_targets') }}
    left join targets as common_targets
        on {{ figures }}.{{ figure_id }} = common_targets.{{ figure_id }}
        and {{ figures }}.level = common_targets.level
        and common_targets.unit_id is null
        and {{ applies(figures ~ '.round', 'common_targets') }}
{%- endmacro %}

{# How far a share lies above its target, percentage points. #}
{% macro distance(share) -%}
    {{ share }} - {{ target_share() }}
{%- endmacro %}

{# Whether the target is reached, as far as an interval can tell; null without one or a target. #}
{% macro reached(low, high) -%}
    case
        when {{ low }} >= {{ target_share() }} then 'reached'
        when {{ high }} < {{ target_share() }} then 'not_reached'
        when {{ low }} is not null and {{ target_share() }} is not null then 'unclear'
    end
{%- endmacro %}
