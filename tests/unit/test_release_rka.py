"""The delivery to RKA: the workbook read by calamine and openpyxl, the twin by Python's csv."""

import csv
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest
from all_key_figures import all_key_figures
from python_calamine import CalamineWorkbook

from pipelines.instrument import seed_rows
from pipelines.release import rka
from pipelines.release.table import SHOWN, SYNTHETIC_SV, Content
from pipelines.workbook.write import CREATED

DATA = Path(__file__).parents[1] / "data"
HEADER = [row["column_name"] for row in seed_rows("rka_columns")]
NUMBERS = {"År", "Värde", "Antal svar"}


@pytest.fixture(scope="module")
def made() -> Content:
    return all_key_figures(2026, is_synthetic=False)


@pytest.fixture(scope="module")
def folder(made: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    rka.write(made, folder)
    return folder / "rka"


def twin(path: Path) -> list[list[object]]:
    """The CSV's rows, numbers read as the header says."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";", strict=True)
    assert header == HEADER
    return [
        [
            float(cell.replace(",", ".")) if name in NUMBERS and cell else cell
            for name, cell in zip(HEADER, row, strict=True)
        ]
        for row in rows
    ]


def renamed(content: Content, kpi: str, title: str) -> Content:
    table = content["key_figure_definitions"]
    at = [column.name for column in table.columns].index("title")
    rows = tuple((*row[:at], title, *row[at + 1 :]) if row[0] == kpi else row for row in table.rows)
    tables = {**content.tables, table.name: replace(table, rows=rows)}
    return replace(content, tables=tables)


def test_the_workbook_and_its_twin_hold_the_same_rows(folder: Path) -> None:
    book = CalamineWorkbook.from_path(folder / "nyckeltal_2026.xlsx")
    header, *rows = book.get_sheet_by_name("Nyckeltal").to_python(skip_empty_area=False)
    assert header == HEADER
    assert len(rows) == 2900
    assert rows == twin(folder / "nyckeltal_2026.csv")


def test_a_row_per_key_figure_municipality_and_year_unrounded(made: Content, folder: Path) -> None:
    titles = {r["kpi_id"]: r["title"] for r in made["key_figure_definitions"].records()}
    places = {r["municipality_code"]: r["municipality_name"] for r in seed_rows("municipalities")}
    labels = {r["status"]: r["label_sv"] for r in made["statuses"].records()}
    rows = twin(folder / "nyckeltal_2026.csv")
    for row, figure in zip(rows, made["key_figures"].records(), strict=True):
        kpi, place, count = figure["kpi_id"], figure["municipality_id"], figure["count"]
        assert row[:6] == [kpi, titles[kpi], place, places[place], 2026, "T"]
        assert row[7] == ("" if count is None else count)
        if figure["status"] == SHOWN:
            value = float(Fraction(100 * figure["n_positive"], count))
            assert (row[6], row[8], row[9]) == (value, "", "")
        else:
            assert (row[6], row[8], row[9]) == ("", "Missing", labels[figure["status"]])


def test_a_number_of_17_digits_is_whole_in_the_workbook(folder: Path) -> None:
    sheet = openpyxl.load_workbook(folder / "nyckeltal_2026.xlsx")["Nyckeltal"]
    read = [row[6].value for row in sheet.iter_rows(min_row=2)]
    assert sum(value is not None and len(repr(value)) > 17 for value in read) > 500
    assert [value or 0 for value in read] == [
        row[6] or 0 for row in twin(folder / "nyckeltal_2026.csv")
    ]


def test_the_workbook_says_who_sends_it_and_what_the_columns_are(
    made: Content, folder: Path
) -> None:
    book = CalamineWorkbook.from_path(folder / "nyckeltal_2026.xlsx")
    assert book.sheet_names == ["Läs mig", "Nyckeltal"]
    page = dict(book.get_sheet_by_name("Läs mig").to_python(skip_empty_area=False))
    assert page["Avsändare"] == made.publisher.name
    assert page["Kontakt"] == made.publisher.mail
    for row in seed_rows("rka_columns"):
        assert page[row["column_name"]] == row["note"]
    assert "2026" in next(iter(page))


def test_the_same_content_gives_the_same_bytes_at_any_time(
    made: Content, folder: Path, tmp_path: Path
) -> None:
    rka.write(made, tmp_path)
    made_at = openpyxl.load_workbook(tmp_path / "rka" / "nyckeltal_2026.xlsx").properties
    assert made_at.created == made_at.modified == CREATED
    for path in sorted(folder.iterdir()):
        assert path.read_bytes() == (tmp_path / "rka" / path.name).read_bytes()


def test_the_agreed_titles_are_the_ten_that_kolada_has() -> None:
    with (DATA / "kolada_key_figures.csv").open(encoding="utf-8", newline="") as file:
        published = {row["kpi_id"]: row["title"] for row in csv.DictReader(file)}
    assert {row["kpi_id"]: row["title"] for row in seed_rows("agreed_titles")} == published
    assert len(published) == 10


@pytest.mark.parametrize(
    ("kpi", "title"),
    [
        ("U40467", "Deltagarbedömning Finsam - Planering finns för vad som ska hända efter insats"),
        ("U40460", "deltagarbedömning Finsam - Stöd är till stor nytta, andel (%)"),
    ],
)
def test_another_title_than_agreed_is_no_delivery_and_named(
    made: Content, tmp_path: Path, kpi: str, title: str
) -> None:
    with pytest.raises(rka.TitleError) as told:
        rka.write(renamed(made, kpi, title), tmp_path)
    assert f"{kpi} heter '{title}'" in str(told.value)
    assert str(told.value).count("heter") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_key_figure_nobody_agreed_to_is_no_delivery(made: Content, tmp_path: Path) -> None:
    table = made["key_figure_definitions"]
    rows = (*table.rows, ("U99999", *table.rows[0][1:]))
    more = replace(made, tables={**made.tables, table.name: replace(table, rows=rows)})
    with pytest.raises(rka.TitleError, match="U99999"):
        rka.write(more, tmp_path)


def test_invented_figures_are_not_delivered(tmp_path: Path) -> None:
    with pytest.raises(rka.SyntheticError, match=r"Påhittade uppgifter .*RKA"):
        rka.write(all_key_figures(2026), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_invented_figures_written_to_try_it_out_say_so_everywhere(tmp_path: Path) -> None:
    rka.write(all_key_figures(2026), tmp_path, allow_synthetic=True)
    names = sorted(path.name for path in (tmp_path / "rka").iterdir())
    assert names == ["nyckeltal_2026_SYNTETISK.csv", "nyckeltal_2026_SYNTETISK.xlsx"]
    book = CalamineWorkbook.from_path(tmp_path / "rka" / names[1])
    assert book.sheet_names == ["Läs mig SYNTETISK", "Nyckeltal SYNTETISK"]
    assert [SYNTHETIC_SV, ""] in book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    _, *rows = book.get_sheet_by_index(1).to_python(skip_empty_area=False)
    assert rows == twin(tmp_path / "rka" / names[0])
    assert all(str(row[9]).startswith(SYNTHETIC_SV) for row in rows)


def test_a_name_that_looks_like_a_formula_comes_out_inert(made: Content, tmp_path: Path) -> None:
    table = made["municipalities"]
    rows = (("0114", "=1+1", "01"), *table.rows[1:])
    odd = replace(made, tables={**made.tables, table.name: replace(table, rows=rows)})
    rka.write(odd, tmp_path)
    assert twin(tmp_path / "rka" / "nyckeltal_2026.csv")[0][3] == "'=1+1"
    cell = openpyxl.load_workbook(tmp_path / "rka" / "nyckeltal_2026.xlsx")["Nyckeltal"]["D2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
