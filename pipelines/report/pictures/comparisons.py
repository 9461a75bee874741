"""All associations beside each other, each with its interval.

Belongs here: the compact picture, where only the own association has its name, and the picture with
a row for each. Does not: an activity's measures (profiles.py), or who comes first (the story).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipelines.report import words
from pipelines.report.estimates import Estimate
from pipelines.report.pictures import rows, svg
from pipelines.report.pictures.rows import Row
from pipelines.report.pictures.svg import Drawing, Mark, Scale
from pipelines.report.story import Comparison, Dot
from pipelines.swedish import number

_LEFT, _TOP, _PLOT = 46, 28, 184
_BASE = _TOP + _PLOT
_RIGHT = 368
_WIDEST_STEP = 40
_LINE = 17
_NATION = "Riket"
_CAPTION = "Förbunden, från högst till lägst andel"

_OTHERS = Mark(svg.DOT, svg.PALE, edge=svg.PALE)
_OWN = Mark(svg.BIG_DIAMOND, svg.INK)
_OTHERS_ROW, _OWN_ROW = Mark(svg.CIRCLE, svg.GREY), Mark(svg.DIAMOND, svg.INK)


# --- compact ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is the same in all reports: the dots, the nation and the words below.

    Attributes:
        places: where the columns of those told lie, by unit_id.
    """

    body: str
    height: float
    scale: Scale
    places: dict[str, float]


def draw(picture: Comparison) -> Drawing:
    """A column for each association that is told; the others are counted in words."""
    ground = _ground(picture.dots, picture.nation, picture.terms.is_to_100)
    own = next((dot for dot in picture.dots if dot.unit_id == picture.own), None)
    if own is None:
        body, height = ground.body, ground.height
    elif svg.is_told(own.estimate):
        body, height = _with_own(ground, own, own.estimate)
    else:
        body, height = _with_words(ground, f"{own.name}: {svg.missing([own.estimate])}")
    return Drawing(picture.title, picture.alt, height, body)


@lru_cache(maxsize=512)
def _ground(dots: tuple[Dot, ...], nation: Estimate | None, is_to_100: bool) -> _Ground:
    told = {dot.unit_id: dot.estimate for dot in dots if svg.is_told(dot.estimate)}
    places = dict(zip(told, _columns(len(told)), strict=True))
    against = [nation] if svg.is_told(nation) else []
    drawn = [*told.values(), *against]
    bottom = svg.bottom(drawn)
    scale = Scale(bottom, _BASE, _TOP, svg.top(drawn, bottom, is_to_100=is_to_100))
    notes = [_CAPTION, *_counted(dots)] if told else []
    parts = [
        _grid(scale),
        *(_nation(estimate, scale) for estimate in against),
        _figures(_OTHERS, [(places[unit_id], e) for unit_id, e in told.items()], scale, 1),
        "" if told else _nothing(dots),
        *(svg.text(_LEFT, _BASE + 20 + _LINE * i, note) for i, note in enumerate(notes)),
    ]
    return _Ground("".join(parts), _BASE + 10 + _LINE * len(notes), scale, places)


def _nothing(dots: Sequence[Dot]) -> str:
    reason, middle = svg.nothing(dot.estimate for dot in dots), (_LEFT + _RIGHT) / 2
    return svg.text(middle, _TOP + _PLOT / 2 - 5, reason, svg.INK, "middle", svg.SIZE)


def _columns(count: int) -> Iterator[float]:
    """Where columns lie; few stand together in the middle."""
    step = min((_RIGHT - _LEFT - 4) / max(count, 1), _WIDEST_STEP)
    return ((_LEFT + _RIGHT) / 2 + (i - (count - 1) / 2) * step for i in range(count))


def _counted(dots: Sequence[Dot]) -> list[str]:
    """How many associations have no place, and why."""
    untold = [svg.missing([dot.estimate]) for dot in dots if not svg.is_told(dot.estimate)]
    counted = [
        f"{number(untold.count(reason))} förbund: {reason}"
        for reason in (svg.TOO_FEW, svg.NO_ANSWERS)
        if reason in untold
    ]
    return [", ".join(counted)] if counted else []


@lru_cache(maxsize=16)
def _grid(scale: Scale) -> str:
    places = {tick: scale.at(tick) for tick in scale.ticks}
    rules = svg.path("".join(f"M{_LEFT} {y:.1f}H{_RIGHT}" for y in places.values()), svg.GRID)
    return rules + "".join(
        svg.text(_LEFT - 6, y + 4.5, scale.tick(tick), anchor="end") for tick, y in places.items()
    )


def _nation(told: Estimate, scale: Scale) -> str:
    """The nation as a dashed line; as a band when only its bounds are told."""
    name = (_NATION, words.share(told))
    if told.is_bracket:
        top, low = scale.at(told.high), scale.at(told.low)
        shape, y = svg.band(_LEFT, top, _RIGHT - _LEFT, low - top, svg.GREY), (top + low) / 2
    else:
        y = scale.at(told.share)
        shape = svg.path(f"M{_LEFT} {y:.1f}H{_RIGHT}", svg.GREY, 1.4, "5 3")
    return shape + svg.lines(_RIGHT + 6, y, [" ".join(name)], size=svg.SIZE, is_bold=True)


def _figures(
    mark: Mark, places: Sequence[tuple[float, Estimate]], scale: Scale, width: float
) -> str:
    """Intervals with their marks, a column each; a bracket is a band without one."""
    at, half = scale.at, 2 + width
    uprights = "".join(
        f"M{x:.1f} {at(e.low):.1f}V{at(e.high):.1f}"
        for x, e in places
        if e.is_shown and e.low is not None
    )
    bands = "".join(
        svg.band(x - half, at(e.high), 2 * half, at(e.low) - at(e.high), mark.colour)
        for x, e in places
        if e.is_bracket
    )
    marks = mark.at((x, at(e.share)) for x, e in places if e.is_shown)
    return svg.path(uprights, mark.colour, width) + bands + marks


def _with_own(ground: _Ground, own: Dot, told: Estimate) -> tuple[str, float]:
    """The own association upon the ground, its name above and a line from there."""
    x, scale = ground.places[own.unit_id], ground.scale
    content = svg.wrapped(f"{own.name} {words.share(told)}", svg.WIDTH - 16, svg.SIZE, True)
    down = svg.line_height(svg.SIZE) * (len(content) - 1)
    half = max(svg.advance(line, svg.SIZE, True) for line in content) / 2
    middle = min(max(x, 8 + half), svg.WIDTH - 8 - half)
    name = svg.lines(
        middle, _TOP - 18 - down / 2, content, svg.INK, "middle", svg.SIZE, is_bold=True
    )
    lead = svg.path(f"M{x:.1f} {_TOP - 9}V{scale.at(told.high or told.share):.1f}", svg.INK, 0.8)
    body = ground.body + lead + _figures(_OWN, [(x, told)], scale, 2) + name
    if not down:
        return body, ground.height
    return f'<g transform="translate(0 {down:.1f})">{body}</g>', ground.height + down


def _with_words(ground: _Ground, said: str) -> tuple[str, float]:
    """The ground and below it why the own association has no place."""
    content = svg.wrapped(said, svg.WIDTH - _LEFT - 8, svg.SIZE, True)
    high = svg.line_height(svg.SIZE) * len(content)
    middle = ground.height + high / 2
    below = svg.lines(_LEFT, middle, content, svg.INK, size=svg.SIZE, is_bold=True)
    return ground.body + below, ground.height + high + 6


# --- with a name on each row --------------------------------------------------------------------


def draw_named(picture: Comparison) -> Drawing:
    """A row for each association; those not told have words in their row."""
    drawn = [
        Row(
            name=dot.name,
            estimate=dot.estimate,
            mark=_OWN_ROW if dot.unit_id == picture.own else _OTHERS_ROW,
            is_bold=dot.unit_id == picture.own,
        )
        for dot in picture.dots
    ]
    along = rows.scale(drawn, [picture.nation])
    body, height = rows.draw(drawn, along, 0, name=_NATION, against=picture.nation)
    return Drawing(picture.title, picture.alt, height, body)
