"""Corrections: cells that are read otherwise than delivered, each a record of the seed corrections.

Belongs here: applying a record, and saying so, or saying loudly that it no longer fits. Does not:
deciding on a correction; that is the owner's who stands in the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from pipelines.findings import Finding
from pipelines.instrument import Correction
from pipelines.workbook.cells import Cell, normalised, plain_text
from pipelines.workbook.native import Book

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]*)")


def apply(
    book: Book, corrections: Iterable[Correction], report: Callable[..., Finding]
) -> Iterator[Finding]:
    """Puts the corrected values into the book's cells.

    A record applies only while its cell holds what the record expects; else the delivery was
    mended, or the record is wrong, and the cell is read as it stands.

    Yields:
        For each record what was done, with the cell.
    """
    titles = {normalised(title): title for title in book.rows}
    for correction in corrections:
        title = titles.get(normalised(correction.sheet), correction.sheet)
        here = {"sheet": title, "cell": correction.cell}
        row = _row_with(book.rows.get(title, []), correction.cell)
        column = _position(correction.cell)[1]
        found = plain_text(row[column]) if row else ""
        if row is None or found != correction.expect:
            yield report("correction_obsolete", value=found, wanted=correction.expect, **here)
            continue
        row[column] = correction.value
        why = f"{correction.value} ({correction.reason} {correction.owner}, {correction.date})"
        yield report("corrected", value=found, wanted=why, **here)


def _row_with(rows: list[list[Cell]], cell: str) -> list[Cell] | None:
    """The row the cell stands in, None when the sheet ends before it."""
    number, column = _position(cell)
    row = rows[number - 1] if number <= len(rows) else []
    return row if column < len(row) else None


def _position(cell: str) -> tuple[int, int]:
    """Row from 1 and column from 0 of a cell as Excel names it.

    Raises:
        ValueError: it is no such name.
    """
    match = _ADDRESS.fullmatch(cell)
    if match is None:
        raise ValueError(f"{cell!r} is no cell, such as B8.")
    column = 0
    for letter in match[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(match[2]), column - 1
