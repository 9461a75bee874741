"""Where things lie: the landing zone, everything made from it, and the project's own folders.

Belongs here: paths and the few NNS_* settings. Does not: facts of the instrument, which are seeds.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DBT_PROJECT = PROJECT / "dbt_project"
SEEDS = DBT_PROJECT / "seeds"
EXPECTATIONS = PROJECT / "expectations"

EXECUTORS = ("in_process", "docker")
"""All steps in the process of the run, or each in a container of its own (deploy/)."""

_RAW, _HOME = "raw", ".nns"


@dataclass(frozen=True, slots=True)
class Settings:
    """The two folders a run works between; all other paths follow from them.

    Attributes:
        raw: the landing zone as delivered, only ever read.
        home: everything the program makes.
        min_answers: the least number of answers that is published, if not the seed's.
        dropout_months: within how many months of its start a participation that ends is a dropout,
            if not the seed's.
        executor: where Dagster executes the steps of a run, one of EXECUTORS.
    """

    raw: Path
    home: Path
    min_answers: int | None = None
    dropout_months: int | None = None
    executor: str = EXECUTORS[0]

    @property
    def flags(self) -> str:
        """What a command needs to work between these folders; nothing between the usual ones."""
        folders = {"--raw": (self.raw, _RAW), "--home": (self.home, _HOME)}
        return "".join(
            f" {flag} {shlex.quote(str(folder))}"
            for flag, (folder, usual) in folders.items()
            if folder != Path(usual).absolute()
        )

    @property
    def lake(self) -> Path:
        """Parquet files named by the content of the workbook they were read from."""
        return self.home / "lake"

    @property
    def receipts(self) -> Path:
        """What each association is told about its delivery; the only place that repeats values."""
        return self.home / "receipts"

    @property
    def working_database(self) -> Path:
        """The database dbt builds in, private to a run."""
        return self.home / "work" / "warehouse.duckdb"

    @property
    def snapshot(self) -> Path:
        """The analysts' copy of the marts, replaced as a whole."""
        return self.home / "marts.duckdb"

    @property
    def published(self) -> Path:
        """The releases: `<round>/<n>`, and `latest`."""
        return self.home / "published"

    @property
    def told(self) -> Path:
        """What each release told of which respondents: what protects the next ones, private."""
        return self.home / "told"

    @property
    def reminders(self) -> Path:
        """Drafts of mails to associations that have not delivered or have something to mend."""
        return self.home / "reminders"

    @property
    def digest(self) -> Path:
        """Alarms told so far, and mails where there is no mail server."""
        return self.home / "digest"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage: runs, events, schedules."""
        return self.home / "dagster"


def from_environment(raw: Path | None = None, home: Path | None = None) -> Settings:
    """Settings from the given folders, else NNS_RAW and NNS_HOME, else `raw/` and `.nns/`.

    Raises:
        ValueError: a setting is not what it may be; the message is Swedish and names it.
    """
    return Settings(
        raw=(raw or Path(os.environ.get("NNS_RAW", _RAW))).absolute(),
        home=(home or Path(os.environ.get("NNS_HOME", _HOME))).absolute(),
        min_answers=_whole("NNS_MIN_ANSWERS", example=5),
        dropout_months=_whole("NNS_DROPOUT_MONTHS", example=2),
        executor=_one_of("NNS_EXECUTOR", EXECUTORS),
    )


def _whole(name: str, *, example: int) -> int | None:
    """A setting that is a whole number, zero or more; None when it is not given."""
    text = os.environ.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise ValueError(f"{name} ska vara ett heltal, till exempel {example}.")
    return int(text)


def _one_of(name: str, known: tuple[str, ...]) -> str:
    """A setting that is one of several words; the first when it is not given."""
    word = os.environ.get(name, "").strip() or known[0]
    if word not in known:
        raise ValueError(f"{name} ska vara {' eller '.join(known)}.")
    return word
