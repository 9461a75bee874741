"""dbt's own unit tests, run by dbt on an empty lake.

Belongs here: that they run and pass, and that an empty landing zone builds. Does not: what they
say; they stand beside the models.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from pipelines import instrument, loading, register
from pipelines.settings import DBT_PROJECT, Settings

FACTS = (
    "measure_results",
    "indicator_results",
    "key_figures",
    "national_results",
    "response_rates",
    "reliability",
    "item_quality",
    "submissions",
    "roster",
    "activity_groups",
    "activity_comparisons",
    "extra_results",
    "outcomes",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A landing zone without anything, loaded."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(raw=home / "raw", home=home)
    loading.load(settings, (), instrument.load(), register.read(settings.raw))
    settings.working_database.parent.mkdir(parents=True)
    return settings


@pytest.fixture(scope="module")
def built(settings: Settings) -> Any:
    """The result of a whole `dbt build`, unit tests included."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    folders = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(settings.home)
        patch.setenv("DBT_TARGET_PATH", str(settings.home / "target"))
        patch.setenv("DBT_LOG_PATH", str(settings.home / "logs"))
        result = dbtRunner().invoke(["--quiet", "build", *folders])
    DuckDBConnectionManager.close_all_connections()
    assert result.exception is None, result.exception
    return result.result


def test_every_unit_test_passes(built: Any) -> None:
    statuses = {r.node.name: r.status for r in built if r.node.resource_type == "unit_test"}
    assert {name: status for name, status in statuses.items() if status != "pass"} == {}
    assert len(statuses) > 12


def test_an_empty_landing_zone_builds_without_any_figure(built: Any, settings: Settings) -> None:
    done = [r for r in built if r.node.resource_type != "exposure"]  # there is nothing to build
    assert {r.node.name for r in done if r.status not in ("success", "pass")} == set()
    with duckdb.connect(str(settings.working_database), read_only=True) as connection:
        rows = {
            fact: connection.execute(f"select count(*) from marts.{fact}").fetchone()[0]
            for fact in FACTS
        }
    assert rows == dict.fromkeys(FACTS, 0)
