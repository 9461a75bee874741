{# Whether a row that applies from a year to another (inclusive; no last: still) applies in a year.
   Its columns are first_ and last_ with the period's name. #}
{% macro applies(year, row, period='round') -%}
    {{ year }} between {{ row }}.first_{{ period }}
        and coalesce({{ row }}.last_{{ period }}, {{ year }})
{%- endmacro %}
