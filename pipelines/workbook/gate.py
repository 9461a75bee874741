"""The gate: looks through a workbook's bytes before the native reader sees any of them.

Belongs here: whether a file is regular, whether its bytes are an honest zip of honest XML of sane
size, and what the reader would lose without a word (Excel errors, formulas without a value,
hidden sheets). Does not: telling Excel from other formats and reading cells (native.py),
surviving what gets past (sandbox.py). No entity is ever expanded: who declares one is refused.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from operator import attrgetter
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from pipelines.swedish import number
from pipelines.workbook.cells import address
from pipelines.workbook.native import RefusedError
from pipelines.workbook.personal import PERSONAL_NUMBER, personal_data


def _between(*elements: bytes) -> re.Pattern[bytes]:
    """What stands in elements of these names, whatever their prefix."""
    return re.compile(rb"<(?:\w+:)?(?:" + b"|".join(elements) + rb")(?:\s[^>]*)?>([^<]+)<")


_SHEETS = re.compile(r"xl/worksheets/")
_ANY = (b"<",)
_PLACES = (
    ("en anteckning", re.compile(r"xl/(threaded)?comments"), _ANY, _between(b"t", b"text")),
    ("en textruta", re.compile(r"xl/drawings/"), _ANY, _between(b"t")),
    ("dokumentets egenskaper", re.compile(r"docprops/"), _ANY, re.compile(rb">([^<]+)<")),
    (
        *("ett sidhuvud eller en sidfot", _SHEETS, (b"Header", b"Footer")),
        _between(rb"\w*Header", rb"\w*Footer"),
    ),
    ("en formel", _SHEETS, (b"<f", b":f"), _between(b"f", rb"formula[12]?")),
)
"""Where texts stand beside cells: in words, in which parts, and in which elements.

Without one of the signs there is no such element; to look for those is ten times faster.
"""

Hollow = tuple[str, str, str]
"""Sheet, cell and error text ('' for a formula without a value) of a cell that reads as empty."""

Parts = Mapping[str, bytes]
"""The files in a workbook's zip; their names in lower case, as the native reader compares them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What no honest registration workbook comes near. Sizes are in bytes."""

    file: int = 20 << 20
    unpacked: int = 64 << 20
    parts: int = 1_000
    rows: int = 20_000
    columns: int = 512
    cells: int = 1_000_000
    hollow: int = 10_000


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an accepted workbook holds that its cells do not tell.

    Attributes:
        hollow: the cells that read as empty though something stands in them.
        hidden: the titles of sheets that Excel does not show.
        beside: where else a personal identity number stands, in Swedish; each place once.
        plain: the XML that was inspected, packed anew: all that the reader gets to see, without
            macros, pictures or bytes between the parts. Empty once it has been read.
    """

    hollow: tuple[Hollow, ...]
    hidden: tuple[str, ...]
    beside: tuple[str, ...] = ()
    plain: bytes = b""


@dataclass(frozen=True, slots=True)
class _Sheet:
    title: str
    part: str
    is_hidden: bool


_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_PACKAGE = "_rels/.rels"
_REQUIRED = ("[content_types].xml", _PACKAGE, _WORKBOOK, _RELATIONS)
_LOCAL_HEADER = struct.Struct("<4s4xH16xHH")  # signature, method, lengths of name and extra field
_ENCRYPTED = 0x1
_UTF8_NAME = 0x800

# The lookahead lets few ordinary cells (columns up to R, rows below 10 000) through to the count.
# It begins with a letter, not with the blank before it, since that is twice as fast to look for.
_FAR = re.compile(
    rb"r(?<=\sr)\s*=\s*[\"'](?=[A-Za-z]{3}|[S-Zs-z][A-Za-z]|[A-Za-z]*[0-9]{5})([A-Za-z]*)([0-9]*)[\"']"
)
_DIMENSION = re.compile(rb"dimension\s[^>]*?ref\s*=\s*[\"'](?:\w*:)?([A-Za-z]*)([0-9]*)[\"']")
# One pattern each: a fixed beginning is ten times faster to look for than a choice of them.
_COUNTS = [
    re.compile(name + rb"\s*=\s*[\"']\+?([0-9]+)") for name in (b"uniqueCount", b"Cells\\s+count")
]
_HOLLOW_SIGNS = [re.compile(sign) for sign in (rb"<f[\s/>]", rb":f[\s/>]", b'"e"', b"'e'")]
_NO_INDEX = re.compile(rb't="s"[^>]*><v>(?![0-9]{1,7}<|</)')  # would read as the first string
_ERROR = re.compile(r"#[A-Z0-9/_]{1,16}[!?]?")


def regular_file(path: Path, limits: Limits = LIMITS) -> bytes:
    """The bytes of a regular file; no link is followed and no pipe waited for.

    Raises:
        RefusedError: it is a link, folder, pipe or device, is too large, or may not be read.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise RefusedError("not_regular_file")
        with open(path, "rb", opener=_open_without_following) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RefusedError("not_regular_file")
            data = file.read(limits.file + 1)
    except OSError as error:
        raise RefusedError("no_access") from error
    if len(data) > limits.file:
        raise RefusedError("file_too_large", _megabytes(limits.file))
    return data


def _open_without_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def inspect(data: bytes, limits: Limits = LIMITS) -> Inspection:
    """Inspects the bytes of one .xlsx or .xlsm file.

    Raises:
        RefusedError: it is not to be read; tells which rule it breaks.
    """
    unpacked = _unpacked(data, limits)
    parts = {name: part for name, part in unpacked.items() if name.endswith((".xml", ".rels"))}
    for name, part in parts.items():
        _check_xml(name, part)
        _check_counts(name, part)
    sheets = _sheets(parts)
    hollow: list[Hollow] = []
    for sheet in sheets:
        _check_cells(sheet.part, parts[sheet.part], limits)
        hollow += _hollow_cells(sheet, parts[sheet.part], limits.hollow)
        if len(hollow) > limits.hollow:
            raise RefusedError("too_many_hollow", number(limits.hollow))
    hidden = tuple(sheet.title for sheet in sheets if sheet.is_hidden)
    return Inspection(tuple(hollow), hidden, tuple(_numbers_beside(parts)), _packed(parts))


# --- the zip ------------------------------------------------------------------------------------


def _unpacked(data: bytes, limits: Limits) -> Parts:
    """All parts, each unpacked no further than there is room."""
    members, end_of_parts = _members(data, limits)
    parts: dict[str, bytes] = {}
    room, free_from = limits.unpacked, 0
    for member in members:
        start = _start_of(member, data)
        name = _name_of(member)
        if name in parts:
            raise RefusedError("part_repeated", _shown(name))
        if member.header_offset < free_from or start + member.compress_size > end_of_parts:
            raise RefusedError("zip_damaged")
        free_from = start + member.compress_size
        parts[name] = part = _content(member, data[start:free_from], room)
        room -= len(part)
        if room < 0:
            raise RefusedError("unpacked_too_large", _megabytes(limits.unpacked))
        if len(part) != member.file_size or zlib.crc32(part) != member.CRC:
            raise RefusedError("part_damaged", _shown(name))
        if part.startswith(b"PK\x03\x04"):
            raise RefusedError("nested_file", _shown(name))
    return parts


def _members(data: bytes, limits: Limits) -> tuple[Sequence[zipfile.ZipInfo], int]:
    """The members in the order they lie in the file, and where the first cannot lie any more."""
    if len(data) > limits.file:
        raise RefusedError("file_too_large", _megabytes(limits.file))
    if data.count(b"PK\x01\x02") > limits.parts:
        raise RefusedError("too_many_parts", number(limits.parts))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members, end = archive.infolist(), archive.start_dir
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        OverflowError,
        OSError,
        struct.error,
    ) as e:
        raise RefusedError("zip_damaged") from e
    if sum(member.file_size for member in members) > limits.unpacked:
        raise RefusedError("unpacked_too_large", _megabytes(limits.unpacked))
    return sorted(members, key=attrgetter("header_offset")), end


def _start_of(member: zipfile.ZipInfo, data: bytes) -> int:
    """Where a member's content starts, once its own header agrees with the directory."""
    offset = member.header_offset
    if not 0 <= offset <= len(data) - _LOCAL_HEADER.size:
        raise RefusedError("zip_damaged")
    signature, method, name, extra = _LOCAL_HEADER.unpack_from(data, offset)
    start = offset + _LOCAL_HEADER.size
    coding = "utf-8" if member.flag_bits & _UTF8_NAME else "cp437"
    listed = (b"PK\x03\x04", member.compress_type, member.orig_filename.encode(coding))
    if (signature, method, data[start : start + name]) != listed:
        raise RefusedError("zip_damaged")
    return int(start + name + extra)


def _name_of(member: zipfile.ZipInfo) -> str:
    name = member.orig_filename.replace("\\", "/").lower()
    if name.startswith("/") or ".." in name.split("/") or ":" in name or "\0" in name:
        raise RefusedError("part_name")
    return name


def _content(member: zipfile.ZipInfo, packed: bytes, room: int) -> bytes:
    """A member unpacked; a byte more than there is room shows that there is too much."""
    if member.flag_bits & _ENCRYPTED:
        raise RefusedError("password")
    if member.compress_type == zipfile.ZIP_STORED:
        return packed
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise RefusedError("part_compression", _shown(member.filename))
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, room + 1)
    except zlib.error as error:
        raise RefusedError("part_damaged", _shown(member.filename)) from error


def _packed(parts: Parts) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part)
    return file.getvalue()


# --- the XML ------------------------------------------------------------------------------------


def _check_xml(name: str, part: bytes) -> None:
    """Well-formed UTF-8 without declarations of its own."""

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "us-ascii"):
            raise RefusedError("xml_encoding", _shown(name))

    def doctype(*_declared: object) -> NoReturn:
        raise RefusedError("xml_declares", _shown(name))

    parser = expat.ParserCreate()
    parser.XmlDeclHandler = declaration
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(part, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise RefusedError("part_damaged", _shown(name)) from error
    if b"\0" in part:
        raise RefusedError("xml_encoding", _shown(name))


def _check_counts(name: str, part: bytes) -> None:
    """The reader reserves memory by these counts; nothing takes less than a byte."""
    for count in (count for pattern in _COUNTS for count in pattern.findall(part)):
        if len(count) > 9 or int(count) > len(part):
            raise RefusedError("count_false", _shown(name))


def _check_cells(name: str, part: bytes, limits: Limits) -> None:
    """No cell far away, and none that the reader would take for another."""
    if _NO_INDEX.search(part):
        raise RefusedError("part_damaged", _shown(name))
    for found in (*_FAR.finditer(part), *_DIMENSION.finditer(part)):
        letters, digits = found[1].decode().upper(), found[2]
        column = 0
        for letter in letters[:4]:
            column = column * 26 + ord(letter) - ord("A") + 1
        if column > limits.columns or len(digits) > 7 or int(digits or 0) > limits.rows:
            where = f"{letters[:4]}{digits[:7].decode()}"
            raise RefusedError("cell_far_away", where)


def _sheets(parts: Parts) -> list[_Sheet]:
    """The sheets in the workbook's order, found as the native reader finds them."""
    for name in _REQUIRED:
        if name not in parts:
            raise RefusedError("part_missing", name)
    documents = [
        relation.get("Target", "")
        for relation in _elements(parts[_PACKAGE], "Relationship")
        if relation.get("Type", "").endswith("/relationships/officeDocument")
    ]
    if not documents or documents[-1].lower().removeprefix("/") != _WORKBOOK:
        raise RefusedError("part_missing", _WORKBOOK)
    relations = _elements(parts[_RELATIONS], "Relationship")
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    sheets: dict[str, _Sheet] = {}
    for element in _elements(parts[_WORKBOOK], "sheet"):
        title, target = element.get("name", ""), targets.get(element.get("id"), "").lower()
        part = target[1:] if target.startswith("/") else f"xl/{target}"
        if part not in parts:
            raise RefusedError("part_missing", _shown(part))
        if title.casefold() in sheets:
            raise RefusedError("sheet_repeated")
        is_hidden = element.get("state", "visible") != "visible"
        sheets[title.casefold()] = _Sheet(title, part, is_hidden)
    return list(sheets.values())


def _elements(part: bytes, wanted: str) -> list[dict[str, str]]:
    """The attributes of all elements of a name; prefixes of names are left out."""
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == wanted:
            found.append({_local(key): value for key, value in attributes.items()})

    _parse(part, start)
    return found


def _hollow_cells(sheet: _Sheet, part: bytes, most: int) -> list[Hollow]:
    """The sheet's cells with an Excel error or with a formula that has no value."""
    if not any(sign.search(part) for sign in _HOLLOW_SIGNS):
        return []
    scan = _Scan(sheet.title)
    try:
        _parse(part, scan.start, scan.end, scan.text)
    except ValueError as error:  # a row without a number for its number
        raise RefusedError("part_damaged", _shown(sheet.part)) from error
    return scan.found[: most + 1]


class _Scan:
    """Follows a sheet's elements and notes its hollow cells."""

    def __init__(self, title: str) -> None:
        self.found: list[Hollow] = []
        self._title = title
        self._row = self._column = 0
        self._cell: Mapping[str, str] = {}
        self._seen: set[str] = set()
        self._value = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        name = _local(name)
        if name == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif name == "c":
            self._cell, self._value, self._column = attributes, "", self._column + 1
            self._seen.clear()
        self._seen.add(name)

    def text(self, text: str) -> None:
        if "v" in self._seen:
            self._value += text

    def end(self, name: str) -> None:
        if _local(name) == "c" and (error := self._error()) is not None:
            cell = self._cell.get("r") or address(self._row, self._column - 1)
            self.found.append((self._title, cell, error))

    def _error(self) -> str | None:
        """What the cell that ends here reads instead of a value, None when it has one."""
        kind, value = self._cell.get("t", "n"), self._value.strip()
        if kind == "e":
            return value if _ERROR.fullmatch(value) else "#"
        has_value = "v" in self._seen if kind == "str" else value or "is" in self._seen
        return None if has_value or "f" not in self._seen else ""


def _numbers_beside(parts: Parts) -> Iterator[str]:
    """The places beside cells in which a personal identity number stands."""
    for place, names, signs, elements in _PLACES:
        texts = (
            unescape(text.decode("utf-8", "replace"))
            for name, part in parts.items()
            if names.match(name) and any(sign in part for sign in signs)
            for text in elements.findall(part)
        )
        if any(personal_data(text) == PERSONAL_NUMBER for text in texts):
            yield place


def _parse(
    part: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.Parse(part, True)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


# --- how it is told -----------------------------------------------------------------------------


def _shown(name: str) -> str:
    """A part's name as it may be repeated: whoever made the file chose it."""
    return re.sub(r"[0-9]{5,}|[^\w./\[\] -]", "?", name, flags=re.ASCII)[:60]


def _megabytes(size: int) -> str:
    return f"{size >> 20} MB"
