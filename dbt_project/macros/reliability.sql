{# An answer on the 0-1 index, (code - 1) / (codes - 1), as a whole number of parts: sums of them are
   exact, and questions with scales of different lengths mix. A test holds every scale to it. #}
{% macro index_parts(code, n_codes) -%}
    cast(({{ code }} - 1) * ({{ var('index_parts') }} / ({{ n_codes }} - 1)) as bigint)
{%- endmacro %}

{# n² times the covariance of a and b (their variance when they are the same) from n and the sums
   of a·b, a and b: a whole number, so that "no variance" is exactly 0. #}
{% macro spread(n, sum_ab, sum_a, sum_b) -%}
    (cast({{ n }} as decimal(38, 0)) * cast({{ sum_ab }} as decimal(38, 0))
        - cast({{ sum_a }} as decimal(38, 0)) * cast({{ sum_b }} as decimal(38, 0)))
{%- endmacro %}

{# Pearson's correlation from spreads; null where one does not vary. The clamp takes away what
   floating point adds beyond -1 and 1. #}
{% macro correlation(spread_ab, spread_a, spread_b) -%}
    case
        when {{ spread_a }} > 0 and {{ spread_b }} > 0 then least(1, greatest(-1,
            cast({{ spread_ab }} as double)
                / sqrt(cast({{ spread_a }} as double) * cast({{ spread_b }} as double))
        ))
    end
{%- endmacro %}

{# The spreads of an item, of the sum of all items (the total), and of both together. Expects
   n_complete, the item's sum_score, sum_square and sum_product, and the total's total_score and
   total_square. #}
{% macro item_spreads() -%}
    {{ spread('n_complete', 'sum_square', 'sum_score', 'sum_score') }} as item_spread,
        {{ spread('n_complete', 'total_square', 'total_score', 'total_score') }} as total_spread,
        {{ spread('n_complete', 'sum_product', 'sum_score', 'total_score') }} as joint_spread
{%- endmacro %}

{# The corrected item-total correlation: an item against the sum of the others. Expects the
   item_spreads; null for a single item, whose others are nothing. #}
{% macro item_total() -%}
    {{ correlation(
        '(joint_spread - item_spread)', 'item_spread', '(total_spread - 2 * joint_spread + item_spread)'
    ) }}
{%- endmacro %}

{# A bound of alpha's interval, 1 - exp(ln(1 - alpha) ± z·sqrt(2k / ((k - 1)(n - 2)))) (Bonett 2002),
   from unexplained, which is 1 - alpha; sign is '+' for the lower bound and '-' for the upper. Null up
   to two respondents, and where alpha is 1: ln 0 has no interval. #}
{% macro alpha_bound(sign) -%}
    case
        when n_complete > 2 and unexplained > 0
            then 1 - unexplained * exp({{ sign }} {{ var('z') }} * sqrt(
                cast(2 * n_items as double) / ((n_items - 1) * (n_complete - 2))
            ))
    end
{%- endmacro %}
