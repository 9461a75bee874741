"""Outcome files from the landing zone to the lake: what is judged, what counts, what is noticed."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines import alarms, audit, erasure, instrument, lake, outcomes, quality, register
from pipelines.findings import Finding, Severity, rules
from pipelines.outcomes import tables
from pipelines.outcomes.tables import COUNTS, PARTICIPATIONS, SETTINGS, STUDY, TABLES
from pipelines.settings import EXPECTATIONS, Settings

PROJECT = Path(__file__).parent.parent.parent
KNOWN = instrument.load()
OWN, OTHER, THIRD = "exempelbygden", "provdalen", "testskogen"
DAY = 24 * 3600 * 10**9

HEADERS = {
    PARTICIPATIONS: "association_id,insats_kod,participation_id,kon,start_date,end_date,"
    "exit_reason,years_without_work",
    COUNTS: "association_id,insats_kod,period_start,period_end,kon,active,ended,dropouts,work,"
    "work_supported,work_unsupported,studies,other_vocational,medical_rehab,"
    "sickness_compensation,other,active_next",
    STUDY: "level,unit_id,cohort,months_after,kon,n,n_sustained,source",
}
COUNT = {
    **{"association_id": OWN, "insats_kod": "A1"},
    **{"period_start": "2023-01-01", "period_end": "2023-12-31", "kon": "T"},
    **{"active": 56, "ended": 23, "dropouts": 3, "work": 4, "work_supported": 1},
    **{"work_unsupported": 3, "studies": 2, "other_vocational": 2, "medical_rehab": 6},
    **{"sickness_compensation": 0, "other": 6, "active_next": 33},
}


def zone(folder: Path) -> Settings:
    settings = Settings(folder / "raw", folder / "home")
    path = settings.raw / "register" / "associations.csv"
    path.parent.mkdir(parents=True)
    lines = [f"{a},Förbundet {a},01,2010-01-01," for a in (OWN, OTHER, THIRD)]
    head = "association_id,association_name,county_code,agreement_from,agreement_to"
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    (path.parent / "ORIGIN").write_text("synthetic", encoding="utf-8")
    return settings


def put(settings: Settings, table: str, name: str, *lines: str, days_old: int = 1) -> Path:
    folder = settings.raw / ("indicator_11" if table == STUDY else "outcomes")
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.csv"
    path.write_text("\n".join([HEADERS[table], *lines, ""]), encoding="utf-8")
    moment = path.stat().st_mtime_ns - days_old * DAY
    os.utime(path, ns=(moment, moment))
    return path


def count(**changes: Any) -> str:
    assert [*COUNT] == HEADERS[COUNTS].split(",") and changes.keys() <= COUNT.keys()
    return ",".join(str(v) for v in {**COUNT, **changes}.values())


def go(settings: Settings) -> dict[str, tuple[Finding, ...]]:
    registered = register.read(settings.raw)
    outcomes.load(settings, KNOWN, registered)
    return outcomes.check(settings, KNOWN, registered)


def is_done(settings: Settings) -> tuple[bool, bool]:
    registered = register.read(settings.raw)
    done = outcomes.is_current, outcomes.is_checked
    return tuple(is_so(settings, KNOWN, registered) for is_so in done)  # type: ignore[return-value]


def lake_rows(settings: Settings, table: str) -> list[dict[str, Any]]:
    return list(pq.ParquetFile(tables.path_of(settings, table)).read().to_pylist())


def short(settings: Settings, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[c] for c in columns) for row in lake_rows(settings, table)]


# --- each rule has an input that trips it -------------------------------------------------------

SOUND = "K,2022-01-10,2022-05-31,studies,3"
BAD_PARTICIPATIONS = {
    "ended_before_started": "K,2022-01-10,2022-01-09,other,",
    "started_in_future": "K,2399-01-01,,,",
    "ended_in_future": "K,2022-01-10,2399-01-01,other,",
    "started_too_early": "K,0922-01-10,,,",
    "started_after_source": "K,2023-04-01,,,",
    "reason_without_end": "K,2022-01-10,,studies,",
    "end_without_reason": "K,2022-01-10,2022-02-01,,",
    "years_out_of_range": "K,2022-01-10,,,10",
}
BAD_COUNTS: dict[str, dict[str, Any]] = {
    "period_unknown": {"period_end": "2023-12-30"},
    "period_before_source": {"period_start": "2022-07-01", "period_end": "2023-06-30"},
    "count_negative": {"studies": -1, "other_vocational": 5},
    "ended_not_sum": {"other": 7},
    "work_not_sum": {"work_supported": 2},
    "active_next_not_difference": {"active_next": 30},
    "dropouts_exceed_ended": {"dropouts": 29, "other": -20},
    "ended_exceed_active": {"active": 20, "active_next": ""},
}
BAD_STUDIES = {
    "study_negative": "10,-1",
    "sustained_exceed_n": "10,11",
}
BESIDE = {
    "dropouts_exceed_ended": {"count_negative"},  # no sum can hold without a negative part
    "ended_exceed_active": {"count_negative"},
}
REPEATS = {
    PARTICIPATIONS: ("participation", SOUND, "K,2022-01-10,2022-06-30,studies,3"),
    COUNTS: ("counts", {}, {"studies": 3, "other_vocational": 1}),
    STUDY: ("study", "T,10,5,", "T,10,6,"),
}


def write_faults(settings: Settings) -> None:
    """A file per rule, named by it, each with groups of its own."""
    for rule, line in BAD_PARTICIPATIONS.items():
        rows = [f"{OWN},{rule},{n},{cells}" for n, cells in enumerate((SOUND, line))]
        put(settings, PARTICIPATIONS, rule, *rows)
    for rule, changes in BAD_COUNTS.items():
        put(settings, COUNTS, rule, count(insats_kod=rule, **changes))
    for (rule, figures), months in zip(BAD_STUDIES.items(), (6, 12), strict=True):
        put(settings, STUDY, rule, f"association,{OWN},2020,{months},T,{figures},SCB")
    put(settings, STUDY, "cohort_unknown", f"association,{OWN},1999,12,T,10,5,")
    put(settings, STUDY, "months_after_unknown", f"association,{OWN},2020,13,T,10,5,")
    group = f"association,{OWN},2021,12"
    lines = [f"{group},{row}," for row in ("T,10,5", "K,8,2", "M,8,2")]
    put(settings, STUDY, "study_genders_exceed_total", *lines)
    put(settings, STUDY, "study_total_missing", f"association,{OWN},2021,24,K,8,2,")
    lines = [
        f"{unit},2022,12,T,{n},5," for unit, n in ((f"association,{OWN}", 20), ("nation,", 10))
    ]
    put(settings, STUDY, "nation_below_associations", *lines)
    name = "genders_exceed_total"
    put(settings, COUNTS, name, *(count(insats_kod=name, kon=kon) for kon in "TKM"))
    name = "counts_with_and_without_activity"
    lines = [count(association_id=OTHER, insats_kod=code) for code in ("", "A1")]
    put(settings, COUNTS, name, *lines)
    for table, (stem, same, other) in REPEATS.items():
        for rule, cells in ((f"{stem}_repeated", same), (f"{stem}_contradicted", other)):
            put(settings, table, rule, *(row_of(table, rule, c) for c in (same, cells)))
        rule = f"{stem}_replaced"
        put(settings, table, rule, row_of(table, rule, same), days_old=2)
        put(settings, table, f"{rule}_by", row_of(table, rule, other))


def row_of(table: str, rule: str, cells: Any) -> str:
    if table == COUNTS:
        return count(insats_kod=rule, **cells)
    if table == PARTICIPATIONS:
        return f"{OWN},{rule},1,{cells}"
    months = {"study_repeated": 12, "study_contradicted": 24, "study_replaced": 36}[rule]
    return f"association,{OTHER},2020,{months},{cells}"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Any]:
    settings = zone(tmp_path_factory.mktemp("faulty"))
    write_faults(settings)
    return settings, {Path(file).stem: found for file, found in go(settings).items()}


RULES = quality.rules(TABLES)


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_tripped_by_its_file_and_by_no_other(faulty: Any, rule: str) -> None:
    _, found = faulty
    assert {f.rule_id for f in found[rule]} == {rule, *BESIDE.get(rule, ())}
    tripped = {name for name, own in found.items() if rule in {f.rule_id for f in own}}
    assert tripped - {name for name, others in BESIDE.items() if rule in others} == {rule}


@pytest.mark.parametrize("rule", RULES)
def test_a_finding_names_the_cell_that_holds_the_value_it_shows(faulty: Any, rule: str) -> None:
    settings, found = faulty
    for f in found[rule]:
        lines = (settings.raw / f.file).read_text(encoding="utf-8").splitlines()
        column, row = ord(f.cell[0]) - ord("A"), int(f.cell[1:])
        assert lines[0].split(",")[column] == f.question
        if f.value:
            held = lines[row - 1].split(",")[column]
            assert f.value == held or (held == "" and f.question == "active_next")
        assert f.remedy and "{" not in f.wrong + f.remedy


@pytest.mark.parametrize("rule", RULES)
def test_an_error_leaves_its_row_out_and_a_warning_alone_does_not(faulty: Any, rule: str) -> None:
    settings, found = faulty
    counted = sum(
        Path(row["file"]).stem == rule for table in TABLES for row in lake_rows(settings, table)
    )
    n_rows = {f.file: f.n_rows for f in outcomes.read_state(settings).files}
    n = next(n for file, n in n_rows.items() if Path(file).stem == rule)
    kept = {"started_after_source": 2, "counts_with_and_without_activity": 2}
    if rule in BAD_PARTICIPATIONS or rule.endswith(("_repeated", "_contradicted")):
        kept.setdefault(rule, 1)
    if rule == "nation_below_associations":
        kept[rule] = 1
    assert (counted, len(found[rule]) > 0) == (kept.get(rule, 0), True)
    assert counted <= n


def test_the_newer_file_counts_where_two_say_otherwise(faulty: Any) -> None:
    settings, found = faulty
    assert found["participation_replaced_by"] == ()
    ends = short(settings, PARTICIPATIONS, "insats_kod", "end_date")
    assert [end for code, end in ends if code == "participation_replaced"] == [date(2022, 6, 30)]
    assert "participation_replaced_by.csv" in found["participation_replaced"][0].wrong
    studies = short(settings, COUNTS, "insats_kod", "studies")
    assert [n for code, n in studies if code == "counts_replaced"] == [3]


def test_rules_have_one_sentence_each_and_are_no_others(faulty: Any) -> None:
    assert not set(RULES) & (set(rules()) | set(quality.rules()))
    for table, suite in quality.suites(EXPECTATIONS, TABLES).items():
        assert suite["name"] == table
        for meta in (e["meta"] for e in suite["expectations"]):
            assert meta["stage"] in ("rows", "repeats", "sums")
            assert meta["wrong_sv"][0].isupper() and meta["wrong_sv"].endswith(".")


# --- what counts --------------------------------------------------------------------------------


def test_the_same_participation_in_two_activities_counts_in_both(tmp_path: Path) -> None:
    settings = zone(tmp_path)
    lines = [f"{OWN},{code},1,{SOUND}" for code in ("A1", "A2")]
    put(settings, PARTICIPATIONS, "sus", *lines)
    assert not any(go(settings).values())
    assert short(settings, PARTICIPATIONS, "insats_kod", "row") == [("A1", 2), ("A2", 3)]


def test_the_last_date_is_the_latest_of_the_rows_of_the_file_that_count(tmp_path: Path) -> None:
    settings = zone(tmp_path)
    lines = (f"{OWN},A1,1,{SOUND}", f"{OWN},A1,2,K,2022-07-01,,,", f"{OWN},A1,3,K,2023-01-01,,x,")
    put(settings, PARTICIPATIONS, "a", *lines)
    put(settings, PARTICIPATIONS, "b", f"{OTHER},A1,1,{SOUND}")
    go(settings)
    last = dict(short(settings, PARTICIPATIONS, "association_id", "last_date"))
    assert last == {OWN: date(2022, 7, 1), OTHER: date(2022, 5, 31)}


def test_a_total_becomes_what_it_has_beyond_the_genders_so_that_rows_add_up(
    tmp_path: Path,
) -> None:
    settings = zone(tmp_path)
    zeros = dict.fromkeys(("medical_rehab", "other"), 3)
    women = count(kon="K", active=30, ended=14, dropouts=0, active_next="", **zeros)
    men = count(
        kon="M", active=20, ended=6, dropouts=0, work=0, work_supported=0, work_unsupported=0,
        studies=0, other_vocational=0, active_next="", **zeros,
    )  # fmt: skip
    whole = [count(association_id=OTHER, kon=kon) for kon in "TK"]
    alone = count(association_id=THIRD, work_supported="", work_unsupported="")
    put(settings, COUNTS, "2023", count(), women, men, *whole, alone)
    assert not any(go(settings).values())
    rows = lake_rows(settings, COUNTS)
    own = [r for r in rows if r["association_id"] == OWN]
    assert sorted(r["kon"] for r in own) == ["", "K", "M"]
    for figure in ("active", "ended", "dropouts", "work", "studies", "other", "active_next"):
        assert sum(r[figure] for r in own) == COUNT[figure]
    assert {r["period_kind"] for r in rows} == {"calendar_year"}
    assert [r["kon"] for r in rows if r["association_id"] == OTHER] == ["K"]  # nothing is left
    (third,) = (r for r in rows if r["association_id"] == THIRD)
    assert (third["kon"], third["active"], third["work_supported"]) == ("", 56, None)


def test_the_study_has_a_total_as_given_else_the_sum(tmp_path: Path) -> None:
    settings = zone(tmp_path)
    group = f"association,{OWN},2020"
    lines = [f"{group},12,{row},SCB" for row in ("T,20,9", "K,12,6", "M,7,3")]
    lines += [f"{group},24,{row},SCB" for row in ("K,12,6", "M,7,3", "A,1,1")]
    put(settings, STUDY, "studie", *lines)
    assert not any(go(settings).values())
    told = short(settings, STUDY, "months_after", "gender", "n", "n_sustained")
    assert sorted(told) == [
        *((12, "K", 12, 6), (12, "M", 7, 3), (12, "T", 20, 9)),
        *((24, "K", 12, 6), (24, "M", 7, 3), (24, "T", 20, 10)),
    ]


def test_a_group_of_the_study_loses_all_rows_when_its_sum_would_lack_one(tmp_path: Path) -> None:
    settings = zone(tmp_path)
    group = f"association,{OWN},2020,12"
    put(settings, STUDY, "studie", f"{group},K,12,13,", f"{group},M,7,3,")
    (found,) = next(iter(go(settings).values()))[:1]
    assert (found.rule_id, "gruppens övriga rader" in found.wrong) == ("sustained_exceed_n", True)
    assert lake_rows(settings, STUDY) == []


def test_a_sound_row_counts_though_a_newer_file_has_it_with_an_error(tmp_path: Path) -> None:
    settings = zone(tmp_path)
    put(settings, PARTICIPATIONS, "a", f"{OWN},A1,1,{SOUND}", days_old=3)
    put(settings, PARTICIPATIONS, "b", f"{OWN},A1,1,K,2022-01-10,2021-01-10,studies,3")
    found = go(settings)
    assert {file: [f.rule_id for f in own] for file, own in found.items()} == {
        "outcomes/a.csv": [],
        "outcomes/b.csv": ["ended_before_started"],
    }
    assert short(settings, PARTICIPATIONS, "file", "end_date") == [
        ("outcomes/a.csv", date(2022, 5, 31))
    ]


def test_lake_tables_are_there_empty_before_any_file_and_say_the_setting(tmp_path: Path) -> None:
    settings = zone(tmp_path)
    assert go(settings) == {}
    for table in TABLES:
        assert lake_rows(settings, table) == []
        found = pq.ParquetFile(tables.path_of(settings, table)).schema_arrow
        assert found.equals(tables.schema_of(table))
    assert lake_rows(settings, SETTINGS) == [{"dropout_months": 2}]
    assert is_done(settings) == (True, True)


# --- what is noticed ----------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = zone(tmp_path)
    put(made, PARTICIPATIONS, "sus", f"{OWN},A1,1,{SOUND}")
    put(made, COUNTS, "2023", count())
    go(made)
    assert is_done(made) == (True, True)
    yield made


def test_nothing_counts_before_it_is_checked(settings: Settings) -> None:
    put(settings, PARTICIPATIONS, "ny", f"{OTHER},A1,1,{SOUND}")
    assert is_done(settings) == (False, True)
    outcomes.load(settings, KNOWN, register.read(settings.raw))
    assert is_done(settings) == (True, False)
    assert short(settings, PARTICIPATIONS, "association_id") == [(OWN,)]
    go(settings)
    assert sorted(short(settings, PARTICIPATIONS, "association_id")) == [(OWN,), (OTHER,)]


def test_an_unchanged_file_is_not_opened_again(settings: Settings) -> None:
    put(settings, PARTICIPATIONS, "ny", f"{OTHER},A1,1,{SOUND}")
    loaded = outcomes.load(settings, KNOWN, register.read(settings.raw))
    assert [f.file for f in loaded.read] == ["outcomes/ny.csv"]
    assert outcomes.load(settings, KNOWN, register.read(settings.raw)).read == ()


def test_a_file_that_is_gone_counts_no_more_and_nothing_of_it_remains(settings: Settings) -> None:
    (gone,) = (f for f in outcomes.read_state(settings).files if f.table == PARTICIPATIONS)
    (settings.raw / gone.file).unlink()
    assert is_done(settings)[0] is False
    go(settings)
    assert lake_rows(settings, PARTICIPATIONS) == []
    left = [p for p in settings.home.rglob("*") if p.is_file() and "audit" not in p.name]
    assert not [p for p in left if gone.sha256 in p.name or gone.sha256.encode() in p.read_bytes()]
    assert not (settings.receipts / "utfall" / "sus.html").exists()
    assert (settings.receipts / "utfall" / "2023.html").exists()


@pytest.mark.parametrize("change", ["dropout_months", "associations", "suite", "origin"])
def test_what_the_figures_depend_on_is_noticed(
    settings: Settings, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if change == "dropout_months":
        settings = dataclasses.replace(settings, dropout_months=6)
    elif change == "associations":
        path = settings.raw / "register" / "associations.csv"
        path.write_text(path.read_text(encoding="utf-8").replace(OTHER, "nybygden"), "utf-8")
    elif change == "origin":
        (settings.raw / "register" / "ORIGIN").unlink()
    else:
        copied = tmp_path / "expectations"
        copied.mkdir()
        for path in EXPECTATIONS.iterdir():
            (copied / path.name).write_bytes(path.read_bytes() + b"\n")
        monkeypatch.setitem(outcomes.check.__globals__, "EXPECTATIONS", copied)
    is_current, is_checked = is_done(settings)
    assert not (is_current and is_checked)
    go(settings)
    assert is_done(settings) == (True, True)
    if change == "dropout_months":
        assert lake_rows(settings, SETTINGS) == [{"dropout_months": 6}]
    if change == "origin":
        assert {row["is_synthetic"] for row in lake_rows(settings, COUNTS)} == {False}


def test_the_audit_log_tells_what_came_was_stopped_and_went(settings: Settings) -> None:
    bad = put(settings, PARTICIPATIONS, "trasig", "kort rad")
    go(settings)
    bad.unlink()
    go(settings)
    told = [(line.act.act, line.act.counts.get("rows")) for line in audit.read(settings).lines]
    assert told == [
        *(("receive", 1), ("load", 1)) * 2,
        *(("receive", 0), ("refuse", 0)),
        ("remove", None),
    ]
    assert audit.verify(settings) == []
    assert "trasig" not in audit.path_of(settings).read_text(encoding="utf-8")


def test_a_run_with_nothing_new_imports_no_heavy_library(settings: Settings) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pipelines import instrument, outcomes, register\n"
        "from pipelines.settings import Settings\n"
        f"s = Settings(Path({str(settings.raw)!r}), Path({str(settings.home)!r}))\n"
        "args = s, instrument.load(), register.read(s.raw)\n"
        "print(outcomes.is_current(*args), outcomes.is_checked(*args))\n"
        "print(sorted({'great_expectations', 'pandas', 'pyarrow', 'dagster'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == ["True True", "[]"]


def test_erasing_a_delivery_leaves_outcome_files_alone(settings: Settings) -> None:
    put(settings, PARTICIPATIONS, "fel", f"{OWN},A1,1,K,2022-01-10,2022-01-09,other,")
    go(settings)
    audit.append(settings, [audit.Act("erase", 2026, OWN, sha256="0" * 64)])
    erasure.sweep(settings, lake.Manifest(), audit.whole(settings))
    assert is_done(settings) == (True, True)
    assert [f.rule_id for own in go(settings).values() for f in own] == ["ended_before_started"]


# --- what people see ----------------------------------------------------------------------------


def test_a_receipt_tells_what_counts_and_what_to_mend_without_personal_data(
    tmp_path: Path,
) -> None:
    made = zone(tmp_path)
    put(made, COUNTS, "2023", count(), count(insats_kod="A2", ended=99))
    put(made, PARTICIPATIONS, "sus", f"{OWN},A1,19121212-1212,{SOUND}")
    go(made)
    page = (made.receipts / "utfall" / "2023.html").read_text(encoding="utf-8")
    assert "1 rad räknas, men" in page and "synthetic" in page
    assert "2023-01–2023-12" in page and "Pågående under perioden" in page
    assert f"Förbundet {OWN}" in page
    assert "99" in page and "Kolumn" in page
    stopped = (made.receipts / "utfall" / "sus.html").read_text(encoding="utf-8")
    assert "Filen är inte inläst" in stopped
    assert "19121212" not in stopped + page
    (file,) = (f for f in outcomes.read_state(made).files if f.table != COUNTS)
    assert (file.holds_personal_data, file.total(Severity.STOP)) == (True, 1)


def test_a_receipt_says_how_many_findings_of_a_rule_it_does_not_list(tmp_path: Path) -> None:
    made = zone(tmp_path)
    figures = ("studies", "other_vocational", "medical_rehab", "sickness_compensation")
    lines = [count(insats_kod=f"{f}{n}", **{f: -9}) for f in figures for n in range(9)]
    put(made, COUNTS, "2023", *lines)
    found = go(made)["outcomes/2023.csv"]
    assert [f.rule_id for f in found].count("count_negative") == 36
    page = (made.receipts / "utfall" / "2023.html").read_text(encoding="utf-8")
    assert "… och 6 till av samma slag." in page


def test_the_steward_is_told_of_findings_once_per_rule_and_file_without_what_cells_hold(
    tmp_path: Path,
) -> None:
    made = zone(tmp_path)
    lines = [f"{OWN},A1,{n},K,2022-01-10,2022-01-09,other," for n in range(3)]
    put(made, PARTICIPATIONS, "sus", *lines)
    put(made, PARTICIPATIONS, "mejl", f"{OWN},A1,a@b.se,{SOUND}")
    go(made)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    told = alarms.raised(made, KNOWN, register.read(made.raw), now)
    found = {(a.rule_id, a.about) for a in told if a.about.endswith(".csv")}
    assert found == {
        ("ended_before_started", "sus.csv"),
        ("email_address", "mejl.csv"),
        ("personal_data_remains", "mejl.csv"),
    }
    assert not any("2022" in a.wrong or "@" in a.wrong for a in told)
    assert any("receipts/utfall/sus.html" in a.remedy for a in told)


def nns(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    folders = ["--raw", str(settings.raw), "--home", str(settings.home)]
    command = [sys.executable, "-m", "pipelines.cli", *folders, *arguments]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, env=environment)


def test_commands_tell_of_outcome_files_and_end_with_one_while_they_are_to_be_mended(
    tmp_path: Path,
) -> None:
    made = zone(tmp_path)
    path = put(made, PARTICIPATIONS, "sus", f"{OWN},A1,1,K,2022-01-10,2022-01-09,other,")
    loaded = nns(made, "load")
    assert (loaded.returncode, loaded.stderr) == (0, "")
    checked = nns(made, "check")
    assert checked.returncode == 1
    assert "fel  outcomes/sus.csv F2 end_date: Deltagandet är avslutat" in checked.stdout
    assert "Utfall      0 rader ur 1 fil" in checked.stdout
    seen = nns(made, "status", "--json")
    assert seen.returncode == 1
    (line,) = json.loads(seen.stdout)["outcomes"]
    assert (line["file"], line["rows"], line["counted"], line["errors"]) == (
        *("outcomes/sus.csv", 1, 0),
        1,
    )
    assert "sus.csv" in nns(made, "status").stdout
    path.unlink()
    assert nns(made, "load").returncode == 0
    again = nns(made, "check")
    assert again.returncode == 0
    wrong = {"NNS_DROPOUT_MONTHS": "två"}
    os.environ.update(wrong)
    try:
        told = nns(made, "status")
    finally:
        del os.environ["NNS_DROPOUT_MONTHS"]
    assert told.returncode == 2
    assert told.stderr == "nns: NNS_DROPOUT_MONTHS ska vara ett heltal, till exempel 2.\n"
