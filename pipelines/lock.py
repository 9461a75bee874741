"""The lock of a home folder: one writer at a time, whichever program it was started from.

Belongs here: taking and giving back the lock, and telling that Dagster's page is open, which is no
writer but holds on to its history. Does not: what is done under it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.settings import Settings

_mine: set[Path] = set()
"""The home folders this process has locked: a step of a run is let in under the run's lock."""


class BusyError(Exception):
    """Another process works in the home folder; the message is Swedish and says to wait."""


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keeps others out of the home folder for as long as this process works in it.

    Raises:
        BusyError: another process works there now.
    """
    if settings.home in _mine:
        yield
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(
                f"En annan körning pågår i {settings.home}. Vänta tills den är klar."
            ) from error
        _mine.add(settings.home)
        try:
            yield
        finally:
            _mine.remove(settings.home)


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
