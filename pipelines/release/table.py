"""What a release holds before it becomes files: tables of protected figures, described.

Belongs here: the shape that every format is written from, and how a figure is rounded. Does not:
where the figures come from (protected.py), what may be shown (disclosure.py), or any format.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Literal

from pipelines.settings import SEEDS

Value = str | int | Decimal | bool | date | None
"""A cell: a decimal has one decimal, a ratio two; None is a figure not shown or a blank."""

Kind = Literal["text", "integer", "decimal", "ratio", "boolean", "date"]
"""A decimal is in percent with one decimal; a ratio is at most 1 and has two."""

DECIMALS: Mapping[Kind, int] = {"decimal": 1, "ratio": 2}
"""How many decimals a cell of a kind has, where it has any."""

SHOWN, HIDDEN, BRACKET, EMPTY = "", "..", "[]", "."
"""The column `status`: shown; hidden; shown as a bracket; no answers. Explained by a seed."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what it says, in Swedish and English; `unit` as in the seed of units, or ''."""

    name: str
    kind: Kind
    text_sv: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Table:
    """A released table; rows are ordered by the key.

    Attributes:
        name: the mart's or the seed's.
        title_sv, title_en: one sentence.
        key: the columns that name a row.
        references: a column → (table, column) in which its values are found.
        rows: values in the order of `columns`.
        has_figures: whether rows carry a `status`, so figures and not facts about the instrument.
    """

    name: str
    title_sv: str
    title_en: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: Mapping[str, tuple[str, str]]
    rows: tuple[tuple[Value, ...], ...]
    has_figures: bool

    def records(self) -> Iterator[dict[str, Value]]:
        """The rows by column name."""
        names = [column.name for column in self.columns]
        return (dict(zip(names, row, strict=True)) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes, and under which terms: the seed `publisher`, a row per key."""

    name: str
    mail: str
    homepage: str
    base_iri: str
    licence_name: str
    licence_iri: str
    source: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that a release of a round is written from.

    Attributes:
        tables: by name, in the order they are listed to readers.
        is_synthetic: whether any of it is invented; then every file says so.
    """

    round: int
    is_synthetic: bool
    publisher: Publisher
    tables: Mapping[str, Table]

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]


SYNTHETIC_SV = "Påhittade uppgifter (synthetic): får inte användas som statistik."
SYNTHETIC_EN = "Invented data (synthetic): not to be used as statistics."


def publisher(seeds: Path = SEEDS) -> Publisher:
    """The publisher of the seed."""
    with (seeds / "publisher.csv").open(encoding="utf-8", newline="") as file:
        return Publisher(**{row["key"]: row["value"] for row in csv.DictReader(file)})


def tenths(numerator: int, denominator: int) -> Decimal:
    """A ratio rounded half up (away from zero) to one decimal, exactly: no float comes near it.

    Raises:
        ZeroDivisionError: the denominator is 0.
    """
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    over, under = abs(numerator), abs(denominator)
    return Decimal(sign * ((20 * over + under) // (2 * under))).scaleb(-1)


def half_up(number: Decimal, decimals: int = 1) -> Decimal:
    """A number rounded half up (away from zero)."""
    return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def percent(part: int, whole: int) -> Decimal:
    """100 × part / whole, rounded to one decimal."""
    return tenths(100 * part, whole)
