"""How a report writes its figures: numbers, signs and the words for a change, in Swedish.

Belongs here: the one form of each, for pages, papers, drafts and pictures alike. Does not: numbers
that are no figures of a release (swedish.py).
"""

from __future__ import annotations

from decimal import Decimal

from pipelines.release.table import EMPTY, HIDDEN
from pipelines.release.texts import texts
from pipelines.report.estimates import Estimate
from pipelines.swedish import number

NO_DELIVERY, NOT_APPLICABLE = "-", EMPTY
"""Kolada's signs beside that of what is hidden: no answer was delivered; not applicable."""

SIGNS = (
    (NO_DELIVERY, "inga svar har lämnats"),
    (NOT_APPLICABLE, "frågan ställdes inte, ingen svarade, eller könen redovisas inte för sig"),
    (HIDDEN, "visas inte, för att ingens svar ska gå att räkna ut"),
    ("85,7–100,0 som andel", "andelen ligger däremellan; exakt var visas inte, av samma skäl"),
)
"""What stands where a number does not, and what it means."""

PLACEHOLDER = "Platshållare: frågans ordalydelse är inte offentlig"

UNKNOWN = "okänd"
"""A response rate, where nobody noted how many questionnaires were handed out."""

MINUS = "\u2212"


def subject() -> str:
    """What reports and the site are about."""
    return texts("subject")["NNS"]["sv"]


def called(kind: str) -> str:
    """What a line is called: women, men, the total or the nation."""
    kinds = texts("level") if kind == "nation" else texts("gender")
    return kinds[kind]["sv"]


def tenth(value: Decimal) -> str:
    """A share or a change as it is written: 67,3."""
    return f"{value:.1f}".replace(".", ",").replace("-", MINUS)


def share(estimate: Estimate | None) -> str:
    """A share without its unit, the bounds of a bracket, or the sign of what is missing."""
    if estimate is None:
        return NO_DELIVERY
    if estimate.share is not None:
        return tenth(estimate.share)
    if estimate.is_bracket:
        return interval(estimate)
    return NOT_APPLICABLE if estimate.is_empty else HIDDEN


def by_gender(women: Estimate | None, men: Estimate | None) -> tuple[str, str]:
    """Women's and men's shares; not applicable where answers are not told by gender."""
    if women is None and men is None:
        return NOT_APPLICABLE, NOT_APPLICABLE
    return share(women), share(men)


def interval(estimate: Estimate | None) -> str:
    """The bounds as they are written: 60,1–73,9; empty when there are none."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return ""
    return f"{tenth(estimate.low)}–{tenth(estimate.high)}"


def answers(estimate: Estimate | None) -> str:
    """The number of answers, or the sign of what is missing."""
    if estimate is None:
        return NO_DELIVERY
    return count(estimate.n)


def count(n: int | None) -> str:
    """A number of answers, or the sign of one that is hidden."""
    return HIDDEN if n is None else number(n)


def change(estimate: Estimate | None) -> str:
    """The change since the round before, in words; always says whether it is more than chance."""
    if estimate is None or not estimate.is_shown:
        return ""
    if estimate.change is None:
        return "Går inte att jämföra med en tidigare omgång."
    step = f"{tenth(abs(estimate.change))} procentenheter sedan {estimate.previous_round}"
    if not estimate.change:
        return f"Oförändrat sedan {estimate.previous_round}."
    way = "Upp" if estimate.change > 0 else "Ned"
    if estimate.is_significant:
        return f"{way} {step}. Förändringen är statistiskt säkerställd."
    return f"{way} {step}. Förändringen är inte statistiskt säkerställd."
