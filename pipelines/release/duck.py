"""The open tables as one DuckDB file: to ask questions of in SQL, with keys and comments.

Belongs here: the file and its tables. Does not: the analysts' snapshot, which is internal and holds
what may not be shown (warehouse.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines import database
from pipelines.release import parquet
from pipelines.release.table import DECIMALS, SYNTHETIC_EN, SYNTHETIC_SV, Content, Table

_SAME_BYTES = "set force_compression = 'uncompressed'"
"""Compression draws random samples of texts (FSST) and leaves gaps (bitpacking)."""
_STORAGE = "(storage_version 'v1.0.0', row_group_size 2048)"
"""The oldest that DuckDB 1.x and 2.x both read. Small groups of rows: in one whose texts nearly
fill a block, what is left of the block is whatever the memory held, so other bytes each time."""
_TYPES = {
    "text": "varchar",
    "integer": "bigint",
    **{kind: f"decimal(9, {decimals})" for kind, decimals in DECIMALS.items()},
    "boolean": "boolean",
    "date": "date",
}


def write(content: Content, folder: Path) -> None:
    """Writes `open/nns_indikatorer_<round>.duckdb` under the release's folder, by one thread.

    Raises:
        duckdb.Error: the file cannot be written, or rows do not fit their table or its key.
        pyarrow.ArrowInvalid: a value is not of its column's kind.
    """
    path = folder / "open" / f"nns_indikatorer_{content.round}.duckdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    with database.connect(threads=1) as connection:
        for statement in (_SAME_BYTES, f"attach {_quoted(path)} as made {_STORAGE}", "use made"):
            connection.execute(statement)
        for table in content.tables.values():
            connection.execute(_create(table))
            connection.register("arrow_rows", parquet.arrow(content, table))
            insert = f"insert into {table.name} select * from arrow_rows"  # noqa: S608 our own name
            connection.execute(insert)
            for comment in _comments(content, table):
                connection.execute(comment)
        connection.execute("checkpoint made")


def _create(table: Table) -> str:
    columns = [f'"{column.name}" {_TYPES[column.kind]}' for column in table.columns]
    key = ", ".join(f'"{name}"' for name in table.key)
    return f"create table {table.name} ({', '.join(columns)}, primary key ({key}))"


def _comments(content: Content, table: Table) -> Iterator[str]:
    """What the table and its columns say, English | Swedish as everywhere in the warehouse."""
    texts = [table.title_en, table.title_sv]
    if content.is_synthetic:
        texts = [f"{table.title_en} {SYNTHETIC_EN}", f"{table.title_sv} {SYNTHETIC_SV}"]
    yield f"comment on table {table.name} is {_quoted(' | '.join(texts))}"
    for column in table.columns:
        text = _quoted(f"{column.text_en} | {column.text_sv}")
        yield f'comment on column {table.name}."{column.name}" is {text}'


def _quoted(text: object) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"
