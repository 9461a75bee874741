"""Opening the analysts' database of ten rounds and asking it what analysts ask: `docs/sql`.

On the clock, in a process that has imported duckdb: connecting, setting the schema, the query and
fetching all of its rows.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import duckdb
import processes
import results
import zones

from pipelines.settings import PROJECT, Settings

QUERIES = PROJECT / "docs" / "sql"
REPETITIONS = 21


def milliseconds(snapshot: Path, sql: str) -> float:
    """What it takes to open the database and have the answer."""
    started = time.perf_counter()
    with duckdb.connect(str(snapshot), read_only=True) as connection:
        connection.execute("use marts.marts")
        connection.execute(sql).fetchall()
    return 1e3 * (time.perf_counter() - started)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw, home = zones.national(folder / "raw"), folder / "home"
        processes.nns("run", raw=raw, home=home)
        snapshot = Settings(raw, home).snapshot
        size = snapshot.stat().st_size / 1e6
        rows = duckdb.connect(str(snapshot), read_only=True).execute(
            "select count(*) from marts.marts.measure_results"
        )
        n_figures = rows.fetchall()[0][0]
        queries = {path.stem: path.read_text(encoding="utf-8") for path in QUERIES.glob("*.sql")}
        times = {
            query: [milliseconds(snapshot, sql) for _ in range(REPETITIONS)]
            for query, sql in sorted(queries.items())
        }
    medians = {query: statistics.median(ms) for query, ms in times.items()}
    slowest = max(medians.values())
    table = results.table(
        ("query of docs/sql", "median ms", "largest ms"),
        [(query, medians[query], max(ms)) for query, ms in times.items()],
    )
    results.write(
        "An analyst's query",
        f"Ten rounds of 78 associations: {n_figures} figures in `measure_results`, {size:.0f} MB. "
        f"Opening the file and one query, {REPETITIONS} times each. The median query takes "
        f"{statistics.median(medians.values()):.0f} ms, the slowest {slowest:.0f} ms.\n\n{table}",
    )


if __name__ == "__main__":
    main()
