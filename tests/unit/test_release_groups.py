"""Which sums over which people the figures of a round are: studies, projects, organisations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipelines import disclosure
from pipelines.disclosure import Published, Told
from pipelines.release import counts, groups
from pipelines.release.groups import Group, Register

RULE = disclosure.rule()
STUDY = "register_11b"


def register(**more: Any) -> Register:
    known: dict[str, Any] = {
        "nation": "0000",
        "counties": {"a": "0001", "b": "0001", "c": "0014"},
        "groups": {},
        "pools": {},
        "thresholds": {},
        "bases": dict(counts.BASES),
        "outside": frozenset(),
        "projects": {},
        "studies": {STUDY: "register_study"},
    }
    return Register(**{**known, **more})


def cells(question: str, rows: Mapping[str, tuple[int, int]]) -> dict[groups.Cell, tuple[int, int]]:
    """Counts by `level unit gender`."""
    made = {}
    for name, count in rows.items():
        level, unit, gender = name.split()
        made[level, unit, question, gender] = count
    return made


def only(found: Mapping[groups.Cell, tuple[int, int]], **more: Any) -> Group:
    (group,) = groups.of_questions(found, register(**more), RULE)
    return group


def told(group: Group) -> dict[str, Told | None]:
    """What is told of each cell, by `level unit gender`."""
    published = disclosure.protect(group.family, group.true, (), RULE)
    assert disclosure.audit([published], RULE).exposed == ()
    return {
        f"{level} {unit} {gender}": published.told[place]
        for (level, unit, _, gender), place in group.cells.items()
    }


def is_exposed(group: Group, *hidden: str) -> bool:
    """Whether something follows when only these cells are hidden."""
    both = zip(group.family.figures, group.true, strict=True)
    told = [true if figure.is_published else None for figure, true in both]
    for (level, unit, _, gender), place in group.cells.items():
        if f"{level} {unit} {gender}" in hidden:
            told[place] = None
    return bool(disclosure.audit([Published(group.family, tuple(told))], RULE).exposed)


# --- register studies ---------------------------------------------------------------------------


def test_a_study_s_nation_may_have_more_than_its_associations() -> None:
    rows = {"nation 0000 T": (90, 40), "association a T": (30, 12), "association b T": (3, 1)}
    group = only(cells(STUDY, rows))
    assert told(group)["nation 0000 T"] == Told(90, 40, 40)
    assert told(group)["association a T"] == Told(30, 12, 12)
    assert told(group)["association b T"] is None


def test_what_is_left_of_a_study_s_nation_must_not_be_few() -> None:
    rows = {"nation 0000 T": (43, 20), "association a T": (30, 12), "association b T": (10, 6)}
    group = only(cells(STUDY, rows))
    assert is_exposed(group), "three people are in the nation and in no association"
    assert None in told(group).values()


def test_without_a_rest_the_last_hidden_association_of_a_study_would_follow() -> None:
    rows = {"nation 0000 T": (33, 13), "association a T": (30, 12), "association b T": (3, 1)}
    group = only(cells(STUDY, rows))
    assert is_exposed(group, "association b T")
    assert told(group)["nation 0000 T"] and not told(group)["association a T"]


def test_a_nation_less_than_its_associations_is_of_others() -> None:
    rows = {"nation 0000 T": (20, 20), "association a T": (30, 12), "association b T": (3, 1)}
    group = only(cells(STUDY, rows))
    assert told(group) == {
        "nation 0000 T": Told(20, 20, 20),
        "association a T": Told(30, 12, 12),
        "association b T": None,
    }


@pytest.mark.parametrize("positive", [0, 12, 30])
def test_an_association_that_is_not_told_by_gender_is_any_part_of_a_nation_that_is(
    positive: int,
) -> None:
    rows = {
        "nation 0000 T": (90, 40),
        "nation 0000 K": (50, 25),
        "nation 0000 M": (40, 15),
        "association a T": (30, positive),
        "association b T": (20, 8),
        "association b K": (12, 5),
        "association b M": (8, 3),
    }
    group = only(cells(STUDY, rows))
    shown = told(group)
    assert shown["nation 0000 K"] == Told(50, 25, 25)
    assert shown["association a T"] == Told(30, positive, positive)
    assert "association a K" not in shown


def test_the_times_of_a_study_are_hidden_together() -> None:
    """Who is followed up at one time is mostly followed up at the next: n would tell of n."""
    rows = {"nation 0000 T": (90, 40), "association a T": (30, 12), "association b T": (3, 1)}
    later = {**rows, "association b T": (6, 3)}
    both = cells(STUDY, rows) | cells("register_11d", later)
    group = only(both, studies={STUDY: "register_study", "register_11d": "register_study"})
    published = disclosure.protect(group.family, group.true, (), RULE)
    for question in (STUDY, "register_11d"):
        place = group.cells["association", "b", question, "T"]
        assert published.told[place] is None


# --- who is in what -----------------------------------------------------------------------------


def test_an_organisation_out_of_the_nation_is_hidden_for_itself() -> None:
    rows = {
        "nation 0000 T": (50, 20),
        "county 0001 T": (50, 20),
        "association a T": (30, 12),
        "association b T": (20, 8),
        "association c T": (3, 1),
        "activity c/A1 T": (3, 1),
    }
    shown = told(only(cells("q", rows), outside=frozenset("c")))
    assert {name for name, one in shown.items() if one is None} == {
        "association c T",
        "activity c/A1 T",
    }


def test_an_organisation_that_is_taken_for_part_of_the_nation_does_not_reconcile() -> None:
    rows = {"nation 0000 T": (30, 12), "association a T": (30, 12), "association c T": (3, 1)}
    with pytest.raises(groups.UnreconciledError):
        only(cells("q", rows))


def test_an_activity_counts_in_all_its_groups() -> None:
    rows = {
        "nation 0000 T": (53, 23),
        "association a T": (33, 13),
        "association b T": (20, 10),
        "activity a/A1 T": (30, 12),
        "activity a/A2 T": (3, 1),
        "activity b/A1 T": (20, 10),
        "activity_group kort T": (53, 23),
        "activity_group individ T": (50, 22),
    }
    of = {"a/A1": ("kort", "individ"), "a/A2": ("kort",), "b/A1": ("kort", "individ")}
    group = only(cells("q", rows), groups=of)
    small = ("activity a/A1 T", "activity a/A2 T")
    assert is_exposed(group, *small), "it is kort less individ"
    assert not is_exposed(group, *small, "activity_group individ T")
    shown = told(group)
    assert not (shown["activity_group kort T"] and shown["activity_group individ T"])


def test_a_project_is_the_sum_of_its_associations() -> None:
    question = "extra:bo"
    rows = {"project p T": (33, 13), "association a T": (30, 12), "association b T": (3, 1)}
    group = only(cells(question, rows), projects={question: "p"})
    assert is_exposed(group, "association b T")
    shown = told(group)
    assert shown["project p T"] == Told(33, 13, 13)
    assert shown["association a T"] is shown["association b T"] is None


# --- outcomes -----------------------------------------------------------------------------------


def outcome(unit: str, *numbers: int) -> dict[str, Any]:
    level, name, gender = unit.split()
    names = ("active", "ended", "leavers", "positive")
    return {
        **{"level": level, "unit_id": name, "gender": gender, "period_kind": "calendar_year"},
        **dict(zip(names, numbers, strict=True)),
    }


def test_few_leavers_hide_how_many_took_part_there_too() -> None:
    rows = [
        outcome("nation 0000 T", 140, 75, 66, 20),
        outcome("association a T", 100, 60, 55, 16),
        outcome("association b T", 40, 15, 11, 4),
        outcome("activity b/A1 T", 20, 4, 3, 1),
        outcome("activity b/A2 T", 20, 11, 8, 3),
    ]
    group = only(counts.of_outcomes(rows))
    published = disclosure.protect(group.family, group.true, (), RULE)
    shown = {cell: published.told[place] for cell, place in group.cells.items()}
    assert shown["association", "b", counts.ACTIVE, "T"] == Told(40, 15, 15)
    assert shown["association", "b", counts.LEAVERS, "T"] == Told(11, 4, 4)
    for activity in ("b/A1", "b/A2"):
        for figure in (counts.ACTIVE, counts.LEAVERS):
            assert shown["activity", activity, figure, "T"] is None


def test_other_periods_than_calendar_years_are_not_released() -> None:
    half = {**outcome("nation 0000 T", 9, 9, 9, 9), "period_kind": "half_year"}
    assert counts.of_outcomes([half]) == {}
    assert list(counts.yearly([half])) == []
