"""The delivery to RKA, who owns Kolada: a workbook and its CSV twin.

Belongs here: a row per key figure, municipality and year, in the columns of the seed `rka_columns`
(RKA's own layout is not public). Does not: Kolada's records, which are kolada.py's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.instrument import seed_rows
from pipelines.release import kolada
from pipelines.release.csvs import write_csv
from pipelines.release.table import SYNTHETIC_SV, Content, Value
from pipelines.workbook.write import CREATED, open_workbook

MARK = "SYNTETISK"
_WIDTHS = {"title": 60, "municipality_name": 22, "comment": 40}
_WIDTH = 14


class TitleError(Exception):
    """A key figure has not the title that is agreed with RKA; the message names it, in Swedish."""


class SyntheticError(Exception):
    """Invented figures are not delivered to a register; the message says so in Swedish."""


class _Exact(float):
    """A number that a workbook holds in full: the library would write 16 digits of the 17."""

    def __format__(self, _: str) -> str:
        return repr(float(self))


def write(content: Content, folder: Path, *, allow_synthetic: bool = False) -> None:
    """Writes `rka/nyckeltal_<round>.xlsx` and the same rows as `.csv`.

    Args:
        content: what is released.
        folder: the release's.
        allow_synthetic: whether to write invented figures, to try it out: then the files' names and
            every sheet say that they are.

    Raises:
        SyntheticError: the figures are invented, and that is not allowed.
        TitleError: a key figure has another title than agreed.
        OSError: a file cannot be written.
    """
    if content.is_synthetic and not allow_synthetic:
        raise SyntheticError(f"{SYNTHETIC_SV} Ingen leverans till RKA skrivs av dem.")
    check_titles(content)
    columns = list(seed_rows("rka_columns"))
    rows = [[row[column["field"]] for column in columns] for row in _rows(content)]
    mark = f"_{MARK}" if content.is_synthetic else ""
    target = folder / "rka" / f"nyckeltal_{content.round}{mark}"
    header = [column["column_name"] for column in columns]
    write_csv(target.with_suffix(".csv"), header, ([_decimal(v) for v in row] for row in rows))
    with open_workbook(target.with_suffix(".xlsx")) as book:
        book.set_properties({"title": target.name, "created": CREATED})
        _write_readme(book, content, columns)
        _write_rows(book, content, columns, rows)


def check_titles(content: Content) -> None:
    """Compares every key figure's title with the seed `agreed_titles`, to the letter.

    The seed is what RKA has agreed to, kept apart so that a slip in `key_figures` is seen.

    Raises:
        TitleError: naming the key figures that differ.
    """
    agreed = {row["kpi_id"]: row["title"] for row in seed_rows("agreed_titles")}
    titles = {row["kpi_id"]: row["title"] for row in content["key_figure_definitions"].records()}
    differing = [
        f"{kpi} heter '{title}' men '{agreed.get(str(kpi), '')}' är avtalat"
        for kpi, title in titles.items()
        if title != agreed.get(str(kpi))
    ]
    if differing:
        raise TitleError(f"Titlar skiljer sig från dem som är avtalade: {'; '.join(differing)}.")


def _rows(content: Content) -> Iterator[dict[str, Value | float]]:
    """The values by field: all that the seed of columns can name."""
    titles = {r["kpi_id"]: r["title"] for r in content["key_figure_definitions"].records()}
    names = {
        r["municipality_code"]: r["municipality_name"] for r in content["municipalities"].records()
    }
    reasons = {r["status"]: r["label_sv"] for r in content["statuses"].records()}
    for row in content["key_figures"].records():
        figure = kolada.figure(row)
        why = [SYNTHETIC_SV] * content.is_synthetic
        if figure["status"]:
            why.append(str(reasons[row["status"]]))
        yield {
            **row,
            **figure,
            "title": titles[row["kpi_id"]],
            "municipality_name": names[row["municipality_id"]],
            "comment": " ".join(why),
        }


def _decimal(value: Value | float) -> Value:
    """The shortest decimal that is the same number."""
    return Decimal(repr(value)) if isinstance(value, float) else value


# --- the workbook -------------------------------------------------------------------------------


def _write_readme(book: Any, content: Content, columns: Sequence[Mapping[str, str]]) -> None:
    page = _sheet(book, "Läs mig", content)
    bold = book.add_format({"bold": True})
    publisher = content.publisher
    lines = [
        (f"Nyckeltal till Kolada, mätomgång {content.round}", ""),
        *([(SYNTHETIC_SV, "")] if content.is_synthetic else []),
        ("Avsändare", publisher.name),
        ("Kontakt", publisher.mail),
        ("Källa", publisher.source),
        *((column["column_name"], column["note"]) for column in columns),
    ]
    page.set_column(0, 0, 16, bold)
    page.set_column(1, 1, 70)
    for row, (name, text) in enumerate(lines):
        page.write_string(row, 0, name, bold)
        page.write_string(row, 1, text)


def _write_rows(
    book: Any,
    content: Content,
    columns: Sequence[Mapping[str, str]],
    rows: Sequence[Sequence[Value | float]],
) -> None:
    page = _sheet(book, "Nyckeltal", content)
    head = book.add_format({"bold": True, "bottom": 1})
    for column, described in enumerate(columns):
        page.set_column(column, column, _WIDTHS.get(described["field"], _WIDTH))
        page.write_string(0, column, described["column_name"], head)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, float):
                page.write_number(number, column, _Exact(value))
            elif isinstance(value, int):
                page.write_number(number, column, value)
            elif value:
                page.write_string(number, column, str(value))
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    page.autofilter(0, 0, len(rows), len(columns) - 1)


def _sheet(book: Any, name: str, content: Content) -> Any:
    page = book.add_worksheet(f"{name} {MARK}" if content.is_synthetic else name)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    return page
