"""The receipt of a delivery and the status of a round as pages: Swedish, one file each, no script.

Belongs here: what a page says and in which order; how it looks is in `templates/`. Does not:
finding anything, which receipts there are (the package's own functions), the annotated workbook.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines.findings import LEVELS, Finding, Severity
from pipelines.instrument import Instrument, Round
from pipelines.lake import Delivery
from pipelines.receipts.suggest import columns_of, suggestion
from pipelines.register import Association
from pipelines.status import RATE_HEADINGS, RATE_NOTE, Line, OutcomeLine, Overview, rate_rows
from pipelines.swedish import day, days_left, moment, number, several, short_moment
from pipelines.workbook.personal import discreet

if TYPE_CHECKING:
    from jinja2 import Environment

SHOWN_PER_RULE = 30
"""How many findings of one rule a page lists; the annotated workbook marks them all."""

_TO_MEND = (Severity.STOP, Severity.ERROR)


@dataclass(frozen=True, slots=True)
class Told:
    """A finding as an association reads it.

    Attributes:
        label: the question's wording, where the column holds a question.
        suggestion: the accepted value the cell's value is clearly near.
    """

    finding: Finding
    label: str
    suggestion: str | None

    @property
    def level(self) -> str:
        """The severity in words."""
        return LEVELS[self.finding.severity]

    @property
    def is_to_mend(self) -> bool:
        """Whether something does not count until it is mended."""
        return self.finding.severity in _TO_MEND

    @property
    def question(self) -> str:
        """The column's header, and the question's wording."""
        return ": ".join(part for part in (self.finding.question, self.label) if part)

    @property
    def guess(self) -> str:
        """The suggestion as a sentence, else nothing."""
        return f"Menade du {self.suggestion}?" if self.suggestion else ""

    @property
    def remedy(self) -> str:
        """What to do, the suggestion last."""
        return f"{self.finding.remedy} {self.guess}".strip()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What there is to tell about one delivery.

    Attributes:
        name: of its files, without ending.
        association_name: empty when the association is unknown.
        told: the findings, gravest first.
        previous: questionnaires of the association's last delivery before this round, by id.
        previous_round: the round of that delivery.
        in_force: an earlier file of the association that counts while this one does not.
        replaces: an earlier file of the association that this one takes the place of.
        today: the day the receipt is written.
    """

    name: str
    delivery: Delivery
    association_name: str
    round: Round
    told: tuple[Told, ...]
    previous: Mapping[str, int] | None
    previous_round: int | None
    in_force: str | None
    replaces: str | None
    instrument: Instrument
    is_synthetic: bool
    today: date

    @property
    def who(self) -> str:
        """The association's name, else the file's."""
        return self.association_name or self.file_name

    @property
    def file_name(self) -> str:
        """The file as the association named it."""
        return file_name(self.delivery.file)

    @property
    def kind(self) -> str:
        """What was delivered, in a word."""
        return "webbsvar" if self.delivery.is_web else "registreringsfil"

    @property
    def has_copy(self) -> bool:
        """Whether its findings can be marked in a copy: those of a workbook that was opened."""
        return not self.delivery.is_refused and not self.delivery.is_web

    @property
    def is_loaded(self) -> bool:
        """Whether the delivery counts."""
        return self.delivery.state == "loaded"

    @property
    def verdict(self) -> str:
        """Loaded or not, in words."""
        return "Filen är inläst" if self.is_loaded else "Filen är inte inläst"

    @property
    def why(self) -> str:
        """The reason in one sentence."""
        to_mend = [t.finding for t in self.told if t.is_to_mend]
        if not self.is_loaded:
            stops = [f.wrong for f in to_mend if f.severity is Severity.STOP]
            return stops[0] if stops else "Den räknas inte i resultaten."
        received = several(self.delivery.n_questionnaires, "enkät", "enkäter")
        if not to_mend:
            return f"{received} räknas och inget behöver rättas."
        return f"{received} räknas, men {several(len(to_mend), 'sak', 'saker')} behöver rättas."

    @property
    def is_to_resend(self) -> bool:
        """Whether something is to be mended."""
        return any(t.is_to_mend for t in self.told)

    @property
    def resend(self) -> str:
        """When to send the mended file, seen from today."""
        deadline = self.round.delivery_deadline
        if not self.is_to_resend:
            return "behövs inte"
        if self.today > deadline:
            return f"så snart du kan, sista dag var {day(deadline)}"
        return f"senast {day(deadline)} ({days_left((deadline - self.today).days)})"


@dataclass(frozen=True, slots=True)
class OutcomeReceipt:
    """What there is to tell about one outcome file.

    Attributes:
        holds: what it holds, in words; empty when that is not known.
        is_loaded: whether it was read.
        n_counted: how many of its rows count.
        told: the findings, gravest first.
        associations: whose rows it has, in words, when that is known.
        is_of_several: whether it has those of more than one.
        periods: the periods of its counts, in words.
        figures: for each count its label, of how many others it is part, and it by period.
    """

    file_name: str
    holds: str
    received: datetime
    is_loaded: bool
    n_rows: int
    n_counted: int
    told: tuple[Told, ...]
    associations: str = ""
    is_of_several: bool = False
    periods: tuple[str, ...] = ()
    figures: tuple[tuple[str, int, tuple[int | None, ...]], ...] = ()

    @property
    def verdict(self) -> str:
        """Loaded or not, in words."""
        return "Filen är inläst" if self.is_loaded else "Filen är inte inläst"

    @property
    def why(self) -> str:
        """The reason in one sentence."""
        to_mend = [t.finding for t in self.told if t.is_to_mend]
        if not self.is_loaded:
            return to_mend[0].wrong
        rows = several(self.n_counted, "rad", "rader")
        if not to_mend:
            return f"{rows} räknas och inget behöver rättas."
        things = several(len(to_mend), "sak", "saker")
        return f"{rows} räknas, men {things} behöver rättas. Rätta och lägg filen i mappen igen."


def tell_outcomes(findings: Iterable[Finding]) -> tuple[Told, ...]:
    """The findings of an outcome file as its sender reads them, gravest first."""
    order = list(LEVELS)
    found = sorted(map(_discreet, findings), key=lambda f: order.index(f.severity))
    return tuple(Told(f, "", None) for f in found)


def tell(
    findings: Iterable[Finding],
    delivery: Delivery,
    instrument: Instrument,
    associations: Mapping[str, Association],
) -> tuple[Told, ...]:
    """The findings as an association reads them, gravest first, else in their order."""
    order = list(LEVELS)
    told = []
    for f in sorted(map(_discreet, findings), key=lambda f: order.index(f.severity)):
        field = columns_of(f.sheet, delivery.layout_id, instrument).get(f.question, "")
        question = instrument.questions.get(field)
        label = question.label_sv if question else ""
        told.append(Told(f, label, suggestion(f, delivery, instrument, associations)))
    return tuple(told)


def file_name(file: str) -> str:
    """The name of a delivered file as it is shown."""
    return discreet(PurePosixPath(file).name)


def _discreet(finding: Finding) -> Finding:
    """The finding without personal data, whatever rule it is of."""
    shown: dict[str, Any] = {k: discreet(v) for k, v in finding.as_dict().items()}
    return replace(finding, **shown | {"severity": finding.severity})


def receipt_page(receipt: Receipt, copy: str | None) -> str:
    """The receipt as HTML; `copy` is the annotated workbook's file name beside it, if any."""
    return _render(
        "receipt.html",
        receipt=receipt,
        copy=copy,
        received=_received(receipt),
        sections=_sections(receipt.told),
        names={},
        synthetic=receipt.is_synthetic,
    )


def outcome_page(told: OutcomeReceipt, is_synthetic: bool) -> str:
    """The receipt of an outcome file as HTML; what holds a question elsewhere is a column here."""
    return _render(
        "outcome.html",
        told=told,
        copy=None,
        sections=_sections(told.told),
        names={"Fråga": "Kolumn"},
        synthetic=is_synthetic,
    )


def status_page(
    overview: Overview, receipts: Mapping[str, str], is_synthetic: bool, today: date
) -> str:
    """The round's status as HTML; `receipts` are the links by the delivery's file."""
    return _render(
        "status.html",
        seen=overview,
        lines=[_status_line(line, receipts) for line in overview.lines],
        rates=rate_rows(overview),
        rate_headings=RATE_HEADINGS,
        rate_note=RATE_NOTE,
        outcomes=[_outcome_line(line, receipts) for line in overview.outcomes],
        left=days_left(overview.days_left),
        synthetic=is_synthetic,
        today=today,
    )


# --- the parts of a page ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """Findings in one table; `remedy` when it is the same for all, else each row has its own."""

    told: Sequence[Told]
    remedy: str

    @property
    def columns(self) -> list[str]:
        """The headings of the columns that hold something."""
        columns = {
            "Blad": any(t.finding.sheet for t in self.told),
            "Cell": any(t.finding.cell for t in self.told),
            "Fråga": any(t.question for t in self.told),
            "Ditt värde": any(t.finding.value for t in self.told),
            "Gör så här": not self.remedy,
        }
        return [name for name, is_used in columns.items() if is_used]


@dataclass(frozen=True, slots=True)
class _Group:
    """Findings with the same cause; `hidden` more of the rule are not listed."""

    parts: Sequence[_Part]
    hidden: int

    @property
    def first(self) -> Told:
        """What is said of them all is said of this one."""
        return self.parts[0].told[0]


def _sections(told: Sequence[Told]) -> list[tuple[str, str, int, list[_Group]]]:
    """Identifier, heading, number of findings and groups of the two lists."""
    lists = (
        ("att-ratta", "Att rätta", [t for t in told if t.is_to_mend]),
        ("bra-att-veta", "Bra att veta", [t for t in told if not t.is_to_mend]),
    )
    return [(name, heading, len(some), _groups(some)) for name, heading, some in lists]


def _groups(told: Sequence[Told]) -> list[_Group]:
    """The findings by what is wrong, in the order the rules first appear."""
    groups: list[_Group] = []
    for of_rule in _grouped(told, lambda t: t.finding.rule_id):
        shown, hidden = of_rule[:SHOWN_PER_RULE], len(of_rule[SHOWN_PER_RULE:])
        alike = [_split(some) for some in _grouped(shown, lambda t: t.finding.wrong)]
        groups += [_Group(parts, 0) for parts in alike[:-1]]
        groups.append(_Group(alike[-1], hidden))
    return groups


def _split(told: list[Told]) -> list[_Part]:
    """A part per remedy, unless nearly every finding has its own."""
    parts = [_Part(some, some[0].finding.remedy) for some in _grouped(told, _remedy)]
    return parts if len(parts) == 1 or 2 * len(parts) <= len(told) else [_Part(told, "")]


def _remedy(told: Told) -> str:
    return told.finding.remedy


def _grouped(told: Iterable[Told], key: Callable[[Told], Hashable]) -> list[list[Told]]:
    """The findings with the same key together, in the order the keys first appear."""
    groups: dict[Hashable, list[Told]] = {}
    for t in told:
        groups.setdefault(key(t), []).append(t)
    return list(groups.values())


def _received(receipt: Receipt) -> list[tuple[str, str, str]]:
    """Sheet name, questionnaires now and last round, their sum last; nothing when none is known."""
    now, before = receipt.delivery.rows_per_questionnaire, receipt.previous
    is_read = bool(now) or receipt.is_loaded
    if not is_read and before is None:
        return []
    known = receipt.instrument.questionnaires_in(receipt.round.round)
    if receipt.delivery.is_web:
        known = tuple(q for q in known if q.questionnaire_id in now)
    rows = [
        (
            q.sheet_name,
            now.get(q.questionnaire_id, 0),
            (before or {}).get(q.questionnaire_id, 0),
        )
        for q in known
    ]
    rows.append(("Totalt", sum(n for _, n, _ in rows), sum(n for _, _, n in rows)))
    return [
        (name, number(n) if is_read else "–", "–" if before is None else number(m))
        for name, n, m in rows
    ]


def _status_line(line: Line, receipts: Mapping[str, str]) -> dict[str, Any]:
    is_current = line.state in ("loaded", "stopped")
    return {
        "name": line.association_name or ("–" if line.state == "new" else "okänt förbund"),
        "file": file_name(line.file) if line.file else None,
        "received": short_moment(line.received) if line.received else None,
        "counts": (
            ("Enkäter", line.questionnaires),
            ("Stopp", line.stops if line.received else None),
            ("Fel", line.errors if line.received else None),
            ("Varningar", line.warnings if line.received else None),
        ),
        "state": line.state_sv,
        "is_open": line.state in ("stopped", "missing", "new"),
        "receipt": receipts.get(line.file or "") if is_current else None,
    }


def _outcome_line(line: OutcomeLine, receipts: Mapping[str, str]) -> dict[str, Any]:
    is_known = line.received is not None
    return {
        "file": discreet(line.file),
        "holds": line.holds,
        "received": short_moment(line.received) if line.received else None,
        "counts": (
            ("Rader", line.rows),
            ("Räknas", line.counted),
            ("Stopp", line.stops if is_known else None),
            ("Fel", line.errors if is_known else None),
            ("Varningar", line.warnings if is_known else None),
        ),
        "state": line.state_sv,
        "is_open": line.is_open or not is_known,
        "receipt": receipts.get(line.file),
    }


def _render(template: str, **content: Any) -> str:
    return _templates().get_template(template).render(**content)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"day": day, "moment": moment, "number": number, "file_name": file_name}
    return templates
