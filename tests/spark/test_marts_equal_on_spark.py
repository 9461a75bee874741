"""The same dbt models on Spark, from the same lake, as the analysts' snapshot has them.

Two landing zones: the sample, and ten rounds with a little of everything. Of the sample the
project's data tests are run on Spark too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from engines import differences
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
def snapshot(zone: str, build_snapshot: Callable[[Path], Path], tmp_path_factory) -> Path:
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
