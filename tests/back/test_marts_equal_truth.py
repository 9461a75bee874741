"""Every number of every mart against the independent computation, of two landing zones.

One is the sample. The other holds what offices send beside the template: an old layout, labels for
codes, columns in another order, a sheet taken out, a file sent twice; columns of categories;
answers from the web, of associations with and without a workbook; a register study and targets on
every level. Two organisations there are no associations, of which one is in the nation.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import reliability_truth
import truth
from comparison import differences, mart, rows_of
from openpyxl.worksheet.worksheet import Worksheet

from pipelines import instrument, lake, register, roster
from pipelines.settings import Settings

RAW = Path(__file__).parents[2] / "raw"
ROUNDS = ("2024", "2025")
KEYS = truth.KEYS | reliability_truth.KEYS
SPELLINGS: tuple[Callable[[str, str], str], ...] = (
    lambda code, label: code,
    lambda code, label: label.upper(),
    lambda code, label: f"\u00a0{label} ",
    lambda code, label: f"{code} {label.lower()}",
)
# Cohorts with questionnaires and without; with a total, with women and men only, with neither.
STUDY = """\
level;unit_id;cohort;months_after;kon;n;n_sustained;source
nation;0000;2022;12;T;400;220;SCB
nation;0000;2022;12;Kvinna;210;130;SCB
nation;0000;2022;12;Man;180;88;SCB
nation;0000;2023;24;T;350;200;SCB
nation;0000;2024;12;K;200;140;SCB
nation;0000;2024;12;M;190;100;SCB
nation;0000;2024;12;A;4;1;SCB
nation;0000;2024;24;T;300;200;SCB
nation;0000;2025;12;T;0;0;SCB
association;testskogen;2022;12;T;40;30;SCB
association;testskogen;2022;12;K;25;22;SCB
association;testskogen;2024;12;K;20;8;SCB
association;testskogen;2024;12;M;15;5;SCB
association;testskogen;2025;24;;12;6;SCB
association;fantasiviken;2024;12;T;30;15;SCB
association;sagoasen;2024;12;T;9;9;SCB
association;sagoasen;2024;12;M;9;9;SCB
"""
# Each level has a common target, and some units their own.
TARGETS = """\
11b,,nation,,2022,,50
7a,,nation,,2024,,99
11b,,association,,2022,,60
,11,nation,0000,2022,2023,55
,11,association,sagoasen,2022,,65
2a,,nation,,2024,,60
2a,,county,,2024,,50
2a,,association,,2024,,95
2a,,activity,,2024,,30
2a,,activity,testskogen/A1,2025,,10
2a,,activity_group,,2024,,40
2a,,activity_group,kort,2024,2024,99.5
,2,nation,,2024,,20
,2,county,,2024,,45
,2,association,,2024,,30
,2,activity,,2024,,99
,2,activity_group,,2024,,60
positive_rate,,nation,,2018,,30
"""


GROUPS = {
    "testskogen": {"kategori_målgrupp": ["Unga  vuxna", "åter i arbete"], "kategori": ["i fas 2"]},
    "skissmarken": {" Kategori_Målgrupp": ["unga vuxna", None, "Åter i arbete", "x" * 41, "unga"]},
    "pahittsslatten": {"kategori_målgrupp": ["Unga vuxna"] * 5},
    "sagoasen": {"Kategori": [2, "\u00a0"], "kategori_insats_kod": ["I fas 2", "2"]},
}


def _odd_zone(raw: Path) -> Path:
    """A landing zone of two rounds whose workbooks are as unlike the template as they may be."""
    for folder in ("register", *ROUNDS):
        shutil.copytree(RAW / folder, raw / folder)
    _register_organisations(raw / "register")
    for round_ in ROUNDS:
        for association, columns in GROUPS.items():
            _add_columns(raw / round_ / f"{association}_{round_}.xlsx", columns)
    _send_in_an_old_layout(RAW / "2019/fantasiviken_2019.xlsx", raw / "2024/fantasiviken_2024.xlsx")
    _send_twice(raw / "2024/testskogen_2024.xlsx", "före rättning.xlsx")
    _write_by_hand(raw / "2025/sagoasen_2025.xlsx")
    (raw / "2025/fantasiviken_2025.xlsx").unlink()
    ending = raw / "2025/web/avslut.csv"
    _answer_on_the_web(
        ending, "testskogen", "participant_ending", ["A1", "a1", "Finns_u0020_ej", ""]
    )
    _answer_on_the_web(ending.with_name("i våras.csv"), "testskogen", "participant_ending", ["A1"])
    os.utime(ending.with_name("i våras.csv"), (0, 0))
    _answer_on_the_web(ending.with_name("personal.csv"), "testskogen", "staff", ["A2", "A1"])
    _answer_on_the_web(ending.with_name("bara på webben.csv"), "fantasiviken", "board", [""])
    _answer_on_the_web(ending.with_name("fel.csv"), "finns-inte", "staff", ["A1"])
    (raw / "indicator_11").mkdir()
    (raw / "indicator_11" / "studie.csv").write_text(STUDY, encoding="utf-8-sig")
    with (raw / "register" / "targets.csv").open("a", encoding="utf-8") as targets:
        targets.write(TARGETS)
    return raw


def _register_organisations(folder: Path) -> None:
    """Skissmarken is a region in the nation, Påhittsslätten a municipality that is not."""
    path = folder / "associations.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table["kind"] = table["association_id"].map(
        {"skissmarken": "region", "pahittsslatten": "kommun"}
    )
    table["in_nation"] = table["association_id"].map({"skissmarken": "TRUE", "testskogen": "true"})
    table.to_csv(path, index=False)
    path = folder / "memberships.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    shared = table.loc[table["association_id"] == "testskogen", "municipality_code"].iloc[0]
    table.loc[len(table)] = ["pahittsslatten", shared, "2024", ""]
    table.to_csv(path, index=False)


def _add_columns(path: Path, columns: dict[str, list[Any]]) -> None:
    """Columns on the activities sheet, beside those it has."""
    book = openpyxl.load_workbook(path)
    page = book["Insatser"]
    for header, values in columns.items():
        column = page.max_column + 1
        for row, value in enumerate([header, *values], start=1):
            page.cell(row, column, value)
    book.save(path)


def _send_in_an_old_layout(old: Path, new: Path) -> None:
    """The workbook of an earlier round, with a questionnaire and questions that are no more."""
    book = openpyxl.load_workbook(old)
    assert "Förbundschef" in book.sheetnames
    for key, value in book["Läs mig"].iter_rows(max_col=2):
        if key.value == "Mätomgång":
            value.value = int(new.parent.name)
    book.save(new)


def _send_twice(path: Path, earlier: str) -> None:
    """An earlier delivery of the same association that had fewer questionnaires."""
    book = openpyxl.load_workbook(path)
    book["Deltagare avslut"].delete_rows(4, 2)
    book.save(path.with_name(earlier))
    os.utime(path.with_name(earlier), (0, 0))


def _write_by_hand(path: Path) -> None:
    """Labels in place of codes, blanks that only look empty, columns turned round, no staff."""
    chance = random.Random(2025)
    seeds = {name: truth.csv_rows(truth.SEEDS / f"{name}.csv") for name in ("questions", "scales")}
    labels = {(o["scale_id"], int(o["code"])): o["label_sv"] for o in seeds["scales"]}
    scale_of = {q["question_id"]: q["scale_id"] for q in seeds["questions"]}

    def by_hand(field: str, cell: Any) -> Any:
        if not truth.text(cell):
            return chance.choice((None, "\u00a0", "   "))
        code = truth.understood_answers({field: cell}, seeds).get(field)
        if code is None:
            return cell
        return chance.choice(SPELLINGS)(str(code), labels[scale_of[field], code])

    book = openpyxl.load_workbook(path)
    del book["Personal"]
    for sheet in book.worksheets[2:]:
        _rewrite(sheet, by_hand)
    book.save(path)


def _rewrite(sheet: Worksheet, by_hand: Callable[[str, Any], Any]) -> None:
    header, *rows = sheet.iter_rows(values_only=True)
    columns = [0, *range(len(header) - 1, 0, -1)]
    for number, row in enumerate([header, *rows], start=1):
        is_data = number > 1 and str(row[0]).isdecimal()
        for position, column in enumerate(columns, start=1):
            cell = by_hand(str(header[column]), row[column]) if is_data else row[column]
            sheet.cell(number, position).value = cell


def _answer_on_the_web(path: Path, association: str, questionnaire: str, codes: list[str]) -> None:
    """An export with groups before the names and one submission twice."""
    chance = random.Random(path.name)
    questions = [
        q
        for q in truth.csv_rows(truth.SEEDS / "questions.csv")
        if q["questionnaire_id"] == questionnaire and truth.covers(q, 2025)
    ]
    scales = truth.csv_rows(truth.SEEDS / "scales.csv")
    rows = []
    for number in range(12):
        row = {"round": "2025", "association_id": association, "questionnaire_id": questionnaire}
        row |= {"svarsdatum": "2025-10-01", "om/insats_kod": codes[number % len(codes)]}
        row["om/kon"] = chance.choice(["K", "M", "Kvinna", "man", "A", ""])
        for q in questions:
            options = [s for s in scales if s["scale_id"] == q["scale_id"]]
            option = chance.choice(options)
            row[f"frågor/{q['question_id']}"] = chance.choice(
                [option["code"], option["label_sv"], ""]
            )
        row["meta/instanceID"] = f"uuid:00000000-0000-4000-8000-{number:012}"
        rows.append(row)
    path.parent.mkdir(exist_ok=True)
    table = pd.DataFrame([*rows, rows[3]])
    table.to_csv(path, sep=";", index=False, encoding="utf-8-sig", lineterminator="\r\n")


@pytest.fixture(scope="module", params=["sample", "odd"])
def zone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return RAW if request.param == "sample" else _odd_zone(tmp_path_factory.mktemp("odd") / "raw")


@pytest.fixture(scope="module")
def snapshot(zone: Path, sample_snapshot: Path, build_snapshot: Callable[[Path], Path]) -> Path:
    return sample_snapshot if zone == RAW else build_snapshot(zone)


@pytest.fixture(scope="module")
def expected(zone: Path) -> dict[str, pd.DataFrame]:
    return truth.compute(zone) | reliability_truth.compute(zone)


def test_the_odd_zone_has_what_the_sample_has_not(zone: Path, snapshot: Path) -> None:
    """Otherwise the comparison of it would show nothing of groups and organisations."""
    if zone == RAW:
        return
    groups = {row["group_id"] for row in mart(snapshot, "activity_groups")}
    assert groups > {"kort", "lång", "individ", "struktur", "målgrupp=unga vuxna", "kategori=2"}
    shared = [r for r in mart(snapshot, "activity_comparisons") if r["n_activities"] > 1]
    assert {r["unit_id"].split("/")[0] for r in shared if "=" in r["group_id"]} >= {
        "testskogen",
        "skissmarken",
    }
    own = [r for r in mart(snapshot, "measure_results") if r["unit_id"] == "pahittsslatten"]
    assert sum(r["n"] for r in own) > 0


@pytest.mark.parametrize("name", KEYS)
def test_every_number_of_the_mart_equals_the_truth(
    name: str, snapshot: Path, expected: dict[str, pd.DataFrame]
) -> None:
    rows = rows_of(expected[name])
    assert rows, f"the landing zone has nothing for {name}: the comparison would be empty"
    faults = differences(mart(snapshot, name), rows, KEYS[name])
    if faults:
        pytest.fail(f"{name}: {faults}", pytrace=False)


@pytest.mark.parametrize("zone", ["odd"], indirect=True)
@pytest.mark.parametrize("name", ["measure_results", "indicator_results", "national_results"])
def test_targets_are_reached_missed_and_undecided(
    name: str, expected: dict[str, pd.DataFrame]
) -> None:
    """Else the comparison would prove little."""
    assert set(expected[name]["reached"]) == {"reached", "not_reached", "unclear", None}


def test_the_roster_that_status_tells_is_that_of_the_mart(zone: Path, snapshot: Path) -> None:
    manifest = lake.read_manifest(Settings(zone, snapshot.parent))
    known, registered = instrument.load(), register.read(zone)
    told = [
        {
            "round": round_,
            "association_id": e.association_id,
            "kind": e.kind,
            "is_expected": e.is_expected,
            "merged_from": ",".join(e.merged_from),
            "state": e.state,
            "received": e.telling.received.replace(tzinfo=None) if e.telling else None,
            "days_late": e.days_late,
            "n_deliveries": len(e.deliveries),
        }
        for round_ in sorted({d.round for d in manifest.deliveries})
        for e in roster.of_round(manifest, known, registered, round_)
    ]
    assert differences(mart(snapshot, "roster"), told, truth.KEYS["roster"]) == ""
