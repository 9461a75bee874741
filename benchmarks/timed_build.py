"""Builds models of a home's lake in a process of its own and tells what each of them cost.

Run: python benchmarks/timed_build.py home report.json [dbt's selection arguments]

Writes by node of dbt, from its start to its end as dbt tells them, seconds on the clock, CPU
seconds and the largest memory of the process in MB, imports included. Parsing and what
is between nodes is left out. There is one node at a time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from pipelines import warehouse
from pipelines.settings import Settings


class Stopwatch:
    """Called with dbt's events; `costs` are seconds on the clock, of CPU, and MB by node."""

    def __init__(self) -> None:
        self.costs: dict[str, tuple[float, float, float]] = {}
        self._started: dict[str, tuple[float, float]] = {}

    def __call__(self, event: Any) -> None:
        """Notes the start and the end of a node."""
        if event.info.name == "NodeStart":
            self._started[event.data.node_info.node_name] = _now()
            _forget_peak()
        elif event.info.name == "NodeFinished":
            node = event.data.node_info.node_name
            wall, cpu = _now()
            started = self._started[node]
            self.costs[node] = (wall - started[0], cpu - started[1], _peak())


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> float:
    """The largest memory since it was last forgotten, MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


def main(home: Path, report: Path, *selection: str) -> None:
    watch = Stopwatch()
    warehouse.build(Settings(home / "raw", home), selection, watch)
    report.write_text(json.dumps(watch.costs), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
