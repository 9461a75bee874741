"""Random small rounds as plain counts, rolled up to released tables with given rows hidden.

Belongs here: who answered how (drawn), the figures of every mart that follow from it, and writing
them as the files of a release. Does not: which rows ought to be hidden (but for two crude
patterns), any code of the pipeline, or what a reader can compute.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

Tables = dict[str, list[dict[str, Any]]]
Key = tuple[str, tuple[str, ...]]
"""A table and the values of its key in a row."""
Hidden = Mapping[Key, str | tuple[int, int]]
"""Rows not shown: `..`, or a bracket of the lowest and highest number of positive answers."""

ROUND = 2026
HIDDEN, BRACKET, EMPTY = "..", "[]", "."
GENDERS = ("K", "M", "other")
KEYS = {
    "measure_results": ("level", "unit_id", "questionnaire_id", "measure_id", "gender"),
    "indicator_results": ("level", "unit_id", "respondent_group", "indicator_id", "gender"),
    "national_results": ("figure_kind", "figure_id", "answered_by", "gender"),
    "key_figures": ("kpi_id", "municipality_id"),
    "response_rates": ("level", "unit_id", "questionnaire_id"),
}
FIGURES: tuple[str, ...] = (
    "n",
    "n_positive",
    "share",
    "bracket_low",
    "bracket_high",
    "count",
    "value",
    "returned",
)
FIGURES += ("n_measures",)


class Question(NamedTuple):
    question_id: str
    questionnaire_id: str
    measure_id: str
    indicator_id: str
    base_question_id: str | None = None


class Kpi(NamedTuple):
    kpi_id: str
    question_id: str
    min_answers: int


QUESTIONS = (
    Question("ending_1a", "participant_ending", "1a", "1"),
    Question("ending_1b", "participant_ending", "1b", "1"),
    Question("ending_6a", "participant_ending", "6a", "6"),
    Question("ending_6b", "participant_ending", "6b", "6", "ending_6a"),
    Question("staff_1a", "staff", "1a", "1"),
    Question("board_12a", "board", "12a", "12"),
)
GROUPS = {
    "participant_ongoing": "participant",
    "participant_ending": "participant",
    "staff": "staff",
    "referrer": "referrer",
    "board": "board",
    "managers": "managers",
}
OF_ASSOCIATIONS = ("board", "managers")
KPIS = (Kpi("U40460", "ending_1a", 5), Kpi("U40468", "ending_6b", 5))


class Source(NamedTuple):
    """Where answers came from: an activity, or an association where `activity` is empty.

    Of an organisation that is not in the nation, no other unit counts the answers.
    """

    association_id: str
    county_code: str
    activity: str
    langd: str
    more_groups: tuple[str, ...] = ()
    in_nation: bool = True

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of comparable activities that it is in."""
        return (*((self.langd,) if self.langd else ()), *self.more_groups)


class Answers(NamedTuple):
    """Valid answers to a question from a source and a gender, and how many were positive."""

    source: Source
    gender: str
    question_id: str
    n: int
    n_positive: int


class Returned(NamedTuple):
    """Questionnaires returned from a source by a gender."""

    source: Source
    gender: str
    questionnaire_id: str
    returned: int


@dataclass(frozen=True)
class Hierarchy:
    """A round of counts.

    Attributes:
        sources: all that could have answered.
        municipalities: each one's associations.
        deliveries: by association, the hash of what it sent.
    """

    questions: tuple[Question, ...]
    sources: tuple[Source, ...]
    municipalities: Mapping[str, tuple[str, ...]]
    answers: tuple[Answers, ...]
    returned: tuple[Returned, ...]
    deliveries: Mapping[str, str]

    def without(self, association: str) -> Hierarchy:
        """The same round before, or after, that association's delivery counted."""
        return replace(
            self,
            answers=tuple(a for a in self.answers if a.source.association_id != association),
            returned=tuple(r for r in self.returned if r.source.association_id != association),
            deliveries={a: sha for a, sha in self.deliveries.items() if a != association},
        )


def hierarchy(
    seed: int,
    questions: tuple[Question, ...] = QUESTIONS,
    counties: int = 6,
    associations: int = 4,
    activities: int = 5,
    size: float = 5.0,
    outside: bool = False,
) -> Hierarchy:
    """A random round: up to so many counties, associations of each, activities of each.

    Args:
        seed: the same one gives the same round.
        questions: what was asked.
        counties, associations, activities: the most of each.
        size: about how many questionnaires a source and gender return; sizes are very uneven.
        outside: whether associations with activities have answers outside them, too.
    """
    random = Random(seed)
    sources: list[Source] = []
    for county in random.sample(range(1, 26), random.randint(1, counties)):
        for number in range(random.randint(1, associations)):
            name, code = f"f{county:02}{'abcdefgh'[number]}", f"{county:02}"
            n_activities = random.randint(0, activities)
            sources += [
                Source(name, code, f"A{i + 1}", random.choice(["kort", "lång", ""]))
                for i in range(n_activities)
            ]
            sources.append(Source(name, code, "", ""))
    names = sorted({source.association_id for source in sources})
    round_ = Hierarchy(questions, tuple(sources), _municipalities(names, random), (), (), {})
    for name in names:
        round_ = delivered(round_, name, random, size, outside)
    return round_


def _municipalities(names: list[str], random: Random) -> dict[str, tuple[str, ...]]:
    """One of each association's own, and some of several associations."""
    found: dict[str, tuple[str, ...]] = {
        f"{100 + number:04}": (name,) for number, name in enumerate(names)
    }
    for number in range(len(names) // 2):
        found[f"{900 + number:04}"] = tuple(
            sorted(random.sample(names, random.choice([2, 2, 3]) if len(names) > 2 else 2))
        )
    return found


def delivered(
    round_: Hierarchy, association: str, random: Random, size: float = 5.0, outside: bool = False
) -> Hierarchy:
    """The round with new, drawn answers of an association, in place of those it had."""
    rest = round_.without(association)
    own = [source for source in round_.sources if source.association_id == association]
    answers: list[Answers] = []
    returned: list[Returned] = []
    for questionnaire in dict.fromkeys(q.questionnaire_id for q in round_.questions):
        for source in own:
            if _answers_from(source, questionnaire, len(own), outside):
                for gender, n in _sizes(questionnaire, size, random):
                    returned.append(Returned(source, gender, questionnaire, n))
                    answers += _drawn(round_.questions, source, gender, questionnaire, n, random)
    # the number alone may come again: a chain draws the same ones as the round it is a chain of
    sent = f"{random.getrandbits(64)} {answers} {returned}"
    sha = hashlib.sha256(sent.encode()).hexdigest()
    return replace(
        rest,
        answers=rest.answers + tuple(answers),
        returned=rest.returned + tuple(returned),
        deliveries={**rest.deliveries, association: sha},
    )


def _answers_from(source: Source, questionnaire: str, n_own: int, outside: bool) -> bool:
    """Boards and managers answer for the association; others from its activities, if any."""
    if questionnaire in OF_ASSOCIATIONS:
        return source.activity == ""
    return source.activity != "" or n_own == 1 or outside


def _sizes(questionnaire: str, size: float, random: Random) -> Iterator[tuple[str, int]]:
    """How many of each gender returned it; the gender of others than participants is not asked."""
    if GROUPS[questionnaire] != "participant":
        yield "other", min(int(random.lognormvariate(math.log(size), 0.8)), 60)
        return
    for gender in ("K", "M"):
        yield gender, min(int(random.lognormvariate(math.log(size), 1.0)), 90)
    yield "other", random.choices([0, 1, 2, 7], [85, 8, 4, 3])[0]


def _drawn(
    questions: Iterable[Question],
    source: Source,
    gender: str,
    questionnaire: str,
    returned: int,
    random: Random,
) -> list[Answers]:
    """Answers of so many respondents; to a question with a base, of those positive there."""
    found: dict[str, Answers] = {}
    for question in (q for q in questions if q.questionnaire_id == questionnaire):
        base = question.base_question_id
        asked = found[base].n_positive if base else returned
        n = sum(random.random() < 0.93 for _ in range(asked))
        positive = sum(random.random() < random.choice([0.6, 0.9]) for _ in range(n))
        found[question.question_id] = Answers(source, gender, question.question_id, n, positive)
    return list(found.values())


def chain(seed: int, **shape: Any) -> tuple[Hierarchy, Hierarchy, Hierarchy]:
    """A round as three releases see it: late, replaced and withdrawn deliveries between them."""
    random = Random(seed)
    whole = hierarchy(seed, **shape)
    names = sorted(whole.deliveries)
    late = random.sample(names, random.randint(1, max(1, len(names) // 3)))
    first = whole
    for name in late:
        first = first.without(name)
    second, third = whole, whole
    for name in random.sample(names, random.randint(0, max(1, len(names) // 4))):
        second = third = delivered(second, name, random)
    gone = random.choice(names)
    third = third.without(gone) if random.random() < 0.6 else delivered(third, gone, random)
    return first, second, third


def units(source: Source) -> Iterator[tuple[str, str]]:
    """The levels and units to which a source's answers count."""
    yield "association", source.association_id
    if source.activity:
        yield "activity", f"{source.association_id}/{source.activity}"
    if source.in_nation:
        yield "nation", "0000"
        yield "county", "00" + source.county_code
        yield from (("activity_group", group) for group in source.groups)


def _genders(gender: str) -> tuple[str, ...]:
    return ("T", gender) if gender in ("K", "M") else ("T",)


def _percent(part: int, whole: int) -> Fraction | None:
    return Fraction(100 * part, whole) if whole else None


def roll_up(round_: Hierarchy) -> Tables:
    """The rows of the marts, by table, with the columns by which figures can be told."""
    returned: Counter[tuple[str, str, str, str]] = Counter()
    for r in round_.returned:
        for level, unit in units(r.source):
            for gender in _genders(r.gender):
                returned[level, unit, r.questionnaire_id, gender] += r.returned
    tables = {"measure_results": _measures(round_, returned)}
    tables["indicator_results"] = _indicators(round_, tables["measure_results"])
    tables["national_results"] = _national(round_, tables)
    tables["key_figures"] = _key_figures(round_, tables["measure_results"])
    tables["response_rates"] = [
        {"round": ROUND, "level": level, "unit_id": unit, "questionnaire_id": q, "returned": n}
        for (level, unit, q, gender), n in sorted(returned.items())
        if gender == "T" and level != "activity_group"
    ]
    return {**tables, **_dimensions(round_)}


def _measures(
    round_: Hierarchy, returned: Counter[tuple[str, str, str, str]]
) -> list[dict[str, Any]]:
    """A row of each question where any questionnaire was returned; sums of the answers."""
    sums: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for a in round_.answers:
        for level, unit in units(a.source):
            for gender in _genders(a.gender):
                total = sums[level, unit, a.question_id, gender]
                total[0] += a.n
                total[1] += a.n_positive
    rows = []
    for level, unit, questionnaire, gender in sorted(key for key, n in returned.items() if n):
        for q in round_.questions:
            if q.questionnaire_id == questionnaire:
                n, positive = sums[level, unit, q.question_id, gender]
                rows.append(
                    {
                        "round": ROUND,
                        "level": level,
                        "unit_id": unit,
                        "questionnaire_id": questionnaire,
                        "measure_id": q.measure_id,
                        "question_id": q.question_id,
                        "gender": gender,
                        "n": n,
                        "n_positive": positive,
                        "share": _percent(positive, n),
                    }
                )
    return rows


def _indicators(round_: Hierarchy, measures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Unweighted means of the shares of a group's measures, and of the groups' shares for `all`."""
    indicator_of = {q.question_id: q.indicator_id for q in round_.questions}
    by_group: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in measures:
        unit = (row["level"], row["unit_id"])
        group = GROUPS[row["questionnaire_id"]]
        by_group[(*unit, group, indicator_of[row["question_id"]], row["gender"])].append(row)
    means = {key: _mean(rows) for key, rows in by_group.items()}
    together: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for (level, unit_id, _, indicator, gender), mean in means.items():
        together[level, unit_id, "all", indicator, gender].append(mean)
    for key, parts in together.items():
        means[key] = {**_mean(parts), "n_measures": sum(part["n_measures"] for part in parts)}
    names = ("round", *KEYS["indicator_results"])
    return [dict(zip(names, (ROUND, *key), strict=True)) | means[key] for key in sorted(means)]


def _mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    shares = [row["share"] for row in rows if row["share"] is not None]
    share = sum(shares, Fraction(0)) / len(shares) if shares else None
    return {"share": share, "n_measures": len(shares), "n": sum(row["n"] for row in rows)}


def _national(round_: Hierarchy, tables: Tables) -> list[dict[str, Any]]:
    volumes: Counter[str] = Counter()
    for r in round_.returned:
        volumes.update(dict.fromkeys(_genders(r.gender), r.returned))
    rows = []
    for kind, table, figure, by in (
        ("measure", "measure_results", "measure_id", "questionnaire_id"),
        ("indicator", "indicator_results", "indicator_id", "respondent_group"),
    ):
        for row in tables[table]:
            if row["level"] == "nation":
                rows.append(
                    {
                        "round": ROUND,
                        "figure_kind": kind,
                        "figure_id": row[figure],
                        "answered_by": row[by],
                        "gender": row["gender"],
                        **{
                            name: row.get(name)
                            for name in ("n_measures", "n", "n_positive", "share")
                        },
                        "n_questionnaires": volumes[row["gender"]],
                    }
                )
    return rows


def _key_figures(round_: Hierarchy, measures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counts = {
        (row["unit_id"], row["question_id"]): (row["n"], row["n_positive"])
        for row in measures
        if row["level"] == "association" and row["gender"] == "T"
    }
    outside = {s.association_id for s in round_.sources if not s.in_nation}
    rows = []
    asked = {question.question_id for question in round_.questions}
    for kpi in (kpi for kpi in KPIS if kpi.question_id in asked):
        for code, all_members in sorted(round_.municipalities.items()):
            members = [name for name in all_members if name not in outside]
            if not members:
                continue
            pooled = [counts.get((name, kpi.question_id), (0, 0)) for name in members]
            n, positive = (sum(one) for one in zip(*pooled, strict=True))
            rows.append(
                {
                    "kpi_id": kpi.kpi_id,
                    "municipality_id": code,
                    "period": ROUND,
                    "gender": "T",
                    "value": _percent(positive, n),
                    "count": n,
                    "n_positive": positive,
                    "association_ids": ",".join(members),
                }
            )
    return rows


def _dimensions(round_: Hierarchy) -> Tables:
    """The facts about the instrument and the register that a release tells."""
    by_id = {q.question_id: q for q in round_.questions}
    return {
        "associations": [
            {"association_id": name, "county_code": county, "in_nation": in_nation}
            for name, county, in_nation in dict.fromkeys(
                (s.association_id, s.county_code, s.in_nation) for s in round_.sources
            )
        ],
        "activity_groups": [
            {"round": ROUND, "unit_id": f"{s.association_id}/{s.activity}", "group_id": group}
            for s in round_.sources
            for group in s.groups
        ],
        "activities": [
            {
                "round": ROUND,
                "unit_id": f"{s.association_id}/{s.activity}",
                "association_id": s.association_id,
                "langd": s.langd or None,
            }
            for s in round_.sources
            if s.activity
        ],
        "questions": [
            {
                "question_id": q.question_id,
                "measure_id": q.measure_id,
                "questionnaire_id": q.questionnaire_id,
                "base_question_id": q.base_question_id,
            }
            for q in round_.questions
        ],
        "questionnaires": [
            {"questionnaire_id": q, "respondent_group": group}
            for q, group in GROUPS.items()
            if any(one.questionnaire_id == q for one in round_.questions)
        ],
        "measures": [
            {"measure_id": measure, "indicator_id": indicator}
            for measure, indicator in dict.fromkeys(
                (q.measure_id, q.indicator_id) for q in round_.questions
            )
        ],
        "key_figure_definitions": [
            {
                "kpi_id": k.kpi_id,
                "measure_id": by_id[k.question_id].measure_id,
                "questionnaire_id": by_id[k.question_id].questionnaire_id,
                "min_answers": k.min_answers,
            }
            for k in KPIS
            if k.question_id in by_id
        ],
    }


def key_of(table: str, row: Mapping[str, Any]) -> Key:
    """The key of a row."""
    return table, tuple(str(row[column]) for column in KEYS[table])


def answers_in(row: Mapping[str, Any]) -> int:
    """How many answers, or questionnaires, the figures of a row rest on."""
    return int(next(row[name] for name in ("n", "count", "returned") if name in row))


def truth(tables: Tables) -> dict[tuple[Key, str], int]:
    """Every count of every row: n, n_positive, n_negative and returned."""
    found: dict[tuple[Key, str], int] = {}
    for table in ("measure_results", "key_figures"):
        for row in tables[table]:
            n, positive = answers_in(row), int(row["n_positive"])
            for name, value in (("n", n), ("n_positive", positive), ("n_negative", n - positive)):
                found[key_of(table, row), name] = value
    for row in tables["response_rates"]:
        found[key_of("response_rates", row), "returned"] = int(row["returned"])
    return found


def all_but_nation(tables: Tables, min_answers: int = 5) -> dict[Key, str]:
    """The crude pattern: only the nation is shown; its genders where none of them is small."""
    few = only_small(tables, min_answers)
    split = {key[1][:-1] for key in few if key[0] == "measure_results" and key[1][-1] != "T"}

    def is_shown(table: str, row: Mapping[str, Any]) -> bool:
        _, key = key_of(table, row)
        if row.get("level") != "nation" or (table, key) in few:
            return False
        return row.get("gender", "T") == "T" or (
            table == "measure_results" and key[:-1] not in split
        )

    return {
        key_of(table, row): HIDDEN
        for table in KEYS
        for row in tables[table]
        if answers_in(row) and not is_shown(table, row)
    }


def only_small(tables: Tables, min_answers: int = 5) -> dict[Key, str]:
    """The pattern that does not protect: 1 to 4 answers hidden, and means of such.

    No gender is shown where 1 to 4 answers are of other genders.
    """
    hidden = {
        key_of(table, row): HIDDEN
        for table in KEYS
        for row in tables[table]
        if 0 < answers_in(row) < min_answers
    }
    by_key = {key_of("measure_results", row)[1]: row["n"] for row in tables["measure_results"]}
    for *cell, gender in by_key:
        n, women, men = (by_key.get((*cell, one), 0) for one in ("T", "K", "M"))
        if gender != "T" and 0 < n - women - men < min_answers and by_key[*cell, gender]:
            hidden["measure_results", (*cell, gender)] = HIDDEN
    indicator = {row["measure_id"]: row["indicator_id"] for row in tables["measures"]}
    group = {r["questionnaire_id"]: r["respondent_group"] for r in tables["questionnaires"]}
    for table, key in list(hidden):
        if table == "measure_results":
            level, unit, questionnaire, measure, gender = key
            for by in (group[questionnaire], "all"):
                hidden["indicator_results", (level, unit, by, indicator[measure], gender)] = HIDDEN
    for table, key in list(hidden):
        if key[0] == "nation" and table in ("measure_results", "indicator_results"):
            kind = table.removesuffix("_results")
            hidden["national_results", (kind, key[3], key[2], key[4])] = HIDDEN
    return hidden


def write_release(
    folder: Path, tables: Tables, hidden: Hidden, deliveries: Mapping[str, str]
) -> Path:
    """The open CSV files and the manifest of a release in which some rows are not shown."""
    open_csv = folder / "open" / "csv"
    open_csv.mkdir(parents=True)
    for name, rows in tables.items():
        if rows:
            shown = [
                _masked(row, hidden.get(key_of(name, row), "")) if name in KEYS else row
                for row in rows
            ]
            with (open_csv / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file, delimiter=";")
                writer.writerow(shown[0])
                writer.writerows([_text(value) for value in row.values()] for row in shown)
    manifest = [{"association_id": a, "sha256": sha} for a, sha in sorted(deliveries.items())]
    (folder / "manifest.json").write_text(json.dumps({"round": ROUND, "deliveries": manifest}))
    return folder


def _masked(row: Mapping[str, Any], how: str | tuple[int, int]) -> dict[str, Any]:
    """A row as it is released: the figures that may be seen, and the status."""
    n = answers_in(row)
    shown = {**row, "bracket_low": None, "bracket_high": None}
    if isinstance(how, tuple):
        low, high = (_percent(positive, n) for positive in how)
        shown |= {"n_positive": None, "share": None, "bracket_low": low, "bracket_high": high}
        return {**shown, "status": BRACKET}
    if how == HIDDEN:
        return {**shown, **{name: None for name in FIGURES if name in shown}, "status": HIDDEN}
    return {**shown, "status": "" if n else EMPTY}


def _text(value: Any) -> str:
    """As in the files: decimal comma, one decimal rounded half up, nothing for null."""
    if isinstance(value, Fraction):
        tenths = math.floor(value * 10 + Fraction(1, 2))
        return str(Decimal(tenths) / 10).replace(".", ",")
    return "" if value is None else str(value)
