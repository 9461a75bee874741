"""Invented reports, made by hand: what pages, papers, drafts, appendices and pictures are tried on.

Belongs here: every kind of figure (shown, hidden, bracket, no answers, no row) and the extremes of
a report: long names, one activity, all hidden, ten rounds, one round, forty measures. Does not:
what a release really holds, or how stories are gathered from it.

`STORIES` has each by name; the builders below make others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from pipelines.release.table import BRACKET, EMPTY, HIDDEN, SHOWN, Publisher
from pipelines.report import words
from pipelines.report.estimates import GENDERS, Estimate, Series, Topic
from pipelines.report.story import (
    ANSWERS,
    ENDED,
    FOLLOWED,
    Activity,
    Block,
    Comparison,
    Dot,
    Line,
    LineKind,
    Outcome,
    Outcomes,
    OwnFigure,
    OwnQuestion,
    Profile,
    ProfileRow,
    Project,
    Reliability,
    Report,
    Section,
    Summary,
    Terms,
    Trend,
    Volume,
    Way,
)

ROUNDS = tuple(range(2018, 2027))
NAMES: dict[LineKind, str] = {"K": "Kvinnor", "M": "Män", "T": "Totalt", "nation": "Riket"}
GROUPS = ("Korta insatser", "Insatser riktade till individer", "malgrupp: unga", "kategori: steg")
LONG = (
    "Samordningsförbundet för Västra Götalandsregionens, Härnösands och Örnsköldsviks "
    "arbetsmarknadsrehabiliteringssamverkan"
)
LONG_MEASURE = (
    "Deltagarna upplever att insatsen är organiserad runt deras egna behov, förutsättningar och "
    "rehabiliteringsplaneringssamordning, även när de byter handläggare"
)
PUBLISHER = Publisher(
    name="Exempelnätverket",
    mail="statistik@example.org",
    homepage="https://example.org/",
    base_iri="https://example.org/indikatorer",
    licence_name="CC0 1.0",
    licence_iri="https://creativecommons.org/publicdomain/zero/1.0/",
    source="Exempelnätverket, indikatorer för finansiell samordning",
)


# Figures


def shown(round_: int, positive: int, n: int, target: str | None = None) -> Estimate:
    """A share with its interval (Wilson's), from positive answers of all."""
    p, z = positive / n, 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    told = Estimate(
        round=round_,
        status=SHOWN,
        n=n,
        share=_tenth(100 * p),
        low=_tenth(100 * (middle - half)),
        high=_tenth(100 * (middle + half)),
    )
    return told if target is None else aimed(told, target)


def aimed(estimate: Estimate, target: str) -> Estimate:
    """The figure against a target level."""
    level = Decimal(target)
    if estimate.share is None or estimate.low is None or estimate.high is None:
        return replace(estimate, target=level)
    reached = (
        "reached"
        if estimate.low >= level
        else "not_reached"
        if estimate.high < level
        else "unclear"
    )
    return replace(estimate, target=level, distance=estimate.share - level, reached=reached)


def plain(round_: int, share: str, n: int) -> Estimate:
    """A share without interval: an indicator's."""
    return Estimate(round=round_, status=SHOWN, n=n, share=Decimal(share))


def hidden(round_: int) -> Estimate:
    """A figure that is not told."""
    return Estimate(round=round_, status=HIDDEN)


def empty(round_: int) -> Estimate:
    """Nobody answered."""
    return Estimate(round=round_, status=EMPTY, n=0)


def bracket(round_: int, low: str, high: str, n: int = 14) -> Estimate:
    """A figure of which only bounds are told."""
    return Estimate(round=round_, status=BRACKET, n=n, low=Decimal(low), high=Decimal(high))


def _tenth(value: float) -> Decimal:
    return Decimal(f"{min(max(value, 0.0), 100.0):.1f}")


def with_changes(estimates: Iterable[Estimate]) -> Series:
    """The series with the change from each shown figure to the next."""
    told: list[Estimate] = []
    for now in estimates:
        before = told[-1] if told else None
        if before and before.share is not None and now.share is not None:
            change = now.share - before.share
            now = replace(
                now,
                previous_round=before.round,
                change=change,
                is_significant=abs(change) > 8,
            )
        told.append(now)
    return tuple(told)


def varied(
    rounds: Sequence[int], level: int = 66, n: int = 90, seed: int = 1, target: str | None = None
) -> Series:
    """A series that goes up and down around a level, the same each time."""
    return with_changes(
        shown(
            r, max(0, min(n, n * (level + (r * 7 + seed * 13) % 17 - 8 + i) // 100)), n + i, target
        )
        for i, r in enumerate(rounds)
    )


# Pictures


def line(kind: LineKind, series: Series) -> Line:
    """A line of a trend under its usual label."""
    return Line(kind, NAMES[kind], series)


def trend(
    lines: Sequence[Line],
    rounds: Sequence[int] = ROUNDS,
    breaks: Sequence[int] = (),
    ident: str = "t",
    terms: Terms = ANSWERS,
) -> Trend:
    """A trend of lines."""
    title = "Stödet är till stor nytta, deltagare vid avslut, procent"
    alt = f"Utvecklingen {rounds[0]}–{rounds[-1]}."
    return Trend(ident, title, alt, tuple(rounds), tuple(lines), tuple(breaks), terms)


def typical_trend(rounds: Sequence[int] = ROUNDS, ident: str = "t", target: str = "70.0") -> Trend:
    """Women, men, total and the nation in all rounds."""
    return trend(
        [
            line("K", varied(rounds, 70, 60, 1)),
            line("M", varied(rounds, 60, 45, 2)),
            line("T", varied(rounds, 66, 105, 1, target)),
            line("nation", varied(rounds, 68, 2400, 3)),
        ],
        rounds,
        ident=ident,
    )


def hidden_trend(rounds: Sequence[int] = ROUNDS, ident: str = "t") -> Trend:
    """Nothing of it is told."""
    lines = [line(kind, tuple(hidden(r) for r in rounds)) for kind in GENDERS]
    return trend(lines, rounds, ident=ident)


def dots(count: int = 41, names: Callable[[int], str] | None = None) -> tuple[Dot, ...]:
    """Associations by share, then those with hidden figures and those without any."""
    name = names or (lambda i: f"Förbund {i:02}")
    told = [
        Dot(f"forbund{i:02}", name(i), shown(2026, 30 + i, 40 + i + 30 * (i % 3), "70.0"))
        for i in range(count - count // 8)
    ]
    told.sort(key=lambda dot: (-dot.estimate.share, dot.name))  # type: ignore[union-attr, operator]
    untold = [
        Dot(f"forbund{i:02}", name(i), None if i % 3 == 0 else hidden(2026))
        for i in range(count - count // 8, count)
    ]
    return (*told, *untold)


def comparison(
    of: Sequence[Dot] | None = None, own: str | None = "forbund07", ident: str = "c"
) -> Comparison:
    """Associations beside each other, with the nation."""
    return Comparison(
        ident=ident,
        title="Stödet är till stor nytta 2026, alla förbund, procent",
        alt="Förbunden från högst till lägst andel.",
        dots=tuple(dots() if of is None else of),
        nation=shown(2026, 1690, 2400, "70.0"),
        own=own,
    )


def profile(
    count: int = 6,
    label: Callable[[int], str] | None = None,
    ident: str = "p",
    groups: Sequence[str] = (),
) -> Profile:
    """An activity's measures against comparable groups', its association's and the nation's."""
    named = label or (lambda i: f"Mått {i}: stödet är till stor nytta")
    rows = tuple(
        ProfileRow(
            label=named(i),
            own=_own(i),
            beside=(
                *(
                    Dot(name, name, shown(2026, 90 + (i * 5 + k) % 40, 160))
                    for k, name in enumerate(groups)
                ),
                Dot("forbund07", "Exempelbygden", shown(2026, 60 + (i * 7) % 25, 100)),
                Dot("0000", "Riket", shown(2026, 1500 + (i * 97) % 500, 2400)),
            ),
        )
        for i in range(1, count + 1)
    )
    return Profile(ident, "Alla mått, deltagare vid avslut, procent", "Insatsens mått.", rows)


def _own(i: int) -> Estimate:
    if i % 5 == 3:
        return bracket(2026, "85.7", "100.0")
    return hidden(2026) if i % 7 == 4 else shown(2026, 6 + i % 8, 15)


# Reports


def block(ident: str, trend_: Trend, beside: Comparison | None, heading: str) -> Block:
    """A measure with its pictures, what is said of it taken from the total's last figure."""
    total = next((x.series for x in trend_.lines if x.kind == "T"), ())
    now = total[-1] if total else None
    return Block(
        ident=ident,
        topic=Topic("1a", "participant_ending", "1", "participant", heading, False, trend_.breaks),
        heading=heading,
        asked="Deltagare vid avslut",
        is_placeholder=False,
        sentence=f"{heading}: {words.share(now)} procent {trend_.rounds[-1]}.",
        change=words.change(now),
        target=words.target(now),
        trend=trend_,
        comparison=beside,
        groups=(
            Dot("short", "Korta insatser", shown(2026, 50, 80)),
            Dot("long", "Långa insatser", hidden(2026)),
        ),
    )


def section(
    indicator_id: str, blocks: Sequence[Block], label: str = "Ökat inflytande över processen"
) -> Section:
    """An indicator with its blocks."""
    return Section(
        indicator_id=indicator_id,
        label=label,
        orientation="process",
        is_placeholder=False,
        note="",
        sentence=f"{label}: 66,2 procent 2026.",
        target="",
        summary=(
            Summary(
                "participant",
                "Deltagare",
                plain(2026, "68.1", 80),
                plain(2026, "63.9", 61),
                plain(2026, "66.2", 143),
            ),
            Summary("staff", "Personal", None, None, hidden(2026)),
            Summary("", "Alla grupper", None, None, plain(2026, "64.0", 301)),
        ),
        blocks=tuple(blocks),
    )


def unknown_section(indicator_id: str = "6") -> Section:
    """An indicator of which nothing is known."""
    return Section(
        indicator_id=indicator_id,
        label=f"Indikator {indicator_id}",
        orientation="",
        is_placeholder=True,
        note="Indikatorns innehåll är inte offentligt; den har inga frågor.",
        sentence="",
        target="",
        summary=(),
        blocks=(),
    )


def study_section(blocks: Sequence[Block] = ()) -> Section:
    """The register study, with figures or without."""
    whole = tuple(
        Summary(group, label, None, None, plain(2026, "58.3", 712))
        for group, label in (("register", "Registerstudie"), ("all", "Alla grupper"))
    )
    return Section(
        indicator_id="11",
        label="Effekterna håller över tid",
        orientation="effect",
        is_placeholder=False,
        note="Mäts med en registerstudie som följer dem som har deltagit, inte med enkäter.",
        sentence="I genomsnitt håller effekten för 58,3 procent." if blocks else "",
        target="",
        summary=whole if blocks else (),
        blocks=tuple(blocks),
        terms=FOLLOWED,
    )


def study_block() -> Block:
    """A follow-up of the register study."""
    heading = "Indikator 11, mått b, efter 12 månader"
    lines = [line("K", varied(ROUNDS, 60, 410, 1)), line("M", varied(ROUNDS, 56, 300, 2))]
    lines.append(line("T", varied(ROUNDS, 58, 712, 3)))
    told = replace(trend(lines, ident="t11b", terms=FOLLOWED), title=f"{heading}: registerstudie")
    topic = Topic("11b", "register_study", "11", "register", heading, True, (), True)
    made = block("b11b", told, None, heading)
    return replace(made, topic=topic, asked="Registerstudie", is_placeholder=True, groups=())


# Outcomes


def outcome(label: str, active: int, ended: int, positive: int, rate: Estimate) -> Outcome:
    """A row of outcomes; its counts are told."""
    return Outcome(label, active, ended, positive, rate)


def outcomes(
    own: str | None = "forbund07", years: Sequence[int] = tuple(range(2017, 2027))
) -> Outcomes:
    """Outcomes with a break between two sources; the nation's when `own` is None."""
    is_nation, size = own is None, 8000 if own is None else 80
    lines = [
        line("K", varied(years, 28, size // 2, 1)),
        line("M", varied(years, 34, size // 2 - 9, 2)),
        line("T", varied(years, 31, size, 3, "30.0")),
    ]
    lines += [] if is_nation else [line("nation", varied(years, 31, 8000, 4))]
    drawn = trend(lines, years, breaks=[y for y in (2023,) if y in years[1:]], ident="utfall")
    told = replace(drawn, title="Till arbete eller studier", terms=ENDED)
    rows = [
        outcome(x.label, 3 * e.n, e.n + 9, e.n // 3, e)
        for x in told.lines
        if x.kind != "nation" and (e := x.series[-1]) and e.n
    ]
    now = told.now("T")
    return Outcomes(
        year=years[-1],
        note="" if years[-1] == 2026 else f"Siffrorna gäller kalenderåret {years[-1]}.",
        sentence=f"{words.share(now)} procent ledde till arbete eller studier {years[-1]}.",
        change=words.change(now, "ett tidigare år"),
        target=words.target(now),
        rows=tuple(rows),
        ways=(Way("Till arbete", 830, 1020, 1851), Way("Till sjukersättning", 300, None, None))
        if is_nation
        else (),
        trend=told,
        comparison=replace(comparison(own=own, ident="cu"), title="Utfall: alla", terms=ENDED),
        groups=(Dot("kort", "Korta insatser", shown(years[-1], 12, 35)),) if is_nation else (),
    )


NO_OUTCOMES = Outcomes(None, "Inga utfall har lämnats för deltaganden som avslutats.")


def hidden_outcomes(year: int = 2026) -> Outcomes:
    """Nothing of them is told but that there are some."""
    row = Outcome("Totalt", None, None, None, hidden(year))
    drawn = replace(hidden_trend((year - 1, year), "utfall"), terms=ENDED)
    return Outcomes(year, "", "Resultatet visas inte.", rows=(row,), trend=drawn)


# Own questions and the instrument


def project(name: str = "mia", label: str = "Har du fått någonstans att bo?") -> Project:
    """A project's own question, of the association, an activity and the whole project."""
    told = with_changes((shown(2025, 20, 40), shown(2026, 22, 41)))[-1]
    figures = (
        OwnFigure("Exempelbygden", shown(2026, 12, 22), shown(2026, 10, 18), told),
        OwnFigure("Insats A1", None, None, bracket(2026, "85.7", "100.0")),
        OwnFigure("Insats A2", hidden(2026), None, hidden(2026)),
        OwnFigure("Hela projektet", None, None, shown(2026, 62, 120)),
    )
    question = OwnQuestion(label, "Deltagare avslut", words.change(told), figures)
    return Project(name, (question, replace(question, label=f"{label} (2)", change="")))


def reliability() -> tuple[Reliability, ...]:
    """Good, poor and without an interval."""
    told = Reliability("1", "Ökat inflytande", "Deltagare", 4, *map(Decimal, ("0.87", "0.85")),
                       *map(Decimal, ("0.90", "0.71", "0.40")))  # fmt: skip
    poor = replace(told, indicator_id="2", alpha=Decimal("-0.05"), low=Decimal("-0.31"))
    return told, poor, replace(told, indicator_id="3", low=None, high=None, stability=None)


def activity(number: int, name: str, profiles: Sequence[Profile], too_few: Sequence[str] = ()):
    """An activity's one page."""
    return Activity(
        code=f"A{number}",
        stem=f"a{number}",
        name=name,
        kind="Individinriktad, kort",
        profiles=tuple(profiles),
        too_few=(("Personal", tuple(too_few)),) if too_few else (),
    )


def report(
    sections: Sequence[Section],
    activities: Sequence[Activity] = (),
    association_id: str = "forbund07",
    name: str = "Exempelbygden",
    told: Outcomes | None = None,
    projects: Sequence[Project] = (),
) -> Report:
    """A report around its sections; the nation's when association_id is empty."""
    return Report(
        association_id=association_id,
        name=name,
        folder=association_id or "riket",
        title=f"Indikatorer för finansiell samordning 2026: {name}",
        round=2026,
        number=1,
        is_synthetic=True,
        publisher=PUBLISHER,
        lead=("143 deltagare har svarat.", "Inga förändringar är statistiskt säkerställda."),
        volumes=(
            Volume("participant_ending", "Deltagare avslut", 143, "71\u00a0%", None, None),
            Volume("staff", "Personal", None, words.HIDDEN, None, None),
            Volume("board", "Styrelse", 0, words.NO_DELIVERY, None, None),
        ),
        outcomes=told or outcomes(association_id or None),
        sections=tuple(sections),
        activities=tuple(activities),
        projects=tuple(projects),
        reliability=() if association_id else reliability(),
        missing=("Chefsgruppens svar visas inte: för få har svarat.",),
        method=(
            ("Andel", "Positiva svar av alla svar på frågan, i procent."),
            ("Tecken", "- ingen leverans, . inga svar, .. för få svar för att visas."),
        ),
    )


def typical() -> Report:
    """An association in nine rounds with three activities and an indicator nobody knows."""
    heading = "Stödet är till stor nytta"
    blocks = [
        block(f"b{i}", typical_trend(ident=f"t{i}"), comparison(ident=f"c{i}"), heading)
        for i in (1, 2)
    ]
    activities = [activity(i, f"Insats {i}", [profile(6 + i, ident=f"p{i}")]) for i in (1, 2, 3)]
    sections = [section("1", blocks), unknown_section(), study_section()]
    return report(sections, activities, projects=[project()])


def national() -> Report:
    """The nation's report: no nation's line, no own association."""
    lines = [
        line("K", varied(ROUNDS, 70, 1400, 1)),
        line("M", varied(ROUNDS, 63, 950, 2)),
        line("T", varied(ROUNDS, 67, 2400, 3, "70.0")),
    ]
    blocks = [block("b1", trend(lines), comparison(own=None), "Stödet är till stor nytta")]
    sections = [section("1", blocks), study_section([study_block()])]
    return report(sections, association_id="", name="Riket")


def long_names() -> Report:
    """Everything that has a name has a long one."""
    renamed = dots(41, lambda i: f"{LONG} {i}")
    long_trend = replace(typical_trend(), title=f"{LONG_MEASURE}, deltagare vid avslut, procent")
    compared = replace(comparison(renamed), title=f"{LONG_MEASURE}, alla förbund, procent")
    pages = [activity(1, LONG, [profile(12, lambda i: f"{i} {LONG_MEASURE}")], [LONG_MEASURE])]
    blocks = [block("b1", long_trend, compared, LONG_MEASURE)]
    own = project(LONG, LONG_MEASURE)
    told = replace(outcomes(), comparison=replace(compared, ident="cu", terms=ENDED))
    sections = [section("1", blocks, LONG_MEASURE)]
    return report(sections, pages, name=LONG, told=told, projects=[own])


def one_activity() -> Report:
    """One activity with one measure, one association in the comparison."""
    alone = comparison([Dot("forbund07", "Exempelbygden", shown(2026, 30, 41))])
    blocks = [block("b1", typical_trend(), alone, "Stödet är till stor nytta")]
    pages = [activity(1, "Insatsen", [profile(1)])]
    return report([section("1", blocks)], pages, told=NO_OUTCOMES)


def all_hidden() -> Report:
    """No figure at all is shown."""
    untold = tuple(Dot(f"forbund{i:02}", f"Förbund {i:02}", hidden(2026)) for i in range(41))
    compared = replace(comparison(untold), nation=hidden(2026))
    sections = [section("1", [block("b1", hidden_trend(), compared, "Stödet är till stor nytta")])]
    silent = [replace(s, summary=tuple(map(_untold, s.summary)), sentence="") for s in sections]
    pages = [activity(1, "Insatsen", [], ["Stödet är till stor nytta"])]
    return report(silent, pages, told=hidden_outcomes())


def _untold(summary: Summary) -> Summary:
    return replace(summary, women=None, men=None, total=hidden(2026))


def ten_rounds() -> Report:
    """Ten rounds with a round without rows, hidden figures, a bracket and breaks."""
    rounds = tuple(range(2017, 2027))
    women = [e for e in varied(rounds, 72, 60, 1) if e.round != 2020]
    men = [hidden(e.round) if e.round in (2019, 2022) else e for e in varied(rounds, 61, 40, 2)]
    total = [
        bracket(e.round, "85.7", "100.0") if e.round == 2024 else e
        for e in varied(rounds, 67, 100, 3, "70.0")
    ]
    drawn = trend(
        [line("K", tuple(women)), line("M", tuple(men)), line("T", tuple(total))],
        rounds,
        breaks=(2021, 2023),
    )
    return report([section("1", [block("b1", drawn, comparison(), "Stödet är till stor nytta")])])


def one_round() -> Report:
    """The first round: no trend yet, no change."""
    drawn = typical_trend((2026,))
    blocks = [block("b1", drawn, comparison(), "Stödet är till stor nytta")]
    return report([section("1", blocks)], told=outcomes(years=(2025,)))


def forty_measures() -> Report:
    """An activity with forty measures on one page."""
    blocks = [block("b1", typical_trend(), comparison(), "Stödet är till stor nytta")]
    return report([section("1", blocks)], [activity(1, "Insatsen", [profile(40, groups=GROUPS)])])


STORIES: dict[str, Callable[[], Report]] = {
    made.__name__: made
    for made in (
        typical,
        national,
        long_names,
        one_activity,
        all_hidden,
        ten_rounds,
        one_round,
        forty_measures,
    )
}
