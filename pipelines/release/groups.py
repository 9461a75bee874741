"""The groups of a round: which figures of the marts are sums over which respondents.

Belongs here: from rows of the marts to families of figures (disclosure.py). Does not: the rule of
what may be shown, or how a release's tables look (protected.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipelines.disclosure import Family, Figure, Rule, Told

MUNICIPALITY = "municipality"
"""The level of a key figure: its associations' answers pooled."""

PROJECT = "project"
"""The level of an extra question: its project's associations' answers pooled."""

Cell = tuple[str, str, str, str]
"""level, unit_id, question_id, gender."""

Counts = Mapping[Cell, tuple[int, int]]
"""n and n_positive of the marts' rows."""

Atom = tuple[str, str, str]
"""association_id, insats_kod ('': in none), gender (K, M, or A for every other answer)."""

_WORTH = {
    "activity": 1,
    "association": 2,
    MUNICIPALITY: 2,
    "activity_group": 3,
    "county": 3,
    "nation": 4,
}
_TOTAL, _SPLIT, _OTHER = "T", ("K", "M"), "A"


@dataclass(frozen=True, slots=True)
class Register:
    """How units are made of each other in a round, and questions of each other; from the marts.

    Attributes:
        nation: the nation's unit_id.
        counties: an association → the unit_id of its county.
        groups: an activity's unit_id → that of its group of comparable ones, where it has one.
        pools: an association → the municipalities that are its members.
        thresholds: a question → the least number of answers of its key figure, where it has one.
        bases: a question → the one whose positive answers it builds on.
    """

    nation: str
    counties: Mapping[str, str]
    groups: Mapping[str, str]
    pools: Mapping[str, tuple[str, ...]]
    thresholds: Mapping[str, int]
    bases: Mapping[str, str]

    def units(self, atom: Atom, question: str) -> Iterator[tuple[str, str]]:
        """The level and unit_id of each group an atom is part of."""
        association, activity, _ = atom
        yield "nation", self.nation
        yield "association", association
        if association in self.counties:
            yield "county", self.counties[association]
        if activity:
            unit = f"{association}/{activity}"
            yield "activity", unit
            if unit in self.groups:
                yield "activity_group", self.groups[unit]
        if question in self.thresholds:
            for municipality in self.pools.get(association, ()):
                yield MUNICIPALITY, municipality


@dataclass(frozen=True, slots=True)
class Group:
    """A family of figures, what they are, and the cells in which they stand.

    `cells` maps every cell with answers to the place of its figure.
    """

    family: Family
    true: tuple[Told, ...]
    cells: Mapping[Cell, int]


class UnreconciledError(Exception):
    """A row of the marts is not the sum of its parts; nothing can be said of what it tells."""


def of_questions(counts: Counts, register: Register, rule: Rule) -> Iterator[Group]:
    """A group per family of questions, in the order of their names.

    Args:
        counts: rows of measure_results of one round.
        register: how units are made of each other.
        rule: T.

    Raises:
        UnreconciledError: the rows do not add up.
    """
    by_question: dict[str, dict[Cell, tuple[int, int]]] = defaultdict(dict)
    for cell, count in counts.items():
        by_question[cell[2]][cell] = count
    families: dict[str, list[str]] = defaultdict(list)
    for question in sorted(by_question):
        base = register.bases.get(question, question)
        families[base if base in by_question else question].append(question)
    for name, questions in sorted(families.items()):
        figures = _Figures(register, rule)
        further = {q: by_question[q] for q in questions if q != name}
        figures.add(name, by_question[name], further)
        for question, rows in further.items():
            figures.add(question, rows, {}, name)
        yield figures.group(name, dict.fromkeys(further, name))


class _Figures:
    """The figures of a family as they are gathered, cells of the same atoms as one."""

    def __init__(self, register: Register, rule: Rule) -> None:
        self._register = register
        self._rule = rule
        self._unknowns: dict[tuple[str, Atom], tuple[str, Atom, int, int]] = {}
        self._places: dict[tuple[str, frozenset[Atom]], int] = {}
        self._figures: list[Figure] = []
        self._true: list[Told] = []
        self._cells: dict[Cell, int] = {}

    def add(
        self, question: str, rows: Counts, further: Mapping[str, Counts], base: str = ""
    ) -> None:
        """Adds all figures of one question.

        Args:
            question: its id.
            rows: its rows.
            further: the rows of the questions that only those positive on it answer.
            base: the question whose positive answers it builds on.
        """
        # who did not answer is not known: it would tell that nobody was positive on the base
        atoms = {atom: (0, 0) for asked, atom in self._unknowns if asked == base}
        atoms |= {atom: count for atom, count in _atoms(rows) if count[0]}
        self._unknowns |= {(question, a): (question, a, *count) for a, count in atoms.items()}
        members = self._members(question, atoms)
        for (level, unit, gender), group in sorted(members.items()):
            cell, true = (level, unit, question, gender), _told(atoms, group)
            if cell in rows:
                if (true.n, true.low) != rows[cell]:
                    raise UnreconciledError(f"{cell}: {rows[cell]} is not the sum of its parts")
                third = members.get((level, unit, _OTHER), set()) if gender != _TOTAL else set()
                asked_further = (counts.get(_at(cell, q), (0, 0)) for q, counts in further.items())
                sizes = [_told(atoms, third).n, *(n for n, _ in asked_further)]
                self._add(cell, group, true, tells=any(map(self._is_small, sizes)))
            elif level == MUNICIPALITY and gender == _TOTAL:
                self._add(cell, group, true, self._register.thresholds[question])
            elif gender == _OTHER:
                self._add_unpublished(question, group, true)
        for association in sorted({a for a, activity, _ in atoms if activity}):
            rest = {atom for atom in atoms if atom[:2] == (association, "")}
            self._add_unpublished(question, rest, _told(atoms, rest))

    def _members(
        self, question: str, atoms: Iterable[Atom]
    ) -> Mapping[tuple[str, str, str], set[Atom]]:
        """The atoms of each level, unit and gender."""
        members: dict[tuple[str, str, str], set[Atom]] = defaultdict(set)
        for atom in atoms:
            for level, unit in self._register.units(atom, question):
                for gender in (atom[2], _TOTAL):
                    members[level, unit, gender].add(atom)
        return members

    def _is_small(self, n: int) -> bool:
        return 0 < n < self._rule.min_answers

    def group(self, name: str, bases: Mapping[str, str]) -> Group:
        """All that was added."""
        of_group: dict[tuple[str, str, str], set[int]] = defaultdict(set)
        for (level, unit, _, gender), place in self._cells.items():
            of_group[level, unit, gender].add(place)
        companions = tuple(frozenset(places) for places in of_group.values() if len(places) > 1)
        family = Family(name, tuple(self._figures), self._unknowns, bases, companions)
        return Group(family, tuple(self._true), self._cells)

    def _add(
        self, cell: Cell, atoms: Iterable[Atom], true: Told, least: int = 0, *, tells: bool = False
    ) -> None:
        worth = _WORTH[cell[0]] if cell[3] == _TOTAL else 0
        least = max(least, self._rule.min_answers)
        self._cells[cell] = self._put(
            Figure(cell[2], frozenset(atoms), least, worth, tells=tells), true
        )

    def _add_unpublished(self, question: str, atoms: Iterable[Atom], true: Told) -> None:
        """What no row tells, and must not be told by others, when it is a small group."""
        if self._is_small(true.n):
            least = self._rule.min_answers
            self._put(Figure(question, frozenset(atoms), least, is_published=False), true)

    def _put(self, figure: Figure, true: Told) -> int:
        """The place of a figure, the strictest of all that are the sum of the same atoms."""
        place = self._places.setdefault((figure.question, figure.atoms), len(self._figures))
        if place == len(self._figures):
            self._figures.append(figure)
            self._true.append(true)
        known = self._figures[place]
        self._figures[place] = Figure(
            figure.question,
            figure.atoms,
            max(known.min_answers, figure.min_answers),
            max(known.worth, figure.worth),
            known.is_published or figure.is_published,
            known.tells or figure.tells,
        )
        return place


def _atoms(rows: Counts) -> Iterator[tuple[Atom, tuple[int, int]]]:
    """The atoms with answers to one question, from the rows of activities and associations."""
    inside: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for cell in _totals(rows, "activity"):
        association, _, activity = cell[1].partition("/")
        for gender, count in _by_gender(rows, cell).items():
            inside[association, gender].append(count)
            yield (association, activity, gender), count
    for cell in _totals(rows, "association"):
        for gender, count in _by_gender(rows, cell).items():
            yield (cell[1], "", gender), _difference(count, inside[cell[1], gender])


def _totals(rows: Counts, level: str) -> list[Cell]:
    return [cell for cell in rows if cell[0] == level and cell[3] == _TOTAL]


def _by_gender(rows: Counts, total: Cell) -> dict[str, tuple[int, int]]:
    """What a unit's total is made of; a gender without a row has nobody."""
    split = {gender: rows.get((*total[:3], gender), (0, 0)) for gender in _SPLIT}
    return {**split, _OTHER: _difference(rows[total], split.values())}


def _difference(total: tuple[int, int], parts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    listed = list(parts)
    n, n_positive = total[0] - sum(p[0] for p in listed), total[1] - sum(p[1] for p in listed)
    if not 0 <= n_positive <= n:
        raise UnreconciledError(f"{listed} are more than their total {total}")
    return n, n_positive


def _told(atoms: Mapping[Atom, tuple[int, int]], group: Iterable[Atom]) -> Told:
    """The figure of a group."""
    counts = [atoms[atom] for atom in group]
    n_positive = sum(positive for _, positive in counts)
    return Told(sum(n for n, _ in counts), n_positive, n_positive)


def _at(cell: Cell, question: str) -> Cell:
    """The cell of another question in the same group."""
    level, unit, _, gender = cell
    return level, unit, question, gender
