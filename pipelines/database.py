"""Opening DuckDB: with nothing from outside, and no variable of ours read as a table.

Belongs here: the settings of every connection the program opens itself; dbt's are in its profile.
Does not: any query.
"""

from __future__ import annotations

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
