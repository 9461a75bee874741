"""The steward's decisions on a delivery: taken out of all results, back in, erased for good.

Belongs here: whether a decision can be made, and making it known to log, lake and disk. Does not:
the figures and receipts that follow from it; a check and a build make those.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from pipelines import audit, erasure, lake, loading
from pipelines.lake import Delivery
from pipelines.register import Register
from pipelines.settings import Settings
from pipelines.swedish import moment
from pipelines.workbook.personal import personal_data

LONGEST_REASON = 200


class WithdrawalError(Exception):
    """The decision cannot be made; the message is Swedish and says what to do."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An association's deliveries of a round, and what was decided on them.

    Attributes:
        decision: the steward's last act on them, if any.
        deliveries: those the manifest holds, also of files that are gone.
    """

    association_id: str
    round: int
    log: audit.Log
    deliveries: tuple[Delivery, ...]

    @property
    def decision(self) -> audit.Line | None:
        """The steward's last act on them, if any."""
        return self.log.decisions.get((self.round, self.association_id))

    @property
    def is_withdrawn(self) -> bool:
        """Whether they are withdrawn now."""
        return (self.round, self.association_id) in self.log.withdrawn

    @property
    def present(self) -> list[Delivery]:
        """Those whose files are in the landing zone."""
        return [d for d in self.deliveries if d.is_present]

    @property
    def contents(self) -> dict[str, str | None]:
        """What an erasure takes: SHA-256 and name of each content ever read, newest log last."""
        logged = {
            line.act.sha256: line.act.delivery
            for line in self.log.states.values()
            if (line.act.round, line.act.association_id) == (self.round, self.association_id)
            if line.act.sha256
        }
        now = {d.sha256: d.delivery_id for d in self.deliveries}
        return {s: name for s, name in {**logged, **now}.items() if s not in self.log.erased}


def unit(settings: Settings, register: Register, association_id: str, round_: int) -> Unit:
    """What there is of an association and round.

    Raises:
        WithdrawalError: neither the register nor any delivery knows the association.
        BrokenLogError: the audit log is not whole.
    """
    log, all_of_them = audit.whole(settings), lake.read_manifest(settings).deliveries
    own = {d.sha256 for d in all_of_them if d.unit[:2] == (round_, association_id)}
    elsewhere = {d.sha256 for d in all_of_them if d.unit[1] is not None} - own
    deliveries = tuple(
        d
        for d in all_of_them
        if (d.round, d.association_id) == (round_, association_id)
        # another round's file that lies here by mistake is not this round's to take
        if d.sha256 not in elsewhere
    )
    known = {*register.associations, *(line.act.association_id for line in log.lines)}
    if association_id not in known:
        near = get_close_matches(association_id, [k for k in known if k], n=1)
        hint = f" Menade du {near[0]}?" if near else ""
        raise WithdrawalError(f"Förbundet {association_id} finns inte i registret.{hint}")
    return Unit(association_id, round_, log, deliveries)


def withdraw(settings: Settings, register: Register, chosen: Unit, reason: str) -> None:
    """Takes all deliveries out of the results, also those that come later.

    Raises:
        WithdrawalError: nothing is delivered, or it is withdrawn or erased already.
    """
    if chosen.is_withdrawn:
        raise WithdrawalError(f"{_named(chosen)} är redan återkallad ({_when(chosen)}).")
    if not chosen.present:
        if chosen.decision and chosen.decision.act.act == "erase":
            raise WithdrawalError(
                f"{_named(chosen)} är raderad ({_when(chosen)}), det finns inget att återkalla."
            )
        raise WithdrawalError(
            f"Inget är inläst av {_named(chosen)}. Se vad som har kommit: "
            f"nns status --round {chosen.round}"
        )
    _decide(settings, register, chosen, "withdraw", reason)


def restore(settings: Settings, register: Register, chosen: Unit, reason: str) -> None:
    """Takes withdrawn deliveries back in.

    Raises:
        WithdrawalError: they are not withdrawn, or erased.
    """
    if chosen.decision and chosen.decision.act.act == "erase":
        raise WithdrawalError(
            f"{_named(chosen)} är raderad ({_when(chosen)}) och kan inte tas tillbaka. "
            f"Be förbundet om en ny fil och lägg den i {settings.raw / str(chosen.round)}."
        )
    if not chosen.is_withdrawn:
        raise WithdrawalError(f"{_named(chosen)} är inte återkallad, det finns inget att ta in.")
    _decide(settings, register, chosen, "restore", reason)


def erase(settings: Settings, register: Register, chosen: Unit, reason: str) -> None:
    """Erases all contents ever read of the association and round.

    Raises:
        WithdrawalError: nothing was ever read.
        UiOpenError: Dagster's page is open; nothing is done.
    """
    may_be_erased(chosen)
    erasure.not_open(settings)
    whose, words = (chosen.round, chosen.association_id), _proper(reason)
    stones = [audit.Act("erase", *whose, sha256=sha256) for sha256 in sorted(chosen.contents)]
    decision = audit.Act("erase", *whose, counts={"files": len(stones)}, reason=words)
    audit.append(settings, [*stones, decision])
    erasure.finish(settings, register)


def may_be_erased(chosen: Unit) -> None:
    """Refuses what is not there.

    Raises:
        WithdrawalError: nothing was ever read, or all of it is erased.
    """
    if not chosen.contents:
        is_erased = chosen.decision and chosen.decision.act.act == "erase"
        why = f"är redan raderad ({_when(chosen)})" if is_erased else "har inget inläst att radera"
        raise WithdrawalError(f"{_named(chosen)} {why}.")


def erased_files(settings: Settings, *rounds: int) -> list[Path]:
    """The files of the landing zone that are passed over since their content is erased."""
    marks = set(lake.read_manifest(settings).erased)
    return [
        path
        for round_ in (rounds if marks else ())
        for path in loading.delivered(settings, round_)
        if lake.mark_of(loading.seen_as(settings, path)) in marks
    ]


def _decide(settings: Settings, register: Register, chosen: Unit, act: str, reason: str) -> None:
    counts = {"files": len(chosen.present)}
    decided = audit.Act(
        act, chosen.round, chosen.association_id, counts=counts, reason=_proper(reason)
    )
    audit.append(settings, [decided])
    withdrawn = audit.whole(settings).withdrawn
    audit.record(settings, lake.resettle(settings, register, withdrawn))


def _proper(reason: str) -> str:
    """The reason in one line.

    Raises:
        WithdrawalError: it is too long or holds personal data; it stands in the log for good.
    """
    words = " ".join(reason.encode("utf-8", "replace").decode().split())
    if kind := personal_data(words):
        raise WithdrawalError(
            f"Skälet innehåller {kind}. Det sparas för alltid: skriv det utan personuppgifter."
        )
    if len(words) > LONGEST_REASON:
        raise WithdrawalError(f"Skälet är för långt: skriv högst {LONGEST_REASON} tecken.")
    return words


def _named(chosen: Unit) -> str:
    return f"{chosen.association_id} i omgång {chosen.round}"


def _when(chosen: Unit) -> str:
    """When the last decision was made, and why."""
    line = chosen.decision
    if line is None:
        return ""
    day = moment(datetime.fromisoformat(line.moment))
    return f"{day}: {line.act.reason}" if line.act.reason else day
