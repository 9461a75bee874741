"""The lake: which files are opened, which delivery counts, and what lies on disk afterwards."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import lake_rows
import openpyxl
import pyarrow.parquet as pq
import pytest

from pipelines import instrument as instruments
from pipelines import lake, loading, register
from pipelines.findings import Severity
from pipelines.settings import Settings
from pipelines.workbook import sandbox, structure
from pipelines.workbook.sample import write_landing_zone

INSTRUMENT = instruments.load()
ROUND = 2024
MINUTE = 60 * 10**9


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    """A landing zone of two rounds and three associations."""
    path = tmp_path_factory.mktemp("sample") / "raw"
    write_landing_zone(path, rounds=(2022, ROUND), associations=3, questionnaires=12)
    return path


@pytest.fixture
def home(sample, tmp_path) -> Settings:
    """A copy of the sample and an empty home."""
    shutil.copytree(sample, tmp_path / "raw")
    return Settings(tmp_path / "raw", tmp_path / "home")


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """The files that are opened, as they are."""
    files: list[str] = []
    draft = structure.draft_workbook

    def counted(data, *, file, **known):
        files.append(file)
        return draft(data, file=file, **known)

    monkeypatch.setattr(structure, "draft_workbook", counted)
    return files


def load(settings: Settings, *rounds: int, instrument=INSTRUMENT) -> loading.Load:
    known = register.read(settings.raw)
    return loading.load(settings, rounds or (2022, ROUND), instrument, known)


def files(settings: Settings, round_: int = ROUND) -> list[Path]:
    return loading.delivered(settings, round_)


def states(settings: Settings) -> dict[str, str]:
    """State by file name; a file seen with two contents has both, newest last."""
    found: dict[str, str] = {}
    for d in lake.read_manifest(settings).deliveries:
        name = d.file.rpartition("/")[2]
        found[name] = f"{found[name]}, {d.state}" if name in found else d.state
    return found


def age(path: Path, minutes: int) -> None:
    """Makes a file so much older."""
    ns = path.stat().st_mtime_ns - minutes * MINUTE
    os.utime(path, ns=(ns, ns))


def parquet(settings: Settings) -> dict[str, bytes]:
    return {
        path.relative_to(settings.lake).as_posix(): path.read_bytes()
        for path in settings.lake.rglob("*.parquet")
    }


def delivered_again(path: Path, name: str, *, by: Path | None = None) -> Path:
    """Another file for the same association, whose bytes differ (a zip may have bytes before)."""
    copy = path.with_name(name)
    copy.write_bytes((by or path).read_bytes())
    with copy.open("ab") as file:  # a comment after the end of the zip changes the content's name
        file.write(b"\0")
    return copy


def test_every_workbook_becomes_a_parquet_file_named_by_its_content(home):
    loaded = load(home)
    assert len(loaded.read) == 6
    assert all(d.state == "loaded" for d in loaded.manifest.deliveries)
    for d in loaded.manifest.deliveries:
        content = (home.raw / d.file).read_bytes()
        assert d.sha256 == hashlib.sha256(content).hexdigest()
        path = home.lake / f"responses/round={d.round}/{d.sha256}.parquet"
        table = pq.ParquetFile(path).read()
        assert table.num_rows == d.n_questionnaires > 0
        assert set(table["sha256"].to_pylist()) == {d.sha256}


def test_parquet_holds_what_was_read(home):
    load(home)
    for d in lake.read_manifest(home).deliveries:
        reading = lake_reading(home, d)
        asked = list(instruments.load().questions)
        read = reading.responses.to_pylist()
        for row in read:
            row["answers"].sort(key=lambda answer: asked.index(answer[0]))
        assert lake_rows.rows_of(home, d) == read


def lake_reading(home: Settings, d: lake.Delivery):
    from pipelines.workbook.read import read_workbook

    return read_workbook(
        (home.raw / d.file).read_bytes(),
        file=d.file,
        sha256=d.sha256,
        folder_round=d.round,
        associations=register.read(home.raw).associations,
        instrument=INSTRUMENT,
    )


def test_an_unchanged_file_is_not_opened_again_and_a_changed_one_is(home, opened):
    load(home)
    assert len(opened) == 6
    opened.clear()
    assert load(home).read == ()
    assert opened == []
    changed = files(home)[1]
    age(changed, -1)
    assert [d.file for d in load(home).read] == opened == [f"{ROUND}/{changed.name}"]


def test_only_the_asked_rounds_are_looked_at(home, opened):
    load(home, 2022)
    assert {file.partition("/")[0] for file in opened} == {"2022"}
    load(home, ROUND)
    assert {d.round for d in lake.read_manifest(home).counting()} == {2022, ROUND}
    assert len(opened) == 6


def test_a_changed_instrument_or_register_reads_all_rounds_anew(home, opened):
    load(home)
    opened.clear()
    load(home, ROUND, instrument=replace(INSTRUMENT, fingerprint="another"))
    assert len(opened) == 6
    opened.clear()
    associations = home.raw / "register" / "associations.csv"
    lines = associations.read_text("utf-8").splitlines()
    other = lines[1].split(",")
    added = ",".join(["nytt-forbund", "Nytt", *other[2:]])
    associations.write_text("\n".join([*lines, added]), encoding="utf-8")
    load(home, ROUND, instrument=replace(INSTRUMENT, fingerprint="another"))
    assert len(opened) == 6


def test_the_newest_delivery_counts_and_the_older_is_replaced(home):
    old = files(home)[0]
    delivered_again(old, "a_tidigare_namn.xlsx")
    age(old, 5)
    load(home)
    assert states(home)[old.name] == "replaced"
    assert states(home)["a_tidigare_namn.xlsx"] == "loaded"


def test_of_two_deliveries_of_the_same_time_the_last_by_name_counts(home):
    first = files(home)[0]
    last = delivered_again(first, "zz.xlsx")
    ns = first.stat().st_mtime_ns
    os.utime(last, ns=(ns, ns))
    load(home)
    assert (states(home)[first.name], states(home)["zz.xlsx"]) == ("replaced", "loaded")


def test_a_stopped_newer_delivery_does_not_push_out_an_accepted_older_one(home):
    old = files(home)[0]
    load(home)
    broken = old.with_name("ny.xlsx")
    broken.write_bytes(old.read_bytes()[:-40])
    age(broken, -5)
    loaded = load(home)
    assert (states(home)[old.name], states(home)["ny.xlsx"]) == ("loaded", "stopped")
    [stop] = loaded.findings
    assert (stop.severity, stop.file) == (Severity.STOP, f"{ROUND}/ny.xlsx")


def test_a_stopped_delivery_leaves_no_rows(home):
    path = files(home)[0]
    path.write_bytes(b"PK")
    [stopped] = [d for d in load(home).read if d.state == "stopped"]
    assert not {name for name in parquet(home) if stopped.sha256 in name}
    assert stopped.n_questionnaires == 0


def test_a_file_overwritten_in_place_stays_on_record_as_replaced(home):
    path = files(home)[0]
    load(home)
    delivered_again(path, path.name)
    age(path, -5)
    load(home)
    assert states(home)[path.name] == "replaced, loaded"


def test_a_removed_file_no_longer_counts_and_stays_on_record(home):
    path = files(home)[0]
    load(home)
    path.unlink()
    loaded = load(home)
    assert states(home)[path.name] == "removed"
    assert len(loaded.manifest.counting(ROUND)) == 2
    assert loaded.read == ()


def test_a_removed_newest_delivery_brings_back_the_one_before(home, opened):
    old = files(home)[0]
    new = delivered_again(old, "ny.xlsx")
    age(new, -5)
    load(home)
    opened.clear()
    new.unlink()
    load(home)
    assert (states(home)[old.name], states(home)["ny.xlsx"]) == ("loaded", "replaced")
    assert opened == []


def test_findings_are_kept_with_the_delivery_and_forgotten_when_it_is_mended(home):
    path = files(home)[0]
    good, before = path.read_bytes(), path.stat()
    path.write_bytes(b"trasig")
    [stopped] = [d for d in load(home).read if d.state == "stopped"]
    [found] = lake.findings_of(home, stopped)
    assert (found.rule_id, found.file) == ("not_xlsx", f"{ROUND}/{path.name}")
    path.write_bytes(good)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + MINUTE))
    [mended] = load(home).read
    assert lake.findings_of(home, mended) == []


def test_broken_files_of_every_sort_do_not_keep_the_others_out(home):
    folder = home.raw / str(ROUND)
    good = files(home)[0].read_bytes()
    broken = {
        "tom.xlsx": b"",
        "avhuggen.xlsx": good[: len(good) // 2],
        "text.xlsx": b"lopnr;kon\n",
        "gammal.xls": bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504),
        "slump.xlsx": bytes(range(256)) * 9,
        "anteckning.txt": b"hej",
    }
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    (folder / "~$lås.xlsx").write_bytes(b"lock")
    (folder / ".dold.xlsx").write_bytes(b"hidden")
    (folder / "mapp.xlsx").mkdir()
    loaded = load(home)
    assert len(loaded.manifest.counting()) == 6
    assert {name for name, state in states(home).items() if state == "stopped"} == set(broken)
    assert len(loaded.findings) == len(broken)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_finding(home):
    files(home)[0].chmod(0)
    assert [f.rule_id for f in load(home).findings] == ["no_access"]


def test_workbooks_are_read_in_batches_with_the_same_result(home, monkeypatch):
    load(home)
    together = parquet(home)
    shutil.rmtree(home.home)
    monkeypatch.setattr(loading, "BATCH_RESPONSES", 1)
    load(home)
    assert parquet(home) == together


def test_workbooks_are_read_side_by_side_with_the_same_result_as_one_by_one(home, monkeypatch):
    folder = home.raw / str(ROUND)
    big = files(home)[0].read_bytes() + bytes(1 << 20)  # takes longest, and is refused
    for name, content in {"aa.xlsx": big, "nn.xlsx": b"", "zz.txt": b"hej"}.items():
        (folder / name).write_bytes(content)
    together = load(home)
    lying = parquet(home)
    shutil.rmtree(home.home)
    monkeypatch.setattr(sandbox, "AT_ONCE", 1)
    monkeypatch.setattr(loading, "FILES_AHEAD", 0)
    one_by_one = load(home)
    assert one_by_one == together
    assert len(together.findings) == 3
    assert parquet(home) == lying


def test_few_files_are_read_ahead_of_where_they_are_understood(home, monkeypatch):
    begun, waited = [], []
    begin = sandbox.Readers.begin

    def noted(self, data, file):
        begun.append(file)
        wait = begin(self, data, file)
        return lambda *_: (waited.append(len(begun)), wait())[1]

    monkeypatch.setattr(sandbox.Readers, "begin", noted)
    monkeypatch.setattr(loading, "FILES_AHEAD", 2)
    load(home)
    assert begun == [d.file for d in lake.read_manifest(home).deliveries]
    assert waited == [3, 4, 5, 6, 6, 6]


def test_two_loads_give_byte_identical_parquet(home, tmp_path):
    load(home)
    other = Settings(home.raw, tmp_path / "other")
    load(other)
    assert parquet(home) == parquet(other)
    before = parquet(home)
    load(home)
    assert parquet(home) == before


def test_no_half_written_file_is_left(home):
    load(home)
    assert [p for p in home.home.rglob("*") if p.suffix == ".part"] == []


def test_progress_counts_the_files_that_are_opened(home):
    seen: list[tuple[int, int]] = []
    known = register.read(home.raw)
    loading.load(
        home, (2022, ROUND), INSTRUMENT, known, lambda done, total: seen.append((done, total))
    )
    assert seen == [(done, 6) for done in range(7)]


def test_an_empty_landing_zone_gives_empty_tables(tmp_path):
    settings = Settings(tmp_path / "raw", tmp_path / "home")
    loaded = load(settings)
    assert loaded.manifest.deliveries == ()
    tables = {name: pq.ParquetFile(settings.lake / name).read() for name in parquet(settings)}
    settings_ = tables.pop("outcomes/settings.parquet")
    assert settings_.num_rows == 1
    assert {table.num_rows for table in tables.values()} == {0}
    assert {f"{name}/round=0/none.parquet" for name in lake.READ} <= set(tables)


def test_the_categories_of_what_counts_and_the_kinds_of_the_register_are_tables(home):
    path = files(home)[0]
    book = openpyxl.load_workbook(path)
    page, column = book["Insatser"], book["Insatser"].max_column + 1
    for row, value in enumerate(("kategori_målgrupp", "Unga", None), start=1):
        page.cell(row, column, value)
    book.save(path)
    registered = home.raw / "register" / "associations.csv"
    head, first, *rest = registered.read_text("utf-8").splitlines()
    registered.write_text(
        "\n".join([f"{head},kind,in_nation", f"{first},kommun,", *(f"{r},," for r in rest)]),
        "utf-8",
    )
    load(home)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    table = pq.ParquetFile(home.lake / "activity_categories.parquet").read()
    assert table.to_pylist() == [
        {"sha256": sha256, "insats_kod": "A1", "category": "målgrupp", "value": "Unga"}
    ]
    table = pq.ParquetFile(home.lake / "register" / "associations.parquet").read()
    kinds = [(row["kind"], row["in_nation"]) for row in table.to_pylist()]
    assert kinds == [("kommun", False), *[("", True)] * len(rest)]


def test_the_manifest_of_a_program_without_categories_is_no_error_and_is_read_anew(home, opened):
    load(home)
    before = lake.read_manifest(home)
    former = tuple(
        replace(d, activities=[_without(a, "categories") for a in d.activities], read_with="former")
        for d in before.deliveries
    )
    lake.write_tables(home, replace(before, deliveries=former), register.read(home.raw))
    opened.clear()
    load(home)
    assert lake.read_manifest(home) == before
    assert len(opened) == len(before.deliveries)


def _without(row, name):
    return {key: value for key, value in row.items() if key != name}


def test_a_round_that_the_instrument_does_not_have_is_told(home):
    (home.raw / "1999").mkdir()
    assert loading.passed_over(home, INSTRUMENT) == [home.raw / "1999"]
