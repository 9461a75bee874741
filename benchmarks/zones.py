"""The landing zones that runs are measured over, and what two warehouses differ in.

Belongs here: what several benchmarks of whole runs share. Does not: measuring.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.settings import Settings
from pipelines.workbook.sample import ALL_ASSOCIATIONS, write_landing_zone

ROUNDS = tuple(range(2017, 2027))


def national(raw: Path, seed: int = 1, rounds: tuple[int, ...] = ROUNDS) -> Path:
    """As many associations as there are, each delivering a workbook in each of the rounds."""
    return write_landing_zone(raw, rounds=rounds, associations=ALL_ASSOCIATIONS, seed=seed).path


def next_to_nothing(raw: Path) -> Path:
    """One association and one questionnaire of each kind in one round: all is imported and run.

    What a run over it costs is what a run costs before its first file.
    """
    return write_landing_zone(raw, rounds=ROUNDS[-1:], associations=1, questionnaires=10).path


def differing(home: Path, other: Path) -> dict[str, int]:
    """By table of the marts how many rows only one of two homes has; only tables that differ."""
    with duckdb.connect() as connection:
        for name, folder in (("a", home), ("b", other)):
            snapshot = Settings(folder / "raw", folder).snapshot
            connection.execute(f"attach '{snapshot}' as {name} (read_only)")
        tables = {
            str(row[0]): set(map(str, row[1]))
            for row in connection.execute(
                "select table_name, list(distinct database_name) from duckdb_tables() "
                "where database_name in ('a', 'b') and schema_name = 'marts' group by 1"
            ).fetchall()
        }
        alone = {table: -1 for table, holders in tables.items() if len(holders) == 1}
        counts = {
            table: _count(connection, table) for table in sorted(tables) if table not in alone
        }
    return alone | {table: n for table, n in counts.items() if n}


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    a, b = f"from a.marts.{table}", f"from b.marts.{table}"
    sql = (
        f"select (select count(*) from ({a} except all {b})) "  # noqa: S608 the catalogue's names
        f"+ (select count(*) from ({b} except all {a}))"
    )
    return int(connection.execute(sql).fetchall()[0][0])
