"""The receipt of each outcome file: what counts of it, and what is to be mended.

Belongs here: which receipts there are and what they are made of. Does not: what a page says and
how it looks (receipts/page.py and its templates).

```
NNS_HOME/receipts/utfall/<file>.html
```
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines.files import write_bytes
from pipelines.outcomes import facts, files, tables
from pipelines.outcomes.files import RECEIPTS, OutcomeFile, State
from pipelines.outcomes.tables import COUNTS, LABELS
from pipelines.register import Register
from pipelines.settings import Settings
from pipelines.swedish import listed, several
from pipelines.workbook.personal import discreet

if TYPE_CHECKING:
    from pipelines.receipts.page import OutcomeReceipt

_NAMED = 3  # associations of a file that are named; of more their number is told


def pages_of(settings: Settings, state: State | None = None) -> dict[str, Path]:
    """Where the receipt of each outcome file is, by the file."""
    from pipelines.receipts import free_name

    folder, pages = settings.receipts / RECEIPTS, dict[str, Path]()
    names: list[str] = []
    for f in (state or files.read_state(settings)).files:
        names.append(free_name(discreet(PurePosixPath(f.file).stem), names))
        pages[f.file] = folder / f"{names[-1]}.html"
    return pages


def write(settings: Settings, state: State, register: Register) -> None:
    """Writes the receipts, and removes those of files that are gone."""
    from pipelines.receipts.page import outcome_page

    pages, found = pages_of(settings, state), files.findings_of(settings, state)
    rows = _counts(settings) if state.of(COUNTS) else []
    for f in state.files:
        own = [row for row in rows if row["sha256"] == f.sha256]
        page = outcome_page(_receipt(f, found[f.file], own, register), state.is_synthetic)
        write_bytes(pages[f.file], page.encode("utf-8", "replace"))
    for path in (settings.receipts / RECEIPTS).glob("*.html"):
        if path not in pages.values():
            path.unlink()


def _counts(settings: Settings) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.ParquetFile(tables.path_of(settings, COUNTS)).read().to_pylist()
    return rows


def _receipt(
    f: OutcomeFile, found: Any, rows: list[dict[str, Any]], register: Register
) -> OutcomeReceipt:
    from pipelines.receipts.page import OutcomeReceipt, tell_outcomes

    periods = sorted({(r["period_start"], r["period_end"]) for r in rows})
    return OutcomeReceipt(
        file_name=discreet(PurePosixPath(f.file).name),
        holds=LABELS[f.table] if f.table else "",
        received=f.received,
        is_loaded=f.is_sound,
        n_rows=f.n_rows,
        n_counted=f.n_counted,
        told=tell_outcomes(found),
        associations=_associations(rows, register),
        is_of_several=len({r["association_id"] for r in rows}) > 1,
        periods=tuple(f"{start:%Y-%m}–{end:%Y-%m}" for start, end in periods),
        figures=tuple(_figures(rows, periods)),
    )


def _associations(rows: list[dict[str, Any]], register: Register) -> str:
    ids = sorted({r["association_id"] for r in rows})
    if len(ids) > _NAMED:
        return several(len(ids), "förbund", "förbund")
    return listed(register.associations[i].association_name for i in ids) if ids else ""


def _figures(
    rows: list[dict[str, Any]], periods: list[tuple[Any, Any]]
) -> Iterator[tuple[str, int, tuple[int | None, ...]]]:
    """Each count's label, of how many others it is part, and its sum in each period."""
    known = facts.load()
    for figure_id in known.counted:
        figure = known.figures[figure_id]
        sums = []
        for period in periods:
            counts = [r[figure_id] for r in rows if (r["period_start"], r["period_end"]) == period]
            sums.append(None if None in counts else sum(counts))
        yield figure.label_sv, _depth(figure_id), tuple(sums)


def _depth(figure_id: str) -> int:
    whole = facts.load().figures[figure_id].part_of
    return 1 + _depth(whole) if whole else 0
