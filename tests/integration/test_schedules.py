"""What runs by itself: when, for which rounds, and that it never publishes."""

import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml
from dagster._utils.schedules import schedule_execution_time_iterator

from pipelines import instrument, lake, runs, warehouse
from pipelines.definitions import defs
from pipelines.defs import schedules
from pipelines.defs.jobs import SILENT
from pipelines.settings import DBT_PROJECT, PROJECT, Settings
from pipelines.workbook.sample import write_landing_zone

SWEDEN = ZoneInfo("Europe/Stockholm")
KNOWN = instrument.load()
REPOSITORY = defs.get_repository_def()
MINUTE = 60 * 10**9


def ticks(schedule: dg.ScheduleDefinition, first: date, days: int) -> list[datetime]:
    """The moments Dagster's scheduler would start the schedule, in Swedish time."""
    start = datetime(first.year, first.month, first.day, tzinfo=SWEDEN)
    moments = schedule_execution_time_iterator(
        start.timestamp(), schedule.cron_schedule, schedule.execution_timezone
    )
    end = start + timedelta(days=days)
    found = []
    while (moment := next(moments)) < end:
        found.append(moment.astimezone(SWEDEN))
    return found


def rounds_at(schedule: dg.ScheduleDefinition, day: date) -> list[int]:
    """The rounds a schedule asks for on a day."""
    moment = datetime(day.year, day.month, day.day, 5, tzinfo=SWEDEN)
    context = dg.build_schedule_context(scheduled_execution_time=moment, repository_def=REPOSITORY)
    requests = schedule.evaluate_tick(context).run_requests or ()
    assert len({r.run_key for r in requests}) == len(requests)
    return [int(str(r.partition_key)) for r in requests]


# --- by the clock -------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [date(2026, 10, 25), date(2027, 3, 28)])
def test_every_night_has_one_load_also_when_the_clocks_change(change: date) -> None:
    found = ticks(schedules.nightly, change - timedelta(days=3), 7)
    assert [t.date() for t in found] == [change + timedelta(days=n) for n in range(-3, 4)]
    assert {(t.hour, t.minute) for t in found} == {(4, 15)}
    assert len({t.utcoffset() for t in found}) == 2  # summer and winter time


def test_a_month_has_one_load_on_its_first_day() -> None:
    found = ticks(schedules.monthly, date(2026, 9, 1), 365)
    assert [(t.month, t.day) for t in found] == [
        (month, 1) for month in (9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8)
    ]


@pytest.mark.parametrize(
    ("day", "rounds"),
    [
        (date(2026, 9, 13), []),
        (date(2026, 9, 14), [2026]),  # opens
        (date(2026, 10, 31), [2026]),  # the deadline
        (date(2026, 12, 12), [2026]),  # six weeks later
        (date(2026, 12, 13), []),
        (date(2027, 9, 20), [2027]),
        (date(2031, 10, 1), []),  # no such round is known yet
    ],
)
def test_a_round_is_loaded_nightly_from_opening_until_six_weeks_past_the_deadline(
    day: date, rounds: list[int]
) -> None:
    assert rounds_at(schedules.nightly, day) == rounds


def test_nightly_loads_last_six_weeks_past_the_deadline_in_every_round() -> None:
    for round_ in KNOWN.rounds.values():
        last = round_.delivery_deadline + timedelta(weeks=6)
        assert rounds_at(schedules.nightly, last) == [round_.round]
        assert rounds_at(schedules.nightly, last + timedelta(days=1)) == []


def test_the_ending_questionnaire_is_loaded_monthly_between_the_rounds() -> None:
    asked = {
        (year, month): rounds_at(schedules.monthly, date(year, month, 1))
        for year, month in [(2026, m) for m in range(9, 13)] + [(2027, m) for m in range(1, 13)]
    }
    nightly = {(2026, 10), (2026, 11), (2026, 12), (2027, 10), (2027, 11), (2027, 12)}
    for (year, month), rounds in asked.items():
        to_come = 2026 if (year, month) < (2026, 12) else 2027
        assert rounds == ([] if (year, month) in nightly else [to_come]), (year, month)


# --- by what happens ----------------------------------------------------------------------------


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A small landing zone of a round, copied there a while ago, that the definitions work with."""
    found = Settings(tmp_path / "raw", tmp_path / "home")
    write_landing_zone(found.raw, rounds=[2026], associations=2, questionnaires=12)
    for path in (found.raw / "2026").iterdir():
        age(path)
    monkeypatch.setenv("NNS_RAW", str(found.raw))
    monkeypatch.setenv("NNS_HOME", str(found.home))
    return found


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def age(path: Path) -> None:
    ns = path.stat().st_mtime_ns - 5 * MINUTE
    os.utime(path, ns=(ns, ns))


def landed(instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(instance=instance, repository_def=REPOSITORY)
    return list(schedules.landing_zone.evaluate_tick(context).run_requests or ())


def execute(
    job: str, instance: dg.DagsterInstance, round_: str | None = None, starter: str = "schedule"
) -> dg.DagsterRun:
    """A run that went well, by default one that a schedule started."""
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=round_,
        run_config=SILENT,
        tags={f"dagster/{starter}_name": "nightly"},
    )
    assert result.success
    return result.dagster_run


def after(
    run: dg.DagsterRun,
    instance: dg.DagsterInstance,
    sensor: dg.RunStatusSensorDefinition = schedules.changed_lake,
) -> list[dg.RunRequest]:
    """What a sensor asks for after a run that went well."""
    event = next(
        record.event_log_entry.dagster_event
        for record in instance.get_records_for_run(run.run_id).records
        if record.event_log_entry.dagster_event
        and record.event_log_entry.dagster_event.event_type is dg.DagsterEventType.RUN_SUCCESS
    )
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
    )
    asked = sensor(context)
    asked = () if isinstance(asked, dg.SkipReason) else asked or ()
    return [request for request in asked if isinstance(request, dg.RunRequest)]


def test_changed_files_are_loaded_and_the_marts_built_once(
    folders: Settings, instance: dg.DagsterInstance
) -> None:
    (asked,) = landed(instance)
    assert asked.partition_key == "2026"
    assert [r.run_key for r in landed(instance)] == [asked.run_key]  # Dagster starts it once

    load = execute("load_and_check", instance, "2026")
    assert lake.read_manifest(folders).checked_with
    assert landed(instance) == []
    (build,) = after(load, instance)
    assert build.partition_key is None

    execute("build", instance)
    assert warehouse.is_current(folders)
    again = execute("load_and_check", instance, "2026")
    assert after(again, instance) == []

    changed = next((folders.raw / "2026").iterdir())
    write_landing_zone(folders.raw.with_name("b"), rounds=[2026], associations=2, seed=2)
    changed.write_bytes((folders.raw.with_name("b") / "2026" / changed.name).read_bytes())
    assert landed(instance) == []  # it may still be on its way
    age(changed)
    (another,) = landed(instance)
    assert another.run_key != asked.run_key


def test_after_a_run_that_nobody_watched_the_steward_is_told_what_is_newly_wrong(
    folders: Settings, instance: dg.DagsterInstance
) -> None:
    def mails() -> int:
        return len(list(folders.digest.glob("*.txt")))

    def go(starter: str = "schedule") -> None:
        for job, round_ in (("load_and_check", "2026"), ("build", None)):
            run = execute(job, instance, round_, starter)
            after(run, instance, schedules.went_well)

    (folders.raw / "2026" / "trasig.xlsx").write_bytes(b"PK")
    age(folders.raw / "2026" / "trasig.xlsx")
    go(starter="by_hand")
    assert mails() == 0
    assert runs.last_success(folders) is None
    go()
    assert mails() == 1
    assert runs.last_success(folders) is not None
    go()
    assert mails() == 1  # it was told


def test_the_steward_is_told_of_a_run_that_was_broken_off(
    folders: Settings, instance: dg.DagsterInstance
) -> None:
    register = folders.raw / "register" / "associations.csv"
    register.write_text(register.read_text(encoding="utf-8") + "x,Förbundet X,99,,\n", "utf-8")
    result = defs.resolve_job_def("load_and_check").execute_in_process(
        instance=instance,
        partition_key="2026",
        run_config=SILENT,
        raise_on_error=False,
        tags={"dagster/sensor_name": "landing_zone"},
    )
    assert not result.success
    again = result.dagster_run.with_tags({**result.dagster_run.tags, "dagster/will_retry": "true"})
    schedules._told(again, ok=False)
    assert not list(folders.digest.glob("*.txt"))
    schedules._told(result.dagster_run, ok=False)
    (mail,) = folders.digest.glob("*.txt")
    assert "länskoden 99" in mail.read_text(encoding="utf-8")
    assert runs.failed(folders)


def test_the_steward_is_told_once_of_a_register_that_cannot_be_read(
    folders: Settings, instance: dg.DagsterInstance
) -> None:
    (folders.raw / "register" / "associations.csv").write_bytes("förbund\n".encode("latin-1"))
    for _ in range(2):
        assert landed(instance) == []
    (mail,) = folders.digest.glob("*.txt")
    assert "associations.csv" in mail.read_text(encoding="utf-8")


# --- what it may and may not do -----------------------------------------------------------------


def test_what_runs_by_itself_loads_checks_and_builds_and_never_publishes() -> None:
    started = [s.job_name for s in REPOSITORY.schedule_defs]
    started += [t.job_name for s in REPOSITORY.sensor_defs if s.targets for t in s.targets]
    assert set(started) == {"load_and_check", "build"}
    graph = defs.resolve_asset_graph()
    made = {
        graph.get(key).group_name
        for job in set(started)
        for key in defs.resolve_job_def(job).asset_layer.selected_asset_keys
    }
    assert made == {"lake", "staging", "intermediate", "marts", "instrument"}


def test_all_of_it_is_on_from_the_start() -> None:
    assert {s.default_status.value for s in REPOSITORY.schedule_defs} == {"RUNNING"}
    assert {s.default_status.value for s in REPOSITORY.sensor_defs} == {"RUNNING"}


def test_one_run_at_a_time_is_watched_and_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    config = PROJECT / "pipelines" / "defs" / "dagster.yaml"
    (tmp_path / "dagster.yaml").write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        queue = made.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 1
        assert made.run_monitoring_enabled
        assert not made.telemetry_enabled
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["flags"]["send_anonymous_usage_stats"] is False
    from pipelines import quality

    quality._context()
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_a_changed_outcome_file_is_loaded_with_the_last_round(
    folders: Settings, instance: dg.DagsterInstance
) -> None:
    execute("load_and_check", instance, "2026")
    assert landed(instance) == []
    path = folders.raw / "outcomes" / "sus.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("association_id,participation_id,start_date\n", encoding="utf-8")
    assert landed(instance) == []  # it may still be on its way
    for folder in ("outcomes", "indicator_11"):
        for one in (folders.raw / folder).iterdir():
            age(one)
    (asked,) = landed(instance)
    assert asked.partition_key == str(max(KNOWN.rounds))
    execute("load_and_check", instance, asked.partition_key)
    assert landed(instance) == []
