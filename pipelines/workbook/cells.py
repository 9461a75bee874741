"""What one cell means: answers, gender, dates, counts, codes, and its address.

Belongs here: how a value as calamine gives it becomes a typed value, or UNKNOWN. Does not: where
the cell stands or what happens when it is not understood; that is read.py's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from pipelines.instrument import ScaleCode

Cell = Any
"""What calamine gives: str ('' when blank), float, bool, date, datetime, time or timedelta."""

UNKNOWN: Any = object()
"""What a parser returns for a cell it does not understand."""

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_MOST_SEEN = 100_000
_CODE = re.compile(r"([1-9][0-9]?)(?:\s+(\S.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """How the cells of one kind of column are understood.

    Attributes:
        rule: the finding for a cell that is not understood.
        wanted: the accepted form, for that finding.
        blank: what a blank or unknown cell becomes.
        parse: from a cell that is not blank to its value, or UNKNOWN.
        gather: makes a column of values; bytes where they are small codes.
        elsewhere: spellings, normalised, that other columns of this kind accept.
        seen: the values of cells met so far.
        refused: those of them that are not understood.
    """

    rule: str
    wanted: str
    blank: Any
    parse: Callable[[Cell], Any]
    gather: Callable[[Iterable[Any]], Sequence[Any]] = list
    elsewhere: frozenset[str] = frozenset()
    seen: dict[Cell, Any] = field(default_factory=dict)
    refused: set[Cell] = field(default_factory=set)

    def meet(self, cells: Iterable[Cell]) -> None:
        """Remembers what new cells mean."""
        if len(self.seen) > _MOST_SEEN:
            self.seen.clear()
            self.refused.clear()
        for cell in set(cells) - self.seen.keys():
            value = self.blank if blank(cell) else self.parse(cell)
            if value is UNKNOWN:
                self.refused.add(cell)
            self.seen[cell] = self.blank if value is UNKNOWN else value


def typed(cells: Sequence[Cell], kind: Kind) -> tuple[Sequence[Any], list[int]]:
    """The cells' values, and the positions of those that are not understood."""
    if bool in set(map(type, cells)):  # True and False equal 1.0 and 0.0, so would pass for them
        cells = [str(c) if isinstance(c, bool) else c for c in cells]
    try:
        values = kind.gather(map(kind.seen.__getitem__, cells))
    except KeyError:
        kind.meet(cells)
        values = kind.gather(map(kind.seen.__getitem__, cells))
    refused = kind.refused
    return values, [k for k, c in enumerate(cells) if c in refused] if refused else []


@cache
def answer_kind(scale: tuple[ScaleCode, ...], others: frozenset[tuple[ScaleCode, ...]]) -> Kind:
    """Answers on a scale: a code (3, 3.0, "3"), a label ("Ofta"), or both ("3 Ofta").

    `others` are the scales that answers may have strayed from.
    """
    label_of = {code.code: normalised(code.label_sv) for code in scale}
    code_of = {label: code for code, label in label_of.items()}

    def parse(cell: Cell) -> Any:
        if isinstance(cell, float | int):
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
    strayed = frozenset(
        normalised(spelling)
        for code in chain.from_iterable(others)
        for spelling in (code.code, code.label_sv, f"{code.code} {code.label_sv}")
    )
    return Kind("answer_unknown", wanted, 0, parse, bytes, strayed)


def spelling_kind(accepted: Mapping[str, str], rule: str) -> Kind:
    """A word, letter or code with known spellings, any case."""
    values = {normalised(spelling): value for spelling, value in accepted.items()}

    def parse(cell: Cell) -> Any:
        return values.get(normalised(cell), UNKNOWN)

    return Kind(rule, ", ".join(accepted), None, parse)


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

    return Kind("date_unknown", example.isoformat(), None, parse)


@cache
def text_kind() -> Kind:
    """Any text or number, as text: 3.0 is "3"."""
    return Kind("", "", None, plain_text)


@cache
def count_kind() -> Kind:
    """A whole number, zero or more."""

    def parse(cell: Cell) -> Any:
        text = plain_text(cell)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else UNKNOWN

    return Kind("count_unknown", "", None, parse)


@cache
def category_kind(most: int) -> Kind:
    """A short text that names a group: composed, single blanks, as it is written."""

    def parse(cell: Cell) -> Any:
        text = " ".join(unicodedata.normalize("NFC", plain_text(cell)).split())
        return text if len(text) <= most else UNKNOWN

    return Kind("category_too_long", str(most), None, parse)


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
