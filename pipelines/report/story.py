"""What a report says, before it becomes a page, a paper, a draft or a workbook.

Belongs here: the shape that every form of a report is made from; all figures are released ones.
Does not: gathering it (gather.py), or any form (pages.py, paper.py, …).
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
class Terms:
    """What is said of figures, by where they come from.

    Attributes:
        time: what a point of the axis is.
        counted: what the number beside a share counts.
        share: what a share is of.
        found: what it says of those counted, as in "60 procent …".
        new: why figures cannot be compared with those before.
        placeholder: what is said of what is not public.
        is_to_100: whether an axis ends at 100; where shares are low by nature it ends above them.
    """

    time: str
    counted: str
    share: str
    found: str
    new: str
    placeholder: str
    is_to_100: bool = True


ANSWERS = Terms(
    time="Omgång",
    counted="Svar",
    share="Andel positiva svar",
    found="gav ett positivt svar",
    new="ny fråga",
    placeholder="Platshållare: frågans ordalydelse är inte offentlig",
)
FOLLOWED = Terms(
    time="Omgång",
    counted="Följda",
    share="Andel av dem som följts där effekten håller",
    found="av dem som följts har en effekt som håller",
    new="ny studie",
    placeholder="Platshållare: vad registerstudien följer upp är inte offentligt",
)
ENDED = Terms(
    time="År",
    counted="Utan avhopp",
    share="Andel till arbete, studier eller annan arbetslivsinriktad rehabilitering",
    found="ledde till arbete, studier eller annan arbetslivsinriktad rehabilitering",
    new="ny källa",
    placeholder="",
    is_to_100=False,
)


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
    terms: Terms = ANSWERS

    def now(self, kind: LineKind) -> Estimate | None:
        """A line's figure in the last round; None when it has none."""
        line = next((line for line in self.lines if line.kind == kind), None)
        return line.at(self.rounds[-1]) if line else None

    @property
    def targets(self) -> dict[int, Decimal]:
        """The unit's target levels by round; the nation's are not an association's."""
        own = (e for line in self.lines if line.kind != "nation" for e in line.series)
        return dict(sorted((e.round, e.target) for e in own if e.target is not None))

    @property
    def reached(self) -> dict[int, str]:
        """Whether the total reached its target level, by round; as in `Estimate`."""
        own = (e for line in self.lines if line.kind == "T" for e in line.series)
        return {e.round: e.reached for e in own if e.reached is not None}


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
    terms: Terms = ANSWERS


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
        target: whether the target level is reached, in words; may be empty.
        groups: the comparable groups of activities (short, long).
    """

    ident: str
    topic: Topic | None
    heading: str
    asked: str
    is_placeholder: bool
    sentence: str
    change: str
    target: str
    trend: Trend
    comparison: Comparison | None
    groups: tuple[Dot, ...]

    @property
    def terms(self) -> Terms:
        """What is said of its figures."""
        return self.trend.terms


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
        target: whether the target level is reached, in words; may be empty.
        summary: by respondent group, the last is all groups together.
        terms: what is said of its figures.
    """

    indicator_id: str
    label: str
    orientation: str
    is_placeholder: bool
    note: str
    sentence: str
    target: str
    summary: tuple[Summary, ...]
    blocks: tuple[Block, ...]
    terms: Terms = ANSWERS

    @property
    def is_study(self) -> bool:
        """Whether it is followed in registers; its only group is then all there is."""
        return self.terms is FOLLOWED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the participations of women, of men or of all; a count is None when hidden.

    Attributes:
        rate: the positive ways out, of those who left; early dropouts are not among them.
    """

    label: str
    active: int | None
    ended: int | None
    positive: int | None
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Way:
    """A way out and how many took it; None where it is hidden."""

    label: str
    women: int | None
    men: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the participations of a unit that ended, in the latest year that is told.

    Attributes:
        year: None when none is told: then there is only the note.
        note: why there is none, or that the year is not the round's; may be empty.
        change, target: in words; may be empty.
        rows: women, men and total, as far as there are any.
        ways: the nation's ways out; empty in an association's report.
        groups: the comparable groups of activities; empty in an association's report.
    """

    year: int | None
    note: str
    sentence: str = ""
    change: str = ""
    target: str = ""
    rows: tuple[Outcome, ...] = ()
    ways: tuple[Way, ...] = ()
    trend: Trend | None = None
    comparison: Comparison | None = None
    groups: tuple[Dot, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """What the association, an activity or the whole project answered to an own question."""

    unit: str
    women: Estimate | None
    men: Estimate | None
    total: Estimate | None


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A question that a project asks beside the common ones.

    Attributes:
        change: the association's since the round before, in words; may be empty.
        figures: the association's first, then its activities', then the whole project's.
    """

    label: str
    asked: str
    change: str
    figures: tuple[OwnFigure, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """The own questions of a project; the name is empty when no project is known."""

    name: str
    questions: tuple[OwnQuestion, ...]


@dataclass(frozen=True, slots=True)
class Reliability:
    """How well the questions of an indicator hang together for a group of respondents.

    Attributes:
        items: how many measures.
        alpha, low, high: Cronbach's alpha and its 95 % interval.
        item_total: the mean correlation of a measure with the sum of the others.
        stability: the correlation of the associations' results with those of the round before.
    """

    indicator_id: str
    label: str
    asked: str
    items: int
    alpha: Decimal | None
    low: Decimal | None
    high: Decimal | None
    item_total: Decimal | None
    stability: Decimal | None


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
        projects: with questions of their own; empty in the nation's report.
        reliability: of the instrument; empty in an association's report.
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
    outcomes: Outcomes
    sections: tuple[Section, ...]
    activities: tuple[Activity, ...]
    projects: tuple[Project, ...]
    reliability: tuple[Reliability, ...]
    missing: tuple[str, ...]
    method: Sequence[tuple[str, str]]
