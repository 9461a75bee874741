"""Reading outcome files: which table a file is of, what its cells say, what stops it."""

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipelines import instrument
from pipelines.findings import Severity, rules
from pipelines.outcomes import facts
from pipelines.outcomes.read import Reading, read_file
from pipelines.outcomes.tables import COUNTS, PARTICIPATIONS, STUDY
from pipelines.settings import from_environment
from pipelines.workbook.sandbox import read_here

KNOWN = instrument.load()
ASSOCIATIONS = ("exempelbygden", "provdalen")

PARTICIPATION_COLUMNS = (
    "association_id,insats_kod,participation_id,kon,start_date,end_date,exit_reason,"
    "years_without_work"
)
PARTICIPATION = "exempelbygden,A1,7,K,2022-01-10,2022-05-31,studies,3"
COUNT_COLUMNS = (
    "association_id,insats_kod,period_start,period_end,kon,active,ended,dropouts,work,"
    "work_supported,work_unsupported,studies,other_vocational,medical_rehab,"
    "sickness_compensation,other,active_next"
)
COUNT = "exempelbygden,A1,2023-01-01,2023-12-31,T,56,23,3,4,1,3,2,2,6,0,6,33"
STUDY_COLUMNS = "level,unit_id,cohort,months_after,kon,n,n_sustained,source"
FOLLOWED = "association,provdalen,2020,12,T,100,60,SCB"


def read(data: bytes | str, file: str = "outcomes/fil.csv") -> Reading:
    given = data.encode() if isinstance(data, str) else data
    return read_file(given, file, KNOWN, ASSOCIATIONS, read_here)


def rows(reading: Reading) -> list[dict[str, Any]]:
    assert reading.rows is not None, reading.findings
    return list(reading.rows.to_pylist())


def text(header: str, *lines: str) -> str:
    return "\n".join([header, *lines, ""])


def with_cell(header: str, line: str, column: str, value: str) -> str:
    """The file with one cell changed."""
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    assert column in cells
    return text(header, ",".join({**cells, column: value}.values()))


def book(*rows_: tuple[Any, ...], title: str = "Blad1") -> bytes:
    made = openpyxl.Workbook()
    made.active.title = title
    for row in rows_:
        made.active.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


# --- what a file is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "line", "table"),
    [
        (PARTICIPATION_COLUMNS, PARTICIPATION, PARTICIPATIONS),
        (COUNT_COLUMNS, COUNT, COUNTS),
        (STUDY_COLUMNS, FOLLOWED, STUDY),
    ],
)
def test_the_header_tells_what_a_file_holds_whatever_its_folder(
    header: str, line: str, table: str
) -> None:
    for folder in ("outcomes", "indicator_11"):
        reading = read(text(header, line), f"{folder}/fil.csv")
        assert (reading.table, reading.n_rows, reading.findings) == (table, 1, ())


def test_a_csv_may_have_a_bom_semicolons_blank_rows_and_columns_in_any_order() -> None:
    header = ";".join(reversed(PARTICIPATION_COLUMNS.split(",")))
    line = ";".join(reversed(PARTICIPATION.split(",")))
    reading = read(b"\xef\xbb\xbf" + text(header, ";" * 7, line).encode())
    (row,) = rows(reading)
    assert row["row"] == 3
    assert (row["start_date"], row["end_date"]) == (date(2022, 1, 10), date(2022, 5, 31))
    assert reading.places["association_id"] == ("association_id", 7)
    plain = read(text(PARTICIPATION_COLUMNS, PARTICIPATION))
    assert list(row) == list(rows(plain)[0])


def test_a_workbook_is_read_as_a_csv_is() -> None:
    line = ("exempelbygden", "A1", 7.0, "Kvinna", datetime(2022, 1, 10), date(2022, 5, 31))
    data = book(tuple(PARTICIPATION_COLUMNS.split(",")), (*line, "Studier", 3))
    reading = read(data, "outcomes/fil.xlsx")
    assert (reading.findings, reading.sheet) == ((), "Blad1")
    assert rows(reading) == rows(read(text(PARTICIPATION_COLUMNS, PARTICIPATION)))


def test_spellings_are_read_in_any_case() -> None:
    line = PARTICIPATION.replace("studies", "MEDICINSK  rehabilitering").replace("K,", "kvinna,")
    (row,) = rows(read(text(PARTICIPATION_COLUMNS, line)))
    assert (row["exit_reason"], row["kon"]) == ("medical_rehab", "K")


def test_what_names_a_participation_is_kept_as_a_digest_of_its_association_and_activity() -> None:
    others = [PARTICIPATION.replace(",7,", ",8,"), PARTICIPATION.replace("A1", "A2")]
    others += [PARTICIPATION.replace("exempelbygden", "provdalen")]
    reading = read(text(PARTICIPATION_COLUMNS, PARTICIPATION, PARTICIPATION, *others))
    keys = [row["key"] for row in rows(reading)]
    assert keys[0] == keys[1]
    assert len({*keys}) == 4
    assert "participation_id" not in rows(reading)[0]


def test_a_participation_without_a_name_has_no_key_and_counts() -> None:
    line = PARTICIPATION.replace(",7,", ",,")
    assert [row["key"] for row in rows(read(text(PARTICIPATION_COLUMNS, line, line)))] == [None] * 2


# --- what may be left blank ---------------------------------------------------------------------


def test_work_is_the_sum_of_its_parts_and_active_next_what_is_left() -> None:
    line = COUNT.replace("3,4,1,3", "3,,1,3").replace(",33", ",")
    (row,) = rows(read(text(COUNT_COLUMNS, line)))
    assert (row["work"], row["active_next"]) == (4, 33)


def test_work_may_be_given_as_a_whole_only_or_as_its_parts_only() -> None:
    columns, cells = COUNT_COLUMNS.split(","), COUNT.split(",")

    def without(*left_out: str) -> list[dict[str, Any]]:
        kept = [i for i, name in enumerate(columns) if name not in left_out]
        header, line = (",".join(part[i] for i in kept) for part in (columns, cells))
        return rows(read(text(header, line)))

    (whole,) = without("work_supported", "work_unsupported", "active_next")
    assert (whole["work"], whole["work_supported"], whole["active_next"]) == (4, None, 33)
    (parts,) = without("work")
    assert (parts["work"], parts["work_supported"]) == (4, 1)
    with pytest.raises(AssertionError, match="outcome_column_missing"):
        without("work", "work_supported")


def test_the_nation_has_one_id_however_it_is_written() -> None:
    lines = [f"nation,{unit},2020,12,T,9,5," for unit in ("", "0000", "Riket")]
    lines += ["riket,,2021,12,T,9,5,"]
    assert {r["unit_id"] for r in rows(read(text(STUDY_COLUMNS, *lines)))} == {"0000"}


# --- what is not understood ---------------------------------------------------------------------

P, C, S = (
    (PARTICIPATION_COLUMNS, PARTICIPATION),
    (COUNT_COLUMNS, COUNT),
    (STUDY_COLUMNS, FOLLOWED),
)
CELLS: list[tuple[tuple[str, str], str, str, str]] = [
    (P, "association_id", "okand", "outcome_association_unknown"),
    (P, "association_id", "", "outcome_blank"),
    (P, "start_date", "", "outcome_blank"),
    (P, "start_date", "10/1 2022", "outcome_date_unknown"),
    (P, "end_date", "2022-02-30", "outcome_date_unknown"),
    (P, "exit_reason", "slutade", "outcome_reason_unknown"),
    (P, "years_without_work", "två", "outcome_number_unknown"),
    (C, "association_id", "okand", "outcome_association_unknown"),
    (C, "kon", "Q", "outcome_gender_unknown"),
    (C, "period_end", "2023", "outcome_date_unknown"),
    (C, "active", "", "outcome_blank"),
    (C, "ended", "2,5", "outcome_number_unknown"),
    (S, "level", "län", "outcome_level_unknown"),
    (S, "unit_id", "okand", "outcome_association_unknown"),
    (S, "unit_id", "", "outcome_blank"),
    (S, "cohort", "HT20", "outcome_number_unknown"),
    (S, "n_sustained", "", "outcome_blank"),
]


@pytest.mark.parametrize(("of", "column", "value", "rule"), CELLS)
def test_a_cell_that_is_not_understood_is_told_with_its_place_and_its_row_does_not_count(
    of: tuple[str, str], column: str, value: str, rule: str
) -> None:
    header, line = of
    reading = read(with_cell(header, line, column, f'"{value}"'))
    (found,) = reading.findings
    letter = chr(ord("A") + header.split(",").index(column))
    assert (found.rule_id, found.cell, found.question) == (rule, f"{letter}2", column)
    assert (found.value, found.severity) == (value, Severity.ERROR)
    assert found.file == "outcomes/fil.csv"
    assert "räknas inte" in found.wrong and found.remedy
    assert (reading.n_rows, rows(reading)) == (1, [])


def test_a_gender_that_is_not_understood_leaves_the_participation_without_one() -> None:
    reading = read(with_cell(*P, "kon", "T"))
    assert [f.rule_id for f in reading.findings] == ["kon_unknown"]
    assert [row["kon"] for row in rows(reading)] == [None]


def test_many_cells_of_a_column_are_told_as_one() -> None:
    lines = [PARTICIPATION.replace("2022-01-10", "igår")] * 30
    (found,) = read(text(PARTICIPATION_COLUMNS, *lines, PARTICIPATION)).findings
    assert (found.cell, found.value) == ("E:E", "igår")
    assert "30 rader: 2, 3" in found.wrong


# --- what stops a file --------------------------------------------------------------------------

NUMBER = "19121212-1212"  # Skatteverket's own example, of nobody
FILES: dict[str, tuple[bytes | str, str]] = {
    "outcome_format": ("x", "outcomes/fil.ods"),
    "outcome_header_unknown": (text("a,b", "1,2"), "outcomes/fil.csv"),
    "outcome_column_missing": (
        text(PARTICIPATION_COLUMNS.replace(",start_date", ",x"), PARTICIPATION),
        "outcomes/fil.csv",
    ),
    "outcome_empty": (text(PARTICIPATION_COLUMNS, "," * 7), "outcomes/fil.csv"),
    "column_repeated": (
        text(f"{PARTICIPATION_COLUMNS},kon", f"{PARTICIPATION},K"),
        "outcomes/fil.csv",
    ),
    "no_access": ("", "outcomes/fil.csv"),
    "csv_ragged": (text(PARTICIPATION_COLUMNS, "a,b"), "outcomes/fil.csv"),
    "csv_encoding": (text(PARTICIPATION_COLUMNS, "Å").encode("latin-1"), "outcomes/fil.csv"),
    "not_csv": (b"PK\3\4", "outcomes/fil.csv"),
    "not_xlsx": (b"a,b", "outcomes/fil.xlsx"),
    "personal_number": (with_cell(*P, "participation_id", NUMBER), "outcomes/fil.csv"),
    "phone_number": (with_cell(*P, "insats_kod", "070-123 45 67"), "outcomes/fil.csv"),
    "email_address": (with_cell(*P, "participation_id", "a@b.se"), "outcomes/fil.csv"),
    "personal_file_name": (text(*P), f"outcomes/{NUMBER}.csv"),
}


@pytest.mark.parametrize("rule", FILES)
def test_a_file_that_cannot_be_read_is_stopped_and_nothing_of_it_is_kept(rule: str) -> None:
    reading = read(*FILES[rule])
    assert rule in {f.rule_id for f in reading.findings}
    assert any(f.severity is Severity.STOP for f in reading.findings)
    assert reading.rows is None
    assert not any(NUMBER in str(f.as_dict()) for f in reading.findings)


def test_every_rule_of_outcome_files_has_an_input_that_trips_it() -> None:
    tried = {*FILES, *(rule for *_, rule in CELLS)}
    assert {rule for rule in rules() if rule.startswith("outcome_")} <= tried


def test_a_header_with_columns_missing_tells_which() -> None:
    (found,) = (f for f in read(*FILES["outcome_column_missing"]).findings if f.severity == "stop")
    assert "start_date" in found.wrong


@pytest.mark.parametrize("name", ["0701234567", "1f2e3d4c-0000-4000-8000-191212121212"])
def test_a_number_or_uuid_that_names_a_participation_is_no_telephone_number(name: str) -> None:
    reading = read(with_cell(*P, "participation_id", name))
    assert (reading.findings, len(rows(reading))) == ((), 1)


def test_what_is_unknown_beside_the_columns_is_passed_over_with_a_warning() -> None:
    reading = read(text(f"{PARTICIPATION_COLUMNS},anteckning", f"{PARTICIPATION},x"))
    assert [(f.rule_id, f.severity) for f in reading.findings] == [("column_unknown", "warning")]
    assert len(rows(reading)) == 1


def test_the_sheet_whose_header_is_known_is_read_and_others_are_told() -> None:
    made = openpyxl.load_workbook(io.BytesIO(book(("Om", "filen"), title="Om")))
    sheet = made.create_sheet("Utfall")
    for line in (PARTICIPATION_COLUMNS, PARTICIPATION):
        sheet.append(line.split(","))
    made.create_sheet("Tom")
    file = io.BytesIO()
    made.save(file)
    reading = read(file.getvalue(), "outcomes/fil.xlsx")
    assert reading.sheet == "Utfall"
    assert [(f.rule_id, f.sheet) for f in reading.findings] == [("sheet_unknown", "Om")]


# --- the seeds and the setting ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [
        (date(2023, 1, 1), date(2023, 12, 31), "calendar_year"),
        (date(2023, 7, 1), date(2023, 12, 31), "half_year"),
        (date(2023, 7, 1), date(2024, 6, 30), "full_year"),
        (date(2023, 1, 1), date(2023, 12, 30), None),
        (date(2023, 1, 2), date(2023, 12, 31), None),
        (date(2023, 2, 1), date(2024, 1, 31), None),
        (date(9999, 1, 1), date(9999, 12, 31), "calendar_year"),
        (date(2023, 12, 31), date(2023, 1, 1), None),
    ],
)
def test_a_period_is_one_of_the_seeds_kinds_or_none(
    first: date, last: date, kind: str | None
) -> None:
    assert facts.load().period_kind(first, last) == kind


def test_the_parts_of_ended_are_those_of_the_domain() -> None:
    known = facts.load()
    assert known.parts_of("ended") == (
        *("dropouts", "work", "studies", "other_vocational", "medical_rehab"),
        *("sickness_compensation", "other"),
    )
    assert "misregistration" not in known.counted
    reasons = set(KNOWN.spellings["exit_reason"].values())
    assert reasons <= set(known.figures)


@pytest.mark.parametrize(("given", "months"), [(None, None), ("", None), ("6", 6), ("0", 0)])
def test_the_dropout_limit_is_the_seeds_unless_it_is_set(
    given: str | None, months: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NNS_DROPOUT_MONTHS", raising=False)
    if given is not None:
        monkeypatch.setenv("NNS_DROPOUT_MONTHS", given)
    folders = from_environment(Path("a"), Path("b"))
    assert folders.dropout_months == months
    assert facts.dropout_months(folders) == (
        facts.load().dropout_months if months is None else months
    )


@pytest.mark.parametrize("given", ["två", "-1", "2.5", "1000"])
def test_a_dropout_limit_that_is_no_whole_number_is_told_by_name(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNS_DROPOUT_MONTHS", given)
    with pytest.raises(ValueError, match="NNS_DROPOUT_MONTHS ska vara ett heltal"):
        from_environment()
