"""The same home published in 24 environments, twice in each: one release; and by older readers.

Belongs here: what takes minutes. Does not: what a release holds (integration/test_release.py).
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

pytestmark = pytest.mark.long

PROJECT = Path(__file__).parents[2]
ROUNDS = (2024, 2025)
N_ENVIRONMENTS, N_FROM_THE_START = 24, 4
DEFAULT = {"umask": 0o022, "cpus": {0, 1}, "TZ": "UTC", "LC_ALL": "C.UTF-8"}

Files = Mapping[str, tuple[bytes, int]]


def environments() -> list[dict[str, Any]]:
    """What differs in each; no two are the same."""
    varied = {
        "OMP_NUM_THREADS": ("1", "2", "8"),
        "cpus": ({0}, {0, 1}),
        "TZ": ("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "Etc/GMT+12"),
        "LC_ALL": ("C", "C.UTF-8", "sv_SE.UTF-8", "tr_TR.UTF-8"),
        "PYTHONHASHSEED": ("0", "1", "4711", "random", "31415", "2", "99"),
        "umask": (0o000, 0o022, 0o027, 0o077),
        "cwd": (PROJECT, Path("/"), PROJECT.parent),
    }
    made = [
        dict(zip(varied, values, strict=True))
        for values in islice(zip(*map(cycle, varied.values()), strict=False), N_ENVIRONMENTS)
    ]
    assert len({str(one) for one in made}) == N_ENVIRONMENTS
    return made


def nns(settings: Settings, environment: Mapping[str, Any], *arguments: str) -> str:
    """Runs a command in an environment; gives what it says."""
    named = {name: value for name, value in environment.items() if name.isupper()}
    folders = {"NNS_RAW": str(settings.raw), "NNS_HOME": str(settings.home)}
    cpus = environment["cpus"] & os.sched_getaffinity(0) or os.sched_getaffinity(0)
    run = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        cwd=environment.get("cwd", PROJECT),
        env={**os.environ, "PYTHONPATH": str(PROJECT), **named, **folders},
        umask=environment["umask"],
        preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def published(settings: Settings) -> Files:
    """Every file and folder of the releases: bytes and mode."""
    return {
        p.relative_to(settings.published).as_posix(): (
            p.read_bytes() if p.is_file() else b"",
            stat.S_IMODE(p.stat().st_mode),
        )
        for p in settings.published.rglob("*")
        if not p.is_symlink()
    }


def forget(settings: Settings) -> None:
    """Makes the home one that has never published."""
    for folder in (settings.published, settings.told):
        shutil.rmtree(folder)


def hashes(files: Files) -> dict[str, str]:
    """The release hash by round and number."""
    manifests = (path for path in files if path.endswith("/manifest.json"))
    return {
        path.rpartition("/")[0]: json.loads(files[path][0])["release_hash"] for path in manifests
    }


def compared(files: Files, *, is_same_home: bool = True) -> dict[str, tuple[bytes, int]]:
    """All but databases, whose bytes are never the same twice.

    The fingerprint of the marts is made from the lake's manifest, which has the names of files.
    """
    kept = {path: it for path, it in files.items() if not path.endswith(".duckdb")}
    if is_same_home:
        return kept
    return {path: (without_marts(content), mode) for path, (content, mode) in kept.items()}


def without_marts(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b'  "marts": '))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home whose marts are built and of which nothing is published."""
    folder = tmp_path_factory.mktemp("first")
    settings = Settings(folder / "raw", folder / "home")
    write_landing_zone(settings.raw, rounds=list(ROUNDS), associations=3, questionnaires=40)
    nns(settings, DEFAULT, "run")
    return settings


@pytest.fixture(scope="module")
def first(home: Settings) -> Files:
    """What is published where nothing is special."""
    files = published(home)
    assert set(hashes(files)) == {f"{round_}/1" for round_ in ROUNDS}
    return files


def published_anew(home: Settings, environment: Mapping[str, Any], folder: Path) -> list[Files]:
    """What a copy of the home publishes, and publishes again after it has forgotten that."""
    copy = Settings(home.raw, folder / "another home")
    shutil.copytree(home.home, copy.home, symlinks=True)
    found = []
    for _ in range(2):
        forget(copy)
        for round_ in ROUNDS:
            nns(copy, environment, "publish", "--round", str(round_))
        found.append(published(copy))
    return found


def run_anew(home: Settings, environment: Mapping[str, Any], folder: Path) -> list[Files]:
    """What two runs publish of the same contents in other files, written in another order."""
    found = []
    for number in range(2):
        copy = Settings(folder / f"raw {number}", folder / f"home {number}")
        shutil.copytree(home.raw / "register", copy.raw / "register")
        folders = ("2*", "outcomes", "indicator_11")
        paths = sorted((p for f in folders for p in home.raw.glob(f"{f}/*")), reverse=True)
        for place, path in enumerate(paths):
            there = copy.raw / path.parent.name / f"{place:02} {number} leverans å{path.suffix}"
            there.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, there)
            at = path.stat().st_mtime_ns + (place + 1) * 10**9
            os.utime(there, ns=(at, at))
        nns(copy, environment, "run")
        found.append(published(copy))
    return found


@pytest.mark.parametrize("number", range(N_ENVIRONMENTS))
def test_every_environment_publishes_the_same_bytes_twice(
    home: Settings, first: Files, number: int, tmp_path: Path
) -> None:
    environment = environments()[number]
    is_same_home = number % (N_ENVIRONMENTS // N_FROM_THE_START) > 0
    make = published_anew if is_same_home else run_anew
    wanted = compared(first, is_same_home=is_same_home)
    for files in make(home, environment, tmp_path):
        assert hashes(files) == hashes(first)
        found = compared(files, is_same_home=is_same_home)
        assert found.keys() == wanted.keys()
        assert [path for path in found if found[path] != wanted[path]] == []


def test_what_is_compared_is_nearly_all_of_it(first: Files) -> None:
    assert len(first) - len(compared(first)) == len(ROUNDS)
    assert len(compared(first)) > 120
    differing = [p for p, it in compared(first, is_same_home=False).items() if it != first[p]]
    assert sorted(differing) == [f"{round_}/1/manifest.json" for round_ in ROUNDS]


# --- readers of the database --------------------------------------------------------------------

READ = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
tables = [name for (name,) in connection.execute(
    "select table_name from duckdb_tables() order by all").fetchall()]
rows = {name: connection.execute(f"from {name} order by all").fetchall() for name in tables}
print(json.dumps([duckdb.__version__, rows], default=str))
"""


def read(path: Path, packages: Path | None = None) -> Any:
    """The version that reads, and every row of every table."""
    environment = {**os.environ, "PYTHONPATH": str(packages or "")}
    run = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        env=environment,
        cwd=path.parent,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("version", ["1.1.3", "1.4.1"])
def test_an_older_duckdb_reads_every_row_of_the_released_database(
    home: Settings, first: Files, version: str, tmp_path: Path
) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    made = subprocess.run(
        [*pip, str(tmp_path), f"duckdb=={version}"], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"NOT TRIED: duckdb {version} cannot be installed: {made.stderr.strip()}")
    for round_ in ROUNDS:
        path = home.published / str(round_) / "1" / "open" / f"nns_indikatorer_{round_}.duckdb"
        by, rows = read(path, tmp_path)
        assert by == version
        assert rows == read(path)[1]
        assert len(rows["measure_results"]) > 1000
