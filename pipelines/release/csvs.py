"""CSV as a Swedish Excel opens it, and a release's open tables as such files.

Belongs here: the one dialect of every CSV file of a release and how a value is written in it. Does
not: which columns a receiver wants, or the description of the files (datapackage.py).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipelines.release.table import Content, Value

ENCODING = "utf-8-sig"
DELIMITER, LINE_END, DECIMAL_MARK = ";", "\r\n", ","
TRUE, FALSE = "true", "false"
INERT = "'"
"""Put before a text that a spreadsheet would take for a formula."""
_LIVE = ("=", "+", "-", "@", "\t", "\r")


def path_of(name: str) -> str:
    """Where the CSV file of a table lies, from the folder of open data."""
    return f"csv/{name}.csv"


def write(content: Content, folder: Path) -> None:
    """Writes every table as `open/csv/<table>.csv` under the release's folder.

    Raises:
        OSError: a file cannot be written.
    """
    for name, table in content.tables.items():
        header = [column.name for column in table.columns]
        write_csv(folder / "open" / path_of(name), header, table.rows)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Writes a CSV file and the folder it lies in: `;`, UTF-8 with BOM, CRLF, decimal comma.

    A boolean is true or false, a date ISO, None empty. A text that begins as a formula does gets a
    leading apostrophe; numbers stay numbers.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=ENCODING, newline="") as file:
        writer = csv.writer(file, delimiter=DELIMITER, lineterminator=LINE_END)
        writer.writerow([text(cell) for cell in header])
        writer.writerows([text(cell) for cell in row] for row in rows)


def text(value: Value) -> str:
    """A value as it stands in a cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return INERT + value if value.startswith(_LIVE) else value
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", DECIMAL_MARK)
    return value.isoformat() if isinstance(value, date) else str(value)
