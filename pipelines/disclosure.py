"""Disclosure control: which figures of a round may be shown so that no hidden one can be computed.

Belongs here: the rule, choosing what is hidden, and the audit of what would be published. Does not:
tables and their rows (release/protected.py), or linear programs (bounds.py).

A figure is (n, n_positive) of one question in one group. Groups are made of atoms, the smallest
groups there are: respondents of one gender in one activity. A figure is the sum over its atoms;
so everything that is published, in this release and the earlier ones of the round, is a linear fact
about the same unknowns. That a group has nobody of a gender is taken to be known to everybody.

1. Primary: a figure with 0 < n < T is hidden, and the split by gender where the third group is
   that small. With few answers a share near 0 or 100 % becomes a bracket: n, and a range of shares.
2. Complementary: as long as a reader can narrow what is hidden too far, the cheapest figure that
   makes it possible becomes a bracket or is hidden too.
3. Audit: the same question again, from nothing but what would be published.

Neither n nor n_positive of a hidden figure, nor n_positive of a bracket, may be narrowed below
`min_width`; n of a hidden figure may not be known to be below T, nor its share to be 100 %.

Where earlier releases by themselves tell more than that, nothing can take it back. Such as: one
told of the nation and of an association whose delivery is withdrawn since; their difference is the
nation now. What they tell exactly is shown, if it is large enough: to hide it would promise what
cannot be kept. Of any other such figure a release may tell nothing that they do not. No group too
small to show comes out this way: what is hidden in it was hidden then, and had to be able to be T.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pipelines.bounds import Exposed, Fact, Knowledge, Sought
from pipelines.instrument import seed_rows
from pipelines.settings import SEEDS

SHOWN, HIDDEN, BRACKET = "", "..", "[]"
_TOLERANCE = 1e-6

Atom = Any
Unknown = Any
"""One question's answers of one atom; two releases share it where the answers are the same."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The thresholds, from the seed `disclosure`.

    Attributes:
        min_answers: T, the least n that is shown.
        bracket_below: under this n a share near 0 or 100 % is a bracket.
        min_width: the least width of what can be computed about a figure that is not shown.
    """

    min_answers: int
    bracket_below: int
    min_width: int


def rule(min_answers: int | None = None, seeds: Path = SEEDS) -> Rule:
    """The rule of the seed, with another T when one is given."""
    names = [field.name for field in fields(Rule)]
    rows = (row for row in seed_rows("disclosure", seeds) if row["rule"] in names)
    values = {row["rule"]: int(row["value"]) for row in rows}
    return Rule(**values | ({"min_answers": min_answers} if min_answers else {}))


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader is told of a figure: n, and the least and most positive answers."""

    n: int
    low: int
    high: int

    @property
    def state(self) -> str:
        """SHOWN when the positive answers are told, else BRACKET."""
        return SHOWN if self.low == self.high else BRACKET


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: all cells of a release that are the sum over the same atoms.

    Attributes:
        question: whose answers.
        atoms: the group, without the atoms that have no answer.
        min_answers: T of the strictest of its cells.
        worth: how much its cells are asked for; of two figures the one of less worth is hidden.
        is_published: False for what has no cell but must not be computed either.
        tells: whether a small group follows from it: the third gender, or those asked further.
    """

    question: str
    atoms: frozenset[Atom]
    min_answers: int
    worth: int = 0
    is_published: bool = True
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Questions that say something of each other, and all figures about them in one release.

    Attributes:
        name: for messages and the order of things.
        figures: the figures; those without answers are left out.
        unknowns: an atom with answers to a question → the unknown.
        bases: a question → the one whose positive answers it builds on.
        companions: places of figures of the same group; where one is hidden, all are.
    """

    name: str
    figures: tuple[Figure, ...]
    unknowns: Mapping[tuple[str, Atom], Unknown]
    bases: Mapping[str, str]
    companions: tuple[frozenset[int], ...] = ()

    def unknowns_of(self, figure: Figure) -> frozenset[Unknown]:
        """What a figure is the sum of."""
        keys = ((figure.question, atom) for atom in figure.atoms)
        return frozenset(self.unknowns[key] for key in keys)


@dataclass(frozen=True, slots=True)
class Published:
    """A family as a release shows it: what is told of each figure, None where it is hidden."""

    family: Family
    told: tuple[Told | None, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an audit of a family found.

    Attributes:
        n_sought: ranges that had to be wide enough.
        n_known: those of them that earlier releases by themselves leave narrower, and this one no
            narrower still.
        exposed: descriptions of those that were not.
    """

    n_sought: int
    n_known: int
    exposed: tuple[str, ...]


class UnprotectableError(Exception):
    """Something can be computed whatever is hidden now."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "Tidigare publiceringar av omgången visar så mycket att det som nu ska döljas kan "
            f"räknas fram ({what}). Ingen publicering är gjord. Har gränsen för minsta antal svar "
            "höjts sedan dess? Sätt den som förut, eller hör av dig till dem som sköter "
            "programmet."
        )


# --- choosing what is hidden --------------------------------------------------------------------


def primary(figure: Figure, true: Told, rule: Rule) -> Told | None:
    """What is told of a figure seen for itself.

    Source of the rule: the issue; T is the usual number of owners of surveys in Kolada.
    """
    if true.n < figure.min_answers or figure.tells or not figure.is_published:
        return None
    if true.n < rule.bracket_below and is_extreme(true, rule):
        return bracket(true, rule)
    return true


def is_extreme(true: Told, rule: Rule) -> bool:
    """Whether nearly all or nearly no answers are positive: within the least width."""
    return min(true.low, true.n - true.low) <= rule.min_width


def bracket(true: Told, rule: Rule) -> Told:
    """A figure of which only a range of positive answers is told."""
    if true.n <= 2 * rule.min_width:
        return Told(true.n, 0, true.n)
    if true.low <= rule.min_width:
        return Told(true.n, 0, rule.min_width)
    return Told(true.n, true.n - rule.min_width, true.n)


def protect(
    family: Family, true: Sequence[Told], earlier: Sequence[Published], rule: Rule
) -> Published:
    """What may be told of each figure of a family, so that nothing hidden can be computed.

    Args:
        family: the figures.
        true: what they are, in the same order.
        earlier: what earlier releases of the round told of the same questions.
        rule: the thresholds.

    Raises:
        UnprotectableError: nothing that can be hidden is enough.
    """
    told: list[Told | None] = [None] * len(true)
    public = _public_before([*earlier, Published(family, tuple(told))], rule)
    before = _told_before(earlier)
    first: list[Told | None] = []
    settled: set[int] = set()
    for place, figure in enumerate(family.figures):
        alone = primary(figure, true[place], rule)
        unknowns = family.unknowns_of(figure)
        if alone and unknowns in before:
            alone = before[unknowns]
            settled.add(place)
        elif alone and _follows(unknowns, public):
            settled.add(place)
        first.append(alone)
    kept = {place for place in settled if first[place]}
    family = replace(family, companions=tuple(c - kept for c in family.companions))
    for stage in _stages(family):
        hidden = {p for p in stage if not first[p]}
        hidden |= {other for p in hidden for other in _hidden_with(family, p)}
        for place in stage - hidden:
            told[place] = first[place]
        _hide_what_tells(family, true, told, stage - settled, earlier, public, rule)
    return Published(family, tuple(told))


def _stages(family: Family) -> Iterator[set[int]]:
    """The figures by what they are worth, most first: what is shown early stays."""
    places = range(len(family.figures))
    for worth in sorted({figure.worth for figure in family.figures}, reverse=True):
        yield {place for place in places if family.figures[place].worth == worth}


def _hide_what_tells(
    family: Family,
    true: Sequence[Told],
    told: list[Told | None],
    stage: Set[int],
    earlier: Sequence[Published],
    public: Public,
    rule: Rule,
) -> None:
    """Tells less of the figures of a stage until nothing hidden can be computed.

    All that is of more worth stays as it is: without the stage's figures it told too little.
    """
    reader = _Reader([*earlier, Published(family, tuple(told))], rule, public)
    while exposed := reader.knowledge.exposed():
        changed: set[int] = set()
        for found in exposed:
            limiting = [p for p in reader.limiting(found) if p in stage]
            if not changed.isdisjoint(limiting):
                continue  # what was just changed may be enough
            # where none of them tells anything, it is narrow among whole numbers or because all
            # that is hidden has answers; then anything may be why
            candidates = [p for p in limiting if told[p]] or [p for p in sorted(stage) if told[p]]
            if candidates:
                choice = _choice(
                    family, true, told, candidates, rule, is_about_n=reader.is_about_n(found)
                )
                for place, less in choice.items():
                    told[place] = less
                    reader.widen(place, less)
                changed |= set(choice)
        if not changed:
            raise UnprotectableError(f"{family.name}: {reader.describe(exposed[0])}")


def _choice(
    family: Family,
    true: Sequence[Told],
    told: Sequence[Told | None],
    candidates: Sequence[int],
    rule: Rule,
    *,
    is_about_n: bool,
) -> dict[int, Told | None]:
    """What is told less of: a bracket where one may be enough, else the smallest is hidden."""

    def size(place: int) -> tuple[int, int]:
        return true[place].n, place

    if not is_about_n:
        extreme = [p for p in candidates if told[p] == true[p] and is_extreme(true[p], rule)]
        if extreme:
            place = min(extreme, key=size)
            return {place: bracket(true[place], rule)}
    place = min(candidates, key=size)
    return dict.fromkeys([place, *_hidden_with(family, place)])


def _told_before(earlier: Sequence[Published]) -> dict[frozenset[Unknown], Told | None]:
    """What was told of sums of the same unknowns; what was ever shown cannot be taken back."""
    told: dict[frozenset[Unknown], Told | None] = {}
    for release in earlier:
        for figure, now in zip(release.family.figures, release.told, strict=True):
            unknowns = release.family.unknowns_of(figure)
            if figure.is_published and not (told.get(unknowns) and not now):
                told[unknowns] = now
    return told


def _follows(unknowns: frozenset[Unknown], public: Public) -> bool:
    """Whether earlier releases tell all of a figure, as a difference of others; so it is told."""
    unsaid = (1, 0)
    return all(public.get((what, unknowns), unsaid)[0] == 0 for what in ("n", "n_positive"))


def _hidden_with(family: Family, place: int) -> set[int]:
    """The figures that are hidden where the one at a place is."""
    return {p for companions in family.companions if place in companions for p in companions}


# --- the audit ----------------------------------------------------------------------------------


def audit(published: Sequence[Published], rule: Rule) -> Verdict:
    """Whether what releases of a round show of a family leaves all that is hidden wide enough."""
    public = _public_before(published, rule)
    reader = _Reader(published, rule, public)
    exposed = tuple(reader.describe(found) for found in reader.knowledge.exposed())
    return Verdict(len(reader.sought), len(public.keys() & set(reader.sought)), exposed)


# --- what a reader knows ------------------------------------------------------------------------

Public = Mapping[tuple[str, frozenset[Unknown]], tuple[int, int]]
"""What is sought of which unknowns → the width and the top that earlier releases leave it."""


def _public_before(published: Sequence[Published], rule: Rule) -> Public:
    """What all releases but the last tell too much of, each figure of the last among it."""
    *earlier, last = published
    if not earlier:
        return {}
    silent = Published(last.family, (None,) * len(last.told))
    reader = _Reader([*earlier, silent], rule, {})
    public = {}
    for found in reader.knowledge.exposed():
        low, high = math.ceil(found.low - _TOLERANCE), math.floor(found.high + _TOLERANCE)
        public[reader.sought[found.index]] = (high - low, high)
    return public


class _Reader:
    """A reader of the releases of a round, as far as one family goes; the last one may change."""

    def __init__(self, published: Sequence[Published], rule: Rule, public: Public) -> None:
        self._rule = rule
        self._public = public
        self._current = published[-1].family
        names = {u: None for p in published for u in p.family.unknowns.values()}
        self._numbers = {name: number for number, name in enumerate(names)}
        self._before = _told_before(published[:-1])
        self._facts: list[Fact] = []
        self._fact_of: dict[int, tuple[int, int]] = {}
        self._figure_of: dict[int, int] = {}
        self._meaning: list[tuple[str, Figure]] = []
        self.sought: list[tuple[str, frozenset[Unknown]]] = []
        for release in published:
            self._tell(release, is_last=release is published[-1])
        seed = zlib.crc32(self._current.name.encode())
        self.knowledge = Knowledge(2 * len(names), self._facts, seed)
        for release in published:
            for figure, told in zip(release.family.figures, release.told, strict=True):
                self._seek(release.family, figure, told)

    def limiting(self, found: Exposed) -> list[int]:
        """The figures of the last release that keep a range narrow and may be hidden."""
        return sorted({self._figure_of[fact] for fact in found.facts if fact in self._figure_of})

    def is_about_n(self, found: Exposed) -> bool:
        return self._meaning[found.index][0] == "n"

    def describe(self, found: Exposed) -> str:
        what, figure = self._meaning[found.index]
        group = ", ".join(sorted(map(str, figure.atoms))[:3])
        return f"{figure.question} {what} [{found.low:g}, {found.high:g}] of {group}"

    def widen(self, index: int, told: Told | None) -> None:
        """Tells less of a figure of the last release."""
        if index not in self._fact_of:
            return  # nothing was told of it from the start
        total, positive = self._fact_of[index]
        if told:
            self.knowledge.forget(positive, told.low, told.high)
        else:
            is_some = self._current.figures[index].question not in self._current.bases
            self.knowledge.forget(total, 1.0 if is_some else 0.0)
            self.knowledge.forget(positive)
        self._seek(self._current, self._current.figures[index], told)

    # --- facts ------------------------------------------------------------------------------

    def _positive(self, family: Family, question: str, atoms: Iterable[Atom]) -> list[int]:
        keys = ((question, atom) for atom in atoms)
        return sorted(2 * self._numbers[family.unknowns[k]] for k in keys if k in family.unknowns)

    def _all(self, family: Family, question: str, atoms: Iterable[Atom]) -> list[int]:
        positive = self._positive(family, question, atoms)
        return [u for p in positive for u in (p, p + 1)]

    def _tell(self, release: Published, *, is_last: bool) -> None:
        family = release.family
        for index, (figure, told) in enumerate(zip(family.figures, release.told, strict=True)):
            if told:
                facts = self._tell_figure(family, figure, told)
                if is_last:
                    self._fact_of[index] = facts
                    self._figure_of |= dict.fromkeys(facts, index)
            elif figure.is_published and figure.question not in family.bases:
                everybody = self._all(family, figure.question, figure.atoms)
                self._tell_sum(everybody, 1, float("inf"))  # without answers it would be shown
        for question, base in family.bases.items():
            self._tell_base(family, question, base)

    def _tell_figure(self, family: Family, figure: Figure, told: Told) -> tuple[int, int]:
        """The numbers of the facts about n and about n_positive."""
        total = self._tell_sum(self._all(family, figure.question, figure.atoms), told.n, told.n)
        unknowns = self._positive(family, figure.question, figure.atoms)
        return total, self._tell_sum(unknowns, told.low, told.high)

    def _tell_sum(self, unknowns: Sequence[int], low: float, high: float) -> int:
        self._facts.append(Fact(unknowns, [1] * len(unknowns), low, high))
        return len(self._facts) - 1

    def _tell_base(self, family: Family, question: str, base: str) -> None:
        """Nobody answers a question who is not positive on its base, atom by atom."""
        for asked, atom in family.unknowns:
            if asked == question:
                answers = self._all(family, question, [atom])
                positive = self._positive(family, base, [atom])
                signs = [1] * len(answers) + [-1] * len(positive)
                self._facts.append(Fact([*answers, *positive], signs, float("-inf"), 0))

    # --- what is sought -------------------------------------------------------------------------

    def _seek(self, family: Family, figure: Figure, told: Told | None) -> None:
        unknowns = family.unknowns_of(figure)
        told = told or self._before.get(unknowns)  # that is public for good
        if told and told.state == SHOWN:
            return
        width = self._rule.min_width
        positive = self._positive(family, figure.question, figure.atoms)
        ranges = [("n_positive", positive, (width, 0))]
        if not told:
            everybody = self._all(family, figure.question, figure.atoms)
            ranges.append(("n", everybody, (width, figure.min_answers)))
            ranges.append(("n - n_positive", [u + 1 for u in positive], (1, 0)))
        needed: list[Sought] = []
        for what, counts, need in ranges:
            least = map(min, need, self._public.get((what, unknowns), need))
            needed.append(Sought(tuple(counts), *least))
            self._meaning.append((what, figure))
            self.sought.append((what, unknowns))
        self.knowledge.seek(needed)
