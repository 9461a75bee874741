"""The project's marts of the hand round against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from comparison import mart
from hand_round import by_hand
from hand_round.build import build


@pytest.fixture(scope="module")
def snapshot(
    build_snapshot: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return build_snapshot(build(tmp_path_factory.mktemp("hand") / "raw"))


@pytest.mark.parametrize("name", by_hand.N_ROWS)
def test_the_mart_equals_the_figures_worked_out_by_hand(name: str, snapshot: Path) -> None:
    by_hand.check(name, mart(snapshot, name))
