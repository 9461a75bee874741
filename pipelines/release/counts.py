"""Which figures the rows of the marts are: the cells that disclosure control knows, and their n.

Belongs here: the names of figures that no question has, and from a row of a mart or a released
table to its cells. Does not: how units are made of each other (groups.py), or what may be told.

An outcome is told like a question and its follow-up: those who took part, positive when they
ended; and those who ended and did not drop out, positive when it was to work, studies or other
vocational rehabilitation. Only calendar years are released: halves and years that overlap would
tell of the few by which they differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.instrument import seed_rows
from pipelines.release.groups import MUNICIPALITY, PROJECT, Cell, Counts

Row = Mapping[str, Any]

ACTIVE, LEAVERS = "outcome_active", "outcome_leavers"
BASES: Mapping[str, str] = {LEAVERS: ACTIVE}
"""Leavers are among those who ended, the positive ones of those who took part."""

_PERIOD_KIND = "calendar_year"
_EXTRA = "extra:"
"""Before the id of a project's question, which is none of the instrument's."""


def measure(row: Row) -> Cell:
    """The cell of a row of measure_results."""
    return row["level"], row["unit_id"], row["question_id"], row["gender"]


def active(row: Row) -> Cell:
    """The cell of those active in a row of outcomes, of whom the positive ones ended."""
    return row["level"], row["unit_id"], ACTIVE, row["gender"]


def leavers(row: Row) -> Cell:
    """The cell of those who ended and did not drop out, in a row of outcomes."""
    return row["level"], row["unit_id"], LEAVERS, row["gender"]


def project_question(row: Row) -> Cell:
    """The cell of a row of extra_results."""
    return row["level"], row["unit_id"], f"{_EXTRA}{row['question_id']}", row["gender"]


def table_of(cell: Cell) -> str:
    """The released table in which a cell stands first."""
    level, _, question, _ = cell
    if level == MUNICIPALITY:
        return "key_figures"
    if question in (ACTIVE, LEAVERS):
        return "outcomes"
    return "extra_results" if question.startswith(_EXTRA) else "measure_results"


def of_measures(rows: Iterable[Row]) -> Counts:
    """The counts of rows of measure_results."""
    return {measure(row): (row["n"], row["n_positive"]) for row in rows}


def of_outcomes(rows: Iterable[Row]) -> Counts:
    """The counts of rows of outcomes, as far as they are released."""
    found = list(yearly(rows))
    return {active(row): (row["active"], row["ended"]) for row in found} | {
        leavers(row): (row["leavers"], row["positive"]) for row in found
    }


def of_extra(rows: Iterable[Row]) -> Counts:
    """The counts of rows of extra_results."""
    return {project_question(row): (row["n"], row["n_positive"]) for row in rows}


def rests_on_answers(family: str) -> bool:
    """Whether a family is of what was delivered for the round, and no outcome and no study."""
    studies = {row["questionnaire_id"] for row in seed_rows("register_studies")}
    return family not in {ACTIVE, LEAVERS, *studies}


def yearly(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of outcomes that are released, be their figures hidden or not."""
    return (row for row in rows if row["period_kind"] == _PERIOD_KIND)


def projects(rows: Iterable[Row]) -> Mapping[str, str]:
    """The project of each question in extra_results: a question is of one project."""
    return {project_question(row)[2]: row["unit_id"] for row in rows if row["level"] == PROJECT}
