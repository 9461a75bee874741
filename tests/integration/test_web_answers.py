"""Web answers as one more delivery source: what counts, what is told, what is opened again."""

import os
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines import checking, instrument, lake, loading, receipts, register
from pipelines.lake import Delivery
from pipelines.settings import Settings
from pipelines.status import Overview
from pipelines.workbook.sample import write_landing_zone

KNOWN = instrument.load()
ROUND = 2026
TODAY = date(ROUND, 10, 20)
OWN = "pahittsslatten"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round of two associations, of which one has answers to two questionnaires on the web."""
    raw = tmp_path_factory.mktemp("made") / "raw"
    write_landing_zone(raw, rounds=[ROUND], associations=4, questionnaires=60, web=True)
    return raw


@pytest.fixture
def folders(made: Path, tmp_path: Path) -> Settings:
    shutil.copytree(made, tmp_path / "raw")
    return Settings(tmp_path / "raw", tmp_path / "home")


def web(folders: Settings, name: str = f"{OWN}_staff_{ROUND}.csv") -> Path:
    return folders.raw / str(ROUND) / "web" / name


def load(folders: Settings) -> loading.Load:
    return loading.load(folders, [ROUND], KNOWN, register.read(folders.raw))


def check(folders: Settings) -> Overview:
    registered = register.read(folders.raw)
    checking.check_rounds(folders, [ROUND], KNOWN, registered, TODAY)
    return checking.overview(folders, KNOWN, registered, ROUND, TODAY)


def states(folders: Settings) -> dict[str, str]:
    return {Path(d.file).name: d.state for d in lake.read_manifest(folders).deliveries}


def of_file(folders: Settings, path: Path) -> Delivery:
    return next(d for d in lake.read_manifest(folders).deliveries if d.file.endswith(path.name))


def shorter(path: Path, name: str, time: float) -> Path:
    """The export as it was a row earlier or later, sent at another time."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    other = path.with_name(name)
    other.write_text("\n".join(lines[:-1]), encoding="utf-8")
    os.utime(other, (time, time))
    return other


def test_workbook_and_web_both_count_and_a_later_export_replaces_the_earlier_as_a_whole(
    folders: Settings,
) -> None:
    now = web(folders).stat().st_mtime
    later, earlier = (shorter(web(folders), f"{n}.csv", now + n) for n in (60, -60))
    load(folders)
    told = states(folders)
    assert told[later.name] == "loaded"
    assert {told[earlier.name], told[web(folders).name]} == {"replaced"}
    assert told[f"{OWN}_{ROUND}.xlsx"] == told[f"{OWN}_participant_ending_{ROUND}.csv"] == "loaded"
    assert of_file(folders, later).source == "web:staff"
    later.unlink()
    load(folders)
    assert states(folders)[web(folders).name] == "loaded"
    assert states(folders)[later.name] == "replaced"


def test_a_stopped_export_keeps_neither_the_workbook_nor_the_other_exports_out(
    folders: Settings,
) -> None:
    web(folders).write_bytes(b"PK\3\4")
    load(folders)
    told = states(folders)
    assert told.pop(web(folders).name) == "stopped"
    assert set(told.values()) == {"loaded"}


def test_unchanged_exports_are_not_opened_again(folders: Settings) -> None:
    registered = register.read(folders.raw)
    assert not loading.is_current(folders, [ROUND], KNOWN, registered)
    assert any(d.is_web for d in load(folders).read)
    assert load(folders).read == ()
    assert loading.is_current(folders, [ROUND], KNOWN, registered)
    os.utime(web(folders))
    assert not loading.is_current(folders, [ROUND], KNOWN, registered)
    assert [d.file for d in load(folders).read] == [f"{ROUND}/web/{web(folders).name}"]


def test_what_lies_beside_the_exports_unread_is_told(folders: Settings) -> None:
    assert loading.passed_over(folders, KNOWN) == []
    for folder in (web(folders, "gammalt"), folders.raw / str(ROUND) / "annat"):
        folder.mkdir()
    (folders.raw / "web").mkdir()
    told = [p.relative_to(folders.raw).as_posix() for p in loading.passed_over(folders, KNOWN)]
    assert sorted(told) == [f"{ROUND}/annat", f"{ROUND}/web/gammalt", "web"]


def test_an_association_counts_once_however_many_files_it_sent(folders: Settings) -> None:
    load(folders)
    seen = check(folders)
    own = [line for line in seen.lines if line.association_id == OWN]
    assert len(own) == 3
    assert (seen.loaded, seen.expected, seen.as_json()["loaded"]) == (4, 4, 4)
    assert dict(seen.counts).get("kom sent") == 4  # all are written just now, after the deadline


def test_each_export_has_a_receipt_of_its_own(folders: Settings) -> None:
    web(folders).write_text(
        web(folders).read_text(encoding="utf-8-sig").replace("staff_16a", "okänd"), encoding="utf-8"
    )
    load(folders)
    check(folders)
    names = {p.name for p in (folders.receipts / str(ROUND)).glob(f"{OWN}*")}
    assert names == {
        f"{OWN}.html", f"{OWN}-webb-personal.html", f"{OWN}-webb-deltagare-avslut.html"
    }  # fmt: skip
    page = (folders.receipts / str(ROUND) / f"{OWN}-webb-personal.html").read_text(encoding="utf-8")
    assert "Kvittens på webbsvar" in page
    assert "staff_16a" in page and "Chefsgrupp" not in page
    assert "med markeringar" not in page
    manifest = lake.read_manifest(folders)
    assert all(p.exists() for p in receipts.pages_of(folders, manifest, ROUND).values())


def test_the_marts_name_the_source_of_each_delivery(sample_snapshot: Path) -> None:
    with duckdb.connect(str(sample_snapshot), read_only=True) as con:
        found = con.execute("select distinct delivery_source from marts.marts.submissions")
        assert found.fetchall() == [("workbook",)]
