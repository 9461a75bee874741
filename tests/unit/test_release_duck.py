"""The DuckDB file of a release: tables, keys, comments; the same bytes in any process."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from content import ROUND, content
from readback import assert_same

from pipelines.release import duck
from pipelines.release.table import SYNTHETIC_EN, SYNTHETIC_SV, Content

FILE = f"open/nns_indikatorer_{ROUND}.duckdb"
TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def made() -> Content:
    return content()


@pytest.fixture(scope="module")
def file(made: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    duck.write(made, folder)
    return folder / FILE


@pytest.fixture
def connection(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(file), read_only=True) as connection:
        yield connection


def test_every_cell_of_every_table_is_read_back_equal(
    made: Content, connection: duckdb.DuckDBPyConnection
) -> None:
    tables = connection.execute("select table_schema, table_name from information_schema.tables")
    assert set(tables.fetchall()) == {("main", name) for name in made.tables}
    for name, table in made.tables.items():
        rows = connection.execute(f"from {name}")
        header = [column[0] for column in rows.description or ()]
        assert_same(table, header, rows.fetchall())


def test_the_key_of_each_table_is_its_primary_key(
    made: Content, connection: duckdb.DuckDBPyConnection
) -> None:
    keys = connection.execute(
        "select table_name, constraint_column_names from duckdb_constraints() "
        "where constraint_type = 'PRIMARY KEY'"
    ).fetchall()
    assert dict(keys) == {name: list(table.key) for name, table in made.tables.items()}


def test_a_repeated_key_is_refused(made: Content, tmp_path: Path) -> None:
    rounds = made["rounds"]
    twice = replace(made, tables={"rounds": replace(rounds, rows=rounds.rows * 2)})
    with pytest.raises(duckdb.ConstraintException):
        duck.write(twice, tmp_path)


def test_comments_tell_what_tables_and_columns_hold(
    made: Content, connection: duckdb.DuckDBPyConnection
) -> None:
    tables = connection.execute("select table_name, comment from duckdb_tables()").fetchall()
    assert dict(tables) == {
        name: f"{table.title_en} {SYNTHETIC_EN} | {table.title_sv} {SYNTHETIC_SV}"
        for name, table in made.tables.items()
    }
    columns = connection.execute(
        "select table_name, column_name, comment from duckdb_columns() where not internal"
    ).fetchall()
    assert set(columns) == {
        (name, column.name, f"{column.text_en} | {column.text_sv}")
        for name, table in made.tables.items()
        for column in table.columns
    }


def test_only_invented_data_is_called_synthetic(tmp_path: Path) -> None:
    duck.write(content(is_synthetic=False), tmp_path)
    with duckdb.connect(str(tmp_path / FILE), read_only=True) as connection:
        comments = connection.execute("select comment from duckdb_tables()").fetchall()
    assert not [comment for (comment,) in comments if "synthetic" in comment]


# Many rows, as of a nation; before writing, the memory is filled with what differs by process.
WRITE = """
import os, sys
from dataclasses import replace
from pathlib import Path
from content import content
from pipelines.release import duck
import duckdb

junk = [os.urandom(200_000) for _ in range(int(sys.argv[2]))]
del junk
duckdb.execute(f"select count(distinct hash(i + {sys.argv[2]})::text) from range(200000) r(i)")
made = content()
table = made["measure_results"]
rows = [(r[0], r[1], f"{r[2]} {i}", *r[3:]) for i in range(800) for r in table.rows]
many = replace(table, rows=tuple(rows))
duck.write(replace(made, tables={**made.tables, table.name: many}), Path(sys.argv[1]))
"""


def test_the_same_tables_give_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    hashes = set()
    for n, zone in enumerate(["UTC", "Asia/Tokyo"]):
        folder = tmp_path / str(n)
        environment = {
            **os.environ,
            "TZ": zone,
            "PYTHONHASHSEED": str(n),
            "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]),
        }
        arguments = [sys.executable, "-c", WRITE, str(folder), str(70 * n)]
        subprocess.run(arguments, env=environment, check=True)
        hashes.add(hashlib.sha256((folder / FILE).read_bytes()).hexdigest())
    assert len(hashes) == 1
