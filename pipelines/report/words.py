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

REACHED = {"reached": "nådd", "not_reached": "inte nådd", "unclear": "går inte att säga"}
"""Whether a target level is reached."""

UNKNOWN = "okänd"
"""A response rate, where nobody noted how many questionnaires were handed out."""

MINUS = "\u2212"


def subject() -> str:
    """What reports and the site are about."""
    return texts("subject")["NNS"]["sv"]


def explained(kind: str) -> tuple[str, ...]:
    """The paragraphs that explain a kind of figures."""
    return tuple(text["sv"] for text in texts(kind).values())


def called(kind: str) -> str:
    """What a line is called: women, men, the total or the nation."""
    kinds = texts("level") if kind == "nation" else texts("gender")
    return kinds[kind]["sv"]


def tenth(value: Decimal) -> str:
    """A share or a change as it is written: 67,3."""
    return f"{value:.1f}".replace(".", ",").replace("-", MINUS)


def level(value: Decimal) -> str:
    """A target level as it is written: 70, 72,5."""
    return str(int(value)) if value == int(value) else tenth(value)


def coefficient(value: Decimal | None) -> str:
    """A coefficient between -1 and 1 as it is written: 0,84; or that it does not apply."""
    return NOT_APPLICABLE if value is None else f"{value:.2f}".replace(".", ",").replace("-", MINUS)


def coefficients(low: Decimal | None, high: Decimal | None) -> str:
    """The bounds of a coefficient: 0,81–0,87; empty when there are none."""
    return "" if low is None or high is None else f"{coefficient(low)}–{coefficient(high)}"


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


def change(estimate: Estimate | None, before: str = "en tidigare omgång") -> str:
    """The change since the round before, in words; always says whether it is more than chance."""
    if estimate is None or not estimate.is_shown:
        return ""
    if estimate.change is None:
        return f"Går inte att jämföra med {before}."
    step = f"{tenth(abs(estimate.change))} procentenheter sedan {estimate.previous_round}"
    if not estimate.change:
        return f"Oförändrat sedan {estimate.previous_round}."
    way = "Upp" if estimate.change > 0 else "Ned"
    if estimate.is_significant:
        return f"{way} {step}. Förändringen är statistiskt säkerställd."
    return f"{way} {step}. Förändringen är inte statistiskt säkerställd."


def target(estimate: Estimate | None) -> str:
    """Whether the target level is reached, in words; empty without one."""
    if estimate is None or estimate.target is None:
        return ""
    wanted = f"{level(estimate.target)} procent"
    if estimate.reached is None or estimate.distance is None:
        return f"Målnivån är {wanted}."
    away = f"andelen ligger {_away(estimate.distance)}"
    if estimate.reached != "unclear":
        return f"Målnivån {wanted} är {REACHED[estimate.reached]}: {away}."
    uncertain = (
        "intervallet omfattar den" if estimate.low is not None else "osäkerheten är för stor"
    )
    return f"Det går inte att säga om målnivån {wanted} är nådd: {uncertain}; {away}."


def _away(distance: Decimal) -> str:
    if not distance:
        return "precis på den"
    return f"{tenth(abs(distance))} procentenheter {'över' if distance > 0 else 'under'}"
