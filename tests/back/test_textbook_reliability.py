"""The models of reliability on data whose alpha is printed, and on cases worked by hand.

Belongs here: whole builds of the two marts on an instrument made of textbook data, a questionnaire
each. Does not: the instrument of NNS (test_marts_equal_truth.py) or the rules of single models,
which stand beside them.

Where the data and the printed figures come from (tests/data/textbooks):

- `attitude`: Chatterjee and Price, Regression Analysis by Example; `attitude` in R. Figures: the
  documentation of R's psych, `alpha(attitude)`.
- `lsat6`: Bock and Lieberman (1970), Psychometrika 35, 179-197: the patterns of 1 000 answers to
  section 6 of the Law School Admission Test, a KR-20 example. Figures: Rizopoulos (2006), ltm,
  Journal of Statistical Software 17(5), `descript(LSAT)`; its correlations are by
  sqrt((n - 1) / n) smaller.
- `test12` and `ratings`: real-statistics.com, "Cronbach's alpha", a test with blanks and ratings
  1 to 7. Figures: the documentation of Python's pingouin (checked there against psych), with
  respondents left out who did not answer all.
"""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import reliability_truth
import truth
from comparison import equal

from pipelines import instrument, loading, register
from pipelines.settings import DBT_PROJECT, SEEDS, Settings

TEXTBOOKS = Path(__file__).parents[1] / "data" / "textbooks"
ROUND = 2024
Row = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """The answers to one questionnaire: a row per respondent, a code per item, None left blank.

    Attributes:
        n_codes: how many answers each item's scale has.
        rows: codes from 1.
    """

    n_codes: tuple[int, ...]
    rows: tuple[tuple[int | None, ...], ...]


def textbook(name: str, low: int, high: int) -> Sheet:
    """A file of values from low to high; a column `frequency` says how often a row was given."""
    rows: list[tuple[int | None, ...]] = []
    for line in truth.csv_rows(TEXTBOOKS / f"{name}.csv"):
        times = int(line.pop("frequency", 1))
        row = tuple(int(value) - low + 1 if value else None for value in line.values())
        rows += [row] * times
    return Sheet((high - low + 1,) * len(rows[0]), tuple(rows))


def by_hand(*rows: str, n_codes: tuple[int, ...] | None = None) -> Sheet:
    """A digit per item and a dot for a blank; scales of six unless said otherwise."""
    read = tuple(tuple(int(sign) if sign != "." else None for sign in row) for row in rows)
    return Sheet(n_codes or (6,) * len(rows[0]), read)


SHEETS = {
    "attitude": textbook("attitude", 0, 100),
    "lsat6": textbook("lsat6", 0, 1),
    "test12": textbook("test12", 0, 1),
    "ratings": textbook("ratings", 1, 7),
    "single": by_hand("1", "4", "6"),
    "constant": by_hand("33", "33", "33"),
    "half_constant": by_hand("13", "23", "43"),
    "two_people": by_hand("12", "54"),
    "one_person": by_hand("12"),
    "alike": by_hand("11", "33", "66"),
    "opposed": by_hand("16", "34", "61"),
    "at_odds": by_hand("14", "41", "33"),
    "blanks": by_hand("12", "5.", ".4", "54", ".."),
    "mixed": by_hand("12", "23", "26", n_codes=(2, 6)),
}

# --- an instrument of these questionnaires, and their answers -----------------------------------


def seeds_of(sheets: dict[str, Sheet]) -> Iterator[tuple[str, Row]]:
    """Rows of the seeds: a group, indicator and questionnaire of each name, a measure per item."""
    for codes in sorted({n for sheet in sheets.values() for n in sheet.n_codes}):
        for code in range(1, codes + 1):
            yield "scales", {"scale_id": f"of{codes}", "code": code, "is_answer": "true"}
    for name, sheet in sheets.items():
        since = {"first_round": ROUND}
        yield "questionnaires", since | {"questionnaire_id": name, "respondent_group": name}
        for item, codes in enumerate(sheet.n_codes):
            measure = {"measure_id": f"{name}_{item}"}
            yield "measures", measure | {"indicator_id": name}
            question = {"question_id": f"{name}_{item}", "questionnaire_id": name}
            question |= {"question_no": 1 + question_ids(sheets).index(f"{name}_{item}")}
            scale = {"scale_id": f"of{codes}", "positive_min_code": codes}
            yield "questions", since | measure | question | scale


def write_seeds(folder: Path, sheets: dict[str, Sheet]) -> None:
    rows = list(seeds_of(sheets))
    for seed in sorted({name for name, _ in rows}):
        with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        with (folder / f"{seed}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(row for name, row in rows if name == seed)


def write_lake(settings: Settings, sheets: dict[str, Sheet]) -> None:
    """One delivery of an association of the nation, with a sheet per questionnaire."""
    delivery = {"sha256": "s", "round": ROUND, "association_id": "a", "state": "loaded"}
    extend(settings.lake / "deliveries.parquet", [delivery | {"is_synthetic": False}])
    for table, rows in rows_of_lake(sheets).items():
        folder = settings.lake / table
        written = folder / f"round={ROUND}" / "s.parquet"
        written.parent.mkdir(parents=True)
        shutil.copy(folder / "round=0" / "none.parquet", written)
        extend(written, rows)


def rows_of_lake(sheets: dict[str, Sheet]) -> dict[str, list[Row]]:
    """A bundle per questionnaire; numbers are those of pipelines/packing.py, put together by hand."""
    numbers = {q: n for n, q in enumerate(question_ids(sheets), start=1)}
    bundles, answers = [], []
    for bundle_id, (name, sheet) in enumerate(sheets.items(), start=1):
        bundles.append(
            {"bundle_id": bundle_id, "sha256": "s", "questionnaire_id": name}
            | {"n_returned": len(sheet.rows)}
        )
        answers += [
            {"cell_id": (bundle_id * 2**9 + numbers[f"{name}_{item}"]) * 2**16 + code}
            | {"response_id": bundle_id * 1000 + number}
            for number, row in enumerate(sheet.rows)
            for item, code in enumerate(row)
            if code
        ]
    return {"bundles": bundles, "answers": answers}


def question_ids(sheets: dict[str, Sheet]) -> list[str]:
    items = [(name, item) for name, sheet in sheets.items() for item in range(len(sheet.n_codes))]
    return [f"{name}_{item}" for name, item in items]


def extend(path: Path, rows: list[Row]) -> None:
    """Adds rows to a Parquet file; columns they have not are null."""
    schema = pq.read_schema(path)
    added = pa.Table.from_pylist(rows, schema=schema)
    pq.write_table(pa.concat_tables([pq.read_table(path, partitioning=None), added]), path)


def build(home: Path, project: Path) -> None:
    """Both marts and all they come from, without their tests."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    arguments = [
        *("--quiet", "build", "--select", "+reliability", "+item_quality"),
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
        *("--project-dir", str(project), "--profiles-dir", str(project)),
        *("--vars", "{index_parts: 300}"),  # a multiple of 100, 6, 5 and 1
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("DBT_TARGET_PATH", str(home / "target"))
        patch.setenv("DBT_LOG_PATH", str(home / "logs"))
        result = dbtRunner().invoke(arguments)
    DuckDBConnectionManager.close_all_connections()
    assert result.success, result.exception or result.result


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working database of a landing zone with one association that answered all of it."""
    home = tmp_path_factory.mktemp("textbooks")
    settings = Settings(raw=home / "raw", home=home)
    (settings.raw / "register").mkdir(parents=True)
    (settings.raw / "register" / "associations.csv").write_text(
        "association_id,association_name,county_code,agreement_from,agreement_to\n"
        "a,A,01,2017-01-01,\n"
    )
    loading.load(settings, (), instrument.load(), register.read(settings.raw))
    write_lake(settings, SHEETS)
    project = home / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    write_seeds(project / "seeds", SHEETS)
    settings.working_database.parent.mkdir(parents=True)
    build(home, project)
    with duckdb.connect(str(settings.working_database), read_only=True) as connection:
        yield connection


def reliability_of(marts: duckdb.DuckDBPyConnection, name: str) -> Row:
    cursor = marts.execute("select * from marts.reliability where indicator_id = ?", [name])
    columns = [column[0] for column in cursor.description]
    [row] = cursor.fetchall()
    return dict(zip(columns, row, strict=True))


def item_totals_of(marts: duckdb.DuckDBPyConnection, name: str) -> list[float | None]:
    rows = marts.execute(
        "select item_total from marts.item_quality where questionnaire_id = ? order by question_id",
        [name],
    ).fetchall()
    return [item_total for (item_total,) in rows]


# --- what is printed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "n_items", "n_complete", "alpha", "decimals"),
    [
        ("attitude", 7, 30, 0.84, 2),
        ("lsat6", 5, 1000, 0.2950, 4),
        ("test12", 11, 9, 0.8016949152542373, 12),
        ("ratings", 10, 15, 0.5917188485995826, 12),
    ],
)
def test_alpha_is_the_printed_one(
    marts: duckdb.DuckDBPyConnection,
    name: str,
    n_items: int,
    n_complete: int,
    alpha: float,
    decimals: int,
) -> None:
    found = reliability_of(marts, name)
    assert (found["n_items"], found["n_complete"]) == (n_items, n_complete)
    assert round(found["alpha"], decimals) == round(alpha, decimals)


def test_item_totals_are_psych_s_of_attitude(marts: duckdb.DuckDBPyConnection) -> None:
    printed = [0.67, 0.74, 0.56, 0.71, 0.79, 0.27, 0.46]
    found = item_totals_of(marts, "attitude")
    assert found == pytest.approx(printed, abs=0.0051)
    assert reliability_of(marts, "attitude")["item_total_lowest"] == min(found)


def test_item_totals_are_ltm_s_of_the_law_school_test(marts: duckdb.DuckDBPyConnection) -> None:
    printed = [0.1128, 0.1531, 0.1727, 0.1444, 0.1215]
    found = [r * math.sqrt(999 / 1000) for r in item_totals_of(marts, "lsat6")]
    assert found == pytest.approx(printed, abs=0.00006)


@pytest.mark.parametrize("name", ["attitude", "lsat6", "test12", "ratings"])
def test_the_interval_is_bonett_s(marts: duckdb.DuckDBPyConnection, name: str) -> None:
    found = reliability_of(marts, name)
    low, high = reliability_truth.bonett(found["alpha"], found["n_items"], found["n_complete"])
    assert (found["alpha_low"], found["alpha_high"]) == pytest.approx((low, high), abs=1e-12)


def test_the_interval_is_as_wide_as_bonett_and_wright_plan_it() -> None:
    """349 respondents for a width of 0.1 with five items and alpha 0.7 (2015, J Organiz Behav 36).

    Their correction of the bias, ln(n / (n - 1)), is left out here and makes 0.0003 of it.
    """
    low, high = reliability_truth.bonett(0.7, 5, 349)
    assert (high - low) * 348 / 349 == pytest.approx(0.1, abs=0.00005)


# --- by hand ------------------------------------------------------------------------------------

NO_ALPHA = {"alpha": None, "alpha_low": None, "alpha_high": None}
NO_INTERVAL = {"alpha_low": None, "alpha_high": None}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("single", NO_ALPHA | {"n_items": 1, "n_complete": 3, "item_total_mean": None}),
        ("constant", NO_ALPHA | {"n_complete": 3, "item_total_lowest": None}),
        # the sum varies as the one item does: 2·(1 - 1)
        ("half_constant", {"alpha": 0.0, "item_total_mean": None}),
        # variances 8 and 2, of the sum 18: 2·(1 - 10/18)
        ("two_people", NO_INTERVAL | {"alpha": 8 / 9, "item_total_mean": 1.0}),
        ("one_person", NO_ALPHA | {"n_complete": 1, "item_total_mean": None}),
        ("alike", NO_INTERVAL | {"alpha": 1.0, "item_total_lowest": 1.0}),
        ("opposed", NO_ALPHA | {"item_total_lowest": -1.0}),
        # variances 7/3 and 7/3, of the sum 1/3: 2·(1 - 14)
        ("at_odds", {"alpha": -26.0}),
        # four of ten are blank; one of three at the floor, then none of three
        ("blanks", {"n_complete": 2, "n_asked": 10, "item_non_response": 40.0,
                    "floor_share": 100 / 6, "ceiling_share": 0.0, "alpha": 8 / 9}),
        # 0, 1, 1 and 0.2, 0.4, 1: variances 1/3 and 13/75, of the sum 21/25
        ("mixed", {"alpha": 50 / 63}),
    ],
)  # fmt: skip
def test_an_edge_is_as_worked_by_hand(
    marts: duckdb.DuckDBPyConnection, name: str, expected: Row
) -> None:
    found = reliability_of(marts, name)
    assert {k: found[k] for k, value in expected.items() if not equal(found[k], value)} == {}


def test_a_round_without_another_has_no_stability(marts: duckdb.DuckDBPyConnection) -> None:
    told = marts.execute("select distinct n_associations, stability from marts.reliability")
    assert told.fetchall() == [(0, None)]
