"""The landing zone of the hand-computed round: twenty respondents of 2026 and a few before.

Belongs here: what each person answered, cell by cell, in the spellings the contract allows. Does
not: any figure computed from it; those are literal in `expected/`.

Layout `2024` as an association would fill it in, made with openpyxl and not by the program:
alfa (county 01) delivers twice for 2026 and the second counts, beta (county 12) delivers once,
gamma (county 01) has an agreement and delivers nothing. Beta is a region that is in the nation,
omega (county 01) a municipality that is not and delivers once. Earlier rounds: alfa's five endings
of 2025, and one board member of 2017 in layout `2018`, which no later round may be compared with.
A register study has followed up 2024 and 2025.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl

Cells = list[Any]

REGISTER = {
    "associations.csv": """\
association_id,association_name,county_code,agreement_from,agreement_to,kind,in_nation
alfa,Samordningsförbundet Alfa,01,2017-01-01,,,
beta,Region Beta,12,2026-01-01,,region,true
gamma,Samordningsförbundet Gamma,01,2020-01-01,,,
delta,Samordningsförbundet Delta,01,2017-01-01,2019-12-31,,
omega,Omega kommun,01,2026-01-01,,kommun,
""",
    # Vallentuna (0115) is in both; in beta only from 2026 on. Lund was a member of beta once.
    "memberships.csv": """\
association_id,municipality_code,first_round,last_round
alfa,0114,2017,
alfa,0115,2017,
beta,0115,2026,
beta,1280,2026,
beta,1281,2018,2024
gamma,0117,2020,
omega,0114,2026,
omega,1283,2026,
""",
    "targets.csv": """\
measure_id,indicator_id,level,unit_id,first_round,last_round,target_share
1a,,nation,0000,2026,,70
1a,,association,alfa,2020,2025,40
,6,association,alfa,2026,2026,62.5
11b,,nation,0000,2024,,30
11b,,association,,2024,,95
,11,nation,0000,2024,2024,28
""",
    "ORIGIN": "synthetic: written for a test\n",
}

# 2024 has no questionnaires at all; the nation is more than alfa.
STUDY = """\
level,unit_id,cohort,months_after,kon,n,n_sustained,source
nation,0000,2024,12,T,10,6,SCB
nation,0000,2024,12,K,5,3,SCB
nation,0000,2024,24,T,7,4,SCB
nation,0000,2025,12,T,5,0,SCB
association,alfa,2024,12,T,3,2,SCB
"""

ACTIVITIES_HEADER = [
    "insats_kod", "insats_namn", "inriktning", "langd",
    "utdelade_participant_ongoing", "utdelade_participant_ending", "utdelade_staff",
    "utdelade_referrer", "Kategori_Målgrupp",
]  # fmt: skip
ALFA_ACTIVITIES = [
    ["A1", "Stegen", "individ", "kort", 5, 10, 4, 0, "Unga"],
    ["A2", "Bron", "individ", "lång", 3, None, 2, 2, None],
]
BETA_ACTIVITIES = [["B1", "Spåret", "individ", "lång", None, 6, 3, None, " unga\u00a0"]]
OMEGA_ACTIVITIES = [["O1", "Porten", "individ", "kort", None, 4, None, None, "unga"]]

RESPONDENT = ["lopnr", "insats_kod", "kon", "svarsdatum"]
RESPONDENT_LABELS = ["Löpnummer", "Insats", "Kön", "Datum"]
ENDING = [*RESPONDENT, "ending_1a", "ending_6a", "ending_6b", "ending_7a", "kommentar"]
STAFF = [*RESPONDENT, "staff_1a", "staff_13a"]
BOARD = [*RESPONDENT, "board_12a", "board_14b"]
BOARD_2018 = ["Nr", "Insats", "Kön", "Datum", "F1"]
DAY = date(2026, 10, 1)
LAYOUT_COLUMNS = Path(__file__).parents[3] / "dbt_project" / "seeds" / "layout_columns.csv"

# ending_1a: positive from 5. ending_6a: 2 = yes. ending_6b: from 5, only after yes.
# ending_7a: positive from 4.
ALFA_ENDING = [
    [1, "A1", "K", DAY, 6, 2, 6, 4, None],
    [2, "A1", "K", DAY, "Alltid", "Ja", "5 Till mycket stor del", 3, "Öppet svar"],
    [3, "A1", "M", DAY, 5.0, 2, "4", 6, None],
    [4, "A1", "Kvinna", DAY, "4", 1, 6, 1, None],  # 6b after a no: nobody's answer
    [5, "A1", "A", DAY, "3 Ibland", 2, None, 3, None],  # counts in T alone
    [6, "A2", "M", None, 2, 1, None, 2, None],
    [7, "A2", None, DAY, "x9", None, 5, None, None],  # 1a not understood; 6b without a base
    [8, "A2", "Man", DAY, " alltid ", "nej", None, "Helt och hållet", None],
]
BETA_ENDING = [
    [1, "B1", "K", DAY, 5, 2, 1, 4, None, 6],  # the only answer to 1b
    [2, "B1", "K", DAY, 1, 2, 6, 5, None],
    [3, "B1", "M", DAY, 6, 1, None, 6, None],
    [4, None, "M", DAY, None, 2, 5, 1, None],  # no activity named
]
OMEGA_ENDING = [
    [1, "O1", "K", DAY, 6, 2, 6, 4, None],
    [2, "O1", "M", DAY, 1, 1, None, 1, None],
]
ALFA_STAFF = [
    [1, "A1", None, DAY, 7, "Vet ej"],
    [2, "A1", None, DAY, 5, 2],
    [3, "A2", None, DAY, 3, 1],
]
ALFA_BOARD = [
    [1, None, None, DAY, 6, 2],
    [2, None, None, DAY, "Vet ej", 2],
    [3, None, None, DAY, 2, 3],
]
BETA_BOARD = [[1, None, None, DAY, 5, 1], [2, None, None, DAY, None, "2 Ja"]]

# Replaced as a whole: neither its answers nor its handed-out counts may turn up anywhere.
ALFA_FIRST_ACTIVITIES = [["A9", "Felet", "struktur", "kort", 99, 99, 99, 99, None]]
ALFA_FIRST_ENDING = [[n, "A9", "K", DAY, 1, 1, None, 1, None] for n in range(1, 4)]

EARLIER = date(2025, 10, 1)
ALFA_2025_ACTIVITIES = [["A1", "Stegen", "individ", "kort", None, 8, None, None, None]]
ALFA_2025_ENDING = [
    [1, "A1", "K", EARLIER, 1, 2, 6, 4, None],
    [2, "A1", "K", EARLIER, 2, 2, 1, 5, None],
    [3, "A1", "M", EARLIER, 3, 2, 2, 1, None],
    [4, "A1", "M", EARLIER, 4, 1, None, 6, None],
    [5, "A1", None, EARLIER, 4, 1, None, 2, None],
]
ALFA_2017_BOARD = [[1, None, None, date(2017, 10, 1), 6]]


def build(raw: Path) -> Path:
    """Write the landing zone into an empty folder and return it."""
    (raw / "register").mkdir(parents=True)
    for name, content in REGISTER.items():
        (raw / "register" / name).write_text(content, encoding="utf-8")
    (raw / "indicator_11").mkdir()
    (raw / "indicator_11" / "studie.csv").write_text(STUDY, encoding="utf-8")
    alfa = {
        "Deltagare avslut": sheet("participant_ending", ENDING, ALFA_ENDING),
        "Personal": sheet("staff", STAFF, ALFA_STAFF),
        "Styrelse": sheet("board", BOARD, ALFA_BOARD),
    }
    beta = {
        "Deltagare avslut": sheet("participant_ending", [*ENDING, "ending_1b"], BETA_ENDING),
        "Styrelse": sheet("board", BOARD, BETA_BOARD),
    }
    omega = {"Deltagare avslut": sheet("participant_ending", ENDING, OMEGA_ENDING)}
    alfa_first = {"Deltagare avslut": sheet("participant_ending", ENDING, ALFA_FIRST_ENDING)}
    alfa_2025 = {"Deltagare avslut": sheet("participant_ending", ENDING, ALFA_2025_ENDING)}
    board_2017 = {"Styrelse": [[], [], *sheet("board", BOARD_2018, ALFA_2017_BOARD, "2018")]}
    # By name the first delivery of alfa would be the later one; its time decides.
    book(raw / "2026" / "z_alfa.xlsx", 2026, "alfa", ALFA_FIRST_ACTIVITIES, alfa_first, day=1)
    book(raw / "2026" / "a_alfa.xlsx", 2026, "alfa", ALFA_ACTIVITIES, alfa, day=3)
    book(raw / "2026" / "beta.xlsx", 2026, "beta", BETA_ACTIVITIES, beta, day=2)
    book(raw / "2026" / "omega.xlsx", 2026, "omega", OMEGA_ACTIVITIES, omega, day=1)
    book(raw / "2025" / "alfa.xlsx", 2025, "alfa", ALFA_2025_ACTIVITIES, alfa_2025, day=1)
    book(raw / "2017" / "alfa.xlsx", 2017, "alfa", [], board_2017, day=1, layout="2018")
    return raw


def sheet(
    questionnaire_id: str, header: Cells, rows: list[Cells], layout_id: str = "2024"
) -> list[Cells]:
    """The whole form: header, labels, answers, and blank rows, one of them in the middle.

    Columns of the layout that are not in `header` follow without answers.
    """
    with LAYOUT_COLUMNS.open(encoding="utf-8", newline="") as file:
        form = [
            row["column_name"]
            for row in csv.DictReader(file)
            if (row["layout_id"], row["questionnaire_id"]) == (layout_id, questionnaire_id)
        ]
    unanswered = [column for column in form if column not in header]
    header = [*header, *unanswered]
    labels = [*RESPONDENT_LABELS, *["Fråga"] * (len(header) - len(RESPONDENT))]
    return [header, labels, rows[0], [None] * len(header), *rows[1:], [" "] * len(header)]


def book(
    path: Path,
    round_: int,
    association_id: str,
    activities: list[Cells],
    sheets: dict[str, list[Cells]],
    day: int,
    layout: str = "2024",
) -> None:
    """Write one workbook, last changed on that day of November 2026."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    readme = [
        ["Registreringsfil"],
        ["Mätomgång", round_],
        ["Layout", layout],
        ["Förbund", association_id],
    ]
    contents = {"Läs mig": readme, "Insatser": [ACTIVITIES_HEADER, *activities], **sheets}
    for title, rows in contents.items():
        fill(workbook.create_sheet(title), rows)
    path.parent.mkdir(exist_ok=True)
    workbook.save(path)
    changed = datetime(2026, 11, day, tzinfo=UTC).timestamp()
    os.utime(path, (changed, changed))


def fill(worksheet: Any, rows: Iterable[Cells]) -> None:
    """Write rows from A1 on, empty ones too."""
    for row_number, row in enumerate(rows, start=1):
        for column_number, value in enumerate(row, start=1):
            worksheet.cell(row_number, column_number, value)
