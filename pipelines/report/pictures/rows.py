"""Figures below each other, a row each with its name: what a long comparison and a profile share.

Belongs here: places of rows, names, marks and figures. Does not: what the rows are (comparisons.py,
profiles.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipelines.report import words
from pipelines.report.estimates import Estimate
from pipelines.report.pictures import svg
from pipelines.report.pictures.svg import Mark, Scale

_LEFT, _RIGHT = 204, 378
_NAME_WIDTH = _LEFT - 24
_TICKS = 20
_LONG = 20
"""Below more rows than this the ticks are written once more."""


@dataclass(frozen=True, slots=True)
class Row:
    """A named figure with its interval, and figures it is seen against.

    Attributes:
        beside: marks and their figures; those not shown have no place.
    """

    name: str
    estimate: Estimate | None
    mark: Mark
    is_bold: bool = False
    beside: tuple[tuple[Mark, Estimate | None], ...] = ()


def scale(rows: Iterable[Row], more: Sequence[Estimate | None] = ()) -> Scale:
    """The axis under all that is told in the rows, and more."""
    found = [e for row in rows for e in (row.estimate, *(e for _, e in row.beside))]
    return Scale(svg.bottom([e for e in (*found, *more) if svg.is_told(e)]), _LEFT, _RIGHT)


def draw(
    rows: Sequence[Row],
    along: Scale,
    top: float,
    size: int = svg.SMALL,
    name: str = "",
    against: Estimate | None = None,
) -> tuple[str, float]:
    """The rows below `top` upon their axis, written in a size, and where they end.

    What all are seen `against` is a dashed upright with its name above.
    """
    start = top + _TICKS + (_TICKS if svg.is_told(against) else 0)
    places = list(_places(rows, size, start))
    end = places[-1][2] if places else start
    uprights = "".join(f"M{along.at(t):.1f} {start - 4:.1f}V{end:.1f}" for t in along.ticks)
    guides = "".join(f"M{_LEFT} {middle:.1f}H{_RIGHT}" for _, middle, _ in places)
    parts = [svg.path(uprights + guides, svg.GRID), _ticks(along, start - 8)]
    if svg.is_told(against):
        parts.append(_against(name, against, along, top, end))
    parts += [_row(row, content, middle, along, size) for (row, content), middle, _ in places]
    if len(rows) > _LONG:
        parts.append(_ticks(along, end + 13))
        end += _TICKS
    return "".join(parts), end + 6


def _against(name: str, told: Estimate, along: Scale, top: float, end: float) -> str:
    if told.is_bracket:
        left, right = along.at(told.low), along.at(told.high)
        x, shape = (left + right) / 2, svg.band(left, top + 18, right - left, end - top, svg.GREY)
    else:
        x = along.at(told.share)
        shape = svg.path(f"M{x:.1f} {top + 18:.1f}V{end:.1f}", svg.GREY, 1.4, "5 3")
    said = f"{name} {words.share(told)}"
    return shape + svg.text(x, top + 13, said, anchor="middle", is_bold=True)


def _places(
    rows: Sequence[Row], size: int, top: float
) -> Iterator[tuple[tuple[Row, tuple[str, ...]], float, float]]:
    """Each row with the lines of its name, its middle and its end."""
    gap = 7 if size == svg.SMALL else 2
    for row in rows:
        content = svg.wrapped(row.name, _NAME_WIDTH, size, row.is_bold)
        high = svg.line_height(size) * len(content) + gap
        yield (row, content), top + high / 2, top + high
        top += high


def _ticks(along: Scale, y: float) -> str:
    return "".join(
        svg.text(along.at(tick), y, along.tick(tick), anchor="middle", size=svg.TINY)
        for tick in along.ticks
    )


def _row(row: Row, content: tuple[str, ...], y: float, along: Scale, size: int) -> str:
    is_told, end = svg.is_told(row.estimate), svg.WIDTH - 8
    said = words.share(row.estimate) if is_told else svg.missing([row.estimate])
    colour = svg.INK if is_told else svg.GREY
    beside = [
        mark.at([(along.at(e.share), y)]) for mark, e in row.beside if svg.is_told(e) and e.is_shown
    ]
    return "".join(
        (
            svg.lines(8, y, content, svg.INK, size=size, is_bold=row.is_bold),
            *_figure(row, along, y, beside),
            svg.lines(end, y, [said], colour, "end", size, row.is_bold),
        )
    )


def _figure(row: Row, along: Scale, y: float, beside: list[str]) -> list[str]:
    """The interval and upon it first others' marks, then its own; a bracket is a band without."""
    told = row.estimate
    if not svg.is_told(told):
        return beside
    if told.is_bracket:
        left, right = along.at(told.low), along.at(told.high)
        return [svg.band(left, y - 4, right - left, 8, row.mark.colour), *beside]
    mark = row.mark.at([(along.at(told.share), y)])
    if told.low is None:
        return [*beside, mark]
    reach = f"M{along.at(told.low):.1f} {y:.1f}H{along.at(told.high):.1f}"
    return [svg.path(reach, row.mark.colour, 1.6), *beside, mark]
