{# What dbt on Spark does otherwise than on DuckDB whatever the model: how it finds the lake, how it
   loads seeds. Where the engines' SQL differs, the macro in question has a version for each. #}

{# Before a run, on Spark: a view for every source over the files that sources.yml names. DuckDB's
   adapter reads external_location itself, Spark's does not. Of files in partitions Spark is told
   the folder, where it finds the partitions' column. The lake is NNS_LAKE, else where dbt is run. #}
{% macro show_lake() -%}
    {{ return(adapter.dispatch('show_lake')()) }}
{%- endmacro %}

{% macro default__show_lake() -%}
{%- endmacro %}

{% macro spark__show_lake() -%}
    {%- for source in (graph.sources.values() if execute else []) -%}
        {%- set location = source.config.meta['external_location'].format(name=source.name) -%}
        {%- set files = location.split("'")[1].removeprefix('lake').split('/*')[0] -%}
        {%- set path = env_var('NNS_LAKE', 'lake') ~ files -%}
        {%- do run_query('create schema if not exists ' ~ source.schema) -%}
        {%- do run_query(
            'create or replace view ' ~ source.schema ~ '.' ~ source.identifier
            ~ ' as select * from parquet.`' ~ path ~ '`'
        ) -%}
    {%- endfor -%}
{%- endmacro %}

{# The rows of a seed as literals of its columns' types. dbt's own way makes the text None of a cell
   without a value, and ends a text at its first apostrophe. #}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model.config.column_types -%}
    {%- set sql -%}
        insert into {{ this }} values
        {%- for row in agate_table.rows %}
        (
            {%- for name in agate_table.column_names -%}
                cast({{ spark_literal(row[name], name) }} as {{ types[name] }})
                {%- if not loop.last %}, {% endif %}
            {%- endfor -%}
        ){% if not loop.last %},{% endif %}
        {%- endfor %}
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return(sql) }}
{%- endmacro %}

{% macro spark_literal(value, name) -%}
    {%- if value is not none -%}
        '{{ value | string | replace('\\', '\\\\') | replace("'", "\\'") }}'
    {%- else -%}
        {{ "''" if name == config.get('meta', {}).get('empty_text') else 'null' }}
    {%- endif -%}
{%- endmacro %}

{# After a seed: empty text for null in a column. Spark, which updates no rows, has loaded it so. #}
{% macro keep_empty_text(column) -%}
    {{ return(adapter.dispatch('keep_empty_text')(column)) }}
{%- endmacro %}

{% macro default__keep_empty_text(column) -%}
    update {{ this }} set {{ column }} = '' where {{ column }} is null
{%- endmacro %}

{% macro spark__keep_empty_text(column) -%}
{%- endmacro %}

{# In order, which dbt's own leaves out on Spark. #}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    listagg({{ measure }}, {{ delimiter_text }}) within group ({{ order_by_clause }})
{%- endmacro %}
