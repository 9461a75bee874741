"""The file itself: bytes of an exported CSV in, rows of cells out.

Belongs here: telling a CSV of UTF-8 from anything else, and never failing otherwise than by a
rule. Does not: what the columns mean (read.py). Addresses are those Excel shows for the same file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from pipelines.swedish import number
from pipelines.workbook.cells import Cell
from pipelines.workbook.gate import LIMITS, Limits
from pipelines.workbook.native import RefusedError

_SEPARATORS = ",;"
_LONGEST_CELL = 32_767  # as in Excel
_MOST_IN_A_LINE = 10_000  # separators: more could fill the memory before a limit is met
_LONGEST_NAME = 100  # of a column that exports have, groups before it included
_OTHER_FORMATS = {
    b"PK": "en Excelfil eller ett zip-arkiv",
    b"\xd0\xcf\x11\xe0": "gammalt Excelformat",
    b"%PDF": "PDF",
}


def read_export(
    data: bytes, file: str, is_known: Callable[[str], bool], limits: Limits = LIMITS
) -> list[list[Cell]]:
    """The rows of an export, all as long as its header; the first is row 1, a blank one is kept.

    Args:
        data: the file's bytes; none when it may not be read.
        file: its name.
        is_known: whether a header is one that exports have; tells which separator is used.
        limits: of rows and columns.

    Raises:
        RefusedError: the file is no CSV of UTF-8, is damaged, or is beyond the limits.
    """
    text = _text(data, PurePosixPath(file).suffix)
    first = text[: LIMITS.columns * _LONGEST_NAME].splitlines()[0]
    headers = {
        sep: [h.strip('" ') for h in first.split(sep, LIMITS.columns)] for sep in _SEPARATORS
    }
    separator = max(_SEPARATORS, key=lambda sep: sum(map(is_known, headers[sep])))
    return list(_rows(text, separator, limits))


def _text(data: bytes, suffix: str) -> str:
    """The file's text.

    Raises:
        RefusedError: the file is empty, of another format, or not of UTF-8.
    """
    if not data:
        raise RefusedError("no_access")
    if suffix.lower() != ".csv":
        raise RefusedError("not_csv", suffix or "ingen filändelse")
    for start, name in _OTHER_FORMATS.items():
        if data.startswith(start):
            raise RefusedError("not_csv", name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RefusedError("csv_encoding", str(line)) from error
    if not text.strip():
        raise RefusedError("no_access")
    if "\0" in text:
        raise RefusedError("csv_damaged", str(text.count("\n", 0, text.index("\0")) + 1))
    return text


def _rows(text: str, separator: str, most: Limits) -> Iterator[list[Cell]]:
    """The rows one after the other, so that a limit is met before the memory is.

    Raises:
        RefusedError: a row is damaged, of another length than the header, or beyond the limits.
    """
    limits = f"{number(most.rows)} rader eller {number(most.columns)} kolumner"
    if any(line.count(separator) > _MOST_IN_A_LINE for line in io.StringIO(text, newline="")):
        raise RefusedError("csv_too_large", limits)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    width = row_number = 0
    try:
        for row_number, row in enumerate(reader, start=1):
            width = width or len(row)
            if row_number > most.rows or width > most.columns:
                raise RefusedError("csv_too_large", limits)
            if len(row) not in (0, width):
                raise RefusedError("csv_ragged", str(row_number))
            if max(map(len, row), default=0) > _LONGEST_CELL:
                raise RefusedError("csv_damaged", str(row_number))
            yield row or [""] * width
    except csv.Error as error:
        raise RefusedError("csv_damaged", str(row_number + 1)) from error
