"""DuckDB is opened in one place, and takes nothing from outside there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import yaml

from pipelines import database
from pipelines.settings import DBT_PROJECT

PIPELINES = Path(__file__).parents[2] / "pipelines"
OPENS = {"connect", "default_connection", "DuckDBPyConnection"}
ASKS = {"sql", "query", "execute", "from_parquet", "read_parquet", "read_csv", "from_csv_auto"}


def opened(source: str) -> Iterator[int]:
    """The lines of a module that open DuckDB, or ask duckdb's own connection for something."""
    tree = ast.parse(source)
    names = {"duckdb"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname for a in node.names if a.name == "duckdb" and a.asname}
        elif isinstance(node, ast.ImportFrom) and node.module == "duckdb":
            yield from (node.lineno for a in node.names if a.name in OPENS | ASKS)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=attr)):
                if module in names and attr in OPENS | ASKS:
                    yield node.lineno


def test_duckdb_is_opened_in_one_place() -> None:
    modules = {p.relative_to(PIPELINES).as_posix(): p for p in PIPELINES.rglob("*.py")}
    found = {name: list(opened(path.read_text("utf-8"))) for name, path in modules.items()}
    assert [name for name, lines in found.items() if lines] == ["database.py"]
    assert len(found["database.py"]) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import duckdb\nduckdb.connect('x')",
        "def f():\n    import duckdb as d\n    d.sql('from x')",
        "from duckdb import connect",
    ],
)
def test_another_way_to_open_it_is_noticed(source: str) -> None:
    assert list(opened(source))
    assert not list(opened(source.replace("connect", "Error").replace("sql", "Error")))


@pytest.fixture(params=["memory", "file", "read-only"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> duckdb.DuckDBPyConnection:
    path = None if request.param == "memory" else tmp_path / "x.duckdb"
    if request.param == "read-only":
        database.connect(path).close()
    return database.connect(path, read_only=request.param == "read-only")


def test_no_variable_is_read_as_a_table(connection: duckdb.DuckDBPyConnection) -> None:
    secret = pa.table({"x": [1]})
    assert duckdb.connect().execute("from secret").fetchall() == [(1,)]  # what is switched off
    with pytest.raises(duckdb.CatalogException, match="secret does not exist"):
        connection.execute("from secret")
    del secret


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("install httpfs", '"/dev/null"'),
        ("force install httpfs", '"/dev/null"'),
        ("install httpfs from community", '"/dev/null"'),
        ("install 'https://192.0.2.1/x.duckdb_extension'", '"/dev/null"'),
        ("load httpfs", "not found"),
        ("from read_parquet('https://192.0.2.1/x.parquet')", "httpfs extension"),
        ("from 'https://192.0.2.1/x.csv'", "httpfs extension"),
        ("from read_csv('s3://nns.invalid/x.csv')", "httpfs extension"),
        ("attach 'https://192.0.2.1/x.duckdb' as far", "httpfs extension"),
    ],
)
def test_nothing_is_fetched(
    connection: duckdb.DuckDBPyConnection, statement: str, why: str
) -> None:
    with pytest.raises(duckdb.Error, match=why):
        connection.execute(statement)
    connection.execute("set autoinstall_known_extensions = true")
    with pytest.raises(duckdb.Error, match=why):
        connection.execute(statement)


def test_settings_are_those_of_every_connection(connection: duckdb.DuckDBPyConnection) -> None:
    names = ", ".join(f"'{name}'" for name in database.SETTINGS)
    told = connection.execute(
        f"select name, value from duckdb_settings() where name in ({names})"
    ).fetchall()
    assert dict(told) == database.SETTINGS


def test_dbt_opens_it_as_the_rest_does() -> None:
    profile = yaml.safe_load((DBT_PROJECT / "profiles.yml").read_text("utf-8"))
    told = profile["nns"]["outputs"]["duckdb"]["settings"]
    assert {name: str(told[name]).lower() for name in database.SETTINGS} == database.SETTINGS
