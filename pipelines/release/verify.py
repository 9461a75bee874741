"""One cell, one number: a finished folder is read back before it becomes a release.

Belongs here: a small reader of each format and the comparison with the content. Does not: writing
anything, or what may be shown. Readers we did not write are in the tests; those here catch what a
writer does wrong with these very figures.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import product
from pathlib import Path

import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from pipelines import database
from pipelines.instrument import seed_rows
from pipelines.release import cube
from pipelines.release.table import EMPTY, HIDDEN, SHOWN, Content, Kind, Table

Key = tuple[object, ...]
Columns = Mapping[str, Sequence[object]]
"""What a reader found of a table: the values by column, in the file's order."""

Figure = tuple[object, object]
"""Of a key figure: how many answers, and the share in percent, unrounded or None."""


_MISSING = "finns inte eller är en för mycket"


class UnequalError(Exception):
    """A file is not the content; the message is Swedish and names file, table, key and column."""

    def __init__(self, file: str | Path, *where: object) -> None:
        place = ", ".join(str(part) for part in where)
        super().__init__(f"{file} stämmer inte med underlaget: {place}. Ingen utgåva är gjord.")


def verify(folder: Path, content: Content) -> None:
    """Reads back every figure of every file of a release and compares it with the content.

    Args:
        folder: the release's; of formats that are not in it nothing is asked.
        content: what was to be written.

    Raises:
        UnequalError: a cell differs, a table or row is missing or too many, or no reader here knows
            a file.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    read: set[Path] = set()
    for pattern, check in _CHECKS.items():
        if found := [path for path in files if path.relative_to(folder).match(pattern)]:
            check(folder, found, content)
            read.update(found)
    for path in files:
        name = path.relative_to(folder)
        if path not in read and not any(name.match(pattern) for pattern in _WITHOUT_FIGURES):
            raise UnequalError(name, "filen är okänd och kan inte läsas tillbaka")


# --- the open tables ----------------------------------------------------------------------------


def _csv(folder: Path, files: Sequence[Path], content: Content) -> None:
    read = {path.stem: _csv_columns(path) for path in files}
    _compare_all("open/csv/{}.csv", read, content, _of_text)


def _parquet(folder: Path, files: Sequence[Path], content: Content) -> None:
    read = {path.stem: pq.read_table(path).to_pydict() for path in files}
    _compare_all("open/parquet/{}.parquet", read, content)


def _workbook(folder: Path, files: Sequence[Path], content: Content) -> None:
    for path in files:
        read = {name: columns for name, columns in _sheets(path) if name in content.tables}
        _compare_all(path.relative_to(folder).as_posix(), read, content, _of_cell)


def _duckdb(folder: Path, files: Sequence[Path], content: Content) -> None:
    for path in files:
        with database.connect(path, read_only=True) as connection:
            names = connection.execute("select table_name from duckdb_tables()").fetchall()
            read = {
                name: connection.execute(f'from "{name}"').to_arrow_table().to_pydict()
                for (name,) in names
            }
        _compare_all(path.relative_to(folder).as_posix(), read, content)


def _compare_all(
    file: str,
    read: Mapping[str, Columns],
    content: Content,
    parse: Callable[[Kind, object], object] | None = None,
) -> None:
    """Compares all tables; `file` names their file, with {} for the table where each has one."""
    for name in sorted(read.keys() | content.tables.keys()):
        if name not in read or name not in content.tables:
            raise UnequalError(file.format(name), name, _MISSING)
        _compare(file.format(name), content[name], read[name], parse)


def _compare(
    file: str,
    table: Table,
    read: Columns,
    parse: Callable[[Kind, object], object] | None,
) -> None:
    """Compares a table cell by cell.

    Args:
        file: as the message names it.
        table: what was to be written.
        read: what was found.
        parse: makes a value of a column's kind of what was read, where the format does not; then no
            text and None are the same.
    """
    if list(read) != [column.name for column in table.columns]:
        raise UnequalError(file, table.name, "kolumnerna")
    for index, column in enumerate(table.columns):
        wanted: list[object] = [row[index] for row in table.rows]
        found = list(read[column.name])
        if parse:
            known = {cell: parse(column.kind, cell) for cell in set(found)}
            found = [known[cell] for cell in found]
            wanted = [None if cell == "" else cell for cell in wanted]
        if len(found) != len(wanted):
            raise UnequalError(file, table.name, "antalet rader")
        if found != wanted:
            place = next(i for i, cell in enumerate(found) if cell != wanted[i])
            raise UnequalError(file, table.name, _told(_keys(table)[place]), column.name)


def _keys(table: Table) -> list[Key]:
    return [tuple(record[name] for name in table.key) for record in table.records()]


def _told(key: Key) -> str:
    return "/".join(map(str, key))


def _csv_columns(path: Path) -> dict[str, Sequence[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";", strict=True)
    return dict(zip(header, list(zip(*rows, strict=True)) or [()] * len(header), strict=True))


def _sheets(path: Path) -> Iterator[tuple[str, Columns]]:
    """The sheets of a workbook, taken for tables with a header in the first row."""
    book = CalamineWorkbook.from_path(path)
    for name in book.sheet_names:
        header, *rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        names = [str(cell) for cell in header]
        cells = list(zip(*rows, strict=True)) or [()] * len(names)
        yield name, dict(zip(names, cells, strict=True))


def _of_cell(kind: Kind, cell: object) -> object:
    """The value that a cell of a workbook says: its numbers have no kinds, nor have its dates."""
    if isinstance(cell, float) and kind in ("integer", "decimal", "ratio"):
        return Decimal(repr(cell))
    return None if cell == "" else cell


def _of_text(kind: Kind, cell: object) -> object:
    """The value that a cell of a CSV file says; what is none of its kind stays as it is."""
    text = str(cell)
    if text == "":
        return None
    try:
        return _OF_TEXT[kind](text)
    except (ValueError, KeyError, InvalidOperation):
        return text


def _of_inert(text: str) -> str:
    """A text without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return (
        text[1:]
        if text[0] == "'" and text[1:].startswith(("=", "+", "-", "@", "\t", "\r"))
        else text
    )


_OF_TEXT: Mapping[Kind, Callable[[str], object]] = {
    "text": _of_inert,
    "integer": int,
    "decimal": lambda text: Decimal(text.replace(",", ".")),
    "ratio": lambda text: Decimal(text.replace(",", ".")),
    "boolean": {"true": True, "false": False}.__getitem__,
    "date": date.fromisoformat,
}


# --- what registries receive --------------------------------------------------------------------


def _kolada(folder: Path, files: Sequence[Path], content: Content) -> None:
    for path in files:
        read: dict[Key, Figure] = {}
        for row in json.loads(path.read_bytes())["values"]:
            for value in row["values"]:
                key = (row["kpi"], row["municipality"], row["period"], value["gender"])
                is_sound = (value["status"] == "") == (value["value"] is not None)
                read[key] = (value["count"], value["value"] if is_sound else value["status"])
        _compare_key_figures(path.relative_to(folder), read, content)


def _rka_csv(folder: Path, files: Sequence[Path], content: Content) -> None:
    for path in files:
        _compare_delivery(path.relative_to(folder), _csv_columns(path), content)


def _rka_workbook(folder: Path, files: Sequence[Path], content: Content) -> None:
    for path in files:
        *_, (_, columns) = _sheets(path)
        _compare_delivery(path.relative_to(folder), columns, content)


def _compare_delivery(file: Path, columns: Columns, content: Content) -> None:
    """Compares the delivery to RKA, whose columns the seed `rka_columns` names."""
    fields = {row["column_name"]: row["field"] for row in seed_rows("rka_columns")}
    if list(columns) != list(fields):
        raise UnequalError(file, "kolumnerna")
    named = {fields[name]: cells for name, cells in columns.items()}
    for field in ("period", "count", "value"):
        named[field] = [_number(cell) for cell in named[field]]
    keys = zip(*(named[name] for name in content["key_figures"].key), strict=True)
    figures = zip(named["count"], named["value"], strict=True)
    _compare_key_figures(file, dict(zip(keys, figures, strict=True)), content)


def _number(cell: object) -> object:
    """The number in a cell of a CSV file or a workbook; what is none stays as it is."""
    found = _of_text("decimal", cell)
    return float(found) if isinstance(found, Decimal) else found


def _compare_key_figures(file: Path, read: Mapping[Key, Figure], content: Content) -> None:
    """Compares all key figures; a value, which is not rounded, with the quotient of integers."""
    table = content["key_figures"]
    wanted: dict[Key, Figure] = {}
    for key, row in zip(_keys(table), table.records(), strict=True):
        part, whole, value = row["n_positive"], row["count"], None
        if row["status"] == SHOWN and isinstance(part, int) and isinstance(whole, int):
            value = 100 * part / whole
        wanted[key] = (whole, value)
    for key in sorted(wanted.keys() | read.keys(), key=str):
        if wanted.get(key) != read.get(key):
            raise UnequalError(file, table.name, _told(key), "value, count")


def _isf(folder: Path, files: Sequence[Path], content: Content) -> None:
    """Compares each row of the extract with the row of `measure_results` it was taken from."""
    table = content["measure_results"]
    kinds = {column.name: column.kind for column in table.columns}
    rows = dict(zip(_keys(table), table.rows, strict=True))
    for path in files:
        file, columns = path.relative_to(folder), _csv_columns(path)
        if missing := kinds.keys() - columns.keys():
            raise UnequalError(file, table.name, "kolumnerna", *sorted(missing))
        keys = zip(*([_of_text(kinds[n], c) for c in columns[n]] for n in table.key), strict=True)
        found = list(keys)
        if strange := [key for key in found if key not in rows]:
            raise UnequalError(file, table.name, _told(strange[0]))
        extract = replace(table, rows=tuple(rows[key] for key in found))
        _compare(file.as_posix(), extract, {name: columns[name] for name in kinds}, _of_text)


# --- the cubes ----------------------------------------------------------------------------------

Cube = Mapping[frozenset[str], Decimal | str]
"""A number or the sign of why there is none, by the codes of contents, unit, gender and time."""


def _px(folder: Path, files: Sequence[Path], content: Content) -> None:
    cubes = {path.stem: _px_cube(path) for path in files}
    _compare_cubes("open/px/{}.px", cubes, content)


def _px_cube(path: Path) -> Cube:
    fields = dict(_PX_FIELD.findall(path.read_text(encoding="utf-8")))
    dimensions = _quoted(fields["STUB"]) + _quoted(fields["HEADING"])
    codes = [_quoted(fields[f'CODES("{name}")']) for name in dimensions]
    cells = [
        cell.strip('"') if cell.startswith('"') else Decimal(cell)
        for cell in fields["DATA"].split()
    ]
    return dict(zip(map(frozenset, product(*codes)), cells, strict=True))


_PX_FIELD = re.compile(r"""^([A-Z-]+(?:\("[^"]*"\))?)=((?:"[^"]*"|[^";])*);""", re.MULTILINE)


def _quoted(text: str) -> list[str]:
    return re.findall(r'"([^"]*)"', text)


def _jsonstat(folder: Path, files: Sequence[Path], content: Content) -> None:
    cubes = {path.stem: _jsonstat_cube(path) for path in files}
    _compare_cubes("open/jsonstat/{}.json", cubes, content)


def _jsonstat_cube(path: Path) -> Cube:
    read = json.loads(path.read_bytes(), parse_float=Decimal)
    indexes = [read["dimension"][name]["category"]["index"] for name in read["id"]]
    codes = [sorted(index, key=index.__getitem__) for index in indexes]
    signs = read["status"]
    cells = [
        signs[str(place)] if value is None else Decimal(value)
        for place, value in enumerate(read["value"])
    ]
    return dict(zip(map(frozenset, product(*codes)), cells, strict=True))


def _compare_cubes(file: str, read: Mapping[str, Cube], content: Content) -> None:
    """Compares cubes with `measure_results`; what has no row there has no answers."""
    name = "measure_results"
    wanted: dict[str, dict[frozenset[str], object]] = {}
    for row in content[name].records():
        if row["level"] in cube.LEVELS:
            cells = wanted.setdefault(str(row["questionnaire_id"]), {})
            sign = EMPTY if row["status"] == EMPTY else HIDDEN
            for figure in ("share", "n"):
                where = (f"{row['measure_id']}_{figure}", row["unit_id"], row["gender"])
                value = sign if row[figure] is None else row[figure]
                cells[frozenset(map(str, (*where, content.round)))] = value
    for questionnaire in sorted(read.keys() | wanted.keys()):
        if questionnaire not in read or questionnaire not in wanted:
            raise UnequalError(file.format(questionnaire), name, _MISSING)
        found, cells = read[questionnaire], wanted[questionnaire]
        for codes in found.keys() | cells.keys():
            if found.get(codes) != cells.get(codes, EMPTY):
                raise UnequalError(file.format(questionnaire), name, "/".join(sorted(codes)))


_CHECKS: Mapping[str, Callable[[Path, Sequence[Path], Content], None]] = {
    "open/csv/*.csv": _csv,
    "open/parquet/*.parquet": _parquet,
    "open/*.xlsx": _workbook,
    "open/*.duckdb": _duckdb,
    "open/px/*.px": _px,
    "open/jsonstat/*.json": _jsonstat,
    "kolada/data.json": _kolada,
    "rka/*.csv": _rka_csv,
    "rka/*.xlsx": _rka_workbook,
    "isf/*.csv": _isf,
}
_WITHOUT_FIGURES = (
    "open/datapackage.json",
    "open/csv-metadata.json",
    "open/catalog.rdf",
    "kolada/kpi.json",
    "kolada/municipality.json",
)
