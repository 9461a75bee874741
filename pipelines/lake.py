"""The lake: what was read from each delivery, kept by content, and which delivery counts.

Belongs here: the manifest, who counts of several deliveries, and the files of the lake: parquet,
findings, the small tables dbt reads. Does not: noticing and reading workbooks (loading.py), or
computing any figure (dbt).

```
lake/responses/round=2026/<sha256>.parquet    a row per returned questionnaire
lake/bundles/round=2026/<sha256>.parquet      a row per questionnaire, activity and gender
lake/answers/round=2026/<sha256>.parquet      a row per answer; those to projects' own questions
lake/extra_answers/round=2026/<sha256>.parquet
lake/deliveries.parquet, activities.parquet, activity_categories.parquet, handed_out.parquet
lake/register/*.parquet
lake/manifest.json                            a row per delivery ever seen
receipts/2026/.findings/                      what was found in each delivery
```
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.extra import ExtraQuestion
from pipelines.files import Write, together, write_bytes, write_text
from pipelines.findings import Finding, Severity, by_severity
from pipelines.register import Register
from pipelines.settings import Settings
from pipelines.swedish import local_day
from pipelines.workbook import WORKBOOK
from pipelines.workbook.cells import normalised
from pipelines.workbook.personal import discreet

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.instrument import Instrument
    from pipelines.packing import Codes

SeenAs = tuple[str, int, int]
"""What tells an unchanged file without opening it: path under the landing zone, time and size."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file as delivered; (file, sha256) is its key.

    Attributes:
        file: path under the landing zone.
        mtime_ns, size: as the file was when it was read, to notice a change without opening it.
        state: loaded (counts now), replaced, stopped, withdrawn or removed (no longer in raw/).
        findings: how many the reader has, by severity.
        activities: what the sheet `Insatser` lists.
        read_with: fingerprint of all that decided what the bytes were read to.
        is_misplaced: whether it belongs to another round than its folder's.
        holds_personal_data: whether the reader found any, so that the file itself must go.
        checks: how many findings the expectations have, by severity.
        is_refused: whether the file was refused before any of its cells was looked at.
        is_final: whether reading it again would say the same; not when the machine was too busy.
        is_present: whether the file is still in the landing zone.
        first_load: number of the load that first saw it, counted from 1.
        source: what it comes from: a workbook, or the web and its questionnaire.
        delivery_no: the number of the content in its round, what the lake's numbers begin with.
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
    read_with: str = ""
    is_misplaced: bool = False
    holds_personal_data: bool = False
    checks: Mapping[str, int] = field(default_factory=dict)
    is_refused: bool = False
    is_final: bool = True
    is_present: bool = True
    first_load: int = 0
    source: str = WORKBOOK
    delivery_no: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What tells deliveries apart."""
        return self.file, self.sha256

    @property
    def delivery_id(self) -> str:
        """Names a delivery without its file's name: its content, and eight signs of that hash."""
        return f"{self.sha256}-{hashlib.sha256(self.file.encode()).hexdigest()[:8]}"

    @property
    def unit(self) -> tuple[int, str | None, str]:
        """What a delivery is about, one of each counts; unknown of one in the wrong folder."""
        return self.round, None if self.is_misplaced else self.association_id, self.source

    @property
    def is_web(self) -> bool:
        """Whether it is an export of web answers; such counts beside the workbook."""
        return self.source != WORKBOOK

    def age(self) -> tuple[int, str]:
        """What tells the newer of two deliveries: time, then name."""
        return self.mtime_ns, self.file

    @property
    def seen_as(self) -> SeenAs:
        """What tells the unchanged file."""
        return self.file, self.mtime_ns, self.size

    @property
    def is_readable(self) -> bool:
        """Whether the reader found no stop; then there is a parquet file of it."""
        return not self.findings[Severity.STOP]

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
    def received_on(self) -> date:
        """The day it was received in Sweden, which deadlines count in."""
        return local_day(self.received)

    @property
    def n_questionnaires(self) -> int:
        """Returned questionnaires in the workbook."""
        return sum(self.rows_per_questionnaire.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every delivery ever seen, and what else they were judged by.

    Attributes:
        register: fingerprint of the register as the lake holds it.
        is_synthetic: whether the landing zone says that its data is invented.
        checked_with: by round, fingerprint of what the expectations were held against.
        erased: marks of files in the landing zone whose content was erased, see `mark_of`.
        is_logged: whether there was an audit log when this was written.
    """

    deliveries: tuple[Delivery, ...] = ()
    register: str = ""
    is_synthetic: bool = False
    checked_with: Mapping[str, str] = field(default_factory=dict)
    erased: Sequence[str] = ()
    is_logged: bool = False

    def present(self, round_: int) -> list[Delivery]:
        """The deliveries of a round whose files are in the landing zone."""
        return [d for d in self.deliveries if d.round == round_ and d.is_present]

    def counting(self, round_: int | None = None) -> list[Delivery]:
        """The deliveries that count now, of one round or of all."""
        return [d for d in self.deliveries if d.state == "loaded" and round_ in (None, d.round)]


# --- which delivery counts ----------------------------------------------------------------------


Withdrawn = Container[tuple[int, str | None]]
"""The rounds and associations that are taken out of all results."""


def settle(deliveries: Sequence[Delivery], withdrawn: Withdrawn = ()) -> tuple[Delivery, ...]:
    """The newest sound delivery of each round, association and source counts, by time and name.

    What is withdrawn does not, whatever comes later.
    """
    present = sorted((d for d in deliveries if d.is_present), key=Delivery.age)
    counting = {d.unit: d for d in present if d.is_sound and d.unit[:2] not in withdrawn}
    files = {d.file for d in present}

    def state(d: Delivery) -> str:
        if d.is_present and d.unit[:2] in withdrawn:
            return "withdrawn"
        best = counting.get(d.unit)
        if best is d:
            return "loaded"
        if not d.is_present:
            return "replaced" if best or d.file in files else "removed"
        return "replaced" if best and (d.is_sound or best.age() > d.age()) else "stopped"

    settled = [replace(d, state=state(d)) for d in deliveries]
    return tuple(sorted(settled, key=lambda d: (d.file, d.mtime_ns, d.sha256)))


def without(manifest: Manifest, erased: Container[str]) -> Manifest:
    """The manifest without the deliveries of these contents; their files are passed over."""
    gone = [d for d in manifest.deliveries if d.sha256 in erased]
    marks = {mark_of(d.seen_as) for d in gone if d.is_present}
    kept = tuple(d for d in manifest.deliveries if d not in gone)
    return replace(manifest, deliveries=kept, erased=sorted({*manifest.erased, *marks}))


def mark_of(seen_as: SeenAs) -> str:
    """Tells an unchanged file without its name."""
    return hashlib.sha256(repr(seen_as).encode()).hexdigest()


def resettle(
    settings: Settings, register: Register, withdrawn: Withdrawn, erased: Container[str] = ()
) -> Manifest:
    """Settles anew what counts, after a decision about some deliveries."""
    before = without(read_manifest(settings), erased)
    manifest = replace(before, deliveries=settle(before.deliveries, withdrawn))
    write_tables(settings, manifest, register)
    return manifest


# --- what was read of a delivery ----------------------------------------------------------------

READ = ("responses", "bundles", "answers", "extra_answers")
"""The tables of a delivery's rows, a folder each; the last one has files of few deliveries."""


def parquet_of(settings: Settings, delivery: Delivery, table: str = "responses") -> Path:
    """Where the rows of a delivery lie that was sound for the reader."""
    partition, name = f"round={delivery.round}", f"{delivery.sha256}.parquet"
    return settings.lake.joinpath(table, partition, name)


def delivery_numbers(manifest: Manifest) -> Callable[[Delivery], int]:
    """Gives each content of a round its number: the one it has, or the next."""
    known = {(d.round, d.sha256): d.delivery_no for d in manifest.deliveries if d.delivery_no}
    unused = count(1 + max(known.values(), default=0))

    def number_of(delivery: Delivery) -> int:
        key = delivery.round, delivery.sha256
        if key not in known:
            known[key] = next(unused)
        return known[key]

    return number_of


def write_responses(
    settings: Settings,
    delivery: Delivery,
    responses: pa.Table,
    instrument: Instrument,
    write: Write = write_bytes,
) -> None:
    """Keeps what was read of a delivery: its responses, see RESPONSES_SCHEMA, taken apart."""
    from pipelines import packing

    tables = packing.packed(responses, delivery.delivery_no, instrument)
    for name, table in tables.items():
        path = parquet_of(settings, delivery, name)
        if name == "extra_answers" and not len(table):
            path.unlink(missing_ok=True)
        else:
            write_parquet(path, table, write)


def read_responses(
    settings: Settings, deliveries: Sequence[Delivery], instrument: Instrument
) -> tuple[list[pa.Table], Codes]:
    """The responses of deliveries, a table each, and all their answers."""
    import pyarrow.parquet as pq

    from pipelines import packing

    def read(delivery: Delivery, name: str) -> pa.Table:
        path = parquet_of(settings, delivery, name)
        if name == "extra_answers" and not path.exists():
            return packing.SCHEMAS[name].empty_table()
        return pq.ParquetFile(path).read().cast(packing.SCHEMAS[name])

    responses, answers, extra = (
        [read(d, name) for d in deliveries] for name in ("responses", "answers", "extra_answers")
    )
    return responses, packing.unpacked(answers, extra, list(map(len, responses)), instrument)


# --- findings -----------------------------------------------------------------------------------


def findings_of(
    settings: Settings, delivery: Delivery, sources: Sequence[str] = ("reader", "checks")
) -> list[Finding]:
    """The findings of one delivery: the reader's, then the expectations'."""
    return [
        f for source in sources for f in read_findings(findings_path(settings, delivery, source))
    ]


def read_findings(path: Path) -> list[Finding]:
    """The findings kept in a file; none when there is no such file."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else ()
    return [Finding(**(row | {"severity": Severity(row["severity"])})) for row in rows]


def keep_checks(
    settings: Settings,
    register: Register,
    found: Mapping[tuple[str, str], Sequence[Finding]],
    withdrawn: Withdrawn = (),
) -> Manifest:
    """Records what the expectations found, by delivery, and settles what counts anew.

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
            write_findings(settings, d, "checks", found[d.key])
        checked.append(d)
    manifest = replace(before, deliveries=settle(checked, withdrawn))
    write_tables(settings, manifest, register)
    return manifest


def write_findings(
    settings: Settings,
    delivery: Delivery,
    source: str,
    findings: Sequence[Finding],
    write: Write = write_bytes,
) -> None:
    """Keeps what a source found in a delivery, instead of what it found before."""
    keep_findings(findings_path(settings, delivery, source), findings, write)


def keep_findings(path: Path, findings: Sequence[Finding], write: Write = write_bytes) -> None:
    """Writes findings to a file; without any there is none."""
    if findings:
        found = [f.as_dict() for f in findings]
        write(path, json.dumps(found, ensure_ascii=False, indent=1).encode())
    else:
        path.unlink(missing_ok=True)


def is_whole(settings: Settings, delivery: Delivery) -> bool:
    """Whether all that was read from a delivery is still there."""
    needed = [parquet_of(settings, delivery, table) for table in READ[:-1]]
    has_rows = not delivery.is_readable or all(p.exists() and p.stat().st_size for p in needed)
    sources = {"reader": delivery.findings, "checks": delivery.checks}
    return has_rows and all(
        not sum(counts.values()) or findings_path(settings, delivery, source).exists()
        for source, counts in sources.items()
    )


def findings_path(settings: Settings, delivery: Delivery, source: str) -> Path:
    """Where a delivery's findings of a source are, told by file and content; absent without any.

    They lie with the receipts, since they repeat what cells hold.
    """
    folder = settings.receipts / str(delivery.round) / ".findings"
    return folder / f"{delivery.delivery_id}.{source}.json"


def register_fingerprint(register: Register) -> str:
    """Changes whenever the register's tables would."""
    return hashlib.sha256(repr(register).encode()).hexdigest()


def keep_checked(settings: Settings, checked_with: Mapping[str, str]) -> None:
    """Records that rounds are checked and their receipts are written."""
    before = read_manifest(settings)
    known = {**before.checked_with, **checked_with}
    write_manifest(settings, replace(before, checked_with=known))


# --- the manifest -------------------------------------------------------------------------------


def read_manifest(settings: Settings) -> Manifest:
    """The manifest, empty before the first load; one of an older program is read anew, so empty."""
    path = settings.lake / "manifest.json"
    return _manifest_of(path.read_bytes()) if path.exists() else Manifest()


@lru_cache(maxsize=2)  # each step of a run asks several times, and a line per delivery adds up
def _manifest_of(text: bytes) -> Manifest:
    content = json.loads(text)
    try:
        deliveries = tuple(Delivery(**d) for d in content["deliveries"])
        return Manifest(**content | {"deliveries": deliveries})
    except TypeError:
        return Manifest()


def write_tables(settings: Settings, manifest: Manifest, register: Register) -> None:
    """Writes the tables dbt reads beside the responses, then the manifest they were made from."""
    with together() as write:
        for table, content in _tables(manifest, register).items():
            write_parquet(settings.lake / f"{table}.parquet", content, write)
    write_manifest(settings, manifest)


def write_manifest(settings: Settings, manifest: Manifest) -> None:
    """Writes the manifest, a line per delivery."""
    head = json.dumps({k: v for k, v in fields_of(manifest).items() if k != "deliveries"})
    rows = ",\n".join(json.dumps(fields_of(d), ensure_ascii=False) for d in manifest.deliveries)
    text = f'{head[:-1]}, "deliveries": [\n{rows}\n]}}\n'
    write_text(settings.lake / "manifest.json", text)


def fields_of(row: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass as they are (asdict would copy every value)."""
    return {name: getattr(row, name) for name in row.__slots__}


def _tables(manifest: Manifest, register: Register) -> dict[str, pa.Table]:
    """The lake's small tables by name; columns and types are those dbt's staging relies on."""
    import pyarrow as pa

    from pipelines.packing import SCHEMAS

    deliveries = [_delivery_row(d, manifest.is_synthetic) for d in manifest.deliveries]
    listed = {d.sha256: d.activities for d in manifest.counting()}
    activities = [
        {**a, "sha256": sha256, "activity_key": normalised(a["insats_kod"])}
        for sha256, rows in listed.items()
        for a in rows
    ]
    categories = [
        {**a, "category": category, "value": value}
        for a in activities
        for category, value in a.get("categories", {}).items()  # a former program read none
    ]
    handed_out = [
        {**a, "questionnaire_id": questionnaire_id, "handed_out": count}
        for a in activities
        for questionnaire_id, count in a["handed_out"].items()
    ]
    text, integer, day = pa.string(), pa.int32(), pa.date32()
    rounds = {"first_round": integer, "last_round": integer}
    contents: dict[str, tuple[Iterable[Mapping[str, Any]], Any]] = {
        **{f"{name}/round=0/none": ((), schema) for name, schema in SCHEMAS.items()},
        "deliveries": (
            deliveries,
            {"sha256": text, "file": text, "round": integer, "association_id": text}
            | {"delivery_source": text, "layout_id": text, "state": text}
            | {"received": pa.timestamp("us"), "received_on": day}
            | {"n_questionnaires": integer, "rows_per_questionnaire": text}
            | {f"n_{severity}": integer for severity in Severity}
            | {"is_synthetic": pa.bool_()},
        ),
        "activities": (
            activities,
            dict.fromkeys(("sha256", "insats_kod", "activity_key", "inriktning", "langd"), text),
        ),
        "activity_categories": (
            categories,
            dict.fromkeys(("sha256", "insats_kod", "category", "value"), text),
        ),
        "handed_out": (
            handed_out,
            {"sha256": text, "insats_kod": text, "questionnaire_id": text, "handed_out": integer},
        ),
        "register/associations": (
            map(fields_of, register.associations.values()),
            {"association_id": text, "association_name": text, "county_code": text}
            | {"agreement_from": day, "agreement_to": day, "kind": text, "in_nation": pa.bool_()},
        ),
        "register/memberships": (
            map(fields_of, register.memberships),
            {"association_id": text, "municipality_code": text} | rounds,
        ),
        "register/targets": (
            map(fields_of, register.targets),
            {"measure_id": text, "indicator_id": text, "level": text, "unit_id": text}
            | rounds
            | {"target_share": pa.float64()},
        ),
        "register/extra_questions": (
            ({**fields_of(q), "activity_key": _key(q)} for q in register.extra_questions),
            dict.fromkeys(("project_id", "association_id", "questionnaire_id"), text)
            | dict.fromkeys(("column_name", "question_id", "label_sv", "scale_id"), text)
            | {"positive_min_code": integer}
            | rounds
            | {"insats_kod": text, "activity_key": text},
        ),
    }
    return {
        name: pa.Table.from_pylist(list(rows), pa.schema(schema))
        for name, (rows, schema) in contents.items()
    }


def _key(question: ExtraQuestion) -> str | None:
    """The question's activity as codes of activities are compared."""
    return normalised(question.insats_kod) if question.insats_kod else None


def _delivery_row(d: Delivery, is_synthetic: bool) -> dict[str, Any]:
    return {
        "sha256": d.sha256,
        "file": discreet(d.file),
        "round": d.round,
        "association_id": d.association_id,
        "delivery_source": d.source,
        "layout_id": d.layout_id,
        "received": d.received.replace(tzinfo=None),
        "received_on": d.received_on,
        "state": d.state,
        "n_questionnaires": d.n_questionnaires,
        "rows_per_questionnaire": json.dumps(d.rows_per_questionnaire),
        **{f"n_{severity}": d.total(severity) for severity in Severity},
        "is_synthetic": is_synthetic,
    }


# --- parquet ------------------------------------------------------------------------------------

_ASCENDING = "response_id"  # within a cell: differences take a fraction of the room


def write_parquet(path: Path, table: pa.Table, write: Write = write_bytes) -> None:
    """Writes a table as a parquet file that appears whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # statistics, compression, dictionaries and arrow's own schema cost more on so few rows than
    # they save, save for the columns that repeat a text in every row
    pq.write_table(
        table,
        sink,
        use_dictionary=["sha256", "sheet", "questionnaire_id", "cell_id"],
        column_encoding={c: "DELTA_BINARY_PACKED" for c in table.column_names if c == _ASCENDING},
        write_statistics=False,
        store_schema=False,
        compression="none",
    )
    write(path, sink.getvalue())
