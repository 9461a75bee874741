"""Alarms: what the steward should be told without asking, each with a key that stays the same.

Belongs here: gathering them from findings, the roster, the files and the runs. Does not: finding
anything in a workbook (reader, expectations), remembering what was told and sending it (digest.py).
Sentences and levels are rows of `expectations/alarms.csv`, limits in `thresholds.json`.

An alarm leaves the house by mail, so it repeats nothing a cell holds: of a finding's sentence it
keeps counts, days, sheets and associations (`told_in_mail`), all else is left out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import PurePosixPath
from string import Formatter

from pipelines import audit, lake, loading, outcomes, quality, receipts, roster, runs
from pipelines.findings import Finding, Severity, rules, thresholds
from pipelines.instrument import Instrument, Round
from pipelines.lake import Delivery, Manifest
from pipelines.register import Register
from pipelines.roster import Entry
from pipelines.settings import EXPECTATIONS, Settings
from pipelines.swedish import day, local_day, moment, several
from pipelines.workbook.personal import discreet

ALARMS = EXPECTATIONS / "alarms.csv"
"""The rules about the roster, files and runs; those of findings are the findings' own."""

_LEFT_OUT = "…"
_TOLD = (Severity.STOP, Severity.ERROR, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is not as it should be.

    Attributes:
        rule_id: a rule of `alarms.csv`, or the finding's.
        round: None for what concerns no round.
        about: the association's name or the file, as it may be shown; empty for neither.
        wrong, remedy: what it is and what to do, in Swedish.
        key: the same as long as it is the same fault.
    """

    rule_id: str
    severity: Severity
    round: int | None
    association_id: str | None
    about: str
    wrong: str
    remedy: str
    key: str


@dataclass(frozen=True, slots=True)
class _Scene:
    """What alarms about a round are drawn from."""

    settings: Settings
    manifest: Manifest
    instrument: Instrument
    register: Register
    round: Round
    today: date
    log: audit.Log

    def present(self, state: str = "") -> list[Delivery]:
        """The round's deliveries that are in the landing zone."""
        return [d for d in self.manifest.present(self.round.round) if state in ("", d.state)]

    def alarm(self, rule_id: str, entry: Entry | None, *what: str, **words: object) -> Alarm:
        """An alarm of the catalogue about the round, or one of its associations."""
        return _alarm(
            rule_id,
            round_=self.round.round,
            association_id=entry.association_id if entry else None,
            about=roster.short_name(entry.association_name) if entry else "",
            what=what,
            words={
                "round": self.round.round,
                "deadline": day(self.round.delivery_deadline),
                **words,
            },
        )


def raised(
    settings: Settings, instrument: Instrument, register: Register, now: datetime
) -> tuple[Alarm, ...]:
    """All alarms there are, gravest first, the newest round first.

    Looked at are the rounds that are on and all for which something was delivered.

    Args:
        settings: the folders.
        instrument: the seeds.
        register: the associations.
        now: decides which rounds are on, what is missing, and how old the last run is.
    """
    manifest, log, today = lake.read_manifest(settings), audit.read(settings), local_day(now)
    delivered = {d.round for d in manifest.deliveries}
    found = [*of_operations(settings, instrument, now), *_of_outcomes(settings)]
    for round_ in instrument.rounds.values():
        scene = _Scene(settings, manifest, instrument, register, round_, today, log)
        if roster.is_on(round_, today) or round_.round in delivered:
            found += _of_round(scene)
    order = list(Severity)
    found.sort(key=lambda a: (order.index(a.severity), -(a.round or 9999), a.about, a.rule_id))
    return tuple(found)


def of_operations(settings: Settings, instrument: Instrument, now: datetime) -> tuple[Alarm, ...]:
    """The alarms about runs, the audit log, and files that lie where none is read."""
    return (
        *_of_runs(settings, instrument, now),
        *_of_log(settings),
        *_of_strange_folders(settings, instrument, now),
    )


def unreadable_register(reason: str) -> Alarm:
    """The alarm that the register cannot be used, with the reason in Swedish."""
    return _alarm("register_unreadable", words={"reason": reason})


def _of_round(scene: _Scene) -> Iterator[Alarm]:
    args = (scene.manifest, scene.instrument, scene.register, scene.round.round)
    entries = roster.of_round(*args, scene.log.erased_units)
    yield from _of_findings(scene)
    yield from _of_absence(scene, entries)
    for entry in entries:
        yield from _of_files(scene, entry)
        yield from _of_volume(scene, entry)
        yield from _of_predecessor(scene, entry, entries)
    yield from _of_personal_data(scene)


# --- findings -----------------------------------------------------------------------------------


def _of_findings(scene: _Scene) -> Iterator[Alarm]:
    """One alarm per rule and delivery that counts or waits; what only informs is none.

    Of a delivery that waits only what stops it: the rest stands in its receipt, and may be gone.
    """
    pages = receipts.pages_of(scene.settings, scene.manifest, scene.round.round)
    for d in (*scene.present("loaded"), *scene.present("stopped")):
        by_rule: dict[str, list[Finding]] = {}
        told_of = _TOLD if d.state == "loaded" else (Severity.STOP,)
        for f in lake.findings_of(scene.settings, d):
            if f.severity in told_of:
                by_rule.setdefault(f.rule_id, []).append(f)
        telling = {
            r: f for r, f in by_rule.items() if len(f) >= thresholds()["told_from"].get(r, 1)
        }
        receipt = pages[d.file].relative_to(scene.settings.home).as_posix()
        for rule_id, found in telling.items():
            places = f" ({len(found)} ställen)" if len(found) > 1 else ""
            yield _alarm(
                f"finding_{found[0].severity}",
                rule_id,
                round_=scene.round.round,
                association_id=d.association_id,
                about=_whose(scene, d),
                what=(d.association_id or d.file, d.sha256),
                words={"wrong": told(found[0]) + places, "receipt": receipt},
            )


def _of_outcomes(settings: Settings) -> Iterator[Alarm]:
    """The same for outcome files, and those with personal data that still lie there."""
    state, pages = outcomes.read_state(settings), outcomes.pages_of(settings)
    found = outcomes.findings_of(settings, state)
    for f in state.files:
        about = discreet(PurePosixPath(f.file).name)
        receipt = pages[f.file].relative_to(settings.home).as_posix()
        by_rule: dict[str, list[Finding]] = {}
        for own in found[f.file]:
            if own.severity in _TOLD:
                by_rule.setdefault(own.rule_id, []).append(own)
        for rule_id, some in by_rule.items():
            yield _alarm(
                f"finding_{some[0].severity}",
                rule_id,
                about=about,
                what=(f.file, f.sha256),
                words={"wrong": told(some[0]), "receipt": receipt},
            )
        if f.holds_personal_data:
            yield _alarm("personal_data_remains", about=about, what=(f.file,))


def told(finding: Finding) -> str:
    """What is wrong, without anything that may come from a cell."""
    template = _templates()[finding.rule_id]
    fields = {name for _, name, _, _ in Formatter().parse(template) if name}
    if fields <= set(thresholds()["told_in_mail"]):
        return finding.wrong
    return template.format_map(dict.fromkeys(fields, _Hole()))


class _Hole:
    """Stands in a sentence for what is left out, however it would be written."""

    def __format__(self, form: str) -> str:
        return _LEFT_OUT


@cache
def _templates() -> dict[str, str]:
    every = rules() | quality.rules() | quality.rules(outcomes.TABLES)
    return {rule_id: rule.wrong_sv for rule_id, rule in every.items()}


def _whose(scene: _Scene, delivery: Delivery) -> str:
    """The association, or the file where it is unknown."""
    if delivery.association_id:
        name = roster.name_of(scene.register, delivery.association_id)
        return roster.short_name(name)
    return discreet(PurePosixPath(delivery.file).name)


# --- the roster ---------------------------------------------------------------------------------


def _of_absence(scene: _Scene, entries: Sequence[Entry]) -> Iterator[Alarm]:
    """Who has not delivered: once for all shortly before the deadline, each one after it.

    The associations are counted as in the overview: those in the nation.
    """
    expected = [e for e in entries if e.is_expected]
    missing = [e for e in expected if e.state == "missing"]
    days_left = (scene.round.delivery_deadline - scene.today).days
    is_near = days_left <= thresholds()["due_days"]
    if not missing or not is_near or not roster.is_on(scene.round, scene.today):
        return
    if days_left < 0:
        yield from (scene.alarm("delivery_missing", entry) for entry in missing)
    elif n := sum(e.in_nation for e in missing):
        counted = sum(e.in_nation for e in expected)
        yield scene.alarm("delivery_due", None, n=n, expected=counted)


def _of_predecessor(scene: _Scene, entry: Entry, entries: Sequence[Entry]) -> Iterator[Alarm]:
    """A delivery in the name of an association that went up in another."""
    if entry.is_expected or entry.state not in ("delivered", "waiting"):
        return
    for other in entries:
        if other.is_expected and entry.association_id in scene.register.predecessors(
            other.association_id
        ):
            yield scene.alarm(
                "predecessor_delivered",
                entry,
                other.association_id,
                successor=roster.short_name(other.association_name),
                successor_id=other.association_id,
            )


def _of_files(scene: _Scene, entry: Entry) -> Iterator[Alarm]:
    """Which of an association's files counts, and whether it came in time."""
    copies = Counter(d.sha256 for d in entry.deliveries if d.is_present)
    for sha256, n in copies.items():
        if n > 1:
            yield scene.alarm("delivery_copied", entry, sha256)
    counting = entry.counting
    if not counting:
        yield from _of_removed(scene, entry)
        return
    if roster.is_late(entry.days_late):
        days = several(entry.days_late or 0, "dag", "dagar")
        yield scene.alarm("delivery_late", entry, counting.sha256, days=days)
    for d in entry.deliveries:
        if d.state == "loaded" and not d.is_web:
            yield from _of_replaced(scene, entry, d)


def _of_replaced(scene: _Scene, entry: Entry, counting: Delivery) -> Iterator[Alarm]:
    """How a workbook's others came: before the one that counts, with it, or later though older."""
    others = [
        d
        for d in entry.deliveries
        if d.unit == counting.unit and d.state == "replaced"
        if d.sha256 != counting.sha256 and d.first_load
    ]
    if any(d.first_load < counting.first_load for d in others):
        yield scene.alarm("delivery_replaced", entry, counting.sha256)
    for d in others:
        if d.is_present and d.first_load == counting.first_load:
            yield scene.alarm("delivery_twice", entry, d.sha256, counting.sha256)
        elif d.is_present and d.first_load > counting.first_load:
            yield scene.alarm("delivery_older", entry, d.sha256)


def _of_removed(scene: _Scene, entry: Entry) -> Iterator[Alarm]:
    """A file that counted and is gone; one that waited was to be taken away."""
    gone = [d for d in entry.deliveries if d.state == "removed" and d.is_sound]
    if gone and entry.state == "missing":
        yield scene.alarm("delivery_removed", entry, gone[-1].sha256)


def _of_volume(scene: _Scene, entry: Entry) -> Iterator[Alarm]:
    """Half or twice as many questionnaires as last round, unless a finding tells it."""
    round_, limits = scene.round.round, thresholds()
    volumes: Counter[int] = Counter()
    for d in scene.manifest.counting():
        if d.association_id == entry.association_id and d.round <= round_:
            volumes[d.round] += d.n_questionnaires
    round_before = max((r for r in volumes if r < round_), default=0)
    is_only_web = entry.counting is not None and entry.counting.is_web
    if is_only_web or round_ not in volumes or volumes[round_before] < limits["volume_min"]:
        return
    ratio = volumes[round_] / volumes[round_before]
    counting = [d for d in entry.deliveries if d.state == "loaded"]
    findings = {
        f.rule_id for d in counting for f in lake.findings_of(scene.settings, d, ("checks",))
    }
    is_usual = limits["volume_ratio"] < ratio < 1 / limits["volume_ratio"]
    if not is_usual and "volume_far_from_last_round" not in findings:
        yield scene.alarm(
            "volume_unusual",
            entry,
            *(d.sha256 for d in counting),
            n=volumes[round_],
            n_before=volumes[round_before],
            round_before=round_before,
        )


def _of_personal_data(scene: _Scene) -> Iterator[Alarm]:
    """Files with personal data that are still in the landing zone."""
    for d in scene.present():
        if d.holds_personal_data:
            yield _alarm(
                "personal_data_remains",
                round_=scene.round.round,
                association_id=d.association_id,
                about=_whose(scene, d),
                what=(d.file, d.sha256),
            )


# --- runs, log and folders -----------------------------------------------------------------------


def _of_runs(settings: Settings, instrument: Instrument, now: datetime) -> Iterator[Alarm]:
    """A run that failed; and while a round is on, that none went well for too long."""
    if job := runs.failed(settings):
        yield _alarm("run_failed", words={"job": job})
    hours, today = thresholds()["run_max_age_hours"], local_day(now)
    is_on = any(roster.is_on(round_, today) for round_ in instrument.rounds.values())
    success = runs.last_success(settings)
    if is_on and (success is None or now - success > timedelta(hours=hours)):
        when = moment(success) if success else "ingen än"
        yield _alarm("run_too_old", words={"hours": hours, "moment": when})


def _of_log(settings: Settings) -> Iterator[Alarm]:
    """That the audit log was changed by another than this program."""
    if faults := audit.verify(settings):
        yield _alarm("audit_broken", words={"wrong": " ".join(faults)})


def _of_strange_folders(
    settings: Settings, instrument: Instrument, now: datetime
) -> Iterator[Alarm]:
    """Files and folders in the landing zone that are not read."""
    opened = [r.round for r in instrument.rounds.values() if r.opens <= local_day(now)]
    for path in loading.passed_over(settings, instrument):
        name = path.relative_to(settings.raw).as_posix()
        words = {"path": discreet(name), "round": f"{settings.raw.name}/{max(opened, default='')}"}
        yield _alarm("folder_unknown", what=(name,), words=words)


# --- the alarm itself ---------------------------------------------------------------------------


def _alarm(
    sentence: str,
    rule_id: str = "",
    *,
    round_: int | None = None,
    association_id: str | None = None,
    about: str = "",
    what: Iterable[str] = (),
    words: Mapping[str, object] | None = None,
) -> Alarm:
    """An alarm with the sentences of a row of the catalogue; `what` is what it is about."""
    rule, rule_id = rules(ALARMS)[sentence], rule_id or sentence
    told = "\0".join((rule_id, str(round_), association_id or "", *what))
    return Alarm(
        rule_id=rule_id,
        severity=rule.severity,
        round=round_,
        association_id=association_id,
        about=about,
        wrong=rule.wrong_sv.format_map(words or {}),
        remedy=rule.remedy_sv.format_map(words or {}),
        key=f"{rule_id}-{hashlib.sha256(told.encode()).hexdigest()[:16]}",
    )
