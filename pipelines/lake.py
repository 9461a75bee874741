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

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.findings import Finding, Severity, by_severity, finding
from pipelines.instrument import Instrument
from pipelines.register import Register
from pipelines.settings import PROJECT, Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from _typeshed import DataclassInstance

    from pipelines.workbook.read import Reading

Progress = Callable[[int, int], None]
"""Called with how many are done and how many there are."""

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file as delivered; (file, sha256) is its key.

    Attributes:
        file: path under the landing zone.
        mtime_ns, size: as the file was when it was read, to notice a change without opening it.
        state: loaded (counts now), replaced, stopped, withdrawn or removed (no longer in raw/).
        findings: how many by severity.
        activities: what the sheet `Insatser` lists.
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

    @property
    def key(self) -> tuple[str, str]:
        """What tells deliveries apart."""
        return self.file, self.sha256

    @property
    def unit(self) -> tuple[int, str | None]:
        """What a delivery is about; one of each counts."""
        return self.round, self.association_id

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
    """Every delivery ever seen, and what they were read with."""

    deliveries: tuple[Delivery, ...] = ()
    read_with: str = ""
    is_synthetic: bool = False

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
    known = {} if anew else {(d.file, d.mtime_ns, d.size): d for d in before.deliveries}
    paths = [path for round_ in sorted(rounds) for path in delivered(settings, round_)]
    unchanged = {path: known[key] for path in paths if (key := _seen_as(settings, path)) in known}
    new = [path for path in paths if path not in unchanged]
    readings = []
    for done, path in enumerate(new):
        progress(done, len(new))
        readings.append(_read_file(settings, path, instrument, register))
    progress(len(new), len(new))
    read = [delivery for delivery, _ in readings]
    present = [*unchanged.values(), *read]
    manifest = Manifest(
        _settle(present, before.deliveries, rounds), read_with, register.is_synthetic
    )
    _write_tables(settings, manifest, register)
    keys = {d.key for d in read}
    return Load(
        manifest,
        tuple(d for d in manifest.deliveries if d.key in keys),
        tuple(f for _, findings in readings for f in findings),
    )


def _seen_as(settings: Settings, path: Path) -> tuple[str, int, int]:
    """What tells an unchanged file without opening it: name, time and size."""
    stat = path.stat()
    return path.relative_to(settings.raw).as_posix(), stat.st_mtime_ns, stat.st_size


def _settle(
    present: Sequence[Delivery], before: Sequence[Delivery], rounds: set[int]
) -> tuple[Delivery, ...]:
    """For each association and round the newest sound delivery counts, by time and then name.

    Deliveries of these rounds that are no longer in the landing zone stay on record: replaced
    where another one counts instead, else removed.
    """
    by_time = sorted(present, key=lambda d: (d.mtime_ns, d.file))
    counting = {d.unit: d.key for d in by_time if d.state != "stopped"}
    keys, files = {d.key for d in present}, {d.file for d in present}
    settled = []
    for d in present:
        if d.state != "stopped":
            d = replace(d, state="loaded" if counting[d.unit] == d.key else "replaced")
        settled.append(d)
    for d in before:
        if d.key in keys:
            continue
        if d.round in rounds:
            d = replace(d, state="replaced" if d.unit in counting or d.file in files else "removed")
        settled.append(d)
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


def _read_file(
    settings: Settings, path: Path, instrument: Instrument, register: Register
) -> tuple[Delivery, tuple[Finding, ...]]:
    from pipelines.workbook.read import Reading, read_workbook

    file, mtime_ns, size = _seen_as(settings, path)
    round_ = int(path.parent.name)
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    sha256 = hashlib.sha256(data).hexdigest()
    if not data:
        reading = Reading(findings=(finding("no_access", file=file),))
    elif path.suffix.lower() in WORKBOOK_SUFFIXES:
        reading = read_workbook(
            data,
            file=file,
            sha256=sha256,
            folder_round=round_,
            associations=register.associations,
            instrument=instrument,
        )
    else:
        wanted = path.suffix or "ingen filändelse"
        reading = Reading(findings=(finding("not_xlsx", file=file, wanted=wanted),))
    counts = by_severity(reading.findings)
    delivery = Delivery(
        file=file,
        sha256=sha256,
        round=round_,
        mtime_ns=mtime_ns,
        size=size,
        association_id=reading.association_id,
        layout_id=reading.layout_id,
        state="stopped" if counts[Severity.STOP] else "loaded",
        rows_per_questionnaire=reading.rows_per_questionnaire,
        findings={severity.value: n for severity, n in counts.items()},
        activities=[_fields(a) for a in reading.activities],
    )
    _write_reading(settings, delivery, reading)
    return delivery, reading.findings


def _write_reading(settings: Settings, delivery: Delivery, reading: Reading) -> None:
    """Writes answers, responses and findings of one workbook, each under its content's name."""
    name, partition = f"{delivery.sha256}.parquet", f"round={delivery.round}"
    if delivery.state != "stopped":
        write_parquet(settings.lake / "answers" / partition / name, reading.responses)
    receipt = settings.receipts / str(delivery.round) / f"{delivery.sha256}.json"
    if reading.findings or receipt.exists():
        found = [f.as_dict() for f in reading.findings]
        write_text(receipt, json.dumps(found, ensure_ascii=False, indent=1))


def findings_of(settings: Settings, delivery: Delivery) -> list[Finding]:
    """The findings of one delivery, as they were when it was read."""
    path = settings.receipts / str(delivery.round) / f"{delivery.sha256}.json"
    if not path.exists():
        return []
    return [
        Finding(**(row | {"severity": Severity(row["severity"])}))
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]


def _reader_fingerprint(instrument: Instrument, register: Register) -> str:
    """Changes whenever the same bytes could be read to something else."""
    digest = hashlib.sha256(instrument.fingerprint.encode())
    for path in sorted((PROJECT / "pipelines" / "workbook").glob("*.py")):
        digest.update(path.read_bytes())
    digest.update("\0".join(sorted(register.associations)).encode())
    return digest.hexdigest()


# --- the manifest -------------------------------------------------------------------------------


def read_manifest(settings: Settings) -> Manifest:
    """The manifest, empty before the first load."""
    path = settings.lake / "manifest.json"
    if not path.exists():
        return Manifest()
    content = json.loads(path.read_text(encoding="utf-8"))
    deliveries = tuple(Delivery(**row) for row in content["deliveries"])
    return Manifest(deliveries, content["read_with"], content["is_synthetic"])


def _write_tables(settings: Settings, manifest: Manifest, register: Register) -> None:
    """Writes the manifest, and the tables dbt reads beside answers and responses."""
    rows = ",\n".join(json.dumps(_fields(d), ensure_ascii=False) for d in manifest.deliveries)
    content = json.dumps({"read_with": manifest.read_with, "is_synthetic": manifest.is_synthetic})
    for table, rows in _tables(manifest, register).items():
        write_parquet(settings.lake / f"{table}.parquet", rows)
    content = f'{content[:-1]}, "deliveries": [\n{rows}\n]}}\n'
    write_text(settings.lake / "manifest.json", content)


def _fields(row: DataclassInstance) -> dict[str, Any]:
    """The fields of a dataclass as they are (asdict would copy every value)."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


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
            dict.fromkeys(("sha256", "insats_kod", "insats_namn", "inriktning", "langd"), text),
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
    return {
        "sha256": d.sha256,
        "file": d.file,
        "round": d.round,
        "association_id": d.association_id,
        "layout_id": d.layout_id,
        "received": d.received.replace(tzinfo=None),
        "state": d.state,
        "n_questionnaires": d.n_questionnaires,
        "rows_per_questionnaire": json.dumps(d.rows_per_questionnaire),
        **{f"n_{severity}": n for severity, n in d.findings.items()},
        "is_synthetic": is_synthetic,
    }


# --- files, written beside and renamed ----------------------------------------------------------


def write_parquet(path: Path, table: pa.Table) -> None:
    """Writes a table as a parquet file that appears whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # statistics, compression and arrow's own schema cost more on so few rows than they save
    pq.write_table(table, sink, write_statistics=False, store_schema=False, compression="none")
    write_bytes(path, sink.getvalue())


def write_text(path: Path, content: str) -> None:
    """Writes a text file that appears whole or not at all."""
    write_bytes(path, content.encode())


def write_bytes(path: Path, content: bytes | pa.Buffer) -> None:
    """Writes a file beside its place and renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)
