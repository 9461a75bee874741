"""Receipt and status page in a browser: axe-core finds nothing, and nothing sticks out."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import browser
import pytest

from pipelines import instrument, lake, receipts
from pipelines.findings import finding
from pipelines.lake import Delivery, Manifest
from pipelines.register import Association
from pipelines.settings import Settings
from pipelines.status import Line, Overview
from pipelines.warehouse import Rate

pytestmark = browser.needed

INSTRUMENT = instrument.load()
TODAY = date(2026, 10, 28)
LONG_NAME = "Samordningsförbundet Västra Exempelbygdens och Norra Provdalskommunernas Samverkan"
LONG_FILE = f"2026/{'mycket_långt_filnamn_' * 4}.xlsx"
STATES = ("loaded", "stopped", "replaced", "withdrawn", "missing", "new")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser and axe-core say of each page, by page and width."""
    settings = Settings(tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("home"))
    pages = [*_receipts(settings), _status(settings)]
    found: dict[str, Any] = browser.run("check.mjs", tmp_path_factory.mktemp("profile"), *pages)
    assert len(found) == 3 * len(pages)
    return found


def _delivery(association_id: str, state: str = "loaded", file: str = LONG_FILE) -> Delivery:
    return Delivery(
        file=file,
        sha256=association_id or "unknown",
        round=int(file[:4]),
        mtime_ns=int(datetime(2026, 10, 28, tzinfo=UTC).timestamp()) * 10**9,
        size=1,
        association_id=association_id or None,
        layout_id="2024",
        state=state,
        rows_per_questionnaire={"staff": 1212} if state == "loaded" else {},
        findings={},
        activities=[],
        is_refused=state == "stopped",
    )


def _receipts(settings: Settings) -> list[Path]:
    """Nothing found; a stop; two hundred findings of all levels and long values."""
    at: dict[str, Any] = {"file": LONG_FILE, "sheet": "Deltagare pågående"}
    one = finding("answer_unknown", **at, cell="E3", question="ongoing_1a", value="Oftaa" * 16)
    many = [
        *(replace(one, cell=f"E{n}") for n in range(3, 153)),
        *(finding("column_missing", **at, wanted=f"kolumn_{n}") for n in range(40)),
        *(finding("lopnr_missing", **at, cell=f"A{n}", question="lopnr") for n in range(9)),
        replace(finding("sheet_unknown", **at), severity="info"),
    ]
    stop = finding("unreadable", file=LONG_FILE)
    told = (
        (_delivery("none"), []),
        (_delivery("", "stopped", "2026/stop.xlsx"), [stop]),
        (_delivery("many", file=f"2026/{'b' * 90}.xlsx"), many),
    )
    for delivery, findings in told:
        lake.write_findings(settings, delivery, "reader", findings)
    written = receipts.write_rounds(
        settings,
        Manifest((*(delivery for delivery, _ in told), _delivery("many", file="2025/f.xlsx"))),
        [2026],
        associations={
            name: Association(name, LONG_NAME, "01", None, None) for name in ("none", "many")
        },
        instrument=INSTRUMENT,
        today=TODAY,
    )
    return [paths.page for paths in written.values()]


def _status(settings: Settings) -> Path:
    moment = datetime(2026, 10, 28, tzinfo=UTC)
    lines = tuple(
        Line(state, LONG_NAME, None, None, None, 0, 0, 0, state)
        if state == "missing"
        else Line(state, LONG_NAME, f"{LONG_FILE}{n}", moment, 1212, 1, 200, 30, state, 3)
        for n, state in enumerate(STATES)
    )
    next_step = "Be förbunden rätta fynden i /en/lång/sökväg/till/mappen/receipts/2026, nns run"
    rates = [
        Rate("participant_ongoing", 1360, 1410, 950, 69.85, 41, 31, 113, 111),
        Rate("board", None, 210, None, None, 41, 31, None, None),
    ]
    overview = Overview(
        INSTRUMENT.rounds[2026],
        lines,
        41,
        -3,
        next_step,
        tuple(rates),
        ((LONG_NAME, (LONG_NAME, LONG_NAME)),),
        {q.questionnaire_id: q.sheet_name for q in INSTRUMENT.questionnaires.values()},
    )
    manifest = Manifest((_delivery("many", file=f"{LONG_FILE}0"),), is_synthetic=True)
    return receipts.write_status_page(settings, overview, manifest, TODAY)


def test_axe_finds_no_violation_wide_or_on_a_phone(seen: dict[str, Any]) -> None:
    assert {page: found["violations"] for page, found in seen.items() if found["violations"]} == {}
    assert all(found["passes"] > 20 for found in seen.values())


def test_no_page_is_wider_than_its_window(seen: dict[str, Any]) -> None:
    assert {page: found["overflow"] for page, found in seen.items() if found["overflow"]} == {}


def test_axe_would_find_a_violation(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<title>x</title><p style='color:#bbb'>text</p>", encoding="utf-8")
    found = browser.run("check.mjs", tmp_path / "profile", page)
    assert {v.partition(":")[0] for v in found[f"{page} 390"]["violations"]} >= {
        "color-contrast",
        "html-has-lang",
    }
