"""Protecting a whole round, and auditing what its tables then tell.

Belongs here: all families of a round in their order, what they say of each other, and reading told
figures back from the tables. Does not: the rule (disclosure.py), or how tables are made
(protected.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines import disclosure
from pipelines.disclosure import Published, Rule, Told
from pipelines.progress import report
from pipelines.release import groups, protected
from pipelines.release.groups import MUNICIPALITY, Cell, Counts, Group
from pipelines.release.marts import Marts
from pipelines.release.protected import Protection
from pipelines.release.table import Content, Value

Earlier = Mapping[str, tuple[Published, ...]]
"""What earlier releases of the round told, by family."""

_MOST = 1e6  # no association returns more


class ExposedError(Exception):
    """A reader could compute something: a fault of the program; the message is Swedish."""


@dataclass(frozen=True, slots=True)
class Protected:
    """A family of the round and what may be told of it."""

    group: Group
    published: Published


def protect(source: Marts, earlier: Earlier, rule: Rule) -> tuple[Protected, ...]:
    """Protects the families of questions, then how many questionnaires were returned.

    Raises:
        UnprotectableError: earlier releases tell too much already.
        UnreconciledError: the marts' rows do not add up.
    """
    returned = _returned(source)
    questionnaire_of = _questionnaires(source)
    made: list[Protected] = []
    questions = list(groups.of_questions(_counts(source), source.register, rule))
    for done, group in enumerate(questions, start=1):
        made.append(_protected(group, earlier, rule))
        report("Skyddar", done, len(questions))
    floors = _floors(made, questionnaire_of)
    telling = _telling(made, questionnaire_of)
    for group in groups.of_returned(returned, source.register, rule, telling):
        made.append(_protected(_bounded(group, floors), earlier, rule))
    return tuple(made)


def protection(made: Iterable[Protected]) -> Protection:
    """What may be told of each cell."""
    questions: dict[Cell, Told | None] = {}
    returned: dict[Cell, Told | None] = {}
    for one in made:
        figures = returned if one.group.family.is_count else questions
        figures |= {cell: one.published.told[p] for cell, p in one.group.cells.items()}
    return Protection(questions, returned)


def _protected(group: Group, earlier: Earlier, rule: Rule) -> Protected:
    before = earlier.get(group.family.name, ())
    return Protected(group, disclosure.protect(group.family, group.true, before, rule))


# --- the audit ----------------------------------------------------------------------------------


def audit(
    content: Content, source: Marts, made: Sequence[Protected], earlier: Earlier, rule: Rule
) -> int:
    """Audits from scratch, from what the tables tell and earlier releases told.

    Returns:
        How many ranges were examined and found wide enough.

    Raises:
        ExposedError: one is not.
    """
    readable = _readable(content, _question_of(source))
    n_sought = 0
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
        report("Granskar", done, len(made))
    return n_sought


def _readable(content: Content, question_of: Mapping[tuple[str, str], str]) -> Mapping[Cell, Told]:
    """What the tables tell of every cell."""
    told: dict[Cell, Told | None] = {}
    for row in content["measure_results"].records():
        at = (row["level"], row["unit_id"], row["question_id"], row["gender"])
        told[at] = _told(row["n"], row["n_positive"], row["bracket_low"], row["bracket_high"])  # type: ignore[index]
    kpis = {row["kpi_id"]: row for row in content["key_figure_definitions"].records()}
    for row in content["key_figures"].records():
        kpi = kpis[row["kpi_id"]]
        question = question_of.get((str(kpi["questionnaire_id"]), str(kpi["measure_id"])), "")
        at = (MUNICIPALITY, row["municipality_id"], question, row["gender"])
        told[at] = _told(row["count"], row["n_positive"], 0, 100)  # type: ignore[index]
    for row in content["response_rates"].records():
        at = (row["level"], row["unit_id"], row["questionnaire_id"], "T")
        told[at] = _told(row["returned"], row["returned"], 0, 100)  # type: ignore[index]
    return {cell: t for cell, t in told.items() if t}


def _told(n: Value, positive: Value, low: Value, high: Value) -> Told | None:
    """What a row tells; the bounds of a bracket in percent."""
    if n is None:
        return None
    n = int(str(n))
    if positive is not None:
        return Told(n, int(str(positive)), int(str(positive)))
    return Told(n, *(round(n * float(str(bound)) / 100) for bound in (low, high)))


def _closer(one: Told | None, other: Told | None) -> Told | None:
    """The one that tells more."""
    if one and other:
        return min(one, other, key=lambda told: told.high - told.low)
    return one or other


# --- the marts' rows ----------------------------------------------------------------------------


def _questionnaires(source: Marts) -> Mapping[str, str]:
    return {row["question_id"]: row["questionnaire_id"] for row in source.rows["measure_results"]}


def _question_of(source: Marts) -> Mapping[tuple[str, str], str]:
    return {
        (row["questionnaire_id"], row["measure_id"]): row["question_id"]
        for row in source.rows["measure_results"]
    }


def _returned(source: Marts) -> Counts:
    return {
        (row["level"], row["unit_id"], row["questionnaire_id"], "T"): (row["returned"],) * 2
        for row in source.rows["response_rates"]
        if row["level"] != "activity" and protected.is_released(row, source)
    }


def _counts(source: Marts) -> Counts:
    return {
        (row["level"], row["unit_id"], row["question_id"], row["gender"]): (
            row["n"],
            row["n_positive"],
        )
        for row in source.rows["measure_results"]
        if protected.is_released(row, source)
    }


def _telling(made: Iterable[Protected], questionnaire_of: Mapping[str, str]) -> set[Cell]:
    """Where the questionnaires returned would tell how many answered, and that is hidden."""
    return {
        (level, unit, questionnaire_of[question], gender)
        for one in made
        for (level, unit, question, gender), place in one.group.cells.items()
        if gender == "T" and not one.published.told[place]
    }


def _bounded(group: Group, floors: Mapping[tuple[str, str], int]) -> Group:
    """The group with the fewest that each association can have returned."""
    figures = group.family.figures
    bounds = tuple(
        (name, figures[place].atoms, floors.get((unit, name), 0), _MOST)
        for (level, unit, name, _), place in group.cells.items()
        if level == "association"
    )
    return replace(group, family=replace(group.family, bounds=bounds))


def _floors(
    made: Iterable[Protected], questionnaire_of: Mapping[str, str]
) -> Mapping[tuple[str, str], int]:
    """The fewest questionnaires an association can have returned, from answers that are told."""
    floors: dict[tuple[str, str], int] = {}
    for one in made:
        sums: Counter[tuple[str, str, str, bool]] = Counter()
        for (level, unit, question, gender), place in one.group.cells.items():
            told = one.published.told[place]
            if told and level in ("association", "activity"):
                sums[level, unit.partition("/")[0], question, gender == "T"] += told.n
        for (_, association, question, _), n in sums.items():
            at = (association, questionnaire_of[question])
            floors[at] = max(floors.get(at, 0), n)
    return floors
