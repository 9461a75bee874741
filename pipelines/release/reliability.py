"""The released table of the instrument's reliability.

Belongs here: which of it is told. Does not: how it is counted of answers (the mart).

Cronbach's alpha, its interval and the mean item-total correlation are of all the nation's complete
answers to an indicator, with two decimals: they are told where those are enough. How many they are
follows roughly from the interval; that is less than what each question's answers tell already.

The stability of associations' results is counted of the shares that the releases of both rounds
show. The mart's own rests on the hidden ones too, and of few associations would tell of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from pipelines.instrument import seed_rows
from pipelines.release.marts import Marts, Record
from pipelines.release.table import HIDDEN, SHOWN, Value, half_up
from pipelines.release.told import Shares, correlation, rounded

TABLE = "reliability"
_FIGURES = ("alpha", "alpha_low", "alpha_high", "item_total_mean")
_FEWEST = 3
"""Associations that a correlation takes, as in the mart."""


def rows(marts: Marts, indicators: Iterable[Record], before: Shares) -> Iterator[Record]:
    """The rows of the table.

    Args:
        marts: the marts of the round.
        indicators: the released rows of indicator_results.
        before: the shares of indicators that earlier rounds' releases show.
    """
    told = {key(row): row["share"] for row in indicators if row["status"] == SHOWN}
    least = _least_complete()
    for row in marts.rows[TABLE]:
        is_told = (row["n_complete"] or 0) >= least
        figures: dict[str, Value] = {
            name: rounded(row[name], 2) if is_told else None for name in _FIGURES
        }
        year = _comparable_with(row, marts)
        earlier = before(year) if year and is_told else {}
        status = SHOWN if is_told else HIDDEN
        yield {**row, **figures, "stability": _stability(row, told, earlier), "status": status}


def key(row: Record) -> tuple[Value, ...]:
    """What names a row of indicator_results among those of a round."""
    return (
        *(row["level"], row["unit_id"], row["respondent_group"]),
        *(row["indicator_id"], row["gender"]),
    )


def _least_complete() -> int:
    rules = {row["rule"]: int(row["value"]) for row in seed_rows("disclosure")}
    return rules["min_reliability"]


def _comparable_with(row: Record, marts: Marts) -> int | None:
    """The earlier round that all of the nation's measures of the indicator compare with."""
    if row["stability"] is None:
        return None
    indicator_of = {m["measure_id"]: m["indicator_id"] for m in marts.rows["measures"]}
    group_of = {q["questionnaire_id"]: q["respondent_group"] for q in marts.rows["questionnaires"]}
    years = {
        measure["previous_round"] if measure["comparable"] else None
        for measure in marts.rows["measure_results"]
        if measure["level"] == "nation"
        and measure["gender"] == "T"
        and group_of[measure["questionnaire_id"]] == row["respondent_group"]
        and indicator_of[measure["measure_id"]] == row["indicator_id"]
    }
    return years.pop() if len(years) == 1 else None


def _stability(
    row: Record,
    told: Mapping[tuple[Value, ...], Decimal],
    earlier: Mapping[tuple[Value, ...], Decimal],
) -> Decimal | None:
    of = (row["respondent_group"], row["indicator_id"], "T")
    pairs = [
        (share, earlier[at])
        for at, share in told.items()
        if at[0] == "association" and at[2:] == of and at in earlier
    ]
    found = correlation(pairs) if len(pairs) >= _FEWEST else None
    return None if found is None else half_up(found, 2)
