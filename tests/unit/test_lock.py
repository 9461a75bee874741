"""The lock of a home folder: who comes second is sent away, or waits."""

import fcntl
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
