"""A measure over the rounds: women, men, the total and what they are seen against.

Belongs here: the lines, their intervals, gaps, breaks and the names at their ends. Does not: units
beside each other (comparisons.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from pipelines.report import words
from pipelines.report.estimates import Estimate
from pipelines.report.pictures import svg
from pipelines.report.pictures.svg import Drawing, Mark, Scale
from pipelines.report.story import LineKind, Trend

_LEFT, _TOP, _PLOT = 46, 28, 184
_BASE = _TOP + _PLOT
_NAMES = _TOP - 10
_PAD = 10
_NAME_WIDTH = 128
_ONE_ROUND = 150
_ASIDE, _ASIDE_ALONE = 4, 9


@dataclass(frozen=True, slots=True)
class _Look:
    """Colour, dash and mark tell lines apart, so that none of them must do it alone."""

    mark: Mark
    width: float
    dash: str = ""

    @property
    def colour(self) -> str:
        """Of the line, its mark and its name."""
        return self.mark.colour


_LOOKS: dict[LineKind, _Look] = {
    "nation": _Look(Mark(svg.CIRCLE, svg.GREY, is_hollow=True), 1.6, "1.5 3"),
    "T": _Look(Mark(svg.DIAMOND, svg.INK), 2.4),
    "M": _Look(Mark(svg.SQUARE, svg.MEN), 2, "6 3.5"),
    "K": _Look(Mark(svg.CIRCLE, svg.WOMEN), 2),
}
"""In the order they are drawn: the last lies upon the others."""

_ORDER = {kind: place for place, kind in enumerate(_LOOKS)}


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where rounds and percentages lie.

    Attributes:
        x: of each round; years are as far apart as they are.
        before: the round before, of each but the first.
        breaks: rounds that are not comparable with the round before.
        new: why they are not, above the break.
    """

    x: Mapping[int, float]
    before: Mapping[int, int]
    breaks: frozenset[int]
    right: int
    scale: Scale
    new: str


@dataclass(frozen=True, slots=True)
class _Told:
    """A line and what is told of it on the axis; `aside` keeps intervals from each other."""

    kind: LineKind
    look: _Look
    label: str
    estimates: tuple[Estimate, ...]
    aside: float


@dataclass(frozen=True, slots=True)
class _Name:
    """What stands at a line's end, wanted at y, and the place (x, y) it belongs to.

    A line that ended rounds ago has a name with its year, and nothing leads there: that would look
    like a figure of later rounds.
    """

    content: tuple[str, ...]
    colour: str
    x: float
    y: float
    has_ended: bool = False
    is_bold: bool = True

    @property
    def height(self) -> float:
        """What it takes of the room."""
        return svg.line_height(svg.SIZE) * len(self.content) + 1


def draw(picture: Trend) -> Drawing:
    """The trend; lines of which nothing is told are named below."""
    told = _told(picture)
    estimates = [e for line in told for e in line.estimates]
    contents = [_content(line, picture.rounds[-1]) for line in told]
    plane = _plane(picture, _right(picture.rounds, contents), estimates)
    parts = [_grid(picture.rounds, plane.right, plane.scale), _breaks(plane)]
    if not estimates:
        return Drawing(picture.title, picture.alt, _BASE + 30, "".join(parts) + _nothing(picture))
    levels = picture.targets
    names = [*_line_names(plane, told, contents), *_level_names(plane, levels)]
    below = _untold(picture, told)
    parts += [
        _levels(plane, levels),
        *(_intervals(plane, line) for line in told),
        *(_line(plane, line) for line in told),
        *_placed(plane, names),
        *(svg.text(_LEFT, _BASE + 40 + 17 * i, note) for i, note in enumerate(below)),
    ]
    height = max(_BASE + 30 + 17 * len(below), _NAMES + sum(name.height for name in names) + 8)
    return Drawing(picture.title, picture.alt, height, "".join(parts))


def _plane(picture: Trend, right: int, told: Sequence[Estimate]) -> _Plane:
    rounds, bottom = picture.rounds, svg.bottom(told)
    top = svg.top(told, bottom, is_to_100=picture.terms.is_to_100)
    return _Plane(
        x=_columns(rounds, right),
        before=dict(zip(rounds[1:], rounds, strict=False)),
        breaks=frozenset(picture.breaks) & frozenset(rounds[1:]),
        right=right,
        scale=Scale(bottom, _BASE, _TOP, top),
        new=picture.terms.new,
    )


@lru_cache(maxsize=256)
def _columns(rounds: tuple[int, ...], right: int) -> Mapping[int, float]:
    first, last = rounds[0], rounds[-1]
    if first == last:
        return {first: (_LEFT + right) / 2}
    year = (right - _LEFT - 2 * _PAD) / (last - first)
    return {round_: _LEFT + _PAD + year * (round_ - first) for round_ in rounds}


def _told(picture: Trend) -> list[_Told]:
    axis = set(picture.rounds)
    found = [
        (line, tuple(e for e in line.series if e.round in axis and svg.is_told(e)))
        for line in sorted(picture.lines, key=lambda line: _ORDER[line.kind])
    ]
    drawn = [(line, estimates) for line, estimates in found if estimates]
    step = _ASIDE if len(axis) > 1 else _ASIDE_ALONE
    return [
        _Told(
            line.kind, _LOOKS[line.kind], line.label, estimates, (i - (len(drawn) - 1) / 2) * step
        )
        for i, (line, estimates) in enumerate(drawn)
    ]


def _untold(picture: Trend, told: Sequence[_Told]) -> list[str]:
    """Which lines are not drawn, and why."""
    drawn = {line.kind for line in told}
    return [
        f"{line.label}: {svg.missing(line.series)}"
        for line in picture.lines
        if line.kind not in drawn
    ]


def _nothing(picture: Trend) -> str:
    """The words in an empty plane."""
    reason = svg.nothing(e for line in picture.lines for e in line.series)
    middle = (_LEFT + _right(picture.rounds, ())) / 2
    return svg.text(middle, _TOP + _PLOT / 2, reason, svg.INK, "middle", svg.SIZE)


# --- the ground ---------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _grid(rounds: tuple[int, ...], right: int, scale: Scale) -> str:
    """The ticks with their lines, and the rounds below."""
    places = {tick: scale.at(tick) for tick in scale.ticks}
    rules = svg.path("".join(f"M{_LEFT} {y:.1f}H{right}" for y in places.values()), svg.GRID)
    ticks = "".join(
        svg.text(_LEFT - 6, y + 4.5, scale.tick(tick), anchor="end") for tick, y in places.items()
    )
    x = _columns(rounds, right)
    years = "".join(
        svg.text(x[round_], _BASE + 20, str(round_), anchor="middle") for round_ in _labelled(x)
    )
    return rules + ticks + years


def _labelled(x: Mapping[int, float]) -> list[int]:
    """The rounds whose years are written: as many as have room, from the last."""
    room, chosen = svg.advance("2026", svg.SMALL) + 3, [max(x)]
    for round_ in sorted(x, reverse=True):
        if x[chosen[-1]] - x[round_] >= room:
            chosen.append(round_)
    return chosen


def _breaks(plane: _Plane) -> str:
    """A dashed upright where answers stop being comparable, with its words above."""
    if not plane.breaks:
        return ""
    places = [(plane.x[plane.before[b]] + plane.x[b]) / 2 for b in sorted(plane.breaks)]
    uprights = "".join(f"M{x:.1f} {_TOP - 8}V{_BASE}" for x in places)
    size = svg.advance(plane.new, svg.SMALL) + 8
    room = int((svg.WIDTH - 8) // size)
    centres = svg.apart(places[-room:], [size] * min(room, len(places)), 4, svg.WIDTH - 4)
    return svg.path(uprights, svg.GREY, 1, "3 3") + "".join(
        svg.text(x, _TOP - 13, plane.new, anchor="middle") for x in centres
    )


def _levels(plane: _Plane, levels: Mapping[int, Decimal]) -> str:
    """The target level, over the rounds that have one."""
    if not levels:
        return ""
    x = sorted(plane.x.values())
    half = min((b - a for a, b in zip(x, x[1:], strict=False)), default=float(svg.WIDTH)) / 2
    pieces = (
        f"M{max(_LEFT, plane.x[r] - half):.1f} {plane.scale.at(level):.1f}"
        f"H{min(plane.right, plane.x[r] + half):.1f}"
        for r, level in levels.items()
    )
    return svg.path("".join(pieces), svg.INK, 0.9)


# --- lines --------------------------------------------------------------------------------------


def _intervals(plane: _Plane, line: _Told) -> str:
    """The 95 % intervals, and a band for what is only told by its bounds."""
    at, aside, colour = plane.scale.at, line.aside, line.look.colour
    uprights, bands = [], []
    for e in line.estimates:
        x = plane.x[e.round] + aside
        if e.is_bracket:
            bands.append(svg.band(x - 5, at(e.high), 10, at(e.low) - at(e.high), colour))
        elif e.low is not None:
            uprights.append(f"M{x:.1f} {at(e.low):.1f}V{at(e.high):.1f}")
    return svg.path("".join(uprights), colour) + "".join(bands)


def _line(plane: _Plane, line: _Told) -> str:
    """The line, broken where a figure is missing or not comparable, and its marks."""
    pieces, marks, last, look = [], [], 0, line.look
    for e in line.estimates:
        if e.is_bracket:
            continue
        x, y = plane.x[e.round] + line.aside, plane.scale.at(e.share)
        goes_on = last and plane.before[e.round] == last and e.round not in plane.breaks
        pieces.append(f"{'L' if goes_on else 'M'}{x:.1f} {y:.1f}")
        marks.append((x, y))
        last = e.round
    joined = "".join(pieces)
    drawn = svg.path(joined, look.colour, look.width, look.dash) if "L" in joined else ""
    return drawn + look.mark.at(marks)


# --- names at the lines' ends -------------------------------------------------------------------


def _content(line: _Told, last: int) -> tuple[str, ...]:
    """A line's name and its last figure; with the year where that is not the last round's."""
    end = line.estimates[-1]
    when = "" if end.round == last else f" {end.round}:"
    figure = words.share(end)
    whole = f"{line.label}{when} {figure}"
    return svg.wrapped(whole, _NAME_WIDTH, svg.SIZE, True)


def _right(rounds: Sequence[int], contents: Sequence[tuple[str, ...]]) -> int:
    """Where the plane ends, so that all names have room beside it."""
    if len(rounds) == 1 and contents:
        return _LEFT + _ONE_ROUND
    room = max((svg.advance(t, svg.SIZE, True) for c in contents for t in c), default=0)
    return int(svg.WIDTH - 10 - max(room, 80))


def _line_names(
    plane: _Plane, told: Sequence[_Told], contents: Sequence[tuple[str, ...]]
) -> Iterator[_Name]:
    at = plane.scale.at
    for line, content in zip(told, contents, strict=True):
        end = line.estimates[-1]
        y = (at(end.low) + at(end.high)) / 2 if end.is_bracket else at(end.share)
        x, has_ended = plane.x[end.round] + line.aside, end.round != max(plane.x)
        yield _Name(content, line.look.colour, x, y, has_ended)


def _level_names(plane: _Plane, levels: Mapping[int, Decimal]) -> Iterator[_Name]:
    if levels:
        level = levels[max(levels)]
        content = (f"målnivå {words.level(level)}",)
        yield _Name(content, svg.INK, plane.right, plane.scale.at(level), is_bold=False)


def _placed(plane: _Plane, names: Sequence[_Name]) -> Iterator[str]:
    """The names beside the plane, pushed apart; a thin line leads to what is not beside it."""
    centres = svg.apart(
        [name.y for name in names], [name.height for name in names], _NAMES, _BASE + 12
    )
    for name, centre in zip(names, centres, strict=True):
        is_beside = abs(centre - name.y) <= 4 and name.x > plane.right - 40
        if not is_beside and not name.has_ended:
            start = min(name.x + 7, plane.right)
            lead = f"M{start:.1f} {name.y:.1f}L{plane.right + 2} {centre:.1f}"
            yield svg.path(lead, name.colour, 0.8)
        yield svg.lines(
            plane.right + 6, centre, name.content, name.colour, size=svg.SIZE, is_bold=name.is_bold
        )
