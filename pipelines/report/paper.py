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
from pipelines.report import pictures, words
from pipelines.report.estimates import Estimate
from pipelines.report.story import (
    Activity,
    Block,
    Line,
    Profile,
    Report,
    Section,
    Summary,
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
        "sections": [_section(section) for section in story.sections],
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
        "summary": [[group.label, *_summary(group)] for group in section.summary],
        "blocks": [_block(block) for block in section.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    rounds = block.trend.rounds[-LAST_ROUNDS:]
    has_intervals = block.topic is not None
    return {
        "heading": block.heading,
        "asked": block.asked,
        "placeholder": words.PLACEHOLDER if block.is_placeholder else "",
        "sentence": block.sentence,
        "change": block.change,
        "pictures": _pictures(block),
        "rounds": rounds,
        "parts": ["Andel", "Intervall", "Svar"] if has_intervals else ["Andel", "Svar"],
        "lines": [_line(line, rounds, has_intervals) for line in block.trend.lines],
        "groups": [[dot.name, *_figures(dot.estimate)] for dot in block.groups],
    }


def _pictures(block: Block) -> list[dict[str, str]]:
    trend, beside = block.trend, block.comparison
    drawn = [{"svg": pictures.trend(trend), "title": trend.title, "alt": trend.alt}]
    if beside:
        drawn += [{"svg": pictures.comparison(beside), "title": beside.title, "alt": beside.alt}]
    return drawn


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
