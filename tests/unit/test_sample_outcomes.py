"""Invented outcomes: repeatable, as CONTRACT has the columns, sound, and of the published size."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from pipelines.instrument import seed_rows
from pipelines.workbook.sample import write_landing_zone

WAYS = ["work", "studies", "other_vocational", "medical_rehab", "sickness_compensation", "other"]
KEY = ["association_id", "insats_kod", "period_start", "period_end"]


def make(out: Path, rounds=(2019, 2026), **options) -> Path:
    return write_landing_zone(out, rounds=rounds, questionnaires=5, **options).path


def contents(raw: Path) -> dict[str, bytes]:
    folders = ("outcomes", "indicator_11")
    return {
        str(p.relative_to(raw)): p.read_bytes() for f in folders for p in (raw / f).glob("*.csv")
    }


def rows(raw: Path, pattern: str) -> pd.DataFrame:
    files = sorted(raw.glob(pattern))
    return pd.concat(pd.read_csv(p, dtype={"kon": str}, keep_default_na=True) for p in files)


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def participations(raw) -> pd.DataFrame:
    return rows(raw, "outcomes/*_sus.csv")


@pytest.fixture(scope="module")
def counts(raw) -> pd.DataFrame:
    return rows(raw, "outcomes/*_20??.csv")


@pytest.fixture(scope="module")
def study(raw) -> pd.DataFrame:
    return rows(raw, "indicator_11/*.csv")


def test_the_same_arguments_give_the_same_bytes_and_another_seed_does_not(tmp_path, raw):
    assert contents(make(tmp_path / "same")) == contents(raw)
    assert contents(make(tmp_path / "other", seed=2)) != contents(raw)


def test_a_new_sample_takes_the_old_one_s_files_away_and_no_others(tmp_path):
    make(tmp_path)
    (tmp_path / "outcomes" / "egen.csv").write_text("min egen")
    make(tmp_path, rounds=(2026,))
    names = {path.name for path in tmp_path.glob("outcomes/*")}
    assert "egen.csv" in names
    assert not [n for n in names if n.endswith("_sus.csv") or n.endswith("_2025.csv")]


def test_workbooks_and_register_do_not_change_with_the_outcomes(tmp_path):
    """The checked-in workbooks were written before there were outcomes."""
    checked_in = Path(__file__).parents[2] / "raw"
    write_landing_zone(tmp_path, rounds=(2026,))
    workbooks = sorted(tmp_path.glob("2026/*.xlsx"))
    assert workbooks
    for path in [*workbooks, *tmp_path.glob("register/*")]:
        assert path.read_bytes() == (checked_in / path.relative_to(tmp_path)).read_bytes()


def test_the_columns_are_those_of_the_contract(participations, counts, study):
    assert [*participations] == [
        *("association_id", "insats_kod", "participation_id", "kon", "start_date", "end_date"),
        *("exit_reason", "years_without_work"),
    ]
    assert {*counts} == {
        *(*KEY, "kon", "active", "ended", "dropouts", *WAYS, "active_next"),
        *("work_supported", "work_unsupported"),
    }
    assert [*study] == [
        *("level", "unit_id", "cohort", "months_after", "kon", "n", "n_sustained", "source"),
    ]


def test_every_exit_reason_of_the_seed_comes_and_no_other(participations):
    seed = list(seed_rows("outcome_figures"))
    split = {row["part_of"] for row in seed}
    leaves = {r["figure_id"] for r in seed if r["part_of"] or r["is_left_out"] == "true"} - split
    assert set(participations["exit_reason"].dropna()) == leaves - {"dropouts"}


def test_participations_are_as_odd_as_real_ones(participations):
    assert participations["kon"].isna().any()
    assert set(participations["kon"].dropna()) == {"K", "M", "A"}
    assert participations["years_without_work"].isna().any()
    assert participations["years_without_work"].max() == 9
    activities = participations.groupby(["association_id", "participation_id"])["insats_kod"]
    assert (activities.nunique() == 2).any()
    assert not participations.duplicated(["association_id", "participation_id", "insats_kod"]).any()


def test_participations_end_with_a_reason_and_not_before_they_start(participations):
    is_over = participations["end_date"].notna()
    assert (is_over == participations["exit_reason"].notna()).all()
    assert (participations["start_date"] <= participations["end_date"])[is_over].all()


def test_nothing_is_later_than_the_last_year_or_the_source(tmp_path, participations, counts):
    assert participations[["start_date", "end_date"]].max().max() <= "2023-03-31"
    assert counts["period_end"].max() == "2026-12-31"
    assert counts["period_start"].min() == "2023-01-01"
    early = make(tmp_path, rounds=(2019,))
    last = rows(early, "outcomes/*_sus.csv")[["start_date", "end_date"]].max().max()
    assert "2019-12" < last <= "2019-12-31"
    assert not list(early.glob("outcomes/*_20??.csv"))
    assert rows(early, "indicator_11/*.csv")[["cohort", "months_after"]].to_numpy().tolist() == [
        [2018, 12]
    ] * len(rows(early, "indicator_11/*.csv"))


def test_the_files_of_a_year_hold_the_periods_that_end_in_it(raw):
    for path in raw.glob("outcomes/*_20??.csv"):
        year = int(path.stem[-4:])
        found = pd.read_csv(path)[["period_start", "period_end"]].drop_duplicates()
        wanted = {(date(year, 1, 1), date(year, 12, 31)), (date(year, 7, 1), date(year, 12, 31))}
        if year > 2023:
            wanted.add((date(year - 1, 7, 1), date(year, 6, 30)))
        assert {tuple(map(date.fromisoformat, row)) for row in found.to_numpy()} == wanted


def test_counts_add_up(counts):
    assert (counts["ended"] == counts["dropouts"] + counts[WAYS].sum(axis=1)).all()
    assert (counts["active_next"] == counts["active"] - counts["ended"]).all()
    tells = counts["work_supported"].notna()
    assert 0 < tells.sum() < len(counts), "some split work and some do not"
    split = counts["work_supported"] + counts["work_unsupported"]
    assert (split == counts["work"])[tells].all()


def test_women_and_men_are_not_more_than_everybody(counts):
    numbers = ["active", "ended", "dropouts", *WAYS, "active_next"]
    totals = counts[counts["kon"] == "T"].set_index(KEY)[numbers]
    parts = counts[counts["kon"] != "T"].groupby(KEY)[numbers].sum()
    left = totals - parts.reindex(totals.index).fillna(0)
    assert (left >= 0).all(axis=None)
    assert (left["active"] > 0).any(), "somebody is neither"


def test_an_association_has_a_realistic_size(counts):
    years = counts[(counts["kon"] == "T") & counts["period_start"].str.endswith("-01-01")]
    years = years[years["period_end"].str.endswith("-12-31")]
    active = years.groupby(["association_id", "period_start"])["active"].sum()
    assert active.between(50, 400).all()


def test_the_study_s_nation_has_at_least_its_associations(study):
    key = ["cohort", "months_after", "kon"]
    nation = study[study["level"] == "nation"].set_index(key)[["n", "n_sustained"]]
    parts = study[study["level"] == "association"].groupby(key)[["n", "n_sustained"]].sum()
    assert (nation >= parts.reindex(nation.index)).all(axis=None)
    assert (study["n_sustained"] <= study["n"]).all()
    assert set(study["cohort"]) == set(range(2018, 2023))
    assert set(study["months_after"]) == {12, 24}


def test_nationally_the_published_sizes_come_out(tmp_path):
    table = rows(make(tmp_path, rounds=(2020,), national=True), "outcomes/*_sus.csv")
    table = table[table["exit_reason"] != "misregistration"]
    ends = table["end_date"].fillna("9999")
    active = {
        year: ((table["start_date"] <= f"{year}-12-31") & (ends >= f"{year}-01-01")).sum()
        for year in (2017, 2020)
    }
    assert active == {2017: 28_381, 2020: 24_867}
    assert ends.str.startswith("2017").sum() == 8_400
