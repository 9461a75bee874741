"""The questions that a project asks beside the common ones, as its association's report tells them.

Belongs here: which of them an association has, by project. Does not: any common question
(blocks.py); they never meet, and the nation has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from pipelines.report import words
from pipelines.report.blocks import ACTIVITY, ASSOCIATION, Scene, Unit
from pipelines.report.estimates import GENDERS, Row, estimate
from pipelines.report.story import OwnFigure, OwnQuestion, Project
from pipelines.swedish import alphabetical

_PROJECT = "project"

_Question = tuple[str, str]
"""questionnaire_id and question_id."""

_Units = Mapping[tuple[str, str], Mapping[str, Row]]
"""The rows of a question by level and unit_id, then by gender."""


def projects(scene: Scene, unit: Unit) -> Iterator[Project]:
    """An association's own questions, by the project that asks them."""
    found = _by_question(scene)
    by_project: defaultdict[str, list[_Question]] = defaultdict(list)
    for question, units in found.items():
        if (ASSOCIATION, unit.unit_id) in units:
            names = [unit_id for level, unit_id in units if level == _PROJECT]
            for name in names or [""]:
                by_project[name].append(question)
    for name in sorted(by_project, key=alphabetical):
        questions = (_question(scene, unit, name, q, found[q]) for q in by_project[name])
        yield Project(name, tuple(questions))


def _by_question(scene: Scene) -> Mapping[_Question, _Units]:
    found: defaultdict[_Question, defaultdict[tuple[str, str], dict[str, Row]]]
    found = defaultdict(lambda: defaultdict(dict))
    for row in scene.estimates.content["extra_results"].records():
        question = (str(row["questionnaire_id"]), str(row["question_id"]))
        found[question][str(row["level"]), str(row["unit_id"])][str(row["gender"])] = row
    return found


def _question(
    scene: Scene, unit: Unit, project: str, question: _Question, units: _Units
) -> OwnQuestion:
    own = units[ASSOCIATION, unit.unit_id]
    inside = sorted(
        unit_id
        for level, unit_id in units
        if level == ACTIVITY and unit_id.startswith(f"{unit.unit_id}/")
    )
    told = [(unit.name, own)]
    told += [(f"Insats {i.partition('/')[2]}", units[ACTIVITY, i]) for i in inside]
    if project:
        told.append(("Hela projektet", units[_PROJECT, project]))
    return OwnQuestion(
        label=str(own["T"]["label_sv"]),
        asked=scene.questionnaires[question[0]],
        change=words.change(estimate(own["T"])),
        figures=tuple(_figure(name, rows) for name, rows in told),
    )


def _figure(name: str, rows: Mapping[str, Row]) -> OwnFigure:
    women, men, total = (estimate(rows[gender]) if gender in rows else None for gender in GENDERS)
    return OwnFigure(name, women, men, total)
