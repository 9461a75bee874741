"""Computes the measure mart by one of the competitors in a process of its own and times it.

Run: python benchmarks/timed_mart.py module answers.parquet questions.csv out.parquet report.json

Writes seconds on the clock and of CPU, from the files to the finished table; imports left out.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path


def main(module: str, answers: Path, questions: Path, out: Path, report: Path) -> None:
    mart = importlib.import_module(f"competitors.{module}").mart
    wall, cpu = time.perf_counter(), time.process_time()
    figures = mart(answers, questions)
    cost = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    report.write_text(json.dumps(cost), encoding="utf-8")
    write = getattr(figures, "to_parquet", None) or figures.write_parquet
    write(out)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
