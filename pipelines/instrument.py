"""The instrument as frozen dataclasses, read from the seeds of the dbt project.

Belongs here: reading `dbt_project/seeds/*.csv` and looking things up in them. Does not: any code,
label, round or threshold of its own. SQL reads the same rows; the seeds are the one source.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pipelines.settings import SEEDS

SheetRole = Literal["readme", "activities", "categories", "lists"]
"""What a sheet is for that is the same in every layout; `lists` is the template's and not read.

`categories` are columns of the activities sheet that the associations add, by how they begin.
"""


_ASKED = "questionnaire"
"""The kind of what is asked; a register study is none."""


@dataclass(frozen=True, slots=True)
class Round:
    """One yearly measurement round, identified by its year.

    Attributes:
        loads_until: the last day that late and corrected deliveries are loaded every night.
    """

    round: int
    opens: date
    closes: date
    delivery_deadline: date
    loads_until: date
    layout_id: str

    def period(self, *, all_year: bool) -> tuple[date, date]:
        """The first and last day a questionnaire of the round may be answered."""
        if all_year:
            return date(self.round, 1, 1), date(self.round, 12, 31)
        return self.opens, self.delivery_deadline


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A questionnaire and the rounds (inclusive) it is part of; `last_round` None: still."""

    questionnaire_id: str
    respondent_group: str
    sheet_name: str
    label_en: str
    first_round: int
    last_round: int | None
    has_activity: bool
    all_year: bool

    def is_in(self, round_: int) -> bool:
        """Whether the questionnaire is part of the round."""
        return self.first_round <= round_ <= (self.last_round or round_)


@dataclass(frozen=True, slots=True)
class Question:
    """One wording of a measure in one questionnaire; a reworded question is another row.

    Attributes:
        question_no: the instrument's number of it, 0 of a project's own.
        project_id: whose question it is; None: the instrument's own, which alone is of a measure.
        insats_kod: the only activity it is for; None: all.
    """

    question_id: str
    measure_id: str
    questionnaire_id: str
    scale_id: str
    positive_min_code: int
    base_question_id: str | None
    first_round: int
    last_round: int | None
    comparable_from: int | None
    label_sv: str
    verification: str
    question_no: int = 0
    project_id: str | None = None
    insats_kod: str | None = None

    @property
    def is_core(self) -> bool:
        """Whether the question is the instrument's own."""
        return self.project_id is None

    def is_in(self, round_: int) -> bool:
        """Whether the question is asked in the round."""
        return self.first_round <= round_ <= (self.last_round or round_)


@dataclass(frozen=True, slots=True)
class ScaleCode:
    """One alternative of a scale; `is_answer` False marks a don't know."""

    code: int
    label_sv: str
    label_en: str
    is_answer: bool


@dataclass(frozen=True, slots=True, eq=False)
class SheetLayout:
    """How one questionnaire's sheet looks in one layout; `columns` maps header to field."""

    layout_id: str
    questionnaire_id: str
    sheet_name: str
    header_row: int
    label_row_mark: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorkbookField:
    """A key of the readme sheet or a column of the activities sheet, the same in every layout.

    The lists sheet has one row, for its name, and so have the categories, for their first word.
    """

    sheet_role: SheetRole
    sheet_name: str
    name: str
    field: str
    questionnaire_id: str | None


@dataclass(frozen=True, slots=True)
class Correction:
    """A cell of a delivery that is read as `value` as long as it holds `expect` (empty: nothing).

    The delivery is named by its sha256, or by association and round.
    """

    sha256: str | None
    association_id: str | None
    round: int | None
    sheet: str
    cell: str
    expect: str
    value: str
    reason: str
    owner: str
    date: date


@dataclass(frozen=True, slots=True, eq=False)
class Instrument:
    """All seeds that Python needs, keyed by their ids.

    `spellings` maps field → accepted spelling → canonical value. `web_columns` maps a column of a
    web export → what it holds. `languages` maps a code → the language's own name, `texts` a
    language, kind and id → what a form says. `fingerprint` is the SHA-256 of the seeds' bytes: what
    was read under another fingerprint is read again.
    """

    rounds: Mapping[int, Round]
    questionnaires: Mapping[str, Questionnaire]
    questions: Mapping[str, Question]
    scales: Mapping[str, tuple[ScaleCode, ...]]
    layouts: Mapping[str, Mapping[str, SheetLayout]]
    workbook_fields: tuple[WorkbookField, ...]
    spellings: Mapping[str, Mapping[str, str]]
    corrections: tuple[Correction, ...]
    web_columns: Mapping[str, str]
    languages: Mapping[str, str]
    texts: Mapping[tuple[str, str, str], str]
    fingerprint: str

    def questionnaires_in(self, round_: int) -> tuple[Questionnaire, ...]:
        """The questionnaires of a round, in the seed's order."""
        return tuple(q for q in self.questionnaires.values() if q.is_in(round_))

    def rounds_loaded_nightly(self, day: date) -> list[int]:
        """The rounds that are loaded every night: while they are on, and while late files come."""
        return [r.round for r in self.rounds.values() if r.opens <= day <= r.loads_until]

    def round_of_the_year(self, day: date) -> int | None:
        """The round to which a questionnaire that runs all year belongs: the next one to end."""
        to_come = (r.round for r in self.rounds.values() if day <= r.loads_until)
        return min(to_come, default=None)

    def questions_asked(self, questionnaire_id: str, round_: int) -> tuple[Question, ...]:
        """The questions a questionnaire asks in a round, in the seed's order."""
        return tuple(
            q
            for q in self.questions.values()
            if q.questionnaire_id == questionnaire_id and q.is_in(round_)
        )

    def fields_of(self, role: SheetRole) -> tuple[WorkbookField, ...]:
        """The rows that describe a sheet: keys of the readme, columns of the activities."""
        return tuple(f for f in self.workbook_fields if f.sheet_role == role)

    @property
    def category_word(self) -> str:
        """The header of a column of comparable groups, or its first word, before `_`."""
        return self.fields_of("categories")[0].name

    def sheet_name_of(self, role: SheetRole) -> str:
        """The name of the readme, the activities or the lists sheet."""
        return self.fields_of(role)[0].sheet_name


def seed_rows(name: str, seeds: Path = SEEDS) -> Iterator[dict[str, str]]:
    """The rows of one seed as text, in file order."""
    with (seeds / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@cache
def load(seeds: Path = SEEDS) -> Instrument:
    """The instrument described by a folder of seeds.

    Raises:
        FileNotFoundError: a seed is missing.
        KeyError, ValueError: a seed lacks a column or holds a value of another kind.
    """
    return Instrument(
        rounds={r.round: r for r in map(_round, seed_rows("rounds", seeds))},
        questionnaires={
            row["questionnaire_id"]: _questionnaire(row)
            for row in seed_rows("questionnaires", seeds)
            if row["kind"] == _ASKED
        },
        questions={q.question_id: q for q in map(_question, seed_rows("questions", seeds))},
        scales=_scales(seeds),
        layouts=_layouts(seeds),
        workbook_fields=tuple(map(_workbook_field, seed_rows("workbook_fields", seeds))),
        spellings=_spellings(seeds),
        corrections=tuple(map(_correction, seed_rows("corrections", seeds))),
        web_columns={r["column_name"]: r["holds"] for r in seed_rows("web_columns", seeds)},
        languages={
            r["language"]: r["text"]
            for r in seed_rows("translations", seeds)
            if r["text_kind"] == "language"
        },
        texts=_texts(seeds),
        fingerprint=fingerprint(seeds),
    )


def fingerprint(seeds: Path = SEEDS) -> str:
    """SHA-256 over names and bytes of all seeds, in name order."""
    digest = hashlib.sha256()
    for path in sorted(seeds.glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _round(row: dict[str, str]) -> Round:
    return Round(
        round=int(row["round"]),
        opens=date.fromisoformat(row["opens"]),
        closes=date.fromisoformat(row["closes"]),
        delivery_deadline=date.fromisoformat(row["delivery_deadline"]),
        loads_until=date.fromisoformat(row["loads_until"]),
        layout_id=row["layout_id"],
    )


def _questionnaire(row: dict[str, str]) -> Questionnaire:
    return Questionnaire(
        questionnaire_id=row["questionnaire_id"],
        respondent_group=row["respondent_group"],
        sheet_name=row["sheet_name"],
        label_en=row["label_en"],
        first_round=int(row["first_round"]),
        last_round=_optional_int(row["last_round"]),
        has_activity=_flag(row["has_activity"]),
        all_year=_flag(row["all_year"]),
    )


def _question(row: dict[str, str]) -> Question:
    return Question(
        question_id=row["question_id"],
        measure_id=row["measure_id"],
        questionnaire_id=row["questionnaire_id"],
        scale_id=row["scale_id"],
        positive_min_code=int(row["positive_min_code"]),
        base_question_id=row["base_question_id"] or None,
        first_round=int(row["first_round"]),
        last_round=_optional_int(row["last_round"]),
        comparable_from=_optional_int(row["comparable_from"]),
        label_sv=row["label_sv"],
        verification=row["verification"],
        question_no=int(row["question_no"]),
    )


def _scales(seeds: Path) -> dict[str, tuple[ScaleCode, ...]]:
    scales: dict[str, tuple[ScaleCode, ...]] = {}
    for row in seed_rows("scales", seeds):
        code = ScaleCode(
            int(row["code"]), row["label_sv"], row["label_en"], _flag(row["is_answer"])
        )
        scales[row["scale_id"]] = (*scales.get(row["scale_id"], ()), code)
    return scales


def _layouts(seeds: Path) -> dict[str, dict[str, SheetLayout]]:
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for row in seed_rows("layout_columns", seeds):
        sheet = columns.setdefault((row["layout_id"], row["questionnaire_id"]), {})
        sheet[row["column_name"]] = row["field"]
    layouts: dict[str, dict[str, SheetLayout]] = {}
    for row in seed_rows("layouts", seeds):
        key = (row["layout_id"], row["questionnaire_id"])
        layouts.setdefault(key[0], {})[key[1]] = SheetLayout(
            *key, row["sheet_name"], int(row["header_row"]), row["label_row_mark"], columns[key]
        )
    return layouts


def _workbook_field(row: dict[str, str]) -> WorkbookField:
    roles: dict[str, SheetRole] = {role: role for role in get_args(SheetRole)}
    return WorkbookField(
        roles[row["sheet_role"]],
        row["sheet_name"],
        row["name"],
        row["field"],
        row["questionnaire_id"] or None,
    )


def _correction(row: dict[str, str]) -> Correction:
    return Correction(
        sha256=row["sha256"] or None,
        association_id=row["association_id"] or None,
        round=_optional_int(row["round"]),
        sheet=row["sheet"],
        cell=row["cell"],
        expect=row["expect"],
        value=row["value"],
        reason=row["reason"],
        owner=row["owner"],
        date=date.fromisoformat(row["date"]),
    )


def _spellings(seeds: Path) -> dict[str, dict[str, str]]:
    spellings: dict[str, dict[str, str]] = {}
    for row in seed_rows("spellings", seeds):
        spellings.setdefault(row["field"], {})[row["spelling"]] = row["value"]
    return spellings


def _texts(seeds: Path) -> dict[tuple[str, str, str], str]:
    """What forms say, by language, kind and id.

    A label that a seed of its own has is taken from there and not repeated among the translations.
    A question has its measure's English label where their Swedish ones are the same.
    """
    texts = {
        (r["language"], r["text_kind"], r["text_id"]): r["text"]
        for r in seed_rows("translations", seeds)
        if r["text_kind"] != "language"
    }
    for r in seed_rows("questionnaires", seeds):
        texts["sv", "questionnaire", r["questionnaire_id"]] = r["sheet_name"]
        texts["en", "questionnaire", r["questionnaire_id"]] = r["label_en"]
    for r in seed_rows("scales", seeds):
        for language in ("sv", "en"):
            texts[language, "scale", f"{r['scale_id']}/{r['code']}"] = r[f"label_{language}"]
    for r in seed_rows("spellings", seeds):
        if r["field"] == "kon" and r["spelling"] != r["value"]:
            texts.setdefault(("sv", "kon", r["value"]), r["spelling"])
    measures = {r["measure_id"]: r for r in seed_rows("measures", seeds)}
    for r in seed_rows("questions", seeds):
        texts["sv", "question", r["question_id"]] = r["label_sv"]
        if (measure := measures[r["measure_id"]])["label_sv"] == r["label_sv"]:
            texts["en", "question", r["question_id"]] = measure["label_en"]
    return texts


def _optional_int(text: str) -> int | None:
    return int(text) if text else None


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]
