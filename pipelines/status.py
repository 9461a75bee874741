"""How a round stands: who was expected, who delivered, what is to be mended, what to do next.

Belongs here: the overview and its next step in words, from the manifest and the register alone,
so that it is there at once. Does not: drawing it; that is the command line's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipelines import audit, lake, loading, warehouse
from pipelines.findings import Severity
from pipelines.instrument import Instrument, Round
from pipelines.register import Association, Register
from pipelines.settings import Settings
from pipelines.swedish import several
from pipelines.workbook.personal import discreet

STATES = {
    "loaded": "inläst",
    "stopped": "väntar på rättning",
    "replaced": "ersatt",
    "removed": "borttagen",
    "withdrawn": "återkallad",
    "erased": "raderad",
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

    def associations(self, state: str) -> set[str | None]:
        """The associations that have a line in a state."""
        return {line.association_id for line in self.lines if line.state == state}

    @property
    def waiting(self) -> int:
        """Associations none of whose files counts, as all are to be mended."""
        states: dict[str, set[str]] = {}
        for line in self.lines:
            states.setdefault(line.association_id or "", set()).add(line.state)
        return sum(
            "stopped" in of_one and "loaded" not in of_one
            for association_id, of_one in states.items()
            if association_id
        )

    @property
    def nameless(self) -> int:
        """Files that are to be mended before it is known whose they are."""
        return sum(line.state == "stopped" and not line.association_id for line in self.lines)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """What is not loaded, in words and numbers; each association once."""
        counts = {
            STATES["stopped"]: self.waiting,
            STATES["new"]: self.count("new"),
            STATES["missing"]: self.count("missing"),
            **{STATES[state]: len(self.associations(state)) for state in ("withdrawn", "erased")},
            "filer utan känt förbund": self.nameless,
        }
        return [(words, n) for words, n in counts.items() if n]

    def as_json(self) -> dict[str, Any]:
        """The overview as plain values; `state` keeps its code, `state_sv` is what is shown."""
        return {
            "round": self.round.round,
            "opens": self.round.opens.isoformat(),
            "delivery_deadline": self.round.delivery_deadline.isoformat(),
            "days_left": self.days_left,
            "expected": self.expected,
            "loaded": self.count("loaded"),
            "stopped": self.waiting,
            "missing": self.count("missing"),
            "files_without_association": self.nameless,
            "deliveries": [
                {name: getattr(line, name) for name in Line.__dataclass_fields__}
                | {
                    "file": discreet(line.file) if line.file else None,
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
    *,
    is_loaded: bool,
    is_checked: bool,
) -> Overview:
    """How the round stands now; `checking.overview` knows whether it is loaded and checked."""
    manifest = lake.read_manifest(settings)
    current = instrument.rounds[round_]
    expected = {a.association_id: a for a in expected_associations(register, current)}
    deliveries = [d for d in manifest.deliveries if d.round == round_ and d.state != "removed"]
    seen = {d.seen_as for d in manifest.deliveries}
    there = [loading.seen_as(settings, path) for path in loading.delivered(settings, round_)]
    erased = [key for key in there if lake.mark_of(key) in manifest.erased]
    fresh = [key[0] for key in there if key not in seen and key not in erased]
    decided = audit.read(settings).decisions
    gone = [a for (r, a), line in decided.items() if r == round_ and line.act.act == "erase" and a]
    lines = _lines(deliveries, fresh, gone, expected, register.associations)
    personal = [d.file for d in manifest.present(round_) if d.holds_personal_data]
    unwanted = {"personuppgifter": len(personal), "raderat innehåll": len(erased)}
    next_step = _next_step(settings, round_, lines, unwanted, is_loaded, is_checked)
    days_left = (current.delivery_deadline - today).days
    return Overview(current, lines, len(expected), days_left, next_step)


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
    with_files = [round_ for round_ in instrument.rounds if loading.delivered(settings, round_)]
    if opened and (opened[-1] in with_files or not with_files):
        return opened[-1]
    return max(with_files or instrument.rounds)


def _lines(
    deliveries: Sequence[lake.Delivery],
    fresh: Sequence[str],
    erased: Sequence[str],
    expected: Mapping[str, Association],
    associations: Mapping[str, Association],
) -> tuple[Line, ...]:
    lines = [_line(d, associations) for d in deliveries]
    lines += [Line(None, "", file, None, None, 0, 0, 0, "new") for file in fresh]
    delivered = {d.association_id for d in deliveries}
    absent = {a: "missing" for a in expected} | {a: "erased" for a in erased if a in associations}
    lines += [
        Line(a, associations[a].association_name, None, None, None, 0, 0, 0, state)
        for a, state in absent.items()
        if a not in delivered
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
        d.n_questionnaires if d.is_readable else None,
        d.total(Severity.STOP),
        d.total(Severity.ERROR),
        d.total(Severity.WARNING),
        d.state,
    )


def _next_step(
    settings: Settings,
    round_: int,
    lines: Sequence[Line],
    unwanted: Mapping[str, int],
    is_loaded: bool,
    is_checked: bool,
) -> str:
    """What to do now: a command, or what to ask of whom."""
    states = {line.state for line in lines}
    folder, command = settings.raw / str(round_), f"nns {{}} --round {round_}{settings.flags}"
    if not states - {"missing"}:
        return f"Lägg förbundens filer i {folder} och kör: {command.format('run')}"
    if "new" in states or not is_loaded:
        return command.format("run")
    if not is_checked:
        return command.format("check")
    if not warehouse.is_current(settings):
        return f"nns build{settings.flags}"
    steps = list(_asks(settings, round_, lines, unwanted))
    if "stopped" in states or any(li.errors for li in lines if li.state == "loaded"):
        steps.append(f"Kör sedan: {command.format('run')}")
    return " ".join(steps) or "Allt är inläst och byggt."


def _asks(
    settings: Settings, round_: int, lines: Sequence[Line], unwanted: Mapping[str, int]
) -> Iterator[str]:
    """What to ask of the associations, and what to do with their files."""
    states = Counter(line.state for line in lines)
    if states["stopped"] or any(li.errors for li in lines if li.state == "loaded"):
        yield f"Be förbunden rätta fynden i {settings.receipts / str(round_)}."
    if states["missing"]:
        yield f"Påminn {several(states['missing'], 'förbund', 'förbund')} som saknas."
    folder = settings.raw / str(round_)
    if n := unwanted["personuppgifter"]:
        yield (
            f"Ta bort {several(n, 'fil', 'filer')} med personuppgifter ur {folder} när förbundet "
            "har fått sin kvittens."
        )
    if n := unwanted["raderat innehåll"]:
        yield (
            f"Ta bort {several(n, 'raderad fil', 'raderade filer')} ur {folder}; "
            f"nns status --round {round_}{settings.flags} visar vilka."
        )
