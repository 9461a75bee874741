"""Homes and landing zones for runs that go wrong."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import Launcher, Recoveries, Situation, situation

from pipelines.workbook.sample import write_landing_zone

_ROUND = 2025
_ROOM = 3 * 2**30


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    started = Launcher()
    yield started
    started.close()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: hundreds of homes are copied there and back."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < _ROOM:
        yield tmp_path_factory.mktemp("homes")
        return
    with tempfile.TemporaryDirectory(prefix="nns-faults-", dir=memory) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def recoveries(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Recoveries:
    known = tmp_path_factory.getbasetemp().parent / "recovered"  # of all workers
    known.mkdir(exist_ok=True)
    return Recoveries(launcher, known)


@pytest.fixture(scope="session")
def first_run(launcher: Launcher, recoveries: Recoveries, place: Path) -> Situation:
    """Nothing is loaded; two associations have delivered."""
    raw = place / "raw-first"
    write_landing_zone(raw, rounds=(_ROUND,), associations=3, questionnaires=10)
    _all_written_at(raw, 1)
    late = sorted((raw / str(_ROUND)).glob("*.xlsx"))[-1]
    late.rename(place / late.name)
    return situation(launcher, recoveries, place / "first", raw, None)


@pytest.fixture(scope="session")
def late_files(
    launcher: Launcher, recoveries: Recoveries, place: Path, first_run: Situation
) -> Situation:
    """A round is published; then an association delivers late, and another one a corrected file."""
    raw = place / "raw-late"
    shutil.copytree(first_run.raw, raw)
    (late,) = place.glob("*.xlsx")
    shutil.copy2(late, raw / str(_ROUND))
    corrected = min((raw / str(_ROUND)).glob("*.xlsx"))
    with corrected.open("ab") as file:  # the same answers in another content: it was saved anew
        file.write(b"\0")
    _all_written_at(raw / str(_ROUND), 2)
    return situation(launcher, recoveries, place / "late", raw, first_run.staged["run"])


def _all_written_at(raw: Path, day: int) -> None:
    """Gives all files one time, the same for all workers."""
    for path in raw.rglob("*"):
        os.utime(path, (day * 86_400, day * 86_400))
