"""What a release changed: every cell that differs from the release before, and why.

Belongs here: comparing the tables of two releases of a round, and the reason that follows from
their deliveries. Does not: writing the file or knowing which release is the one before
(assemble.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from pipelines.release.table import Content, Table, Value

SECRECY = "sekretess"
OTHER_ROUND = "annan omgångs publicering"
REGISTER = "ändrade uppgifter i registret eller instrumentet"
OUTCOMES = "ändrade utfall eller ändrad registerstudie"

Deliveries = Mapping[str, frozenset[str]]
"""The contents (sha256) that count, by association_id."""

Record = Mapping[str, Value]
Key = tuple[Value, ...]

_EARLIER = frozenset(
    {"comparable", "previous_round", "share_previous", "previous_period", "rate_previous"}
)
_AGAINST_EARLIER = frozenset({"change", "change_significant"})
_TARGET = "target_share"
_AGAINST_TARGET = frozenset({"distance", "reached"})
_COUNTY = "00"  # a county's unit_id is this and its code, as in Kolada
_TOLD = 5


class Change(NamedTuple):
    """A cell that differs: key is table/values of the key/column; None where there was no cell."""

    key: str
    old: Value
    new: Value
    reason: str


@dataclass(frozen=True, slots=True)
class Causes:
    """Whose deliveries differ between two releases.

    Attributes:
        kinds: what became of deliveries, as the reader sees it → the associations.
        known: all associations of either release.
        counties: a county's unit_id → its associations.
        studies: the questionnaires that are none: register studies, which rest on no delivery.
    """

    kinds: Mapping[str, frozenset[str]]
    known: frozenset[str]
    counties: Mapping[str, frozenset[str]]
    studies: frozenset[Value]

    def told(self, associations: Collection[str] | None) -> str:
        """What became of the deliveries of these associations, of all for None; empty: nothing."""
        concerned = self.known if associations is None else frozenset(associations)
        found = {kind: sorted(moved & concerned) for kind, moved in self.kinds.items()}
        return "; ".join(f"{kind}: {_listed(names)}" for kind, names in found.items() if names)

    def behind(self, table: Table, record: Record) -> Collection[str] | None:
        """The associations whose answers a row rests on; None for all of them."""
        if self.is_counted_elsewhere(table, record):
            return ()
        if "association_ids" in record:
            return str(record["association_ids"] or "").split(",")
        if "unit_id" in record:
            unit = str(record["unit_id"])
            association = unit.partition("/")[0]
            return {association} if association in self.known else self.counties.get(unit)
        return None if table.has_figures else ()

    def is_counted_elsewhere(self, table: Table, record: Record) -> bool:
        """Whether a row rests on outcomes or a register study, and so on no answers."""
        asked = record.get("questionnaire_id", record.get("answered_by"))
        return table.name == "outcomes" or asked in self.studies


def changes(
    previous: Path, content: Content, before: Deliveries, now: Deliveries
) -> tuple[Change, ...]:
    """Every cell of a content that differs from a release, and every one that came or went.

    Args:
        previous: the folder of the release before; its Parquet files are read.
        content: what is released now.
        before: the deliveries that the release before rests on.
        now: those that the content rests on.

    Returns:
        The changes by key. A table that is no longer released is one, with its number of rows.

    Raises:
        OSError: the release before has no Parquet files or they cannot be read.
    """
    earlier = {p.stem: _read(p) for p in (previous / "open" / "parquet").iterdir()}
    causes = _causes(earlier, content, before, now)
    found = [
        change
        for name, table in content.tables.items()
        for change in _table_changes(table, earlier.get(name, ()), causes)
    ]
    gone = earlier.keys() - content.tables.keys()
    found += [Change(name, len(earlier[name]), None, REGISTER) for name in gone]
    return tuple(sorted(found, key=lambda change: change.key))


def _read(path: Path) -> Sequence[Record]:
    columns = pq.read_table(path).to_pydict()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _causes(
    earlier: Mapping[str, Sequence[Record]], content: Content, before: Deliveries, now: Deliveries
) -> Causes:
    named = [*earlier.get("associations", ()), *content["associations"].records()]
    counties: dict[str, set[str]] = {}
    for record in named:
        unit = f"{_COUNTY}{record['county_code']}"
        counties.setdefault(unit, set()).add(str(record["association_id"]))
    stayed = before.keys() & now.keys()
    return Causes(
        kinds={
            "ny leverans": frozenset(now.keys() - stayed),
            "ersatt leverans": frozenset(a for a in stayed if before[a] != now[a]),
            "återkallad eller borttagen leverans": frozenset(before.keys() - stayed),
        },
        known=frozenset({str(r["association_id"]) for r in named} | before.keys() | now.keys()),
        counties={unit: frozenset(names) for unit, names in counties.items()},
        studies=frozenset(
            r["questionnaire_id"]
            for r in content["questionnaires"].records()
            if r.get("kind") == "register"
        ),
    )


def _table_changes(table: Table, before: Sequence[Record], causes: Causes) -> Iterator[Change]:
    old_rows, new_rows = _by_key(table, before), _by_key(table, table.records())
    names = [column.name for column in table.columns]
    gone = [name for name in (before[0] if before else ()) if name not in names]
    columns = [name for name in names + gone if name not in table.key]
    for key in old_rows.keys() | new_rows.keys():
        old, new = old_rows.get(key), new_rows.get(key)
        if old != new:
            yield from _row_changes(table, columns or list(table.key[-1:]), key, old, new, causes)


def _by_key(table: Table, records: Iterator[Record] | Sequence[Record]) -> dict[Key, Record]:
    return {tuple(record.get(name) for name in table.key): record for record in records}


def _row_changes(
    table: Table,
    columns: Sequence[str],
    key: Key,
    old: Record | None,
    new: Record | None,
    causes: Causes,
) -> Iterator[Change]:
    was, now = old or {}, new or {}
    changed = [c for c in columns if _seen(was.get(c)) != _seen(now.get(c))]
    path = "/".join([table.name, *map(str, key)])
    why = causes.told(_behind_both(table, was, now, causes))
    is_elsewhere = causes.is_counted_elsewhere(table, now or was)
    last = OUTCOMES if is_elsewhere and table.has_figures else REGISTER
    why = why or (SECRECY if _is_hiding(changed, was, now) else last)
    is_alike = bool(old and new) and was.get("status") == now.get("status")
    for column in changed:
        reason = (is_alike and _from_elsewhere(column, frozenset(changed))) or why
        yield Change(f"{path}/{column}", was.get(column), now.get(column), reason)


def _seen(value: Value) -> Value:
    """A cell as a reader of the CSV sees it: no text is a blank."""
    return None if value == "" else value


def _behind_both(table: Table, was: Record, now: Record, causes: Causes) -> Collection[str] | None:
    """The associations a row rests on in either release."""
    found = [causes.behind(table, record) for record in (was, now) if record]
    return None if None in found else {name for names in found for name in names or ()}


def _is_hiding(changed: Sequence[str], was: Record, now: Record) -> bool:
    """Whether nothing but what is shown of a row is another; no figure that is in both."""
    figures = (c for c in changed if c != "status" and c not in _EARLIER)
    return (
        "status" in was
        and "status" in now
        and "status" in changed
        and all(None in (was.get(c), now.get(c)) for c in figures)
    )


def _from_elsewhere(column: str, changed: frozenset[str]) -> str:
    """Why a cell that does not rest on the round's deliveries is another; empty if it does.

    A target is the register's, and so is what is held against it where nothing else changed. An
    earlier round's share is that round's, unless it only may no longer be compared, which the
    instrument decides; the change between both is so where nothing of this round changed.
    """
    if column == _TARGET or (column in _AGAINST_TARGET and changed <= {_TARGET} | _AGAINST_TARGET):
        return REGISTER
    if column in _EARLIER or (
        column in _AGAINST_EARLIER
        and changed <= _EARLIER | _AGAINST_EARLIER | _AGAINST_TARGET | {_TARGET}
    ):
        is_instrument = "comparable" in changed and not changed & {
            "previous_round",
            "previous_period",
        }
        return REGISTER if is_instrument else OTHER_ROUND
    return ""


def _listed(names: Sequence[str]) -> str:
    """Associations in a cell, the first few by name."""
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" och {more} till" if more > 0 else "")
