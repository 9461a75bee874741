"""A run is killed at any moment: what people see stays whole, and the next run is right.

Killing a run leaves its files as they are at that moment. So does copying them while all its
processes are stopped, which shows forty moments in the time that one kill takes; the last one of
each run is a kill. What only a kill does, giving back the lock and leaving children behind, comes
with that one and with those of test_killed.py.
"""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from homes import (
    Launcher,
    Recoveries,
    Situation,
    assert_old_or_new,
    bytes_of,
    copy,
    said,
)

from pipelines.settings import Settings

pytestmark = pytest.mark.faults

_RUNS, _MOMENTS = 5, 40


@pytest.mark.parametrize("run", range(_RUNS))
def test_a_run_killed_at_random_moments_leaves_the_old_or_the_new_and_is_done_again(
    run: int,
    request: pytest.FixtureRequest,
    launcher: Launcher,
    recoveries: Recoveries,
    place: Path,
) -> None:
    known: Situation = request.getfixturevalue("late_files" if run % 3 else "first_run")
    landed, folder = bytes_of(known.raw), place / f"random-{run}"
    settings = known.home(folder)
    ends = sorted(random.Random(run).uniform(0, known.seconds) for _ in range(_MOMENTS))
    pid = launcher.start(settings, "run", out=folder / "out")
    killed = []
    for number, (before, end) in enumerate(zip([0.0, *ends], ends, strict=False), start=1):
        time.sleep(end - before)
        is_last = number == _MOMENTS
        stop(pid, signal.SIGKILL if is_last else signal.SIGSTOP)
        left = Settings(known.raw, folder / f"{number}")
        copy(settings.home, left.home) if settings.home.exists() else left.home.mkdir()
        assert_old_or_new(said(left), known.old, known.new)
        if recoveries.is_due(left, known.new):
            killed.append(left)
        else:
            shutil.rmtree(left.home)
        os.killpg(pid, signal.SIGCONT)
    assert launcher.ended(pid) in (0, -signal.SIGKILL), (folder / "out").read_text()
    for left in killed:
        recoveries.assert_next_run_is_right(left, known.new)
    assert bytes_of(known.raw) == landed
    shutil.rmtree(folder)


def stop(group: int, number: signal.Signals) -> None:
    """Sends a signal to all processes of a run and waits until none of them does anything."""
    os.killpg(group, number)
    while any(state not in "TtZX" for state in _states(group)):
        time.sleep(0.001)


def _states(group: int) -> list[str]:
    """What each thread of a process group does, as the system has it: T stopped, Z ended."""
    states = []
    for path in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
        try:
            _, _, rest = path.read_text().rpartition(")")
        except OSError:  # it ended meanwhile
            continue
        state, _, its_group = rest.split()[:3]
        if int(its_group) == group:
            states.append(state)
    return states
