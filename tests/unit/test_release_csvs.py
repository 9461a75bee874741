"""The CSV files of a release, read back by Python's own reader."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from content import content
from readback import assert_same

from pipelines.release import csvs
from pipelines.release.table import Content, Kind, Value

PARSERS = {
    "text": str,
    "integer": int,
    "decimal": lambda cell: Decimal(cell.replace(",", ".")),
    "ratio": lambda cell: Decimal(cell.replace(",", ".")),
    "boolean": {"true": True, "false": False}.__getitem__,
    "date": date.fromisoformat,
}


@pytest.fixture(scope="module")
def made() -> Content:
    return content()


@pytest.fixture(scope="module")
def folder(made: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    csvs.write(made, folder)
    return folder


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";", strict=True))


def value_of(cell: str, kind: Kind, wanted: Value) -> Value:
    """The cell by its kind; CSV has one sign for a blank and for an empty text."""
    if cell == "":
        return wanted if wanted in (None, "") else cell
    if cell[0] == "'":
        cell = cell[1:]
    return PARSERS[kind](cell)


def test_every_cell_of_every_table_is_read_back_equal(made: Content, folder: Path) -> None:
    files = {path.stem for path in (folder / "open" / "csv").iterdir()}
    assert files == set(made.tables)
    for name, table in made.tables.items():
        header, *rows = read(folder / "open" / "csv" / f"{name}.csv")
        kinds = [column.kind for column in table.columns]
        values = [
            [value_of(*each) for each in zip(row, kinds, wanted, strict=True)]
            for row, wanted in zip(rows, table.rows, strict=True)
        ]
        assert_same(table, header, values)


def test_a_swedish_excel_opens_it_as_a_table(tmp_path: Path) -> None:
    rows = [("Åmål", 3, Decimal("-1.5"), True, False, date(2026, 9, 14), None)]
    csvs.write_csv(tmp_path / "a.csv", list("abcdefg"), rows)
    written = (tmp_path / "a.csv").read_bytes()
    assert written == (
        b"\xef\xbb\xbfa;b;c;d;e;f;g\r\n" + "Åmål;3;-1,5;true;false;2026-09-14;\r\n".encode()
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_begins_as_a_formula_does_is_inert(start: str, tmp_path: Path) -> None:
    text = f"{start}1+1;2"
    csvs.write_csv(tmp_path / "a.csv", [text], [[text], [f"x{text}"]])
    assert read(tmp_path / "a.csv") == [[f"'{text}"], [f"'{text}"], [f"x{text}"]]


def test_a_name_that_is_a_formula_is_inert(folder: Path) -> None:
    rows = read(folder / "open" / "csv" / "associations.csv")
    assert ["ovrebygd", '\'=HYPERLINK("http://x")', "01"] in rows


def test_no_cell_of_a_release_is_a_formula(folder: Path) -> None:
    for path in (folder / "open" / "csv").iterdir():
        for row in read(path)[1:]:
            for cell in row:
                if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
                    float(cell.replace(",", "."))  # a negative number is one


def test_figures_of_invented_data_say_so_in_every_row(folder: Path) -> None:
    header, *rows = read(folder / "open" / "csv" / "measure_results.csv")
    assert {row[header.index("is_synthetic")] for row in rows} == {"true"}
