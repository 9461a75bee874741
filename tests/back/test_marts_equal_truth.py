"""Every number of every mart of the sample against the independent computation."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import truth
from comparison import differences, mart, rows_of

RAW = Path(__file__).parents[2] / "raw"


@pytest.fixture(scope="module")
def expected() -> dict[str, pd.DataFrame]:
    return truth.compute(RAW)


@pytest.mark.parametrize("name", truth.KEYS)
def test_every_number_of_the_mart_equals_the_truth(
    name: str, sample_snapshot: Path, expected: dict[str, pd.DataFrame]
) -> None:
    rows = rows_of(expected[name])
    assert rows, f"the sample has nothing for {name}: the comparison would be empty"
    faults = differences(mart(sample_snapshot, name), rows, truth.KEYS[name])
    if faults:
        pytest.fail(f"{name}: {faults}", pytrace=False)
