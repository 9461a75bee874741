"""What is known stays right: after re-reading, resending, losing files, half-done work."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from pipelines import checking, findings, instrument, lake, loading, receipts, register
from pipelines.lake import Delivery
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

KNOWN = instrument.load()
ROUND = 2026
DAY = date(2026, 10, 28)
MINUTE = 60 * 10**9


class Zone:
    """A landing zone of three associations and what a load and a check make of it."""

    def __init__(self, folder: Path, rounds: Iterable[int] = (ROUND,), **sample: object) -> None:
        self.settings = Settings(folder / "raw", folder / "home")
        self.known = KNOWN
        write_landing_zone(self.settings.raw, rounds=list(rounds), associations=3, **sample)

    def load(self, *rounds: int) -> None:
        loading.load(self.settings, rounds or (ROUND,), self.known, self.register)

    def check(self) -> None:
        checking.check_rounds(self.settings, [ROUND], self.known, self.register, DAY)

    def run(self) -> dict[str, str]:
        self.load()
        self.check()
        return self.states

    @property
    def register(self) -> register.Register:
        return register.read(self.settings.raw)

    @property
    def files(self) -> list[Path]:
        return loading.delivered(self.settings, ROUND)

    @property
    def deliveries(self) -> list[Delivery]:
        return list(lake.read_manifest(self.settings).deliveries)

    @property
    def states(self) -> dict[str, str]:
        """State by file name of what is there."""
        return {Path(d.file).name: d.state for d in self.deliveries if d.is_present}

    def is_current(self) -> bool:
        return loading.is_current(
            self.settings, [ROUND], self.known, self.register
        ) and not checking.stale_rounds(self.settings, [ROUND], self.known, self.register)


def add_association(zone: Zone) -> None:
    path = zone.settings.raw / "register" / "associations.csv"
    with path.open("a", encoding="utf-8") as file:
        file.write("nytt,Samordningsförbundet Nytt,01,,\n")


def age(path: Path, minutes: int) -> None:
    ns = path.stat().st_mtime_ns - minutes * MINUTE
    os.utime(path, ns=(ns, ns))


def copy_answers(source: Path, target: Path) -> None:
    """The target's association sends the source's answers as its own."""
    own = openpyxl.load_workbook(target)["Läs mig"]["B5"].value
    book = openpyxl.load_workbook(source)
    book["Läs mig"]["B5"] = own
    book.save(target)


# --- stops of a check ---------------------------------------------------------------------------


def test_a_stop_holds_though_the_file_is_read_again(tmp_path: Path) -> None:
    zone = Zone(tmp_path, faults=["same_answers_two_files"])
    stopped = [name for name, state in zone.run().items() if state == "stopped"]
    assert len(stopped) == 1
    add_association(zone)  # all files are read again
    zone.load()
    assert zone.states[stopped[0]] == "stopped"
    assert not zone.is_current()
    zone.check()
    assert [name for name, state in zone.states.items() if state == "stopped"] == stopped
    assert zone.is_current()


def test_a_stop_in_a_round_that_is_not_asked_for_holds(tmp_path: Path) -> None:
    zone = Zone(tmp_path, rounds=[2025], faults=["same_answers_two_files"])
    zone.load(2025)
    zone.check()
    assert [d.state for d in zone.deliveries].count("stopped") == 1
    add_association(zone)
    zone.load(ROUND)
    assert [d.state for d in zone.deliveries].count("stopped") == 1
    assert checking.stale_rounds(zone.settings, [2025], KNOWN, zone.register) == [2025]
    zone.check()  # of ROUND; the build takes 2025 too
    assert checking.stale_rounds(zone.settings, [2025], KNOWN, zone.register) == []
    assert [d.state for d in zone.deliveries].count("stopped") == 1


def test_a_late_file_concerns_its_round_and_the_one_that_looks_back_at_it(tmp_path: Path) -> None:
    zone = Zone(tmp_path, rounds=[2024, 2025, ROUND])
    zone.load(2024, 2025, ROUND)
    zone.check()
    late = loading.delivered(zone.settings, 2024)[0]
    pages = {p: p.stat().st_mtime_ns for p in zone.settings.receipts.rglob("*.html")}
    os.utime(late, ns=(late.stat().st_atime_ns, late.stat().st_mtime_ns + MINUTE))
    zone.load(2024)
    every = (2024, 2025, ROUND)
    assert checking.stale_rounds(zone.settings, every, KNOWN, zone.register) == [2024, 2025]
    zone.check()
    assert checking.stale_rounds(zone.settings, every, KNOWN, zone.register) == []
    again = {p for p, time in pages.items() if p.stat().st_mtime_ns != time}
    assert {(p.parent.name, p.stem) for p in again} <= {("2024", late.stem.rpartition("_")[0])}


def test_a_file_the_machine_was_too_busy_for_is_checked_once_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = Zone(tmp_path)
    real, busy = loading.draft_of, zone.files[0]

    def draft(data: bytes, file: str, *rest: object) -> object:
        read = real(data, file, *rest)
        timeout = findings.finding("reader_timeout", file=file)
        is_busy = zone.settings.raw / file == busy
        return replace(read, findings=(timeout,), is_refused=True) if is_busy else read

    monkeypatch.setattr(loading, "draft_of", draft)
    assert zone.run()[busy.name] == "stopped"
    monkeypatch.undo()
    assert not zone.is_current()
    assert zone.run()[busy.name] == "loaded"
    assert zone.is_current()


def test_the_original_stays_the_original_when_it_is_sent_again(tmp_path: Path) -> None:
    zone = Zone(tmp_path)
    original, copy, _ = zone.files
    age(original, 60)
    copy_answers(original, copy)
    states = zone.run()
    assert (states[original.name], states[copy.name]) == ("loaded", "stopped")
    book = openpyxl.load_workbook(original)  # corrected and sent again, later than the copy
    book["Styrelse"]["E3"] = 6
    book.save(original)
    assert zone.run()[original.name] == "loaded"
    assert zone.states[copy.name] == "stopped"


def test_a_copy_is_found_when_the_original_s_newest_file_does_not_count(tmp_path: Path) -> None:
    zone = Zone(tmp_path)
    original, copy, _ = zone.files
    age(original, 60)
    copy_answers(original, copy)
    empty = openpyxl.load_workbook(original)
    for layout in KNOWN.layouts[KNOWN.rounds[ROUND].layout_id].values():
        page = empty[layout.sheet_name]
        page.delete_rows(layout.header_row + 2, page.max_row)
    empty.save(original.with_stem("tom_mall"))
    states = zone.run()
    assert states["tom_mall.xlsx"] in ("stopped", "replaced")
    assert (states[original.name], states[copy.name]) == ("loaded", "stopped")


# --- files that come, go and come back ----------------------------------------------------------


def test_a_file_that_comes_back_is_judged_by_what_is_known_then(tmp_path: Path) -> None:
    zone = Zone(tmp_path, faults=["unknown_association"])
    name = next(name for name, state in zone.run().items() if state == "stopped")
    path, away = zone.settings.raw / str(ROUND) / name, tmp_path / name
    path.rename(away)
    zone.load()
    with (zone.settings.raw / "register" / "associations.csv").open("a", encoding="utf-8") as file:
        file.write("finns-inte,Samordningsförbundet Finns Inte,01,,\n")
    zone.load()
    away.rename(path)
    assert not zone.is_current()
    assert zone.run()[name] == "loaded"


@pytest.mark.parametrize("copy", ["2025/kopia.xlsx", f"{ROUND}/kopia.xlsx.bak"])
def test_the_same_bytes_elsewhere_take_nothing_from_the_delivery_that_counts(
    tmp_path: Path, copy: str
) -> None:
    import pyarrow.parquet as pq

    zone = Zone(tmp_path)
    zone.run()
    table = zone.settings.lake / "activities.parquet"
    before = pq.read_table(table).num_rows
    target = zone.settings.raw / copy
    target.parent.mkdir(exist_ok=True)
    shutil.copy(zone.files[0], target)
    zone.load(2025, ROUND)
    assert pq.read_table(table).num_rows == before > 0
    assert [d.state for d in zone.deliveries].count("loaded") == 3


def test_files_without_content_of_their_own_have_their_own_findings(tmp_path: Path) -> None:
    zone = Zone(tmp_path)
    folder, good = zone.settings.raw / str(ROUND), zone.files[0]
    (folder / "tom.xlsx").touch()
    (folder / "genväg.xlsx").symlink_to(good)
    shutil.copy(good, folder / "kopia.bak")
    zone.run()
    told = {
        Path(d.file).name: [f.rule_id for f in lake.findings_of(zone.settings, d)]
        for d in zone.deliveries
    }
    assert told["tom.xlsx"] == ["no_access"]
    assert told["genväg.xlsx"] == ["not_regular_file"]
    assert told["kopia.bak"] == ["not_xlsx"]
    assert told[good.name] == []


def test_a_name_that_is_no_text_does_not_keep_the_others_out(tmp_path: Path) -> None:
    zone = Zone(tmp_path)
    path = zone.files[0]
    path.rename(path.with_name(os.fsdecode(b"p\xe5hitt.xlsx")))
    states = zone.run()
    assert states["p\\xe5hitt.xlsx"] == "loaded"
    assert list(states.values()).count("loaded") == 3
    assert zone.is_current()


# --- what is lost or half done ------------------------------------------------------------------


@pytest.mark.parametrize("lose", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_what_was_read_and_is_lost_is_read_again(tmp_path: Path, lose: object) -> None:
    zone = Zone(tmp_path)
    zone.run()
    parquet = lake.parquet_of(zone.settings, zone.deliveries[0])
    content = parquet.read_bytes()
    lose(parquet)
    assert not zone.is_current()
    zone.run()
    assert parquet.read_bytes() == content
    assert zone.is_current()


def test_receipts_that_are_lost_are_written_again_with_their_findings(tmp_path: Path) -> None:
    zone = Zone(tmp_path, faults=["unknown_code", "duplicate_lopnr"])
    zone.run()

    def pages() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in zone.settings.receipts.rglob("*.html")}

    before = pages()
    shutil.rmtree(zone.settings.receipts)
    assert not zone.is_current()
    zone.run()
    assert pages() == before
    assert zone.is_current()


def test_receipts_that_were_interrupted_are_written_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = Zone(tmp_path)
    zone.load()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(receipts, "write_rounds", interrupted)
    with pytest.raises(KeyboardInterrupt):
        zone.check()
    monkeypatch.undo()
    assert not zone.is_current()
    zone.check()
    assert len(list(zone.settings.receipts.rglob("*.html"))) == 3


def test_a_changed_rule_reads_and_judges_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = Zone(tmp_path, faults=["unknown_code"])
    zone.run()
    assert zone.is_current()
    changed = tmp_path / "rules.csv"
    text = findings.RULES.read_text(encoding="utf-8")
    changed.write_text(text.replace("answer_unknown,error", "answer_unknown,stop"), "utf-8")
    monkeypatch.setattr(loading, "RULES", changed)
    assert not zone.is_current()
