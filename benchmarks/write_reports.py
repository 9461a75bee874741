"""What the reports of a national round cost, form by form, and whether they are the same twice.

CPU seconds of one process, medians of three, of all associations and the nation, with the trends
of the rounds before; relative to the pages, which cost least.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import results

from pipelines.release import before, publish
from pipelines.report import appendix, draft, gather, paper, site
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

ROUNDS = (2018, 2019, 2020)
REPETITIONS = 3

Made = dict[str, bytes]


def built(folder: Path) -> Settings:
    """A home with the marts of the rounds, all but the last published."""
    folders = Settings(folder / "raw", folder / "home")
    write_landing_zone(folders.raw, rounds=list(ROUNDS), national=True)
    environment = {**os.environ, "NNS_RAW": str(folders.raw), "NNS_HOME": str(folders.home)}
    verbs = [["load"], ["check"], ["build"], *(["publish", "--round", str(r)] for r in ROUNDS[:-1])]
    for verb in verbs:
        command = [sys.executable, "-m", "pipelines.cli", *verb]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return folders


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folders = built(Path(scratch))
        plan = publish.plan(folders, ROUNDS[-1])
        earlier = before.tables(folders, ROUNDS[-1])
        stories = gather.reports(plan.content, earlier, 1, plan.rule)
        own = [story for story in stories if story.association_id]

        def pages() -> Made:
            place = Path(tempfile.mkdtemp(dir=scratch))
            site.write(plan.content, stories, None, place)
            files = (path for path in sorted(place.rglob("*")) if path.is_file())
            return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}

        forms: dict[str, Callable[[], Made]] = {
            "stories": lambda: {
                str(story): b"" for story in gather.reports(plan.content, earlier, 1, plan.rule)
            },
            "pages": pages,
            "papers": lambda: {story.folder: paper.report(story) for story in stories},
            "papers of activities": lambda: {
                story.folder: paper.activities(story) for story in own if story.activities
            },
            "drafts": lambda: {
                story.folder: draft.half_year(story) + draft.full_year(story) for story in own
            },
            "workbooks": lambda: {story.folder: appendix.workbook(story) for story in stories},
            "pictures": lambda: {story.folder: appendix.pictures(story) for story in stories},
        }
        about = f"{len(own)} associations and the nation, {len(ROUNDS)} rounds."
        base, rows = 0.0, []
        for name, make in forms.items():
            seconds, hashes, size = [], set(), 0
            for _ in range(REPETITIONS):
                started = time.process_time()
                made = make()
                seconds.append(time.process_time() - started)
                hashes.add(hashlib.sha256(repr(sorted(made.items())).encode()).hexdigest())
                size = sum(map(len, made.values()))
            middle = statistics.median(seconds)
            base = base or middle
            same = "the same bytes" if len(hashes) == 1 else "DIFFERENT BYTES"
            rows.append((name, middle, middle / base, size / 1e6, same))
    columns = ("", "CPU s", "of the stories", "MB", "twice")
    results.write("Writing reports", f"{about}\n\n{results.table(columns, rows)}")


if __name__ == "__main__":
    main()
