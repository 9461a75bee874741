"""Writing files: the old content or the new under a name, on the disk before the next step."""

import os
import stat
from pathlib import Path

import pytest

from pipelines import files


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is synced and renamed, by the names of files and folders."""
    seen: list[tuple[str, str]] = []
    sync, replace = os.fsync, Path.replace

    def synced(opened: int) -> None:
        seen.append(("sync", Path(f"/proc/self/fd/{opened}").readlink().name))
        sync(opened)

    def replaced(self: Path, target: Path) -> Path:
        seen.append(("rename", target.name))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    return seen


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_file_is_on_the_disk_before_it_takes_its_place_and_its_name_after(
    tmp_path: Path, steps: list[tuple[str, str]]
) -> None:
    (tmp_path / "a").mkdir()
    files.write_text(tmp_path / "a" / "file", "text")
    assert steps == [("sync", ".file.part"), ("rename", "file"), ("sync", "a")]


def test_the_names_of_new_folders_are_synced_too(
    tmp_path: Path, steps: list[tuple[str, str]]
) -> None:
    files.write_text(tmp_path / "a" / "b" / "file", "text")
    assert {name for step, name in steps if step == "sync"} == {
        ".file.part",
        "b",
        "a",
        tmp_path.name,
    }


def test_files_written_together_are_all_on_the_disk_before_one_takes_its_place(
    tmp_path: Path, steps: list[tuple[str, str]]
) -> None:
    with files.together() as write:
        for name in ("one", "two"):
            write(tmp_path / name, name.encode())
        assert names(tmp_path) == {".one.part", ".two.part"}
    assert [step for step, _ in steps] == ["sync", "sync", "rename", "rename", "sync"]
    assert (tmp_path / "two").read_text() == "two"


@pytest.mark.parametrize("fails_at", ["write", "fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: str
) -> None:
    files.write_text(tmp_path / "file", "first")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), files.together() as write:
        write(tmp_path / "file", b"second")
        if fails_at == "write":
            fail()
        monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[fails_at], fail)
    monkeypatch.undo()
    assert (tmp_path / "file").read_text() == "first"
    assert names(tmp_path) == {"file"}


def test_what_is_made_is_for_the_user_and_the_group_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        files.write_text(tmp_path / "a" / "b" / "file", "text")
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*")}
    assert modes == {"a": 0o750, "b": 0o750, "file": 0o640}
