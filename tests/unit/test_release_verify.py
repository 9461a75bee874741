"""A finished folder is read back: one wrong cell in any format, and there is no release."""

import json
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from content import content
from released import WRITERS, with_cells

from pipelines.release import csvs, duck, isf, jsonstat, parquet, px, workbook
from pipelines.release.table import Content
from pipelines.release.verify import UnequalError, verify


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every format."""
    path = tmp_path_factory.mktemp("written")
    for writer in WRITERS:
        writer(content(), path)
    return path


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(written, tmp_path / "release")


def test_what_was_written_is_what_is_read(folder: Path) -> None:
    verify(folder, content())


def test_formats_that_are_not_written_are_not_asked_for(tmp_path: Path) -> None:
    csvs.write(content(), tmp_path)
    verify(tmp_path, content())


# --- one mutation of each format ----------------------------------------------------------------


def replaced(old: str, new: str) -> Callable[[Path], None]:
    """Another text at the first place of a text in a file."""

    def mutate(path: Path) -> None:
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new, 1).encode())

    return mutate


def parquet_cell(path: Path) -> None:
    table = pq.read_table(path)
    shares = table["share"].to_pylist()
    shares[-1] += Decimal("0.1")
    place = table.schema.get_field_index("share")
    field = table.schema.field("share")
    pq.write_table(table.set_column(place, field, pa.array(shares, field.type)), path)


def duckdb_cell(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("update measure_results set n = n + 1 where level = 'county'")


def px_cell(path: Path) -> None:
    text = path.read_bytes().decode()
    head, data = text.split("DATA=")
    path.write_bytes(f"{head}DATA={re.sub('87.5', '87.6', data, count=1)}".encode())


def jsonstat_cell(path: Path) -> None:
    read = json.loads(path.read_bytes())
    read["value"][read["value"].index(87.5)] = 87.6
    path.write_text(json.dumps(read), encoding="utf-8")


def kolada_cell(path: Path) -> None:
    read = json.loads(path.read_bytes())
    [figure] = read["values"][1]["values"]
    figure["value"] = round(figure["value"], 1)
    path.write_text(json.dumps(read), encoding="utf-8")


def sheet_cell(sheet: str, header: str, value: object) -> Callable[[Path], None]:
    """Another value in the last row of a column."""

    def mutate(path: Path) -> None:
        book = openpyxl.load_workbook(path)
        page = book[sheet]
        names = [cell.value for cell in page[1]]
        page.cell(page.max_row, names.index(header) + 1).value = value
        book.save(path)

    return mutate


MUTATIONS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "csv": (
        "open/csv/measure_results.csv",
        replaced("40;35;87,5;", "40;35;87,6;"),
        "measure_results, 2026/association/exempelbygden/participant_ending/1a/T, share",
    ),
    "csv, text": ("open/csv/counties.csv", replaced("Stockholms", "Stockholm"), "counties, 01"),
    "csv, no number": ("open/csv/rounds.csv", replaced("2026;", "i år;"), "rounds, 2026, round"),
    "csv, live": ("open/csv/associations.csv", replaced("'=HYPERLINK", "HYPERLINK"), "ovrebygd"),
    "csv, hidden": (
        "open/csv/indicator_results.csv",
        replaced("ovrebygd;participant;1;T;;;;", "ovrebygd;participant;1;T;;;3;"),
        "indicator_results, 2026/association/ovrebygd/participant/1/T, n.",
    ),
    "parquet": ("open/parquet/measure_results.parquet", parquet_cell, "nation/0000"),
    "workbook": (
        "open/nns_indikatorer_2026.xlsx",
        sheet_cell("measure_results", "share", 84.3),
        "measure_results, 2026/nation/0000/register_study/11b/T, share",
    ),
    "workbook, hidden": (
        "open/nns_indikatorer_2026.xlsx",
        sheet_cell("key_figures", "count", 3),
        "key_figures, U40461/2084/2026/T, count",
    ),
    "duckdb": ("open/nns_indikatorer_2026.duckdb", duckdb_cell, "county/0001"),
    "px": ("open/px/participant_ending.px", px_cell, "1a_share"),
    "px, sign": ("open/px/participant_ending.px", replaced('".."\r\n', '"."\r\n'), "_"),
    "jsonstat": ("open/jsonstat/participant_ending.json", jsonstat_cell, "1a_share"),
    "jsonstat, sign": (
        "open/jsonstat/participant_ending.json",
        replaced('":".."', '":"."'),
        "participant_ending",
    ),
    "kolada": ("kolada/data.json", kolada_cell, "U40460/0180/2026/T"),
    "kolada, status": (
        "kolada/data.json",
        replaced('"status": ""', '"status": "Missing"'),
        "U40460/0114/2026/T",
    ),
    "rka": (
        "rka/nyckeltal_2026_SYNTETISK.csv",
        replaced("81,9672131147541", "82"),
        "U40460/0180/2026/T",
    ),
    "rka, workbook": (
        "rka/nyckeltal_2026_SYNTETISK.xlsx",
        sheet_cell("Nyckeltal SYNTETISK", "Antal svar", 4),
        "U40461/2084/2026/T",
    ),
    "isf": ("isf/deltagarmatt_2026.csv", replaced("40;35;87,5;", "40;35;87,4;"), "share"),
    "isf, key": ("isf/deltagarmatt_2026.csv", replaced(";nation;", ";county;"), "2026/county/0000"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_wrong_cell_is_found(folder: Path, name: str) -> None:
    file, mutate, place = MUTATIONS[name]
    mutate(folder / file)
    with pytest.raises(UnequalError) as raised:
        verify(folder, content())
    assert str(raised.value).startswith(f"{file} ")
    assert place in str(raised.value)


# --- what is missing or too many ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("open/csv/measures.csv", r"measures\.csv .* measures, finns inte"),
        ("open/parquet/key_figures.parquet", r"key_figures\.parquet .* finns inte"),
    ],
)
def test_a_table_that_was_not_written_is_missed(folder: Path, pattern: str, what: str) -> None:
    (folder / pattern).unlink()
    with pytest.raises(UnequalError, match=what):
        verify(folder, content())


def test_a_row_too_many_is_found(folder: Path) -> None:
    path = folder / "open" / "csv" / "counties.csv"
    path.write_bytes(path.read_bytes() + b"26;Norra\r\n")
    with pytest.raises(UnequalError, match=r"counties\.csv .* antalet rader"):
        verify(folder, content())


def test_a_key_figure_that_was_left_out_is_missed(folder: Path) -> None:
    path = folder / "kolada" / "data.json"
    read = json.loads(path.read_bytes())
    del read["values"][-1]
    path.write_text(json.dumps(read), encoding="utf-8")
    with pytest.raises(UnequalError, match="U40461/2084/2026/T"):
        verify(folder, content())


@pytest.mark.parametrize("format_", ["px", "jsonstat"])
def test_a_questionnaire_too_many_is_found(folder: Path, format_: str) -> None:
    [path, _] = sorted((folder / "open" / format_).iterdir())
    path.with_stem("staff").write_bytes(path.read_bytes())
    with pytest.raises(UnequalError, match="staff.* en för mycket"):
        verify(folder, content())


def test_a_column_with_another_name_is_found(folder: Path) -> None:
    replaced("county_name", "name")(folder / "open" / "csv" / "counties.csv")
    with pytest.raises(UnequalError, match="counties, kolumnerna"):
        verify(folder, content())


def test_a_file_nobody_can_read_back_is_no_part_of_a_release(folder: Path) -> None:
    (folder / "open" / "figures.txt").write_text("87,5", encoding="utf-8")
    with pytest.raises(UnequalError, match=r"open/figures\.txt .* okänd"):
        verify(folder, content())


def test_each_format_is_held_against_the_content_and_not_against_another(tmp_path: Path) -> None:
    """A writer that has one cell wrong in all its files is found as well."""
    where = {"level": "county", "measure_id": "1a"}
    wrong: Content = with_cells(content(), "measure_results", where, n=62)
    for module in (csvs, parquet, workbook, duck, px, jsonstat, isf):
        target = tmp_path / module.__name__
        target.mkdir()
        module.write(wrong, target)
        with pytest.raises(UnequalError, match="0001"):
            verify(target, content())
