"""Workbooks made by other hands than ours: what is read from them, and what is told about them."""

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from pipelines import instrument as instruments
from pipelines.findings import Severity, rules
from pipelines.workbook import native
from pipelines.workbook.personal import PERSONAL
from pipelines.workbook.read import Reading, read_drafts, read_workbook
from pipelines.workbook.structure import draft_workbook

INSTRUMENT = instruments.load()
PROJECT = Path(__file__).parents[2]
ROUND_OF = {r.layout_id: r.round for r in reversed(INSTRUMENT.rounds.values())}  # the first
LAYOUTS = sorted(INSTRUMENT.layouts)
SHA256 = "0" * 64

Book = openpyxl.Workbook
Rows = dict[str, list[dict[str, Any]]]
"""Respondents by questionnaire, each as field → cell."""


def workbook(
    layout_id: str, respondents: Rows, *, round_: int | None = None, labels: bool = True
) -> Book:
    """A registration workbook as a person could have typed it."""
    book = openpyxl.Workbook()
    readme = book.active
    readme.title = "Läs mig"
    readme.append(["Registreringsfil"])
    readme.append(["Mätomgång", round_ or ROUND_OF[layout_id]])
    readme.append(["Layout", layout_id])
    readme.append(["Förbund", "provdalen"])
    activities = book.create_sheet("Insatser")
    activities.append(["insats_kod", "insats_namn", "inriktning", "langd", "utdelade_staff"])
    activities.append(["A1", "Navet", "individ", "kort", 25])
    activities.append([2, "Bron", "Struktur", "LÅNG", None])
    for questionnaire_id, rows in respondents.items():
        layout = INSTRUMENT.layouts[layout_id][questionnaire_id]
        sheet = book.create_sheet(layout.sheet_name)
        for column, (name, field) in enumerate(layout.columns.items(), start=1):
            sheet.cell(layout.header_row, column, name)
            if labels:
                sheet.cell(layout.header_row + 1, column, f"Text om {field}")
            for number, row in enumerate(rows, start=layout.header_row + 1 + labels):
                sheet.cell(number, column, row.get(field))
        if labels:
            sheet.cell(layout.header_row + 1, 1, layout.label_row_mark)
    return book


def respondents(layout_id: str) -> Rows:
    """Two respondents of every questionnaire, answering the first and the last question."""
    rows: Rows = {}
    for questionnaire_id, layout in INSTRUMENT.layouts[layout_id].items():
        asked = [
            q.question_id for q in INSTRUMENT.questions_asked(questionnaire_id, ROUND_OF[layout_id])
        ]
        first, last = [q for q in layout.columns.values() if q in asked][:: len(asked) - 1]
        label = INSTRUMENT.scales[INSTRUMENT.questions[first].scale_id][1].label_sv
        rows[questionnaire_id] = [
            {"lopnr": 1, "kon": "K", "svarsdatum": datetime(2024, 9, 20), first: 1, last: "2"},
            {"lopnr": "B-2", "kon": " man", "svarsdatum": "2024-09-21", first: f"2 {label}"},
        ]
        if INSTRUMENT.questionnaires[questionnaire_id].has_activity:
            for row, code in zip(rows[questionnaire_id], ("a1 ", 2), strict=True):
                row["insats_kod"] = code
    return rows


def expected(layout_id: str, rows: Rows, first_row: int = 2) -> list[dict[str, Any]]:
    """What `respondents` is read to, worked out by hand."""
    responses = []
    for questionnaire_id, (one, _) in rows.items():
        layout = INSTRUMENT.layouts[layout_id][questionnaire_id]
        questions = [f for f in layout.columns.values() if f in one and f in INSTRUMENT.questions]
        has_activity = "insats_kod" in one
        common = {
            "sha256": SHA256,
            "sheet": layout.sheet_name,
            "questionnaire_id": questionnaire_id,
        }
        responses += [
            common
            | {"row": layout.header_row + first_row, "lopnr": "1", "kon": "K"}
            | {"insats_kod": "A1" if has_activity else None, "svarsdatum": date(2024, 9, 20)}
            | {"answers": {questions[0]: 1, questions[1]: 2}},
            common
            | {"row": layout.header_row + first_row + 1, "kon": "M"}
            | {"lopnr": f"rad {layout.header_row + first_row + 1}"}
            | {"insats_kod": "2" if has_activity else None, "svarsdatum": date(2024, 9, 21)}
            | {"answers": {questions[0]: 2}},
        ]
    return responses


def as_bytes(book: Book) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def known_as(round_: int, file: str = "egen fil.xlsx") -> dict[str, Any]:
    return {
        "file": file,
        "sha256": SHA256,
        "folder_round": round_,
        "associations": {"provdalen": None},
        "instrument": INSTRUMENT,
    }


def read(source: Book | bytes, round_: int = 2024, file: str = "egen fil.xlsx") -> Reading:
    data = source if isinstance(source, bytes) else as_bytes(source)
    return read_workbook(data, **known_as(round_, file))


def rows_of(reading: Reading) -> list[dict[str, Any]]:
    return [row | {"answers": dict(row["answers"])} for row in reading.responses.to_pylist()]


def told(reading: Reading) -> list[tuple[str, str, str]]:
    """Rule, sheet and cell of each finding."""
    return [(f.rule_id, f.sheet, f.cell) for f in reading.findings]


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("layout_id", LAYOUTS)
def test_a_workbook_of_any_layout_is_read_with_sheet_and_row(layout_id):
    rows = respondents(layout_id)
    reading = read(workbook(layout_id, rows), ROUND_OF[layout_id])
    assert told(reading) == []
    assert rows_of(reading) == expected(layout_id, rows)
    assert reading.rows_per_questionnaire == dict.fromkeys(rows, 2)
    assert (reading.round, reading.layout_id) == (ROUND_OF[layout_id], layout_id)
    assert reading.association_id == "provdalen"


def test_the_activities_are_read_and_a_blank_count_is_unknown():
    one, two = read(workbook("2024", {})).activities
    assert (one.insats_kod, one.inriktning) == ("A1", "individ")
    assert (two.insats_kod, two.inriktning, two.langd) == ("2", "struktur", "lång")
    assert (one.handed_out["staff"], two.handed_out["staff"]) == (25, None)
    assert one.handed_out["referrer"] is None  # the sheet has no such column
    assert set(one.handed_out) == {
        f.questionnaire_id for f in INSTRUMENT.fields_of("activities") if f.questionnaire_id
    }


@pytest.mark.parametrize(
    ("header", "cell", "categories"),
    [
        ("kategori", "Unga", {"kategori": "Unga"}),
        (" Kategori_Målgrupp ", "  under \u00a0 30\når", {"målgrupp": "under 30 år"}),
        ("KATEGORI_ÅLDER", 30.0, {"ålder": "30"}),
        ("kategori_insats_kod", "x" * 40, {"insats_kod": "x" * 40}),
        ("kategori_fas", None, {}),
    ],
)
def test_a_column_headed_kategori_is_a_group_of_the_activity(header, cell, categories):
    book = workbook("2024", {})
    _grouped(header, cell)(book)
    reading = read(book)
    assert told(reading) == []
    assert [dict(a.categories) for a in reading.activities] == [categories, {}]
    assert [a.insats_kod for a in reading.activities] == ["A1", "2"]


@pytest.mark.parametrize(
    "header",
    ["kategori_", "kategori_kategori", "kategorier", "kategori_=1+1", "kategori_" + "x" * 41],
)
def test_a_header_that_names_no_category_is_an_unknown_column(header):
    book = workbook("2024", {})
    _grouped(header, "unga")(book)
    reading = read(book)
    assert told(reading) == [("activity_column_unknown", "Insatser", "F1")]
    assert reading.findings[0].remedy.endswith("börja rubriken med kategori_.")
    assert not any(a.categories for a in reading.activities)


def test_a_category_that_stands_twice_stops_the_file_and_one_on_another_sheet_is_unknown():
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    _grouped("kategori", "unga")(book)
    book["Insatser"]["G1"] = "Kategori"
    assert told(read(book)) == [("column_repeated", "Insatser", "G1")]
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    _put("Personal", "V1", "kategori")(book)
    assert told(read(book)) == [("column_unknown", "Personal", "V1")]


def test_a_category_holds_no_personal_data():
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    _grouped("kategori_handläggare", "kalle@example.org")(book)
    reading = read(book)
    assert told(reading) == [("email_address", "Insatser", "F2")]
    assert "kalle" not in repr(reading)


@pytest.mark.parametrize("layout_id", LAYOUTS)
def test_without_a_row_of_labels_the_first_row_below_the_header_is_a_response(layout_id):
    rows = respondents(layout_id)
    reading = read(workbook(layout_id, rows, labels=False), ROUND_OF[layout_id])
    assert rows_of(reading) == expected(layout_id, rows, first_row=1)
    assert told(reading) == []


@pytest.mark.parametrize("layout_id", LAYOUTS)
def test_columns_may_stand_in_another_order(layout_id):
    rows = respondents(layout_id)
    book = workbook(layout_id, rows)
    for layout in INSTRUMENT.layouts[layout_id].values():
        sheet = book[layout.sheet_name]
        for row in sheet.iter_rows(min_row=layout.header_row):
            for cell, value in zip(row, [c.value for c in reversed(row)], strict=True):
                cell.value = value
    reading = read(book, ROUND_OF[layout_id])
    assert rows_of(reading) == expected(layout_id, rows)
    assert told(reading) == []


def test_blank_rows_in_between_are_no_responses_and_shift_the_row_numbers():
    rows = respondents("2024")
    book = workbook("2024", rows)
    for layout in INSTRUMENT.layouts["2024"].values():
        sheet = book[layout.sheet_name]
        sheet.insert_rows(3, 2)
        sheet["B3"], sheet["E4"] = "\u00a0", " "  # blank to the eye
    assert rows_of(read(book)) == expected("2024", rows, first_row=4)


def test_a_comment_alone_is_no_response_and_no_comment_is_read():
    rows = [{"lopnr": 1, "kommentar": "Hemligt"}, {"kommentar": "Hemligt"}, {"staff_1a": 2}]
    reading = read(workbook("2024", {"staff": rows}))
    assert [row["row"] for row in rows_of(reading)] == [5]
    assert "Hemligt" not in repr((reading, reading.responses.to_pylist()))
    assert told(reading) == [
        ("rows_only_numbered", "Personal", "A3"),
        ("lopnr_missing", "Personal", "A5"),
    ]


def test_any_single_cell_but_a_number_or_a_comment_makes_a_response():
    cells = {"insats_kod": "A1", "kon": "K", "svarsdatum": "2024-09-20", "staff_1a": 1}
    reading = read(workbook("2024", {"staff": [{field: cell} for field, cell in cells.items()]}))
    assert [row["row"] for row in rows_of(reading)] == [3, 4, 5, 6]
    assert {f.rule_id for f in reading.findings} == {"lopnr_missing"}


def test_rows_that_are_only_numbered_are_no_responses_and_told_once():
    rows = [{"lopnr": n, "staff_1a": 1} for n in (1, 2)] + [{"lopnr": n} for n in range(3, 20)]
    reading = read(workbook("2024", {"staff": rows, "board": [{"lopnr": "Ring Anna om detta"}]}))
    assert reading.rows_per_questionnaire == {"staff": 2}
    assert told(reading) == [
        ("rows_only_numbered", "Personal", "A5"),
        ("rows_only_numbered", "Styrelse", "A3"),
    ]
    assert "rad 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 och 7 till" in reading.findings[0].wrong
    assert "Anna" not in repr(reading)


def test_questionnaire_sheets_may_be_absent_or_blank():
    book = workbook("2024", {"staff": [{"lopnr": 1, "staff_1a": 1}]})
    book.create_sheet("Styrelse")
    reading = read(book)
    assert reading.rows_per_questionnaire == {"staff": 1}
    assert told(reading) == []
    assert read(workbook("2024", {})).rows_per_questionnaire == {}


def test_an_old_layout_in_a_newer_round_is_read_and_what_the_round_does_not_ask_is_told():
    rows = {
        "association_head": [{"lopnr": 1, "head_12a": 3}],
        "participant_ending": [{"lopnr": 1, "ending_1a": 2}],
    }
    old = [f for f in INSTRUMENT.layouts["2018"]["participant_ending"].columns.values()]
    gone = [f for f in old if f in INSTRUMENT.questions and not INSTRUMENT.questions[f].is_in(2024)]
    rows["participant_ending"][0] |= dict.fromkeys(gone, 1)
    reading = read(workbook("2018", rows, round_=2024))
    assert reading.layout_id == "2018"
    answers = {row["questionnaire_id"]: row["answers"] for row in rows_of(reading)}
    assert answers["association_head"] == {"head_12a": 3}
    assert answers["participant_ending"] == {"ending_1a": 2} | dict.fromkeys(gone, 1)
    assert reading.rows_per_questionnaire == {"participant_ending": 1}  # the other does not count
    told_of = [f.rule_id for f in reading.findings]
    assert told_of.count("questionnaire_not_in_round") == 1
    assert told_of.count("question_not_asked") == len(gone) > 0


def test_sheets_and_headers_are_recognised_in_any_case_and_with_stray_blanks():
    rows = respondents("2024")
    book = workbook("2024", rows)
    for sheet in book:
        sheet.title = f" {sheet.title.upper()}"
    for cell in book[" PERSONAL"][1]:
        cell.value = f"{cell.value.upper()}\u00a0"
    reading = read(book)
    assert told(reading) == []
    assert [row["answers"] for row in rows_of(reading)] == [
        row["answers"] for row in expected("2024", rows)
    ]


def test_many_workbooks_read_together_give_what_each_gives_alone():
    paths = sorted(PROJECT.glob("raw/2*/*.xlsx"))[::4]
    drafts = [draft_workbook(p.read_bytes(), **_where(p)) for p in paths]
    for path, together in zip(paths, read_drafts(drafts, INSTRUMENT), strict=True):
        alone = read_workbook(path.read_bytes(), **_where(path))
        assert together.responses.equals(alone.responses)
        assert together.responses.num_rows > 0
        assert (together.activities, together.findings) == (alone.activities, alone.findings)
        assert together.rows_per_questionnaire == alone.rows_per_questionnaire


def _where(path: Path) -> dict[str, Any]:
    associations = dict.fromkeys(path.stem.rsplit("_", 1)[:1])
    return known_as(int(path.parent.name), path.name) | {
        "associations": associations,
        "sha256": path.stem,
    }


# --- what is told: every rule has one input that trips it, and it alone -------------------------

Change = Callable[[Book], object]


def _put(sheet: str, cell: str, value: object) -> Change:
    return lambda book: book[sheet].__setitem__(cell, value)


def _without(sheet: str) -> Change:
    return lambda book: book.remove(book[sheet])


def _without_column(sheet: str, name: str) -> Change:
    def change(book: Book) -> None:
        page: Worksheet = book[sheet]
        page.delete_cols(next(c.column for c in page[1] if c.value == name))

    return change


def _not_of_round(book: Book) -> None:
    book["Läs mig"]["B2"], book["Läs mig"]["B3"] = 2024, "2018"
    book.remove(book["Personal"])
    layout = INSTRUMENT.layouts["2018"]["association_head"]
    page = book.create_sheet(layout.sheet_name)
    page.append([])
    page.append([])
    page.append(list(layout.columns))
    page.append([1, None, None, None, 3])


def _not_asked(book: Book) -> None:
    """The layout of 2021-2023 in 2024; its staff sheet has a question that is gone."""
    book["Läs mig"]["B3"] = "2021"
    book.remove(book["Personal"])
    layout = INSTRUMENT.layouts["2021"]["participant_ending"]
    page = book.create_sheet(layout.sheet_name)
    page.append([])
    page.append(list(layout.columns))
    gone = [f for f in layout.columns.values() if f in _GONE]
    page.append([1, *(1 if f in gone else None for f in list(layout.columns.values())[1:])])


_GONE = {
    q.question_id for q in INSTRUMENT.questions.values() if q.is_in(2023) and not q.is_in(2024)
}


def _hidden(title: str) -> Change:
    def change(book):
        book[title].sheet_state = "veryHidden"

    return change


def _renamed(title: str, to: str) -> Change:
    def change(book: Book) -> None:
        book[title].title = to

    return change


def _grouped(header: object, *values: object) -> Change:
    """A column after the last on the activities sheet, with the values of its rows."""

    def change(book: Book) -> None:
        for row, value in enumerate((header, *values), start=1):
            book["Insatser"].cell(row, 6, value)

    return change


CELLS: dict[str, tuple[Change, str, str]] = {
    "readme_missing": (_without("Läs mig"), "", ""),
    "round_unknown": (_put("Läs mig", "B2", "i fjol"), "Läs mig", "B2"),
    "round_not_folder": (_put("Läs mig", "B2", 2023), "Läs mig", "B2"),
    "layout_unknown": (_put("Läs mig", "B3", 1999), "Läs mig", "B3"),
    "association_unknown": (_put("Läs mig", "B4", "finns-inte"), "Läs mig", "B4"),
    "header_missing": (lambda book: book["Personal"].insert_rows(1), "Personal", ""),
    "column_repeated": (_put("Personal", "V1", " STAFF_1A"), "Personal", "V1"),
    "column_missing": (_without_column("Personal", "staff_1c"), "Personal", ""),
    "field_missing": (_without_column("Personal", "kon"), "Personal", ""),
    "column_unknown": (_put("Personal", "V1", "egen fråga"), "Personal", "V1"),
    "activity_column_unknown": (_grouped("målgrupp"), "Insatser", "F1"),
    "sheet_unknown": (lambda book: book.create_sheet("Blad1"), "Blad1", ""),
    "activities_missing": (_without("Insatser"), "", ""),
    "activity_repeated": (_put("Insatser", "A3", " a1"), "Insatser", "A3"),
    "activity_code_missing": (_put("Insatser", "D4", "kort"), "Insatser", "A4"),
    "category_unknown": (_put("Insatser", "C2", "grupp"), "Insatser", "C2"),
    "category_too_long": (_grouped("kategori", "x" * 41), "Insatser", "F2"),
    "count_unknown": (_put("Insatser", "E2", "ett tjugotal"), "Insatser", "E2"),
    "activity_unknown": (_put("Personal", "B3", "Z9"), "Personal", "B3"),
    "kon_unknown": (_put("Personal", "C3", "X"), "Personal", "C3"),
    "date_unknown": (_put("Personal", "D3", "i maj"), "Personal", "D3"),
    "answer_unknown": (_put("Personal", "E3", "Ganska"), "Personal", "E3"),
    "lopnr_missing": (_put("Personal", "A3", None), "Personal", "A3"),
    "questionnaire_not_in_round": (_not_of_round, "Förbundschef", ""),
    "question_not_asked": (_not_asked, "Deltagare - avslut", ""),
    "excel_error": (_put("Personal", "F3", "#DIV/0!"), "Personal", "F3"),
    "formula_without_value": (_put("Personal", "F3", "=1+1"), "Personal", "F3"),
    "hidden_sheet": (_hidden("Personal"), "Personal", ""),
    "rows_only_numbered": (_put("Personal", "A4", 2), "Personal", "A4"),
    "layout_not_followed": (_put("Läs mig", "B3", "2018"), "Läs mig", "B3"),
}

GOOD = as_bytes(workbook("2024", {"staff": [{"lopnr": 1, "staff_1a": 3}]}))
OLE = bytes.fromhex("D0CF11E0A1B11AE1")


def _zip(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _with_part(part: str, change: Callable[[bytes], bytes], data: bytes = GOOD) -> bytes:
    """A workbook, else the good one, with one part of the zip changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return _zip(**parts | {part: change(parts[part])})


BROKEN: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "egen fil.xlsx", "no_access"),
    "truncated": (GOOD[: len(GOOD) // 2], "egen fil.xlsx", "zip_damaged"),
    "without its end": (GOOD[:-30], "egen fil.xlsx", "zip_damaged"),
    "text renamed": (b"lopnr;kon\n1;K\n", "egen fil.xlsx", "not_xlsx"),
    "old Excel": (OLE + bytes(504), "egen fil.xlsx", "not_xlsx"),
    "password": (OLE + "EncryptedPackage".encode("utf-16-le"), "egen fil.xlsx", "password"),
    "binary Excel": (_zip(**{"xl/workbook.bin": b"\0"}), "egen fil.xlsx", "not_xlsx"),
    "open document": (_zip(mimetype=b"application/x"), "egen fil.xlsx", "not_xlsx"),
    "random bytes": (bytes(range(256)) * 40, "egen fil.xlsx", "not_xlsx"),
    "random bytes in a zip": (b"PK\x03\x04" + bytes(range(256)), "egen fil.xlsx", "zip_damaged"),
    "another suffix": (GOOD, "egen fil.xls", "not_xlsx"),
    "no suffix": (GOOD, "egen fil", "not_xlsx"),
    "rubbish for a workbook": (
        _with_part("xl/workbook.xml", lambda _: b"<"),
        "f.xlsx",
        "part_damaged",
    ),
    "a sheet cut off": (
        _with_part("xl/worksheets/sheet3.xml", lambda xml: xml[: len(xml) // 2]),
        "f.xlsx",
        "part_damaged",
    ),
}


def test_the_workbook_that_the_rules_are_tried_on_has_no_findings_of_its_own():
    reading = read(GOOD)
    assert told(reading) == []
    assert [row["answers"] for row in rows_of(reading)] == [{"staff_1a": 3}]


@pytest.mark.parametrize("rule", CELLS)
def test_a_rule_is_told_with_sheet_and_cell_and_nothing_else_is(rule):
    change, sheet, cell = CELLS[rule]
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    change(book)
    reading = read(book)
    [found] = reading.findings
    assert (found.rule_id, found.sheet) == (rule, sheet)
    if rule == "question_not_asked":
        assert re.fullmatch(r"([A-Z]+):\1", found.cell)
    else:
        assert found.cell == cell
    assert found.file == "egen fil.xlsx"
    assert "{" not in found.wrong + found.remedy
    is_stop = rules()[rule].severity is Severity.STOP
    assert (reading.responses.num_rows == 0) == is_stop
    if cell and not rule.endswith(("missing", "without_value")):
        assert found.value == str(book[sheet][cell].value).strip() or found.question


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_one_stop_and_has_no_rows(kind):
    data, file, rule = BROKEN[kind]
    reading = read(data, file=file)
    [found] = reading.findings
    assert (found.rule_id, found.severity, found.file) == (rule, Severity.STOP, file)
    assert (reading.responses.num_rows, reading.activities) == (0, ())
    assert reading.responses.schema == read(GOOD).responses.schema


def test_every_rule_that_the_reader_tells_has_an_input_here():
    modules = ("native", "structure", "read", "cells")
    sources = [(PROJECT / f"pipelines/workbook/{m}.py").read_text("utf-8") for m in modules]
    names = set(re.findall(r'"([a-z_]+)"', "".join(sources)))
    tried = set(CELLS) | {rule for _, _, rule in BROKEN.values()}
    tried |= {"unreadable", "sheet_misnamed", "hidden_sheet_unread", "activity_mostly_empty"}
    tried |= {"row_of_sums", "answers_of_another_scale", "codes_from_zero", *PERSONAL}
    tried |= {"extra_column_missing", "extra_of_another_activity", "extra_answers_alone"}
    tried |= {"corrected"}  # projects' questions, corrections and the gate have tests of their own
    assert names & set(rules()) <= tried


def test_a_broken_file_does_not_keep_others_from_being_read():
    drafts = [
        draft_workbook(data, **known_as(2024, file))
        for data, file in [
            (GOOD, "a.xlsx"),
            *((b, f) for b, f, _ in BROKEN.values()),
            (GOOD, "b.xlsx"),
        ]
    ]
    readings = read_drafts(drafts, INSTRUMENT)
    assert [r.responses.num_rows for r in readings] == [1, *[0] * len(BROKEN), 1]
    assert [len(r.findings) for r in readings] == [0, *[1] * len(BROKEN), 0]


def test_formulas_count_as_cells_only_where_the_reader_looks():
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    for cell in ("A30", "B30", "C3", "AA3"):
        book["Läs mig"][cell] = "=1+1"
    lists = book.create_sheet("Listor")
    lists["A1"], lists["B2"], lists.sheet_state = "=1/0", "#REF!", "hidden"
    assert told(read(book)) == [
        ("formula_without_value", "Läs mig", "A30"),
        ("formula_without_value", "Läs mig", "B30"),
    ]


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200), st.integers(0, len(GOOD)), st.integers(0, 200))
def test_nothing_in_a_file_makes_reading_it_raise(junk, start, length):
    reading = read(GOOD[:start] + junk + GOOD[start + length :])
    assert reading.findings or rows_of(reading) == rows_of(read(GOOD))


def test_a_sheet_that_cannot_be_read_is_named_and_the_association_is_still_known():
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    _put("Personal", "E3", "#REF!")(book)
    # an error code that Excel does not have makes the native reader drop the sheet
    data = _with_part(
        "xl/worksheets/sheet3.xml", lambda xml: xml.replace(b"#REF!", b"#FEL!"), as_bytes(book)
    )
    reading = read(data)
    assert told(reading) == [("excel_error", "Personal", "E3"), ("unreadable", "Personal", "")]
    assert reading.association_id == "provdalen"


@pytest.mark.parametrize("panic", [BaseException, RuntimeError, OSError, RecursionError])
def test_a_failure_of_the_native_reader_is_a_finding(monkeypatch, panic):
    monkeypatch.setattr(native.CalamineWorkbook, "from_filelike", _raiser(panic), raising=False)
    assert [f.rule_id for f in read(GOOD).findings] == ["unreadable"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interruption_is_no_finding(monkeypatch, stop):
    monkeypatch.setattr(native.CalamineWorkbook, "from_filelike", _raiser(stop), raising=False)
    with pytest.raises(stop):
        read(GOOD)


def _raiser(error: type[BaseException]) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_all_sheets_that_stop_a_workbook_are_told_at_once():
    book = workbook("2024", respondents("2024"))
    book["Personal"].insert_rows(1)
    book["Styrelse"].insert_rows(1)
    book["Remittent"]["C3"] = "X"
    reading = read(book)
    assert told(reading) == [
        ("header_missing", "Personal", ""),
        ("header_missing", "Styrelse", ""),
        ("kon_unknown", "Remittent", "C3"),
    ]
    assert reading.responses.num_rows == 0


def test_all_that_is_wrong_in_the_readme_is_told_at_once_and_what_is_right_is_kept():
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    _put("Läs mig", "B2", 2023)(book)
    _put("Läs mig", "B3", 1999)(book)
    reading = read(book)
    assert told(reading) == [
        ("round_not_folder", "Läs mig", "B2"),
        ("layout_unknown", "Läs mig", "B3"),
    ]
    assert (reading.association_id, reading.layout_id, reading.round) == ("provdalen", None, 2024)


def test_a_file_name_with_personal_data_is_a_stop_and_never_repeated():
    reading = read(GOOD, file="2024/19121212-1212.xlsx")
    assert told(reading) == [("personal_file_name", "", "")]
    assert {f.file for f in reading.findings} == {"(dolt)"}
    assert reading.responses.num_rows == 0


def test_a_sheet_under_another_name_is_told_by_what_its_headers_are():
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    book["Personal"].title = "Medarbetare"
    reading = read(book)
    assert told(reading) == [("sheet_misnamed", "Medarbetare", "")]
    assert "bladet Personal" in reading.findings[0].wrong
    assert reading.rows_per_questionnaire == {}


def test_a_sheet_s_name_with_personal_data_is_a_stop_and_never_repeated():
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    book.create_sheet("19121212-1212")
    reading = read(book)
    assert told(reading) == [("personal_sheet_name", "(dolt)", "")]
    assert "blad 4" in reading.findings[0].wrong


SCALES = {
    "frequency": ("participant_ongoing", "ongoing_1a", 6),
    "yes and no": ("participant_ending", "ending_6a", 2),
}


def answered(question_id: str, codes: Sequence[object]) -> list[dict[str, object]]:
    """Responses that answer one question; their activity is A1 where there is one."""
    return [
        {"lopnr": n, "insats_kod": "A1", "kon": "K", question_id: code}
        for n, code in enumerate(codes, start=1)
    ]


@pytest.mark.parametrize(
    ("scale", "codes", "rule"),
    [
        ("yes and no", [5, 4, 6, 3, 5, 2], "answers_of_another_scale"),
        ("yes and no", ["5", "6 Alltid", 4, 3, 6, 5], "answers_of_another_scale"),
        ("yes and no", [0, 1, 0, 0, 1, 0, 0], "codes_from_zero"),
        ("frequency", [0, 1, 2, 5, 0, 0, 0, 0], "codes_from_zero"),
    ],
)
def test_a_cause_that_many_cells_have_in_common_is_one_stop(scale, codes, rule):
    questionnaire_id, question_id, _ = SCALES[scale]
    reading = read(workbook("2024", {questionnaire_id: answered(question_id, codes)}))
    [found] = reading.findings
    assert (found.rule_id, found.severity, found.question) == (rule, Severity.STOP, question_id)
    assert re.fullmatch(r"([A-Z]+):\1", found.cell)
    assert reading.responses.num_rows == 0


@pytest.mark.parametrize(
    ("scale", "codes", "n"),
    [
        (
            "frequency",
            [0, 6, 2, 5, 0, 0, 0, 0, 1, 3, 4],
            5,
        ),  # 0 for no answer: the highest code is there
        ("frequency", [0, 1, 2, 5, 0], 2),
        ("yes and no", [5, 4, 1, 2, 1, 2], 2),
    ],
)
def test_a_few_wrong_cells_are_told_one_by_one(scale, codes, n):
    questionnaire_id, question_id, _ = SCALES[scale]
    reading = read(workbook("2024", {questionnaire_id: answered(question_id, codes)}))
    assert [f.rule_id for f in reading.findings] == ["answer_unknown"] * n
    assert reading.responses.num_rows == len(codes)


def test_codes_from_zero_are_seen_over_all_columns_of_a_sheet():
    asked = INSTRUMENT.questions_asked("participant_ongoing", 2024)
    rows = [
        {"lopnr": n, **{q.question_id: (n + k) % 6 for k, q in enumerate(asked)}} for n in range(4)
    ]
    reading = read(workbook("2024", {"participant_ongoing": rows}))
    assert [f.rule_id for f in reading.findings] == ["codes_from_zero"]


def test_a_column_that_is_not_understood_is_one_finding():
    codes = ["ganska", "ganska", "så där", 3, "ganska", "ganska", 2]
    rows = answered("staff_1a", codes)
    for row in rows:
        row["insats_kod"], row["kon"] = "Z9", "F"
    reading = read(workbook("2024", {"staff": rows}))
    assert {(f.rule_id, f.severity, f.cell, f.value) for f in reading.findings} == {
        ("activity_unknown", Severity.ERROR, "B:B", "Z9"),
        ("kon_unknown", Severity.ERROR, "C:C", "F"),
        ("answer_unknown", Severity.ERROR, "E:E", "ganska"),
    }
    [about] = [f for f in reading.findings if f.rule_id == "answer_unknown"]
    assert about.wrong.endswith("Det gäller 5 av 7 ifyllda celler: rad 3, 4, 5, 7, 8.")
    assert reading.responses.num_rows == 7


def test_findings_of_a_column_end_somewhere():
    rows = answered("staff_1a", ["x", 1, 2] * 60)
    reading = read(workbook("2024", {"staff": rows}))
    assert len(reading.findings) == 50
    assert reading.findings[-1].wrong.endswith("Samma sak i 10 celler till i kolumnen.")


def test_without_a_sheet_of_activities_that_alone_is_told():
    rows = [{"lopnr": 1, "insats_kod": "A1", "staff_1a": 3}]
    book = workbook("2024", {"staff": rows})
    book.remove(book["Insatser"])
    assert told(read(book)) == [("activities_missing", "", "")]


@pytest.mark.parametrize(("n_blank", "is_told"), [(4, False), (5, True)])
def test_responses_without_an_activity_are_told_when_they_are_most(n_blank, is_told):
    rows = answered("staff_1a", [1] * 9)
    for row in rows[:n_blank]:
        del row["insats_kod"]
    reading = read(workbook("2024", {"staff": rows}))
    assert told(reading) == [("activity_mostly_empty", "Personal", "B:B")] * is_told
    assert reading.responses.num_rows == 9


def test_activities_are_not_asked_for_where_the_workbook_lists_none_or_nobody_has_one():
    rows = answered("board_12a", [1] * 9)
    for row in rows:
        del row["insats_kod"]
    assert told(read(workbook("2024", {"board": rows}))) == []


@pytest.mark.parametrize("word", ["Summa", "MEDEL:", " medelvärde", "Totalt"])
def test_rows_of_sums_are_no_responses(word):
    rows = [*answered("staff_1a", [1, 2]), {"lopnr": word, "staff_1a": 2}]
    reading = read(workbook("2024", {"staff": rows}))
    assert reading.rows_per_questionnaire == {"staff": 2}
    assert told(reading) == [("row_of_sums", "Personal", "A5")]


def test_a_header_row_that_names_too_little_is_none():
    book = workbook("2024", {"staff": answered("staff_1a", [1, 2, 3])})
    book["Personal"].delete_rows(1)  # the labels are left, and one of them is a header too
    assert told(read(book)) == [("header_missing", "Personal", "")]


def _note(book: Book) -> None:
    book["Personal"]["E3"].comment = Comment("Gäller 19121212-1212", "Anna")


def _header(book: Book) -> None:
    book["Personal"].oddHeader.center.text = "19121212-1212"


def _title(book: Book) -> None:
    book.properties.title = "19121212-1212"


def _formula(book: Book) -> None:
    book["Personal"]["E3"] = '="19121212-1212"'


@pytest.mark.parametrize(
    ("put", "place"),
    [
        (_note, "en anteckning"),
        (_header, "ett sidhuvud eller en sidfot"),
        (_title, "dokumentets egenskaper"),
        (_formula, "en formel"),
    ],
)
def test_a_personal_number_beside_the_cells_is_a_stop_and_never_repeated(put, place):
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    put(book)
    reading = read(book)
    [found] = [f for f in reading.findings if f.severity is Severity.STOP]
    assert found.rule_id == "personal_number_beside"
    assert f"i {place}." in found.wrong
    assert "1212" not in repr(reading)
    assert reading.responses.num_rows == 0


def test_the_cells_of_an_unknown_association_are_looked_at_all_the_same():
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    _put("Läs mig", "B4", "finns-inte")(book)
    _put("Personal", "E3", "Oftaa")(book)
    reading = read(book)
    assert told(reading) == [
        ("association_unknown", "Läs mig", "B4"),
        ("answer_unknown", "Personal", "E3"),
    ]
    assert reading.responses.num_rows == 0


def test_a_sheet_whose_name_is_taken_is_told():
    book = workbook("2024", {"staff": [{"lopnr": 1, "staff_1a": 1}]})
    book.create_sheet("Personal ").append(["lopnr"])
    reading = read(book)
    assert told(reading) == [("sheet_unknown", "Personal ", "")]
    assert reading.rows_per_questionnaire == {"staff": 1}


def test_cells_under_no_header_are_told():
    book = workbook("2024", {"staff": [{"lopnr": n, "staff_1a": 1} for n in (1, 2)]})
    book["Personal"]["Z4"] = 5
    assert told(read(book)) == [("column_unknown", "Personal", "Z4")]


# --- nothing is dropped in silence --------------------------------------------------------------

STAFF = list(INSTRUMENT.layouts["2024"]["staff"].columns.values())[:-1]  # without the comment
ANYTHING = st.one_of(
    st.none(),
    st.integers(-1, 9),
    st.sampled_from([2.5, True, "Ofta", "3 Delvis", "3 Ofta", " ", "\u00a0", "Ja", "K", "A1", "x"]),
    st.just(date(2024, 9, 20)),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(ANYTHING, min_size=len(STAFF) + 2, max_size=len(STAFF) + 2), max_size=4))
def test_every_cell_is_an_answer_a_field_a_finding_or_of_an_unknown_column(grid):
    book = workbook("2024", {"staff": []})
    page = book["Personal"]
    page.delete_cols(len(STAFF) + 1)
    page.cell(1, len(STAFF) + 1, "egen fråga")
    for number, cells in enumerate(grid, start=3):
        for column, cell in enumerate(cells, start=1):  # the last column has no header
            page.cell(number, column, cell)
    reading = read(book)

    filled = [
        [not (c is None or (isinstance(c, str) and not c.strip())) for c in row] for row in grid
    ]
    responses = [row for row in filled if any(row[1 : len(STAFF)])]  # more than a number
    rows = rows_of(reading)
    assert len(rows) == len(responses)
    understood = sum(
        len(row["answers"]) + sum(row[f] is not None for f in STAFF if f in row) for row in rows
    )
    refused = [f for f in reading.findings if f.rule_id.endswith("_unknown") and f.question]
    assert sum(sum(row[: len(STAFF)]) for row in responses) == understood + len(refused)
    unknown = {
        f.cell.rstrip("0123456789") for f in reading.findings if f.rule_id == "column_unknown"
    }
    if responses:
        headless = any(row[-1] for row in responses)
        assert unknown == {"S", "T"} if headless else {"S"}
