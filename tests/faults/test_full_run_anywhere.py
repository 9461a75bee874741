"""A whole run where little is given: no network, no rights, a strange path, nothing to write to.

Belongs here: that `nns run` and `make run` make the same of the same files there as anywhere. Does
not: what processes ask of the network (test_network.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp

import duckdb
import frozen
import pytest

PROJECT = Path(__file__).parents[2]
NOBODY = 65534
DAY = "2020-01-15"
"""Of the sample's seven rounds a run publishes the first, which is over sooner."""

STOPPED_CLOCK = f"""
from datetime import date
from pipelines import swedish
swedish.current_day = lambda: date.fromisoformat({DAY!r})
"""
NAME = "Förbundens mått, å till ö"

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")),
        reason="needs root, unshare and setpriv (util-linux)",
    ),
]


# --- the place ----------------------------------------------------------------------------------


@pytest.fixture
def place() -> Iterator[Path]:
    """A copy of the project that its owner may write in, and a raw/ beside it that nobody may."""
    above = Path(mkdtemp(prefix="nns prov å "))
    above.chmod(0o755)
    project, raw = above / NAME / "projektet", above / NAME / "råa filer"
    copy_of_project(project)
    shutil.move(project / "raw", raw)
    for path in (above / NAME, *project.rglob("*"), project):
        os.chown(path, NOBODY, NOBODY)
    for path in (raw, *raw.rglob("*")):
        os.chown(path, 0, NOBODY)
        path.chmod(0o550 if path.is_dir() else 0o440)
    (above / "clock").mkdir()
    (above / "clock" / "sitecustomize.py").write_text(STOPPED_CLOCK)
    (above / "clock").chmod(0o755)
    yield above / NAME
    shutil.rmtree(above)


def copy_of_project(where: Path) -> None:
    """The files that git keeps, with their times: of two deliveries, the newer one counts."""
    listed = ["git", "-c", f"safe.directory={PROJECT}", "-C", str(PROJECT), "ls-files", "-z"]
    kept = subprocess.run(listed, check=True, capture_output=True).stdout.decode()
    for name in filter(None, kept.split("\0")):
        if (PROJECT / name).exists():
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, where / name)


def shown(paths: Sequence[Path]) -> Iterator[str]:
    """Lets all users reach some folders: in a mount namespace, each closed folder above them is
    replaced by an empty one in which only they are."""
    for path in paths:
        closed = [p for p in path.parents if p.stat().st_mode & 0o005 != 0o005]
        if closed:
            yield "stash=$(mktemp -d)"
            yield f'mount --bind {shlex.quote(str(path))} "$stash"'
            top = shlex.quote(str(closed[-1]))
            yield f"test -e {top}/.shown || {{ mount -t tmpfs -o mode=755 none {top}; "
            yield f"touch {top}/.shown; }}"
            yield f"mkdir -p {shlex.quote(str(path))}"
            yield f'mount --bind "$stash" {shlex.quote(str(path))}'


def apart(command: Sequence[str], raw: Path) -> list[str]:
    """A command with no network, as nobody, with a raw/ on a read-only file system."""
    folder = shlex.quote(str(raw))
    needed = [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()]
    as_nobody = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
    script = [
        "set -e",
        *shown(needed),
        f"mount --bind {folder} {folder}",
        f"mount -o remount,ro,bind {folder}",
        shlex.join(["exec", "setpriv", *as_nobody, *command]),
    ]
    return ["unshare", "--mount", "--net", "sh", "-c", "\n".join(script)]


def environment(place: Path, **more: str) -> dict[str, str]:
    """Little: no home, no settings of pytest's; the program of that place on a day in the past."""
    program = f"{place / 'projektet'}:{place.parent / 'clock'}"
    given = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": program}
    return {**given, "HOME": "/nonexistent", **more}


# --- what came of it ----------------------------------------------------------------------------


def releases(home: Path) -> dict[str, str]:
    """Release hashes by round and number."""
    manifests = (home / "published").glob("[0-9]*/[0-9]*/manifest.json")
    return {
        f"{path.parts[-3]}/{path.parts[-2]}": json.loads(path.read_bytes())["release_hash"]
        for path in sorted(manifests)
    }


def marts(home: Path) -> dict[str, str]:
    """A hash of each mart's rows."""
    found = {}
    with duckdb.connect(str(home / "marts.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by all"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f"from marts.marts.{table} order by all").fetchall()
            found[table] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run of the sample as anyone makes it."""
    home = tmp_path_factory.mktemp("ordinary") / "home"
    run = subprocess.run(
        frozen.nns(DAY, "run", "--home", str(home)),
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if not name.startswith("NNS_")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return home


def test_a_run_needs_no_network_no_rights_and_no_plain_path(place: Path, ordinary: Path) -> None:
    """Then `make run`, with an environment that is there: to make one takes the network."""
    raw, home = place / "råa filer", place / "projektet" / "det som görs"
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (raw, *raw.rglob("*"))}
    command = [sys.executable, "-m", "pipelines.cli", "run", "--raw", str(raw), "--home", str(home)]
    run = subprocess.run(
        apart(command, raw),
        cwd=place / "projektet",
        env=environment(place),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr + run.stdout
    assert run.stderr == ""
    assert (home / "marts.duckdb").stat().st_uid == NOBODY
    assert list(releases(home)) == ["2019/1"]
    assert releases(home) == releases(ordinary)
    assert marts(home) == marts(ordinary) != {}
    venv = place / "projektet" / ".venv"
    venv.mkdir()
    (venv / "bin").symlink_to(Path(sys.prefix) / "bin")
    (venv / ".ready").touch()
    folders = {"NNS_RAW": str(raw), "NNS_HOME": str(home)}
    again = subprocess.run(
        apart(["make", "run"], raw),
        cwd=place / "projektet",
        env=environment(place, **folders),
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr + again.stdout
    assert again.stdout.startswith("Inget nytt sedan senaste körningen.")
    assert str(home / "marts.duckdb") in again.stdout
    after = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (raw, *raw.rglob("*"))}
    assert after == before


# --- what trips it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "does",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import os, sys; open(os.path.join(sys.argv[1], 'new'), 'w')",
        "import os, sys; os.utime(sys.argv[1])",
        "open('/etc/shadow')",
        "import os; os.setuid(0)",
    ],
)
def test_there_is_no_network_no_right_and_nothing_to_write_to(place: Path, does: str) -> None:
    raw = place / "råa filer"
    run = subprocess.run(
        apart([sys.executable, "-c", does, str(raw)], raw),
        cwd=place / "projektet",
        env=environment(place),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "OSError" in run.stderr or "PermissionError" in run.stderr
