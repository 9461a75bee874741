"""Every way in which tiny released tables can have come about, one by one.

Belongs here: listing all whole numbers of answers from which the shown rows follow, by adding them
up as the marts do. Does not: equations, linear programs, or anything of the attacker's reasoning.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from hierarchies import (
    GENDERS,
    HIDDEN,
    KEYS,
    Answers,
    Hidden,
    Hierarchy,
    Key,
    Question,
    Source,
    Tables,
    answers_in,
    key_of,
    roll_up,
    truth,
)

LIMIT = 3_000
"""More ways than this are not listed."""

Leaf = tuple[Source, str, Question]
Range = tuple[int, int]


class TooManyError(ValueError):
    """The table is not tiny."""


def ranges(round_: Hierarchy, hidden: Hidden, min_answers: int) -> dict[tuple[Key, str], Range]:
    """The exact range of n, n_positive and n_negative of each row that is not shown.

    Args:
        round_: tells the shape, who returned anything, and the rows that are shown.
        hidden: which rows are not, with brackets.
        min_answers: the smallest number of answers that is shown.

    Raises:
        TooManyError: there are more than `LIMIT` ways.
    """
    tables = roll_up(round_)
    leaves = _leaves(round_)
    shown = {key: row for key, row in _rows(tables).items() if key not in hidden}
    found: dict[tuple[Key, str], Range] = {}
    for n_ways, counts in enumerate(_ways(leaves, round_, tables, hidden)):
        if n_ways >= LIMIT:
            raise TooManyError
        way = roll_up(_filled(round_, leaves, counts))
        if _is_released_so(way, shown, hidden, min_answers):
            for (key, name), value in truth(way).items():
                if key in hidden and (hidden[key] == HIDDEN or name != "n"):
                    low, high = found.get((key, name), (value, value))
                    found[key, name] = (min(low, value), max(high, value))
    return found


def _leaves(round_: Hierarchy) -> list[Leaf]:
    """Who can have answered what: genders with rows, and others wherever there is any row."""
    told = {(r.source, r.questionnaire_id, r.gender) for r in round_.returned if r.returned}
    told |= {(source, questionnaire, "other") for source, questionnaire, _ in told}
    return [
        (source, gender, question)
        for source, questionnaire, gender in sorted(told)
        for question in round_.questions
        if question.questionnaire_id == questionnaire
    ]


def _rows(tables: Tables) -> dict[Key, Mapping[str, object]]:
    return {key_of(table, row): row for table in KEYS for row in tables.get(table, [])}


def _filled(round_: Hierarchy, leaves: Sequence[Leaf], counts: Sequence[int]) -> Hierarchy:
    """The round with these numbers of positive and other answers of each leaf in turn."""
    answers = [
        Answers(
            source, gender, question.question_id, counts[2 * i] + counts[2 * i + 1], counts[2 * i]
        )
        for i, (source, gender, question) in enumerate(leaves)
    ]
    return replace(round_, answers=tuple(answers))


def _ways(
    leaves: Sequence[Leaf], round_: Hierarchy, tables: Tables, hidden: Hidden
) -> Iterator[list[int]]:
    """All numbers that add up to the shown measures, by what each leaf counts to."""
    members: dict[Key, list[int]] = defaultdict(list)
    for i in range(len(leaves)):
        one = roll_up(_filled(round_, leaves, [int(j == 2 * i) for j in range(2 * len(leaves))]))
        for row in one["measure_results"]:
            if row["n"]:
                members[key_of("measure_results", row)].append(i)
    sums: list[tuple[int, list[int]]] = []
    for row in tables["measure_results"]:
        key = key_of("measure_results", row)
        n, positive = row["n"], row["n_positive"]
        if key not in hidden:
            sums.append((positive, [2 * i for i in members[key]]))
            sums.append((n - positive, [2 * i + 1 for i in members[key]]))
        elif hidden[key] != HIDDEN:
            sums.append((n, [2 * i + kind for i in members[key] for kind in (0, 1)]))
    return _solutions(2 * len(leaves), sums)


def _solutions(size: int, sums: Sequence[tuple[int, list[int]]]) -> Iterator[list[int]]:
    """Whole numbers from 0 whose given members make the given sums; each is in a sum."""
    containing = [[s for s, (_, who) in enumerate(sums) if i in who] for i in range(size)]
    last = [max(who, default=-1) for _, who in sums]
    left = [total for total, _ in sums]
    chosen: list[int] = []
    steps = iter(range(10 * LIMIT))

    def fitting(i: int) -> Iterable[int]:
        """The numbers that the i-th can be; the last member of a sum is what is left of it."""
        forced = {left[s] for s in containing[i] if last[s] == i}
        most = min(left[s] for s in containing[i])
        return [value for value in forced or range(most + 1) if {value} >= forced and value <= most]

    def descend(i: int) -> Iterator[list[int]]:
        if next(steps, None) is None:
            raise TooManyError
        if i == size:
            yield list(chosen)
            return
        for value in fitting(i):
            for s in containing[i]:
                left[s] -= value
            chosen.append(value)
            yield from descend(i + 1)
            chosen.pop()
            for s in containing[i]:
                left[s] += value

    yield from descend(0)


def _is_released_so(
    way: Tables, shown: Mapping[Key, Mapping[str, object]], hidden: Hidden, min_answers: int
) -> bool:
    """Whether a way leads to the rows that are shown, and keeps the rules."""
    rows = _rows(way)
    return (
        all(_as_released(rows[key]) == _as_released(row) for key, row in shown.items())
        and all(_in_bracket(rows[key], how) for key, how in hidden.items() if how != HIDDEN)
        and _bases_hold(way)
        and _others_hold(rows, hidden, min_answers)
    )


def _as_released(row: Mapping[str, object]) -> tuple[object, ...]:
    """The figures of a row, the share rounded half up to a decimal."""
    share = row.get("share")
    tenths = math.floor(share * 10 + Fraction(1, 2)) if isinstance(share, Fraction) else None
    return (*(row.get(name) for name in ("n", "n_positive", "count", "n_measures")), tenths)


def _in_bracket(row: Mapping[str, object], how: str | tuple[int, int]) -> bool:
    assert isinstance(how, tuple)
    return how[0] <= int(str(row["n_positive"])) <= how[1]


def _bases_hold(way: Tables) -> bool:
    """Whether no row has more answers than were positive on the base of its question.

    The smallest cells have no rows of their own where the gender is other; these are what T leaves.
    """
    base_of = {q["question_id"]: q["base_question_id"] for q in way["questions"]}
    cells = {(r["level"], r["unit_id"], r["question_id"], r["gender"]): (r["n"], r["n_positive"])
             for r in way["measure_results"]}  # fmt: skip
    for (level, unit, question, gender), (n, _) in cells.items():
        base = base_of[question]
        if base is None:
            continue
        if n > cells[level, unit, base, gender][1]:
            return False
        if gender == "T":
            split = [one for one in ("K", "M") if (level, unit, base, one) in cells]
            answered = n - sum(cells[level, unit, question, one][0] for one in split)
            positive = cells[level, unit, base, "T"][1]
            if answered > positive - sum(cells[level, unit, base, one][1] for one in split):
                return False
    return True


def _others_hold(
    rows: Mapping[Key, Mapping[str, object]], hidden: Hidden, min_answers: int
) -> bool:
    """Whether other genders are 0 or many where the number of women or of men is shown."""
    for table, key in rows:
        is_shown = answers_in(rows[table, key]) and hidden.get((table, key)) != HIDDEN
        if table == "measure_results" and key[-1] != "T" and is_shown:
            n = {gender: answers_in(rows[table, (*key[:-1], gender)])
                 for gender in ("T", *GENDERS[:2])
                 if (table, (*key[:-1], gender)) in rows}  # fmt: skip
            if 0 < n["T"] - n.get("K", 0) - n.get("M", 0) < min_answers:
                return False
    return True
