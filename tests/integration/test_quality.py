"""The expectations under Great Expectations: what trips each, what they say, what they leave."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import lake_rows
import openpyxl
import pandas as pd
import pytest

from pipelines import instrument, lake, loading, quality, register
from pipelines.findings import Finding, Severity
from pipelines.lake import Delivery
from pipelines.register import Register
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

PROJECT = Path(__file__).parent.parent.parent
KNOWN = instrument.load()
ROUND = 2026


@dataclass
class Zone:
    """A loaded landing zone; the edits change what the lake says of its first delivery."""

    settings: Settings

    @property
    def register(self) -> Register:
        return register.read(self.settings.raw)

    @property
    def first(self) -> Delivery:
        return quality.sound(self.settings, ROUND)[0]

    def rows(self, delivery: Delivery) -> list[dict[str, Any]]:
        return lake_rows.rows_of(self.settings, delivery)

    def edit_rows(self, change: Callable[[list[dict[str, Any]]], Iterable[dict[str, Any]]]) -> None:
        lake_rows.keep(self.settings, self.first, change(self.rows(self.first)))

    def edit_delivery(self, **changes: Any) -> None:
        key, path = self.first.key, self.settings.lake / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        for delivery in manifest["deliveries"]:
            if (delivery["file"], delivery["sha256"]) == key:
                delivery.update(changes)
        path.write_text(json.dumps(manifest), encoding="utf-8")

    def edit_activity(self, **changes: Any) -> None:
        first, *others = self.first.activities
        self.edit_delivery(activities=[{**first, **changes}, *others])

    def check(self, **other: Any) -> list[Finding]:
        arguments = {"round_": ROUND, "instrument": KNOWN, "register": self.register, **other}
        return [f for found in quality.check(self.settings, **arguments).values() for f in found]


def loaded(folder: Path, rounds: Iterable[int] = (2025, ROUND)) -> Zone:
    settings = Settings(folder / "raw", folder / "home")
    loading.load(settings, rounds, KNOWN, register.read(settings.raw))
    return Zone(settings)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Zone:
    folder = tmp_path_factory.mktemp("clean")
    write_landing_zone(folder / "raw", rounds=[2025, ROUND], associations=3, questionnaires=200)
    return loaded(folder)


@pytest.fixture
def zone(clean: Zone, tmp_path: Path) -> Zone:
    """The clean zone with a lake of its own to spoil."""
    shutil.copytree(clean.settings.home, tmp_path / "home")
    return Zone(Settings(clean.settings.raw, tmp_path / "home"))


# --- each expectation has an input that trips it, and only it -----------------------------------

# The faults of a workbook, as the sample makes them.
FAULTS = {
    "lopnr_repeated": "duplicate_lopnr",
    "response_without_answers": "no_answers",
    "same_answers_in_two_files": "same_answers_two_files",
    "follow_up_after_no": "follow_up_after_no",
    "gender_mostly_empty": "gender_mostly_empty",
    "date_outside_round": "date_outside_round",
    "straight_lining": "straight_lining",
    "more_returned_than_handed_out": "more_returned_than_handed_out",
    "volume_far_from_last_round": "volume_jump",
}


def first_row(**changes: Any) -> Callable[[Zone], None]:
    return lambda zone: zone.edit_rows(lambda rows: [{**rows[0], **changes}, *rows[1:]])


def first_answer(change: Callable[[str, int], tuple[str, int]]) -> Callable[[Zone], None]:
    def edit(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        (question_id, code), *others = rows[0]["answers"]
        rows[0]["answers"] = [change(question_id, code), *others]
        return rows

    return lambda zone: zone.edit_rows(edit)


def _empty(zone: Zone) -> None:
    zone.edit_rows(lambda rows: [])
    zone.edit_delivery(rows_per_questionnaire={})


def _other_sheet(zone: Zone) -> None:
    sheet = {"Personal": "okand_enkat"}
    zone.edit_rows(
        lambda rows: [
            {**r, "questionnaire_id": sheet.get(r["sheet"], r["questionnaire_id"])} for r in rows
        ]
    )


def _paste(zone: Zone) -> None:
    def twice(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        block = [r for r in rows if r["sheet"] == rows[0]["sheet"]][:10]
        new = [{**r, "lopnr": f"ny{r['lopnr']}", "insats_kod": None} for r in block]
        return [*block, *new, *rows[10:]]

    zone.edit_rows(twice)


def _reverse(zone: Zone) -> None:
    question = KNOWN.questions_asked("participant_ongoing", ROUND)[0]
    codes = [c.code for c in KNOWN.scales[question.scale_id] if c.is_answer]

    def turned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        given = [c for r in rows for q, c in r["answers"] if q == question.question_id]
        is_high = sum(c >= question.positive_min_code for c in given) > len(given) / 2
        other = min(codes) if is_high else max(codes)
        for r in rows:
            answers = dict(r["answers"])
            if question.question_id in answers:
                r["answers"] = list((answers | {question.question_id: other}).items())
        return rows

    zone.edit_rows(turned)


def _without_activity(zone: Zone) -> None:
    kod = zone.first.activities[0]["insats_kod"]
    zone.edit_rows(
        lambda rows: [r if r["insats_kod"] != kod else {**r, "insats_kod": None} for r in rows]
    )
    zone.edit_activity(handed_out=dict.fromkeys(zone.first.activities[0]["handed_out"], 10))


def _withdrawn_answers(zone: Zone) -> None:
    """Ten responses of the first delivery are those of another association's withdrawn one."""
    other = quality.sound(zone.settings, ROUND)[1]
    whole = zone.rows(other)
    contents = ("answers", "kon", "svarsdatum")

    def copied(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        theirs = [r for r in whole if r["sheet"] == rows[0]["sheet"]][:10]
        pairs = zip(rows, theirs, strict=False)
        return [{**own, **{c: r[c] for c in contents}} for own, r in pairs] + rows[len(theirs) :]

    zone.edit_rows(copied)
    path = zone.settings.lake / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for delivery in manifest["deliveries"]:
        if delivery["sha256"] == other.sha256:
            delivery["state"] = "withdrawn"
    path.write_text(json.dumps(manifest), encoding="utf-8")


# What no workbook can make, as the reader comes first: a lake that says so.
EDITS: dict[str, Callable[[Zone], None]] = {
    "layout_not_in_seeds": lambda zone: zone.edit_delivery(layout_id="1999"),
    "association_not_in_register": lambda zone: zone.edit_delivery(association_id="finns-inte"),
    "nothing_returned": _empty,
    "questionnaire_absent": lambda zone: zone.edit_delivery(
        rows_per_questionnaire={**zone.first.rows_per_questionnaire, "staff": 0}
    ),
    "same_answers_as_withdrawn": _withdrawn_answers,
    "inriktning_not_in_seeds": lambda zone: zone.edit_activity(inriktning="annan"),
    "langd_not_in_seeds": lambda zone: zone.edit_activity(langd="annan"),
    "activity_listed_twice": lambda zone: zone.edit_delivery(
        activities=[*zone.first.activities, zone.first.activities[0]]
    ),
    "activity_without_response": _without_activity,
    "questionnaire_not_in_seeds": _other_sheet,
    "kon_not_in_seeds": first_row(kon="X"),
    "activity_not_listed": first_row(insats_kod="Z99"),
    "responses_repeated": _paste,
    "question_not_in_questionnaire": first_answer(lambda question, code: ("okand_fraga", code)),
    "code_not_on_scale": first_answer(lambda question, code: (question, 9)),
    "share_far_from_last_round": _reverse,
}
ELSEWHERE = {
    *("round_not_in_seeds", "association_without_agreement"),
    *("web_activity_unknown", "web_activities_not_known_yet", "same_answers_in_two_sources"),
}


def test_a_sound_lake_has_no_findings(clean: Zone) -> None:
    assert clean.check() == []


def test_every_rule_has_an_input_that_trips_it() -> None:
    assert {*FAULTS, *EDITS, *ELSEWHERE} == set(quality.rules())


@pytest.mark.parametrize("rule_id", EDITS)
def test_a_spoiled_lake_trips_its_rule_and_only_it(zone: Zone, rule_id: str) -> None:
    first = zone.first
    EDITS[rule_id](zone)
    found = zone.check()
    assert {f.rule_id for f in found} == {rule_id}
    assert {f.file for f in found} == {first.file}
    assert len(found) == 1


@pytest.fixture(scope="module", params=FAULTS)
def faulty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("faulty")
    write_landing_zone(folder / "raw", rounds=[2025, ROUND], faults=[FAULTS[request.param]])
    zone = loaded(folder)
    return request.param, zone, zone.check()


def test_a_fault_of_a_workbook_trips_its_rule_and_only_it(faulty: Any) -> None:
    rule_id, _, found = faulty
    assert {f.rule_id for f in found} == {rule_id}
    assert len({f.file for f in found}) == 1
    assert {f.severity for f in found} == {quality.rules()[rule_id].severity}


def test_the_cell_a_finding_names_holds_the_value_it_shows(faulty: Any) -> None:
    rule_id, zone, found = faulty
    for f in found:
        book = openpyxl.load_workbook(zone.settings.raw / f.file)
        assert not f.sheet or f.sheet in book.sheetnames
        if f.question:
            column = book[f.sheet][f.cell.partition(":")[0].rstrip("0123456789")]
            assert column[0].value == f.question  # the header of layout 2024 is in row 1
        if f.value:
            shown = str(book[f.sheet][f.cell].value)
            assert shown.startswith(f.value) or shown in f.value.split(" ", 1)


def test_a_round_that_the_seeds_do_not_have_trips_its_rule_and_only_it(zone: Zone) -> None:
    lake_rows.keep(zone.settings, replace(zone.first, round=1999), zone.rows(zone.first))
    first, *others = quality.sound(zone.settings, ROUND)
    found = zone.check(deliveries=[replace(first, round=1999), *others])
    assert [f.rule_id for f in found] == ["round_not_in_seeds"]


def test_an_association_without_agreement_trips_its_rule_and_only_it(zone: Zone) -> None:
    known = dict(zone.register.associations)
    own = str(zone.first.association_id)
    known[own] = replace(known[own], agreement_to=date(2020, 12, 31))
    found = zone.check(register=replace(zone.register, associations=known))
    assert [(f.rule_id, f.sheet, f.question) for f in found] == [
        ("association_without_agreement", "Läs mig", "Förbund")
    ]


# --- answers from the web -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def on_web(tmp_path_factory: pytest.TempPathFactory) -> Zone:
    folder = tmp_path_factory.mktemp("on_web")
    write_landing_zone(
        folder / "raw", rounds=[2025, ROUND], associations=3, questionnaires=200, web=True
    )
    return loaded(folder)


def _again(zone: Zone, tmp_path: Path) -> Zone:
    """The zone as a copy that can be spoilt."""
    shutil.copytree(zone.settings.raw, tmp_path / "raw")
    return Zone(Settings(tmp_path / "raw", tmp_path / "home"))


def _web_file(zone: Zone) -> Path:
    return next(iter(sorted((zone.settings.raw / str(ROUND) / "web").iterdir())))


def test_sound_web_answers_beside_workbooks_have_no_findings(on_web: Zone) -> None:
    assert len([d for d in quality.sound(on_web.settings, ROUND) if d.is_web]) > 1
    assert on_web.check() == []


def test_an_activity_on_the_web_that_the_workbook_lacks_is_told_with_its_cell(
    on_web: Zone, tmp_path: Path
) -> None:
    zone = _again(on_web, tmp_path)
    path = _web_file(zone)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    sign = ";" if ";" in lines[0] else ","
    column = lines[0].split(sign).index("insats_kod")
    cells = lines[3].split(sign)
    cells[column] = "Z9"
    path.write_text("\n".join([*lines[:3], sign.join(cells), *lines[4:]]), encoding="utf-8")
    (found,) = loaded(tmp_path).check()
    assert (found.rule_id, found.severity) == ("web_activity_unknown", Severity.ERROR)
    assert found.file == f"{ROUND}/web/{path.name}"
    assert (found.cell, found.value) == (f"{chr(65 + column)}4", "z9")


def test_activities_on_the_web_wait_for_the_workbook(on_web: Zone, tmp_path: Path) -> None:
    zone = _again(on_web, tmp_path)
    path = _web_file(zone)
    own = path.name.partition("_")[0]
    (zone.settings.raw / str(ROUND) / f"{own}_{ROUND}.xlsx").unlink()
    found = loaded(tmp_path).check()
    web = len(list(path.parent.glob(f"{own}_*")))
    assert [f.rule_id for f in found] == ["web_activities_not_known_yet"] * web
    assert all(f.severity is Severity.WARNING and f.cell for f in found)


def test_answers_in_the_workbook_and_on_the_web_stop_the_later_file(
    on_web: Zone, tmp_path: Path
) -> None:
    shutil.copytree(on_web.settings.home, tmp_path / "home")
    zone = Zone(Settings(on_web.settings.raw, tmp_path / "home"))
    book, web = (
        next(d for d in quality.sound(zone.settings, ROUND) if d.is_web == is_web and own in d.file)
        for own in [_web_file(zone).name.partition("_")[0]]
        for is_web in (False, True)
    )
    typed, rows = zone.rows(web), zone.rows(book)
    typed = [{**r, "row": 1000 + r["row"], "insats_kod": None, "lopnr": None} for r in typed]
    lake_rows.keep(zone.settings, book, rows + typed)
    (found,) = (f for f in zone.check() if f.severity is Severity.STOP)
    assert found.rule_id == "same_answers_in_two_sources"
    earlier, later = sorted((book, web), key=Delivery.age)
    assert found.file == later.file
    assert Path(earlier.file).name in found.wrong


# --- clean rounds -------------------------------------------------------------------------------


def test_the_sample_in_the_repository_has_no_findings(tmp_path: Path) -> None:
    rounds = [int(p.name) for p in sorted((PROJECT / "raw").iterdir()) if p.name.isdigit()]
    settings = Settings(PROJECT / "raw", tmp_path)
    loading.load(settings, rounds, KNOWN, register.read(settings.raw))
    for round_ in rounds:
        found = Zone(settings).check(round_=round_)
        assert not [f for f in found if f.severity in (Severity.STOP, Severity.ERROR)]
        assert len(found) <= 2


# --- how findings are told ----------------------------------------------------------------------


def test_findings_are_the_same_each_time_and_every_checked_delivery_has_an_entry(
    zone: Zone,
) -> None:
    EDITS["code_not_on_scale"](zone)
    _without_activity(zone)
    once, again = (quality.check(zone.settings, ROUND, KNOWN, zone.register) for _ in range(2))
    assert list(once.items()) == list(again.items())
    assert list(once) == [d.key for d in quality.sound(zone.settings, ROUND)]
    severities = [f.severity for f in once[zone.first.key]]
    assert severities == [Severity.STOP, Severity.WARNING]


def test_many_findings_in_one_column_are_told_as_one(zone: Zone) -> None:
    days = {"Deltagare pågående": date(2024, 1, 1)}
    zone.edit_rows(
        lambda rows: [{**r, "svarsdatum": days.get(r["sheet"], r["svarsdatum"])} for r in rows]
    )
    (found,) = zone.check()
    assert (found.rule_id, found.cell, found.value) == ("date_outside_round", "D3", "")
    assert "rader: 3, 4, 5" in found.wrong


def test_a_rule_is_told_at_most_fifty_times_in_a_delivery(zone: Zone) -> None:
    activities = [
        {
            "insats_kod": f"B{n}",
            "inriktning": None,
            "langd": None,
            "handed_out": {"staff": 10},
        }
        for n in range(60)
    ]
    limits = {**quality.thresholds(), "apart": 100}
    zone.edit_delivery(activities=[*zone.first.activities, *activities])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality, "thresholds", lambda: limits)
        found = zone.check()
    assert len(found) == 50
    assert "11 ställen till" in found[-1].wrong


def test_a_workbook_with_its_columns_elsewhere_gets_the_cell_right(tmp_path: Path) -> None:
    write_landing_zone(tmp_path / "raw", rounds=[ROUND], associations=1, faults=["duplicate_lopnr"])
    path = next((tmp_path / "raw" / str(ROUND)).iterdir())
    book = openpyxl.load_workbook(path)
    book["Deltagare pågående"].insert_cols(1, 2)
    book.save(path)
    found = [f for f in loaded(tmp_path, [ROUND]).check() if f.rule_id == "lopnr_repeated"]
    assert [f.cell for f in found] == ["C5"]


def test_a_file_that_is_gone_leaves_the_row_as_address(zone: Zone, tmp_path: Path) -> None:
    first_row(svarsdatum=date(2025, 1, 1))(zone)
    moved = Zone(Settings(tmp_path / "raw", zone.settings.home))
    found = moved.check(register=zone.register)
    assert [f.cell for f in found] == ["3:3"]


def test_a_stop_keeps_only_its_own_delivery_out(faulty: Any) -> None:
    rule_id, zone, _ = faulty
    found = quality.check(zone.settings, ROUND, KNOWN, zone.register)
    stopped = [key for key, own in found.items() if any(f.severity == "stop" for f in own)]
    assert len(stopped) == (1 if rule_id == "same_answers_in_two_files" else 0)


def test_the_fingerprint_changes_with_a_delivery_and_only_then(zone: Zone) -> None:
    def taken() -> str:
        deliveries = lake.read_manifest(zone.settings).deliveries
        return quality.fingerprint(deliveries, ROUND, KNOWN, zone.register)

    before = taken()
    assert taken() == before
    zone.edit_delivery(checks={"stop": 1}, state="stopped")  # what a check itself changes
    assert taken() == before
    for changes in ({"mtime_ns": 1}, {"read_with": "another"}, {"findings": {"stop": 0}}):
        last = taken()
        zone.edit_delivery(**changes)
        assert taken() != last


# --- a broken check is not wrong data -----------------------------------------------------------


def held(**expectation: Any) -> dict[str, Any]:
    meta = {"rule_id": "tried", "severity": "error"}
    described = {"severity": "warning", "meta": meta, **expectation}
    return {"responses": {"name": "responses", "expectations": [described]}}


BETWEEN = "expect_column_values_to_be_between"


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        (
            {"type": "expect_colum_values_to_be_in_set", "kwargs": {"column": "n"}},
            "tried: expect_colum_values_to_be_in_set",
        ),
        ({"type": BETWEEN, "kwargs": {"colum": "n"}}, f"tried: {BETWEEN}"),
        ({"type": BETWEEN, "kwargs": {"column": "no_such", "max_value": 1}}, "tried"),
        ({"type": BETWEEN, "kwargs": {"column": "text", "max_value": 1}}, "tried"),
        (
            {"type": BETWEEN, "kwargs": {"column": "n", "max_value": {"$PARAMETER": "gone"}}},
            "responses: en parameter saknas.*gone",
        ),
    ],
    ids=["misspelt type", "misspelt argument", "no such column", "fails inside", "no parameter"],
)
def test_an_expectation_that_cannot_be_held_is_a_broken_check(
    expectation: dict[str, Any], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"at": [0], "n": [3.0], "text": ["kanariefågel"]})
    with pytest.raises(quality.QualityBroken, match=said) as broken:
        quality.failing_rows({"responses": frame}, {}, held(**expectation))
    assert "kanariefågel" not in str(broken.value) + "".join(capfd.readouterr())


# --- what is left behind ------------------------------------------------------------------------

CANARY = "Kanariefagel7391"
CHECK = f"""
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from pathlib import Path
from pipelines import instrument, quality, register
from pipelines.settings import Settings
raw, home = map(Path, sys.argv[1:])
found = quality.check(Settings(raw, home), {ROUND}, instrument.load(), register.read(raw))
print(sum(map(len, found.values())))
"""


def test_a_check_leaves_nothing_behind_and_says_no_value(zone: Zone, tmp_path: Path) -> None:
    zone.edit_rows(
        lambda rows: [
            {**r, "lopnr": CANARY, "insats_kod": CANARY, "kon": CANARY, "svarsdatum": None}
            for r in rows
        ]
    )
    before = {p for p in zone.settings.home.rglob("*") if p.is_file()}
    user, here = tmp_path / "user", tmp_path / "here"
    user.mkdir()
    here.mkdir()
    environment = {**os.environ, "HOME": str(user), "PYTHONPATH": str(PROJECT)}
    run = subprocess.run(
        [sys.executable, "-c", CHECK, str(zone.settings.raw), str(zone.settings.home)],
        cwd=here,
        env={**environment, "TMPDIR": str(here)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) > 3
    assert CANARY not in run.stdout + run.stderr
    assert list(user.rglob("*")) == list(here.rglob("*")) == []
    assert {p for p in zone.settings.home.rglob("*") if p.is_file()} == before


def test_findings_show_no_text_of_a_number_that_may_be_a_person(zone: Zone) -> None:
    zone.edit_rows(lambda rows: [{**r, "lopnr": "191212121212"} for r in rows[:2]] + rows[2:])
    found = zone.check()
    assert [(f.rule_id, f.value) for f in found] == [("lopnr_repeated", "(dolt)")]


# --- under Dagster ------------------------------------------------------------------------------


def run_of(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> Any:
    import dagster as dg

    from pipelines.defs import checks, ingest

    @dg.asset(deps=["responses", "deliveries"])
    def built() -> None:
        """What comes after the checks."""

    monkeypatch.setenv("NNS_RAW", str(zone.settings.raw))
    monkeypatch.setenv("NNS_HOME", str(zone.settings.home))
    defs = dg.Definitions(
        assets=[ingest.registration_workbooks, built],
        asset_checks=[checks.expectations],
        jobs=[dg.define_asset_job("all", dg.AssetSelection.all())],
        executor=dg.in_process_executor,
    )
    return defs.resolve_job_def("all").execute_in_process(
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={
            "dagster/asset_partition_range_start": "2025",
            "dagster/asset_partition_range_end": str(ROUND),
        },
    )


def evaluations(run: Any) -> dict[str, Any]:
    events = (e for e in run.all_events if e.event_type_value == "ASSET_CHECK_EVALUATION")
    return {e.event_specific_data.check_name: e.event_specific_data for e in events}


def is_built(run: Any) -> bool:
    return any(
        e.event_type_value == "ASSET_MATERIALIZATION" and e.asset_key.path == ["built"]
        for e in run.all_events
    )


def test_a_stop_is_seen_in_dagster_and_the_build_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = ["same_answers_two_files", "duplicate_lopnr", "broken_file"]
    write_landing_zone(tmp_path / "raw", rounds=[2025, ROUND], faults=faults)
    run = run_of(loaded(tmp_path), monkeypatch)
    assert run.success
    assert is_built(run)
    told = evaluations(run)
    assert {name: (e.passed, e.severity.value) for name, e in told.items()} == {
        "deliveries_suite": (False, "WARN"),
        "activities_suite": (True, "WARN"),
        "responses_suite": (True, "WARN"),
        "answers_suite": (True, "WARN"),
        "every_delivery_is_in": (False, "ERROR"),
    }
    table = told["responses_suite"].metadata["findings"].value
    assert "lopnr_repeated" in table
    assert told["deliveries_suite"].metadata[f"receipts_{ROUND}"].value.endswith(str(ROUND))
    waiting = told["every_delivery_is_in"].metadata
    assert waiting["stopped"].value == 2
    assert "same_answers_in_two_files" in waiting["findings"].value
    assert "zip_damaged" in waiting["findings"].value
    pages = [Path(m.value) for name, m in waiting.items() if name.startswith("receipt_")]
    assert [page.suffix for page in pages if page.exists()] == [".html", ".html"]


def test_a_broken_check_holds_back_what_is_downstream(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise quality.QualityBroken("tried")

    monkeypatch.setattr(quality, "failing_rows", broken)
    run = run_of(zone, monkeypatch)
    assert not run.success
    assert not is_built(run)
    assert evaluations(run) == {}
