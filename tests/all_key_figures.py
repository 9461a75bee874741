"""A release's content of the size Kolada has it: all key figures of the seeds, all municipalities.

Belongs here: that content, with every status, for any round. Does not: real figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product

from content import content

from pipelines.instrument import seed_rows
from pipelines.release.table import BRACKET, EMPTY, HIDDEN, SHOWN, Content, Table, Value, percent

PARSERS = {
    "text": str,
    "integer": int,
    "boolean": {"true": True, "false": False}.__getitem__,
    "date": date.fromisoformat,
}


def all_key_figures(round_: int, is_synthetic: bool = True, step: int = 7) -> Content:
    """The content of a round; `step` makes other figures of it."""
    small = content(is_synthetic)
    tables = {
        **small.tables,
        "key_figure_definitions": from_seed(small["key_figure_definitions"], "key_figures"),
        "counties": from_seed(small["counties"], "counties"),
        "municipalities": from_seed(small["municipalities"], "municipalities"),
    }
    tables["key_figures"] = replace(small["key_figures"], rows=tuple(figures(tables, round_, step)))
    return Content(round_, is_synthetic, small.publisher, tables)


def from_seed(table: Table, seed: str) -> Table:
    """The table with the rows of a seed."""
    rows = tuple(
        tuple(
            PARSERS[column.kind](row[column.name]) if row[column.name] else None
            for column in table.columns
        )
        for row in seed_rows(seed)
    )
    return replace(table, rows=rows)


def figures(tables: dict[str, Table], round_: int, step: int) -> Iterator[tuple[Value, ...]]:
    """A figure for each key figure and municipality; hidden, empty and brackets among them."""
    kpis = [row["kpi_id"] for row in tables["key_figure_definitions"].records()]
    places = [row["municipality_code"] for row in tables["municipalities"].records()]
    for i, (kpi, place) in enumerate(product(kpis, places)):
        n = 11 + (i * step + round_) % 997
        positive = (i * 31) % (n + 1)
        figure: tuple[Value, ...] = (percent(positive, n), n, positive, SHOWN)
        if i % 11 == 0:
            figure = (None, None, None, HIDDEN)
        elif i % 13 == 0:
            figure = (None, 0, 0, EMPTY)
        elif i % 17 == 0:
            figure = (None, 9, None, BRACKET)
        yield (kpi, place, round_, "T", *figure, "exempelbygden", True)
