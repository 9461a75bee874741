"""What one cell means: answers, gender, dates, counts, codes, and its address.

Belongs here: how a value as calamine gives it becomes a typed value, or UNKNOWN. Does not: where
the cell stands or what happens when it is not understood; that is read.py's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from pipelines.instrument import ScaleCode

Cell = Any
"""What calamine gives: str ('' when blank), float, bool, date, datetime, time or timedelta."""

UNKNOWN: Any = object()
"""What a parser returns for a cell it does not understand."""

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_CODE = re.compile(r"([0-9]{1,3})(?:\s+(\S.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Kind:
    """How the cells of one kind of column are read.

    Attributes:
        rule: the finding for a cell that is not understood.
        wanted: the accepted form, for that finding.
        blank: what a blank or unknown cell becomes.
        parse: from a cell that is not blank to its value, or UNKNOWN.
        seen: what is understood already, by cell; only parse decides what enters.
    """

    rule: str
    wanted: str
    blank: Any
    parse: Callable[[Cell], Any]
    seen: dict[Cell, Any] = field(default_factory=dict)


def typed(cells: Sequence[Cell], kind: Kind) -> tuple[list[Any], list[int]]:
    """The cells' values, and the positions of those that were not understood."""
    # True == 1.0: a boolean would be taken for a code seen before
    if kind.seen.keys() >= set(cells) and bool not in set(map(type, cells)):
        return list(map(kind.seen.__getitem__, cells)), []
    values, unknown = [], []
    for position, cell in enumerate(cells):
        value = kind.blank if blank(cell) else kind.parse(cell)
        if value is UNKNOWN:
            unknown.append(position)
            value = kind.blank
        elif type(cell) is not bool:
            kind.seen[cell] = value
        values.append(value)
    return values, unknown


@cache
def answer_kind(scale: tuple[ScaleCode, ...]) -> Kind:
    """Answers on a scale: a code (3, 3.0, "3"), a label ("Ofta"), or both ("3 Ofta")."""
    label_of = {code.code: normalised(code.label_sv) for code in scale}
    code_of = {label: code for code, label in label_of.items()}

    def parse(cell: Cell) -> Any:
        if isinstance(cell, float | int) and not isinstance(cell, bool):
            return int(cell) if cell in label_of else UNKNOWN
        if not isinstance(cell, str):
            return UNKNOWN
        # ASCII digits are looked for before normalising, which would make 3 of a superscript
        match = _CODE.fullmatch(visible(cell))
        if match is None:
            return code_of.get(normalised(cell), UNKNOWN)
        code, label = int(match[1]), match[2]
        known = code in label_of and (label is None or normalised(label) == label_of[code])
        return code if known else UNKNOWN

    wanted = ", ".join(f"{code.code} {code.label_sv}" for code in scale)
    seen: dict[Cell, Any] = {"": 0} | {float(code): code for code in label_of}
    return Kind("answer_unknown", wanted, 0, parse, seen)


def spelling_kind(accepted: Mapping[str, str], rule: str) -> Kind:
    """A word, letter or code with known spellings, any case."""
    values = {normalised(spelling): value for spelling, value in accepted.items()}

    def parse(cell: Cell) -> Any:
        return values.get(normalised(cell), UNKNOWN)

    return Kind(rule, ", ".join(accepted), None, parse, {"": None, **accepted})


@cache
def date_kind(example: date) -> Kind:
    """A date cell, or a text ÅÅÅÅ-MM-DD."""

    def parse(cell: Cell) -> Any:
        if isinstance(cell, datetime):
            return cell.date()
        if isinstance(cell, date):
            return cell
        try:
            return date.fromisoformat(visible(cell))
        except (ValueError, TypeError, AttributeError):
            return UNKNOWN

    return Kind("date_unknown", example.isoformat(), None, parse, {"": None})


@cache
def text_kind() -> Kind:
    """Any text or number, as text: 3.0 is "3"."""
    return Kind("", "", None, plain_text, {"": None})


@cache
def count_kind() -> Kind:
    """A whole number, zero or more."""

    def parse(cell: Cell) -> Any:
        text = plain_text(cell)
        understood = not isinstance(cell, bool) and text.isascii() and text.isdigit()
        return int(text) if understood and len(text) < 10 else UNKNOWN

    return Kind("count_unknown", "", None, parse, {"": None})


def visible(text: str) -> str:
    """The text without invisible signs and outer blanks of any kind."""
    return text.translate(_INVISIBLE).strip()


def normalised(cell: Cell) -> str:
    """A cell as its spelling is compared: composed, single blanks, any case."""
    return _normalised_text(cell if isinstance(cell, str) else plain_text(cell))


@lru_cache(4096)
def _normalised_text(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", visible(text)).split()).casefold()


def plain_text(cell: Cell) -> str:
    """A cell as text; whole numbers without decimals."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return visible(str(cell))


def blank(cell: Cell) -> bool:
    """Whether a cell holds nothing a person would see."""
    return cell == "" or (isinstance(cell, str) and not visible(cell))


def address(row: int, column: int) -> str:
    """A cell as Excel names it, from a row counted from 1 and a column counted from 0."""
    return f"{column_letters(column)}{row}"


def column_letters(column: int) -> str:
    """A column as Excel names it, counted from 0: A, …, Z, AA."""
    letters, rest = "", column + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
