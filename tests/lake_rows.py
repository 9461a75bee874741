"""The rows of a delivery as the reader gave them, from what the lake keeps of them, and back.

Numbers are taken apart here by hand, not by what put them together.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import instrument, lake
from pipelines.lake import Delivery
from pipelines.settings import SEEDS, Settings
from pipelines.workbook.read import RESPONSES_SCHEMA

Row = dict[str, Any]


def rows_of(settings: Settings, delivery: Delivery, round_: int | None = None) -> list[Row]:
    """A row per response, its answers as pairs in the order of questions, projects' own last."""
    responses, answers, own = (
        _read(settings.lake / table / f"round={round_ or delivery.round}", delivery.sha256)
        for table in ("responses", "answers", "extra_answers")
    )
    with (SEEDS / "questions.csv").open(encoding="utf-8", newline="") as file:
        question_of = {int(q["question_no"]): q["question_id"] for q in csv.DictReader(file)}
    given: dict[int, dict[str, int]] = {}
    for answer in sorted(answers, key=lambda a: a["cell_id"] // 2**16 % 2**9):
        question_id = question_of[answer["cell_id"] // 2**16 % 2**9]
        given.setdefault(answer["response_id"], {})[question_id] = answer["cell_id"] % 2**8
    for answer in own:
        given.setdefault(answer["response_id"], {})[answer["question_id"]] = answer["code"]
    return [
        {**{k: v for k, v in row.items() if k != "response_id"}}
        | {"answers": list(given.get(row["response_id"], {}).items())}
        for row in responses
    ]


def keep(settings: Settings, delivery: Delivery, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keeps rows as those of a delivery."""
    table = pa.Table.from_pylist(list(rows), RESPONSES_SCHEMA)
    lake.write_responses(settings, delivery, table, instrument.load())


def _read(folder: Path, name: str) -> list[Row]:
    path = folder / f"{name}.parquet"
    return pq.ParquetFile(path).read().to_pylist() if path.exists() else []
