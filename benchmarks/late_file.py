"""One changed workbook among 780 in the lake, and nothing changed at all.

What a run costs follows what changed: beyond the start-up a late file costs a fraction of loading
all, and gives the same marts as a home that starts from nothing. A run with nothing to do imports
neither great_expectations nor dbt.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import processes
import results
import zones
from processes import Cost

from pipelines.settings import PROJECT

LATE = 2019
HEAVY = ("great_expectations", "dbt", "pandas", "duckdb")
HISTORY = ("submissions", "roster")  # a new home never saw the version that was replaced
VALIDATE = ("definitions", "validate", "-m", "pipelines.definitions")


def fresh(raw: Path, home: Path) -> Cost:
    """What a run costs from nothing."""
    shutil.rmtree(home, ignore_errors=True)
    return processes.nns("run", raw=raw, home=home)


def late(raw: Path, other: Path, home: Path, number: int) -> Cost:
    """What a run costs after another version of one workbook came in."""
    path = sorted((other / str(LATE)).glob("*.xlsx"))[number]
    shutil.copyfile(path, raw / str(LATE) / path.name)
    return processes.nns("run", raw=raw, home=home)


def imported(raw: Path, home: Path) -> str:
    """Which of the heavy packages a run with nothing to do imports."""
    done = subprocess.run(
        processes.steward("run", options=("-X", "importtime")),
        env={**os.environ, "NNS_RAW": str(raw), "NNS_HOME": str(home)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stderr.splitlines()
    modules = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    return ", ".join(name for name in HEAVY if name in modules) or "none"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw, home, tiny = folder / "raw", folder / "home", folder / "tiny"
        zones.national(raw)
        zones.national(folder / "other", seed=2, rounds=(LATE,))
        zones.next_to_nothing(tiny)
        costs = {
            "start-up: next to nothing": processes.median(lambda: fresh(tiny, folder / "small")),
            "780 workbooks, nothing read before": processes.median(lambda: fresh(raw, home)),
        }
        numbers = iter(range(processes.REPETITIONS))
        costs["one workbook of 2019 changed"] = processes.median(
            lambda: late(raw, folder / "other", home, next(numbers))
        )
        fresh(raw, folder / "anew")
        found = zones.differing(home, folder / "anew")
        differ = {table: n for table, n in found.items() if table not in HISTORY}
        costs["nothing changed"] = processes.median(
            lambda: processes.nns("run", raw=raw, home=home)
        )
        dagster = Path(sys.executable).with_name("dagster")
        costs["dagster definitions validate"] = processes.median(
            lambda: processes.cost([dagster, *VALIDATE], NNS_HOME=home)
        )
        costs["nns status"] = processes.median(lambda: processes.nns("status", raw=raw, home=home))
        heavy = imported(raw, home)
    results.write("A late file, and nothing new", told(costs, differ, heavy))


def told(costs: dict[str, Cost], differ: dict[str, int], heavy: str) -> str:
    """The section."""
    start, whole, one, nothing, validate, _ = costs.values()
    columns = ("", "wall s", "CPU s", "peak MB")
    rows = [(name, c.wall, c.cpu, c.peak) for name, c in costs.items()]
    wall = (whole.wall - start.wall) / (one.wall - start.wall)
    cpu = (whole.cpu - start.cpu) / (one.cpu - start.cpu)
    same = f"differ from it: {differ}" if differ else "are the same in every row of every table"
    return (
        f"{NOTES.strip()}\n\n{results.table(columns, rows)}\n\n"
        f"Beyond start-up the late file costs 1/{wall:.1f} of loading all on the clock, "
        f"1/{cpu:.1f} of its CPU time. Compared with a home that starts from nothing the marts "
        f"{same}. With nothing changed a run takes {nothing.wall / validate.wall:.2f} of the time "
        f"of `dagster definitions validate`, and of {', '.join(HEAVY)} it imports {heavy}."
    )


NOTES = """
Ten rounds of 78 workbooks. `nns run`: load, check, build; nothing is published. Medians of three.
Marts are compared but for `submissions` and `roster`, which tell of replaced deliveries too.
"""


if __name__ == "__main__":
    main()
