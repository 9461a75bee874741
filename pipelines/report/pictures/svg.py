"""What every picture is made of: measured text, numbers that become places, marks and the frame.

Belongs here: whatever two kinds of picture share. Does not: what a picture shows.

Looks are attributes and never styles: so the same string works in a page with a strict content
security policy, as a file of its own and on paper.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from html import escape
from pathlib import Path
from typing import TypeGuard

from pipelines.report.estimates import Estimate

FONTS = Path(__file__).parent.parent / "fonts"
FAMILY = "Hanken Grotesk"

WIDTH = 460
"""Of every picture: two stand beside each other on a wide page, one can be read on a phone."""

SIZE, SMALL, TINY = 14, 13, 11
"""Of text: names; ticks and notes; what is crowded."""

WOMEN, MEN, GREY, INK = "#B4460F", "#12508C", "#555", "#1b1f24"
PALE = "#7b838c"
"""Of other associations' marks: 3:1 on white at the least."""

GRID = "#dadee3"

TOO_FEW, NO_ANSWERS = "för få svar", "inga svar"


# --- numbers and places -------------------------------------------------------------------------


def is_told(estimate: Estimate | None) -> TypeGuard[Estimate]:
    """Whether a figure may have a place in a picture: nothing else of it is ever looked at."""
    return estimate is not None and (estimate.is_shown or estimate.is_bracket)


def missing(estimates: Iterable[Estimate | None]) -> str:
    """Why none of some figures has a place, in words."""
    return TOO_FEW if any(e is not None and not e.is_empty for e in estimates) else NO_ANSWERS


def nothing(estimates: Iterable[Estimate | None]) -> str:
    """The words of a picture without any figure."""
    return "För få svar för att visas" if missing(estimates) == TOO_FEW else "Inga svar"


@dataclass(frozen=True, slots=True)
class Scale:
    """Where percentages lie between the axis' bottom and its top.

    Attributes:
        bottom: the lowest percentage of the axis, whole tens.
        start, end: where the bottom and the top lie, in pixels.
        top: the highest percentage of the axis.
    """

    bottom: int
    start: float
    end: float
    top: int = 100

    def at(self, share: Decimal | int | None) -> float:
        """Where a percentage lies.

        Raises:
            ValueError: there is none: what is hidden has no place.
        """
        if share is None:
            raise ValueError("a figure that is not told has no place")
        part = (float(share) - self.bottom) / (self.top - self.bottom)
        return self.start + part * (self.end - self.start)

    @property
    def ticks(self) -> range:
        """The percentages that are written, from the top down to the bottom."""
        return range(self.top, self.bottom - 1, -step(self.bottom, self.top))

    def tick(self, value: int) -> str:
        """A tick as it is written; the highest says what is measured."""
        return f"{value}\u00a0%" if value == self.top else str(value)


def step(bottom: int, top: int) -> int:
    """How far apart the ticks of an axis are."""
    return 10 if top - bottom <= 60 else 20


def top(estimates: Iterable[Estimate], bottom: int, *, is_to_100: bool) -> int:
    """The axis' top: 100, or whole steps above all that is told and the target levels."""
    if is_to_100:
        return 100
    found = ((e.share if e.high is None else e.high, e.target) for e in estimates)
    highest = max((value for pair in found for value in pair if value is not None), default=100)
    tens = 10 * math.ceil(highest / 10)
    each = step(bottom, tens)
    return min(100, bottom + each * max(2, math.ceil((tens - bottom) / each)))


def bottom(estimates: Iterable[Estimate]) -> int:
    """The axis' bottom: whole tens below all that is told and the target levels, or 0."""
    found = ((e.share if e.low is None else e.low, e.target) for e in estimates)
    values = (value for pair in found for value in pair if value is not None)
    tens = max(0, 10 * math.ceil(min(values, default=0) / 10) - 10)
    return tens if tens >= 40 else tens // 20 * 20


def apart(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Centres of labels as near as can be to where they are wanted, none upon another.

    The least squares answer: neighbours that would overlap share their mean place. Labels that
    are larger than the room together run out of it at its end.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    offsets: list[float] = []
    blocks: list[tuple[float, int]] = []  # the sum of wanted places less offsets, and how many
    at = 0.0
    for place, i in enumerate(order):
        at += (sizes[order[place - 1]] + sizes[i]) / 2 if place else 0.0
        offsets.append(at)
        total, count = wanted[i] - at, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    first = low + sizes[order[0]] / 2 if order else low
    last = max(first, high - at - sizes[order[-1]] / 2) if order else low
    placed = [0.0] * len(wanted)
    means = [total / count for total, count in blocks for _ in range(count)]
    for i, offset, mean in zip(order, offsets, means, strict=True):
        placed[i] = min(max(mean, first), last) + offset
    return placed


# --- text ---------------------------------------------------------------------------------------


@cache
def _advances() -> tuple[dict[str, int], dict[str, int]]:
    """Widths of characters in thousandths of the size, regular and semibold."""
    with (FONTS / "widths.csv").open(encoding="utf-8", newline="") as file:
        rows = [(chr(int(r["code_point"], 16)), r) for r in csv.DictReader(file)]
    return {c: int(r["regular"]) for c, r in rows}, {c: int(r["semibold"]) for c, r in rows}


@lru_cache(maxsize=8192)
def advance(text: str, size: float = SIZE, is_bold: bool = False) -> float:
    """The width of a text in pixels, or a little more; a character unknown is as wide as any."""
    widths = _advances()[is_bold]
    widest = max(widths.values())
    return sum(widths.get(c, widest) for c in text) * size / 1000


@lru_cache(maxsize=4096)
def wrapped(text: str, width: float, size: float = SIZE, is_bold: bool = False) -> tuple[str, ...]:
    """The lines of a text no wider than `width`; a word that is wider is divided."""
    lines: list[str] = []
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and advance(joined, size, is_bold) <= width:
            lines[-1] = joined
            continue
        *pieces, rest = _divided(word, width, size, is_bold)
        lines += [*pieces, rest]
    return tuple(lines)


def _divided(word: str, width: float, size: float, is_bold: bool) -> list[str]:
    pieces, rest = [], word
    while advance(rest, size, is_bold) > width and len(rest) > 2:
        cut = next(
            (n for n in range(len(rest) - 1, 1, -1) if _fits(rest[:n], width, size, is_bold)), 2
        )
        pieces.append(f"{rest[:cut]}-")
        rest = rest[cut:]
    return [*pieces, rest]


def _fits(piece: str, width: float, size: float, is_bold: bool) -> bool:
    return advance(f"{piece}-", size, is_bold) <= width


def text(
    x: float,
    y: float,
    content: str,
    fill: str = GREY,
    anchor: str = "start",
    size: float = SMALL,
    is_bold: bool = False,
) -> str:
    """A line of text; y is its base line."""
    weight = ' font-weight="600"' if is_bold else ""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" font-size="{size}"{where}{weight}>'
        f"{escape(content, quote=False)}</text>"
    )


def lines(
    x: float,
    middle: float,
    content: Sequence[str],
    fill: str = GREY,
    anchor: str = "start",
    size: float = SMALL,
    is_bold: bool = False,
) -> str:
    """Lines of text around a middle."""
    high = line_height(size)
    # A base line lies about a third of the size below the middle of its letters.
    first = middle - high * (len(content) - 1) / 2 + 0.35 * size
    return "".join(
        text(x, first + i * high, line, fill, anchor, size, is_bold)
        for i, line in enumerate(content)
    )


def line_height(size: float) -> float:
    """From one line of text to the next."""
    return round(size * 1.2, 1)


# --- marks --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape around a point: a path that begins `left` of it and `up` from it."""

    left: float
    up: float
    d: str


def _circle(r: float) -> Shape:
    return Shape(r, 0, f"a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z")


def _diamond(r: float) -> Shape:
    return Shape(r, 0, f"l{r} {-r} {r} {r} {-r} {r}z")


CIRCLE, DOT, RING = _circle(3.6), _circle(2.8), _circle(5.2)
"""On a line; among many; wide enough to be seen around a diamond."""

SQUARE = Shape(3.3, 3.3, "h6.6v6.6h-6.6z")
DIAMOND, BIG_DIAMOND = _diamond(4.8), _diamond(6.5)
TRIANGLE = Shape(5.2, -3.5, "h10.4l-5.2 -8.8z")
DOWNWARD = Shape(5.2, 3.5, "h10.4l-5.2 8.8z")
BIG_SQUARE = Shape(4.4, 4.4, "h8.8v8.8h-8.8z")
CROSS = Shape(4.2, 4.2, "l8.4 8.4m0 -8.4l-8.4 8.4")
UPRIGHT = Shape(0, 7, "v14")


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape in a colour, filled or hollow; a white edge keeps filled ones apart."""

    shape: Shape
    colour: str
    is_hollow: bool = False
    edge: str = "#fff"

    def at(self, places: Iterable[tuple[float, float]]) -> str:
        """The mark at places, as one path."""
        left, up, shape = self.shape.left, self.shape.up, self.shape.d
        d = "".join(f"M{x - left:.1f} {y - up:.1f}{shape}" for x, y in places)
        if self.is_hollow:
            return path(d, self.colour, 1.5, fill="#fff")
        return path(d, self.edge, 0.8, fill=self.colour)


def path(d: str, stroke: str, width: float = 1, dash: str = "", fill: str = "none") -> str:
    """A path; nothing when there are no pieces."""
    if not d:
        return ""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{d}" fill="{fill}" stroke="{stroke}" stroke-width="{width}"{dashed}/>'


def band(x: float, y: float, width: float, height: float, stroke: str) -> str:
    """The bounds of a bracket: light, with an edge that is seen."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{stroke}" fill-opacity=".12" stroke="{stroke}"/>'
    )


# --- the frame ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture before it becomes a string.

    Attributes:
        title: its accessible name.
        alt: what it shows, for those who do not see it.
        height: in pixels; all are WIDTH wide.
        body: its elements.
    """

    title: str
    alt: str
    height: float
    body: str

    def inline(self) -> str:
        """For a page or a paper that has the title as its caption."""
        return _framed(self.title, self.alt, self.height, self.body)

    def standalone(self, notes: Sequence[str]) -> str:
        """For a file of its own: with the title above and notes below."""
        room = WIDTH - 16
        above = wrapped(self.title, room, 16, True)
        below = [line for note in notes for line in wrapped(note, room, SMALL)]
        top = 12 + line_height(16) * len(above)
        end = top + self.height + line_height(SMALL) * len(below)
        title = lines(8, (top + 4) / 2, above, INK, size=16, is_bold=True)
        note = lines(8, (top + self.height + end) / 2, below)
        body = f'<g transform="translate(0 {top:.1f})">{self.body}</g>'
        ground = f'<rect width="{WIDTH}" height="{end + 8:.0f}" fill="#fff"/>'
        return _framed(self.title, self.alt, end + 8, f"{ground}{title}{body}{note}")


def _framed(title: str, alt: str, height: float, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img" '
        f'font-family="{FAMILY}, Arial, Liberation Sans, sans-serif">'
        f"<title>{escape(title, quote=False)}</title><desc>{escape(alt, quote=False)}</desc>"
        f"{body}</svg>\n"
    )
