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

Atom = tuple[str, str, str]
"""association_id ('': in none), insats_kod ('': in none), gender (K, M, or A for all else)."""

Count = tuple[int, int]
"""n and n_positive."""

Counts = Mapping[Cell, Count]
"""Those of the marts' rows."""

Members = Mapping[tuple[str, str, str], set[Atom]]
"""The atoms of each level, unit and gender."""

_WORTH = {
    "activity": 1,
    "association": 2,
    MUNICIPALITY: 2,
    PROJECT: 3,
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
        groups: an activity's unit_id → those of the groups of comparable ones that it is in.
        pools: an association → the municipalities that are its members.
        thresholds: a question → the least number of answers of its key figure, where it has one.
        bases: a question → the one whose positive answers it builds on.
        outside: organisations that are no part of the nation, nor of any other pool.
        projects: a question of a project → the project's unit_id.
        studies: a question of a register study → the study. It tells of the nation by itself.
    """

    nation: str
    counties: Mapping[str, str]
    groups: Mapping[str, tuple[str, ...]]
    pools: Mapping[str, tuple[str, ...]]
    thresholds: Mapping[str, int]
    bases: Mapping[str, str]
    outside: frozenset[str]
    projects: Mapping[str, str]
    studies: Mapping[str, str]

    def units(self, atom: Atom, question: str) -> Iterator[tuple[str, str]]:
        """The level and unit_id of each group an atom is part of."""
        association, activity, _ = atom
        unit = f"{association}/{activity}"
        if association:
            yield "association", association
        if activity:
            yield "activity", unit
        if question in self.projects:
            yield PROJECT, self.projects[question]
        elif association not in self.outside:
            yield from self._pools(association, unit)
            if question in self.thresholds:
                yield from ((MUNICIPALITY, m) for m in self.pools.get(association, ()))

    def _pools(self, association: str, unit: str) -> Iterator[tuple[str, str]]:
        yield "nation", self.nation
        if association in self.counties:
            yield "county", self.counties[association]
        yield from (("activity_group", group) for group in self.groups.get(unit, ()))


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
    by_question: dict[str, dict[Cell, Count]] = defaultdict(dict)
    for cell, count in counts.items():
        by_question[cell[2]][cell] = count
    families: dict[str, list[str]] = defaultdict(list)
    for question in sorted(by_question):
        base = register.bases.get(question, question)
        name = register.studies.get(question, base if base in by_question else question)
        families[name].append(question)
    for name, questions in sorted(families.items()):
        figures = _Figures(register, rule)
        rows = {question: by_question[question] for question in questions}
        if name in register.studies.values():
            for question, found in rows.items():
                figures.add_study(question, found)
            yield figures.group(name, {})
        else:
            further = {question: found for question, found in rows.items() if question != name}
            figures.add(name, rows[name], further)
            for question, found in further.items():
                figures.add(question, found, {}, name)
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
        self._add_all(question, rows, atoms, self._members(question, atoms), further)
        for association in sorted({a for a, activity, _ in atoms if activity}):
            rest = {atom for atom in atoms if atom[:2] == (association, "")}
            self._add_unpublished(question, rest, _told(atoms, rest))

    def add_study(self, question: str, rows: Counts) -> None:
        """Adds all figures of a register study at one time after.

        The study tells of the nation by itself: its associations and a rest of others. Where it is
        less than its associations it is taken for others altogether.
        """
        study = _Study(rows, self._register.outside)
        atoms = {atom: count for atom, count in study.atoms() if count[0] or study.is_open(atom)}
        members: dict[tuple[str, str, str], set[Atom]] = defaultdict(set)
        for atom in atoms:
            association, _, gender = atom
            genders = (_TOTAL,) if study.is_open(atom) else (gender, _TOTAL)
            if association:
                for one in genders:
                    members["association", association, one].add(atom)
            if study.is_in_nation(association):
                for one in (gender, _TOTAL):
                    members["nation", self._register.nation, one].add(atom)
            # of who is not told by gender, the same number is the same people
            at = ("association", association, question, _TOTAL)
            which = rows[at] if study.is_open(atom) else atoms[atom]
            self._unknowns[question, atom] = (question, atom, *which)
        self._add_all(question, rows, atoms, members, {})
        if study.is_in_nation(""):
            rest = {atom for atom in atoms if not atom[0]}
            for group in (rest, *({atom} for atom in rest)):
                self._add_unpublished(question, group, _told(atoms, group))

    def _add_all(
        self,
        question: str,
        rows: Counts,
        atoms: Mapping[Atom, Count],
        members: Members,
        further: Mapping[str, Counts],
    ) -> None:
        """Adds the cells of a question that have rows, and the groups that follow from them."""
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

    def _members(self, question: str, atoms: Iterable[Atom]) -> Members:
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


class _Study:
    """The atoms of a register study at one time after.

    Atoms of an association that is told by gender are what is told. Of one that is not, while the
    nation is, nobody knows the split: any that the nation leaves room for will do, since only sums
    are told of it.
    """

    def __init__(self, rows: Counts, outside: frozenset[str]) -> None:
        self._parts = {
            cell[1]: _by_gender(rows, cell)
            for cell in sorted(_totals(rows, "association"))
            if rows[cell][0]
        }
        self._outside = outside
        [*nation] = _totals(rows, "nation")
        self._whole = _by_gender(rows, nation[0]) if nation else {}
        self._is_split = any(cell[0] == "nation" and cell[3] in _SPLIT for cell in rows)
        genders = {cell[1] for cell in rows if cell[3] in _SPLIT}
        open_ = self._parts.keys() - genders - outside if self._is_split else ()
        self._open = tuple(sorted(open_))
        self._shared = self._share_out()

    def atoms(self) -> Iterator[tuple[Atom, Count]]:
        """All atoms with what is counted in them; the nation's own have no association."""
        for association, counts in self._parts.items():
            for gender, count in (self._shared or {}).get(association, counts).items():
                yield (association, "", gender), count
        rest = self._whole if self._shared is None else self._shared[""]
        for gender, count in rest.items():
            yield ("", "", gender), count

    def is_in_nation(self, association: str) -> bool:
        """Whether its atoms are part of the nation."""
        if self._shared is None:
            return not association
        return association not in self._outside

    def is_open(self, atom: Atom) -> bool:
        """Whether an atom's own size is not told: it is one of an unknown split."""
        return self._shared is not None and atom[0] in self._open

    def _share_out(self) -> Mapping[str, Mapping[str, Count]] | None:
        """The nation shared out on associations and a rest (''); None where it is not their sum."""
        room = _Room(self._whole if self._is_split else {_OTHER: _sum(self._whole.values())})
        shared: dict[str, Mapping[str, Count]] = {}
        for name, counts in self._parts.items():
            if name not in self._outside and name not in self._open:
                told = counts if self._is_split else {_OTHER: _sum(counts.values())}
                if not all(room.take(count, [gender]) for gender, count in told.items()):
                    return None
        for name in self._open:
            taken = room.take(_sum(self._parts[name].values()), [*_SPLIT, _OTHER])
            if not taken:
                return None
            shared[name] = taken
        return {**shared, "": room.left()}


class _Room:
    """What is left of counts by gender when others are taken out of them."""

    def __init__(self, counts: Mapping[str, Count]) -> None:
        self._left = {g: [n - positive, positive] for g, (n, positive) in counts.items()}

    def take(self, count: Count, genders: Iterable[str]) -> Mapping[str, Count] | None:
        """Takes a count out of those of the genders, in order; None where it has no room."""
        missing = [count[0] - count[1], count[1]]
        taken: dict[str, Count] = {}
        for gender in genders:
            left = self._left.get(gender, [0, 0])
            own = [min(pair) for pair in zip(left, missing, strict=True)]
            self._left[gender] = [a - b for a, b in zip(left, own, strict=True)]
            missing = [a - b for a, b in zip(missing, own, strict=True)]
            taken[gender] = (sum(own), own[1])
        return None if any(missing) else taken

    def left(self) -> Mapping[str, Count]:
        return {gender: (sum(both), both[1]) for gender, both in self._left.items()}


def _sum(counts: Iterable[Count]) -> Count:
    listed = list(counts)
    return sum(n for n, _ in listed), sum(positive for _, positive in listed)


def _atoms(rows: Counts) -> Iterator[tuple[Atom, Count]]:
    """The atoms with answers to one question, from the rows of activities and associations."""
    inside: dict[tuple[str, str], list[Count]] = defaultdict(list)
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


def _by_gender(rows: Counts, total: Cell) -> dict[str, Count]:
    """What a unit's total is made of; a gender without a row has nobody."""
    split = {gender: rows.get((*total[:3], gender), (0, 0)) for gender in _SPLIT}
    return {**split, _OTHER: _difference(rows[total], split.values())}


def _difference(total: Count, parts: Iterable[Count]) -> Count:
    listed = list(parts)
    n, n_positive = (whole - part for whole, part in zip(total, _sum(listed), strict=True))
    if not 0 <= n_positive <= n:
        raise UnreconciledError(f"{listed} are more than their total {total}")
    return n, n_positive


def _told(atoms: Mapping[Atom, Count], group: Iterable[Atom]) -> Told:
    """The figure of a group."""
    counts = [atoms[atom] for atom in group]
    n_positive = sum(positive for _, positive in counts)
    return Told(sum(n for n, _ in counts), n_positive, n_positive)


def _at(cell: Cell, question: str) -> Cell:
    """The cell of another question in the same group."""
    level, unit, _, gender = cell
    return level, unit, question, gender
