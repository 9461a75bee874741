"""Drafts of reminders: a mail to each association that has not delivered or has something to mend.

Belongs here: whom to remind of what, and the drafts as text files. Does not: sending anything; the
steward reads, changes and sends them.

```
NNS_HOME/reminders/<round>/<association>.txt
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines import audit, lake, receipts, roster
from pipelines.files import write_text
from pipelines.findings import Severity
from pipelines.instrument import Instrument
from pipelines.lake import Delivery
from pipelines.register import Register
from pipelines.roster import Entry
from pipelines.settings import Settings
from pipelines.swedish import day, listed, several

REASONS = {
    "missing": "har inte levererat",
    "waiting": "väntar på rättning",
    "errors": "har fel att rätta",
}
"""Why an association is reminded, and what the steward reads."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A reminder to one association; `why` is one of `REASONS`."""

    entry: Entry
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the drafts by their file, and how many no longer due were removed."""

    drafts: Mapping[Path, Draft]
    n_removed: int


def write(
    settings: Settings, instrument: Instrument, register: Register, round_: int, today: date
) -> Written:
    """Writes a round's drafts and removes those that are no longer due.

    Args:
        settings: where they go.
        instrument: the seeds.
        register: the associations.
        round_: the round.
        today: the day the mails are meant for.
    """
    folder = settings.reminders / str(round_)
    named: dict[Path, Draft] = {}
    for draft in drafts(settings, instrument, register, round_, today):
        name = receipts.free_name(draft.entry.association_id, {p.stem for p in named})
        named[folder / f"{name}.txt"] = draft
    stale = [path for path in folder.glob("*.txt") if path not in named]
    for path in stale:
        path.unlink()
    for path, draft in named.items():
        write_text(path, draft.text)
    return Written(named, len(stale))


def drafts(
    settings: Settings, instrument: Instrument, register: Register, round_: int, today: date
) -> tuple[Draft, ...]:
    """The reminders that are due, by the association's name; none before the round opens."""
    manifest = lake.read_manifest(settings)
    if today < instrument.rounds[round_].opens:
        return ()
    pages = receipts.pages_of(settings, manifest, round_)
    found = []
    erased = audit.read(settings).erased_units
    for entry in roster.of_round(manifest, instrument, register, round_, erased):
        if why := _why(entry):
            delivery = entry.telling
            attached = _attached(settings, pages, delivery) if delivery and why != "missing" else []
            text = "\n".join(_lines(entry, why, attached, register, today))
            found.append(Draft(entry, why, f"{text}\n"))
    return tuple(found)


def _why(entry: Entry) -> str:
    """Why an association is reminded; empty when it need not be."""
    if entry.state == "missing":
        return "missing" if entry.is_expected else ""
    if entry.state == "waiting":
        return "waiting"
    return "errors" if entry.counting and entry.counting.total(Severity.ERROR) else ""


def _attached(settings: Settings, pages: Mapping[str, Path], delivery: Delivery) -> list[str]:
    """The receipt's page, and the marked workbook when there is one, from the home folder."""
    page = pages[delivery.file]
    files = [page, *sorted(page.parent.glob(f"{page.stem}.xls[xm]"))]
    return [path.relative_to(settings.home).as_posix() for path in files if path.exists()]


# --- the text -----------------------------------------------------------------------------------


def _lines(
    entry: Entry, why: str, attached: Sequence[str], register: Register, today: date
) -> Iterator[str]:
    subjects = {
        "missing": "registreringsfilen saknas",
        "waiting": "filen behöver rättas innan den kan läsas in",
        "errors": "några uppgifter behöver rättas",
    }
    yield f"Till: kontaktpersonen hos {entry.association_name}"
    yield f"Ämne: NNS indikatorer {entry.round.round}: {subjects[why]}"
    if attached:
        yield f"Bifoga: {', '.join(attached)}"
    yield ""
    yield "Hej!"
    yield ""
    yield from _what(entry, why, register)
    yield ""
    yield _when(entry, today)
    yield ""
    yield from _how(why, attached)
    yield ""
    yield "Behöver ni mer tid, eller är något oklart? Svara på det här mejlet."
    yield ""
    yield "Vänliga hälsningar"
    yield "NNS"


def _what(entry: Entry, why: str, register: Register) -> Iterator[str]:
    name, round_ = entry.association_name, entry.round.round
    if why == "missing":
        yield f"Vi har inte fått någon registreringsfil från {name} för mätomgång {round_}."
        if entry.merged_from:
            merged = [roster.name_of(register, old) for old in entry.merged_from]
            yield f"{listed(merged)} har gått upp i {name}:"
            yield "det räcker med en fil för hela förbundet."
        return
    delivery = entry.telling
    if delivery is None:
        return
    stops, errors = delivery.total(Severity.STOP), delivery.total(Severity.ERROR)
    found = [several(stops, "stopp", "stopp")] * bool(stops)
    found += [several(errors, "fel", "fel")] * bool(errors)
    if why == "waiting":
        yield f"Tack för filen från {name} för mätomgång {round_}. Den är inte inläst än:"
        yield f"den har {listed(found)} att rätta."
    else:
        yield f"Tack för filen från {name} för mätomgång {round_}. Den är inläst, men den har"
        yield f"{listed(found)}, och det som är fel räknas inte förrän det är rättat."
    yield "Allt står i den bifogade kvittensen, med blad, cell och vad ni kan göra."
    if delivery.holds_personal_data:
        yield "Filen har personuppgifter: radera den hos er och i mejlet den skickades med."


def _when(entry: Entry, today: date) -> str:
    deadline = entry.round.delivery_deadline
    left = (deadline - today).days
    if left < 0:
        ago = several(-left, "dag", "dagar")
        return f"Sista dag att leverera var {day(deadline)}, för {ago} sedan. Filen tas emot ändå."
    if left == 0:
        return f"Sista dag att leverera är i dag, {day(deadline)}."
    return f"Sista dag att leverera är {day(deadline)}, {several(left, 'dag', 'dagar')} kvar."


def _how(why: str, attached: Sequence[str]) -> Iterator[str]:
    is_marked = any(not file.endswith(".html") for file in attached)
    marked = " I den bifogade Excelfilen är cellerna markerade." if is_marked else ""
    yield "Så här gör ni:"
    if why == "missing":
        yield "1. Fyll i omgångens mall, en rad per enkät. Skriv inga namn och inga personnummer."
    else:
        yield f"1. Rätta i er egen fil.{marked}"
    yield "2. Spara den som .xlsx."
    yield "3. Skicka hela filen till NNS, på samma sätt som tidigare. Den nyaste filen gäller."
