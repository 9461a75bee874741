"""The registration workbook, from bytes to answers: one pass, driven by the seeds' layouts.

Belongs here: recognising a workbook, its sheets and columns; whatever is not understood becomes a
finding with sheet and cell. Does not: what a single cell means (cells.py), comparing rows, sheets
or deliveries with each other (the expectations), deciding which delivery counts (the lake).

The source of the format is CONTRACT 3: sheets `Läs mig` and `Insatser` and one sheet per
questionnaire, as described in the seeds layouts, layout_columns, workbook_fields and spellings.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import chain, islice
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from python_calamine import CalamineWorkbook, PasswordError

from pipelines.findings import Finding, finding
from pipelines.instrument import Instrument, SheetLayout
from pipelines.workbook.cells import (
    Cell,
    Kind,
    address,
    answer_kind,
    blank,
    column_letters,
    count_kind,
    date_kind,
    normalised,
    plain_text,
    spelling_kind,
    text_kind,
    typed,
)

Native = TypeVar("Native")
Report = Callable[..., Finding]
"""Makes a finding; file and sheet are filled in on the way down."""

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
"""A row per returned questionnaire; `answers` maps question_id to code, understood answers only."""


@dataclass(frozen=True, slots=True)
class Activity:
    """A row of the activities sheet; `handed_out` maps questionnaire to count, None: unknown."""

    insats_kod: str
    insats_namn: str | None
    inriktning: str | None
    langd: str | None
    handed_out: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """One workbook as read. Empty tables and at least one stop when it could not be read.

    Attributes:
        responses: a row per returned questionnaire with its answers, see RESPONSES_SCHEMA.
        rows_per_questionnaire: returned questionnaires by questionnaire id.
    """

    round: int | None = None
    layout_id: str | None = None
    association_id: str | None = None
    activities: tuple[Activity, ...] = ()
    responses: pa.Table = field(default_factory=RESPONSES_SCHEMA.empty_table)
    rows_per_questionnaire: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class Stop(Exception):
    """The workbook cannot be loaded; carries the finding that says why."""

    def __init__(self, reason: Finding) -> None:
        super().__init__(reason.rule_id)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One questionnaire sheet, typed.

    Attributes:
        rows: row numbers of the responses.
        fields: a list per response field (lopnr, insats_kod, kon, svarsdatum), None where blank.
        codes: the answers, question by question, a byte per response, 0: no answer.
    """

    layout: SheetLayout
    title: str
    rows: list[int]
    fields: Mapping[str, list[Any]]
    question_ids: tuple[str, ...]
    codes: bytes


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a sheet: its header in the layout, where it stands, what it holds."""

    name: str
    position: int
    field: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a header row means under a layout, worked out once for all sheets that share it.

    Attributes:
        fields: the columns of response fields.
        questions: the columns of questions by their kind of answer.
        responses: picks the cells that make a row a response.
        findings: what is wrong with the header itself.
        repeated: the first known column that stands twice.
        not_asked: questions the round does not ask.
    """

    fields: tuple[_Column, ...]
    questions: tuple[tuple[Kind, tuple[_Column, ...]], ...]
    responses: Callable[[list[Cell]], tuple[Cell, ...]]
    findings: tuple[Mapping[str, Any], ...]
    repeated: _Column | None
    not_asked: frozenset[str]

    @property
    def question_columns(self) -> Iterator[_Column]:
        """The columns of questions in the order of a typed sheet's codes."""
        return chain.from_iterable(columns for _, columns in self.questions)


@dataclass(frozen=True, slots=True)
class _Context:
    """What reading a sheet needs to know beyond the sheet itself."""

    workbook: CalamineWorkbook
    instrument: Instrument
    round: int
    kinds: Mapping[str, Kind]


def read_workbook(
    data: bytes,
    *,
    file: str,
    sha256: str,
    folder_round: int,
    associations: Mapping[str, object],
    instrument: Instrument,
) -> Reading:
    """Reads one registration workbook.

    Args:
        data: the file's bytes.
        file: its name in findings.
        sha256: of the bytes; every row of the result carries it.
        folder_round: the round of the folder it lies in.
        associations: the register's associations by id.
        instrument: the seeds.

    Returns:
        The reading. Nothing in a file makes it raise: a workbook that cannot be loaded has a
        finding of severity stop and no rows.
    """
    report = partial(finding, file=file)
    known: dict[str, Any] = {}
    findings: list[Finding] = []
    try:
        workbook = _open(data, report)
        known |= _read_readme(workbook, folder_round, associations, instrument, report)
        titles = {normalised(title): title for title in workbook.sheet_names}
        activities = _read_activities(workbook, titles, instrument, report, findings)
        context = _Context(
            workbook, instrument, folder_round, _kinds(instrument, activities, folder_round)
        )
        sheets = _read_sheets(context, titles, known["layout_id"], report, findings)
    except Stop as stop:
        return Reading(**known, findings=(*findings, stop.reason))
    return Reading(
        **known,
        activities=activities,
        responses=_responses_table(sheets, sha256),
        rows_per_questionnaire={s.layout.questionnaire_id: len(s.rows) for s in sheets},
        findings=tuple(findings),
    )


# --- recognising the file -----------------------------------------------------------------------


def _open(data: bytes, report: Report) -> CalamineWorkbook:
    """The workbook behind the bytes.

    Raises:
        Stop: it is no .xlsx or .xlsm file, or it cannot be opened.
    """
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        encrypted = "EncryptedPackage".encode("utf-16-le") in data
        raise Stop(
            report("password") if encrypted else report("not_xlsx", wanted="gammalt Excelformat")
        )
    if not data.startswith(b"PK"):
        raise Stop(report("not_xlsx", wanted="okänt format"))
    if b"xl/workbook.xml" not in data:
        raise Stop(report("not_xlsx", wanted="ett annat format än filändelsen säger"))
    return _guarded(lambda: CalamineWorkbook.from_filelike(io.BytesIO(data)), report)


def _guarded(read: Callable[[], Native], report: Report) -> Native:
    """What the native reader returns; its failures, panics included, become a stop."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except PasswordError as error:
        raise Stop(report("password")) from error
    except BaseException as error:  # panics of native code do not derive from Exception
        raise Stop(report("unreadable")) from error


def _rows_of(workbook: CalamineWorkbook, title: str, report: Report) -> list[list[Cell]]:
    """All rows of a sheet from A1, so that list positions are addresses."""
    return _guarded(
        lambda: workbook.get_sheet_by_name(title).to_python(skip_empty_area=False),
        partial(report, sheet=title),
    )


# --- the readme sheet ---------------------------------------------------------------------------


def _read_readme(
    workbook: CalamineWorkbook,
    folder_round: int,
    associations: Mapping[str, object],
    instrument: Instrument,
    report: Report,
) -> dict[str, Any]:
    """Round, layout_id and association_id of the workbook.

    Raises:
        Stop: the sheet is missing, or one of the three is unknown or misplaced.
    """
    sheet = instrument.sheet_name_of("readme")
    title = next((t for t in workbook.sheet_names if normalised(t) == normalised(sheet)), None)
    if title is None:
        raise Stop(report("readme_missing", wanted=sheet))
    given: dict[str, tuple[str, str]] = {}
    for number, row in enumerate(_rows_of(workbook, title, report), start=1):
        if len(row) > 1:
            given.setdefault(normalised(row[0]).rstrip(":"), (f"B{number}", plain_text(row[1])))
    key = {f.field: f.name for f in instrument.fields_of("readme")}

    def value(of: str, rule: str, known: Callable[[str], bool], wanted: object = "") -> str:
        cell, text = given.get(normalised(key[of]), ("", ""))
        if not known(text):
            at = {"sheet": title, "cell": cell, "question": key[of], "value": text}
            raise Stop(report(rule, wanted=wanted, **at))
        return text

    years = {str(year) for year in instrument.rounds}
    value("round", "round_unknown", years.__contains__, folder_round)
    value("round", "round_not_folder", str(folder_round).__eq__, folder_round)
    standard = instrument.rounds[folder_round].layout_id
    return {
        "round": folder_round,
        "layout_id": value(
            "layout_id", "layout_unknown", instrument.layouts.__contains__, standard
        ),
        "association_id": value("association_id", "association_unknown", associations.__contains__),
    }


# --- the activities sheet -----------------------------------------------------------------------


def _read_activities(
    workbook: CalamineWorkbook,
    titles: Mapping[str, str],
    instrument: Instrument,
    report: Report,
    findings: list[Finding],
) -> tuple[Activity, ...]:
    """The activities, each code once.

    Raises:
        Stop: the sheet has no header row, or a column twice.
    """
    sheet = instrument.sheet_name_of("activities")
    title = titles.get(normalised(sheet))
    if title is None:
        findings.append(report("activities_missing", wanted=sheet))
        return ()
    at = partial(report, sheet=title)
    rows = _rows_of(workbook, title, report) or [[]]
    fields = {f.name: f for f in instrument.fields_of("activities")}
    columns, unknown_columns, repeated = _match(rows[0], fields)
    code_name = next(f.name for f in fields.values() if f.field == "insats_kod")
    if code_name not in columns:
        raise Stop(at("header_missing", wanted=1))
    if repeated:
        raise Stop(at("column_repeated", cell=address(1, repeated[1]), question=repeated[0]))
    findings += [at("column_unknown", cell=address(1, i), value=v) for i, v in unknown_columns]
    numbers = [n for n, row in enumerate(rows[1:], start=2) if not all(map(blank, row))]
    kinds = {"insats_kod": text_kind(), "insats_namn": text_kind(), "handed_out": count_kind()}
    kinds |= {
        of: spelling_kind(instrument.spellings[of], "category_unknown")
        for of in ("inriktning", "langd")
    }
    values: dict[str, list[Any]] = {}
    for name, i in columns.items():
        cells = [rows[n - 1][i] for n in numbers]
        kind = kinds[fields[name].field]
        values[name], unknown = typed(cells, kind)
        column = _Column(name, i, fields[name].field)
        findings += [_not_understood(kind, column, numbers[k], cells[k], at) for k in unknown]
    activities: dict[str, Activity] = {}
    for k, code in enumerate(values[code_name]):
        here = partial(at, cell=address(numbers[k], columns[code_name]), question=code_name)
        if code is None:
            findings.append(here("activity_code_missing"))
        elif normalised(code) in activities:
            findings.append(here("activity_repeated", value=code))
        else:
            row = {name: column[k] for name, column in values.items()}
            activities[normalised(code)] = _activity(row, fields)
    return tuple(activities.values())


def _activity(row: Mapping[str, Any], fields: Mapping[str, Any]) -> Activity:
    plain: dict[str, Any] = {
        f.field: row.get(name) for name, f in fields.items() if not f.questionnaire_id
    }
    handed_out = {f.questionnaire_id: row.get(name) for name, f in fields.items()}
    handed_out.pop(None)
    return Activity(**plain, handed_out=handed_out)


# --- the questionnaire sheets -------------------------------------------------------------------


def _kinds(instrument: Instrument, activities: Sequence[Activity], round_: int) -> dict[str, Kind]:
    """How each response field is read; an activity is known when the workbook lists it."""
    codes = {activity.insats_kod: activity.insats_kod for activity in activities}
    activity = spelling_kind(codes, "activity_unknown")
    return {
        "lopnr": text_kind(),
        "insats_kod": replace(activity, wanted=instrument.sheet_name_of("activities")),
        "kon": spelling_kind(instrument.spellings["kon"], "kon_unknown"),
        "svarsdatum": date_kind(instrument.rounds[round_].opens),
    }


def _read_sheets(
    context: _Context,
    titles: dict[str, str],
    layout_id: str,
    report: Report,
    findings: list[Finding],
) -> list[_Sheet]:
    """The questionnaire sheets that hold responses; other sheets are reported."""
    sheets = []
    for role in ("readme", "activities"):
        titles.pop(normalised(context.instrument.sheet_name_of(role)), None)
    for layout in context.instrument.layouts[layout_id].values():
        title = titles.pop(normalised(layout.sheet_name), None)
        if title is None:
            continue
        sheet = _read_sheet(context, title, layout, partial(report, sheet=title), findings)
        if sheet is not None:
            sheets.append(sheet)
    findings += [report("sheet_unknown", sheet=title) for title in titles.values()]
    return sheets


def _read_sheet(
    context: _Context, title: str, layout: SheetLayout, at: Report, findings: list[Finding]
) -> _Sheet | None:
    """One questionnaire sheet, or None when it holds no responses.

    Raises:
        Stop: its header row is not where the layout says, or names a column twice.
    """
    rows = _rows_of(context.workbook, title, at)
    header = tuple(rows[layout.header_row - 1]) if len(rows) >= layout.header_row else ()
    plan = _plan(header, layout, context.round, context.instrument)
    if plan is None:
        if any(not blank(cell) for row in rows for cell in row):
            raise Stop(at("header_missing", wanted=layout.header_row))
        return None
    if plan.repeated:
        cell = address(layout.header_row, plan.repeated.position)
        raise Stop(at("column_repeated", cell=cell, question=plan.repeated.name))
    numbers, data = _response_rows(rows, layout, plan)
    if not data:
        return None
    findings += [at(**problem) for problem in plan.findings]
    sheet = _type_sheet(context, title, layout, plan, numbers, data, at, findings)
    findings += _not_of_round(context, sheet, plan, at)
    return sheet


def _match(
    header: Sequence[Cell], names: Iterable[str]
) -> tuple[dict[str, int], list[tuple[int, Cell]], tuple[str, int] | None]:
    """Position of each known column, the unknown ones, and the first that stands twice."""
    known = {normalised(name): name for name in names}
    columns: dict[str, int] = {}
    unknown, repeated = [], None
    for i, cell in enumerate(header):
        name = known.get(normalised(cell))
        if name in columns:
            repeated = repeated or (name, i)
        elif name is not None:
            columns[name] = i
        elif not blank(cell):
            unknown.append((i, cell))
    return columns, unknown, repeated


@lru_cache(256)
def _plan(
    header: tuple[Cell, ...], layout: SheetLayout, round_: int, instrument: Instrument
) -> _Plan | None:
    """What the header row means, or None when it names no field and no question."""
    positions, unknown, repeated = _match(header, layout.columns)
    columns = [_Column(name, i, layout.columns[name]) for name, i in positions.items()]
    fields = tuple(c for c in columns if c.field in RESPONSES_SCHEMA.names)
    questions = [c for c in columns if c.field in instrument.questions]
    if not fields and not questions:
        return None
    by_scale: dict[str, list[_Column]] = {}
    for c in questions:
        by_scale.setdefault(instrument.questions[c.field].scale_id, []).append(c)
    picked = [c.position for c in (*fields, *questions)]
    return _Plan(
        fields,
        tuple(
            (answer_kind(instrument.scales[scale_id]), tuple(group))
            for scale_id, group in by_scale.items()
        ),
        itemgetter(*picked, picked[0]),  # at least two, so that it gives a tuple
        (
            *(
                {"rule_id": "column_unknown", "cell": address(layout.header_row, i), "value": v}
                for i, v in unknown
            ),
            *_absent_columns(layout, positions, round_, instrument),
        ),
        _Column(*repeated, "") if repeated else None,
        frozenset(c.field for c in questions if not instrument.questions[c.field].is_in(round_)),
    )


def _absent_columns(
    layout: SheetLayout, columns: Mapping[str, int], round_: int, instrument: Instrument
) -> Iterator[Mapping[str, Any]]:
    """Columns that the layout has and the round needs; comments may be left out."""
    for name, of in layout.columns.items():
        question = instrument.questions.get(of)
        needed = question.is_in(round_) if question else of in RESPONSES_SCHEMA.names
        if needed and name not in columns:
            rule = "column_missing" if question else "field_missing"
            yield {"rule_id": rule, "question": name, "wanted": name}


def _response_rows(
    rows: list[list[Cell]], layout: SheetLayout, plan: _Plan
) -> tuple[list[int], list[list[Cell]]]:
    """Row numbers and rows of the responses: neither blank, nor the labels, nor only a comment."""
    mark = normalised(layout.label_row_mark)
    numbers, data = [], []
    for number, row in enumerate(islice(rows, layout.header_row, None), layout.header_row + 1):
        cells = plan.responses(row)
        blanks = cells.count("")
        if blanks == len(cells) or (2 * blanks > len(cells) and all(map(blank, cells))):
            continue
        if isinstance(row[0], str) and normalised(row[0]) == mark:
            continue
        numbers.append(number)
        data.append(row)
    return numbers, data


def _type_sheet(
    context: _Context,
    title: str,
    layout: SheetLayout,
    plan: _Plan,
    numbers: list[int],
    data: list[list[Cell]],
    at: Report,
    findings: list[Finding],
) -> _Sheet:
    """Types the sheet kind by kind; what is not understood is reported."""
    by_column = list(zip(*data, strict=True))
    groups = [(context.kinds[c.field], (c,)) for c in plan.fields] + list(plan.questions)
    values: list[list[Any]] = []
    for kind, columns in groups:
        cells = list(chain.from_iterable(by_column[c.position] for c in columns))
        understood, unknown = typed(cells, kind)
        values.append(understood)
        for k in unknown:
            column, response = columns[k // len(numbers)], k % len(numbers)
            findings.append(_not_understood(kind, column, numbers[response], cells[k], at))
    fields = {c.field: column for c, column in zip(plan.fields, values, strict=False)}
    for c in plan.fields:
        if c.field == "lopnr" and None in fields[c.field]:
            missing = [
                n for n, value in zip(numbers, fields[c.field], strict=True) if value is None
            ]
            findings += [
                at("lopnr_missing", cell=address(n, c.position), question=c.name) for n in missing
            ]
    return _Sheet(
        layout,
        title,
        numbers,
        fields,
        tuple(c.field for c in plan.question_columns),
        b"".join(map(bytes, values[len(plan.fields) :])),
    )


def _not_understood(kind: Kind, column: _Column, row: int, value: Cell, at: Report) -> Finding:
    cell = address(row, column.position)
    return at(kind.rule, cell=cell, question=column.name, value=value, wanted=kind.wanted)


def _not_of_round(context: _Context, sheet: _Sheet, plan: _Plan, at: Report) -> Iterator[Finding]:
    """A questionnaire, or a question with answers, that the round does not ask."""
    if not context.instrument.questionnaires[sheet.layout.questionnaire_id].is_in(context.round):
        yield at("questionnaire_not_in_round", wanted=context.round)
    elif plan.not_asked:
        size = len(sheet.rows)
        for k, c in enumerate(plan.question_columns):
            if c.field in plan.not_asked and any(sheet.codes[k * size : (k + 1) * size]):
                letters = column_letters(c.position)
                cell = f"{letters}:{letters}"
                yield at("question_not_asked", cell=cell, question=c.name, wanted=context.round)


# --- the table ----------------------------------------------------------------------------------


def _responses_table(sheets: Sequence[_Sheet], sha256: str) -> pa.Table:
    if not sheets:
        return RESPONSES_SCHEMA.empty_table()
    sizes = [len(s.rows) for s in sheets]

    def joined(name: str) -> list[Any]:
        return [v for s in sheets for v in s.fields.get(name) or [None] * len(s.rows)]

    return pa.Table.from_arrays(
        [
            _repeated([sha256], [sum(sizes)]),
            _repeated([s.title for s in sheets], sizes),
            pa.array([row for s in sheets for row in s.rows], pa.int32()),
            _repeated([s.layout.questionnaire_id for s in sheets], sizes),
            pa.array(joined("lopnr"), pa.string()),
            pa.array(joined("insats_kod"), pa.string()),
            pa.array(joined("kon"), pa.string()),
            pa.array(joined("svarsdatum"), pa.date32()),
            _answers(sheets),
        ],
        names=RESPONSES_SCHEMA.names,
    )


def _answers(sheets: Sequence[_Sheet]) -> pa.MapArray:
    """For each response the questions it answered and their codes."""
    codes, questions, sizes = [], [], [np.zeros(1, np.int64)]
    question_ids: list[str] = []
    for sheet in sheets:
        block = np.frombuffer(sheet.codes, np.int8).reshape(-1, len(sheet.rows)).T
        response, question = block.nonzero()
        codes.append(block[response, question])
        questions.append(question + len(question_ids))
        sizes.append(np.bincount(response, minlength=len(sheet.rows)))
        question_ids += sheet.question_ids
    offsets = np.concatenate(sizes).cumsum(dtype=np.int32)
    keys = pa.array(question_ids, pa.string()).take(pa.array(np.concatenate(questions)))
    return pa.MapArray.from_arrays(offsets, keys, pa.array(np.concatenate(codes)))


def _repeated(values: Sequence[str], sizes: Sequence[int]) -> pa.DictionaryArray:
    """Each value as many times as its size says, as dictionary codes."""
    codes = np.repeat(np.arange(len(values), dtype=np.int16), sizes)
    return pa.DictionaryArray.from_arrays(codes, pa.array(values, pa.string()))
