"""What can be known of whole numbers from sums of them: ranges by linear programs.

Belongs here: columns (unknown counts), rows (what is known of sums of them), and how far each asked
sum of columns can go. Does not: what a column means, or that it came from a release.

A range is that of the linear relaxation, rounded inwards to whole numbers. A solution of the system
is a witness for all sums at once, so that programs of their own are spent only on sums that no
witness has shown to be wide.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

MOST = 100_000.0
"""No count of answers is larger: more than all participants of a year."""
CLOSE = 1e-6
_DUAL, _PRIMAL = 1, 4
SWEEPS = 40
"""Most programs that look for witnesses of many sums at once, per independent part."""


class Contradiction(ValueError):
    """No whole numbers fit what is known: the files, or the reader's rules, are wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """low <= sum of coefficient x column <= high."""

    terms: tuple[tuple[int, float], ...]
    low: float
    high: float


@dataclass
class System:
    """Unknown counts and what is known of them."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def column(self) -> int:
        """A new count, of which nothing is known."""
        self.low.append(0.0)
        self.high.append(MOST)
        return len(self.low) - 1

    def bound(self, column: int, low: float = 0.0, high: float = MOST) -> None:
        """The count is a whole number within the bounds.

        Raises:
            Contradiction: it is known to be elsewhere.
        """
        self.low[column] = max(self.low[column], float(math.ceil(low - CLOSE)))
        self.high[column] = min(self.high[column], float(math.floor(high + CLOSE)))
        if self.low[column] > self.high[column]:
            raise Contradiction(f"a count within {low} and {high} is known to be elsewhere")

    def row(
        self, terms: Iterable[tuple[int, float]], low: float = -math.inf, high: float = math.inf
    ) -> None:
        """A sum of columns is within the bounds."""
        self.rows.append(Row(tuple(terms), low, high))

    def is_known(self, column: int) -> bool:
        return self.low[column] == self.high[column]


@dataclass(frozen=True, slots=True)
class Asked:
    """A sum of columns, and when its range is wide enough to look no further.

    Attributes:
        columns: whose sum it is.
        top: what its upper end must reach.
        width: what its range must reach; infinite asks for the exact ends.
    """

    columns: tuple[int, ...]
    top: float = 0.0
    width: float = 2.0


def ranges(system: System, asked: Sequence[Asked]) -> list[tuple[int, int]]:
    """The range of each asked sum; where it is wide enough, one within its range that is so too.

    Raises:
        Contradiction: no numbers fit what is known.
    """
    parts = _parts(system, asked)
    found = [(0, 0)] * len(asked)
    for part in parts:
        for number, (low, high) in zip(part.asked, _Search(system, part, asked).run(), strict=True):
            found[number] = (low, high)
    for number, one in enumerate(asked):
        if all(system.is_known(column) for column in one.columns):
            value = round(sum(system.low[column] for column in one.columns))
            found[number] = (value, value)
    return found


@dataclass
class _Part:
    """Columns that hang together, their rows, and the asked sums of them."""

    columns: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)


class _Joined:
    """Which unknown columns hang together."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.parent = list(range(len(system.low)))

    def root(self, column: int) -> int:
        """The one that stands for all it hangs together with."""
        while self.parent[column] != column:
            self.parent[column] = self.parent[self.parent[column]]
            column = self.parent[column]
        return column

    def join(self, columns: Iterable[int]) -> int | None:
        """Any unknown column of these, which hang together from now on; None if there is none."""
        unknown = [column for column in columns if not self.system.is_known(column)]
        for column in unknown[1:]:
            self.parent[self.root(column)] = self.root(unknown[0])
        return unknown[0] if unknown else None


def _parts(system: System, asked: Sequence[Asked]) -> list[_Part]:
    """The independent parts with something asked; rows without unknowns are checked."""
    joined = _Joined(system)
    rows = [(row, joined.join(column for column, _ in row.terms)) for row in system.rows]
    sums = [joined.join(one.columns) for one in asked]
    parts: dict[int, _Part] = defaultdict(_Part)
    for number, column in enumerate(sums):
        if column is not None:
            parts[joined.root(column)].asked.append(number)
    for column in range(len(system.low)):
        if not system.is_known(column) and joined.root(column) in parts:
            parts[joined.root(column)].columns.append(column)
    for row, column in rows:
        if column is None:
            _check(system, row)
        elif joined.root(column) in parts:
            parts[joined.root(column)].rows.append(row)
    return list(parts.values())


def _check(system: System, row: Row) -> None:
    total = sum(system.low[column] * coefficient for column, coefficient in row.terms)
    if not row.low - CLOSE <= total <= row.high + CLOSE:
        raise Contradiction(f"a known sum is {total}, not within {row.low} and {row.high}")


class _Program:
    """A linear program whose objective changes, so that each solution starts at the last one."""

    def __init__(
        self,
        system: System,
        part: _Part,
        place: Mapping[int, int],
        capped: Sequence[Sequence[int]] = (),
    ) -> None:
        """The part's program; with a further column below each sum in `capped`."""
        starts, index, value, lows, highs = [0], [], [], [], []
        for row in part.rows:
            known = 0.0
            for column, coefficient in row.terms:
                if column in place:
                    index.append(place[column])
                    value.append(coefficient)
                else:
                    known += system.low[column] * coefficient
            starts.append(len(index))
            lows.append(row.low - known)
            highs.append(row.high - known)
        self.size = len(part.columns)
        for number, columns in enumerate(capped):
            index += [self.size + number, *columns]
            value += [1.0, *(-1.0 for _ in columns)]
            starts.append(len(index))
            lows.append(-math.inf)
            highs.append(0.0)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.size + len(capped), len(lows)
        lp.col_cost_ = np.zeros(lp.num_col_)
        lp.col_lower_ = np.array([system.low[c] for c in part.columns] + [0.0] * len(capped))
        lp.col_upper_ = np.array([system.high[c] for c in part.columns] + [0.0] * len(capped))
        lp.row_lower_, lp.row_upper_ = np.array(lows), np.array(highs)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(index, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(value, dtype=float)
        lp.sense_ = highspy.ObjSense.kMaximize
        self.solver: Any = highspy.Highs()
        options = {"output_flag": False, "threads": 1, "random_seed": 0}
        # While only the objective changes, the last solution is a start for the primal simplex;
        # the dual one, which takes changed bounds too, is 20 times slower at that.
        options["simplex_strategy"] = _DUAL if capped else _PRIMAL
        for option, setting in options.items():
            self.solver.setOptionValue(option, setting)
        self.solver.passModel(lp)
        self.every = np.arange(lp.num_col_, dtype=np.int32)

    def maximise(self, costs: Vector) -> Vector:
        """The part's columns where the objective is largest.

        Raises:
            Contradiction: there is no solution.
        """
        self.solver.changeColsCost(len(self.every), self.every, costs)
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise Contradiction("no numbers fit what is known")
        return np.array(self.solver.getSolution().col_value)[: self.size]

    def cap(self, caps: Vector) -> None:
        """How much of each capped sum counts."""
        columns = self.every[self.size :]
        self.solver.changeColsBounds(len(columns), columns, np.zeros(len(columns)), caps)


class _Search:
    """The ranges of the asked sums of one part."""

    def __init__(self, system: System, part: _Part, asked: Sequence[Asked]) -> None:
        self.system, self.part = system, part
        self.place = {column: number for number, column in enumerate(part.columns)}
        ones = [asked[number] for number in part.asked]
        self.sums = [[self.place[c] for c in one.columns if c in self.place] for one in ones]
        self.known = np.array(
            [sum(system.low[c] for c in one.columns if c not in self.place) for one in ones]
        )
        self.tops = np.array([one.top for one in ones])
        self.widths = np.array([one.width for one in ones])
        self.low = np.full(len(ones), math.inf)
        self.high = np.full(len(ones), -math.inf)
        # A column past the last one is always 0: sums of few columns are looked up at once.
        most = max(len(columns) for columns in self.sums)
        blank = len(part.columns)
        self.lookup = np.array([c + [blank] * (most - len(c)) for c in self.sums])

    def run(self) -> list[tuple[int, int]]:
        # About as many programs of single sums cost as much as one of all; measured.
        worth = (len(self.part.rows) + len(self.sums)) // 100
        if math.isfinite(self.widths.min()) and len(self.sums) > worth:
            self._sweep(worth)
        self._one_by_one()
        low, high = np.ceil(self.low - CLOSE), np.floor(self.high + CLOSE)
        if (low > high).any():
            raise Contradiction("a sum has no whole number in its range")
        return [(int(a), int(b)) for a, b in zip(low, high, strict=True)]

    def _narrow(self) -> NDArray[np.bool_]:
        """Which sums no witness has shown to be wide enough."""
        low, high = np.ceil(self.low - CLOSE), np.floor(self.high + CLOSE)
        narrow: NDArray[np.bool_] = (high < self.tops) | (high - low < self.widths)
        return narrow

    def _witness(self, solution: Vector) -> None:
        values = np.append(solution, 0.0)[self.lookup].sum(axis=1) + self.known
        self.low, self.high = np.minimum(self.low, values), np.maximum(self.high, values)

    def _sweep(self, worth: int) -> None:
        """Witnesses of many sums at once: all up, each no further than needed; all down.

        It ends when twice in a row no more than `worth` of them were found wide enough.
        """
        program = _Program(self.system, self.part, self.place, self.sums)
        self._witness(program.maximise(np.zeros(len(program.every))))
        weights = np.random.default_rng(0)
        idle = 0
        for turn in range(SWEEPS):
            narrow = self._narrow()
            before = int(narrow.sum())
            if before == 0 or idle == 2:
                return
            costs = np.zeros(len(program.every))
            weight = weights.uniform(0.5, 1.5, len(narrow)) * narrow
            if turn % 2 == 0:
                needed = np.maximum(self.tops, np.ceil(self.low - CLOSE) + self.widths)
                program.cap(np.maximum(np.where(narrow, needed, 0.0) - self.known, 0.0))
                costs[program.size :] = weight
            else:
                for columns, one in zip(self.sums, weight, strict=True):
                    costs[columns] -= one
            self._witness(program.maximise(costs))
            gained = before - int(self._narrow().sum())
            idle = 0 if gained > worth else idle + 1

    def _one_by_one(self) -> None:
        """The exact ends of what is still narrow."""
        remaining = np.flatnonzero(self._narrow())
        if not len(remaining):
            return
        program = _Program(self.system, self.part, self.place)
        for sign in (1.0, -1.0):
            for number in remaining:
                if self._narrow()[number]:
                    costs = np.zeros(program.size)
                    costs[self.sums[number]] = sign
                    self._witness(program.maximise(costs))
