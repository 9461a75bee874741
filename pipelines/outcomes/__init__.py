"""Outcomes: what came of the participations, and the register study of what lasted.

Belongs here: the files under `raw/outcomes/` and `raw/indicator_11/`, read, checked, and written to
the lake row by row. Does not: deliveries of a round (a file here has no layout and replaces nothing
as a whole; see decision 0021), and computing any figure (dbt).

The steps: `load` reads what is new, `check` judges all rows together and writes those that count.
Nothing counts before it is checked.
"""

from pipelines.outcomes.check import check, is_checked
from pipelines.outcomes.files import (
    RECEIPTS,
    OutcomeFile,
    State,
    delivered,
    findings_of,
    read_state,
    seen,
)
from pipelines.outcomes.loading import (
    Loaded,
    is_current,
    landing_fingerprint,
    last_written,
    load,
)
from pipelines.outcomes.pages import pages_of
from pipelines.outcomes.tables import LABELS, TABLES, ensure

__all__ = [
    "LABELS",
    "RECEIPTS",
    "TABLES",
    "Loaded",
    "OutcomeFile",
    "State",
    "check",
    "delivered",
    "ensure",
    "findings_of",
    "is_checked",
    "is_current",
    "landing_fingerprint",
    "last_written",
    "load",
    "pages_of",
    "read_state",
    "seen",
]
