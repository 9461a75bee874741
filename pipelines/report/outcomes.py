"""What became of the participations that ended: of the nation or of an association.

Belongs here: which year is told, its figures by gender and their sentences. Does not: counting
anything (the release's table `outcomes` has all figures), or how a section looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from pipelines.release.table import Content, Value
from pipelines.report import words
from pipelines.report.blocks import Scene, Unit, compared, lines_of, spoken, trend_of
from pipelines.report.estimates import GENDERS, Estimate, Row, rate
from pipelines.report.story import ENDED, Comparison, Dot, Line, Outcome, Outcomes, Trend, Way
from pipelines.swedish import day, listed, several

_ENDED = "ended"
_TITLE = "Till arbete, studier eller annan arbetslivsinriktad rehabilitering"


def of(scene: Scene, unit: Unit) -> Outcomes:
    """A unit's outcomes in the round's calendar year, else in the latest that is told before."""
    rows = scene.estimates.outcomes(unit.level, unit.unit_id, "T")
    if not rows:
        return Outcomes(None, "Inga utfall har lämnats för deltaganden som avslutats.")
    *before, now = rows
    told, year, is_nation = rate(now), int(now["round"]), unit == scene.nation
    return Outcomes(
        year=year,
        note=_of_another_year(year, scene.estimates.content.round),
        sentence=_sentence(scene, unit, year, told),
        change=_change(before, now, told),
        target=words.target(told),
        rows=tuple(_rows(scene, unit, year)),
        ways=tuple(_ways(scene, unit, year)) if is_nation else (),
        trend=_trend(scene, unit, year),
        comparison=_comparison(scene, unit, year),
        groups=tuple(_groups(scene, year)) if is_nation else (),
    )


def lead(scene: Scene, unit: Unit) -> Iterator[str]:
    """The finding in one sentence, where there is one to tell."""
    rows = scene.estimates.outcomes(unit.level, unit.unit_id, "T")
    if rows and rate(rows[-1]).is_shown:
        yield _sentence(scene, unit, int(rows[-1]["round"]), rate(rows[-1]))


def sources(content: Content) -> str:
    """Where outcomes come from and between which days."""
    return listed(_source(row) for row in content["outcome_sources"].records())


def dropout_limit(scene: Scene) -> str:
    """Within how long of its start a participation that ended is an early dropout."""
    rows = scene.estimates.outcomes(scene.nation.level, scene.nation.unit_id, "T")
    months = sorted({row["dropout_months"] for row in rows} - {None})
    if not months:
        return "den som källan har"
    within = listed(several(number, "månad", "månader") for number in months)
    counted = f"{within} från starten där vi räknar enskilda deltaganden"
    return f"{counted}, och källans egen där antalen lämnas färdiga"


def _of_another_year(year: int, round_: int) -> str:
    if year == round_:
        return ""
    return f"Utfallen {round_} är inte publicerade. Siffrorna gäller kalenderåret {year}."


def _row(scene: Scene, unit: Unit, year: int, gender: str = "T") -> Row | None:
    rows = scene.estimates.outcomes(unit.level, unit.unit_id, gender)
    return next((row for row in rows if row["round"] == year), None)


def _rate(scene: Scene, unit: Unit, year: int, gender: str = "T") -> Estimate | None:
    row = _row(scene, unit, year, gender)
    return rate(row) if row else None


def _rows(scene: Scene, unit: Unit, year: int) -> Iterator[Outcome]:
    for gender in GENDERS:
        if row := _row(scene, unit, year, gender):
            yield Outcome(
                label=scene.genders[gender],
                active=row["active"],
                ended=row[_ENDED],
                positive=row["positive"],
                rate=rate(row),
            )


def _ways(scene: Scene, unit: Unit, year: int) -> Iterator[Way]:
    """The ways out in the table's order, those that count as positive first."""
    content = scene.estimates.content
    figures = {row["figure_id"]: row for row in content["outcome_figures"].records()}
    women, men, total = (_row(scene, unit, year, gender) or {} for gender in GENDERS)
    for column in content["outcomes"].columns:
        figure = figures.get(column.name)
        if figure and figure["part_of"] == _ENDED and column.name in total:
            counts = (found.get(column.name) for found in (women, men, total))
            yield Way(str(figure["label_sv"]), *counts)


def _groups(scene: Scene, year: int) -> Iterator[Dot]:
    for group in scene.groups:
        if found := _rate(scene, group, year):
            yield Dot(group.unit_id, group.name, found)


# --- pictures -----------------------------------------------------------------------------------


def _trend(scene: Scene, unit: Unit, year: int) -> Trend:
    """Women, men, the total and, beside an association, the nation; a break between sources."""
    rows = {
        gender: [
            row
            for row in scene.estimates.outcomes(unit.level, unit.unit_id, gender)
            if row["round"] <= year
        ]
        for gender in GENDERS
    }
    lines = tuple(lines_of(scene, {g: tuple(map(rate, found)) for g, found in rows.items()}))
    if unit != scene.nation:
        nation = scene.estimates.outcomes(scene.nation.level, scene.nation.unit_id, "T")
        series = tuple(rate(row) for row in nation if row["round"] <= year)
        lines += (Line("nation", scene.nation.name, series),)
    first = min(estimate.round for line in lines for estimate in line.series)
    axis = tuple(range(first, year + 1))
    return trend_of(("utfall", _TITLE), axis, lines, _breaks(rows["T"]), ENDED)


def _breaks(rows: list[Row]) -> Iterator[int]:
    """The years whose figures come from another source than those of the year before."""
    for before, row in zip(rows, rows[1:], strict=False):
        if row["source_id"] != before["source_id"]:
            yield row["round"]


def _comparison(scene: Scene, unit: Unit, year: int) -> Comparison | None:
    own = None if unit == scene.nation else unit
    return compared(
        scene,
        ("utfall", f"{_TITLE} {year}: alla förbund"),
        [Dot(one.unit_id, one.name, _rate(scene, one, year)) for one in scene.beside(own)],
        _rate(scene, scene.nation, year),
        own,
        ENDED,
    )


# --- sentences ----------------------------------------------------------------------------------


def _sentence(scene: Scene, unit: Unit, year: int, told: Estimate) -> str:
    """The positive ways out of those who left, in one sentence."""
    if told.is_empty:
        return f"Inga deltaganden avslutades {year}, utom tidiga avhopp."
    left = f"{words.answers(told)} deltaganden som avslutades {year}"
    counted = f"{left}, tidiga avhopp oräknade, {ENDED.found}"
    if told.is_bracket:
        low, high = words.interval(told).split("–")
        return f"Mellan {low} och {high} procent av {counted}."
    if not told.is_shown:
        few = f"Resultatet {year} visas inte: för få deltaganden avslutades"
        return f"{few}, eller så kunde få räknas fram ur andra siffror."
    parts = f"{words.share(told)} procent av {counted}"
    genders = [
        f"{scene.genders[gender].lower()} {words.share(found)}"
        for gender in GENDERS[:2]
        if (found := _rate(scene, unit, year, gender)) and found.is_shown
    ]
    if genders:
        parts += f" ({', '.join(genders)})"
    if unit != scene.nation:
        parts += f"; i riket {spoken(_rate(scene, scene.nation, year))}"
    return f"{parts}."


def _change(before: Iterable[Row], now: Row, told: Estimate) -> str:
    """The change since the year before, or why there is none."""
    earlier = [*before]
    if not earlier:
        return ""
    if told.is_shown and earlier[-1]["source_id"] != now["source_id"]:
        return f"Går inte att jämföra med {earlier[-1]['round']}: uppgifterna har en ny källa."
    return words.change(told, "ett tidigare år")


def _source(row: Row) -> str:
    first, last = (_day(row[name]) for name in ("first_day", "last_day"))
    days = [f"från {first}"] if first else []
    days += [f"till och med {last}"] if last else []
    return " ".join([str(row["label_sv"]), *days])


def _day(value: Value) -> str:
    return day(value) if isinstance(value, date) else ""
