"""A release appears whole or not at all, is numbered, never touched again, and always the same."""

import csv
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from content import content
from released import EXEMPELBYGDEN, OVREBYGD, WRITERS, basis, no_pages, with_cells

from pipelines.lock import BusyError
from pipelines.release import csvs, duck, parquet
from pipelines.release.assemble import (
    Assembled,
    LinkError,
    NoFileError,
    Source,
    assemble,
    releases,
)
from pipelines.release.changes import Change
from pipelines.release.table import Content
from pipelines.release.verify import UnequalError
from pipelines.settings import Settings

FEW = (csvs.write, parquet.write)
CORRECTED = Source(EXEMPELBYGDEN.association_id, "f" * 64)
CHILD = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
sys.path[:0] = {folders}
from content import content
from released import WRITERS, basis, no_pages
from pipelines.release import assemble as assembling, csvs, parquet
from pipelines.settings import Settings

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def kill_at(call, function):
    left = [call]
    def count(*arguments, **named):
        left[0] -= 1
        return function(*arguments, **named) if left[0] else kill()
    return count

writers = {writers}
{change}
settings = Settings(Path("raw"), Path(sys.argv[1]))
made = assembling.assemble(settings, content(), basis(), writers, no_pages)
print(made.release_hash)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "raw", tmp_path / "home")


def child(
    home: Path, writers: str, change: str = "", **options: Any
) -> subprocess.CompletedProcess[str]:
    """Makes a release in another process, which may be changed so that it kills itself."""
    tests = Path(__file__).parents[1]
    folders = [str(tests), str(tests.parent)]
    program = CHILD.format(folders=folders, writers=writers, change=change)
    command = [sys.executable, "-c", program, str(home)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def corrected() -> Content:
    where = {"level": "association", "unit_id": "exempelbygden", "measure_id": "1a", "gender": "T"}
    cells = {"n_positive": 34, "share": Decimal("85.0")}
    return with_cells(content(), "measure_results", where, **cells)


def manifest_of(made: Assembled) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made.folder / "manifest.json").read_bytes())
    return found


def changes_of(made: Assembled) -> list[list[str]]:
    with (made.folder / "CHANGES.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def tree(folder: Path) -> dict[str, bytes]:
    """All files by their path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def state(folder: Path) -> list[tuple[str, int, int]]:
    """When and how everything in a folder was written."""
    found = ((path, path.stat()) for path in sorted([folder, *folder.rglob("*")]))
    return [(str(path), s.st_mtime_ns, s.st_mode) for path, s in found]


# --- what is there ------------------------------------------------------------------------------


def test_the_manifest_lists_every_file_as_it_is(settings: Settings) -> None:
    made = assemble(settings, content(), basis(), WRITERS, no_pages)
    assert made.folder == settings.home / "published" / "2026" / "1"
    files, listed = tree(made.folder), manifest_of(made)["files"]
    assert [file["path"] for file in listed] == sorted(files.keys() - {"manifest.json"})
    for file in listed:
        of = files[file["path"]]
        if "hash_of" not in file:
            assert file["sha256"] == hashlib.sha256(of).hexdigest()
            assert file["bytes"] == len(of)
    assert [f["path"] for f in listed if "hash_of" in f] == ["open/nns_indikatorer_2026.duckdb"]
    rows = {file["path"]: file["rows"] for file in listed if "rows" in file}
    for name, table in content().tables.items():
        assert rows[f"open/csv/{name}.csv"] == rows[f"open/parquet/{name}.parquet"]
        assert rows[f"open/csv/{name}.csv"] == len(table.rows)
    assert rows["CHANGES.csv"] == 0


def test_the_manifest_tells_what_a_release_rests_on(settings: Settings) -> None:
    made = assemble(settings, content(), basis(), FEW, no_pages)
    told = manifest_of(made)
    lines = "".join(f"{file['path']} {file['sha256']}\n" for file in told.pop("files"))
    assert told == {
        "round": 2026,
        "release": 1,
        "previous": None,
        "synthetic": True,
        "code": "0.1.0",
        "marts": "m",
        "trends": "t",
        "deliveries": [
            {"association_id": "exempelbygden", "sha256": "e" * 64},
            {"association_id": "ovrebygd", "sha256": "0" * 64},
        ],
        "certificate": {"is_clean": True},
        "release_hash": hashlib.sha256(lines.encode()).hexdigest(),
    }
    assert made.release_hash == told["release_hash"]


def test_the_hash_of_a_database_is_of_what_it_says(settings: Settings, tmp_path: Path) -> None:
    def made(statement: str) -> tuple[str, bytes]:
        """The listed hash, and the bytes, of a database in which something was done."""

        def also(release: Content, folder: Path) -> None:
            duck.write(release, folder)
            with duckdb.connect(str(folder / "open" / "nns_indikatorer_2026.duckdb")) as connection:
                connection.execute(statement)

        home = replace(settings, home=tmp_path / str(len(list(tmp_path.iterdir()))))
        release = assemble(home, content(), basis(), [also], no_pages)
        [file] = [file for file in manifest_of(release)["files"] if "hash_of" in file]
        assert file.keys() == {"path", "sha256", "hash_of"}
        return file["sha256"], (release.folder / file["path"]).read_bytes()

    plain, moved, commented = map(
        made,
        (
            "select 1",
            "create table other as from range(100000); drop table other",
            "comment on column counties.county_code is 'another'",
        ),
    )
    assert plain[0] == moved[0]
    assert plain[1] != moved[1]
    assert plain[0] != commented[0]


@pytest.mark.parametrize("umask", [0o077, 0])
def test_files_are_for_user_and_group_whatever_the_umask(settings: Settings, umask: int) -> None:
    before = os.umask(umask)
    try:
        made = assemble(settings, content(), basis(), FEW, no_pages)
    finally:
        os.umask(before)
    folders = [made.folder.parent.parent, made.folder.parent, made.folder]
    for path in (*folders, *made.folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o750 if path.is_dir() else 0o640), path


def test_the_first_release_changes_nothing(settings: Settings) -> None:
    made = assemble(settings, content(), basis(), FEW, no_pages)
    assert changes_of(made) == [["key", "old", "new", "reason", "is_synthetic"]]
    assert made.n_changes == 0


# --- one after another --------------------------------------------------------------------------


def test_the_same_again_is_no_new_release(settings: Settings) -> None:
    first = assemble(settings, content(), basis(), WRITERS, no_pages)
    before = state(settings.published)
    again = assemble(settings, content(), basis(marts="of another day"), WRITERS, no_pages)
    assert again == replace(first, is_new=False)
    assert [line for line in state(settings.published) if line not in before] == [
        line for line in state(settings.published) if Path(line[0]) == first.folder.parent
    ]


def test_other_deliveries_are_a_new_release_without_changes_other_code_is_none(
    settings: Settings,
) -> None:
    assemble(settings, content(), basis(), FEW, no_pages)
    redelivered = assemble(settings, content(), basis(CORRECTED, OVREBYGD), FEW, no_pages)
    renewed = assemble(settings, content(), basis(CORRECTED, OVREBYGD, code="0.2.0"), FEW, no_pages)
    assert [(m.number, m.is_new, m.n_changes) for m in (redelivered, renewed)] == [
        (2, True, 0),
        (2, False, 0),
    ]


def test_other_trends_are_a_new_release_of_which_the_pages_are_made_last(
    settings: Settings,
) -> None:
    reported: list[tuple[int, list[str], list[str]]] = []

    def pages(number: int, changes: Sequence[Change], folder: Path) -> None:
        there = sorted(path.name for path in folder.iterdir())
        reported.append((number, [change.key for change in changes], there))
        (folder / "site").mkdir()
        (folder / "site" / "index.html").write_text(f"Utgåva {number}", encoding="utf-8")

    made = [
        assemble(settings, content(), basis(trends=trends), FEW, pages)
        for trends in ("2025/1", "2025/1", "2025/2")
    ]
    assert [(m.number, m.is_new) for m in made] == [(1, True), (1, False), (2, True)]
    assert reported == [(1, [], ["CHANGES.csv", "open"]), (2, [], ["CHANGES.csv", "open"])]
    listed = json.loads((made[-1].folder / "manifest.json").read_bytes())["files"]
    assert "site/index.html" in [file["path"] for file in listed]


def test_a_correction_is_a_new_release_with_exactly_the_changed_cells(settings: Settings) -> None:
    first = assemble(settings, content(), basis(), WRITERS, no_pages)
    before = state(first.folder)
    second = assemble(settings, corrected(), basis(CORRECTED, OVREBYGD), WRITERS, no_pages)
    key = "measure_results/2026/association/exempelbygden/participant_ending/1a/T"
    assert changes_of(second)[1:] == [
        [f"{key}/n_positive", "35", "34", "ersatt leverans: exempelbygden", "true"],
        [f"{key}/share", "87,5", "85,0", "ersatt leverans: exempelbygden", "true"],
    ]
    assert (second.number, second.n_changes, second.is_new) == (2, 2, True)
    assert manifest_of(second)["previous"] == 1
    assert state(first.folder) == before
    assert releases(settings, 2026) == (first.folder, second.folder)


def test_two_files_of_one_association_are_told_from_one(settings: Settings) -> None:
    """Such as a workbook and web answers."""
    assemble(settings, content(), basis(), FEW, no_pages)
    both = basis(EXEMPELBYGDEN, CORRECTED, OVREBYGD)
    second = assemble(settings, corrected(), both, FEW, no_pages)
    assert {row[3] for row in changes_of(second)[1:]} == {"ersatt leverans: exempelbygden"}
    first_again = assemble(settings, content(), basis(), FEW, no_pages)
    assert first_again.number == 3
    assert first_again.n_changes == 2


def test_the_tenth_release_follows_the_ninth(settings: Settings) -> None:
    first = assemble(settings, content(), basis(), FEW, no_pages)
    for number in (2, 9, 10):
        shutil.copytree(first.folder, first.folder.with_name(str(number)))
    made = assemble(settings, corrected(), basis(), FEW, no_pages)
    assert made.number == 11
    assert [int(folder.name) for folder in releases(settings, 2026)] == [1, 2, 9, 10, 11]


def test_latest_points_at_the_newest_release_of_the_newest_round(settings: Settings) -> None:
    def pointed() -> list[str]:
        links = ("latest", "2025/latest", "2026/latest")
        return [str((settings.published / link).readlink()) for link in links]

    earlier = replace(content(), round=2025)
    assemble(settings, earlier, basis(), FEW, no_pages)
    assert str((settings.published / "latest").readlink()) == "2025/1"
    assemble(settings, content(), basis(), FEW, no_pages)
    assert pointed() == ["2026/1", "1", "1"]
    assemble(settings, replace(corrected(), round=2025), basis(), FEW, no_pages)
    assert pointed() == ["2026/1", "2", "1"]
    assemble(settings, corrected(), basis(), FEW, no_pages)
    assert pointed() == ["2026/2", "2", "2"]
    with pytest.raises(NoFileError):
        assemble(settings, replace(content(), round=2027), basis(), [lambda *_: None], no_pages)
    assemble(settings, content(), basis(), FEW, no_pages)
    assert pointed() == ["2026/3", "2", "3"]


def test_a_file_system_without_links_still_has_the_release(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "symlink_to", refuse)
        with pytest.raises(LinkError, match=r"är klar i .*2026/1, men .*latest kan inte peka dit"):
            assemble(settings, content(), basis(), FEW, no_pages)
    [folder] = releases(settings, 2026)
    assert (folder / "manifest.json").exists()
    assert not assemble(settings, content(), basis(), FEW, no_pages).is_new
    assert str((settings.published / "latest").readlink()) == "2026/1"


# --- whole or not at all ------------------------------------------------------------------------


def fails(_: Content, folder: Path) -> None:
    (folder / "open" / "half.csv").write_text("half")
    raise OSError("no space left on device")


def lies(made: Content, folder: Path) -> None:
    csvs.write(corrected(), folder)


def writes_nothing(made: Content, folder: Path) -> None:
    """A format that forgot to."""


@pytest.mark.parametrize(
    ("writer", "error"),
    [(fails, OSError), (lies, UnequalError), (writes_nothing, NoFileError)],
)
def test_a_writer_that_fails_leaves_nothing(
    settings: Settings, writer: Any, error: type[Exception]
) -> None:
    writers = [parquet.write, writer] if writer is lies else [*FEW, writer]
    with pytest.raises(error):
        assemble(settings, content(), basis(), writers, no_pages)
    assert releases(settings, 2026) == ()
    assert list(settings.published.rglob("*")) == [settings.published / "2026"]
    assert assemble(settings, content(), basis(), FEW, no_pages).number == 1


KILLED = {
    "in the second writer": ("writers = (csvs.write, kill)", False),
    "when all is written": ("assembling.verify = kill", False),
    "half way to disk": ("os.fsync = kill_at(20, os.fsync)", False),
    "before the rename": ("Path.rename = kill", False),
    "after the rename": ("Path.symlink_to = kill", True),
    "before the link is there": ("Path.replace = kill", True),
}


@pytest.mark.parametrize("moment", KILLED)
def test_a_kill_leaves_a_whole_release_or_none(settings: Settings, moment: str) -> None:
    change, is_there = KILLED[moment]
    killed = child(settings.home, "(csvs.write, parquet.write)", change)
    assert killed.returncode == -9, killed.stderr
    assert [folder.name for folder in releases(settings, 2026)] == ["1"] * is_there
    assert len(list(settings.published.rglob(".1.part"))) == (not is_there)
    made = assemble(settings, content(), basis(), FEW, no_pages)
    assert (made.number, made.is_new) == (1, not is_there)
    files = tree(made.folder)
    listed = {file["path"]: file["sha256"] for file in manifest_of(made)["files"]}
    assert files.keys() == listed.keys() | {"manifest.json"}
    assert all(hashlib.sha256(files[path]).hexdigest() == listed[path] for path in listed)
    assert str((settings.published / "latest").readlink()) == "2026/1"
    assert not list(settings.published.rglob("*.part"))


def test_every_byte_is_on_the_disk_before_the_release_appears(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def noted_fsync(opened: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{opened}").readlink()))
        fsync(opened)

    def noted_rename(path: Path, target: Path) -> Path:
        done.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    made = assemble(settings, content(), basis(), FEW, no_pages)
    part = made.folder.with_name(".1.part")
    inside = {str(part / path.relative_to(made.folder)) for path in made.folder.rglob("*")}
    before, after = done[: done.index("rename")], done[done.index("rename") + 1 :]
    assert set(before) == inside | {str(part)}
    files = [path for path in before if Path(path).suffix]
    assert files[-2:] == [str(part / "manifest.json"), str(part)]
    assert after[:2] == [str(made.folder.parent), str(settings.published)]


def test_only_one_works_at_a_time(settings: Settings) -> None:
    settings.home.mkdir()
    with (settings.home / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BusyError):
            assemble(settings, content(), basis(), FEW, no_pages)
    assert releases(settings, 2026) == ()


# --- the same bytes -----------------------------------------------------------------------------


def environments(tmp_path: Path) -> Iterator[dict[str, Any]]:
    usual = {**os.environ, "PYTHONHASHSEED": "0"}
    (tmp_path / "zzz").mkdir()
    yield {"env": usual}
    yield {"env": {**usual, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"}, "umask": 0o077}
    yield {"env": {**usual, "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2", "PYTHONUTF8": "0"}}
    own = {"LC_ALL": "C", "PYTHONHASHSEED": "3", "TMPDIR": str(tmp_path / "zzz"), "HOME": "/"}
    yield {"env": {**usual, **own, "OMP_NUM_THREADS": "1", "TZ": "UTC"}, "cwd": tmp_path / "zzz"}


def test_the_same_content_is_the_same_bytes_in_any_environment(tmp_path: Path) -> None:
    hashes, trees = set(), []
    for number, options in enumerate(environments(tmp_path)):
        home = tmp_path / f"home{number}"
        run = child(home, "WRITERS", **options)
        assert run.returncode == 0, run.stderr
        hashes.add(run.stdout)
        trees.append(tree(home / "published" / "2026" / "1"))
    assert len(hashes) == 1
    assert len(trees) == 4
    for other in trees[1:]:
        assert other.keys() == trees[0].keys()
        differing = {path for path, of in other.items() if of != trees[0][path]}
        assert differing <= {"open/nns_indikatorer_2026.duckdb"}
