"""The hand-computed figures of the hand round, read from `expected/`.

Belongs here: typing the literal tables. Does not: any arithmetic; how a figure came about stands
in the tables' last column. A table holds the rows and columns worked out by hand; `N_ROWS` says
how many rows the whole mart has, and `ABSENT` which it must not have.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import truth
from comparison import differences

EXPECTED = Path(__file__).parent / "expected"

FLOATS = {
    "share", "mean_index", "ci_low", "ci_high", "share_previous", "change", "target_share",
    "distance", "value", "response_rate", "share_others", "difference",
}  # fmt: skip
TEXTS = {"reached"}
FLAGS = {"comparable", "change_significant", "is_expected", "difference_significant"}
COUNTS = {"round", "period", "count", "handed_out", "returned", "returned_known", "days_late"}

# A workbook's bytes hold the time it was saved, so a submission is known by its file.
KEYS = {**truth.KEYS, "submissions": ["file"]}

N_ROWS = {
    # 2026: ending 17 questions × (14 units T, 13 K: no woman in A2, 14 M), staff 14 × 9 units,
    # board 7 × 5. 2025: ending 17 × 6 units × T, K, M. 2017: board 6 × 3. The study's five.
    "measure_results": 17 * 41 + 14 * 9 + 7 * 5 + 17 * 18 + 6 * 3 + 5,
    # 2026: participants 10 indicators × 41, staff 10 × 9, board 4 × 5; all: K and M 10 × 27 and
    # T 15 × 3 (nation, 0001, alfa) + 13 × 2 (0012, beta) + 13 × 6 (A1, A2, four groups) + 10 × 3
    # (B1, omega, O1). 2025: 10 × 18, twice with all. 2017: 3 × 3, twice. The study: nation 2024
    # T and K, 2025 T, alfa 2024 T, twice.
    "indicator_results": 410 + 90 + 20 + 270 + 45 + 26 + 78 + 30 + 2 * 180 + 2 * 9 + 2 * 4,
    # Nine key figures of three municipalities in 2025 and of four in 2026; none began before 2018.
    "key_figures": 9 * 3 + 9 * 4,
    # 2026: A1 3 groups, A2 2, B1 3. 2025: A1 2.
    "activity_groups": 3 + 2 + 3 + 2,
    # 2026: ending 17 × (A1 and B1 3 groups × T, K, M, A2 2 × T, M), staff 14 × (3 + 2) × T.
    # 2025: ending 17 × 2 × T, K, M.
    "activity_comparisons": 17 * (9 + 9 + 4) + 14 * 5 + 17 * 6,
    # 2026: measures 17 × 3 + 14 + 7, indicators 10 × 3 + 10 + 4 and all 15 + 10 + 10.
    # 2025: 17 × 3 + 10 × 3 + 10 × 3. 2017: 6 + 3 + 3. The study: 4 measures and 3 × 2 indicators.
    "national_results": 51 + 14 + 7 + 30 + 10 + 4 + 35 + 51 + 30 + 30 + 6 + 3 + 3 + 4 + 6,
    # 2026: 6 questionnaires × (nation, 2 counties, alfa, beta, omega) and 4 × 4 activities;
    # 2025: 6 × 3 and 4 × 1; 2017: 6 × 3, no activity listed.
    "response_rates": 6 * 6 + 4 * 4 + 6 * 3 + 4 + 6 * 3,
    "submissions": 6,
    # 2026: alfa, beta, gamma, omega; 2025: alfa, gamma; 2017: alfa, delta.
    "roster": 4 + 2 + 2,
}

ABSENT: dict[str, list[dict[str, Any]]] = {
    "measure_results": [
        {"gender": "A"},  # other gender counts in the total alone
        {"unit_id": "alfa/A2", "gender": "K"},  # no woman answered there
        {"unit_id": "alfa/A9"},  # replaced
        {"unit_id": "gamma"},  # delivered nothing
        {"questionnaire_id": "board", "level": "activity"},
        {"questionnaire_id": "board", "gender": "K"},
        {"questionnaire_id": "managers"},
        {"measure_id": "4a"},  # gone in 2024
        {"questionnaire_id": "register_study", "level": "county"},  # never rolled up
    ],
    "indicator_results": [
        {"indicator_id": "11", "respondent_group": "participant"},  # nobody is asked
        {"indicator_id": "11", "round": 2026},  # no such cohort
        {"respondent_group": "managers"},
    ],
    "key_figures": [
        {"municipality_id": "1281"},  # a member in no round that was delivered
        {"municipality_id": "1283"},  # a member of omega alone
        {"kpi_id": "U40463"},  # ended after 2023
    ],
    "activity_groups": [{"unit_id": "omega/O1"}, {"unit_id": "alfa/A9"}],
    "activity_comparisons": [{"unit_id": "omega/O1"}, {"unit_id": "alfa/A2", "gender": "K"}],
    "national_results": [{"gender": "A"}],
    "response_rates": [
        {"level": "activity", "questionnaire_id": "board"},
        {"unit_id": "gamma"},  # delivered nothing
        {"unit_id": "alfa/A9"},  # replaced
        {"questionnaire_id": "register_study"},  # hands nothing out
        {"round": 2024},
    ],
    "roster": [{"round": 2024}],  # a register study is missing from nobody
}


def check(mart: str, rows: list[dict[str, Any]]) -> None:
    """Fail, readably, unless the rows are the mart of the hand round."""
    faults = differences(rows, expected_rows(mart), KEYS[mart], every_row=False)
    for absent in ABSENT.get(mart, []):
        n = sum(absent.items() <= row.items() for row in rows)
        faults += f"\n{n} rows with {absent}, expected none" if n else ""
    if len(rows) != N_ROWS[mart]:
        faults += f"\n{len(rows)} rows, expected {N_ROWS[mart]}"
    if faults:
        pytest.fail(f"{mart}: {faults}", pytrace=False)


def expected_rows(mart: str) -> list[dict[str, Any]]:
    """The hand-computed rows of a mart; an empty cell is null, but in `status`."""
    with (EXPECTED / f"{mart}.csv").open(encoding="utf-8", newline="") as file:
        return [
            {name: typed(name, cell) for name, cell in row.items() if name != "arithmetic"}
            for row in csv.DictReader(file)
        ]


def n_figures() -> int:
    """How many figures are worked out by hand over all marts."""
    return sum(
        (name in FLOATS or is_count(name)) and name not in ("round", "period")
        for mart in N_ROWS
        for row in expected_rows(mart)
        for name in row
    )


def typed(name: str, cell: str) -> Any:
    if name == "rows_per_questionnaire":
        return {key: int(n) for key, n in (part.split("=") for part in cell.split())}
    if not cell and (name in FLOATS | FLAGS | TEXTS or is_count(name)):
        return None
    if name in FLOATS:
        return float(cell)
    if name in FLAGS:
        return {"true": True, "false": False}[cell]
    return int(cell) if is_count(name) else cell


def is_count(name: str) -> bool:
    return name in COUNTS or name == "n" or name.startswith("n_")
