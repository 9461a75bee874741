"""A landing zone of ten rounds with everything that a mart has a case for.

Belongs here: a little of each kind, so that no mart is empty or without nulls. Does not: what the
figures should be; tests/back has zones of its own for that.
"""

from __future__ import annotations

import os
from pathlib import Path

import openpyxl

from pipelines.workbook.sample import write_landing_zone

ROUNDS = range(2017, 2027)
EXTRA = """\
project_id,association_id,questionnaire_id,column_name,question_id,label_sv,scale_id,\
positive_min_code,first_round,last_round,insats_kod
ronden,{one},staff,Bussen,ronden_bussen,Kommer bussen?,yesno_dk,2,2018,,
ronden,{two},staff,Bussen,ronden_bussen,Kommer bussen?,yesno_dk,2,2020,,
navet,{one},participant_ending,Lugnt,navet_lugnt,"Är det ""lugnt""?",frequency6,\
5,2019,2025,{activity}
"""
OWN_ANSWERS = {"Personal": ("Bussen", [1, 2, 3, None]), "Deltagare avslut": ("Lugnt", [2, 5, 6])}
CATEGORIES = ("kategori_målgrupp", ["Unga vuxna", "Åter i arbete", None])
TARGETS = """\
2a,,county,,2019,,50
2a,,activity,,2024,,30
2a,,activity_group,,2020,,40
,2,association,{two},2018,2022,55
,2,activity,{one}/{activity},2019,,99
"""
# Ends within the months of a dropout and a day later, over the ends of short months and of years.
OUTCOMES = """\
association_id,insats_kod,participation_id,kon,start_date,end_date,exit_reason,years_without_work
{one},,h1,K,2018-12-31,2019-02-28,studies,3
{one},,h2,K,2018-12-31,2019-03-01,studies,4
{one},{activity},h3,M,2019-12-31,2020-02-29,work_supported,5
{one},{activity},h4,M,2019-12-31,2020-03-01,work_unsupported,
{one},{activity},h5,,2018-01-01,2018-12-31,sickness_compensation,9
{one},{activity},h6,A,2018-07-01,2018-07-01,misregistration,0
{two},,h7,K,2015-01-01,2017-01-01,other_vocational,0
{two},,h8,K,2019-06-30,,,2
"""


def write_decade(raw: Path) -> Path:
    """Writes the landing zone to a folder that is not there; gives the folder.

    Ten rounds with every layout and break, answers from the web, projects' own questions,
    categories of activities, a region, targets on every level, a register study, outcomes of both
    sources, and a delivery that another replaced.
    """
    write_landing_zone(raw, rounds=ROUNDS, associations=3, questionnaires=12, web=True)
    one, two, three = (path.stem.removesuffix("_2026") for path in sorted(raw.glob("2026/*.xlsx")))
    for path in (*raw.glob(f"*/{one}_*.xlsx"), *raw.glob(f"*/{two}_*.xlsx")):
        _add_columns(path)
    activity = openpyxl.load_workbook(raw / f"2026/{one}_2026.xlsx")["Insatser"]["A2"].value
    names = {"one": one, "two": two, "activity": activity}
    _write(raw / "register/extra_questions.csv", EXTRA.format(**names))
    _write(raw / "outcomes/udda.csv", OUTCOMES.format(**names))
    with (raw / "register/targets.csv").open("a", encoding="utf-8") as targets:
        targets.write(TARGETS.format(**names))
    _replace(raw / f"2025/{two}_2025.xlsx")
    _make_a_region(raw / "register/associations.csv", three)
    return raw


def _add_columns(path: Path) -> None:
    """A project's own questions beside the template's, and a column of categories."""
    book = openpyxl.load_workbook(path)
    for sheet, (header, cells) in {**OWN_ANSWERS, "Insatser": CATEGORIES}.items():
        if sheet in book.sheetnames:
            page = book[sheet]
            column = page.max_column + 1
            for row in range(1, page.max_row + 1):
                page.cell(row, column).value = cells[row % len(cells)] if row > 1 else header
    book.save(path)


def _replace(path: Path) -> None:
    """An earlier delivery of the same association, with fewer questionnaires."""
    book = openpyxl.load_workbook(path)
    book["Deltagare avslut"].delete_rows(4, 2)
    book.save(path.with_name("före rättning.xlsx"))
    os.utime(path.with_name("före rättning.xlsx"), (0, 0))


def _make_a_region(register: Path, association_id: str) -> None:
    header, *rows = register.read_text(encoding="utf-8").splitlines()
    columns = header.split(",")
    for number, row in enumerate(rows):
        cells = dict(zip(columns, row.split(","), strict=True))
        if cells["association_id"] == association_id:
            rows[number] = ",".join(({**cells, "kind": "region", "in_nation": "false"}).values())
    _write(register, "\n".join([header, *rows, ""]))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
