"""The steward's commands on a day of the test's choosing, which decides what `nns run` publishes.

Belongs here: that one way to stop the clock of another process. Does not: folders and answers.
"""

import sys

NOTHING_IS_DUE = "2017-01-01"
"""Before any round's last day for deliveries: a run publishes nothing, and is over sooner."""

_PROGRAM = """
import sys
from datetime import date
from pipelines import swedish
day = date.fromisoformat(sys.argv.pop(1))
swedish.current_day = lambda: day
from pipelines import cli
cli.main()
"""


def nns(day: str, *arguments: str) -> list[str]:
    """The command line of a verb on a day, to be run in the project's folder."""
    return [sys.executable, "-c", _PROGRAM, day, *arguments]
