"""The open tables as Parquet, typed and described.

Belongs here: the Arrow type of each kind of column and what a file says about itself. Does not:
what the tables hold. duck.py loads the same Arrow tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.release.table import DECIMALS, SYNTHETIC_EN, SYNTHETIC_SV, Column, Content, Table


def write(content: Content, folder: Path) -> None:
    """Writes every table as `open/parquet/<table>.parquet` under the release's folder.

    Raises:
        OSError: a file cannot be written.
        pyarrow.ArrowInvalid: a value is not of its column's kind, or a key has a blank.
    """
    import pyarrow.parquet as pq

    files = folder / "open" / "parquet"
    files.mkdir(parents=True, exist_ok=True)
    for name, table in content.tables.items():
        pq.write_table(arrow(content, table), files / f"{name}.parquet")


def arrow(content: Content, table: Table) -> Any:
    """The table as an Arrow table; titles and column texts, in both languages, are its metadata.

    Raises:
        pyarrow.ArrowInvalid: a value is not of its column's kind.
    """
    import pyarrow as pa

    fields = [_field(column, column.name in table.key) for column in table.columns]
    cells = list(zip(*table.rows, strict=True)) or [()] * len(fields)
    arrays = [pa.array(c, field.type) for c, field in zip(cells, fields, strict=True)]
    return pa.table(arrays, pa.schema(fields, _about(content, table)))


def _field(column: Column, is_key: bool) -> Any:
    import pyarrow as pa

    kinds = {
        "text": pa.string(),
        "integer": pa.int64(),
        **{kind: pa.decimal128(9, decimals) for kind, decimals in DECIMALS.items()},
        "boolean": pa.bool_(),
        "date": pa.date32(),
    }
    texts = {"description_sv": column.text_sv, "description_en": column.text_en}
    return pa.field(column.name, kinds[column.kind], nullable=not is_key, metadata=texts)


def _about(content: Content, table: Table) -> dict[str, str]:
    publisher = content.publisher
    about = {
        "title_sv": table.title_sv,
        "title_en": table.title_en,
        "round": str(content.round),
        "publisher": publisher.name,
        "licence": publisher.licence_iri,
        "source": publisher.source,
    }
    notes = {"synthetic_sv": SYNTHETIC_SV, "synthetic_en": SYNTHETIC_EN}
    return about | notes if content.is_synthetic else about
