"""Cells in = answers + fields + findings + blanks, to the cell, against a re-read with openpyxl."""

import hashlib
import io
from collections import Counter
from datetime import date, datetime
from random import Random
from typing import Any

import openpyxl
import pytest

from pipelines import instrument
from pipelines.findings import Severity
from pipelines.instrument import SheetLayout
from pipelines.workbook.read import Reading, read_workbook
from tests.back import truth

KNOWN = instrument.load()
SEEDS = {path.stem: truth.csv_rows(path) for path in truth.SEEDS.glob("*.csv")}
WORKBOOKS = 200
CODES = ("A1", "B-2")
JUNK = (
    "", " ", "\u00a0", "0", "9", "3.5", "x", "Oftaa", "3 Ofta", "Ja", "ja ", " NEJ", "Vet ej",
    "2 Sällan", "#REF!", "A1", "K", "2024-13-01", "2024-09-20", True, False, 2.5, -1, 7, 99,
    datetime(2024, 9, 20), date(2024, 9, 20),
)  # fmt: skip
Cell = tuple[str, str]


def generated(seed: int) -> tuple[int, bytes]:
    """A round and a workbook of it: any layout, columns in any order, much that is wrong."""
    random = Random(seed)
    round_ = random.choice(list(KNOWN.rounds))
    layout_id = random.choice([KNOWN.rounds[round_].layout_id] * 4 + list(KNOWN.layouts))
    book = openpyxl.Workbook()
    readme = book.active
    readme.title = "Läs mig"
    for row in (("Mätomgång", round_), ("Layout", layout_id), ("Förbund", "provdalen")):
        readme.append(row)
    activities = book.create_sheet("Insatser")
    activities.append([f.name for f in KNOWN.fields_of("activities")])
    for code in CODES:
        activities.append([code, "Navet", "individ", "kort"])
    for layout in KNOWN.layouts[layout_id].values():
        if random.random() < 0.8:
            _fill(book.create_sheet(layout.sheet_name), layout, random)
    file = io.BytesIO()
    book.save(file)
    return round_, file.getvalue()


def _fill(page: Any, layout: SheetLayout, random: Random) -> None:
    columns = list(layout.columns)
    if random.random() < 0.3:
        random.shuffle(columns)
    columns = [c for c in columns if random.random() > 0.02]
    for _ in range(layout.header_row - 1):
        page.append(["Rubrik"])
    page.append([*columns, "egen kolumn"])
    page.append([layout.label_row_mark, *columns[1:]])
    for _ in range(random.randrange(12)):
        if random.random() < 0.1:
            page.append([])
        else:
            page.append([_cell(layout.columns[c], random) for c in columns])


def _cell(field: str, random: Random) -> Any:
    """Mostly what belongs there."""
    if random.random() < 0.15:
        return random.choice(JUNK)
    if field in KNOWN.questions:
        code = random.choice(KNOWN.scales[KNOWN.questions[field].scale_id])
        spellings = (code.code, str(code.code), code.label_sv, f"{code.code} {code.label_sv}", None)
        return random.choice(spellings)
    proper = {
        "lopnr": random.randrange(1, 500),
        "insats_kod": random.choice(CODES),
        "kon": random.choice(["K", "m", "Kvinna", "Annat", None]),
        "svarsdatum": random.choice([datetime(2024, 9, 20), "2024-09-21", None]),
    }
    return proper.get(field)


def read(round_: int, data: bytes) -> Reading:
    return read_workbook(
        data,
        file="fil.xlsx",
        sha256=hashlib.sha256(data).hexdigest(),
        folder_round=round_,
        associations={"provdalen": None},
        instrument=KNOWN,
    )


def known_cells(data: bytes, layout_id: str) -> dict[Cell, tuple[str, Any]]:
    """Every cell below a known header but comments: its field and what openpyxl reads there."""
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    cells: dict[Cell, tuple[str, Any]] = {}
    for layout in KNOWN.layouts[layout_id].values():
        if layout.sheet_name not in book.sheetnames:
            continue
        page = book[layout.sheet_name]
        header = {c.column: layout.columns.get(c.value) for c in page[layout.header_row]}
        for row in page.iter_rows(min_row=layout.header_row + 2):
            known = {c.coordinate: (field, c.value) for c in row if (field := header.get(c.column))}
            fields = {place: known[place] for place in known if known[place][0] != "kommentar"}
            if any(truth.text(value) for field, value in fields.values() if field != "lopnr"):
                cells |= {(page.title, place): fields[place] for place in fields}
    return cells


def expected_value(field: str, value: Any) -> Any:
    """What a cell holds, worked out by the independent reader; None: nothing understood."""
    if field in KNOWN.questions:
        return truth.understood_answers({field: value}, SEEDS).get(field)
    if field == "kon":
        return truth.spelled("kon", value, SEEDS)
    if field == "insats_kod":
        by_spelling = {code.casefold(): code for code in CODES}
        return by_spelling.get(truth.folded(value))
    if field == "svarsdatum":
        return _day(value)
    return truth.text(value) or None


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    try:
        return date.fromisoformat(truth.text(value))
    except ValueError:
        return None


def kept_values(reading: Reading, columns: dict[tuple[str, str], str]) -> dict[Cell, Any]:
    """What the reader kept, by sheet and cell; `columns` gives a field's letters by sheet."""
    kept: dict[Cell, Any] = {}
    for row in reading.responses.to_pylist():
        fields = {f: row[f] for f in ("lopnr", "insats_kod", "kon", "svarsdatum")}
        for field, value in (*fields.items(), *dict(row["answers"]).items()):
            if value is not None:
                letters = columns[row["sheet"], field]
                kept[row["sheet"], f"{letters}{row['row']}"] = value
    return kept


def told_cells(reading: Reading, cells: dict[Cell, tuple[str, Any]]) -> set[Cell]:
    """The cells that findings are about; one about a column is about all not understood in it."""
    about = {
        (f.sheet, f.cell)
        for f in reading.findings
        if f.rule_id == "excel_error" or (f.rule_id.endswith("_unknown") and f.question)
    }
    columns = {(sheet, cell.partition(":")[0]) for sheet, cell in about if ":" in cell}
    return (about & set(cells)) | {
        (sheet, cell)
        for (sheet, cell), (field, value) in cells.items()
        if (sheet, cell.rstrip("0123456789")) in columns
        and truth.text(value)
        and expected_value(field, value) is None
    }


def letters_of(cells: dict[Cell, tuple[str, Any]]) -> dict[tuple[str, str], str]:
    return {
        (sheet, field): "".join(filter(str.isalpha, cell))
        for (sheet, cell), (field, _) in cells.items()
    }


def first_row_of(cells: dict[Cell, tuple[str, Any]], place: Cell) -> int:
    """The first row of the sheet whose cell in the same column reads the same."""
    sheet, cell = place
    letters, wanted = cell.rstrip("0123456789"), _as_text(cells[place][1])
    return min(
        int(other.removeprefix(letters))
        for (title, other), (_, value) in cells.items()
        if (title, other.rstrip("0123456789")) == (sheet, letters) and _as_text(value) == wanted
    )


def _as_text(value: Any) -> str:
    return truth.text(value.date() if isinstance(value, datetime) else value)


@pytest.mark.parametrize("first", range(0, WORKBOOKS, 25))
def test_every_cell_is_kept_told_or_blank_and_as_openpyxl_reads_it(first: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, first + 25):
        round_, data = generated(seed)
        reading = read(round_, data)
        assert reading.layout_id, seed
        if any(f.severity is Severity.STOP for f in reading.findings):
            counts["stopped"] += 1
            assert reading.responses.num_rows == 0
            continue
        cells = known_cells(data, reading.layout_id)
        kept = kept_values(reading, letters_of(cells))
        told = told_cells(reading, cells)
        assert not told & set(kept)
        assert set(kept) <= set(cells)
        for place, (field, value) in cells.items():
            blank = truth.text(value) == ""
            counts["blank" if blank else "told" if place in told else "kept"] += 1
            assert (place in kept or place in told) != blank, (seed, place, value)
            wanted = expected_value(field, value)
            if place in told:
                wanted = None
            elif field == "lopnr" and wanted and not wanted.isdigit():
                wanted = f"rad {first_row_of(cells, place)}"  # texts stay in the workbook
            assert kept.get(place) == wanted, (seed, place, value)
    assert min(counts[kind] for kind in ("blank", "told", "kept")) > 100, counts
    assert counts["stopped"] <= 2, counts
