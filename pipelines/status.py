"""How a round stands: who was expected, who delivered, what is to be mended, what to do next.

Belongs here: the overview and its next step in words, from the manifest and the register alone,
so that it is there at once. Does not: drawing it; that is the command line's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pipelines import audit, lake, loading, outcomes, roster, warehouse
from pipelines.findings import Severity
from pipelines.instrument import Instrument, Round
from pipelines.register import Register
from pipelines.roster import Entry
from pipelines.settings import Settings
from pipelines.swedish import listed, number, percent, several
from pipelines.warehouse import Rate
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


RATE_HEADINGS = ("Enkät", "Inkomna", "Utdelade", "Åter av dem", "Svarsfrekvens", "Insatser")
RATE_NOTE = (
    "Utdelade och svarsfrekvens gäller de förbund som vet hur många de delade ut. "
    "Insatser: de som har svar."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One association's delivery, or that there is none; `days_late` of one that counts.

    `in_nation` is false for an organisation that is not counted among the associations.
    """

    association_id: str | None
    association_name: str
    file: str | None
    received: datetime | None
    questionnaires: int | None
    stops: int
    errors: int
    warnings: int
    state: str
    days_late: int | None = None
    in_nation: bool = True

    @property
    def short_name(self) -> str:
        """The association's name without the word for what it is."""
        return roster.short_name(self.association_name)

    @property
    def state_sv(self) -> str:
        """The state as it is shown, and how late it came."""
        if not roster.is_late(self.days_late):
            return STATES[self.state]
        return f"{STATES[self.state]}, {several(self.days_late or 0, 'dag', 'dagar')} sen"


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One outcome file: its rows, how many of them count, and what was found in it.

    Attributes:
        holds: what it holds, in words; empty when that is not known.
        state: loaded, stopped, or new when it is not loaded yet.
    """

    file: str
    holds: str
    received: datetime | None
    rows: int | None
    counted: int | None
    stops: int
    errors: int
    warnings: int
    state: str
    holds_personal_data: bool = False

    @property
    def state_sv(self) -> str:
        """The state as it is shown."""
        return STATES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether something is to be mended."""
        return bool(self.stops or self.errors)


@dataclass(frozen=True, slots=True)
class Overview:
    """A round at a glance.

    Attributes:
        lines: by association name; deliveries of unknown associations last.
        expected: associations in the nation whose agreement is valid in the round.
        days_left: until the delivery deadline, negative afterwards.
        next_step: what to do now, in Swedish.
        rates: handed out and returned of the nation, by questionnaire; empty when the marts are not
            built of what is loaded now.
        new: associations that are new in the round, with the names of those that went up in them.
        sheet_names: what the questionnaires are called.
        outcomes: the outcome files, which belong to no round.
    """

    round: Round
    lines: tuple[Line, ...]
    expected: int
    days_left: int
    next_step: str
    rates: tuple[Rate, ...] = ()
    new: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sheet_names: Mapping[str, str] = field(default_factory=dict)
    outcomes: tuple[OutcomeLine, ...] = ()

    def count(self, state: str) -> int:
        """How many lines are in a state."""
        return sum(line.state == state for line in self.lines)

    def associations(self, state: str) -> set[str | None]:
        """The associations that have a line in a state."""
        return {line.association_id for line in self.lines if line.state == state}

    @property
    def loaded(self) -> int:
        """Associations in the nation that have a file that counts, a workbook or web answers."""
        return self._loaded(in_nation=True)

    def _loaded(self, *, in_nation: bool) -> int:
        lines = [li for li in self.lines if li.state == "loaded" and li.in_nation == in_nation]
        return len({li.association_id for li in lines})

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
    def late(self) -> int:
        """Associations of which a file that counts came after the deadline."""
        return len({li.association_id for li in self.lines if roster.is_late(li.days_late)})

    @property
    def news(self) -> str:
        """The associations that are new, in words; empty when none is."""
        told = [
            f"{roster.short_name(name)} (av {listed(map(roster.short_name, merged))})"
            if merged
            else roster.short_name(name)
            for name, merged in self.new
        ]
        return listed(told) if told else ""

    @property
    def nameless(self) -> int:
        """Files that are to be mended before it is known whose they are."""
        return sum(line.state == "stopped" and not line.association_id for line in self.lines)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """What is not loaded or came late or twice, in words and numbers."""
        replaced = self.count("replaced")
        counts = [
            (STATES["stopped"], self.waiting),
            (STATES["new"], self.count("new")),
            (STATES["missing"], self.count("missing")),
            (f"{STATES['loaded']} utanför riket", self._loaded(in_nation=False)),
            ("kom sent", self.late),
            ("ersatt fil" if replaced == 1 else "ersatta filer", replaced),
            *((STATES[s], len(self.associations(s))) for s in ("withdrawn", "erased")),
            (f"{'fil' if self.nameless == 1 else 'filer'} utan känt förbund", self.nameless),
        ]
        return [(words, n) for words, n in counts if n]

    def as_json(self) -> dict[str, Any]:
        """The overview as plain values; `state` keeps its code, `state_sv` is what is shown."""
        return {
            "round": self.round.round,
            "opens": self.round.opens.isoformat(),
            "delivery_deadline": self.round.delivery_deadline.isoformat(),
            "days_left": self.days_left,
            "expected": self.expected,
            "loaded": self.loaded,
            "stopped": self.waiting,
            "missing": self.count("missing"),
            "late": self.late,
            "replaced": self.count("replaced"),
            "files_without_association": self.nameless,
            "new": [
                {"association_name": name, "merged_from": list(merged)} for name, merged in self.new
            ],
            "response_rates": [lake.fields_of(rate) for rate in self.rates],
            "deliveries": [
                {name: getattr(line, name) for name in Line.__dataclass_fields__}
                | {
                    "file": discreet(line.file) if line.file else None,
                    "received": line.received.isoformat() if line.received else None,
                    "state_sv": line.state_sv,
                }
                for line in self.lines
            ],
            "outcomes": [
                lake.fields_of(line)
                | {
                    "file": discreet(line.file),
                    "received": line.received.isoformat() if line.received else None,
                    "state_sv": line.state_sv,
                }
                for line in self.outcomes
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
    entries = roster.of_round(manifest, instrument, register, round_)
    deliveries = [d for d in manifest.deliveries if d.round == round_ and d.state != "removed"]
    known = {d.seen_as for d in manifest.deliveries}
    there = loading.seen(settings, round_)
    erased = [key for key in there if lake.mark_of(key) in manifest.erased]
    fresh = [key[0] for key in there if key not in known and key not in erased]
    decided = audit.read(settings).decisions
    gone = [a for (r, a), line in decided.items() if r == round_ and line.act.act == "erase" and a]
    lines = _lines(deliveries, fresh, gone, entries, current, register)
    personal = [d.file for d in manifest.present(round_) if d.holds_personal_data]
    unwanted = {"personuppgifter": len(personal), "raderat innehåll": len(erased)}
    results = _outcome_lines(settings)
    next_step = _next_step(settings, round_, lines, results, unwanted, is_loaded, is_checked)
    days_left = (current.delivery_deadline - today).days
    return Overview(
        round=current,
        lines=lines,
        expected=sum(e.is_expected and e.in_nation for e in entries),
        days_left=days_left,
        next_step=next_step,
        rates=_rates(settings, instrument, round_),
        new=_new(entries, register),
        sheet_names={q.questionnaire_id: q.sheet_name for q in instrument.questionnaires.values()},
        outcomes=results,
    )


def _rates(settings: Settings, instrument: Instrument, round_: int) -> tuple[Rate, ...]:
    """The nation's response rates in the round, in the seed's order; none when not built."""
    if not warehouse.is_current(settings):
        return ()
    rates = {r.questionnaire_id: r for r in warehouse.response_rates(settings, round_)}
    return tuple(rates[q] for q in instrument.questionnaires if q in rates)


def _new(entries: Sequence[Entry], register: Register) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The associations that are new or that others went up in, and those others, by name."""
    return tuple(
        (e.association_name, tuple(roster.name_of(register, old) for old in e.merged_from))
        for e in entries
        if e.is_new or e.merged_from
    )


def rate_rows(seen: Overview) -> list[tuple[str, ...]]:
    """A row per questionnaire as it is shown, under `RATE_HEADINGS`; unknown is told as such."""
    return [
        (
            seen.sheet_names[r.questionnaire_id],
            number(r.returned),
            "okänt" if r.handed_out is None else number(r.handed_out),
            "–" if r.returned_known is None else number(r.returned_known),
            _rate(r),
            "–"
            if r.n_activities_expected is None
            else f"{r.n_activities_delivered} av {r.n_activities_expected}",
        )
        for r in seen.rates
    ]


def _rate(rate: Rate) -> str:
    if rate.response_rate is None:
        return "okänd" if rate.handed_out is None else "–"
    return percent(rate.response_rate)


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
    entries: Sequence[Entry],
    current: Round,
    register: Register,
) -> tuple[Line, ...]:
    of_association = {e.association_id: e for e in entries}
    lines = [_line(d, of_association.get(d.association_id or ""), current) for d in deliveries]
    lines += [Line(None, "", file, None, None, 0, 0, 0, "new") for file in fresh]
    delivered = {d.association_id for d in deliveries}
    absent = {e.association_id: "missing" for e in entries if e.is_expected}
    absent |= {a: "erased" for a in erased if a in register.associations}
    lines += [
        Line(a, roster.name_of(register, a), None, None, None, 0, 0, 0, state)
        for a, state in absent.items()
        if a not in delivered
    ]
    return tuple(
        sorted(lines, key=lambda li: (not li.association_name, li.association_name, li.file or ""))
    )


def _line(d: lake.Delivery, of: Entry | None, current: Round) -> Line:
    return Line(
        d.association_id,
        of.association_name if of else "",
        d.file,
        d.received,
        d.n_questionnaires if d.is_readable else None,
        d.total(Severity.STOP),
        d.total(Severity.ERROR),
        d.total(Severity.WARNING),
        d.state,
        roster.days_late(d, current) if d.state == "loaded" else None,
        of.in_nation if of else True,
    )


def _outcome_lines(settings: Settings) -> tuple[OutcomeLine, ...]:
    """The outcome files that are there, by name."""
    known = {f.seen_as: f for f in outcomes.read_state(settings).files}
    return tuple(
        _outcome_line(known[key]) if key in known else _new_outcome(key[0])
        for key in outcomes.seen(settings)
    )


def _outcome_line(f: outcomes.OutcomeFile) -> OutcomeLine:
    return OutcomeLine(
        file=f.file,
        holds=outcomes.LABELS[f.table] if f.table else "",
        received=f.received,
        rows=f.n_rows,
        counted=f.n_counted,
        stops=f.total(Severity.STOP),
        errors=f.total(Severity.ERROR),
        warnings=f.total(Severity.WARNING),
        state="loaded" if f.is_sound else "stopped",
        holds_personal_data=f.holds_personal_data,
    )


def _new_outcome(file: str) -> OutcomeLine:
    return OutcomeLine(file, "", None, None, None, 0, 0, 0, "new")


def _next_step(
    settings: Settings,
    round_: int,
    lines: Sequence[Line],
    results: Sequence[OutcomeLine],
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
    steps = [*_asks(settings, round_, lines, unwanted), *_asks_of_outcomes(settings, results)]
    is_to_mend = "stopped" in states or any(li.errors for li in lines if li.state == "loaded")
    if is_to_mend or any(line.is_open for line in results):
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
        missing = several(states["missing"], "förbund", "förbund")
        yield f"Påminn {missing} som saknas (nns remind --round {round_}{settings.flags})."
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


def _asks_of_outcomes(settings: Settings, results: Sequence[OutcomeLine]) -> Iterator[str]:
    """What to ask of those who sent outcome files, and what to do with these."""
    if any(line.is_open for line in results):
        yield f"Be avsändarna rätta utfallsfilerna, se {settings.receipts / outcomes.RECEIPTS}."
    if n := sum(line.holds_personal_data for line in results):
        files = several(n, "utfallsfil", "utfallsfiler")
        yield f"Ta bort {files} med personuppgifter ur {settings.raw}."
