"""The roster of a round: who is expected, who is new, who delivered, late, waiting or missing.

Belongs here: holding the register against the manifest, so that it is known at once, before any
build. Does not: telling it (status.py, reminders.py, alarms.py). The mart `roster` says the same
for the analysts; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.findings import thresholds
from pipelines.instrument import Instrument, Round
from pipelines.lake import Delivery, Manifest
from pipelines.register import Association, Register

_STATES = {"loaded": "delivered", "stopped": "waiting", "withdrawn": "withdrawn"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An association in a round.

    Attributes:
        is_expected: whether its agreement is valid at some time of the round.
        is_new: whether it is expected and was not in the round before.
        merged_from: ids of the associations that went up in it with this very round.
        deliveries: its files of the round, whatever became of them, oldest first.
        is_erased: whether what it delivered was erased: nothing more is asked of it.
        kind: what an organisation is that is no association; empty for an association.
        in_nation: whether it counts in the nation.
    """

    association_id: str
    association_name: str
    round: Round
    is_expected: bool
    is_new: bool
    merged_from: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    is_erased: bool = False
    kind: str = ""
    in_nation: bool = True

    @property
    def telling(self) -> Delivery | None:
        """The delivery that counts, else the newest that waits or is withdrawn, else the newest.

        Of several that count it is the workbook: web answers come all the time.
        """
        for states in (("loaded",), ("stopped", "withdrawn")):
            if found := [d for d in self.deliveries if d.state in states]:
                return _told(found)
        return _told(self.deliveries) if self.deliveries else None

    @property
    def counting(self) -> Delivery | None:
        """The delivery that counts."""
        return self.telling if self.telling and self.telling.state == "loaded" else None

    @property
    def state(self) -> str:
        """How it stands: delivered, waiting (to be mended), withdrawn, erased or missing."""
        absent = "erased" if self.is_erased else "missing"
        return _STATES.get(self.telling.state, absent) if self.telling else absent

    @property
    def days_late(self) -> int | None:
        """Days in Sweden from the deadline to the delivery that counts; 0 or less is in time."""
        return days_late(self.counting, self.round) if self.counting else None


def _told(deliveries: Sequence[Delivery]) -> Delivery:
    """The newest workbook of them, or the newest when all are web answers."""
    return ([d for d in deliveries if not d.is_web] or deliveries)[-1]


def days_late(delivery: Delivery, round_: Round) -> int:
    """Days in Sweden from the deadline to a delivery's arrival; 0 or less is in time."""
    return (delivery.received_on - round_.delivery_deadline).days


def is_late(days: int | None) -> bool:
    """Whether so many days are told as late; see `late_max_days` in the thresholds."""
    return days is not None and 0 < days <= int(thresholds()["late_max_days"])


def is_on(round_: Round, today: date) -> bool:
    """Whether files of a round are expected, late ones too."""
    return round_.opens <= today <= round_.loads_until


def of_round(
    manifest: Manifest,
    instrument: Instrument,
    register: Register,
    round_: int,
    erased: Container[tuple[int, str | None]] = (),
) -> tuple[Entry, ...]:
    """Every association that is expected in the round or delivered for it, by name.

    Args:
        manifest: what was delivered.
        instrument: the seeds.
        register: the associations.
        round_: the round.
        erased: rounds and associations whose deliveries were erased.
    """
    current = instrument.rounds[round_]
    expected = {a.association_id for a in expected_associations(register, current)}
    of_round_before = {
        a.association_id
        for before in [instrument.rounds.get(max(_earlier(instrument, round_), default=0))]
        for a in (expected_associations(register, before) if before else ())
    }
    merged = _mergers(register, round_) if of_round_before else {}
    deliveries: dict[str, list[Delivery]] = {}
    for d in sorted(manifest.deliveries, key=Delivery.age):
        if d.round == round_ and d.association_id:
            deliveries.setdefault(d.association_id, []).append(d)
    entries = [
        Entry(
            association_id=association_id,
            association_name=name_of(register, association_id),
            round=current,
            is_expected=association_id in expected,
            is_new=association_id in expected - of_round_before and bool(of_round_before),
            merged_from=merged.get(association_id, ()),
            deliveries=tuple(deliveries.get(association_id, ())),
            is_erased=(round_, association_id) in erased,
            **_as_registered(register.associations.get(association_id)),
        )
        for association_id in expected | set(deliveries)
    ]
    return tuple(sorted(entries, key=lambda e: (e.association_name, e.association_id)))


def expected_associations(register: Register, round_: Round) -> list[Association]:
    """The associations whose agreement is valid at some time of the round."""
    return [
        a
        for a in register.associations.values()
        if (a.agreement_from is None or a.agreement_from <= round_.closes)
        and (a.agreement_to is None or a.agreement_to >= round_.opens)
    ]


def _as_registered(association: Association | None) -> dict[str, Any]:
    return {n: getattr(association, n) for n in ("kind", "in_nation")} if association else {}


def name_of(register: Register, association_id: str) -> str:
    """The association's name; its id when the register does not have it any more."""
    association = register.associations.get(association_id)
    return association.association_name if association else association_id


def short_name(association_name: str) -> str:
    """An association's name without the word for what it is."""
    return association_name.removeprefix("Samordningsförbundet ")


def _earlier(instrument: Instrument, round_: int) -> Sequence[int]:
    return [known for known in instrument.rounds if known < round_]


def _mergers(register: Register, round_: int) -> dict[str, tuple[str, ...]]:
    """The associations that others went up in with this round, and those others."""
    joined = {m.association_id for m in register.memberships if m.first_round == round_}
    found = {
        a: tuple(sorted(o for o, first in register.predecessors(a).items() if first == round_))
        for a in joined
    }
    return {a: merged for a, merged in found.items() if merged}
