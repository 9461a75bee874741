"""Releases that give something away, each in one known way.

Belongs here: showing, in a release that is safe, just the rows from which a hidden figure follows.
Does not: finding out what follows (`attacker.py`).

A leak is planted in a round of which only the nation is shown. Each planter draws a place for it,
or gives None where the round has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hierarchies import (
    Hierarchy,
    Key,
    Tables,
    all_but_nation,
    answers_in,
    key_of,
    roll_up,
    truth,
    units,
    write_release,
)

MIN_ANSWERS = 5

Told = tuple[Key, str]
"""A row and the name of a figure in it."""


@dataclass(frozen=True)
class Leak:
    """What to show beside the nation, and what follows.

    Attributes:
        shown: rows to show, with a bracket or wholly (None).
        exact: hidden figures that can be computed.
        topped: rows whose number of answers can be told to be small.
        late: an association that the release before did not have.
    """

    shown: Mapping[Key, tuple[int, int] | None]
    exact: tuple[Told, ...] = ()
    topped: tuple[Key, ...] = ()
    late: str | None = None


@dataclass(frozen=True)
class Round:
    """A round, its tables and what can be planted in them."""

    counts: Hierarchy
    tables: Tables
    rows: Mapping[Key, Mapping[str, Any]] = field(default_factory=dict)

    def measures(self, level: str, gender: str = "T") -> list[Key]:
        """The measures with answers, of a level and a gender."""
        return [key for key, row in self.rows.items() if key[0] == "measure_results"
                and row["n"] and key[1][0] == level and key[1][-1] == gender]  # fmt: skip


def drawn(counts: Hierarchy) -> Round:
    """A round with its rows by their key."""
    tables = roll_up(counts)
    by_key = {key_of(name, row): row for name in
              ("measure_results", "indicator_results", "key_figures", "response_rates")
              for row in tables[name]}  # fmt: skip
    return Round(counts, tables, by_key)


def write(folder: Path, round_: Round, leak: Leak | None) -> list[Path]:
    """The releases of the round, only the nation shown, with what the leak shows."""
    folders = []
    if leak and leak.late:
        before = round_.counts.without(leak.late)
        folders.append(_write(folder / "1", drawn(before), {}))
    shown = leak.shown if leak else {}
    return [*folders, _write(folder / str(len(folders) + 1), round_, shown)]


def _write(folder: Path, round_: Round, shown: Mapping[Key, tuple[int, int] | None]) -> Path:
    hidden: dict[Key, str | tuple[int, int]] = dict(all_but_nation(round_.tables))
    for key, bracket in shown.items():
        hidden.pop(key, None)
        if bracket:
            hidden[key] = bracket
    return write_release(folder, round_.tables, hidden, round_.counts.deliveries)


def _with(key: Key, **changed: str) -> Key:
    """The key of the row in which some values of a measure's key are others."""
    names = ("level", "unit_id", "questionnaire_id", "measure_id", "gender")
    return key[0], tuple(changed.get(n, v) for n, v in zip(names, key[1], strict=True))


def _counts(*keys: Key) -> tuple[Told, ...]:
    return tuple((key, name) for key in keys for name in ("n", "n_positive", "n_negative"))


def _drawn(random: Random, leaks: Iterator[Leak]) -> Leak | None:
    found = list(leaks)
    return random.choice(found) if found else None


def _siblings(round_: Round, level: str) -> Iterator[tuple[Key, list[Key]]]:
    """Each sum shown as a row of the level, with the rows it is the sum of."""
    below = {"county": "association", "association": "activity", "activity_group": "activity"}
    parts: dict[Key, dict[Key, None]] = {}
    for source in {answer.source for answer in round_.counts.answers}:
        by_level = dict(units(source))
        if level in by_level and below[level] in by_level:
            for part in round_.measures(below[level]):
                if part[1][1] == by_level[below[level]]:
                    whole = _with(part, level=level, unit_id=by_level[level])
                    parts.setdefault(whole, {})[part] = None
    yield from ((whole, sorted(some)) for whole, some in sorted(parts.items()))


def only_other_child(round_: Round, random: Random) -> Leak | None:
    """A sum is shown and all its parts but one."""
    level = random.choice(["county", "association", "activity_group"])
    return _drawn(
        random,
        (
            Leak(dict.fromkeys([whole, *parts[1:]]), _counts(parts[0]))
            for whole, parts in _siblings(round_, level)
            if len(parts) > 1
        ),
    )


def only_child(round_: Round, random: Random) -> Leak | None:
    """A county is shown that has one association, which is hidden."""
    return _drawn(
        random,
        (
            Leak({whole: None}, _counts(parts[0]))
            for whole, parts in _siblings(round_, "county")
            if len(parts) == 1
        ),
    )


def one_gender_beside_all(round_: Round, random: Random) -> Leak | None:
    """A total and one gender are shown: few are left, so none of them are others."""
    found = []
    for total in (*round_.measures("association"), *round_.measures("activity")):
        women, men = (_with(total, gender=gender) for gender in "KM")
        if women in round_.rows and men in round_.rows:
            n = {key: round_.rows[key]["n"] for key in (total, women, men)}
            if (
                n[women] >= MIN_ANSWERS
                and 0 < n[men] < MIN_ANSWERS
                and n[total] == sum(n[key] for key in (women, men))
            ):
                found.append(Leak(dict.fromkeys([total, women]), _counts(men)))
    return _drawn(random, iter(found))


def pooled_municipality(round_: Round, random: Random) -> Leak | None:
    """A municipality of several associations is shown, and all of these but one."""
    found = []
    definitions = {row["kpi_id"]: row for row in round_.tables["key_figure_definitions"]}
    for key, row in round_.rows.items():
        members = row["association_ids"].split(",") if key[0] == "key_figures" else []
        if len(members) > 1:
            of = definitions[row["kpi_id"]]
            measure = (of["questionnaire_id"], of["measure_id"], "T")
            rows = [("measure_results", ("association", name, *measure)) for name in members]
            there = [one for one in rows if one in round_.rows and round_.rows[one]["n"]]
            if len(there) > 1:
                found.append(Leak(dict.fromkeys([key, *there[1:]]), _counts(there[0])))
    return _drawn(random, iter(found))


def same_municipality(round_: Round, random: Random) -> Leak | None:
    """A municipality is shown; its only association is hidden."""
    found = []
    for key, row in round_.rows.items():
        if key[0] == "key_figures" and "," not in row["association_ids"] and row["count"]:
            kpi = next(one for one in round_.tables["key_figure_definitions"]
                       if one["kpi_id"] == row["kpi_id"])  # fmt: skip
            unit = (row["association_ids"], kpi["questionnaire_id"], kpi["measure_id"])
            hidden = ("measure_results", ("association", *unit, "T"))
            found.append(Leak({key: None}, _counts(hidden)))
    return _drawn(random, iter(found))


def mean_of_shares(round_: Round, random: Random) -> Leak | None:
    """An indicator is shown and all its measures but one."""
    by = random.choice(["participant", "all"])
    indicator = {row["measure_id"]: row["indicator_id"] for row in round_.tables["measures"]}
    groups = {r["questionnaire_id"]: r["respondent_group"] for r in round_.tables["questionnaires"]}
    found = []
    for hidden in (*round_.measures("association"), *round_.measures("activity")):
        level, unit, questionnaire, measure, gender = hidden[1]
        mean = ("indicator_results", (level, unit, by, indicator[measure], gender))
        parts = [
            key
            for key in round_.measures(level)
            if key[1][1] == unit
            and by in ("all", groups[key[1][2]])
            and indicator[key[1][3]] == indicator[measure]
        ]
        if groups[questionnaire] == "participant" and len(parts) > 1:
            shown = [mean, *(key for key in parts if key != hidden)]
            found.append(Leak(dict.fromkeys(shown), _counts(hidden)))
    return _drawn(random, iter(found))


def base_question(round_: Round, random: Random) -> Leak | None:
    """Few were positive on a base question that is shown: few answered what builds on it."""
    found = []
    bases = {q.question_id: q for q in round_.counts.questions}
    for q in (q for q in round_.counts.questions if q.base_question_id):
        for level in ("association", "activity"):
            for hidden in round_.measures(level):
                base = _with(hidden, measure_id=bases[str(q.base_question_id)].measure_id)
                if hidden[1][3] == q.measure_id and round_.rows[base]["n_positive"] < MIN_ANSWERS:
                    found.append(Leak({base: None}, topped=(hidden,)))
    return _drawn(random, iter(found))


def pinning_bracket(round_: Round, random: Random) -> Leak | None:
    """A bracket holds the share of one number of positive answers only."""
    found = []
    for key in (*round_.measures("association"), *round_.measures("activity")):
        positive = round_.rows[key]["n_positive"]
        told = ((key, "n_positive"), (key, "n_negative"))
        found.append(Leak({key: (positive, positive)}, told))
    return _drawn(random, iter(found))


def returned(round_: Round, random: Random) -> Leak | None:
    """Few questionnaires came back: no question has more answers."""
    found = []
    for key, row in round_.rows.items():
        if key[0] == "response_rates" and 0 < answers_in(row) < MIN_ANSWERS:
            hidden = [one for one in round_.measures(key[1][0]) if one[1][1:3] == key[1][1:3]]
            if hidden:
                found.append(Leak({key: None}, topped=tuple(hidden)))
    return _drawn(random, iter(found))


def late_delivery(round_: Round, random: Random) -> Leak | None:
    """The nation with and without one association."""
    late = random.choice(sorted(round_.counts.deliveries))
    before = drawn(round_.counts.without(late))
    hidden = (all_but_nation(before.tables), all_but_nation(round_.tables))
    told = [
        key
        for key in round_.measures("association")
        if key[1][1] == late
        and (nation := _with(key, level="nation", unit_id="0000")) in before.rows
        and all(nation not in one for one in hidden)
    ]
    return Leak({}, _counts(*told), late=late) if told else None


PLANTERS: tuple[Callable[[Round, Random], Leak | None], ...] = (
    only_other_child,
    only_child,
    one_gender_beside_all,
    pooled_municipality,
    same_municipality,
    mean_of_shares,
    base_question,
    pinning_bracket,
    returned,
    late_delivery,
)


def value(round_: Round, told: Told) -> int:
    """The true figure."""
    return truth(round_.tables)[told]
