"""Whether a text stands anywhere in a file: its bytes, what is packed in it, what a query gives."""

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pypdfium2


def holds(path: Path, token: str) -> bool:
    """Whether a file holds the token, in any case of letters, as UTF-8 or UTF-16."""
    forms = [form for t in (token, token.lower(), token.upper()) for form in _encoded(t)]
    return any(form in text for text in texts(path) for form in forms)


def texts(path: Path) -> Iterator[bytes]:
    """A file's bytes; of archives, parquet files and databases also what they hold."""
    data = path.read_bytes()
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield "\n".join(archive.namelist()).encode()
            yield from map(archive.read, archive.namelist())
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    if data[:5] == b"%PDF-":
        yield from _of_pdf(data)
    if data[:4] == b"PAR1":
        yield str(duckdb.execute("select * from read_parquet(?)", [str(path)]).fetchall()).encode()
    if data[8:12] == b"DUCK":
        yield from _of_duckdb(path)
    if data[:15] == b"SQLite format 3":
        yield from _of_sqlite(path)


def _of_pdf(data: bytes) -> Iterator[bytes]:
    document = pypdfium2.PdfDocument(data)
    yield "\n".join(page.get_textpage().get_text_bounded() for page in document).encode()


def _of_duckdb(path: Path) -> Iterator[bytes]:
    with duckdb.connect(str(path), read_only=True) as database:
        tables = database.execute(
            "select database_name, schema_name, table_name, comment from duckdb_tables()"
        ).fetchall()
        for *names, comment in tables:
            name = ".".join(f'"{n}"' for n in names)
            yield str((comment, database.execute(f"from {name}").fetchall())).encode()


def _of_sqlite(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("select name from sqlite_master where type = 'table'")
        for (name,) in tables.fetchall():
            yield str(database.execute(f'select * from "{name}"').fetchall()).encode()


def _encoded(text: str) -> list[bytes]:
    return [text.encode(coding) for coding in ("utf-8", "utf-16-le", "utf-16-be")]
