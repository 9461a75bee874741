{# A row per entry of a map, as two columns of a select. #}
{% macro entries(map, key, value) -%}
    unnest(map_keys({{ map }})) as {{ key }},
        unnest(map_values({{ map }})) as {{ value }}
{%- endmacro %}
