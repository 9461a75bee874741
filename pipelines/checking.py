"""Checking a round: the expectations, what counts after them, the receipts, the status page.

Belongs here: the order of these steps, and doing nothing where nothing changed. Does not: any of
the steps itself (quality.py, lake.py, receipts/).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipelines import lake, quality, receipts, status
from pipelines.instrument import Instrument
from pipelines.register import Register
from pipelines.settings import Settings


def check_round(
    settings: Settings, round_: int, instrument: Instrument, register: Register, today: date
) -> quality.Findings:
    """Holds the expectations against a round, unless that was done since it last changed.

    A delivery with a stop counts no more; each delivery has its receipt.

    Returns:
        What the expectations found, by delivery.

    Raises:
        QualityBroken: an expectation could not be held against the data.
    """
    if quality.is_current(settings, [round_], instrument, register):
        return {
            d.key: tuple(lake.findings_of(settings, d, ("checks",)))
            for d in quality.sound(settings, round_)
        }
    found = quality.check(settings, round_, instrument, register)
    checked_with = quality.fingerprint(settings, round_, instrument, register)
    manifest = lake.keep_checks(settings, register, round_, found, checked_with)
    receipts.write_round(
        settings,
        manifest,
        round_,
        associations=register.associations,
        instrument=instrument,
        today=today,
    )
    return found


def write_status_page(
    settings: Settings, instrument: Instrument, register: Register, today: date
) -> Path:
    """Writes the status page of the round that is on."""
    round_ = status.default_round(settings, instrument, today)
    overview = status.overview(settings, instrument, register, round_, today)
    return receipts.write_status_page(settings, overview, lake.read_manifest(settings), today)
