"""Analysts and receivers read while runs go on and are killed: nothing of it shows."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import reader
from homes import Launcher, Situation, kill_all, said

from pipelines.settings import Settings

pytestmark = pytest.mark.faults

_READERS, _LEAST = 8, 1000


def test_readers_see_whole_states_only_while_runs_go_on_and_are_killed(
    launcher: Launcher, late_files: Situation, place: Path
) -> None:
    folder = place / "read"
    settings = Settings(folder / "raw", late_files.home(folder, "run").home)
    shutil.copytree(late_files.raw, settings.raw)
    assert launcher.run(settings, "run") == 0
    figures, moments, kills = {tuple(reader.figures(settings.snapshot))}, random.Random(0), 0
    command = [sys.executable, reader.__file__, str(settings.home)]
    pipe = subprocess.PIPE
    readers = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(_READERS)
    ]
    try:
        for change in changes(settings.raw):
            change()
            for _ in range(2):
                pid = launcher.start(settings, "run", out=folder / "out")
                time.sleep(moments.uniform(0.1, 0.6) * late_files.seconds)
                kill_all(pid)
                code = launcher.ended(pid)
                assert code in (0, -signal.SIGKILL), (folder / "out").read_text()
                kills += code != 0
            assert launcher.run(settings, "run") == 0
            figures.add(tuple(reader.figures(settings.snapshot)))
    finally:
        told = [json.loads(one.communicate("stop")[0]) for one in readers]
    assert kills, "no run was killed"
    assert [wrong for one in told for wrong in one["wrong"]] == []
    assert sum(one["reads"] for one in told) >= _LEAST
    seen = {tuple(read) for one in told for read in one["figures"]}
    assert seen == figures, "each state was seen, and nothing else"
    assert len(figures) >= 3
    releases = {release for one in told for release in one["releases"]}
    assert releases <= {release for _, release in said(settings).releases}
    assert len(releases) >= 3
    shutil.rmtree(folder)


def changes(raw: Path) -> list:
    """Changes of a landing zone after each of which it says something else."""
    first, second, *_ = sorted(raw.glob("[0-9]*/*.xlsx"))
    aside = raw.parent / first.name
    return [
        lambda: shutil.move(first, aside),
        lambda: second.unlink(),
        lambda: shutil.move(aside, first),
    ]
