-- Women and men are part of everybody.
select round, level, unit_id, question_id
from {{ ref('measure_results') }}
group by round, level, unit_id, question_id
having
    max(case when gender = 'T' then n + n_missing + n_dont_know else -1 end)
        < sum(case when gender in ('K', 'M') then n + n_missing + n_dont_know else 0 end)
    or max(case when gender = 'T' then n_positive else -1 end)
        < sum(case when gender in ('K', 'M') then n_positive else 0 end)
