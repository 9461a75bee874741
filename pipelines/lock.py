"""The lock of a home folder: one writer at a time, whichever program it was started from.

Belongs here: taking and giving back the lock, and telling that Dagster's page is open, which is no
writer but holds on to its history. Does not: what is done under it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from pipelines.settings import Settings

PATIENCE = 600.0
"""Seconds that a run nobody waits for gives another one to end: many times what a run takes."""

_mine: set[Path] = set()
"""The home folders this process has locked: a step of a run is let in under the run's lock."""


class BusyError(Exception):
    """Another process works in the home folder; the message is Swedish and says to wait."""


@contextmanager
def alone(settings: Settings, patience: float = 0) -> Iterator[None]:
    """Keeps others out of the home folder for as long as this process works in it.

    Args:
        settings: the folders.
        patience: seconds to wait for another process to end.

    Raises:
        BusyError: another process still works there.
    """
    if settings.home in _mine:
        yield
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / ".lock").open("w") as file:
        if not _taken(file, time.monotonic() + patience):
            raise BusyError(f"En annan körning pågår i {settings.home}. Vänta tills den är klar.")
        _mine.add(settings.home)
        try:
            yield
        finally:
            _mine.remove(settings.home)


def _taken(file: TextIOWrapper, until: float) -> bool:
    """Whether the lock could be taken before a moment of the monotonic clock."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.5)
        else:
            return True


def stay_open(settings: Settings) -> None:
    """Tells others that Dagster's page is open, until this process and what it becomes end."""
    settings.home.mkdir(parents=True, exist_ok=True)
    held = os.open(settings.home / ".ui.lock", os.O_RDWR | os.O_CREAT, 0o640)
    fcntl.flock(held, fcntl.LOCK_SH)
    os.set_inheritable(held, True)


def is_open(settings: Settings) -> bool:
    """Whether Dagster's page is open on this home folder."""
    path = settings.home / ".ui.lock"
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
