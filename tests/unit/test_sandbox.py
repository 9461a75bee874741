"""The sandbox: whatever happens in the child becomes a named refusal, and the next file is read."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from pipelines.settings import PROJECT
from pipelines.workbook import sandbox
from pipelines.workbook.gate import Inspection
from pipelines.workbook.native import RefusedError, read_book
from pipelines.workbook.sample import write_landing_zone
from pipelines.workbook.sandbox import MEMORY, Reader, Readers, read_safely

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


@pytest.mark.parametrize("then", ["time.sleep(60)", "while True: pass"])
def test_a_child_that_takes_nothing_more_is_ended_in_time(then):
    answered = (
        "reply = pickle.dumps(('first',)); os.write(1, struct.pack('>Q', len(reply)) + reply)"
    )
    code = f"import os, pickle, struct, time; {answered}\n{then}"
    with Reader(TAKEN_OVER, 2.0) as reader:
        assert told(reader, code) == ("first",)
        with pytest.raises(RefusedError) as refused:
            reader.ask(bytes(1 << 20), "a.xlsx")
        assert refused.value.rule_id == "reader_timeout"
        assert told(reader, "answer = (2,)") == (2,)


def test_an_answer_that_comes_drop_by_drop_is_not_waited_for():
    code = "import os, time\nwhile True: os.write(1, b'\\0'); time.sleep(0.2)"
    assert refusal(code, seconds=1.0) == "reader_timeout"


def test_an_answer_of_many_times_what_a_pipe_holds_comes_whole():
    with Reader(TAKEN_OVER) as reader:
        code = f"answer = (bytes(range(256)) * (1 << 15),)  # {'x' * (1 << 20)}"
        assert told(reader, code) == (bytes(range(256)) * (1 << 15),)


# --- side by side -------------------------------------------------------------------------------


@pytest.fixture
def commanded(monkeypatch):
    """Readers whose children run what they are sent."""
    monkeypatch.setattr(sandbox, "_COMMAND", TAKEN_OVER)
    monkeypatch.setattr(sandbox, "Reader", lambda: Reader(TAKEN_OVER, 3.0))
    monkeypatch.setattr(sandbox, "AT_ONCE", 2)


def asked(readers: Readers, code: str) -> Callable[[], object]:
    """Begins to run code; its answer, a book's titles here, or the rule that it breaks."""
    begun = readers.begin(code.encode(), "a.xlsx")

    def result() -> object:
        try:
            return begun()[0].titles
        except RefusedError as refused:
            return refused.rule_id

    return result


def answering(value: str, first: str = "") -> str:
    return f"import os, time\n{first}\nanswer = ('read', {value}, {{}}, (), (), ())"


def test_two_workbooks_are_read_at_the_same_time_and_no_more(commanded):
    span = "(began, time.monotonic(), os.getpid())"
    code = answering(span, "began = time.monotonic(); time.sleep(0.2)")
    with Readers() as readers:
        begun = [asked(readers, code) for _ in range(8)]
        spans = [one() for one in begun]
    assert len({pid for *_, pid in spans}) == 2
    together = [sum(start <= other < end for other, *_ in spans) for start, end, _ in spans]
    assert max(together) == 2


def test_what_is_read_is_given_for_what_was_asked_whatever_ends_first(commanded):
    with Readers() as readers:
        slow = asked(readers, answering("('slow',)", "time.sleep(0.3)"))
        fast = [asked(readers, answering(f"({i},)")) for i in range(5)]
        assert [one() for one in fast] == [(i,) for i in range(5)]
        assert slow() == ("slow",)


def test_a_child_that_is_lost_takes_no_other_workbook_with_it(commanded):
    hangs, dies = answering("()", "time.sleep(60)"), answering("()", "os._exit(1)")
    with Readers() as readers:
        codes = [answering("(1,)"), dies, answering("(2,)"), hangs, answering("(3,)"), dies]
        begun = [asked(readers, code) for code in codes]
        assert [one() for one in begun] == [
            *((1,), "reader_crashed"),
            *((2,), "reader_timeout"),
            *((3,), "reader_crashed"),
        ]


def test_workbooks_one_by_one_need_one_child(commanded):
    with Readers() as readers:
        pids = {asked(readers, answering("(os.getpid(),)"))() for _ in range(5)}
    assert len(pids) == 1


def test_readers_leave_no_child_behind_when_they_are_left_in_the_middle(commanded):
    with pytest.raises(KeyboardInterrupt), Readers() as readers:
        pids = [asked(readers, answering("(os.getpid(),)")) for _ in range(2)]
        children = {pid for one in pids for pid in one()}
        for _ in range(50):
            readers.begin(answering("()", "time.sleep(0.3)").encode(), "a.xlsx")
        began = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - began < 5
    assert all(map(is_gone, children))
