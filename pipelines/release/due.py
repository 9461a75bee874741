"""Which rounds are to be published, and what was last found when one was.

Belongs here: what decides it, without anything heavy, so that a run with nothing new is over at
once. Does not: publishing (publish.py).

```
NNS_HOME/told/<round>/examined.json    what a round's last publication looked at, and its numbers
```
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from pipelines import warehouse
from pipelines.files import write_text
from pipelines.instrument import Instrument
from pipelines.lake import Manifest
from pipelines.settings import PROJECT, Settings


@dataclass(frozen=True, slots=True)
class Tally:
    """How many figures of a table and level are told in which way.

    Attributes:
        small: hidden since the group, or one that follows from it, is too small.
        besides: hidden since something hidden could be computed otherwise.
        empty: without answers.
    """

    table: str
    level: str
    shown: int
    bracket: int
    small: int
    besides: int
    empty: int


@dataclass(frozen=True, slots=True)
class Examined:
    """What the last publication of a round came to.

    Attributes:
        basis: what it looked at, as `basis` tells it.
        number: of the release that says so.
        is_new: whether that release was made then.
        n_changes: cells that differ from the release before, when it was made then.
        tallies: what is shown and hidden.
    """

    basis: str
    number: int
    is_new: bool
    n_changes: int
    tallies: tuple[Tally, ...]


def rounds(
    manifest: Manifest, known: Instrument, chosen: Collection[int], today: date
) -> list[int]:
    """Those of the chosen rounds that are to be published.

    One that is chosen by itself is; of several, those whose last day for deliveries has passed: a
    round that is published while deliveries come would be published again with each of them.
    """
    with_answers = sorted({d.round for d in manifest.counting()} & set(chosen))
    if len(chosen) == 1:
        return with_answers
    return [r for r in with_answers if known.rounds[r].delivery_deadline < today]


def is_current(settings: Settings, rounds_: Iterable[int]) -> bool:
    """Whether the last publication of each of the rounds looked at what there is now."""
    code = fingerprint_of_code()
    found = ((r, examined(settings, r)) for r in rounds_)
    return all(last and last.basis == basis(settings, r, code) for r, last in found)


def basis(settings: Settings, round_: int, code: str) -> str:
    """SHA-256 over all that decides what a round's release says."""
    before = sorted(
        folder.relative_to(settings.published).as_posix()
        for folder in settings.published.glob("[0-9]*/[0-9]*")
        if int(folder.parent.name) < round_
    )
    parts = [warehouse.made_from(settings), code, str(settings.min_answers), *before]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def fingerprint_of_code() -> str:
    """Version, and SHA-256 over the program and the dbt project: both decide what is said."""
    digest = hashlib.sha256()
    for path in [*sorted((PROJECT / "pipelines").rglob("*.py")), *warehouse.project_files()]:
        digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{version('nns-warehouse')} {digest.hexdigest()[:12]}"


def examined(settings: Settings, round_: int) -> Examined | None:
    """What the last publication of a round came to; None when there was none."""
    path = _path(settings, round_)
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Examined(**{**stored, "tallies": tuple(Tally(**t) for t in stored["tallies"])})


def keep(settings: Settings, round_: int, last: Examined) -> None:
    """Records what a publication of a round came to."""
    write_text(_path(settings, round_), json.dumps(asdict(last), indent=1) + "\n")


def _path(settings: Settings, round_: int) -> Path:
    return settings.told / str(round_) / "examined.json"
