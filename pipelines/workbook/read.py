"""Registration workbooks understood: from drafts to a table of responses with their answers.

Belongs here: typing the cells of many workbooks at a time; a cell that is not understood becomes
a finding with sheet and cell. Does not: what a single cell means (cells.py), which cells are data
(structure.py), comparing rows, sheets or deliveries with each other (the expectations), deciding
which delivery counts (the lake).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.extra import ExtraQuestion
from pipelines.findings import Finding, Severity, thresholds
from pipelines.instrument import Instrument
from pipelines.workbook import WORKBOOK
from pipelines.workbook.cells import (
    Cell,
    Kind,
    address,
    blank,
    column_letters,
    normalised,
    plain_text,
    spelling_kind,
    typed,
)
from pipelines.workbook.personal import PLAIN_NUMBER
from pipelines.workbook.structure import (
    RESPONSE_FIELDS,
    Column,
    Draft,
    Plan,
    Sheet,
    category_of,
    draft_workbook,
    listed,
)

RESPONSES_SCHEMA = pa.schema(
    [
        ("sha256", pa.string()),
        ("sheet", pa.string()),
        ("row", pa.int32()),
        ("questionnaire_id", pa.string()),
        ("lopnr", pa.string()),
        ("insats_kod", pa.string()),
        ("kon", pa.string()),
        ("svarsdatum", pa.date32()),
        ("answers", pa.map_(pa.string(), pa.int8())),
    ]
)
"""A row per returned questionnaire; `answers` maps question_id to code, understood answers only.

No text of the workbook is in it but codes and the sheet's title: a `lopnr` that is more than a
short number stands as the first row it is found on, which tells repeats and nothing else.
"""

ACTIVITY_FIELDS = ("insats_kod", "inriktning", "langd")
"""What is kept of an activity; its name is free text and stays in the workbook."""

Found = defaultdict[Sheet, list[Finding]]
"""The findings in cells, by sheet."""


@dataclass(frozen=True, slots=True)
class Activity:
    """A row of the activities sheet.

    Attributes:
        handed_out: questionnaire → count, None: unknown.
        categories: category → the group it is in; without those it has none for.
    """

    insats_kod: str
    inriktning: str | None
    langd: str | None
    handed_out: Mapping[str, int | None]
    categories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """One workbook as read. Empty tables and at least one stop when it could not be read.

    Attributes:
        responses: a row per returned questionnaire with its answers, see RESPONSES_SCHEMA.
        rows_per_questionnaire: returned questionnaires by questionnaire id, of those the round has.
    """

    round: int
    layout_id: str | None
    association_id: str | None
    activities: tuple[Activity, ...]
    responses: pa.Table
    rows_per_questionnaire: Mapping[str, int]
    findings: tuple[Finding, ...]


def read_workbook(
    data: bytes,
    *,
    file: str,
    sha256: str,
    folder_round: int,
    associations: Mapping[str, object],
    instrument: Instrument,
    extra: Iterable[ExtraQuestion] = (),
) -> Reading:
    """Reads one registration workbook; the arguments are those of `draft_workbook`."""
    draft = draft_workbook(
        data,
        file=file,
        sha256=sha256,
        folder_round=folder_round,
        associations=associations,
        instrument=instrument,
        extra=extra,
    )
    return read_drafts([draft], instrument)[0]


def read_drafts(drafts: Sequence[Draft], instrument: Instrument) -> list[Reading]:
    """Understands the cells of many workbooks at a time, which costs far less than one by one.

    Returns:
        A reading per draft. A draft with a stop has no rows; the findings in its cells are told
        all the same.
    """
    found: Found = defaultdict(list)
    listed = _activities(drafts, instrument, found)
    activities = [listed.get(d.activities, ()) for d in drafts]
    codes: dict[Sheet, Kind] = {}
    for d, of_workbook in zip(drafts, activities, strict=True):
        kind = _activity_kind(of_workbook, instrument) if d.activities else _without_list(d)
        codes |= dict.fromkeys(d.sheets, kind)
    blocks = _blocks(sheet for d in drafts for sheet in d.sheets)
    tables = _tables([_responses(block, codes, found) for block in blocks], drafts)
    return [
        _reading(*read, found, instrument) for read in zip(drafts, activities, tables, strict=True)
    ]


def _reading(
    draft: Draft,
    activities: tuple[Activity, ...],
    responses: pa.Table,
    found: Found,
    instrument: Instrument,
) -> Reading:
    sheets = (draft.activities, *draft.sheets) if draft.activities else draft.sheets
    findings = (*draft.findings, *(f for s in sheets if s in found for f in found[s]))
    counted = {q.questionnaire_id for q in instrument.questionnaires_in(draft.round)}
    rows = {
        sheet.plan.questionnaire_id: len(sheet.rows)
        for sheet in draft.sheets
        if sheet.plan.questionnaire_id in counted
    }
    if any(f.severity is Severity.STOP for f in findings):
        activities, responses, rows = (), responses.slice(0, 0), {}
    return Reading(
        round=draft.round,
        layout_id=draft.layout_id,
        association_id=draft.association_id,
        activities=activities,
        responses=responses,
        rows_per_questionnaire=rows,
        findings=findings,
    )


# --- many sheets as one -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Sheets that share a plan, end to end as if they were one.

    Attributes:
        starts: where each sheet starts.
        size: how many rows they have together.
        cells: their cells by column.
    """

    plan: Plan
    sheets: list[Sheet]
    starts: list[int]
    size: int
    cells: list[tuple[Cell, ...]]

    def spans(self) -> Iterator[tuple[Sheet, int, int]]:
        """Each sheet with its start and end."""
        return zip(self.sheets, self.starts, (*self.starts[1:], self.size), strict=True)

    def at(self, row: int) -> tuple[Sheet, int]:
        """The sheet that a row of the block stands on, and the row's number there."""
        i = bisect_right(self.starts, row) - 1
        return self.sheets[i], self.sheets[i].numbers[row - self.starts[i]]


def _blocks(sheets: Iterable[Sheet]) -> list[_Block]:
    by_plan: dict[Plan, list[Sheet]] = {}
    for sheet in sheets:
        if sheet.rows:
            by_plan.setdefault(sheet.plan, []).append(sheet)
    blocks = []
    for plan, alike in by_plan.items():
        *starts, size = accumulate((len(sheet.rows) for sheet in alike), initial=0)
        cells = list(zip(*chain.from_iterable(sheet.rows for sheet in alike), strict=True))
        blocks.append(_Block(plan, alike, starts, size, cells))
    return blocks


def _values(block: _Block, found: Found) -> dict[str, Sequence[Any]]:
    """What the columns hold that are understood alike in every workbook, by field."""
    return {c.field: _understood(block, c, kind, found) for c, kind in block.plan.alike}


def _understood(
    block: _Block, column: Column, kind: Kind, found: Found, start: int = 0, end: int | None = None
) -> Sequence[Any]:
    """The values of a column in some or all rows of a block."""
    cells = block.cells[column.position][start:end]
    values, unknown = typed(cells, kind)
    if unknown:
        _report_unknown(block, column, kind, [start + k for k in unknown], found)
    return values


def _report_unknown(
    block: _Block, column: Column, kind: Kind, unknown: Sequence[int], found: Found
) -> None:
    """Tells the cells that are not understood: each, or their common cause if most are so."""
    limits = thresholds()
    for sheet, start, end in block.spans():
        rows = [k for k in unknown if start <= k < end]
        filled = sum(not blank(c) for c in block.cells[column.position][start:end]) if rows else 0
        if len(rows) >= limits["systematic_min"] and 2 * len(rows) > filled:
            found[sheet].append(_column_not_understood(block, column, kind, rows, filled))
            continue
        for k in rows[: limits["cap"]]:
            _report(
                block, k, column, found, kind.rule, block.cells[column.position][k], kind.wanted
            )
        if more := len(rows) - limits["cap"]:
            _say_more(found[sheet], more)


def _say_more(findings: list[Finding], more: int) -> None:
    """Says of the last finding how many more of its kind there are, which are not told."""
    if more > 0:
        findings[-1] = replace(
            findings[-1], wrong=f"{findings[-1].wrong} Samma sak i {more} celler till i kolumnen."
        )


def _column_not_understood(
    block: _Block, column: Column, kind: Kind, rows: Sequence[int], filled: int
) -> Finding:
    """One finding about a column most of whose filled cells are not understood."""
    sheet, letters = block.at(rows[0])[0], column_letters(column.position)
    wrong = Counter(plain_text(block.cells[column.position][k]) for k in rows)
    elsewhere = sum(n for text, n in wrong.items() if normalised(text) in kind.elsewhere)
    # a project's own column may not stop a workbook
    is_shifted = 2 * elsewhere > len(rows) and column not in block.plan.extra
    about = sheet.report(
        "answers_of_another_scale" if is_shifted else kind.rule,
        cell=f"{letters}:{letters}",
        question=column.name,
        value=wrong.most_common(1)[0][0],
        wanted=kind.wanted,
    )
    numbers = listed([block.at(k)[1] for k in rows])
    which = f"Det gäller {len(rows)} av {filled} ifyllda celler: rad {numbers}."
    return replace(about, wrong=f"{about.wrong} {which}")


def _report(
    block: _Block,
    row: int,
    column: Column,
    found: Found,
    rule: str,
    value: Cell = "",
    wanted: str = "",
) -> None:
    """Adds a finding about a cell of the block."""
    sheet, number = block.at(row)
    cell = address(number, column.position)
    found[sheet].append(
        sheet.report(rule, cell=cell, question=column.name, value=value, wanted=wanted)
    )


# --- activities ---------------------------------------------------------------------------------


def _activities(
    drafts: Sequence[Draft], instrument: Instrument, found: Found
) -> dict[Sheet | None, tuple[Activity, ...]]:
    """The activities of each activities sheet, every code once."""
    handed_out = [q for f in instrument.fields_of("activities") if (q := f.questionnaire_id)]
    listed: dict[Sheet | None, tuple[Activity, ...]] = {}
    for block in _blocks(d.activities for d in drafts if d.activities):
        values = _values(block, found)
        blanks = [None] * block.size
        plain = zip(*(values.get(f, blanks) for f in ACTIVITY_FIELDS), strict=True)
        counts = [values.get(q, blanks) for q in handed_out]
        categories = {c: values[f] for f in values if (c := category_of(f, instrument))}
        rows = [
            Activity(
                code,
                aim,
                length,
                {q: column[k] for q, column in zip(handed_out, counts, strict=True)},
                {c: column[k] for c, column in categories.items() if column[k]},
            )
            for k, (code, aim, length) in enumerate(plain)
        ]
        for sheet, start, end in block.spans():
            listed[sheet] = tuple(_each_once(block, rows, range(start, end), found))
    return listed


def _each_once(
    block: _Block, rows: Sequence[Activity], span: range, found: Found
) -> Iterator[Activity]:
    column = block.plan.by_field["insats_kod"]
    codes = set()
    for k in span:
        code = rows[k].insats_kod
        if not code:
            _report(block, k, column, found, "activity_code_missing")
        elif normalised(code) in codes:
            _report(block, k, column, found, "activity_repeated", code)
        else:
            codes.add(normalised(code))
            yield rows[k]


_NO_ACTIVITIES = Kind("", "", None, lambda cell: None)
"""Activity codes of a workbook without a sheet of activities: that it lacks one is told once."""

_LISTED_ELSEWHERE = Kind("", "", None, normalised)
"""Activity codes of another source: the association's workbook lists them, the checks compare."""


def _without_list(draft: Draft) -> Kind:
    return _NO_ACTIVITIES if draft.source == WORKBOOK else _LISTED_ELSEWHERE


def _activity_kind(activities: Iterable[Activity], instrument: Instrument) -> Kind:
    """How a response's activity is understood: it is known when the workbook lists it."""
    kind = spelling_kind({a.insats_kod: a.insats_kod for a in activities}, "activity_unknown")
    return replace(kind, wanted=instrument.sheet_name_of("activities"))


# --- responses ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Responses:
    """The responses of a block.

    Attributes:
        fields: a list per response field, None where blank.
        question_ids: the questions there are columns for.
        codes: the answers, question by question, a byte per response, 0: no answer.
    """

    block: _Block
    fields: Mapping[str, Sequence[Any]]
    question_ids: tuple[str, ...]
    codes: bytes


def _responses(block: _Block, codes: Mapping[Sheet, Kind], found: Found) -> _Responses:
    instrument, values = block.plan.instrument, _values(block, found)
    if column := block.plan.activity:
        values["insats_kod"] = [
            value
            for sheet, start, end in block.spans()
            for value in _understood(block, column, codes[sheet], found, start, end)
        ]
        if instrument.questionnaires[block.plan.questionnaire_id].has_activity:
            _report_without_activity(block, column, codes, found)
    if column := block.plan.by_field.get("lopnr"):
        for row in (k for k, value in enumerate(values["lopnr"]) if value is None):
            _report(block, row, column, found, "lopnr_missing")
        values["lopnr"] = _without_texts(block, values["lopnr"])
    for column in block.plan.not_asked:
        _report_not_asked(block, column, values[column.field], found)
    for column in block.plan.extra:
        values[column.field] = _of_its_activity(block, column, values, found)
    question_ids = tuple(f for f in values if f in instrument.questions)
    core = [q for q in question_ids if instrument.questions[q].is_core]
    _report_counted_from_zero(block, {q: values[q] for q in core}, instrument, found)
    blanks = [None] * block.size
    return _Responses(
        block,
        {f: values.get(f, blanks) for f in RESPONSE_FIELDS},
        question_ids,
        b"".join(map(bytes, (values[q] for q in question_ids))),
    )


def _report_counted_from_zero(
    block: _Block, codes: Mapping[str, Sequence[int]], instrument: Instrument, found: Found
) -> None:
    """Finds sheets whose codes begin at 0: zeros in columns that never have their highest code.

    One column may be so, or all together. Scales with a don't know are left out: their highest
    code may well be missing.
    """
    scales = {q: instrument.scales[instrument.questions[q].scale_id] for q in codes}
    tops = {q: scale[-1].code for q, scale in scales.items() if all(c.is_answer for c in scale)}
    least = thresholds()["systematic_min"]
    for sheet, start, end in block.spans():
        if not any(f.rule_id == "answer_unknown" for f in found.get(sheet, ())):
            continue
        without_top = [q for q, top in tops.items() if top not in codes[q][start:end]]
        zeros = {q: _zeros(block, q, start, end) for q in without_top}
        many = [q for q, n in zeros.items() if n >= least]
        if not many and len(without_top) == len(tops) and sum(zeros.values()) >= least:
            many = [q for q, n in zeros.items() if n]
        if many:
            column = block.plan.by_field[many[0]]
            letters = column_letters(column.position)
            wanted = ", ".join(f"{c.code} {c.label_sv}" for c in scales[many[0]])
            at = {"cell": f"{letters}:{letters}", "question": column.name, "wanted": wanted}
            concerned = {block.plan.by_field[q].name for q in many}
            others = [f for f in found[sheet] if f.question not in concerned or f.value != "0"]
            found[sheet] = [*others, sheet.report("codes_from_zero", value=0, **at)]


def _zeros(block: _Block, question_id: str, start: int, end: int) -> int:
    cells = block.cells[block.plan.by_field[question_id].position][start:end]
    return sum(plain_text(c) == "0" for c in cells)


def _without_texts(block: _Block, numbers: Sequence[str | None]) -> Sequence[str | None]:
    """The numbers; what may be more than a number as the first row of its sheet that holds it."""
    texts = {number for number in set(numbers) if number and not PLAIN_NUMBER.fullmatch(number)}
    if not texts:
        return numbers
    kept = list(numbers)
    for _, start, end in block.spans():
        first: dict[str, str] = {}
        for k in range(start, end):
            if (number := numbers[k]) in texts:
                kept[k] = first.setdefault(number, f"rad {block.at(k)[1]}")
    return kept


def _report_without_activity(
    block: _Block, column: Column, codes: Mapping[Sheet, Kind], found: Found
) -> None:
    """Tells sheets most of whose responses name no activity though the workbook lists some."""
    letters = column_letters(column.position)
    for sheet, start, end in block.spans():
        n_blank = sum(map(blank, block.cells[column.position][start:end]))
        many = n_blank >= thresholds()["systematic_min"] and 2 * n_blank > end - start
        if many and codes[sheet] is not _NO_ACTIVITIES:
            at = {"cell": f"{letters}:{letters}", "question": column.name}
            wanted = f"{n_blank} av {end - start}"
            found[sheet].append(sheet.report("activity_mostly_empty", wanted=wanted, **at))


def _report_not_asked(block: _Block, column: Column, codes: Sequence[int], found: Found) -> None:
    letters = column_letters(column.position)
    for sheet, start, end in block.spans():
        if any(codes[start:end]):
            found[sheet].append(
                sheet.report(
                    "question_not_asked",
                    cell=f"{letters}:{letters}",
                    question=column.name,
                    wanted=block.plan.round,
                )
            )


def _of_its_activity(
    block: _Block, column: Column, values: Mapping[str, Sequence[Any]], found: Found
) -> Sequence[int]:
    """The answers to a project's question, without those of activities that it is not for."""
    codes, activity = values[column.field], block.plan.instrument.questions[column.field].insats_kod
    if activity is None:
        return codes
    activities = values.get("insats_kod", [None] * block.size)
    is_of_it = [normalised(a or "") == normalised(activity) for a in activities]
    letters = column_letters(column.position)
    for sheet, start, end in block.spans():
        others = [k for k in range(start, end) if codes[k] and not is_of_it[k]]
        if others:
            numbers = listed([block.at(k)[1] for k in others])
            at = {"cell": f"{letters}:{letters}", "question": column.name}
            found[sheet].append(sheet.report("extra_of_another_activity", wanted=numbers, **at))
    return bytes(code if own else 0 for code, own in zip(codes, is_of_it, strict=True))


def _tables(responses: Sequence[_Responses], drafts: Sequence[Draft]) -> Iterator[pa.Table]:
    """A table for each draft, its sheets in order; see RESPONSES_SCHEMA."""
    sheets = [sheet for d in drafts for sheet in d.sheets]
    table = _table(responses, sheets, drafts) if sheets else RESPONSES_SCHEMA.empty_table()
    ends = accumulate((d.n_responses for d in drafts), initial=0)
    return (table.slice(start, end - start) for start, end in pairwise(ends))


def _table(
    responses: Sequence[_Responses], sheets: Sequence[Sheet], drafts: Sequence[Draft]
) -> pa.Table:
    """The rows of the sheets in their order, from responses in the order of blocks."""
    offsets = accumulate((r.block.size for r in responses), initial=0)
    rows_of = {
        sheet: range(offset + start, offset + end)
        for r, offset in zip(responses, offsets, strict=False)
        for sheet, start, end in r.block.spans()
    }
    order = pa.array(chain.from_iterable(rows_of[sheet] for sheet in sheets), pa.int32())
    sizes = [len(sheet.rows) for sheet in sheets]
    columns = {
        "sha256": _repeated([d.sha256 for d in drafts], [d.n_responses for d in drafts]),
        "sheet": _repeated([s.title for s in sheets], sizes),
        "row": pa.array(chain.from_iterable(s.numbers for s in sheets), pa.int32()),
        "questionnaire_id": _repeated([s.plan.questionnaire_id for s in sheets], sizes),
        **{f: _field(responses, f).take(order) for f in RESPONSE_FIELDS},
        "answers": _answers(responses).take(order),
    }
    return pa.table(columns, RESPONSES_SCHEMA)


def _field(responses: Sequence[_Responses], name: str) -> pa.Array:
    values = chain.from_iterable(r.fields[name] for r in responses)
    return pa.array(values, RESPONSES_SCHEMA.field(name).type)


def _answers(responses: Sequence[_Responses]) -> pa.MapArray:
    """For each response the questions it answered and their codes."""
    codes, questions, sizes = [], [], [np.zeros(1, np.int64)]
    question_ids: list[str] = []
    for r in responses:
        block = np.frombuffer(r.codes, np.int8).reshape(-1, r.block.size).T
        response, question = block.nonzero()
        codes.append(block[response, question])
        questions.append(question + len(question_ids))
        sizes.append(np.bincount(response, minlength=r.block.size))
        question_ids += r.question_ids
    offsets = np.concatenate(sizes).cumsum(dtype=np.int32)
    keys = pa.array(question_ids, pa.string()).take(pa.array(np.concatenate(questions)))
    return pa.MapArray.from_arrays(offsets, keys, pa.array(np.concatenate(codes)))


def _repeated(values: Sequence[str], sizes: Sequence[int]) -> pa.Array:
    """Each value as many times as its size says."""
    return pa.array(values, pa.string()).take(pa.array(np.repeat(np.arange(len(values)), sizes)))
