"""Writes one export of invented web answers as a form's tool would.

Belongs here: what an export looks like, in the manner of ODK Central or of KoboToolbox. Does not:
who answers what (workbook/sample.py).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from pipelines.web.columns import name_of
from pipelines.workbook.write import Respondent

STYLES = ("central", "kobo")


def write_export(
    path: Path,
    known: Mapping[str, Any],
    respondents: Iterable[Respondent],
    columns: Sequence[str],
    rng: Random,
    style: str,
) -> None:
    """Writes the answers to one form as CSV.

    Args:
        path: the file; its folder is made when there is none.
        known: what every answer says alike: round, association_id, questionnaire_id.
        respondents: one per submission, with codes as answers.
        columns: what else the form asks: insats_kod, kon and its questions, as it has them.
        rng: where the submissions' identifiers come from.
        style: one of STYLES.

    Raises:
        OSError: the file cannot be written.
    """
    rows = [_row(known, r, columns, rng, style) for r in respondents]
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding, delimiter = ("utf-8", ",") if style == STYLES[0] else ("utf-8-sig", ";")
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)


def _row(
    known: Mapping[str, Any],
    respondent: Respondent,
    columns: Sequence[str],
    rng: Random,
    style: str,
) -> dict[str, Any]:
    day, key = respondent.svarsdatum, str(UUID(int=rng.getrandbits(128), version=4))
    moment = f"{day.isoformat() if isinstance(day, date) else ''}T{rng.randint(8, 16):02}:00:00"
    cells = dict(zip(columns, respondent.cells(columns), strict=True))
    if "insats_kod" in cells:
        cells["insats_kod"] = name_of(str(respondent.insats_kod or ""))
    answers = {**known, "svarsdatum": day, **cells}
    if style == STYLES[0]:
        return {
            "SubmissionDate": f"{moment}.000Z",
            **answers,
            "meta-instanceID": f"uuid:{key}",
            "KEY": f"uuid:{key}",
            "SubmitterID": "",
            "DeviceID": "",
            "ReviewState": "",
        }
    return {**answers, "meta/instanceID": f"uuid:{key}", "_uuid": key, "_submission_time": moment}
