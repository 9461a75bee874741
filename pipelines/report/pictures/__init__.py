"""Pictures of a story as SVG: real text, no styles, the same bytes each time.

Belongs here: the one way in. Does not: how each kind is drawn (its own module).

Each function gives a whole `<svg>` that works in a page and as an image of a paper; `standalone`
gives a file of its own. Only what is told has a place in it: what is hidden is words.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.report.pictures import comparisons, profiles, trends
from pipelines.report.story import Comparison, Profile, Trend


def trend(picture: Trend) -> str:
    """A measure over the rounds, with intervals, gaps and breaks."""
    return trends.draw(picture).inline()


def comparison(picture: Comparison) -> str:
    """All associations, a column each; only the own one has its name."""
    return comparisons.draw(picture).inline()


def comparison_named(picture: Comparison) -> str:
    """All associations, a row each with its name."""
    return comparisons.draw_named(picture).inline()


def profile(picture: Profile) -> str:
    """All measures of a questionnaire of an activity, a row each."""
    return profiles.draw(picture).inline()


def standalone(picture: Trend | Comparison | Profile, notes: Sequence[str]) -> str:
    """A picture as a file of its own: its title above, and below the notes it must not lose.

    Such as that it is invented (`release.table.SYNTHETIC_SV`), the release and its source.
    """
    if isinstance(picture, Trend):
        drawing = trends.draw(picture)
    elif isinstance(picture, Comparison):
        drawing = comparisons.draw(picture)
    else:
        drawing = profiles.draw(picture)
    return drawing.standalone(notes)
