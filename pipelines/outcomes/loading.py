"""Loading outcome files: what is new or changed under the landing zone, read into the lake.

Belongs here: noticing and opening files, the record of them, their acts in the audit log. Does not:
what a file says (read.py); what counts, which is what the check leaves (check.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import audit, lake, loading
from pipelines.audit import Act
from pipelines.findings import Severity
from pipelines.instrument import Instrument
from pipelines.lake import SeenAs
from pipelines.outcomes import facts, files, tables
from pipelines.outcomes.files import READER, OutcomeFile, State
from pipelines.register import Register
from pipelines.settings import Settings
from pipelines.workbook.personal import PERSONAL

if TYPE_CHECKING:
    from pipelines.outcomes.read import Reading
    from pipelines.workbook.structure import ReadBook


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: the record as it is now, and the files that were opened."""

    state: State
    read: tuple[OutcomeFile, ...] = ()


def load(
    settings: Settings,
    instrument: Instrument,
    register: Register,
    progress: loading.Progress = lambda done, total: None,
) -> Loaded:
    """Reads new and changed outcome files; what is read counts once it is checked.

    A file whose path, size and time are as they were is not opened again, unless the seeds, the
    reader or the register's associations changed since. What counted of a file that is gone
    counts until the next check.

    Raises:
        BrokenLogError: the audit log is not whole.
    """
    audit.begin(settings)
    before, read_with = files.read_state(settings), fingerprint(instrument, register)
    known = {f.seen_as: f for f in before.files if _is_as_read(settings, f, read_with)}
    there = {path: loading.seen_as(settings, path) for path in files.delivered(settings)}
    new = {path: key for path, key in there.items() if key not in known}
    read = {f.seen_as: f for f in _read(settings, new, instrument, register, read_with, progress)}
    now = {**known, **read}
    state = State(
        tuple(now[key] for key in there.values()),
        facts.dropout_months(settings),
        register.is_synthetic,
        before.checked_with,
    )
    tables.ensure(settings)
    tables.write_settings(settings)
    files.forget_others(settings, state)
    files.write_state(settings, state)
    audit.append(settings, _acts(audit.whole(settings), state))
    return Loaded(state, tuple(read.values()))


def is_current(settings: Settings, instrument: Instrument, register: Register) -> bool:
    """Whether a load would find nothing new."""
    state, read_with = files.read_state(settings), fingerprint(instrument, register)
    known = {f.seen_as for f in state.files if _is_as_read(settings, f, read_with)}
    return (
        tables.are_there(settings)
        and state.dropout_months == facts.dropout_months(settings)
        and state.is_synthetic == register.is_synthetic
        and len(state.files) == len(known)
        and known == set(files.seen(settings))
        and not _acts(audit.read(settings), state)
    )


def fingerprint(instrument: Instrument, register: Register) -> str:
    """Changes whenever the same bytes could be read to something else."""
    digest = hashlib.sha256(loading.fingerprint(instrument, register).encode())
    here = Path(__file__)
    for name in ("facts", "loading", "read", "tables"):
        digest.update(here.with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def landing_fingerprint(settings: Settings, instrument: Instrument, register: Register) -> str:
    """Changes whenever a load could give something else."""
    digest = hashlib.sha256(fingerprint(instrument, register).encode())
    digest.update(repr((files.seen(settings), facts.dropout_months(settings))).encode())
    return digest.hexdigest()


def last_written(settings: Settings) -> float:
    """When an outcome file was last written, in seconds since 1970; 0 without files."""
    return max((mtime_ns for _, mtime_ns, _ in files.seen(settings)), default=0) / 1e9


def _is_as_read(settings: Settings, file: OutcomeFile, read_with: str) -> bool:
    is_as_then = file.is_final and file.read_with == read_with
    return is_as_then and files.is_whole(settings, file)


# --- reading ------------------------------------------------------------------------------------


def _read(
    settings: Settings,
    new: Mapping[Path, SeenAs],
    instrument: Instrument,
    register: Register,
    read_with: str,
    progress: loading.Progress,
) -> list[OutcomeFile]:
    """Reads files, one after the other, and keeps what they say and what is wrong with them."""
    if not new:
        return []
    from pipelines.workbook.sandbox import Reader, read_safely

    read = []
    with Reader() as reader:
        safely = partial(read_safely, reader=reader)
        for done, (path, key) in enumerate(new.items()):
            progress(done, len(new))
            read.append(_read_one(settings, path, key, instrument, register, read_with, safely))
    progress(len(new), len(new))
    return read


def _read_one(
    settings: Settings,
    path: Path,
    key: SeenAs,
    instrument: Instrument,
    register: Register,
    read_with: str,
    read: ReadBook,
) -> OutcomeFile:
    from pipelines.findings import finding
    from pipelines.outcomes.read import MOST, Reading, read_file
    from pipelines.workbook.gate import regular_file
    from pipelines.workbook.native import RefusedError

    data = b""
    try:
        data = regular_file(path, MOST)
        reading = read_file(data, key[0], instrument, register.associations, read)
    except RefusedError as refused:
        told = finding(refused.rule_id, file=key[0], wanted=refused.wanted)
        reading = Reading((told,))
    file = _described(key, hashlib.sha256(data).hexdigest(), reading, read_with)
    if file.is_sound and reading.rows is not None:
        lake.write_parquet(files.read_path(settings, file), reading.rows)
    return files.keep(settings, file, READER, reading.findings)


def _described(key: SeenAs, sha256: str, reading: Reading, read_with: str) -> OutcomeFile:
    name, mtime_ns, size = key
    rules = {f.rule_id for f in reading.findings}
    stops = sum(f.severity is Severity.STOP for f in reading.findings)
    return OutcomeFile(
        file=name,
        sha256=sha256,
        mtime_ns=mtime_ns,
        size=size,
        table=reading.table,
        n_rows=reading.n_rows,
        findings={Severity.STOP.value: stops} if stops else {},
        read_with=read_with,
        is_final=not rules & set(loading.PASSING_RULES),
        holds_personal_data=bool(rules & set(PERSONAL)),
        sheet=reading.sheet,
        places=reading.places,
    )


# --- the audit log ------------------------------------------------------------------------------


def _acts(log: audit.Log, state: State) -> list[Act]:
    """The acts that lead from what the log said last of each outcome file to what is there now.

    They are told from those of deliveries by having no round.
    """
    known = {name: line.act for name, line in log.states.items() if line.act.round is None}
    acts = []
    for f in state.files:
        told = known.pop(f.file_id, None)
        now = Act(
            "load" if f.is_sound else "refuse",
            delivery=f.file_id,
            sha256=f.sha256,
            counts={"rows": f.n_rows},
        )
        if told is None:
            acts.append(replace(now, act="receive"))
        if told is None or (told.act, dict(told.counts)) != (now.act, dict(now.counts)):
            acts.append(now)
    gone = (told for told in known.values() if told.act != "remove")
    return [*acts, *(Act("remove", delivery=t.delivery, sha256=t.sha256) for t in gone)]
