"""Four runs are started at once: one works, three are sent away and told by whom."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from homes import LONGEST, PROJECT, Launcher, Situation, said

pytestmark = pytest.mark.faults

_RUNS = 4
# How much is left to do when they start: most have a release to make, some all of it.
_TIMES = [*["build"] * 17, "check", ""]


@pytest.mark.parametrize("time", range(len(_TIMES)))
def test_of_four_runs_at_once_one_works_and_three_are_sent_away_at_once(
    time: int, launcher: Launcher, first_run: Situation, place: Path
) -> None:
    folder = place / f"at-once-{time}"
    settings = first_run.home(folder, _TIMES[time])
    outs = [folder / f"{n}.out" for n in range(_RUNS)]
    pids = {launcher.start(settings, "run", out=out): out for out in outs}
    codes = ended(launcher, list(pids), _RUNS - 1)
    assert set(codes.values()) == {2}, "they are sent away while the first one works"
    (working,) = set(pids) - set(codes)
    for pid in codes:
        assert_told(pids[pid].read_text(), settings.home, working)
    assert launcher.ended(working) == 0, pids[working].read_text()
    assert said(settings) == first_run.new
    shutil.rmtree(folder)


def test_so_it_is_with_four_processes_from_their_start(first_run: Situation, place: Path) -> None:
    folder = place / "at-once"
    settings = first_run.home(folder)
    command = [sys.executable, "-m", "pipelines.cli", "run"]
    command += ["--raw", str(settings.raw), "--home", str(settings.home)]
    pipe = subprocess.PIPE
    runs = [
        subprocess.Popen(command, cwd=PROJECT, stdout=pipe, stderr=pipe, text=True)
        for _ in range(_RUNS)
    ]
    told = {run.pid: run.communicate(timeout=LONGEST)[1] for run in runs}
    assert sorted(run.returncode for run in runs) == [0, 2, 2, 2]
    (working,) = (run.pid for run in runs if run.returncode == 0)
    for pid in set(told) - {working}:
        assert_told(told[pid], settings.home, working)
    assert said(settings) == first_run.new
    shutil.rmtree(folder)


def ended(launcher: Launcher, pids: list[int], least: int) -> dict[int, int]:
    """The exit codes of the first runs to end, by process."""
    codes: dict[int, int] = {}
    until = time.monotonic() + LONGEST
    while len(codes) < least and time.monotonic() < until:
        for pid in set(pids) - set(codes):
            code = launcher.ended(pid, 0.01)
            if code is not None:
                codes[pid] = code
    return codes


def assert_told(text: str, home: Path, working: int) -> None:
    who = rf"nns run \(process {working}, \S+, sedan [0-9-]+ [0-9:]+\)"
    said = rf"nns: En annan körning pågår i {home}: {who}\. Vänta tills den är klar\.\n"
    assert re.fullmatch(said, text), text
