"""All measures of a questionnaire in one picture: an activity's result to hand back.

Belongs here: the rows of measures and the key in words above them. Does not: units beside each
other in one measure (comparisons.py).
"""

from __future__ import annotations

from pipelines.report.pictures import rows, svg
from pipelines.report.pictures.rows import Row
from pipelines.report.pictures.svg import Drawing, Mark
from pipelines.report.story import Profile

_OWN = Mark(svg.DIAMOND, svg.INK)
_BESIDE = tuple(
    Mark(shape, svg.GREY, is_hollow=True)
    for shape in (svg.CROSS, svg.BIG_SQUARE, svg.DOWNWARD, svg.TRIANGLE, svg.RING, svg.UPRIGHT)
)
"""The last is the widest that the activity is seen against: the nation; before it the association,
before that the comparable activities. More than these would hide each other: the table has all."""

_OWN_NAME = "Insatsen, med 95\u00a0% intervall"

_CROWD = 24
"""More rows than this are written small, so that forty stand on a page."""


def draw(picture: Profile) -> Drawing:
    """A row for each measure, below a key."""
    names = list(dict.fromkeys(dot.name for row in picture.rows for dot in row.beside))
    names = names[-len(_BESIDE) :]
    marks = dict(zip(names, _BESIDE[-len(names) :], strict=True)) if names else {}
    drawn = [
        Row(
            name=row.label,
            estimate=row.own,
            mark=_OWN,
            beside=tuple((marks[d.name], d.estimate) for d in row.beside if d.name in marks),
        )
        for row in picture.rows
    ]
    key, top = _key({_OWN_NAME: _OWN, **marks})
    size = svg.SMALL if len(drawn) <= _CROWD else svg.TINY
    body, height = rows.draw(drawn, rows.scale(drawn), top, size)
    return Drawing(picture.title, picture.alt, height, key + body)


def _key(marks: dict[str, Mark]) -> tuple[str, float]:
    """What the marks stand for, and where the key ends."""
    x, y, high = 16.0, 11.0, svg.line_height(svg.SMALL)
    parts = []
    for name, mark in marks.items():
        content = svg.wrapped(name, svg.WIDTH - 40)
        width = max(svg.advance(line, svg.SMALL) for line in content)
        if x > 16 and x + 12 + width > svg.WIDTH - 8:
            x, y = 16.0, y + high + 3
        parts.append(mark.at([(x, y)]))
        y += high * (len(content) - 1)
        middle = y - high * (len(content) - 1) / 2
        parts.append(svg.lines(x + 12, middle, content, svg.INK))
        x += 12 + width + 22
    return "".join(parts), y + high
