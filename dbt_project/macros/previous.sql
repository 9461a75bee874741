{# A column of the unit's latest earlier row with answers; null without one. Expects n and round. #}
{% macro previous(column, unit) -%}
    {{ last_known('case when n > 0 then ' ~ column ~ ' end') }} over (
            partition by {{ unit }}
            order by round
            rows between unbounded preceding and 1 preceding
        )
{%- endmacro %}

{# The last value of a window that is not null. #}
{% macro last_known(value) -%}
    {{ return(adapter.dispatch('last_known')(value)) }}
{%- endmacro %}

{% macro default__last_known(value) -%}
    last_value({{ value }} ignore nulls)
{%- endmacro %}

{# What changed since the previous row that compares: its share, the change in percentage points and
   whether it is significant. Expects comparable, share, n and n_positive with their previous ones. #}
{% macro since_previous(figures, share='share', previous_share='share_previous') -%}
    {%- set before = percent(figures ~ '.n_positive_previous', figures ~ '.n_previous') -%}
    case when {{ figures }}.comparable then {{ before }} end as {{ previous_share }},
        case when {{ figures }}.comparable then {{ figures }}.{{ share }} - {{ before }} end as change,
        case
            when {{ figures }}.comparable and {{ figures }}.n > 0 then {{ proportions_differ(
                figures ~ '.n_positive', figures ~ '.n',
                figures ~ '.n_positive_previous', figures ~ '.n_previous'
            ) }}
        end as change_significant
{%- endmacro %}
