"""Personal data that must not be in a delivery: identity numbers, telephone numbers, e-mail.

Belongs here: recognising them, in one text or in every cell of a workbook. Does not: names (no
pattern tells them) and what becomes of the delivery. Nothing here repeats what it found.

The rules: a personal identity number is the date of birth, a number of three digits and a check
digit (Luhn); in a coordination number 60 is added to the day (Skatteverket).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from itertools import chain

from pipelines.workbook.cells import Cell, address, visible
from pipelines.workbook.native import Book

PERSONAL_NUMBER = "personnummer"
PHONE = "telefon"
EMAIL = "e-post"

HIDDEN = "(dolt)"
"""Stands for what is never repeated."""

PERSONAL_RULES = {PERSONAL_NUMBER: "personal_number", PHONE: "phone_number", EMAIL: "email_address"}
"""The rule that each kind breaks in a cell."""

PERSONAL = (
    *PERSONAL_RULES.values(),
    *("personal_file_name", "personal_sheet_name", "personal_number_beside"),
)
"""All rules about personal data: the file itself must not stay."""

PLAIN_NUMBER = re.compile(r"[0-9]{1,6}")
"""A number that can be nothing else: a longer one may be an identity number, a text a name."""

# Seven digits near each other, or an at sign: anything less is neither of the three.
_WORTH_A_LOOK = re.compile(r"[@\uff20]|(?:\d\D{0,4}){6}\d")
_NUMBERS_WORTH_A_LOOK = 1e8  # ten or twelve digits, or nine when a leading zero went lost

_HARMLESS: set[Cell] = set()  # cells looked at before: most stand in every workbook
_MOST_REMEMBERED = 100_000

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")

# The lookahead lets candidates overlap. Date parts are apart by the same sign or none; after a
# date with signs no further date part may follow, or a span of dates would be a number.
_PERSONAL_NUMBER = re.compile(
    r"(?<!\d)(?<!\b0[.,])(?=(?:18|19|20)?"
    r"(?P<year>\d\d)(?P<sign>[ ./-]?)(?P<month>\d\d)(?P=sign)(?P<day>\d\d)"
    r"\s{0,2}[-+./]?\s{0,2}(?P<number>\d{4})(?!\d)(?!(?P=sign)\d\d(?!\d)))"
)
_PHONE = re.compile(
    r"(?<!\d)(?:"
    r"(?:\+|00)(?:45|46|47|358)[ .-]?(?:\(0\))?(?:[ .-]?\d){7,10}"  # with a Nordic country code
    r"|07[02369](?:[ ./-]{0,3}\d){7}"  # mobile
    r"|(?<!\d[ .-])(?:"
    r"08[) /-]{1,3}\d(?: ?\d){6,7}"  # by length of the area code
    r"|0[1-9]\d[) /-]{1,3}\d(?: ?\d){5,6}"
    r"|0[1-9]\d\d[) /-]{1,3}\d(?: ?\d){4,5}"
    r"|0[1-9]\d{7,8}"
    r")(?![ .-]?\d))(?!\d)"
)
_EMAIL = re.compile(r"[\w.+-]@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")


def personal_data(text: str) -> str | None:
    """Which kind of personal data a text holds, if any: PERSONAL_NUMBER, PHONE or EMAIL."""
    if not _WORTH_A_LOOK.search(text):
        return None
    plain = unicodedata.normalize("NFKC", visible(text)).translate(_DASHES)
    if any(map(_is_personal_number, _PERSONAL_NUMBER.finditer(plain))):
        return PERSONAL_NUMBER
    if _PHONE.search(plain):
        return PHONE
    return EMAIL if _EMAIL.search(plain) else None


def discreet(text: str) -> str:
    """The text as it may be repeated: HIDDEN when it holds personal data."""
    return HIDDEN if personal_data(text) else text


def personal_data_in(book: Book) -> list[tuple[str, str, str]]:
    """Sheet, cell and kind of all personal data in a workbook, on all its sheets.

    A sheet whose very title is personal data comes with HIDDEN as its sheet and no cell.
    """
    titles = [(HIDDEN, "", kind) for title in book.titles if (kind := personal_data(title))]
    return [*titles, *chain.from_iterable(_in_sheet(*sheet) for sheet in book.rows.items())]


def _in_sheet(title: str, rows: list[list[Cell]]) -> Iterator[tuple[str, str, str]]:
    """Looks at each different cell once, and for where it stands only when that is called for."""
    distinct = set(chain.from_iterable(rows))
    new = distinct - _HARMLESS
    kinds = {cell: kind for cell in new if (kind := _kind(cell))}
    if len(_HARMLESS) > _MOST_REMEMBERED:
        _HARMLESS.clear()
    _HARMLESS.update(new - kinds.keys())
    if not kinds:
        return
    shown = HIDDEN if personal_data(title) else title
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if cell in kinds:
                yield shown, address(number, column), kinds[cell]


def _kind(cell: Cell) -> str | None:
    """As `personal_data`; of numbers, which lose their leading zeros, only identity numbers."""
    if isinstance(cell, str):
        return personal_data(cell)
    if isinstance(cell, float) and _NUMBERS_WORTH_A_LOOK <= cell < 1e12 and cell.is_integer():
        found = _PERSONAL_NUMBER.match(f"{int(cell):010}")
        return PERSONAL_NUMBER if found and _is_personal_number(found) else None
    return None


def _is_personal_number(candidate: re.Match[str]) -> bool:
    """Whether the date exists and the check digit is right."""
    year, month, day, number = candidate.group("year", "month", "day", "number")
    try:
        date(2000 + int(year), int(month), int(day) % 60)
    except ValueError:
        return False
    digits = f"{year}{month}{day}{number}"
    doubled = (int(digit) * (2 - i % 2) for i, digit in enumerate(digits))
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0
