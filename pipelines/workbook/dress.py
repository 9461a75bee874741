"""What a template wears: dropdowns, colours, protection, hidden lists, and the count of faults.

Belongs here: what Excel itself does while somebody fills in a template. Does not: which sheets and
texts it has (template.py), how a sheet is written (write.py), what the reader accepts (cells.py,
structure.py, whose rules and sentences are used). A dropdown does not see what is pasted, so each
rule is a formula as well: one text that colours a cell, and counts when it is about a column.

Everything that sheets refer to across sheets has a name, since lists in a dropdown end at 255
characters and old versions of Excel take only names there. Conditional formulas are kept under
255 characters for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from datetime import date
from typing import Any

from xlsxwriter.utility import quote_sheetname, xl_col_to_name, xl_range, xl_range_abs

from pipelines.findings import rules, thresholds
from pipelines.instrument import Instrument, Question, SheetLayout
from pipelines.workbook.structure import RESPONSE_FIELDS, kind_of
from pipelines.workbook.write import (
    ACTIVITY_WIDTHS,
    CATEGORY_WIDTH,
    HANDED_OUT_WIDTH,
    NOTES,
    WIDTHS,
    Cell,
    category_header,
)

PREPARED_ROWS = 500
"""So many rows of a sheet are ready to be filled in."""

ACTIVITY_CODES = "koder_insatser"
"""The name of the activities' codes as the reader compares them."""

_PRIVACY = NOTES[1]
_GROUP = "Skriv samma ord för insatser som ska jämföras med varandra, inga namn på personer."
_REFUSED = "Känns inte igen"
_NO_ACTIVITY = "Lämna tomt: enkäten gäller ingen enskild insats."
_OF_ONE = "Bara för insatsen {}."
_HEADING = "Här räknar mallen. Inget behöver fyllas i eller ändras."
_LAST_DAY = 2958465  # of Excel's calendar: 9999-12-31
_TITLE_MOST, _MESSAGE_MOST = 32, 255  # Excel's limits
_UNLOCKED = ("left", "text", "date")
_ALLOWED = ("sort", "autofilter", "format_columns", "format_rows")
_WIDTH_QUESTION = 22

Rule = Callable[["Where"], str]
"""Makes a formula that is 1 where something is so: for one row, or for each of all rows."""


@dataclass(frozen=True, slots=True)
class Where:
    """The cells a formula is about: the first prepared row, or the columns in all of them.

    Attributes:
        columns: position of each field.
        started: 1 where something is filled in on the row.
        cell: makes a reference of a column's letters.
    """

    columns: Mapping[str, int]
    started: str
    cell: str

    def __call__(self, name: str) -> str:
        """The reference to a field's cell or cells."""
        return self.cell.format(column=xl_col_to_name(self.columns[name]))


@dataclass(frozen=True, slots=True)
class Entry:
    """A column that is filled in.

    Attributes:
        validation: what Excel checks and says while somebody types.
        wrong: where the reader would not accept the cell.
        missing: where a cell is wanted and empty.
        lists: the lists that these refer to, by name.
        style: the column's format.
        starts: whether a row counts as filled in with this cell alone.
        width: the column's, in characters.
    """

    name: str
    field: str
    validation: Mapping[str, Any] = default(default_factory=dict)
    wrong: Rule | None = None
    missing: Rule | None = None
    lists: Mapping[str, Sequence[Cell]] = default(default_factory=dict)
    style: str = "left"
    starts: bool = True
    width: float = _WIDTH_QUESTION


@dataclass(frozen=True, slots=True)
class Dressed:
    """A sheet's columns and where its prepared rows begin, counted from 1 as Excel does."""

    key: str
    title: str
    entries: tuple[Entry, ...]
    first: int

    @property
    def last(self) -> int:
        """The last prepared row."""
        return self.first + PREPARED_ROWS - 1

    @property
    def columns(self) -> dict[str, int]:
        """Position of each field."""
        return {entry.field: i for i, entry in enumerate(self.entries)}

    @property
    def started(self) -> str:
        """The name of the rows in which something is filled in."""
        return f"rader_{self.key}"

    @property
    def on_a_row(self) -> Where:
        """For conditional formats, which move along with the row."""
        started = f"INDEX({self.started},ROWS($A${self.first}:$A{self.first}))"
        return Where(self.columns, started, f"${{column}}{self.first}")

    @property
    def on_all_rows(self) -> Where:
        """For counts; the lists' sheet looks at them from outside."""
        sheet = quote_sheetname(self.title)
        cells = f"{sheet}!${{column}}${self.first}:${{column}}${self.last}"
        return Where(self.columns, self.started, cells)


@dataclass(frozen=True, slots=True)
class Count:
    """Where the lists' sheet counts a sheet: references for the readme sheet's table."""

    title: str
    filled: str
    wrong: str
    missing: str


# --- formulas -----------------------------------------------------------------------------------


def _text(cell: str) -> str:
    """A cell as its spelling is compared: blanks that do not show are none."""
    return f'TRIM(CLEAN(SUBSTITUTE(SUBSTITUTE({cell},"\u00a0"," "),CHAR(10)," ")))'


def _sought(cell: str) -> str:
    """The same as something to look for, in which the signs ~ * ? mean themselves."""
    return f'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({_text(cell)},"~","~~"),"*","~*"),"?","~?")'


def _not_among(cell: str, name: str) -> str:
    """Where a cell is none of a list, which ends with an empty cell as a cell may be empty."""
    return f'ISERROR(MATCH({_sought(cell)},{name}&"",0))'


def _empty(cell: str) -> str:
    return f'(LEN(IFERROR({_text(cell)},"#"))=0)'


def _no_day(cell: str) -> str:
    """Where a cell is neither a date nor a text ÅÅÅÅ-MM-DD."""
    text = f'TRIM(SUBSTITUTE({cell},"\u00a0"," "))'
    number = f"({cell}>=1)*({cell}<={_LAST_DAY})"
    written = f'(LEN({text})=10)*(MID({text},5,1)="-")*(DATEVALUE({text})>0)'
    return f"(IFERROR(LEN({text}),1)>0)*(1-IFERROR(IF(ISNUMBER({cell}),{number},{written}),0))"


def _no_count(cell: str) -> str:
    """Where a cell is no whole number from zero."""
    text = f'TRIM(SUBSTITUTE({cell},"\u00a0"," "))'
    whole = f'(ABS(INT({text}))&""={text})*(LEN({text})<10)'
    return f"(IFERROR(LEN({text}),1)>0)*(1-IFERROR({whole},0))"


def _repeated(cell: str, first: int) -> str:
    """Where an activity's code stands on an earlier row as well."""
    place = f"ROW({cell})-{first - 1}"
    return f'IFERROR(MATCH({_sought(cell)},{ACTIVITY_CODES},0)<{place},FALSE)*({cell}<>"")'


# --- the columns of a questionnaire's sheet -----------------------------------------------------


def questionnaire_sheet(layout: SheetLayout, round_: int, instrument: Instrument) -> Dressed:
    """The columns of a questionnaire in a round: without questions that are not asked then."""
    entries = []
    for name, of in layout.columns.items():
        question = instrument.questions.get(of)
        if question is None:
            entries.append(_field_entry(name, of, layout.questionnaire_id, round_, instrument))
        elif question.is_in(round_):
            entries.append(_question_entry(name, question, instrument, round_))
    first = layout.header_row + 2
    return Dressed(layout.questionnaire_id, layout.sheet_name, tuple(entries), first)


def _question_entry(name: str, question: Question, instrument: Instrument, round_: int) -> Entry:
    kind = kind_of(question.question_id, round_, instrument)
    wanted = kind.wanted if kind else ""
    scale = instrument.scales[question.scale_id]
    both = [f"{c.code} {c.label_sv}" for c in scale]
    lists: dict[str, Sequence[Cell]] = {
        question.scale_id: [*both, *(c.code for c in scale), *(c.label_sv for c in scale)]
    }
    base = instrument.questions.get(question.base_question_id or "")
    if base:
        codes = [c for c in instrument.scales[base.scale_id] if c.is_answer]
        yes = [c for c in codes if c.code >= base.positive_min_code]
        lists[f"ja_{base.question_id}"] = [
            text for c in yes for text in (c.code, c.label_sv, f"{c.code} {c.label_sv}")
        ]
    hint = f"{question.label_sv}\n{wanted}"
    if question.insats_kod:
        hint = f"{_OF_ONE.format(question.insats_kod)} {hint}"
    return Entry(
        name,
        question.question_id,
        _list_of(question.scale_id, name, hint, kind.rule, wanted) if kind else {},
        wrong=lambda w: _not_among(w(question.question_id), _accepted(question.scale_id)),
        missing=_missing_of_one(question.question_id, question.insats_kod)
        if question.insats_kod
        else _missing(question.question_id, base.question_id if base else None),
        lists=lists,
    )


def _missing(of: str, base: str | None = None) -> Rule:
    """Where a cell of a started row is empty; of a follow-up, where the base's answer is a yes."""
    if base is None:
        return lambda w: f"{_empty(w(of))}*{w.started}"
    return lambda w: f'(LEN({_text(w(of))})=0)*({_list(f"ja_{base}")}&""={_text(w(base))})'


def _missing_of_one(of: str, activity: str) -> Rule:
    """Where a cell of a row of one activity is empty."""
    code = activity.replace('"', '""')
    return lambda w: f'{_empty(w(of))}*({_text(w("insats_kod"))}="{code}")'


def _field_entry(
    name: str, of: str, questionnaire_id: str, round_: int, instrument: Instrument
) -> Entry:
    """The column of a response's number, activity, gender, day or comment."""
    questionnaire = instrument.questionnaires[questionnaire_id]
    match of:
        case "lopnr":
            told = _told(name, rules()["lopnr_missing"].remedy_sv)
            missing = _missing(of)
            return Entry(name, of, told, missing=missing, starts=False, width=WIDTHS[of])
        case "insats_kod":
            return _activity_entry(name, has_activity=questionnaire.has_activity, of=instrument)
        case "kon":
            asked = questionnaire.respondent_group in thresholds()["gender_asked_of"]
            return _spelled_entry(name, of, round_, instrument, is_wanted=asked)
        case "svarsdatum":
            days = instrument.rounds[round_].period(all_year=questionnaire.all_year)
            return _day_entry(name, days)
    told = _told(name, _PRIVACY)
    return Entry(name, of, told, style="text", starts=of in RESPONSE_FIELDS, width=WIDTHS[of])


def _activity_entry(name: str, *, has_activity: bool, of: Instrument) -> Entry:
    sheet = of.sheet_name_of("activities")
    hint = f"Välj insatsens kod. Koderna står på bladet {sheet}." if has_activity else _NO_ACTIVITY
    validation = _list_of("insatser", name, hint, "activity_unknown", sheet)
    return Entry(
        name,
        "insats_kod",
        {**validation, "ignore_blank": False},  # Excel takes anything where a list has blanks
        wrong=lambda w: _not_among(w("insats_kod"), ACTIVITY_CODES),
        missing=_missing("insats_kod") if has_activity else None,
        style="text",
        width=WIDTHS["insats_kod"],
    )


def _spelled_entry(
    name: str, of: str, round_: int, instrument: Instrument, *, is_wanted: bool = False
) -> Entry:
    kind = kind_of(of, round_, instrument)
    rule, wanted = (kind.rule, kind.wanted) if kind else ("", "")
    return Entry(
        name,
        of,
        _list_of(of, name, rules()[rule].remedy_sv.format(wanted=wanted), rule, wanted),
        wrong=lambda w: _not_among(w(of), _accepted(of)),
        missing=_missing(of) if is_wanted else None,
        width={**WIDTHS, **ACTIVITY_WIDTHS}[of],
        lists={of: list(instrument.spellings[of])},
    )


def _day_entry(name: str, days: tuple[date, date]) -> Entry:
    first, last = days
    remedy = rules()["date_unknown"].remedy_sv.format(wanted=first)
    hint = f"{remedy} Enkätens tid är {first} till {last}."
    between = {"validate": "date", "criteria": "between", "minimum": first, "maximum": last}
    return Entry(
        name,
        "svarsdatum",
        {**_told(name, hint), **between, **_refusing(hint)},
        wrong=lambda w: _no_day(w("svarsdatum")),
        missing=_missing("svarsdatum"),
        style="date",
        width=WIDTHS["svarsdatum"],
    )


# --- the columns of the activities sheet --------------------------------------------------------


def activities_sheet(
    round_: int, instrument: Instrument, categories: Iterable[str] = ()
) -> Dressed:
    """The columns of the activities sheet, the association's own categories last."""
    first, entries = 2, []
    for described in instrument.fields_of("activities"):
        name, of = described.name, described.field
        if described.questionnaire_id:
            entries.append(_count_entry(name, described.questionnaire_id))
        elif of == "insats_kod":
            entries.append(_code_entry(name, first))
        elif of in instrument.spellings:
            entries.append(_spelled_entry(name, of, round_, instrument))
        else:
            width = ACTIVITY_WIDTHS[of]
            entries.append(Entry(name, of, _told(name, _PRIVACY), style="text", width=width))
    entries += [_category_entry(category_header(c, instrument)) for c in categories]
    title = instrument.sheet_name_of("activities")
    return Dressed("insatser", title, tuple(entries), first)


def _code_entry(name: str, first: int) -> Entry:
    hint = " ".join(rules()[r].remedy_sv for r in ("activity_code_missing", "activity_repeated"))
    return Entry(
        name,
        "insats_kod",
        _told(name, hint),
        wrong=lambda w: _repeated(w("insats_kod"), first),
        missing=_missing("insats_kod"),
        style="text",
        width=ACTIVITY_WIDTHS["insats_kod"],
    )


def _count_entry(name: str, questionnaire_id: str) -> Entry:
    remedy = rules()["count_unknown"].remedy_sv
    whole = {"validate": "integer", "criteria": ">=", "value": 0}
    return Entry(
        name,
        questionnaire_id,
        {**_told(name, remedy), **whole, **_refusing(remedy)},
        wrong=lambda w: _no_count(w(questionnaire_id)),
        width=HANDED_OUT_WIDTH,
    )


def _category_entry(name: str) -> Entry:
    most = thresholds()["category_most_letters"]
    remedy = rules()["category_too_long"].remedy_sv
    short = {"validate": "length", "criteria": "<=", "value": most}
    return Entry(
        name,
        name,
        {**_told(name, _GROUP), **short, **_refusing(remedy)},
        wrong=lambda w: f"(IFERROR(LEN({_text(w(name))}),0)>{most})",
        style="text",
        width=CATEGORY_WIDTH,
    )


# --- what Excel says ----------------------------------------------------------------------------


def _told(name: str, message: str) -> dict[str, Any]:
    """A hint beside the cell, and no check."""
    texts = {"input_title": _within(name, _TITLE_MOST)}
    return {"validate": "any", **texts, "input_message": _within(message, _MESSAGE_MOST)}


def _refusing(message: str) -> dict[str, Any]:
    return {"error_title": _REFUSED, "error_message": _within(message, _MESSAGE_MOST)}


def _list_of(name: str, title: str, hint: str, rule: str, wanted: str) -> dict[str, Any]:
    """A dropdown of a list; what it refuses is told with the sentence of the check."""
    remedy = rules()[rule].remedy_sv.format(wanted=wanted)
    return {
        **_told(title, hint),
        "validate": "list",
        "source": f"={_list(name)}",
        **_refusing(remedy),
    }


def _within(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _list(name: str) -> str:
    return f"lista_{name}"


def _accepted(name: str) -> str:
    return f"godkanda_{name}"


# --- putting it on ------------------------------------------------------------------------------


def make_styles(book: Any) -> dict[str, Any]:
    """The formats that only templates have: open cells by column style, and the two colours."""
    plain = {
        "left": {"align": "left"},
        "text": {"num_format": "@"},
        "date": {"num_format": "yyyy-mm-dd", "align": "left"},
    }
    styles = {name: book.add_format({**plain[name], "locked": False}) for name in _UNLOCKED}
    styles["wrong"] = book.add_format(
        {"bg_color": "#F4B0A8", "font_color": "#7A0C00", "bold": True}
    )
    styles["missing"] = book.add_format({"bg_color": "#FFEB9C"})
    return styles


def dress(page: Any, styles: Mapping[str, Any], sheet: Dressed, *, labelled: bool) -> None:
    """Opens the columns for entry, checks them, colours what is wrong, and protects the rest."""
    top, bottom = sheet.first - 1, sheet.last - 1
    for column, entry in enumerate(sheet.entries):
        page.set_column(column, column, entry.width, styles[entry.style])
        page.data_validation(top, column, bottom, column, dict(entry.validation))
        for style, rule in (("wrong", entry.wrong), ("missing", entry.missing)):
            if rule:
                formula = f"=SUMPRODUCT(--({rule(sheet.on_a_row)}))>0"
                look = {"type": "formula", "criteria": formula, "format": styles[style]}
                page.conditional_format(top, column, bottom, column, look)
    if labelled:
        page.autofilter(top - 1, 0, bottom, len(sheet.entries) - 1)
    page.ignore_errors({"number_stored_as_text": xl_range(top, 0, bottom, 1)})
    page.protect("", dict.fromkeys(_ALLOWED, True))


# --- the lists' sheet ---------------------------------------------------------------------------


def write_lists(
    book: Any, title: str, sheets: Sequence[Dressed], codes: Sequence[str]
) -> list[Count]:
    """The hidden sheet: the lists by name, and the counts of each column and row.

    Args:
        book: the workbook; this sheet is its last.
        title: the sheet's name.
        sheets: the activities sheet and then the questionnaires'.
        codes: the activities' codes as they stand, the values of formulas until they are counted.
    """
    page = book.add_worksheet(title)
    page.write_string(0, 0, _HEADING)
    row = _write_named_lists(book, page, title, sheets)
    counts = _write_counts(page, title, row, sheets)
    _write_rows(book, page, title, row, sheets, len(codes))
    _write_codes(book, page, title, row, sheets[0], codes)
    page.hide()
    page.protect()
    return counts


def _write_named_lists(book: Any, page: Any, title: str, sheets: Iterable[Dressed]) -> int:
    """A list a row: what the dropdown offers, then the empty cell that is accepted as well."""
    lists = {n: items for s in sheets for e in s.entries for n, items in e.lists.items()}
    row = 3
    for name, items in lists.items():
        page.write_string(row, 0, name)
        for column, item in enumerate(items, start=1):
            (page.write_string if isinstance(item, str) else page.write_number)(row, column, item)
        _name(book, title, _list(name), row, 1, row, len(items))
        _name(book, title, _accepted(name), row, 1, row, len(items) + 1)
        row += 1
    return row + 1


def _write_counts(page: Any, title: str, row: int, sheets: Iterable[Dressed]) -> list[Count]:
    """A row per column: its wrong cells and its missing ones."""
    for column, head in enumerate(("Blad", "Kolumn", "Fel", "Saknas")):
        page.write_string(row, column, head)
    counts = []
    for sheet in sheets:
        start = row + 1
        for entry in sheet.entries:
            row += 1
            page.write_string(row, 0, sheet.title)
            page.write_string(row, 1, entry.name)
            for column, rule in ((2, entry.wrong), (3, entry.missing)):
                if rule:
                    formula = f"=SUM(--({rule(sheet.on_all_rows)}))"
                    page.write_array_formula(row, column, row, column, f"{{{formula}}}", None, 0)
        cells = [f"{quote_sheetname(title)}!{xl_range_abs(start, c, row, c)}" for c in (2, 3)]
        counts.append(Count(sheet.title, sheet.started, *cells))
    return counts


def _write_rows(
    book: Any, page: Any, title: str, row: int, sheets: Sequence[Dressed], n_activities: int
) -> None:
    """A column per sheet: 1 for each of its rows in which something is filled in."""
    for column, sheet in enumerate(sheets, start=6):
        last = xl_col_to_name(len(sheet.entries) - 1)
        cells = f"{quote_sheetname(sheet.title)}!$A${sheet.first}:${last}${sheet.last}"
        starts = ";".join(str(int(entry.starts)) for entry in sheet.entries)
        filled = f"--NOT{_empty(cells)}"
        formula = f"{{=--(MMULT({filled},{{{starts}}})>0)}}"
        end = row + PREPARED_ROWS
        page.write_string(row, column, sheet.title)
        n_filled = n_activities if sheet is sheets[0] else 0
        page.write_array_formula(row + 1, column, end, column, formula, None, min(n_filled, 1))
        for number in range(row + 2, row + 1 + n_filled):
            page.write_number(number, column, 1)
        _name(book, title, sheet.started, row + 1, column, end, column)


def _write_codes(
    book: Any, page: Any, title: str, row: int, activities: Dressed, codes: Sequence[str]
) -> None:
    """The activities' codes as they are compared, and one empty cell; the dropdown ends earlier."""
    column, end = 5, row + PREPARED_ROWS + 1
    letter = xl_col_to_name(activities.columns["insats_kod"])
    sheet, first, last = quote_sheetname(activities.title), activities.first, activities.last
    cells = f"{sheet}!${letter}${first}:${letter}${last + 1}"
    page.write_string(row, column, ACTIVITY_CODES)
    formula = f'{{=IFERROR({_text(cells)},"#")}}'
    known = [*codes, *[""] * (PREPARED_ROWS + 1 - len(codes))]
    page.write_array_formula(row + 1, column, end, column, formula, None, known[0])
    for number, code in enumerate(known[1:], start=row + 2):
        page.write_string(number, column, code)
    _name(book, title, ACTIVITY_CODES, row + 1, column, end, column)
    page.write_string(1, 0, "insatser")
    used = f'{{=MAX(1,({ACTIVITY_CODES}<>"")*(ROW({ACTIVITY_CODES})-{row + 1}))}}'
    page.write_array_formula(1, 1, 1, 1, used, None, max(1, len(codes)))
    start = f"{sheet}!${letter}${first}"
    area = f"{start}:${letter}${last}"
    count = f"{quote_sheetname(title)}!$B$2"
    book.define_name(_list("insatser"), f"={start}:INDEX({area},{count})")


def _name(book: Any, title: str, name: str, *area: int) -> None:
    book.define_name(name, f"={quote_sheetname(title)}!{xl_range_abs(*area)}")
