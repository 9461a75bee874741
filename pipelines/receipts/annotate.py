"""An association's own workbook with its findings marked: coloured and commented cells, a list.

Belongs here: marking a copy with openpyxl, in the sandbox, since openpyxl trusts what it opens.
Does not: what is wrong and how it is worded (page.py), and never the file received, which is
only read.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.files import write_bytes, write_text
from pipelines.workbook.gate import regular_file
from pipelines.workbook.native import Book, RefusedError
from pipelines.workbook.personal import HIDDEN, personal_data, personal_data_in
from pipelines.workbook.sandbox import Reader, serve
from pipelines.workbook.structure import RECEIPT_SHEET

COLUMNS = (
    *("Nivå", "Blad", "Cell", "Fråga", "Ditt värde", "Vad är fel", "Gör så här"),
    *("Regel", "Fil"),
)
"""The nine fields of a finding as the list shows them."""

_COMMAND = (sys.executable, "-B", "-E", "-s", "-m", "pipelines.receipts.annotate")
_AUTHOR = "NNS granskning"
_TITLE = "Granskning av "
_FILLS = {"stopp": "F2B8B5", "fel": "F9D5D3", "varning": "FFF0B3", "info": "D6E6F7"}
_FONT = "Calibri"
_WIDTHS = (10, 22, 8, 32, 22, 44, 60, 20, 26)
_ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})(?::.*)?")
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 16_384
_TIME = (1980, 1, 1, 0, 0, 0)
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding as the copy tells it; the fields are those of COLUMNS."""

    level: str
    sheet: str
    cell: str
    question: str
    value: str
    wrong: str
    remedy: str
    rule: str
    file: str


@dataclass(frozen=True, slots=True)
class Job:
    """A copy to make.

    Attributes:
        source: the file received; left alone when its bytes are no longer those of `sha256`.
        target: where the copy goes.
        title: whose file it is and which round's.
        lines: what stands between the title and the list.
        written: the time the copy's properties hold, ISO 8601 without zone.
    """

    source: str
    sha256: str
    target: str
    title: str
    lines: Sequence[str]
    marks: Sequence[Mark]
    written: str

    @property
    def fingerprint(self) -> str:
        """Changes whenever the copy would."""
        content = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256((_code() + content).encode()).hexdigest()


class NotMarkedError(Exception):
    """The workbook cannot be marked safely."""


def annotator() -> Reader:
    """A sandbox that makes copies, see `annotate_all`; its process starts with the first one."""
    return Reader(_COMMAND)


def annotate_all(jobs: Sequence[Job], record: Path, sandbox: Reader) -> set[str]:
    """Makes the copies that are new or changed; one that fails is left out, the others are made.

    Args:
        jobs: the copies there should be.
        record: a JSON file that remembers what was made, or could not be, of which job.
        sandbox: an open `annotator`.

    Returns:
        The targets that are there now.
    """
    tried = _read_record(record)
    due = [job for job in jobs if not _is_done(job, tried)]
    if due:
        new = {job.target: _make(job, sandbox) for job in due}
        kept = {target: entry for target, entry in tried.items() if Path(target).exists()}
        tried = kept | new
        write_text(record, json.dumps(tried, indent=1))
    return {job.target for job in jobs if tried[job.target][1]}


def annotate(data: bytes, job: Job) -> bytes:
    """The workbook in `data` with the job's marks; the same input gives the same bytes.

    Validations, conditional formats, protection and, in .xlsm, macros are kept. Personal data in
    cells and comments is not; nor are the file's properties, which may name people.

    Raises:
        NotMarkedError: personal data stands where it cannot be taken away, anywhere in the file.
        Exception: openpyxl cannot open the workbook.
    """
    import warnings

    from openpyxl import load_workbook
    from openpyxl.packaging.core import DocumentProperties
    from openpyxl.packaging.custom import CustomPropertyList

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(io.BytesIO(data), keep_vba=job.target.endswith(".xlsm"))
    _remove_earlier(book)
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    _hide_personal_data(sheets)
    by_cell: dict[Any, list[Mark]] = {}
    for mark in job.marks:
        cell = _cell(sheets.get(mark.sheet), mark.cell)
        if cell is not None:
            by_cell.setdefault(cell, []).append(mark)
        elif mark.value == HIDDEN:
            raise NotMarkedError
    for cell, marks in by_cell.items():
        _mark(cell, marks)
    _write_list(book, job, sheets)
    written = datetime.fromisoformat(job.written)
    book.properties = DocumentProperties(creator=_AUTHOR, created=written, modified=written)
    book.custom_doc_props = CustomPropertyList()
    saved = _saved(book)
    if any(map(personal_data, _texts_of(saved))):
        raise NotMarkedError
    return saved


def _hide_personal_data(sheets: Mapping[str, Any]) -> None:
    """Takes personal data out of cells, their comments and links, found or not by the reader.

    Raises:
        NotMarkedError: it is a sheet's name.
    """
    rows = {
        title: [list(map(_as_read, row)) for row in sheet.iter_rows(values_only=True)]
        for title, sheet in sheets.items()
    }
    for title, address, _ in personal_data_in(Book(tuple(sheets), rows)):
        if not address:
            raise NotMarkedError
        _hide(sheets[title][address])
    for sheet in sheets.values():
        for row in sheet.iter_rows():
            for cell in row:
                beside = (
                    cell.comment and f"{cell.comment.author}\n{cell.comment.text}",
                    cell.hyperlink and cell.hyperlink.target,
                )
                if any(map(personal_data, filter(None, beside))):
                    cell.comment = cell.hyperlink = None


def _hide(cell: Any) -> None:
    _write(cell, HIDDEN)
    cell.comment = cell.hyperlink = None


def _as_read(value: Any) -> Any:
    """A cell's value as the reader gives it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    return value if isinstance(value, str) else float(value)


# --- marking cells ------------------------------------------------------------------------------


def _cell(sheet: Any, address: str) -> Any:
    """The cell a mark is about, the first of a range or merged area, or None."""
    from openpyxl.utils.cell import coordinate_to_tuple

    match = _ADDRESS.fullmatch(address)
    if sheet is None or match is None:
        return None
    row, column = coordinate_to_tuple(match[1] + match[2])
    if row > _MOST_ROWS or column > _MOST_COLUMNS:
        return None
    for area in sheet.merged_cells.ranges:
        if area.min_row <= row <= area.max_row and area.min_col <= column <= area.max_col:
            row, column = area.min_row, area.min_col
    return sheet.cell(row, column)


def _mark(cell: Any, marks: Sequence[Mark]) -> None:
    """Colours the cell and says in a comment what is wrong, above what others wrote there."""
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    parts = [f"{m.level.upper()}: {m.wrong}\nGör så här: {m.remedy}" for m in marks]
    if any(m.value == HIDDEN for m in marks):
        _hide(cell)
    if cell.comment:
        parts.append(cell.comment.text)
    text = _plain("\n\n".join(parts))
    cell.comment = Comment(text, _AUTHOR, width=380, height=40 + 18 * _lines(text, 52))
    cell.fill = PatternFill("solid", fgColor=_FILLS[marks[0].level])


def _remove_earlier(book: Any) -> None:
    """Takes away the list and the marks of an earlier receipt that was sent back to us."""
    from openpyxl.styles import PatternFill

    earlier = [s for s in book.worksheets if str(s["A1"].value).startswith(_TITLE)]
    if not earlier or len(earlier) == len(book.worksheets):
        return
    for sheet in earlier:
        book.remove(sheet)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.comment is not None and cell.comment.author == _AUTHOR:
                    cell.comment, cell.fill = None, PatternFill()


# --- the list -----------------------------------------------------------------------------------


def _write_list(book: Any, job: Job, sheets: dict[str, Any]) -> None:
    """A first sheet that lists the marks, to be filtered, with a link to each cell."""
    page = book.create_sheet(RECEIPT_SHEET, 0)
    _write(page["A1"], f"{_TITLE}{job.title}", bold=True, size=14)
    for number, line in enumerate(job.lines, start=2):
        _write(page.cell(number, 1), line)
    header = len(job.lines) + 3
    for column, name in enumerate(COLUMNS, start=1):
        _write(page.cell(header, column), name, bold=True, wrap=True)
    for number, mark in enumerate(job.marks, start=header + 1):
        _write_row(page, number, mark, sheets.get(mark.sheet))
    _dress(page, header)
    for sheet in book.worksheets + book.chartsheets:
        for view in getattr(sheet.views, "sheetView", ()):
            view.tabSelected = False  # else Excel edits all selected sheets at once
    book.active = 0


def _write_row(page: Any, number: int, mark: Mark, sheet: Any) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.worksheet.hyperlink import Hyperlink

    texts = list(asdict(mark).values())
    for column, text in enumerate(texts, start=1):
        _write(page.cell(number, column), text, wrap=True)
    page.cell(number, 1).fill = PatternFill("solid", fgColor=_FILLS[mark.level])
    lines = max(_lines(text, width - 2) for text, width in zip(texts, _WIDTHS, strict=True))
    page.row_dimensions[number].height = 15.5 * min(lines, 26)
    if sheet is not None and sheet.sheet_state == "visible" and _ADDRESS.fullmatch(mark.cell):
        link = page.cell(number, COLUMNS.index("Cell") + 1)
        title = sheet.title.replace("'", "''")
        link.hyperlink = Hyperlink(link.coordinate, location=f"'{title}'!{mark.cell}")
        link.font = Font(name=_FONT, color="12508C", underline="single")


def _dress(page: Any, header: int) -> None:
    """Filter, widths, and a page that prints on A4."""
    from openpyxl.worksheet.properties import PageSetupProperties

    for column, width in zip("ABCDEFGHI", _WIDTHS, strict=True):
        page.column_dimensions[column].width = width
    page.auto_filter.ref = f"A{header}:I{max(page.max_row, header + 1)}"
    page.freeze_panes = f"A{header + 1}"
    page.print_options.gridLines = True
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.print_title_rows = f"{header}:{header}"


def _write(cell: Any, text: str, *, bold: bool = False, size: int = 11, wrap: bool = False) -> None:
    """Writes a text that stays one: never a formula, not even once it is edited."""
    from openpyxl.styles import Alignment, Font

    text = _plain(text)
    cell.value = text
    if text:
        cell.data_type = "s"
    if text.startswith(_STARTS_FORMULA):
        cell.quotePrefix = True
    if bold:
        cell.font = Font(name=_FONT, bold=True, size=size)
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _plain(text: str) -> str:
    """The text without signs that a workbook cannot hold."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return str(ILLEGAL_CHARACTERS_RE.sub(" ", text))


def _lines(text: str, width: int) -> int:
    return sum(1 + len(line) // width for line in text.split("\n"))


def _texts_of(data: bytes) -> Iterator[str]:
    """Every text and attribute in the XML of a workbook that we wrote ourselves."""
    from xml.etree import ElementTree

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels", ".vml")):
                root = ElementTree.fromstring(archive.read(name))  # noqa: S314 written by ourselves
                for element in root.iter():
                    yield from (element.text or "", element.tail or "", *element.attrib.values())


# --- saving -------------------------------------------------------------------------------------


class _Archive:
    """The parts of a workbook, zipped by name and without the time of day."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}

    def writestr(self, name: str, content: bytes | str) -> None:
        """Takes a part."""
        self.parts[name] = content.encode() if isinstance(content, str) else content

    def namelist(self) -> list[str]:
        """The parts so far."""
        return sorted(self.parts)

    def close(self) -> None:
        """Nothing is open."""

    def zipped(self) -> bytes:
        """The workbook's bytes."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name in self.namelist():
                part = zipfile.ZipInfo(name, _TIME)
                archive.writestr(part, self.parts[name], zipfile.ZIP_DEFLATED)
        return out.getvalue()


def _saved(book: Any) -> bytes:
    """The workbook's bytes; unlike openpyxl's own way it leaves no temporary files behind."""
    from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
    from openpyxl.worksheet._writer import WorksheetWriter
    from openpyxl.writer.excel import ExcelWriter

    class Writer(ExcelWriter):  # type: ignore[misc]
        def write_worksheet(self, sheet: Any) -> None:
            sheet._drawing = SpreadsheetDrawing()
            sheet._drawing.charts, sheet._drawing.images = sheet._charts, sheet._images
            out = io.BytesIO()
            writer = WorksheetWriter(sheet, out)
            writer.write()
            sheet._rels = writer._rels
            self._archive.writestr(sheet.path[1:], out.getvalue())
            self.manifest.append(sheet)

    archive = _Archive()
    Writer(book, archive).save()
    return archive.zipped()


# --- which copies, and in which process ---------------------------------------------------------


@cache
def _code() -> str:
    return Path(__file__).read_text(encoding="utf-8")


def _read_record(record: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _is_done(job: Job, tried: Mapping[str, Any]) -> bool:
    """Whether the copy is there, or could not be made, of exactly this."""
    fingerprint, made = tried.get(job.target, ("", False))
    return bool(fingerprint == job.fingerprint and Path(job.target).exists() == made)


def _make(job: Job, sandbox: Reader) -> tuple[str, bool]:
    """Makes one copy; gives what it was made of, if that could be had, and whether it was made.

    A failure, whatever it is, leaves the copy out, and the page says so.
    """
    target = Path(job.target)
    target.unlink(missing_ok=True)
    try:
        data = regular_file(Path(job.source))
    except RefusedError:
        return "", False
    if hashlib.sha256(data).hexdigest() != job.sha256:
        return "", False
    try:
        (content,) = sandbox.ask(data, json.dumps(asdict(job)))
    except RefusedError:
        content = b""
    if content:
        write_bytes(target, content)
    return job.fingerprint, bool(content)


def _answer(data: bytes, request: str) -> tuple[bytes]:
    """The copy, or nothing; why not is told to nobody, since it may repeat a cell's value."""
    job = json.loads(request)
    marks = [Mark(**mark) for mark in job.pop("marks")]
    try:
        return (annotate(data, Job(**job, marks=marks)),)
    except MemoryError:
        raise
    except Exception:
        return (b"",)


if __name__ == "__main__":
    sys.modules["numpy"] = None  # type: ignore[assignment]  # openpyxl does without; it costs 0.1 s
    serve(_answer)
