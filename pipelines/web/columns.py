"""What the columns of a web questionnaire are: those of its form, and an export's own beside them.

Belongs here: a questionnaire as a layout of one sheet, codes as names that a form accepts, and
what a delivery from the web is called. Does not: writing a form or reading an export.

A question's column is its question_id; the others are rows of the seed web_columns.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import PurePosixPath

from pipelines.findings import thresholds
from pipelines.instrument import Instrument, Questionnaire, SheetLayout

WEB = "web"
"""The folder of a round that exports lie in, and the layout they are read by."""

_OF_SOME = ("insats_kod", "kon")  # what only some questionnaires ask

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|_(?=u[0-9A-F]{4})")  # such a _ would read as a sign
_NAMED = re.compile(r"_u([0-9A-F]{4,6})_")


def is_web(file: str) -> bool:
    """Whether a file under the landing zone lies in a round's folder for web answers."""
    return PurePosixPath(file).parent.name == WEB


def source_of(questionnaire_id: str | None) -> str:
    """Where such a delivery comes from: the web and its questionnaire, as far as it is known."""
    return f"{WEB}:{questionnaire_id}" if questionnaire_id else WEB


def asks_gender(questionnaire: Questionnaire) -> bool:
    """Whether its respondents are of a group whose results are split by gender."""
    return questionnaire.respondent_group in thresholds()["gender_asked_of"]


def layout_of(
    questionnaire: Questionnaire, round_: int, header: Collection[str], instrument: Instrument
) -> SheetLayout:
    """The layout of one questionnaire's export.

    Args:
        questionnaire: whose answers they are.
        round_: its questions are wanted.
        header: the columns there are: what the form does not ask is known when it is among them,
            such as an ended question.
        instrument: the seeds.
    """
    known = {*instrument.questions, *_OF_SOME}
    return _layout(questionnaire, round_, frozenset(known.intersection(header)), instrument)


@lru_cache(256)
def _layout(
    questionnaire: Questionnaire, round_: int, extra: frozenset[str], instrument: Instrument
) -> SheetLayout:
    asked = {"insats_kod": questionnaire.has_activity, "kon": asks_gender(questionnaire)}
    beside = {
        name: field
        for name, field in instrument.web_columns.items()
        if asked.get(field, True) or name in extra
    }
    own = questionnaire.questionnaire_id
    questions = {
        q.question_id: q.question_id
        for q in instrument.questions.values()
        if q.questionnaire_id == own and (q.is_in(round_) or q.question_id in extra)
    }
    return SheetLayout(WEB, own, questionnaire.sheet_name, 1, "", beside | questions)


def layouts_of(layout_id: str | None, instrument: Instrument) -> Mapping[str, SheetLayout]:
    """The sheets of a delivery's layout by questionnaire, those of the web included."""
    if layout_id != WEB:
        return instrument.layouts.get(layout_id or "", {})
    every = instrument.questionnaires
    header = {*instrument.questions, *_OF_SOME}
    return {name: layout_of(q, q.first_round, header, instrument) for name, q in every.items()}


def name_of(code: str) -> str:
    """A code as a choice's name: letters, digits, `.`, `_` and `-`, others as _uHHHH_."""
    return _UNSAFE.sub(lambda match: f"_u{ord(match[0]):04X}_", code)


def code_of(name: str) -> str:
    """The code that a choice's name stands for; a code itself stays as it is."""
    return _NAMED.sub(_named, name)


def _named(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    is_sign = number <= sys.maxunicode and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_sign else match[0]
