"""Pictures of stories: read back from their SVG, as a reader of the picture would."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
import stories
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.release.table import SYNTHETIC_SV
from pipelines.report import pictures
from pipelines.report.estimates import Estimate
from pipelines.report.pictures import svg
from pipelines.report.story import Comparison, Dot, LineKind, Profile, Report, Trend

PROJECT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
WOMEN, MEN, INK, GREY, PALE = "#B4460F", "#12508C", "#1b1f24", "#555", "#7b838c"
COLOURS: dict[LineKind, str] = {"K": WOMEN, "M": MEN, "T": INK, "nation": GREY}
GRID = "#dadee3"


# --- reading a picture back ---------------------------------------------------------------------


@dataclass(frozen=True)
class Word:
    """A line of text with its box."""

    content: str
    left: float
    right: float
    top: float
    low: float
    fill: str

    def is_upon(self, other: Word) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.low
            and other.top < self.low
        )


@dataclass(frozen=True)
class Read:
    """What stands in a picture."""

    width: float
    height: float
    words: list[Word]
    paths: list[dict[str, str]]
    rects: list[dict[str, str]]

    def said(self) -> list[str]:
        return [word.content for word in self.words]

    def word(self, content: str) -> Word:
        return next(word for word in self.words if word.content == content)


def read(text: str) -> Read:
    root = ElementTree.fromstring(text)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert root.attrib["viewBox"] == f"0 0 {width:.0f} {height:.0f}"
    found = list(_walk(root, 0.0))
    return Read(
        width,
        height,
        [_word(e, dy) for e, dy in found if e.tag == f"{SVG}text"],
        [dict(e.attrib) for e, _ in found if e.tag == f"{SVG}path"],
        [dict(e.attrib) for e, _ in found if e.tag == f"{SVG}rect"],
    )


def _walk(element: ElementTree.Element, dy: float) -> Iterator[tuple[ElementTree.Element, float]]:
    moved = re.fullmatch(r"translate\(0 ([\d.]+)\)", element.get("transform", "translate(0 0)"))
    assert moved
    dy += float(moved[1])
    yield element, dy
    for child in element:
        yield from _walk(child, dy)


def _word(element: ElementTree.Element, dy: float) -> Word:
    content, size = element.text or "", float(element.attrib["font-size"])
    long = svg.advance(content, size, element.get("font-weight") == "600")
    before = {"start": 0.0, "middle": long / 2, "end": long}[element.get("text-anchor", "start")]
    left, base = float(element.attrib["x"]) - before, float(element.attrib["y"]) + dy
    top, low = base - 0.72 * size, base + 0.2 * size
    return Word(content, left, left + long, top, low, element.attrib["fill"])


def heights(picture: Read) -> tuple[float, float, float]:
    """Where 100 lies, pixels to a percentage, and the lowest tick, all from the ticks' words."""
    ticks = {
        int(word.content.removesuffix("\u00a0%")): word.low - 0.2 * 13 - 4.5
        for word in picture.words
        if re.fullmatch(r"\d{1,2}|100\u00a0%", word.content) and word.right < 46
    }
    lowest = min(ticks)
    return ticks[100], (ticks[lowest] - ticks[100]) / (100 - lowest), lowest


def share_at(picture: Read, y: float) -> Decimal:
    top, per_percent, _ = heights(picture)
    return Decimal(f"{100 - (y - top) / per_percent:.1f}")


def marks(picture: Read, colour: str) -> list[tuple[float, float]]:
    """The middles of a colour's marks, in the order they are drawn."""
    hollow = {"fill": "#fff", "stroke": colour}
    d = "".join(
        p["d"]
        for p in picture.paths
        if p["fill"] == colour or hollow.items() <= p.items()  # filled or hollow
    )
    return [*_middles(d)]


def _middles(d: str) -> Iterator[tuple[float, float]]:
    shape = r"M([\d.]+) ([\d.]+)(?:(a)([\d.]+)|(h)([\d.]+)v|(l)([\d.]+) -|(h)([\d.]+)l|(v)([\d.]+))"
    for x, y, arc, r, side, long, slope, half, *_ in re.findall(shape, d):
        if arc or slope:
            yield float(x) + float(r or half), float(y)
        elif side:
            yield float(x) + float(long) / 2, float(y) + float(long) / 2


def uprights(picture: Read, colour: str) -> list[tuple[float, float, float]]:
    """The intervals of a colour: x, and the percentages at their ends as pixels."""
    d = "".join(p["d"] for p in picture.paths if p["stroke"] == colour and p["stroke-width"] == "1")
    return [tuple(map(float, m)) for m in re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)", d)]  # type: ignore[misc]


def runs(picture: Read, colour: str) -> list[int]:
    """How many figures each unbroken piece of a line joins."""
    d = next((p["d"] for p in picture.paths if p["stroke"] == colour and "L" in p["d"]
              and p["stroke-width"] != "0.8"), "")  # fmt: skip
    return [1 + piece.count("L") for piece in d.split("M")[1:]]


def everything(report: Report) -> Iterator[str]:
    """All pictures of a report."""
    for block in (b for section in report.sections for b in section.blocks):
        yield pictures.trend(block.trend)
        if block.comparison:
            yield pictures.comparison(block.comparison)
            yield pictures.comparison_named(block.comparison)
            yield pictures.standalone(block.comparison, [SYNTHETIC_SV])
        yield pictures.standalone(block.trend, [SYNTHETIC_SV])
    for profile in (p for activity in report.activities for p in activity.profiles):
        yield pictures.profile(profile)
        yield pictures.standalone(profile, [SYNTHETIC_SV])


def check_words(text: str) -> None:
    """No word is cut by the frame, and none lies upon another."""
    picture = read(text)
    for word in picture.words:
        assert word.left >= 0 and word.right <= picture.width, word
        assert word.top >= 0 and word.low <= picture.height, word
    for i, word in enumerate(picture.words):
        for other in picture.words[i + 1 :]:
            assert not word.is_upon(other), (word, other)


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["K", "M", "T", "nation"])
def test_marks_and_intervals_of_a_trend_stand_at_the_released_numbers(kind: LineKind) -> None:
    story = stories.typical_trend()
    picture = read(pictures.trend(story))
    series = next(line.series for line in story.lines if line.kind == kind)
    at = marks(picture, COLOURS[kind])
    assert [share_at(picture, y) for _, y in at] == [e.share for e in series]
    ends = [(x, *sorted(ys)) for x, *ys in sorted(uprights(picture, COLOURS[kind]))]
    reach = [(share_at(picture, low), share_at(picture, high)) for _, high, low in ends]
    assert reach == [(e.low, e.high) for e in series]


def test_rounds_stand_over_their_years_as_far_apart_as_they_are() -> None:
    rounds = (2018, 2019, 2022)
    story = stories.trend([stories.line("T", stories.varied(rounds))], rounds)
    picture = read(pictures.trend(story))
    years = [(picture.word(str(r)).left + picture.word(str(r)).right) / 2 for r in rounds]
    assert [x for x, _ in marks(picture, INK)] == pytest.approx(years, abs=0.1)
    assert (years[2] - years[1]) / (years[1] - years[0]) == pytest.approx(3, abs=0.01)


@given(
    lows=st.lists(st.integers(0, 1000), min_size=1, max_size=9),
    target=st.one_of(st.none(), st.integers(0, 1000)),
)
@example(lows=[600], target=None)
@example(lows=[0], target=None)
@example(lows=[1000], target=1000)
@settings(max_examples=60, deadline=None)
def test_the_axis_ends_in_whole_tens_below_all_that_is_told(
    lows: list[int], target: int | None
) -> None:
    low = [Decimal(v).scaleb(-1) for v in lows]
    level = None if target is None else Decimal(target).scaleb(-1)
    series = tuple(
        Estimate(2018 + i, "", 10, (v + 100) / 2, v, Decimal(100), target=level)
        for i, v in enumerate(low)
    )
    picture = read(pictures.trend(stories.trend([stories.line("T", series)])))
    _, _, bottom = heights(picture)
    lowest = min([*low, *([] if level is None else [level])])
    assert bottom % 10 == 0
    assert bottom < lowest or bottom == lowest == 0
    # Not lower than needed: the next ten, or from below 40 the next of twenties.
    assert bottom >= lowest - (10 if bottom >= 40 else 30)


def test_a_bracket_is_a_band_between_its_bounds_without_a_mark() -> None:
    series = (stories.shown(2025, 30, 40), stories.bracket(2026, "85.7", "100.0"))
    story = stories.trend([stories.line("K", series)], (2025, 2026))
    picture = read(pictures.trend(story))
    (band,) = picture.rects
    top, height = float(band["y"]), float(band["height"])
    assert share_at(picture, top) == Decimal("100.0")
    assert abs(share_at(picture, top + height) - Decimal("85.7")) <= Decimal("0.1")
    assert len(marks(picture, WOMEN)) == 1
    assert "Kvinnor 85,7–100,0" in " ".join(picture.said())


def test_the_target_level_is_a_line_with_its_words() -> None:
    series = stories.varied(stories.ROUNDS, 66, 90, 1, "72.5")
    picture = read(pictures.trend(stories.trend([stories.line("T", series)])))
    assert "målnivå 72,5" in picture.said()
    (line,) = [p["d"] for p in picture.paths if p["stroke-width"] == "0.9"]
    assert {share_at(picture, float(y)) for y in re.findall(r"M[\d.]+ ([\d.]+)H", line)} == {
        Decimal("72.5")
    }


def test_a_target_level_spans_only_the_rounds_that_have_it() -> None:
    series = (*stories.varied((2018, 2019)), stories.shown(2020, 30, 40, "70.0"))
    story = stories.trend([stories.line("T", series)], (2018, 2019, 2020))
    picture = read(pictures.trend(story))
    (line,) = [p["d"] for p in picture.paths if p["stroke-width"] == "0.9"]
    (start,) = re.findall(r"M([\d.]+)", line)
    halfway = sum(picture.word(str(r)).left + picture.word(str(r)).right for r in (2019, 2020)) / 4
    assert float(start) == pytest.approx(halfway, abs=0.1)


# --- gaps and breaks ----------------------------------------------------------------------------


def test_a_line_has_a_gap_where_a_figure_is_hidden_or_has_no_row() -> None:
    women = stories.varied(stories.ROUNDS)
    told = [e for e in women if e.round != 2020]  # no row
    with_gaps = tuple(stories.hidden(2023) if e.round == 2023 else e for e in told)
    picture = read(pictures.trend(stories.trend([stories.line("K", with_gaps)])))
    assert runs(picture, WOMEN) == [2, 2, 3]
    assert len(marks(picture, WOMEN)) == 7


def test_a_break_is_a_gap_with_a_dashed_upright_and_words() -> None:
    story = stories.trend([stories.line("K", stories.varied(stories.ROUNDS))], breaks=(2021,))
    picture = read(pictures.trend(story))
    assert runs(picture, WOMEN) == [3, 6]
    (dashed,) = [p["d"] for p in picture.paths if p.get("stroke-dasharray") == "3 3"]
    (x,) = re.findall(r"M([\d.]+) ", dashed)
    assert picture.word("2020").right < float(x) + 8 and float(x) - 8 < picture.word("2021").left
    assert picture.said().count("ny fråga") == 1


def test_the_first_round_of_the_axis_is_no_break() -> None:
    story = stories.trend([stories.line("K", stories.varied(stories.ROUNDS))], breaks=(2018,))
    assert "ny fråga" not in read(pictures.trend(story)).said()


def test_figures_before_the_axis_are_not_drawn() -> None:
    story = stories.trend([stories.line("K", stories.varied((2017, *stories.ROUNDS)))])
    assert len(marks(read(pictures.trend(story)), WOMEN)) == 9


def test_one_round_has_marks_and_no_line() -> None:
    picture = read(pictures.trend(stories.typical_trend((2026,))))
    assert [len(marks(picture, colour)) for colour in COLOURS.values()] == [1, 1, 1, 1]
    assert [runs(picture, colour) for colour in COLOURS.values()] == [[], [], [], []]


def test_a_line_that_ends_before_the_last_round_says_of_which_year_its_figure_is() -> None:
    men = (*stories.varied((2024, 2025)), stories.hidden(2026))
    story = stories.trend([stories.line("M", men)], (2024, 2025, 2026))
    share = f"{men[1].share}".replace(".", ",")
    picture = read(pictures.trend(story))
    assert f"Män 2025: {share}" in picture.said()
    last = max(x for x, _ in marks(picture, MEN))
    reached = [float(x) for p in picture.paths if p["stroke"] == MEN
               for x in re.findall(r"[ML]([\d.]+)", p["d"])]  # fmt: skip
    assert max(reached) <= last + 0.1  # nothing is drawn where nothing is told


def test_women_and_men_differ_in_dash_and_mark_and_not_in_colour_alone() -> None:
    text = pictures.trend(stories.typical_trend())
    by = {p["stroke"]: p for p in read(text).paths if p["stroke-width"] == "2"}
    assert by[MEN]["stroke-dasharray"] and "stroke-dasharray" not in by[WOMEN]
    shapes = {p["fill"]: p["d"] for p in read(text).paths if p["fill"] in (WOMEN, MEN)}
    assert "a3.6" in shapes[WOMEN] and "h6.6v6.6" in shapes[MEN]


# --- what is hidden -----------------------------------------------------------------------------


def test_without_any_figure_the_picture_says_why() -> None:
    hidden = pictures.trend(stories.hidden_trend())
    assert "För få svar för att visas" in read(hidden).said()
    nobody = stories.trend([stories.line("K", (stories.empty(2026),))])
    assert "Inga svar" in read(pictures.trend(nobody)).said()
    assert not any(marks(read(hidden), colour) for colour in COLOURS.values())


def test_lines_without_any_figure_are_named_with_the_reason() -> None:
    story = stories.trend(
        [
            stories.line("K", (stories.hidden(2026),)),
            stories.line("M", (stories.empty(2026),)),
            stories.line("T", stories.varied(stories.ROUNDS)),
        ]
    )
    said = read(pictures.trend(story)).said()
    assert {"Kvinnor: för få svar", "Män: inga svar"} <= set(said)


def planted(estimate: Estimate | None) -> Estimate | None:
    """A hidden figure that carries numbers all the same: no picture may look at them."""
    if estimate is None or estimate.is_shown or estimate.is_bracket:
        return estimate
    at = Decimal("3.7")
    return replace(estimate, share=at, low=at - 1, high=at + 1, n=7, target=at, change=at)


def test_no_picture_looks_at_the_numbers_of_a_hidden_figure() -> None:
    trend = stories.ten_rounds().sections[0].blocks[0].trend
    lines = [replace(x, series=tuple(map(planted, x.series))) for x in trend.lines]
    assert pictures.trend(replace(trend, lines=tuple(lines))) == pictures.trend(trend)  # type: ignore[arg-type]

    told = replace(stories.comparison(own="forbund40"), nation=stories.hidden(2026))
    dots = tuple(replace(dot, estimate=planted(dot.estimate)) for dot in told.dots)
    with_numbers = replace(told, dots=dots, nation=planted(told.nation))
    for draw in (pictures.comparison, pictures.comparison_named):
        assert draw(with_numbers) == draw(told)

    profile = stories.profile(9)
    rows = tuple(replace(r, own=planted(r.own) or r.own) for r in profile.rows)
    assert pictures.profile(replace(profile, rows=rows)) == pictures.profile(profile)


# --- comparisons --------------------------------------------------------------------------------


def told_of(story: Comparison) -> list[Dot]:
    return [dot for dot in story.dots if dot.estimate and dot.estimate.is_shown]


def test_the_dots_of_a_comparison_stand_in_the_given_order_at_their_numbers() -> None:
    story = stories.comparison()
    picture = read(pictures.comparison(story))
    at = marks(picture, PALE)
    assert [x for x, _ in at] == sorted(x for x, _ in at)
    assert [share_at(picture, y) for _, y in at] == [d.estimate.share for d in told_of(story)]  # type: ignore[union-attr]


def test_the_own_association_has_a_diamond_and_its_name_with_the_figure() -> None:
    story = stories.comparison()
    picture = read(pictures.comparison(story))
    own = next(dot for dot in story.dots if dot.unit_id == "forbund07")
    ((x, y),) = marks(picture, INK)
    assert share_at(picture, y) == own.estimate.share  # type: ignore[union-attr]
    assert x == pytest.approx(marks(picture, PALE)[told_of(story).index(own)][0], abs=0.1)
    assert f"Förbund 07 {own.estimate.share}".replace(".", ",") in picture.said()  # type: ignore[union-attr]


def test_the_nation_is_a_dashed_line_at_its_number() -> None:
    picture = read(pictures.comparison(stories.comparison()))
    (line,) = [p["d"] for p in picture.paths if p.get("stroke-dasharray") == "5 3"]
    (y,) = re.findall(r"M[\d.]+ ([\d.]+)H", line)
    assert share_at(picture, float(y)) == Decimal("70.4")
    assert "Riket 70,4" in picture.said()


def test_associations_without_a_figure_are_counted_in_words() -> None:
    # Of 41 five have none: forbund36 and forbund39 no row, the others too few answers.
    said = read(pictures.comparison(stories.comparison())).said()
    assert "3 förbund: för få svar, 2 förbund: inga svar" in said


def test_an_own_association_without_a_figure_is_told_in_words() -> None:
    picture = read(pictures.comparison(stories.comparison(own="forbund40")))
    assert "Förbund 40: för få svar" in picture.said()
    assert marks(picture, INK) == []


def test_all_reports_share_the_ground_of_a_comparison() -> None:
    dots = stories.dots()
    one, other = (
        pictures.comparison(stories.comparison(dots, own=own)) for own in ("forbund07", "forbund08")
    )
    assert marks(read(one), PALE) == marks(read(other), PALE)
    assert marks(read(one), INK) != marks(read(other), INK)


def test_the_name_of_the_first_and_the_last_association_is_not_cut() -> None:
    dots = stories.dots(41, lambda i: f"Samordningsförbundet {i} i Södra Skogsbygden")
    for own in (told_of(stories.comparison(dots))[place].unit_id for place in (0, -1)):
        check_words(pictures.comparison(stories.comparison(dots, own=own)))


def test_the_named_comparison_has_a_row_for_each_association() -> None:
    story = stories.comparison()
    picture = read(pictures.comparison_named(story))
    rows = [picture.word(dot.name) for dot in story.dots]
    assert [row.top for row in rows] == sorted(row.top for row in rows)
    beside = [w.content for row in rows for w in picture.words
              if w.left > 380 and abs(w.top - row.top) < 1]  # fmt: skip
    wanted = [
        str(d.estimate.share).replace(".", ",")
        if d.estimate and d.estimate.is_shown
        else "för få svar" if d.estimate else "inga svar"
        for d in story.dots
    ]  # fmt: skip
    assert beside == wanted


def along(picture: Read) -> tuple[float, float]:
    """Where 0 would lie and pixels to a percentage, of ticks above rows."""
    ticks = {int(w.content.removesuffix("\u00a0%")): (w.left + w.right) / 2 for w in picture.words
             if re.fullmatch(r"\d{1,2}|100\u00a0%", w.content)}  # fmt: skip
    per = (ticks[100] - ticks[min(ticks)]) / (100 - min(ticks))
    return ticks[100] - 100 * per, per


def test_the_rows_of_a_named_comparison_have_their_marks_at_their_numbers() -> None:
    story = stories.comparison(own=None)
    picture = read(pictures.comparison_named(story))
    zero, per = along(picture)
    shares = [Decimal(f"{(x - zero) / per:.1f}") for x, _ in marks(picture, GREY)]
    assert shares == [d.estimate.share for d in told_of(story)]  # type: ignore[union-attr]


# --- profiles -----------------------------------------------------------------------------------


def test_the_marks_of_a_profile_stand_at_their_numbers() -> None:
    story = stories.profile(12)
    picture = read(pictures.profile(story))
    zero, per = along(picture)
    own = [Decimal(f"{(x - zero) / per:.1f}") for x, _ in marks(picture, INK)[1:]]  # less the key's
    assert own == [row.own.share for row in story.rows if row.own.is_shown]
    association = [Decimal(f"{(x - zero) / per:.1f}") for x, _ in marks(picture, GREY)[1:]]
    assert association == [row.beside[0].estimate.share for row in story.rows]  # type: ignore[union-attr]


def test_a_profile_names_its_marks_above() -> None:
    said = read(pictures.profile(stories.profile(6))).said()
    assert said[:3] == ["Insatsen, med 95\u00a0% intervall", "Exempelbygden", "Riket"]


def test_a_profile_has_a_mark_of_its_own_for_each_it_is_seen_against() -> None:
    text = pictures.profile(stories.profile(1, groups=stories.GROUPS))
    told = ["Insatsen, med 95\u00a0% intervall", *stories.GROUPS, "Exempelbygden", "Riket"]
    assert read(text).said()[: len(told)] == told
    key = shapes_of(text)[: len(told)]
    assert len(set(key)) == len(key) == len(told)


def test_a_profile_against_more_than_there_are_marks_draws_the_widest() -> None:
    groups = ["Först", *stories.GROUPS]
    said = read(pictures.profile(stories.profile(1, groups=groups))).said()
    assert said[1:7] == [*stories.GROUPS, "Exempelbygden", "Riket"]
    assert "Först" not in said


def shapes_of(text: str) -> list[str]:
    """The shapes of the marks in the order they are drawn: what follows where each begins."""
    return re.findall(r'<path d="M[\d.]+ [\d.]+([a-z][^"M]*)', text)


def test_the_key_of_a_profile_goes_on_below_where_names_are_long() -> None:
    groups = [("kort", "Korta insatser"), ("own", stories.LONG), ("0000", "Riket")]
    beside = tuple(Dot(unit_id, name, stories.shown(2026, 30, 40)) for unit_id, name in groups)
    story = stories.profile(2)
    text = pictures.profile(
        replace(story, rows=tuple(replace(r, beside=beside) for r in story.rows))
    )
    check_words(text)
    said = " ".join(read(text).said()).replace("- ", "")
    assert all(name in said for _, name in groups)


def test_an_axis_of_outcomes_ends_above_them_and_is_named_in_percent() -> None:
    drawn = stories.outcomes().trend
    assert drawn
    highest = max(e.high for line in drawn.lines for e in line.series if e.high)
    ends = [
        int(w[:-2]) for w in read(pictures.trend(drawn)).said() if re.fullmatch(r"\d+\u00a0%", w)
    ]
    assert len(ends) == 1
    assert highest <= ends[0] <= highest + 10
    answers = read(pictures.trend(stories.typical_trend())).said()
    assert "100\u00a0%" in answers


def test_forty_measures_fit_on_a_paper_page() -> None:
    picture = read(pictures.profile(stories.profile(40)))
    assert picture.height / picture.width < 240 / 160  # mm of A4 within margins and a heading


# --- words, colours, bytes ----------------------------------------------------------------------


@pytest.mark.parametrize("name", stories.STORIES)
def test_no_word_is_cut_or_lies_upon_another(name: str) -> None:
    for text in everything(stories.STORIES[name]()):
        check_words(text)


figures = st.tuples(st.integers(0, 40), st.integers(0, 4))


@st.composite
def drawn_trends(draw: st.DrawFn) -> Trend:
    """Trends of all kinds of figures, with names of any length."""
    rounds = tuple(range(2026 - draw(st.integers(0, 9)), 2027))
    kinds: list[LineKind] = draw(
        st.lists(st.sampled_from(["K", "M", "T", "nation"]), unique=True, min_size=1)
    )
    lines = []
    for kind in kinds:
        told = [draw(figures) for _ in rounds]
        series = tuple(_figure(r, n, way) for r, (n, way) in zip(rounds, told, strict=True))
        label = draw(st.text("abcdåäö -WM", min_size=1, max_size=60)) if draw(
            st.booleans()
        ) else stories.NAMES[kind]  # fmt: skip
        lines.append(replace(stories.line(kind, series), label=label))
    breaks = draw(st.lists(st.sampled_from(rounds), unique=True))
    return stories.trend(lines, rounds, sorted(breaks))


def _figure(round_: int, positive: int, way: int) -> Estimate:
    if way == 0:
        return stories.hidden(round_)
    if way == 1:
        return stories.bracket(round_, "87.5", "100.0")
    return stories.shown(round_, positive, 40, "70.0" if way == 2 else None)


@given(drawn_trends())
@settings(max_examples=150, deadline=None)
def test_names_at_lines_ends_are_pushed_apart_and_stay_inside(story: Trend) -> None:
    check_words(pictures.trend(story))


@given(
    st.lists(st.tuples(st.floats(-50, 250), st.integers(10, 40)), min_size=1, max_size=6),
)
def test_labels_pushed_apart_keep_their_order_and_move_no_more_than_needed(
    labels: list[tuple[float, int]],
) -> None:
    wanted, sizes = [w for w, _ in labels], [s for _, s in labels]
    centres = svg.apart(wanted, sizes, 0, 240)
    order = sorted(range(len(labels)), key=lambda i: wanted[i])
    for above, below in zip(order, order[1:], strict=False):
        assert centres[below] - centres[above] >= (sizes[above] + sizes[below]) / 2 - 1e-6
    assert min(c - s / 2 for c, s in zip(centres, sizes, strict=True)) >= -1e-6
    assert max(c + s / 2 for c, s in zip(centres, sizes, strict=True)) <= 240 + 1e-6
    if all(
        wanted[b] - wanted[a] >= (sizes[a] + sizes[b]) / 2
        for a, b in zip(order, order[1:], strict=False)
    ) and all(s / 2 <= w <= 240 - s / 2 for w, s in labels):
        assert centres == pytest.approx(wanted)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str) -> float:
    return 1.05 / (luminance(colour) + 0.05)


@pytest.mark.parametrize("name", stories.STORIES)
def test_words_and_marks_can_be_told_from_the_white_ground(name: str) -> None:
    assert contrast("#777777") == pytest.approx(4.48, abs=0.01)  # a pair that is widely known
    for text in everything(stories.STORIES[name]()):
        picture = read(text)
        assert all(contrast(word.fill) >= 4.5 for word in picture.words)
        seen = {
            p[k] for p in (*picture.paths, *picture.rects) for k in ("fill", "stroke") if k in p
        }
        for colour in seen - {"none", "#fff", GRID}:
            assert contrast(colour) >= 3, colour
        assert all(word.low - word.top > 0.9 * 11 for word in picture.words)


@pytest.mark.parametrize("name", stories.STORIES)
def test_every_picture_has_a_name_and_an_alternative_and_no_styles(name: str) -> None:
    for text in everything(stories.STORIES[name]()):
        root = ElementTree.fromstring(text)
        assert root.get("role") == "img"
        assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
        assert all(child.text for child in root[:2])
        assert not re.search(r"style|class=|id=|href|<script|url\(", text)


def test_a_file_of_its_own_has_its_title_and_what_it_must_not_lose() -> None:
    story = stories.typical_trend()
    said = " ".join(read(pictures.standalone(story, [SYNTHETIC_SV])).said())
    assert story.title in said and SYNTHETIC_SV in said


def test_names_are_text_and_never_markup() -> None:
    dots = [Dot("a", "A & <b>B</b>", stories.shown(2026, 30, 40)), *stories.dots(3)]
    story = stories.comparison(dots, own="a")
    for draw in (pictures.comparison, pictures.comparison_named):
        assert "A & <b>B</b>" in " ".join(read(draw(story)).said())


def test_pictures_are_the_same_bytes_each_time() -> None:
    code = (
        "import hashlib, stories\n"
        "from test_pictures import everything\n"
        "text = ''.join(x for make in stories.STORIES.values() for x in everything(make()))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    path = os.pathsep.join(str(PROJECT / folder) for folder in (".", "tests", "tests/unit"))
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


# --- the font -----------------------------------------------------------------------------------


def font_widths(path: Path) -> dict[str, float]:
    """The widths of a font's characters in thousandths, read from its tables."""
    data = path.read_bytes()
    count = struct.unpack(">H", data[4:6])[0]
    tables = {
        data[12 + 16 * i : 16 + 16 * i]: struct.unpack(">II", data[20 + 16 * i : 28 + 16 * i])[0]
        for i in range(count)
    }
    (per_em,) = struct.unpack_from(">H", data, tables[b"head"] + 18)
    (metrics,) = struct.unpack_from(">H", data, tables[b"hhea"] + 34)
    widths = [
        struct.unpack_from(">H", data, tables[b"hmtx"] + 4 * i)[0] * 1000 / per_em
        for i in range(metrics)
    ]
    return {c: widths[min(g, metrics - 1)] for c, g in _glyphs(data, tables[b"cmap"]).items()}


def _glyphs(data: bytes, start: int) -> dict[str, int]:
    """A character map of format 4."""
    offsets = [struct.unpack_from(">HHI", data, start + 4 + 8 * i)[2]
               for i in range(struct.unpack_from(">H", data, start + 2)[0])]  # fmt: skip
    at = next(start + o for o in offsets if struct.unpack_from(">H", data, start + o)[0] == 4)
    segments = struct.unpack_from(">H", data, at + 6)[0] // 2
    ends, starts, deltas, ranges = (
        struct.unpack_from(f">{segments}H", data, at + 14 + 2 * segments * k + (2 if k else 0))
        for k in range(4)
    )
    found = {}
    for i in range(segments):
        for code in range(starts[i], min(ends[i], 0xFFFE) + 1):
            glyph = code
            if ranges[i]:
                where = at + 16 + 6 * segments + 2 * i + ranges[i] + 2 * (code - starts[i])
                (glyph,) = struct.unpack_from(">H", data, where)
            found[chr(code)] = (glyph + deltas[i]) % 65536
    return found


@pytest.mark.parametrize(("name", "is_bold"), [("Regular", False), ("SemiBold", True)])
def test_texts_are_measured_no_narrower_than_the_font_has_them(name: str, is_bold: bool) -> None:
    widths = font_widths(svg.FONTS / f"HankenGrotesk-{name}.ttf")
    needed = (
        "ABCDEFGHIJKLMNOPQRSTUVWXYZÅÄÖÉÜabcdefghijklmnopqrstuvwxyzåäöéü0123456789–−…“”’%·§\u00a0"
    )
    assert set(needed) <= set(widths)
    for character in needed:
        measured = svg.advance(character, 1000, is_bold)
        assert widths[character] <= measured <= widths[character] * 1.6 + 60, character


@given(st.text("aåÖW -x", min_size=1, max_size=90), st.integers(40, 300))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = svg.wrapped(text, width)
    assert all(svg.advance(line) <= width for line in lines)
    assert "".join(lines).replace("-", "").replace(" ", "") == re.sub(r"[- ]", "", text)


def test_a_profile_without_rows_is_an_empty_axis() -> None:
    picture = read(pictures.profile(Profile("p", "Alla mått", "Inga mått.", ())))
    assert "100\u00a0%" in picture.said()
