"""The appendix of a report: its workbook by openpyxl, its charts as XML, its archive of SVGs."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from xml.etree import ElementTree

import openpyxl
import pytest
import stories
from openpyxl.worksheet.worksheet import Worksheet

from pipelines.release.table import SYNTHETIC_SV
from pipelines.report import appendix
from pipelines.report.estimates import Estimate
from pipelines.report.story import Block, Comparison, Report, Trend

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
SVG = "{http://www.w3.org/2000/svg}"
KINDS = {"K": "Kvinnor", "M": "Män", "T": "Totalt", "nation": "Riket"}
NAMES = sorted(stories.STORIES)


@cache
def story_of(name: str) -> Report:
    return stories.STORIES[name]()


@cache
def bytes_of(name: str) -> bytes:
    return appendix.workbook(story_of(name))


def read(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(data))


def blocks(report: Report) -> list[tuple[str, Block]]:
    """The sheet and the block of each measure."""
    return [(f"Indikator {s.indicator_id}", b) for s in report.sections for b in s.blocks]


def trends(report: Report) -> list[tuple[str, Trend]]:
    """The sheet and each trend, that of outcomes first."""
    outcomes = [("Utfall", report.outcomes.trend)] if report.outcomes.trend else []
    return outcomes + [(sheet, block.trend) for sheet, block in blocks(report)]


def comparisons(report: Report) -> list[Comparison]:
    """All comparisons, that of outcomes first."""
    return [
        compared
        for compared in (report.outcomes.comparison, *(b.comparison for _, b in blocks(report)))
        if compared
    ]


def texts(sheet: Worksheet) -> list[str]:
    return [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]


def table(sheet: Worksheet, first: str, start: int = 1) -> list[dict[str, object]]:
    """The rows by their heads of the table whose first head is so, from a row on."""
    rows = list(sheet.iter_rows(min_row=start, values_only=True))
    at = next(i for i, row in enumerate(rows) if row[0] == first)
    heads = [head for head in rows[at] if head is not None]
    found = []
    for row in rows[at + 1 :]:
        if row[0] is None:
            break
        found.append(dict(zip(heads, row, strict=False)))
    return found


def row_of(sheet: Worksheet, text: str, place: int = 0) -> int:
    return [c.row for row in sheet.iter_rows(max_col=1) for c in row if c.value == text][place]


def cell_of(estimate: Estimate | None) -> object:
    """What a share's cell should hold, by hand."""
    if estimate is None:
        return "-"
    if estimate.status == "[]":
        return f"{estimate.low}–{estimate.high}".replace(".", ",")
    return float(estimate.share) if estimate.share is not None else (estimate.status or None)


def number(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]


# --- the tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_round_of_every_line_of_a_trend_is_in_its_table(name: str) -> None:
    book = read(bytes_of(name))
    seen: dict[tuple[str, str], int] = {}
    for sheet, trend in trends(story_of(name)):
        place = seen.setdefault((sheet, trend.title), 0)
        seen[sheet, trend.title] += 1
        time, counted = trend.terms.time, trend.terms.counted.lower()
        rows = table(book[sheet], time, row_of(book[sheet], trend.title, place))
        # the words below end a table only when they stand in its first column as text
        rows = [row for row in rows if isinstance(row[time], int)]
        assert [row[time] for row in rows] == list(trend.rounds)
        for line in trend.lines:
            by_round = {e.round: e for e in line.series}
            for row in rows:
                estimate = by_round.get(row[time])  # type: ignore[call-overload]
                assert row[f"{line.label}, %"] == cell_of(estimate)
                assert row[f"{line.label}, från"] == number(estimate and estimate.low)
                assert row[f"{line.label}, till"] == number(estimate and estimate.high)
                n = "-" if estimate is None else ".." if estimate.n is None else estimate.n
                assert row[f"{line.label}, {counted}"] == n


@pytest.mark.parametrize("name", [name for name in NAMES if story_of(name).outcomes.year])
def test_outcomes_have_a_sheet_with_their_counts(name: str) -> None:
    told, sheet = story_of(name).outcomes, read(bytes_of(name))["Utfall"]

    def count(n: int | None) -> object:
        return ".." if n is None else n

    assert [tuple(row.values()) for row in table(sheet, "Vilka")] == [
        (
            *(row.label, count(row.active), count(row.ended), count(row.rate.n)),
            *(count(row.positive), cell_of(row.rate), number(row.rate.low), number(row.rate.high)),
        )
        for row in told.rows
    ]
    if told.ways:
        assert [tuple(row.values()) for row in table(sheet, "Väg ut")] == [
            (way.label, *map(count, (way.women, way.men, way.total))) for way in told.ways
        ]


def test_without_outcomes_there_is_no_sheet_of_them() -> None:
    assert "Utfall" not in read(bytes_of("one_activity")).sheetnames


def test_own_questions_have_a_sheet_and_the_nation_has_none() -> None:
    rows = table(read(bytes_of("typical"))["Egna frågor"], "Projekt")
    (project,) = story_of("typical").projects
    assert [tuple(row.values()) for row in rows] == [
        (
            *(project.name, question.label, question.asked, f.unit),
            *(cell_of(e) if f.women or f.men else "." for e in (f.women, f.men)),
            *(cell_of(f.total), number(f.total.low), number(f.total.high)),
            ".." if f.total.n is None else f.total.n,
        )
        for question in project.questions
        for f in question.figures
        if f.total
    ]
    assert "Egna frågor" not in read(bytes_of("national")).sheetnames


def test_the_nation_tells_how_reliable_the_instrument_is() -> None:
    sheet = read(bytes_of("national"))["Instrumentets kvalitet"]
    assert [tuple(row.values())[2:] for row in table(sheet, "Indikator")] == [
        (4, 0.87, 0.85, 0.9, 0.71, 0.4),
        (4, -0.05, -0.31, 0.9, 0.71, 0.4),
        (4, 0.87, ".", ".", 0.71, "."),
    ]
    assert any("provräkning" in text for text in texts(sheet))
    assert "Instrumentets kvalitet" not in read(bytes_of("typical")).sheetnames


def test_a_target_level_is_of_the_one_it_is_set_for() -> None:
    """What is set for the nation is not drawn as if it were the association's."""
    total, nation = stories.varied((2025, 2026)), stories.varied((2025, 2026), target="70.0")
    own = stories.line("T", stories.with_changes((total[0], replace(total[1], target=None))))
    drawn = stories.trend([own, stories.line("nation", nation)], (2025, 2026))
    data = appendix.workbook(
        stories.report(
            [stories.section("1", [stories.block("b", drawn, None, "Nytta")])],
            told=stories.NO_OUTCOMES,
        )
    )
    rows = table(read(data)["Indikator 1"], "Omgång")[:2]
    assert [row["Riket, målnivå"] for row in rows] == [70.0, 70.0]
    assert "Totalt, målnivå" not in rows[0]
    assert [len(chart.series()) for chart in line_charts(data)] == [2]


def test_a_target_level_is_drawn_as_a_line_of_its_own() -> None:
    book = read(bytes_of("typical"))
    assert table(book["Indikator 1"], "Omgång")[0]["Totalt, målnivå"] == 70.0
    chart = line_charts(bytes_of("typical"))[1]
    (target,) = [s for n, s in chart.series().items() if cells(book, n) == ["Totalt, målnivå"]]
    assert cells(book, target.findtext(f"{C}val//{C}f", "")) == [70.0] * 9


def test_a_mean_of_measures_has_no_columns_for_an_interval() -> None:
    whole = stories.trend([stories.line("T", (stories.plain(2026, "64.0", 301),))], (2026,))
    mean = replace(stories.block("b", whole, None, "Genomsnitt"), topic=None)
    book = read(appendix.workbook(stories.report([stories.section("1", [mean])])))
    assert table(book["Indikator 1"], "Omgång")[0] == {
        "Omgång": 2026, "Totalt, %": 64.0, "Totalt, svar": 301,
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_summary_has_every_group_of_every_indicator(name: str) -> None:
    story = story_of(name)
    rows = table(read(bytes_of(name))["I korthet"], "Indikator")
    wanted = [
        {
            "Indikator": section.indicator_id,
            "Namn": section.label,
            "Svarande": s.label,
            "Kvinnor, %": cell_of(s.women) if s.women else ".",
            "Män, %": cell_of(s.men) if s.men else ".",
            "Totalt, %": cell_of(s.total),
            "Svar": s.total.n if s.total and s.total.n is not None else "..",
        }
        for section in story.sections
        for s in section.summary
    ]
    assert rows == wanted
    volumes = table(read(bytes_of(name))["I korthet"], "Enkät")
    assert [(row["Enkät"], row["Flest svar"]) for row in volumes] == [
        (v.label, ".." if v.most_answers is None else v.most_answers) for v in story.volumes
    ]


@pytest.mark.parametrize("name", NAMES)
def test_all_associations_stand_beside_each_other_by_name(name: str) -> None:
    story = story_of(name)
    rows = list(read(bytes_of(name))["Förbunden"].iter_rows(values_only=True))
    rows = rows[next(i for i, row in enumerate(rows) if row[0] == "Förbund") + 1 :]
    compared = comparisons(story)
    told = [{dot.name: cell_of(dot.estimate) for dot in c.dots} for c in compared]
    nation = ("Riket", *(cell_of(c.nation) for c in compared))
    names = sorted({name for dots in told for name in dots})
    assert rows == [nation, *((n, *(dots.get(n, "-") for dots in told)) for n in names)]


@pytest.mark.parametrize("name", NAMES)
def test_each_measure_of_an_activity_is_a_row(name: str) -> None:
    story, book = story_of(name), read(bytes_of(name))
    assert ("Insatser" in book.sheetnames) == bool(story.activities)
    if not story.activities:
        return
    wanted = [
        (a.code, p.title, r.label, cell_of(r.own), {d.name: cell_of(d.estimate) for d in r.beside})
        for a in story.activities
        for p in a.profiles
        for r in p.rows
    ]
    rows = table(book["Insatser"], "Insats")
    told, too_few = [r for r in rows if r["svar"]], [r for r in rows if not r["svar"]]
    assert [
        (
            *(row[head] for head in ("Insats", "Svarande", "Mått", "Andel, %")),
            {head[:-3]: row[head] for head in list(row)[9:]},
        )
        for row in told
    ] == wanted
    assert [(row["Svarande"], row["Mått"], row["Andel, %"]) for row in too_few] == [
        (asked, label, "..") for a in story.activities for asked, ls in a.too_few for label in ls
    ]


def test_numbers_are_numbers_that_follow_the_reader_s_language() -> None:
    sheet = read(bytes_of("typical"))["Indikator 1"]
    row = row_of(sheet, "Omgång") + 1
    formats = [sheet.cell(row, column).number_format for column in (1, 2, 3, 5)]
    assert formats == ["0", "0.0", "0.0", "#,##0"]


# --- the charts ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chart:
    """A chart as the file has it: its title's cell, and per series name, places and values."""

    title: str
    root: ElementTree.Element

    def series(self) -> dict[str, ElementTree.Element]:
        """The series by the cell that names them."""
        return {
            found.findtext(f"{C}tx/{C}strRef/{C}f", ""): found
            for found in self.root.iter(f"{C}ser")
        }


def charts(data: bytes) -> list[Chart]:
    found = []
    with zipfile.ZipFile(BytesIO(data)) as archive:
        names = [n for n in archive.namelist() if n.startswith("xl/charts/chart")]
        for name in sorted(names, key=lambda n: int(re.sub(r"\D", "", n))):
            root = ElementTree.fromstring(archive.read(name))
            title = root.findtext(f"{C}chart/{C}title/{C}tx/{C}strRef/{C}f", "")
            found.append(Chart(title, root))
    return found


def line_charts(data: bytes) -> list[Chart]:
    return [c for c in charts(data) if c.root.find(f".//{C}lineChart") is not None]


def cells(book: openpyxl.Workbook, reference: str) -> list[object]:
    """The values of a reference such as Diagramdata!$C$4:$C$12."""
    sheet, _, area = reference.rpartition("!")
    found = book[sheet.strip("'")][area.replace("$", "")]
    return [found.value] if not isinstance(found, tuple) else [cell.value for (cell,) in found]


def drawn(story: Report) -> list[Trend]:
    """The trends of which any share is told."""
    return [
        trend
        for _, trend in trends(story)
        if any(e.share is not None for line in trend.lines for e in line.series)
    ]


def axis(trend: Trend) -> list[int | None]:
    """The rounds with a place of its own, None, where a line must not cross."""
    return [
        place
        for round_ in trend.rounds
        for place in ([None] if round_ in trend.breaks else []) + [round_]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_each_measure_has_a_chart_that_reads_its_figures(name: str) -> None:
    story, data = story_of(name), bytes_of(name)
    book = read(data)
    lines = line_charts(data)
    assert len(lines) == len(drawn(story))
    for chart, trend in zip(lines, drawn(story), strict=True):
        assert cells(book, chart.title) == [trend.title]
        found = {cells(book, name)[0]: series for name, series in chart.series().items()}
        told = {f"{KINDS[x.kind]}, %": x for x in trend.lines if any(e.is_shown for e in x.series)}
        assert found.keys() - {"Totalt, målnivå"} == told.keys()
        for head, line in told.items():
            by_round = {e.round: e for e in line.series if e.is_shown}
            shown = [by_round.get(place) for place in axis(trend)]  # type: ignore[call-overload]
            where = found[head].findtext(f"{C}cat//{C}f", "")
            assert cells(book, where) == [str(place or trend.terms.new) for place in axis(trend)]
            for path, wanted in (
                (f"{C}val//{C}f", [e and number(e.share) for e in shown]),
                (f"{C}errBars/{C}plus//{C}f", [e and number(e.high - e.share) for e in shown]),
                (f"{C}errBars/{C}minus//{C}f", [e and number(e.share - e.low) for e in shown]),
            ):
                assert cells(book, found[head].findtext(path, "")) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_an_axis_begins_below_the_lowest_interval_and_ends_at_100(name: str) -> None:
    for chart, trend in zip(line_charts(bytes_of(name)), drawn(story_of(name)), strict=True):
        told = [e for x in trend.lines for e in x.series if e.is_shown and e.low is not None]
        lowest, highest = min(e.low for e in told), max(e.high for e in told)
        (scale,) = chart.root.findall(f".//{C}valAx/{C}scaling")
        bottom, top = (float(scale.find(f"{C}{end}").get("val")) for end in ("min", "max"))  # type: ignore[union-attr]
        assert highest <= top
        assert top == 100 or not trend.terms.is_to_100
        assert bottom <= lowest
        assert bottom % 10 == 0


def test_women_and_men_differ_by_colour_dash_and_marker_and_a_gap_is_a_gap() -> None:
    chart = line_charts(bytes_of("typical"))[0]
    looks = []
    for series in list(chart.series().values())[:2]:
        xml = ElementTree.tostring(series, encoding="unicode")
        looks.append(
            re.findall(r'srgbClr val="(\w+)"|prstDash val="(\w+)"|symbol val="(\w+)"', xml)
        )
    women, men = ({found for look in one for found in look if found} for one in looks)
    assert {"B4460F", "circle"} <= women
    assert {"12508C", "dash", "square"} <= men
    blanks = chart.root.find(f"{C}chart/{C}dispBlanksAs")
    assert blanks is None or blanks.get("val") == "gap"


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_has_alternative_text(name: str) -> None:
    wanted = {trend.alt for trend in drawn(story_of(name))}
    with zipfile.ZipFile(BytesIO(bytes_of(name))) as archive:
        drawings = [n for n in archive.namelist() if re.fullmatch(r"xl/drawings/drawing\d+.xml", n)]
        told = [
            frame.get("descr")
            for n in drawings
            for frame in ElementTree.fromstring(archive.read(n)).iter()
            if frame.tag.endswith("}cNvPr")
        ]
    assert len(told) == len(charts(bytes_of(name)))
    assert all(told)
    assert wanted <= set(told)


def test_the_short_picture_is_of_the_group_told_by_gender() -> None:
    story, data = story_of("typical"), bytes_of("typical")
    book = read(data)
    (bars,) = [c for c in charts(data) if c.root.find(f".//{C}barChart") is not None]
    told = {
        cells(book, name)[0]: s.findtext(f"{C}val//{C}f", "") for name, s in bars.series().items()
    }
    group = story.sections[0].summary[0]
    assert {head: cells(book, where) for head, where in told.items()} == {
        "Kvinnor, %": [number(group.women and group.women.share)],
        "Män, %": [number(group.men and group.men.share)],
        "Totalt, %": [number(group.total and group.total.share)],
    }


# --- what must not be there ---------------------------------------------------------------------


def test_where_all_is_hidden_no_chart_and_no_figure_is_left() -> None:
    book = read(bytes_of("all_hidden"))
    assert charts(bytes_of("all_hidden")) == []
    numbers = {
        cell.value
        for name in ("Diagramdata", "Förbunden", "Insatser")
        for row in book[name].iter_rows()
        for cell in row
        if isinstance(cell.value, int | float)
    }
    assert numbers == set()


def test_the_chart_sheet_has_nothing_that_is_not_shown() -> None:
    """A bracket's bounds are words in the table; as a point it would be drawn where it is not."""
    sheet = read(bytes_of("ten_rounds"))["Diagramdata"]
    rows = table(sheet, "Bild")
    by_round = {row["Omgång eller indikator"]: row for row in rows if row["Bild"] == "t"}
    assert by_round["2024"]["Totalt, %"] is None
    assert by_round["2024"]["Totalt, uppåt"] is None
    assert by_round["2019"]["Män, %"] is None
    assert by_round["2020"]["Kvinnor, %"] is None


def test_no_text_becomes_a_formula_or_a_link_out() -> None:
    nasty = '=HYPERLINK("http://x")'
    story = replace(stories.typical(), name=nasty, title=nasty, lead=("+1", "@x"))
    dots = (stories.Dot("a", nasty, stories.shown(2026, 9, 12)), *stories.dots(3))
    one = story.sections[0].blocks[0]
    one = replace(one, trend=replace(one.trend, title="-1"), comparison=stories.comparison(dots))
    data = appendix.workbook(replace(story, sections=(stories.section("1", [one], nasty),)))
    book = read(data)
    found = [
        cell
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.lstrip()[:1] in "=+-@"
    ]
    assert {nasty, "+1", "@x", "-1"} <= {cell.value for cell in found}
    assert {cell.data_type for cell in found} == {"s"}
    assert {cell.number_format for cell in found if cell.value != "-"} == {"@"}
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                assert not re.search(rb"<f[ >]", archive.read(name))
            if name.endswith(".rels"):
                assert b"External" not in archive.read(name)


def test_what_is_invented_is_called_so_on_each_sheet_its_paper_and_each_chart() -> None:
    book = read(bytes_of("typical"))
    for sheet in book:
        assert sheet["A2"].value == SYNTHETIC_SV, sheet.title
        assert sheet.oddHeader.center.text == SYNTHETIC_SV
    for chart in charts(bytes_of("typical")):
        axes = "".join(chart.root.find(f"{C}chart/{C}plotArea").itertext())  # type: ignore[union-attr]
        assert axes.count(SYNTHETIC_SV) == 1
    real = appendix.workbook(replace(story_of("typical"), is_synthetic=False))
    with zipfile.ZipFile(BytesIO(real)) as archive:
        assert not [n for n in archive.namelist() if b"synthetic" in archive.read(n)]


def test_the_readme_links_to_every_sheet_and_explains_each_sign() -> None:
    book = read(bytes_of("typical"))
    links = [
        c.hyperlink.location for row in book["Läs mig"].iter_rows() for c in row if c.hyperlink
    ]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:]]
    assert {"-", ".", ".."} < set(texts(book["Läs mig"]))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_story_gives_the_same_bytes(name: str) -> None:
    assert appendix.workbook(stories.STORIES[name]()) == bytes_of(name)


# --- the pictures as files ----------------------------------------------------------------------


def archived(report: Report) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(BytesIO(appendix.pictures(report))) as archive:
        for name in archive.namelist():
            yield name, archive.read(name).decode()


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_a_file_that_says_what_it_is_and_that_it_is_invented(name: str) -> None:
    story = story_of(name)
    wanted = [trend for _, trend in trends(story)] + comparisons(story)
    wanted += [p for a in story.activities for p in a.profiles]
    (index, listed), *files = archived(story)
    assert index == "innehall.txt"
    assert len({file for file, _ in files}) == len(files) == len(wanted)
    found = []
    for file, text in files:
        svg = ElementTree.fromstring(text)
        title, alt = svg.findtext(f"{SVG}title", ""), svg.findtext(f"{SVG}desc", "")
        assert f"{file}\n{title}\n{alt}\n" in listed
        assert SYNTHETIC_SV in " ".join("".join(e.itertext()) for e in svg.iter(f"{SVG}text"))
        found.append((title, alt))
    assert sorted(found) == sorted((picture.title, picture.alt) for picture in wanted)


def test_pictures_that_are_not_invented_are_not_called_so() -> None:
    for _, text in archived(replace(story_of("typical"), is_synthetic=False)):
        assert "synthetic" not in text


def test_the_archive_has_the_same_bytes_without_the_time_of_day() -> None:
    data = appendix.pictures(stories.typical())
    assert data == appendix.pictures(stories.typical())
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert {part.date_time for part in archive.infolist()} == {(2017, 1, 1, 0, 0, 0)}
