{# The day a number of calendar months after another; the last of its month when that is shorter. #}
{% macro months_later(day, n_months) -%}
    {{ adapter.dispatch('months_later')(day, n_months) }}
{%- endmacro %}

{% macro default__months_later(day, n_months) -%}
    cast({{ dbt.dateadd('month', n_months, day) }} as date)
{%- endmacro %}

{# dbt's own goes by way of seconds, which a timestamp without a time zone has not. #}
{% macro spark__months_later(day, n_months) -%}
    add_months({{ day }}, {{ n_months }})
{%- endmacro %}

{# The last day of a period that begins on a day and has a number of months. #}
{% macro last_day_of(first_day, n_months) -%}
    cast({{ months_later(first_day, n_months) }} - interval '1' day as date)
{%- endmacro %}

{# The name of a period: 2022 a year, 2022H2 a half of it, 2022-2023 one that ends the year after. #}
{% macro period_name(first_day, last_day) -%}
    {%- set year = 'cast(extract(year from ' ~ first_day ~ ') as string)' -%}
    {%- set last_year = 'cast(extract(year from ' ~ last_day ~ ') as string)' -%}
    {{ year }} || case
        when {{ year }} <> {{ last_year }} then '-' || {{ last_year }}
        when extract(month from {{ first_day }}) > 6 then 'H2'
        when extract(month from {{ last_day }}) <= 6 then 'H1'
        else ''
    end
{%- endmacro %}
