"""What reading a national round costs beside a bare calamine pass over the same files.

Run: python benchmarks/read_round.py [repetitions]
With TMPDIR on a memory file system the disk's own cost, which varies most, is left out.

Tells CPU milliseconds (user and system, children included, imports excluded) of things done in
turn over the same workbooks:
- bare: calamine reads every cell of every sheet and forgets them;
- reading: cells are understood and each workbook's parquet file is written, all in one process;
- and searched: the same after the search of every cell for personal data;
- behind the gate: as a load does it, bytes inspected and cells read in a child process;
- load: the whole load into an empty home, with manifest, register and the tables dbt reads.
"""

import gc
import itertools
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import patch

import results
from python_calamine import CalamineWorkbook

from pipelines import instrument, lake, loading, packing, register
from pipelines.lake import Manifest
from pipelines.register import Register
from pipelines.settings import Settings
from pipelines.workbook import structure
from pipelines.workbook.gate import Inspection
from pipelines.workbook.native import Book, read_book
from pipelines.workbook.read import read_drafts
from pipelines.workbook.sample import write_landing_zone

ROUND = 2024


def bare(paths: list[Path]) -> None:
    for path in paths:
        book = CalamineWorkbook.from_path(path)
        for title in book.sheet_names:
            book.get_sheet_by_name(title).to_python(skip_empty_area=False)


def reading(paths: list[Path], folder: Path, known: Register) -> None:
    """The reader without gate and child, as it would be for files that are known to be harmless."""
    seeds = instrument.load()
    gc.disable()  # as a load does
    drafts = [
        structure.draft_workbook(
            path.read_bytes(),
            file=path.name,
            sha256=path.stem,
            folder_round=ROUND,
            associations=known.associations,
            instrument=seeds,
            read=_read_ungated,
        )
        for path in paths
    ]
    for path, read in zip(paths, read_drafts(drafts, seeds), strict=True):
        for name, table in packing.packed(read.responses, 1, seeds).items():
            lake.write_parquet(folder / name / f"{path.stem}.parquet", table)
    gc.enable()


def _read_ungated(data: bytes, file: str) -> tuple[Book, Inspection]:
    return read_book(data, file, lambda title: True), Inspection((), ())


def unsearched(work: Callable[[], object]) -> Callable[[], object]:
    """The work without the search for personal data."""

    def done() -> None:
        with patch.object(structure, "personal_data_in", lambda book: []):
            work()

    return done


def cpu_ms(do: Callable[[], object]) -> float:
    before = _cpu()
    do()
    return (_cpu() - before) * 1e3


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def measured(folder: Path, repetitions: int) -> tuple[Mapping[str, list[float]], str]:
    """CPU milliseconds of each repetition, and what was read."""
    seeds = instrument.load()
    raw = write_landing_zone(folder / "raw", rounds=[ROUND], national=True).path
    known = register.read(raw)
    paths = loading.delivered(Settings(raw, raw), ROUND)
    number_of = lake.delivery_numbers(Manifest())
    homes = (Settings(raw, folder / f"home{n}") for n in itertools.count())
    new = {path: loading.seen_as(Settings(raw, raw), path) for path in paths}
    searched = lambda: reading(paths, next(homes).lake, known)  # noqa: E731
    work: dict[str, Callable[[], object]] = {
        "bare": lambda: bare(paths),
        "reading": unsearched(searched),
        "and searched": searched,
        "behind the gate": lambda: loading.read_files(next(homes), new, number_of, seeds, known),
        "load": lambda: loading.load(next(homes), [ROUND], seeds, known),
    }
    for do in work.values():  # imports what is imported where it is used
        do()
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repetitions):
        for name, do in work.items():
            times[name].append(cpu_ms(do))
    rows = sum(
        d.n_questionnaires for d, _ in loading.read_files(next(homes), new, number_of, seeds, known)
    )
    return times, f"{len(paths)} workbooks, {rows} questionnaires"


def main(repetitions: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        times, what = measured(Path(folder), repetitions)
    bare = times["bare"]
    rows = [
        (
            name,
            statistics.median(ms),
            min(ms),
            statistics.median(a / b for a, b in zip(ms, bare, strict=True)),
            min(ms) / min(bare),
        )
        for name, ms in times.items()
    ]
    columns = ("CPU ms", "median", "minimum", "median ratio", "ratio of minima")
    about = f"{what}, {repetitions} repetitions, beside calamine reading every cell."
    results.write("Reading a round", f"{about}\n\n{results.table(columns, rows)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
