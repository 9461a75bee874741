"""The released table of outcomes: of calendar years, as far as they may be told.

Belongs here: its rows, and when the nation's ways out are told. Does not: the rule for all other
figures (disclosure.py), or reading files (before.py).

How many took part and ended is one figure, how many left and with what result another; `leavers`
less than `ended` is the early dropouts. The ways out stand beside the nation only. They are parts
of its positive and other leavers, which are told already; no unit's figure is a sum of them, so
they leave all that is hidden as wide as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelines.disclosure import Told
from pipelines.instrument import seed_rows
from pipelines.release import counts
from pipelines.release.marts import Marts, Record
from pipelines.release.table import BRACKET, SHOWN, Value
from pipelines.release.told import Before, Compared, Figures, share, status

TABLE = "outcomes"

WaysOut = Mapping[str, Mapping[str, int]]
"""How many of the nation's leavers went which way, by gender."""

_TOTAL, _SPLIT = "T", ("K", "M")
_NAMES = {
    "n": "leavers",
    "n_positive": "positive",
    "share": "positive_rate",
    "previous_round": "previous_period",
    "share_previous": "rate_previous",
}
"""What the figures of a share are called here."""


def rows(
    marts: Marts,
    shown: Figures,
    before: Before,
    least: int,
    told_before: Sequence[WaysOut],
) -> Iterator[Record]:
    """The rows of the table.

    Args:
        marts: the marts of the round.
        shown: what may be told of each cell.
        before: what earlier rounds' releases show.
        least: the smallest number that is told of a way out, but for none.
        told_before: the ways out that earlier releases of the round tell.
    """
    found = list(counts.yearly(marts.rows[TABLE]))
    told = _ways_out(found, shown, least, told_before)
    for row in found:
        ways = told.get(row["gender"], {}) if row["level"] == "nation" else {}
        yield {
            **row,
            **_active(row, shown),
            **dict.fromkeys(ways_out()),
            **ways,
            **_leavers(row, shown, before, marts),
        }


def ways_out() -> tuple[str, ...]:
    """The columns of those who left by what they left to, all of them together."""
    return tuple(
        row["figure_id"]
        for row in seed_rows("outcome_figures")
        if row["part_of"] == "ended" and row["figure_id"] != "dropouts"
    )


def key(row: Record) -> tuple[Value, ...]:
    """What names a row among those of a year."""
    return row["level"], row["unit_id"], row["gender"]


def _active(row: Record, shown: Figures) -> Record:
    cell = counts.active(row)
    told = shown.get(cell)
    return {
        "active": told.n if told else None,
        "ended": told.low if told and told.state == SHOWN else None,
        "status_active": status(cell, shown),
    }


def _leavers(row: Record, shown: Figures, before: Before, marts: Marts) -> Record:
    cell = counts.leavers(row)
    year = row["previous_period"] and int(row["previous_period"])
    earlier = before(TABLE, year).get(key(row)) if row["comparable"] else None
    compared = Compared(row["comparable"], row["previous_period"], earlier, row["target_share"])
    figures = share(shown.get(cell), status(cell, shown), marts.z, compared)
    return {_NAMES.get(name, name): value for name, value in figures.items()}


# --- the ways out -------------------------------------------------------------------------------


def _ways_out(
    found: Sequence[Record], shown: Figures, least: int, told_before: Sequence[WaysOut]
) -> WaysOut:
    """The ways out that are told of the nation, by gender; of few by none.

    In a row each is none or enough, also what two releases of the round tell by their difference.
    Women and men are told together, and only where the rest is none or enough as well: it follows.
    """
    nation = {row["gender"]: row for row in found if row["level"] == "nation"}
    told = {g: shown.get(counts.leavers(row)) for g, row in nation.items()}
    now = {g: {way: row[way] for way in ways_out()} for g, row in nation.items()}
    if not _is_exact(told.get(_TOTAL)):
        return {}
    total = [{_TOTAL: one[_TOTAL]} for one in [now, *told_before] if _TOTAL in one]
    split = [_with_rest(one) for one in [now, *told_before] if _is_split(one)]
    if not _are_large(total, least):
        return {}
    is_split = _is_split(now) and all(_is_exact(t) for t in told.values())
    return now if is_split and _are_large(split, least) else {_TOTAL: now[_TOTAL]}


def _is_exact(told: Told | None) -> bool:
    return told is not None and told.state != BRACKET


def _is_split(ways: WaysOut) -> bool:
    return any(gender in ways for gender in _SPLIT)


def _with_rest(ways: WaysOut) -> WaysOut:
    """Women, men and those of another or unknown gender."""
    split = {gender: ways[gender] for gender in _SPLIT if gender in ways}
    rest = {way: n - sum(one[way] for one in split.values()) for way, n in ways[_TOTAL].items()}
    return {**split, "": rest}


def _are_large(releases: Sequence[WaysOut], least: int) -> bool:
    """Whether all numbers of the first, and what it differs by from each other, are 0 or enough."""
    now, *others = releases
    nobody = dict.fromkeys(ways_out(), 0)
    return all(
        n == was or abs(n - was) >= least
        for other in [{}, *others]
        for gender in now.keys() | other.keys()
        for n, was in (
            (now.get(gender, nobody)[way], other.get(gender, nobody)[way]) for way in nobody
        )
    )
