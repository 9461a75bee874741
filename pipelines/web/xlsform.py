"""Writes web questionnaires as XLSForms, one per questionnaire of a round and association.

Belongs here: the rows of a form and their texts in every language of the seeds. Does not: reading
what comes back (read.py), what the columns are (columns.py).

A form asks what the round asks and nothing else: no free text, for open answers stay local, and
nothing about the device. Its format: https://xlsform.org.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

from pipelines.instrument import Instrument, Question, Questionnaire
from pipelines.register import Association
from pipelines.web.columns import asks_gender, name_of
from pipelines.workbook.cells import normalised
from pipelines.workbook.write import CREATED, Activity

_ACTIVITIES = "insatser"  # lists of choices; those of the scales are named by their ids
_GENDERS = "kon"
_COLUMNS = {
    "survey": ("type", "name", "label", "relevant", "calculation"),
    "choices": ("list_name", "name", "label"),
    "settings": ("form_title", "form_id", "version", "default_language"),
}
_WIDTHS = {"label": 45, "form_title": 60, "form_id": 45, "relevant": 30, "calculation": 24}

Row = dict[str, Any]
"""A row of a form by column; its `label` is a text by language."""


@dataclass(frozen=True, slots=True)
class Form:
    """One web questionnaire: the rows of its three sheets."""

    survey: tuple[Row, ...]
    choices: tuple[Row, ...]
    settings: Row


def write_forms(
    out: Path,
    round_: int,
    association: Association,
    activities: Sequence[Activity],
    instrument: Instrument,
    is_synthetic: bool,
) -> tuple[Path, ...]:
    """Writes an association's web questionnaires of a round; the same arguments, the same bytes.

    Args:
        out: the folder to write to, made when there is none.
        round_: a round of the seeds.
        association: whose answers the forms gather.
        activities: those the respondents choose among; without any, that is not asked.
        instrument: the seeds.
        is_synthetic: whether the association is invented, which the forms then say.

    Returns:
        The files, `<association>_<questionnaire>_<round>.xlsx`, in the seeds' order.

    Raises:
        OSError: `out` cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for questionnaire in instrument.questionnaires_in(round_):
        form = form_of(questionnaire, round_, association, activities, instrument, is_synthetic)
        paths.append(out / f"{form.settings['form_id']}.xlsx")
        _write(paths[-1], form, instrument)
    return tuple(paths)


def untranslated(instrument: Instrument) -> list[tuple[str, str, str]]:
    """Language, kind and id of every text that forms show in Swedish for want of a translation."""
    known = [(kind, text_id) for language, kind, text_id in instrument.texts if language == "sv"]
    return [
        (language, *text)
        for language in instrument.languages
        for text in known
        if (language, *text) not in instrument.texts
    ]


def form_of(
    questionnaire: Questionnaire,
    round_: int,
    association: Association,
    activities: Sequence[Activity],
    instrument: Instrument,
    is_synthetic: bool,
) -> Form:
    """One web questionnaire; the arguments are those of `write_forms`."""
    asked = instrument.questions_asked(questionnaire.questionnaire_id, round_)
    survey = (
        *_told(round_, association, questionnaire),
        *({"type": "note", "name": n} for n in ("synthetic", "privacy")[1 - is_synthetic :]),
        *_about_respondent(questionnaire, activities),
        *(_question(q, activities, instrument) for q in asked if _has_respondents(q, activities)),
    )
    labelled = tuple(_labelled(row, instrument) for row in survey)
    choices = tuple(_choices(labelled, activities, instrument))
    title = f"{association.association_name}: {questionnaire.sheet_name} {round_}"
    form_id = f"{association.association_id}_{questionnaire.questionnaire_id}_{round_}"
    content = json.dumps([labelled, choices, title], ensure_ascii=False).encode()
    version = f"{round_}-{hashlib.sha256(content).hexdigest()[:8]}"
    labelled = tuple(
        row | {"calculation": f"'{version}'"} if row["name"] == "form_version" else row
        for row in labelled
    )
    settings = {"form_title": title, "form_id": form_id, "version": version}
    return Form(labelled, choices, settings | {"default_language": _column("sv", instrument)})


# --- the rows -----------------------------------------------------------------------------------


def _told(round_: int, association: Association, questionnaire: Questionnaire) -> Iterator[Row]:
    """What the form says of itself in every answer, unseen; the day is the device's."""
    known = {
        "round": round_,
        "association_id": association.association_id,
        "questionnaire_id": questionnaire.questionnaire_id,
        "form_version": "",
    }
    for name, value in known.items():
        yield {"type": "calculate", "name": name, "calculation": f"'{value}'"}
    yield {"type": "today", "name": "svarsdatum"}


def _about_respondent(
    questionnaire: Questionnaire, activities: Sequence[Activity]
) -> Iterator[Row]:
    if questionnaire.has_activity and activities:
        yield {"type": f"select_one {_ACTIVITIES}", "name": "insats_kod"}
    if asks_gender(questionnaire):
        yield {"type": f"select_one {_GENDERS}", "name": "kon"}


def _has_respondents(question: Question, activities: Sequence[Activity]) -> bool:
    """Whether somebody may answer: a question for one activity needs that it can be chosen."""
    return question.insats_kod is None or bool(_its_activity(question, activities))


def _its_activity(question: Question, activities: Sequence[Activity]) -> list[str]:
    """The code of the only activity a question is for, as the form has it."""
    of = normalised(question.insats_kod or "")
    return [a.insats_kod for a in activities if normalised(a.insats_kod) == of]


def _question(question: Question, activities: Sequence[Activity], instrument: Instrument) -> Row:
    row = {"type": f"select_one {question.scale_id}", "name": question.question_id}
    if question.base_question_id:
        base = instrument.questions[question.base_question_id]
        positive = [
            f"${{{base.question_id}}} = '{c.code}'"
            for c in instrument.scales[base.scale_id]
            if c.is_answer and c.code >= base.positive_min_code
        ]
        row["relevant"] = " or ".join(positive)
    if question.insats_kod:
        code, *_ = _its_activity(question, activities)
        row["relevant"] = f"${{insats_kod}} = '{name_of(code)}'"
    return row


def _labelled(row: Row, instrument: Instrument) -> Row:
    """The row with its text in each language, where it has one."""
    if row["type"] in ("calculate", "today"):
        return row
    kind = "question" if row["name"] in instrument.questions else "form"
    return row | {"label": _texts(kind, row["name"], instrument)}


def _choices(
    survey: Sequence[Row], activities: Sequence[Activity], instrument: Instrument
) -> Iterator[Row]:
    """The alternatives of every list that the form chooses from."""
    lists = dict.fromkeys(row["type"].partition(" ")[2] for row in survey)
    if _ACTIVITIES in lists:
        for a in activities:
            label = dict.fromkeys(instrument.languages, a.insats_namn or a.insats_kod)
            yield {"list_name": _ACTIVITIES, "name": name_of(a.insats_kod), "label": label}
    if _GENDERS in lists:
        for code in dict.fromkeys(instrument.spellings["kon"].values()):
            label = _texts("kon", code, instrument)
            yield {"list_name": _GENDERS, "name": code, "label": label}
    for scale_id, scale in instrument.scales.items():
        for c in scale if scale_id in lists else ():
            label = _texts("scale", f"{scale_id}/{c.code}", instrument)
            yield {"list_name": scale_id, "name": str(c.code), "label": label}


def _texts(kind: str, text_id: str, instrument: Instrument) -> dict[str, str]:
    """A text in each language; what is not translated is seen to be Swedish."""
    swedish = instrument.texts["sv", kind, text_id]
    return {
        language: instrument.texts.get((language, kind, text_id), f"[sv] {swedish}")
        for language in instrument.languages
    }


def _column(language: str, instrument: Instrument) -> str:
    """How a form names a language: Svenska (sv)."""
    return f"{instrument.languages[language]} ({language})"


# --- the file -----------------------------------------------------------------------------------


def _write(path: Path, form: Form, instrument: Instrument) -> None:
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": form.settings["form_title"], "created": CREATED})
        _write_sheet(book, "survey", form.survey, instrument)
        _write_sheet(book, "choices", form.choices, instrument)
        _write_sheet(book, "settings", [form.settings], instrument)


def _write_sheet(book: Any, title: str, rows: Sequence[Row], instrument: Instrument) -> None:
    page = book.add_worksheet(title)
    page.freeze_panes(1, 0)
    bold = book.add_format({"bold": True, "bottom": 1, "bg_color": "#DDEBF7"})
    column = 0
    for name in _COLUMNS[title]:
        for language in instrument.languages if name == "label" else [""]:
            header = f"label::{_column(language, instrument)}" if language else name
            page.set_column(column, column, _WIDTHS.get(name, 22))
            page.write_string(0, column, header, bold)
            for number, row in enumerate(rows, start=1):
                value = row.get("label", {}).get(language) if language else row.get(name)
                if value:
                    page.write_string(number, column, value)
            column += 1
