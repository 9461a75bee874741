"""The mart extra_results computed another way: pandas over the files' cells, for comparison only.

Belongs here: what CONTRACT's counts mean for a project's own questions, from openpyxl, pandas and
`extra_questions.csv`. Does not: anything of `pipelines` or the dbt models; which delivery counts
(truth.py tells).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import truth

KEY = ["round", "level", "unit_id", "question_id", "gender"]
Row = dict[str, Any]


def compute(raw: Path) -> pd.DataFrame:
    """The mart, a row per KEY; shares in percent."""
    facts = truth.read(raw)
    own = truth.csv_rows(raw / "register" / "extra_questions.csv")
    asked = pd.DataFrame([row for d in facts.loaded for row in asked_in(d, own, facts)])
    asked["is_synthetic"] = facts.is_synthetic
    units = pd.concat([of_level(asked, level) for level in ("association", "activity", "project")])
    genders = pd.concat(
        [units.assign(gender="T"), *(units[units.kon == g].assign(gender=g) for g in ("K", "M"))]
    )
    table = pd.DataFrame(
        [{**dict(zip(KEY, key, strict=True)), **tally(rows)} for key, rows in genders.groupby(KEY)],
        dtype=object,
    )
    return with_changes(table)


def asked_in(delivery: truth.Delivery, own: list[Row], facts: truth.Facts) -> Iterator[Row]:
    """A row per respondent of a delivery and question that a project asks of it."""
    for question in own:
        is_asked = question["association_id"] == delivery.association_id
        if not is_asked or not truth.covers(question, delivery.round):
            continue
        for cells in respondents(delivery, question, facts):
            only = truth.folded(question["insats_kod"])
            if only and truth.folded(cells["insats_kod"]) != only:
                continue
            yield {
                "round": delivery.round,
                **{k: question[k] for k in ("project_id", "association_id", "questionnaire_id")},
                **{k: question[k] for k in ("question_id", "label_sv", "scale_id")},
                "first_positive": int(question["positive_min_code"]),
                "activity": cells["insats_kod"],
                "kon": truth.spelled("kon", cells["kon"], facts.seeds),
                "code": code_of(cells["answer"], question["scale_id"], facts),
                "scale": [
                    s for s in facts.seeds["scales"] if s["scale_id"] == question["scale_id"]
                ],
            }


def respondents(delivery: truth.Delivery, question: Row, facts: truth.Facts) -> Iterator[Row]:
    """Activity (as the workbook lists it, else None), gender and answer of each respondent."""
    if delivery.source == "workbook":
        yield from respondents_of_workbook(delivery, question, facts)
    elif delivery.source == f"web:{question['questionnaire_id']}":
        yield from respondents_on_the_web(delivery, question)


def respondents_of_workbook(
    delivery: truth.Delivery, question: Row, facts: truth.Facts
) -> Iterator[Row]:
    """Rows with anything in a column of the layout beside the number and the comment."""
    of = question["questionnaire_id"]
    layouts = [x for x in facts.seeds["layouts"] if x["layout_id"] == delivery.layout_id]
    layout = next((x for x in layouts if x["questionnaire_id"] == of), None)
    if layout is None:
        return
    fields = {
        truth.folded(c["column_name"]): c["field"]
        for c in facts.seeds["layout_columns"]
        if (c["layout_id"], c["questionnaire_id"]) == (delivery.layout_id, of)
    } | {truth.folded(question["column_name"]): "answer"}
    book = openpyxl.load_workbook(delivery.path, data_only=True)
    rows = truth.sheet_rows(book, layout["sheet_name"])[int(layout["header_row"]) - 1 :]
    header = [fields.get(truth.folded(cell), "") for cell in rows[0]] if rows else []
    listed = {truth.folded(a.insats_kod): a.insats_kod for a in delivery.activities}
    for row in rows[1:]:
        cells = {"answer": None, "kon": None} | dict(zip(header, row, strict=True))
        told = [v for k, v in cells.items() if k not in ("", "lopnr", "kommentar", "answer")]
        is_label = truth.folded(row[0]) == truth.folded(layout["label_row_mark"])
        if is_label or not any(map(truth.text, told)):
            continue
        yield cells | {"insats_kod": listed.get(truth.folded(cells.get("insats_kod")))}


def respondents_on_the_web(delivery: truth.Delivery, question: Row) -> Iterator[Row]:
    """A row per submission; its activity is the one truth.py has found for it."""
    table = pd.DataFrame(truth.csv_rows(delivery.path))
    table.columns = [re.split("[/-]", name)[-1] for name in table.columns]
    table = table.drop_duplicates("instanceID")
    for row, response in zip(table.to_dict("records"), delivery.responses, strict=True):
        answer = row.get(question["question_id"], "")
        yield {"answer": answer, "kon": row.get("kon", ""), "insats_kod": response.insats_kod}


def code_of(cell: Any, scale_id: str, facts: truth.Facts) -> int | None:
    """The code a cell means on a scale, None for blanks and anything else."""
    for option in facts.seeds["scales"]:
        code, label = option["code"], option["label_sv"].casefold()
        spelled = (code, label, f"{code} {label}")
        if option["scale_id"] == scale_id and truth.folded(cell) in spelled:
            return int(code)
    return None


def of_level(asked: pd.DataFrame, level: str) -> pd.DataFrame:
    """The rows that belong to a unit of a level."""
    if level == "activity":
        asked = asked[asked["activity"].notna()]
        unit = asked["association_id"] + "/" + asked["activity"]
    else:
        unit = asked[f"{level}_id"]
    return asked.assign(level=level, unit_id=unit)


def tally(rows: pd.DataFrame) -> Row:
    """Counts, share, mean index and interval among those who were asked."""
    first = rows.iloc[0]
    answers = [int(s["code"]) for s in first["scale"] if s["is_answer"] == "true"]
    valid = rows["code"][rows["code"].isin(answers)].astype(int)
    n, positive = len(valid), int((valid >= first["first_positive"]).sum())
    n_answered = int(rows["code"].notna().sum())
    low, high = truth.wilson(positive, n)
    span = len(answers) - 1
    return {
        "questionnaire_id": first["questionnaire_id"],
        "label_sv": first["label_sv"],
        "n": n,
        "n_positive": positive,
        "n_missing": len(rows) - n_answered,
        "n_dont_know": n_answered - n,
        "share": 100 * positive / n if n else None,
        "mean_index": float(100 * ((valid - 1) / span).mean()) if n else None,
        "ci_low": low,
        "ci_high": high,
        "is_synthetic": bool(rows["is_synthetic"].any()),
    }


def with_changes(table: pd.DataFrame) -> pd.DataFrame:
    """Compares each row with the unit's latest earlier one that has valid answers."""
    rows = table.to_dict("records")
    for row in rows:
        before = [
            r
            for r in rows
            if all(r[k] == row[k] for k in KEY[1:]) and r["round"] < row["round"] and r["n"]
        ]
        last = max(before, key=lambda r: r["round"], default=None)
        row["comparable"] = last is not None
        row["previous_round"] = last["round"] if last else None
        row["share_previous"] = last["share"] if last else None
        both = last if row["n"] else None
        row["change"] = row["share"] - both["share"] if both else None
        row["change_significant"] = (
            truth.differs(row["n_positive"], row["n"], both["n_positive"], both["n"])
            if both
            else None
        )
    return pd.DataFrame(rows, dtype=object)
