"""What earlier releases show is read from their files, from all tables that tell a change."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from content import ROUND, content

from pipelines.release import before, outcomes, parquet
from pipelines.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with two releases of the content's round, and an older one without these tables."""
    made = Settings(tmp_path / "raw", tmp_path / "home")
    for number in ("1", "2"):
        parquet.write(content(), made.published / str(ROUND) / number)
    old = made.published / str(ROUND - 1) / "1" / "open" / "parquet"
    old.mkdir(parents=True)
    (made.published / str(ROUND) / "2" / "open" / "parquet" / "reliability.parquet").unlink()
    return made


def test_shown_shares_are_found_by_table_and_round(settings: Settings) -> None:
    past = before.past(settings, ROUND + 1)
    measures = past.before("measure_results", ROUND)
    assert measures["nation", "0000", "register_study", "11b", "T"] == (712, 441)
    assert measures["association", "exempelbygden", "participant_ending", "1a", "T"] == (40, 35)
    assert past.before("outcomes", ROUND)["nation", "0000", "K"] == (4200, 1176)
    extra = past.before("extra_results", ROUND)
    assert extra["project", "byggprojektet", "participant_ending", "bygga_bo", "T"] == (42, 28)
    shares = past.shares(ROUND)
    assert shares["association", "exempelbygden", "participant", "1", "T"] == Decimal("87.5")


def test_what_is_hidden_or_a_bracket_is_not_found(settings: Settings) -> None:
    past = before.past(settings, ROUND + 1)
    units = {unit for _, unit, _ in past.before("outcomes", ROUND)}
    assert units == {"0000", "0001", "exempelbygden", "individ", "kort"}
    assert {key[1] for key in past.before("extra_results", ROUND)} == {
        "exempelbygden",
        "byggprojektet",
    }
    assert not any(key[1] == "ovrebygd" for key in past.shares(ROUND))


def test_a_release_without_a_table_or_no_release_shows_nothing(settings: Settings) -> None:
    past = before.past(settings, ROUND + 1)
    assert past.before("outcomes", ROUND - 1) == past.before("outcomes", 1999) == {}
    assert past.shares(ROUND - 1) == {}


def test_the_ways_out_that_the_round_s_own_releases_tell_are_found(settings: Settings) -> None:
    assert before.past(settings, ROUND + 1).ways_out == []
    first, second = before.past(settings, ROUND).ways_out
    assert first == second
    assert set(first) == {"K", "M"}, "the invented total lacks one of them"
    assert tuple(first["K"][way] for way in outcomes.ways_out()) == (830, 240, 106, 1500, 300, 1224)
