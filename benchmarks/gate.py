"""What the quality gate adds to a national round, beyond importing great_expectations.

Run: python benchmarks/gate.py [repetitions]

Tells CPU seconds (user and system, children included), medians, of the parts that there would not
be without the gate, once for a round without faults and once with every named fault in it:
- reading safely: loading with inspection and child process, less loading without them;
- expectations: evidence, the suites under Great Expectations, findings with their cells;
- receipts: a page for each delivery, a marked copy of each workbook with findings, the status page.
"""

import itertools
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from unittest.mock import patch

import results

from pipelines import checking, instrument, lake, loading, quality, receipts, register
from pipelines.settings import Settings
from pipelines.workbook import sandbox
from pipelines.workbook.faults import FAULTS
from pipelines.workbook.gate import Inspection
from pipelines.workbook.native import Book, read_book
from pipelines.workbook.sample import write_landing_zone

ROUND = 2024
DAY = date(2024, 10, 28)


def ungated(data: bytes, file: str, reader: object) -> tuple[Book, Inspection]:
    """The native reader alone, in this process."""
    return read_book(data, file, lambda title: True), Inspection((), ())


def cpu_seconds(do: Callable[[], object]) -> float:
    before = _cpu()
    do()
    return _cpu() - before


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in used)


def costs(raw: Path, folder: Path) -> dict[str, float]:
    """CPU seconds of each part, once."""
    seeds, known = instrument.load(), register.read(raw)
    homes = (Settings(raw, folder / f"home{n}") for n in itertools.count())
    open_home, home = next(homes), next(homes)

    def load(settings: Settings) -> object:
        return loading.load(settings, [ROUND - 1, ROUND], seeds, known)

    with patch.object(sandbox, "read_safely", ungated):
        without = cpu_seconds(lambda: load(open_home))
    gated = cpu_seconds(lambda: load(home))
    found: list[quality.Findings] = []
    deliveries = {ROUND: quality.sound(lake.read_manifest(home), ROUND)}
    expectations = cpu_seconds(lambda: found.append(quality.check(home, deliveries, seeds, known)))
    manifest = lake.keep_checks(home, known, found[0])
    told = cpu_seconds(
        lambda: (
            receipts.write_rounds(
                home,
                manifest,
                [ROUND],
                associations=known.associations,
                instrument=seeds,
                today=DAY,
            ),
            checking.write_status_page(home, seeds, known, DAY),
        )
    )
    parts = {"reading safely": gated - without, "expectations": expectations, "receipts": told}
    return {**parts, "the whole gate": sum(parts.values())}


def main(repetitions: int) -> None:
    medians: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, faults in (("no faults", ()), (f"{len(FAULTS)} faults", tuple(FAULTS))):
            raw = folder / title / "raw"
            write_landing_zone(raw, rounds=[ROUND - 1, ROUND], national=True, faults=faults)
            costs(raw, folder / title / "warm")  # imports what is imported where it is used
            runs = [costs(raw, folder / title / str(n)) for n in range(repetitions)]
            medians[title] = {p: statistics.median(run[p] for run in runs) for p in runs[0]}
    columns = ("CPU s", *medians)
    rows = [(part, *(of[part] for of in medians.values())) for part in runs[0]]
    about = f"A national round, {repetitions} repetitions, imports left out."
    results.write("The quality gate", f"{about}\n\n{results.table(columns, rows)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
