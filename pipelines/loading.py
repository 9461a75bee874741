"""Loading: new and changed deliveries of the landing zone, read into the lake.

Belongs here: noticing what is new under `raw/<round>/`, having it read, and writing what was read.
Does not: reading a workbook (workbook/) or web answers (web/), which delivery counts and how it is
kept (lake.py).
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipelines import audit, erasure, extra, lake
from pipelines.extra import asked_of
from pipelines.files import Write, together
from pipelines.findings import RULES, THRESHOLDS, Finding, Severity, by_severity
from pipelines.instrument import Instrument
from pipelines.lake import Delivery, Manifest, SeenAs
from pipelines.register import Register
from pipelines.settings import PROJECT, Settings
from pipelines.web.columns import WEB, is_web
from pipelines.workbook.personal import PERSONAL

if TYPE_CHECKING:
    from pipelines.workbook.read import Reading
    from pipelines.workbook.sandbox import Readers
    from pipelines.workbook.structure import Draft, ReadBook

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

ReadWith = Callable[[Delivery], str]
"""Gives the fingerprint of all that decides what a delivery's bytes are read to."""

Made = TypeVar("Made")

PASSING_RULES = ("reader_timeout", "reader_memory", "reader_crashed")
"""What may come from a busy machine: such a file is read again the next time."""

MISPLACED = ("round_unknown", "round_not_folder")
"""What a file tells that lies in the wrong folder: it replaces nothing there."""

BATCH_RESPONSES = 10_000
"""How many responses are understood at a time: about 100 workbooks."""

FILES_AHEAD = 4
"""How many files are read before they are understood; each may be large."""

_NO_DELIVERIES = ("thumbs.db", "desktop.ini")
"""What an office's machines put into folders by themselves, beside hidden and lock files."""

_OTHER_FOLDERS = ("register", "outcomes", "indicator_11")
"""The landing zone's folders that are no rounds."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a load did.

    Attributes:
        manifest: as it is now.
        read: the deliveries that were opened.
        findings: what was found in them.
    """

    manifest: Manifest
    read: tuple[Delivery, ...] = ()
    findings: tuple[Finding, ...] = ()


# --- reading what is new ------------------------------------------------------------------------


def load(
    settings: Settings,
    rounds: Iterable[int],
    instrument: Instrument,
    register: Register,
    progress: Progress = lambda done, total: None,
) -> Load:
    """Reads new and changed files of the rounds and settles which delivery counts.

    A file whose path, size and time are as in the manifest is not opened again, unless the
    instrument, the reader, the register's associations or what their projects ask changed since, or
    what was read from it is gone. What an earlier check found in the same file holds until its
    round is checked again.
    A file whose content was erased is passed over.

    Raises:
        BrokenLogError: the audit log, which tells what is withdrawn and erased, is not whole.
    """
    from pipelines import outcomes

    log = audit.begin(settings)
    outcomes.ensure(settings)
    before = lake.without(lake.read_manifest(settings), log.erased)
    read_with = _fingerprints(instrument, register)
    outdated = {d.round for d in before.deliveries if d.is_present and d.read_with != read_with(d)}
    rounds = set(rounds) | outdated
    known = {d.seen_as: d for d in before.deliveries if _is_as_read(settings, d, read_with)}
    paths = [path for round_ in sorted(rounds) for path in delivered(settings, round_)]
    seen = {path: seen_as(settings, path) for path in paths}
    erased = set(before.erased) | _erased(seen, known, log.erased)
    seen = {path: key for path, key in seen.items() if lake.mark_of(key) not in erased}
    unchanged = [replace(known[key], is_present=True) for key in seen.values() if key in known]
    new = {path: key for path, key in seen.items() if key not in known}
    number_of = lake.delivery_numbers(before)
    files = read_files(settings, new, number_of, instrument, register, progress)
    earlier = {d.key: d for d in before.deliveries}
    this_load = 1 + max((d.first_load for d in before.deliveries), default=0)
    read = [
        replace(
            d,
            read_with=read_with(d),
            checks=earlier[d.key].checks if d.key in earlier and d.is_readable else {},
            first_load=earlier[d.key].first_load if d.key in earlier else this_load,
        )
        for d, _ in files
    ]
    keys = {d.key for d in (*unchanged, *read)}
    others = [
        replace(d, is_present=d.is_present and d.round not in rounds)
        for d in before.deliveries
        if d.key not in keys
    ]
    manifest = Manifest(
        lake.settle([*unchanged, *read, *others], log.withdrawn),
        lake.register_fingerprint(register),
        register.is_synthetic,
        before.checked_with,
        sorted(erased),
        is_logged=True,
    )
    lake.write_tables(settings, manifest, register)
    _forget(settings, manifest, read_with)
    if log.pending:
        erasure.sweep(settings, manifest, log)
    audit.record(settings, manifest, rounds)
    opened = {d.key for d in read}
    return Load(
        manifest,
        tuple(d for d in manifest.deliveries if d.key in opened),
        tuple(f for _, findings in files for f in findings),
    )


def is_current(
    settings: Settings, rounds: Iterable[int], instrument: Instrument, register: Register
) -> bool:
    """Whether a load of the rounds would find nothing new."""
    manifest, rounds = lake.read_manifest(settings), set(rounds)
    read_with = _fingerprints(instrument, register)
    there = {key for round_ in rounds for key in seen(settings, round_)}
    there = {key for key in there if lake.mark_of(key) not in manifest.erased}
    present = [d for d in manifest.deliveries if d.is_present]
    known = {d.seen_as for d in manifest.deliveries if _is_as_read(settings, d, read_with)}
    return (
        audit.is_settled(settings, manifest)
        and manifest.register == lake.register_fingerprint(register)
        and all(d.read_with == read_with(d) for d in present)
        and {d.seen_as for d in present if d.round in rounds and d.is_final} <= there <= known
    )


def _erased(
    seen: Mapping[Path, SeenAs], known: Container[SeenAs], contents: Container[str]
) -> set[str]:
    """The marks of new files that hold an erased content; looked into only when there is one."""
    if not contents:
        return set()
    return {
        lake.mark_of(key)
        for path, key in seen.items()
        if key not in known and _content(path) in contents
    }


def _content(path: Path) -> str:
    """The SHA-256 of a file; empty when it may not be read."""
    from pipelines.workbook.gate import regular_file
    from pipelines.workbook.native import RefusedError

    try:
        return hashlib.sha256(regular_file(path)).hexdigest()
    except RefusedError:
        return ""


def _is_as_read(settings: Settings, delivery: Delivery, read_with: ReadWith) -> bool:
    """Whether opening the same file again would tell nothing new."""
    is_as_then = delivery.is_final and delivery.read_with == read_with(delivery)
    return is_as_then and lake.is_whole(settings, delivery)


def _forget(settings: Settings, manifest: Manifest, read_with: ReadWith) -> None:
    """Removes what was read in another way from files that are gone; back again, they are read."""
    kept = {
        lake.parquet_of(settings, d)
        for d in manifest.deliveries
        if d.is_present or d.read_with == read_with(d)
    }
    for d in manifest.deliveries:
        if lake.parquet_of(settings, d) not in kept:
            for table in lake.READ:
                lake.parquet_of(settings, d, table).unlink(missing_ok=True)


def _fingerprints(instrument: Instrument, register: Register) -> ReadWith:
    """For each delivery a text that changes whenever its bytes could be read to something else."""
    common = fingerprint(instrument, register)

    def read_with(delivery: Delivery) -> str:
        own = asked_of(register.extra_questions, delivery.association_id, delivery.round)
        return hashlib.sha256(f"{common}{own!r}".encode()).hexdigest() if own else common

    return read_with


def fingerprint(instrument: Instrument, register: Register) -> str:
    """Changes whenever the bytes of any file could be read to something else.

    What projects ask of a single association is not in it, see `_fingerprints`.
    """
    digest = hashlib.sha256(instrument.fingerprint.encode())
    packing = PROJECT / "pipelines" / "packing.py"  # unimported: with it comes numpy
    code = [p for room in ("web", "workbook") for p in (PROJECT / "pipelines" / room).glob("*.py")]
    for path in (*sorted(code), Path(extra.__file__), packing, RULES, THRESHOLDS):
        digest.update(path.read_bytes())
    digest.update("\0".join(sorted(register.associations)).encode())
    return digest.hexdigest()


def first_changed(settings: Settings, instrument: Instrument, register: Register) -> int | None:
    """The first round that a load would find something new in, if any."""
    kept = {d.round for d in lake.read_manifest(settings).deliveries if d.is_present}
    with_files = (r for r in instrument.rounds if r in kept or delivered(settings, r))
    changed = (r for r in with_files if not is_current(settings, [r], instrument, register))
    return next(changed, None)


def last_written(settings: Settings, round_: int) -> float:
    """When a file of the round was last written, in seconds since 1970; 0 without files."""
    return max((mtime_ns for _, mtime_ns, _ in seen(settings, round_)), default=0) / 1e9


def landing_fingerprint(
    settings: Settings, round_: int, instrument: Instrument, register: Register
) -> str:
    """Changes whenever a load of the round could give something else."""
    digest = hashlib.sha256(fingerprint(instrument, register).encode())
    digest.update(lake.register_fingerprint(register).encode())
    digest.update(repr(seen(settings, round_)).encode())
    return digest.hexdigest()


def seen(settings: Settings, round_: int) -> list[SeenAs]:
    """What tells the files of a round, unopened."""
    return [seen_as(settings, path) for path in delivered(settings, round_)]


def seen_as(settings: Settings, path: Path) -> SeenAs:
    r"""What tells an unchanged file without opening it: name, time and size.

    Bytes of a name that are no text are written as such: \xe5.
    """
    stat, name = path.stat(), path.relative_to(settings.raw).as_posix()
    readable = os.fsencode(name).decode("utf-8", "backslashreplace")
    return readable, stat.st_mtime_ns, stat.st_size


def delivered(settings: Settings, round_: int) -> list[Path]:
    """The files delivered for a round, by name; hidden, lock and system files are none.

    Those in its folder for web answers come after the workbooks.
    """
    folder = settings.raw / str(round_)
    return [path for f in (folder, folder / WEB) for path in files_in(f)]


def files_in(folder: Path) -> list[Path]:
    """The files of a folder by name, hidden, lock and system files left out."""
    if not folder.is_dir():
        return []
    return [p for p in sorted(folder.iterdir()) if p.is_file() and _is_delivery(p)]


def _is_delivery(path: Path) -> bool:
    name = path.name.casefold()
    return not name.startswith((".", "~$")) and name not in _NO_DELIVERIES


def passed_over(settings: Settings, instrument: Instrument) -> list[Path]:
    """What lies in the landing zone where no file is read: unknown folders, files beside them."""
    if not settings.raw.is_dir():
        return []
    rounds = {str(round_) for round_ in instrument.rounds}
    zone = [p for p in sorted(settings.raw.iterdir()) if _is_delivery(p)]
    strange = [p for p in zone if p.is_dir() and p.name not in {*rounds, *_OTHER_FOLDERS}]
    loose = [p for p in zone if p.suffix.casefold().startswith(".xls")]
    read = [f for folder in zone if folder.name in rounds for f in (folder, folder / WEB)]
    read += [folder for folder in zone if folder.name in _OTHER_FOLDERS]
    nested = [
        p
        for folder in read
        if folder.is_dir()
        for p in sorted(folder.iterdir())
        if p.is_dir() and _is_delivery(p) and p not in read
    ]
    return [*strange, *loose, *nested]


def read_files(
    settings: Settings,
    new: Mapping[Path, SeenAs],
    number_of: Callable[[Delivery], int],
    instrument: Instrument,
    register: Register,
    progress: Progress = lambda done, total: None,
) -> list[tuple[Delivery, tuple[Finding, ...]]]:
    """Reads files to parquet and findings; gives each one's delivery and findings."""
    read = []
    with _without_collection():
        for batch in _batches(_drafts(new, instrument, register, progress)):
            with together() as write:
                for unnumbered, reading in _readings(batch, instrument):
                    delivery = replace(unnumbered, delivery_no=number_of(unnumbered))
                    _write_reading(settings, delivery, reading, instrument, write)
                    read.append((delivery, reading.findings))
    return read


def _drafts(
    new: Mapping[Path, SeenAs], instrument: Instrument, register: Register, progress: Progress
) -> Iterator[tuple[Draft, SeenAs]]:
    """Opens the files in their order, some ahead, in processes that have little to lose."""
    from pipelines.workbook.sandbox import Readers

    with Readers() as readers:
        begun = ((_begin(p, k[0], instrument, register, readers), k) for p, k in new.items())
        for done, (draft, key) in enumerate(_ahead(begun, FILES_AHEAD)):
            progress(done, len(new))
            yield draft(), key
    progress(len(new), len(new))


def _begin(
    path: Path, file: str, instrument: Instrument, register: Register, readers: Readers
) -> Callable[[], Draft]:
    """Begins to read a file; what is returned waits for that and gives its draft."""
    from pipelines.workbook.gate import regular_file
    from pipelines.workbook.native import RefusedError
    from pipelines.workbook.structure import refused_file

    round_ = int((path.parent.parent if is_web(file) else path.parent).name)
    try:
        data = regular_file(path)
    except RefusedError as refused:
        draft = refused_file(file, hashlib.sha256().hexdigest(), round_, refused)
        return partial(replace, draft, source=WEB if is_web(file) else draft.source)
    read = readers.read if is_web(file) else readers.begin(data, file)
    return partial(draft_of, data, file, round_, instrument, register, read)


def _ahead(made: Iterable[Made], count: int) -> Iterator[Made]:
    """What is made, in its order, so much of it before it is asked for."""
    waiting: deque[Made] = deque()
    for one in made:
        waiting.append(one)
        if len(waiting) > count:
            yield waiting.popleft()
    yield from waiting


def draft_of(
    data: bytes,
    file: str,
    round_: int,
    instrument: Instrument,
    register: Register,
    read: ReadBook,
) -> Draft:
    """The structure of a delivery, workbook or web answers, told by the folder it lies in."""
    from pipelines.web.read import draft_export
    from pipelines.workbook.structure import draft_workbook

    draft = draft_export if is_web(file) else partial(draft_workbook, read=read)
    return draft(
        data,
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
        folder_round=round_,
        associations=register.associations,
        instrument=instrument,
        extra=register.extra_questions,
    )


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keeps the garbage collector, a twentieth of a load, away from the cells of a batch.

    They hold no cycles, so they are freed all the same.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _batches(drafts: Iterable[tuple[Draft, SeenAs]]) -> Iterator[list[tuple[Draft, SeenAs]]]:
    """So many at a time that each costs little and all fit in memory."""
    batch, n_responses = [], 0
    for draft, key in drafts:
        batch.append((draft, key))
        n_responses += draft.n_responses
        if n_responses >= BATCH_RESPONSES:
            yield batch
            batch, n_responses = [], 0
    yield batch


def _readings(
    batch: Sequence[tuple[Draft, SeenAs]], instrument: Instrument
) -> Iterator[tuple[Delivery, Reading]]:
    """What the drafts of a batch are read to."""
    from pipelines.workbook.read import read_drafts

    readings = read_drafts([draft for draft, _ in batch], instrument)
    for (draft, (file, mtime_ns, size)), reading in zip(batch, readings, strict=True):
        counts = by_severity(reading.findings)
        delivery = Delivery(
            file=file,
            sha256=draft.sha256,
            round=draft.round,
            mtime_ns=mtime_ns,
            size=size,
            association_id=draft.association_id,
            layout_id=draft.layout_id,
            state="stopped" if counts[Severity.STOP] else "loaded",
            rows_per_questionnaire=reading.rows_per_questionnaire,
            findings={severity.value: n for severity, n in counts.items()},
            activities=[lake.fields_of(a) for a in reading.activities],
            is_misplaced=any(f.rule_id in MISPLACED for f in reading.findings),
            holds_personal_data=any(f.rule_id in PERSONAL for f in reading.findings),
            is_refused=draft.is_refused,
            is_final=not any(f.rule_id in PASSING_RULES for f in reading.findings),
            source=draft.source,
        )
        yield delivery, reading


def _write_reading(
    settings: Settings,
    delivery: Delivery,
    reading: Reading,
    instrument: Instrument,
    write: Write,
) -> None:
    """Writes responses and findings of one workbook, each under its content's name."""
    if delivery.is_readable:
        lake.write_responses(settings, delivery, reading.responses, instrument, write)
    else:
        lake.write_findings(settings, delivery, "checks", ())
    lake.write_findings(settings, delivery, "reader", reading.findings, write)
