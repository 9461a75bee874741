{# How a model is kept that is counted by round: on the one machine where the database stays, only
   rounds that changed are counted anew. #}
{% macro counted_by_round() -%}
    {{ return('incremental' if target.type == 'duckdb' else 'table') }}
{%- endmacro %}

{# What such a model reads: all rounds in a new database. #}
{% macro to_be_counted() -%}
    {{ in_changed_rounds() if is_incremental() else 'true' }}
{%- endmacro %}

{# Removes the rows of rounds that are counted anew, or have none any more. #}
{% macro forget_changed_rounds() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ in_changed_rounds() }}
    {%- endif -%}
{%- endmacro %}

{# Whether a row is of a round that changed since the last build, where that is told: `nns build` does.
   The rounds stand in the query itself, so that the files of others are not opened. #}
{% macro in_changed_rounds() -%}
    {%- set told = 'work/changed_rounds.csv' -%}
    {%- if target.type == 'duckdb' and execute and run_query("from glob('" ~ told ~ "')") | length -%}
        {%- set changed = run_query("from read_csv('" ~ told ~ "', columns = {'round': 'integer'})") -%}
        round in ({{ ([-1] + changed.columns[0].values() | list) | join(', ') }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
