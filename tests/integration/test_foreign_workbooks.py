"""Workbooks saved by other programs than ours give the same rows as before."""

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from pipelines import instrument as instruments
from pipelines import register
from pipelines.workbook.read import Reading, read_workbook

RAW = Path(__file__).parents[2] / "raw"
INSTRUMENT = instruments.load()
ASSOCIATIONS = register.read(RAW).associations
SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
WORKBOOKS = {
    layout_id: next(
        sorted((RAW / str(r.round)).glob("*.xlsx"))[0]
        for r in reversed(INSTRUMENT.rounds.values())
        if r.layout_id == layout_id and (RAW / str(r.round)).is_dir()
    )
    for layout_id in INSTRUMENT.layouts
}
"""A workbook of the sample for each layout."""


def read(path: Path, round_: int) -> Reading:
    reading = read_workbook(
        path.read_bytes(),
        file=path.name,
        sha256="",
        folder_round=round_,
        associations=ASSOCIATIONS,
        instrument=INSTRUMENT,
    )
    assert reading.responses.num_rows > 20
    return reading


def assert_reads_the_same(path: Path, as_delivered: Path) -> None:
    round_ = int(as_delivered.parent.name)
    before, after = read(as_delivered, round_), read(path, round_)
    assert after.responses.to_pylist() == before.responses.to_pylist()
    assert after.activities == before.activities
    assert after.rows_per_questionnaire == before.rows_per_questionnaire
    assert after.findings == before.findings


@pytest.fixture(scope="module")
def libreoffice_saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workbooks as LibreOffice saves them."""
    if SOFFICE is None:
        pytest.skip("LIBREOFFICE IS MISSING: nothing says that its workbooks load the same")
    folder = tmp_path_factory.mktemp("libreoffice")
    subprocess.run(
        [
            SOFFICE,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(folder),
            *map(str, WORKBOOKS.values()),
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return folder


@pytest.mark.parametrize("layout_id", WORKBOOKS)
def test_a_workbook_saved_again_by_openpyxl_reads_the_same(tmp_path, layout_id):
    path = WORKBOOKS[layout_id]
    openpyxl.load_workbook(path).save(tmp_path / path.name)
    assert_reads_the_same(tmp_path / path.name, path)


@pytest.mark.parametrize("layout_id", WORKBOOKS)
def test_a_workbook_saved_again_by_libreoffice_reads_the_same(libreoffice_saved, layout_id):
    path = WORKBOOKS[layout_id]
    assert_reads_the_same(libreoffice_saved / path.name, path)
