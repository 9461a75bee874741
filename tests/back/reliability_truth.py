"""The quality of the instrument computed another way, by fractions and numpy: for comparison only.

Belongs here: the marts `reliability` and `item_quality` by their textbook definitions, from the
answers that `truth` reads. Does not: anything of `pipelines` or the dbt models, or textbook data.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from statistics import fmean, variance

import numpy as np
import pandas as pd
import truth
from truth import Facts, Response, Row, Table

KEYS = {
    "reliability": ["round", "respondent_group", "indicator_id"],
    "item_quality": ["round", "questionnaire_id", "question_id"],
}
Scores = list[Fraction]


def compute(raw: Path) -> dict[str, pd.DataFrame]:
    """Both marts of the landing zone, a table per name of `KEYS`."""
    facts = of_the_nation(truth.read(raw))
    tables = {"reliability": reliability(facts), "item_quality": item_quality(facts)}
    return {name: pd.DataFrame(rows, dtype=object) for name, rows in tables.items()}


def of_the_nation(facts: Facts) -> Facts:
    """Without the deliveries of organisations that do not count in the nation."""
    inside = [
        d for d in facts.deliveries if d.association_id and facts.is_in_nation(d.association_id)
    ]
    return replace(facts, deliveries=inside)


# ---- what was asked and answered ---------------------------------------------------------------


def asked(facts: Facts, round_: int) -> Table:
    """The questions of the questionnaires that came back, with group and indicator."""
    returned = {r.questionnaire_id for r in facts.responses(round_)}
    return [
        question
        | {
            "respondent_group": questionnaire["respondent_group"],
            "indicator_id": indicator_of(facts, question),
        }
        for questionnaire in facts.questionnaires(round_)
        if questionnaire["questionnaire_id"] in returned
        for question in facts.questions(questionnaire["questionnaire_id"], round_)
    ]


def indicator_of(facts: Facts, question: Row) -> str:
    return truth.one(facts.seeds["measures"], measure_id=question["measure_id"])["indicator_id"]


def answers_to(facts: Facts, question: Row, round_: int) -> list[Response]:
    """The responses that count for a question: those of its questionnaire, or of its base."""
    of_questionnaire = [
        r for r in facts.responses(round_) if r.questionnaire_id == question["questionnaire_id"]
    ]
    if not question["base_question_id"]:
        return of_questionnaire
    base = truth.one(facts.seeds["questions"], question_id=question["base_question_id"])
    positive = truth.positive_codes(base, facts.seeds)
    return [r for r in of_questionnaire if r.answers.get(base["question_id"]) in positive]


def counts(facts: Facts, questions: Table, round_: int) -> Row:
    """How a measure was answered, over the questions that ask it."""
    n_asked = n = n_lowest = n_highest = n_dont_know = 0
    for question in questions:
        codes = truth.codes_of(question, facts.seeds, is_answer="true")
        unsure = truth.codes_of(question, facts.seeds, is_answer="false")
        given = [
            r.answers.get(question["question_id"]) for r in answers_to(facts, question, round_)
        ]
        n_asked += len(given)
        n += sum(code in codes for code in given)
        n_dont_know += sum(code in unsure for code in given)
        n_lowest += given.count(min(codes))
        n_highest += given.count(max(codes))
    return {
        "n_asked": n_asked,
        "n": n,
        "n_missing": n_asked - n - n_dont_know,
        "floor": 100 * n_lowest / n if n else None,
        "ceiling": 100 * n_highest / n if n else None,
    }


def percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


# ---- items that go together --------------------------------------------------------------------


def complete_scores(facts: Facts, items: Table, round_: int) -> list[Scores]:
    """Per measure the 0-1 index of everybody who was asked all of them and answered all."""
    measures = sorted({q["measure_id"] for q in items})
    found = []
    for response in facts.responses(round_):
        index = {}
        for question in items:
            codes = truth.codes_of(question, facts.seeds, is_answer="true")
            code = response.answers.get(question["question_id"])
            if question["questionnaire_id"] == response.questionnaire_id and code in codes:
                index[question["measure_id"]] = Fraction(code - 1, len(codes) - 1)
        if len(index) == len(measures):
            found.append([index[measure] for measure in measures])
    return (
        [list(column) for column in zip(*found, strict=True)] if found else [[] for _ in measures]
    )


def alpha_of(columns: list[Scores]) -> Row:
    """Cronbach's alpha with Bonett's interval."""
    nothing = {"alpha": None, "alpha_low": None, "alpha_high": None}
    k, n = len(columns), len(columns[0]) if columns else 0
    if k < 2 or n < 2 or variance(map(sum, zip(*columns, strict=True))) == 0:
        return nothing
    total = variance(map(sum, zip(*columns, strict=True)))
    alpha = Fraction(k, k - 1) * (1 - sum(map(variance, columns)) / total)
    if n == 2 or alpha == 1:
        return nothing | {"alpha": float(alpha)}
    low, high = bonett(float(alpha), k, n)
    return {"alpha": float(alpha), "alpha_low": low, "alpha_high": high}


def bonett(alpha: float, k: int, n: int) -> tuple[float, float]:
    """The 95 % interval of alpha of k items among n (Bonett 2002)."""
    half = truth.Z * math.sqrt(2 * k / ((k - 1) * (n - 2)))
    centre = math.log(1 - alpha)
    return 1 - math.exp(centre + half), 1 - math.exp(centre - half)


def correlation(a: Scores, b: Scores) -> float | None:
    """Pearson's; None where one of them is constant."""
    if len(set(a)) < 2 or len(set(b)) < 2:
        return None
    return float(np.corrcoef([float(x) for x in a], [float(x) for x in b])[0, 1])


def item_totals(columns: list[Scores]) -> list[float | None]:
    """Each item against the sum of the others."""
    rows = list(zip(*columns, strict=True))
    return [
        correlation(column, [sum(row) - row[place] for row in rows])
        for place, column in enumerate(columns)
    ]


# ---- stability ---------------------------------------------------------------------------------


def earlier_round(facts: Facts, questions: Table, round_: int) -> int | None:
    """The round before, if all that the indicator is made of can be compared with it."""
    found = set()
    for question in questions:
        rounds = [r for r in facts.rounds if r < round_ and measured(facts, question, r)]
        since = int(question["comparable_from"] or question["first_round"])
        found.add(max(rounds) if rounds and since <= max(rounds) else None)
    if len(found) != 1 or found == {None}:
        return None
    [before] = found
    group = (questions[0]["respondent_group"], questions[0]["indicator_id"])
    then = [q for q in asked(facts, before) if (q["respondent_group"], q["indicator_id"]) == group]
    made_of = [
        {
            (q["questionnaire_id"], q["measure_id"])
            for q in some
            if truth.tally(q, answers_to(facts, q, when), facts.seeds)["n"]
        }
        for some, when in ((questions, round_), (then, before))
    ]
    return before if made_of[0] == made_of[1] else None


def measured(facts: Facts, question: Row, round_: int) -> bool:
    """Whether the measure had an answer in the same questionnaire of a round."""
    return any(
        response.answers.get(q["question_id"]) in truth.codes_of(q, facts.seeds, is_answer="true")
        for q in facts.questions(question["questionnaire_id"], round_)
        if q["measure_id"] == question["measure_id"]
        for response in answers_to(facts, q, round_)
    )


def shares(facts: Facts, group: tuple[str, str], round_: int) -> dict[str, Fraction]:
    """association_id → the unweighted mean of its shares of the indicator's measures."""
    found: dict[str, list[Fraction]] = {}
    for question in asked(facts, round_):
        if (question["respondent_group"], question["indicator_id"]) != group:
            continue
        responses = sorted(answers_to(facts, question, round_), key=lambda r: r.association_id)
        for association, own in groupby(responses, key=lambda r: r.association_id):
            tally = truth.tally(question, list(own), facts.seeds)
            if tally["n"]:
                share = Fraction(tally["n_positive"], tally["n"])
                found.setdefault(association, []).append(share)
    return {name: sum(some) / len(some) for name, some in found.items()}


def stability(facts: Facts, questions: Table, round_: int) -> Row:
    group = (questions[0]["respondent_group"], questions[0]["indicator_id"])
    before = earlier_round(facts, questions, round_)
    if before is None:
        return {"n_associations": 0, "stability": None}
    now, then = shares(facts, group, round_), shares(facts, group, before)
    both = sorted(now.keys() & then.keys())
    enough = len(both) >= 3
    return {
        "n_associations": len(both),
        "stability": correlation([now[a] for a in both], [then[a] for a in both])
        if enough
        else None,
    }


# ---- the marts ---------------------------------------------------------------------------------


def reliability(facts: Facts) -> Table:
    """A row per round, respondent group and indicator with a question asked."""
    table = []
    for round_ in facts.rounds:
        questions = asked(facts, round_)
        groups = sorted({(q["respondent_group"], q["indicator_id"]) for q in questions})
        for group in groups:
            own = [q for q in questions if (q["respondent_group"], q["indicator_id"]) == group]
            table.append(
                {"round": round_, "respondent_group": group[0], "indicator_id": group[1]}
                | reliability_of(facts, own, round_)
                | {"is_synthetic": facts.is_synthetic}
            )
    return table


def reliability_of(facts: Facts, questions: Table, round_: int) -> Row:
    """The figures of one group's indicator."""
    measures = sorted({q["measure_id"] for q in questions})
    figures = [
        counts(facts, [q for q in questions if q["measure_id"] == measure], round_)
        for measure in measures
    ]
    items = [q for q in questions if not q["base_question_id"]]
    columns = complete_scores(facts, items, round_)
    together = [r for r in item_totals(columns) if r is not None]
    return {
        "n_items": len(columns),
        "n_complete": len(columns[0]) if columns else 0,
        **alpha_of(columns),
        "item_total_lowest": min(together, default=None),
        "item_total_mean": fmean(together) if together else None,
        "n_asked": sum(f["n_asked"] for f in figures),
        "item_non_response": percent(
            sum(f["n_missing"] for f in figures), sum(f["n_asked"] for f in figures)
        ),
        "floor_share": mean_of([f["floor"] for f in figures]),
        "ceiling_share": mean_of([f["ceiling"] for f in figures]),
        **stability(facts, questions, round_),
    }


def mean_of(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def item_quality(facts: Facts) -> Table:
    """A row per question asked in a round."""
    table = []
    for round_ in facts.rounds:
        questions = asked(facts, round_)
        for question in questions:
            figures = counts(facts, [question], round_)
            table.append(
                {
                    "round": round_,
                    "questionnaire_id": question["questionnaire_id"],
                    "question_id": question["question_id"],
                    "n_asked": figures["n_asked"],
                    "n": figures["n"],
                    "non_response": percent(figures["n_missing"], figures["n_asked"]),
                    "floor_share": figures["floor"],
                    "ceiling_share": figures["ceiling"],
                    "item_total": item_total(facts, question, questions, round_),
                    "is_synthetic": facts.is_synthetic,
                }
            )
    return table


def item_total(facts: Facts, question: Row, questions: Table, round_: int) -> float | None:
    """A question against the other items of its indicator in its own questionnaire."""
    together = [
        q
        for q in questions
        if not q["base_question_id"]
        and all(q[name] == question[name] for name in ("questionnaire_id", "indicator_id"))
    ]
    if question["base_question_id"]:
        return None
    measures = sorted(q["measure_id"] for q in together)
    columns = complete_scores(facts, together, round_)
    return item_totals(columns)[measures.index(question["measure_id"])]
