"""An analyst and a receiver at once: reads the snapshot and the latest release until told to stop.

Run with a home folder; writes as JSON how often it read, what it saw, and what went wrong.
"""

import hashlib
import json
import select
import sys
from pathlib import Path

import duckdb

PAUSE = 0.1  # seconds between two reads
FIGURES = (
    "select (select count(*) from marts.marts.submissions where state = 'loaded'), "
    "(select sum(n) from marts.marts.measure_results), "
    "(select sum(n_positive) from marts.marts.measure_results), "
    "(select sum(n) from marts.marts.national_results), "
    "(select sum(returned) from marts.marts.response_rates)"
)
"""Of several tables, so that a mixture of two states shows."""


def figures(snapshot: Path) -> list[int]:
    with duckdb.connect(str(snapshot), read_only=True) as connection:
        return [int(n) for n in connection.execute(FIGURES).fetchone()]


def release(published: Path, which: int) -> str:
    """The release hash of the latest release, one file of which is held against it."""
    folder = (published / "latest").resolve(strict=True)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    listed = [entry for entry in manifest["files"] if entry.get("hash_of") != "content"]
    entry = listed[which % len(listed)]
    found = hashlib.sha256((folder / entry["path"]).read_bytes()).hexdigest()
    assert found == entry["sha256"], entry["path"]
    return manifest["release_hash"]


def main(home: Path) -> None:
    reads, wrong = 0, []
    seen: set[tuple[int, ...]] = set()
    releases: set[str] = set()
    is_told = False
    while not is_told:
        is_told = bool(select.select([sys.stdin], [], [], PAUSE)[0])  # and reads once more
        reads += 1
        try:
            seen.add(tuple(figures(home / "marts.duckdb")))
            releases.add(release(home / "published", reads))
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
    told = {"reads": reads, "figures": sorted(seen), "releases": sorted(releases), "wrong": wrong}
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
