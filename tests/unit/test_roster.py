"""Who is expected in a round and how they stand, and the reminders that follow from it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines import instrument as instruments
from pipelines import lake, reminders, roster, status
from pipelines.lake import Delivery, Manifest
from pipelines.register import Association, Membership, Register
from pipelines.settings import Settings

KNOWN = instruments.load()
ROUND = 2026
CURRENT = KNOWN.rounds[ROUND]
SOUND = {"stop": 0, "error": 0, "warning": 0, "info": 0}


def association(name: str, first: date | None = None, last: date | None = None) -> Association:
    return Association(name, f"Samordningsförbundet {name.title()}", "01", first, last)


def member(name: str, code: str, first: int, last: int | None = None) -> Membership:
    return Membership(name, code, first, last)


REGISTER = Register(
    associations={
        a.association_id: a
        for a in (
            association("gamla", last=date(2025, 12, 31)),
            association("forna", last=date(2025, 12, 31)),
            association("nya", first=date(2026, 1, 1)),
            association("norr"),
            association("soder"),
            association("slut", last=CURRENT.opens),
            association("start", first=CURRENT.closes),
        )
    },
    memberships=(
        member("gamla", "0114", 2017, 2025),
        member("forna", "0115", 2017, 2025),
        member("nya", "0114", 2026),
        member("nya", "0115", 2026),
        member("norr", "0117", 2017),
    ),
    targets=(),
    is_synthetic=True,
)


def delivery(
    association_id: str | None,
    when: datetime,
    *,
    name: str = "",
    state: str = "loaded",
    errors: int = 0,
    stops: int = 0,
) -> Delivery:
    file = f"{ROUND}/{name or association_id}.xlsx"
    return Delivery(
        file=file,
        sha256=f"{hash(file):x}",
        round=ROUND,
        mtime_ns=int(when.timestamp()) * 10**9,
        size=1,
        association_id=association_id,
        layout_id="2024",
        state=state,
        rows_per_questionnaire={"staff": 3},
        findings={**SOUND, "error": errors, "stop": stops},
        activities=(),
        is_present=state != "removed",
    )


def second(state: str) -> Delivery:
    """A later delivery of norr."""
    return delivery("norr", at(9), name="b", state=state)


def at(day: int, hour: int = 12, month: int = 10) -> datetime:
    return datetime(ROUND, month, day, hour, tzinfo=UTC)


def entries(*deliveries: Delivery) -> dict[str, roster.Entry]:
    found = roster.of_round(Manifest(deliveries), KNOWN, REGISTER, ROUND)
    return {e.association_id: e for e in found}


def test_who_has_an_agreement_on_any_day_of_the_round_is_expected():
    assert set(entries()) == {"nya", "norr", "soder", "slut", "start"}
    assert {e.state for e in entries().values()} == {"missing"}


def test_who_delivers_unexpectedly_or_is_gone_from_the_register_is_there_too():
    found = entries(delivery("gamla", at(1)), delivery("okand", at(1)))
    assert not found["gamla"].is_expected
    assert (found["okand"].association_name, found["okand"].state) == ("okand", "delivered")


def test_what_kind_of_organisation_it_is_comes_from_the_register():
    known = replace(association("regionen"), kind="region", in_nation=False)
    registered = replace(REGISTER, associations={**REGISTER.associations, "regionen": known})
    found = {
        e.association_id: (e.kind, e.in_nation, e.is_expected)
        for e in roster.of_round(Manifest((delivery("okand", at(1)),)), KNOWN, registered, ROUND)
    }
    assert found["regionen"] == ("region", False, True)
    assert found["norr"] == ("", True, True)
    assert found["okand"] == ("", True, False)


def test_a_merger_is_told_in_its_round():
    found = entries()
    assert found["nya"].is_new
    assert found["nya"].merged_from == ("forna", "gamla")
    assert not found["norr"].is_new
    assert found["norr"].merged_from == ()
    later = roster.of_round(Manifest(), KNOWN, REGISTER, 2027)
    assert not [e for e in later if e.merged_from]


def test_nobody_is_new_in_the_first_round():
    assert not [e for e in roster.of_round(Manifest(), KNOWN, REGISTER, 2017) if e.is_new]


@pytest.mark.parametrize(
    ("deliveries", "state", "days_late"),
    [
        ([delivery("norr", at(30))], "delivered", -1),
        ([delivery("norr", at(31, 22))], "delivered", 0),  # in Sweden 23 o'clock
        ([delivery("norr", at(31, 23))], "delivered", 1),  # in Sweden past midnight
        ([delivery("norr", at(3), state="stopped")], "waiting", None),
        ([delivery("norr", at(3), state="withdrawn")], "withdrawn", None),
        ([delivery("norr", at(3), state="removed")], "missing", None),
        ([delivery("norr", at(3)), second("stopped")], "delivered", -28),
        ([delivery("norr", at(3), state="stopped"), second("withdrawn")], "withdrawn", None),
        ([delivery("norr", at(3), state="stopped"), second("removed")], "waiting", None),
    ],
)
def test_how_an_association_stands(deliveries, state, days_late):
    entry = entries(*deliveries)["norr"]
    assert (entry.state, entry.days_late) == (state, days_late)


def test_late_is_what_came_after_the_deadline_and_not_years_after():
    assert [roster.is_late(days) for days in (None, -3, 0, 1, 365, 366)] == [
        *(False, False, False, True, True, False)
    ]


def test_a_round_is_on_from_its_opening_to_six_weeks_past_the_deadline():
    first, last = CURRENT.opens, date(2026, 12, 12)
    assert roster.is_on(CURRENT, first)
    assert roster.is_on(CURRENT, last)
    assert not roster.is_on(CURRENT, date(2026, 9, 13))
    assert not roster.is_on(CURRENT, date(2026, 12, 13))


# --- reminders ----------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home in which norr has errors, soder waits, and two files are of others or fine."""
    settings = Settings(tmp_path / "raw", tmp_path / "home")
    deliveries = (
        replace(delivery("norr", at(3), errors=4), holds_personal_data=False),
        replace(delivery("soder", at(3), state="stopped", stops=1, errors=2)),
        replace(delivery(None, at(3), name="okänd", state="stopped", stops=1)),
        delivery("slut", at(3)),
    )
    lake.write_manifest(settings, Manifest(deliveries))
    folder = settings.receipts / str(ROUND)
    folder.mkdir(parents=True)
    for name in ("norr.html", "norr.xlsx", "soder.html"):
        (folder / name).touch()
    return settings


def write(settings: Settings, today: date) -> dict[str, str]:
    written = reminders.write(settings, KNOWN, REGISTER, ROUND, today)
    folder = settings.reminders / str(ROUND)
    assert sorted(written.drafts) == sorted(folder.glob("*"))
    return {p.stem: p.read_text(encoding="utf-8") for p in written.drafts}


def test_who_is_out_of_the_nation_is_not_among_the_x_of_y_and_is_told_beside_it(settings):
    """Of five expected, norr and slut delivered."""

    def seen(*outside: str) -> status.Overview:
        associations = {
            name: replace(a, in_nation=name not in outside)
            for name, a in REGISTER.associations.items()
        }
        registered = replace(REGISTER, associations=associations)
        day = date(2026, 10, 20)
        return status.overview(
            settings, KNOWN, registered, ROUND, day, is_loaded=True, is_checked=True
        )

    assert (seen().loaded, seen().expected) == (2, 5)
    assert (seen("slut").loaded, seen("slut").expected) == (1, 4)
    assert ("inläst utanför riket", 1) in seen("slut").counts
    assert (seen("nya").loaded, seen("nya").expected) == (2, 4)
    assert seen("nya").count("missing") == seen().count("missing") == 2
    told = {d["association_id"]: d["in_nation"] for d in seen("slut").as_json()["deliveries"]}
    assert (told["slut"], told["norr"]) == (False, True)


def test_who_is_missing_waits_or_has_errors_is_reminded(settings):
    assert set(write(settings, date(2026, 10, 20))) == {"norr", "soder", "nya", "start"}


def test_a_reminder_tells_what_is_missing_until_when_and_what_is_attached(settings):
    drafts = write(settings, date(2026, 10, 28))
    assert "Ämne: NNS indikatorer 2026: registreringsfilen saknas" in drafts["nya"]
    assert "Samordningsförbundet Nya för mätomgång 2026." in drafts["nya"]
    assert "Forna och Samordningsförbundet Gamla har gått upp i" in drafts["nya"]
    assert "Sista dag att leverera är 31 oktober 2026, 3 dagar kvar." in drafts["nya"]
    assert "Bifoga" not in drafts["nya"]
    assert "den har 1 stopp och 2 fel att rätta." in drafts["soder"]
    assert "Bifoga: receipts/2026/soder.html\n" in drafts["soder"]
    assert "4 fel, och det som är fel räknas inte" in drafts["norr"]
    assert "Bifoga: receipts/2026/norr.html, receipts/2026/norr.xlsx\n" in drafts["norr"]


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2026, 10, 31), "Sista dag att leverera är i dag, 31 oktober 2026."),
        (date(2026, 11, 1), "var 31 oktober 2026, för 1 dag sedan. Filen tas emot ändå."),
    ],
)
def test_a_reminder_tells_the_days_that_are_left_or_have_passed(settings, today, said):
    assert all(said in draft for draft in write(settings, today).values())


def test_a_draft_that_is_no_longer_due_is_removed(settings):
    write(settings, date(2026, 10, 20))
    manifest = lake.read_manifest(settings)
    mended = [d for d in manifest.deliveries if d.association_id != "soder"]
    lake.write_manifest(settings, Manifest((*mended, delivery("soder", at(5)))))
    again = reminders.write(settings, KNOWN, REGISTER, ROUND, date(2026, 10, 20))
    assert again.n_removed == 1
    assert "soder" not in {p.stem for p in again.drafts}


def test_nobody_is_reminded_before_the_round_opens(settings):
    assert write(settings, date(2026, 9, 1)) == {}


def test_an_id_that_is_no_file_name_gets_one(settings):
    other = Association("../a b", "Förbundet", "01", None, None)
    known = replace(
        REGISTER, associations={"../a b": other, "a-b": replace(other, association_id="a-b")}
    )
    written = reminders.write(settings, KNOWN, known, ROUND, date(2026, 10, 20))
    names = {p.name for p in written.drafts if p.stem.startswith("a")}
    assert names == {"a-b.txt", "a-b-2.txt"}
    assert all(p.parent == settings.reminders / str(ROUND) for p in written.drafts)
