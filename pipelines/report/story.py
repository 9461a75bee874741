"""What a report says, before it becomes a page, a paper, a draft or a workbook.

Belongs here: the shape that every form of a report is made from; all figures are released ones.
Does not: gathering it (nation.py, association.py), or any form (pages.py, paper.py, …).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pipelines.release.table import Publisher
from pipelines.report.estimates import Estimate, Series, Topic

LineKind = Literal["K", "M", "T", "nation"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a trend: women, men, the total or, in an association's report, the nation."""

    kind: LineKind
    label: str
    series: Series

    def at(self, round_: int) -> Estimate | None:
        """The figure of a round; None when it has none."""
        return next((e for e in self.series if e.round == round_), None)


@dataclass(frozen=True, slots=True)
class Trend:
    """A trend to be drawn and tabled.

    Attributes:
        ident: names the picture within its report; [a-z0-9-]+.
        title: what is drawn, in one line.
        alt: what it shows, in one or two sentences; only released numbers.
        rounds: the rounds of the axis, also those without figures.
        breaks: rounds of the axis whose answers cannot be compared with those before.
    """

    ident: str
    title: str
    alt: str
    rounds: tuple[int, ...]
    lines: tuple[Line, ...]
    breaks: tuple[int, ...]

    def now(self, kind: LineKind) -> Estimate | None:
        """A line's figure in the last round; None when it has none."""
        line = next((line for line in self.lines if line.kind == kind), None)
        return line.at(self.rounds[-1]) if line else None

    @property
    def targets(self) -> dict[int, Decimal]:
        """The unit's target levels by round; the nation's are not an association's."""
        own = (e for line in self.lines if line.kind != "nation" for e in line.series)
        return dict(sorted((e.round, e.target) for e in own if e.target is not None))


@dataclass(frozen=True, slots=True)
class Dot:
    """A unit of a comparison and its figure of this round; None when it has none at all."""

    unit_id: str
    name: str
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All associations beside each other in one measure.

    Attributes:
        dots: those shown by share, the highest first; then all others by name, so that their
            places tell nothing.
        nation: the nation's figure.
        own: the unit_id of the association the report is about; None in the nation's.
    """

    ident: str
    title: str
    alt: str
    dots: tuple[Dot, ...]
    nation: Estimate | None
    own: str | None


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A measure on a profile: an activity's figure and those it is seen against."""

    label: str
    own: Estimate
    beside: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """All measures of one questionnaire of an activity in one picture."""

    ident: str
    title: str
    alt: str
    rows: tuple[ProfileRow, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A measure as one questionnaire asks it, or an indicator over the measures of a group.

    Attributes:
        topic: None for an indicator over several measures: then there are no intervals.
        heading: the measure's or the indicator's label.
        asked: who answered: the questionnaire's or the group's name.
        sentence: the finding in one sentence.
        change: the change since the round before, in words.
        groups: the comparable groups of activities (short, long).
    """

    ident: str
    topic: Topic | None
    heading: str
    asked: str
    is_placeholder: bool
    sentence: str
    change: str
    trend: Trend
    comparison: Comparison | None
    groups: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """A respondent group's figures of an indicator; a figure is None where there is none."""

    respondent_group: str
    label: str
    women: Estimate | None
    men: Estimate | None
    total: Estimate | None


@dataclass(frozen=True, slots=True)
class Section:
    """An indicator.

    Attributes:
        orientation: process or effect; empty when unknown.
        note: why it has no figures, or what is not known of it; may be empty.
        summary: by respondent group, the last is all groups together.
    """

    indicator_id: str
    label: str
    orientation: str
    is_placeholder: bool
    note: str
    sentence: str
    summary: tuple[Summary, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Volume:
    """What came in of one questionnaire.

    Attributes:
        most_answers: answers to the question with the most; None when hidden.
        response_rate: in whole percent, as written; or that it is unknown.
        delivered, expected: associations; None in an association's report.
    """

    questionnaire_id: str
    label: str
    most_answers: int | None
    response_rate: str
    delivered: int | None
    expected: int | None


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity's result to hand back to those who answered; one page.

    Attributes:
        code: as in the workbook.
        stem: names its files; [a-z0-9-]+ and its own within the report.
        kind: its orientation and length in words.
        too_few: questionnaires with measures that have answers but no shown figure, and those.
    """

    code: str
    stem: str
    name: str
    kind: str
    profiles: tuple[Profile, ...]
    too_few: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def untold(self) -> tuple[str, ...]:
        """The measures without a shown figure, a text per questionnaire."""
        return tuple(f"{asked}: {'; '.join(labels)}" for asked, labels in self.too_few)


@dataclass(frozen=True, slots=True)
class Report:
    """A report of the nation (association_id is empty) or of one association.

    Attributes:
        folder: where its files lie in the release's `reports/`: riket or the association_id.
        number: of the release.
        missing: what is not told and why, a sentence each.
        method: how figures are made, a paragraph each.
    """

    association_id: str
    name: str
    folder: str
    title: str
    round: int
    number: int
    is_synthetic: bool
    publisher: Publisher
    lead: tuple[str, ...]
    volumes: tuple[Volume, ...]
    sections: tuple[Section, ...]
    activities: tuple[Activity, ...]
    missing: tuple[str, ...]
    method: Sequence[tuple[str, str]]
