"""What a whole run costs: one full national round, one changed workbook, nothing changed, status.

Whole processes as a steward starts them, CPU seconds (user and system, children included), medians
of three; compared with the start-up, which is the same run over a landing zone with next to
nothing in it: one association, one questionnaire of each kind, so that all is imported and every
check, model and test runs.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipelines.workbook.sample import write_landing_zone

ROUND = 2024
REPETITIONS = 3


def cpu_seconds(*arguments: str, raw: Path, home: Path) -> float:
    """The CPU time of one `nns` process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env={**os.environ, "NNS_RAW": str(raw), "NNS_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(folder: Path) -> dict[str, float]:
    """The median cost of each kind of run."""
    national, other, tiny = folder / "national", folder / "other", folder / "tiny"
    write_landing_zone(national, rounds=[ROUND], national=True)
    write_landing_zone(other, rounds=[ROUND], national=True, seed=2)
    write_landing_zone(tiny, rounds=[ROUND], associations=1, questionnaires=10)
    replacements = iter(sorted((other / str(ROUND)).iterdir()))

    def fresh() -> Path:
        home = folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        return home

    def change_one() -> Path:
        path = next(replacements)
        shutil.copy(path, national / str(ROUND) / path.name)
        return folder / "home"

    runs: dict[str, tuple[tuple[str, ...], Path, Callable[[], Path]]] = {
        "start-up (next to nothing to do)": (("run",), tiny, fresh),
        "national round, nothing read before": (("run",), national, fresh),
        "one workbook changed": (("run",), national, change_one),
        "nothing changed": (("run",), national, lambda: folder / "home"),
        "nns status": (("status",), national, lambda: folder / "home"),
    }
    return {
        name: statistics.median(
            cpu_seconds(*arguments, raw=raw, home=home()) for _ in range(REPETITIONS)
        )
        for name, (arguments, raw, home) in runs.items()
    }


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        costs = measured(Path(folder))
    startup = next(iter(costs.values()))
    print("| run | CPU s | of start-up |\n|---|---:|---:|")
    for name, seconds in costs.items():
        print(f"| {name} | {seconds:.2f} | {seconds / startup:.2f} |")


if __name__ == "__main__":
    main()
