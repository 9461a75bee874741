"""The disk is full or answers with an error: nothing is lost, and the next run is right.

The verbs of a run are taken one by one, each from the home folder the one before left.
"""

import fcntl
import pickle
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest
from disks import WRITING, Call, Fault, calls, disk, resize, traced, used, watched
from homes import Launcher, Recoveries, Said, Situation, assert_old_or_new, bytes_of, said

from pipelines.settings import Settings

pytestmark = pytest.mark.faults

_SITUATIONS = ("first_run", "late_files")
_VERBS = {
    "load": ("", ("load",)),
    "check": ("load", ("check",)),
    "build": ("check", ("build",)),
    "publish": ("build", ("publish", "--round", "2025")),
}
"""What each does, and from which home folder."""

_TOLD = (
    "Disken är full",
    "Disken svarar med fel",
    "Disken är full eller svarar med fel",
    "Databasen är inte hel",
)
_PAGE = 4096

# --- where a call fails ---------------------------------------------------------------------------

_HISTORY = r"^dagster/(history|schedules)/"
_FULL, _BROKEN = "ENOSPC", "EIO"

_CALLS = {
    "load": [
        (r"^\.lock$", "write", _FULL, (0.0,)),
        (r"^lake/", "write", _FULL, (0.0, 0.6, 1.0)),
        (r"^lake/", "fsync", _BROKEN, (0.0, 1.0)),
        (r"^lake/", "rename", _BROKEN, (0.3, 1.0)),
        (r"^audit\.jsonl$", "write", _FULL, (0.0,)),
        (r"^audit\.jsonl$", "fsync", _BROKEN, (0.0,)),
        (r"^\.audit\.head", "rename", _FULL, (1.0,)),
        (r"^\.status", "fsync", _BROKEN, (0.0,)),
        (r"^\.last_run", "write", _FULL, (0.0,)),
        (r"^\.last_run", "rename", _BROKEN, (0.0,)),
        (_HISTORY, "pwrite64", _FULL, (0.3,)),
        (_HISTORY, "fdatasync", _BROKEN, (0.7,)),
    ],
    "check": [
        (r"^receipts/", "write", _FULL, (0.0, 1.0)),
        (r"^receipts/", "fsync", _BROKEN, (0.5,)),
        (r"^receipts/", "rename", _BROKEN, (1.0,)),
        (r"^lake/\.manifest", "rename", _FULL, (1.0,)),
    ],
    "build": [
        (r"^work/warehouse\.duckdb$", "pwrite64", _FULL, (0.4,)),
        (r"^work/warehouse\.duckdb$", "fsync", _BROKEN, (0.0,)),
        (r"^work/warehouse\.duckdb\.wal$", "write", _FULL, (0.2,)),
        (r"^work/\.built_from", "write", _FULL, (0.0,)),
        (r"^\.marts\.duckdb\.part$", "pwrite64", _FULL, (0.4,)),
        (r"^\.marts\.duckdb\.part$", "fsync", _BROKEN, (0.0,)),
        (r"^\.marts\.duckdb\.part$", "rename", _BROKEN, (0.0,)),
        (r"^\.$", "fsync", _BROKEN, (0.5,)),
    ],
    "publish": [
        (r"^told/", "write", _FULL, (0.0,)),
        (r"^published/", "write", _FULL, (0.0, 1.0)),
        (r"^published/", "pwrite64", _FULL, (0.4,)),
        (r"^published/", "fsync", _BROKEN, (1.0,)),
        (r"^published/", "rename", _BROKEN, (0.0, 1.0)),
        (r"^published/", "symlink", _FULL, (1.0,)),
        (r"^audit\.jsonl$", "write", _FULL, (0.0,)),
    ],
}
"""By verb: on which files what call fails how, and how far on among those of an unfaulted run.

DuckDB shares its work among threads as it comes, and calls are counted by thread: of its files none
of the last calls is taken, which another thread may make the next time.
"""

_GOES_ON = {
    (_HISTORY, "pwrite64"): "SQLite moves what is safe in its log to its file, and tries again",
    (_HISTORY, "fdatasync"): "as above; and of a folder it takes no answer",
    (r"^work/warehouse\.duckdb$", "pwrite64"): "DuckDB does the same when a database is closed",
    (r"^work/warehouse\.duckdb$", "fsync"): "as above",
}
"""Where a single failing call need not stop a run: the database still has it in its log."""


@dataclass(frozen=True)
class Place:
    """Where a call fails, see _CALLS."""

    verb: str
    files: str
    call: str
    error: str
    share: float
    onwards: bool = False

    def __str__(self) -> str:
        words = (self.verb, self.files, self.call, self.error, self.share, "on" * self.onwards)
        return " ".join(str(word) for word in words if word != "")


def _places() -> Iterator[tuple[str, Place]]:
    """All of them after a late file too, each second one without any; some from then on."""
    listed = [
        Place(verb, files, call, error, share)
        for verb, kinds in _CALLS.items()
        for files, call, error, shares in kinds
        for share in shares
    ]
    for number, place in enumerate(listed):
        yield _SITUATIONS[number % 2], place
    yield "first_run", Place("load", r"^lake/", "fsync", _BROKEN, 0.3, onwards=True)
    yield "late_files", Place("check", _HISTORY, "pwrite64", _FULL, 0.5, onwards=True)
    yield "first_run", Place("check", _HISTORY, "fdatasync", _BROKEN, 0.2, onwards=True)
    yield "late_files", Place("publish", r"^published/", "rename", _FULL, 0.0, onwards=True)


# --- a run without a fault ------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """A verb in a situation, done without a fault.

    Attributes:
        needs: the bytes it takes on the disk at its most, beyond those there before.
        calls: on files of the home folder, in their order.
    """

    needs: int
    calls: list[Call]


class Recorder:
    """Does each verb once without a fault, for all workers."""

    def __init__(self, launcher: Launcher, place: Path, kept: Path) -> None:
        self._launcher, self._place, self._kept = launcher, place, kept

    def known(self, name: str, situation: Situation, verb: str) -> Known:
        kept = self._kept / f"{name}-{verb}"
        with self._kept.joinpath(f"{name}-{verb}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                kept.write_bytes(pickle.dumps(self._recorded(situation, verb)))
        return pickle.loads(kept.read_bytes())

    def _recorded(self, situation: Situation, verb: str) -> Known:
        after, arguments = _VERBS[verb]
        with made(self._place) as at, disk(at / "disk"):
            settings = situation.home(at / "disk", after)
            before = used(at / "disk")
            with watched(at / "disk") as most:
                traced_calls = ["-e", f"trace={','.join(WRITING)}"]
                out = at / "out"
                code, seen = traced(self._launcher, settings, arguments, out, traced_calls)
            assert code == 0, out.read_text()
            return Known(most[0] - before, list(calls(seen, settings.home)))


@contextmanager
def made(place: Path) -> Iterator[Path]:
    """A new folder, there meanwhile."""
    folder = Path(mkdtemp(dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def recorder(launcher: Launcher, place: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    kept = tmp_path_factory.getbasetemp().parent / "recorded"
    kept.mkdir(exist_ok=True)
    return Recorder(launcher, place, kept)


# --- the tests ------------------------------------------------------------------------------------

_SHARES = (0.0, 0.15, 0.4, 0.6, 0.9)

_ROOM = [
    *(
        (verb, share, name)
        for name in _SITUATIONS
        for verb in ("load", "check")
        for share in _SHARES
    ),
    *(("build", share, "late_files") for share in (0.05, 0.3, 0.95)),
    *(("publish", share, "first_run") for share in (0.0, 0.4, 0.95)),
]
"""How much there is of the room that a verb needs, and when; what costs more is tried less."""


@pytest.mark.parametrize(("verb", "share", "situation"), _ROOM)
def test_a_disk_that_gets_full_leaves_the_old_or_the_new_and_with_room_it_is_done_again(
    verb: str,
    share: float,
    situation: str,
    request: pytest.FixtureRequest,
    launcher: Launcher,
    recoveries: Recoveries,
    recorder: Recorder,
    place: Path,
) -> None:
    known: Situation = request.getfixturevalue(situation)
    needs = recorder.known(situation, known, verb).needs
    after, arguments = _VERBS[verb]
    landed = bytes_of(known.raw)
    with made(place) as at, disk(at / "disk"):
        settings, out = known.home(at / "disk", after), at / "out"
        room = used(at / "disk") + int(needs * share)
        resize(at / "disk", max(_PAGE, room // _PAGE * _PAGE))
        code = launcher.ended(launcher.start(settings, *arguments, out=out))
        assert_told(code, out.read_text())
        assert_old_or_new(said(settings), known.old, known.new)
        resize(at / "disk", 2 * room + 2**28)
        assert_done_again(launcher, recoveries, settings, known, verb)
    assert bytes_of(known.raw) == landed


@pytest.mark.parametrize(("situation", "where"), list(_places()), ids=str)
def test_a_call_that_fails_leaves_the_old_or_the_new_and_it_is_done_again(
    where: Place,
    situation: str,
    request: pytest.FixtureRequest,
    launcher: Launcher,
    recoveries: Recoveries,
    recorder: Recorder,
    place: Path,
) -> None:
    known: Situation = request.getfixturevalue(situation)
    fault = fault_of(where, recorder.known(situation, known, where.verb).calls)
    after, arguments = _VERBS[where.verb]
    landed = bytes_of(known.raw)
    with made(place) as at:
        settings, out = known.home(at, after), at / "out"
        code, seen = traced(launcher, settings, arguments, out, fault.options(settings.home))
        assert "(INJECTED)" in seen, f"{fault} was never reached"
        now = said(settings)
        if code == 0 and not where.onwards and (where.files, where.call) in _GOES_ON:
            assert seen_by_people(now) == done(known, where.verb), out.read_text()
        else:
            assert_told(code, out.read_text())
        assert_old_or_new(now, known.old, known.new)
        assert_done_again(launcher, recoveries, settings, known, where.verb)
    assert bytes_of(known.raw) == landed


def fault_of(where: Place, made: list[Call]) -> Fault:
    """The call of a run without a fault that is to fail."""
    of_kind = [c for c in made if c.name == where.call and re.search(where.files, c.path)]
    assert of_kind, f"a run does not come to {where}"
    return Fault(of_kind[round(where.share * (len(of_kind) - 1))], where.error, where.onwards)


def assert_told(code: int | None, told: str) -> None:
    """It ended with code 2 and one Swedish line that says what is wrong and what to do."""
    assert code == 2, told
    lines = told.splitlines()
    assert [line[:5] for line in lines] == ["nns: "], told
    assert re.search(rf"({'|'.join(_TOLD)})( \(/[^)]+\))?\. .*kör samma kommando igen", told), told


def assert_done_again(
    launcher: Launcher, recoveries: Recoveries, settings: Settings, known: Situation, verb: str
) -> None:
    """The next run ends as if nothing had happened.

    It is the verb that failed, done again, which leads to a state that is known already from the
    run without a fault; otherwise all of it.
    """
    code = launcher.run(settings, *_VERBS[verb][1])
    assert code == 0, settings.home.with_name(f"{settings.home.name}.out").read_text()
    assert seen_by_people(said(settings)) == done(known, verb)
    recoveries.assert_next_run_is_right(settings, known.new)


def done(known: Situation, verb: str) -> tuple[object, ...]:
    """What people see when a verb is done."""
    after = known.staged["run" if verb == "publish" else verb]
    return seen_by_people(said(Settings(known.raw, after)))


def seen_by_people(said: Said) -> tuple[object, ...]:
    return said.marts, said.releases, said.counting
