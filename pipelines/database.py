"""Opening DuckDB: with nothing from outside, and no variable of ours read as a table.

Belongs here: the settings of every connection the program opens itself (dbt's are in its profile),
and what a database holds as one hash. Does not: any query about figures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}


def connect(
    path: Path | None = None,
    *,
    read_only: bool = False,
    spill: Path | None = None,
    threads: int | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection that never asks the network.

    Args:
        path: the database, None for one in memory.
        read_only: whether nothing may be written to it.
        spill: the folder for what does not fit in memory; by default beside the database.
        threads: how many may work, by default as many as there are cores.

    Raises:
        duckdb.Error: the file cannot be opened, or is no database.
    """
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = dict(SETTINGS)
    if spill:
        settings["temp_directory"] = str(spill)
    if threads:
        settings["threads"] = threads
    return duckdb.connect(str(path or ":memory:"), read_only=read_only, config=settings)


def content_hash(path: Path) -> str:
    """SHA-256 over what a DuckDB file holds: what its tables are and say, then their rows.

    Each row is a JSON array on a line of its own, decimals and dates as text; tables by name, rows
    ordered by all columns. The file's own bytes are never the same twice.
    """
    digest = hashlib.sha256()
    with connect(path, read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name, sql, comment from duckdb_tables() order by all"
        ).fetchall()
        queries = [
            "select table_name, column_name, comment from duckdb_columns() order by all",
            *(
                f'from "{path.stem}"."{schema}"."{table}" order by all'
                for schema, table, *_ in tables
            ),
        ]
        for row in tables:
            digest.update(_line(row))
        for query in queries:
            for row in connection.execute(query).fetchall():
                digest.update(_line(row))
    return digest.hexdigest()


def _line(row: Sequence[object]) -> bytes:
    return json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n"
