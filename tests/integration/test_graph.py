"""The Dagster graph as a checked-in text: assets, checks and jobs, so that a change is seen."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
GRAPH = HERE.parent / "data" / "graph.txt"

DRAW = """
from pipelines.definitions import defs
graph = defs.resolve_asset_graph()
for key in sorted(graph.get_all_asset_keys()):
    node = graph.get(key)
    if node.is_materializable:
        parts = "by round" if node.partitions_def else "whole"
        print("asset", key.to_user_string(), f"[{node.group_name}, {parts}]",
              "<-", ", ".join(sorted(k.to_user_string() for k in node.parent_keys)))
for key in sorted(graph.asset_check_keys):
    print("check", key.asset_key.to_user_string(), key.name)
for job in sorted(j.name for j in defs.resolve_all_job_defs()):
    if not job.startswith("__"):
        print("job", job)
repository = defs.get_repository_def()
for schedule in sorted(repository.schedule_defs, key=lambda s: s.name):
    print("schedule", schedule.name, f"[{schedule.cron_schedule}, {schedule.execution_timezone}]",
          "->", schedule.job_name)
for sensor in sorted(repository.sensor_defs, key=lambda s: s.name):
    print("sensor", sensor.name, "->", ", ".join(t.job_name for t in sensor.targets) or "tells")
"""


def drawn(home: Path) -> str:
    environment = {**os.environ, "NNS_HOME": str(home), "NNS_RAW": str(home)}
    run = subprocess.run(
        [sys.executable, "-c", DRAW],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


def test_the_graph_is_the_one_that_is_checked_in(tmp_path: Path) -> None:
    found = drawn(tmp_path)
    assert found == GRAPH.read_text(encoding="utf-8"), (
        f"the graph changed; if meant, write the new one to {GRAPH.relative_to(PROJECT)}"
    )


def test_importing_the_definitions_imports_nothing_that_only_a_step_needs(tmp_path: Path) -> None:
    """Twice, since the first time may parse the dbt project."""
    heavy = {"great_expectations", "scipy", "pandas", "numpy", "pyarrow", "duckdb", "highspy"}
    heavy |= {"dbt.cli.main", "openpyxl"}
    code = f"import sys, pipelines.definitions; print(sorted({heavy} & set(sys.modules)))"
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT,
            env={**os.environ, "NNS_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert run.stdout.splitlines()[-1] == "[]"
