"""Projects' own questions: their figures against the truth, and the core as it is without them.

One landing zone twice: with two projects' columns in its workbooks and web answers, and the same
files without these columns.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import extra_truth
import openpyxl
import pandas as pd
import pytest
import truth
from comparison import differences, mart, rows_of

from pipelines.workbook.sample import write_landing_zone

ROUNDS = (2023, 2024, 2026)
HEADER = "project_id,association_id,questionnaire_id,column_name,question_id,label_sv,scale_id,"
HEADER += "positive_min_code,first_round,last_round,insats_kod"
BUS, CALM, ROOM, WORTH = "ronden_bussen", "ronden_lugnt", "navet_rum", "navet_vart"
CODES: dict[str, list[Any]] = {
    BUS: [1, 2, 3, "Ja", " nej ", "2 Ja", None, "kanske"],
    CALM: [1, 2, 5, 6, "Ofta", "5 för det mesta", None, ""],
    ROOM: [1, 3, 4, 5, 6, 7, None],
    WORTH: [1, 2, None],
}
UNEQUAL = {"submissions": {"sha256", "n_error", "n_warning", "n_info"}}
"""Columns that tell of the files themselves and of findings about them."""


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The landing zone with the projects' questions (True) and without."""
    zones = {has: tmp_path_factory.mktemp("zone") / "raw" for has in (True, False)}
    for has, raw in zones.items():
        write_landing_zone(raw, rounds=ROUNDS, associations=5, questionnaires=60)
        _write_zone(raw, has)
    return zones


def _write_zone(raw: Path, has_own: bool) -> None:
    files = sorted(raw.glob("2026/*.xlsx"))
    one, two, four, three = [path.stem.removesuffix("_2026") for path in files[:4]]
    activity = openpyxl.load_workbook(files[0])["Insatser"]["A2"].value
    rows = [
        f"ronden,{one},staff,Bussen,{BUS},Kommer bussen?,yesno_dk,2,2023,,",
        f"ronden,{two},staff,Buss till mötet,{BUS},Kommer bussen?,yesno_dk,2,2024,,",
        f"ronden,{one},participant_ending,Lugnt,{CALM},Är det lugnt?,frequency6,5,2023,,"
        f"{activity.lower()}",
        f"navet,{three},board,Rum,{ROOM},Finns rum?,extent6_dk,4,2023,2024,",
        f"navet,{one},participant_ongoing,Värt,{WORTH},Är det värt det?,yesno,2,2026,,",
    ]
    if has_own:
        path = raw / "register" / "extra_questions.csv"
        path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    columns = {
        one: {"staff": ("Bussen", BUS), "participant_ending": ("Lugnt", CALM),
              "participant_ongoing": ("Värt", WORTH)},
        two: {"staff": ("Buss till mötet", BUS)},
        three: {"board": ("Rum", ROOM)},
        four: {"staff": ("Bussen", BUS)},  # of no project: the column is unknown
    }  # fmt: skip
    for association_id, sheets in columns.items():
        for path in sorted(raw.glob(f"*/{association_id}_*.xlsx")):
            _fill_in(path, sheets, has_own)
    _answer_on_the_web(raw / "2026/web/personal.csv", one, activity, has_own)
    for path in raw.glob("*/**/*.*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def _fill_in(path: Path, sheets: dict[str, tuple[str, str]], has_own: bool) -> None:
    """Writes the file anew, with the projects' columns or without, and a prepared row."""
    chance, book = random.Random(path.name), openpyxl.load_workbook(path)
    rounds = truth.csv_rows(truth.SEEDS / "rounds.csv")
    layout_id = truth.one(rounds, round=path.parent.name)["layout_id"]
    layouts = truth.csv_rows(truth.SEEDS / "layouts.csv")
    for questionnaire_id, (name, question) in sheets.items():
        layout = truth.one(layouts, layout_id=layout_id, questionnaire_id=questionnaire_id)
        page, head = book[layout["sheet_name"]], int(layout["header_row"])
        last, column = page.max_row + 1, page.max_column + 1
        page.cell(last, 1).value = 999  # answers a project's question at most: no questionnaire
        cells = [chance.choice(CODES[question]) for _ in range(head + 2, last)]
        for number, value in enumerate([name, "En egen fråga", *cells, 2], start=head):
            if has_own:
                page.cell(number, column).value = value
    book.save(path)


def _answer_on_the_web(path: Path, association_id: str, activity: str, has_own: bool) -> None:
    chance = random.Random(path.name)
    asked = [
        q["question_id"]
        for q in truth.csv_rows(truth.SEEDS / "questions.csv")
        if q["questionnaire_id"] == "staff" and truth.covers(q, 2026)
    ]
    rows = []
    for number in range(9):
        row = {"round": "2026", "association_id": association_id, "questionnaire_id": "staff"}
        row |= {"svarsdatum": "2026-10-01", "insats_kod": activity}
        row |= {q: chance.choice(["1", "2", ""]) for q in asked}
        own = chance.choice(["1", "2", "3", "Ja", ""])
        row |= {f"eget/{BUS}": own} if has_own else {}
        rows.append(row | {"meta/instanceID": f"uuid:00000000-0000-4000-8000-{number:012}"})
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False)


@pytest.fixture(scope="module")
def snapshots(zones: dict[bool, Path], build_snapshot: Callable[[Path], Path]) -> dict[bool, Path]:
    return {has: build_snapshot(raw) for has, raw in zones.items()}


def test_every_number_of_extra_results_equals_the_truth(
    zones: dict[bool, Path], snapshots: dict[bool, Path]
) -> None:
    expected = extra_truth.compute(zones[True])
    asked = expected.groupby("question_id")["round"].agg(lambda rounds: sorted(set(rounds)))
    assert asked.to_dict() == {BUS: [2023, 2024, 2026], CALM: [2023, 2024, 2026],
                               ROOM: [2023, 2024], WORTH: [2026]}  # fmt: skip
    counts = expected[["n", "n_missing", "n_dont_know", "n_positive"]].astype(int).sum()
    assert (counts > 10).all()
    assert set(expected["level"]) == {"association", "activity", "project"}
    assert expected["change_significant"].notna().sum() > 5
    faults = differences(mart(snapshots[True], "extra_results"), rows_of(expected), extra_truth.KEY)
    if faults:
        pytest.fail(faults, pytrace=False)


def test_a_project_pools_two_associations(snapshots: dict[bool, Path]) -> None:
    rows = [r for r in mart(snapshots[True], "extra_results") if r["question_id"] == BUS]
    rows = [r for r in rows if (r["round"], r["gender"]) == (2026, "T")]
    parts = [r["n"] for r in rows if r["level"] == "association"]
    assert len(parts) == 2
    assert [r["n"] for r in rows if r["level"] == "project"] == [sum(parts)]


def test_all_other_marts_are_the_same_without_the_questions(snapshots: dict[bool, Path]) -> None:
    tables = {has: _tables(path) for has, path in snapshots.items()}
    assert tables[True].keys() == tables[False].keys()
    assert len(tables[True]["measure_results"]) > 100
    assert tables[False].pop("extra_results") == []
    assert len(tables[True].pop("extra_results")) > 20
    unequal = [name for name, rows in tables[True].items() if rows != tables[False][name]]
    assert unequal == []


def _tables(snapshot: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of every table, sorted."""
    with duckdb.connect(str(snapshot), read_only=True) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts'"
        ).fetchall()
        tables = {}
        for (name,) in names:
            cursor = connection.execute(f"select * from marts.marts.{name}")
            columns = [column[0] for column in cursor.description]
            kept = [i for i, c in enumerate(columns) if c not in UNEQUAL.get(name, ())]
            tables[name] = sorted(
                (tuple(row[i] for i in kept) for row in cursor.fetchall()), key=repr
            )
    return tables


def test_the_analysts_query_about_projects_tells_every_project_of_the_latest_round(
    snapshots: dict[bool, Path],
) -> None:
    [query] = (Path(__file__).parents[2] / "docs" / "sql").glob("*-extra-questions.sql")
    with duckdb.connect(str(snapshots[True]), read_only=True) as connection:
        connection.execute("use marts.marts")
        rows = connection.execute(query.read_text(encoding="utf-8")).fetchall()
    assert {(row[2], row[4]) for row in rows if row[1] == "project"} == {
        ("ronden", BUS), ("ronden", CALM), ("navet", WORTH),
    }  # fmt: skip
