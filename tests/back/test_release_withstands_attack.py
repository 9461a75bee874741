"""What is really released withstands the attacker: drawn rounds, chains, brute force.

The samples take seconds; the full numbers are marked `long`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from attacker import Findings, attack
from hierarchies import chain, hierarchy
from more_figures import widened
from releasing import release, silent, told


def batches(count: int, size: int) -> list[object]:
    """All the seeds, so many a case: a failure names its seed soon, and two processes share."""
    return [
        pytest.param(
            range(seed, seed + size), id=f"{seed}-{seed + size - 1}", marks=pytest.mark.long
        )
        for seed in range(0, count, size)
    ]


def complaints(found: Findings) -> list[str]:
    """What the attacker got: figures computed, narrowed or known to be of few, shares of means.

    A figure is n and n_positive. To know the rest, who were not positive, within two is none, but
    to know it exactly is.
    """
    narrowed = {f: r for f, r in found.narrowed.items() if f.name != "n_negative"}
    exact = found.recovered
    got = {"narrowed": narrowed, "exact": exact, "topped": found.topped, "shares": found.shares}
    return [f"{way} {figure} {what}" for way, them in got.items() for figure, what in them.items()]


@pytest.mark.parametrize("seeds", [pytest.param(range(12), id="sample"), *batches(300, 10)])
def test_no_hidden_figure_of_a_drawn_round_is_computed(
    seeds: Sequence[int], tmp_path: Path
) -> None:
    n_hidden = 0
    for seed in seeds:
        counts = hierarchy(seed, outside=seed % 4 == 0)
        release(tmp_path / str(seed), counts)
        found = attack([tmp_path / str(seed)], nothing_outside=seed % 4 != 0)
        assert complaints(found) == [], seed
        n_hidden += len(found.ranges)
    assert n_hidden > 100 * len(seeds)


@pytest.mark.parametrize("seeds", [pytest.param((1, 4, 12), id="sample"), *batches(50, 5)])
def test_nor_from_three_releases_of_a_round_together(seeds: Sequence[int], tmp_path: Path) -> None:
    for seed in seeds:
        earlier, folders = [], []
        for number, counts in enumerate(chain(seed, counties=4, associations=3, activities=4)):
            if not counts.answers:
                break  # all were withdrawn: nothing is published
            folders.append(tmp_path / f"{seed}-{number}")
            earlier.append(release(folders[-1], counts, earlier))
            got = complaints(attack(folders))
            if got and number:
                last = silent(tmp_path / f"{seed}-{number}-silent", counts)
                got = not_known_before(got, attack([*folders[:-1], last]))
            assert got == [], (seed, number)


@pytest.mark.parametrize("seeds", [pytest.param((2, 9, 12), id="sample"), *batches(60, 5)])
def test_nor_of_outcomes_projects_studies_and_groups_that_overlap(
    seeds: Sequence[int], tmp_path: Path
) -> None:
    shape = {"counties": 4, "associations": 3, "activities": 4}
    n_hidden = 0
    for seed in seeds:
        drawn = hierarchy(seed, outside=seed % 4 == 0, **shape)
        release(tmp_path / str(seed), widened(drawn, seed))
        found = attack([tmp_path / str(seed)], nothing_outside=seed % 4 != 0)
        assert complaints(found) == [], seed
        n_hidden += sum("outcomes" in figure.key for figure in found.ranges)
    assert n_hidden > 20 * len(seeds)


@pytest.mark.parametrize("seeds", [pytest.param((2,), id="sample"), *batches(30, 3)])
def test_nor_of_those_from_three_releases_together(seeds: Sequence[int], tmp_path: Path) -> None:
    for seed in seeds:
        earlier, folders = [], []
        for number, drawn in enumerate(chain(seed, counties=3, associations=3, activities=3)):
            if not drawn.answers:
                break
            counts = widened(drawn, seed)
            folders.append(tmp_path / f"{seed}-{number}")
            earlier.append(release(folders[-1], counts, earlier))
            got = complaints(attack(folders))
            if got and number:
                last = silent(tmp_path / f"{seed}-{number}-silent", counts)
                got = not_known_before(got, attack([*folders[:-1], last]))
            assert got == [], (seed, number)


@pytest.mark.parametrize(
    ("table", "left_out"), [("outcomes", "association"), ("extra_results", "association")]
)
def test_one_unit_hidden_by_itself_would_be_computed(
    table: str, left_out: str, tmp_path: Path
) -> None:
    """The attack on these figures can succeed: one of them is hidden, and all others are shown."""
    counts = widened(hierarchy(5, counties=4, associations=3, activities=4), 5)
    hidden = told(tmp_path, counts, table, left_out)
    found = attack([tmp_path])
    assert {f.key[:2] for f in found.recovered if f.name == "n"} >= {(left_out, hidden)}


def not_known_before(got: list[str], before: Findings) -> list[str]:
    """The complaints that a last release adds to what those before it tell of the same figures.

    With a delivery withdrawn, a group that is new in the last one may be a difference of groups
    that were shown: seed 4 has the nation's ending_6b as 48 + 57 + 39 - 41, the positive answers of
    a municipality, of short and of long activities, and of those that are in both. Nothing told now
    takes that back, so it must only not become narrower. That a group is small is always a
    complaint: its parts were small when they were hidden, and had to be able to be many.
    """
    known = {one for one in complaints(before) if not one.startswith("topped")}
    return [one for one in got if one not in known]
