"""The nine fields (niofältaren): which figures of a report belong in which of them.

Belongs here: placing a report's volumes and indicators by the seed `nine_fields`. Does not: how the
fields are written (draft.py), or any place of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from pipelines import instrument
from pipelines.release.texts import texts
from pipelines.report.story import Block, Report, Section, Summary, Volume

_STUDY = "register"
"""The group that a register study follows."""

Place = tuple[str, str]
"""A row and a column."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An indicator as far as it belongs to a field.

    Attributes:
        summaries: of the groups of the field's row.
        blocks: the measures that those groups are asked.
    """

    section: Section
    summaries: tuple[Summary, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One of the nine.

    Attributes:
        row, column: as `field_part` in the seed.
        row_label, column_label: in Swedish.
        volumes: the questionnaires whose volumes belong here.
    """

    row: str
    column: str
    row_label: str
    column_label: str
    volumes: tuple[Volume, ...]
    findings: tuple[Finding, ...]


@cache
def _parts(axis: str) -> Mapping[str, str]:
    """The rows or columns by what of the instrument belongs there, in the seed's order."""
    rows = [row for row in instrument.seed_rows("nine_fields") if row["axis"] == axis]
    return MappingProxyType({row["instrument_value"]: row["field_part"] for row in rows})


def fields(report: Report) -> tuple[Field, ...]:
    """The nine fields, row by row."""
    labels = texts("nine_fields")
    return tuple(
        Field(
            row=row,
            column=column,
            row_label=labels[row]["sv"],
            column_label=labels[column]["sv"],
            volumes=tuple(_volumes(report, (row, column))),
            findings=tuple(_findings(report, (row, column))),
        )
        for row in dict.fromkeys(_parts("row").values())
        for column in dict.fromkeys(_parts("column").values())
    )


def unplaced(report: Report) -> tuple[Finding, ...]:
    """What no field has, also indicators without figures: nothing is left out in silence."""
    return tuple(_findings(report, None))


def _place(section: Section, group: str) -> Place | None:
    row, column = _parts("row").get(group), _parts("column").get(section.orientation)
    return (row, column) if row and column else None


def _findings(report: Report, place: Place | None) -> Iterator[Finding]:
    groups = _parts("row")
    for section in report.sections:
        finding = Finding(
            section=section,
            # the summary over all groups is of no field
            summaries=tuple(
                summary
                for summary in section.summary
                if (group := summary.respondent_group) in groups and _place(section, group) == place
            ),
            blocks=tuple(
                block
                for block in section.blocks
                if block.topic and _place(section, block.topic.respondent_group) == place
            ),
        )
        # a study without figures has its place all the same: it is not missing
        home = _place(section, _STUDY) if section.is_study else None
        is_bare = place == home and not section.blocks
        if finding.summaries or finding.blocks or is_bare:
            yield finding


def _volumes(report: Report, place: Place) -> Iterator[Volume]:
    groups, columns = _parts("row"), _parts("column")
    for volume in report.volumes:
        group = instrument.load().questionnaires[volume.questionnaire_id].respondent_group
        if (groups.get(group), columns["response_rate"]) == place:
            yield volume
