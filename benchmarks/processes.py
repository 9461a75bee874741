"""What a command costs as a whole process: wall time, CPU time and memory, children included.

Belongs here: starting and measuring one. Does not: what is run, or any result.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import PROJECT

REPETITIONS = 3

_BEFORE_ANY_DEADLINE = """
from datetime import date
from pipelines import swedish
swedish.current_day = lambda: date(2017, 1, 1)
from pipelines import cli
cli.main()
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, CPU seconds (user and system) and the largest memory in MB."""

    wall: float
    cpu: float
    peak: float


def cost(command: Sequence[str | Path], **environment: str | Path) -> Cost:
    """What a process and its children cost, in the project's folder; their output is dropped.

    Raises:
        subprocess.CalledProcessError: it did not end well.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(map(str, command)))
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def nns(*arguments: str, raw: Path, home: Path) -> Cost:
    """What a verb of the steward costs, on a day before any deadline: `run` publishes nothing."""
    return cost(steward(*arguments), NNS_RAW=raw, NNS_HOME=home)


def steward(*arguments: str, options: Sequence[str] = ()) -> list[str]:
    """The command line of such a verb, with options of the interpreter."""
    return [sys.executable, *options, "-c", _BEFORE_ANY_DEADLINE, *arguments]


def median(measure: Callable[[], Cost], repetitions: int = REPETITIONS) -> Cost:
    """The median of each of the costs of some repetitions."""
    return median_of([measure() for _ in range(repetitions)])


def median_of(costs: Sequence[Cost]) -> Cost:
    """The median of each of the costs."""
    return Cost(
        statistics.median(c.wall for c in costs),
        statistics.median(c.cpu for c in costs),
        statistics.median(c.peak for c in costs),
    )
