"""What follows from the whole numbers that are told: shares, intervals, changes, targets.

Belongs here: counting and rounding. Does not: what may be told (disclosure.py), or which columns a
table has (protected.py and the modules of single tables).

Every figure is made from the told integers, never from the marts' own shares: so nothing that is
hidden can hide in a decimal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from math import sqrt
from typing import Any

from pipelines.disclosure import Told
from pipelines.release.groups import Cell, Count
from pipelines.release.table import (
    BRACKET,
    EMPTY,
    HIDDEN,
    Value,
    half_up,
    percent,
    tenths,
)

Figures = Mapping[Cell, Told | None]
"""What is told of every cell with answers, None where nothing is; cells without are not there."""

Earlier = Mapping[tuple[Value, ...], Count]
"""The n and n_positive that a release of an earlier round shows in a table, by the row's key but
for the round."""

Before = Callable[[str, int], Earlier]
"""What the latest release of an earlier round shows, by table and round; nothing without one."""

Shares = Callable[[int], Mapping[tuple[Value, ...], Decimal]]
"""The shares of indicators that the latest release of an earlier round shows."""

Bounds = tuple[Decimal, Decimal]
_PRECISION = 40


@dataclass(frozen=True, slots=True)
class Compared:
    """What a share is held against.

    Attributes:
        comparable: whether there is an earlier round to compare with.
        previous_round: it.
        before: n and n_positive that its latest release shows; None where it shows nothing.
        target_share: in percent, None without one.
    """

    comparable: bool
    previous_round: int | None
    before: Count | None
    target_share: float | None


def status(cell: Cell, shown: Figures) -> str:
    """The status of a cell; one that is not known has no answers."""
    if cell not in shown:
        return EMPTY
    told = shown[cell]
    return told.state if told else HIDDEN


def share(told: Told | None, status_: str, z: Decimal, compared: Compared) -> dict[str, Value]:
    """All figures of a row with a share, None where they are not told."""
    figures: dict[str, Value] = dict.fromkeys(
        (
            *("n", "n_positive", "share", "bracket_low", "bracket_high", "ci_low", "ci_high"),
            *("comparable", "previous_round", "share_previous", "change", "change_significant"),
            *("target_share", "distance", "reached"),
        )
    )
    figures["status"] = status_
    if status_ == EMPTY:
        return {**figures, "n": 0, "n_positive": 0}
    if not told:
        return figures
    figures |= {"n": told.n, "target_share": rounded(compared.target_share)}
    if status_ == BRACKET:
        low, high = percent(told.low, told.n), percent(told.high, told.n)
        return {**figures, "bracket_low": low, "bracket_high": high}
    low, high = wilson(told.n, told.low, z)
    figures |= {"n_positive": told.low, "share": percent(told.low, told.n)}
    figures |= {"ci_low": half_up(low), "ci_high": half_up(high), "comparable": compared.comparable}
    exactly = Fraction(100 * told.low, told.n)
    target = against(compared.target_share, exactly, (low, high))
    return {**figures, **_since(told, z, compared), **target}


def _since(told: Told, z: Decimal, compared: Compared) -> dict[str, Value]:
    """The change since the latest earlier round, as far as that round's release tells it."""
    if not compared.comparable:
        return {}
    if not compared.before:
        return {"previous_round": compared.previous_round}
    n, positive = compared.before
    return {
        "previous_round": compared.previous_round,
        "share_previous": percent(positive, n),
        "change": tenths(100 * (told.low * n - positive * told.n), told.n * n),
        "change_significant": _differs((told.n, told.low), (n, positive), float(z)),
    }


def against(target: float | None, exactly: Fraction, bounds: Bounds) -> dict[str, Value]:
    """How far a share in percent is from its target, and what its interval says of reaching it."""
    if target is None:
        return {}
    level = Decimal(repr(float(target)))
    distance = exactly - Fraction(level)
    low, high = bounds
    reached = "reached" if low >= level else "not_reached" if high < level else "unclear"
    return {"distance": tenths(distance.numerator, distance.denominator), "reached": reached}


def wilson(n: int, positive: int, z: Decimal) -> Bounds:
    """The Wilson interval in percent, counted in decimals: the same everywhere."""
    with localcontext(prec=_PRECISION):
        middle = positive + z * z / 2
        reach = z * (Decimal(positive * (n - positive)) / n + z * z / 4).sqrt()
        bounds = [100 * (middle + sign * reach) / (n + z * z) for sign in (-1, 1)]
        low, high = (min(max(b, Decimal(0)), Decimal(100)) for b in bounds)
    return low, high


def mean_bounds(groups: Sequence[Sequence[Told]], z: Decimal) -> Bounds:
    """The means of intervals: over groups, of the means over the shares of each."""
    with localcontext(prec=_PRECISION):
        of_groups = [_mean_of([wilson(t.n, t.low, z) for t in group]) for group in groups]
        return _mean_of(of_groups)


def _mean_of(bounds: Sequence[Bounds]) -> Bounds:
    low, high = (sum(ends, Decimal(0)) / len(bounds) for ends in zip(*bounds, strict=True))
    return low, high


def correlation(pairs: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Pearson's, of pairs of shares; None where either does not vary."""
    listed = [(Fraction(x), Fraction(y)) for x, y in pairs]
    means = [sum(side, Fraction()) / len(listed) for side in zip(*listed, strict=True)]
    moved = [(x - means[0], y - means[1]) for x, y in listed]
    both, one, other = (
        sum((a * b for a, b in products), Fraction())
        for products in (moved, [(x, x) for x, _ in moved], [(y, y) for _, y in moved])
    )
    if not one * other:
        return None
    with localcontext(prec=_PRECISION):
        square = both * both / (one * other)
        size = (Decimal(square.numerator) / square.denominator).sqrt()
        return -size if both < 0 else size


def _differs(now: Count, before: Count, z: float) -> bool:
    """The pooled two-sided z-test of two shares; false when both are 0 % or both 100 %."""
    (n, positive), (n_before, positive_before) = now, before
    pooled = (positive + positive_before) / (n + n_before)
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_before))
    return abs(positive / n - positive_before / n_before) > z * error


def rounded(number: float | None, decimals: int = 1) -> Decimal | None:
    """A number of the marts that rests on no few, rounded half up."""
    return None if number is None else half_up(Decimal(repr(float(number))), decimals)


def reads(n: Any, positive: Any, low: Any, high: Any) -> Told | None:
    """What a row tells of n and n_positive; the bounds of a bracket in percent."""
    if not n:
        return None
    n = int(n)
    if positive is not None:
        return Told(n, int(positive), int(positive))
    return Told(n, *(round(n * float(bound) / 100) for bound in (low, high)))
