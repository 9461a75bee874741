"""The comparison of engines finds what differs: else that they are equal would say nothing."""

from pathlib import Path

import duckdb
import pytest
from engines import differences, of_table

RIGHT = "(1, 'a', 10, 0.5), (2, 'å', null, null)"
WRONG = {
    "a count": "(1, 'a', 11, 0.5), (2, 'å', null, null)",
    "a null for a count": "(1, 'a', null, 0.5), (2, 'å', null, null)",
    "a null for a share": "(1, 'a', 10, null), (2, 'å', null, null)",
    "a share for null": "(1, 'a', 10, 0.5), (2, 'å', null, 0.0)",
    "a share by more than 1e-9": "(1, 'a', 10, 0.500000002), (2, 'å', null, null)",
    "a text": "(1, 'a', 10, 0.5), (2, 'a', null, null)",
    "a row too few": "(1, 'a', 10, 0.5)",
    "a row too many": "(1, 'a', 10, 0.5), (2, 'å', null, null), (3, 'b', 1, 1.0)",
    "a row twice": "(1, 'a', 10, 0.5), (2, 'å', null, null), (1, 'a', 10, 0.5)",
    "no rows": "(1, 'a', 10, 0.5) limit 0",
}


def _create(con: duckdb.DuckDBPyConnection, table: str, rows: str, types: str = "") -> None:
    types = types or "id integer, name varchar, n bigint, share double"
    con.execute(f"create table {table} ({types})")
    con.execute(f"insert into {table} from (values {rows})")


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize("key", [["id"], []])
def test_a_planted_difference_is_found(fault: str, key: list[str]) -> None:
    with duckdb.connect() as con:
        _create(con, "one", RIGHT)
        _create(con, "other", WRONG[fault])
        assert list(of_table(con, "one", "other", key))


def test_equal_tables_differ_in_nothing_whatever_the_order_of_their_rows() -> None:
    with duckdb.connect() as con:
        _create(con, "one", RIGHT)
        _create(con, "other", "(2, 'å', null, null), (1, 'a', 10, 0.5000000001)")
        assert list(of_table(con, "one", "other", ["id"])) == []


@pytest.mark.parametrize(
    "types",
    [
        "id bigint, name varchar, n bigint, share double",
        "id integer, s varchar, n bigint, share double",
    ],
)
def test_other_types_and_names_of_columns_are_found(types: str) -> None:
    with duckdb.connect() as con:
        _create(con, "one", RIGHT)
        _create(con, "other", RIGHT, types)
        assert "columns" in next(of_table(con, "one", "other", ["id"]))


def test_a_table_of_one_engine_only_is_found(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as con:
        con.execute("create schema if not exists marts.marts")
        for name in ("both", "duckdb_only"):
            con.execute(f"create table marts.marts.{name} as select 1 as id")
    for name in ("both", "spark_only"):
        folder = tmp_path / "spark" / name
        folder.mkdir(parents=True)
        duckdb.execute(f"copy (select 1 as id) to '{folder}/part.parquet'")
    assert differences(tmp_path / "marts.duckdb", tmp_path / "spark") == [
        "duckdb_only: of one engine only",
        "spark_only: of one engine only",
    ]
