{# Whether a row that applies from a year to another (inclusive; no last: still) applies in a year.
   Its columns are first_ and last_ with the period's name. #}
{% macro applies(year, row, period='round') -%}
    {{ year }} between {{ row }}.first_{{ period }}
        and coalesce({{ row }}.last_{{ period }}, {{ year }})
{%- endmacro %}

{# Whether an association's agreement is valid at some time of a round; no day given: no end. #}
{% macro is_expected(association, round) -%}
    coalesce({{ association }}.agreement_from, {{ round }}.closes) <= {{ round }}.closes
        and coalesce({{ association }}.agreement_to, {{ round }}.opens) >= {{ round }}.opens
{%- endmacro %}
