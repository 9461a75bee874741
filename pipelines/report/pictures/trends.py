"""A measure over the rounds: women, men, the total and what they are seen against.

Belongs here: the lines, their intervals, gaps, breaks and the names at their ends. Does not: units
beside each other (comparisons.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipelines.report import words
from pipelines.report.estimates import Estimate
from pipelines.report.pictures import svg
from pipelines.report.pictures.svg import Drawing, Mark, Scale
from pipelines.report.story import LineKind, Trend

_LEFT, _TOP, _PLOT = 46, 28, 184
_BASE = _TOP + _PLOT
_PAD = 14
_NAME_WIDTH = 128
_ONE_ROUND = 150
_ASIDE, _ASIDE_ALONE = 4, 9
_NEW = "ny fråga"


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
    "nation": _Look(Mark(svg.circle, svg.GREY, is_hollow=True), 1.6, "1.5 3"),
    "T": _Look(Mark(svg.diamond, svg.INK), 2.4),
    "M": _Look(Mark(svg.square, svg.MEN), 2, "6 3.5"),
    "K": _Look(Mark(svg.circle, svg.WOMEN), 2),
}
"""In the order they are drawn: the last lies upon the others."""

_ORDER = {kind: place for place, kind in enumerate(_LOOKS)}


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where rounds and percentages lie."""

    rounds: tuple[int, ...]
    breaks: tuple[int, ...]
    right: int
    scale: Scale

    def x(self, round_: int) -> float:
        """Where a round lies: years are as far apart as they are."""
        first, last = self.rounds[0], self.rounds[-1]
        if first == last:
            return (_LEFT + self.right) / 2
        room = self.right - _LEFT - 2 * _PAD
        return _LEFT + _PAD + room * (round_ - first) / (last - first)


@dataclass(frozen=True, slots=True)
class _Told:
    """A line and what is told of it on the axis; `aside` keeps intervals from each other."""

    look: _Look
    label: str
    estimates: tuple[Estimate, ...]
    aside: float


@dataclass(frozen=True, slots=True)
class _Name:
    """What stands at a line's end, wanted at y, and the place (x, y) it belongs to."""

    content: tuple[str, ...]
    colour: str
    x: float
    y: float


def draw(picture: Trend) -> Drawing:
    """The trend; lines of which nothing is told are named below."""
    told = _told(picture)
    estimates = [e for line in told for e in line.estimates]
    contents = [_content(line, picture.rounds[-1]) for line in told]
    plane = _Plane(
        picture.rounds,
        tuple(b for b in picture.breaks if b in picture.rounds[1:]),
        _right(picture.rounds, contents),
        Scale(svg.bottom(estimates), _BASE, _TOP),
    )
    parts = [_grid(plane.rounds, plane.right, plane.scale), _breaks(plane)]
    if not estimates:
        reason = svg.nothing(e for line in picture.lines for e in line.series)
        middle = (_LEFT + plane.right) / 2
        parts.append(svg.text(middle, _TOP + _PLOT / 2, reason, svg.INK, "middle", svg.SIZE))
        return Drawing(picture.title, picture.alt, _BASE + 30, "".join(parts))
    names = [*_line_names(plane, told, contents), *_level_name(plane, estimates)]
    below = _untold(picture, told)
    parts += [
        _level(plane, estimates),
        *(_intervals(plane, line) for line in told),
        *(_line(plane, line) for line in told),
        *_placed(plane, names),
        *(svg.text(_LEFT, _BASE + 40 + 17 * i, note) for i, note in enumerate(below)),
    ]
    height = _BASE + 30 + 17 * len(below)
    return Drawing(picture.title, picture.alt, height, "".join(parts))


def _told(picture: Trend) -> list[_Told]:
    axis = set(picture.rounds)
    found = [
        (line, tuple(e for e in line.series if e.round in axis and svg.is_told(e)))
        for line in sorted(picture.lines, key=lambda line: _ORDER[line.kind])
    ]
    drawn = [(line, estimates) for line, estimates in found if estimates]
    step = _ASIDE if len(axis) > 1 else _ASIDE_ALONE
    return [
        _Told(_LOOKS[line.kind], line.label, estimates, (i - (len(drawn) - 1) / 2) * step)
        for i, (line, estimates) in enumerate(drawn)
    ]


def _untold(picture: Trend, told: Sequence[_Told]) -> list[str]:
    """Which lines are not drawn, and why."""
    drawn = {line.label for line in told}
    return [
        f"{line.label}: {svg.missing(line.series)}"
        for line in picture.lines
        if line.label not in drawn
    ]


# --- the ground ---------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _grid(rounds: tuple[int, ...], right: int, scale: Scale) -> str:
    """The ticks with their lines, and the rounds below."""
    places = {tick: scale.at(tick) for tick in scale.ticks}
    rules = svg.path("".join(f"M{_LEFT} {y:.1f}H{right}" for y in places.values()), svg.GRID)
    ticks = "".join(
        svg.text(_LEFT - 6, y + 4.5, svg.tick(tick), anchor="end") for tick, y in places.items()
    )
    plane = _Plane(rounds, (), right, scale)
    return (
        rules
        + ticks
        + "".join(
            svg.text(plane.x(round_), _BASE + 20, str(round_), anchor="middle")
            for round_ in _labelled(plane)
        )
    )


def _labelled(plane: _Plane) -> list[int]:
    """The rounds whose years are written: as many as have room, from the last."""
    room, chosen = svg.advance("2026 ", svg.SMALL), [plane.rounds[-1]]
    for round_ in reversed(plane.rounds[:-1]):
        if plane.x(chosen[-1]) - plane.x(round_) >= room:
            chosen.append(round_)
    return chosen


def _breaks(plane: _Plane) -> str:
    """A dashed upright where answers stop being comparable, with its words above."""
    if not plane.breaks:
        return ""
    before = dict(zip(plane.rounds[1:], plane.rounds, strict=False))
    places = [(plane.x(before[b]) + plane.x(b)) / 2 for b in plane.breaks]
    uprights = "".join(f"M{x:.1f} {_TOP - 8}V{_BASE}" for x in places)
    size = svg.advance(_NEW, svg.SMALL) + 8
    room = int((svg.WIDTH - 8) // size)
    centres = svg.apart(places[-room:], [size] * min(room, len(places)), 4, svg.WIDTH - 4)
    return svg.path(uprights, svg.GREY, 1, "3 3") + "".join(
        svg.text(x, _TOP - 13, _NEW, anchor="middle") for x in centres
    )


def _level(plane: _Plane, estimates: Sequence[Estimate]) -> str:
    """The target level, over the rounds that have one."""
    targets = {e.round: e.target for e in estimates if e.target is not None}
    half = _half_step(plane)
    pieces = (
        f"M{max(_LEFT, plane.x(r) - half):.1f} {plane.scale.at(target):.1f}"
        f"H{min(plane.right, plane.x(r) + half):.1f}"
        for r, target in targets.items()
    )
    return svg.path("".join(pieces), svg.INK, 0.9)


def _half_step(plane: _Plane) -> float:
    steps = [plane.x(b) - plane.x(a) for a, b in zip(plane.rounds, plane.rounds[1:], strict=False)]
    return min(steps, default=float(svg.WIDTH)) / 2


# --- lines --------------------------------------------------------------------------------------


def _intervals(plane: _Plane, line: _Told) -> str:
    """The 95 % intervals, and a band for what is only told by its bounds."""
    at, aside, colour = plane.scale.at, line.aside, line.look.colour
    uprights, bands = [], []
    for e in line.estimates:
        x = plane.x(e.round) + aside
        if e.is_bracket:
            bands.append(svg.band(x - 5, at(e.high), 10, at(e.low) - at(e.high), colour))
        elif e.low is not None:
            uprights.append(f"M{x:.1f} {at(e.low):.1f}V{at(e.high):.1f}")
    return svg.path("".join(uprights), colour) + "".join(bands)


def _line(plane: _Plane, line: _Told) -> str:
    """The line, broken where a figure is missing or not comparable, and its marks."""
    pieces, marks, before, look = [], [], None, line.look
    follows = dict(zip(plane.rounds, plane.rounds[1:], strict=False))
    for e in line.estimates:
        if e.is_bracket:
            continue
        x, y = plane.x(e.round) + line.aside, plane.scale.at(e.share)
        goes_on = before is not None and follows[before] == e.round and e.round not in plane.breaks
        pieces.append(f"{'L' if goes_on else 'M'}{x:.1f} {y:.1f}")
        marks.append((x, y))
        before = e.round
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
    for line, content in zip(told, contents, strict=True):
        end = line.estimates[-1]
        at = plane.scale.at
        y = (at(end.low) + at(end.high)) / 2 if end.is_bracket else at(end.share)
        yield _Name(content, line.look.colour, plane.x(end.round) + line.aside, y)


def _level_name(plane: _Plane, estimates: Sequence[Estimate]) -> Iterator[_Name]:
    targets = {e.round: e.target for e in estimates if e.target is not None}
    if targets:
        target = targets[max(targets)]
        assert target is not None
        content = f"målnivå {svg.plain(target)}"
        yield _Name((content,), svg.INK, plane.right, plane.scale.at(target))


def _placed(plane: _Plane, names: Sequence[_Name]) -> Iterator[str]:
    """The names beside the plane, pushed apart; a thin line leads to what was pushed away."""
    high = svg.line_height(svg.SIZE)
    sizes = [high * len(name.content) + 1 for name in names]
    centres = svg.apart([name.y for name in names], sizes, _TOP - 10, _BASE + 12)
    for name, centre in zip(names, centres, strict=True):
        start = min(name.x + 7, plane.right)
        if abs(centre - name.y) > 4 or name.x < plane.right - 40:
            lead = f"M{start:.1f} {name.y:.1f}L{plane.right + 2} {centre:.1f}"
            yield svg.path(lead, name.colour, 0.8)
        is_level = name.x == plane.right
        yield svg.lines(
            plane.right + 6, centre, name.content, name.colour, size=svg.SIZE, is_bold=not is_level
        )
