"""Two tables compared row by row, and their differences said readably.

Belongs here: reading a mart as plain Python rows and saying how it differs from what is expected.
Does not: where either table comes from, or any definition of a figure.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

Row = dict[str, Any]
TOLERANCE = 1e-9
SHOWN = 10


def mart(snapshot: Path, name: str) -> list[Row]:
    """All rows of a mart; the rows per questionnaire as a dict without zeros."""
    with duckdb.connect(str(snapshot), read_only=True) as con:
        cursor = con.execute(f"select * from marts.marts.{name}")
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]
    for row in rows:
        if "rows_per_questionnaire" in row:
            counts = row["rows_per_questionnaire"]
            counts = json.loads(counts) if isinstance(counts, str) else counts
            row["rows_per_questionnaire"] = {k: v for k, v in (counts or {}).items() if v}
    return rows


def rows_of(table: pd.DataFrame) -> list[Row]:
    """A table of Python objects as rows."""
    return table.to_dict("records")


def differences(
    actual: list[Row], expected: list[Row], key: list[str], every_row: bool = True
) -> str:
    """What differs, the first ten of it; empty when equal.

    Compared are the columns of `expected`: floats to 1e-9, all else exactly, null only with null.
    With `every_row` False, `actual` may hold further rows.
    """
    found, wanted = by_key(actual, key), by_key(expected, key)
    faults = [f"missing  {named(key, k)}" for k in wanted if k not in found]
    if every_row:
        faults += [f"surplus  {named(key, k)}" for k in found if k not in wanted]
    for k in wanted.keys() & found.keys():
        unequal = [
            f"{column} is {shown(found[k], column)}, expected {value!r}"
            for column, value in wanted[k].items()
            if column not in key and not equal(found[k].get(column, "no such column"), value)
        ]
        if unequal:
            faults.append(f"differs  {named(key, k)}: " + "; ".join(unequal))
    if not faults:
        return ""
    head = f"{len(faults)} rows differ ({len(found)} found, {len(wanted)} expected):"
    return "\n".join([head, *sorted(faults)[:SHOWN]])


def by_key(rows: list[Row], key: list[str]) -> dict[tuple[Any, ...], Row]:
    """Rows by their key, which must be unique."""
    table = {tuple(row[name] for name in key): row for row in rows}
    if len(table) < len(rows):
        raise AssertionError(f"{len(rows) - len(table)} rows share a key {key}")
    return table


def equal(actual: Any, expected: Any) -> bool:
    """Equality of two figures: kinds alike, floats to the tolerance."""
    if isinstance(expected, float) and isinstance(actual, float):
        return math.isclose(actual, expected, rel_tol=0, abs_tol=TOLERANCE)
    return type(actual) is type(expected) and actual == expected


def named(key: list[str], values: tuple[Any, ...]) -> str:
    return " ".join(f"{name}={value}" for name, value in zip(key, values, strict=True))


def shown(row: Row, column: str) -> str:
    return repr(row[column]) if column in row else "no such column"
