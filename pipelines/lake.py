"""The lake: what was read from each workbook, kept by content, and which delivery counts.

Belongs here: noticing new and changed files under `raw/<round>/`, writing their parquet files, the
manifest, and the small tables dbt reads beside them. Does not: reading a workbook (workbook/) or
computing any figure (dbt).

```
lake/answers/round=2026/<sha256>.parquet      a row per returned questionnaire, with its answers
lake/deliveries.parquet, activities.parquet, handed_out.parquet, register/*.parquet
lake/manifest.json                            a row per delivery ever seen
```
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.findings import Finding, Severity, by_severity
from pipelines.instrument import Instrument
from pipelines.register import Register
from pipelines.settings import PROJECT, Settings

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.workbook.read import Reading
    from pipelines.workbook.structure import Draft, ReadBook

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

SeenAs = tuple[str, int, int]
"""What tells an unchanged file without opening it: path under the landing zone, time and size."""

PASSING_RULES = ("reader_timeout", "reader_memory", "reader_crashed")
"""What may come from a busy machine: such a file is read again the next time."""

BATCH_RESPONSES = 10_000
"""How many responses are understood at a time: about 100 workbooks."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file as delivered; (file, sha256) is its key.

    Attributes:
        file: path under the landing zone.
        mtime_ns, size: as the file was when it was read, to notice a change without opening it.
        state: loaded (counts now), replaced, stopped, withdrawn or removed (no longer in raw/).
        findings: how many the reader has, by severity.
        activities: what the sheet `Insatser` lists.
        checks: how many findings the expectations have, by severity.
        is_refused: whether the file was refused before any of its cells was looked at.
        is_final: whether reading it again would say the same; not when the machine was too busy.
        is_present: whether the file is still in the landing zone.
    """

    file: str
    sha256: str
    round: int
    mtime_ns: int
    size: int
    association_id: str | None
    layout_id: str | None
    state: str
    rows_per_questionnaire: Mapping[str, int]
    findings: Mapping[str, int]
    activities: Sequence[Mapping[str, Any]]
    checks: Mapping[str, int] = field(default_factory=dict)
    is_refused: bool = False
    is_final: bool = True
    is_present: bool = True

    @property
    def key(self) -> tuple[str, str]:
        """What tells deliveries apart."""
        return self.file, self.sha256

    @property
    def unit(self) -> tuple[int, str | None]:
        """What a delivery is about; one of each counts."""
        return self.round, self.association_id

    def age(self) -> tuple[int, str]:
        """What tells the newer of two deliveries: time, then name."""
        return self.mtime_ns, self.file

    @property
    def seen_as(self) -> SeenAs:
        """What tells the unchanged file."""
        return self.file, self.mtime_ns, self.size

    @property
    def is_sound(self) -> bool:
        """Whether it may count: no finding stops it."""
        return not self.total(Severity.STOP)

    def total(self, severity: Severity) -> int:
        """Findings of a severity, the reader's and the expectations'."""
        return self.findings.get(severity, 0) + self.checks.get(severity, 0)

    @property
    def received(self) -> datetime:
        """When the file was last written, in UTC."""
        return datetime.fromtimestamp(self.mtime_ns // 1_000_000_000, UTC)

    @property
    def n_questionnaires(self) -> int:
        """Returned questionnaires in the workbook."""
        return sum(self.rows_per_questionnaire.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every delivery ever seen, and what they were read with.

    Attributes:
        read_with: fingerprint of all that decides what the same bytes are read to.
        register: fingerprint of the register as the lake holds it.
        is_synthetic: whether the landing zone says that its data is invented.
        checked_with: by round, fingerprint of what the expectations were held against.
    """

    deliveries: tuple[Delivery, ...] = ()
    read_with: str = ""
    register: str = ""
    is_synthetic: bool = False
    checked_with: Mapping[str, str] = field(default_factory=dict)

    def counting(self, round_: int | None = None) -> list[Delivery]:
        """The deliveries that count now, of one round or of all."""
        return [d for d in self.deliveries if d.state == "loaded" and round_ in (None, d.round)]


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
    instrument, the reader or the register's associations changed since: then all rounds are.
    """
    before = read_manifest(settings)
    read_with = _reader_fingerprint(instrument, register)
    anew = before.read_with != read_with
    rounds = set(rounds) | ({d.round for d in before.deliveries} if anew else set())
    known = {} if anew else {d.seen_as: d for d in before.deliveries if d.is_final}
    paths = [path for round_ in sorted(rounds) for path in delivered(settings, round_)]
    seen = {path: seen_as(settings, path) for path in paths}
    unchanged = [replace(known[key], is_present=True) for key in seen.values() if key in known]
    new = {path: key for path, key in seen.items() if key not in known}
    files = read_files(settings, new, instrument, register, progress)
    read = [delivery for delivery, _ in files]
    keys = {d.key for d in (*unchanged, *read)}
    others = [
        replace(d, is_present=d.is_present and d.round not in rounds)
        for d in before.deliveries
        if d.key not in keys
    ]
    manifest = Manifest(
        _settle([*unchanged, *read, *others]),
        read_with,
        _register_fingerprint(register),
        register.is_synthetic,
        before.checked_with,
    )
    _write_tables(settings, manifest, register)
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
    manifest = read_manifest(settings)
    paths = (path for round_ in set(rounds) for path in delivered(settings, round_))
    present = {seen_as(settings, path) for path in paths}
    known = {d.seen_as for d in manifest.deliveries if d.is_final}
    in_use = {
        d.seen_as for d in manifest.deliveries if d.round in rounds and d.is_present and d.is_final
    }
    return (
        manifest.read_with == _reader_fingerprint(instrument, register)
        and manifest.register == _register_fingerprint(register)
        and in_use <= present <= known
    )


def seen_as(settings: Settings, path: Path) -> SeenAs:
    """What tells an unchanged file without opening it: name, time and size."""
    stat = path.stat()
    return path.relative_to(settings.raw).as_posix(), stat.st_mtime_ns, stat.st_size


def _settle(deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """For each association and round the newest sound delivery counts, by time and then name."""
    present = sorted((d for d in deliveries if d.is_present), key=Delivery.age)
    counting = {d.unit: d for d in present if d.is_sound}
    files = {d.file for d in present}

    def state(d: Delivery) -> str:
        best = counting.get(d.unit)
        if best is d:
            return "loaded"
        if not d.is_present:
            return "replaced" if best or d.file in files else "removed"
        return "replaced" if best and (d.is_sound or best.age() > d.age()) else "stopped"

    settled = [replace(d, state=state(d)) for d in deliveries]
    return tuple(sorted(settled, key=lambda d: (d.file, d.mtime_ns, d.sha256)))


def delivered(settings: Settings, round_: int) -> list[Path]:
    """The files delivered for a round, by name; hidden and lock files are none."""
    folder = settings.raw / str(round_)
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith((".", "~$")))


def unknown_rounds(settings: Settings, instrument: Instrument) -> list[str]:
    """Folders of the landing zone that look like a round which the instrument does not have."""
    if not settings.raw.is_dir():
        return []
    names = [p.name for p in settings.raw.iterdir() if p.is_dir() and p.name.isdigit()]
    return sorted(name for name in names if int(name) not in instrument.rounds)


def read_files(
    settings: Settings,
    new: Mapping[Path, SeenAs],
    instrument: Instrument,
    register: Register,
    progress: Progress = lambda done, total: None,
) -> list[tuple[Delivery, tuple[Finding, ...]]]:
    """Reads files to parquet and receipts; gives each one's delivery and findings."""
    read = []
    with _without_collection():
        for batch in _batches(_drafts(new, instrument, register, progress)):
            for delivery, reading in _readings(batch, instrument):
                _write_reading(settings, delivery, reading)
                read.append((delivery, reading.findings))
    return read


def _drafts(
    new: Mapping[Path, SeenAs], instrument: Instrument, register: Register, progress: Progress
) -> Iterator[tuple[Draft, SeenAs]]:
    """Opens one file after the other, in a process that has little to lose."""
    from pipelines.workbook.sandbox import Reader, read_safely

    with Reader() as reader:
        read = partial(read_safely, reader=reader)
        for done, (path, key) in enumerate(new.items()):
            progress(done, len(new))
            yield _draft(path, key[0], instrument, register, read), key
    progress(len(new), len(new))


def _draft(
    path: Path, file: str, instrument: Instrument, register: Register, read: ReadBook
) -> Draft:
    from pipelines.workbook.gate import regular_file
    from pipelines.workbook.native import RefusedError
    from pipelines.workbook.structure import draft_workbook, refused_file

    round_ = int(path.parent.name)
    try:
        data = regular_file(path)
    except RefusedError as refused:
        return refused_file(file, hashlib.sha256().hexdigest(), round_, refused)
    return draft_workbook(
        data,
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
        folder_round=round_,
        associations=register.associations,
        instrument=instrument,
        read=read,
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
            activities=[_fields(a) for a in reading.activities],
            is_refused=draft.is_refused,
            is_final=not any(f.rule_id in PASSING_RULES for f in reading.findings),
        )
        yield delivery, reading


def _write_reading(settings: Settings, delivery: Delivery, reading: Reading) -> None:
    """Writes responses and findings of one workbook, each under its content's name."""
    if delivery.state != "stopped":
        write_parquet(parquet_of(settings, delivery), reading.responses)
    _write_findings(settings, delivery, "reader", reading.findings)


def parquet_of(settings: Settings, delivery: Delivery) -> Path:
    """Where the responses of a delivery lie that was sound for the reader."""
    partition, name = f"round={delivery.round}", f"{delivery.sha256}.parquet"
    return settings.lake.joinpath("answers", partition, name)


# --- findings -----------------------------------------------------------------------------------


def findings_of(
    settings: Settings, delivery: Delivery, sources: Sequence[str] = ("reader", "checks")
) -> list[Finding]:
    """The findings of one delivery: the reader's, then the expectations'."""
    return [
        Finding(**(row | {"severity": Severity(row["severity"])}))
        for source in sources
        if (path := _findings_path(settings, delivery, source)).exists()
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]


def keep_checks(
    settings: Settings,
    register: Register,
    round_: int,
    found: Mapping[tuple[str, str], Sequence[Finding]],
    checked_with: str,
) -> Manifest:
    """Records what the expectations found in a round, and settles what counts anew.

    Returns:
        The manifest as it is now; a delivery with a stop counts no more.
    """
    before = read_manifest(settings)
    checked = []
    for d in before.deliveries:
        if d.key in found:
            counts = by_severity(found[d.key])
            checks = {severity.value: n for severity, n in counts.items()}
            d = replace(d, checks=checks)
            _write_findings(settings, d, "checks", found[d.key])
        checked.append(d)
    manifest = replace(
        before,
        deliveries=_settle(checked),
        checked_with={**before.checked_with, str(round_): checked_with},
    )
    _write_tables(settings, manifest, register)
    return manifest


def _write_findings(
    settings: Settings, delivery: Delivery, source: str, findings: Sequence[Finding]
) -> None:
    path = _findings_path(settings, delivery, source)
    if findings or path.exists():
        found = [f.as_dict() for f in findings]
        write_text(path, json.dumps(found, ensure_ascii=False, indent=1))


def _findings_path(settings: Settings, delivery: Delivery, source: str) -> Path:
    return settings.receipts.joinpath(str(delivery.round), f"{delivery.sha256}.{source}.json")


def _reader_fingerprint(instrument: Instrument, register: Register) -> str:
    """Changes whenever the same bytes could be read to something else."""
    digest = hashlib.sha256(instrument.fingerprint.encode())
    for path in sorted((PROJECT / "pipelines" / "workbook").glob("*.py")):
        digest.update(path.read_bytes())
    digest.update("\0".join(sorted(register.associations)).encode())
    return digest.hexdigest()


def _register_fingerprint(register: Register) -> str:
    return hashlib.sha256(repr(register).encode()).hexdigest()


# --- the manifest -------------------------------------------------------------------------------


def read_manifest(settings: Settings) -> Manifest:
    """The manifest, empty before the first load."""
    path = settings.lake / "manifest.json"
    if not path.exists():
        return Manifest()
    content = json.loads(path.read_text(encoding="utf-8"))
    return Manifest(**content | {"deliveries": tuple(Delivery(**d) for d in content["deliveries"])})


def _write_tables(settings: Settings, manifest: Manifest, register: Register) -> None:
    """Writes the manifest, and the tables dbt reads beside answers and responses."""
    for table, content in _tables(manifest, register).items():
        write_parquet(settings.lake / f"{table}.parquet", content)
    head = json.dumps({k: v for k, v in _fields(manifest).items() if k != "deliveries"})
    rows = ",\n".join(json.dumps(_fields(d), ensure_ascii=False) for d in manifest.deliveries)
    text = f'{head[:-1]}, "deliveries": [\n{rows}\n]}}\n'
    write_text(settings.lake / "manifest.json", text)


def _fields(row: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass as they are (asdict would copy every value)."""
    return {name: getattr(row, name) for name in row.__slots__}


def _tables(manifest: Manifest, register: Register) -> dict[str, pa.Table]:
    """The lake's small tables by name; columns and types are those dbt's staging relies on."""
    import pyarrow as pa

    from pipelines.workbook.read import RESPONSES_SCHEMA

    deliveries = [_delivery_row(d, manifest.is_synthetic) for d in manifest.deliveries]
    listed = {d.sha256: d.activities for d in manifest.deliveries}
    activities = [{**a, "sha256": sha256} for sha256, rows in listed.items() for a in rows]
    handed_out = [
        {**a, "questionnaire_id": questionnaire_id, "handed_out": count}
        for a in activities
        for questionnaire_id, count in a["handed_out"].items()
    ]
    text, integer, day = pa.string(), pa.int32(), pa.date32()
    rounds = {"first_round": integer, "last_round": integer}
    contents: dict[str, tuple[Iterable[Mapping[str, Any]], Any]] = {
        "answers/round=0/none": ((), RESPONSES_SCHEMA),
        "deliveries": (
            deliveries,
            {"sha256": text, "file": text, "round": integer, "association_id": text}
            | {"layout_id": text, "received": pa.timestamp("us"), "state": text}
            | {"n_questionnaires": integer, "rows_per_questionnaire": text}
            | {f"n_{severity}": integer for severity in Severity}
            | {"is_synthetic": pa.bool_()},
        ),
        "activities": (
            activities,
            dict.fromkeys(("sha256", "insats_kod", "inriktning", "langd"), text),
        ),
        "handed_out": (
            handed_out,
            {"sha256": text, "insats_kod": text, "questionnaire_id": text, "handed_out": integer},
        ),
        "register/associations": (
            map(_fields, register.associations.values()),
            {"association_id": text, "association_name": text, "county_code": text}
            | {"agreement_from": day, "agreement_to": day},
        ),
        "register/memberships": (
            map(_fields, register.memberships),
            {"association_id": text, "municipality_code": text} | rounds,
        ),
        "register/targets": (
            map(_fields, register.targets),
            {"measure_id": text, "indicator_id": text, "level": text, "unit_id": text}
            | rounds
            | {"target_share": pa.float64()},
        ),
    }
    return {
        name: pa.Table.from_pylist(list(rows), pa.schema(schema))
        for name, (rows, schema) in contents.items()
    }


def _delivery_row(d: Delivery, is_synthetic: bool) -> dict[str, Any]:
    from pipelines.workbook.personal import discreet

    return {
        "sha256": d.sha256,
        "file": discreet(d.file),
        "round": d.round,
        "association_id": d.association_id,
        "layout_id": d.layout_id,
        "received": d.received.replace(tzinfo=None),
        "state": d.state,
        "n_questionnaires": d.n_questionnaires,
        "rows_per_questionnaire": json.dumps(d.rows_per_questionnaire),
        **{f"n_{severity}": d.total(severity) for severity in Severity},
        "is_synthetic": is_synthetic,
    }


# --- files, written beside and renamed ----------------------------------------------------------


def write_parquet(path: Path, table: pa.Table) -> None:
    """Writes a table as a parquet file that appears whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # statistics, compression, dictionaries and arrow's own schema cost more on so few rows than
    # they save, save for the columns that repeat a text in every row
    pq.write_table(
        table,
        sink,
        use_dictionary=["sha256", "sheet", "questionnaire_id", "answers.key_value.key"],
        write_statistics=False,
        store_schema=False,
        compression="none",
    )
    write_bytes(path, sink.getvalue())


def write_text(path: Path, content: str) -> None:
    """Writes a text file that appears whole or not at all."""
    write_bytes(path, content.encode())


def write_bytes(path: Path, content: bytes | pa.Buffer) -> None:
    """Writes a file beside its place and renames it; makes its folder when there is none."""
    beside = path.with_name(f".{path.name}.part")
    try:
        file = beside.open("wb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = beside.open("wb")
    with file:
        file.write(content)
    beside.replace(path)
