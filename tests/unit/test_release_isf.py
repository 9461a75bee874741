"""The extract for ISF, read by Python's csv and compared with the content."""

import csv
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from content import content

from pipelines.instrument import seed_rows
from pipelines.release import isf
from pipelines.release.table import Content


def extract(content: Content, folder: Path) -> list[dict[str, str]]:
    isf.write(content, folder)
    with (folder / "isf" / "deltagarmatt_2026.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";", strict=True))


def as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return str(value).replace(".", ",")
    return "" if value is None else str(value)


def test_it_holds_the_participants_measures_of_the_seed_s_indicators_and_levels(
    tmp_path: Path,
) -> None:
    made = content()
    rows = extract(made, tmp_path)
    wanted = [
        row
        for row in made["measure_results"].records()
        if row["measure_id"] == "1a" and row["level"] in ("nation", "county", "association")
    ]
    assert len(rows) == len(wanted) == 8
    assert {row["gender"] for row in rows} == {"T", "K", "M"}
    for found, row in zip(rows, wanted, strict=True):
        assert found.pop("indicator_id") == "1"
        assert found.pop("measure_label_sv") == "Stödet är till stor nytta"
        assert found == {name: as_text(value) for name, value in row.items()}


def test_what_others_answered_is_left_out(tmp_path: Path) -> None:
    made = content()
    table = made["questionnaires"]
    staff = replace(table, rows=tuple((row[0], "staff", *row[2:]) for row in table.rows))
    assert extract(replace(made, tables={**made.tables, table.name: staff}), tmp_path) == []


def test_the_seed_asks_for_participants_of_indicators_1_and_7_above_the_activities() -> None:
    asked = [(row["column_name"], row["allowed_value"]) for row in seed_rows("isf_extract")]
    assert asked == [
        ("respondent_group", "participant"),
        ("indicator_id", "1"),
        ("indicator_id", "7"),
        ("level", "nation"),
        ("level", "county"),
        ("level", "association"),
    ]


def test_invented_data_say_so_in_every_row(tmp_path: Path) -> None:
    assert {row["is_synthetic"] for row in extract(content(), tmp_path)} == {"true"}
