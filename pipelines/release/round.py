"""Protecting a whole round, and auditing what its tables then tell.

Belongs here: all families of a round in their order, and what the finished tables tell. Does not:
the rule (disclosure.py), or how tables are made (protected.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines import disclosure
from pipelines.disclosure import Published, Rule, Told, Verdict
from pipelines.progress import report
from pipelines.release import counts, extra, groups, outcomes, protected
from pipelines.release.groups import MUNICIPALITY, Cell, Counts, Group
from pipelines.release.marts import Marts
from pipelines.release.table import Content, Value
from pipelines.release.told import Figures, reads

Earlier = Mapping[str, tuple[Published, ...]]
"""What earlier releases of the round told, by family."""


class ExposedError(Exception):
    """A reader could compute something: a fault of the program; the message is Swedish."""


@dataclass(frozen=True, slots=True)
class Protected:
    """A family of the round and what may be told of it."""

    group: Group
    published: Published


def protect(source: Marts, earlier: Earlier, rule: Rule) -> tuple[Protected, ...]:
    """Protects the families of questions of a round.

    Raises:
        UnprotectableError: earlier releases tell too much already.
        UnreconciledError: the marts' rows do not add up.
    """
    found = list(groups.of_questions(_counts(source), source.register, rule))
    made: list[Protected] = []
    for done, group in enumerate(found, start=1):
        before = earlier.get(group.family.name, ())
        published = disclosure.protect(group.family, group.true, before, rule)
        made.append(Protected(group, published))
        report("Skyddar", done, len(found))
    return tuple(made)


def figures(made: Iterable[Protected]) -> Figures:
    """What may be told of each cell."""
    return {
        cell: one.published.told[place] for one in made for cell, place in one.group.cells.items()
    }


# --- the audit ----------------------------------------------------------------------------------


def audit(
    content: Content, source: Marts, made: Sequence[Protected], earlier: Earlier, rule: Rule
) -> Verdict:
    """Audits from scratch, from what the tables tell and earlier releases told.

    Returns:
        How many ranges were examined, and how many of them earlier releases leave narrow.

    Raises:
        ExposedError: one is narrower than that, or than it may be.
    """
    readable = _readable(content, _question_of(source))
    n_sought = n_known = 0
    for done, one in enumerate(made, start=1):
        family = one.group.family
        told: list[Told | None] = [None] * len(family.figures)
        for cell, place in one.group.cells.items():
            told[place] = _closer(told[place], readable.get(cell))
        seen = [*earlier.get(family.name, ()), Published(family, tuple(told))]
        verdict = disclosure.audit(seen, rule)
        if verdict.exposed:
            raise ExposedError(
                f"Granskningen är inte ren, ingen publicering är gjord: {verdict.exposed[0]} och "
                f"{len(verdict.exposed) - 1} till i {family.name} kan räknas fram."
            )
        n_sought += verdict.n_sought
        n_known += verdict.n_known
        report("Granskar", done, len(made))
    return Verdict(n_sought, n_known, ())


def _readable(content: Content, question_of: Mapping[tuple[str, str], str]) -> Mapping[Cell, Told]:
    """What the tables tell of every cell."""
    told: dict[Cell, Told | None] = {}
    for row in content["measure_results"].records():
        told[counts.measure(row)] = _share(row)
    for row in _rows(content, outcomes.TABLE):
        told[counts.active(row)] = reads(row["active"], row["ended"], 0, 100)
        named = {"n": row["leavers"], "n_positive": row["positive"]}
        told[counts.leavers(row)] = _share({**row, **named})
    for row in _rows(content, extra.TABLE):
        told[counts.project_question(row)] = _share(row)
    kpis = {row["kpi_id"]: row for row in content["key_figure_definitions"].records()}
    for row in content["key_figures"].records():
        kpi = kpis[row["kpi_id"]]
        question = question_of.get((str(kpi["questionnaire_id"]), str(kpi["measure_id"])), "")
        at = (MUNICIPALITY, str(row["municipality_id"]), question, str(row["gender"]))
        told[at] = _share({**row, "n": row["count"]})
    return {cell: t for cell, t in told.items() if t}


def _rows(content: Content, name: str) -> Iterator[dict[str, Value]]:
    """The rows of a table that not every release has."""
    return content[name].records() if name in content.tables else iter(())


def _share(row: Mapping[str, Value]) -> Told | None:
    return reads(row["n"], row["n_positive"], row["bracket_low"], row["bracket_high"])


def _closer(one: Told | None, other: Told | None) -> Told | None:
    """The one that tells more."""
    if one and other:
        return min(one, other, key=lambda told: told.high - told.low)
    return one or other


# --- the marts' rows ----------------------------------------------------------------------------


def _question_of(source: Marts) -> Mapping[tuple[str, str], str]:
    return {
        (row["questionnaire_id"], row["measure_id"]): row["question_id"]
        for row in source.rows["measure_results"]
    }


def _counts(source: Marts) -> Counts:
    measures = (r for r in source.rows["measure_results"] if protected.is_released(r, source))
    return {
        **counts.of_measures(measures),
        **counts.of_outcomes(source.rows[outcomes.TABLE]),
        **counts.of_extra(source.rows[extra.TABLE]),
    }
