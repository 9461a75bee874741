"""What the latest releases of earlier rounds say: trends and changes are told from it.

Belongs here: reading it from their files. Does not: what earlier releases of the same round told
(memory.py), or drawing a trend (report/).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipelines.release import assemble, extra, outcomes, protected, reliability
from pipelines.release.protected import Past
from pipelines.release.table import SHOWN, Value
from pipelines.release.told import Earlier
from pipelines.settings import Settings

Row = Mapping[str, Any]
Tables = Callable[[str], Mapping[int, Sequence[Row]]]
"""The rows of a released table by earlier round, as far as trends are drawn of them."""

TRENDED = ("measure_results", "indicator_results", outcomes.TABLE)
_TREND_LEVELS = ("nation", "association")
_CHANGED: Mapping[str, tuple[Callable[[Row], tuple[Value, ...]], str, str]] = {
    "measure_results": (protected.key, "n", "n_positive"),
    outcomes.TABLE: (outcomes.key, "leavers", "positive"),
    extra.TABLE: (extra.key, "n", "n_positive"),
}
"""The tables that tell a change: what names their rows, and the integers of their share."""


def past(settings: Settings, round_: int) -> Past:
    """What earlier releases show, of earlier rounds and of the round itself."""
    return Past(
        before=cache(lambda table, year: _shown(settings, year, table)),
        shares=cache(lambda year: _shares(settings, year)),
        ways_out=[told for f in assemble.releases(settings, round_) if (told := _ways_out(f))],
    )


def _shown(settings: Settings, round_: int, table: str) -> Earlier:
    """What the latest release of a round shows in a table; empty without one."""
    key, n, positive = _CHANGED[table]
    shown = _read(settings, round_, table, filters=[("status", "==", SHOWN)])
    return {key(row): (row[n], row[positive]) for row in shown}


def _shares(settings: Settings, round_: int) -> Mapping[tuple[Value, ...], Decimal]:
    """The shares of indicators that the latest release of a round shows."""
    shown = _read(settings, round_, "indicator_results", filters=[("status", "==", SHOWN)])
    return {reliability.key(row): row["share"] for row in shown}


def _ways_out(folder: Path) -> outcomes.WaysOut:
    """The nation's ways out that a release tells."""
    rows = _rows(folder, outcomes.TABLE, filters=[("level", "==", "nation")])
    names = outcomes.ways_out()
    return {
        row["gender"]: {name: row[name] for name in names}
        for row in rows
        if all(row[name] is not None for name in names)
    }


def tables(settings: Settings, round_: int) -> Tables:
    """The rows of the nation and the associations in all rounds before a round."""
    earlier = sorted(
        int(folder.name)
        for folder in settings.published.glob("[0-9]*")
        if int(folder.name) < round_ and assemble.releases(settings, int(folder.name))
    )

    @cache
    def of(table: str) -> Mapping[int, Sequence[Row]]:
        return {r: _trended(settings, r, table) for r in earlier}

    return of


def fingerprint(found: Tables) -> str:
    """SHA-256 over all that trends are drawn of."""
    digest = hashlib.sha256()
    for name in TRENDED:
        for round_, rows in sorted(found(name).items()):
            digest.update(f"{name} {round_}\n".encode())
            for row in rows:
                digest.update(f"{tuple(row.values())}\n".encode())
    return digest.hexdigest()


def _trended(settings: Settings, round_: int, table: str) -> Sequence[Row]:
    return _read(settings, round_, table, filters=[("level", "in", _TREND_LEVELS)])


def _read(settings: Settings, round_: int, table: str, **wanted: Any) -> list[Row]:
    folders = assemble.releases(settings, round_)
    return _rows(folders[-1], table, **wanted) if folders else []


def _rows(folder: Path, table: str, **wanted: Any) -> list[Row]:
    """The rows of a table in a release; none where it does not have it."""
    path = folder / "open" / "parquet" / f"{table}.parquet"
    rows: list[Row] = pq.read_table(path, **wanted).to_pylist() if path.exists() else []
    return rows
