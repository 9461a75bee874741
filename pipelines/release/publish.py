"""Publishing a round: from the marts to what a release would be, and to the release.

Belongs here: the order of things, and that there is no release without a clean audit. Does not: the
protection (round.py), the tables (protected.py), or files (assemble.py and the formats).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

from pipelines import audit, disclosure, lock, warehouse
from pipelines.disclosure import Published, Rule, Verdict
from pipelines.lake import Manifest
from pipelines.release import (
    assemble,
    before,
    catalogue,
    csvs,
    datapackage,
    duck,
    due,
    isf,
    jsonstat,
    kolada,
    marts,
    memory,
    parquet,
    protected,
    px,
    rka,
    workbook,
)
from pipelines.release import counts as figures
from pipelines.release import round as whole
from pipelines.release.assemble import Assembled, Basis, Source, Writer
from pipelines.release.due import Examined, Tally
from pipelines.release.table import BRACKET, EMPTY, HIDDEN, SHOWN, Content
from pipelines.report import making
from pipelines.settings import Settings

_FORMATS: tuple[Writer, ...] = (
    csvs.write,
    parquet.write,
    workbook.write,
    duck.write,
    px.write,
    jsonstat.write,
    catalogue.write,
    datapackage.write,
    kolada.write,
    isf.write,
)


class NotReadyError(Exception):
    """There is nothing to publish, or it is not up to date; the message is Swedish."""


REFUSALS = (
    NotReadyError,
    disclosure.UnprotectableError,
    memory.ForgottenError,
    whole.ExposedError,
)
"""Why there may be no release of a round; all say so in Swedish."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a release of a round would be.

    Attributes:
        content: the protected tables.
        published: what it tells, family by family, for later releases.
        verdict: what the audit found.
        tallies: what is shown and hidden, in numbers.
        rule: the thresholds.
        number: of the release this would be, if it says anything new.
        earlier: what the releases of earlier rounds say, for trends.
    """

    content: Content
    published: tuple[Published, ...]
    verdict: Verdict
    tallies: tuple[Tally, ...]
    rule: Rule
    number: int
    earlier: before.Tables


def plan(settings: Settings, round_: int) -> Plan:
    """Protects a round and audits the result; writes nothing.

    Raises:
        NotReadyError: the marts are not up to date, or have nothing of the round.
        UnprotectableError: earlier releases tell too much already.
        ExposedError: the audit is not clean.
        ForgottenError: what an earlier release told is not known.
    """
    if not warehouse.is_current(settings):
        raise NotReadyError("Marterna är inte aktuella. Kör först: nns run")
    source = marts.read(settings.snapshot, warehouse.ensure_manifest(settings), round_)
    if not source.rows["response_rates"]:
        raise NotReadyError(f"Det finns inga svar i omgång {round_} att publicera.")
    rule = disclosure.rule(settings.min_answers)
    numbers = _numbers(settings, round_)
    earlier = memory.recall(settings, round_, numbers)
    made = whole.protect(source, earlier, rule)
    past = before.past(settings, round_)
    content = protected.content(source, whole.figures(made), past, rule)
    return Plan(
        content=content,
        published=tuple(one.published for one in made),
        verdict=whole.audit(content, source, made, earlier, rule),
        tallies=tuple(_tallies(content, made, rule)),
        rule=rule,
        number=max(numbers, default=0) + 1,
        earlier=before.tables(settings, round_),
    )


def release(
    settings: Settings, made: Plan, manifest: Manifest, *, allow_synthetic: bool = False
) -> Assembled:
    """Makes the release of a plan, unless the latest one says the same.

    Args:
        settings: the folders.
        made: the plan, of the marts as they still are.
        manifest: the lake's, for the deliveries it rests on.
        allow_synthetic: whether the delivery to RKA is made of invented data too; it then says so.

    Raises:
        TitleError: a title is not the one agreed with RKA.
        UnequalError, NoFileError: a format is wrong; there is no release.
        BrokenLogError: the audit log is not whole; there is no release.
        LinkError: there is a release but `latest` does not point at it.
    """
    round_ = made.content.round
    to_rka: Writer = partial(rka.write, allow_synthetic=allow_synthetic)
    writers = _FORMATS if made.content.is_synthetic and not allow_synthetic else [*_FORMATS, to_rka]
    with lock.alone(settings, lock.PATIENCE):
        log = audit.whole(settings)
        memory.keep(settings, round_, made.number, made.published)
        try:
            basis = _basis(settings, made, manifest)
            reports = partial(making.write, made.content, made.earlier, made.rule)
            assembled = assemble.assemble(settings, made.content, basis, writers, reports)
        finally:
            if made.number not in _numbers(settings, round_):
                memory.drop(settings, round_, made.number)
        counts = {"release": assembled.number, "changes": assembled.n_changes}
        acted = audit.Act("release", round_, sha256=assembled.release_hash, counts=counts)
        if acted not in (line.act for line in log.lines):  # nor before a crash
            audit.append(settings, [acted])
        looked_at = due.basis(settings, round_, basis.code)
        found = (assembled.number, assembled.is_new, assembled.n_changes, made.tallies)
        due.keep(settings, round_, Examined(looked_at, *found))
    return assembled


def _numbers(settings: Settings, round_: int) -> list[int]:
    return [int(folder.name) for folder in assemble.releases(settings, round_)]


# --- what a release rests on --------------------------------------------------------------------


def deliveries_of(manifest: Manifest, round_: int) -> list[dict[str, str]]:
    """What a release made now would say that it rests on, as its manifest has it."""
    return [asdict(source) for source in _sources(manifest, round_)]


def _sources(manifest: Manifest, round_: int) -> tuple[Source, ...]:
    counting = {
        Source(delivery.association_id, delivery.sha256)
        for delivery in manifest.counting(round_)
        if delivery.association_id
    }
    return tuple(sorted(counting))


def _basis(settings: Settings, made: Plan, manifest: Manifest) -> Basis:
    return Basis(
        deliveries=_sources(manifest, made.content.round),
        certificate={
            "is_clean": True,
            "min_answers": made.rule.min_answers,
            "bracket_below": made.rule.bracket_below,
            "min_width": made.rule.min_width,
            "ranges_examined": made.verdict.n_sought,
            "ranges_known_from_earlier_releases": made.verdict.n_known,
            "earlier_releases": made.number - 1,
        },
        code=due.fingerprint_of_code(),
        marts=warehouse.made_from(settings),
        trends=before.fingerprint(made.earlier),
    )


# --- in numbers ---------------------------------------------------------------------------------


def _tallies(content: Content, made: Iterable[whole.Protected], rule: Rule) -> Iterator[Tally]:
    """The tables' figures by level, and by why they are hidden."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for one in made:
        for cell, place in one.group.cells.items():
            counted[figures.table_of(cell), cell[0], _way(one, place, rule)] += 1
    ways = {SHOWN: "shown", EMPTY: "empty", HIDDEN: "besides"}
    for row in content["indicator_results"].records():
        counted["indicator_results", str(row["level"]), ways[str(row["status"])]] += 1
    for table, level in dict.fromkeys((table, level) for table, level, _ in counted):
        names = ("shown", "bracket", "small", "besides", "empty")
        yield Tally(table, level, *(counted[table, level, name] for name in names))


def _way(one: whole.Protected, place: int, rule: Rule) -> str:
    """How a figure is told, or why it is not."""
    if told := one.published.told[place]:
        return "bracket" if told.state == BRACKET else "shown"
    figure, true = one.group.family.figures[place], one.group.true[place]
    return "besides" if disclosure.primary(figure, true, rule) else "small"
