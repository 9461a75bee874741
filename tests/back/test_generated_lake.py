"""The lake that benchmarks generate is one like any other: it builds, and its mart is right.

The truth is counted answer by answer, from numbers taken apart by division.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from truth import covers, csv_rows

from benchmarks import lakes
from pipelines import warehouse
from pipelines.settings import SEEDS, Settings

SHAPE = lakes.Shape(20_000, rounds=(2020, 2021), associations=4, activities=2, seed=3)
NATION = "0000"
SELECTION = ("--select", "+measure_results", "--indirect-selection", "buildable")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return lakes.write(tmp_path_factory.mktemp("home"), SHAPE)


def rows(lake: Settings, table: str) -> list[dict]:
    """The rows of a table's files, in the order of their paths."""
    paths = sorted(lake.lake.glob(f"{table}/round=2*/*.parquet"))
    return [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]


def given(lake: Settings) -> Iterator[tuple[dict, dict, int, int]]:
    """Each answer: its bundle, its question, the code of the base and its own."""
    bundles = {b["bundle_id"]: b for b in rows(lake, "bundles")}
    questions = {int(q["question_no"]): q for q in csv_rows(SEEDS / "questions.csv")}
    for answer in rows(lake, "answers"):
        rest, code = divmod(answer["cell_id"], 256)
        rest, base_code = divmod(rest, 256)
        bundle_id, question_no = divmod(rest, 512)
        yield bundles[bundle_id], questions[question_no], base_code, code


def counted(lake: Settings) -> dict[tuple, list[int]]:
    """n and n_positive by round, level, unit, question and gender."""
    deliveries = {d.sha256: d for d in SHAPE.deliveries}
    answers = {
        (s["scale_id"], int(s["code"]))
        for s in csv_rows(SEEDS / "scales.csv")
        if s["is_answer"] == "true"
    }
    positive_from = {
        q["question_id"]: int(q["positive_min_code"]) for q in csv_rows(SEEDS / "questions.csv")
    }
    counts: dict[tuple, list[int]] = {}
    for bundle, question, base_code, code in given(lake):
        delivery = deliveries[bundle["sha256"]]
        assert covers(question, delivery.round)
        base = question["base_question_id"]
        if (question["scale_id"], code) not in answers or base and base_code < positive_from[base]:
            continue
        association = SHAPE.register.associations[delivery.association_id]
        units = {
            ("nation", NATION),
            ("county", f"00{association.county_code}"),
            ("association", association.association_id),
        }
        if bundle["insats_kod"]:
            (activity,) = (
                a for a in delivery.activities if a["insats_kod"] == bundle["insats_kod"]
            )
            units |= {
                ("activity", f"{association.association_id}/{bundle['insats_kod']}"),
                ("activity_group", activity["langd"]),
            }
        for unit in units:
            for gender in {"T", bundle["kon"]} & {"T", "K", "M"}:
                key = (delivery.round, *unit, question["question_id"], gender)
                n = counts.setdefault(key, [0, 0])
                n[0] += 1
                n[1] += code >= positive_from[question["question_id"]]
    return counts


def test_the_mart_of_a_generated_lake_is_its_answers_counted_one_by_one(lake: Settings) -> None:
    warehouse.build(lake, SELECTION)
    with duckdb.connect(str(lake.working_database), read_only=True) as connection:
        figures = connection.execute(
            "select round, level, unit_id, question_id, gender, n, n_positive "
            "from marts.measure_results where n > 0"
        ).fetchall()
    assert {tuple(row[:5]): list(row[5:]) for row in figures} == counted(lake)


def test_a_lake_holds_what_was_asked_for(lake: Settings) -> None:
    answers = list(given(lake))
    assert abs(len(answers) / SHAPE.answers - 1) < 0.05
    assert {bundle["kon"] for bundle, *_ in answers} == {"K", "M", "A", None}
    assert {base for _, question, base, _ in answers if question["base_question_id"]} == {1, 2}
    assert any(
        question["scale_id"].endswith("_dk") and code == 7 for _, question, _, code in answers
    )
    n_returned = sum(b["n_returned"] for b in rows(lake, "bundles"))
    assert len(rows(lake, "responses")) == n_returned


def test_the_same_shape_is_the_same_lake_to_the_byte(lake: Settings, tmp_path: Path) -> None:
    again = lakes.write(tmp_path, SHAPE)
    paths = [p.relative_to(lake.lake) for p in sorted(lake.lake.rglob("*.parquet"))]
    assert len(paths) > 3 * len(SHAPE.deliveries)
    assert all((lake.lake / p).read_bytes() == (again.lake / p).read_bytes() for p in paths)
