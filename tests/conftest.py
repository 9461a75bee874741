"""What several tests need: a warehouse built from a landing zone, as a steward would build it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import frozen
import pytest

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def build_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Runs `nns run`, which publishes nothing, in a home of its own; gives marts.duckdb's path."""

    def build(raw: Path) -> Path:
        home = tmp_path_factory.mktemp("home")
        run = subprocess.run(
            frozen.nns(frozen.NOTHING_IS_DUE, "run", "--raw", str(raw), "--home", str(home)),
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
