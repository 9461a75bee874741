"""Erasing: what a delivery left behind in the home folder, removed for good.

Belongs here: where anything of a delivery may lie, and removing it, so that no byte stays. Does
not: deciding that a delivery is erased (withdrawal.py), or the landing zone, which is only read.

The audit log's tombstone comes first, this after it, and a line `purge` last: whatever is
interrupted is done by the next run. DuckDB and SQLite keep the bytes of deleted rows, so databases
are removed and built anew. What a crash left half written is gone already, see lock.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipelines import audit, lake, lock
from pipelines.lake import Manifest
from pipelines.register import Register
from pipelines.settings import Settings

_ROUND = "[0-9]*"
"""The folders of rounds; outcome files, which have another, are of no delivery."""


class UiOpenError(Exception):
    """Dagster's page is open and holds on to its history; the message is Swedish."""


def finish(settings: Settings, register: Register) -> None:
    """Does what is left to do of erasures; nothing when all is done.

    Raises:
        UiOpenError: Dagster's page is open.
        BrokenLogError: the audit log is not whole.
    """
    log = audit.whole(settings)
    if not log.pending:
        return
    not_open(settings)
    manifest = lake.resettle(settings, register, log.withdrawn, log.erased)
    sweep(settings, manifest, log)
    _sweep_dagster(settings.dagster_home)
    audit.append(settings, [audit.Act("purge", counts={"files": len(log.pending)})])


def not_open(settings: Settings) -> None:
    """Refuses to go on while Dagster's page is open.

    Raises:
        UiOpenError: it is.
    """
    if lock.is_open(settings):
        raise UiOpenError(
            "Dagsters webbsida är öppen och dess historik ska raderas. Stäng den (Ctrl+C där "
            "nns ui kör) och ge samma kommando igen."
        )


def sweep(settings: Settings, manifest: Manifest, log: audit.Log) -> None:
    """Removes what is of no delivery in the manifest, and all that was made of several.

    Receipts from the first round on that is pending in the log, marts, pages and dbt's log are made
    anew by the next check and build. Releases stay, they are public; who is behind them is taken
    out of what protects the next ones. Dagster's own storage is left alone: a run may be using it.
    """
    from pipelines.release import memory  # here: linear programs come with it

    first_round = min(log.pending.values())
    for path in [*_strays(settings, manifest), *_made_of_several(settings, first_round)]:
        path.unlink(missing_ok=True)
    for folder in (settings.working_database.parent, settings.home / "logs"):
        shutil.rmtree(folder, ignore_errors=True)
    for round_, association_id in log.pending_units:
        memory.erase(settings, round_, association_id or "")


def _strays(settings: Settings, manifest: Manifest) -> Iterator[Path]:
    """What was read of, and found in, deliveries that the manifest does not have."""
    contents = {"none", *(d.sha256 for d in manifest.deliveries)}
    rows = (p for table in lake.READ for p in settings.lake.glob(f"{table}/*/*"))
    yield from (p for p in rows if p.stem not in contents)
    names = {d.delivery_id for d in manifest.deliveries}
    found = settings.receipts.glob(f"{_ROUND}/.findings/*")
    yield from (p for p in found if p.name.partition(".")[0] not in names)


def _made_of_several(settings: Settings, first_round: int) -> Iterator[Path]:
    """What may mention a delivery beside others."""
    told = (p for p in settings.receipts.glob(f"{_ROUND}/*") if p.is_file())
    yield from (p for p in told if int(p.parent.name) >= first_round)
    drafts = settings.reminders.glob("*/*")
    yield from (p for p in drafts if p.is_file() and int(p.parent.name) >= first_round)
    yield from settings.digest.glob("*.txt")
    yield from (settings.snapshot, settings.home / "status.html")


def _sweep_dagster(folder: Path) -> None:
    """Removes what Dagster keeps of runs, schedules and sensors: events and ticks name files.

    Schedules and sensors start anew, as they are set up; where a sensor had come to in the history
    of runs would be wrong without that history.
    """
    for path in folder.glob("*"):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "dagster.yaml":
            path.unlink()
