"""The sandbox: workbooks are inspected and read in a child process that has little to lose.

Belongs here: the child, its limits of memory and time, what goes over to it and comes back, and
the rule a workbook breaks when the child does not survive it. Does not: what is looked for in the
bytes (gate.py) and how cells are read (native.py). The parent never parses a file's bytes.
"""

from __future__ import annotations

import ctypes
import io
import math
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import PurePath
from queue import LifoQueue
from typing import IO, Any, Self

from pipelines.settings import PROJECT
from pipelines.swedish import number
from pipelines.workbook.gate import LIMITS, Inspection, inspect
from pipelines.workbook.native import Book, RefusedError, check_format, read_book

MEMORY = 512 << 20
"""Address space of the child, bytes."""

SECONDS = 5.0
"""What one workbook may take, of the clock and of the processor."""

AT_ONCE = min(2, os.cpu_count() or 1)
"""How many workbooks are read side by side; a third child would wait for the parent."""

Answer = Callable[[bytes, str], tuple[Any, ...]]
"""What the child makes of a file's bytes and name: something of plain types and dates."""

_COMMAND = (sys.executable, "-B", "-E", "-s", "-m", "pipelines.workbook.sandbox")
_MOST_REPLY = 64 << 20
_OUT_OF_MEMORY = 3  # the child's own exit code
_PR_SET_PDEATHSIG = 1
_SIZE = struct.Struct(">Q")


def read_safely(data: bytes, file: str, reader: Reader) -> tuple[Book, Inspection]:
    """All sheets of a workbook, and what its cells do not tell.

    Args:
        data: the file's bytes; none when it may not be read.
        file: its name.
        reader: an open reader.

    Raises:
        RefusedError: the workbook is not to be read, or the child did not survive it.
    """
    kind, *content = reader.ask(data, file)
    if kind == "refused":
        raise RefusedError(*content)
    titles, rows, hollow, hidden, beside = content
    return Book(titles, rows), Inspection(hollow, hidden, beside)


# --- the parent ---------------------------------------------------------------------------------


class Reader:
    """A context in which a child process reads one workbook at a time.

    The child is started when first needed, and anew after a workbook it did not survive. It ends
    with the context, with the parent, and on Linux with the thread that started it.
    """

    def __init__(self, command: Sequence[str] = _COMMAND, seconds: float = SECONDS) -> None:
        self._command = command
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._child:
            _end(self._child)
            self._child = None

    def ask(self, data: bytes, file: str) -> tuple[Any, ...]:
        """What the child makes of one workbook.

        Raises:
            RefusedError: it did not survive: reader_timeout, reader_memory or reader_crashed.
        """
        child = self._child = self._child or _start(self._command)
        try:
            return _exchange(child, data, file, time.monotonic() + self._seconds)
        except BaseException as error:
            self._child = None
            is_late = isinstance(error, TimeoutError)
            if is_late:
                child.kill()
            status = _end(child)
            if not isinstance(error, Exception):
                raise
            raise RefusedError("reader_timeout" if is_late else _cause(status)) from error


class Readers:
    """A context in which workbooks are read side by side, each as `read_safely` does."""

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(AT_ONCE)
        self._readers = [Reader() for _ in range(AT_ONCE)]
        self._idle: LifoQueue[Reader] = LifoQueue()
        for reader in self._readers:
            self._idle.put(reader)
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for reader in self._readers:
            reader.__exit__(*error)

    def begin(self, data: bytes, file: str) -> Callable[..., tuple[Book, Inspection]]:
        """Begins to read a workbook, after those begun before; what is returned waits for it."""
        begun = self._threads.submit(self._read, data, file)
        return lambda *_: begun.result()

    def read(self, data: bytes, file: str) -> tuple[Book, Inspection]:
        """Reads a workbook and waits for it.

        Raises:
            RefusedError: as of `read_safely`.
        """
        return self.begin(data, file)(data, file)

    def _read(self, data: bytes, file: str) -> tuple[Book, Inspection]:
        reader = self._idle.get()
        try:
            return read_safely(data, file, reader)
        finally:
            self._idle.put(reader)


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """The child: no descriptor but its own three, no environment, no word to the terminal."""
    return subprocess.Popen(  # noqa: S603  the command is ours
        command,
        cwd=PROJECT,
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )


def _exchange(
    child: subprocess.Popen[bytes], data: bytes, file: str, until: float
) -> tuple[Any, ...]:
    """Sends a workbook and receives what the child makes of it, by then.

    Raises:
        TimeoutError: it was not.
        EOFError: the child has gone, or would send too much.
    """
    assert child.stdin and child.stdout
    for content in (os.fsencode(file), data):
        _write(child.stdin, _SIZE.pack(len(content)) + content, until)
    (size,) = _SIZE.unpack(_read(child.stdout, _SIZE.size, until))
    if size > _MOST_REPLY:
        raise EOFError
    reply: tuple[Any, ...] = _Unpickler(io.BytesIO(_read(child.stdout, size, until))).load()
    return reply


def _write(pipe: IO[bytes], content: bytes, until: float) -> None:
    """Writes to a pipe that may take no more for a while."""
    os.set_blocking(pipe.fileno(), False)
    rest = memoryview(content)
    while rest:
        _await(pipe, select.POLLOUT, until)
        rest = rest[os.write(pipe.fileno(), rest) :]


def _read(pipe: IO[bytes], size: int, until: float) -> bytes:
    """So many bytes from a pipe that may have none for a while."""
    parts, missing = [], size
    while missing:
        _await(pipe, select.POLLIN, until)
        part = os.read(pipe.fileno(), missing)
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _await(pipe: IO[bytes], event: int, until: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError


def _end(child: subprocess.Popen[bytes]) -> int:
    """How the child ended; it does so when nothing more is sent, else after a second."""
    with child:
        assert child.stdin
        try:
            child.stdin.close()
            return child.wait(1)
        except (OSError, subprocess.TimeoutExpired):
            child.kill()
            return child.wait()


def _cause(status: int) -> str:
    """The rule that an exit status stands for; native code aborts when it is refused memory."""
    if status == -signal.SIGXCPU:
        return "reader_timeout"
    if status in (_OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGKILL):
        return "reader_memory"
    return "reader_crashed"


class _Unpickler(pickle.Unpickler):
    """Builds nothing but plain types and dates, whoever has taken the child over."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "datetime" and name in ("date", "datetime", "time", "timedelta"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(name)


# --- the child ----------------------------------------------------------------------------------


def serve(answer: Answer) -> None:
    """Answers workbook after workbook until nothing more is sent."""
    _confine()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    try:
        while True:
            file, data = os.fsdecode(_receive(source)), _receive(source)
            _limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + SECONDS))
            try:
                reply = answer(data, file)
            except RefusedError as refused:
                reply = ("refused", refused.rule_id, refused.wanted)
            content = pickle.dumps(reply, pickle.HIGHEST_PROTOCOL)
            target.write(_SIZE.pack(len(content)))
            target.write(content)
            target.flush()
    except EOFError:
        return
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # tidying up would need memory


def _receive(stream: IO[bytes]) -> bytes:
    """What the parent sent.

    Raises:
        EOFError: it sends nothing more.
    """
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content


def inspect_and_read(data: bytes, file: str) -> tuple[Any, ...]:
    """What `read_safely` is told.

    Raises:
        RefusedError: the workbook is not to be read.
    """
    book, inspection = read_here(data, file)
    found = inspection.hollow, inspection.hidden, inspection.beside
    return "read", book.titles, book.rows, *found


def read_here(data: bytes, file: str) -> tuple[Book, Inspection]:
    """As `read_safely`, in this process: for workbooks that are known to be harmless.

    Raises:
        RefusedError: the workbook is not to be read.
    """
    check_format(data, PurePath(file).suffix)
    inspection = inspect(data)
    book = read_book(inspection.plain, file, lambda title: True)
    if sum(map(len, chain.from_iterable(book.rows.values()))) > LIMITS.cells:
        raise RefusedError("too_many_cells", number(LIMITS.cells))
    return book, inspection


def _confine() -> None:
    """Dies with the parent; writes no file, not even of its own memory; leaves Ctrl-C to others."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    serve(inspect_and_read)
