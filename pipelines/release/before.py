"""What the latest releases of earlier rounds say: trends and changes are told from it.

Belongs here: reading it from their files. Does not: what earlier releases of the same round told
(memory.py), or drawing a trend (report/).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow.parquet as pq

from pipelines.release import assemble
from pipelines.release.protected import Earlier
from pipelines.release.table import SHOWN
from pipelines.settings import Settings

Row = Mapping[str, Any]
Tables = Callable[[str], Mapping[int, Sequence[Row]]]
"""The rows of a released table by earlier round, as far as trends are drawn of them."""

TRENDED = ("measure_results", "indicator_results", "outcomes")
_TREND_LEVELS = ("nation", "association")
_MEASURE = ("level", "unit_id", "questionnaire_id", "measure_id", "gender")


def shown(settings: Settings, round_: int) -> Earlier:
    """The measures that the latest release of a round shows; empty without one."""
    return {
        tuple(row[name] for name in _MEASURE): (row["n"], row["n_positive"])
        for row in _read(
            settings,
            round_,
            "measure_results",
            columns=[*_MEASURE, "n", "n_positive"],
            filters=[("status", "==", SHOWN)],
        )
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
    if not folders:
        return []
    path = folders[-1] / "open" / "parquet" / f"{table}.parquet"
    if not path.is_file():  # a release is older than this table
        return []
    rows: list[Row] = pq.read_table(path, **wanted).to_pylist()
    return rows
