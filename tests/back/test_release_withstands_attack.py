"""What is really released withstands the attacker: drawn rounds, chains, brute force.

The samples take seconds; the full numbers are marked `long`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from attacker import Findings, attack
from hierarchies import chain, hierarchy
from releasing import release


def many(count: int) -> object:
    return pytest.param(count, id="full", marks=pytest.mark.long)


def complaints(found: Findings) -> list[str]:
    """What the attacker got: figures computed, narrowed or known to be of few, shares of means.

    A figure is n and n_positive. That so many were not positive is none, but to know that nobody
    was is to know the share.
    """
    narrowed = {f: r for f, r in found.narrowed.items() if f.name != "n_negative"}
    exact = {f: r for f, r in found.recovered.items() if f.name == "n_negative"}
    got = {"narrowed": narrowed, "exact": exact, "topped": found.topped, "shares": found.shares}
    return [f"{way} {figure} {what}" for way, them in got.items() for figure, what in them.items()]


@pytest.mark.parametrize("count", [pytest.param(12, id="sample"), many(300)])
def test_no_hidden_figure_of_a_drawn_round_is_computed(count: int, tmp_path: Path) -> None:
    n_hidden = 0
    for seed in range(count):
        counts = hierarchy(seed, outside=seed % 4 == 0)
        release(tmp_path / str(seed), counts)
        found = attack([tmp_path / str(seed)], nothing_outside=seed % 4 != 0)
        assert complaints(found) == [], seed
        n_hidden += len(found.ranges)
    assert n_hidden > 100 * count


@pytest.mark.parametrize("count", [pytest.param(4, id="sample"), many(50)])
def test_nor_from_three_releases_of_a_round_together(count: int, tmp_path: Path) -> None:
    for seed in range(count):
        earlier, folders = [], []
        for number, counts in enumerate(chain(seed, counties=4, associations=3, activities=4)):
            if not counts.answers:
                break  # all were withdrawn: nothing is published
            folders.append(tmp_path / f"{seed}-{number}")
            earlier.append(release(folders[-1], counts, earlier))
            assert complaints(attack(folders)) == [], (seed, number)
