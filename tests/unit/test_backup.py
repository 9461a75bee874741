"""A backup is whole or not there, holds nothing it should not, and tells when it was changed."""

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines import audit, backup, lake, loading
from pipelines.audit import Act
from pipelines.backup import Backup, BackupError
from pipelines.lake import Delivery, Manifest
from pipelines.settings import Settings

ROUND = 2026
NOW = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
RECEIVED = 1_793_000_000_123_456_789
SECRET = "Hemligheten"

RECORD = {
    "raw/register/associations.csv": "association_id\n",
    f"raw/{ROUND}/a.xlsx": "svar",
    f"raw/{ROUND}/web/b.csv": "webbsvar",
    "raw/outcomes/utfall.csv": "utfall",
    f"home/published/{ROUND}/1/manifest.json": "{}",
    f"home/published/{ROUND}/1/open/csv/a.csv": "n\n",
    f"home/told/{ROUND}/1.json": "[]",
    f"home/told/{ROUND}/examined.json": "{}",
    "home/digest/told.json": "[]",
    "home/audit.broken-1.jsonl": "trasig",
    "home/last_run.json": "{}",
}
MADE_ANEW = (
    *("home/marts.duckdb", "home/work/warehouse.duckdb", "home/status.html"),
    *(f"home/receipts/{ROUND}/a.html", "home/dagster/history/runs.db", "home/lake/a.parquet"),
    *(f"home/published/{ROUND}/.2.part/a.csv", f"home/told/{ROUND}/.key", "home/digest/a.txt"),
)


def delivery(settings: Settings, file: str, **facts: object) -> Delivery:
    """A delivery as it lies in the landing zone."""
    path = settings.raw / file
    named, mtime_ns, size = loading.seen_as(settings, path)
    counts = dict.fromkeys(("stop", "error", "warning", "info"), 0)
    known: dict[str, object] = {
        **{"file": named, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        **{"round": ROUND, "mtime_ns": mtime_ns, "size": size, "association_id": "a"},
        **{"layout_id": "2024", "state": "loaded", "rows_per_questionnaire": {}},
        **{"findings": counts, "activities": []},
    }
    return Delivery(**{**known, **facts})  # type: ignore[arg-type]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A landing zone and a home with a log, a release, and what can be made anew."""
    folders = Settings(tmp_path / "raw", tmp_path / "home")
    for name, content in {**RECORD, **dict.fromkeys(MADE_ANEW, "görs om")}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    os.utime(folders.raw / str(ROUND) / "a.xlsx", ns=(RECEIVED, RECEIVED))
    audit.append(folders, [Act("release", ROUND, sha256="1" * 64, counts={"release": 1})])
    known = Manifest((delivery(folders, f"{ROUND}/a.xlsx"),), is_synthetic=True, is_logged=True)
    lake.write_manifest(folders, known)
    (folders.published / "latest").symlink_to(f"{ROUND}/1")
    (folders.published / str(ROUND) / "latest").symlink_to("1")
    return folders


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "kopior"


def held(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def made(settings: Settings, place: Path) -> Backup:
    return backup.write(settings, place, NOW)


# --- what it holds ------------------------------------------------------------------------------


def test_a_backup_holds_the_record_and_nothing_that_can_be_made_anew(
    settings: Settings, place: Path
) -> None:
    folder = made(settings, place).folder
    assert folder.name == "nns-20261102T073000Z"
    found = held(folder)
    more = {"backup.json", "home/audit.jsonl", "home/audit.head", "home/lake/manifest.json"}
    assert set(found) == {*RECORD, *more}
    assert {name: found[name].decode() for name in RECORD} == RECORD
    assert not [p for p in folder.rglob("*") if p.is_symlink()]


def test_a_backup_says_what_each_file_is_and_is_as_it_says(settings: Settings, place: Path) -> None:
    log = audit.read(settings)
    written = made(settings, place)
    read = backup.read(written.folder)
    assert read == written.contents
    assert backup.damaged(written.folder, read) == ()
    assert (read.audit_line, read.audit_hash) == (1, log.lines[-1].hash)
    assert read.is_synthetic and read.created == NOW
    for entry in read.files:
        content = (written.folder / entry.path).read_bytes()
        assert entry.sha256 == hashlib.sha256(content).hexdigest()
        assert entry.bytes == len(content)


def test_the_time_that_decides_which_delivery_counts_comes_along(
    settings: Settings, place: Path
) -> None:
    written = made(settings, place)
    name = f"raw/{ROUND}/a.xlsx"
    assert (written.folder / name).stat().st_mtime_ns == RECEIVED
    assert {e.path: e.mtime_ns for e in written.contents.files}[name] == RECEIVED


def test_a_backup_is_for_user_and_group_only_whatever_the_umask(
    settings: Settings, place: Path
) -> None:
    before = os.umask(0)
    try:
        folder = made(settings, place).folder
    finally:
        os.umask(before)
    modes = {(p.is_dir(), stat.S_IMODE(p.stat().st_mode)) for p in (folder, *folder.rglob("*"))}
    assert modes == {(True, 0o750), (False, 0o640)}


def test_a_backup_is_logged_and_a_release_after_it_is_missed(
    settings: Settings, place: Path
) -> None:
    assert audit.read(settings).not_backed_up
    written = made(settings, place)
    log = audit.read(settings)
    assert not log.faults
    assert log.backed_up == log.lines[-1]
    assert log.lines[-1].act.counts["files"] == len(written.contents.files)
    assert not log.not_backed_up
    audit.append(settings, [Act("build"), Act("release", ROUND), Act("build")])
    assert audit.read(settings).not_backed_up == audit.read(settings).lines[-2]


def test_two_backups_in_one_second_lie_beside_each_other(settings: Settings, place: Path) -> None:
    first, second = made(settings, place), made(settings, place)
    assert first.folder != second.folder
    assert backup.damaged(first.folder, backup.read(first.folder)) == ()


def test_a_name_that_is_no_text_is_copied_and_told_readably(
    settings: Settings, place: Path
) -> None:
    name = os.fsdecode(b"f\xf6rbund.xlsx")
    (settings.raw / str(ROUND) / name).write_text("svar", encoding="utf-8")
    (settings.raw / str(ROUND) / f"l{name}").symlink_to(name)
    written = made(settings, place)
    assert (written.folder / "raw" / str(ROUND) / name).is_file()
    assert backup.damaged(written.folder, backup.read(written.folder)) == ()
    assert [path for path, _ in written.contents.left_out] == [f"{ROUND}/lf\\xf6rbund.xlsx"]


# --- whole or not at all ------------------------------------------------------------------------


def nothing_there(place: Path) -> bool:
    return not place.exists() or not list(place.iterdir())


@pytest.mark.parametrize("at", [1, 7, 20, 30])
def test_a_write_that_fails_leaves_nothing_behind(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    calls = []
    sync = os.fsync

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    before = held(settings.home)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        made(settings, place)
    assert nothing_there(place)
    assert held(settings.home) == before


def test_what_a_killed_backup_left_is_removed_by_the_next(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(backup, "_unchanged", killed)
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KilledError):
            made(settings, place)
    (left,) = place.iterdir()
    assert left.name.endswith(".part")
    with pytest.raises(BackupError, match="ingen säkerhetskopia"):
        backup.read(left)
    assert list(place.iterdir()) == [left]
    folder = made(settings, place).folder
    assert list(place.iterdir()) == [folder]


def test_too_little_room_is_told_before_anything_is_copied(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.raw / str(ROUND) / "stor.xlsx").write_bytes(bytes(3_000_000))
    usage = shutil.disk_usage(settings.raw)._replace(free=2_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(BackupError, match="behöver 4\u00a0MB men det finns 2\u00a0MB"):
        made(settings, place)
    assert nothing_there(place)


@pytest.mark.parametrize(
    "meddle",
    [
        lambda folder: (folder / "a.xlsx").write_text("nya", encoding="utf-8"),
        lambda folder: (folder / "ny.xlsx").write_text("ny", encoding="utf-8"),
        lambda folder: (folder / "a.xlsx").unlink(),
    ],
    ids=["changed", "new", "gone"],
)
def test_a_landing_zone_that_changes_meanwhile_gives_no_backup(
    settings: Settings,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    meddle: Callable[[Path], object],
) -> None:
    def report(stage: str, done: int, total: int) -> None:
        if stage == "Kopierar" and done == total:
            meddle(settings.raw / str(ROUND))

    monkeypatch.setattr(backup.progress, "report", report)
    with pytest.raises(BackupError, match=r"(a|ny)\.xlsx ändrades medan"):
        made(settings, place)
    assert nothing_there(place)
    assert not audit.read(settings).backed_up


def test_a_file_that_grows_while_it_is_read_gives_no_backup(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = settings.raw / str(ROUND) / "a.xlsx"
    fstat = os.fstat
    seen: list[int] = []

    def slow(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        if found.st_ino == growing.stat().st_ino and not seen:
            seen.append(1)
            with growing.open("ab") as file:
                file.write(b"mer")
        return found

    monkeypatch.setattr(os, "fstat", slow)
    with pytest.raises(BackupError, match=r"a\.xlsx ändrades medan"):
        made(settings, place)
    assert nothing_there(place)


def test_what_is_read_back_otherwise_gives_no_backup(
    settings: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "hash_of", lambda path: "0" * 64)
    with pytest.raises(BackupError, match="gick inte att läsa tillbaka"):
        made(settings, place)
    assert nothing_there(place)


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["raw", "raw/2026/kopior", "home", "home/kopior", "."])
def test_a_place_inside_the_record_or_around_it_is_refused(
    settings: Settings, tmp_path: Path, where: str
) -> None:
    before = held(tmp_path)
    with pytest.raises(BackupError, match="ligger i varandra"):
        made(settings, tmp_path / where)
    assert held(tmp_path) == before


def test_a_place_that_is_a_link_into_the_record_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "kopior").symlink_to(settings.raw)
    with pytest.raises(BackupError, match="ligger i varandra"):
        made(settings, tmp_path / "kopior")


def test_a_log_that_is_not_whole_gives_no_backup(settings: Settings, place: Path) -> None:
    (settings.home / "audit.head").unlink()
    with pytest.raises(audit.BrokenLogError, match="inte hel"):
        made(settings, place)
    assert nothing_there(place)


def test_an_erasure_that_is_not_finished_gives_no_backup(settings: Settings, place: Path) -> None:
    audit.append(settings, [Act("erase", ROUND, "a", sha256="2" * 64)])
    with pytest.raises(BackupError, match="radering är inte klar"):
        made(settings, place)
    assert nothing_there(place)


# --- what is left out ---------------------------------------------------------------------------


def test_what_a_link_points_to_is_never_copied(settings: Settings, tmp_path: Path) -> None:
    outside = tmp_path / "utanför"
    outside.mkdir()
    (outside / "hemlig.xlsx").write_text(SECRET, encoding="utf-8")
    (settings.raw / str(ROUND) / "lank.xlsx").symlink_to(outside / "hemlig.xlsx")
    (settings.raw / str(ROUND) / "mapp").symlink_to(outside)
    (settings.raw / str(ROUND) / "ingenstans").symlink_to(outside / "saknas")
    (settings.home / "told" / str(ROUND) / "2.json").symlink_to(outside / "hemlig.xlsx")
    written = made(settings, tmp_path / "kopior")
    assert [path for path, _ in written.contents.left_out] == [
        f"{ROUND}/ingenstans",
        f"{ROUND}/lank.xlsx",
        f"{ROUND}/mapp",
    ]
    assert not [name for name, text in held(written.folder).items() if SECRET.encode() in text]


@pytest.mark.parametrize("linked", [str(ROUND), f"{ROUND}/web", "outcomes", "register"])
def test_a_linked_folder_that_the_program_reads_is_refused(
    settings: Settings, tmp_path: Path, linked: str
) -> None:
    (settings.raw / linked).rename(tmp_path / "flyttad")
    (settings.raw / linked).symlink_to(tmp_path / "flyttad")
    with pytest.raises(BackupError, match="är en länk"):
        made(settings, tmp_path / "kopior")


def test_a_pipe_is_not_waited_for(settings: Settings, place: Path) -> None:
    os.mkfifo(settings.raw / str(ROUND) / "rör.xlsx")
    assert made(settings, place).contents.left_out == ((f"{ROUND}/rör.xlsx", "ingen vanlig fil"),)


def test_a_file_whose_content_was_erased_is_not_copied(settings: Settings, place: Path) -> None:
    key = loading.seen_as(settings, settings.raw / str(ROUND) / "a.xlsx")
    lake.write_manifest(settings, Manifest(erased=[lake.mark_of(key)], is_logged=True))
    written = made(settings, place)
    assert [path for path, _ in written.contents.left_out] == [f"{ROUND}/a.xlsx"]
    assert not (written.folder / "raw" / str(ROUND) / "a.xlsx").exists()


# --- when something was changed -----------------------------------------------------------------


def flipped(path: Path) -> None:
    """Another bit in the middle, with the same size and time."""
    time, data = path.stat().st_mtime_ns, bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(time, time))


@pytest.mark.parametrize("name", [*RECORD, "home/audit.jsonl", "home/lake/manifest.json"])
def test_one_changed_bit_in_a_backup_is_found_and_named(
    settings: Settings, place: Path, name: str
) -> None:
    folder = made(settings, place).folder
    flipped(folder / name)
    assert backup.damaged(folder, backup.read(folder)) == (name,)


def test_what_is_gone_added_or_a_link_is_found_and_named(settings: Settings, place: Path) -> None:
    folder = made(settings, place).folder
    gone, linked, added = (folder / "raw" / str(ROUND) / n for n in ("a.xlsx", "web/b.csv", "ny"))
    gone.unlink()
    linked.rename(place / "b.csv")
    linked.symlink_to(place / "b.csv")
    added.write_text("ny", encoding="utf-8")
    assert backup.damaged(folder, backup.read(folder)) == (
        f"raw/{ROUND}/a.xlsx",
        f"raw/{ROUND}/ny",
        f"raw/{ROUND}/web/b.csv",
    )


def test_what_a_backup_says_of_itself_cannot_be_changed_unnoticed(
    settings: Settings, place: Path
) -> None:
    folder = made(settings, place).folder
    path = folder / "backup.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    for name in stored.keys() - {"hash", "format"}:
        path.write_text(json.dumps({**stored, name: stored[name] and None}), encoding="utf-8")
        if stored[name]:
            with pytest.raises(BackupError, match="inte som den skrevs"):
                backup.read(folder)
    path.write_bytes(b"\xff{")
    with pytest.raises(BackupError, match="inte som den skrevs"):
        backup.read(folder)


def test_a_file_that_decayed_after_it_was_read_is_told(settings: Settings, place: Path) -> None:
    assert made(settings, place).altered == ()
    flipped(settings.raw / str(ROUND) / "a.xlsx")
    assert made(settings, place).altered == (f"{ROUND}/a.xlsx",)


def test_a_file_that_somebody_changed_is_a_new_delivery_and_no_decay(
    settings: Settings, place: Path
) -> None:
    path = settings.raw / str(ROUND) / "a.xlsx"
    flipped(path)
    os.utime(path, ns=(RECEIVED + 1, RECEIVED + 1))
    assert made(settings, place).altered == ()
