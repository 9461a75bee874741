{# How a model is kept that is built by round: on the one machine where the database stays, only rounds
   that may differ are built anew. Such a model has forget_changed_rounds() as pre_hook. #}
{% macro built_by_round() -%}
    {{ return('incremental' if target.type == 'duckdb' else 'table') }}
{%- endmacro %}

{# What such a model reads or keeps: all rounds in a new database. `what` is what differs: the answers
   of a round, or its figures, which also do after a change in a round before. #}
{% macro to_be_built(what, round='round') -%}
    {{ in_changed_rounds(what, round) if is_incremental() else 'true' }}
{%- endmacro %}

{# Removes the rows of rounds that are built anew, or have none any more. #}
{% macro forget_changed_rounds(what) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ in_changed_rounds(what) }}
    {%- endif -%}
{%- endmacro %}

{# Whether a row is of a round that changed since the last build, where that is told: `nns build` does.
   The rounds stand in the query itself, so that the files of others are not opened. #}
{% macro in_changed_rounds(what, round='round') -%}
    {%- set told = 'work/changed_' ~ what ~ '.csv' -%}
    {%- if target.type == 'duckdb' and execute and run_query("from glob('" ~ told ~ "')") | length -%}
        {%- set changed = run_query("from read_csv('" ~ told ~ "', columns = {'round': 'integer'})") -%}
        {{ round }} in ({{ ([-1] + changed.columns[0].values() | list) | join(', ') }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
