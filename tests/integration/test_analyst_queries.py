"""What analysts are promised: the ready queries run, and docs/analyst.md tells what is there.

Belongs here: docs/sql/*.sql and docs/analyst.md against the snapshot of the sample. Does not: the
numbers of the marts (tests/back).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from keys import primary_keys

DOCS = Path(__file__).parents[2] / "docs"
# The sample has no project of its own; tests/back/test_extra_results_equal_truth.py asks this one.
EMPTY_IN_SAMPLE = "-extra-questions"
QUERIES = sorted((DOCS / "sql").glob("*.sql"))
GUIDE = (DOCS / "analyst.md").read_text(encoding="utf-8")
HEADER = re.compile(r"-- Question: \S.*\?\n-- Fråga: \S.*\?\n")
BOTH_LANGUAGES = re.compile(r"\S.* \| \S.*", re.DOTALL)


@pytest.fixture(scope="module")
def snapshot(sample_snapshot: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(sample_snapshot), read_only=True) as connection:
        connection.execute("use marts.marts")
        yield connection


def rows(snapshot: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return snapshot.execute(sql).fetchall()


def answer(snapshot: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    result = snapshot.execute((DOCS / "sql" / f"{name}.sql").read_text(encoding="utf-8"))
    columns = [column[0] for column in result.description]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def columns_of_tables(snapshot: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    return dict(
        rows(
            snapshot,
            "select table_name, list(column_name) from duckdb_columns() "
            "where schema_name = 'marts' group by table_name",
        )
    )


# --- the ready queries --------------------------------------------------------------------------


def test_there_are_at_least_ten_queries_numbered_without_a_gap() -> None:
    assert len(QUERIES) >= 10
    assert [int(path.name[:2]) for path in QUERIES] == list(range(1, len(QUERIES) + 1))


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_says_what_it_answers_and_is_open_to_every_tool(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert HEADER.match(text)
    assert "marts." not in text, "names are unqualified"
    assert len(duckdb.extract_statements(text)) == 1
    assert "\norder by" in text, "rows come in an order"


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_answers_something(path: Path, snapshot: duckdb.DuckDBPyConnection) -> None:
    assert bool(answer(snapshot, path.stem)) is not path.stem.endswith(EMPTY_IN_SAMPLE)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_the_guide_lists_the_query(path: Path) -> None:
    assert f"`{path.name}`" in GUIDE


def test_the_trend_s_last_point_is_what_was_counted_in_the_workbooks(
    snapshot: duckdb.DuckDBPyConnection,
) -> None:
    """256 rows in the sheets `Deltagare avslut` of raw/2026, 248 with an answer, 169 positive."""
    trend = [row for row in answer(snapshot, "01-national-trend") if row["gender"] == "T"]
    assert [row["round"] for row in trend] == [2019, 2020, 2021, 2022, 2024, 2025, 2026]
    last = trend[-1]
    assert last["n"] == 248
    assert last["share"] == pytest.approx(100 * 169 / 248, abs=1e-9)
    assert last["ci_low"] == pytest.approx(62.10746897951681, abs=1e-9)
    assert last["ci_high"] == pytest.approx(73.62929985901701, abs=1e-9)


def test_the_one_break_since_2019_is_the_rewording_of_2021(
    snapshot: duckdb.DuckDBPyConnection,
) -> None:
    breaks = [
        (row["questionnaire_id"], row["measure_id"], row["previous_round"], row["round"])
        for row in answer(snapshot, "10-breaks")
    ]
    assert breaks == [
        ("participant_ending", "4a", 2020, 2021),
        ("participant_ongoing", "4a", 2020, 2021),
    ]


def test_women_and_men_differ_by_the_test_that_changes_use(
    snapshot: duckdb.DuckDBPyConnection,
) -> None:
    """By hand: 110 of 142 against 65 of 101 is z = 2.24; 87 of 141 against 49 of 100 is 1.9594."""
    found = {
        row["measure_id"]: row
        for row in answer(snapshot, "02-women-and-men")
        if row["questionnaire_id"] == "participant_ending"
    }
    assert (found["5a"]["n_women"], found["5a"]["n_men"]) == (142, 101)
    assert found["5a"]["difference"] == pytest.approx(100 * (110 / 142 - 65 / 101), abs=1e-9)
    assert found["5a"]["significant"] is True
    assert (found["9a"]["n_women"], found["9a"]["n_men"]) == (141, 100)
    assert found["9a"]["significant"] is False


# --- the guide ----------------------------------------------------------------------------------


def section(table: str) -> str:
    """The guide's section on a fact table."""
    found = re.search(rf"^### {table}\b.*?(?=^##|\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    return found.group() if found else ""


def named(table: str, label: str) -> list[str]:
    """The columns in a section's paragraph that opens with the label."""
    found = re.search(rf"^{label}: (.*?)(?=\n\n|\Z)", section(table), re.MULTILINE | re.DOTALL)
    return re.findall(r"`(\w+)`", found.group(1)) if found else []


FACTS = re.findall(
    r"^### (\w+)", GUIDE[GUIDE.index("\n## Facts") : GUIDE.index("\n## Dimensions")], re.MULTILINE
)
EXAMPLES = [
    (language, code)
    for page in (DOCS / "analyst.md", DOCS.parent / "README.md")
    for language, code in re.findall(
        r"^```(python|sql)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
]


def test_every_table_of_the_snapshot_is_in_the_guide(snapshot: duckdb.DuckDBPyConnection) -> None:
    dimensions = set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE))
    assert set(columns_of_tables(snapshot)) == dimensions | set(FACTS)


@pytest.mark.parametrize("table", FACTS)
def test_the_guide_names_the_key_and_every_column_of_a_fact(
    table: str, snapshot: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The promise: a column that is renamed or taken away fails here."""
    assert sorted(named(table, "Key")) == primary_keys(tmp_path)[table]
    assert {*named(table, "Key"), *named(table, "Columns")} == set(
        columns_of_tables(snapshot)[table]
    )


def test_every_table_and_column_has_a_comment_in_both_languages(
    snapshot: duckdb.DuckDBPyConnection,
) -> None:
    commented = rows(
        snapshot,
        "select table_name, comment from duckdb_tables() union all "
        "select table_name || '.' || column_name, comment from duckdb_columns() "
        "where schema_name = 'marts'",
    )
    assert len(commented) > 100
    assert [name for name, text in commented if not BOTH_LANGUAGES.fullmatch(text or "")] == []


@pytest.mark.parametrize(("language", "code"), EXAMPLES)
def test_an_example_of_the_docs_works_as_written(
    language: str,
    code: str,
    snapshot: duckdb.DuckDBPyConnection,
    sample_snapshot: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "docs").symlink_to(DOCS)
    (tmp_path / ".nns").symlink_to(sample_snapshot.parent)
    monkeypatch.chdir(tmp_path)
    if language == "python":
        exec(code, {})
    else:
        for statement in duckdb.extract_statements(code):
            assert snapshot.execute(statement).fetchall()
