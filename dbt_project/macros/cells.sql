{# The parts of a cell_id, the number of an answer: see cell_bits in dbt_project.yml. #}
{% macro parts_of(cell_id) -%}
    {%- set bits = var('cell_bits') -%}
    {%- set below = namespace(bits=0) -%}
    {%- for part in ['code', 'base_code', 'question_no'] %}
        cast({{ shifted_right(cell_id, below.bits) }} & {{ 2 ** bits[part] - 1 }} as integer) as {{ part }},
        {%- set below.bits = below.bits + bits[part] %}
    {%- endfor %}
        {{ shifted_right(cell_id, below.bits) }} as bundle_id
{%- endmacro %}

{# A number without its last bits. #}
{% macro shifted_right(number, n_bits) -%}
    {{ return(adapter.dispatch('shifted_right')(number, n_bits)) }}
{%- endmacro %}

{% macro default__shifted_right(number, n_bits) -%}
    ({{ number }} >> {{ n_bits }})
{%- endmacro %}
