"""What a release tells of a measure, and what earlier rounds' releases told of it before.

Belongs here: one figure as a reader meets it, and finding figures by unit, topic and gender. Does
not: what is said of them (story.py), or how they are drawn (pictures/).

Only released tables are read, so what is hidden is not there to be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pipelines.release.table import BRACKET, EMPTY, HIDDEN, SHOWN, Content
from pipelines.swedish import several

GENDERS = ("K", "M", "T")
"""In the order they are told: women, men, total."""

Row = Mapping[str, Any]
Earlier = Callable[[str], Mapping[int, Sequence[Row]]]
"""The rows of a released table in the latest release of each earlier round, by round."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of a unit, topic and gender in one round, in percent with one decimal.

    Attributes:
        status: as in the seed of statuses; only what is shown has a share and an interval.
        n: answers; None when hidden.
        low, high: the 95 % interval of a share, or the bounds of a bracket.
        change, is_significant: against the round `previous_round`, where comparable.
        target: the target level; None without one.
        distance: the share less the target level.
        reached: whether the level is reached, by the interval: reached, not_reached or unclear.
    """

    round: int
    status: str = HIDDEN
    n: int | None = None
    share: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    previous_round: int | None = None
    change: Decimal | None = None
    is_significant: bool | None = None
    target: Decimal | None = None
    distance: Decimal | None = None
    reached: str | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the share is told."""
        return self.status == SHOWN

    @property
    def is_bracket(self) -> bool:
        """Whether only bounds of the share are told."""
        return self.status == BRACKET

    @property
    def is_empty(self) -> bool:
        """Whether nobody answered."""
        return self.status == EMPTY


Series = tuple[Estimate, ...]
"""The figures of a unit, topic and gender, a row per round in which it has one, by round."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A measure as one questionnaire asks it, or as a register study follows it up.

    Attributes:
        breaks: rounds whose answers cannot be compared with those before.
        is_study: whether people were followed in registers, and nobody asked.
    """

    measure_id: str
    questionnaire_id: str
    indicator_id: str
    respondent_group: str
    label: str
    is_placeholder: bool
    breaks: tuple[int, ...]
    is_study: bool = False


class Estimates:
    """The figures of a release and of the releases of earlier rounds.

    Attributes:
        content: of the release.
        rounds: the rounds that have figures, by year; the last is the release's.
        topics: what is asked in the release's round, by indicator and measure.
    """

    def __init__(self, content: Content, earlier: Earlier) -> None:
        self.content = content
        self._measures = _by_unit(content, earlier, "measure_results", _measure_key)
        self._indicators = _by_unit(content, earlier, "indicator_results", _indicator_key)
        self.rounds: tuple[int, ...] = tuple(sorted({content.round, *earlier("measure_results")}))
        self.topics = tuple(sorted((*_topics(content), *_followed(content)), key=_place))
        self._outcomes = _rows_by_unit(content, earlier, "outcomes", _outcome_key)

    def measure(self, level: str, unit_id: str, topic: Topic, gender: str) -> Series:
        """The figures of a measure; empty when the unit has none of that gender."""
        key = (level, unit_id, topic.questionnaire_id, topic.measure_id, gender)
        return self._measures.get(key, ())

    def indicator(
        self, level: str, unit_id: str, indicator_id: str, respondent_group: str, gender: str
    ) -> Series:
        """The figures of an indicator, without intervals; empty when the unit has none."""
        key = (level, unit_id, respondent_group, indicator_id, gender)
        return self._indicators.get(key, ())

    def outcomes(self, level: str, unit_id: str, gender: str) -> tuple[Row, ...]:
        """The released rows of outcomes by calendar year; empty when the unit has none."""
        return self._outcomes.get((level, unit_id, gender), ())

    def now(self, series: Series) -> Estimate | None:
        """The figure of the release's own round."""
        return series[-1] if series and series[-1].round == self.content.round else None


def _by_unit(
    content: Content, earlier: Earlier, table: str, key_of: Callable[[Row], tuple[Any, ...]]
) -> dict[tuple[Any, ...], Series]:
    found = _rows_by_unit(content, earlier, table, key_of)
    return {key: tuple(map(estimate, rows)) for key, rows in found.items()}


def _rows_by_unit(
    content: Content, earlier: Earlier, table: str, key_of: Callable[[Row], tuple[Any, ...]]
) -> dict[tuple[Any, ...], tuple[Row, ...]]:
    before = earlier(table)
    rows: list[Row] = [row for round_ in sorted(before) for row in before[round_]]
    found: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in (*rows, *content[table].records()):
        found[key_of(row)].append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def _measure_key(row: Row) -> tuple[Any, ...]:
    return tuple(row[n] for n in ("level", "unit_id", "questionnaire_id", "measure_id", "gender"))


def _indicator_key(row: Row) -> tuple[Any, ...]:
    return tuple(row[n] for n in ("level", "unit_id", "respondent_group", "indicator_id", "gender"))


def _outcome_key(row: Row) -> tuple[Any, ...]:
    return tuple(row[n] for n in ("level", "unit_id", "gender"))


def estimate(row: Row) -> Estimate:
    """The figure that a released row of answers tells."""
    is_bracket = row["status"] == BRACKET
    return Estimate(
        round=row["round"],
        status=row["status"],
        n=row["n"],
        share=row["share"],
        low=row["bracket_low"] if is_bracket else row.get("ci_low"),
        high=row["bracket_high"] if is_bracket else row.get("ci_high"),
        previous_round=row.get("previous_round"),
        change=row.get("change"),
        is_significant=row.get("change_significant"),
        target=row.get("target_share"),
        distance=row.get("distance"),
        reached=row.get("reached"),
    )


def rate(row: Row) -> Estimate:
    """The positive ways out that a released row of outcomes tells, of those who left."""
    before = row["previous_period"]
    told = estimate({**row, "n": row["leavers"], "share": row["positive_rate"]})
    return replace(told, previous_round=None if before is None else int(before))


def _topics(content: Content) -> Iterable[Topic]:
    measures = {row["measure_id"]: row for row in content["measures"].records()}
    questionnaires = {row["questionnaire_id"]: row for row in content["questionnaires"].records()}
    asked: defaultdict[tuple[Any, Any], list[Row]] = defaultdict(list)
    for row in content["questions"].records():
        asked[row["measure_id"], row["questionnaire_id"]].append(row)
    for (measure_id, questionnaire_id), questions in asked.items():
        now = [row for row in questions if is_asked(row, content.round)]
        if now:
            yield Topic(
                measure_id=measure_id,
                questionnaire_id=questionnaire_id,
                indicator_id=str(measures[measure_id]["indicator_id"]),
                respondent_group=str(questionnaires[questionnaire_id]["respondent_group"]),
                label=now[0]["label_sv"],
                is_placeholder=now[0]["verification"] == "placeholder",
                breaks=tuple(
                    sorted({row["comparable_from"] or row["first_round"] for row in questions})
                ),
            )


def _followed(content: Content) -> Iterable[Topic]:
    """What the register study follows up, which no question asks."""
    measures = {row["measure_id"]: row for row in content["measures"].records()}
    questionnaires = {row["questionnaire_id"]: row for row in content["questionnaires"].records()}
    studies: Iterable[Row] = content["register_studies"].records()
    for row in studies:
        measure = measures[row["measure_id"]]
        after = several(row["months_after"], "månad", "månader")
        yield Topic(
            measure_id=str(row["measure_id"]),
            questionnaire_id=str(row["questionnaire_id"]),
            indicator_id=str(measure["indicator_id"]),
            respondent_group=str(questionnaires[row["questionnaire_id"]]["respondent_group"]),
            label=f"{measure['label_sv']}, efter {after}",
            is_placeholder=row["verification"] == "placeholder",
            breaks=(),
            is_study=True,
        )


def _place(topic: Topic) -> tuple[int, str, str]:
    return int(topic.indicator_id), topic.measure_id, topic.questionnaire_id


def is_asked(row: Row, round_: int) -> bool:
    """Whether what a row of the instrument names is in use in a round."""
    last = row["last_round"]
    return bool(row["first_round"] <= round_ and (last is None or round_ <= last))
