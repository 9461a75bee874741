"""Compares what an independent reader got out of a file with the table it was written from.

Belongs here: that one comparison, cell by cell and type by type. Does not: any reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.release.table import Table, Value


def assert_same(table: Table, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """The header and every cell are those of the table, in its order and of its types."""
    names = [column.name for column in table.columns]
    assert list(header) == names, table.name
    read = [tuple(row) for row in rows]
    assert len(read) == len(table.rows), f"{table.name}: {len(read)} rows of {len(table.rows)}"
    for number, (got, want) in enumerate(zip(read, table.rows, strict=True)):
        for name, a, b in zip(names, got, want, strict=True):
            assert (type(a), a) == (type(b), b), f"{table.name}, row {number}, {name}"
