"""A report as a PDF for boards, and a page for each activity to hand back to those who answered.

Belongs here: what of a story goes on paper, written out for the typst files, which have the order,
the fixed words and the look. Does not: drawing (pictures/), or what is said of a figure (words.py).

The PDFs are tagged (PDF/UA-1) and the same bytes each time: they have neither a date nor a path.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.release.table import SYNTHETIC_SV
from pipelines.release.texts import texts
from pipelines.report import pictures, words
from pipelines.report.estimates import Estimate
from pipelines.report.story import (
    Activity,
    Block,
    Comparison,
    Dot,
    Line,
    Outcome,
    Outcomes,
    OwnFigure,
    Profile,
    Project,
    Reliability,
    Report,
    Section,
    Summary,
    Trend,
    Volume,
)
from pipelines.report.tags import with_row_headers
from pipelines.swedish import number

if TYPE_CHECKING:
    import typst

LAST_ROUNDS = 3
"""How many rounds a table on paper has; pages and appendices have all of them."""

_HERE = Path(__file__).parent


def report(story: Report) -> bytes:
    """The report as PDF/UA-1 in A4."""
    return _pdf("report", _report(story))


def activities(story: Report) -> bytes:
    """The results of a report's activities as PDF/UA-1, an A4 page each in the report's order.

    Raises:
        ValueError: the report has no activities.
    """
    if not story.activities:
        raise ValueError(f"{story.name} has no activities to put on paper")
    return _pdf("activities", _activities(story))


def _pdf(template: str, data: dict[str, Any]) -> bytes:
    made = _compiler(template).compile(
        format="pdf", sys_inputs={"paper": json.dumps(data)}, pdf_standards=["ua-1"]
    )
    if not isinstance(made, bytes):
        raise TypeError("typst made no single file")
    return with_row_headers(made)


@cache
def _compiler(template: str) -> typst.Compiler:
    """One for all papers of a kind, so that they share fonts and what was worked out before."""
    import typst  # only while papers are made: it would slow every command

    folder = _HERE / "typst"
    return typst.Compiler(
        folder / f"{template}.typ",
        root=folder,
        font_paths=[_HERE / "fonts"],
        ignore_system_fonts=True,
    )


# --- a report -----------------------------------------------------------------------------------


def _report(story: Report) -> dict[str, Any]:
    has_coverage = any(volume.expected is not None for volume in story.volumes)
    return {
        "frame": _frame(story, story.title),
        "lead": story.lead,
        "brief": [_brief(section) for section in story.sections],
        "has_coverage": has_coverage,
        "volumes": [_volume(volume, has_coverage) for volume in story.volumes],
        "outcomes": _outcomes(story.outcomes),
        "sections": [_section(section) for section in story.sections],
        "projects": [_project(project) for project in story.projects],
        "reliability": [_reliability(row) for row in story.reliability],
        "about_reliability": words.explained("reliability"),
        "activities": [_listed(activity) for activity in story.activities],
        "missing": story.missing,
        "method": story.method,
    }


def _frame(story: Report, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "name": story.name,
        "round": str(story.round),
        "edition": f"Omgång {story.round}, utgåva {story.number}",
        "publisher": story.publisher.name,
        "source": story.publisher.source,
        "synthetic": SYNTHETIC_SV if story.is_synthetic else "",
        "signs": words.SIGNS,
    }


def _brief(section: Section) -> list[str]:
    """A row of the table of all indicators: the figures of all groups together."""
    if not section.summary:
        return [_heading(section), *[words.NOT_APPLICABLE] * 4]
    return [_heading(section), *_summary(section.summary[-1])]


def _summary(of: Summary) -> list[str]:
    return [*words.by_gender(of.women, of.men), words.share(of.total), words.answers(of.total)]


def _heading(section: Section) -> str:
    return f"{section.indicator_id}. {section.label}"


def _volume(volume: Volume, has_coverage: bool) -> list[str]:
    coverage = [_coverage(volume)] if has_coverage else []
    return [volume.label, words.count(volume.most_answers), volume.response_rate, *coverage]


def _coverage(volume: Volume) -> str:
    if volume.expected is None:
        return ""
    return f"{words.count(volume.delivered)} av {number(volume.expected)}"


def _section(section: Section) -> dict[str, Any]:
    return {
        "heading": _heading(section),
        "note": section.note,
        "sentence": section.sentence,
        "target": section.target,
        "counted": section.terms.counted,
        "summary": []
        if section.is_study
        else [[group.label, *_summary(group)] for group in section.summary],
        "blocks": [_block(block) for block in section.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    has_intervals = block.topic is not None
    return {
        "heading": block.heading,
        "asked": block.asked,
        "placeholder": block.terms.placeholder if block.is_placeholder else "",
        "sentence": block.sentence,
        "change": " ".join(filter(None, (block.change, block.target))),
        "pictures": _pictures(block.trend, block.comparison),
        **_rounds(block.trend, has_intervals),
        "groups": _groups(block.groups),
    }


def _rounds(trend: Trend, has_intervals: bool) -> dict[str, Any]:
    """The last rounds of a trend, a row per line."""
    rounds, counted = trend.rounds[-LAST_ROUNDS:], trend.terms.counted
    return {
        "rounds": rounds,
        "counted": counted,
        "parts": ["Andel", "Intervall", counted] if has_intervals else ["Andel", counted],
        "lines": [_line(line, rounds, has_intervals) for line in trend.lines],
    }


def _groups(dots: Sequence[Dot]) -> list[list[str]]:
    return [[dot.name, *_figures(dot.estimate)] for dot in dots]


def _pictures(trend: Trend, beside: Comparison | None) -> list[dict[str, str]]:
    drawn = [{"svg": pictures.trend(trend), "title": trend.title, "alt": trend.alt}]
    if beside:
        drawn += [{"svg": pictures.comparison(beside), "title": beside.title, "alt": beside.alt}]
    return drawn


def _outcomes(told: Outcomes) -> dict[str, Any]:
    """What became of participations; without a year only that nothing is known."""
    if told.year is None or told.trend is None:
        return {"note": told.note, "year": ""}
    return {
        "note": told.note,
        "year": str(told.year),
        "sentence": told.sentence,
        "change": " ".join(filter(None, (told.change, told.target))),
        "about": texts("outcomes")["about"]["sv"],
        "rows": [_outcome(row) for row in told.rows],
        "ways": [
            [way.label, *map(words.count, (way.women, way.men, way.total))] for way in told.ways
        ],
        "pictures": _pictures(told.trend, told.comparison),
        **_rounds(told.trend, has_intervals=True),
        "groups": _groups(told.groups),
    }


def _outcome(row: Outcome) -> list[str]:
    share, interval, leavers = _figures(row.rate)
    counts = (words.count(count) for count in (row.active, row.ended))
    return [row.label, *counts, leavers, words.count(row.positive), share, interval]


def _project(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "questions": [
            {
                "label": question.label,
                "about": " ".join(filter(None, (f"{question.asked}.", question.change))),
                "rows": [_own(figure) for figure in question.figures],
            }
            for question in project.questions
        ],
    }


def _own(figure: OwnFigure) -> list[str]:
    return [
        figure.unit,
        *words.by_gender(figure.women, figure.men),
        *_figures(figure.total),
    ]


def _reliability(row: Reliability) -> list[str]:
    return [
        f"{row.indicator_id}. {row.label}",
        row.asked,
        str(row.items),
        words.coefficient(row.alpha),
        words.coefficients(row.low, row.high),
        words.coefficient(row.item_total),
        words.coefficient(row.stability),
    ]


def _line(line: Line, rounds: Sequence[int], has_intervals: bool) -> list[str]:
    by_round = {estimate.round: estimate for estimate in line.series}
    figures = (_figures(by_round.get(r), has_intervals) for r in rounds)
    return [line.label, *chain.from_iterable(figures)]


def _figures(estimate: Estimate | None, has_interval: bool = True) -> list[str]:
    """A share, or what stands in its place, its interval and the number of answers."""
    is_known = estimate is not None and estimate.is_shown
    interval = [words.interval(estimate) if is_known else ""] if has_interval else []
    return [words.share(estimate), *interval, words.answers(estimate)]


def _listed(activity: Activity) -> list[str]:
    shown = sum(len(profile.rows) for profile in activity.profiles)
    return [activity.name, activity.kind, number(shown)]


# --- its activities -----------------------------------------------------------------------------


def _activities(story: Report) -> dict[str, Any]:
    title = f"Insatsernas resultat {story.round}: {story.name}"
    return {
        "frame": _frame(story, title),
        "activities": [_activity(activity) for activity in story.activities],
    }


def _activity(activity: Activity) -> dict[str, Any]:
    return {
        "name": activity.name,
        "kind": activity.kind,
        "pictures": [_profile(profile) for profile in activity.profiles],
        "too_few": activity.untold,
    }


def _profile(profile: Profile) -> dict[str, str]:
    return {"svg": pictures.profile(profile), "title": profile.title, "alt": profile.alt}
