"""One registration workbook as a draft: which sheet and column is what, which rows are responses.

Belongs here: the readme sheet, the layout of the others as the seeds describe it, their header
rows. Does not: reading the file (native.py) and understanding its cells (read.py, many drafts at
a time).

The source of the format is CONTRACT 3: sheets `Läs mig` and `Insatser` and one sheet per
questionnaire, as described in the seeds layouts, layout_columns, workbook_fields and spellings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from operator import itemgetter
from string import digits
from typing import Any

from pipelines.extra import ExtraQuestion, instrument_of
from pipelines.findings import Finding, finding, thresholds
from pipelines.instrument import Correction, Instrument, SheetLayout, SheetRole
from pipelines.workbook import WORKBOOK, corrections
from pipelines.workbook.cells import (
    Cell,
    Kind,
    address,
    answer_kind,
    blank,
    category_kind,
    count_kind,
    date_kind,
    normalised,
    plain_text,
    spelling_kind,
    text_kind,
)
from pipelines.workbook.gate import Inspection
from pipelines.workbook.native import Book, RefusedError
from pipelines.workbook.personal import HIDDEN, PERSONAL_RULES, personal_data, personal_data_in
from pipelines.workbook.sandbox import read_here

Report = Callable[..., Finding]
"""Makes a finding; file and sheet are filled in on the way down."""

ReadBook = Callable[[bytes, str], tuple[Book, Inspection]]
"""Reads all sheets of a workbook from its bytes and name."""

RECEIPT_SHEET = "Granskning"
"""The sheet a receipt's marked copy opens with; an association may mend that copy and send it."""

_ROWS_LISTED = 10

_OWN_ROLES: tuple[SheetRole, SheetRole] = ("readme", "lists")
"""The sheets on which a workbook may calculate for itself, as the template does."""

_CATEGORY = re.compile(r"\w[\w -]*")
"""What may follow the first word of a category's header: it names groups in figures and files."""

RESPONSE_FIELDS = ("lopnr", "insats_kod", "kon", "svarsdatum")
"""The fields of a response beside its answers."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet: its header in the layout, where it stands (from 0), what it holds."""

    name: str
    position: int
    field: str


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a header row means under a layout, worked out once for all sheets that share it.

    Attributes:
        questionnaire_id: whose sheet it is; empty for the activities sheet.
        round: what is asked depends on it.
        by_field: the columns that are read.
        alike: those understood alike in every workbook, and how.
        extra: those of a project's own questions.
        activity: the one whose codes the workbook's own activities sheet explains.
        not_asked: columns of questions that the round does not ask though it has the questionnaire.
        problems: what is wrong with the header itself, as arguments of a report.
        repeated: the first known column that stands twice.
        headless: positions without a header.
        holds_data: whether a row below the header is more than blank, a number, a comment, or the
            labels.
        answers_extra: whether a row that is no data answers a project's own question all the same.
        is_numbered: whether a row that is no data holds a number all the same.
        is_sum: whether a row sums up others, by the word in front of it.
        instrument: under which the columns were understood.
    """

    questionnaire_id: str
    round: int
    by_field: Mapping[str, Column]
    alike: tuple[tuple[Column, Kind], ...]
    extra: tuple[Column, ...]
    activity: Column | None
    not_asked: tuple[Column, ...]
    problems: tuple[Mapping[str, Any], ...]
    repeated: Column | None
    headless: tuple[int, ...]
    holds_data: Callable[[list[Cell]], bool]
    answers_extra: Callable[[list[Cell]], bool]
    is_numbered: Callable[[list[Cell]], bool]
    is_sum: Callable[[list[Cell]], bool]
    instrument: Instrument


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A sheet with something to read in it.

    Attributes:
        numbers: of the rows in Excel.
        rows: the rows of data as they are.
        numbered: numbers of rows that hold a number for a response and nothing else.
        sums: numbers of rows that sum up others.
        besides: numbers of rows that answer a project's own questions and are no response.
    """

    title: str
    plan: Plan
    numbers: list[int]
    rows: list[list[Cell]]
    report: Report
    numbered: Sequence[int] = ()
    sums: Sequence[int] = ()
    besides: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A workbook whose structure is known and whose cells are not understood yet.

    Attributes:
        file: its name in findings.
        sha256: of its bytes.
        round: of the folder it lies in.
        activities: the activities sheet.
        sheets: the questionnaire sheets that hold responses, in the layout's order.
        findings: what is wrong with the structure; a stop among them keeps the workbook out.
        is_refused: whether the file was refused before any of its cells was looked at.
        source: what delivers the answers: a workbook, or the web.
    """

    file: str
    sha256: str
    round: int
    source: str = WORKBOOK
    layout_id: str | None = None
    association_id: str | None = None
    activities: Sheet | None = None
    sheets: tuple[Sheet, ...] = ()
    findings: tuple[Finding, ...] = ()
    is_refused: bool = False

    @property
    def n_responses(self) -> int:
        """Responses on all sheets."""
        return sum(len(sheet.rows) for sheet in self.sheets)


class StopError(Exception):
    """The workbook cannot be loaded; carries the finding that says why."""

    def __init__(self, reason: Finding) -> None:
        super().__init__(reason.rule_id)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Context:
    """What finding one's way in a workbook needs; `titles` by their normalised form."""

    book: Book
    titles: Mapping[str, str]
    round: int
    instrument: Instrument
    report: Report
    findings: list[Finding]

    @property
    def sheet_names(self) -> frozenset[str]:
        """The sheets that some layout has, normalised."""
        return _sheet_names(self.instrument)


def draft_workbook(
    data: bytes,
    *,
    file: str,
    sha256: str,
    folder_round: int,
    associations: Mapping[str, object],
    instrument: Instrument,
    extra: Iterable[ExtraQuestion] = (),
    read: ReadBook = read_here,
) -> Draft:
    """The structure of one registration workbook.

    Args:
        data: the file's bytes.
        file: its name in findings.
        sha256: of the bytes.
        folder_round: the round of the folder it lies in.
        associations: the register's associations by id.
        instrument: the seeds.
        extra: the questions that projects ask beside them.
        read: what reads the bytes; by default this process, for files known to be harmless.

    Returns:
        The draft. Nothing in a file makes it raise: a workbook that cannot be loaded has a
        finding of severity stop.
    """
    try:
        book, inspection = read(data, file)
    except RefusedError as refused:
        return refused_file(file, sha256, folder_round, refused)
    known: dict[str, Any] = {"file": file, "sha256": sha256, "round": folder_round}
    findings: list[Finding] = []
    report = partial(finding, file=file)
    if personal_data(file):
        findings.append(report("personal_file_name"))
    try:
        titles = {normalised(title): title for title in reversed(book.titles)}
        context = _Context(book, titles, folder_round, instrument, report, findings)
        findings.extend(_personal(context, inspection))
        _correct(context, lambda c: c.sha256 == sha256)
        told = _readme(context, associations)
        known |= {name: told[name] for name in ("layout_id", "association_id")}
        whose = told["association_id"], folder_round
        _correct(context, lambda c: (c.association_id, c.round) == whose)
        findings.extend(_not_told_by_cells(context, inspection))
        if told["round"] and told["layout_id"]:
            known["activities"] = _activities(context)
            own = instrument_of(instrument, extra, told["association_id"], folder_round)
            own_context = replace(context, instrument=own)
            known["sheets"] = _questionnaires(own_context, told["layout_id"])
    except StopError as stop:
        findings.append(stop.reason)
    return Draft(**known, findings=tuple(findings))


def refused_file(file: str, sha256: str, round_: int, refused: RefusedError) -> Draft:
    """The draft of a file whose cells nobody looks at."""
    reason = finding(refused.rule_id, file=file, wanted=refused.wanted)
    return Draft(file, sha256, round_, findings=(reason,), is_refused=True)


def _personal(context: _Context, inspection: Inspection) -> Iterator[Finding]:
    """Personal data in any cell of any sheet or beside, and sheets that could not be searched."""
    for place in inspection.beside:
        yield context.report("personal_number_beside", wanted=place)
    for number, title in enumerate(context.book.titles, start=1):
        if personal_data(title):
            yield context.report("personal_sheet_name", sheet=title, wanted=number)
    for sheet, cell, kind in personal_data_in(context.book):
        if cell:
            yield context.report(PERSONAL_RULES[kind], sheet=sheet, cell=cell, value=HIDDEN)
    for title in context.book.titles:
        if title not in context.book.rows and normalised(title) not in context.sheet_names:
            yield context.report("unreadable", sheet=title)


def _not_told_by_cells(context: _Context, inspection: Inspection) -> Iterator[Finding]:
    """What the cells as read do not show: hidden sheets, errors and formulas that read as blank.

    Corrected cells are left out: they have a value now.
    """
    lists = normalised(context.instrument.sheet_name_of("lists"))
    for title in inspection.hidden:
        if normalised(title) == lists:
            continue
        is_read = normalised(title) in context.sheet_names
        yield context.report("hidden_sheet" if is_read else "hidden_sheet_unread", sheet=title)
    corrected = {(f.sheet, f.cell) for f in context.findings if f.rule_id == "corrected"}
    for title, cell, error in inspection.hollow:
        if _is_looked_at(context, title, cell) and (title, cell) not in corrected:
            rule = "excel_error" if error else "formula_without_value"
            yield context.report(rule, sheet=title, cell=cell, value=error)


def _is_looked_at(context: _Context, title: str, cell: str) -> bool:
    """Whether a cell is read: all of the layout's sheets, of the readme sheet columns A and B."""
    readme, lists = map(normalised, map(context.instrument.sheet_name_of, _OWN_ROLES))
    if normalised(title) == readme:
        return cell.rstrip(digits) in ("A", "B")
    return normalised(title) in context.sheet_names and normalised(title) != lists


def _correct(context: _Context, is_meant: Callable[[Correction], bool]) -> None:
    """Applies the corrections that are meant; a record by file may mend the readme sheet itself."""
    meant = filter(is_meant, context.instrument.corrections)
    context.findings.extend(corrections.apply(context.book, meant, context.report))


@lru_cache(4)
def _sheet_names(instrument: Instrument) -> frozenset[str]:
    layouts = (s for layout in instrument.layouts.values() for s in layout.values())
    names = {s.sheet_name for s in layouts} | {f.sheet_name for f in instrument.workbook_fields}
    return frozenset(map(normalised, names))


def _rows(context: _Context, title: str) -> list[list[Cell]]:
    if title not in context.book.rows:
        raise StopError(context.report("unreadable", sheet=title))
    return context.book.rows[title]


# --- the readme sheet ---------------------------------------------------------------------------


def _readme(context: _Context, associations: Mapping[str, object]) -> dict[str, str | None]:
    """What the readme sheet tells of round, layout_id and association_id; None where it is wrong.

    All that is wrong there becomes findings, so that one answer is enough to mend it.

    Raises:
        StopError: there is no such sheet.
    """
    instrument, folder_round = context.instrument, context.round
    title, given = _readme_values(context)
    keys = {f.field: f.name for f in instrument.fields_of("readme")}

    def value(of: str, rule: str, known: Container[str], wanted: object = "") -> str | None:
        cell, text = given.get(keys[of], ("", ""))
        if text in known:
            return text
        at = {"sheet": title, "cell": cell, "question": keys[of], "value": text}
        context.findings.append(context.report(rule, wanted=wanted, **at))
        return None

    years = [str(year) for year in instrument.rounds]
    standard = instrument.rounds[folder_round].layout_id
    return {
        "round": value("round", "round_unknown", years, folder_round)
        and value("round", "round_not_folder", [str(folder_round)], folder_round),
        "layout_id": (stated := value("layout_id", "layout_unknown", instrument.layouts, standard))
        and value(
            "layout_id",
            "layout_not_followed",
            followed := _followed(context, stated),
            ", ".join(followed),
        ),
        "association_id": value("association_id", "association_unknown", associations),
    }


def _followed(context: _Context, stated: str) -> Sequence[str]:
    """The layout that is stated, unless no sheet follows it and some follow others."""
    layouts = context.instrument.layouts
    if any(_fits(context, layout) for layout in layouts[stated].values()):
        return [stated]
    following = {
        layout_id: sum(_fits(context, layout) for layout in sheets.values())
        for layout_id, sheets in layouts.items()
    }
    most = max(following.values())
    return [layout_id for layout_id, n in following.items() if n == most] if most else [stated]


def _fits(context: _Context, layout: SheetLayout, title: str | None = None) -> bool:
    """Whether a sheet, by default the one of the layout's name, has the layout's header row."""
    title = title or context.titles.get(normalised(layout.sheet_name))
    header = _header(context.book.rows.get(title or "", []), layout)
    return _plan(header, layout, context.round, context.instrument) is not None


def _header(rows: Sequence[list[Cell]], layout: SheetLayout) -> tuple[Cell, ...]:
    return tuple(rows[layout.header_row - 1]) if len(rows) >= layout.header_row else ()


def _readme_values(context: _Context) -> tuple[str, Mapping[str, tuple[str, str]]]:
    """The readme sheet's title, and the cell and text of each known key by its name.

    Raises:
        StopError: there is no such sheet.
    """
    sheet = context.instrument.sheet_name_of("readme")
    title = context.titles.get(normalised(sheet))
    if title is None:
        raise StopError(context.report("readme_missing", wanted=sheet))
    names = {normalised(f.name): f.name for f in context.instrument.fields_of("readme")}
    given: dict[str, tuple[str, str]] = {}
    for number, row in enumerate(_rows(context, title), start=1):
        name = names.get(normalised(row[0]).rstrip(":"))
        if name and len(row) > 1:
            given.setdefault(name, (f"B{number}", plain_text(row[1])))
    return title, given


# --- the activities sheet and the questionnaire sheets ------------------------------------------


def _activities(context: _Context) -> Sheet | None:
    """The activities sheet, or None when there is none.

    Raises:
        StopError: it has no header row, or a column twice.
    """
    layout = _activities_layout(context.instrument)
    if normalised(layout.sheet_name) not in context.titles:
        context.findings.append(context.report("activities_missing", wanted=layout.sheet_name))
        return None
    sheet = _sheet(context, layout)
    if sheet is None or "insats_kod" not in sheet.plan.by_field:
        title = context.titles[normalised(layout.sheet_name)]
        raise StopError(context.report("header_missing", sheet=title, wanted=layout.header_row))
    context.findings.extend(problems_of(sheet))
    return sheet


def _questionnaires(context: _Context, layout_id: str) -> tuple[Sheet, ...]:
    """The questionnaire sheets that hold responses; what stops one does not hide the others."""
    layouts, sheets = context.instrument.layouts[layout_id].values(), []
    for layout in layouts:
        try:
            sheet = _sheet(context, layout)
        except StopError as stop:
            context.findings.append(stop.reason)
            continue
        if sheet is None:
            continue
        if sheet.rows:
            sheets.append(sheet)
        if sheet.rows or sheet.numbered or sheet.sums or sheet.besides:
            context.findings.extend(problems_of(sheet))
    names = {layout.sheet_name for layout in layouts}
    names |= {f.sheet_name for f in context.instrument.workbook_fields} | {RECEIPT_SHEET}
    used = {context.titles.get(normalised(name)) for name in names}
    absent = [layout for layout in layouts if normalised(layout.sheet_name) not in context.titles]
    unknown = [t for t in context.book.titles if t not in used and not personal_data(t)]
    for title in unknown:
        meant = next((layout for layout in absent if _fits(context, layout, title)), None)
        rule, wanted = ("sheet_misnamed", meant.sheet_name) if meant else ("sheet_unknown", "")
        context.findings.append(context.report(rule, sheet=title, wanted=wanted))
    return tuple(sheets)


def _sheet(context: _Context, layout: SheetLayout) -> Sheet | None:
    """The sheet a layout describes, or None when it is absent or blank.

    Raises:
        StopError: its header row is not where the layout says, or names a column twice.
    """
    title = context.titles.get(normalised(layout.sheet_name))
    if title is None:
        return None
    rows, report = _rows(context, title), partial(context.report, sheet=title)
    return sheet_of(title, rows, layout, context.round, context.instrument, report)


def sheet_of(
    title: str,
    rows: Sequence[list[Cell]],
    layout: SheetLayout,
    round_: int,
    instrument: Instrument,
    report: Report,
) -> Sheet | None:
    """What a sheet's rows hold under a layout, or None when they are blank.

    Raises:
        StopError: the header row is not where the layout says, or names a column twice.
    """
    plan = _plan(_header(rows, layout), layout, round_, instrument)
    if plan is None:
        if any(not blank(cell) for row in rows for cell in row):
            raise StopError(report("header_missing", wanted=layout.header_row))
        return None
    if plan.repeated:
        cell = address(layout.header_row, plan.repeated.position)
        raise StopError(report("column_repeated", cell=cell, question=plan.repeated.name))
    below = enumerate(islice(rows, layout.header_row, None), layout.header_row + 1)
    data = {number: row for number, row in below if plan.holds_data(row)}
    others = [n for n in range(layout.header_row + 1, len(rows) + 1) if n not in data]
    sums = [n for n in others if plan.is_sum(rows[n - 1])]
    others = [n for n in others if n not in sums]
    besides = [n for n in others if plan.answers_extra(rows[n - 1])]
    numbered = [n for n in others if n not in besides and plan.is_numbered(rows[n - 1])]
    return Sheet(title, plan, list(data), list(data.values()), report, numbered, sums, besides)


def problems_of(sheet: Sheet) -> Iterator[Finding]:
    """What is wrong with a sheet as a whole."""
    for problem in sheet.plan.problems:
        yield sheet.report(**problem)
    for i in sheet.plan.headless:
        rows = zip(sheet.numbers, sheet.rows, strict=True)
        number = next((n for n, row in rows if not blank(row[i])), None)
        if number:
            yield sheet.report("column_unknown", cell=address(number, i))
    left_out = {"rows_only_numbered": sheet.numbered, "row_of_sums": sheet.sums}
    for rule, numbers in {**left_out, "extra_answers_alone": sheet.besides}.items():
        if numbers:
            column = (
                sheet.plan.extra[0] if numbers is sheet.besides else sheet.plan.by_field["lopnr"]
            )
            cell = address(numbers[0], column.position)
            yield sheet.report(rule, cell=cell, question=column.name, wanted=listed(numbers))


def listed(numbers: Sequence[int]) -> str:
    """Rows in words: 3, 4, 5 and how many more."""
    shown, more = numbers[:_ROWS_LISTED], len(numbers) - _ROWS_LISTED
    return ", ".join(map(str, shown)) + (f" och {more} till" if more > 0 else "")


# --- what a header row means --------------------------------------------------------------------


@lru_cache(4)
def _activities_layout(instrument: Instrument) -> SheetLayout:
    """The activities sheet as a layout; the field of a handed-out column is its questionnaire."""
    columns = {f.name: f.questionnaire_id or f.field for f in instrument.fields_of("activities")}
    return SheetLayout("", "", instrument.sheet_name_of("activities"), 1, "", columns)


@lru_cache(256)
def _plan(
    header: tuple[Cell, ...], layout: SheetLayout, round_: int, instrument: Instrument
) -> Plan | None:
    """What the header row means, or None when it is not the layout's: too few columns are."""
    added = () if layout.questionnaire_id else _categories(header, instrument)
    fields = {**layout.columns, **dict(zip(added, added, strict=True))}
    extra = {n for n, field in layout.columns.items() if _is_extra(field, instrument)}
    positions, unknown, repeated = _match(header, fields, extra)
    columns = [Column(name, i, fields[name]) for name, i in positions.items()]
    kinds = {c: kind for c in columns if (kind := kind_of(c.field, round_, instrument))}
    core = {c: kind for c, kind in kinds.items() if c.name not in extra}
    questions = [
        f for n, f in layout.columns.items() if f in instrument.questions and n not in extra
    ]
    if not core or 2 * sum(c.field in instrument.questions for c in core) < len(questions):
        return None
    activity = next((c for c in kinds if c.field == "insats_kod" and layout.questionnaire_id), None)
    return Plan(
        questionnaire_id=layout.questionnaire_id,
        round=round_,
        by_field={c.field: c for c in kinds},
        alike=tuple((c, kind) for c, kind in kinds.items() if c is not activity),
        extra=tuple(c for c in kinds if c.name in extra),
        activity=activity,
        not_asked=tuple(c for c in kinds if _is_not_asked(c.field, layout, round_, instrument)),
        problems=(
            *(_unknown(layout, i, cell, instrument) for i, cell in unknown),
            *_not_as_asked(layout, positions, round_, instrument),
        ),
        repeated=Column(*repeated, "") if repeated else None,
        headless=tuple(i for i, cell in enumerate(header) if blank(cell)),
        holds_data=_data_test(layout, core, instrument),
        answers_extra=_extra_test(layout, kinds, extra),
        is_numbered=_number_test(layout, core),
        is_sum=_sum_test(core, instrument),
        instrument=instrument,
    )


def _unknown(layout: SheetLayout, i: int, cell: Cell, instrument: Instrument) -> dict[str, Any]:
    """An unknown column as a problem; one of the activities sheet may be meant as a category."""
    problem = {"cell": address(layout.header_row, i), "value": cell}
    if layout.questionnaire_id:
        return {"rule_id": "column_unknown", **problem}
    return {
        "rule_id": "activity_column_unknown",
        "wanted": f"{instrument.category_word}_",
        **problem,
    }


def _categories(header: Iterable[Cell], instrument: Instrument) -> list[str]:
    """The headers of comparable groups among those of the activities sheet, normalised."""
    return [name for name in map(normalised, header) if category_of(name, instrument)]


def category_of(header: str, instrument: Instrument) -> str:
    """The category a normalised header names, its word alone or what follows; '' when it is none.

    `kategori_målgrupp` is the category målgrupp, and `kategori` the category of that name.
    """
    word = normalised(instrument.category_word)
    first, _, rest = header.partition("_")
    if header == word:
        return word
    is_short = len(rest) <= thresholds()["category_most_letters"]
    is_named = first == word and rest != word and is_short and _CATEGORY.fullmatch(rest)
    return rest if is_named else ""


def _match(
    header: Sequence[Cell], names: Iterable[str], extra: Container[str]
) -> tuple[dict[str, int], list[tuple[int, Cell]], tuple[str, int] | None]:
    """Position of each known column, the unknown ones, and the first that stands twice.

    A project's own column may not stop a workbook: it is read where it stands first.
    """
    known = {normalised(name): name for name in names}
    positions: dict[str, int] = {}
    unknown, repeated = [], None
    for i, cell in enumerate(header):
        name = known.get(normalised(cell))
        if name in positions and name not in extra:
            repeated = repeated or (name, i)
        elif name is not None and name not in positions:
            positions[name] = i
        elif not blank(cell):
            unknown.append((i, cell))
    return positions, unknown, repeated


def kind_of(field: str, round_: int, instrument: Instrument) -> Kind | None:
    """How the cells of a column are understood; None for comments, which are not read."""
    if field in instrument.questions:
        scale = instrument.scales[instrument.questions[field].scale_id]
        return answer_kind(scale, frozenset(instrument.scales.values()))
    if field in instrument.questionnaires:
        return count_kind()
    if field in instrument.spellings:
        rule = "kon_unknown" if field == "kon" else "category_unknown"
        return spelling_kind(instrument.spellings[field], rule)
    if field == "svarsdatum":
        return date_kind(instrument.rounds[round_].opens)
    if category_of(field, instrument):
        return category_kind(thresholds()["category_most_letters"])
    return text_kind() if field in ("lopnr", "insats_kod", "insats_namn") else None


def _is_extra(field: str, instrument: Instrument) -> bool:
    question = instrument.questions.get(field)
    return question is not None and not question.is_core


def _is_not_asked(field: str, layout: SheetLayout, round_: int, instrument: Instrument) -> bool:
    """Whether a column is of a question that the round's questionnaire does not ask."""
    questionnaire = instrument.questionnaires.get(layout.questionnaire_id)
    question = instrument.questions.get(field)
    return bool(
        questionnaire and questionnaire.is_in(round_) and question and not question.is_in(round_)
    )


def _not_as_asked(
    layout: SheetLayout, present: Container[str], round_: int, instrument: Instrument
) -> Iterator[Mapping[str, Any]]:
    """Where a questionnaire sheet's columns differ from what the round asks."""
    for name, field in layout.columns.items():
        question = instrument.questions.get(field)
        needed = question.is_in(round_) if question else field in RESPONSE_FIELDS
        if needed and name not in present:
            rule = "column_missing" if question else "field_missing"
            rule = "extra_column_missing" if _is_extra(field, instrument) else rule
            yield {"rule_id": rule, "question": name, "wanted": name}
    questionnaire = instrument.questionnaires.get(layout.questionnaire_id)
    if questionnaire and not questionnaire.is_in(round_):
        yield {"rule_id": "questionnaire_not_in_round", "wanted": round_}


def _data_test(
    layout: SheetLayout, columns: Collection[Column], instrument: Instrument
) -> Callable[[list[Cell]], bool]:
    """Tells whether a row is data: more than a number, no row of labels and none of sums."""
    positions = {c.field: c.position for c in columns}
    leading = positions.get("lopnr", min(positions.values()))
    telling = [i for field, i in positions.items() if field != "lopnr"] or [leading]
    cells_of = itemgetter(telling[0], *telling)  # at least two, so that it gives a tuple
    is_label, is_sum = _label_test(layout, columns), _sum_test(columns, instrument)
    usual = positions.get("svarsdatum", telling[-1])

    def holds_data(row: list[Cell]) -> bool:
        # most have a number and a date; only texts, such as '', can be blank
        if type(row[leading]) is float and type(row[usual]) is not str:
            return True
        if all(map(blank, cells_of(row))):
            return False
        return type(row[leading]) is float or not (is_label(row) or is_sum(row))

    return holds_data


def _label_test(layout: SheetLayout, columns: Iterable[Column]) -> Callable[[list[Cell]], bool]:
    """Tells whether a row is that of the labels, by its first cell or the one of numbers."""
    position = next((c.position for c in columns if c.field == "lopnr"), 0)
    mark = normalised(layout.label_row_mark)

    def is_label(row: list[Cell]) -> bool:
        return bool(mark) and mark in (normalised(row[0]), normalised(row[position]))

    return is_label


def _extra_test(
    layout: SheetLayout, columns: Iterable[Column], extra: Container[str]
) -> Callable[[list[Cell]], bool]:
    """Tells whether a row that is no data has an answer in a project's own column."""
    positions = [c.position for c in columns if c.name in extra]
    is_label = _label_test(layout, columns)

    def answers_extra(row: list[Cell]) -> bool:
        return not all(blank(row[i]) for i in positions) and not is_label(row)

    return answers_extra


def _number_test(layout: SheetLayout, columns: Iterable[Column]) -> Callable[[list[Cell]], bool]:
    """Tells whether a row has a response's number; of rows that are no data, the prepared ones."""
    position = next((c.position for c in columns if c.field == "lopnr"), None)
    is_label = _label_test(layout, columns)

    def is_numbered(row: list[Cell]) -> bool:
        return position is not None and not blank(row[position]) and not is_label(row)

    return is_numbered


def _sum_test(columns: Iterable[Column], instrument: Instrument) -> Callable[[list[Cell]], bool]:
    """Tells whether a row begins with a word for sums, such as Summa."""
    position = next((c.position for c in columns if c.field == "lopnr"), None)
    words = {normalised(word) for word in instrument.spellings["summary_row"]}

    def is_sum(row: list[Cell]) -> bool:
        if position is None or type(row[position]) is not str:
            return False
        return normalised(row[position]).rstrip(":") in words

    return is_sum
