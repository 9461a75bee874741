"""Receipts: what each association is told about its delivery, and the round's status page.

Belongs here: which receipts there are, their names, writing and removing them. Does not: what is
found (findings come from the reader and the expectations), what a page says (page.py), marking
the workbook (annotate.py).

```
NNS_HOME/receipts/<round>/<association>.html    the receipt
NNS_HOME/receipts/<round>/<association>-webb-<questionnaire>.html    that of web answers
NNS_HOME/receipts/<round>/<association>.xlsx    the association's workbook, marked; .xlsm likewise
NNS_HOME/receipts/utfall/<file>.html            that of an outcome file (outcomes/pages.py)
NNS_HOME/status.html                            the round at a glance
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines import lake
from pipelines.extra import instrument_of
from pipelines.files import write_bytes
from pipelines.swedish import day

if TYPE_CHECKING:
    from pipelines.extra import ExtraQuestion
    from pipelines.instrument import Instrument
    from pipelines.lake import Delivery, Manifest
    from pipelines.receipts.annotate import Job
    from pipelines.receipts.page import Receipt
    from pipelines.register import Association
    from pipelines.settings import Settings
    from pipelines.status import Overview
    from pipelines.workbook.sandbox import Reader

_RECORD = ".copies.json"
_TOLD = ("loaded", "stopped")


@dataclass(frozen=True, slots=True)
class ReceiptPaths:
    """Where a receipt is; `workbook` is None when there is no annotated copy."""

    page: Path
    workbook: Path | None


def write_rounds(
    settings: Settings,
    manifest: Manifest,
    rounds: Iterable[int],
    *,
    associations: Mapping[str, Association],
    instrument: Instrument,
    today: date,
    extra: Sequence[ExtraQuestion] = (),
) -> dict[str, ReceiptPaths]:
    """Writes the receipts of rounds and removes those of deliveries that are no longer there.

    A delivery has one while it counts or waits to be mended. A page is left alone where it says the
    same already; an annotated copy is made anew only when its workbook or its findings changed.

    Args:
        settings: where receipts go.
        manifest: as it is now.
        rounds: whose receipts.
        associations: the register's, by id.
        instrument: the seeds.
        today: the day to write on the pages.
        extra: the questions that projects ask beside the seeds'.

    Returns:
        Where they are, by the delivery's file.
    """
    from pipelines.receipts.annotate import annotator

    def write(round_: int, sandbox: Reader) -> dict[str, ReceiptPaths]:
        receipts = _receipts(settings, manifest, round_, associations, instrument, today, extra)
        written = _write(settings, round_, receipts, sandbox)
        _remove_others(settings.receipts / str(round_), written)
        return {r.delivery.file: paths for r, paths in zip(receipts, written, strict=True)}

    with annotator() as sandbox:
        return {file: paths for r in rounds for file, paths in write(r, sandbox).items()}


def write_status_page(
    settings: Settings, overview: Overview, manifest: Manifest, today: date
) -> Path:
    """Writes NNS_HOME/status.html, with a link to each receipt that is there."""
    from pipelines import outcomes
    from pipelines.receipts.page import status_page

    pages = pages_of(settings, manifest, overview.round.round) | outcomes.pages_of(settings)
    links = {
        file: page.relative_to(settings.home).as_posix()
        for file, page in pages.items()
        if page.exists()
    }
    path = settings.home / "status.html"
    _write_page(path, status_page(overview, links, manifest.is_synthetic, today))
    return path


def pages_of(settings: Settings, manifest: Manifest, round_: int) -> dict[str, Path]:
    """Where the receipt of each delivery that counts or waits is, by the delivered file."""
    folder = settings.receipts / str(round_)
    named = _named(manifest, round_)
    return {delivery.file: folder / f"{name}.html" for name, delivery in named.items()}


# --- what they tell -----------------------------------------------------------------------------


def _receipts(
    settings: Settings,
    manifest: Manifest,
    round_: int,
    associations: Mapping[str, Association],
    instrument: Instrument,
    today: date,
    extra: Sequence[ExtraQuestion],
) -> list[Receipt]:
    """What there is to tell about the deliveries of a round."""
    from pipelines.receipts.page import Receipt, tell

    receipts = []
    counting = {(d.association_id, d.source): d.file for d in manifest.counting(round_)}
    previous, replaced = _previous(manifest, round_), _replaced(manifest, round_)
    for name, delivery in _named(manifest, round_).items():
        findings = lake.findings_of(settings, delivery)
        own = instrument_of(instrument, extra, delivery.association_id, round_)
        association = associations.get(delivery.association_id or "")
        before = previous.get((delivery.association_id, delivery.source))
        in_force = counting.get((delivery.association_id, delivery.source))
        older = [file for file in replaced.get(delivery.unit, ()) if file != delivery.file]
        receipt = Receipt(
            name=name,
            delivery=delivery,
            association_name=association.association_name if association else "",
            round=instrument.rounds[round_],
            told=tell(findings, delivery, own, associations),
            previous=before.rows_per_questionnaire if before else None,
            previous_round=before.round if before else None,
            in_force=in_force if delivery.state == "stopped" else None,
            replaces=older[-1] if older and delivery.state == "loaded" else None,
            instrument=instrument,
            is_synthetic=manifest.is_synthetic,
            today=today,
        )
        receipts.append(receipt)
    return receipts


def _replaced(manifest: Manifest, round_: int) -> dict[tuple[int, str | None, str], list[str]]:
    """The files of a round that another one takes the place of, oldest first, by what counts."""
    replaced: dict[tuple[int, str | None, str], list[str]] = {}
    older = [d for d in manifest.deliveries if d.round == round_ and d.state == "replaced"]
    for d in sorted(older, key=lambda d: d.age()):
        replaced.setdefault(d.unit, []).append(d.file)
    return replaced


def _previous(manifest: Manifest, round_: int) -> dict[tuple[str | None, str], Delivery]:
    """The last delivery before a round that counts, by association and source."""
    earlier = [d for d in manifest.counting() if d.round < round_ and d.association_id]
    return {d.unit[1:]: d for d in sorted(earlier, key=lambda d: d.round)}


# --- names --------------------------------------------------------------------------------------


def _named(manifest: Manifest, round_: int) -> dict[str, Delivery]:
    """The deliveries of a round that have a receipt, by its name.

    The association's newest delivery has its plain name, an older one that is still there a
    number after it.
    """
    told = [d for d in manifest.deliveries if d.round == round_ and d.state in _TOLD]
    told.sort(key=lambda d: (d.association_id is None, -d.mtime_ns, d.file))
    named: dict[str, Delivery] = {}
    for delivery in told:
        named[free_name(_base_name(delivery), named)] = delivery
    return named


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A file name in signs that any file system takes, numbered when the plain one is taken."""
    base, others = _plain(wanted), {name.casefold() for name in taken}
    names = (f"{base}-{n}" if n > 1 else base for n in count(1))
    return next(n for n in names if n.casefold() not in others)


def _base_name(delivery: Delivery) -> str:
    """The association's id, else the file's stem without personal data."""
    from pipelines.workbook.personal import personal_data

    stem = PurePosixPath(delivery.file).stem
    wanted = delivery.association_id or ("fil" if personal_data(stem) else stem)
    if delivery.is_web and delivery.association_id:
        wanted = f"{wanted}-webb-{_questionnaire(delivery)}".casefold()
    return wanted


def _plain(wanted: str) -> str:
    return re.sub(r"[^\w.-]+", "-", wanted).strip(".-")[:50] or "fil"


def _questionnaire(delivery: Delivery) -> str:
    """The Swedish name of the questionnaire that web answers are to, as far as it is known."""
    from pipelines import instrument

    asked = instrument.load().questionnaires.get(delivery.source.partition(":")[2])
    return asked.sheet_name if asked else ""


# --- files --------------------------------------------------------------------------------------


def _write(
    settings: Settings, round_: int, receipts: Sequence[Receipt], sandbox: Reader
) -> list[ReceiptPaths]:
    """Writes pages and annotated copies."""
    from pipelines.receipts.page import receipt_page

    folder = settings.receipts / str(round_)
    copies = _annotate(settings, folder, receipts, sandbox)
    written = []
    for receipt in receipts:
        paths = ReceiptPaths(folder / f"{receipt.name}.html", copies.get(receipt.name))
        copy = paths.workbook.name if paths.workbook else None
        _write_page(paths.page, receipt_page(receipt, copy))
        written.append(paths)
    return written


def _annotate(
    settings: Settings, folder: Path, receipts: Iterable[Receipt], sandbox: Reader
) -> dict[str, Path]:
    """The annotated copies there are, by the receipt's name."""
    jobs = {r.name: _job(settings, folder, r) for r in receipts if r.told and r.has_copy}
    if not jobs:
        return {}
    from pipelines.receipts.annotate import annotate_all

    there = annotate_all(list(jobs.values()), folder / _RECORD, sandbox)
    return {name: Path(job.target) for name, job in jobs.items() if job.target in there}


def _job(settings: Settings, folder: Path, receipt: Receipt) -> Job:
    from pipelines.receipts.annotate import Job, Mark

    delivery = receipt.delivery
    suffix = PurePosixPath(delivery.file).suffix.lower()
    lines = [f"{receipt.verdict}. {receipt.why}"]
    if receipt.is_to_resend:
        lines.append(f"Sista dag för leverans: {day(receipt.round.delivery_deadline)}")
    if receipt.is_synthetic:
        lines.append("Påhittade data (synthetic)")
    return Job(
        source=str(settings.raw / delivery.file),
        sha256=delivery.sha256,
        target=str(folder / f"{receipt.name}{suffix}"),
        title=f"{receipt.file_name}, mätomgång {receipt.round.round}",
        lines=lines,
        marks=[
            Mark(
                level=told.level,
                sheet=told.finding.sheet,
                cell=told.finding.cell,
                question=told.question,
                value=told.finding.value,
                wrong=told.finding.wrong,
                remedy=told.remedy,
                rule=told.finding.rule_id,
                file=told.finding.file,
            )
            for told in receipt.told
        ],
        written=delivery.received.replace(tzinfo=None).isoformat(),
    )


def _write_page(path: Path, page: str) -> None:
    content = page.encode("utf-8", "replace")
    if not path.exists() or path.read_bytes() != content:
        write_bytes(path, content)


def _remove_others(folder: Path, written: Iterable[ReceiptPaths]) -> None:
    """Removes receipts of this round that were not written now."""
    kept = {path for paths in written for path in (paths.page, paths.workbook)}
    for path in (*folder.glob("*.html"), *folder.glob("*.xls[xm]")):
        if path not in kept:
            path.unlink()
