"""The rule of what is shown, by hand and against all ways tiny tables can have come about.

Belongs here: disclosure.py on families made by hand or drawn. Does not: tables and files
(tests/back has the attacker).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pipelines import disclosure
from pipelines.disclosure import BRACKET, SHOWN, Family, Figure, Published, Rule, Told

RULE = Rule(min_answers=5, bracket_below=10, min_width=2)
TINY = Rule(min_answers=3, bracket_below=5, min_width=2)


def exactly(n: int, positive: int) -> Told:
    return Told(n, positive, positive)


def figure(*atoms: str, **more: object) -> Figure:
    return Figure("q", frozenset(atoms), 5, **more)  # type: ignore[arg-type]


def test_fewer_answers_than_the_least_are_hidden() -> None:
    assert disclosure.primary(figure("a"), exactly(4, 2), RULE) is None
    assert disclosure.primary(figure("a"), exactly(5, 3), RULE) is not None
    strict = Figure("q", frozenset("a"), 10)
    assert disclosure.primary(strict, exactly(9, 4), RULE) is None


def test_what_tells_a_small_group_is_hidden_however_large_it_is() -> None:
    assert disclosure.primary(figure("a", tells=True), exactly(500, 250), RULE) is None


@pytest.mark.parametrize(
    ("n", "positive", "told"),
    [
        (5, 0, (0, 2)), (5, 2, (0, 2)), (5, 3, (3, 5)), (9, 9, (7, 9)), (9, 7, (7, 9)),
        (9, 6, (6, 6)), (9, 3, (3, 3)), (10, 10, (10, 10)), (10, 0, (0, 0)),
    ],
)  # fmt: skip
def test_nearly_all_or_none_of_few_are_a_bracket(
    n: int, positive: int, told: tuple[int, int]
) -> None:
    got = disclosure.primary(figure("a"), exactly(n, positive), RULE)
    assert got
    assert (got.n, got.low, got.high) == (n, *told)
    assert got.state == (SHOWN if told[0] == told[1] else BRACKET)


def test_a_least_number_may_be_set_and_else_is_the_seeds() -> None:
    assert disclosure.rule() == RULE
    assert disclosure.rule(8) == Rule(8, 10, 2)


def nation(*counts: tuple[int, int]) -> tuple[Family, list[Told]]:
    """A nation and associations that are one group each."""
    atoms = [f"a{i}" for i in range(len(counts))]
    family = Family(
        "q",
        (figure(*atoms, worth=4), *(figure(atom, worth=2) for atom in atoms)),
        {("q", atom): (atom, *count) for atom, count in zip(atoms, counts, strict=True)},
        {},
    )
    whole = exactly(sum(n for n, _ in counts), sum(p for _, p in counts))
    return family, [whole, *(exactly(*count) for count in counts)]


def test_beside_one_small_group_the_smallest_other_is_hidden_and_the_nation_stays() -> None:
    family, true = nation((40, 20), (12, 6), (4, 2), (30, 15))
    told = disclosure.protect(family, true, [], RULE).told
    assert [t is not None for t in told] == [True, True, False, False, True]


def test_a_small_group_alone_in_the_nation_hides_the_nation() -> None:
    family, true = nation((4, 2))
    assert disclosure.protect(family, true, [], RULE).told == (None, None)


def test_what_is_released_again_says_the_same() -> None:
    family, true = nation((40, 20), (12, 6), (4, 2), (30, 15))
    first = disclosure.protect(family, true, [], RULE)
    assert disclosure.protect(family, true, [first], RULE) == first


def test_a_late_small_group_hides_what_its_difference_to_the_release_before_would_tell() -> None:
    before, true = nation((40, 20), (12, 6), (30, 15))
    first = disclosure.protect(before, true, [], RULE)
    assert None not in first.told
    late, true = nation((40, 20), (12, 6), (30, 15), (3, 2))
    second = disclosure.protect(late, true, [first], RULE)
    assert second.told[0] is None, "the nation less the nation before is the late group"
    assert not disclosure.audit([first, second], RULE).exposed
    as_it_is = Published(late, (true[0], *true[1:4], None))
    assert disclosure.audit([first, as_it_is], RULE).exposed


def by_gender(**counts: tuple[int, int]) -> tuple[Family, list[Told]]:
    """A nation of associations of women and men; `aK` are the women of association a."""
    parts = [(association, 2) for association in sorted({atom[0] for atom in counts})]
    for gender in "KM":
        parts += [(name, 0) for name in (gender, *(a for a in counts if a[1] == gender))]
    groups: dict[frozenset[str], int] = {frozenset(counts): 4}
    for name, worth in parts:
        groups.setdefault(frozenset(atom for atom in counts if name in atom), worth)
    family = Family(
        "q",
        tuple(figure(*atoms, worth=worth) for atoms, worth in groups.items()),
        {("q", atom): (atom, *count) for atom, count in counts.items()},
        {},
    )
    sums = [[sum(counts[a][i] for a in atoms) for i in range(2)] for atoms in groups]
    return family, [exactly(*both) for both in sums]


def test_what_earlier_releases_tell_as_a_difference_is_shown_for_hiding_it_hides_nothing() -> None:
    counts = {"aK": (11, 0), "bK": (10, 9), "bM": (20, 11), "cM": (2, 1), "dK": (16, 4)}
    counts |= {"dM": (15, 4)}
    before, true = by_gender(**counts)
    first = disclosure.protect(before, true, [], RULE)
    told = {f.atoms: t for f, t in zip(before.figures, first.told, strict=True)}
    assert told[frozenset({"bM", "cM", "dM"})] == exactly(37, 16)
    assert told[frozenset({"bM"})] == exactly(20, 11)
    now, true = by_gender(**{atom: count for atom, count in counts.items() if atom[0] != "b"})
    second = disclosure.protect(now, true, [first], RULE)
    men = [f.atoms for f in now.figures].index(frozenset({"cM", "dM"}))
    assert second.told[men] == exactly(37 - 20, 16 - 11), "b is withdrawn; the other men follow"
    assert not disclosure.audit([first, second], RULE).exposed


def test_each_step_tells_less_so_protecting_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """That d has any answers, once it is hidden, is one reason why a is narrow: not to be mended.

    The other is what is told of a, d, e and f together, although it is more than d.
    """
    counts = {"a": 1, "c": 2, "d": 5, "e": 3, "f": 1}
    groups = {"a": 3, "cdf": 3, "acd": 2, "d": 0, "adef": 0}
    family = Family(
        "q",
        tuple(figure(*atoms, worth=worth) for atoms, worth in groups.items()),
        {("q", atom): (atom, n, 0) for atom, n in counts.items()},
        {},
    )
    true = [exactly(sum(counts[atom] for atom in atoms), 0) for atoms in groups]
    choose = disclosure._choice

    def less(
        family: Family, true: list[Told], told: list[Told | None], *more: object, **about: bool
    ) -> dict[int, Told | None]:
        choice = choose(family, true, told, *more, **about)  # type: ignore[arg-type]
        assert any(told[place] != now for place, now in choice.items()), "again, for ever"
        return choice

    monkeypatch.setattr(disclosure, "_choice", less)
    published = disclosure.protect(family, true, [], RULE)
    assert not disclosure.audit([published], RULE).exposed


def test_the_audit_counts_what_earlier_releases_tell_and_this_one_does_not() -> None:
    before, true = nation((5, 1), (4, 1), (40, 20))
    first = disclosure.protect(before, true, [], RULE)
    assert first.told == (exactly(49, 22), None, None, exactly(40, 20))
    now, true = nation((5, 1), (4, 1))
    second = disclosure.protect(now, true, [first], RULE)
    assert second.told == (Told(9, 0, 2), None, None), "of 9 with 2 positive only a bracket"
    verdict = disclosure.audit([first, second], RULE)
    assert (verdict.n_known, verdict.exposed) == (1, ()), "49 - 40 and 22 - 20 tell it"
    assert disclosure.audit([second], RULE).n_known == 0


# --- all ways -----------------------------------------------------------------------------------


def drawn(seed: int) -> tuple[Family, list[Told]]:
    """Two or three associations of one or two activities with women and men, all small."""
    rng = random.Random(seed)
    atoms = [
        (str(association), str(activity), gender)
        for association in range(rng.randint(2, 3))
        for activity in range(rng.randint(1, 2))
        for gender in rng.choice(["K", "M", "KM"])
    ][:5]
    counts = {atom: (n := rng.randint(1, 6), rng.randint(0, n)) for atom in atoms}
    groups: dict[frozenset[object], int] = {frozenset(atoms): 4}
    for atom in atoms:
        for worth, same in ((2, 1), (1, 2)):
            whole = frozenset(a for a in atoms if a[:same] == atom[:same])
            groups[whole] = max(groups.get(whole, 0), worth)
            part = frozenset(a for a in whole if a[2] == atom[2])
            groups.setdefault(part, 0)
    figures = tuple(Figure("q", group, TINY.min_answers, worth) for group, worth in groups.items())
    true = [
        exactly(sum(counts[a][0] for a in g.atoms), sum(counts[a][1] for a in g.atoms))  # type: ignore[index]
        for g in figures
    ]
    return Family("q", figures, {("q", a): (a, *counts[a]) for a in atoms}, {}), true


def ways(published: Published) -> Iterator[dict[object, tuple[int, int]]]:
    """All positive and other answers by atom that agree with what is told; the nation is."""
    family = published.family
    atoms = sorted(atom for _, atom in family.unknowns)
    whole = next(
        t
        for f, t in zip(family.figures, published.told, strict=True)
        if t and len(f.atoms) == len(atoms)
    )
    told = [(f.atoms, t) for f, t in zip(family.figures, published.told, strict=True)]

    def extend(chosen: dict[object, tuple[int, int]]) -> Iterator[dict[object, tuple[int, int]]]:
        rest = whole.n - sum(p + q for p, q in chosen.values())
        if len(chosen) == len(atoms):
            yield chosen
            return
        atom = atoms[len(chosen)]
        for n in range(rest + 1):
            for positive in range(n + 1):
                longer = {**chosen, atom: (positive, n - positive)}
                if all(_agrees(longer, group, t) for group, t in told if group <= longer.keys()):
                    yield from extend(longer)

    yield from extend({})


def _agrees(
    chosen: dict[object, tuple[int, int]], group: frozenset[object], told: Told | None
) -> bool:
    positive = sum(chosen[a][0] for a in group)
    n = positive + sum(chosen[a][1] for a in group)
    return n >= 1 if not told else n == told.n and told.low <= positive <= told.high


def exposed(published: Published, rule: Rule) -> set[tuple[str, frozenset[object]]]:
    """What is too narrow in all ways together."""
    found = list(ways(published))
    narrow = set()
    for one, told in zip(published.family.figures, published.told, strict=True):
        positive = [sum(way[a][0] for a in one.atoms) for way in found]
        other = [sum(way[a][1] for a in one.atoms) for way in found]
        n = [p + q for p, q in zip(positive, other, strict=True)]
        if (not told or told.low < told.high) and max(positive) - min(positive) < rule.min_width:
            narrow.add(("n_positive", one.atoms))
        if not told:
            if max(n) - min(n) < rule.min_width or max(n) < one.min_answers:
                narrow.add(("n", one.atoms))
            if max(other) == min(other):
                narrow.add(("n - n_positive", one.atoms))
    return narrow


def tiny() -> Iterator[tuple[Family, list[Told]]]:
    for seed in range(100_000):
        family, true = drawn(seed)
        if 8 <= true[0].n <= 14:
            yield family, true


@pytest.mark.parametrize("count", [40, pytest.param(500, marks=pytest.mark.long)])
def test_on_tiny_tables_all_ways_agree_with_the_audit(count: int) -> None:
    n_exposed = n_clean = 0
    for (family, true), _ in zip(tiny(), range(count), strict=False):
        primary = [
            disclosure.primary(f, t, TINY) for f, t in zip(family.figures, true, strict=True)
        ]
        only_small = Published(family, tuple(primary))
        audited = disclosure.audit([only_small], TINY)
        assert len(audited.exposed) == len(exposed(only_small, TINY)), family
        n_exposed += bool(audited.exposed)
        safe = disclosure.protect(family, true, [], TINY)
        assert not disclosure.audit([safe], TINY).exposed
        if safe.told[0]:
            assert exposed(safe, TINY) == set(), family
            n_clean += 1
    assert n_exposed > count / 4, "hardly any table needed protection"
    assert n_clean > count / 4, "hardly any nation stayed to be enumerated"
