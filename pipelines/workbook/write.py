"""Writes one registration workbook in any layout of the seeds.

Belongs here: sheets, rows, formats. Does not: what is in them; a workbook of invented answers
(sample.py) and a template (template.py) are made of the same sheets with other rows. What only a
template wears, such as dropdowns and colours, is dress.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import xlsxwriter

from pipelines.instrument import Instrument, SheetLayout

SYNTHETIC_NOTE = "Uppgifterna i den här filen är påhittade (syntetiska)."
CREATED = datetime(2017, 1, 1)  # fixed: the same content gives the same bytes
TITLE = "Indikatorer för finansiell samordning"
NOTES = (
    "Fyll i en rad per enkät på enkätens eget blad. Tomt betyder inget svar.",
    "Skriv inga namn och inga personnummer, inte heller i kommentarer.",
    "På bladet {activities} står insatserna och antalet utdelade enkäter; tomt betyder okänt.",
)
FIELD_LABELS = {
    "insats_kod": "Insatsens kod",
    "kon": "Kön",
    "svarsdatum": "Svarsdatum",
    "kommentar": "Kommentar",
}
WIDTHS = {"lopnr": 12, "insats_kod": 12, "kon": 9, "svarsdatum": 12, "kommentar": 45}
_QUESTION_WIDTH = 19
ACTIVITY_WIDTHS = {"insats_kod": 12, "insats_namn": 34, "inriktning": 12, "langd": 9}
HANDED_OUT_WIDTH = 29
CATEGORY_WIDTH = 20
_LABEL_HEIGHT = 48  # points: three lines of a question's label


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell with a formula and the value Excel would have stored beside it."""

    text: str
    value: str | float


Cell = str | int | float | date | Formula | None


@dataclass(frozen=True, slots=True)
class Activity:
    """One row of the activities sheet.

    Attributes:
        handed_out: questionnaire_id → count, None unknown.
        categories: category → the comparable group the activity is in.
    """

    insats_kod: str
    insats_namn: str
    inriktning: str = ""
    langd: str = ""
    handed_out: Mapping[str, int | None] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Respondent:
    """One returned questionnaire; `answers` maps question_id → the cell as registered."""

    lopnr: Cell
    insats_kod: Cell = None
    kon: Cell = None
    svarsdatum: Cell = None
    kommentar: Cell = None
    answers: Mapping[str, Cell] = field(default_factory=dict)

    def cells(self, fields: Iterable[str]) -> list[Cell]:
        """The respondent's row under the given fields; fields it knows nothing of are None."""
        own = {
            "lopnr": self.lopnr,
            "insats_kod": self.insats_kod,
            "kon": self.kon,
            "svarsdatum": self.svarsdatum,
            "kommentar": self.kommentar,
        }
        return [own[f] if f in own else self.answers.get(f) for f in fields]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One questionnaire's sheet."""

    layout: SheetLayout
    respondents: tuple[Respondent, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one workbook says: its readme keys, its activities and its answers."""

    round: int
    layout_id: str
    association_id: str
    activities: tuple[Activity, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    notes: tuple[str, ...] = ()


def open_workbook(target: Path | BytesIO) -> Any:
    """A new workbook, a context; in it no text becomes a formula, a link or a number."""
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    return xlsxwriter.Workbook(target if isinstance(target, BytesIO) else str(target), options)


def write_workbook(path: Path, delivery: Delivery, instrument: Instrument) -> None:
    """Writes the delivery as one .xlsx; the same delivery gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    with open_workbook(path) as book:
        book.set_properties({"title": TITLE, "created": CREATED})
        formats = make_formats(book)
        page, row = write_readme(book, formats, delivery, instrument)
        write_notes(page, row + 1, (*NOTES, *delivery.notes), instrument)
        write_activities(book, formats, delivery.activities, instrument)
        for sheet in delivery.sheets:
            write_sheet(book, formats, sheet, instrument)


def make_formats(book: Any) -> dict[str, Any]:
    """The formats of all workbooks, by name."""
    return {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "bold": book.add_format({"bold": True, "bottom": 1, "bg_color": "#DDEBF7"}),
        "label": book.add_format({"text_wrap": True, "valign": "top", "font_color": "#44546A"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        "text": book.add_format({"num_format": "@"}),
        "left": book.add_format({"align": "left"}),
    }


def write_readme(
    book: Any,
    formats: Mapping[str, Any],
    delivery: Delivery,
    instrument: Instrument,
    facts: Mapping[str, Cell] = MappingProxyType({}),
) -> tuple[Any, int]:
    """The readme sheet with its keys and other facts, and the first row (from 0) that is free."""
    page = book.add_worksheet(instrument.sheet_name_of("readme"))
    page.set_column(0, 0, 16)
    page.set_column(1, 1, 40, formats["left"])
    page.fit_to_pages(1, 1)
    page.ignore_errors({"number_stored_as_text": "B1:B20"})
    page.write_string(0, 0, TITLE, formats["title"])
    keys = {f.name: getattr(delivery, f.field) for f in instrument.fields_of("readme")}
    row = 2
    for name, value in {**keys, **facts}.items():
        page.write_string(row, 0, name, formats["bold"])
        _write_cell(page, row, 1, value, formats["date"])
        row += 1
    return page, row


def write_notes(page: Any, row: int, notes: Iterable[str], instrument: Instrument) -> int:
    """Writes the notes one below the other; gives the first row that is free."""
    activities = instrument.sheet_name_of("activities")
    for note in notes:
        page.write_string(row, 0, note.format(activities=activities))
        row += 1
    return row


def write_activities(
    book: Any,
    formats: Mapping[str, Any],
    activities: Sequence[Activity],
    instrument: Instrument,
) -> Any:
    """The activities sheet, a row per activity; last a column per category that any of them has."""
    page = book.add_worksheet(instrument.sheet_name_of("activities"))
    columns = instrument.fields_of("activities")
    for column, described in enumerate(columns):
        width = ACTIVITY_WIDTHS.get(described.field, HANDED_OUT_WIDTH)
        page.set_column(column, column, width, formats["left"])
        page.write_string(0, column, described.name, formats["bold"])
    _keep_in_sight(page, 1)
    for row, activity in enumerate(activities, start=1):
        for column, described in enumerate(columns):
            questionnaire_id = described.questionnaire_id
            value = (
                activity.handed_out.get(questionnaire_id)
                if questionnaire_id
                else getattr(activity, described.field)
            )
            _write_cell(page, row, column, value, formats["date"])
    for column, category in enumerate(categories_of(activities), start=len(columns)):
        page.set_column(column, column, CATEGORY_WIDTH, formats["left"])
        page.write_string(0, column, category_header(category, instrument), formats["bold"])
        for row, activity in enumerate(activities, start=1):
            _write_cell(page, row, column, activity.categories.get(category), formats["date"])
    return page


def categories_of(activities: Iterable[Activity]) -> list[str]:
    """The categories of some activities, in the order they are met."""
    return list(dict.fromkeys(c for activity in activities for c in activity.categories))


def category_header(category: str, instrument: Instrument) -> str:
    """The header of a category's column, which the reader knows by its first word."""
    word = instrument.category_word
    return word if category == word else f"{word}_{category}"


def write_sheet(book: Any, formats: Mapping[str, Any], sheet: Sheet, instrument: Instrument) -> Any:
    """A questionnaire's sheet: header, labels, a row per respondent."""
    layout = sheet.layout
    page = book.add_worksheet(layout.sheet_name)
    if sheet.hidden:
        page.hide()
    _dress_sheet(page, formats, layout)
    if layout.header_row > 1:
        page.write_string(0, 0, f"{TITLE}: {layout.sheet_name}", formats["title"])
    header = layout.header_row - 1
    labels = {"lopnr": layout.label_row_mark, **FIELD_LABELS}
    for column, (name, described) in enumerate(layout.columns.items()):
        question = instrument.questions.get(described)
        label = labels.get(described, question.label_sv if question else "")
        page.write_string(header, column, name, formats["bold"])
        page.write_string(header + 1, column, label, formats["label"])
    for row, respondent in enumerate(sheet.respondents, start=header + 2):
        for column, value in enumerate(respondent.cells(layout.columns.values())):
            _write_cell(page, row, column, value, formats["date"])
    return page


def _dress_sheet(page: Any, formats: Mapping[str, Any], layout: SheetLayout) -> None:
    column_formats = {
        "svarsdatum": formats["date"],
        "insats_kod": formats["text"],
        "kommentar": formats["text"],
    }
    for column, described in enumerate(layout.columns.values()):
        width = WIDTHS.get(described, _QUESTION_WIDTH)
        page.set_column(column, column, width, column_formats.get(described, formats["left"]))
    page.set_row(layout.header_row, _LABEL_HEIGHT)
    _keep_in_sight(page, layout.header_row + 1)


def _keep_in_sight(page: Any, head_rows: int) -> None:
    """The head and the first column stay, on the screen and on paper (A4, one page wide)."""
    page.freeze_panes(head_rows, 1)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0, head_rows - 1)


def _write_cell(page: Any, row: int, column: int, value: Cell, date_format: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, Formula):
        page.write_formula(row, column, value.text, None, value.value)
    elif isinstance(value, date):
        page.write_datetime(row, column, value, date_format)
    elif isinstance(value, str):
        page.write_string(row, column, value)
    else:
        page.write_number(row, column, value)
