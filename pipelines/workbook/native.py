"""The file itself: bytes in, sheets of cells out.

Belongs here: telling an .xlsx or .xlsm file from others and calling the native reader, none of
whose failures gets past this module. Does not: what the sheets mean (structure.py). Alone imports
python_calamine.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from python_calamine import CalamineWorkbook, PasswordError

from pipelines.workbook.cells import Cell

SUFFIXES = (".xlsx", ".xlsm")

Native = TypeVar("Native")


class RefusedError(Exception):
    """The file is no workbook we read; says which rule it breaks and what it is instead."""

    def __init__(self, rule_id: str, wanted: str = "") -> None:
        super().__init__(rule_id)
        self.rule_id = rule_id
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Book:
    """The sheets of a workbook.

    Attributes:
        titles: all of them, in order.
        rows: the cells of the wanted sheets that could be read, by title; the first row is row 1
            and the first cell column A, so that list positions are addresses.
    """

    titles: tuple[str, ...]
    rows: Mapping[str, list[list[Cell]]]


def read_book(data: bytes, file: str, is_wanted: Callable[[str], bool]) -> Book:
    """The wanted sheets of a workbook.

    Args:
        data: the file's bytes; none when it may not be read.
        file: its name.
        is_wanted: tells by its title whether a sheet is read.

    Raises:
        RefusedError: the file is empty, of another format, protected or broken.
    """
    check_format(data, PurePath(file).suffix)
    try:
        native = _guarded(lambda: CalamineWorkbook.from_filelike(io.BytesIO(data)))
    except PasswordError as error:
        raise RefusedError("password") from error
    if native is None:
        raise RefusedError("unreadable")
    rows = {title: _rows(native, title) for title in filter(is_wanted, native.sheet_names)}
    return Book(tuple(native.sheet_names), {title: r for title, r in rows.items() if r is not None})


def check_format(data: bytes, suffix: str) -> None:
    """Tells an .xlsx or .xlsm file from others by its first bytes.

    Raises:
        RefusedError: the file is empty, of another format or protected.
    """
    if not data:
        raise RefusedError("no_access")
    if suffix.lower() not in SUFFIXES:
        raise RefusedError("not_xlsx", suffix or "ingen filändelse")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise RefusedError("password")
        raise RefusedError("not_xlsx", "gammalt Excelformat")
    if not data.startswith(b"PK"):
        raise RefusedError("not_xlsx", "okänt format")
    if data.startswith(b"PK\3\4") and b"PK\5\6" not in data:
        raise RefusedError("zip_damaged")  # cut off: the list of its parts comes last
    if b"xl/workbook.xml" not in data:
        raise RefusedError("not_xlsx", "ett annat format än filändelsen säger")


def _rows(native: CalamineWorkbook, title: str) -> list[list[Cell]] | None:
    """The rows of one sheet, or None when it cannot be read."""
    return _guarded(lambda: native.get_sheet_by_name(title).to_python(skip_empty_area=False))


def _guarded(read: Callable[[], Native]) -> Native | None:
    """What the native reader returns, or None when it fails, panics included."""
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, MemoryError, PasswordError):
        raise
    except BaseException:  # panics of native code do not derive from Exception
        return None
