"""A whole round, night by night, against a ledger kept by hand.

Two associations have merged since the last round. Templates go out and come back filled: with a
fault and mended, twice, with a stop and late, an older file after a newer one; one association is
withdrawn. After each night the roster, the response rates and the measures must be the ledger's.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import openpyxl
import pytest

from pipelines import (
    audit,
    checking,
    instrument,
    lake,
    loading,
    register,
    roster,
    warehouse,
    withdrawal,
)
from pipelines.settings import Settings
from pipelines.workbook import template
from pipelines.workbook.sample import write_landing_zone

KNOWN = instrument.load()
BEFORE, ROUND = 2026, 2027
ASKED = {
    q.questionnaire_id: KNOWN.questions_asked(q.questionnaire_id, ROUND)
    for q in KNOWN.questionnaires_in(ROUND)
}
SWEDEN = ZoneInfo("Europe/Stockholm")

MERGING = ("sagoasen", "fantasiviken")
MERGED = "samlade"
EXPECTED = ("latsaskusten", "pahittsslatten", "testskogen", MERGED)

Row = tuple[Any, ...]


@dataclass
class Return:
    """What an association sent, as its registrar knows it."""

    handed_out: dict[tuple[str, str], int | None] = field(default_factory=dict)
    answers: dict[str, list[dict[str, int]]] = field(default_factory=dict)


@dataclass
class Ledger:
    """What NNS knows by hand: what counts, and how each association stands."""

    counting: dict[str, Return] = field(default_factory=dict)
    roster: dict[str, Row] = field(
        default_factory=lambda: {a: ("missing", None, 0, 0) for a in EXPECTED}
    )

    def enter(self, association: str, state: str, late: int | None, sent: int, old: int) -> None:
        self.roster[association] = (state, late, sent, old)


# --- the office ---------------------------------------------------------------------------------


class Office:
    """NNS's office: the landing zone, the nights, and what the marts say after them."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(folder / "raw", folder / "home")
        self.templates = folder / "mallar"
        self.ledger = Ledger()
        write_landing_zone(self.settings.raw, rounds=[BEFORE], associations=5)
        merge(self.settings.raw / "register")

    @property
    def register(self) -> register.Register:
        return register.read(self.settings.raw)

    def deliver(self, book: openpyxl.Workbook, name: str, day: date) -> Path:
        path = self.settings.raw / str(ROUND) / name
        path.parent.mkdir(exist_ok=True)
        book.save(path)
        return arrive(path, day)

    def night(self, day: date) -> None:
        known, registered = KNOWN, self.register
        loading.load(self.settings, [BEFORE, ROUND], known, registered)
        checking.check_rounds(self.settings, [BEFORE, ROUND], known, registered, day)
        warehouse.build(self.settings)
        warehouse.swap_snapshot(self.settings)

    def decide(self, decision: Callable[..., None], association: str) -> None:
        chosen = withdrawal.unit(self.settings, self.register, association, ROUND)
        decision(self.settings, self.register, chosen, "")

    def query(self, sql: str) -> list[Row]:
        with duckdb.connect(str(self.settings.snapshot), read_only=True) as connection:
            connection.execute("use marts.marts")
            return connection.execute(sql).fetchall()

    def agrees(self) -> None:
        """The marts and the status say what the ledger says, and nothing else."""
        entries = roster.of_round(lake.read_manifest(self.settings), KNOWN, self.register, ROUND)
        assert {e.association_id: e.state for e in entries} == {
            a: state for a, (state, *_) in self.ledger.roster.items()
        }
        assert self.query(
            "select association_id, state, days_late, n_deliveries, n_replaced from roster "
            f"where round = {ROUND} order by association_id"
        ) == [(a, *row) for a, row in sorted(self.ledger.roster.items())]
        assert self.query(
            "select unit_id, questionnaire_id, handed_out, returned from response_rates "
            f"where round = {ROUND} and level = 'association' order by all"
        ) == sorted(rates(self.ledger.counting))
        assert self.query(
            "select level, unit_id, measure_id, questionnaire_id, n, n_positive "
            f"from measure_results where round = {ROUND} and gender = 'T' "
            "and level in ('nation', 'association') order by all"
        ) == sorted(measures(self.ledger.counting))


def merge(folder: Path) -> None:
    """Two associations end with the last round, their municipalities go on in a third."""
    associations, memberships = folder / "associations.csv", folder / "memberships.csv"
    rows = list(csv.DictReader(associations.open(encoding="utf-8")))
    for row in rows:
        if row["association_id"] in MERGING:
            row["agreement_to"] = f"{BEFORE}-12-31"
            county = row["county_code"]
    new = (MERGED, "Samordningsförbundet Samlade", county, f"{ROUND}-01-01", "")
    rewrite(associations, [*rows, dict(zip(rows[0], new, strict=True))])
    rows = list(csv.DictReader(memberships.open(encoding="utf-8")))
    joining = sorted({r["municipality_code"] for r in rows if r["association_id"] in MERGING})
    for row in rows:
        if row["association_id"] in MERGING:
            row["last_round"] = str(BEFORE)
    names = list(rows[0])
    rows += [dict(zip(names, (MERGED, m, str(ROUND), ""), strict=True)) for m in joining]
    rewrite(memberships, rows)


def rewrite(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def arrive(path: Path, day: date) -> Path:
    """The file comes at noon of a day in Sweden."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=SWEDEN).timestamp()
    os.utime(path, (noon, noon))
    return path


# --- the associations' registrars ---------------------------------------------------------------


def fill(path: Path, seed: int, returned: int = 12) -> tuple[openpyxl.Workbook, Return]:
    """A template filled with invented answers, and what its registrar noted beside."""
    chance, book, noted = random.Random(seed), openpyxl.load_workbook(path), Return()
    page = book["Insatser"]
    columns = {cell.value: cell.column for cell in page[1]}
    activities = [row[0].value for row in page.iter_rows(min_row=2) if row[0].value]
    assert activities, f"{path.name}: no activities were carried over"
    for number, activity in enumerate(activities, start=2):
        for q in (q for q in KNOWN.questionnaires_in(ROUND) if q.has_activity):
            unknown = number == 2 and q.questionnaire_id == "referrer"
            count = None if unknown else chance.randint(30, 40)
            page.cell(number, columns[f"utdelade_{q.questionnaire_id}"]).value = count
            noted.handed_out[activity, q.questionnaire_id] = count
    layouts = KNOWN.layouts[KNOWN.rounds[ROUND].layout_id]
    for questionnaire_id, questions in ASKED.items():
        sheet = book[layouts[questionnaire_id].sheet_name]
        place = {cell.value: cell.column for cell in sheet[1]}
        rows = noted.answers[questionnaire_id] = []
        for number in range(returned):
            answers = dict(answered(questions, chance))
            rows.append(answers)
            own = {"lopnr": number + 1, "kon": chance.choice("KM"), **answers}
            if KNOWN.questionnaires[questionnaire_id].has_activity:
                own["insats_kod"] = chance.choice(activities)
            for name, value in own.items():
                sheet.cell(number + 3, place[name]).value = value
    return book, noted


def names_in(path: Path) -> list[str]:
    """The names of the activities in a workbook."""
    page = openpyxl.load_workbook(path, read_only=True)["Insatser"]
    return sorted(row[1].value for row in page.iter_rows(min_row=2, max_col=2) if row[1].value)


def answered(questions: Any, chance: random.Random) -> Iterator[tuple[str, int]]:
    """Codes of all questions; a follow-up only after a positive answer."""
    given: dict[str, int] = {}
    for q in questions:
        base = KNOWN.questions[q.base_question_id] if q.base_question_id else None
        if base is None or given[base.question_id] == base.positive_min_code:
            given[q.question_id] = chance.choice(KNOWN.scales[q.scale_id]).code
    return iter(given.items())


# --- the ledger's figures -----------------------------------------------------------------------


def rates(counting: Mapping[str, Return]) -> Iterator[Row]:
    """Association, questionnaire, handed out (None as soon as one is unknown), returned."""
    for association, noted in counting.items():
        for questionnaire_id, rows in noted.answers.items():
            counts = [n for (_, q), n in noted.handed_out.items() if q == questionnaire_id]
            known = bool(counts) and None not in counts
            handed_out = sum(n or 0 for n in counts) if known else None
            yield association, questionnaire_id, handed_out, len(rows)


def measures(counting: Mapping[str, Return]) -> Iterator[Row]:
    """Level, unit, measure, questionnaire, valid answers, positive ones."""
    units = [("association", a, [noted]) for a, noted in counting.items()]
    if counting:
        units.append(("nation", "0000", list(counting.values())))
    for level, unit, parts in units:
        for questionnaire_id, questions in ASKED.items():
            rows = [row for noted in parts for row in noted.answers[questionnaire_id]]
            for q in questions:
                valid = {c.code for c in KNOWN.scales[q.scale_id] if c.is_answer}
                codes = [row[q.question_id] for row in rows if row.get(q.question_id) in valid]
                positive = sum(code >= q.positive_min_code for code in codes)
                yield level, unit, q.measure_id, questionnaire_id, len(codes), positive


# --- the round ----------------------------------------------------------------------------------


@pytest.mark.long
def test_a_whole_round_agrees_with_the_ledger_every_night(tmp_path: Path) -> None:
    office = Office(tmp_path)
    settings, ledger = office.settings, office.ledger

    # June: last round is in, templates go out
    office.night(date(2027, 6, 1))
    template.write_templates(settings, office.register, ROUND, office.templates)
    mall = {a: office.templates / f"{a}_{ROUND}.xlsx" for a in EXPECTED}
    assert set(mall.values()) == set(office.templates.glob("*.xlsx"))
    before = [settings.raw / str(BEFORE) / f"{a}_{BEFORE}.xlsx" for a in MERGING]
    assert names_in(mall[MERGED]) == sorted(name for path in before for name in names_in(path))

    # an answer is misspelt: it does not count, the rest does
    book, noted = fill(mall["latsaskusten"], seed=1)
    question = next(q for q in ASKED["staff"] if not q.base_question_id)
    sheet = book["Personal"]
    column = next(c.column for c in sheet[1] if c.value == question.question_id)
    right, sheet.cell(3, column).value = sheet.cell(3, column).value, "Alldrig"
    first = office.deliver(book, "svar.xlsx", date(2027, 9, 21))
    del noted.answers["staff"][0][question.question_id]
    ledger.counting["latsaskusten"] = noted
    ledger.enter("latsaskusten", "delivered", -40, 1, 0)
    office.night(date(2027, 9, 22))
    office.agrees()

    # the mended file replaces it as a whole; another association delivers
    sheet.cell(3, column).value = right
    office.deliver(book, "svar rättad.xlsx", date(2027, 9, 28))
    noted.answers["staff"][0][question.question_id] = right
    ledger.enter("latsaskusten", "delivered", -33, 2, 1)
    book, ledger.counting["testskogen"] = fill(mall["testskogen"], seed=2)
    sent = office.deliver(book, "testskogen.xlsx", date(2027, 9, 28))
    ledger.enter("testskogen", "delivered", -33, 1, 0)
    office.night(date(2027, 9, 29))
    office.agrees()

    # the same file once more, under another name
    shutil.copy(sent, sent.with_name("testskogen (1).xlsx"))
    arrive(sent.with_name("testskogen (1).xlsx"), date(2027, 10, 5))
    ledger.enter("testskogen", "delivered", -26, 2, 1)
    office.night(date(2027, 10, 6))
    office.agrees()

    # a file with a personal identity number is stopped
    book, noted = fill(mall["pahittsslatten"], seed=3)
    sheet = book["Deltagare avslut"]
    column = next(c.column for c in sheet[1] if c.value == "kommentar")
    sheet.cell(4, column).value = "Gäller 19121212-1212"
    stopped = office.deliver(book, "påhitt.xlsx", date(2027, 10, 12))
    ledger.enter("pahittsslatten", "waiting", None, 1, 0)
    office.night(date(2027, 10, 13))
    office.agrees()

    # the merged association delivers
    book, ledger.counting[MERGED] = fill(mall[MERGED], seed=4)
    office.deliver(book, "samlade.xlsx", date(2027, 10, 30))
    ledger.enter(MERGED, "delivered", -1, 1, 0)
    office.night(date(2027, 10, 31))
    office.agrees()

    # after the deadline one is still to be mended; it comes three days late
    book = openpyxl.load_workbook(stopped)
    book["Deltagare avslut"].cell(4, column).value = None
    office.deliver(book, "påhitt 2.xlsx", date(2027, 11, 3))
    ledger.counting["pahittsslatten"] = noted
    ledger.enter("pahittsslatten", "delivered", 3, 2, 1)
    office.night(date(2027, 11, 4))
    office.agrees()

    # an older file that turns up after the newer one replaces nothing
    shutil.copy2(first, first.with_name("hittad i inkorgen.xlsx"))
    ledger.enter("latsaskusten", "delivered", -33, 3, 2)
    office.night(date(2027, 11, 5))
    office.agrees()
    whole = office.query("select * from measure_results order by all")

    # one is withdrawn, and what comes from it later stays out
    office.decide(withdrawal.withdraw, "testskogen")
    del ledger.counting["testskogen"]
    ledger.enter("testskogen", "withdrawn", None, 2, 0)
    office.night(date(2027, 11, 10))
    office.agrees()

    # it was a mistake
    office.decide(withdrawal.restore, "testskogen")
    office.night(date(2027, 11, 11))
    assert office.query("select * from measure_results order by all") == whole
    assert audit.verify(settings) == []
