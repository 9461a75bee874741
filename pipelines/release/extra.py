"""The released table of projects' own questions.

Belongs here: its rows. Does not: the instrument's questions (protected.py); no figure of those is
made of these.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.release import counts
from pipelines.release.marts import Marts, Record
from pipelines.release.table import Value
from pipelines.release.told import Before, Compared, Figures, share, status

TABLE = "extra_results"


def rows(marts: Marts, shown: Figures, before: Before) -> Iterator[Record]:
    """The rows of the table: of activities, associations and whole projects.

    Args:
        marts: the marts of the round.
        shown: what may be told of each cell.
        before: what earlier rounds' releases show.
    """
    for row in marts.rows[TABLE]:
        cell = counts.project_question(row)
        earlier = before(TABLE, row["previous_round"]).get(key(row)) if row["comparable"] else None
        compared = Compared(row["comparable"], row["previous_round"], earlier, None)
        yield {**row, **share(shown.get(cell), status(cell, shown), marts.z, compared)}


def key(row: Record) -> tuple[Value, ...]:
    """What names a row among those of a round."""
    return (
        *(row["level"], row["unit_id"], row["questionnaire_id"]),
        *(row["question_id"], row["gender"]),
    )
