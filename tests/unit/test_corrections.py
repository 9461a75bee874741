"""Corrections: which cells are read otherwise, what is said of it, and when a record fails."""

import hashlib
import io
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines import instrument as instruments
from pipelines import lake, loading, receipts, register
from pipelines.findings import Finding, Severity, rules
from pipelines.instrument import Correction
from pipelines.settings import Settings
from pipelines.workbook.read import Reading, read_workbook
from pipelines.workbook.sample import write_landing_zone

INSTRUMENT = instruments.load()
ROUND = 2024
BY_PLACE = Correction(
    sha256=None,
    association_id="provdalen",
    round=ROUND,
    sheet="Personal",
    cell="E3",
    expect="8",
    value="3",
    reason="Felskrivet, enligt telefonsamtal.",
    owner="Stina vid NNS",
    date=date(2024, 11, 4),
)
ANSWERED = [{"staff_1a": 3}]


def workbook(answer: Any = 8, association_id: str = "provdalen") -> bytes:
    """One response of staff, whose answer to the first question stands in E3."""
    book = openpyxl.Workbook()
    book.active.title = "Läs mig"
    for row in (("Mätomgång", ROUND), ("Layout", "2024"), ("Förbund", association_id)):
        book.active.append(row)
    activities = book.create_sheet("Insatser")
    activities.append([f.name for f in INSTRUMENT.fields_of("activities")])
    activities.append(["A1"])
    page = book.create_sheet("Personal")
    page.append(list(INSTRUMENT.layouts["2024"]["staff"].columns))
    page.append(["Löpnummer"])
    page.append([1, "A1", "K", "2024-09-20", answer])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(data: bytes, *corrections: Correction) -> Reading:
    return read_workbook(
        data,
        file="fil.xlsx",
        sha256=hashlib.sha256(data).hexdigest(),
        folder_round=ROUND,
        associations={"provdalen": None},
        instrument=replace(INSTRUMENT, corrections=corrections),
    )


def answers(reading: Reading) -> list[dict[str, int]]:
    return [dict(row["answers"]) for row in reading.responses.to_pylist()]


def told(reading: Reading) -> list[tuple[str, str, str]]:
    return [(f.rule_id, f.sheet, f.cell) for f in reading.findings]


def test_without_a_record_the_cell_is_an_error():
    reading = read(workbook())
    assert told(reading) == [("answer_unknown", "Personal", "E3")]
    assert answers(reading) == [{}]


def test_a_corrected_cell_is_read_as_agreed_and_told_with_reason_and_owner():
    reading = read(workbook(), BY_PLACE)
    assert answers(reading) == ANSWERED
    [found] = reading.findings
    assert (found.rule_id, found.severity) == ("corrected", Severity.INFO)
    assert (found.sheet, found.cell, found.value) == ("Personal", "E3", "8")
    for part in ("som 3", BY_PLACE.reason, BY_PLACE.owner, "2024-11-04"):
        assert part in found.wrong


@pytest.mark.parametrize("written", ["personal", " PERSONAL "])
def test_the_sheet_is_found_however_it_is_written(written: str):
    assert answers(read(workbook(), replace(BY_PLACE, sheet=written))) == ANSWERED


@pytest.mark.parametrize(
    "change",
    [
        {"expect": "9"},
        {"expect": ""},
        {"cell": "E4"},
        {"cell": "ZZ3"},
        {"sheet": "Styrelse"},
    ],
)
def test_a_record_that_no_longer_fits_fails_loudly_and_changes_nothing(change: dict[str, str]):
    reading = read(workbook(), replace(BY_PLACE, **change))
    assert [f.rule_id for f in reading.findings] == ["correction_obsolete", "answer_unknown"]
    assert rules()["correction_obsolete"].severity is Severity.ERROR
    assert answers(reading) == [{}]


def test_a_mended_file_makes_its_record_obsolete():
    reading = read(workbook(answer=4), BY_PLACE)
    assert told(reading) == [("correction_obsolete", "Personal", "E3")]
    assert answers(reading) == [{"staff_1a": 4}]


@pytest.mark.parametrize("change", [{"association_id": "annat"}, {"round": 2025}])
def test_a_record_of_another_delivery_is_passed_over(change: dict[str, Any]):
    assert told(read(workbook(), replace(BY_PLACE, **change))) == [
        ("answer_unknown", "Personal", "E3")
    ]


def test_a_record_by_file_mends_the_readme_sheet_too():
    data = workbook(answer=3, association_id="provdal")
    sha256 = hashlib.sha256(data).hexdigest()
    by_file = replace(BY_PLACE, sha256=sha256, association_id=None, round=None)
    reading = read(
        data, replace(by_file, sheet="Läs mig", cell="B3", expect="provdal", value="provdalen")
    )
    assert told(reading) == [("corrected", "Läs mig", "B3")]
    assert (reading.association_id, answers(reading)) == ("provdalen", ANSWERED)


def test_a_formula_without_a_value_is_told_unless_it_is_corrected():
    data = workbook(answer="=1+2")  # openpyxl saves no value
    assert told(read(data)) == [("formula_without_value", "Personal", "E3")]
    reading = read(data, replace(BY_PLACE, expect=""))
    assert told(reading) == [("corrected", "Personal", "E3")]
    assert answers(reading) == ANSWERED


def test_personal_data_stops_a_file_whatever_is_corrected():
    reading = read(workbook(answer="19121212-1212"), replace(BY_PLACE, expect="19121212-1212"))
    assert reading.findings[0].rule_id == "personal_number"
    assert reading.responses.num_rows == 0


# --- in a landing zone --------------------------------------------------------------------------


@pytest.fixture
def zone(tmp_path: Path) -> Settings:
    write_landing_zone(tmp_path / "raw", rounds=[ROUND], associations=2, faults=["unknown_code"])
    return Settings(tmp_path / "raw", tmp_path / "home")


def load(settings: Settings, *corrections: Correction) -> list[Finding]:
    """What the loader finds, receipts written."""
    known = replace(INSTRUMENT, corrections=corrections, fingerprint=repr(corrections))
    registered = register.read(settings.raw)
    loaded = loading.load(settings, [ROUND], known, registered)
    receipts.write_rounds(
        settings,
        loaded.manifest,
        [ROUND],
        associations=registered.associations,
        instrument=known,
        today=date(2024, 11, 5),
    )
    return list(loaded.findings)


def record_for(found: Finding, settings: Settings) -> Correction:
    """The record that mends a finding."""
    deliveries = lake.read_manifest(settings).deliveries
    [whose] = [d.association_id for d in deliveries if d.file == found.file]
    return replace(
        BY_PLACE, association_id=whose, sheet=found.sheet, cell=found.cell, expect=found.value
    )


def test_a_correction_is_shown_in_receipt_and_marked_copy_and_the_file_stays_as_it_is(
    zone: Settings,
):
    files = {path: path.read_bytes() for path in zone.raw.rglob("*.xlsx")}
    [wrong] = load(zone)
    record = record_for(wrong, zone)
    assert [f.rule_id for f in load(zone, record)] == ["corrected"]
    [page] = [p for p in zone.receipts.glob(f"{ROUND}/*.html") if record.association_id == p.stem]
    assert record.reason in page.read_text(encoding="utf-8")
    copy = openpyxl.load_workbook(page.with_suffix(".xlsx"))
    assert record.reason in copy[record.sheet][record.cell].comment.text
    assert {path: path.read_bytes() for path in zone.raw.rglob("*.xlsx")} == files
