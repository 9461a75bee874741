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
    ANSWERS,
    FOLLOWED,
    Block,
    Comparison,
    Dot,
    Line,
    LineKind,
    Profile,
    ProfileRow,
    Terms,
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
        associations: those that answered, by name: each has a report.
        peers: all of the register that count in the nation, by name: they are compared.
        groups: the comparable groups of activities.
        questionnaires: what a questionnaire is called.
        genders: what a gender is called.
        axis: the rounds of every trend.
    """

    estimates: Estimates
    nation: Unit
    associations: tuple[Unit, ...]
    peers: tuple[Unit, ...]
    groups: tuple[Unit, ...]
    questionnaires: dict[str, str]
    genders: dict[str, str]
    axis: tuple[int, ...]

    def of(self, unit: Unit, topic: Topic, gender: str) -> Series:
        """The figures of a unit in a measure."""
        return self.estimates.measure(unit.level, unit.unit_id, topic, gender)

    def beside(self, own: Unit | None) -> tuple[Unit, ...]:
        """The associations that are compared; with one that does not count in the nation."""
        return self.peers if own is None or own in self.peers else (*self.peers, own)

    def now(self, unit: Unit, topic: Topic, gender: str = "T") -> Estimate | None:
        """The figure of a unit in a measure in the release's round."""
        return self.estimates.now(self.of(unit, topic, gender))


def block(scene: Scene, unit: Unit, topic: Topic) -> Block:
    """A measure as one questionnaire asks it: of the nation or of an association."""
    ident = _ident(topic.questionnaire_id, topic.measure_id)
    terms = FOLLOWED if topic.is_study else ANSWERS
    lines = tuple(lines_of(scene, {g: scene.of(unit, topic, g) for g in GENDERS}))
    if unit != scene.nation:
        lines += (Line("nation", scene.nation.name, scene.of(scene.nation, topic, "T")),)
    now, asked = scene.now(unit, topic), scene.questionnaires[topic.questionnaire_id]
    return Block(
        ident=ident,
        topic=topic,
        heading=topic.label,
        asked=asked,
        is_placeholder=topic.is_placeholder,
        sentence=_sentence(scene, unit, topic, now, terms),
        change=words.change(now),
        target=words.target(now),
        trend=trend_of(
            (ident, f"{topic.label}: {asked.lower()}"), scene.axis, lines, topic.breaks, terms
        ),
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
    topics: Sequence[Topic],
) -> Block:
    """An indicator over several measures of a group: means, which have no intervals.

    `named` is what the indicator and the group are called, `topics` its measures.
    """
    ident = _ident("indikator", indicator_id, group)
    label, asked = named
    series = {
        g: scene.estimates.indicator(unit.level, unit.unit_id, indicator_id, group, g)
        for g in GENDERS
    }
    now, breaks = scene.estimates.now(series["T"]), {b for topic in topics for b in topic.breaks}
    terms = FOLLOWED if all(topic.is_study for topic in topics) else ANSWERS
    return Block(
        ident=ident,
        topic=None,
        heading=label,
        asked=asked,
        is_placeholder=False,
        sentence=_mean_sentence(now),
        change="",
        target=words.target(now),
        trend=trend_of(
            (ident, f"{label}: {asked.lower()}"),
            scene.axis,
            tuple(lines_of(scene, series)),
            sorted(breaks),
            terms,
        ),
        comparison=None,
        groups=(),
    )


# --- trends -------------------------------------------------------------------------------------


def lines_of(scene: Scene, by_gender: dict[str, Series]) -> Iterable[Line]:
    """A line for each gender that has figures."""
    kinds: dict[str, LineKind] = {"K": "K", "M": "M", "T": "T"}
    for gender, series in by_gender.items():
        if series:
            yield Line(kinds[gender], scene.genders[gender], series)


def trend_of(
    named: tuple[str, str],
    axis: tuple[int, ...],
    lines: tuple[Line, ...],
    breaks: Iterable[int],
    terms: Terms,
) -> Trend:
    """A trend over an axis; `named` is what names it within its report, and its title."""
    ident, title = named
    seen = tuple(b for b in breaks if axis[0] < b <= axis[-1])
    alt = _trend_alt(axis, lines, seen, terms)
    return Trend(f"trend-{ident}", title, alt, axis, lines, seen, terms)


def _trend_alt(
    axis: Sequence[int], lines: Sequence[Line], breaks: Sequence[int], terms: Terms
) -> str:
    first, last = axis[0], axis[-1]
    time = f"{first}–{last}" if first < last else f"{last}"
    ends = [f"{line.label.lower()} {spoken(line.at(last))}" for line in lines]
    text = f"{terms.share}, i procent, {time}. {terms.time} {last}: {', '.join(ends)}."
    if breaks:
        text += f" Siffrorna från {listed(map(str, breaks))} går inte att jämföra med tidigare."
    return text


def spoken(estimate: Estimate | None) -> str:
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
    return compared(
        scene,
        (_ident(topic.questionnaire_id, topic.measure_id), f"{topic.label}: alla förbund"),
        [Dot(u.unit_id, u.name, scene.now(u, topic)) for u in scene.beside(own)],
        scene.now(scene.nation, topic),
        own,
        FOLLOWED if topic.is_study else ANSWERS,
    )


def compared(
    scene: Scene,
    named: tuple[str, str],
    dots: Iterable[Dot],
    nation: Estimate | None,
    own: Unit | None,
    terms: Terms,
) -> Comparison | None:
    """Associations by name beside each other; None where fewer than two can be shown."""
    asked = [dot for dot in dots if dot.estimate is not None]
    shown = [dot for dot in asked if dot.estimate and dot.estimate.is_shown]
    if len(shown) < 2:
        return None
    ident, title = named
    told = [f"{scene.nation.name} {spoken(nation)}"]
    if own:
        its = next((dot.estimate for dot in asked if dot.unit_id == own.unit_id), None)
        told.append(f"{own.name} {spoken(its)}")
    return Comparison(
        ident=f"forbund-{ident}",
        title=title,
        alt=f"{terms.share}, i procent, i varje förbund, högst först. {', '.join(told)}.",
        dots=(*sorted(shown, key=_by_share), *(dot for dot in asked if dot not in shown)),
        nation=nation,
        own=own.unit_id if own else None,
        terms=terms,
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
    told = ", ".join(f"{row.label} {spoken(row.own)}" for row in rows)
    alt = f"Andel positiva svar i procent: {told}."
    return Profile(_ident("profil", questionnaire_id), name, alt, tuple(rows)), tuple(too_few)


# --- sentences ----------------------------------------------------------------------------------


def _sentence(scene: Scene, unit: Unit, topic: Topic, now: Estimate | None, terms: Terms) -> str:
    """The finding of a measure in one sentence."""
    if now is None or now.is_empty:
        return _nothing(now, terms)
    if now.is_bracket:
        low, high = words.interval(now).split("–")
        counted = f"{words.answers(now)} {terms.counted.lower()}"
        return f"Mellan {low} och {high} procent {terms.found} ({counted})."
    if not now.is_shown:
        few = f"För få {terms.counted.lower()} för att visas"
        return f"{few}, eller så kunde få räknas fram ur andra siffror."
    parts = f"{words.share(now)} procent {terms.found}"
    genders = [
        f"{scene.genders[g].lower()} {words.share(e)}"
        for g in ("K", "M")
        if (e := scene.now(unit, topic, g)) and e.is_shown
    ]
    if genders:
        parts += f" ({', '.join(genders)})"
    if unit != scene.nation:
        parts += f"; i riket {spoken(scene.now(scene.nation, topic))}"
    return f"{parts}."


def _nothing(now: Estimate | None, terms: Terms) -> str:
    if terms is FOLLOWED:
        return "Ingen uppföljning har lämnats för den här omgången."
    if now is None:
        return "Enkäten har inte lämnats i den här omgången."
    return "Ingen har svarat på frågan i den här omgången."


def _mean_sentence(now: Estimate | None) -> str:
    if now is None or not now.is_shown:
        return "Genomsnittet visas inte: något av måtten har för få svar."
    return f"Genomsnittet av måtten är {words.share(now)} procent."


def _ident(*parts: str) -> str:
    return "-".join(parts).replace("_", "-").lower()
