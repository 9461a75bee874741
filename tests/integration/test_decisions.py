"""Decisions hold through loads and crashes: withdrawn and erased deliveries, without a build."""

import os
from datetime import date
from pathlib import Path

import pytest

from pipelines import (
    audit,
    checking,
    erasure,
    instrument,
    lake,
    loading,
    lock,
    register,
    withdrawal,
)
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

KNOWN = instrument.load()
ROUND = 2026
DAY = date(2026, 10, 28)


class Zone:
    """A landing zone of three associations and what is done with one of them."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(folder / "raw", folder / "home")
        write_landing_zone(self.settings.raw, rounds=[ROUND], associations=3, questionnaires=12)
        self.register = register.read(self.settings.raw)
        self.path = self.files[0]
        self.whose = self.path.stem.partition("_")[0]
        self.load()

    @property
    def files(self) -> list[Path]:
        return loading.delivered(self.settings, ROUND)

    def load(self) -> loading.Load:
        return loading.load(self.settings, [ROUND], KNOWN, self.register)

    @property
    def states(self) -> dict[str, str]:
        deliveries = lake.read_manifest(self.settings).deliveries
        return {Path(d.file).name: d.state for d in deliveries if d.is_present}

    @property
    def unit(self) -> withdrawal.Unit:
        return withdrawal.unit(self.settings, self.register, self.whose, ROUND)

    def withdraw(self) -> None:
        withdrawal.withdraw(self.settings, self.register, self.unit, "")

    def restore(self) -> None:
        withdrawal.restore(self.settings, self.register, self.unit, "")

    def erase(self) -> None:
        withdrawal.erase(self.settings, self.register, self.unit, "")

    def is_current(self) -> bool:
        return loading.is_current(self.settings, [ROUND], KNOWN, self.register)

    def resend(self, name: str) -> Path:
        """Another file of the association, later and with other bytes."""
        path = self.path.with_name(name)
        path.write_bytes(self.path.read_bytes() + b"\0")
        later = self.path.stat().st_mtime_ns + 10**9
        os.utime(path, ns=(later, later))
        return path


@pytest.fixture
def zone(tmp_path: Path) -> Zone:
    return Zone(tmp_path)


def test_what_comes_later_is_withdrawn_too_until_it_is_restored(zone: Zone) -> None:
    zone.withdraw()
    assert zone.states[zone.path.name] == "withdrawn"
    assert zone.is_current()
    zone.resend("rättad.xlsx")
    assert not zone.is_current()
    zone.load()
    assert zone.states["rättad.xlsx"] == "withdrawn"
    zone.restore()
    assert (zone.states[zone.path.name], zone.states["rättad.xlsx"]) == ("replaced", "loaded")
    assert zone.is_current()


def test_a_withdrawal_outlives_a_lost_manifest_and_a_check(zone: Zone) -> None:
    zone.withdraw()
    n = len(audit.whole(zone.settings).lines)
    (zone.settings.lake / "manifest.json").unlink()
    zone.load()
    checking.check_rounds(zone.settings, [ROUND], KNOWN, zone.register, DAY)
    assert zone.states[zone.path.name] == "withdrawn"
    assert len(audit.whole(zone.settings).lines) == n
    receipts = {p.stem for p in (zone.settings.receipts / str(ROUND)).glob("*.html")}
    assert len(receipts) == 2
    assert zone.whose not in receipts


def test_a_withdrawal_that_was_interrupted_is_done_by_the_next_load(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lake, "resettle", interrupted)
    with pytest.raises(KeyboardInterrupt):
        zone.withdraw()
    monkeypatch.undo()
    assert zone.states[zone.path.name] == "loaded"
    assert not zone.is_current()
    zone.load()
    assert zone.states[zone.path.name] == "withdrawn"
    assert zone.is_current()


@pytest.mark.parametrize("step", ["resettle", "sweep", "_sweep_dagster"])
def test_an_erasure_that_was_interrupted_is_finished_by_the_next_run(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    [delivery] = zone.unit.deliveries
    (zone.settings.dagster_home / "history").mkdir(parents=True)
    monkeypatch.setattr(lake if step == "resettle" else erasure, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        zone.erase()
    monkeypatch.undo()
    assert not zone.is_current()
    zone.load()  # by a schedule: all but what the run itself stands on
    assert not lake.parquet_of(zone.settings, delivery).exists()
    assert zone.path.name not in zone.states
    assert not zone.is_current()
    erasure.finish(zone.settings, zone.register)
    assert not (zone.settings.dagster_home / "history").exists()
    assert zone.is_current()


def test_an_erased_content_is_not_read_again_under_any_name(zone: Zone) -> None:
    zone.erase()
    assert zone.is_current()
    os.utime(zone.path, ns=(0, zone.path.stat().st_mtime_ns + 10**9))
    copy = zone.path.with_name("kopia.xlsx")
    copy.write_bytes(zone.path.read_bytes())
    assert not zone.is_current()
    assert zone.load().read == ()
    assert len(zone.states) == 2
    assert zone.is_current()
    assert withdrawal.erased_files(zone.settings, ROUND) == sorted([copy, zone.path])
    (zone.settings.lake / "manifest.json").unlink()
    assert len(zone.load().read) == 2
    assert zone.is_current()


def test_a_new_file_counts_after_an_erasure_and_can_be_withdrawn(zone: Zone) -> None:
    zone.withdraw()
    zone.erase()
    zone.resend("ny.xlsx")
    zone.load()
    assert zone.states["ny.xlsx"] == "loaded"
    zone.withdraw()
    zone.restore()
    assert zone.states["ny.xlsx"] == "loaded"


def test_an_erasure_takes_what_a_lost_manifest_no_longer_tells(zone: Zone) -> None:
    [old] = zone.unit.deliveries
    zone.resend(zone.path.name)
    zone.load()
    (zone.settings.lake / "manifest.json").unlink()
    zone.load()
    assert lake.parquet_of(zone.settings, old).exists()
    zone.erase()
    assert not lake.parquet_of(zone.settings, old).exists()
    assert len(audit.whole(zone.settings).erased) == 2


def test_nothing_is_loaded_while_the_log_is_not_whole(zone: Zone) -> None:
    zone.withdraw()
    path = audit.path_of(zone.settings)
    path.write_bytes(path.read_bytes().replace(b'"act":"withdraw"', b'"act":"restore"'))
    assert not zone.is_current()
    with pytest.raises(audit.BrokenLogError, match="nns audit --renew"):
        zone.load()
    assert zone.states[zone.path.name] == "withdrawn"


def test_nothing_is_erased_while_dagster_s_page_is_open(zone: Zone) -> None:
    n = len(audit.whole(zone.settings).lines)
    lock.stay_open(zone.settings)  # by this process, to its end; each test has its own home
    with pytest.raises(erasure.UiOpenError, match="nns ui"):
        zone.erase()
    assert len(audit.whole(zone.settings).lines) == n
    assert zone.states[zone.path.name] == "loaded"


@pytest.mark.parametrize(("typed", "is_done"), [("fel", False), ("rätt", True)])
def test_on_a_terminal_the_association_s_id_is_to_be_typed(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, typed: str, is_done: bool
) -> None:
    from pipelines import cli

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda _: zone.whose if typed == "rätt" else typed)
    if is_done:
        cli._confirm_erasure(zone.unit)
    else:
        with pytest.raises(cli.Fault, match="Inget är raderat"):
            cli._confirm_erasure(zone.unit)
