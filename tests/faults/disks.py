"""Disks that do not take what is written: one that is full, and calls that fail.

Belongs here: making a run meet them. Does not: what must hold then (test_write_errors.py).

A full disk is a file system in memory with so many bytes left: what is written there fails for
every library as it does on a real one. A call that fails is answered by strace, not by the system.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from homes import Launcher, kill_all

from pipelines.settings import Settings

LARGE = 2**30
WRITING = ("write", "pwrite64", "fsync", "fdatasync", "rename", "symlink")
_RUN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")
_CALL = re.compile(r'(\d+) +(\w+)\((?:"[^"]*", )??(?:\d+<|")(/[^">]*)')
_PATIENCE = 60.0


def needed(program: str) -> str:
    """The path of a program of the system; without it, the test is skipped and says so."""
    return shutil.which(program) or pytest.skip(f"{program} is not installed")


# --- a full disk ----------------------------------------------------------------------------------


@contextmanager
def disk(at: Path) -> Iterator[None]:
    """A file system of its own in a folder, large at first; skips the test where there is none."""
    at.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={LARGE}", "nns-faults", str(at)]
    done = subprocess.run([needed("mount"), *options], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([needed("umount"), "--lazy", str(at)], check=True)


def resize(at: Path, size: int) -> None:
    """Gives the disk another size, in bytes."""
    options = ["-o", f"remount,size={size}", str(at)]
    subprocess.run([needed("mount"), *options], check=True)


def used(at: Path) -> int:
    """The bytes in use."""
    state = os.statvfs(at)
    return (state.f_blocks - state.f_bfree) * state.f_frsize


@contextmanager
def watched(at: Path) -> Iterator[list[int]]:
    """The most bytes that are in use meanwhile, the only item of the list."""
    most, ended = [used(at)], threading.Event()

    def watch() -> None:
        while not ended.wait(0.002):
            most[0] = max(most[0], used(at))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


# --- calls that fail ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A call of the system on a file of the home folder.

    Attributes:
        name: of the call.
        path: the file, from the home folder; the name of Dagster's run as <run>.
        time: the so-manieth such call on this file in its thread.
        in_all: the so-manieth call of this name in its thread, on whatever file.
    """

    name: str
    path: str
    time: int
    in_all: int


@dataclass(frozen=True)
class Fault:
    """How a call fails: this time only, or from then on."""

    call: Call
    error: str
    onwards: bool = False

    def options(self, home: Path) -> list[str]:
        """For strace. Files whose name is not known before are told by the thread's count alone."""
        known = "<run>" not in self.call.path
        time = self.call.time if known else self.call.in_all
        when = f"{time}{'+' * self.onwards}"
        paths = ["-P", str(home / self.call.path)] if known else []
        inject = f"inject={self.call.name}:error={self.error}:when={when}"
        return [*paths, "-e", f"trace={self.call.name}", "-e", inject]


def traced(
    launcher: Launcher, settings: Settings, verb: Sequence[str], out: Path, options: Sequence[str]
) -> tuple[int, str]:
    """Runs a verb under strace; gives how it ended, and what strace saw."""
    seen = out.with_suffix(".strace")
    strace = needed("strace")
    pid = launcher.start(settings, *verb, out=out, hold=True)
    tracer = None
    try:
        _await(lambda: _state(pid, "State").startswith("T"))
        command = [strace, "-f", "-qq", "-y", "-s", "0", "-o", str(seen), "-p", str(pid), *options]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        _await(lambda: _state(pid, "TracerPid") != "0" or tracer.poll() is not None)
        if tracer.poll():
            pytest.skip(f"nothing can be traced here: {tracer.stderr.read().strip()}")
        os.kill(pid, signal.SIGCONT)
        code = launcher.ended(pid)
        assert code is not None, f"{verb} did not end: {out.read_text()}"
        tracer.communicate()
    except BaseException:
        kill_all(pid)
        if tracer:
            tracer.kill()
        raise
    return code, seen.read_text(errors="replace")


def calls(seen: str, home: Path) -> Iterator[Call]:
    """The calls on files of a home folder, as strace saw them, in their order."""
    on_file: dict[tuple[str, ...], int] = {}
    in_all: dict[tuple[str, ...], int] = {}
    for thread, name, path in _CALL.findall(seen):
        in_all[thread, name] = in_all.get((thread, name), 0) + 1
        if not Path(path).is_relative_to(home):
            continue
        inside = _RUN.sub("<run>", Path(path).relative_to(home).as_posix())
        on_file[thread, name, inside] = on_file.get((thread, name, inside), 0) + 1
        yield Call(name, inside, on_file[thread, name, inside], in_all[thread, name])


def _state(pid: int, name: str) -> str:
    """What the system says of a process."""
    found = re.search(rf"^{name}:\s*(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return found[1]


def _await(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.002)
