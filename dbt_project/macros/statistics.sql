{# A sum of integers as bigint: engines widen it to hugeint or numeric. #}
{% macro total(column) -%}
    cast(sum({{ column }}) as bigint)
{%- endmacro %}

{# The sum where each row tells its number; null as soon as one does not. #}
{% macro total_if_known(column) -%}
    case when count({{ column }}) = count(*) then {{ total(column) }} end
{%- endmacro %}

{# The median of integers, the mean of the two in the middle when they are even in number. #}
{% macro median_of(column) -%}
    percentile_cont(0.5) within group (order by cast({{ column }} as double))
{%- endmacro %}

{# 100 × part / whole in that order; null when the whole is 0. #}
{% macro percent(part, whole) -%}
    cast(100.0 * {{ part }} as double) / nullif({{ whole }}, 0)
{%- endmacro %}

{# The unweighted mean of percentages, nulls left out. Summed as decimals, since a sum of doubles
   depends on the order in which threads deliver them. #}
{% macro mean_of(column) -%}
    cast(sum(cast({{ column }} as decimal(24, 18))) as double) / nullif(count({{ column }}), 0)
{%- endmacro %}

{# A bound of the Wilson interval of n_positive / n in percent; sign is '-' or '+'.
   Null when n = 0. The clamp takes away what floating point adds beyond 0 and 100. #}
{% macro wilson_bound(sign) -%}
    {%- set z2 = var('z') * var('z') -%}
    case
        when n > 0 then least(100, greatest(0, 100 * (
            n_positive + {{ z2 / 2 }} {{ sign }} {{ var('z') }} * sqrt(
                cast(n_positive as double) * (n - n_positive) / n + {{ z2 / 4 }}
            )
        ) / (n + {{ z2 }})))
    end
{%- endmacro %}

{# The pooled two-sided z-test of two proportions; false when both are 0 % or both 100 %. #}
{% macro proportions_differ(n_positive, n, n_positive_other, n_other) -%}
    {%- set pooled -%}
        (cast({{ n_positive }} + {{ n_positive_other }} as double) / ({{ n }} + {{ n_other }}))
    {%- endset -%}
    abs(cast({{ n_positive }} as double) / {{ n }}
        - cast({{ n_positive_other }} as double) / {{ n_other }})
        > {{ var('z') }} * sqrt(
            {{ pooled }} * (1 - {{ pooled }})
            * (cast(1 as double) / {{ n }} + cast(1 as double) / {{ n_other }})
        )
{%- endmacro %}
