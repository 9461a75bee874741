"""The Excel workbook of a release, read by openpyxl and calamine, and its XML for what is live."""

import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine
from content import ROUND, content
from openpyxl.worksheet.worksheet import Worksheet
from readback import assert_same

from pipelines.release import workbook
from pipelines.release.table import SYNTHETIC_EN, SYNTHETIC_SV, Content, Table, Value
from pipelines.workbook.write import CREATED

FILE = f"open/nns_indikatorer_{ROUND}.xlsx"


@pytest.fixture(scope="module")
def made() -> Content:
    return content()


@pytest.fixture(scope="module")
def file(made: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    workbook.write(made, folder)
    return folder / FILE


@pytest.fixture(scope="module")
def book(file: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(file)


def values_of(cells: Sequence[Any], table: Table, wanted: Sequence[Value]) -> list[Value]:
    """The cells by their column's kind; Excel has one number and one blank."""
    kinds = [column.kind for column in table.columns]
    return [value_of(*each) for each in zip(cells, kinds, wanted, strict=True)]


def value_of(cell: Any, kind: str, wanted: Value) -> Value:
    if cell in (None, "") and wanted in (None, ""):
        return wanted
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell
    if kind == "ratio":
        return Decimal(str(cell)).quantize(Decimal("0.01"))
    return Decimal(str(cell)) if kind == "decimal" else int(cell)


def texts_of(page: Worksheet) -> list[str]:
    return [str(c) for row in page.iter_rows(values_only=True) for c in row if c is not None]


# --- the tables ---------------------------------------------------------------------------------


def test_openpyxl_reads_every_cell_of_every_table_equal(
    made: Content, book: openpyxl.Workbook
) -> None:
    assert book.sheetnames == ["Läs mig", "Metadata", *made.tables]
    for name, table in made.tables.items():
        header, *rows = book[name].iter_rows(values_only=True)
        pairs = zip(rows, table.rows, strict=True)
        assert_same(table, header, [values_of(row, table, wanted) for row, wanted in pairs])


def test_calamine_reads_every_cell_of_every_table_equal(made: Content, file: Path) -> None:
    read = python_calamine.CalamineWorkbook.from_path(str(file))
    for name, table in made.tables.items():
        header, *rows = read.get_sheet_by_name(name).to_python()
        pairs = zip(rows, table.rows, strict=True)
        assert_same(table, header, [values_of(row, table, wanted) for row, wanted in pairs])


def test_a_hidden_figure_is_an_empty_cell_with_the_status_beside(book: openpyxl.Workbook) -> None:
    header, first, *_ = book["measure_results"].iter_rows(values_only=True)
    row = dict(zip(header, first, strict=True))
    assert (row["n"], row["share"], row["status"]) == (None, None, "..")


def test_numbers_are_shown_with_their_decimals_days_iso_and_codes_as_text(
    made: Content, book: openpyxl.Workbook
) -> None:
    wanted = {"decimal": "0.0", "ratio": "0.00", "integer": "0", "date": "yyyy-mm-dd", "text": "@"}
    for name, table in made.tables.items():
        for row in book[name].iter_rows(min_row=2):
            for column, cell in zip(table.columns, row, strict=True):
                if column.kind in wanted and cell.value is not None:
                    assert cell.number_format == wanted[column.kind]


def test_the_head_of_each_table_stays_and_filters(made: Content, book: openpyxl.Workbook) -> None:
    for name in ("Metadata", *made.tables):
        assert book[name].freeze_panes == "A2"
        assert book[name].auto_filter.ref == book[name].dimensions


def test_a_value_excel_has_no_room_for_is_refused(made: Content, tmp_path: Path) -> None:
    table = replace(made["counties"], rows=(("01", "x" * 32_768),))
    with pytest.raises(ValueError, match="counties: no room in row 2, column 2"):
        workbook.write(replace(made, tables={**made.tables, "counties": table}), tmp_path)


# --- nothing in it is live ----------------------------------------------------------------------


def test_a_name_that_is_a_formula_stays_a_text(book: openpyxl.Workbook) -> None:
    cell = book["associations"]["B3"]
    assert (cell.value, cell.data_type) == ('=HYPERLINK("http://x")', "s")
    assert cell.number_format == "@"  # also when somebody edits it


def test_no_sheet_has_a_formula_and_no_link_leaves_the_workbook(file: Path) -> None:
    with zipfile.ZipFile(file) as parts:
        sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/")]
        assert not [name for name in sheets if name.endswith(".rels")]
        for name in sheets:
            assert not re.search(rb"<f[ >]|r:id=", parts.read(name))


# --- what it says -------------------------------------------------------------------------------


def test_the_readme_tells_round_publisher_licence_source_and_statuses(
    made: Content, book: openpyxl.Workbook
) -> None:
    texts = texts_of(book["Läs mig"])
    publisher = made.publisher
    assert {str(ROUND), publisher.name, publisher.mail, publisher.source} < set(texts)
    assert f"{publisher.licence_name}, {publisher.licence_iri}" in texts
    for status in made["statuses"].records():
        assert {status["label_sv"], status["label_en"]} < set(texts)


def test_the_readme_links_to_every_sheet_and_counts_its_rows(
    made: Content, book: openpyxl.Workbook
) -> None:
    rows = [row for row in book["Läs mig"].iter_rows() if row[0].hyperlink]
    linked = [row[0].hyperlink.location for row in rows]
    assert linked == [f"'{name}'!A1" for name in book.sheetnames[1:]]
    listed = {row[0].value: [cell.value for cell in row[1:]] for row in rows}
    for name, table in made.tables.items():
        assert listed[name] == [table.title_sv, table.title_en, len(table.rows)]


def test_metadata_describes_every_column_in_both_languages(
    made: Content, book: openpyxl.Workbook
) -> None:
    rows = book["Metadata"].iter_rows(min_row=2, values_only=True)
    assert [(*row[:2], *row[3:]) for row in rows] == [
        (
            name,
            column.name,
            "ja / yes" if column.name in table.key else None,
            column.text_sv,
            column.text_en,
        )
        for name, table in made.tables.items()
        for column in table.columns
    ]


def test_invented_data_is_called_synthetic_large_and_on_every_printed_table(
    made: Content, book: openpyxl.Workbook
) -> None:
    page = book["Läs mig"]
    notes = [c for row in page.iter_rows() for c in row if c.value in (SYNTHETIC_SV, SYNTHETIC_EN)]
    assert [cell.font.size for cell in notes] == [16, 16]
    for name in made.tables:
        assert book[name].oddHeader.center.text == SYNTHETIC_SV


def test_only_invented_data_is_called_synthetic(tmp_path: Path) -> None:
    workbook.write(content(is_synthetic=False), tmp_path)
    book = openpyxl.load_workbook(tmp_path / FILE)
    assert not [text for text in texts_of(book["Läs mig"]) if "synthetic" in text]
    assert not book["rounds"].oddHeader.center.text


def test_the_same_tables_give_the_same_bytes(file: Path, tmp_path: Path) -> None:
    workbook.write(content(), tmp_path)
    assert (tmp_path / FILE).read_bytes() == file.read_bytes()


def test_the_day_it_was_made_is_fixed(book: openpyxl.Workbook) -> None:
    assert (book.properties.created, book.properties.modified) == (CREATED, CREATED)
