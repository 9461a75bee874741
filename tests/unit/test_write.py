"""Workbooks we write: every layout as the seeds say, the same bytes, safe cells."""

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from pipelines import instrument as instruments
from pipelines.instrument import seed_rows
from pipelines.workbook.write import (
    Activity,
    Delivery,
    Formula,
    Respondent,
    Sheet,
    write_workbook,
)

INSTRUMENT = instruments.load()
LAYOUTS = sorted(INSTRUMENT.layouts)


def delivery(layout_id: str, respondents: tuple[Respondent, ...] = ()) -> Delivery:
    return Delivery(
        round=2024,
        layout_id=layout_id,
        association_id="provdalen",
        activities=(Activity("A1", "Navet", "individ", "kort", {"staff": 7, "referrer": None}),),
        sheets=tuple(Sheet(s, respondents) for s in INSTRUMENT.layouts[layout_id].values()),
        notes=("Påhittat.",),
    )


def written(tmp_path: Path, content: Delivery) -> Path:
    path = tmp_path / "file.xlsx"
    write_workbook(path, content, INSTRUMENT)
    return path


@pytest.mark.parametrize("layout_id", LAYOUTS)
def test_each_layouts_sheets_and_headers_are_those_of_the_seeds(tmp_path, layout_id):
    book = openpyxl.load_workbook(written(tmp_path, delivery(layout_id)))
    layouts = [r for r in seed_rows("layouts") if r["layout_id"] == layout_id]
    assert book.sheetnames == ["Läs mig", "Insatser", *(r["sheet_name"] for r in layouts)]
    for row in layouts:
        columns = [
            r["column_name"]
            for r in seed_rows("layout_columns")
            if (r["layout_id"], r["questionnaire_id"]) == (layout_id, row["questionnaire_id"])
        ]
        page = book[row["sheet_name"]]
        header_row = int(row["header_row"])
        assert [cell.value for cell in page[header_row]] == columns
        assert page.cell(header_row + 1, 1).value == row["label_row_mark"]


@pytest.mark.parametrize("layout_id", LAYOUTS)
def test_the_label_row_says_what_each_question_is_about(tmp_path, layout_id):
    book = openpyxl.load_workbook(written(tmp_path, delivery(layout_id)))
    for layout in INSTRUMENT.layouts[layout_id].values():
        labels = [cell.value for cell in book[layout.sheet_name][layout.header_row + 1]]
        for field, label in zip(layout.columns.values(), labels, strict=True):
            assert label
            if field in INSTRUMENT.questions:
                assert label == INSTRUMENT.questions[field].label_sv


def test_a_respondents_cells_stand_under_their_columns(tmp_path):
    respondent = Respondent(
        7, "A1", "K", date(2024, 9, 20), "Bra.", {"staff_1a": 3, "staff_2b": "5 Till stor del"}
    )
    layout = INSTRUMENT.layouts["2018"]["staff"]
    path = written(tmp_path, delivery("2018", (respondent,)))
    page = openpyxl.load_workbook(path)[layout.sheet_name]
    row = dict(zip(layout.columns.values(), page[layout.header_row + 2], strict=True))
    values = {field: cell.value for field, cell in row.items() if cell.value is not None}
    assert values == {
        "lopnr": 7,
        "insats_kod": "A1",
        "kon": "K",
        "svarsdatum": datetime(2024, 9, 20),
        "staff_1a": 3,
        "staff_2b": "5 Till stor del",
        "kommentar": "Bra.",
    }
    assert row["svarsdatum"].is_date
    assert page.freeze_panes == "B5"


def test_the_readme_holds_the_keys_and_the_activities_their_counts(tmp_path):
    book = openpyxl.load_workbook(written(tmp_path, delivery("2024")))
    keys = {row[0].value: row[1].value for row in book["Läs mig"].iter_rows(max_col=2)}
    assert (keys["Mätomgång"], keys["Layout"], keys["Förbund"]) == (2024, "2024", "provdalen")
    assert any("personnummer" in str(text) for text in keys)
    header, activity = book["Insatser"].iter_rows(values_only=True)
    values = dict(zip(header, activity, strict=True))
    assert values["utdelade_staff"] == 7
    assert values["utdelade_referrer"] is None


def test_text_that_looks_like_a_formula_or_a_link_stays_text(tmp_path):
    texts = ("=1+1", "https://example.org", "+4", "2024")
    respondents = tuple(Respondent(text) for text in texts)
    path = written(tmp_path, delivery("2024", respondents))
    page = openpyxl.load_workbook(path)["Personal"]
    assert [page.cell(row, 1).value for row in range(3, 7)] == list(texts)
    assert {page.cell(row, 1).hyperlink for row in range(3, 7)} == {None}
    assert [
        r[0]
        for r in CalamineWorkbook.from_path(str(path))
        .get_sheet_by_name("Personal")
        .to_python(skip_empty_area=False)[2:]
    ] == list(texts)


def test_a_formula_can_be_written_without_the_value_excel_would_store(tmp_path):
    respondent = Respondent(1, answers={"staff_1a": Formula("=1+2", "")})
    path = written(tmp_path, delivery("2024", (respondent,)))
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Personal").to_python()
    assert rows[2][4] == ""
    assert openpyxl.load_workbook(path)["Personal"]["E3"].value == "=1+2"


def test_the_same_delivery_gives_the_same_bytes(tmp_path):
    first = written(tmp_path, delivery("2021", (Respondent(1),))).read_bytes()
    assert written(tmp_path, delivery("2021", (Respondent(1),))).read_bytes() == first
