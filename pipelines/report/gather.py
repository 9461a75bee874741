"""All reports of a release: the nation's and one for each association that delivered.

Belongs here: which figures a report has, in which order, and what is missing. Does not: what is
said of a single measure (blocks.py), or how a report looks (pages.py, paper.py, …).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from pipelines.disclosure import Rule
from pipelines.release.table import Content
from pipelines.release.texts import filled, texts
from pipelines.report import outcomes, own, words
from pipelines.report.blocks import (
    ACTIVITY,
    ASSOCIATION,
    GROUP,
    NATION,
    Scene,
    Unit,
    block,
    indicator,
    profile,
)
from pipelines.report.estimates import Earlier, Estimate, Estimates, Row, Topic, is_asked
from pipelines.report.story import (
    ANSWERS,
    FOLLOWED,
    Activity,
    Block,
    Reliability,
    Report,
    Section,
    Summary,
    Volume,
)
from pipelines.swedish import alphabetical, listed, several

NATION_FOLDER = "riket"
ALL = "all"
_ASSOCIATION_IS = "Samordningsförbundet "
_ASKED = "questionnaire"
"""The kind of an indicator that is asked about; the other is followed in registers."""


def reports(content: Content, earlier: Earlier, number: int, rule: Rule) -> tuple[Report, ...]:
    """The nation's report, then the associations' by name.

    Args:
        content: the release's tables.
        earlier: what the latest releases of earlier rounds say.
        number: of the release.
        rule: the thresholds of its disclosure control.
    """
    scene = _scene(content, earlier)
    units = (scene.nation, *scene.associations)
    return tuple(_report(scene, unit, number, rule) for unit in units)


def _scene(content: Content, earlier: Earlier) -> Scene:
    estimates = Estimates(content, earlier)
    register = list(_rows(content, "associations"))
    called = {str(row["association_id"]): _short(row) for row in register}
    names = sorted(called, key=lambda one: (alphabetical(called[one]), one))
    in_nation = {row["association_id"] for row in register if row.get("in_nation", True)}
    studies = {row["questionnaire_id"] for row in _rows(content, "register_studies")}
    rows = [r for r in _rows(content, "measure_results") if r["questionnaire_id"] not in studies]
    units = {(str(row["level"]), str(row["unit_id"])) for row in rows}
    return Scene(
        estimates=estimates,
        nation=Unit(NATION, next(u for level, u in units if level == NATION), _sv("level", NATION)),
        associations=tuple(
            Unit(ASSOCIATION, one, called[one]) for one in names if (ASSOCIATION, one) in units
        ),
        peers=tuple(Unit(ASSOCIATION, one, called[one]) for one in names if one in in_nation),
        groups=tuple(_groups(unit_id for level, unit_id in units if level == GROUP)),
        questionnaires={
            str(row["questionnaire_id"]): str(row["sheet_name"])
            for row in sorted(_rows(content, "questionnaires"), key=_by_group)
        },
        genders={gender: text["sv"] for gender, text in texts("gender").items()},
        axis=_axis(content, estimates.rounds),
    )


def _short(association: Row) -> str:
    return str(association["association_name"]).removeprefix(_ASSOCIATION_IS)


def _groups(unit_ids: Iterable[str]) -> Iterator[Unit]:
    """The comparable groups: those of all workbooks first, then the steward's own by name."""
    common, found = texts("activity_group"), set(unit_ids)
    yield from (Unit(GROUP, name, common[name]["sv"]) for name in common if name in found)
    for name in sorted(found - set(common), key=alphabetical):
        yield Unit(GROUP, name, name.replace("=", ": ", 1))


def _by_group(row: Row) -> tuple[int, str]:
    """Questionnaires as respondent groups are listed, participants first."""
    return [*texts("respondent_group")].index(row["respondent_group"]), row["questionnaire_id"]


def _axis(content: Content, told: tuple[int, ...]) -> tuple[int, ...]:
    """All rounds from the first whose answers are comparable or told, to the release's."""
    starts = [
        int(row["comparable_from"]) for row in _rows(content, "questions") if row["comparable_from"]
    ]
    first = max(min(starts, default=told[0]), told[0])
    rounds = sorted(int(row["round"]) for row in _rows(content, "rounds"))
    return tuple(r for r in rounds if first <= r <= content.round)


def _report(scene: Scene, unit: Unit, number: int, rule: Rule) -> Report:
    content = scene.estimates.content
    is_nation = unit == scene.nation
    full = {r["association_id"]: r["association_name"] for r in _rows(content, "associations")}
    name = unit.name if is_nation else str(full[unit.unit_id])
    sections = tuple(_sections(scene, unit))
    return Report(
        association_id="" if is_nation else unit.unit_id,
        name=name,
        folder=NATION_FOLDER if is_nation else unit.unit_id,
        title=f"{words.subject()} {content.round}: {name}",
        round=content.round,
        number=number,
        is_synthetic=content.is_synthetic,
        publisher=content.publisher,
        lead=tuple(_lead(scene, unit)),
        volumes=tuple(_volumes(scene, unit)),
        outcomes=outcomes.of(scene, unit),
        sections=sections,
        activities=() if is_nation else tuple(_activities(scene, unit)),
        projects=() if is_nation else tuple(own.projects(scene, unit)),
        reliability=tuple(_reliability(content)) if is_nation else (),
        missing=tuple(_missing(scene, unit, sections)),
        method=_method(scene, rule),
    )


# --- indicators ---------------------------------------------------------------------------------


def _sections(scene: Scene, unit: Unit) -> Iterator[Section]:
    content = scene.estimates.content
    for row in sorted(_rows(content, "indicators"), key=lambda row: int(row["indicator_id"])):
        if is_asked(row, content.round):
            yield _section(scene, unit, row)


def _section(scene: Scene, unit: Unit, row: Row) -> Section:
    number = str(row["indicator_id"])
    summary = tuple(_summary(scene, unit, number))
    topics = [
        t for t in scene.estimates.topics if t.indicator_id == number and scene.of(unit, t, "T")
    ]
    whole = next((s.total for s in summary if s.respondent_group == ALL), None)
    return Section(
        indicator_id=number,
        label=str(row["label_sv"]),
        orientation=str(row["orientation"] or ""),
        is_placeholder=row["verification"] == "placeholder",
        note=_note(row, bool(topics)),
        sentence=_on_average(whole, row),
        target=words.target(whole),
        summary=summary,
        blocks=tuple(_blocks(scene, unit, row, topics)),
        terms=ANSWERS if row["kind"] == _ASKED else FOLLOWED,
    )


def _blocks(scene: Scene, unit: Unit, row: Row, topics: list[Topic]) -> Iterator[Block]:
    """The measures by group; in the nation's report before them the group's mean of several."""
    per_group = Counter(topic.respondent_group for topic in topics)
    names = texts("respondent_group")
    for group in (name for name in names if name in per_group):
        asked = [topic for topic in topics if topic.respondent_group == group]
        if unit == scene.nation and len(asked) > 1:
            named = (str(row["label_sv"]), names[group]["sv"])
            yield indicator(scene, unit, str(row["indicator_id"]), group, named, asked)
        yield from (block(scene, unit, topic) for topic in asked)


def _summary(scene: Scene, unit: Unit, number: str) -> Iterator[Summary]:
    for group, text in texts("respondent_group").items():
        women, men, total = (
            scene.estimates.now(
                scene.estimates.indicator(unit.level, unit.unit_id, number, group, gender)
            )
            for gender in ("K", "M", "T")
        )
        if total:
            yield Summary(group, text["sv"], women, men, total)


def _note(row: Row, has_figures: bool) -> str:
    if row["kind"] != _ASKED:
        return "Mäts med en registerstudie som följer dem som har deltagit, inte med enkäter."
    if not has_figures:
        return "Inga svar har lämnats i den här omgången."
    if row["verification"] == "placeholder":
        return "Platshållare: indikatorns lydelse är inte offentlig."
    return ""


def _on_average(whole: Estimate | None, row: Row) -> str:
    if whole is None or whole.is_empty:
        return ""
    if not whole.is_shown:
        return "Genomsnittet över grupperna visas inte: något av måtten har för få svar."
    if row["kind"] != _ASKED:
        return (
            f"I genomsnitt över uppföljningarna håller effekten för {words.share(whole)} procent."
        )
    return f"I genomsnitt över grupperna är {words.share(whole)} procent av svaren positiva."


# --- around the figures -------------------------------------------------------------------------


def _lead(scene: Scene, unit: Unit) -> Iterator[str]:
    content = scene.estimates.content
    if unit == scene.nation:
        row = next(r for r in _rows(content, "response_rates") if r["level"] == NATION)
        yield (
            f"{several(row['n_associations_delivered'], 'förbund', 'förbund')} av "
            f"{row['n_associations_expected']} har lämnat svar i omgång {content.round}."
        )
    else:
        yield f"Vad deltagare och andra svarat i omgång {content.round}, jämfört med riket."
    yield from outcomes.lead(scene, unit)
    changed = [
        (topic, now)
        for topic in scene.estimates.topics
        if (now := scene.now(unit, topic)) and now.is_significant
    ]
    up = sum(1 for _, now in changed if (now.change or 0) > 0)
    if not changed:
        yield "Inget mått har förändrats mer än vad slumpen kan förklara."
    else:
        yield (
            f"{several(len(changed), 'mått', 'mått')} har förändrats mer än vad slumpen kan "
            f"förklara: {up} upp och {len(changed) - up} ned."
        )


def _volumes(scene: Scene, unit: Unit) -> Iterator[Volume]:
    content = scene.estimates.content
    rows = {
        row["questionnaire_id"]: row
        for row in _rows(content, "response_rates")
        if (row["level"], row["unit_id"]) == (unit.level, unit.unit_id)
    }
    for questionnaire in (name for name in scene.questionnaires if name in rows):
        row = rows[questionnaire]
        n = [
            now.n
            for topic in scene.estimates.topics
            if topic.questionnaire_id == questionnaire
            and (now := scene.now(unit, topic))
            and now.n is not None
        ]
        rate = row["response_rate"]
        is_nation = unit == scene.nation
        yield Volume(
            questionnaire_id=questionnaire,
            label=scene.questionnaires[questionnaire],
            most_answers=max(n, default=None),
            response_rate=words.UNKNOWN if rate is None else str(int(rate)),
            delivered=row["n_associations_delivered"] if is_nation else None,
            expected=row["n_associations_expected"] if is_nation else None,
        )


def _activities(scene: Scene, unit: Unit) -> Iterator[Activity]:
    kinds, content = texts("activity_kind"), scene.estimates.content
    taken: Counter[str] = Counter()
    rows = [r for r in _rows(content, "activities") if r["association_id"] == unit.unit_id]
    members: defaultdict[str, set[str]] = defaultdict(set)
    for row in _rows(content, "activity_groups"):
        members[row["unit_id"]].add(row["group_id"])
    for row in sorted(rows, key=lambda row: str(row["unit_id"])):
        code = str(row["unit_id"]).partition("/")[2]
        stem = _stem(code)
        taken[stem] += 1
        groups = [group for group in scene.groups if group.unit_id in members[row["unit_id"]]]
        beside = (*groups, unit, scene.nation)
        activity = Unit(ACTIVITY, str(row["unit_id"]), code)
        found = [profile(scene, activity, name, beside) for name in scene.questionnaires]
        facts = [kinds[v]["sv"] for v in (row["inriktning"], row["langd"]) if v in kinds]
        yield Activity(
            code=code,
            stem=stem if taken[stem] == 1 else f"{stem}-{taken[stem]}",
            name=f"Insats {code}",
            kind=", ".join(facts).capitalize(),
            profiles=tuple(picture for picture, _ in found if picture),
            too_few=tuple(
                (scene.questionnaires[name], labels)
                for name, (_, labels) in zip(scene.questionnaires, found, strict=True)
                if labels
            ),
        )


def _missing(scene: Scene, unit: Unit, sections: Iterable[Section]) -> Iterator[str]:
    if unit == scene.nation:
        silent = [one.name for one in scene.peers if one not in scene.associations]
        if silent:
            yield f"Inget resultat i den här omgången från {listed(silent)}."
    yield from (
        f"Indikator {s.indicator_id}, {s.label}: {s.note}"
        for s in sections
        if not s.blocks and not s.is_study  # a register study comes when it comes
    )
    if any(block.is_placeholder for s in sections for block in s.blocks):
        yield (
            "NNS frågor är till stor del inte offentliga. Mått med neutrala namn, som "
            '"Indikator 6, mått a", är platshållare.'
        )


def _reliability(content: Content) -> Iterator[Reliability]:
    """The indicators whose reliability is told, by indicator and group."""
    labels = {row["indicator_id"]: str(row["label_sv"]) for row in _rows(content, "indicators")}
    groups = texts("respondent_group")
    order = [*groups]
    rows = sorted(
        (row for row in _rows(content, "reliability") if row["alpha"] is not None),
        key=lambda row: (int(row["indicator_id"]), order.index(row["respondent_group"])),
    )
    for row in rows:
        yield Reliability(
            indicator_id=str(row["indicator_id"]),
            label=labels[row["indicator_id"]],
            asked=groups[row["respondent_group"]]["sv"],
            items=row["n_items"],
            alpha=row["alpha"],
            low=row["alpha_low"],
            high=row["alpha_high"],
            item_total=row["item_total_mean"],
            stability=row["stability"],
        )


def _method(scene: Scene, rule: Rule) -> tuple[tuple[str, str], ...]:
    known = {
        "min_answers": rule.min_answers,
        "bracket_below": rule.bracket_below,
        "sources": outcomes.sources(scene.estimates.content),
        "dropout_limit": outcomes.dropout_limit(scene),
    }
    return tuple((name, filled(text, **known)["sv"]) for name, text in texts("method").items())


def _rows(content: Content, table: str) -> Iterator[Row]:
    return content[table].records()


def _sv(kind: str, name: str) -> str:
    return texts(kind)[name]["sv"]


def _stem(code: str) -> str:
    """A file's name of a code: lower-case ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", code.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "insats"
