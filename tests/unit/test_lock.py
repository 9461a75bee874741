"""The lock of a home folder: who comes second is sent away or waits, and is told for whom."""

import fcntl
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipelines import lock
from pipelines.settings import Settings


def test_who_comes_second_is_sent_away_unless_patient(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "raw", tmp_path)
    with (tmp_path / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(lock.BusyError), lock.alone(settings):
            pytest.fail("two were let in")
        release = threading.Timer(0.3, fcntl.flock, (other, fcntl.LOCK_UN))
        release.start()
        with lock.alone(settings, patience=30):
            assert release.finished.is_set()  # and not before


def test_who_is_sent_away_is_told_who_works_there(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "raw", tmp_path / "hemma hos å")
    other = (
        "import sys; from pathlib import Path; from pipelines import lock, settings\n"
        "lock.command = 'nns run'\n"
        "folders = settings.Settings(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "with lock.alone(folders): print('in', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", other, str(settings.raw), str(settings.home)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "in\n"
        with pytest.raises(lock.BusyError) as sent_away, lock.alone(settings):
            pytest.fail("two were let in")
        told = rf"nns run \(process {holder.pid}, \w+, sedan [0-9-]+ [0-9:]+\)"
        assert re.fullmatch(
            rf"En annan körning pågår i {settings.home}: {told}. Vänta tills den är klar\.",
            str(sent_away.value),
        )
        holder.kill()
    with lock.alone(settings):  # which went with its holder
        assert str(os.getpid()) in (settings.home / ".lock").read_text()
    assert (settings.home / ".lock").read_text() == ""


def test_nothing_half_written_is_left_to_who_comes_next(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "raw", tmp_path)
    (tmp_path / "published" / "2026" / ".1.part" / "open").mkdir(parents=True)
    (tmp_path / "published" / "2026" / ".1.part" / "open" / "file.csv").write_text("half")
    (tmp_path / ".marts.duckdb.part.wal").write_text("half")
    (tmp_path / ".latest.part").symlink_to("published/2026")
    (tmp_path / "published" / "2026" / "whole.part").write_text("whole")
    with lock.alone(settings):
        (tmp_path / ".mine.part").write_text("half")
        with lock.alone(settings):  # a step of the same run
            assert (tmp_path / ".mine.part").exists()
    left = {p.name for p in tmp_path.rglob("*")}
    assert left == {".lock", ".mine.part", "published", "2026", "whole.part"}
