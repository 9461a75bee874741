"""The independent computation against figures worked out by hand: no pipeline takes part."""

from __future__ import annotations

import pandas as pd
import pytest
import truth
from comparison import differences, equal, rows_of
from hand_round import by_hand
from hand_round.build import build


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return truth.compute(build(tmp_path_factory.mktemp("hand") / "raw"))


@pytest.mark.parametrize("name", truth.KEYS)
def test_the_truth_equals_the_figures_worked_out_by_hand(
    name: str, computed: dict[str, pd.DataFrame]
) -> None:
    by_hand.check(name, rows_of(computed[name]))


def test_at_least_forty_figures_are_worked_out_by_hand() -> None:
    assert by_hand.n_figures() >= 40


def test_a_difference_is_found_whatever_its_kind() -> None:
    row = {"unit": "a", "n": 3, "share": 50.0, "status": "", "change": None}
    assert differences([row], [dict(row)], ["unit"]) == ""
    for column, other in [("n", 4), ("share", 50.000001), ("status", None), ("change", 0.0)]:
        said = differences([{**row, column: other}], [row], ["unit"])
        assert f"{column} is {other!r}, expected {row[column]!r}" in said
    assert "missing  unit=a" in differences([], [row], ["unit"])
    assert "surplus  unit=a" in differences([row], [], ["unit"])
    assert "no such column" in differences([{"unit": "a"}], [row], ["unit"])


def test_a_count_is_no_share_and_nan_is_no_null() -> None:
    assert not equal(3.0, 3)
    assert not equal(True, 1)
    assert not equal(float("nan"), None)
    assert equal(50.0 + 1e-10, 50.0)
