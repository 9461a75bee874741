"""Checking a round: the expectations, what counts after them, the receipts, the status page.

Belongs here: the order of these steps, and doing nothing where nothing changed. Does not: any of
the steps itself (quality.py, lake.py, receipts/, status.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from pipelines import audit, lake, loading, outcomes, quality, receipts, status, warehouse
from pipelines.findings import Finding
from pipelines.instrument import Instrument
from pipelines.register import Register
from pipelines.settings import Settings


def check_rounds(
    settings: Settings,
    rounds: Sequence[int],
    instrument: Instrument,
    register: Register,
    today: date,
    progress: loading.Progress = lambda done, total: None,
) -> list[Finding]:
    """Holds the expectations against the rounds, and all others that changed since they were held.

    A build takes every round there is. A delivery with a stop counts no more; each has its receipt.

    Returns:
        What the expectations found in the rounds asked for.

    Raises:
        QualityBroken: an expectation could not be held against the data.
    """
    unchecked = {d.round for d in lake.read_manifest(settings).deliveries}
    while stale := stale_rounds(settings, unchecked, instrument, register):
        _check(settings, stale, instrument, register, today, progress)
        unchecked -= set(stale)  # what is stopped in these may change what others look back at
    manifest = lake.read_manifest(settings)
    checked = (d for round_ in sorted(rounds) for d in quality.sound(manifest, round_))
    return [f for d in checked for f in lake.findings_of(settings, d, ("checks",))]


def _check(
    settings: Settings,
    rounds: Sequence[int],
    instrument: Instrument,
    register: Register,
    today: date,
    progress: loading.Progress,
) -> None:
    """Checks rounds together, settles what counts after it and writes their receipts."""
    before = lake.read_manifest(settings)
    deliveries = {round_: quality.sound(before, round_) for round_ in rounds}
    found = quality.check(settings, deliveries, instrument, register, progress)
    manifest = lake.keep_checks(settings, register, found, audit.whole(settings).withdrawn)
    audit.record(settings, manifest)
    receipts.write_rounds(
        settings,
        manifest,
        rounds,
        associations=register.associations,
        instrument=instrument,
        today=today,
        extra=register.extra_questions,
    )
    lake.keep_checked(
        settings,
        {
            str(round_): quality.fingerprint(manifest.deliveries, round_, instrument, register)
            for round_ in rounds
        },
    )


def stale_rounds(
    settings: Settings, rounds: Iterable[int], instrument: Instrument, register: Register
) -> list[int]:
    """The rounds whose deliveries are not checked as they are now, or lack a receipt."""
    manifest = lake.read_manifest(settings)
    delivered = {d.round for d in manifest.deliveries}
    return [
        round_
        for round_ in sorted(set(rounds) & delivered)
        if manifest.checked_with.get(str(round_))
        != quality.fingerprint(manifest.deliveries, round_, instrument, register)
        or not all(p.exists() for p in receipts.pages_of(settings, manifest, round_).values())
        or not all(lake.is_whole(settings, d) for d in manifest.present(round_))
    ]


def is_settled(
    settings: Settings, rounds: Iterable[int], instrument: Instrument, register: Register
) -> bool:
    """Whether to load the rounds, check all and build would find nothing to do."""
    return (
        warehouse.is_current(settings)
        and loading.is_current(settings, rounds, instrument, register)
        and not stale_rounds(settings, instrument.rounds, instrument, register)
        and outcomes.is_current(settings, instrument, register)
        and outcomes.is_checked(settings, instrument, register)
    )


def overview(
    settings: Settings, instrument: Instrument, register: Register, round_: int, today: date
) -> status.Overview:
    """How the round and the outcome files stand now, and whether they are loaded and checked."""
    return status.overview(
        settings,
        instrument,
        register,
        round_,
        today,
        is_loaded=loading.is_current(settings, [round_], instrument, register)
        and outcomes.is_current(settings, instrument, register),
        is_checked=not stale_rounds(settings, [round_], instrument, register)
        and outcomes.is_checked(settings, instrument, register),
    )


def write_status_page(
    settings: Settings, instrument: Instrument, register: Register, today: date
) -> Path:
    """Writes the status page of the round that is on."""
    round_ = status.default_round(settings, instrument, today)
    seen = overview(settings, instrument, register, round_, today)
    return receipts.write_status_page(settings, seen, lake.read_manifest(settings), today)
