"""A release: the files of all formats in one numbered folder, whole or not at all.

Belongs here: building beside the place, what the manifest says, the number, `latest`. Does not:
what is in a file (the formats), whether the files agree (verify.py), what changed (changes.py).

```
NNS_HOME/published/<round>/<n>/             a release; never touched again
NNS_HOME/published/<round>/<n>/manifest.json   what it is made of and from; written last
NNS_HOME/published/<round>/.<n>.part/       one being made, or left by a crash: the next begins anew
NNS_HOME/published/<round>/latest           → <n>
NNS_HOME/published/latest                   → <round>/<n> of the newest round
```

The folder is renamed into its place when every byte of it is on the disk. `latest` is for people
and follows after; a crash between the two is mended by the next call. Our own programs go by the
numbers (`releases`): they need no links, which some file systems do not have.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipelines import database, lock
from pipelines.files import FILE_MODE, FOLDER_MODE, beside, sync
from pipelines.release import csvs
from pipelines.release.changes import Change, Deliveries, changes
from pipelines.release.table import Content
from pipelines.release.verify import verify
from pipelines.settings import Settings

MANIFEST, CHANGES, LATEST = "manifest.json", "CHANGES.csv", "latest"
_DATABASE = ".duckdb"

Writer = Callable[[Content, Path], None]
Reporter = Callable[[int, Sequence[Change], Path], None]
"""Writes what people look at: of the release's number, what changed, and the release's folder."""

SITE = "site"
"""The folder of what people look at; it is made of the rest."""


class NoFileError(Exception):
    """A format left no file; the message is Swedish and names it."""


class LinkError(Exception):
    """The release is made but `latest` cannot point at it; the message is Swedish."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A delivery that a release rests on; `sha256` of its content."""

    association_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a content was made from and by.

    Attributes:
        deliveries: those that count.
        certificate: what the audit of the disclosure control says.
        code: version and fingerprint of the program.
        marts: fingerprint of the marts.
        trends: fingerprint of what earlier rounds' releases say.
    """

    deliveries: tuple[Source, ...]
    certificate: Mapping[str, object]
    code: str
    marts: str
    trends: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """A release as it lies on the disk.

    Attributes:
        is_new: whether it was made now; not when the latest one already says the same.
        n_changes: cells that differ from the release before.
    """

    folder: Path
    number: int
    release_hash: str
    is_new: bool
    n_changes: int


def releases(settings: Settings, round_: int) -> tuple[Path, ...]:
    """The folders of a round's releases by number; empty when there is none."""
    return _numbered(settings.published / str(round_))


def rounds(settings: Settings) -> tuple[int, ...]:
    """The rounds of which there is a release, in order."""
    return tuple(int(f.name) for f in _numbered(settings.published) if _numbered(f))


def assemble(
    settings: Settings,
    content: Content,
    basis: Basis,
    writers: Sequence[Writer],
    report: Reporter,
) -> Assembled:
    """Makes the next release of a round, unless the latest one says the same.

    The same is: the same files of data from the same deliveries, and the same trends.

    Args:
        settings: where releases lie.
        content: the protected figures.
        basis: what they rest on.
        writers: the formats, in the order they are written.
        report: writes the pages and papers, once it is known that there is something new.

    Raises:
        UnequalError: a file does not hold the content's figures; there is no release.
        NoFileError: a format wrote nothing; there is no release.
        LinkError: there is a release but `latest` does not point at it.
        BusyError: another process works in the home folder.
        OSError: a file cannot be written; there is no release.
    """
    with lock.alone(settings):
        earlier = releases(settings, content.round)
        previous = earlier[-1] if earlier else None
        number = int(previous.name) + 1 if previous else 1
        with _beside(settings.published / str(content.round), number) as part:
            _write(content, part, writers)
            verify(part, content)
            made = _made(part, number, content, basis, previous, report)
        point(settings, content.round)
    return made


@contextmanager
def _beside(place: Path, number: int) -> Iterator[Path]:
    """An empty folder to make a release in; gone afterwards, unless it was renamed."""
    part = beside(place / str(number))
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(content: Content, part: Path, writers: Sequence[Writer]) -> None:
    n_files = 0
    for writer in writers:
        writer(content, part)
        if len(_files(part)) == n_files:
            raise NoFileError(f"{writer.__module__} skrev ingen fil. Ingen utgåva är gjord.")
        n_files = len(_files(part))


def _made(
    part: Path,
    number: int,
    content: Content,
    basis: Basis,
    previous: Path | None,
    report: Reporter,
) -> Assembled:
    """The release made of a folder of files, or the previous one when that says the same."""
    manifest = {
        "round": content.round,
        "synthetic": content.is_synthetic,
        "code": basis.code,
        "marts": basis.marts,
        "trends": basis.trends,
        "deliveries": [asdict(source) for source in sorted(basis.deliveries)],
        "certificate": basis.certificate,
        "files": [_listed(part, path) for path in _files(part)],
    }
    changed: tuple[Change, ...] = ()
    if previous:
        before = json.loads((previous / MANIFEST).read_bytes())
        if _is_same(before, manifest):
            n_changes = next(f["rows"] for f in before["files"] if f["path"] == CHANGES)
            return Assembled(previous, before["release"], before["release_hash"], False, n_changes)
        changed = changes(previous, content, _contents(before), _contents(manifest))
    rows = [(*change, content.is_synthetic) for change in changed]
    csvs.write_csv(part / CHANGES, (*Change._fields, "is_synthetic"), rows)
    report(number, changed, part)
    files = [_listed(part, path) for path in _files(part)]
    whole = {
        **manifest,
        "release": number,
        "previous": number - 1 if previous else None,
        "files": files,
        "release_hash": _release_hash(files),
    }
    folder = part.with_name(str(number))
    _put(part, folder, whole)
    return Assembled(folder, number, _release_hash(files), True, len(changed))


def _put(part: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
    """Writes the manifest and renames the folder into its place, each when the rest is on disk."""
    for path in _files(part):
        _settle(path)
    text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True)
    (part / MANIFEST).write_text(f"{text}\n", encoding="utf-8", newline="\n")
    folders = [path for path in part.rglob("*") if path.is_dir()]
    for path in (part / MANIFEST, *folders, part):
        _settle(path)
    part.rename(folder)
    for path in (folder.parent, folder.parent.parent):
        _settle(path)


def _settle(path: Path) -> None:
    """Brings a file or folder to the disk, for user and group whatever the umask.

    Who serves a release to others copies it, or is in the group.
    """
    path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
    sync(path)


# --- the manifest -------------------------------------------------------------------------------


def _is_same(before: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Whether a release says the same of the same deliveries and earlier rounds.

    Not the pages, which are made of the rest. Nor the code, the marts' fingerprint, which also
    moves with other rounds, or the certificate, which counts the releases before: they tell where
    the same files come from.
    """
    data = [file for file in before["files"] if not file["path"].startswith((CHANGES, f"{SITE}/"))]
    same = [before.get(name) == manifest[name] for name in ("deliveries", "trends")]
    return data == manifest["files"] and all(same)


def _contents(manifest: Mapping[str, Any]) -> Deliveries:
    """The contents that count, by association; one may have a workbook and web answers."""
    found: dict[str, set[str]] = {}
    for source in manifest["deliveries"]:
        found.setdefault(source["association_id"], set()).add(source["sha256"])
    return {association: frozenset(contents) for association, contents in found.items()}


def damaged(folder: Path) -> tuple[str, ...]:
    """The files of a release that are not as its manifest says: changed, gone or added.

    Paths in the folder, in order; the manifest itself when it cannot be read, or when it does not
    name the release by the files it lists.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        listed = {file["path"]: file for file in manifest["files"]}
        is_own = manifest["release_hash"] == _release_hash(manifest["files"])
    except (OSError, ValueError, TypeError, KeyError):
        return (MANIFEST,)
    there = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    there.pop(MANIFEST, None)
    changed = {name for name, path in there.items() if not _is_as_listed(path, listed.get(name))}
    wrong = changed | (listed.keys() - there.keys())
    return tuple(sorted(wrong if is_own else {MANIFEST, *wrong}))


def _is_as_listed(path: Path, listed: Mapping[str, Any] | None) -> bool:
    """Whether a file has the hash it is listed with; a database that does not open has none."""
    try:
        return listed is not None and _hash(path) == listed["sha256"]
    except (OSError, database.UnreadableError):
        return False


def _hash(path: Path) -> str:
    """SHA-256 of a file's bytes, of a database over what it holds."""
    if path.suffix == _DATABASE:
        return database.content_hash(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _release_hash(files: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over a line `path sha256` of each file, by path; what names a release."""
    lines = "".join(f"{file['path']} {file['sha256']}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    """All files, by their path in the folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _listed(folder: Path, path: Path) -> dict[str, Any]:
    """A file as the manifest has it, with rows where it is a table."""
    entry: dict[str, Any] = {"path": path.relative_to(folder).as_posix()}
    if path.suffix == _DATABASE:  # its bytes and their number are never the same twice
        return {**entry, "sha256": _hash(path), "hash_of": "content"}
    entry |= {"sha256": _hash(path), "bytes": path.stat().st_size}
    if path.suffix in _ROWS:
        entry["rows"] = _ROWS[path.suffix](path)
    return entry


def _csv_rows(path: Path) -> int:
    with path.open(encoding=csvs.ENCODING, newline="") as file:
        return sum(1 for _ in csv.reader(file, delimiter=csvs.DELIMITER)) - 1


def _parquet_rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


_ROWS = {".csv": _csv_rows, ".parquet": _parquet_rows}


# --- what people go by --------------------------------------------------------------------------


def _numbered(folder: Path) -> tuple[Path, ...]:
    """The folders in a folder that are named by a number, by that number."""
    found = folder.iterdir() if folder.exists() else ()
    return tuple(
        sorted(
            (p for p in found if p.name.isascii() and p.name.isdecimal() and p.is_dir()),
            key=lambda p: int(p.name),
        )
    )


def point(settings: Settings, round_: int) -> None:
    """Lets `latest` of a released round and of all rounds point at what is the latest now.

    Raises:
        LinkError: one of them cannot.
    """
    published = settings.published
    newest = [r for r in _numbered(published) if _numbered(r)][-1]
    _swap(published / str(round_) / LATEST, releases(settings, round_)[-1].name)
    _swap(published / LATEST, f"{newest.name}/{_numbered(newest)[-1].name}")


def _swap(link: Path, target: str) -> None:
    """Lets a link point elsewhere in one go: whoever follows it finds the old or the new."""
    if link.is_symlink() and link.readlink() == Path(target):
        return
    part = beside(link)
    try:
        part.unlink(missing_ok=True)
        part.symlink_to(target)
        part.replace(link)
    except OSError as error:
        raise LinkError(
            f"Utgåvan är klar i {link.parent / target}, men {link} kan inte peka dit: "
            f"{error.strerror}. Ta bort {link.name} om den är en mapp; kan disken inte ha länkar, "
            "gå efter det högsta numret."
        ) from error
    _settle(link.parent)
