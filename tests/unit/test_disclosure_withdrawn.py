"""A delivery is withdrawn after a release: what that tells of the others, and what may be told now.

Three associations, one question. Release 1 told of the nation, and of the third a bracket; their
difference is the nation of release 2.
"""

import pytest

from pipelines import disclosure
from pipelines.disclosure import Family, Figure, Published, Rule, Told, Verdict

RULE = Rule(min_answers=5, bracket_below=10, min_width=2)
STAYED, TOO, GONE = ("norrby", "", "A"), ("nyby", "", "A"), ("soderby", "", "A")
COUNTS = {STAYED: (6, 5), TOO: (4, 4), GONE: (9, 7)}


def family(*atoms: tuple[str, str, str]) -> Family:
    """The nation and its associations."""
    groups = [frozenset(atoms), *(frozenset({atom}) for atom in atoms)]
    return Family(
        "ending_1a",
        tuple(Figure("ending_1a", group, 5, worth=min(len(group), 2)) for group in groups),
        {("ending_1a", atom): ("ending_1a", atom, *COUNTS[atom]) for atom in atoms},
        {},
    )


FIRST = Published(family(STAYED, TOO, GONE), (Told(19, 16, 16), None, None, Told(9, 7, 9)))
SECOND = family(STAYED, TOO)
TRUE = [Told(10, 9, 9), Told(6, 5, 5), Told(4, 4, 4)]


def audited(nation: Told | None) -> Verdict:
    return disclosure.audit([FIRST, Published(SECOND, (nation, None, None))], RULE)


def test_release_1_hides_what_it_hides() -> None:
    assert disclosure.audit([FIRST], RULE).exposed == ()


def test_it_told_how_many_answers_the_nation_of_release_2_has() -> None:
    public = disclosure._public_before([FIRST, Published(SECOND, (None,) * 3)], RULE)
    assert [(what, left) for (what, _), left in public.items()] == [("n", (0, 10))]


def test_release_2_is_possible_although_the_nation_it_hides_has_a_known_n() -> None:
    made = disclosure.protect(SECOND, TRUE, [FIRST], RULE)
    assert made.told == (None, None, None)
    assert audited(None).exposed == ()


@pytest.mark.parametrize("told", [Told(10, 9, 9), Told(10, 8, 10)])
def test_release_2_may_not_narrow_what_release_1_left_open(told: Told) -> None:
    """The one that is gone had 7 of 9, told as 7 to 9; the nation then has 7 to 9 of 10."""
    assert any("n_positive" in found and "soderby" in found for found in audited(told).exposed)


def test_what_release_1_left_open_may_be_told_as_open() -> None:
    assert audited(Told(10, 7, 9)).exposed == ()
