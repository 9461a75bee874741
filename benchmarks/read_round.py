"""What reading a national round costs beside a bare calamine pass over the same files.

Run: python benchmarks/read_round.py [repetitions]
With TMPDIR on a memory file system the disk's own cost, which varies most, is left out.

Prints CPU milliseconds (user and system, imports excluded) of three things done in turn:
- bare: calamine reads every cell of every sheet and forgets them;
- to parquet: the loader reads every workbook and writes its parquet file;
- load: the whole load into an empty home, with manifest, register and the tables dbt reads.
"""

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from python_calamine import CalamineWorkbook

from pipelines import instrument, lake, register
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

ROUND = 2024


def bare(paths: list[Path]) -> None:
    for path in paths:
        book = CalamineWorkbook.from_path(path)
        for title in book.sheet_names:
            book.get_sheet_by_name(title).to_python(skip_empty_area=False)


def cpu_ms(do: Callable[[], object]) -> float:
    start = time.process_time()
    do()
    return (time.process_time() - start) * 1e3


def main(repetitions: int) -> None:
    seeds = instrument.load()
    with tempfile.TemporaryDirectory() as folder:
        raw = write_landing_zone(Path(folder) / "raw", rounds=[ROUND], national=True).path
        associations = register.read(raw)
        paths = lake.delivered(Settings(raw, raw), ROUND)
        homes = (Settings(raw, Path(folder) / f"home{n}") for n in itertools.count())
        new = {path: lake.seen_as(Settings(raw, raw), path) for path in paths}
        work: dict[str, Callable[[], object]] = {
            "bare": lambda: bare(paths),
            "to parquet": lambda: lake.read_files(next(homes), new, seeds, associations),
            "load": lambda: lake.load(next(homes), [ROUND], seeds, associations),
        }
        for do in work.values():  # imports what is imported where it is used
            do()
        times = {name: [] for name in work}
        for _ in range(repetitions):
            for name, do in work.items():
                times[name].append(cpu_ms(do))
        rows = sum(
            d.n_questionnaires for d, _ in lake.read_files(next(homes), new, seeds, associations)
        )
    print(f"{len(paths)} workbooks, {rows} questionnaires, {repetitions} repetitions, CPU ms\n")
    print("| | median | minimum | median ratio | ratio of minima |")
    print("|---|---:|---:|---:|---:|")
    for name, ms in times.items():
        ratio = statistics.median(a / b for a, b in zip(ms, times["bare"], strict=True))
        print(
            f"| {name} | {statistics.median(ms):.1f} | {min(ms):.1f} "
            f"| {ratio:.2f} | {min(ms) / min(times['bare']):.2f} |"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
