"""The restore drill: the record rebuilt in an empty home, and every release held against it.

Belongs here: laying the record out, making releases anew, comparing. Does not: what the record is
and whether a backup is whole (backup.py), or running the jobs that load, check and build, which the
caller hands in.

```
NNS_HOME/.drill.part/home/    the empty home; gone afterwards
NNS_HOME/.drill.part/raw/     the landing zone of a backup whose disk did not keep the files' times
```

What is laid out is the audit log, what releases told, and of the manifest the deliveries whose
files are gone: `submissions` lists them, and nothing else tells of them. All other rows of it are
made again from `raw/`, like everything else: a manifest that was lost is no harm.

A release is held against its own manifest and the audit log; that can be done with all of them.
Making it anew can not: the latest one of a round follows from the deliveries that count now, as
long as the program and the earlier rounds' releases are the same, and so may those right before it.
An older one rests on deliveries that do not count any more, on a register that was changed since,
and on the program of its day: why is told in words, and is no fault.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines import audit, backup, database, disclosure, files, lake, lock, progress
from pipelines.backup import HOME, RAW, BackupError, Contents, Standing
from pipelines.lake import Manifest
from pipelines.release import assemble, before, due, publish
from pipelines.settings import Settings

Rebuild = Callable[[Settings], None]
"""Loads, checks and builds everything between these folders."""

SAME, OTHER = "ja, lika", "ja, men inte lika"

_RKA = "rka/"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a drill found out about a release.

    Attributes:
        damaged: its files that are not as its manifest says.
        fault: what else is wrong with it, in Swedish; empty when nothing is.
        remade: whether it could be made anew and was the same, or why it could not; in Swedish.
    """

    round: int
    number: int
    n_files: int
    damaged: tuple[str, ...] = ()
    fault: str = ""
    remade: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it is as it was when it was made."""
        return not self.damaged and not self.fault

    @property
    def is_remade(self) -> bool:
        """Whether it was made anew and was the same."""
        return self.remade == SAME


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill came to.

    Attributes:
        n_tables: tables of the marts that were compared; 0 when those there were not up to date.
        faults: what is not as it should be, a Swedish sentence each; empty when all is.
    """

    releases: tuple[Checked, ...]
    n_tables: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    """What is restored: where it lies, and what was known of it when all was well."""

    settings: Settings
    standing: Standing
    log: audit.Log


def drill(settings: Settings, rebuild: Rebuild, source: Path | None = None) -> Drill:
    """Restores the record in an empty home and compares.

    Args:
        settings: the folders; nothing in them is changed but for a line in the audit log.
        rebuild: loads, checks and builds.
        source: a backup; None for the record as it lies in the folders now.

    Returns:
        What was found; of a backup that is damaged only which files are.

    Raises:
        BackupError: the source is no backup.
        BrokenLogError: the audit log is not whole.
        BusyError: another process works in the home folder.
    """
    with lock.alone(settings), _place(settings) as place:
        made = backup.read(source) if source else None
        if source and made and (damaged := backup.damaged(source, made)):
            found = Drill((), 0, tuple(f"{name} i säkerhetskopian är skadad." for name in damaged))
        else:
            record = _record(settings, source, made, place)
            found = _drilled(record, place / HOME, rebuild)
        _note(settings, found)
    return found


@contextmanager
def _place(settings: Settings) -> Iterator[Path]:
    """An empty folder, gone afterwards."""
    place = files.beside(settings.home / "drill")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(files.FOLDER_MODE, parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _note(settings: Settings, found: Drill) -> None:
    """Adds a line to the log, unless there is none yet, or it waits to be restored."""
    log = audit.read(settings)
    if log.is_begun and not log.faults:
        remade = sum(one.is_remade for one in found.releases)
        counts = {"releases": len(found.releases), "remade": remade, "faults": len(found.faults)}
        audit.append(settings, [audit.Act("drill", counts=counts)])


# --- the record ---------------------------------------------------------------------------------


def _record(settings: Settings, source: Path | None, made: Contents | None, place: Path) -> _Record:
    """Where the record lies, and its log.

    Raises:
        BrokenLogError: the log is not whole.
        BackupError: an erasure is not finished.
    """
    if source and made:
        raw = source / RAW
        if not all(_has_its_time(source, entry) for entry in made.files):
            raw = _with_times(source, made, place)
        there, standing = replace(settings, raw=raw, home=source / HOME), made.standing
    else:
        there, standing = settings, backup.standing(settings)
    log = audit.whole(there)
    if log.pending:
        raise BackupError(f"En radering är inte klar. Kör först: nns run{settings.flags}")
    return _Record(there, standing, log)


def _has_its_time(source: Path, entry: backup.Entry) -> bool:
    """Whether a file of the landing zone lies in the backup with the time it was received."""
    is_raw = entry.path.startswith(f"{RAW}/")
    return not is_raw or (source / entry.path).stat().st_mtime_ns == entry.mtime_ns


def _with_times(source: Path, made: Contents, place: Path) -> Path:
    """The landing zone of a backup with its files' times as they were: they decide what counts."""
    for entry in made.files:
        if entry.path.startswith(f"{RAW}/"):
            laid = place / entry.path
            laid.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / entry.path, laid)
            os.utime(laid, ns=(entry.mtime_ns, entry.mtime_ns))
    return place / RAW


# --- rebuilding and comparing -------------------------------------------------------------------


def _drilled(record: _Record, home: Path, rebuild: Rebuild) -> Drill:
    """Rebuilds the record in an empty home and compares."""
    target = replace(record.settings, home=home)
    _lay_out(record, target)
    altered = backup.altered(record.settings, _content)
    rebuild(target)
    n_tables, other = _marts(record, target)
    releases = tuple(_releases(record, target))
    faults = (
        *(
            f"{name} i raw har blivit en annan fil utan att tid och storlek säger det."
            for name in altered
        ),
        *other,
        *(fault for one in releases for fault in _faults_of(one)),
        *_lost(record),
    )
    return Drill(releases, n_tables, faults)


def _content(path: Path) -> str:
    """SHA-256 of a file; empty of one that may not be read, which the load tells of."""
    try:
        return backup.hash_of(path)
    except OSError:
        return ""


def _lay_out(record: _Record, target: Settings) -> None:
    """Puts into the empty home what nothing else can tell."""
    target.home.mkdir(files.FOLDER_MODE)
    for path in record.settings.home.glob("audit.*"):
        shutil.copyfile(path, target.home / path.name)
    known = lake.read_manifest(record.settings)
    gone = tuple(d for d in known.deliveries if not d.is_present)
    rows = Manifest(gone, is_synthetic=known.is_synthetic, is_logged=bool(record.log.lines))
    lake.write_manifest(target, rows)


def _marts(record: _Record, target: Settings) -> tuple[int, tuple[str, ...]]:
    """How many tables of the marts were compared, and a fault when any is another."""
    then = record.standing.marts
    if not then or record.standing.code != due.fingerprint_of_code():
        return 0, ()
    now = database.table_hashes(target.snapshot)
    names = ", ".join(n for n in sorted({*then, *now}) if then.get(n) != now.get(n))
    return len(then), (f"Marterna blev inte lika: {names}.",) if names else ()


def _faults_of(one: Checked) -> Iterator[str]:
    """What is wrong with a release, a sentence each."""
    named = f"Publicering {one.number} av omgång {one.round}"
    for path in one.damaged:
        yield f"{named}: filen {path} är inte som när den publicerades."
    if one.fault:
        yield f"{named}: {one.fault}"
    if one.remade == OTHER:
        yield f"{named} blev inte lika när den gjordes om."


def _lost(record: _Record) -> Iterator[str]:
    """Releases that the log tells of and that are not there."""
    told = {(a.round, a.counts.get("release")) for a in _acts(record)}
    for round_, number in sorted((r, n) for r, n in told if r and n):
        if not (record.settings.published / str(round_) / str(number)).is_dir():
            yield f"Publicering {number} av omgång {round_} saknas."


def _acts(record: _Record) -> list[audit.Act]:
    return [line.act for line in record.log.lines if line.act.act == "release"]


# --- the releases -------------------------------------------------------------------------------


def _releases(record: _Record, target: Settings) -> Iterator[Checked]:
    """Verifies each release and makes it anew where that can be done, the earliest first.

    Each lies in the empty home when a later one is made, as it did then.
    """
    all_of_them = [
        (round_, folder)
        for round_ in assemble.rounds(record.settings)
        for folder in assemble.releases(record.settings, round_)
    ]
    broken: set[Path] = set()
    for done, (round_, folder) in enumerate(all_of_them, start=1):
        one = _verified(record, round_, folder)
        if one.is_whole:
            rests_on = {
                *assemble.releases(target, round_),
                *(assemble.releases(target, r)[-1] for r in assemble.rounds(target) if r < round_),
            }
            remade = _remade(record, target, one, bool(rests_on & broken))
            one = replace(one, remade=remade)
        laid = target.published / str(round_) / folder.name
        _lay_release(record, target, laid)
        if not one.is_whole:
            broken.add(laid)
        progress.report("Gör om", done, len(all_of_them))
        yield one


def _lay_release(record: _Record, target: Settings, laid: Path) -> None:
    """Copies a release and what it told into the empty home, instead of one that was made anew."""
    shutil.rmtree(laid, ignore_errors=True)
    shutil.copytree(record.settings.published / laid.relative_to(target.published), laid)
    told = target.told / laid.parent.name / f"{laid.name}.json"
    source = record.settings.told / told.relative_to(target.told)
    if source.exists():
        told.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, told)


def _verified(record: _Record, round_: int, folder: Path) -> Checked:
    """A release held against its manifest and the audit log."""
    number, damaged = int(folder.name), assemble.damaged(folder)
    n_files = sum(path.is_file() for path in folder.rglob("*"))
    if assemble.MANIFEST in damaged:
        return Checked(round_, number, n_files, damaged)
    told = record.settings.told / str(round_) / f"{number}.json"
    if not told.exists():
        fault = f"told/{round_}/{number}.json, som skyddar nästa publicering, saknas."
    else:
        fault = _not_logged(record, round_, number, _manifest(folder)["release_hash"])
    return Checked(round_, number, n_files, damaged, fault)


def _not_logged(record: _Record, round_: int, number: int, release_hash: str) -> str:
    """What the audit log has against a release; a log that was renewed does not know older ones."""
    acts = [a for a in _acts(record) if (a.round, a.counts.get("release")) == (round_, number)]
    if any(act.sha256 != release_hash for act in acts):
        return "händelseloggen har ett annat fingeravtryck."
    is_renewed = any(line.act.act == "renew" for line in record.log.lines)
    return "" if acts or is_renewed else "händelseloggen känner inte till den."


def _manifest(folder: Path) -> Mapping[str, Any]:
    """What a release says of itself; nothing when it cannot be read."""
    try:
        content: Mapping[str, Any] = json.loads((folder / assemble.MANIFEST).read_bytes())
    except (OSError, ValueError):
        return {}
    return content


def _remade(record: _Record, target: Settings, one: Checked, is_on_broken: bool) -> str:
    """Whether a release was the same when it was made anew, or why it could not be; in Swedish."""
    folder = record.settings.published / str(one.round) / str(one.number)
    manifest = _manifest(folder)
    if is_on_broken:
        return "nej, bygger på en skadad publicering"
    follows = _follows(record, one, manifest)
    if why := _why_not(target, one.round, manifest, follows):
        return f"nej, {why}"
    try:
        release_hash = _made_anew(target, one.round, manifest)
    except publish.REFUSALS as error:
        release_hash, why = "", str(error)
    if release_hash == manifest["release_hash"]:
        return SAME
    if follows:
        return OTHER
    return f"nej, {why or 'register, utfall eller annat är ändrat'}"


def _why_not(target: Settings, round_: int, manifest: Mapping[str, Any], follows: bool) -> str:
    """What a release rests on that is not there any more, in Swedish; empty when all is.

    What another version of the program made may still be what this one says (`follows`).
    """
    if manifest["code"] != due.fingerprint_of_code() and not follows:
        return "gjord av en annan version av programmet"
    if manifest["deliveries"] != publish.deliveries_of(lake.read_manifest(target), round_):
        return "leveranser är ersatta eller borttagna"
    if manifest["trends"] != before.fingerprint(before.tables(target, round_)):
        return "en tidigare omgång är publicerad igen"
    return ""


def _made_anew(target: Settings, round_: int, manifest: Mapping[str, Any]) -> str:
    """The hash of a release that is made as another was.

    Raises:
        publish.REFUSALS: there may be none.
    """
    least = manifest["certificate"]["min_answers"]
    usual = disclosure.rule(target.min_answers).min_answers
    asked = target if least == usual else replace(target, min_answers=least)
    has_rka = any(file["path"].startswith(_RKA) for file in manifest["files"])
    made = publish.release(
        asked,
        publish.plan(asked, round_),
        lake.read_manifest(asked),
        allow_synthetic=has_rka and manifest["synthetic"],
    )
    return made.release_hash


def _follows(record: _Record, one: Checked, manifest: Mapping[str, Any]) -> bool:
    """Whether a release must be the same: it says what the marts say now, or was made of the same.

    Else a register, outcomes or other rounds that were changed since may be the reason.
    """
    latest = record.standing.releases.get(one.round)
    if latest is None or record.standing.code != due.fingerprint_of_code():
        return False
    of_now = _manifest(record.settings.published / str(one.round) / str(latest))
    made_of = ("marts", "code")
    return one.number == latest or all(manifest[name] == of_now.get(name) for name in made_of)
