"""The released tables of outcomes, projects' questions and reliability, from marts made by hand."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from random import Random
from typing import Any

import pytest

from pipelines import disclosure
from pipelines.disclosure import Told
from pipelines.release import counts, marts, outcomes, protected, reliability, told
from pipelines.release import round as whole
from pipelines.release.marts import Declared, Marts
from pipelines.release.protected import Past
from pipelines.release.table import Column, Kind, Table

RULE = disclosure.rule()
Z = Decimal("1.959964")
ZERO = dict.fromkeys(outcomes.ways_out(), 0)
_NUMBERS = ("active", "ended", "leavers", "positive", *outcomes.ways_out())
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("active", "ended", "leavers", "positive", "n", "n_items"), "integer"),
    **dict.fromkeys(("positive_rate", "share", "ci_low", "ci_high", "distance"), "decimal"),
    **dict.fromkeys(("alpha", "stability"), "ratio"),
}


def row(unit: str, *numbers: int, **more: Any) -> dict[str, Any]:
    """A row of outcomes, by `level unit gender`: active, ended, leavers, positive, ways out."""
    level, name, gender = unit.split()
    named = dict(zip(_NUMBERS, numbers, strict=False))
    return {
        **{"round": 2026, "period": "2026", "period_kind": "calendar_year", "level": level},
        **{"unit_id": name, "gender": gender, "source_id": "uppfoljning_finsam"},
        **ZERO,
        **named,
        **{"positive_rate": None, "ci_low": None, "ci_high": None, "comparable": False},
        **{"previous_period": None, "rate_previous": None, "change": None},
        **{"change_significant": None, "target_share": None, "distance": None, "reached": None},
        "dropout_months": 2,
        **more,
    }


def made(**rows: Sequence[Mapping[str, Any]]) -> Marts:
    """Marts of these tables and of nothing else."""
    found = defaultdict(tuple, {name: tuple(some) for name, some in rows.items()})
    keys = {
        "outcomes": ("period", "level", "unit_id", "gender"),
        "extra_results": ("level", "unit_id", "question_id", "gender"),
        "reliability": ("respondent_group", "indicator_id"),
        "indicator_results": ("level", "unit_id", "respondent_group", "indicator_id", "gender"),
    }
    declared = [
        Declared(
            name, "", "", keys[name],
            tuple(Column(c, _KINDS.get(c, "text"), "", "") for c in found[name][0]),
        )
        for name in rows if name in keys
    ]  # fmt: skip
    return Marts(
        round=2026,
        is_synthetic=True,
        declared=tuple(declared),
        rows=found,
        register=marts._register(found),
        single=frozenset(),
        notes=defaultdict(lambda: ("", "")),
        z=Z,
    )


def released(source: Marts, past: Past | None = None) -> dict[str, Table]:
    protection = whole.protect(source, {}, RULE)
    content = protected.content(source, whole.figures(protection), past or Past(), RULE)
    return dict(content.tables)


def outcomes_of(*rows: Mapping[str, Any], past: Past | None = None) -> dict[str, dict[str, Any]]:
    """The released rows by `level unit gender`; without an association, the nation is one."""
    alone = [] if any(r["level"] == "association" for r in rows) else [
        {**r, "level": "association", "unit_id": "a"} for r in rows if r["level"] == "nation"
    ]  # fmt: skip
    table = released(made(outcomes=[*rows, *alone]), past)["outcomes"]
    return {f"{r['level']} {r['unit_id']} {r['gender']}": r for r in table.records()}


# --- the table ----------------------------------------------------------------------------------


def test_a_shown_row_is_the_worked_example_of_the_field() -> None:
    """Active 56, ended 23, dropouts 3, then 4, 2, 2, 6, 0, 6: 8 of 20 are 40 %."""
    found = outcomes_of(row("nation 0000 T", 56, 23, 20, 8, target_share=30.0))["nation 0000 T"]
    assert (found["active"], found["ended"], found["status_active"]) == (56, 23, "")
    assert (found["leavers"], found["positive"], found["positive_rate"]) == (20, 8, Decimal("40.0"))
    assert (found["ci_low"], found["ci_high"]) == (Decimal("21.9"), Decimal("61.3"))
    assert (found["distance"], found["reached"]) == (Decimal("10.0"), "unclear")
    assert (found["dropout_months"], found["status"]) == (2, "")


def test_other_periods_are_left_out() -> None:
    half = row("nation 0000 T", 30, 20, 18, 9, period="2026H2", period_kind="half_year")
    table = released(made(outcomes=[row("nation 0000 T", 56, 23, 20, 8), half]))["outcomes"]
    assert [r["period"] for r in table.records()] == ["2026"]


def test_a_hidden_row_has_no_figure_but_what_is_the_same_for_all() -> None:
    found = outcomes_of(
        row("nation 0000 T", 156, 93, 80, 28),
        row("association a T", 100, 60, 55, 20),
        row("association b T", 50, 30, 22, 7),
        row("association c T", 6, 3, 3, 1),
    )
    hidden = {name: r for name, r in found.items() if r["status"] == ".."}
    assert set(hidden) == {"association b T", "association c T"}
    for r in hidden.values():
        assert r["status_active"] == ".."
        told = {c for c, value in r.items() if value not in (None, "", "..", True)}
        assert told == {
            "period", "level", "unit_id", "gender", "source_id", "dropout_months",
            "period_kind", "round",
        }  # fmt: skip


def test_of_few_leavers_a_rate_near_nought_is_a_bracket() -> None:
    found = outcomes_of(row("nation 0000 T", 40, 12, 8, 1))["nation 0000 T"]
    assert (found["leavers"], found["positive"], found["status"]) == (8, None, "[]")
    assert (found["bracket_low"], found["bracket_high"]) == (Decimal("0.0"), Decimal("25.0"))
    assert (found["active"], found["ended"], found["status_active"]) == (40, 12, "")
    few = outcomes_of(row("nation 0000 T", 9, 9, 6, 3))["nation 0000 T"]
    assert (few["active"], few["ended"], few["status_active"]) == (9, None, "[]")


def test_the_audit_reads_what_the_table_tells() -> None:
    rows = [
        row("nation 0000 T", 156, 93, 80, 28),
        row("association a T", 150, 90, 77, 27),
        row("association c T", 6, 3, 3, 1),
    ]
    source = made(
        outcomes=rows,
        measure_results=[],
        key_figures=[],
        key_figure_definitions=[],
    )
    protection = whole.protect(source, {}, RULE)
    shown = whole.figures(protection)
    content = protected.content(source, shown, Past(), RULE)
    empty = Table("", "", "", (), (), {}, (), True)
    others = dict.fromkeys(("measure_results", "key_figures", "key_figure_definitions"), empty)
    content.tables.update(others)  # type: ignore[attr-defined]
    assert whole.audit(content, source, protection, {}, RULE).n_sought > 0
    leaking = {**shown, ("association", "a", counts.LEAVERS, "T"): Told(77, 27, 27)}
    content = protected.content(source, leaking, Past(), RULE)
    content.tables.update(others)  # type: ignore[attr-defined]
    with pytest.raises(whole.ExposedError):
        whole.audit(content, source, protection, {}, RULE)


def test_a_change_is_counted_from_what_the_earlier_year_s_release_shows() -> None:
    now = row("nation 0000 T", 140, 120, 100, 40, comparable=True, previous_period="2025",
              rate_previous=1.0, change=2.0, change_significant=False)  # fmt: skip
    asked = []

    def before(table: str, year: int) -> told.Earlier:
        asked.append((table, year))
        return {("nation", "0000", "T"): (80, 20)}

    found = outcomes_of(now, past=Past(before=before))["nation 0000 T"]
    assert set(asked) == {("outcomes", 2025)}
    assert (found["previous_period"], found["rate_previous"]) == ("2025", Decimal("25.0"))
    assert (found["change"], found["change_significant"]) == (Decimal("15.0"), True)
    silent = outcomes_of(now)["nation 0000 T"]
    assert (silent["previous_period"], silent["rate_previous"], silent["change"]) == (
        "2025", None, None,
    )  # fmt: skip
    broken = outcomes_of({**now, "comparable": False}, past=Past(before=before))["nation 0000 T"]
    assert (broken["comparable"], broken["previous_period"], broken["change"]) == (
        False, None, None,
    )  # fmt: skip


# --- the ways out -------------------------------------------------------------------------------

WAYS = (40, 10, 8, 30, 0, 12)  # work … other: 58 of 100 are positive


def nation(gender: str, *ways: int, active: int = 300) -> dict[str, Any]:
    return row(f"nation 0000 {gender}", active, active, sum(ways), sum(ways[:3]), *ways)


def ways_of(*rows: Mapping[str, Any], before: Sequence[outcomes.WaysOut] = ()) -> dict[str, Any]:
    """The ways out that are told, by gender."""
    found = outcomes_of(*rows, past=Past(ways_out=before))
    told = {
        name[-1]: tuple(r[w] for w in outcomes.ways_out())
        for name, r in found.items()
        if r["level"] == "nation"
    }
    return {gender: ways for gender, ways in told.items() if set(ways) != {None}}


def test_the_nation_s_ways_out_are_told_when_each_is_none_or_enough() -> None:
    assert ways_of(nation("T", *WAYS)) == {"T": WAYS}
    assert ways_of(nation("T", 40, 10, 4, 30, 0, 12)) == {}
    assert ways_of(nation("T", 40, 10, 5, 30, 0, 12)) == {"T": (40, 10, 5, 30, 0, 12)}


def test_no_unit_below_the_nation_tells_its_ways_out() -> None:
    below = row("association a T", 300, 300, 100, 58, *WAYS)
    found = outcomes_of(nation("T", *WAYS), below)
    assert found["association a T"]["leavers"] == 100
    assert {found["association a T"][way] for way in outcomes.ways_out()} == {None}


def test_women_and_men_tell_theirs_when_the_rest_is_none_or_enough_too() -> None:
    women, men = (20, 5, 8, 15, 0, 6), (20, 5, 0, 15, 0, 6)
    both = [nation("K", *women, active=150), nation("M", *men, active=150)]
    assert ways_of(nation("T", *WAYS), *both) == {"T": WAYS, "K": women, "M": men}
    few = (20, 5, 3, 15, 0, 6), (20, 5, 5, 15, 0, 6)
    both = [nation(g, *w, active=150) for g, w in zip("KM", few, strict=True)]
    assert ways_of(nation("T", *WAYS), *both) == {"T": WAYS}
    whole_, women = (46, 10, 8, 30, 0, 15), (20, 5, 8, 15, 0, 6)
    both = [nation("K", *women, active=150), nation("M", 20, 5, 0, 15, 0, 6, active=140)]
    assert ways_of(nation("T", *whole_), *both) == {"T": whole_}, "three others left to another"


def test_two_releases_of_a_round_tell_no_few_by_their_difference() -> None:
    now = dict(zip(outcomes.ways_out(), WAYS, strict=True))
    assert ways_of(nation("T", *WAYS), before=[{"T": now}]) == {"T": WAYS}
    assert ways_of(nation("T", *WAYS), before=[{"T": {**now, "work": 35}}]) == {"T": WAYS}
    assert ways_of(nation("T", *WAYS), before=[{"T": {**now, "work": 36}}]) == {}
    assert ways_of(nation("T", *WAYS), before=[{"T": now}, {"T": {**now, "work": 44}}]) == {}


# --- projects' questions ------------------------------------------------------------------------


def test_a_project_s_question_is_told_for_itself() -> None:
    def asked(level: str, unit: str, n: int, positive: int) -> dict[str, Any]:
        return {
            **{"round": 2026, "level": level, "unit_id": unit, "gender": "T", "n": n},
            **{"questionnaire_id": "staff", "question_id": "bo", "n_positive": positive},
            **{"label_sv": "Bo?", "share": 1.0, "ci_low": 1.0, "ci_high": 1.0, "change": None},
            **{"comparable": False, "previous_round": None, "share_previous": None},
            "change_significant": None,
        }

    rows = [asked("project", "p", 54, 34), asked("association", "a", 33, 20),
            asked("association", "b", 21, 14)]  # fmt: skip
    table = released(made(extra_results=rows))["extra_results"]
    found = {r["unit_id"]: (r["n"], r["share"], r["status"]) for r in table.records()}
    assert found == {"p": (54, Decimal("63.0"), ""), "a": (33, Decimal("60.6"), ""),
                     "b": (21, Decimal("66.7"), "")}  # fmt: skip
    few = [asked("project", "p", 36, 22), rows[1], asked("association", "b", 3, 2)]
    table = released(made(extra_results=few))["extra_results"]
    assert {r["unit_id"]: r["status"] for r in table.records()} == {"p": "", "a": "..", "b": ".."}


# --- reliability --------------------------------------------------------------------------------


def judged(n_complete: int, stability: float | None = None) -> dict[str, Any]:
    return {
        **{"round": 2026, "respondent_group": "participant", "indicator_id": "1", "n_items": 3},
        **{"n_complete": n_complete, "alpha": 0.8449, "alpha_low": -0.125, "alpha_high": 0.875},
        **{"item_total_mean": 0.5, "stability": stability},
    }


def test_alpha_is_told_of_enough_complete_answers_with_two_decimals() -> None:
    (enough,) = released(made(reliability=[judged(30)]))["reliability"].records()
    assert (enough["alpha"], enough["alpha_low"], enough["alpha_high"]) == (
        Decimal("0.84"), Decimal("-0.13"), Decimal("0.88"),
    )  # fmt: skip
    assert enough["status"] == ""
    (few,) = released(made(reliability=[judged(29)]))["reliability"].records()
    assert (few["alpha"], few["item_total_mean"], few["n_items"]) == (None, None, 3)
    assert few["status"] == ".."


def test_stability_is_of_the_shares_that_both_releases_show() -> None:
    """The mart's own, which knows the hidden ones as well, is not told."""
    shares = {"a": 40.0, "b": 50.0, "c": 70.0, "d": 90.0}
    earlier = {"a": 45.0, "b": 40.0, "c": 75.0, "e": 10.0}
    told = [
        {"level": "association", "unit_id": unit, "respondent_group": "participant",
         "indicator_id": "1", "gender": "T", "share": Decimal(share), "status": ""}
        for unit, share in shares.items()
    ]  # fmt: skip
    told.append({**told[0], "unit_id": "e", "share": None, "status": ".."})
    measure = {"level": "nation", "gender": "T", "questionnaire_id": "q", "measure_id": "1a",
               "question_id": "q1", "previous_round": 2025, "comparable": True, "n": 9,
               "n_positive": 3, "unit_id": "0000"}  # fmt: skip
    source = made(
        reliability=[judged(99, stability=0.123)],
        measure_results=[measure],
        measures=[{"measure_id": "1a", "indicator_id": "1"}],
        questionnaires=[{"questionnaire_id": "q", "respondent_group": "participant", "kind": ""}],
    )
    before = {("association", unit, "participant", "1", "T"): Decimal(share)
              for unit, share in earlier.items()}  # fmt: skip
    (found,) = reliability.rows(source, told, lambda year: before if year == 2025 else {})
    wanted = statistics.correlation([40, 50, 70], [45, 40, 75])
    assert found["stability"] == Decimal(str(round(wanted, 2)))
    (found,) = reliability.rows(source, told[:2], lambda year: before)
    assert found["stability"] is None


def test_a_correlation_is_pearson_s() -> None:
    random = Random(3)
    pairs = [(Decimal(random.randint(0, 1000)) / 10, Decimal(random.randint(0, 1000)) / 10)
             for _ in range(50)]  # fmt: skip
    wanted = statistics.correlation(
        *([float(x) for x in side] for side in zip(*pairs, strict=True))
    )
    assert float(told.correlation(pairs) or 0) == pytest.approx(wanted, abs=1e-12)
    falling = [(Decimal(1), Decimal(3)), (Decimal(2), Decimal(2)), (Decimal(3), Decimal(1))]
    assert told.correlation(falling) == -1
    assert told.correlation([(Decimal(1), Decimal(1)), (Decimal(1), Decimal(2))]) is None


# --- targets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "positive", "target", "distance", "reached"),
    [
        (50, 30, 46.0, "14.0", "reached"),
        (50, 30, 46.2, "13.8", "unclear"),
        (50, 30, 72.3, "-12.3", "unclear"),
        (50, 30, 72.5, "-12.5", "not_reached"),
        (3, 1, 33.35, "0.0", "unclear"),
        (3, 2, 66.0, "0.7", "unclear"),
    ],
)
def test_a_target_is_held_against_the_unrounded_interval(
    n: int, positive: int, target: float, distance: str, reached: str
) -> None:
    """30 of 50 is 46.18 to 72.39: as counted by hand with z = 1.96."""
    bounds = told.wilson(n, positive, Z)
    found = told.against(target, Fraction(100 * positive, n), bounds)
    assert found == {"distance": Decimal(distance), "reached": reached}


def test_an_indicator_s_interval_is_the_mean_of_means_of_its_measures() -> None:
    def bound(n: int, positive: int, sign: int) -> float:
        p, z = positive / n, 1.959964
        root = sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return 100 * (p + z * z / (2 * n) + sign * z * root) / (1 + z * z / n)

    groups = [[Told(50, 30, 30), Told(20, 5, 5)], [Told(10, 9, 9)]]
    low, high = told.mean_bounds(groups, Z)
    for sign, found in ((-1, low), (1, high)):
        first = (bound(50, 30, sign) + bound(20, 5, sign)) / 2
        assert float(found) == pytest.approx((first + bound(10, 9, sign)) / 2, abs=1e-9)


# --- references ---------------------------------------------------------------------------------


def test_a_reference_is_declared_where_all_its_values_are_found() -> None:
    """A register study's question is none of the instrument's; nor is a code that only looks so."""

    def table(name: str, key: str, columns: str, *rows: tuple[str, ...]) -> Table:
        named = tuple(Column(column, "text", "", "") for column in columns.split())
        return Table(name, "", "", named, (key,), {}, rows, False)

    measures = table("measures", "measure_id", "measure_id", ("1a",), ("11b",))
    studies = table("studies", "measure_id", "measure_id", ("11b",))
    questions = table("questions", "question_id", "question_id measure_id", ("q1", "1a"))
    results = table("results", "row", "row question_id measure_id", ("1", "q1", "1a"))
    study = table("study", "line", "line question_id measure_id", ("1", "register_11b", "11b"))
    made = {t.name: t for t in (results, study, measures, studies, questions)}
    found = {name: dict(t.references) for name, t in protected._referring(made).items()}
    to_measure = {"measure_id": ("measures", "measure_id")}
    assert found == {
        "results": {**to_measure, "question_id": ("questions", "question_id")},
        "study": to_measure,
        "measures": {},
        "studies": to_measure,
        "questions": to_measure,
    }
