"""When the program last ran and how it went, for a watchdog and the digest.

Belongs here: recording a finished job and telling how old the last success is. Does not: running
anything. The record is `NNS_HOME/last_run.json`, a row per job.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.files import write_text
from pipelines.settings import Settings
from pipelines.swedish import moment, several

PARTS = ("load", "check", "build")
WHOLE = "run"
"""A job that does all the parts."""

ALONE = "publish"
"""A job that no schedule does; a watchdog does not wait for it."""

PARTS_OF = {"load_and_check": ("load", "check"), "check_and_build": ("check", "build")}
"""Jobs that are several of the parts."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of a job; `succeeded` is when it last went well, None: never."""

    finished: datetime
    ok: bool
    succeeded: datetime | None


def finished(settings: Settings, job: str, ok: bool, now: datetime | None = None) -> None:
    """Records that a job is done, also one that found nothing new to do.

    Args:
        settings: whose home it was done in.
        job: load, check, build, run for all three, publish, or one of PARTS_OF.
        ok: whether it came to its end; stops and errors in the data are no failure.
        now: when, by default now.

    Raises:
        ValueError: there is no such job.
    """
    if job not in (jobs := (*PARTS, WHOLE, ALONE, *PARTS_OF)):
        raise ValueError(f"{job}: no such job, use one of {jobs}.")
    now, runs = now or datetime.now(UTC), last(settings)
    for part in PARTS_OF.get(job, (job,)):
        before = runs[part].succeeded if part in runs else None
        runs[part] = Run(now, ok, now if ok else before)
    told = {name: asdict(run) for name, run in sorted(runs.items())}
    text = json.dumps(told, default=datetime.isoformat, indent=1)
    write_text(_record(settings), f"{text}\n")


def last(settings: Settings) -> dict[str, Run]:
    """The last run of each job that was ever run."""
    path = _record(settings)
    if not path.exists():
        return {}
    return {
        job: Run(
            datetime.fromisoformat(row["finished"]),
            row["ok"],
            datetime.fromisoformat(row["succeeded"]) if row["succeeded"] else None,
        )
        for job, row in json.loads(path.read_text(encoding="utf-8")).items()
    }


def last_success(settings: Settings) -> datetime | None:
    """When load, check and build had last all gone well; None: never."""
    known = last(settings)
    whole = known[WHOLE].succeeded if WHOLE in known else None
    parts = [known[job].succeeded if job in known else None for job in PARTS]
    done = [p for p in parts if p is not None]
    ends = [whole, min(done) if len(done) == len(PARTS) else None]
    return max((end for end in ends if end), default=None)


def failed(settings: Settings) -> str | None:
    """The job whose failure no later success has mended, the last one of several."""
    known, whole = last(settings), last_success(settings)
    broken = {
        run.finished: job
        for job, run in known.items()
        if not run.ok and not (whole and whole > run.finished)
    }
    return broken[max(broken)] if broken else None


def watch(settings: Settings, max_age: timedelta, now: datetime) -> tuple[bool, str]:
    """Whether the last success is young enough, and one Swedish line about it."""
    success, limit = last_success(settings), _span(max_age)
    if success is None:
        return False, "Ingen lyckad körning har gjorts än. Kör: nns run"
    told = f"{moment(success)}, för {_span(max(now - success, timedelta(0)))} sedan"
    if now - success > max_age:
        return False, f"Ingen lyckad körning på {limit}. Den senaste var {told}. Kör: nns run"
    return True, f"Senaste lyckade körningen var {told}. Gränsen är {limit}."


def duration(text: str) -> timedelta:
    """A length of time given as 90m, 26h or 2d.

    Raises:
        ValueError: it is no such text; the message is Swedish.
    """
    found = re.fullmatch(r"([0-9]{1,5})([mhd])", text.strip())
    if not found:
        raise ValueError(f"Skriv en tid som 90m, 26h eller 2d, inte {text!r}.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _span(length: timedelta) -> str:
    """A length of time in the largest unit that tells it well."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 120:
        return several(minutes, "minut", "minuter")
    if minutes < 48 * 60:
        return several(minutes // 60, "timme", "timmar")
    return several(minutes // (24 * 60), "dag", "dagar")


def _record(settings: Settings) -> Path:
    return settings.home / "last_run.json"
