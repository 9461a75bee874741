"""The tables of two engines, compared in all columns and rows.

Belongs here: reading what Spark wrote beside the analysts' snapshot, and saying where they differ.
Does not: what the tables should hold, which tests/back knows of the snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
from keys import primary_keys

TOLERANCE = 1e-9
SHOWN = 5


def differences(snapshot: Path, spark: Path) -> list[str]:
    """What differs between the snapshot's tables and the folders Spark wrote; empty when equal.

    The tables have the same columns, types and rows: floats to 1e-9, all else exactly.
    """
    marts = primary_keys(snapshot.parent)
    with duckdb.connect() as con:
        con.execute(f"attach '{snapshot}' as snapshot (read_only)")
        tables = con.execute(
            "select table_name from duckdb_tables() where database_name = 'snapshot'"
        ).fetchall()
        keys = {name: marts.get(name, []) for (name,) in tables}  # of a seed all columns tell
        written = {path.name for path in spark.iterdir()}
        faults = [f"{name}: of one engine only" for name in sorted(written ^ keys.keys())]
        for name in sorted(written & keys.keys()):
            pair = f"snapshot.marts.{name}", f"read_parquet('{spark / name}/*.parquet')"
            faults += [f"{name}: {fault}" for fault in of_table(con, *pair, keys[name])]
    return faults


def of_table(
    con: duckdb.DuckDBPyConnection, one: str, other: str, key: Sequence[str] = ()
) -> Iterator[str]:
    """What differs between two tables of SQL, of which `one` has a row per key (all columns)."""
    types, others = (
        [(name, kind) for name, kind, *_ in con.execute(f"describe from {table}").fetchall()]
        for table in (one, other)
    )
    if types != others:
        yield f"columns {sorted(set(types) ^ set(others)) or [types, others]}"
        return
    counts = [con.execute(f"select count(*) from {table}").fetchone() for table in (one, other)]
    if counts[0] != counts[1]:
        yield f"{counts[0]} and {counts[1]} rows"
    names = list(key) or [name for name, _ in types]
    matches = " and ".join(f'a."{name}" is not distinct from b."{name}"' for name in names)
    pairs = f"from {one} as a full join {other} as b on {matches}"
    shown = ", ".join(f'coalesce(a."{name}", b."{name}")' for name in names)
    found: dict[str, list[object]] = defaultdict(list)
    for name, kind in types:
        where = _unequal(f'a."{name}"', f'b."{name}"', kind)
        for row in con.execute(f"select {shown} {pairs} where {where}").fetchall():
            found[name].append(row)
    for name, rows in found.items():
        yield f"{name} differs in {len(rows)} rows, such as {sorted(rows, key=str)[:SHOWN]}"


def _unequal(one: str, other: str, kind: str) -> str:
    """Whether two values differ; null is only equal to null."""
    differ = f"{one} is distinct from {other}"
    if kind in ("DOUBLE", "FLOAT"):
        return f"{differ} and not coalesce(abs({one} - {other}) <= {TOLERANCE}, false)"
    return differ
