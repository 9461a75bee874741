"""The same dbt models on Spark, from the same lake, as the analysts' snapshot has them.

Two landing zones: the sample, and ten rounds with a little of everything. Of the sample the
project's data tests are run on Spark too, and a snapshot is made of Spark's tables.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from engines import differences
from keys import primary_keys
from zones import write_decade

PROJECT = Path(__file__).parents[2]
DBT = PROJECT / "dbt_project"
SPARK_DBT = PROJECT / ".venv-spark/bin/dbt"
NOT_BUILT = {"sample": ["unit_test"], "decade": ["unit_test", "test"]}

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(not SPARK_DBT.exists(), reason="`make test-spark` installs Spark"),
    pytest.mark.skipif(not shutil.which("java"), reason="NO JAVA: Spark is not compared"),
]


@pytest.fixture(scope="module", params=list(NOT_BUILT))
def zone(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def snapshot(
    zone: str, build_snapshot: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    if zone == "sample":
        return build_snapshot(PROJECT / "raw")
    return build_snapshot(write_decade(tmp_path_factory.mktemp("decade") / "raw"))


@pytest.fixture(scope="module")
def spark_marts(zone: str, snapshot: Path) -> Path:
    """The folder of the tables that Spark builds from the lake beside a snapshot."""
    home = snapshot.parent
    folders = {
        "--project-dir": DBT,
        "--profiles-dir": DBT,
        "--target-path": home / "spark-target",
        "--log-path": home / "logs",
    }
    command = [SPARK_DBT, "build", "--target", "spark"]
    command += [part for option in folders.items() for part in option]
    command += [part for kind in NOT_BUILT[zone] for part in ("--exclude-resource-type", kind)]
    run = subprocess.run(
        list(map(str, command)),
        cwd=home,
        env={**os.environ, "SPARK_CONF_DIR": str(Path(__file__).parent / "conf")},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    return home / "work/spark/marts.db"


def test_every_row_of_every_mart_is_the_same_on_spark(snapshot: Path, spark_marts: Path) -> None:
    faults = differences(snapshot, spark_marts)
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


@pytest.mark.parametrize("zone", ["decade"], indirect=True)
def test_the_decade_has_rows_for_every_mart(snapshot: Path) -> None:
    """Else that they are equal would say little."""
    with duckdb.connect(str(snapshot), read_only=True) as con:
        empty = [
            name
            for name in primary_keys(snapshot.parent)
            if con.execute(f"select count(*) from marts.marts.{name}").fetchone() == (0,)
        ]
    assert empty == []


@pytest.mark.parametrize("zone", ["sample"], indirect=True)
def test_the_snapshot_made_of_sparks_tables_as_the_documentation_says_is_the_same(
    snapshot: Path, spark_marts: Path, tmp_path: Path
) -> None:
    documented = (PROJECT / "docs/scaling.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", documented, re.DOTALL)
    assert code
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    (home / "lake").symlink_to(snapshot.parent / "lake")
    (tmp_path / "spark_marts").symlink_to(spark_marts)
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code[1])],
        cwd=tmp_path,
        env={**os.environ, "NNS_HOME": str(home), "PYTHONPATH": str(PROJECT)},
        check=True,
    )
    assert differences(home / "marts.duckdb", spark_marts) == []
    assert keys_of(home / "marts.duckdb") == keys_of(snapshot)


def keys_of(snapshot: Path) -> list[tuple[str, list[str]]]:
    """The primary keys that are constraints."""
    with duckdb.connect(str(snapshot), read_only=True) as con:
        return con.execute(
            "select table_name, constraint_column_names from duckdb_constraints() "
            "where constraint_type = 'PRIMARY KEY' order by table_name"
        ).fetchall()
