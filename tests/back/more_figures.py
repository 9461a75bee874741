"""What a drawn round has beside its questionnaires: outcomes, a project's question, a study.

Belongs here: drawing them by delivery, and the rows of the marts that follow. Does not: any code of
the pipeline, or the questionnaires' own figures (hierarchies.py).

A round has them when it was `widened`: then an activity is in several groups as well, and an
organisation may be out of the nation. What is drawn of an association hangs on what it delivered:
it is another in the next release of a chain only when that is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from hierarchies import GENDERS, ROUND, Hierarchy, Source, Tables, roll_up, units

YOUNG, OLD = "malgrupp=unga", "malgrupp=äldre"
PROJECT, QUESTION = "projektet", "bo"
STUDY, MONTHS = "register_study", ("11b", "11d")
WAYS = ("work", "studies", "other_vocational", "medical_rehab", "sickness_compensation", "other")
_POSITIVE = WAYS[:3]
_BLANK = {
    "period_kind": "calendar_year",
    "period": str(ROUND),
    "source_id": "uppfoljning_finsam",
    "comparable": False,
    "previous_period": None,
    "target_share": None,
    "dropout_months": None,
}

Key = tuple[str, str, str]
"""Level, unit and gender."""


class Outcome(NamedTuple):
    """Participations of a source and gender: dropouts are those who ended and are no leavers."""

    source: Source
    gender: str
    active: int
    ended: int
    ways: Mapping[str, int]


def widened(round_: Hierarchy, seed: int) -> Hierarchy:
    """The round with activities in more groups, and an organisation out of the nation in some."""
    random = Random(f"{seed} wider")
    names = sorted({source.association_id for source in round_.sources})
    outside = set(random.sample(names, 1)) if len(names) > 3 and random.random() < 0.7 else set()
    wider = {
        source: source._replace(
            more_groups=tuple(
                group for group in ("individ", YOUNG, OLD) if random.random() < 0.4
            ) if source.activity else (),
            in_nation=source.association_id not in outside,
        )
        for source in round_.sources
    }  # fmt: skip
    return replace(
        round_,
        sources=tuple(wider.values()),
        answers=tuple(a._replace(source=wider[a.source]) for a in round_.answers),
        returned=tuple(r._replace(source=wider[r.source]) for r in round_.returned),
    )


def everything(round_: Hierarchy) -> Tables:
    """All rows of the marts by table, with those of this module when the round was widened."""
    tables = roll_up(round_)
    if not any(source.more_groups for source in round_.sources):
        return tables
    return {
        **tables,
        "measure_results": [*tables["measure_results"], *_study(round_)],
        "outcomes": _outcome_rows(round_),
        "extra_results": _extra_rows(round_),
        "measures": [
            *tables["measures"],
            *({"measure_id": m, "indicator_id": "11"} for m in MONTHS),
        ],
        "questionnaires": [
            *({**row, "kind": "questionnaire"} for row in tables["questionnaires"]),
            {"questionnaire_id": STUDY, "respondent_group": "register", "kind": "register"},
        ],
    }


def _random(round_: Hierarchy, association: str, what: str) -> Random:
    return Random(f"{round_.deliveries[association]} {what}")


def _of_activities(round_: Hierarchy, association: str) -> list[Source]:
    """The activities of an association, or the association where it has none."""
    own = [source for source in round_.sources if source.association_id == association]
    return [source for source in own if source.activity] or own


def _some(random: Random, n: int, share: float) -> int:
    return sum(random.random() < share for _ in range(n))


def _with_total(gender: str) -> tuple[str, ...]:
    return ("T", gender) if gender in ("K", "M") else ("T",)


# --- outcomes -----------------------------------------------------------------------------------


def outcomes(round_: Hierarchy) -> Iterator[Outcome]:
    """What became of the participations in each activity."""
    for association in sorted(round_.deliveries):
        random = _random(round_, association, "outcomes")
        for source in _of_activities(round_, association):
            for gender in GENDERS:
                typical = 1 if gender == "other" else 14
                active = int(random.lognormvariate(0, 0.9) * typical * (random.random() < 0.9))
                ended = _some(random, active, random.choice([0.1, 0.5, 0.9]))
                left = _some(random, ended, random.choice([0.8, 0.9, 1.0]))
                ways = dict.fromkeys(WAYS, 0)
                for way in random.choices(WAYS, [8, 2, 2, 6, 1, 8], k=left):
                    ways[way] += 1
                yield Outcome(source, gender, active, ended, ways)


def _outcome_rows(round_: Hierarchy) -> list[dict[str, Any]]:
    sums: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for outcome in outcomes(round_):
        for level, unit in units(outcome.source):
            for gender in _with_total(outcome.gender):
                row = sums[level, unit, gender]
                row["active"] += outcome.active
                row["ended"] += outcome.ended
                for way, n in outcome.ways.items():
                    row[way] += n
    return [
        {
            "round": ROUND,
            "level": level,
            "unit_id": unit,
            "gender": gender,
            "active": row["active"],
            "ended": row["ended"],
            "leavers": sum(row[way] for way in WAYS),
            "positive": sum(row[way] for way in _POSITIVE),
            "positive_rate": None,
            **{way: row[way] for way in WAYS},
            **_BLANK,
        }
        for (level, unit, gender), row in sorted(sums.items())
        if row["active"]
    ]


# --- a project's question -----------------------------------------------------------------------


def _extra_rows(round_: Hierarchy) -> list[dict[str, Any]]:
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for association in sorted(round_.deliveries)[::2]:
        random = _random(round_, association, "extra")
        for source in _of_activities(round_, association):
            for gender in GENDERS:
                n = int(random.lognormvariate(0, 1) * (1 if gender == "other" else 6))
                positive = _some(random, n, random.choice([0.4, 0.95]))
                own = (one for one in units(source) if one[0] in ("association", "activity"))
                for level, unit in [("project", PROJECT), *own]:
                    for told in _with_total(gender):
                        sums[level, unit, told][0] += n
                        sums[level, unit, told][1] += positive
    return [
        {
            "round": ROUND,
            "level": level,
            "unit_id": unit,
            "questionnaire_id": "participant_ending",
            "question_id": QUESTION,
            "gender": gender,
            "n": n,
            "n_positive": positive,
            "share": None,
            "comparable": False,
            "previous_round": None,
        }
        for (level, unit, gender), (n, positive) in sorted(sums.items())
    ]


# --- a register study ---------------------------------------------------------------------------


def _study(round_: Hierarchy) -> Iterator[dict[str, Any]]:
    """The nation by gender; some associations by gender, some not, and people of none."""
    inside = {source.association_id for source in round_.sources if source.in_nation}
    for measure in MONTHS:
        nation: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        names = [name for name in sorted(round_.deliveries) if name in inside]
        for name in [*names, ""]:
            random = _random(round_, name or names[0], f"study {measure} {name}")
            by_gender = {}
            for gender in GENDERS:
                n = int(random.lognormvariate(0, 1) * (0.5 if gender == "other" else 8))
                by_gender[gender] = (n, _some(random, n, random.choice([0.4, 0.95])))
                for told in _with_total(gender):
                    nation[told] = [
                        a + b for a, b in zip(nation[told], by_gender[gender], strict=True)
                    ]
            total = tuple(map(sum, zip(*by_gender.values(), strict=True)))
            is_split = random.random() < 0.5
            split = [(g, by_gender[g]) for g in ("K", "M") if is_split and by_gender[g][0]]
            if name and total[0]:
                yield from _study_rows(measure, "association", name, [("T", total), *split])
        yield from _study_rows(measure, "nation", "0000", sorted(nation.items()))


def _study_rows(
    measure: str, level: str, unit: str, counts: Iterable[tuple[str, Any]]
) -> Iterator[dict[str, Any]]:
    for gender, (n, positive) in counts:
        yield {
            "round": ROUND,
            "level": level,
            "unit_id": unit,
            "questionnaire_id": STUDY,
            "measure_id": measure,
            "question_id": f"register_{measure}",
            "gender": gender,
            "n": n,
            "n_positive": positive,
            "share": None,
        }
