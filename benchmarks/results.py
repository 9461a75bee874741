"""Where measurements go: RESULTS.md, a section per script, with the machine and the day.

Belongs here: the file, its sections and how a table is written. Does not: measuring anything.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")

_HEAD = """# What was measured

Written by `make bench`; a script replaces its own section. Every section compares within one run on
one machine: ratios carry over to other machines, seconds do not.
"""


def write(title: str, text: str) -> None:
    """Prints a section and puts it in place of the one of the same title."""
    section = f"\n## {title}\n\n{_machine()}\n\n{text.strip()}\n"
    before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else _HEAD
    head, *sections = before.split("\n## ")
    kept = {one.partition("\n")[0]: f"\n## {one}" for one in sections}
    kept[title] = section
    RESULTS.write_text(head + "".join(kept.values()), encoding="utf-8")
    print(section)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers with three figures that tell something, texts to the left."""
    aligned = ["---" if isinstance(cell, str) else "---:" for cell in rows[-1]]
    lines = [columns, aligned, *([_told(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _told(cell: object) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:.0f}" if cell >= 100 else f"{cell:.3g}"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores ({platform.machine()}), "
        f"{memory:.0f} GB of memory, {platform.system()}, Python {platform.python_version()}, "
        f"DuckDB {version('duckdb')}."
    )
