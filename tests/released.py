"""What tests of a whole release share: the formats, a basis, and a content with other cells.

Belongs here: what more than one of them needs. Does not: the content itself (content.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.release import (
    catalogue,
    csvs,
    datapackage,
    duck,
    isf,
    jsonstat,
    kolada,
    parquet,
    px,
    rka,
    workbook,
)
from pipelines.release.assemble import Basis, Source, Writer
from pipelines.release.changes import Change
from pipelines.release.table import Content

WRITERS: tuple[Writer, ...] = (
    csvs.write,
    parquet.write,
    workbook.write,
    duck.write,
    px.write,
    jsonstat.write,
    catalogue.write,
    datapackage.write,
    kolada.write,
    partial(rka.write, allow_synthetic=True),
    isf.write,
)

EXEMPELBYGDEN, OVREBYGD = Source("exempelbygden", "e" * 64), Source("ovrebygd", "0" * 64)


def basis(*deliveries: Source, code: str = "0.1.0", marts: str = "m", trends: str = "t") -> Basis:
    """A basis with the two associations' deliveries, or those given."""
    return Basis(deliveries or (OVREBYGD, EXEMPELBYGDEN), {"is_clean": True}, code, marts, trends)


def no_pages(number: int, changes: Sequence[Change], folder: Path) -> None:
    """A reporter for what is not about pages."""


def with_cells(content: Content, name: str, where: Mapping[str, Any], **cells: Any) -> Content:
    """The content with other cells in those rows of a table that have the given values."""
    table = content[name]
    changed = [{**row, **cells} if where.items() <= row.items() else row for row in table.records()]
    assert changed != list(table.records()), "no cell is another"
    return with_rows(content, name, changed)


def with_rows(content: Content, name: str, rows: list[Mapping[str, Any]]) -> Content:
    """The content with other rows in a table."""
    table = content[name]
    names = [column.name for column in table.columns]
    made = replace(table, rows=tuple(tuple(row[n] for n in names) for row in rows))
    return replace(content, tables={**content.tables, name: made})
