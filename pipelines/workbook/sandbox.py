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
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import PurePath
from threading import Timer
from typing import IO, Any, Self

from pipelines.settings import PROJECT
from pipelines.swedish import number
from pipelines.workbook.gate import LIMITS, Inspection, inspect
from pipelines.workbook.native import Book, RefusedError, check_format, read_book

MEMORY = 512 << 20
"""Address space of the child, bytes."""

SECONDS = 5.0
"""What one workbook may take, of the clock and of the processor."""

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
        began = time.monotonic()
        timer = Timer(self._seconds, self._kill, [child])
        timer.start()
        try:
            return _exchange(child, data, file)
        except BaseException as error:
            self._child = None
            status = _end(child)
            if not isinstance(error, Exception):
                raise
            late = time.monotonic() - began >= self._seconds
            raise RefusedError("reader_timeout" if late else _cause(status)) from error
        finally:
            timer.cancel()
            timer.join()  # it may be killing the child that has just answered

    def _kill(self, child: subprocess.Popen[bytes]) -> None:
        """Ends a child that takes too long; the next workbook gets another."""
        self._child = None
        child.kill()
        child.wait()


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """The child: no descriptor but its own three, no environment, no word to the terminal."""
    return subprocess.Popen(  # noqa: S603  the command is ours
        command,
        cwd=PROJECT,
        env={},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _exchange(child: subprocess.Popen[bytes], data: bytes, file: str) -> tuple[Any, ...]:
    assert child.stdin and child.stdout
    _send(child.stdin, os.fsencode(file))
    _send(child.stdin, data)
    reply: tuple[Any, ...] = _Unpickler(io.BytesIO(_receive(child.stdout, _MOST_REPLY))).load()
    return reply


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


def _send(stream: IO[bytes], content: bytes) -> None:
    stream.write(_SIZE.pack(len(content)))
    stream.write(content)
    stream.flush()


def _receive(stream: IO[bytes], most: int = sys.maxsize) -> bytes:
    """What was sent at the other end.

    Raises:
        EOFError: that end is closed, or would send too much.
    """
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    content = stream.read(size) if size <= most else b""
    if len(content) < size:
        raise EOFError
    return content


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
            _send(target, pickle.dumps(reply, pickle.HIGHEST_PROTOCOL))
    except EOFError:
        return
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # tidying up would need memory


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
