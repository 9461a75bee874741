"""What runs by itself: loads by night and by month, loads of changed files, builds after them.

The steward need not be there; all of it is on as soon as Dagster is. Nothing here publishes, and
nothing may: a release is somebody's decision.
"""

import time
from collections.abc import Iterator
from datetime import date

import dagster as dg

from pipelines import (
    digest,
    instrument,
    loading,
    lock,
    outcomes,
    register,
    runs,
    settings,
    warehouse,
)
from pipelines.defs.jobs import build, load_and_check
from pipelines.swedish import TIME_ZONE

# In the hours after the clocks change: between two and three o'clock a night has no such hour, or
# two of them.
_NIGHTLY = "15 4 * * *"
_MONTHLY = "45 4 1 * *"

_SETTLED_AFTER = 30.0  # seconds since a file was last written: it is no longer being copied
_LOOK_EVERY = 60  # seconds

Requests = Iterator[dg.RunRequest | dg.SkipReason]


@dg.schedule(
    job=load_and_check,
    cron_schedule=_NIGHTLY,
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def nightly(context: dg.ScheduleEvaluationContext) -> Requests:
    """Loads and checks the rounds that are on, until late files are awaited no more."""
    day = _day(context)
    rounds = instrument.load().rounds_loaded_nightly(day)
    if not rounds:
        yield dg.SkipReason(f"No round is on at {day}.")
    yield from (_request(round_, f"{day}/{round_}") for round_ in rounds)


@dg.schedule(
    job=load_and_check,
    cron_schedule=_MONTHLY,
    execution_timezone=TIME_ZONE,
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def monthly(context: dg.ScheduleEvaluationContext) -> Requests:
    """Loads and checks the questionnaires that run all year, between the rounds."""
    day, known = _day(context), instrument.load()
    round_ = known.round_of_the_year(day)
    if round_ is None or not any(q.all_year for q in known.questionnaires_in(round_)):
        yield dg.SkipReason(f"No questionnaire runs all year at {day}.")
    elif round_ in known.rounds_loaded_nightly(day):
        yield dg.SkipReason(f"Round {round_} is loaded every night.")
    else:
        yield _request(round_, f"{day}/{round_}")


@dg.sensor(
    job=load_and_check,
    minimum_interval_seconds=_LOOK_EVERY,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def landing_zone(context: dg.SensorEvaluationContext) -> Requests:
    """Loads and checks the first round whose files changed, once they are no longer being copied.

    Another one is seen the next time; a change of the register concerns all and takes one load.
    """
    folders, known = settings.from_environment(), instrument.load()
    try:
        registered = register.read(folders.raw)
    except register.RegisterError as error:
        digest.send(folders, patience=lock.PATIENCE)  # which says so, once
        yield dg.SkipReason(str(error))
        return
    round_ = loading.first_changed(folders, known, registered)
    if round_ is None and not outcomes.is_current(folders, known, registered):
        yield _of_outcomes(folders, known, registered)
    elif round_ is None:
        yield dg.SkipReason("Nothing changed.")
    elif time.time() - loading.last_written(folders, round_) < _SETTLED_AFTER:
        yield dg.SkipReason("A file was written just now; it may not be whole yet.")
    else:
        landed = loading.landing_fingerprint(folders, round_, known, registered)
        yield _request(round_, f"{landed}/{round_}")


def _of_outcomes(
    folders: settings.Settings, known: instrument.Instrument, registered: register.Register
) -> dg.RunRequest | dg.SkipReason:
    """A load of the last round, which finds nothing new there, for the outcome files beside it."""
    if time.time() - outcomes.last_written(folders) < _SETTLED_AFTER:
        return dg.SkipReason("An outcome file was written just now; it may not be whole yet.")
    landed = outcomes.landing_fingerprint(folders, known, registered)
    return _request(max(known.rounds), f"{landed}/outcomes")


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[load_and_check],
    request_job=build,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def changed_lake(context: dg.RunStatusSensorContext) -> Requests:
    """Builds after a load that changed something, once no other load is under way."""
    folders = settings.from_environment()
    under_way = context.instance.get_runs_count(
        dg.RunsFilter(
            job_name=load_and_check.name,
            statuses=[
                dg.DagsterRunStatus.QUEUED,
                dg.DagsterRunStatus.STARTING,
                dg.DagsterRunStatus.STARTED,
            ],
        )
    )
    if warehouse.is_current(folders):
        yield dg.SkipReason("The marts are up to date.")
    elif under_way:
        yield dg.SkipReason("Another load is under way.")
    else:
        yield dg.RunRequest(run_key=warehouse.fingerprint(folders))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[load_and_check, build],
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def went_well(context: dg.RunStatusSensorContext) -> dg.SkipReason:
    """Records the run, and tells the steward what is newly wrong."""
    return _told(context.dagster_run, ok=True)


@dg.run_failure_sensor(
    monitored_jobs=[load_and_check, build],
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def went_wrong(context: dg.RunFailureSensorContext) -> dg.SkipReason:
    """The same for a run that was broken off."""
    return _told(context.dagster_run, ok=False)


def _told(run: dg.DagsterRun, *, ok: bool) -> dg.SkipReason:
    """Sends the digest of a run that nobody watched."""
    if not {"dagster/schedule_name", "dagster/sensor_name"} & set(run.tags):
        return dg.SkipReason("Somebody started the run by hand and sees it.")
    if run.tags.get("dagster/will_retry") == "true":  # on a server, see deploy/
        return dg.SkipReason("The run is done again by itself.")
    folders = settings.from_environment()
    runs.finished(folders, run.job_name, ok)
    if ok and not warehouse.is_current(folders):
        return dg.SkipReason("The digest waits for the build.")
    if ok:
        runs.finished(folders, runs.WHOLE, ok)
    sent = digest.send(folders, patience=lock.PATIENCE)
    return dg.SkipReason(f"{len(sent.new)} new alarms.")


def _day(context: dg.ScheduleEvaluationContext) -> date:
    return context.scheduled_execution_time.date()


def _request(round_: int, key: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=key, partition_key=str(round_))
