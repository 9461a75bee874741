"""Questions that a project asks of its own associations, beside the instrument's.

Belongs here: a row of the register's `extra_questions.csv`, and the instrument with such questions
added for one association. Does not: reading and refusing the rows (register.py), what is made of
the answers (the mart extra_results). A question of a project is no measure: nothing that the core
is computed or stopped by may look at it, see `Question.is_core`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from pipelines.instrument import Instrument, Question, Questionnaire
from pipelines.workbook.cells import normalised


@dataclass(frozen=True, slots=True)
class ExtraQuestion:
    """A question of a project in one association, rounds inclusive; `last_round` None: still.

    Attributes:
        column_name: the header of its column in a workbook; in web answers it is the question_id.
        insats_kod: the only activity whose respondents it is for; None: all of the questionnaire's.
    """

    project_id: str
    association_id: str
    questionnaire_id: str
    column_name: str
    question_id: str
    label_sv: str
    scale_id: str
    positive_min_code: int
    first_round: int
    last_round: int | None
    insats_kod: str | None

    @property
    def content(self) -> tuple[str | int, ...]:
        """What is the same wherever the question is asked, so that its answers can be pooled."""
        return (
            *(self.project_id, self.questionnaire_id, self.label_sv),
            *(self.scale_id, self.positive_min_code),
        )

    @property
    def header(self) -> str:
        """The column's header as headers are compared."""
        return normalised(self.column_name)

    @property
    def as_question(self) -> Question:
        """The question as the instrument has its own."""
        return Question(
            question_id=self.question_id,
            measure_id="",
            questionnaire_id=self.questionnaire_id,
            scale_id=self.scale_id,
            positive_min_code=self.positive_min_code,
            base_question_id=None,
            first_round=self.first_round,
            last_round=self.last_round,
            comparable_from=None,
            label_sv=self.label_sv,
            verification="",
            project_id=self.project_id,
            insats_kod=self.insats_kod,
        )


def asked_of(
    extra: Iterable[ExtraQuestion], association_id: str | None, round_: int
) -> tuple[ExtraQuestion, ...]:
    """What projects ask an association's respondents beside the core in a round.

    The rows tell nothing of the association and other rounds, so that they are equal wherever the
    same is asked.
    """
    return tuple(
        replace(q, association_id="", first_round=round_, last_round=round_)
        for q in extra
        if q.association_id == association_id
        and q.first_round <= round_ <= (q.last_round or round_)
    )


def instrument_of(
    instrument: Instrument,
    extra: Iterable[ExtraQuestion],
    association_id: str | None,
    round_: int,
) -> Instrument:
    """The instrument as one association has it in a round: with its projects' questions.

    It is the very instrument where there are none, and the same object wherever the questions are
    the same, so that what is worked out for a header row serves all workbooks of a project.
    """
    return _with_columns(instrument, asked_of(extra, association_id, round_))


def instrument_of_all(instrument: Instrument, extra: Iterable[ExtraQuestion]) -> Instrument:
    """The instrument with the questions of every project, each over all the rounds it is asked in.

    It knows their scales and wordings; where their columns stand is each association's own.
    """
    rows = tuple(extra)
    return _with_questions(instrument, rows) if rows else instrument


@lru_cache(1024)
def _with_columns(instrument: Instrument, asked: tuple[ExtraQuestion, ...]) -> Instrument:
    if not asked:
        return instrument
    columns: dict[str, dict[str, str]] = {}
    for q in asked:
        columns.setdefault(q.questionnaire_id, {})[q.column_name] = q.question_id
    layouts = {
        layout_id: {
            of: replace(sheet, columns=_before_comments(sheet.columns, columns[of]))
            if of in columns
            else sheet
            for of, sheet in sheets.items()
        }
        for layout_id, sheets in instrument.layouts.items()
    }
    return replace(_with_questions(instrument, asked), layouts=layouts)


def _before_comments(columns: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """A sheet's columns with others added after its questions."""
    comments = {name: field for name, field in columns.items() if field == "kommentar"}
    return {**{n: f for n, f in columns.items() if n not in comments}, **added, **comments}


@lru_cache(16)
def _with_questions(instrument: Instrument, rows: tuple[ExtraQuestion, ...]) -> Instrument:
    questions: dict[str, Question] = {}
    for row in rows:
        same = questions.get(row.question_id, row.as_question)
        lasts = [same.last_round, row.last_round]
        questions[row.question_id] = replace(
            same,
            first_round=min(same.first_round, row.first_round),
            last_round=None if None in lasts else max(last for last in lasts if last),
        )
    labels = {("sv", "question", q.question_id): q.label_sv for q in questions.values()}
    return replace(
        instrument,
        questions={**instrument.questions, **questions},
        texts={**instrument.texts, **labels},
    )


# --- what a row must hold -----------------------------------------------------------------------


def contradiction(row: ExtraQuestion, instrument: Instrument) -> str | None:
    """What in a row does not fit the instrument, in Swedish with what to do; None: it fits."""
    questionnaire = instrument.questionnaires.get(row.questionnaire_id)
    if questionnaire is None:
        known = ", ".join(instrument.questionnaires)
        return f"enkäten {row.questionnaire_id} finns inte. Ange en av {known}."
    return (
        _contradicts_questionnaire(row, questionnaire)
        or _contradicts_scales(row, instrument)
        or _contradicts_names(row, instrument)
    )


def _contradicts_questionnaire(row: ExtraQuestion, questionnaire: Questionnaire) -> str | None:
    if not questionnaire.is_in(row.first_round):
        return f"enkäten {row.questionnaire_id} ingår inte i omgång {row.first_round}."
    if row.insats_kod and not questionnaire.has_activity:
        return f"enkäten {row.questionnaire_id} gäller ingen insats. Lämna insats_kod tom."
    return None


def _contradicts_scales(row: ExtraQuestion, instrument: Instrument) -> str | None:
    scale = instrument.scales.get(row.scale_id)
    if scale is None:
        known = ", ".join(instrument.scales)
        return f"skalan {row.scale_id} finns inte. Ange en av {known}."
    codes = [c.code for c in scale if c.is_answer]
    if row.positive_min_code not in codes:
        known = ", ".join(map(str, codes))
        return (
            f"positive_min_code {row.positive_min_code} är ingen svarskod på skalan "
            f"{row.scale_id}. Ange en av {known}."
        )
    return None


def _contradicts_names(row: ExtraQuestion, instrument: Instrument) -> str | None:
    if row.question_id in _taken(instrument):
        return f"question_id {row.question_id} används redan av instrumentet. Välj ett annat."
    headers = {
        normalised(name)
        for sheets in instrument.layouts.values()
        if row.questionnaire_id in sheets
        for name in sheets[row.questionnaire_id].columns
    }
    if row.header in headers:
        return (
            f"kolumnen {row.column_name} finns redan på enkätens blad. Välj ett annat column_name."
        )
    return None


@lru_cache(4)
def _taken(instrument: Instrument) -> frozenset[str]:
    """The names that workbooks, web answers and forms use already."""
    sheets = (s for layout in instrument.layouts.values() for s in layout.values())
    return frozenset(
        {
            *instrument.questions,
            *instrument.questionnaires,
            *instrument.spellings,
            *instrument.web_columns,
            *instrument.web_columns.values(),
            *(field for sheet in sheets for field in sheet.columns.values()),
            *(text_id for _, kind, text_id in instrument.texts if kind == "form"),
        }
    )
