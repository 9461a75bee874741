"""What an outsider can compute of hidden figures from the releases of a round.

Belongs here: reading released files, and all that is publicly known of how their figures hang
together. Does not: how hiding was decided (no code of the pipeline is read or imported), or how
ranges are computed (`unknowns.py`).

What the attacker takes for known:
- Figures count answers: n = n_positive + n_negative, whole numbers from 0.
- nation = sum of counties = sum of their associations; an association = its activities, and where
  `nothing_outside` is not given, answers outside them; the groups of activities likewise.
- T = K + M + other. Where K or M is shown and not 0, other is 0 or at least `min_answers`.
- A row that is not there counts 0.
- A question with a base is answered by those positive there; no question by more than returned.
- Who left is among those who ended, and these are among those who took part.
- A project = its associations. A register study's nation = its associations and others.
- A key figure = the sum of its associations. National volumes = the sum of the questionnaires.
- An indicator's n = the sum of its measures' n; its share = their shares' mean.
  (In a system of more than `JOINED` counts, an indicator's n bounds each of its measures alone.)
- A bracket holds the share.
- What an association delivered unchanged in two releases counts the same in both.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unknowns import CLOSE, MOST, Asked, System, ranges

Row = dict[str, str]
Range = tuple[int, int]
Shares = tuple[float, float]

SHOWN, HIDDEN, BRACKET, EMPTY = "", "..", "[]", "."
OTHER = "other"
ROUNDING = 0.05
"""A released share lies within this of the true one."""
TELLING = 2.0
"""Percentage points: a hidden share known better than this is counted as recovered."""
ENUMERATED = 1000
"""Numbers of answers up to which pairs (n, n_positive) that fit a share are listed."""
JOINED = 20_000
"""Counts up to which questions under one indicator are seen together; else each by itself."""
ACTIVE, LEAVERS = "outcomes: active", "outcomes: leavers"
PROJECT_QUESTION, STUDY = "extra: ", "register_study"
_FIGURES = (
    *("n", "n_positive", "share", "bracket_low", "bracket_high", "ci_low", "ci_high"),
    *("change", "change_significant", "count", "value", "returned", "response_rate"),
)


class Figure(NamedTuple):
    """A figure of a release: n, n_positive, n_negative (of measures, key figures) or returned.

    `key` is the row's: level, unit_id, questionnaire_id, measure_id, gender of measure_results;
    kpi_id, municipality_id of key_figures; level, unit_id, questionnaire_id of response_rates.
    """

    release: int
    table: str
    key: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Findings:
    """What was recovered.

    Attributes:
        ranges: of every hidden figure. Where it is wide enough to be safe it is not the widest.
        min_answers: per hidden figure, what its upper end should reach.
        shares: hidden measures whose share follows from a mean, in percent.
        unmasked: hidden rows with a figure left in them.
        small_others: T rows beside shown K and M that leave a small number of others.
    """

    ranges: Mapping[Figure, Range]
    min_answers: Mapping[Figure, int]
    shares: Mapping[Figure, Shares]
    unmasked: tuple[Figure, ...]
    small_others: tuple[Figure, ...]

    @property
    def recovered(self) -> dict[Figure, int]:
        """Figures known exactly."""
        return {figure: low for figure, (low, high) in self.ranges.items() if low == high}

    @property
    def narrowed(self) -> dict[Figure, Range]:
        """Figures known to be one of two numbers."""
        return {figure: (low, high) for figure, (low, high) in self.ranges.items()
                if high - low == 1}  # fmt: skip

    @property
    def topped(self) -> dict[Figure, Range]:
        """Numbers of answers known to be under the smallest that is shown."""
        return self._under("n") | self._under("returned")

    @property
    def topped_positive(self) -> dict[Figure, Range]:
        """Numbers of positive answers known to be so; with few answers a matter of course."""
        return self._under("n_positive")

    def _under(self, name: str) -> dict[Figure, Range]:
        return {figure: found for figure, found in self.ranges.items()
                if figure.name == name and found[1] < self.min_answers[figure]}  # fmt: skip

    @property
    def is_clean(self) -> bool:
        """Whether nothing was recovered, narrowed or topped."""
        return not (self.recovered or self.narrowed or self.topped or self.shares
                    or self.unmasked or self.small_others)  # fmt: skip


def attack(
    folders: Sequence[Path],
    min_answers: int = 5,
    nothing_outside: bool = True,
    exact: bool = False,
) -> Findings:
    """What can be computed from the releases of one round, the oldest first.

    Args:
        folders: each with open/csv/*.csv and manifest.json.
        min_answers: the smallest number of answers that is shown, as the releases say.
        nothing_outside: it is known that nobody answered outside the activities of an association
            that has answers from any.
        exact: the exact range also of figures that are safe.

    Raises:
        Contradiction: the files do not fit together, or not with what is known.
    """
    return _Attack([_read(folder) for folder in folders], min_answers, nothing_outside, exact).run()


@dataclass(frozen=True)
class _Release:
    """The released tables, by name, and each association's deliveries."""

    tables: Mapping[str, list[Row]]
    deliveries: Mapping[str, frozenset[str]]

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables.get(table, [])

    def measures(self) -> list[Row]:
        """The measures, and whatever else counts some of those who are positive, as such."""
        return [
            *self["measure_results"],
            *_outcomes(self["outcomes"]),
            *_own(self["extra_results"]),
        ]


def _outcomes(rows: Iterable[Row]) -> Iterator[Row]:
    """Those active, of whom some ended; those who left, of whom some did so as hoped."""
    for row in rows:
        everything = {"bracket_low": "0", "bracket_high": "100"}
        active = {"n": row["active"], "n_positive": row["ended"], "status": row["status_active"]}
        leavers = {"n": row["leavers"], "n_positive": row["positive"]}
        for name, told in ((ACTIVE, {**everything, **active}), (LEAVERS, leavers)):
            yield {**row, **told, **_named(name, "outcomes")}


def _own(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        name = f"{PROJECT_QUESTION}{row['question_id']}"
        yield {**row, **_named(name, name)}


def _named(question: str, questionnaire: str) -> Row:
    return {"question_id": question, "measure_id": question, "questionnaire_id": questionnaire}


def _read(folder: Path) -> _Release:
    tables = {}
    for path in sorted((folder / "open" / "csv").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            tables[path.stem] = [
                {name: re.sub(r"^'(?=[=+\-@\t\r])", "", value) for name, value in row.items()}
                for row in csv.DictReader(file, delimiter=";")
            ]
    deliveries: dict[str, set[str]] = defaultdict(set)
    for delivery in json.loads((folder / "manifest.json").read_text("utf-8"))["deliveries"]:
        deliveries[delivery["association_id"]].add(delivery["sha256"])
    return _Release(tables, {name: frozenset(hashes) for name, hashes in deliveries.items()})


def _number(text: str) -> float:
    return float(text.replace(",", "."))


class _Place(NamedTuple):
    """A unit in the releases where its figures are the same: since `release`."""

    level: str
    unit: str
    release: int


class _Cell(NamedTuple):
    """The columns of the positive and of the other answers."""

    positive: int
    negative: int


_Address = tuple[_Place, str, str]
"""A place, a question and a gender."""


class _Attack:
    """All that is known, gathered step by step into one system."""

    def __init__(
        self, releases: list[_Release], min_answers: int, nothing_outside: bool, exact: bool
    ) -> None:
        self.releases = releases
        self.min_answers = min_answers
        self.nothing_outside = nothing_outside
        self.width = float("inf") if exact else 2.0
        self.system = System()
        self.cells: dict[_Address, _Cell] = {}
        self.present: set[tuple[_Place, str, str]] = set()  # place, questionnaire, gender
        self.questions: dict[str, str] = {}  # → questionnaire
        self.question_of: dict[tuple[str, str], str] = {}  # questionnaire, measure →
        self.base_of: dict[str, str] = {}
        self.county_of: dict[str, str] = {}
        self.activities: list[dict[str, Row]] = []  # per release, unit_id →
        self.groups_of: list[list[Row]] = []  # per release, which activity is in which group
        self.of_activity: dict[str, str] = {}  # unit_id → association
        self.shares: dict[_Address, Shares] = {}
        self.hidden: dict[Figure, tuple[tuple[int, ...], int]] = {}  # → columns, min_answers
        self.addresses: dict[Figure, _Address] = {}
        self.unmasked: list[Figure] = []
        self.small_others: list[Figure] = []
        self.split: set[_Address] = set()
        self.bracket_n: dict[Figure, int] = {}

    def run(self) -> Findings:
        for release in range(len(self.releases)):
            self._instrument_and_register(release)
        for release in range(len(self.releases)):
            self._rows_there(release)
        for release in range(len(self.releases)):
            self._measures(release)
            self._others(release)
            self._key_figures(release)
            self._nation_again(release)
            self._studies(release)
        self._sums()
        self._bases()
        found = _Returned(self).limit()
        for release in range(len(self.releases)):
            self._means(release)
        self._fit_shares()
        self._no_few_others()
        return self._findings(found)

    # Who there is and what was asked

    def _instrument_and_register(self, number: int) -> None:
        release = self.releases[number]
        self.base_of |= {q["question_id"]: q["base_question_id"] for q in release["questions"]
                         if q.get("base_question_id")}  # fmt: skip
        self.county_of |= {
            a["association_id"]: a["county_code"]
            for a in release["associations"]
            if a.get("in_nation") != "false"
        }
        self.activities.append({row["unit_id"]: row for row in release["activities"]})
        self.of_activity |= {row["unit_id"]: row["association_id"] for row in release["activities"]}
        self.base_of[LEAVERS] = ACTIVE
        self.groups_of.append(release["activity_groups"])
        for row in release.measures():
            self.questions[row["question_id"]] = row["questionnaire_id"]
            self.question_of[row["questionnaire_id"], row["measure_id"]] = row["question_id"]

    def place(self, release: int, level: str, unit: str) -> _Place:
        """The unit, and the first release in which its figures are those of `release`."""
        if level not in ("association", "activity", "outside"):
            return _Place(level, unit, release)
        association = self.of_activity.get(unit, unit.partition("/")[0])
        sent = self.releases[release].deliveries.get(association)
        first = next(
            r for r in range(release + 1) if self.releases[r].deliveries.get(association) == sent
        )
        return _Place(level, unit, first)

    def _rows_there(self, number: int) -> None:
        """Which units have rows: the others count 0. Answers outside activities have none."""
        for row in self.releases[number].measures():
            place = self.place(number, row["level"], row["unit_id"])
            self.present.add((place, row["questionnaire_id"], row["gender"]))
            self.present.add((place, row["questionnaire_id"], OTHER))

    # Cells

    def cell(self, place: _Place, question: str, gender: str) -> _Cell | None:
        """The two columns of a cell; None where it counts 0."""
        there = (place, self.questions[question], gender) in self.present
        return self._cell((place, question, gender)) if there else None

    def _cell(self, address: _Address) -> _Cell:
        if address not in self.cells:
            self.cells[address] = _Cell(self.system.column(), self.system.column())
        return self.cells[address]

    def _tell(self, address: _Address, row: Row, n: str, figure: Figure, min_answers: int) -> None:
        """What a row says of a cell; `n` is the column with the number of answers."""
        cell = self._cell(address)
        if row["status"] in (SHOWN, EMPTY):
            total = int(row[n])
            positive = int(row["n_positive"]) if total else 0
            self.system.bound(cell.positive, positive, positive)
            self.system.bound(cell.negative, total - positive, total - positive)
            return
        names: dict[str, tuple[int, ...]] = {
            "n_positive": (cell.positive,),
            "n_negative": (cell.negative,),
        }
        if row["status"] == BRACKET:
            self.bracket_n[figure] = int(row[n])
            self._bracket(cell, int(row[n]), row)
        else:
            names["n"] = tuple(cell)
            if any(row.get(column) for column in _FIGURES):
                self.unmasked.append(figure)
        for name, columns in names.items():
            self.hidden[figure._replace(name=name)] = (columns, min_answers)
            self.addresses[figure._replace(name=name)] = address

    def _bracket(self, cell: _Cell, n: int, row: Row) -> None:
        low = (_number(row["bracket_low"]) - ROUNDING) * n / 100
        high = (_number(row["bracket_high"]) + ROUNDING) * n / 100
        self.system.bound(cell.positive, low, high)
        self.system.bound(cell.negative, n - high, n - low)
        self.system.row(((cell.positive, 1.0), (cell.negative, 1.0)), n, n)

    def _equal(self, total: _Cell | None, parts: Iterable[_Cell | None]) -> None:
        """A cell is the sum of others, of positive and other answers alike."""
        there = [part for part in parts if part]
        if total or there:
            for kind in range(2):
                whole = [(total[kind], -1.0)] if total else []
                self.system.row([*whole, *((part[kind], 1.0) for part in there)], 0.0, 0.0)

    # What the tables say

    def _measures(self, number: int) -> None:
        for row in self.releases[number].measures():
            level, unit, gender = row["level"], row["unit_id"], row["gender"]
            key = (level, unit, row["questionnaire_id"], row["measure_id"], gender)
            self._tell(
                (self.place(number, level, unit), row["question_id"], gender),
                row,
                "n",
                Figure(number + 1, "measure_results", key, "n"),
                self.min_answers,
            )

    def _others(self, number: int) -> None:
        """Other genders are 0 or many where a split is shown; many are at least `min_answers`."""
        by_cell: dict[tuple[str, ...], dict[str, Row]] = defaultdict(dict)
        for row in self.releases[number].measures():
            if row["status"] in (SHOWN, EMPTY, BRACKET):
                by_cell[row["level"], row["unit_id"], row["question_id"]][row["gender"]] = row
        for (level, unit, question), rows in by_cell.items():
            if any(int(rows[gender]["n"]) for gender in ("K", "M") if gender in rows):
                place = self.place(number, level, unit)
                if "T" in rows and self._few_others(place, question, rows):
                    key = (level, unit, self.questions[question], rows["T"]["measure_id"], "T")
                    self.small_others.append(Figure(number + 1, "measure_results", key, "n"))
                else:
                    self.split.add((place, question, OTHER))

    def _few_others(self, place: _Place, question: str, rows: Mapping[str, Row]) -> bool:
        """Whether what is shown leaves few others, against the rule."""
        there = {g for g in "KM" if (place, self.questions[question], g) in self.present}
        split = [rows[gender] for gender in ("K", "M") if gender in rows]
        rest = int(rows["T"]["n"]) - sum(int(row["n"]) for row in split)
        return there == rows.keys() - {"T"} and 0 < rest < self.min_answers

    def _key_figures(self, number: int) -> None:
        defined = {row["kpi_id"]: row for row in self.releases[number]["key_figure_definitions"]}
        rounds = {row["round"] for row in self.releases[number]["measure_results"]}
        for row in self.releases[number]["key_figures"]:
            kpi = defined[row["kpi_id"]]
            question = self.question_of.get((kpi["questionnaire_id"], kpi["measure_id"]))
            if question is None or row["period"] not in rounds:
                continue
            address = (_Place("key_figure", row["municipality_id"], number), row["kpi_id"], "T")
            key = (row["kpi_id"], row["municipality_id"])
            figure = Figure(number + 1, "key_figures", key, "n")
            self._tell(address, row, "count", figure, int(kpi["min_answers"]))
            members = re.split(r"[,; ]+", row["association_ids"])
            places = [self.place(number, "association", name) for name in members]
            self._equal(self._cell(address), [self.cell(one, question, "T") for one in places])

    def _nation_again(self, number: int) -> None:
        """The nation's measures stand in a second table."""
        for row in self.releases[number]["national_results"]:
            question = self.question_of.get((row["answered_by"], row["figure_id"]))
            if row["figure_kind"] == "measure" and question and row["status"] in (SHOWN, EMPTY):
                cell = self.cell(_Place("nation", "0000", number), question, row["gender"])
                if cell:
                    positive = int(row["n_positive"] or 0)
                    self.system.bound(cell.positive, positive, positive)
                    rest = int(row["n"]) - positive
                    self.system.bound(cell.negative, rest, rest)

    # How they hang together

    def tree(self, number: int) -> Iterator[tuple[_Place, list[_Place]]]:
        """Every unit with those it is the sum of, but for answers outside activities."""
        associations: dict[str, list[_Place]] = defaultdict(list)
        for name, county in self.county_of.items():
            associations["00" + county].append(self.place(number, "association", name))
        counties = {unit: _Place("county", unit, number) for unit in associations}
        yield _Place("nation", "0000", number), list(counties.values())
        for unit, places in associations.items():
            yield counties[unit], places
        activities: dict[_Place, list[_Place]] = defaultdict(list)
        for unit, row in self.activities[number].items():
            place = self.place(number, "activity", unit)
            activities[self.place(number, "association", row["association_id"])].append(place)
        for row in self.groups_of[number]:
            place = self.place(number, "activity", row["unit_id"])
            if self.of_activity[row["unit_id"]] in self.county_of:
                activities[_Place("activity_group", row["group_id"], number)].append(place)
        yield from activities.items()
        units = {
            r["unit_id"] for r in self.releases[number]["extra_results"] if r["level"] == "project"
        }
        for unit in units:
            names = {
                r["unit_id"]
                for r in self.releases[number]["extra_results"]
                if r["level"] == "association"
            }
            yield (
                _Place("project", unit, number),
                [self.place(number, "association", n) for n in sorted(names)],
            )

    def _sums(self) -> None:
        """Genders and units add up, for each question; each unchanged association once."""
        with_activities = {q for place, q, _ in self.present if place.level == "activity"}
        trees = {
            place: parts
            for number in range(len(self.releases))
            for place, parts in self.tree(number)
        }
        for place, parts in trees.items():
            for questionnaire in dict.fromkeys(self.questions.values()):
                by_activity = place.level in ("association", "activity_group")
                if _is_told_of(place.level, questionnaire) and (
                    not by_activity or questionnaire in with_activities
                ):
                    places = self._with_outside(place, parts, questionnaire)
                    self._units_add_up(place, places, questionnaire)
        for place, questionnaire, gender in sorted(self.present):
            if gender == "T" and questionnaire != STUDY:
                for question in self.questions_of(questionnaire):
                    parts_of_t = [self.cell(place, question, one) for one in ("K", "M", OTHER)]
                    self._equal(self.cell(place, question, "T"), parts_of_t)

    def _units_add_up(self, place: _Place, parts: list[_Place], questionnaire: str) -> None:
        for question in self.questions_of(questionnaire):
            for gender in ("K", "M", OTHER):
                self._equal(
                    self.cell(place, question, gender),
                    [self.cell(part, question, gender) for part in parts],
                )

    def questions_of(self, questionnaire: str) -> list[str]:
        return [question for question, of in self.questions.items() if of == questionnaire]

    def may_have_outside(self, place: _Place, parts: Iterable[_Place], questionnaire: str) -> bool:
        """Whether some may have answered outside the activities of an association."""
        from_activities = any((part, questionnaire, "T") in self.present for part in parts)
        return not (self.nothing_outside and from_activities)

    def _with_outside(self, place: _Place, parts: list[_Place], questionnaire: str) -> list[_Place]:
        """The parts, with the answers outside activities where there may be any."""
        if place.level != "association" or (place, questionnaire, "T") not in self.present:
            return parts
        if not self.may_have_outside(place, parts, questionnaire):
            return parts
        outside = place._replace(level="outside")
        self.present |= {(outside, questionnaire, gender) for gender in ("K", "M", OTHER)}
        return [*parts, outside]

    def _studies(self, number: int) -> None:
        """A register study: the nation is its associations and others, women and men alike.

        Where an association is not told by gender, its women are not none but unknown.
        """
        units: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        for row in self.releases[number]["measure_results"]:
            if row["questionnaire_id"] == STUDY:
                units[row["question_id"]][row["level"], row["unit_id"]] = None
        for question, found in units.items():
            parts: dict[str, list[_Cell | None]] = defaultdict(list)
            for level, unit in found:
                split = self._split_of(self.place(number, level, unit), question)
                for gender, cell in split.items():
                    if level == "association" and unit in self.county_of:
                        parts[gender].append(cell)
            nation = self._split_of(_Place("nation", "0000", number), question)
            for gender, cell in nation.items():
                others = self._cell((_Place("others", "", number), question, gender))
                self._equal(cell, [*parts[gender], others])

    def _split_of(self, place: _Place, question: str) -> Mapping[str, _Cell | None]:
        """Women, men and others of a unit of a study, of which all are the sum."""
        split = {gender: self.cell(place, question, gender) for gender in ("K", "M")}
        if place.level == "association" and not any(split.values()):
            split = {g: self._cell((place, question, f"unknown {g}")) for g in split}
        split[OTHER] = self.cell(place, question, OTHER)
        self._equal(self.cell(place, question, "T"), split.values())
        return split

    def _bases(self) -> None:
        """Only those positive on the base answer: for each smallest cell, so for all sums."""
        for (place, question, gender), cell in list(self.cells.items()):
            base = self.base_of.get(question)
            if base in self.questions and gender != "T":
                of = self.cell(place, base, gender)
                terms = [(cell.positive, 1.0), (cell.negative, 1.0)]
                if of:
                    terms.append((of.positive, -1.0))
                self.system.row(terms, high=0.0)

    # Means

    def _means(self, number: int) -> None:
        """What the indicators of a release say of the measures they are means of."""
        release = self.releases[number]
        indicator_of = {row["measure_id"]: row["indicator_id"] for row in release["measures"]}
        group_of = {q["questionnaire_id"]: q["respondent_group"] for q in release["questionnaires"]}
        groups: dict[tuple[str, ...], dict[str, list[_Address]]] = defaultdict(dict)
        means: dict[tuple[str, ...], dict[str, Row]] = defaultdict(dict)
        for row in release["measure_results"]:
            level, unit, gender = row["level"], row["unit_id"], row["gender"]
            address = (self.place(number, level, unit), row["question_id"], gender)
            key = (level, unit, indicator_of.get(row["measure_id"], ""), gender)
            groups[key].setdefault(group_of[row["questionnaire_id"]], []).append(address)
        for row in release["indicator_results"]:
            if row["status"] in (SHOWN, EMPTY):
                of = (row["level"], row["unit_id"], row["indicator_id"], row["gender"])
                means[of][row["respondent_group"]] = row
        for of, shown in means.items():
            self._means_of_unit(groups[of], shown)

    def _means_of_unit(self, groups: dict[str, list[_Address]], means: dict[str, Row]) -> None:
        """An indicator of a unit and a gender, by respondent group and of all groups."""
        answered: set[_Address] = set()
        for group, row in means.items():
            addresses = groups[group] if group != "all" else sum(groups.values(), [])
            self._sum_of_n(addresses, int(row["n"]))
            answered |= self._answered(addresses, int(row["n_measures"] or 0))
        parts = {}
        for group, addresses in groups.items():
            parts[group] = [one for one in addresses if not self._is_zero(one)]
        parts = {group: addresses for group, addresses in parts.items() if addresses}
        shares = {
            group: _rounded(means[group]) if group in means else _mean(map(self._share, addresses))
            for group, addresses in parts.items()
            if answered.issuperset(addresses)
        }
        if "all" in means and shares and len(shares) == len(parts):
            narrowed = _parts_of_mean(_rounded(means["all"]), list(shares.values()))
            shares = dict(zip(shares, narrowed, strict=True))
        for group, share in shares.items():
            within = _parts_of_mean(share, [self._share(one) for one in parts[group]])
            for address, one in zip(parts[group], within, strict=True):
                low, high = self.shares.get(address, (0.0, 100.0))
                self.shares[address] = (max(low, one[0]), min(high, one[1]))

    def _sum_of_n(self, addresses: list[_Address], n: int) -> None:
        """An indicator's n: one row, or where that makes the system too large one a question."""
        columns = [column for address in addresses for column in self._cell(address)]
        unknown = [one for one in addresses if not self._is_known(one)]
        questions = {self.base_of.get(question, question) for _, question, _ in unknown}
        if len(questions) < 2 or len(self.system.low) <= JOINED:
            self.system.row([(column, 1.0) for column in columns], n, n)
            return
        least = sum(self.system.low[column] for column in columns)
        for address in unknown:
            cell = self._cell(address)
            own = sum(self.system.low[column] for column in cell)
            self.system.row([(column, 1.0) for column in cell], high=n - least + own)

    def _is_known(self, address: _Address) -> bool:
        return all(self.system.is_known(column) for column in self._cell(address))

    def _answered(self, addresses: list[_Address], n_measures: int) -> set[_Address]:
        """Which measures have answers, by how many have; notes those that have none."""
        sure = {one for one in addresses if self._has_answers(one)}
        unsure = [one for one in addresses if one not in sure and not self._is_zero(one)]
        if n_measures == len(sure):
            for address in unsure:
                for column in self._cell(address):
                    self.system.bound(column, 0, 0)
        elif n_measures == len(sure) + len(unsure):
            for address in unsure:
                self.system.row([(column, 1.0) for column in self._cell(address)], low=1.0)
            sure |= set(unsure)
        return sure

    def _has_answers(self, address: _Address) -> bool:
        return any(self.system.low[column] > 0 for column in self._cell(address))

    def _is_zero(self, address: _Address) -> bool:
        return all(self.system.high[column] == 0 for column in self._cell(address))

    def _share(self, address: _Address) -> Shares:
        """The share of positive answers of a cell that has any, by the bounds of its counts."""
        low, high = self.system.low, self.system.high
        yes, no = self._cell(address)
        least = 100 * low[yes] / (low[yes] + high[no]) if low[yes] else 0.0
        most = 100 * high[yes] / (high[yes] + low[no]) if low[no] else 100.0
        return least, most

    def _fit_shares(self) -> None:
        """Shares that follow from means, as rows; exactly known cells need none."""
        for address, (low, high) in list(self.shares.items()):
            yes, no = self._cell(address)
            if self._is_known(address):
                del self.shares[address]
                continue
            for share, least, most in ((low, 0.0, MOST), (high, -MOST, 0.0)):
                self.system.row([(yes, 1 - share / 100), (no, -share / 100)], least, most)

    def _no_few_others(self) -> None:
        """Where a split is shown and others cannot be many, there are none: until none is new."""
        while True:
            there = sorted(self.split & self.cells.keys())
            unknown = [one for one in there if not (self._is_zero(one) or self._has_answers(one))]
            asked = [Asked(self.cells[one], self.min_answers, 0.0) for one in unknown]
            few = [
                address
                for address, (_, high) in zip(unknown, ranges(self.system, asked), strict=True)
                if high < self.min_answers
            ]
            for address in few:
                for column in self.cells[address]:
                    self.system.bound(column, 0, 0)
            if not few:
                return

    # What comes out

    def _findings(self, returned: Mapping[Figure, Range]) -> Findings:
        telling = {a: s for a, s in self.shares.items() if s[1] - s[0] < TELLING}
        figures = list(self.hidden)
        asked = [self._asked(figure, self.addresses[figure] in telling) for figure in figures]
        found = dict(zip(figures, ranges(self.system, asked), strict=True))
        for figure in figures:
            address = self.addresses[figure]
            if address in telling:
                found[figure] = self._fitting(figure, found, telling[address])
        limits = {figure: min_answers for figure, (_, min_answers) in self.hidden.items()}
        return Findings(
            ranges={**found, **returned},
            min_answers={**limits, **dict.fromkeys(returned, self.min_answers)},
            shares={f._replace(name="share"): telling[address]
                    for f, address in self.addresses.items() if address in telling},
            unmasked=tuple(self.unmasked),
            small_others=tuple(self.small_others),
        )  # fmt: skip

    def _asked(self, figure: Figure, exact: bool) -> Asked:
        columns, min_answers = self.hidden[figure]
        top = 0 if figure.name == "n_negative" else min_answers
        return Asked(columns, top, float("inf") if exact else self.width)

    def _fitting(self, figure: Figure, found: Mapping[Figure, Range], share: Shares) -> Range:
        """The range of a figure over the pairs of whole numbers that make the share."""
        low, high = self._range(figure, "n", found)
        if high > ENUMERATED:
            return found[figure]
        yes, no = (self._range(figure, name, found) for name in ("n_positive", "n_negative"))
        pairs = [
            {"n": n, "n_positive": positive, "n_negative": n - positive}
            for n in range(max(low, 1), high + 1)
            for positive in range(yes[0], min(yes[1], n) + 1)
            if no[0] <= n - positive <= no[1]
            and share[0] - CLOSE <= 100 * positive / n <= share[1] + CLOSE
        ]
        values = [pair[figure.name] for pair in pairs]
        return min(values), max(values)

    def _range(self, figure: Figure, name: str, found: Mapping[Figure, Range]) -> Range:
        """A range of another figure of the row: of a bracket, n is known."""
        wanted = figure._replace(name=name)
        return found[wanted] if wanted in found else (self.bracket_n[wanted],) * 2


def _is_told_of(level: str, questionnaire: str) -> bool:
    """Whether a level is the sum of its parts in what was asked: its rows are not just missing."""
    if questionnaire == STUDY:
        return False
    if questionnaire.startswith(PROJECT_QUESTION):
        return level in ("project", "association")
    return level != "project"


def _rounded(mean: Row) -> Shares:
    share = _number(mean["share"])
    return share - ROUNDING, share + ROUNDING


def _mean(parts: Iterable[Shares]) -> Shares:
    lows, highs = zip(*parts, strict=True)
    return sum(lows) / len(lows), sum(highs) / len(highs)


def _parts_of_mean(mean: Shares, parts: Sequence[Shares]) -> list[Shares]:
    """Each part's range, by the mean's and the other parts'."""
    low, high = (end * len(parts) for end in mean)
    lows, highs = (sum(ends) for ends in zip(*parts, strict=True))
    return [
        (max(part[0], low - (highs - part[1])), min(part[1], high - (lows - part[0])))
        for part in parts
    ]


class _Returned:
    """Questionnaires returned: a system of its own, which limits how many can have answered."""

    def __init__(self, attack: _Attack) -> None:
        self.attack = attack
        self.system = System()
        self.columns: dict[tuple[_Place, str, str], int] = {}

    def limit(self) -> dict[Figure, Range]:
        """Notes that no question has more answers than returned; the range of hidden numbers."""
        hidden: dict[Figure, int] = {}
        for number in range(len(self.attack.releases)):
            hidden |= self._rows(number)
        self._at_least_the_answers()
        for number in range(len(self.attack.releases)):
            self._sums(number)
            self._volumes(number)
        keys = list(self.columns)
        asked = [Asked((self.columns[key],), width=float("inf")) for key in keys]
        most = dict(zip(keys, ranges(self.system, asked), strict=True))
        for (place, questionnaire, gender), (_, high) in most.items():
            for question in self.attack.questions_of(questionnaire):
                cell = self.attack.cell(place, question, gender)
                if cell and high < MOST:
                    self.attack.system.row([(column, 1.0) for column in cell], high=high)
        by_column = {self.columns[key]: found for key, found in most.items()}
        return {figure: by_column[column] for figure, column in hidden.items()}

    def _column(self, place: _Place, questionnaire: str, gender: str = "T") -> int:
        key = (place, questionnaire, gender)
        if key not in self.columns:
            self.columns[key] = self.system.column()
        return self.columns[key]

    def _rows(self, number: int) -> dict[Figure, int]:
        """What the response rates say; the columns of what they hide."""
        hidden = {}
        for row in self.attack.releases[number]["response_rates"]:
            place = self.attack.place(number, row["level"], row["unit_id"])
            column = self._column(place, row["questionnaire_id"])
            if "returned" not in row:
                continue
            if row["status"] == HIDDEN:
                key = (row["level"], row["unit_id"], row["questionnaire_id"])
                hidden[Figure(number + 1, "response_rates", key, "returned")] = column
            else:
                self.system.bound(column, int(row["returned"]), int(row["returned"]))
        return hidden

    def _at_least_the_answers(self) -> None:
        """Where there are rows something was returned, and as much as any question's answers."""
        low = self.attack.system.low
        for place, questionnaire, gender in sorted(self.attack.present):
            if gender == "T" or (gender in ("K", "M") and place.level == "nation"):
                column = self._column(place, questionnaire, gender)
                cells = [self.attack.cell(place, question, gender)
                         for question in self.attack.questions_of(questionnaire)]  # fmt: skip
                answers = [sum(low[c] for c in cell) for cell in cells if cell]
                self.system.bound(column, max([1.0, *answers]))

    def _sums(self, number: int) -> None:
        """As for answers; an association without known activities is at least their sum.

        One that one known person of an association answers has no rows below the nation.
        """
        for place, parts in self.attack.tree(number):
            for questionnaire in dict.fromkeys(self.attack.questions.values()):
                total = self.columns.get((place, questionnaire, "T"))
                columns = [self.columns[part, questionnaire, "T"] for part in parts
                           if (part, questionnaire, "T") in self.columns]  # fmt: skip
                if total is not None and columns and place.level != "activity_group":
                    may_be_more = place.level == "association" and self.attack.may_have_outside(
                        place, parts, questionnaire
                    )
                    terms = [(total, 1.0), *((column, -1.0) for column in columns)]
                    self.system.row(terms, 0.0, MOST if may_be_more else 0.0)

    def _volumes(self, number: int) -> None:
        """The nation's questionnaires by gender, over all kinds of them."""
        nation = _Place("nation", "0000", number)
        volumes = {row["gender"]: row["n_questionnaires"]
                   for row in self.attack.releases[number]["national_results"]
                   if row.get("n_questionnaires")}  # fmt: skip
        for gender, volume in volumes.items():
            columns = [column for (place, _, one), column in self.columns.items()
                       if place == nation and one == gender]  # fmt: skip
            self.system.row([(column, 1.0) for column in columns], int(volume), int(volume))
        for (place, questionnaire, gender), column in list(self.columns.items()):
            if place == nation and gender == "T":
                split = [self.columns[key] for one in ("K", "M")
                         if (key := (place, questionnaire, one)) in self.columns]  # fmt: skip
                self.system.row([(column, 1.0), *((one, -1.0) for one in split)], 0.0)
