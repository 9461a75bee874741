"""The extract for ISF, who follows up the financial coordination: participants' measures.

Belongs here: which rows and columns it has. Which indicators and levels is the seed `isf_extract`.
Does not: any figure of its own; they are those of the open data.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pipelines.instrument import seed_rows
from pipelines.release.csvs import write_csv
from pipelines.release.table import Content, Value


def write(content: Content, folder: Path) -> None:
    """Writes `isf/deltagarmatt_<round>.csv`: the figures of measures, with what was measured.

    Raises:
        OSError: the file cannot be written.
    """
    rows = list(_rows(content))
    own = [column.name for column in content["measure_results"].columns]
    header = ["indicator_id", "measure_label_sv", *own]
    target = folder / "isf" / f"deltagarmatt_{content.round}.csv"
    write_csv(target, header, ([row[name] for name in header] for row in rows))


def _rows(content: Content) -> Iterator[dict[str, Value]]:
    """The rows of `measure_results` of which every column in the seed has a value named there."""
    wanted = defaultdict(set)
    for allowed in seed_rows("isf_extract"):
        wanted[allowed["column_name"]].add(allowed["allowed_value"])
    measures = {row["measure_id"]: row for row in content["measures"].records()}
    questionnaires = {row["questionnaire_id"]: row for row in content["questionnaires"].records()}
    for row in content["measure_results"].records():
        measure = measures[row["measure_id"]]
        described = {
            **row,
            "indicator_id": measure["indicator_id"],
            "measure_label_sv": measure["label_sv"],
            "respondent_group": questionnaires[row["questionnaire_id"]]["respondent_group"],
        }
        if all(described[name] in values for name, values in wanted.items()):
            yield described
