"""Faults of a round as they happen, night by night: each raises its alarms, a clean round none.

Belongs here: scenarios in landing zones that are loaded and checked in this process. Does not: how
a fault is found in a workbook (test_read.py, test_quality.py), the mail (test_digest.py).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from pipelines import (
    alarms,
    audit,
    checking,
    findings,
    instrument,
    loading,
    register,
    reminders,
    roster,
    runs,
    withdrawal,
)
from pipelines.alarms import Alarm
from pipelines.instrument import Round
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

KNOWN = instrument.load()
ROUND = 2026
DEADLINE = KNOWN.rounds[ROUND].delivery_deadline
EARLY = datetime(2026, 10, 1, 12, tzinfo=UTC)
"""When the files of the round came; the nights of a scenario are counted from then."""

A, B, C = "latsaskusten", "pahittsslatten", "testskogen"
"""The associations of the zone; A is made of two others, one of which is OLD."""
OLD = "exempelbygden"


@dataclass
class Zone:
    """A landing zone of three associations and two rounds."""

    settings: Settings

    def path(self, association_id: str, round_: int = ROUND) -> Path:
        return self.settings.raw / str(round_) / f"{association_id}_{round_}.xlsx"

    @property
    def register(self) -> register.Register:
        return register.read(self.settings.raw)

    def night(self, now: datetime, rounds: Iterable[int] = (ROUND,)) -> list[Alarm]:
        """What a nightly run finds: load, check, and the alarms after it."""
        today = now.date()
        rounds = list(rounds)
        if not loading.is_current(self.settings, rounds, KNOWN, self.register):
            loading.load(self.settings, rounds, KNOWN, self.register)
        checking.check_rounds(self.settings, rounds, KNOWN, self.register, today)
        runs.finished(self.settings, "run", ok=True, now=now)
        return self.alarms(now)

    def alarms(self, now: datetime) -> list[Alarm]:
        return list(alarms.raised(self.settings, KNOWN, self.register, now))


def came(path: Path, when: datetime = EARLY) -> Path:
    """Sets when a file was written."""
    os.utime(path, (when.timestamp(), when.timestamp()))
    return path


def zone_of(folder: Path, **sample: object) -> Zone:
    zone = Zone(Settings(folder / "raw", folder / "home"))
    known = {"rounds": [2025, ROUND], "associations": 3, "questionnaires": 60, **sample}
    write_landing_zone(zone.settings.raw, **known)
    for round_ in known["rounds"]:
        for path in loading.delivered(zone.settings, round_):
            came(path, EARLY - timedelta(days=365 * (ROUND - round_)))
    return zone


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Zone:
    """The round before is loaded and checked, the files of this one wait."""
    zone = zone_of(tmp_path_factory.mktemp("before"))
    zone.night(EARLY - timedelta(days=300), [2025])
    return zone


@pytest.fixture(scope="module")
def after(before: Zone, tmp_path_factory: pytest.TempPathFactory) -> Zone:
    """This round's files are loaded and checked too, a night later."""
    zone = copy_of(before, tmp_path_factory.mktemp("after"))
    assert zone.night(EARLY + timedelta(hours=12)) == []
    return zone


def copy_of(zone: Zone, folder: Path) -> Zone:
    shutil.copytree(zone.settings.raw, folder / "raw")
    shutil.copytree(zone.settings.home, folder / "home")
    return Zone(Settings(folder / "raw", folder / "home"))


# --- what goes wrong ----------------------------------------------------------------------------

Happening = Callable[[Zone], None]


def sample_fault(name: str) -> Happening:
    """A fault as the sample puts it into the first association's file."""

    def happen(zone: Zone) -> None:
        other = zone_of(zone.settings.raw.parent / "faulty", rounds=[ROUND], faults=[name])
        zone.path(A).unlink()
        for path in (other.settings.raw / str(ROUND)).glob(f"{A}_*"):
            shutil.copy2(path, zone.path(A).parent)

    return happen


def of_size(questionnaires: int) -> Happening:
    """The first association's file with another number of questionnaires."""

    def happen(zone: Zone) -> None:
        folder = zone.settings.raw.parent / "other size"
        other = zone_of(folder, rounds=[ROUND], questionnaires=questionnaires, seed=1)
        shutil.copy2(other.path(A), zone.path(A))

    return happen


def content(data: bytes, name: str = f"{A}_{ROUND}.xlsx", when: datetime = EARLY) -> Happening:
    def happen(zone: Zone) -> None:
        path = zone.path(A).with_name(name)
        path.write_bytes(data)
        came(path, when)

    return happen


def edited(
    change: Callable[[openpyxl.Workbook], None],
    *,
    name: str = f"{A}_{ROUND}.xlsx",
    when: datetime = EARLY,
) -> Happening:
    """The first association's file changed by hand, under its own or another name."""

    def happen(zone: Zone) -> None:
        book = openpyxl.load_workbook(zone.path(A))
        change(book)
        path = zone.path(A).with_name(name)
        book.save(path)
        came(path, when)

    return happen


def readme(cell: str, value: object) -> Callable[[openpyxl.Workbook], None]:
    return lambda book: book["Läs mig"].__setitem__(cell, value)


def without_sheet(name: str) -> Callable[[openpyxl.Workbook], None]:
    return lambda book: book.__delitem__(name)


def one_answer_less(book: openpyxl.Workbook) -> None:
    sheet = book["Personal"]
    row = next(r for r in sheet.iter_rows(min_row=3) if any(c.value for c in r[4:-1]))
    next(c for c in row[4:-1] if c.value).value = None


def shift_columns(book: openpyxl.Workbook) -> None:
    """Gender ends up under the date and every answer under the next question."""
    sheet = book["Deltagare pågående"]
    for row in sheet.iter_rows(min_row=3):
        values = [c.value for c in row]
        for cell, value in zip(row[4:], values[3:], strict=False):
            cell.value = value


def pasted_twice(book: openpyxl.Workbook) -> None:
    sheet = book["Deltagare pågående"]
    rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=3) if row[0].value]
    for number, row in enumerate(rows[:8], start=1):
        sheet.append([len(rows) + number, *row[1:]])


def no_rows(book: openpyxl.Workbook) -> None:
    for sheet in book.worksheets[2:]:
        sheet.delete_rows(3, sheet.max_row)


def an_activity_without_answers(book: openpyxl.Workbook) -> None:
    book["Insatser"].append(["Z9", "Tomma rummet", "individ", "kort", 25, 0, 0, 0])


def remove(association_id: str) -> Happening:
    return lambda zone: zone.path(association_id).unlink()


def move(association_id: str, to: str) -> Happening:
    def happen(zone: Zone) -> None:
        target = zone.settings.raw / to
        target.parent.mkdir(exist_ok=True)
        zone.path(association_id).rename(target)

    return happen


def copied(association_id: str, name: str, when: datetime = EARLY) -> Happening:
    def happen(zone: Zone) -> None:
        path = zone.path(association_id)
        came(shutil.copy2(path, path.parent / name), when)

    return happen


def arrives(association_id: str, when: datetime) -> Happening:
    return lambda zone: came(zone.path(association_id), when) and None


def agreement_ends(association_id: str, day: str) -> Happening:
    def happen(zone: Zone) -> None:
        path = zone.settings.raw / "register" / "associations.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        changed = [f"{li}{day}" if li.startswith(f"{association_id},") else li for li in lines]
        path.write_text("\n".join(changed) + "\n", encoding="utf-8")

    return happen


def out_of_the_nation(association_id: str) -> Happening:
    def happen(zone: Zone) -> None:
        path = zone.settings.raw / "register" / "associations.csv"
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        flags = ["false" if li.startswith(f"{association_id},") else "" for li in lines]
        changed = [f"{li},{flag}" for li, flag in zip(lines, flags, strict=True)]
        path.write_text("\n".join([f"{header},in_nation", *changed, ""]), encoding="utf-8")

    return happen


def together(*happenings: Happening) -> Happening:
    def happen(zone: Zone) -> None:
        for one in happenings:
            one(zone)

    return happen


def nothing(zone: Zone) -> None:
    """Nothing happens in the landing zone."""


def on(day: date, hour: int = 2) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


SOON = EARLY + timedelta(days=2)
NIGHT = EARLY + timedelta(days=3)
LATE = on(DEADLINE + timedelta(days=3), 12)
AFTERWARDS = on(DEADLINE + timedelta(days=5))
OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504)
RESENT = f"{A} rättad.xlsx"


@dataclass(frozen=True)
class Scenario:
    """What happens, before the first load or after it, and what the night's alarms are then."""

    happens: Happening
    raised: tuple[str, ...]
    now: datetime = NIGHT
    is_first: bool = True


def first(happens: Happening, *raised: str, now: datetime = NIGHT) -> Scenario:
    return Scenario(happens, raised, now)


def later(happens: Happening, *raised: str, now: datetime = NIGHT) -> Scenario:
    return Scenario(happens, raised, now, is_first=False)


SCENARIOS = {
    # who has delivered, and when
    "late": first(arrives(B, LATE), "delivery_late", now=AFTERWARDS),
    "late by the clock in Sweden": first(
        arrives(B, datetime(2026, 10, 31, 23, 30, tzinfo=UTC)), "delivery_late", now=AFTERWARDS
    ),
    "in time by the clock in Sweden": first(
        arrives(B, datetime(2026, 10, 31, 22, 30, tzinfo=UTC)), now=AFTERWARDS
    ),
    "missing": first(remove(B), "delivery_missing", now=AFTERWARDS),
    "missing in good time": first(remove(B)),
    "missing a week before the deadline": first(
        together(remove(B), remove(C)), "delivery_due", now=on(DEADLINE - timedelta(days=7))
    ),
    "missing a week before the deadline, and out of the nation": first(
        together(remove(B), out_of_the_nation(B)), now=on(DEADLINE - timedelta(days=7))
    ),
    "missing after the deadline, and out of the nation": first(
        together(remove(B), out_of_the_nation(B)), "delivery_missing", now=AFTERWARDS
    ),
    "missing long after the round": first(remove(B), now=on(DEADLINE + timedelta(days=60))),
    "agreement ended": first(agreement_ends(B, "2025-12-31"), "association_without_agreement"),
    "agreement ended, nothing delivered": first(
        together(agreement_ends(B, "2025-12-31"), remove(B)), now=AFTERWARDS
    ),
    "merged, delivers under the old id": first(
        edited(readme("B5", OLD)), "association_without_agreement", "predecessor_delivered"
    ),
    "merged, only the old id after the deadline": first(
        edited(readme("B5", OLD)),
        "association_without_agreement",
        "delivery_missing",
        "predecessor_delivered",
        now=AFTERWARDS,
    ),
    # which file counts
    "two files at once": first(
        edited(one_answer_less, name=RESENT, when=SOON), "delivery_twice"
    ),
    "the same file under another name": first(copied(B, "kopia.xlsx"), "delivery_copied"),
    "the same file copied later": later(copied(B, "kopia.xlsx", SOON), "delivery_copied"),
    "renamed": later(move(B, f"{ROUND}/nytt namn.xlsx")),
    "touched": later(arrives(B, SOON)),
    "replaced": later(edited(one_answer_less, name=RESENT, when=SOON), "delivery_replaced"),
    "corrected in place": later(edited(one_answer_less, when=SOON), "delivery_replaced"),
    "an older file after a newer": later(
        edited(one_answer_less, name=RESENT, when=EARLY - timedelta(days=3)), "delivery_older"
    ),
    "a broken file after a sound one": later(
        content(b"PK\3\4 broken", RESENT, SOON), "zip_damaged"
    ),
    "removed": later(remove(B), "delivery_removed"),
    "removed, after the deadline": later(
        remove(B), "delivery_missing", "delivery_removed", now=AFTERWARDS
    ),
    # how much is in it
    "half the usual volume": first(of_size(30), "volume_unusual"),
    "more than double the volume": first(of_size(150), "volume_unusual"),
    "a questionnaire absent": first(
        edited(without_sheet("Deltagare avslut")), "questionnaire_absent"
    ),
    "no questionnaires": first(edited(no_rows), "nothing_returned"),
    "an activity without answers": first(
        edited(an_activity_without_answers), "activity_without_response"
    ),
    "more returned than handed out": first(
        sample_fault("more_returned_than_handed_out"), "more_returned_than_handed_out"
    ),
    # whose it is
    "association not in the register": first(
        sample_fault("unknown_association"), "association_unknown"
    ),
    "wrong round in the file": first(sample_fault("wrong_round"), "round_not_folder"),
    "wrong round's folder": first(
        move(B, f"2025/{B} fel mapp.xlsx"), "round_not_folder", now=NIGHT
    ),
    "twin of another association": first(
        sample_fault("same_answers_two_files"), "same_answers_in_two_files"
    ),
    # can it be read
    "unknown layout": first(sample_fault("unknown_layout"), "layout_unknown"),
    "another layout's columns": first(edited(readme("B4", "2018")), "layout_not_followed"),
    "password": first(content(OLE + "EncryptedPackage".encode("utf-16-le")), "password"),
    "old format": first(sample_fault("old_xls"), "not_xlsx"),
    "broken file": first(sample_fault("broken_file"), "zip_damaged"),
    "empty file": first(content(b""), "no_access"),
    # what is in its cells
    "shifted columns": first(edited(shift_columns), "answers_of_another_scale"),
    "unknown code": first(sample_fault("unknown_code"), "answer_unknown"),
    "repeated number": first(sample_fault("duplicate_lopnr"), "lopnr_repeated"),
    "pasted twice": first(edited(pasted_twice), "responses_repeated"),
    "no gender": first(sample_fault("gender_mostly_empty"), "gender_mostly_empty"),
    "a date outside the round": first(sample_fault("date_outside_round"), "date_outside_round"),
    "numbered in advance": first(sample_fault("numbered_in_advance")),
    # personal data
    "personal number": first(
        sample_fault("personal_number_in_comment"), "personal_data_remains", "personal_number"
    ),
    # where it lies
    "a file in an unknown folder": first(copied(B, "../gammalt.xlsx"), "folder_unknown"),
    "a folder of no round": first(move(B, f"omgång {ROUND}/{B}.xlsx"), "folder_unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_fault_raises_exactly_its_alarms(
    name: str, before: Zone, after: Zone, tmp_path: Path
) -> None:
    scenario = SCENARIOS[name]
    zone = copy_of(before if scenario.is_first else after, tmp_path)
    scenario.happens(zone)
    raised = zone.night(scenario.now, [2025, ROUND])
    assert sorted(a.rule_id for a in raised) == sorted(scenario.raised)
    assert len({a.key for a in raised}) == len(raised)


def test_at_least_thirty_faults_raise_an_alarm_each() -> None:
    assert sum(bool(s.raised) for s in SCENARIOS.values()) >= 30


# --- runs, personal data, keys ------------------------------------------------------------------


def test_a_run_that_failed_is_told_until_one_succeeds(after: Zone, tmp_path: Path) -> None:
    zone = copy_of(after, tmp_path)
    runs.finished(zone.settings, "run", ok=False, now=NIGHT)
    assert [a.rule_id for a in zone.alarms(NIGHT)] == ["run_failed", "run_too_old"]
    assert zone.night(NIGHT + timedelta(hours=1)) == []


def test_jobs_of_several_parts_count_for_each_of_them(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "raw", tmp_path / "home")
    runs.finished(settings, "load_and_check", ok=True, now=NIGHT)
    assert runs.last_success(settings) is None  # nothing is built
    runs.finished(settings, "check_and_build", ok=True, now=NIGHT + timedelta(hours=1))
    assert runs.last_success(settings) == NIGHT


def test_a_log_that_somebody_changed_is_told(after: Zone, tmp_path: Path) -> None:
    zone = copy_of(after, tmp_path)
    runs.finished(zone.settings, "run", ok=True, now=NIGHT)
    log = audit.path_of(zone.settings)
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[1:]))
    assert [a.rule_id for a in zone.alarms(NIGHT)] == ["audit_broken"]


def test_nothing_more_is_asked_of_an_association_whose_delivery_was_erased(
    after: Zone, tmp_path: Path
) -> None:
    zone, now = copy_of(after, tmp_path), NIGHT + timedelta(days=40)
    known, registered = instrument.load(), register.read(zone.settings.raw)
    runs.finished(zone.settings, "run", ok=True, now=now)

    def asked(association: str) -> set[str]:
        drafts = reminders.drafts(zone.settings, known, registered, ROUND, now.date())
        told = {a.rule_id for a in zone.alarms(now) if a.association_id == association}
        return told | {d.why for d in drafts if d.entry.association_id == association}

    erased, removed = "testskogen", "pahittsslatten"
    assert asked(erased) == asked(removed) == set()
    chosen = withdrawal.unit(zone.settings, registered, erased, ROUND)
    withdrawal.erase(zone.settings, registered, chosen, "")
    for association in (erased, removed):
        (zone.settings.raw / str(ROUND) / f"{association}_{ROUND}.xlsx").unlink()
    loading.load(zone.settings, [ROUND], known, registered)
    assert asked(erased) == set()
    assert asked(removed) == {"delivery_missing", "delivery_removed", "missing"}


def test_a_part_that_failed_is_told_though_the_others_succeed(after: Zone, tmp_path: Path) -> None:
    zone = copy_of(after, tmp_path)
    runs.finished(zone.settings, "run", ok=True, now=NIGHT)
    runs.finished(zone.settings, "build", ok=False, now=NIGHT + timedelta(hours=1))
    runs.finished(zone.settings, "load", ok=True, now=NIGHT + timedelta(hours=2))
    now = NIGHT + timedelta(hours=3)
    assert [a.rule_id for a in zone.alarms(now)] == ["run_failed"]
    runs.finished(zone.settings, "build", ok=True, now=now)
    assert zone.alarms(now) == []


def test_no_run_for_too_long_is_told_only_while_a_round_is_on(after: Zone) -> None:
    last_night = EARLY + timedelta(hours=12)
    assert after.alarms(last_night + timedelta(hours=26)) == []
    [alarm] = after.alarms(last_night + timedelta(hours=27))
    assert alarm.rule_id == "run_too_old"
    assert "Ingen lyckad körning på 26 timmar" in alarm.wrong
    assert after.alarms(datetime(2027, 3, 1, tzinfo=UTC)) == []


def test_an_alarm_repeats_nothing_a_cell_holds(before: Zone, tmp_path: Path) -> None:
    zone = copy_of(before, tmp_path)

    def secret(book: openpyxl.Workbook) -> None:
        sheet = book["Deltagare pågående"]
        for column in range(2, sheet.max_column + 1):
            sheet.cell(5, column).value = "Kanariefågel"
        sheet.cell(1, 6).value = "Kanariefågel"
        book["Insatser"]["C2"] = "Kanariefågel"

    edited(secret)(zone)
    raised = zone.night(NIGHT)
    assert len(raised) > 4
    assert not [a for a in raised if "kanarie" in str(a).lower()]


def test_a_person_s_number_in_a_file_s_name_is_not_repeated(before: Zone, tmp_path: Path) -> None:
    zone = copy_of(before, tmp_path)
    move(B, f"{ROUND}/19121212-1212.xlsx")(zone)
    copied(C, "../19121212-1212.xlsx")(zone)
    raised = zone.night(NIGHT)
    rules = ["folder_unknown", "personal_data_remains", "personal_file_name"]
    assert sorted(a.rule_id for a in raised) == rules
    assert not [a for a in raised if "1212" in str(a)]


def test_the_key_is_the_same_as_long_as_the_fault_is(before: Zone, tmp_path: Path) -> None:
    zone = copy_of(before, tmp_path)
    sample_fault("unknown_code")(zone)
    [first_night] = zone.night(NIGHT)
    [second_night] = zone.night(NIGHT + timedelta(days=1))
    assert first_night == second_night
    edited(one_answer_less, when=SOON)(zone)
    third_night = {a.rule_id: a.key for a in zone.night(NIGHT + timedelta(days=2))}
    assert set(third_night) == {"answer_unknown", "delivery_replaced"}
    assert third_night["answer_unknown"] != first_night.key  # another file that is still wrong


def test_every_rule_of_the_catalogue_is_raised_by_a_test() -> None:
    raised = {rule_id for s in SCENARIOS.values() for rule_id in s.raised}
    elsewhere = {
        "run_failed",
        "run_too_old",
        "register_unreadable",
        "audit_broken",
    }  # have tests of their own
    of_findings = {f"finding_{level}" for level in ("stop", "error", "warning")}
    assert set(findings.rules(alarms.ALARMS)) - raised == elsewhere | of_findings


# --- all is well --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_twenty_clean_rounds_raise_no_alarm(seed: int, tmp_path: Path) -> None:
    """Five rounds of four landing zones, at all nights at which something is told of a round."""
    rounds = [2019, 2021, 2022, 2024, 2026]
    size = {"associations": 3 + 2 * seed, "questionnaires": 30 + 20 * seed}
    zone = zone_of(tmp_path, rounds=rounds, seed=seed + 2, **size)
    for round_ in rounds:
        for path in loading.delivered(zone.settings, round_):
            came(path, on(KNOWN.rounds[round_].delivery_deadline - timedelta(days=9)))
    raised = zone.night(NIGHT - timedelta(days=3000), rounds)
    for round_ in rounds:
        for night in nights_that_matter(KNOWN.rounds[round_]):
            runs.finished(zone.settings, "run", ok=True, now=night)
            raised += zone.alarms(night)
    assert raised == []


def nights_that_matter(round_: Round) -> list[datetime]:
    around = [(round_.delivery_deadline, n) for n in (-8, -7, -1, 0, 1, 2, 41, 42, 43)]
    days = [(round_.opens, -1), (round_.opens, 30), (round_.closes, 1), *around]
    return [on(day + timedelta(days=n)) for day, n in days]


def test_a_whole_calendar_of_nights_is_silent(tmp_path: Path) -> None:
    """Files come one after the other in good time; every night from opening to the end."""
    zone, late = zone_of(tmp_path), tmp_path / "not here yet"
    shutil.move(zone.settings.raw / str(ROUND), late)
    (zone.settings.raw / str(ROUND)).mkdir()
    waiting = sorted(late.iterdir())
    current = KNOWN.rounds[ROUND]
    night, raised, n_nights = on(current.opens), [], 0
    while roster.is_on(current, night.date()):
        if waiting and n_nights % 9 == 8:
            path = waiting.pop()
            came(shutil.copy2(path, zone.path("x").with_name(path.name)), night)
        raised += zone.night(night, [2025, ROUND])
        night, n_nights = night + timedelta(days=1), n_nights + 1
    assert n_nights == 90
    assert not waiting
    assert raised == []
