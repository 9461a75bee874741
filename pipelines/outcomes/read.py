"""One outcome file: bytes in, typed rows and findings out.

Belongs here: which table a file is of, what each of its cells says, personal data. Does not: the
file's format (web/export.py, workbook/), contradictions between cells and rows (the expectations).

The first row is the header and tells the table. A row with a cell that is not understood does not
count and is not in what is read; a file with personal data is not read at all. What identifies a
participation is kept as a digest that tells repeats, never as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines.findings import Finding, finding, thresholds
from pipelines.instrument import Instrument
from pipelines.outcomes import facts
from pipelines.outcomes.tables import COUNTS, PARTICIPATIONS, STUDY, TABLES, Column, columns_of
from pipelines.web.export import read_export
from pipelines.workbook.cells import (
    Cell,
    address,
    blank,
    column_letters,
    normalised,
    plain_text,
    typed,
)
from pipelines.workbook.gate import LIMITS, Inspection
from pipelines.workbook.native import SUFFIXES, Book, RefusedError
from pipelines.workbook.personal import (
    HIDDEN,
    PERSONAL_RULES,
    PHONE,
    personal_data,
    personal_data_in,
)
from pipelines.workbook.structure import ReadBook, Report, listed

if TYPE_CHECKING:
    import pyarrow as pa

MOST = replace(LIMITS, file=100 << 20, rows=500_000, columns=100)
"""What no honest outcome file comes near, as CSV; a workbook has the limits of all workbooks."""

_CSV = ".csv"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LEAST_ALIKE = 2  # columns from which a header is meant to be a table's


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from a file.

    Attributes:
        findings: what is wrong with it; a stop among them keeps the file out.
        table: which one it is of, when that is known.
        rows: those whose cells are understood: `row` and the columns of the table, None where
            blank; of participations `key` instead of participation_id. None after a stop.
        n_rows: rows of data in the file.
        sheet: the title of the sheet; empty of a CSV.
        places: header and position of each column that was read, by its name.
    """

    findings: tuple[Finding, ...]
    table: str | None = None
    rows: pa.Table | None = None
    n_rows: int = 0
    sheet: str = ""
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet whose header is a table's.

    Attributes:
        names: the columns of the table, in its order.
        columns: those of them that it has, with their positions.
        numbers: of its rows of data, counted as Excel does.
        cells: its columns, one tuple a position.
    """

    title: str
    table: str
    names: Sequence[str]
    columns: Mapping[str, tuple[Column, int]]
    header: Sequence[Cell]
    numbers: Sequence[int]
    cells: Sequence[tuple[Cell, ...]]
    report: Report


def read_file(
    data: bytes, file: str, instrument: Instrument, associations: Collection[str], read: ReadBook
) -> Reading:
    """What one outcome file says.

    Args:
        data: its bytes; none when it may not be read.
        file: its name in findings.
        instrument: the seeds.
        associations: the ids of the register.
        read: what reads a workbook, in a process that has little to lose.

    Returns:
        The reading. Nothing in a file makes this raise: one that cannot be loaded has a finding of
        severity stop.
    """
    report = partial(finding, file=file)
    tables = _tables(instrument, tuple(associations))
    try:
        book, inspection = _book(data, file, tables, read)
    except RefusedError as refused:
        return Reading((report(refused.rule_id, wanted=refused.wanted),))
    found = [report("personal_file_name")] if personal_data(file) else []
    found += _personal(book, inspection, report)
    sheet = _sheet(book, tables, found, report)
    if sheet is None:
        return Reading(tuple(found))
    found += _hollow(sheet, inspection)
    places = {name: (str(sheet.header[i]), i) for name, (_, i) in sheet.columns.items()}
    reading = Reading(tuple(found), sheet.table, None, len(sheet.numbers), sheet.title, places)
    if any(f.severity == "stop" for f in found):
        return reading
    values, told, bad = _values(sheet)
    told += _completed(sheet, values, bad, associations)
    rows = _rows(sheet, values, bad)
    return replace(reading, findings=(*found, *told), rows=rows)


@lru_cache(4)
def _tables(
    instrument: Instrument, associations: tuple[str, ...]
) -> Mapping[str, Sequence[Column]]:
    """The columns that files may have, by table; they remember the cells of all files."""
    return {table: columns_of(table, instrument, associations) for table in TABLES}


# --- the file -----------------------------------------------------------------------------------


def _book(
    data: bytes, file: str, tables: Mapping[str, Sequence[Column]], read: ReadBook
) -> tuple[Book, Inspection]:
    """The sheets of a file; a CSV is one without a title.

    Raises:
        RefusedError: it is of another format, damaged, or beyond the limits.
    """
    suffix = PurePosixPath(file).suffix.casefold()
    if suffix in SUFFIXES:
        return read(data, file)
    if suffix != _CSV:
        raise RefusedError("outcome_format", suffix or "ingen filändelse")
    known = {column.name for columns in tables.values() for column in columns}
    rows = read_export(data, file, lambda header: normalised(header) in known, MOST)
    return Book(("",), {"": rows}), Inspection((), ())


def _personal(book: Book, inspection: Inspection, report: Report) -> Iterator[Finding]:
    """Personal data in any cell or beside.

    What names a participation may be any number or UUID but a personal identity number: a
    telephone number cannot be told from others there.
    """
    for place in inspection.beside:
        yield report("personal_number_beside", wanted=place)
    for number, title in enumerate(book.titles, start=1):
        if personal_data(title):
            yield report("personal_sheet_name", sheet=title, wanted=number)
    told = 0
    for sheet, cell, kind in personal_data_in(book):
        if cell and told < thresholds()["cap"] and not _is_a_name(book, sheet, cell, kind):
            told += 1
            yield report(PERSONAL_RULES[kind], sheet=sheet, cell=cell, value=HIDDEN)


def _is_a_name(book: Book, sheet: str, cell: str, kind: str) -> bool:
    """Whether what looks personal is the name of a participation."""
    rows = book.rows.get(sheet, [])
    letters = cell.rstrip("0123456789")
    number = int(cell[len(letters) :])
    place = next((i for i, _ in enumerate(rows[0]) if column_letters(i) == letters), -1)
    if number == 1 or place < 0 or normalised(rows[0][place]) != "participation_id":
        return False
    return kind == PHONE or bool(_UUID.fullmatch(plain_text(rows[number - 1][place])))


# --- the header ---------------------------------------------------------------------------------


def _sheet(
    book: Book, tables: Mapping[str, Sequence[Column]], found: list[Finding], report: Report
) -> _Sheet | None:
    """The sheet whose first row is a table's header; None with a finding when there is none."""
    filled = [t for t in book.titles if any(not blank(c) for r in book.rows.get(t, []) for c in r)]
    known = {title: _table_of(book.rows[title][0], tables) for title in filled}
    ours = [title for title in filled if known[title]]
    for title in book.titles:
        if title not in book.rows:
            found.append(report("unreadable", sheet=title))
        elif title in filled and title not in ours[:1] and ours:
            found.append(report("sheet_unknown", sheet=title))
    if not ours:
        wanted = "; ".join(", ".join(c.name for c in columns) for columns in tables.values())
        cell = {"sheet": filled[0], "cell": "1:1"} if filled else {}
        rule = "outcome_header_unknown" if filled else "outcome_empty"
        found.append(report(rule, wanted=wanted, **cell))
        return None
    title, table = ours[0], str(known[ours[0]])
    sheet = _with_columns(title, book.rows[title], table, tables[table], found, report)
    if sheet is not None and not sheet.numbers:
        found.append(sheet.report("outcome_empty"))
    return sheet


def _table_of(header: Sequence[Cell], tables: Mapping[str, Sequence[Column]]) -> str | None:
    """The table that a header has most columns of; None when that are hardly any."""
    names = set(map(normalised, header))
    alike = {table: sum(c.name in names for c in columns) for table, columns in tables.items()}
    table = max(alike, key=lambda t: (_share(alike[t], tables[t]), alike[t]))
    return table if alike[table] >= _LEAST_ALIKE else None


def _share(n: int, columns: Sequence[Column]) -> float:
    return n / len(columns)


def _with_columns(
    title: str,
    rows: Sequence[list[Cell]],
    table: str,
    columns: Sequence[Column],
    found: list[Finding],
    report: Report,
) -> _Sheet | None:
    """The sheet with its columns; None with a finding when some are missing or stand twice."""
    of_sheet = partial(report, sheet=title)
    header, by_name = rows[0], {c.name: c for c in columns}
    positions: dict[str, tuple[Column, int]] = {}
    for i, cell in enumerate(header):
        name = normalised(cell)
        if name in positions:
            at = {"cell": address(1, i), "question": cell}
            found.append(of_sheet("column_repeated", **at))
            return None
        if name in by_name:
            positions[name] = by_name[name], i
        elif not blank(cell):
            found.append(of_sheet("column_unknown", cell=address(1, i), value=cell))
    absent = [c for c in columns if c.name not in positions]
    if missing := [*_missing(table, absent)]:
        found.append(of_sheet("outcome_column_missing", cell="1:1", wanted=", ".join(missing)))
        return None
    if "insats_kod" in {c.name for c in absent}:
        at = {"question": "insats_kod", "wanted": "insats_kod"}
        found.append(of_sheet("field_missing", **at))
    data = [(n, row) for n, row in enumerate(rows[1:], start=2) if not all(map(blank, row))]
    cells = list(zip(*(row for _, row in data), strict=True))
    numbers = [n for n, _ in data]
    names = [c.name for c in columns]
    return _Sheet(title, table, names, positions, header, numbers, cells, of_sheet)


def _missing(table: str, absent: Sequence[Column]) -> Iterator[str]:
    """The columns that a file cannot do without; work may be given as a whole or by its parts."""
    names = {c.name for c in absent}
    yield from (c.name for c in absent if c.is_required)
    if table == COUNTS and "work" in names and names & set(facts.load().parts_of("work")):
        yield "work"


def _hollow(sheet: _Sheet, inspection: Inspection) -> Iterator[Finding]:
    """What reads as blank though something stands there, and whether the sheet is hidden."""
    if sheet.title in inspection.hidden:
        yield sheet.report("hidden_sheet")
    for title, cell, error in inspection.hollow[: thresholds()["cap"]]:
        if title == sheet.title:
            rule = "excel_error" if error else "formula_without_value"
            yield sheet.report(rule, cell=cell, value=error)


# --- the cells ----------------------------------------------------------------------------------

Values = dict[str, list[Any]]


def _values(sheet: _Sheet) -> tuple[Values, list[Finding], set[int]]:
    """The columns' values, what is wrong with cells, and the rows that do not count for it."""
    values: Values = {name: [None] * len(sheet.numbers) for name in sheet.names}
    found: list[Finding] = []
    bad: set[int] = set()
    for name, (column, i) in sheet.columns.items():
        given, unknown = typed(sheet.cells[i], column.kind)
        values[name] = list(given)
        found += _told(sheet, name, column.kind.rule, unknown, column.kind.wanted)
        missing: list[int] = []
        if not column.is_blank:
            odd = set(unknown)
            missing = [k for k, v in enumerate(given) if v is None and k not in odd]
            found += _told(sheet, name, "outcome_blank", missing)
        bad.update(() if column.keeps_row else unknown, missing)
    return values, found, bad


def _told(
    sheet: _Sheet, name: str, rule: str, rows: Sequence[int], wanted: str = ""
) -> Iterator[Finding]:
    """A finding per cell of a column, or one of them all when they are many."""
    column = sheet.columns[name][1]
    at: dict[str, Any] = {"question": sheet.header[column], "wanted": wanted}
    if len(rows) > thresholds()["apart"]:
        letters = column_letters(column)
        value = sheet.cells[column][rows[0]]
        about = sheet.report(rule, cell=f"{letters}:{letters}", value=value, **at)
        which = listed([sheet.numbers[k] for k in rows])
        yield replace(about, wrong=f"{about.wrong} Det gäller {len(rows)} rader: {which}.")
        return
    for k in rows:
        cell = address(sheet.numbers[k], column)
        yield sheet.report(rule, cell=cell, value=sheet.cells[column][k], **at)


def _completed(
    sheet: _Sheet, values: Values, bad: set[int], associations: Collection[str]
) -> list[Finding]:
    """Works out what may be left blank; what cannot be is a finding."""
    if sheet.table == COUNTS:
        return _with_work(sheet, values, bad)
    if sheet.table == STUDY:
        return _with_units(sheet, values, bad, associations)
    return []


def _with_work(sheet: _Sheet, values: Values, bad: set[int]) -> list[Finding]:
    """Work from its parts, and active next from active and ended, where they are blank."""
    parts = [values[f] for f in facts.load().parts_of("work")]
    unknown = []
    for k in range(len(sheet.numbers)):
        split = [part[k] for part in parts]
        if values["work"][k] is None and k not in bad:
            if None in split:
                unknown.append(k)
            else:
                values["work"][k] = sum(split)
        if values["active_next"][k] is None and k not in bad:
            values["active_next"][k] = values["active"][k] - values["ended"][k]
    bad.update(unknown)
    name = next(n for n in ("work", *facts.load().parts_of("work")) if n in sheet.columns)
    return [*_told(sheet, name, "outcome_blank", unknown)]


def _with_units(
    sheet: _Sheet, values: Values, bad: set[int], associations: Collection[str]
) -> list[Finding]:
    """The ids of units as the register has them; the nation's may be blank."""
    ids = {normalised(a): a for a in associations}
    nation = facts.load().nation_id
    words = {normalised(nation), "", *(normalised(w) for w in ("nation", "riket"))}
    missing: list[int] = []
    unknown: list[int] = []
    for k, level in enumerate(values["level"]):
        unit = normalised(values["unit_id"][k] or "")
        if k in bad:
            continue
        known = ids.get(unit) if level != "nation" else nation if unit in words else None
        values["unit_id"][k] = known
        if known is None:
            (missing if not unit else unknown).append(k)
    bad.update(missing, unknown)
    blank_, strange = "outcome_blank", "outcome_association_unknown"
    return [
        *_told(sheet, "unit_id", blank_, missing),
        *_told(sheet, "unit_id", strange, unknown),
    ]


# --- the rows -----------------------------------------------------------------------------------


def _rows(sheet: _Sheet, values: Values, bad: set[int]) -> pa.Table:
    """The rows whose cells are understood."""
    import pyarrow as pa

    if sheet.table == PARTICIPATIONS:
        named = zip(
            values["association_id"],
            values["insats_kod"],
            values.pop("participation_id"),
            strict=True,
        )
        values["key"] = list(map(_key, named))
    kept = [k for k in range(len(sheet.numbers)) if k not in bad]
    types = _types(pa)
    columns = {"row": pa.array([sheet.numbers[k] for k in kept], pa.int32())}
    for name, given in values.items():
        chosen = given if not bad else [given[k] for k in kept]
        columns[name] = pa.array(chosen, types.get(name, pa.int64()))
    return pa.table(columns)


def _key(named: tuple[str | None, str | None, str | None]) -> str | None:
    """What tells a participation from others of the association and activity; None: nothing."""
    association, activity, name = named
    if name is None:
        return None
    text = f"{association}\0{normalised(activity or '')}\0{name}"
    return blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def _types(pa: Any) -> dict[str, Any]:
    """The types of the columns that are no numbers."""
    texts = ("association_id", "insats_kod", "kon", "exit_reason", "key", "level", "unit_id")
    days = ("start_date", "end_date", "period_start", "period_end")
    text: Callable[[], Any] = pa.string
    return dict.fromkeys((*texts, "source"), text()) | dict.fromkeys(days, pa.date32())
