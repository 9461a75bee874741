"""The outcome files as they were last read and checked, and where what was read of them lies.

Belongs here: one file's state, the record of all of them, their findings. Does not: reading
(loading.py), judging (check.py).

```
raw/outcomes/*, raw/indicator_11/*             as delivered
lake/outcomes/files.json                       a row per file that is there
lake/outcomes/read/<sha256>.parquet            what was read from it
receipts/utfall/.findings/                     what was found in it
```
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines import lake, loading
from pipelines.files import write_text
from pipelines.findings import Finding, Severity
from pipelines.lake import SeenAs
from pipelines.outcomes.tables import PARTICIPATIONS, STUDY
from pipelines.settings import Settings
from pipelines.swedish import local_day

FOLDERS = ("outcomes", "indicator_11")
"""The landing zone's folders of outcome files; what a file holds its header tells."""

RECEIPTS = "utfall"
"""The folder of their receipts."""

READER, CHECKS = "reader", "checks"


@dataclass(frozen=True, slots=True)
class OutcomeFile:
    """One outcome file that lies in the landing zone.

    Attributes:
        file: path under the landing zone.
        mtime_ns, size: as it was when it was read, to notice a change without opening it.
        table: which one it is of; None when that is not known.
        n_rows: rows of data in it.
        n_counted: those that count, as of the last check.
        findings: how many the reader has, by severity.
        checks: how many the expectations have, by severity.
        read_with: fingerprint of all that decided what the bytes were read to.
        is_final: whether reading it again would say the same; not when the machine was too busy.
        holds_personal_data: whether the reader found any, so that the file itself must go.
        sheet: title of the sheet that was read; empty of a CSV.
        places: header and position of each column that was read, by its name.
    """

    file: str
    sha256: str
    mtime_ns: int
    size: int
    table: str | None
    n_rows: int
    findings: Mapping[str, int]
    read_with: str
    n_counted: int = 0
    checks: Mapping[str, int] = field(default_factory=dict)
    is_final: bool = True
    holds_personal_data: bool = False
    sheet: str = ""
    places: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def file_id(self) -> str:
        """Names the file without its name: its content, and eight signs of the name's hash."""
        return f"{self.sha256}-{hashlib.sha256(self.file.encode()).hexdigest()[:8]}"

    @property
    def likely_table(self) -> str:
        """The table it is of; of an unknown one that which its folder is mostly for."""
        of_study = self.file.startswith(f"{FOLDERS[1]}/")
        return self.table or (STUDY if of_study else PARTICIPATIONS)

    @property
    def seen_as(self) -> SeenAs:
        """What tells the unchanged file."""
        return self.file, self.mtime_ns, self.size

    @property
    def is_sound(self) -> bool:
        """Whether it counts: the reader found no stop. The expectations stop rows, no files."""
        return not self.findings.get(Severity.STOP)

    @property
    def received(self) -> datetime:
        """When the file was last written, in UTC."""
        return datetime.fromtimestamp(self.mtime_ns // 1_000_000_000, UTC)

    @property
    def received_on(self) -> date:
        """The day it was last written, in Sweden."""
        return local_day(self.received)

    def total(self, severity: Severity) -> int:
        """Findings of a severity, the reader's and the expectations'."""
        return self.findings.get(severity, 0) + self.checks.get(severity, 0)


@dataclass(frozen=True, slots=True)
class State:
    """All outcome files that are there, and what they were judged by.

    Attributes:
        dropout_months: what the lake says figures are counted with; -1 before the first load.
        is_synthetic: whether the landing zone says that its data is invented.
        checked_with: fingerprint of what the expectations were held against.
    """

    files: tuple[OutcomeFile, ...] = ()
    dropout_months: int = -1
    is_synthetic: bool = False
    checked_with: str = ""

    def of(self, table: str) -> list[OutcomeFile]:
        """The sound files of a table."""
        return [f for f in self.files if f.table == table and f.is_sound]


def delivered(settings: Settings) -> list[Path]:
    """The outcome files of the landing zone, by folder and name."""
    return [path for folder in FOLDERS for path in loading.files_in(settings.raw / folder)]


def seen(settings: Settings) -> list[SeenAs]:
    """What tells them, unopened."""
    return [loading.seen_as(settings, path) for path in delivered(settings)]


def read_state(settings: Settings) -> State:
    """The record; empty before the first load, and when an older program wrote it."""
    path = _path(settings)
    if not path.exists():
        return State()
    content = json.loads(path.read_text(encoding="utf-8"))
    try:
        return State(**content | {"files": tuple(OutcomeFile(**f) for f in content["files"])})
    except TypeError:
        return State()


def write_state(settings: Settings, state: State) -> None:
    """Writes the record, a line per file."""
    head = json.dumps({k: v for k, v in lake.fields_of(state).items() if k != "files"})
    rows = ",\n".join(json.dumps(lake.fields_of(f), ensure_ascii=False) for f in state.files)
    text = f'{head[:-1]}, "files": [\n{rows}\n]}}\n'
    write_text(_path(settings), text)


def _path(settings: Settings) -> Path:
    return settings.lake / "outcomes" / "files.json"


def read_path(settings: Settings, file: OutcomeFile) -> Path:
    """Where what was read of a file lies; there is none after a stop."""
    return settings.lake / "outcomes" / "read" / f"{file.sha256}.parquet"


def is_whole(settings: Settings, file: OutcomeFile) -> bool:
    """Whether all that was read from a file is still there."""
    counts = {READER: file.findings, CHECKS: file.checks}
    return (not file.is_sound or read_path(settings, file).exists()) and all(
        not sum(found.values()) or findings_path(settings, file, source).exists()
        for source, found in counts.items()
    )


# --- findings -----------------------------------------------------------------------------------


def findings_path(settings: Settings, file: OutcomeFile, source: str) -> Path:
    """Where a file's findings of a source are; they lie with the receipts, as they repeat cells."""
    folder = settings.receipts / RECEIPTS / ".findings"
    return folder / f"{file.file_id}.{source}.json"


def findings_of(settings: Settings, state: State | None = None) -> dict[str, tuple[Finding, ...]]:
    """The findings of each outcome file that is there, the reader's first."""
    files = (state or read_state(settings)).files
    return {
        f.file: tuple(
            found
            for source in (READER, CHECKS)
            for found in lake.read_findings(findings_path(settings, f, source))
        )
        for f in files
    }


def keep(
    settings: Settings, file: OutcomeFile, source: str, found: Sequence[Finding]
) -> OutcomeFile:
    """Keeps what a source found in a file, instead of what it found before; gives its counts."""
    lake.keep_findings(findings_path(settings, file, source), found)
    counts: dict[str, int] = {}
    for f in found:
        counts[f.severity.value] = counts.get(f.severity.value, 0) + 1
    return replace(file, findings=counts) if source == READER else replace(file, checks=counts)


def forget_others(settings: Settings, state: State) -> None:
    """Removes what was read from and found in files that are there no more."""
    kept = {read_path(settings, f) for f in state.files if f.is_sound}
    kept |= {findings_path(settings, f, s) for f in state.files for s in (READER, CHECKS)}
    for path in _made(settings):
        if path not in kept:
            path.unlink()


def _made(settings: Settings) -> Iterator[Path]:
    yield from (settings.lake / "outcomes" / "read").glob("*.parquet")
    yield from (settings.receipts / RECEIPTS / ".findings").glob("*.json")
