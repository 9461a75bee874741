"""The lock of a home folder: one writer at a time, whichever program it was started from.

Belongs here: taking and giving back the lock, telling who holds it, and telling that Dagster's page
is open, which is no writer but holds on to its history. Does not: what is done under it.

The lock is the operating system's, on `NNS_HOME/.lock`: it goes with the process that holds it,
however that ends. What stands in the file names the holder, for those who are sent away.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pipelines import files
from pipelines.settings import Settings
from pipelines.swedish import stamp

PATIENCE = 600.0
"""Seconds that a run nobody waits for gives another one to end: many times what a run takes."""

command = Path(sys.argv[0]).name
"""What this process does, as others are told; the command line sets it to the verb."""

_mine: set[Path] = set()
"""The home folders this process has locked: a step of a run is let in under the run's lock."""


class BusyError(Exception):
    """Another process works in the home folder; the message is Swedish and names it."""


@contextmanager
def alone(settings: Settings, patience: float = 0) -> Iterator[None]:
    """Keeps others out of the home folder for as long as this process works in it.

    Who has got the lock is the only one that writes: what is half written is of nobody any more,
    and is removed.

    Args:
        settings: the folders.
        patience: seconds to wait for another process to end.

    Raises:
        BusyError: another process still works there.
    """
    if settings.home in _mine:
        yield
        return
    settings.home.mkdir(files.FOLDER_MODE, parents=True, exist_ok=True)
    with open(settings.home / ".lock", "r+b", opener=_made) as file:
        if not _taken(file, time.monotonic() + patience):
            who = _holder(file)
            raise BusyError(
                f"En annan körning pågår i {settings.home}{who}. Vänta tills den är klar."
            )
        _name_holder(file)
        files.sweep(settings.home)
        _mine.add(settings.home)
        try:
            yield
        finally:
            _mine.remove(settings.home)
            file.truncate(0)


def _made(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CREAT, files.FILE_MODE)


def _taken(file: IO[bytes], until: float) -> bool:
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


def _name_holder(file: IO[bytes]) -> None:
    """Writes who holds the lock into its file."""
    told = {"command": command, "process": os.getpid(), "user": _user(), "since": time.time()}
    file.truncate(0)
    file.write(json.dumps(told).encode())
    file.flush()


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container
        return str(os.getuid())


def _holder(file: IO[bytes]) -> str:
    """Who holds the lock, to be told after the folder; empty when that is not known."""
    for _ in range(20):
        file.seek(0)
        try:
            told = json.loads(file.read())
            since = stamp(datetime.fromtimestamp(told["since"], UTC))
            return f": {told['command']} (process {told['process']}, {told['user']}, sedan {since})"
        except (ValueError, KeyError, TypeError):  # it has the lock, but has not written yet
            time.sleep(0.01)
    return ""


def stay_open(settings: Settings) -> None:
    """Tells others that Dagster's page is open, until this process and what it becomes end."""
    settings.home.mkdir(files.FOLDER_MODE, parents=True, exist_ok=True)
    held = os.open(settings.home / ".ui.lock", os.O_RDWR | os.O_CREAT, files.FILE_MODE)
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
