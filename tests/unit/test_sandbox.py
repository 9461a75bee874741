"""The sandbox: whatever happens in the child becomes a named refusal, and the next file is read."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from pipelines.settings import PROJECT
from pipelines.workbook import sandbox
from pipelines.workbook.gate import Inspection
from pipelines.workbook.native import RefusedError, read_book
from pipelines.workbook.sample import write_landing_zone
from pipelines.workbook.sandbox import MEMORY, Reader, read_safely

# A child that runs what it is sent, as native code that was taken over would.
PROGRAM = """
from pipelines.workbook.sandbox import serve
def answer(data, file):
    scope = {}
    exec(data, scope)
    return scope.get("answer", ())
serve(answer)
"""
TAKEN_OVER = (sys.executable, "-c", PROGRAM)


def told(reader: Reader, code: str) -> object:
    return reader.ask(code.encode(), "a.xlsx")


def refusal(code: str, seconds: float = 5.0) -> str:
    """The rule that a workbook breaks whose reading does this; the next one must be read."""
    with Reader(TAKEN_OVER, seconds) as reader:
        with pytest.raises(RefusedError) as refused:
            told(reader, code)
        assert told(reader, "answer = ('still here',)") == ("still here",)
    return refused.value.rule_id


def is_gone(pid: int, within: float = 3.0) -> bool:
    """Whether a process has ended; one that only waits to be reaped has."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import os; os.kill(os.getpid(), 11)", "reader_crashed"),
        ("import os; os._exit(0)", "reader_crashed"),
        ("1 / 0", "reader_crashed"),
        ("raise KeyboardInterrupt", "reader_crashed"),
        ("import ctypes; ctypes.string_at(0)", "reader_crashed"),
        ("import os; os.write(1, b'noise that is no answer at all')", "reader_crashed"),
        ("import os; os.abort()", "reader_memory"),
        ("raise MemoryError", "reader_memory"),
        ("a = bytearray(1 << 30)", "reader_memory"),
        ("a = []\nwhile True: a.append(bytes(1 << 20))", "reader_memory"),
        ("answer = (bytes(100 << 20),)", "reader_memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "reader_timeout"),
    ],
)
def test_what_the_child_does_not_survive_is_a_named_refusal(code, rule):
    assert refusal(code) == rule


@pytest.mark.parametrize(
    "code",
    ["import time; time.sleep(60)", "while True: pass", "import os; os.kill(os.getpid(), 19)"],
    ids=["waiting", "working", "stopped"],
)
def test_a_child_that_hangs_is_ended_in_time(code):
    began = time.monotonic()
    assert refusal(code, seconds=1.0) == "reader_timeout"
    assert time.monotonic() - began < 4


def test_the_processor_time_of_each_workbook_is_limited_afresh():
    code = "import resource; answer = (resource.getrlimit(resource.RLIMIT_CPU)[0],)"
    work = "import time\nuntil = time.process_time() + 1.2\nwhile time.process_time() < until: pass"
    with Reader(TAKEN_OVER) as reader:
        (first,) = told(reader, code)
        told(reader, work)
        (later,) = told(reader, code)
    assert 5 <= first <= 6
    assert later > first


@pytest.mark.parametrize(
    "made",
    [
        "type('T', (), {'__reduce__': lambda self: (__import__('os').mkdir, ('made',))})()",
        "__import__('decimal').Decimal(1)",
        "print",
    ],
)
def test_what_comes_back_builds_nothing_but_plain_types_and_dates(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal(f"answer = ({made},)") == "reader_crashed"
    assert not list(tmp_path.iterdir())


def test_one_child_reads_many_workbooks():
    with Reader(TAKEN_OVER) as reader:
        pids = {told(reader, "import os; answer = (os.getpid(),)") for _ in range(20)}
    assert len(pids) == 1


def test_the_child_inherits_nothing():
    secret = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(secret, True)
    code = "import os; answer = (sorted(os.listdir('/proc/self/fd')), dict(os.environ))"
    try:
        with Reader(TAKEN_OVER) as reader:
            descriptors, environment = told(reader, code)
    finally:
        os.close(secret)
    assert descriptors in (["0", "1", "2"], ["0", "1", "2", "3"])  # the last lists the folder
    assert set(environment) <= {"LC_CTYPE"}  # which the interpreter sets itself


def test_the_child_writes_no_file_and_no_core(tmp_path):
    code = f"file = open({str(tmp_path / 'a')!r}, 'w'); file.write('a'); file.flush()"
    assert refusal(code) == "reader_crashed"
    assert [p.stat().st_size for p in tmp_path.iterdir()] in ([], [0])
    with Reader(TAKEN_OVER) as reader:
        code = "import resource as r; answer = (r.getrlimit(r.RLIMIT_CORE)[0],)"
        assert told(reader, code) == (0,)
        code = "import resource as r; answer = (r.getrlimit(r.RLIMIT_AS)[0],)"
        assert told(reader, code) == (MEMORY,)


def test_the_child_imports_nothing_heavy():
    code = "import sys; from pipelines.workbook import sandbox; answer = (sorted(sys.modules),)"
    with Reader(TAKEN_OVER) as reader:
        (modules,) = told(reader, code)
    assert "python_calamine" in modules
    heavy = {"pyarrow", "numpy", "pandas", "duckdb", "dagster", "dbt", "openpyxl", "xlsxwriter"}
    assert not heavy & set(modules)


def test_no_child_is_started_before_it_is_needed_nor_left_behind():
    with Reader(TAKEN_OVER) as reader:
        assert reader._child is None
        (pid,) = told(reader, "import os; answer = (os.getpid(),)")
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    "code",
    [b"import os; answer = (os.getpid(),)", b"import os, time; print(os.getpid()); time.sleep(60)"],
    ids=["idle", "at work"],
)
def test_the_child_dies_with_its_parent(code, tmp_path):
    note = tmp_path / "pid"
    parent = f"""
import os, signal, threading, time
from pathlib import Path
from pipelines.workbook.sandbox import Reader
reader = Reader({TAKEN_OVER!r}, 60)
def note():
    while reader._child is None: time.sleep(0.01)
    Path({str(note)!r}).write_text(str(reader._child.pid))
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=note).start()
reader.ask({code!r}, "a.xlsx")
time.sleep(60)
"""
    ended = subprocess.run([sys.executable, "-c", parent], cwd=PROJECT, timeout=30)
    assert ended.returncode == -signal.SIGKILL
    assert is_gone(int(note.read_text()))


def test_an_interrupt_ends_the_child_and_goes_on(monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with Reader(TAKEN_OVER) as reader:
        (pid,) = told(reader, "import os; answer = (os.getpid(),)")
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(sandbox, "_exchange", interrupted)
            told(reader, "answer = ()")
        assert is_gone(pid)
        assert told(reader, "answer = (1,)") == (1,)


def test_two_readers_work_side_by_side():
    answers: dict[int, object] = {}

    def work(number: int) -> None:
        with Reader(TAKEN_OVER) as reader:
            answers[number] = [told(reader, f"answer = ({number}, {i})") for i in range(20)]

    threads = [Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: [(n, i) for i in range(20)] for n in (1, 2)}


def test_a_workbook_reads_the_same_as_without_a_sandbox(tmp_path):
    zone = write_landing_zone(tmp_path, rounds=[2018, 2021, 2024], associations=2)
    with Reader() as reader:
        for path in zone.files:
            data = path.read_bytes()
            book, inspection = read_safely(data, path.name, reader)
            assert book == read_book(data, path.name, lambda title: True)
            assert inspection == Inspection((), ())


@pytest.mark.parametrize(
    ("data", "file", "rule"),
    [
        (b"", "a.xlsx", "no_access"),
        (b"a;b", "a.csv", "not_xlsx"),
        (b"PKxl/workbook.xml", "a.xlsx", "zip_damaged"),
    ],
)
def test_a_refusal_keeps_its_rule_and_the_child(data, file, rule):
    with Reader() as reader:
        for _ in range(2):
            with pytest.raises(RefusedError) as refused:
                read_safely(data, file, reader)
            assert refused.value.rule_id == rule
            child = reader._child
        assert child is reader._child is not None


def test_a_child_that_is_ended_just_after_its_answer_is_not_asked_again(monkeypatch):
    exchange = sandbox._exchange

    def late(*asked):
        reply = exchange(*asked)
        time.sleep(0.7)
        return reply

    with Reader(TAKEN_OVER, 0.5) as reader:
        assert told(reader, "answer = (1,)") == (1,)
        monkeypatch.setattr(sandbox, "_exchange", late)
        assert told(reader, "answer = (2,)") == (2,)
        monkeypatch.undo()
        assert told(reader, "answer = (3,)") == (3,)
