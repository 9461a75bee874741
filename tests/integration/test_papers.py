"""The PDFs of a report: tagged for those who listen, the same each time, the story's figures.

Read back by other programs than the one that makes them: pikepdf for tags, pdfium for text.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
import stories

from pipelines.release.table import SYNTHETIC_SV
from pipelines.report import paper, words
from pipelines.report.estimates import Estimate
from pipelines.report.story import Outcomes, Report

PROJECT = Path(__file__).parent.parent.parent
A4 = (595.276, 841.89)
NAMES = list(stories.STORIES)
WITH_ACTIVITIES = [name for name, made in stories.STORIES.items() if made().activities]
PAPERS = [("report", name) for name in NAMES] + [("activities", name) for name in WITH_ACTIVITIES]

every_paper = pytest.mark.parametrize(("kind", "name"), PAPERS)


@cache
def made(kind: str, name: str) -> bytes:
    story = stories.STORIES[name]()
    return paper.report(story) if kind == "report" else paper.activities(story)


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(pdf))


def texts(pdf: bytes) -> list[str]:
    """The text of each page as a viewer copies it."""
    pages = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in pages]


def elements(parent: Any) -> Iterator[Any]:
    """All elements of the structure tree below a parent, in reading order."""
    kids = parent.get("/K", [])
    for kid in list(kids) if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from elements(kid)


def tagged(pdf: pikepdf.Pdf, *names: str) -> list[Any]:
    return [e for e in elements(pdf.Root.StructTreeRoot) if str(e.S).removeprefix("/") in names]


def table_attribute(cell: Any, name: str) -> Any:
    owned = cell.A if isinstance(cell.A, pikepdf.Array) else [cell.A]
    found = [a.get(name) for a in owned if a.O == "/Table" and name in a]
    return found[0] if found else None


# --- for those who listen -----------------------------------------------------------------------


@every_paper
def test_a_paper_claims_pdf_ua_and_names_its_language_and_title(kind: str, name: str) -> None:
    pdf, story = opened(made(kind, name)), stories.STORIES[name]()
    assert str(pdf.Root.Lang) == "sv-SE"
    assert bool(pdf.Root.MarkInfo.Marked)
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    with pdf.open_metadata() as xmp:
        assert xmp["pdfuaid:part"] == "1"
        title = xmp["dc:title"]
    assert title == str(pdf.docinfo["/Title"])
    assert story.name in title and str(story.round) in title


@every_paper
def test_every_picture_has_the_alternative_text_of_the_story(kind: str, name: str) -> None:
    story = stories.STORIES[name]()
    blocks = [b for s in story.sections for b in s.blocks]
    told = [(story.outcomes.trend, story.outcomes.comparison)]
    told += [(b.trend, b.comparison) for b in blocks]
    pictures = (
        [p for pair in told for p in pair if p]
        if kind == "report"
        else [p for a in story.activities for p in a.profiles]
    )
    pdf = opened(made(kind, name))
    figures = tagged(pdf, "Figure")
    assert [str(figure.Alt) for figure in figures] == [picture.alt for picture in pictures]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_table_begins_with_its_header(name: str) -> None:
    pdf = opened(made("report", name))
    heads = [c for head in tagged(pdf, "THead") for c in elements(head) if c.S == "/TH"]
    assert heads and {str(table_attribute(c, "/Scope")) for c in heads} == {"/Column"}
    rows = [row for body in tagged(pdf, "TBody") for row in elements(body) if row.S == "/TR"]
    story = stories.STORIES[name]()
    blocks = [b for s in story.sections for b in s.blocks]
    assert len(rows) == (
        len(story.sections)
        + len(story.volumes)
        + len(story.activities)
        + len(words.SIGNS)
        + sum(len(s.summary) for s in story.sections if not s.is_study)
        + rows_of_outcomes(story.outcomes)
        + sum(len(question.figures) for p in story.projects for question in p.questions)
        + len(story.reliability)
        + sum(len(b.trend.lines) + len(b.groups) for b in blocks)
    )
    for row in rows:
        first, *others = elements(row)
        assert (first.S, table_attribute(first, "/Scope")) == ("/TH", "/Row")
        cells = [cell for cell in others if cell.S in ("/TH", "/TD")]
        assert cells and {str(cell.S) for cell in cells} == {"/TD"}
        assert not [cell for cell in cells if table_attribute(cell, "/Headers") is not None]


def rows_of_outcomes(told: Outcomes) -> int:
    lines = len(told.trend.lines) if told.trend else 0
    return len(told.rows) + len(told.ways) + len(told.groups) + lines


@every_paper
def test_headings_step_down_one_level_at_a_time(kind: str, name: str) -> None:
    pdf = opened(made(kind, name))
    found = tagged(pdf, "H1", "H2", "H3", "H4", "H5", "H6")
    levels = [int(str(e.S)[-1]) for e in found]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize("name", NAMES)
def test_the_outline_leads_to_every_indicator(name: str) -> None:
    def titles(items: Any) -> Iterator[str]:
        for item in items:
            yield item.title
            yield from titles(item.children)

    pdf = opened(made("report", name))
    with pdf.open_outline() as outline:
        found = list(titles(outline.root))
    for section in stories.STORIES[name]().sections:
        assert f"{section.indicator_id}. {section.label}" in found


# --- on paper -----------------------------------------------------------------------------------


@every_paper
def test_all_pages_are_a4_in_the_shipped_font(kind: str, name: str) -> None:
    pdf = opened(made(kind, name))
    for page in pdf.pages:
        assert [float(v) for v in page.mediabox[2:]] == pytest.approx(A4, abs=0.01)
    fonts = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/BaseFont" in o]
    assert fonts and {str(f.BaseFont).partition("+")[2].partition("-")[0] for f in fonts} == {
        "HankenGrotesk"
    }
    described = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/Ascent" in o]
    assert described and all("/FontFile2" in d or "/FontFile3" in d for d in described)


@every_paper
def test_an_invented_paper_says_so_on_every_page(kind: str, name: str) -> None:
    assert all(SYNTHETIC_SV in text for text in texts(made(kind, name)))


def test_a_real_paper_does_not_say_that_it_is_invented() -> None:
    story = replace(stories.typical(), is_synthetic=False)
    for pdf in (paper.report(story), paper.activities(story)):
        assert not any("Påhittade" in text for text in texts(pdf))


@pytest.mark.parametrize("name", WITH_ACTIVITIES)
def test_each_activity_has_one_page(name: str) -> None:
    pages, activities = texts(made("activities", name)), stories.STORIES[name]().activities
    assert len(pages) == len(activities)
    for number, (page, activity) in enumerate(zip(pages, activities, strict=True), 1):
        assert activity.name.split()[0] in page
        assert f"Sida {number} av {len(pages)}" in page


def test_forty_measures_with_long_names_and_many_hidden_fit_on_a_page() -> None:
    profiles = [stories.profile(40, lambda i: f"{i} {stories.LONG_MEASURE}")]
    crowded = stories.activity(1, stories.LONG, profiles, [stories.LONG_MEASURE] * 12)
    several = stories.activity(2, "B", [stories.profile(14)] * 3, ["Mått"] * 30)
    silent = stories.activity(3, "C", [])
    story = stories.report([], [crowded, several, silent], name=stories.LONG)
    assert len(texts(paper.activities(story))) == 3


def test_a_report_without_activities_has_no_page_for_them() -> None:
    with pytest.raises(ValueError, match="no activities"):
        paper.activities(stories.national())


# --- the figures --------------------------------------------------------------------------------


def written(estimate: Estimate | None) -> list[str]:
    """The cells of a figure, spelt out here anew."""
    if estimate is None:
        return ["-", "-"]

    def tenth(value: object) -> str:
        return str(value).replace(".", ",")

    n = "" if estimate.n is None else f"{estimate.n:,}".replace(",", "\u00a0")
    bounds = f"{tenth(estimate.low)}–{tenth(estimate.high)}"
    match estimate.status:
        case "":
            return [tenth(estimate.share), *([bounds] if estimate.low is not None else []), n]
        case "[]":
            return [bounds, n]
        case ".":
            return [".", n]
    return ["..", ".."]


def rows(name: str) -> list[str]:
    """The lines of a report's text; the cells of a table's row are one line."""
    lines = [line for page in texts(made("report", name)) for line in page.splitlines()]
    return [" ".join(line.split(" ")) for line in lines]


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_of_measures_hold_the_story_s_figures(name: str) -> None:
    seen = rows(name)
    for block in (b for s in stories.STORIES[name]().sections for b in s.blocks):
        for line in block.trend.lines:
            by_round = {e.round: e for e in line.series}
            cells = [cell for r in block.trend.rounds[-3:] for cell in written(by_round.get(r))]
            assert " ".join([line.label, *cells]) in seen
        for dot in block.groups:
            assert " ".join([dot.name, *written(dot.estimate)]) in seen


# A long name is broken over lines: what the viewer copies is then no row.
@pytest.mark.parametrize("name", [name for name in NAMES if name != "long_names"])
def test_the_tables_of_indicators_hold_the_story_s_figures(name: str) -> None:
    seen = rows(name)
    for section in stories.STORIES[name]().sections:
        label = f"{section.indicator_id}. {section.label}"
        for summary in section.summary:
            if section.is_study and summary != section.summary[-1]:
                continue  # its only group is all there is
            genders = [written(e)[0] for e in (summary.women, summary.men)]
            if (summary.women, summary.men) == (None, None):
                genders = [".", "."]  # these respondents are not asked for their gender
            cells = [*genders, written(summary.total)[0], written(summary.total)[-1]]
            assert section.is_study or " ".join([summary.label, *cells]) in seen
            if summary == section.summary[-1]:
                assert " ".join([label, *cells]) in seen
        if not section.summary:
            assert f"{label} . . . ." in seen


def counted(n: int | None) -> str:
    return ".." if n is None else f"{n:,}".replace(",", "\u00a0")


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_of_outcomes_hold_the_story_s_figures(name: str) -> None:
    seen, told = rows(name), stories.STORIES[name]().outcomes
    for row in told.rows:
        counts = [counted(n) for n in (row.active, row.ended, row.rate.n, row.positive)]
        share, *interval = written(row.rate)[:-1]
        assert " ".join([row.label, *counts, share, *interval]) in seen
    for way in told.ways:
        assert " ".join([way.label, *map(counted, (way.women, way.men, way.total))]) in seen
    for line in told.trend.lines if told.trend else ():
        by_round = {e.round: e for e in line.series}
        cells = [c for r in told.trend.rounds[-3:] for c in written(by_round.get(r))]
        assert " ".join([line.label, *cells]) in seen
    assert (told.note in " ".join(seen)) and (told.sentence in " ".join(seen))


def test_own_questions_and_the_instruments_quality_are_told_where_they_belong() -> None:
    own, nation = rows("typical"), rows("national")
    for question in stories.project().questions:
        for figure in question.figures:
            genders = [written(e)[0] for e in (figure.women, figure.men)]
            cells = genders if figure.women or figure.men else [".", "."]
            assert " ".join([figure.unit, *cells, *written(figure.total)]) in own
    assert any(line.endswith("Deltagare 4 0,87 0,85–0,90 0,71 0,40") for line in nation)
    assert "Egna frågor" in own and "Egna frågor" not in nation
    assert "Instrumentets kvalitet" in nation and "Instrumentets kvalitet" not in own


@pytest.mark.parametrize("name", WITH_ACTIVITIES)
def test_the_page_of_an_activity_has_its_shares(name: str) -> None:
    pages, activities = texts(made("activities", name)), stories.STORIES[name]().activities
    for page, activity in zip(pages, activities, strict=True):
        shares = [r.own for p in activity.profiles for r in p.rows if r.own.is_shown]
        told = Counter(re.findall(r"(?<![\d,–])\d+,\d\b(?!–)", page))
        assert told == Counter(written(own)[0] for own in shares)


def test_nothing_stands_where_all_is_hidden_but_signs() -> None:
    pages = "\n".join(texts(made("report", "all_hidden")))
    shown = stories.STORIES["all_hidden"]().sections[0].blocks[0].groups[0].estimate
    without_group = pages.replace(" ".join(written(shown)), "").replace("85,7–100,0 som andel", "")
    assert re.findall(r"\d,\d", pages) and not re.findall(r"\d,\d", without_group)


# --- the same each time -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["report", "activities"])
def test_the_bytes_are_the_same_twice_and_in_another_process_and_folder(
    kind: str, tmp_path: Path
) -> None:
    before = made(kind, "typical")
    story: Report = stories.typical()
    assert (paper.report if kind == "report" else paper.activities)(story) == before
    program = (
        "import sys, stories\nfrom pipelines.report import paper\n"
        f"sys.stdout.buffer.write(paper.{kind}(stories.typical()))"
    )
    path = os.pathsep.join([str(PROJECT), str(PROJECT / "tests")])
    env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland"}
    env["SOURCE_DATE_EPOCH"] = "1000000000"
    again = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, check=True
    )
    assert again.stdout == before


@every_paper
def test_a_paper_has_neither_a_date_nor_a_path(kind: str, name: str) -> None:
    pdf = opened(made(kind, name))
    assert not {"/CreationDate", "/ModDate"} & set(pdf.docinfo.keys())
    packed = BytesIO()
    pdf.save(packed, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.all)
    for place in (PROJECT, Path.home(), Path(sys.prefix)):
        assert str(place).encode() not in packed.getvalue()
    assert b"CreateDate" not in packed.getvalue()
