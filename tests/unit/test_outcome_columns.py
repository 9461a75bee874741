"""The models' lists of outcome columns are those of the seed `outcome_figures`."""

from typing import Any

import yaml

from pipelines.instrument import seed_rows
from pipelines.settings import DBT_PROJECT

VARS: dict[str, Any] = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text())["vars"]


def parts_of(figure: str) -> list[str]:
    return [r["figure_id"] for r in seed_rows("outcome_figures") if r["part_of"] == figure]


def test_the_ways_out_are_the_parts_of_those_who_ended_but_for_the_dropouts() -> None:
    assert VARS["ways_out"] == [f for f in parts_of("ended") if f != "dropouts"]


def test_the_ways_to_work_are_the_parts_of_work() -> None:
    assert VARS["ways_to_work"] == parts_of("work")


def test_a_month_is_a_twelfth_of_a_year() -> None:
    assert VARS["days_per_month"] == 365.25 / 12
