"""Named faults for the synthetic landing zone, each the same small damage to one workbook.

Belongs here: what goes wrong in real deliveries, one function per fault, named as users ask for
it. Does not: invented answers (`sample.py`) and how such a fault is found (reader, expectations).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from pipelines.instrument import Instrument, Question
from pipelines.workbook.write import Cell, Delivery, Formula, Respondent, Sheet, write_workbook

_OLE_SIGNATURE = bytes.fromhex("D0CF11E0A1B11AE1")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may look at: the instrument and the round's other deliveries."""

    instrument: Instrument
    others: Sequence[Delivery]


ContentFault = Callable[[Delivery, Scene], Delivery]
FileFault = Callable[[Path, Delivery, Scene], None]

_CONTENT: dict[str, ContentFault] = {}
_FILE: dict[str, FileFault] = {}
FAULTS: dict[str, str] = {}  # name → Swedish description, in the order they are applied


def change(delivery: Delivery, names: Sequence[str], scene: Scene) -> Delivery:
    """The delivery with the named faults that concern its content.

    Raises:
        ValueError: the delivery is too small to hold one of them.
    """
    for name in FAULTS:
        if name in names and name in _CONTENT:
            try:
                delivery = _CONTENT[name](delivery, scene)
            except (IndexError, StopIteration) as error:
                raise ValueError(
                    f"Felet {name} ryms inte: för få enkäter eller förbund."
                ) from error
    return delivery


def damage(path: Path, delivery: Delivery, names: Sequence[str], scene: Scene) -> None:
    """Puts the named faults that concern the file itself into the written workbook."""
    for name in FAULTS:
        if name in names and name in _FILE:
            _FILE[name](path, delivery, scene)


def _content(description: str) -> Callable[[ContentFault], ContentFault]:
    def register(fault: ContentFault) -> ContentFault:
        name = fault.__name__.removeprefix("_")
        FAULTS[name] = description
        _CONTENT[name] = fault
        return fault

    return register


def _file(description: str) -> Callable[[FileFault], FileFault]:
    def register(fault: FileFault) -> FileFault:
        name = fault.__name__.removeprefix("_")
        FAULTS[name] = description
        _FILE[name] = fault
        return fault

    return register


def _edit(
    delivery: Delivery,
    edit: Callable[[Respondent], Respondent],
    *,
    sheet: int = 0,
    rows: slice = slice(2, 3),
) -> Delivery:
    """The delivery with some rows of one sheet changed; by default the first sheet's third row."""
    respondents = list(delivery.sheets[sheet].respondents)
    if not respondents[rows]:
        raise IndexError("no such row")
    respondents[rows] = map(edit, respondents[rows])
    return _with_sheet(delivery, sheet, respondents=tuple(respondents))


def _with_sheet(delivery: Delivery, sheet: int, **changes: object) -> Delivery:
    sheets = list(delivery.sheets)
    sheets[sheet] = replace(sheets[sheet], **changes)  # type: ignore[arg-type]
    return replace(delivery, sheets=tuple(sheets))


def _questions(sheet: Sheet, scene: Scene, round_: int) -> list[Question]:
    questions = scene.instrument.questions
    asked = (questions[f] for f in sheet.layout.columns.values() if f in questions)
    return [q for q in asked if q.is_in(round_)]


def _top(question: Question, scene: Scene) -> int:
    return max(c.code for c in scene.instrument.scales[question.scale_id] if c.is_answer)


def _answer_first(delivery: Delivery, scene: Scene, cell: Callable[[Question], Cell]) -> Delivery:
    """The first answer in the first sheet's third row becomes another cell."""
    questions = _questions(delivery.sheets[0], scene, delivery.round)

    def edit(respondent: Respondent) -> Respondent:
        answered = (q for q in questions if respondent.answers.get(q.question_id) is not None)
        question = next(answered, questions[0])
        answer = {question.question_id: cell(question)}
        return replace(respondent, answers={**respondent.answers, **answer})

    return _edit(delivery, edit)


@_content("En svarskod som inte finns på skalan")
def _unknown_code(delivery: Delivery, scene: Scene) -> Delivery:
    scales = scene.instrument.scales
    return _answer_first(delivery, scene, lambda q: max(c.code for c in scales[q.scale_id]) + 2)


@_content("Ett felstavat svarsalternativ")
def _label_misspelt(delivery: Delivery, scene: Scene) -> Delivery:
    def misspelt(question: Question) -> str:
        label = scene.instrument.scales[question.scale_id][-1].label_sv
        return label[0] + label[2:]

    return _answer_first(delivery, scene, misspelt)


@_content("En insatskod som inte står på bladet Insatser")
def _unknown_activity(delivery: Delivery, scene: Scene) -> Delivery:
    return _edit(delivery, lambda r: replace(r, insats_kod="Z99"))


@_content("Ett extra blad med svar under okänt namn")
def _unknown_sheet(delivery: Delivery, scene: Scene) -> Delivery:
    last = delivery.sheets[-1]
    extra = Sheet(replace(last.layout, sheet_name="Blad1"), last.respondents[:1])
    return replace(delivery, sheets=(*delivery.sheets, extra))


@_content("En extra kolumn med en egen fråga")
def _unknown_column(delivery: Delivery, scene: Scene) -> Delivery:
    layout = delivery.sheets[0].layout
    own = {"egen_fraga": "egen_fraga"}
    wider = _with_sheet(delivery, 0, layout=replace(layout, columns={**layout.columns, **own}))
    return _edit(
        wider,
        lambda r: replace(r, answers={**r.answers, "egen_fraga": "Ja"}),
        rows=slice(0, None),
    )


@_content("Läs mig anger ett förbund som inte finns i registret")
def _unknown_association(delivery: Delivery, scene: Scene) -> Delivery:
    return replace(delivery, association_id="finns-inte")


@_content("Läs mig anger en layout som inte finns")
def _unknown_layout(delivery: Delivery, scene: Scene) -> Delivery:
    return replace(delivery, layout_id="1999")


@_content("Läs mig anger en annan mätomgång än mappen")
def _wrong_round(delivery: Delivery, scene: Scene) -> Delivery:
    return replace(delivery, round=delivery.round - 1)


@_content("Samma löpnummer på två enkäter")
def _duplicate_lopnr(delivery: Delivery, scene: Scene) -> Delivery:
    first = delivery.sheets[0].respondents[0].lopnr
    return _edit(delivery, lambda r: replace(r, lopnr=first))


def _with_more(delivery: Delivery, *respondents: Respondent) -> Delivery:
    return _with_sheet(delivery, 0, respondents=(*delivery.sheets[0].respondents, *respondents))


@_content("Rader som är numrerade i förväg")
def _numbered_in_advance(delivery: Delivery, scene: Scene) -> Delivery:
    last = len(delivery.sheets[0].respondents)
    return _with_more(delivery, *(Respondent(last + n) for n in (1, 2, 3)))


@_content("En rad med löpnummer och insats men utan svar")
def _no_answers(delivery: Delivery, scene: Scene) -> Delivery:
    respondents = delivery.sheets[0].respondents
    return _with_more(delivery, Respondent(len(respondents) + 1, respondents[0].insats_kod))


@_content("En rad med medelvärden sist på bladet")
def _row_of_sums(delivery: Delivery, scene: Scene) -> Delivery:
    question = _questions(delivery.sheets[0], scene, delivery.round)[0]
    return _with_more(delivery, Respondent("Medel", answers={question.question_id: 3}))


@_content("Samma svar som i ett annat förbunds fil")
def _same_answers_two_files(delivery: Delivery, scene: Scene) -> Delivery:
    same = delivery.sheets[0].layout.questionnaire_id
    theirs_too = next(s for s in scene.others[0].sheets if s.layout.questionnaire_id == same)
    copied = iter(theirs_too.respondents)  # rows without a counterpart keep their own answers

    def overwritten(mine: Respondent) -> Respondent:
        theirs = next(copied, mine)
        return replace(mine, kon=theirs.kon, svarsdatum=theirs.svarsdatum, answers=theirs.answers)

    return _edit(delivery, overwritten, rows=slice(0, None))


@_content("En följdfråga besvarad trots nej på grundfrågan")
def _follow_up_after_no(delivery: Delivery, scene: Scene) -> Delivery:
    number, question = next(
        (number, question)
        for number, sheet in enumerate(delivery.sheets)
        for question in _questions(sheet, scene, delivery.round)
        if question.base_question_id
    )
    base = str(question.base_question_id)
    no_and_top: Mapping[str, Cell] = {base: 1, question.question_id: _top(question, scene)}
    return _edit(delivery, lambda r: replace(r, answers={**r.answers, **no_and_top}), sheet=number)


@_content("Kön saknas på nästan alla enkäter på ett blad")
def _gender_mostly_empty(delivery: Delivery, scene: Scene) -> Delivery:
    return _edit(delivery, lambda r: replace(r, kon=None), rows=slice(2, None))


@_content("Ett svarsdatum utanför mätomgången")
def _date_outside_round(delivery: Delivery, scene: Scene) -> Delivery:
    day = scene.instrument.rounds[delivery.round].opens - timedelta(days=730)
    return _edit(delivery, lambda r: replace(r, svarsdatum=day))


@_content("Var åttonde enkät med högsta svaret på alla frågor")
def _straight_lining(delivery: Delivery, scene: Scene) -> Delivery:
    questions = _questions(delivery.sheets[0], scene, delivery.round)
    top: Mapping[str, Cell] = {q.question_id: _top(q, scene) for q in questions}
    eighth = max(4, -(-len(delivery.sheets[0].respondents) // 8))
    return _edit(delivery, lambda r: replace(r, answers=top), rows=slice(0, eighth))


@_content("Fler enkäter inkomna än utdelade i en insats")
def _more_returned_than_handed_out(delivery: Delivery, scene: Scene) -> Delivery:
    sheet = delivery.sheets[0]
    kod = next(r.insats_kod for r in sheet.respondents if r.insats_kod)
    fewer = sum(r.insats_kod == kod for r in sheet.respondents) - 1
    activities = tuple(
        replace(a, handed_out={**a.handed_out, sheet.layout.questionnaire_id: fewer})
        if a.insats_kod == kod
        else a
        for a in delivery.activities
    )
    return replace(delivery, activities=activities)


@_content("Ett svar är en formel utan sparat värde")
def _formula_without_value(delivery: Delivery, scene: Scene) -> Delivery:
    return _answer_first(delivery, scene, lambda q: Formula("=1+2", ""))


@_content("Ett svar är ett Excelfel")
def _excel_error(delivery: Delivery, scene: Scene) -> Delivery:
    return _answer_first(delivery, scene, lambda q: Formula("=1/0", "#DIV/0!"))


@_content("Ett blad med svar är dolt")
def _hidden_sheet(delivery: Delivery, scene: Scene) -> Delivery:
    return _with_sheet(delivery, 0, hidden=True)


@_content("Bara var femte enkät: långt färre än förra mätomgången")
def _volume_jump(delivery: Delivery, scene: Scene) -> Delivery:
    sheets = (replace(s, respondents=s.respondents[::5]) for s in delivery.sheets)
    return replace(delivery, sheets=tuple(sheets))


def _with_comment(delivery: Delivery, text: str) -> Delivery:
    return _edit(delivery, lambda r: replace(r, kommentar=text))


@_content("Ett personnummer i en kommentar")
def _personal_number_in_comment(delivery: Delivery, scene: Scene) -> Delivery:
    return _with_comment(delivery, "Gäller 19121212-1212")  # the well-known test number


@_content("Ett telefonnummer i en kommentar")
def _phone_number(delivery: Delivery, scene: Scene) -> Delivery:
    return _with_comment(delivery, "Ring 070-174 06 05")  # from PTS's series for fiction


@_content("En e-postadress i en kommentar")
def _email(delivery: Delivery, scene: Scene) -> Delivery:
    return _with_comment(delivery, "Skriv till deltagare@example.org")


@_file("En senare, rättad fil från samma förbund")
def _corrected_later(path: Path, delivery: Delivery, scene: Scene) -> None:
    corrected = _answer_first(delivery, scene, lambda q: _top(q, scene))
    write_workbook(path.with_stem(f"{path.stem}_rattad"), corrected, scene.instrument)
    written = path.stat().st_mtime
    os.utime(path, (written, written - 3600))


@_file("Filen är avhuggen på mitten")
def _broken_file(path: Path, delivery: Delivery, scene: Scene) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@_file("Filen är sparad i det gamla formatet .xls")
def _old_xls(path: Path, delivery: Delivery, scene: Scene) -> None:
    path.with_suffix(".xls").write_bytes(_OLE_SIGNATURE + bytes(504))
    path.unlink()
