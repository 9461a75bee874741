"""The attacker bites, and claims nothing false: against truth, brute force and planted leaks.

The samples take seconds; the full numbers are marked `long` (`pytest -m long`).
"""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import brute
import leaks
import pytest
from attacker import Figure, Findings, attack
from hierarchies import (
    GROUPS,
    HIDDEN,
    KEYS,
    Answers,
    Hierarchy,
    Key,
    Question,
    Returned,
    Source,
    Tables,
    all_but_nation,
    answers_in,
    chain,
    hierarchy,
    key_of,
    only_small,
    roll_up,
    truth,
    write_release,
)
from unknowns import Asked, Contradiction, System, ranges

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
FEW = pytest.param(20, id="sample")


def many(count: int) -> object:
    return pytest.param(count, id="full", marks=pytest.mark.long)


# Truth


def some_hidden(
    tables: Tables, seed: int, min_answers: int = 5, part: float = 0.5
) -> dict[Key, str | tuple[int, int]]:
    """The small rows, and a random part of the others, hidden or in a bracket."""
    random = Random(seed)
    hidden: dict[Key, str | tuple[int, int]] = dict(only_small(tables, min_answers))
    for name in ("measure_results", "indicator_results", "key_figures", "response_rates"):
        for row in tables.get(name, []):
            key, n = key_of(name, row), answers_in(row)
            if n and random.random() < part:
                hidden[key] = HIDDEN
            elif name == "measure_results" and n and key not in hidden and random.random() < 0.2:
                low = random.randint(0, row["n_positive"])
                hidden[key] = (low, random.randint(row["n_positive"], n))
    return hidden


def false_claims(found: Findings, rounds: list[Hierarchy]) -> list[Figure]:
    """Figures whose true value is outside the range that was computed."""
    true = [truth(roll_up(one)) for one in rounds]
    return [
        figure
        for figure, (low, high) in found.ranges.items()
        if not low <= true[figure.release - 1][(figure.table, figure.key), figure.name] <= high
    ]


@pytest.mark.parametrize("count", [FEW, many(200)])
def test_no_hidden_figure_is_outside_the_range_computed_for_it(count: int, tmp_path: Path) -> None:
    for seed in range(count):
        outside = seed % 3 == 0
        counts = hierarchy(seed, counties=3, associations=3, activities=4, outside=outside)
        tables = roll_up(counts)
        hidden = some_hidden(tables, seed)
        folder = write_release(tmp_path / str(seed), tables, hidden, counts.deliveries)
        found = attack([folder], nothing_outside=not outside, exact=True)
        assert found.ranges
        assert false_claims(found, [counts]) == [], seed


@pytest.mark.parametrize("count", [pytest.param(6, id="sample"), many(50)])
def test_nor_in_a_chain_of_three_releases(count: int, tmp_path: Path) -> None:
    exact: Counter[int] = Counter()
    for seed in range(count):
        rounds = list(chain(seed, counties=3, associations=3, activities=3))
        folders = []
        for number, counts in enumerate(rounds):
            tables, folder = roll_up(counts), tmp_path / f"{seed}-{number}"
            hidden = some_hidden(tables, 10 * seed + number)
            folders.append(write_release(folder, tables, hidden, counts.deliveries))
        found = attack(folders, exact=True)
        assert false_claims(found, rounds) == [], seed
        exact[3] += len(found.recovered)
        exact[1] += sum(len(attack([folder], exact=True).recovered) for folder in folders)
    assert exact[3] > exact[1], "three releases together tell more than each of them"


@pytest.mark.parametrize("count", [FEW, many(300)])
def test_with_only_small_groups_hidden_more_than_a_quarter_is_recovered(
    count: int, tmp_path: Path
) -> None:
    n_hidden = n_recovered = 0
    for seed in range(count):
        counts = hierarchy(seed)
        tables = roll_up(counts)
        folder = write_release(tmp_path / str(seed), tables, only_small(tables), counts.deliveries)
        found = attack([folder])
        true = truth(tables)
        for figure, computed in found.recovered.items():
            assert computed == true[(figure.table, figure.key), figure.name], (seed, figure)
        n_hidden += len(found.ranges)
        n_recovered += len(found.recovered)
    assert n_recovered > n_hidden / 4, f"{n_recovered} of {n_hidden}"


def test_every_hidden_figure_is_asked_for(tmp_path: Path) -> None:
    counts = hierarchy(1)
    tables = roll_up(counts)
    hidden = some_hidden(tables, 1)
    folder = write_release(tmp_path / "1", tables, hidden, counts.deliveries)
    expected = {
        (key, name)
        for key, name in truth(tables)
        if key in hidden and (hidden[key] == HIDDEN or name != "n")
    }
    found = attack([folder])
    assert {((figure.table, figure.key), figure.name) for figure in found.ranges} == expected


def test_looking_no_further_than_needed_changes_no_verdict(tmp_path: Path) -> None:
    for seed in range(6):
        counts = hierarchy(seed, counties=3, associations=3, activities=4)
        tables = roll_up(counts)
        hidden = some_hidden(tables, seed)
        folder = write_release(tmp_path / str(seed), tables, hidden, counts.deliveries)
        quick, exact = attack([folder]), attack([folder], exact=True)
        for verdict in ("recovered", "narrowed", "topped", "topped_positive", "shares"):
            assert getattr(quick, verdict) == getattr(exact, verdict), (seed, verdict)


# Brute force

PARTICIPANTS = (Question("ending_1a", "participant_ending", "1a", "1"),)
BASE = (Question("staff_a", "staff", "1a", "1"), Question("staff_b", "staff", "1b", "2", "staff_a"))
MEAN = (Question("staff_a", "staff", "1a", "1"), Question("staff_b", "staff", "1b", "1"))
TINY_ANSWERS = 2
"""The smallest number of answers shown of tiny tables."""


def tiny_tables() -> Iterator[tuple[int, Hierarchy, Tables, dict[Key, str | tuple[int, int]]]]:
    """Seeds, rounds, tables and hidden rows; the nation's totals are always shown."""
    for seed in range(100_000):
        questions = (PARTICIPANTS, BASE, MEAN)[seed % 3]
        counts = hierarchy(seed, questions, 2, 2, 2, size=1.6)
        if 0 < sum(one.returned for one in counts.returned) <= 20 and len(counts.answers) <= 12:
            tables = {**roll_up(counts), "response_rates": [], "national_results": []}
            hidden = some_hidden(tables, seed, TINY_ANSWERS, part=0.8)
            for key in list(hidden):
                if key[0] == "measure_results" and key[1][0] == "nation" and key[1][-1] == "T":
                    del hidden[key]
            yield seed, counts, tables, hidden


@pytest.mark.parametrize("count", [pytest.param(40, id="sample"), many(500)])
def test_the_attackers_ranges_hold_those_of_brute_force(count: int, tmp_path: Path) -> None:
    n_equal = n_figures = n_wide = done = 0
    for seed, counts, tables, hidden in tiny_tables():
        try:
            exact = brute.ranges(counts, hidden, TINY_ANSWERS)
        except brute.TooManyError:
            continue
        folder = write_release(tmp_path / str(seed), tables, hidden, counts.deliveries)
        found = attack([folder], TINY_ANSWERS, exact=True)
        computed = {((f.table, f.key), f.name): ends for f, ends in found.ranges.items()}
        assert computed.keys() == exact.keys(), seed
        for figure, (low, high) in computed.items():
            assert low <= exact[figure][0] <= exact[figure][1] <= high, (seed, figure)
            n_equal += (low, high) == exact[figure]
            n_wide += low < high
        n_figures += len(exact)
        done += 1
        if done == count:
            break
    assert done == count
    # The rest are pairs of hidden shares under one mean, where whole numbers say more than lines.
    assert n_equal > 0.9 * n_figures, f"{n_equal} of {n_figures}"
    assert n_wide > n_figures / 8, "too little is left open to compare"


def test_brute_force_by_hand() -> None:
    """Two activities with 1 of 1 and 2 of 3 positive answers; only the nation, 3 of 4, is shown."""
    sources = tuple(Source("f01a", "01", activity, "") for activity in ("A1", "A2"))
    answers = tuple(
        Answers(source, "other", "staff_a", n, positive)
        for source, (n, positive) in zip(sources, [(1, 1), (3, 2)], strict=True)
    )
    returned = tuple(Returned(source, "other", "staff", 3) for source in sources)
    counts = Hierarchy(BASE[:1], sources, {}, answers, returned, {})
    first = ("measure_results", ("activity", "f01a/A1", "staff", "1a", "T"))
    second = ("measure_results", ("activity", "f01a/A2", "staff", "1a", "T"))
    means = {
        key: HIDDEN
        for row in roll_up(counts)["indicator_results"]
        if (key := key_of("indicator_results", row))
    }
    either = {"n": (0, 4), "n_positive": (0, 3), "n_negative": (0, 1)}
    assert brute.ranges(counts, {**means, first: HIDDEN, second: HIDDEN}, TINY_ANSWERS) == {
        (key, name): ends for key in (first, second) for name, ends in either.items()
    }
    assert brute.ranges(counts, {**means, first: HIDDEN, second: (1, 3)}, TINY_ANSWERS) == {
        (first, "n"): (1, 1),
        **{(first, name): (0, 1) for name in ("n_positive", "n_negative")},
        (second, "n_positive"): (2, 3),
        (second, "n_negative"): (0, 1),
    }


# Leaks


@pytest.mark.parametrize("count", [pytest.param(10, id="sample"), many(100)])
def test_every_planted_leak_is_found_where_without_it_nothing_is(
    count: int, tmp_path: Path
) -> None:
    planted: Counter[str] = Counter()
    seed = 0
    while planted.total() < count:
        seed += 1
        planter = leaks.PLANTERS[planted.total() % len(leaks.PLANTERS)]
        round_ = leaks.drawn(hierarchy(seed, counties=4, associations=3, activities=4))
        leak = planter(round_, Random(seed))
        if leak is None or not attack(leaks.write(tmp_path / f"safe{seed}", round_, None)).is_clean:
            continue
        folders = leaks.write(tmp_path / str(seed), round_, leak)
        if not all(attack([folder]).is_clean for folder in folders[:-1]):
            continue
        found = attack(folders)
        recovered = {
            (figure.release, (figure.table, figure.key), figure.name): value
            for figure, value in found.recovered.items()
        }
        for told in leak.exact:
            value = leaks.value(round_, told)
            assert recovered.get((len(folders), *told)) == value, (seed, planter.__name__, told)
        topped = {(figure.table, figure.key) for figure in found.topped}
        assert topped.issuperset(leak.topped), (seed, planter.__name__)
        planted[planter.__name__] += 1
    assert len(planted) == len(leaks.PLANTERS)


# What is no matter of programs


def released(folder: Path, tables: Tables, counts: Hierarchy) -> Path:
    return write_release(folder, tables, all_but_nation(tables), counts.deliveries)


@pytest.fixture
def safe() -> tuple[Hierarchy, Tables]:
    counts = hierarchy(0)
    return counts, roll_up(counts)


def test_a_figure_left_in_a_hidden_row_is_found(
    safe: tuple[Hierarchy, Tables], tmp_path: Path
) -> None:
    counts, tables = safe
    hidden = all_but_nation(tables)
    row = next(r for r in tables["measure_results"] if key_of("measure_results", r) in hidden)
    for one in tables["measure_results"]:
        one["ci_low"] = "7,5" if one is row else None
    found = attack([released(tmp_path / "1", tables, counts)])
    assert [figure.key for figure in found.unmasked] == [key_of("measure_results", row)[1]]
    assert not found.is_clean


def by_hand(*answers: tuple[str, int, int]) -> Hierarchy:
    """One activity's participants by gender: n and n_positive of one question."""
    source = Source("f01a", "01", "A1", "")
    return Hierarchy(
        PARTICIPANTS,
        (source,),
        {},
        tuple(Answers(source, gender, "ending_1a", n, positive) for gender, n, positive in answers),
        tuple(Returned(source, gender, "participant_ending", n) for gender, n, _ in answers),
        {"f01a": "00"},
    )


def everything(tables: Tables) -> dict[Key, str]:
    return {key_of(name, row): HIDDEN for name in KEYS for row in tables[name]}


def ending(level: str, unit: str, gender: str) -> Key:
    return "measure_results", (level, unit, "participant_ending", "1a", gender)


def test_a_nation_hidden_in_one_table_and_shown_in_the_other_is_found(tmp_path: Path) -> None:
    counts = by_hand(("K", 10, 7), ("M", 6, 3))
    tables = roll_up(counts)
    for row in tables["national_results"]:
        row["n_questionnaires"] = None
    hidden = everything(tables)
    assert attack([write_release(tmp_path / "1", tables, hidden, counts.deliveries)]).is_clean
    del hidden["national_results", ("measure", "1a", "participant_ending", "T")]
    found = attack([write_release(tmp_path / "2", tables, hidden, counts.deliveries)])
    for level, unit in (("nation", "0000"), ("county", "0001"), ("activity", "f01a/A1")):
        figure = Figure(1, *ending(level, unit, "T"), "n")
        assert found.recovered[figure] == 16
        assert found.recovered[figure._replace(name="n_positive")] == 10


def test_few_that_a_shown_gender_leaves_are_of_the_other_gender(tmp_path: Path) -> None:
    counts = by_hand(("K", 10, 7), ("M", 2, 1))
    tables = roll_up(counts)
    hidden = everything(tables)
    for gender in ("T", "K"):
        del hidden[ending("activity", "f01a/A1", gender)]
    found = attack([write_release(tmp_path / "1", tables, hidden, counts.deliveries)])
    men = Figure(1, *ending("activity", "f01a/A1", "M"), "n")
    assert found.ranges[men] == (2, 2)
    assert found.ranges[men._replace(name="n_positive")] == (1, 1)


def test_few_others_beside_a_shown_split_are_found(tmp_path: Path) -> None:
    for seed in range(100):
        counts = hierarchy(seed)
        tables = roll_up(counts)
        rows = {key_of("measure_results", row): row for row in tables["measure_results"]}
        for key, row in rows.items():
            split = [(key[0], (*key[1][:-1], gender)) for gender in "KM"]
            women, men = (rows[one]["n"] if one in rows else 0 for one in split)
            if key[1][-1] == "T" and min(women, men) >= 5 and 0 < row["n"] - women - men < 5:
                hidden = all_but_nation(tables)
                for one in (key, *split):
                    hidden.pop(one, None)
                folder = write_release(tmp_path / "1", tables, hidden, counts.deliveries)
                found = attack([folder])
                assert key[1] in [figure.key for figure in found.small_others]
                return
    raise AssertionError("no round has few others")


def test_tables_that_do_not_add_up_are_refused(
    safe: tuple[Hierarchy, Tables], tmp_path: Path
) -> None:
    counts, tables = safe
    next(row for row in tables["measure_results"] if row["level"] == "county")["n"] += 1
    with pytest.raises(Contradiction):
        attack([write_release(tmp_path / "1", tables, only_small(tables), counts.deliveries)])


# Ranges


def test_ranges_by_hand() -> None:
    system = System()
    a, b, c, d = (system.column() for _ in range(4))
    system.row([(a, 1.0), (b, 1.0)], 7, 7)
    system.row([(a, 2.0)], high=9.0)  # a whole number: at most 4, not 4.5
    system.row([(b, 1.0), (c, 1.0)], 5, 5)
    system.bound(d, 3, 3)
    exact = [Asked(columns, width=float("inf")) for columns in ((a,), (b,), (c,), (d,), (a, d))]
    assert ranges(system, exact) == [(2, 4), (3, 5), (0, 2), (3, 3), (5, 7)]


def test_a_wide_sum_needs_no_exact_range_and_a_narrow_one_gets_it() -> None:
    system = System()
    a, b, c = (system.column() for _ in range(3))
    system.row([(a, 1.0), (b, 1.0), (c, 1.0)], 100, 100)
    system.row([(c, 1.0)], high=3.0)
    (low, high), narrow = ranges(system, [Asked((a,), top=5), Asked((c,), top=5)])
    assert high - low >= 2 and high >= 5
    assert narrow == (0, 3)


def test_numbers_that_cannot_be_are_refused() -> None:
    system = System()
    a, b = system.column(), system.column()
    system.row([(a, 1.0), (b, 1.0)], 3, 3)
    system.row([(a, 1.0)], low=4.0)
    with pytest.raises(Contradiction):
        ranges(system, [Asked((b,))])
    with pytest.raises(Contradiction):
        system.bound(a, 0.2, 0.8)


# Size


def national() -> Hierarchy:
    """A round of the size of the nation's: some 41 associations and 330 activities."""
    with (SEEDS / "measures.csv").open(encoding="utf-8", newline="") as file:
        indicators = {row["measure_id"]: row["indicator_id"] for row in csv.DictReader(file)}
    with (SEEDS / "questions.csv").open(encoding="utf-8", newline="") as file:
        questions = tuple(
            Question(
                row["question_id"],
                row["questionnaire_id"],
                row["measure_id"],
                indicators[row["measure_id"]],
                row["base_question_id"] or None,
            )
            for row in csv.DictReader(file)
            if row["questionnaire_id"] in GROUPS and not row["last_round"]
        )
    counts = hierarchy(10, questions, counties=21, associations=3, activities=15, size=3.0)
    assert len(counts.deliveries) == 40
    assert sum(source.activity != "" for source in counts.sources) == 333
    return counts


@pytest.mark.long
def test_a_national_round_takes_less_than_two_minutes(tmp_path: Path) -> None:
    counts = national()
    tables = roll_up(counts)
    hidden: dict[Key, str] = only_small(tables)
    for name in ("measure_results", "indicator_results", "response_rates"):
        for row in tables[name]:
            few = {"activity": 15, "association": 20}.get(row["level"], 0)
            is_part = few and (row.get("gender", "T") != "T" or name == "indicator_results")
            if answers_in(row) < few or is_part:
                hidden[key_of(name, row)] = HIDDEN
    folder = write_release(tmp_path / "1", tables, hidden, counts.deliveries)
    start = time.process_time()
    found = attack([folder])
    assert time.process_time() - start < 120
    assert len(found.ranges) > 50_000
    true = truth(tables)
    assert found.recovered
    for figure, computed in found.recovered.items():
        assert computed == true[(figure.table, figure.key), figure.name]
