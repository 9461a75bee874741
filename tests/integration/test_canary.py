"""What associations write stays with them: a token in every text cell, and where it turns up.

Each association's workbooks carry a token of their own. Codes and what the layout itself is made
of (sheet names, headers, the readme's values, activity codes) keep their text where a workbook is
to be loaded; a second workbook of each association has the token there too and is refused.
"""

import os
import subprocess
from pathlib import Path

import duckdb
import frozen
import openpyxl
import pytest
from byte_search import holds
from openpyxl.worksheet.worksheet import Worksheet

from pipelines import instrument
from pipelines.workbook.sample import write_landing_zone

PROJECT = Path(__file__).parent.parent.parent
KNOWN = instrument.load()
ROUND = 2026
TARGET = PROJECT / "dbt_project" / "target"


def token_of(association_id: str) -> str:
    return f"Kanarie{association_id.title().replace('-', '')}Sjunger"


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landing zone after a full run; its folder holds raw, home and what the run printed."""
    folder = tmp_path_factory.mktemp("canary")
    written = write_landing_zone(folder / "raw", rounds=[2025, ROUND], associations=3)
    for path in written.files:
        token = token_of(path.stem.partition("_")[0])
        broken = openpyxl.load_workbook(path)
        for page in broken.worksheets:
            _put_into_all(page, token)
        book = openpyxl.load_workbook(path)
        for page in book.worksheets:
            _put_into_free_text(page, token)
        _add_strangers(book, token)
        book.save(path)
        broken.save(path.with_stem(f"{path.stem}_alla"))
    run = subprocess.run(
        frozen.nns("2027-01-01", "run"),  # both rounds are published
        cwd=PROJECT,
        env={**os.environ, "NNS_RAW": str(folder / "raw"), "NNS_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1, run.stderr
    (folder / "printed").write_text(run.stdout + run.stderr, encoding="utf-8")
    return folder


def _put_into_all(page: Worksheet, token: str) -> None:
    for row in page.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.value = f"{cell.value} {token}"


def _put_into_free_text(page: Worksheet, token: str) -> None:
    """Into cells that are no answer, gender or code any more then, and into every blank comment."""
    layouts = {layout.sheet_name: layout for layout in KNOWN.layouts["2024"].values()}
    activities = KNOWN.sheet_name_of("activities")
    kept = {f.name for f in KNOWN.fields_of("readme")}
    for row in page.iter_rows():
        for cell in row:
            header = page.cell(1, cell.column).value
            is_structure = (
                (page.title in {*layouts, activities} and cell.row == 1)
                or (page.title not in {*layouts, activities} and row[0].value in kept)
                or (page.title == activities and header == "insats_kod")
                or (page.title in layouts and cell.row == 2 and cell.column == 1)
            )
            is_text = isinstance(cell.value, str) or header in ("lopnr", "kommentar")
            if is_text and not is_structure and (page.title not in layouts or cell.row % 3):
                cell.value = f"{cell.value} {token}"


def _add_strangers(book: openpyxl.Workbook, token: str) -> None:
    """A sheet and a column that the layout does not have."""
    book.create_sheet(token[:31]).append([token, token])
    page = book[next(iter(KNOWN.layouts["2024"].values())).sheet_name]
    for row in range(1, 9):
        page.cell(row, page.max_column + (row == 1), token)


def tokens(zone: Path) -> dict[str, str]:
    """The token of each association that delivered."""
    delivered = (p.stem.partition("_")[0] for p in (zone / "raw" / str(ROUND)).iterdir())
    return {association_id: token_of(association_id) for association_id in sorted(set(delivered))}


def test_every_association_s_workbooks_carry_its_token_and_are_read(zone: Path) -> None:
    with duckdb.connect(str(zone / "home" / "marts.duckdb"), read_only=True) as marts:
        states = marts.execute(
            "select state, count(*), sum(n_questionnaires) > 100, sum(n_error) > 100 "
            "from marts.marts.submissions group by state order by state"
        ).fetchall()
    assert states == [("loaded", 6, True, True), ("stopped", 6, False, False)]
    for token in tokens(zone).values():
        assert sum(holds(path, token) for path in (zone / "raw").rglob("*.xlsx")) == 4


def test_a_token_turns_up_in_the_receipts_of_its_association_and_nowhere_else(zone: Path) -> None:
    files = [p for p in (zone / "home").rglob("*") if p.is_file()]
    assert {p.relative_to(zone / "home").parts[0] for p in files} >= {
        "dagster", "lake", "logs", "marts.duckdb", "published", "receipts", "status.html", "told",
        "work",
    }  # fmt: skip
    for association_id, token in tokens(zone).items():
        found = {p for p in (*files, *_dbt_target(), zone / "printed") if holds(p, token)}
        own = {p for p in found if _is_receipt_of(association_id, p, zone / "home")}
        assert found - own == set()
        assert {p.suffix for p in own} == {".html", ".xlsx", ".json"}


def _dbt_target() -> list[Path]:
    return [p for p in TARGET.rglob("*") if p.is_file()]


def _is_receipt_of(association_id: str, path: Path, home: Path) -> bool:
    if path.parent.name == ".findings" and path.parents[2] == home / "receipts":
        return association_id in path.read_text(encoding="utf-8").partition('"file": ')[2][:60]
    return path.parent.parent == home / "receipts" and path.stem.startswith(association_id)
