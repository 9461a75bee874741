"""Home folders before, during and after a run that went wrong: what is whole, and what it says.

Belongs here: starting runs (launcher.py), looking at what they left, and running on from there.
Does not: making anything go wrong (the tests).
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines import audit, database, lake
from pipelines.release import assemble
from pipelines.settings import Settings

PROJECT = Path(__file__).parent.parent.parent
LONGEST = 300.0  # seconds; a run takes a twentieth of that


class Launcher:
    """A process that has imported everything and forks runs, see launcher.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py"))],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reply()

    def start(self, settings: Settings, *verb: str, out: Path, **how: object) -> int:
        """Starts a run; gives its process."""
        folders = ["--raw", str(settings.raw), "--home", str(settings.home)]
        return self._ask({"start": [*verb, *folders], "out": str(out), **how})["pid"]

    def ended(self, pid: int, seconds: float = LONGEST) -> int | None:
        """How a run ended, a signal as its negative number; None if it goes on."""
        return self._ask({"wait": pid, "seconds": seconds})["code"]

    def run(self, settings: Settings, *verb: str, **how: object) -> int:
        """Runs to the end.

        Raises:
            AssertionError: it did not end.
        """
        out = settings.home.parent / f"{settings.home.name}.out"
        code = self.ended(self.start(settings, *verb, out=out, **how))
        assert code is not None, f"{verb} did not end: {out.read_text()}"
        return code

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _ask(self, request: dict) -> dict:
        assert self._process.stdin
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._reply()

    def _reply(self) -> dict:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the launcher is gone"
        return json.loads(line)


# --- what a home folder says ----------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What people can see of a home folder.

    Attributes:
        marts: hash of all that the snapshot holds; empty without one.
        releases: the release hash of each, by round and number.
        counting: the deliveries that count, by file and content.
        logged: the last act on each delivery, and the releases, as the audit log has them.
    """

    marts: str = ""
    releases: tuple[tuple[str, str], ...] = ()
    counting: frozenset[tuple[str, str]] = frozenset()
    logged: frozenset[tuple[str, ...]] = frozenset()


def said(settings: Settings) -> Said:
    """What a home folder says, everything in it read back.

    Raises:
        AssertionError: something in it is not whole.
    """
    manifest = lake.read_manifest(settings)
    log = audit.read(settings)
    assert log.faults == (), log.faults
    for d in manifest.counting():
        assert lake.is_whole(settings, d), f"what was read of {d.file} is gone"
    return Said(
        marts=database.content_hash(settings.snapshot) if settings.snapshot.exists() else "",
        releases=tuple(_releases(settings)),
        counting=frozenset((d.file, d.sha256) for d in manifest.counting()),
        logged=frozenset(_logged(log)),
    )


def _releases(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each release with its hash, held against the bytes of its files."""
    for folder in sorted(settings.published.glob("[0-9]*/[0-9]*")):
        manifest = json.loads((folder / assemble.MANIFEST).read_bytes())
        listed = {entry["path"]: entry for entry in manifest["files"]}
        there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
        assert there == {*listed, assemble.MANIFEST}, folder
        for path, entry in listed.items():
            if entry.get("hash_of") != "content":
                found = hashlib.sha256((folder / path).read_bytes()).hexdigest()
                assert found == entry["sha256"], folder / path
        yield folder.relative_to(settings.published).as_posix(), manifest["release_hash"]
    for link in settings.published.glob("**/latest"):
        assert (link / assemble.MANIFEST).exists(), f"{link} points at nothing"


def _logged(log: audit.Log) -> Iterator[tuple[str, ...]]:
    for delivery, line in log.states.items():
        yield delivery, line.act.act
    for line in log.lines:
        if line.act.act == "release":
            yield "release", str(line.act.round), str(line.act.counts["release"])


def assert_old_or_new(now: Said, old: Said, new: Said) -> None:
    """What people go by is the old or the new one, whole; and no delivery that counted is lost."""
    assert now.marts in (old.marts, new.marts), "the snapshot is neither the old nor the new one"
    assert now.releases in (old.releases, new.releases), "a release is neither old nor new"
    assert now.counting in (old.counting, new.counting), "a delivery is lost"


def bytes_of(folder: Path) -> str:
    """A hash of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


# --- running on -----------------------------------------------------------------------------------

_NOT_READ = re.compile(
    r"^work/(warehouse|changed_)|"  # removed or written anew by the next build
    r"(^|/)\.[^/]*\.part"  # swept at once
    r"|^dagster/|^logs/|^last_run\.json$|^\.lock$|^status\.html$"  # decide nothing
    r"|^marts\.duckdb$|^published/|^audit\."  # compared by what they say
)


def state_of(settings: Settings, now: Said) -> str:
    """The same for two home folders from which a run goes on in the same way.

    The working database is left out where the next build begins by removing it; what people can see
    is compared by what it says, since times and databases are never the same twice.
    """
    whole = (settings.home / "work" / "built_from").exists()
    digest = hashlib.sha256(repr((now.marts, now.releases, sorted(now.logged), whole)).encode())
    digest.update(repr([line.act for line in audit.read(settings).lines]).encode())
    for path in sorted(p for p in settings.home.rglob("*") if p.is_file()):
        name = path.relative_to(settings.home).as_posix()
        if _NOT_READ.search(name):
            continue
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class Recoveries:
    """The next run after something went wrong, which must end as if nothing had.

    Verb by verb, until the home folder is in a state from which the rest is known: from two equal
    states a run goes the same way. Every twentieth is one `nns run` to the end, whatever is known.
    """

    def __init__(self, launcher: Launcher, known: Path, every: int = 20) -> None:
        self._launcher, self._known, self._every = launcher, known, every
        self._seen = 0

    def know(self, settings: Settings, new: Said) -> None:
        """Learns that a run from here says this in the end."""
        self._state(settings, new).touch()

    def is_due(self, settings: Settings, new: Said) -> bool:
        """Whether a run from here is to be made."""
        self._seen += 1
        return not (self._seen % self._every and self._state(settings, new).exists())

    def assert_next_run_is_right(self, settings: Settings, new: Said) -> None:
        """The next run, if it is due, ends with what one says that was never killed.

        Raises:
            AssertionError: it fails, or says something else.
        """
        if not self.is_due(settings, new):
            return
        here = self._state(settings, new)
        for verb in ("load", "check", "build") if self._seen % self._every else ():
            self._run(settings, verb)
            if self._state(settings, new).exists():
                break
        else:
            self._run(settings, "run")
            assert said(settings) == new, "it says something else than one never killed"
        left = list(settings.home.rglob(".*.part*"))
        assert left == [], f"left half written: {left}"
        here.touch()

    def _run(self, settings: Settings, verb: str) -> None:
        code = self._launcher.run(settings, verb)
        assert code == 0, settings.home.with_name(f"{settings.home.name}.out").read_text()

    def _state(self, settings: Settings, new: Said) -> Path:
        leads_to = f"{state_of(settings, said(settings))} {new}"
        return self._known / hashlib.sha256(leads_to.encode()).hexdigest()


# --- situations -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Situation:
    """A landing zone, a home folder before the run, and what it says before and after.

    Attributes:
        staged: the home folder as it is before the run, and after its first verbs.
        seconds: how long the run takes.
    """

    raw: Path
    staged: dict[str, Path]
    old: Said
    new: Said
    seconds: float

    def home(self, place: Path, after: str = "") -> Settings:
        """A copy of the home folder in a folder of its own, as it is after a verb of the run."""
        settings = Settings(self.raw, place / "home")
        place.mkdir(parents=True, exist_ok=True)
        if self.staged[after].exists():
            copy(self.staged[after], settings.home)
        return settings


def copy(home: Path, to: Path) -> None:
    """A home folder as it is at this moment, as a process that is killed now leaves it."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(home, to, symlinks=True)


def situation(
    launcher: Launcher, recoveries: Recoveries, place: Path, raw: Path, before: Path | None
) -> Situation:
    """Runs once without a fault, verb by verb, and keeps the home folder after each."""
    place.mkdir()
    staged = {"": place / "staged-"}
    settings = Settings(raw, place / "home")
    if before:
        copy(before, settings.home)
        copy(before, staged[""])
    old = said(settings)
    began = time.monotonic()
    for verb in ("load", "check", "build"):
        assert launcher.run(settings, verb) == 0, (place / "home.out").read_text()
        staged[verb] = place / f"staged-{verb}"
        copy(settings.home, staged[verb])
    assert launcher.run(settings, "run") == 0, (place / "home.out").read_text()
    seconds = time.monotonic() - began
    staged["run"], new = settings.home, said(settings)
    for home in staged.values():
        recoveries.know(Settings(raw, home), new)
    return Situation(raw, staged, old, new, seconds)


def kill_all(pid: int, number: int = signal.SIGKILL) -> None:
    """Sends a signal to a run and what it started."""
    os.killpg(pid, number)
