"""What protecting and publishing a national round costs, and how much safe is hidden for it.

CPU seconds of one process, medians of three, from marts that are built; the formats relative to
the protection. And the share of figures that are large enough but hidden to protect others.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import results

from pipelines import lake
from pipelines.release import publish
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

ROUND = 2024
REPETITIONS = 3


def built(folder: Path) -> Settings:
    """A home with the marts of a national round."""
    folders = Settings(folder / "raw", folder / "home")
    write_landing_zone(folders.raw, rounds=[ROUND], national=True)
    environment = {**os.environ, "NNS_RAW": str(folders.raw), "NNS_HOME": str(folders.home)}
    for verb in ("load", "check", "build"):
        command = [sys.executable, "-m", "pipelines.cli", verb]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return folders


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folders = built(Path(scratch))
        protection, formats = [], []
        for _ in range(REPETITIONS):
            for made in (folders.published, folders.told):
                shutil.rmtree(made, ignore_errors=True)
            started = time.process_time()
            plan = publish.plan(folders, ROUND)
            planned = time.process_time()
            publish.release(folders, plan, lake.read_manifest(folders))
            protection.append(planned - started)
            formats.append(time.process_time() - planned)
        whole, files = statistics.median(protection), statistics.median(formats)
        costs = [("protection and audit", whole, 1.0), ("all formats", files, files / whole)]
        hidden = [
            (t.table, t.level, 100 * t.besides / safe)
            for t in plan.tallies
            if (safe := t.shown + t.bracket + t.besides)
        ]
    results.write(
        "Publishing a round",
        f"A national round.\n\n{results.table(('', 'CPU s', 'of the protection'), costs)}\n\n"
        "Hidden though large enough, percent of all that are large enough:\n\n"
        f"{results.table(('table', 'level', 'percent'), hidden)}",
    )


if __name__ == "__main__":
    main()
