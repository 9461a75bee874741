"""From the figures of a unit to what is drawn and said of them, measure by measure.

Belongs here: trends, comparisons, profiles and their sentences. Does not: which of them a report
has and in which order (gather.py), or how they look (pictures/).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.report import words
from pipelines.report.estimates import GENDERS, Estimate, Estimates, Series, Topic
from pipelines.report.story import (
    Block,
    Comparison,
    Dot,
    Line,
    LineKind,
    Profile,
    ProfileRow,
    Trend,
)
from pipelines.swedish import alphabetical, listed

NATION, ASSOCIATION, ACTIVITY, GROUP = "nation", "association", "activity", "activity_group"


@dataclass(frozen=True, slots=True)
class Unit:
    """Whom figures are of, by level and unit_id as in the marts, and what it is called."""

    level: str
    unit_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What all reports of a release have in common.

    Attributes:
        nation: the nation as a unit.
        associations: those that delivered, by name.
        groups: the comparable groups of activities.
        questionnaires: what a questionnaire is called.
        genders: what a gender is called.
        axis: the rounds of every trend.
    """

    estimates: Estimates
    nation: Unit
    associations: tuple[Unit, ...]
    groups: tuple[Unit, ...]
    questionnaires: dict[str, str]
    genders: dict[str, str]
    axis: tuple[int, ...]

    def of(self, unit: Unit, topic: Topic, gender: str) -> Series:
        """The figures of a unit in a measure."""
        return self.estimates.measure(unit.level, unit.unit_id, topic, gender)

    def now(self, unit: Unit, topic: Topic, gender: str = "T") -> Estimate | None:
        """The figure of a unit in a measure in the release's round."""
        return self.estimates.now(self.of(unit, topic, gender))


def block(scene: Scene, unit: Unit, topic: Topic) -> Block:
    """A measure as one questionnaire asks it: of the nation or of an association."""
    ident = _ident(topic.questionnaire_id, topic.measure_id)
    lines = tuple(_lines(scene, {g: scene.of(unit, topic, g) for g in GENDERS}))
    if unit != scene.nation:
        lines += (Line("nation", scene.nation.name, scene.of(scene.nation, topic, "T")),)
    now, asked = scene.now(unit, topic), scene.questionnaires[topic.questionnaire_id]
    return Block(
        ident=ident,
        topic=topic,
        heading=topic.label,
        asked=asked,
        is_placeholder=topic.is_placeholder,
        sentence=_sentence(scene, unit, topic, now),
        change=words.change(now),
        trend=_trend(scene, ident, f"{topic.label}: {asked.lower()}", lines, topic.breaks),
        comparison=comparison(scene, topic, None if unit == scene.nation else unit),
        groups=tuple(
            Dot(group.unit_id, group.name, now)
            for group in scene.groups
            if unit == scene.nation and (now := scene.now(group, topic))
        ),
    )


def indicator(
    scene: Scene,
    unit: Unit,
    indicator_id: str,
    group: str,
    named: tuple[str, str],
    breaks: set[int],
) -> Block:
    """An indicator over several measures of a group: means, which have no intervals.

    `named` is what the indicator and the group are called, `breaks` those of its measures.
    """
    ident = _ident("indikator", indicator_id, group)
    label, asked = named
    series = {
        g: scene.estimates.indicator(unit.level, unit.unit_id, indicator_id, group, g)
        for g in GENDERS
    }
    return Block(
        ident=ident,
        topic=None,
        heading=label,
        asked=asked,
        is_placeholder=False,
        sentence=_mean_sentence(scene.estimates.now(series["T"])),
        change="",
        trend=_trend(
            scene, ident, f"{label}: {asked.lower()}", tuple(_lines(scene, series)), sorted(breaks)
        ),
        comparison=None,
        groups=(),
    )


# --- trends -------------------------------------------------------------------------------------


def _lines(scene: Scene, by_gender: dict[str, Series]) -> Iterable[Line]:
    kinds: dict[str, LineKind] = {"K": "K", "M": "M", "T": "T"}
    for gender, series in by_gender.items():
        if series:
            yield Line(kinds[gender], scene.genders[gender], series)


def _trend(
    scene: Scene, ident: str, title: str, lines: tuple[Line, ...], breaks: Iterable[int]
) -> Trend:
    seen = tuple(b for b in breaks if scene.axis[0] < b <= scene.axis[-1])
    return Trend(f"trend-{ident}", title, _trend_alt(scene, lines, seen), scene.axis, lines, seen)


def _trend_alt(scene: Scene, lines: Sequence[Line], breaks: Sequence[int]) -> str:
    first, last = scene.axis[0], scene.axis[-1]
    time = f"{first}–{last}" if first < last else f"{last}"
    ends = [f"{line.label.lower()} {_spoken(scene.estimates.now(line.series))}" for line in lines]
    text = f"Andel positiva svar i procent {time}. Omgång {last}: {', '.join(ends)}."
    if breaks:
        text += f" Svaren från {listed(map(str, breaks))} går inte att jämföra med tidigare."
    return text


def _spoken(estimate: Estimate | None) -> str:
    """A figure in a sentence, without a unit."""
    if estimate is None:
        return "saknas"
    if estimate.share is not None:
        return words.tenth(estimate.share)
    if estimate.is_bracket:
        return f"mellan {words.interval(estimate).replace('–', ' och ')}"
    return "inga svar" if estimate.is_empty else "visas inte"


# --- comparisons --------------------------------------------------------------------------------


def comparison(scene: Scene, topic: Topic, own: Unit | None) -> Comparison | None:
    """All associations in a measure; None where fewer than two can be shown."""
    found = [Dot(u.unit_id, u.name, scene.now(u, topic)) for u in scene.associations]
    asked = [dot for dot in found if dot.estimate is not None]
    shown = [dot for dot in asked if dot.estimate and dot.estimate.is_shown]
    if len(shown) < 2:
        return None
    nation = scene.now(scene.nation, topic)
    told = [f"{scene.nation.name} {_spoken(nation)}"]
    if own:
        told.append(f"{own.name} {_spoken(scene.now(own, topic))}")
    return Comparison(
        ident=f"forbund-{_ident(topic.questionnaire_id, topic.measure_id)}",
        title=f"{topic.label}: alla förbund",
        alt=f"Andel positiva svar i procent i varje förbund, högst först. {', '.join(told)}.",
        dots=(*sorted(shown, key=_by_share), *(dot for dot in asked if dot not in shown)),
        nation=nation,
        own=own.unit_id if own else None,
    )


def _by_share(dot: Dot) -> tuple[Decimal, str]:
    share = dot.estimate.share if dot.estimate else None
    return (-(share or Decimal(0)), alphabetical(dot.name))


# --- an activity --------------------------------------------------------------------------------


def profile(
    scene: Scene, activity: Unit, questionnaire_id: str, beside: Sequence[Unit]
) -> tuple[Profile | None, tuple[str, ...]]:
    """An activity's measures of a questionnaire, and the labels of those that cannot be told.

    A measure without any answer is neither.
    """
    rows, too_few = [], []
    for topic in scene.estimates.topics:
        now = scene.now(activity, topic) if topic.questionnaire_id == questionnaire_id else None
        if now is None or now.is_empty:
            continue
        if now.is_shown or now.is_bracket:
            dots = tuple(Dot(u.unit_id, u.name, scene.now(u, topic)) for u in beside)
            rows.append(ProfileRow(topic.label, now, dots))
        else:
            too_few.append(topic.label)
    if not rows:
        return None, tuple(too_few)
    name = scene.questionnaires[questionnaire_id]
    told = ", ".join(f"{row.label} {_spoken(row.own)}" for row in rows)
    alt = f"Andel positiva svar i procent: {told}."
    return Profile(_ident("profil", questionnaire_id), name, alt, tuple(rows)), tuple(too_few)


# --- sentences ----------------------------------------------------------------------------------


def _sentence(scene: Scene, unit: Unit, topic: Topic, now: Estimate | None) -> str:
    """The finding of a measure in one sentence."""
    if now is None:
        return "Enkäten har inte lämnats i den här omgången."
    if now.is_empty:
        return "Ingen har svarat på frågan i den här omgången."
    if now.is_bracket:
        low, high = words.interval(now).split("–")
        return f"Mellan {low} och {high} procent gav ett positivt svar ({words.answers(now)} svar)."
    if not now.is_shown:
        return "För få svar för att visas, eller så kunde få svar räknas fram ur andra siffror."
    parts = f"{words.share(now)} procent gav ett positivt svar"
    if unit != scene.nation:
        parts += f", i riket {_spoken(scene.now(scene.nation, topic))}"
    genders = [
        f"{scene.genders[g].lower()} {words.share(e)}"
        for g in ("K", "M")
        if (e := scene.now(unit, topic, g)) and e.is_shown
    ]
    if genders:
        parts += f" ({', '.join(genders)})"
    if now.target is not None:
        parts += f". Målnivån är {words.tenth(now.target)}"
    return f"{parts}."


def _mean_sentence(now: Estimate | None) -> str:
    if now is None or not now.is_shown:
        return "Genomsnittet visas inte: något av måtten har för få svar."
    return f"Genomsnittet av måtten är {words.share(now)} procent."


def _ident(*parts: str) -> str:
    return "-".join(parts).replace("_", "-").lower()
