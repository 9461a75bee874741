"""Withdrawn, restored, erased: what is left in the results, the receipts and on the disk.

One home is led through it all; beside it stands one that never had the delivery. The delivery
carries a marker wherever something can be written into a workbook.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import frozen
import openpyxl
import pytest
from byte_search import holds

from pipelines import audit, instrument
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

PROJECT = Path(__file__).parent.parent.parent
KNOWN = instrument.load()
ROUND = 2025
NEXT = 2026
TOKEN = "KanarieSjunger7Q"

Tables = dict[str, list[tuple[Any, ...]]]
Run = subprocess.CompletedProcess[str]


def mark(path: Path) -> None:
    """Puts the marker everywhere into a workbook that is still to be loaded."""
    book = openpyxl.load_workbook(path)
    for name in ("creator", "title", "subject", "description", "keywords", "lastModifiedBy"):
        setattr(book.properties, name, TOKEN)
    book.create_sheet(f"{TOKEN} blad").append([TOKEN])
    activities = book[KNOWN.sheet_name_of("activities")]
    columns = {cell.value: cell.column for cell in activities[1]}
    old = activities.cell(2, columns["insats_kod"]).value
    activities.cell(2, columns["insats_kod"]).value = TOKEN
    activities.cell(2, columns["insats_namn"]).value = f"{TOKEN} insats"
    for layout in KNOWN.layouts[KNOWN.rounds[ROUND].layout_id].values():
        page = book[layout.sheet_name]
        columns = {cell.value: cell.column for cell in page[layout.header_row]}
        for row in range(layout.header_row + 2, page.max_row + 1):
            if page.cell(row, columns["insats_kod"]).value == old and old:
                page.cell(row, columns["insats_kod"]).value = TOKEN
            if page.cell(row, columns["lopnr"]).value:
                page.cell(row, columns["lopnr"]).value = TOKEN  # the same: a finding of the check
                page.cell(row, columns["kommentar"]).value = f"{TOKEN} kommentar"
        question = max(columns.values())
        page.cell(layout.header_row + 2, question - 1).value = f"{TOKEN} svar"
        page.cell(layout.header_row, page.max_column + 1).value = f"{TOKEN} kolumn"
    book.save(path)


def contents(home: Path) -> Tables:
    """Every row of every table of the snapshot."""
    with duckdb.connect(str(home / "marts.duckdb"), read_only=True) as snapshot:
        names = snapshot.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts'"
        ).fetchall()
        return {
            name: snapshot.execute(f"from marts.marts.{name} order by all").fetchall()
            for (name,) in names
        }


def found_in(home: Path) -> set[str]:
    """The files, and names of files, under a home that hold the marker."""
    files = [p.relative_to(home) for p in home.rglob("*") if p.is_file()]
    named = {str(p) for p in files if TOKEN.casefold() in str(p).casefold()}
    return named | {str(p) for p in files if holds(home / p, TOKEN)}


def pages(home: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(home)): p.read_bytes()
        for p in (home / "receipts").rglob("*")
        if p.is_file() and ".findings" not in p.parts and not p.name.startswith(".")
    }


class Story:
    """What was there and what was said after each act."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(folder / "raw", folder / "home")
        self.home = self.settings.home
        self.said: dict[str, Run] = {}
        self.tables: dict[str, Tables] = {}
        self.pages: dict[str, dict[str, bytes]] = {}
        self.status: dict[str, dict[str, Any]] = {}
        self.found: dict[str, set[str]] = {}
        self.again: dict[str, str] = {}

    def nns(self, *arguments: str) -> Run:
        return nns(self.settings, *arguments)

    def do(self, name: str, *arguments: str) -> None:
        self.said[name] = self.nns(*arguments)
        assert self.said[name].returncode in (0, 1), self.said[name].stderr
        self.tables[name], self.pages[name] = contents(self.home), pages(self.home)
        self.found[name] = found_in(self.home)
        self.status[name] = json.loads(self.nns("status", "--round", str(ROUND), "--json").stdout)
        self.again[name] = self.nns("run").stdout


def nns(settings: Settings, *arguments: str) -> Run:
    return subprocess.run(
        frozen.nns(frozen.NOTHING_IS_DUE, *arguments),
        cwd=PROJECT,
        env={**os.environ, "NNS_RAW": str(settings.raw), "NNS_HOME": str(settings.home)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def whose() -> str:
    return "latsaskusten"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, whose: str) -> Story:
    """A home after run, withdraw, restore and erase."""
    folder = tmp_path_factory.mktemp("story")
    story = Story(folder)
    raw = story.settings.raw
    write_landing_zone(raw, rounds=[ROUND, NEXT], associations=3, questionnaires=25)
    path = raw / str(ROUND) / f"{whose}_{ROUND}.xlsx"
    mark(path)
    path = path.rename(path.with_name(f"{TOKEN}.xlsx"))
    older = path.with_name(f"{TOKEN} utkast.xlsx")
    older.write_bytes(path.read_bytes() + b"\0")
    os.utime(older, ns=(0, path.stat().st_mtime_ns - 10**9))
    never = Settings(folder / "raw-never", folder / "home-never")
    shutil.copytree(raw, never.raw)
    for file in (never.raw / str(ROUND)).glob(f"{TOKEN}*"):
        file.unlink()
    with_none = nns(never, "run")
    assert with_none.returncode == 0, with_none.stderr
    story.tables["never"], story.pages["never"] = contents(never.home), pages(never.home)
    unit = ("--association", whose, "--round", str(ROUND))
    story.do("run", "run")
    story.do("withdraw", "withdraw", *unit, "--reason", "Fel period i filen")
    story.do("restore", "restore", *unit)
    assert story.nns("digest").returncode == 0
    assert list(story.settings.digest.glob("*.txt"))
    story.do("erase", "erase", *unit, "--yes")
    return story


# --- withdraw and restore -----------------------------------------------------------------------


def figures(tables: Tables) -> Tables:
    """All tables but the two that tell what was delivered."""
    told = ("submissions", "roster")
    return {table: rows for table, rows in tables.items() if table not in told}


def states(tables: Tables) -> list[str]:
    """The states of the submissions, which are the one table that holds these words."""
    words = {"loaded", "replaced", "withdrawn", "stopped", "removed"}
    return sorted(v for row in tables["submissions"] for v in row if v in words)


def test_withdrawn_it_is_in_no_figure_and_the_rest_is_as_if_it_never_came(story: Story) -> None:
    now, never = story.tables["withdraw"], story.tables["never"]
    assert figures(now) == figures(never)
    assert states(now) == ["loaded"] * 5 + ["withdrawn"] * 2
    assert [r for r in now["submissions"] if "withdrawn" not in r] == never["submissions"]
    assert figures(story.tables["run"]) != figures(never)


def test_restored_the_marts_and_receipts_are_those_from_before(story: Story) -> None:
    assert story.tables["restore"] == story.tables["run"]
    assert story.pages["restore"] == story.pages["run"]


def test_a_withdrawn_delivery_has_no_receipt_and_the_next_round_s_is_made_anew(
    story: Story, whose: str
) -> None:
    assert f"receipts/{ROUND}/{whose}.html" in story.pages["run"]
    assert story.pages["withdraw"] == story.pages["never"]
    later = f"receipts/{NEXT}/{whose}.html"
    assert story.pages["run"][later] != story.pages["withdraw"][later]


def test_after_each_act_there_is_nothing_new(story: Story) -> None:
    for name, said in story.again.items():
        assert said.startswith("Inget nytt"), name


def test_status_says_withdrawn_and_asks_for_no_reminder(story: Story, whose: str) -> None:
    seen = story.status["withdraw"]
    states_sv = {d["state_sv"] for d in seen["deliveries"] if d["association_id"] == whose}
    assert states_sv == {"återkallad"}
    assert seen["next_step"] == "Allt är inläst och byggt."
    assert (seen["loaded"], seen["missing"]) == (2, 0)
    assert f"Ångra: nns restore --association {whose}" in story.said["withdraw"].stdout


# --- erase --------------------------------------------------------------------------------------


def test_the_marker_is_all_over_the_home_before_the_delivery_is_erased(story: Story) -> None:
    for name in ("run", "withdraw", "restore"):
        places = {Path(file).parts[0] for file in story.found[name]}
        assert places >= {"lake", "receipts", "dagster", "work", "marts.duckdb"}, name
    kinds = {Path(file).suffix for file in story.found["restore"]}
    assert kinds >= {".parquet", ".json", ".xlsx", ".html", ".db", ".duckdb"}


def test_after_erase_the_marker_is_found_nowhere_in_the_home(story: Story) -> None:
    assert story.found["erase"] == set()
    assert found_in(story.home) == set()  # nor after the run and the status that followed


def test_after_erase_all_is_as_if_the_delivery_never_came(story: Story) -> None:
    assert story.tables["erase"] == story.tables["never"]
    assert story.pages["erase"] == story.pages["never"]


def test_the_tombstone_names_round_association_and_contents_only(story: Story, whose: str) -> None:
    log = audit.whole(story.settings)
    [decision] = [line.act for line in log.lines if line.act.act == "erase" and line.act.counts]
    assert (decision.round, decision.association_id) == (ROUND, whose)
    assert decision.counts == {"files": 2}
    assert len(log.erased) == 2
    assert log.pending == {}


def test_the_command_tells_what_to_remove_by_hand_and_status_reminds(
    story: Story, whose: str
) -> None:
    left = sorted((story.settings.raw / str(ROUND)).glob(f"{TOKEN}*"))
    assert len(left) == 2  # never touched by the program
    for path in left:
        assert f"Ta bort den här filen själv: {path}" in story.said["erase"].stdout
        assert (
            f"Raderad, ta bort den själv: {path}"
            in story.nns("status", "--round", str(ROUND)).stdout
        )
    seen = story.status["erase"]
    [line] = [d for d in seen["deliveries"] if d["association_id"] == whose]
    assert (line["state_sv"], line["file"]) == ("raderad", None)
    assert "Ta bort 2 raderade filer" in seen["next_step"]


def test_audit_tells_all_of_it_and_that_the_log_is_whole(story: Story) -> None:
    told = story.nns("audit", "--last", "100")
    assert told.returncode == 0
    assert "Händelseloggen är hel." in told.stdout
    for words in ("mottagen", "inläst", "ersatt", "återkallad", "återinsatt", "raderad", "byggda"):
        assert words in told.stdout
    acts = json.loads(story.nns("audit", "--last", "1000", "--json").stdout)["acts"]
    assert [a["act"] for a in acts].count("build") == 4
    assert [a["reason"] for a in acts if a["reason"]] == ["Fel period i filen"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("withdraw", "--association", "latsaskuste"), "Menade du latsaskusten?"),
        (("withdraw", "--association", "latsaskusten"), "det finns inget att återkalla"),
        (("restore", "--association", "latsaskusten"), "kan inte tas tillbaka"),
        (("restore", "--association", "testskogen"), "är inte återkallad"),
        (("erase", "--association", "latsaskusten", "--yes"), "är redan raderad"),
        (("erase", "--association", "testskogen"), "Lägg till --yes"),
        (("withdraw", "--association", "testskogen", "--reason", "19121212-1212"), "personnummer"),
        (("withdraw", "--association", "testskogen", "--round", "2017"), "Inget är inläst"),
        (("withdraw", "--association", "testskogen", "--round", "1999"), "är okänd"),
        (("withdraw", "--round", "2025"), "--association saknas"),
    ],
)
def test_what_cannot_be_decided_is_told_and_nothing_is_done(
    story: Story, arguments: tuple[str, ...], said: str
) -> None:
    before = audit.path_of(story.settings).read_bytes()
    given = arguments if "--round" in arguments else (*arguments, "--round", str(ROUND))
    run = story.nns(*given)
    assert (run.returncode, said in run.stderr) == (2, True), run.stderr
    assert run.stderr.count("\n") == 1
    assert audit.path_of(story.settings).read_bytes() == before
