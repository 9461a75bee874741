{# A table of one text column with the given values, a row each. #}
{% macro rows_of(column, values) -%}
    {%- for value in values %}
    select '{{ value }}' as {{ column }}
    {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
{%- endmacro %}

{# The unit a row of facts belongs to on each of the levels; null where it belongs to none.
   Expects the columns levels.level, association_id, county_code, in_nation and those the levels
   need: insats_kod; group_id, of a row for each of the activity's comparable groups. #}
{% macro unit_id(levels) -%}
    {%- set ids = {
        'nation': "case when in_nation then '" ~ var('nation_id') ~ "' end",
        'county': "case when in_nation then '00' || county_code end",
        'association': 'association_id',
        'activity': activity_id(),
        'activity_group': 'group_id',
        'project': 'project_id',
    } -%}
    case levels.level
        {%- for level in levels %}
            when '{{ level }}' then {{ ids[level] }}
        {%- endfor %}
        end
{%- endmacro %}

{# The unit_id of an activity; null for a row without one. #}
{% macro activity_id() -%}
    association_id || '/' || nullif(insats_kod, '')
{%- endmacro %}
