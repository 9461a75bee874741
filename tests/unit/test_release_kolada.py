"""Kolada's records of a release, read as plain JSON and compared with the content."""

import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from all_key_figures import all_key_figures

from pipelines.release import kolada
from pipelines.release.table import BRACKET, EMPTY, HIDDEN, SHOWN, SYNTHETIC_SV, Content
from pipelines.settings import DBT_PROJECT

FIELDS = [
    "id", "title", "description", "is_divided_by_gender", "municipality_type", "auspice",
    "operating_area", "perspective", "prel_publication_date", "publication_date", "publ_period",
    "has_ou_data",
]  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Content:
    return all_key_figures(2026, is_synthetic=False)


@pytest.fixture(scope="module")
def folder(made: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    kolada.write(made, folder)
    return folder / "kolada"


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def test_a_key_figure_has_koladas_twelve_fields_as_defined(made: Content, folder: Path) -> None:
    records = read(folder, "kpi")["values"]
    defined = list(made["key_figure_definitions"].records())
    assert len(records) == len(defined) == 10
    for record, row in zip(records, defined, strict=True):
        assert list(record) == FIELDS
        assert record["id"] == row["kpi_id"]
        for field in FIELDS[1:]:
            value = row[field]
            assert record[field] == (value.isoformat() if isinstance(value, date) else value)


def test_municipalities_regions_and_the_nation_have_koladas_ids_and_types(
    made: Content, folder: Path
) -> None:
    records = read(folder, "municipality")["values"]
    assert [list(r) for r in records] == [["id", "title", "type"]] * (290 + 22)
    found = {r["id"]: (r["title"], r["type"]) for r in records}
    assert list(found) == sorted(found)
    assert (found["0000"], found["0025"], found["0114"]) == (
        ("Riket", "L"),
        ("Norrbottens län", "L"),
        ("Upplands Väsby", "K"),
    )
    for row in made["municipalities"].records():
        assert found[row["municipality_code"]] == (row["municipality_name"], "K")
    variables = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert variables["vars"]["nation_id"] in found


def test_every_value_is_the_unrounded_ratio_of_its_integers(made: Content, folder: Path) -> None:
    rows = read(folder, "data")["values"]
    figures = list(made["key_figures"].records())
    assert len(rows) == len(figures) == 2900
    long_tails = 0
    for row, figure in zip(rows, figures, strict=True):
        key = (row["kpi"], row["municipality"], row["period"])
        assert key == (figure["kpi_id"], figure["municipality_id"], figure["period"])
        (value,) = row["values"]
        assert list(value) == ["gender", "count", "status", "value", "isdeleted"]
        assert (value["gender"], value["isdeleted"]) == ("T", False)
        assert value["count"] == figure["count"]
        if figure["status"] == SHOWN:
            assert value["status"] == ""
            assert value["value"] == float(Fraction(100 * figure["n_positive"], figure["count"]))
            long_tails += value["value"] != round(value["value"], 1)
        else:
            assert (value["status"], value["value"]) == ("Missing", None)
    assert long_tails > 2000


@pytest.mark.parametrize(("status", "count"), [(HIDDEN, None), (EMPTY, 0), (BRACKET, 9)])
def test_what_is_not_shown_is_missing_and_a_hidden_count_stays_hidden(
    status: str, count: int | None
) -> None:
    row = {"status": status, "count": count, "n_positive": None, "value": None, "gender": "T"}
    assert kolada.figure(row) == {
        "gender": "T", "count": count, "status": "Missing", "value": None, "isdeleted": False,
    }  # fmt: skip


def test_the_genders_of_a_key_figure_stand_in_one_row(tmp_path: Path) -> None:
    made = all_key_figures(2026)
    table = made["key_figures"]
    second = table.rows[1]
    divided = replace(table, rows=tuple((*second[:3], g, *second[4:]) for g in "KMT"))
    kolada.write(replace(made, tables={**made.tables, table.name: divided}), tmp_path)
    (row,) = read(tmp_path / "kolada", "data")["values"]
    assert [value["gender"] for value in row["values"]] == ["K", "M", "T"]


def test_the_envelope_counts_and_has_no_pages(folder: Path) -> None:
    for name, count in (("kpi", 10), ("municipality", 312), ("data", 2900)):
        found = read(folder, name)
        assert list(found) == ["values", "count", "previous_url", "next_url"]
        assert (found["count"], len(found["values"])) == (count, count)
        assert (found["previous_url"], found["next_url"]) == (None, None)


def test_invented_data_say_so_in_every_file_and_every_description(tmp_path: Path) -> None:
    kolada.write(all_key_figures(2026), tmp_path)
    for name in ("kpi", "municipality", "data"):
        assert read(tmp_path / "kolada", name)["synthetic"] is True
    for record in read(tmp_path / "kolada", "kpi")["values"]:
        assert record["description"].startswith(f"{SYNTHETIC_SV} Antal deltagare")
