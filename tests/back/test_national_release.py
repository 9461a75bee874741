"""National rounds as they would be released, and the attacker on them.

Belongs here: the real commands on the volumes of the country. Does not: drawn rounds (tests/back).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from attacker import attack
from test_release_withstands_attack import complaints

from pipelines.workbook.sample import write_landing_zone

ROUNDS = (2019, 2022, 2026)


@pytest.mark.long
@pytest.mark.parametrize("round_", ROUNDS)
def test_no_hidden_figure_of_a_national_round_is_computed(round_: int, tmp_path: Path) -> None:
    raw, home = tmp_path / "raw", tmp_path / "home"
    write_landing_zone(raw, rounds=[round_], national=True)
    run = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run", "--round", str(round_)],
        env={**os.environ, "NNS_RAW": str(raw), "NNS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = attack([home / "published" / str(round_) / "1"])
    assert complaints(found) == []
    assert len(found.ranges) > 10_000
