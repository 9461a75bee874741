"""A backup: the record copied whole into a folder of its own, and held against what it says of it.

Belongs here: what the record is, copying it, and telling which files of a copy are not as they were
written. Does not: rebuilding anything from it (drill.py).

```
DIR/nns-<moment in UTC>/raw/          the landing zone as delivered
DIR/nns-<moment in UTC>/home/         what of NNS_HOME nothing else holds
DIR/nns-<moment in UTC>/backup.json   each file's size, SHA-256 and time; when and by which program
DIR/.nns-<home>.part/                 one being made, or left by a crash: the next begins anew
```

Of the home folder are copied:

- `audit.jsonl`, `audit.head`, `audit.broken-*.jsonl`: what was done; what is withdrawn and erased
  stands nowhere else.
- `published/`: a release is never made again, and another version of the program makes another.
- `told/`: what protects the next releases from the ones before. Of a release whose deliveries were
  replaced it cannot be computed any more.
- `lake/manifest.json`: the rows of deliveries whose files are gone. All other rows are read from
  `raw/` again; with `lake/outcomes/files.json` they tell what each file held when it was read, so
  that a file which has become another without anybody touching it is noticed.
- `digest/told.json`, `last_run.json`: what the steward was told and what a watchdog looks at.

Everything else is made of these by `nns run`: the lake's tables, marts, receipts, pages, drafts,
Dagster's history. The links `latest` too; a disk for backups may not have links.

No link is followed: what one points at lies outside, or lies here anyway.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from pipelines import (
    audit,
    checking,
    database,
    files,
    instrument,
    lake,
    loading,
    lock,
    outcomes,
    progress,
    register,
    withdrawal,
)
from pipelines.lake import SeenAs
from pipelines.release import assemble, due
from pipelines.settings import Settings
from pipelines.swedish import number
from pipelines.web.columns import WEB
from pipelines.workbook.personal import discreet

CONTENTS = "backup.json"
RAW, HOME = "raw", "home"

_FORMAT = 1
_OF_HOME = (
    *("audit.jsonl", "audit.head", "audit.broken-*.jsonl", "last_run.json"),
    *("lake/manifest.json", "lake/outcomes/files.json", "digest/told.json"),
    *("published/[0-9]*/[0-9]*/**/*", "told/[0-9]*/*"),
)
_BLOCK = 1 << 20
_CLUSTER = 4096  # what even a small file takes of most disks
_UNREAD = hashlib.sha256().hexdigest()
"""What stands for the content of a file that was never opened."""


class BackupError(Exception):
    """There is no backup, or it is none; the message is Swedish and says what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a backup: its path in it, and its size, content and time when it was copied."""

    path: str
    bytes: int
    sha256: str
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the figures were made of, and which of them follow from the record as it stands.

    Attributes:
        code: version and fingerprint of the program.
        marts: by name, the hash of each table of the snapshot; empty when it is not up to date.
        releases: by round, the number of the release that says what the marts say.
    """

    code: str
    marts: Mapping[str, str]
    releases: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup says of itself.

    Attributes:
        created: when, in UTC.
        is_synthetic: whether its data is invented.
        audit_line, audit_hash: number and hash of the log's last line then; 0 without any.
        left_out: what lies in the landing zone and was not copied, with the reason in Swedish.
    """

    created: datetime
    is_synthetic: bool
    audit_line: int
    audit_hash: str
    standing: Standing
    left_out: Sequence[tuple[str, str]]
    files: tuple[Entry, ...]

    @property
    def n_bytes(self) -> int:
        """The size of all files together."""
        return sum(entry.bytes for entry in self.files)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made.

    Attributes:
        altered: files of the landing zone that hold something else than what was read from them,
            though neither their time nor their size says so.
    """

    folder: Path
    contents: Contents
    altered: tuple[str, ...]


# --- what the record is -------------------------------------------------------------------------


def standing(settings: Settings) -> Standing:
    """What can be told now of the marts and the releases."""
    code = due.fingerprint_of_code()
    if not _is_settled(settings):
        return Standing(code, {}, {})
    rounds = (r for r in assemble.rounds(settings) if due.is_current(settings, [r]))
    found = {round_: due.examined(settings, round_) for round_ in rounds}
    said = {round_: last.number for round_, last in found.items() if last}
    try:
        return Standing(code, database.table_hashes(settings.snapshot), said)
    except (
        database.UnreadableError
    ):  # it is made anew; what it is made of can be saved all the same
        return Standing(code, {}, {})


def _is_settled(settings: Settings) -> bool:
    """Whether a run would find nothing new to load, check or build."""
    known = instrument.load()
    try:
        registered = register.read(settings.raw)
    except register.RegisterError:
        return False
    return checking.is_settled(settings, known.rounds, known, registered)


def altered(settings: Settings, hash_of: Callable[[Path], str]) -> tuple[str, ...]:
    """The files of the landing zone that are not what was read, though they look untouched.

    Args:
        settings: the landing zone, and a home that knows what was read from it.
        hash_of: gives the SHA-256 of a file's bytes; empty of one that was not looked at.

    Returns:
        Their paths under the landing zone, as they may be shown.
    """
    seen: dict[SeenAs, str] = {
        d.seen_as: d.sha256 for d in lake.read_manifest(settings).deliveries if d.is_present
    }
    seen |= {f.seen_as: f.sha256 for f in outcomes.read_state(settings).files}
    rounds = instrument.load().rounds
    paths = [*(p for r in rounds for p in loading.delivered(settings, r))]
    paths += outcomes.delivered(settings)
    read = {path: seen.get(loading.seen_as(settings, path), _UNREAD) for path in paths}
    return tuple(
        _shown(path.relative_to(settings.raw))
        for path, sha256 in read.items()
        if sha256 != _UNREAD and hash_of(path) not in ("", sha256)
    )


def _of_home(settings: Settings) -> list[Path]:
    """The files of the home folder that nothing else holds; no links, nothing half written."""
    found = {p for pattern in _OF_HOME for p in settings.home.glob(pattern)}
    return sorted(
        path
        for path in found
        if stat.S_ISREG(path.lstat().st_mode)
        and not any(part.startswith(".") for part in path.relative_to(settings.home).parts)
    )


def _of_landing_zone(settings: Settings) -> tuple[list[Path], list[tuple[Path, str]]]:
    """The files of the landing zone to be copied, and what is left out and why.

    Raises:
        BackupError: something that the program reads lies behind a link.
    """
    erased = set(withdrawal.erased_files(settings, *instrument.load().rounds))
    taken: list[Path] = []
    left: list[tuple[Path, str]] = []
    for path in _walked(settings.raw):
        why = "raderad, ta bort den själv" if path in erased else _why_not(settings, path)
        if why:
            left.append((path, why))
        else:
            taken.append(path)
    return taken, left


def _walked(folder: Path) -> Iterator[Path]:
    """All that lies in a folder and below, by path, but for folders; links are not followed."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _walked(Path(entry.path))
        else:
            yield Path(entry.path)


def _why_not(settings: Settings, path: Path) -> str:
    """Why a file is not copied, in Swedish; empty when it is.

    Raises:
        BackupError: it is a link that the program reads through.
    """
    mode = path.lstat().st_mode
    if not stat.S_ISLNK(mode):
        return "" if stat.S_ISREG(mode) else "ingen vanlig fil"
    inside = path.relative_to(settings.raw)
    is_read_folder = path.is_dir() and (len(inside.parts) == 1 or inside.name == WEB)
    if is_read_folder or inside.parts[0] == "register":
        raise BackupError(
            f"{_shown(path)} är en länk och säkerhetskopian följer inga länkar. Lägg det som den "
            f"pekar på i {settings.raw} i stället. Ingen kopia är gjord."
        )
    return "en länk, som programmet inte läser"


# --- making one ---------------------------------------------------------------------------------


def write(settings: Settings, to: Path, now: datetime | None = None) -> Backup:
    """Copies the record into a new folder, which appears whole or not at all.

    Every file is on the disk and read back before the folder has its name.

    Args:
        settings: the folders.
        to: where the backup's folder is made; it is made itself when there is none.
        now: by default now.

    Raises:
        BackupError: the place will not do, there is too little room, an erasure is not finished,
            or the landing zone changed meanwhile; nothing is left behind.
        BrokenLogError: the audit log is not whole.
        BusyError: another process works in the home folder.
        OSError: something cannot be read or written; nothing is left behind.
    """
    now, to = now or datetime.now(UTC), to.absolute()
    _apart(settings, to)
    with lock.alone(settings):
        log = audit.whole(settings)
        if log.pending:
            raise BackupError(f"En radering är inte klar. Kör först: nns run{settings.flags}")
        stood = standing(settings)
        taken, left = _of_landing_zone(settings)
        sources = {Path(RAW, p.relative_to(settings.raw)): p for p in taken}
        sources |= {Path(HOME, p.relative_to(settings.home)): p for p in _of_home(settings)}
        to.mkdir(files.FOLDER_MODE, parents=True, exist_ok=True)
        part = to / f".nns-{hashlib.sha256(str(settings.home).encode()).hexdigest()[:8]}.part"
        if part.exists():
            shutil.rmtree(part)
        _has_room(to, sources.values())
        try:
            seen = _seen(taken)
            entries = _copied(sources, part)
            _unchanged(settings, seen)
            made = Contents(
                created=now.astimezone(UTC).replace(microsecond=0),
                is_synthetic=lake.read_manifest(settings).is_synthetic,
                audit_line=log.lines[-1].number if log.lines else 0,
                audit_hash=log.lines[-1].hash if log.lines else "",
                standing=stood,
                left_out=tuple((_shown(p.relative_to(settings.raw)), why) for p, why in left),
                files=entries,
            )
            folder = _put(part, to, made)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        hashes = dict(zip(sources.values(), (e.sha256 for e in entries), strict=True))
        counts = {"files": len(entries), "bytes": made.n_bytes}
        audit.append(settings, [audit.Act("backup", sha256=_hash_of(made), counts=counts)])
        return Backup(folder, made, altered(settings, lambda path: hashes.get(path, "")))


def _shown(path: Path) -> str:
    """A path as it may be shown; bytes of a name that are no text as such."""
    return discreet(os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace"))


def _apart(settings: Settings, to: Path) -> None:
    """Refuses a place that lies in what is copied, or holds it.

    Raises:
        BackupError: it does.
    """
    there = to.resolve()
    for folder in (settings.raw.resolve(), settings.home.resolve()):
        if there.is_relative_to(folder) or folder.is_relative_to(there):
            raise BackupError(
                f"{to} och {folder} ligger i varandra. Ange en mapp på en annan disk, utanför "
                f"{settings.raw} och {settings.home}."
            )


def _has_room(to: Path, sources: Iterable[Path]) -> None:
    """Refuses a disk that cannot hold it all.

    Raises:
        BackupError: how much is needed and how much is free.
    """
    needed = sum(path.stat().st_size + _CLUSTER for path in sources)
    free = shutil.disk_usage(to).free
    if needed > free:
        raise BackupError(
            f"Kopian behöver {megabytes(needed)} men det finns {megabytes(free)} ledigt i {to}. "
            "Ta bort äldre kopior där eller ange en annan disk."
        )


def megabytes(n_bytes: int) -> str:
    """A size as it is shown, rounded up."""
    return f"{number(-(-n_bytes // 1_000_000))}\u00a0MB"


def _seen(paths: Iterable[Path]) -> dict[Path, tuple[int, int, int]]:
    """What tells unchanged files: which file it is, its time and its size."""
    stats = {path: path.stat() for path in paths}
    return {path: (s.st_ino, s.st_mtime_ns, s.st_size) for path, s in stats.items()}


def _unchanged(settings: Settings, seen: Mapping[Path, tuple[int, int, int]]) -> None:
    """Refuses a landing zone that is another than when the copying began.

    Raises:
        BackupError: which file is new, changed or gone.
    """
    taken, _ = _of_landing_zone(settings)
    now = _seen(taken)
    if other := [p for p in sorted({*now, *seen}) if now.get(p) != seen.get(p)]:
        raise _changed(other[0])


def _changed(path: Path) -> BackupError:
    return BackupError(
        f"{_shown(path)} ändrades medan den kopierades. Vänta tills filen är färdig och kör igen. "
        "Ingen kopia är gjord."
    )


def _copied(sources: Mapping[Path, Path], part: Path) -> tuple[Entry, ...]:
    """Copies files to their paths in a folder."""
    entries = []
    for path, source in sources.items():
        target = part / path
        _make_folders(part, target.parent)
        entries.append(_copy(source, target, path.as_posix()))
        progress.report("Kopierar", len(entries), len(sources))
    return tuple(entries)


def _make_folders(part: Path, folder: Path) -> None:
    """Makes a folder and those above it, for this user and group.

    Modes are given when a thing is made, and never changed: some disks for backups refuse that.
    """
    for each in (*reversed(folder.parents), folder):
        if each.is_relative_to(part) and not each.exists():
            each.mkdir(files.FOLDER_MODE)


def _copy(source: Path, target: Path, path: str) -> Entry:
    """Copies a file, brings it to the disk and reads it back.

    Raises:
        BackupError: it changed meanwhile, or what is read back is something else.
    """
    digest = hashlib.sha256()
    with (
        open(source, "rb", opener=_without_following) as file,
        open(target, "xb", opener=_for_few) as copy,
    ):
        before = os.fstat(file.fileno())
        while block := file.read(_BLOCK):
            digest.update(block)
            copy.write(block)
        after = os.fstat(file.fileno())
        copy.flush()
        os.fsync(copy.fileno())
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise _changed(source)
    os.utime(target, ns=(after.st_mtime_ns, after.st_mtime_ns))
    if hash_of(target) != digest.hexdigest():
        raise BackupError(
            f"{target} gick inte att läsa tillbaka som den skrevs. Disken kan vara trasig: "
            "använd en annan. Ingen kopia är gjord."
        )
    return Entry(path, after.st_size, digest.hexdigest(), after.st_mtime_ns)


def _without_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _for_few(path: str, flags: int) -> int:
    return os.open(path, flags, files.FILE_MODE)


def hash_of(path: Path) -> str:
    """SHA-256 of a file's bytes, from the disk as far as the system lets us ask for that."""
    digest = hashlib.sha256()
    with open(path, "rb", opener=_without_following) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _put(part: Path, to: Path, made: Contents) -> Path:
    """Writes what the backup says of itself and gives it its name, all of it on the disk."""
    text = json.dumps({**_as_json(made), "hash": _hash_of(made)}, indent=1)
    files.write_text(part / CONTENTS, f"{text}\n")
    for path in (*(p for p in part.rglob("*") if p.is_dir()), part):
        files.sync(path)
    stem = f"nns-{made.created:%Y%m%dT%H%M%SZ}"
    names = (f"{stem}-{n}" if n > 1 else stem for n in count(1))
    folder = next(to / name for name in names if not (to / name).exists())
    part.rename(folder)
    files.sync(to)
    return folder


# --- reading one --------------------------------------------------------------------------------


def read(folder: Path) -> Contents:
    """What a backup says of itself.

    Raises:
        BackupError: the folder is no backup, or what it says of itself was changed.
    """
    path = folder / CONTENTS
    if not path.is_file():
        raise BackupError(
            f"{folder} är ingen säkerhetskopia: {CONTENTS} saknas. Ange en mapp som nns backup "
            "har gjort, den heter nns- och en tid."
        )
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        made = _from_json(stored)
        is_own = stored["hash"] == _hash_of(made)
    except (ValueError, TypeError, KeyError, AttributeError):
        is_own = False
    if not is_own:
        raise BackupError(f"{path} är inte som den skrevs. Använd en annan säkerhetskopia.")
    return made


def damaged(folder: Path, made: Contents) -> tuple[str, ...]:
    """The files of a backup that are not as they were copied: changed, gone or added; by path."""
    listed = {entry.path: entry for entry in made.files}
    there = {path.relative_to(folder).as_posix(): path for path in _walked(folder)}
    there.pop(CONTENTS, None)
    wrong = {*(there.keys() - listed.keys()), *(listed.keys() - there.keys())}
    for done, name in enumerate(both := sorted(listed.keys() & there.keys()), start=1):
        if not _is_as_copied(there[name], listed[name]):
            wrong.add(name)
        progress.report("Läser om", done, len(both))
    return tuple(sorted(wrong))


def _is_as_copied(path: Path, entry: Entry) -> bool:
    try:
        return path.lstat().st_size == entry.bytes and hash_of(path) == entry.sha256
    except OSError:  # also a link in its place
        return False


def _as_json(made: Contents) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "created": made.created.isoformat(),
        "is_synthetic": made.is_synthetic,
        "audit_line": made.audit_line,
        "audit_hash": made.audit_hash,
        "code": made.standing.code,
        "marts": dict(made.standing.marts),
        "releases": {str(round_): n for round_, n in made.standing.releases.items()},
        "left_out": [list(one) for one in made.left_out],
        "files": [lake.fields_of(entry) for entry in made.files],
    }


def _from_json(stored: Mapping[str, Any]) -> Contents:
    releases = {int(round_): n for round_, n in stored["releases"].items()}
    return Contents(
        created=datetime.fromisoformat(stored["created"]),
        is_synthetic=stored["is_synthetic"],
        audit_line=stored["audit_line"],
        audit_hash=stored["audit_hash"],
        standing=Standing(stored["code"], stored["marts"], releases),
        left_out=tuple((path, why) for path, why in stored["left_out"]),
        files=tuple(Entry(**entry) for entry in stored["files"]),
    )


def _hash_of(made: Contents) -> str:
    """SHA-256 over all that a backup says of itself."""
    return hashlib.sha256(json.dumps(_as_json(made), sort_keys=True).encode()).hexdigest()
