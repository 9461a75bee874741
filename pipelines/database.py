"""Opening DuckDB: with nothing from outside, and no variable of ours read as a table.

Belongs here: the settings of every connection the program opens itself (dbt's are in its profile),
and what a database and each of its tables hold, as hashes. Does not: any query about figures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

SETTINGS = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "extension_directory": "/dev/null",  # else `install` asks the network
    "python_enable_replacements": "false",
}

_TABLES = "select schema_name, table_name, sql, comment from duckdb_tables() order by all"
_COLUMNS = "select table_name, column_name, comment from duckdb_columns() order by all"
_AT_ONCE = 10_000


class UnreadableError(Exception):
    """A file cannot be read as a database."""


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

    Raises:
        UnreadableError: it cannot be read.
    """
    digest = hashlib.sha256()
    with _opened(path) as connection:
        tables = connection.execute(_TABLES).fetchall()
        for row in (*tables, *connection.execute(_COLUMNS).fetchall()):
            digest.update(_line(row))
        for schema, table, *_ in tables:
            for row in _rows(connection, schema, table):
                digest.update(_line(row))
    return digest.hexdigest()


def table_hashes(path: Path) -> dict[str, str]:
    """By name of each table of a DuckDB file, SHA-256 over what it is and says and its rows.

    Raises:
        UnreadableError: it cannot be read.
    """
    found = {}
    with _opened(path) as connection:
        columns = connection.execute(_COLUMNS).fetchall()
        for told in connection.execute(_TABLES).fetchall():
            schema, table = told[:2]
            digest = hashlib.sha256(_line(told))
            for row in (c for c in columns if c[0] == table):
                digest.update(_line(row))
            for row in _rows(connection, schema, table):
                digest.update(_line(row))
            found[table] = digest.hexdigest()
    return found


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that only reads.

    Raises:
        UnreadableError: what is done with it failed.
    """
    import duckdb

    try:
        with connect(path, read_only=True) as connection:
            yield connection
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise UnreadableError(str(error)) from error


def _rows(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str
) -> Iterator[tuple[Any, ...]]:
    """All rows of a table in the order of all its columns, a part at a time."""
    # the database by name, too: the marts' has a schema of its own name
    (database,) = connection.execute("select current_database()").fetchone() or ("",)
    result = connection.execute(f'from "{database}"."{schema}"."{table}" order by all')
    while rows := result.fetchmany(_AT_ONCE):
        yield from rows


def _line(row: tuple[object, ...]) -> bytes:
    return json.dumps(row, ensure_ascii=False, default=str).encode() + b"\n"
