"""How a round stands: who was expected, who delivered, what is to be mended, what to do next.

Belongs here: the overview and its next step in words, from the manifest and the register alone,
so that it is there at once. Does not: drawing it; that is the command line's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipelines import lake, quality, warehouse
from pipelines.findings import Severity
from pipelines.instrument import Instrument, Round
from pipelines.register import Association, Register
from pipelines.settings import Settings

STATES = {
    "loaded": "inläst",
    "stopped": "väntar på rättning",
    "replaced": "ersatt",
    "removed": "borttagen",
    "withdrawn": "återkallad",
    "missing": "saknas",
    "new": "inte inläst än",
}
"""The state of a delivery and what the steward reads."""


@dataclass(frozen=True, slots=True)
class Line:
    """One association's delivery, or that there is none."""

    association_id: str | None
    association_name: str
    file: str | None
    received: datetime | None
    questionnaires: int | None
    stops: int
    errors: int
    warnings: int
    state: str

    @property
    def short_name(self) -> str:
        """The association's name without the word for what it is."""
        return self.association_name.removeprefix("Samordningsförbundet ")


@dataclass(frozen=True, slots=True)
class Overview:
    """A round at a glance.

    Attributes:
        lines: by association name; deliveries of unknown associations last.
        expected: associations whose agreement is valid in the round.
        days_left: until the delivery deadline, negative afterwards.
        next_step: what to do now, in Swedish.
    """

    round: Round
    lines: tuple[Line, ...]
    expected: int
    days_left: int
    next_step: str

    def count(self, state: str) -> int:
        """How many lines are in a state."""
        return sum(line.state == state for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """The overview as plain values; `state` keeps its code, `state_sv` is what is shown."""
        return {
            "round": self.round.round,
            "opens": self.round.opens.isoformat(),
            "delivery_deadline": self.round.delivery_deadline.isoformat(),
            "days_left": self.days_left,
            "expected": self.expected,
            "loaded": self.count("loaded"),
            "stopped": self.count("stopped"),
            "missing": self.count("missing"),
            "deliveries": [
                {name: getattr(line, name) for name in Line.__dataclass_fields__}
                | {
                    "received": line.received.isoformat() if line.received else None,
                    "state_sv": STATES[line.state],
                }
                for line in self.lines
            ],
            "next_step": self.next_step,
        }


def overview(
    settings: Settings,
    instrument: Instrument,
    register: Register,
    round_: int,
    today: date,
) -> Overview:
    """How the round stands now."""
    manifest = lake.read_manifest(settings)
    current = instrument.rounds[round_]
    expected = {a.association_id: a for a in expected_associations(register, current)}
    deliveries = [d for d in manifest.deliveries if d.round == round_ and d.state != "removed"]
    seen = {d.seen_as for d in manifest.deliveries}
    fresh = [
        path.relative_to(settings.raw).as_posix()
        for path in lake.delivered(settings, round_)
        if lake.seen_as(settings, path) not in seen
    ]
    lines = _lines(deliveries, fresh, expected, register.associations)
    is_checked = quality.is_current(settings, [round_], instrument, register)
    return Overview(
        current,
        lines,
        len(expected),
        (current.delivery_deadline - today).days,
        _next_step(settings, round_, lines, is_checked),
    )


def expected_associations(register: Register, round_: Round) -> list[Association]:
    """The associations whose agreement is valid at some time of the round."""
    return [
        a
        for a in register.associations.values()
        if (a.agreement_from is None or a.agreement_from <= round_.closes)
        and (a.agreement_to is None or a.agreement_to >= round_.opens)
    ]


def default_round(settings: Settings, instrument: Instrument, today: date) -> int:
    """The round that is on, else the last one with files, else the last one there is."""
    opened = [r.round for r in instrument.rounds.values() if r.opens <= today]
    with_files = [round_ for round_ in instrument.rounds if lake.delivered(settings, round_)]
    if opened and (opened[-1] in with_files or not with_files):
        return opened[-1]
    return max(with_files or instrument.rounds)


def _lines(
    deliveries: Sequence[lake.Delivery],
    fresh: Sequence[str],
    expected: Mapping[str, Association],
    associations: Mapping[str, Association],
) -> tuple[Line, ...]:
    lines = [_line(d, associations) for d in deliveries]
    lines += [Line(None, "", file, None, None, 0, 0, 0, "new") for file in fresh]
    delivered = {d.association_id for d in deliveries}
    lines += [
        Line(a.association_id, a.association_name, None, None, None, 0, 0, 0, "missing")
        for a in expected.values()
        if a.association_id not in delivered
    ]
    return tuple(
        sorted(lines, key=lambda li: (not li.association_name, li.association_name, li.file or ""))
    )


def _line(d: lake.Delivery, associations: Mapping[str, Association]) -> Line:
    association = associations.get(d.association_id or "")
    return Line(
        d.association_id,
        association.association_name if association else "",
        d.file,
        d.received,
        d.n_questionnaires,
        d.total(Severity.STOP),
        d.total(Severity.ERROR),
        d.total(Severity.WARNING),
        d.state,
    )


def _next_step(settings: Settings, round_: int, lines: Sequence[Line], is_checked: bool) -> str:
    states = {line.state for line in lines}
    if "new" in states:
        return f"nns run --round {round_}"
    if not states - {"missing"}:
        return f"Lägg förbundens filer i {settings.raw / str(round_)} och kör: nns run"
    if not is_checked:
        return f"nns check --round {round_}"
    if not warehouse.is_current(settings):
        return "nns build"
    if "stopped" in states or any(line.errors for line in lines if line.state == "loaded"):
        return f"Be förbunden rätta fynden i {settings.receipts / str(round_)} och kör: nns run"
    if "missing" in states:
        return "Påminn de förbund som saknas."
    return "Allt är inläst och byggt."
