"""The open tables as one Excel workbook for people: what it is, what the columns mean, the tables.

Belongs here: the sheets and how they look. Does not: the registration workbook, which associations
fill in (pipelines/workbook/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.release.table import SYNTHETIC_EN, SYNTHETIC_SV, Content, Kind, Table, Value
from pipelines.workbook.write import CREATED, TITLE, open_workbook

README, METADATA = "Läs mig", "Metadata"
_TITLE_EN = "Indicators for financial coordination"
_KINDS: Mapping[Kind, str] = {
    "text": "text",
    "integer": "heltal / integer",
    "decimal": "decimaltal / decimal",
    "ratio": "kvot / ratio",
    "boolean": "sant eller falskt / true or false",
    "date": "datum / date",
}
_NARROW, _WIDE, _ARROW = 8, 48, 4
"""Widths of columns in characters: the least, the greatest, and what the filter's arrow takes."""


def write(content: Content, folder: Path) -> None:
    """Writes `open/nns_indikatorer_<round>.xlsx` under the release's folder.

    No text becomes a formula, a link or a number, also when somebody edits its cell. A figure that
    is not shown is an empty cell with the status beside it.

    Raises:
        OSError: the file cannot be written.
        ValueError: Excel has no room for a value or a row.
    """
    path = folder / "open" / f"nns_indikatorer_{content.round}.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_workbook(path) as book:
        note = SYNTHETIC_SV if content.is_synthetic else ""
        book.set_properties(
            {"title": f"{TITLE} {content.round}", "comments": note, "created": CREATED}
        )
        formats = _formats(book)
        _write_readme(book.add_worksheet(README), formats, content)
        _write_metadata(book.add_worksheet(METADATA), formats, content)
        for table in content.tables.values():
            _write_table(book.add_worksheet(table.name), formats, table, note)


def _formats(book: Any) -> dict[str, Any]:
    """The formats by name; of cells in a table by their kind."""
    head = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#12508C", "indent": 1}
    top = {"valign": "top", "indent": 1}
    warning = {"bold": True, "font_size": 16, "font_color": "#B4460F", "valign": "vcenter"}
    return {
        "title": book.add_format({"bold": True, "font_size": 18, "font_color": "#12508C"}),
        "subtitle": book.add_format({"font_size": 12, "font_color": "#555555"}),
        "warning": book.add_format(warning),
        "section": book.add_format({"bold": True, "font_size": 12, "font_color": "#12508C"}),
        "label": book.add_format({"bold": True, "valign": "top"}),
        "wrapped": book.add_format({**top, "text_wrap": True, "num_format": "@"}),
        "link": book.add_format({**top, "font_color": "#12508C", "underline": 1}),
        "count": book.add_format({"num_format": "#,##0", "valign": "top"}),
        "head": book.add_format(head),
        "number_head": book.add_format({**head, "align": "right", "indent": 2}),
        "text": book.add_format({"num_format": "@", "indent": 1}),
        "integer": book.add_format({"num_format": "0"}),
        "decimal": book.add_format({"num_format": "0.0"}),
        "ratio": book.add_format({"num_format": "0.00"}),
        # Excel shows a truth value in its own language; LibreOffice shows what the format says
        "boolean": book.add_format({"align": "center", "num_format": '"SANT";"SANT";"FALSKT"'}),
        "date": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
    }


# --- what it is ---------------------------------------------------------------------------------


def _write_readme(page: Any, formats: Mapping[str, Any], content: Content) -> None:
    for column, width in enumerate((30, 62, 62, 10)):
        page.set_column(column, column, width)
    page.hide_gridlines(2)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.write_string(0, 0, f"{TITLE} {content.round}", formats["title"])
    page.write_string(1, 0, f"{_TITLE_EN} {content.round}", formats["subtitle"])
    row = 3
    if content.is_synthetic:
        for note in (SYNTHETIC_SV, SYNTHETIC_EN):
            page.set_row(row, 24)
            page.write_string(row, 0, note, formats["warning"])
            row += 1
        row += 1
    for label, fact in _facts(content):
        page.write_string(row, 0, label, formats["label"])
        page.write_string(row, 1, fact, formats["wrapped"])
        row += 1
    row = _write_statuses(page, row + 1, formats, content)
    _write_contents(page, row + 1, formats, content)


def _facts(content: Content) -> Iterable[tuple[str, str]]:
    publisher = content.publisher
    return (
        ("Mätomgång / Round", str(content.round)),
        ("Utgivare / Publisher", publisher.name),
        ("Kontakt / Contact", publisher.mail),
        ("Webbplats / Website", publisher.homepage),
        ("Licens / Licence", f"{publisher.licence_name}, {publisher.licence_iri}"),
        ("Källa / Source", publisher.source),
    )


def _write_statuses(page: Any, row: int, formats: Mapping[str, Any], content: Content) -> int:
    """What the signs in the column status mean; gives the first row that is free."""
    page.write_string(row, 0, "Kolumnen status / The column status", formats["section"])
    for status in content["statuses"].records():
        row += 1
        page.write_string(row, 0, str(status["status"]) or "(tom / empty)", formats["label"])
        page.write_string(row, 1, str(status["label_sv"]), formats["wrapped"])
        page.write_string(row, 2, str(status["label_en"]), formats["wrapped"])
    return row + 1


def _write_contents(page: Any, row: int, formats: Mapping[str, Any], content: Content) -> None:
    """The sheets, each a link, with what is in them and how many rows."""
    for column, head in enumerate(("Blad / Sheet", "Innehåll", "Contents")):
        page.write_string(row, column, head, formats["head"])
    page.write_string(row, 3, "Rader", formats["number_head"])
    about = "Vad varje kolumn betyder.", "What each column means."
    listed = [(METADATA, *about, sum(len(table.columns) for table in content.tables.values()))]
    listed += [(t.name, t.title_sv, t.title_en, len(t.rows)) for t in content.tables.values()]
    for name, swedish, english, n_rows in listed:
        row += 1
        page.write_url(row, 0, f"internal:'{name}'!A1", formats["link"], name)
        page.write_string(row, 1, swedish, formats["wrapped"])
        page.write_string(row, 2, english, formats["wrapped"])
        page.write_number(row, 3, n_rows, formats["count"])


# --- what the columns mean ----------------------------------------------------------------------


def _write_metadata(page: Any, formats: Mapping[str, Any], content: Content) -> None:
    heads = {"Tabell": 24, "Kolumn": 24, "Slag": 30, "Nyckel": 10, "Svenska": 70, "English": 70}
    for place, (head, width) in enumerate(heads.items()):
        page.set_column(place, place, width, formats["wrapped"])
        page.write_string(0, place, head, formats["head"])
    described = [(table, column) for table in content.tables.values() for column in table.columns]
    for row, (table, column) in enumerate(described, start=1):
        is_key = "ja / yes" if column.name in table.key else ""
        kind = _KINDS[column.kind]
        texts = (table.name, column.name, kind, is_key, column.text_sv, column.text_en)
        for place, text in enumerate(texts):
            _write_value(page, row, place, text)
    _keep_head(page, len(described), len(heads))


# --- the tables ---------------------------------------------------------------------------------


def _write_table(page: Any, formats: Mapping[str, Any], table: Table, note: str) -> None:
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    for place, (column, cells) in enumerate(zip(table.columns, columns, strict=True)):
        width = max([len(column.name) + _ARROW, *(len(str(cell)) + 1 for cell in cells)])
        page.set_column(place, place, min(max(width, _NARROW), _WIDE), formats[column.kind])
        is_number = column.kind in ("integer", "decimal", "ratio")
        page.write_string(0, place, column.name, formats["number_head" if is_number else "head"])
    for row, values in enumerate(table.rows, start=1):
        for place, value in enumerate(values):
            _write_value(page, row, place, value)
    _keep_head(page, len(table.rows), len(table.columns))
    page.set_header(f"&L&A&C{note}")


def _write_value(page: Any, row: int, column: int, value: Value) -> None:
    """Writes a value as it is, in the format of its column; a blank stays an empty cell."""
    if value is None or value == "":
        return
    if isinstance(value, str):
        refused = page.write_string(row, column, value)
    elif isinstance(value, bool):
        refused = page.write_boolean(row, column, value)
    elif isinstance(value, date):
        refused = page.write_datetime(row, column, value)
    else:
        refused = page.write_number(
            row, column, float(value) if isinstance(value, Decimal) else value
        )
    if refused:
        raise ValueError(f"{page.get_name()}: no room in row {row + 1}, column {column + 1}")


def _keep_head(page: Any, n_rows: int, n_columns: int) -> None:
    """The head stays in sight, filters, and repeats on paper (A4, one page wide)."""
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, n_rows, n_columns - 1)
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{n_rows + 1}"})
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
