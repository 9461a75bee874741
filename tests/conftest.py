"""What several tests need: a warehouse built from a landing zone, as a steward would build it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Declares `long`: the full numbers of what a sample shows, run only by `-m long`."""
    config.addinivalue_line("markers", "long: minutes, not seconds; run by `pytest -m long`")
    if not config.option.markexpr:
        config.option.markexpr = "not long"


@pytest.fixture(scope="session")
def build_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Runs `nns run` on a landing zone in a home of its own; gives the path of marts.duckdb."""

    def build(raw: Path) -> Path:
        home = tmp_path_factory.mktemp("home")
        run = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", "run", "--raw", str(raw), "--home", str(home)],
            cwd=PROJECT,
            env={**os.environ, "DAGSTER_HOME": str(home / "dagster")},
            capture_output=True,
            text=True,
        )
        assert run.returncode in (0, 1), run.stderr + run.stdout
        return home / "marts.duckdb"

    return build


@pytest.fixture(scope="session")
def sample_snapshot(build_snapshot: Callable[[Path], Path]) -> Path:
    """The snapshot of the checked-in sample."""
    return build_snapshot(PROJECT / "raw")
