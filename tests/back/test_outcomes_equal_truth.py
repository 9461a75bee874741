"""Every number of the mart `outcomes` against the independent computation, over a decade.

The landing zone has participations until March 2023 and counts after that, the odd cases of both,
and targets. The figures published of 2017 come out of a register made to have them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import outcomes_truth
import pytest
from comparison import Row, differences, mart

from pipelines import instrument, loading, outcomes, register, warehouse
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

DECADE = range(2017, 2027)
HEADER = (
    "association_id,insats_kod,participation_id,kon,start_date,end_date,exit_reason,"
    "years_without_work"
)
ODD = """
,h1,K,2018-12-31,2019-02-28,studies,3
,h2,K,2018-12-31,2019-03-01,studies,4
A1,h3,M,2019-12-31,2020-02-29,work_supported,5
A1,h4,M,2019-12-31,2020-03-01,work_unsupported,
A1,h5,,2018-01-01,2018-12-31,sickness_compensation,9
A1,h6,A,2018-07-01,2018-07-01,misregistration,0
A2,h6,A,2017-01-01,2019-06-30,misregistration,
A1,h7,K,2015-01-01,2017-01-01,other_vocational,0
A1,h8,M,2016-01-01,2016-12-31,other,1
A1,h9,K,2019-06-30,,,2
A2,h9,K,2019-06-30,2020-07-01,medical_rehab,2
"""
TARGETS = [
    ("nation", "0000", 2019, None, 30.0),
    ("association", None, 2017, None, 45.0),
    ("association", "sagoasen", 2020, 2024, 1.0),
    ("activity_group", "kort", 2018, None, 90.0),
]


def build(raw: Path, home: Path, targets: Iterable[Any], selection: Sequence[str] = ()) -> Path:
    """The snapshot of a landing zone whose outcome files are sound; gives marts.duckdb's path."""
    settings, known = Settings(raw, home), instrument.load()
    tell_targets(raw, targets)
    read = register.read(raw)
    loading.load(settings, known.rounds, known, read)
    outcomes.load(settings, known, read)
    outcomes.check(settings, known, read)
    warehouse.build(settings, selection)
    warehouse.swap_snapshot(settings)
    return settings.snapshot


def tell_targets(raw: Path, targets: Iterable[Any]) -> None:
    """In place of the sample's own targets of outcomes."""
    path = raw / "register/targets.csv"
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    others = [row for row in rows if not row.startswith(outcomes_truth.RATE)]
    path.write_text("".join(others), encoding="utf-8")
    with path.open("a", encoding="utf-8", newline="") as file:
        for level, unit_id, first, last, share in targets:
            csv.writer(file, lineterminator="\n").writerow(
                (outcomes_truth.RATE, "", level, unit_id or "", first, last or "", share)
            )


@pytest.fixture(scope="module")
def decade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landing zone of ten years with a file of odd participations."""
    raw = tmp_path_factory.mktemp("decade") / "raw"
    write_landing_zone(raw, rounds=DECADE, associations=4, questionnaires=8)
    odd = "\n".join(f"sagoasen,{line}" for line in ODD.strip().split("\n"))
    (raw / "outcomes/udda.csv").write_text(f"{HEADER}\n{odd}\n", encoding="utf-8")
    return raw


@pytest.fixture(scope="module")
def found(decade: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    snapshot = build(decade, tmp_path_factory.mktemp("home"), TARGETS)
    return mart(snapshot, "outcomes")


@pytest.fixture(scope="module")
def expected(decade: Path, found: list[Row]) -> list[Row]:
    return outcomes_truth.outcomes(decade)


def test_every_number_equals_the_truth(found: list[Row], expected: list[Row]) -> None:
    assert {*found[0]} == {*expected[0]}
    faults = differences(found, expected, outcomes_truth.KEY)
    if faults:
        pytest.fail(faults, pytrace=False)


ODDITIES: dict[str, Callable[[Row], Any]] = {
    "counts whose split is unknown": lambda r: r["work_supported"] is None and r["work"],
    "counts whose split is known": lambda r: r["dropout_months"] is None and r["work_supported"],
    "nobody left": lambda r: not r["leavers"],
    "a significant change": lambda r: r["change_significant"],
    "an earlier period of another source": lambda r: r["previous_period"] and not r["comparable"],
    "a target reached": lambda r: r["reached"] == "reached",
    "a target not reached": lambda r: r["reached"] == "not_reached",
    "a target perhaps reached": lambda r: r["reached"] == "unclear",
    "a misregistration": lambda r: r["misregistrations"],
    "a median between two numbers": lambda r: (r["years_without_work_median"] or 0) % 1,
    "a leaver whose years are unknown": lambda r: (
        (r["years_without_work_n"] or 0) < (r["throughput_months_n"] or 0)
    ),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_the_decade_has(oddity: str, expected: list[Row]) -> None:
    """Without it the comparison would prove less."""
    assert any(ODDITIES[oddity](row) for row in expected)


def test_both_sources_are_there_and_the_break_lies_between(found: list[Row]) -> None:
    breaks = {
        (row["previous_period"], row["period"])
        for row in found
        if row["previous_period"] and not row["comparable"]
    }
    assert breaks >= {("2022", "2023"), ("2022H2", "2023H2"), ("2021-2022", "2023-2024")}
    levels = {(row["source_id"], row["level"]) for row in found}
    assert len(levels) == 2 * 5


def test_the_published_figures_of_2017_come_out_of_a_register_that_has_them(
    tmp_path: Path,
) -> None:
    """28 381 active and 8 400 ended; 31 % of the leavers to work or studies, women 28, men 34."""
    raw = tmp_path / "raw"
    write_landing_zone(raw, rounds=(2017,), associations=1, questionnaires=1)
    for path in raw.glob("outcomes/*"):
        path.unlink()
    (association,) = register.read(raw).associations
    lines = [f"{association},A1,p{n},{line}" for n, line in enumerate(_as_published())]
    (raw / "outcomes/riket.csv").write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    chosen = ["--select", "+outcomes", "--exclude-resource-type", "test"]
    rows = mart(build(raw, tmp_path / "home", (), chosen), "outcomes")
    nation = {
        row["gender"]: row for row in rows if (row["level"], row["period"]) == ("nation", "2017")
    }
    assert (nation["T"]["active"], nation["T"]["ended"]) == (28_381, 8_400)
    rates = {gender: round(row["positive_rate"]) for gender, row in nation.items()}
    assert rates == {"T": 31, "K": 28, "M": 34}


def _as_published() -> list[str]:
    """3 900 leavers of each gender, of whom 1 092 women and 1 326 men to something positive."""
    positive = ("work_supported", "work_unsupported", "studies", "other_vocational")
    lines = []
    for kon, n_positive, n_going_on in (("K", 1_092, 11_900), ("M", 1_326, 8_000)):
        reasons = [positive[n % 4] for n in range(n_positive)]
        reasons += ["medical_rehab"] * (3_900 - n_positive)
        lines += [f"{kon},2016-05-01,2017-09-30,{reason},2" for reason in reasons]
        lines += [f"{kon},2017-03-01,2017-04-01,work_supported,0"] * 300
        lines += [f"{kon},2017-02-01,,,"] * n_going_on
    return lines + [",2017-02-01,,,"] * (28_381 - len(lines))
