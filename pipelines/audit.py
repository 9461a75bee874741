"""The audit log: a line for every act on the data, each holding on to the one before.

Belongs here: writing lines, telling whether the log is whole, and what follows from it alone:
which associations are withdrawn in which round, and which contents are erased. Does not: doing what
a line says (lake.py, withdrawal.py, erasure.py).

```
NNS_HOME/audit.jsonl    a line per act: canonical JSON with `previous` and `hash` (SHA-256)
NNS_HOME/audit.head     how many lines there are and the hash of the last one
```

Lines are only ever added. They are on the disk before the head is; so after a crash the log may
hold more than the head says. Whole lines that follow on it are taken for what they are, a line that
was not finished is cut off at the next append, which says so in a line of its own (`mend`). Less
than the head says, or anything else, is a fault: then nothing is appended and nothing is loaded.
Whoever can write both files can write another history; whoever noted number and hash of the last
line sees it.

No names of files or people and no values of cells stand here: a delivery is named by its content
and eight signs of its name's hash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from pipelines import lake, lock
from pipelines.files import write_bytes
from pipelines.lake import Delivery, Manifest
from pipelines.settings import Settings

ACTS = {
    "receive": "mottagen",
    "load": "inläst",
    "refuse": "stoppad",
    "replace": "ersatt",
    "remove": "borttagen",
    "withdraw": "återkallad",
    "restore": "återinsatt",
    "erase": "raderad",
    "purge": "radering klar",
    "build": "marter byggda",
    "release": "publicerad",
    "mend": "avbruten rad borttagen",
    "renew": "ny logg",
    "backup": "säkerhetskopierad",
    "drill": "återställningsprov",
}
"""The acts and what the steward reads."""

_OF_STATE = {
    "loaded": "load",
    "stopped": "refuse",
    "replaced": "replace",
    "removed": "remove",
    "withdrawn": "withdraw",
}
_OF_STEWARD = ("withdraw", "restore", "erase")
_START = "0" * 64
_BEGUN = b'{"act":"'
_TOLD = 10

Unit = tuple[int, str | None]
"""A round and an association."""


class BrokenLogError(Exception):
    """The log is not whole; the message is Swedish and says what to do."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done, and to what.

    Attributes:
        act: one of ACTS.
        round, association_id: what it concerns; an id of the register or None.
        delivery: names one delivery, see `Delivery.delivery_id`; None in the steward's own acts.
        sha256: of the delivery's content; of build and release what they were made from.
        counts: numbers that tell how much, by name.
        reason: the steward's words.
    """

    act: str
    round: int | None = None
    association_id: str | None = None
    delivery: str | None = None
    sha256: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An act as it stands in the log; `moment` in UTC, ISO 8601."""

    number: int
    moment: str
    act: Act
    previous: str
    hash: str

    def as_dict(self) -> dict[str, object]:
        """All of it as plain values."""
        own = {n: getattr(self, n) for n in ("number", "moment", "previous", "hash")}
        return {**lake.fields_of(self.act), **own}


@dataclass(frozen=True, slots=True)
class Log:
    """What the log holds.

    Attributes:
        lines: those that are as they were written.
        faults: what is wrong, in Swedish; empty when the log is whole.
        unfinished: bytes of a last line that a crash cut short.
        is_begun: whether there is a head.
    """

    lines: tuple[Line, ...] = ()
    faults: tuple[str, ...] = ()
    unfinished: int = 0
    is_begun: bool = False

    @property
    def states(self) -> dict[str, Line]:
        """The last line about each delivery, by its name."""
        return {line.act.delivery: line for line in self.lines if line.act.delivery}

    @property
    def decisions(self) -> dict[Unit, Line]:
        """The steward's last act on each association and round."""
        return {
            (line.act.round, line.act.association_id): line
            for line in self.lines
            if line.act.round and line.act.act in _OF_STEWARD and not line.act.delivery
        }

    @property
    def withdrawn(self) -> frozenset[Unit]:
        """The associations and rounds that are withdrawn now."""
        decided = self.decisions.items()
        return frozenset(unit for unit, line in decided if line.act.act == "withdraw")

    @property
    def erased_units(self) -> frozenset[Unit]:
        """The associations and rounds whose deliveries were erased last."""
        decided = self.decisions.items()
        return frozenset(unit for unit, line in decided if line.act.act == "erase")

    @property
    def erased(self) -> dict[str, int]:
        """The contents that are erased for good, with the round they were delivered for."""
        return {
            line.act.sha256: line.act.round or 0
            for line in self.lines
            if line.act.act == "erase" and line.act.sha256
        }

    @property
    def pending(self) -> dict[str, int]:
        """The erased contents of which something may still lie in the home folder."""
        return self._unpurged.erased

    @property
    def pending_units(self) -> frozenset[Unit]:
        """The associations and rounds of the pending contents."""
        acts = (line.act for line in self._unpurged.lines)
        return frozenset((a.round, a.association_id) for a in acts if a.act == "erase" and a.round)

    @property
    def backed_up(self) -> Line | None:
        """The last backup, if any was made."""
        return next((line for line in reversed(self.lines) if line.act.act == "backup"), None)

    @property
    def not_backed_up(self) -> Line | None:
        """The last release, when no backup was made since."""
        acts = (line for line in reversed(self.lines) if line.act.act in ("backup", "release"))
        last = next(acts, None)
        return last if last and last.act.act == "release" else None

    @property
    def _unpurged(self) -> Log:
        """What came after the last purge."""
        done = max((n for n, line in enumerate(self.lines) if line.act.act == "purge"), default=-1)
        return Log(self.lines[done + 1 :])


# --- reading ------------------------------------------------------------------------------------


def path_of(settings: Settings) -> Path:
    """Where the log is."""
    return settings.home / "audit.jsonl"


def _head_of(settings: Settings) -> Path:
    return settings.home / "audit.head"


def read(settings: Settings) -> Log:
    """The log with all that is wrong with it; empty before the first act."""
    path, head_path = path_of(settings), _head_of(settings)
    if not path.exists() and not head_path.exists():
        lost = lake.read_manifest(settings).is_logged
        return Log(faults=(f"{path.name} och {head_path.name} saknas.",) if lost else ())
    parsed, rest = _lines(path.read_bytes() if path.exists() else b"")
    head = _read_head(head_path)
    faults = [*_chain_faults(parsed), *_end_faults(parsed, head, rest, path, head_path)]
    if more := len(faults) - _TOLD:
        faults = [*faults[:_TOLD], f"… och {more} fel till."] if more > 0 else faults
    lines = tuple(line for line in parsed if line)
    return Log(lines, tuple(faults), len(rest), head_path.exists())


def verify(settings: Settings) -> list[str]:
    """What is wrong with the log, in Swedish; empty when it is whole."""
    return list(read(settings).faults)


def whole(settings: Settings) -> Log:
    """The log, which decides what counts.

    Raises:
        BrokenLogError: it is not whole.
    """
    log = read(settings)
    if log.faults:
        raise BrokenLogError(
            f"Händelseloggen är inte hel: {log.faults[0]} Inget är gjort. Lägg tillbaka "
            f"audit.jsonl och audit.head i {settings.home} ur en säkerhetskopia. "
            "Finns ingen: nns audit --renew"
        )
    return log


@lru_cache(2)
def _lines(content: bytes) -> tuple[tuple[Line | None, ...], bytes]:
    """The lines of a log as they were written, else nothing, and what follows the last.

    A run reads the log a dozen times and writes to it a few; the same bytes are understood once.
    """
    *raw, rest = content.split(b"\n")
    return tuple(map(_parsed, raw)), rest


def _parsed(text: bytes) -> Line | None:
    """A line as it was written, by this program or a later one, else nothing."""
    try:
        fields = json.loads(text)
        if _canonical(fields) != text or _hash_of(fields) != fields["hash"]:
            return None
        act = Act(**{name: fields[name] for name in Act.__slots__ if name in fields})
        own = {name: fields[name] for name in ("number", "moment", "previous", "hash")}
        return Line(act=act, **own)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _chain_faults(lines: Sequence[Line | None]) -> Iterator[str]:
    """Lines that are changed, and lines that do not follow on the one before."""
    before: tuple[int, str] | None = (0, _START)
    for number, line in enumerate(lines, start=1):
        if line is None:
            yield f"Rad {number} är inte som den skrevs."
        elif before and (line.number - 1, line.previous) != before:
            yield f"Rad {number} följer inte på raden före: rader är borttagna, flyttade eller nya."
        before = (line.number, line.hash) if line else None


def _end_faults(
    lines: Sequence[Line | None],
    head: tuple[int, str] | None,
    rest: bytes,
    path: Path,
    head_path: Path,
) -> Iterator[str]:
    """Where the log's end is not what the head says it was."""
    if head is None:
        yield f"{head_path.name} saknas eller går inte att läsa."
        return
    count, last = head
    if count and not path.exists():
        yield f"{path.name} saknas."
    elif len(lines) < count:
        yield f"{path.name} har {len(lines)} hela rader men hade {count}."
    elif count and (line := lines[count - 1]) and line.hash != last:
        yield f"Rad {count} är en annan än den som skrevs."
    begun = rest.rstrip(b"\0")  # some file systems fill what was not written with zeros
    if rest and (len(lines) < count or begun[: len(_BEGUN)] != _BEGUN[: len(begun)]):
        yield f"Sista raden i {path.name} är avhuggen eller ändrad."


def _read_head(path: Path) -> tuple[int, str] | None:
    try:
        head = json.loads(path.read_bytes())
        return int(head["count"]), str(head["hash"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


# --- writing ------------------------------------------------------------------------------------


def append(settings: Settings, acts: Iterable[Act]) -> None:
    """Adds lines to the log; they are on the disk when this returns. No act, no line.

    Raises:
        BrokenLogError: the log is not whole; nothing is written.
        BusyError: another process works in the home folder.
    """
    acts = list(acts)
    if not acts:
        return
    with lock.alone(settings):
        log = begin(settings)
        if log.unfinished:
            acts.insert(0, Act("mend", counts={"bytes": log.unfinished}))
        _write(settings, log, acts)


def begin(settings: Settings) -> Log:
    """The log, after seeing to it that from now on its loss is noticed.

    Raises:
        BrokenLogError: it is not whole.
    """
    log = whole(settings)
    if not log.is_begun:
        _write_head(settings, 0, _START)
    return log


def renew(settings: Settings) -> int:
    """Lays a log that is not whole aside and begins a new one with the decisions it still told.

    The new log's first line names the old one by its SHA-256. A delivery that the manifest holds
    for withdrawn stays so. What was done to each delivery is logged anew by the next load.

    Returns:
        How many withdrawals and erasures were carried over.
    """
    with lock.alone(settings):
        log, path = read(settings), path_of(settings)
        data = path.read_bytes() if path.exists() else b""
        number = 1 + len(list(settings.home.glob("audit.broken-*.jsonl")))
        if data:
            write_bytes(path.with_name(f"audit.broken-{number}.jsonl"), data)
        kept = [line.act for line in log.lines if line.act.act in ("erase", "purge")]
        held = lake.read_manifest(settings).deliveries
        withdrawn = log.withdrawn | {d.unit[:2] for d in held if d.state == "withdrawn"}
        kept += [Act("withdraw", *unit) for unit in sorted(withdrawn, key=repr)]
        _write_head(settings, 0, _START)
        path.unlink(missing_ok=True)
        old = hashlib.sha256(data).hexdigest()
        _write(settings, Log(), [Act("renew", sha256=old, counts={"lines": len(log.lines)}), *kept])
        return len(kept)


def _write(settings: Settings, log: Log, acts: Sequence[Act]) -> None:
    """Writes lines after the whole ones, then the head."""
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    number, previous = (log.lines[-1].number, log.lines[-1].hash) if log.lines else (0, _START)
    written = []
    for act in acts:
        number += 1
        fields = Line(number, moment, act, previous, "").as_dict()
        previous = _hash_of(fields)
        written.append(_canonical({**fields, "hash": previous}) + b"\n")
    with path_of(settings).open("ab") as file:
        if log.unfinished:
            file.truncate(file.tell() - log.unfinished)
        file.writelines(written)
        file.flush()
        os.fsync(file.fileno())
    _write_head(settings, number, previous)


def _write_head(settings: Settings, count: int, last: str) -> None:
    head = _canonical({"count": count, "hash": last}) + b"\n"
    write_bytes(_head_of(settings), head)


def _hash_of(fields: Mapping[str, object]) -> str:
    """SHA-256 over a line without its own hash."""
    rest = {name: value for name, value in fields.items() if name != "hash"}
    return hashlib.sha256(_canonical(rest)).hexdigest()


def _canonical(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# --- what happened to deliveries ----------------------------------------------------------------


def record(settings: Settings, manifest: Manifest, rounds: Collection[int] = ()) -> None:
    """Logs what the manifest says of deliveries and the log does not yet.

    Args:
        settings: where the log is.
        manifest: as it is now.
        rounds: those whose folders were looked through just now.

    Raises:
        BrokenLogError: the log is not whole.
    """
    append(settings, changes(whole(settings), manifest, rounds))


def changes(log: Log, manifest: Manifest, rounds: Collection[int] = ()) -> list[Act]:
    """The acts that lead from what the log said last of each delivery to what the manifest says.

    Both are whole pictures, so nothing is logged twice, and nothing is missed after a crash or with
    a manifest that was lost: what counted then and is gone from the rounds was removed.
    """
    known, erased, acts = log.states, log.erased, []
    for d in manifest.deliveries:
        now = _act_of(d)
        last = known.pop(now.delivery or "", None)
        if last is None:
            acts.append(_told(d, "receive"))
        if last is None or _says(last.act) != _says(now):
            acts.append(now)
    for line in known.values():
        told = line.act
        is_open = told.act in ("load", "refuse", "withdraw") and told.sha256 not in erased
        if is_open and told.round in rounds:
            acts.append(Act("remove", told.round, told.association_id, told.delivery, told.sha256))
    return acts


def is_settled(settings: Settings, manifest: Manifest) -> bool:
    """Whether all that the log decides is done, and all that was done is logged."""
    log = read(settings)
    return (
        not log.faults
        and not log.pending
        and not changes(log, manifest)
        and lake.settle(manifest.deliveries, log.withdrawn) == tuple(manifest.deliveries)
    )


def _act_of(delivery: Delivery) -> Act:
    return _told(delivery, _OF_STATE[delivery.state])


def _told(d: Delivery, act: str) -> Act:
    round_, association_id = d.unit[:2]
    counts = {"questionnaires": d.n_questionnaires}
    return Act(act, round_, association_id, d.delivery_id, d.sha256, counts)


def _says(act: Act) -> tuple[str, int]:
    """What makes two lines about a delivery say the same."""
    return act.act, act.counts.get("questionnaires", 0)
