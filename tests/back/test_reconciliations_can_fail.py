"""Each reconciliation of the dbt project finds what it is there for, in the sample's own warehouse.

Belongs here: a fault planted in a finished table, and the compiled test that must tell of it. Does
not: what the figures are.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import DBT_PROJECT

COMPILED = DBT_PROJECT / "target" / "compiled" / "nns" / "tests"
OUTCOMES, ITEMS, MEASURES = "marts.outcomes", "intermediate.int_item_sums", "marts.measure_results"
OF_NATION = "level = 'nation' and gender = 'T'"

FAULTS = [
    ("assert_outcomes_reconcile", OUTCOMES, "ended = ended + 1", OF_NATION),
    ("assert_outcomes_reconcile", OUTCOMES, "active_next = active_next + 1", OF_NATION),
    ("assert_outcomes_reconcile", OUTCOMES, "studies = -1, other = other + studies + 1", OF_NATION),
    (
        "assert_outcomes_reconcile",
        OUTCOMES,
        "active = active + 1, active_next = active_next + 1",
        "level = 'county' and gender = 'T'",
    ),
    (
        "assert_outcomes_reconcile",
        OUTCOMES,
        "active = active + 9999, active_next = active_next + 9999",
        "level = 'nation' and gender = 'K'",
    ),
    ("assert_items_reconcile", ITEMS, "n = n + 1", "true"),
    ("assert_items_reconcile", ITEMS, "n_missing = n_missing + 1", "true"),
    ("assert_items_reconcile", ITEMS, "n_complete = n + 1", "true"),
    ("assert_items_reconcile", ITEMS, "n_lowest = n + 1", "true"),
    ("assert_items_reconcile", ITEMS, "n_complete = n_complete - 1", "is_item and n_items = 1"),
    ("assert_levels_reconcile", MEASURES, "n = n + 1", f"{OF_NATION} and question_id = 'staff_1a'"),
    ("assert_levels_reconcile", MEASURES, "n = n + 1", "level = 'activity_group'"),
    ("assert_figures_are_sound", MEASURES, "reached = 'reached'", "distance < -20"),
]

ANSWERS = [
    ("assert_answers_are_sound", "update answers set code = 9 where rowid = 0"),
    ("assert_answers_are_sound", "insert into answers from answers limit 1"),
    ("assert_every_answer_is_counted", "insert into answers from answers where question_no = 1"),
    ("assert_every_answer_is_counted", "update answers set cell_id = cell_id + (1::bigint << 45)"),
]


@pytest.fixture
def warehouse(
    sample_snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the database that the sample's marts were built in."""
    home = sample_snapshot.parent
    shutil.copy(home / "work" / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    monkeypatch.chdir(home)  # the staging views name the lake from there
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        yield connection


@pytest.mark.parametrize(("check", "table", "fault", "where"), FAULTS)
def test_a_planted_fault_is_found(
    warehouse: duckdb.DuckDBPyConnection, check: str, table: str, fault: str, where: str
) -> None:
    query = (COMPILED / f"{check}.sql").read_text(encoding="utf-8")
    assert warehouse.execute(query).fetchall() == []
    changed = warehouse.execute(f"update {table} set {fault} where {where}").fetchone()
    assert changed is not None and changed[0] > 0, "nothing was changed: the test would be empty"
    assert warehouse.execute(query).fetchall() != []


@pytest.mark.parametrize(("check", "fault"), ANSWERS)
def test_a_fault_planted_in_the_answers_is_found(
    warehouse: duckdb.DuckDBPyConnection, check: str, fault: str
) -> None:
    compiled = (COMPILED / f"{check}.sql").read_text(encoding="utf-8")
    query = re.sub(r"round in \([-0-9, ]+\)", "true", compiled)  # whichever rounds were built last
    assert warehouse.execute(query).fetchall() == []
    warehouse.execute("create table answers as from staging.stg_answers")
    warehouse.execute("create or replace view staging.stg_answers as from main.answers")
    warehouse.execute(fault)
    assert warehouse.execute(query).fetchall() != []
