"""What a reader can compute: the ranges of unknown counts that linear facts about them leave.

Belongs here: linear programs over non-negative integers, and the cheapest way to know that a range
is wide enough. Does not: which counts there are, and what is wide enough (disclosure.py).

A range is never computed further than needed. One solution of the facts is a witness for all counts
at once; so most ranges are known to be wide after a few solutions in random directions, and only
the others get programs of their own. A solution counts as a witness only when it is integral; the
matrices here nearly always give such vertices, and where one does not, an integer program decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 1e-6
_DUAL, _PRIMAL = 1, 4  # HiGHS' numbers of its two simplex methods
_DIRECTIONS = 24
_IN_VAIN = 4
_CEILING = 100_000  # no count of a survey is larger; without it unknown counts are unbounded

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Fact:
    """low ≤ Σ coefficient × unknown ≤ high."""

    unknowns: Sequence[int]
    coefficients: Sequence[int]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sought:
    """A count a reader would like to know: Σ unknowns, safe when its range is wide enough.

    Attributes:
        width: the least distance between its largest and its smallest possible value.
        top: the least largest possible value.
    """

    unknowns: tuple[int, ...]
    width: int
    top: int


@dataclass(frozen=True, slots=True)
class Exposed:
    """A sought count whose range is too narrow, and the facts that keep it so."""

    index: int
    low: float
    high: float
    facts: tuple[int, ...]


class Knowledge:
    """Facts about unknown counts, and what follows from them for the counts sought.

    Facts may be taken back (`forget`), sought counts added (`seek`); neither makes a range that was
    found wide narrow again, so nothing is computed twice.
    """

    def __init__(self, n_unknowns: int, facts: Sequence[Fact], seed: int = 0) -> None:
        self._n = n_unknowns
        self._model = _model(n_unknowns, facts)
        self._all = np.arange(n_unknowns, dtype=np.int32)
        self._random = np.random.default_rng(seed)
        self._sought: list[Sought] = []
        self._rows = _Sums(n_unknowns)
        self._low = np.empty(0)
        self._high = np.empty(0)
        self._witnesses: list[Floats] = []
        self._whole: Any = None
        self._values = np.zeros(n_unknowns)
        self.n_programs = 0

    def forget(self, fact: int, low: float = -np.inf, high: float = np.inf) -> None:
        """Takes a fact back, or widens it to the given bounds."""
        self._model.changeRowBounds(fact, low, high)

    def seek(self, sought: Sequence[Sought]) -> None:
        """Adds counts that are sought."""
        if not sought:
            return
        self._sought += sought
        self._rows.add([s.unknowns for s in sought])
        self._low = np.append(self._low, np.full(len(sought), np.inf))
        self._high = np.append(self._high, np.full(len(sought), -np.inf))
        known, self._witnesses = self._witnesses, []
        for witness in known:
            self._learn(witness)

    def exposed(self) -> list[Exposed]:
        """The sought counts whose range is too narrow, in order, each with its limiting facts."""
        self._wander()
        found = (self._settle(index) for index in self._open())
        return [exposed for exposed in found if exposed]

    # --- what is settled ------------------------------------------------------------------------

    def _open(self) -> list[int]:
        """The counts not yet known to be safe."""
        width = np.array([s.width for s in self._sought])
        top = np.array([s.top for s in self._sought])
        wide = (self._high - self._low >= width) & (self._high >= top)
        return [int(i) for i in np.flatnonzero(~wide)]

    def _is_open(self, index: int) -> bool:
        sought = self._sought[index]
        low, high = self._low[index], self._high[index]
        return not (high - low >= sought.width and high >= sought.top)

    def _learn(self, solution: Floats) -> bool:
        """Widens all ranges by a solution; whether it was integral."""
        rounded = np.round(solution)
        if np.abs(solution - rounded).max(initial=0) > _TOLERANCE:
            return False
        values = self._rows.of(rounded)
        self._low = np.minimum(self._low, values)
        self._high = np.maximum(self._high, values)
        self._witnesses = [*self._witnesses[-_DIRECTIONS:], rounded]
        return True

    def _wander(self) -> None:
        """Solves in random directions as long as that settles ranges."""
        in_vain, before = 0, len(self._open())
        for _ in range(_DIRECTIONS):
            if not before or in_vain == _IN_VAIN:
                return
            cost = np.zeros(self._n)
            for index in self._open():
                cost[list(self._sought[index].unknowns)] += self._random.choice((-1.0, 1.0))
            self._solve(cost)
            after = len(self._open())
            in_vain = in_vain + 1 if after == before else 0
            before = after

    def _settle(self, index: int) -> Exposed | None:
        """Programs for one count alone; None when its range is wide enough after all."""
        if not self._is_open(index):
            return None
        sought = self._sought[index]
        cost = np.zeros(self._n)
        cost[list(sought.unknowns)] = 1.0
        high, facts_above = self._solve(cost)
        above = self._values
        if not self._is_open(index):
            return None
        low, facts_below = self._solve(-cost)
        below = self._values
        if not self._is_open(index):
            return None
        low = -low
        is_wide = high - low > sought.width - _TOLERANCE and high > sought.top - _TOLERANCE
        if is_wide:  # for fractions; what of integers?
            last = self._witnesses[-1] if self._witnesses else above
            near = (above != last) | (below != last)
            for free, sign in product((near, np.full(self._n, True)), (1.0, -1.0)):
                self._solve_integral(sign * cost, free)
                if not self._is_open(index):
                    return None
            low, high = self._low[index], self._high[index]
        too_low = high <= sought.top - _TOLERANCE
        facts = facts_above if too_low else sorted({*facts_above, *facts_below})
        return Exposed(index, low, high, tuple(facts))

    # --- programs -------------------------------------------------------------------------------

    def _solve(self, cost: Floats) -> tuple[float, list[int]]:
        """The maximum in a direction and the facts that limit it."""
        self.n_programs += 1
        self._model.changeColsCost(self._n, self._all, -cost)
        self._run()
        solution = self._model.getSolution()
        values = np.array(solution.col_value)
        if self._learn(values):
            self._whole = self._model.getBasis()
        elif self._whole:
            self._model.setBasis(self._whole)  # what follows is then likelier to be integral
        self._values = values
        duals = np.array(solution.row_dual)
        return -self._model.getObjectiveValue(), np.flatnonzero(np.abs(duals) > _TOLERANCE).tolist()

    def _run(self) -> None:
        """Solves from where the last program ended, and where that leads nowhere from the start.

        Raises:
            ArithmeticError: the facts contradict each other.
        """
        self._model.run()
        if self._model.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            return
        self._model.clearSolver()
        self._model.setOptionValue("simplex_strategy", _DUAL)
        self._model.run()
        self._model.setOptionValue("simplex_strategy", _PRIMAL)
        if self._model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError(f"no optimum: {self._model.getModelStatus()}")

    def _solve_integral(self, cost: Floats, free: NDArray[np.bool_]) -> None:
        """The maximum over integers, of what is free to differ from a witness, as another one."""
        self.n_programs += 1
        whole = _solver()
        whole.setOptionValue("presolve", "on")
        whole.passModel(self._model.getModel())
        integer = np.full(self._n, int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        whole.changeColsIntegrality(self._n, self._all, integer)
        whole.changeColsCost(self._n, self._all, -cost)
        if self._witnesses:
            fixed = np.flatnonzero(~free).astype(np.int32)
            at = self._witnesses[-1][fixed]
            whole.changeColsBounds(len(fixed), fixed, at, at)
        whole.run()
        if whole.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            self._learn(np.array(whole.getSolution().col_value))


class _Sums:
    """Sums of unknowns, many at once: rows of ones as a sparse matrix."""

    def __init__(self, n_unknowns: int) -> None:
        self._parts: list[tuple[int, ...]] = []
        self._columns: Integers = np.empty(0, dtype=np.int32)
        self._starts: Integers = np.empty(0, dtype=np.int32)

    def add(self, rows: Sequence[tuple[int, ...]]) -> None:
        self._parts += rows
        lengths = [len(part) for part in self._parts]
        self._columns = np.array([u for part in self._parts for u in part], dtype=np.int32)
        self._starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int32)

    def of(self, values: Floats) -> Floats:
        if not self._parts:
            return np.empty(0)
        return np.add.reduceat(values[self._columns], self._starts)


def _model(n_unknowns: int, facts: Sequence[Fact]) -> Any:
    model = _solver()
    model.addVars(n_unknowns, np.zeros(n_unknowns), np.full(n_unknowns, float(_CEILING)))
    lengths = np.array([len(fact.unknowns) for fact in facts])
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int32)
    columns = np.array([u for fact in facts for u in fact.unknowns], dtype=np.int32)
    values = np.array([c for fact in facts for c in fact.coefficients], dtype=np.float64)
    low = np.array([fact.low for fact in facts])
    high = np.array([fact.high for fact in facts])
    model.addRows(len(facts), low, high, len(columns), starts, columns, values)
    return model


def _solver() -> Any:
    """A silent solver; the public class writes to standard output before it can be told not to.

    Primal simplex: from one objective to the next the point stays feasible.
    """
    solver = highspy._core._Highs()
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": 1,
        "presolve": "off",
        "simplex_strategy": 4,
    }
    for option, value in options.items():
        solver.setOptionValue(option, value)
    return solver
