"""What lies beside a report for those who go on with it: a workbook with native charts, and SVGs.

Belongs here: the workbook's sheets, and the archive of pictures. Does not: how a chart looks
(charts.py) or a picture (pictures/); the release's own workbook of all tables (release/).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from io import BytesIO
from textwrap import wrap
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell

from pipelines.release.table import HIDDEN, SYNTHETIC_SV
from pipelines.release.texts import texts
from pipelines.report import charts, words
from pipelines.report.charts import ChartData
from pipelines.report.estimates import GENDERS, Estimate
from pipelines.report.pictures import standalone
from pipelines.report.story import (
    Block,
    Comparison,
    Dot,
    Line,
    Outcome,
    OwnFigure,
    Profile,
    Report,
    Section,
    Summary,
    Trend,
    Volume,
)
from pipelines.workbook.write import CREATED, open_workbook

README, SUMMARY, OUTCOMES, COMPARISON = "Läs mig", "I korthet", "Utfall", "Förbunden"
ACTIVITIES, OWN, RELIABILITY = "Insatser", "Egna frågor", "Instrumentets kvalitet"
INDEX = "innehall.txt"

Cell = str | int | Decimal | None
"""A sign or a text is text, a number a number; None stays an empty cell."""


# --- the pictures -------------------------------------------------------------------------------


def pictures(report: Report) -> bytes:
    """An archive of every picture of the report as an editable SVG, and what each shows.

    The same bytes each time. Each picture says its source, and that it is invented where it is.
    """
    notes = [SYNTHETIC_SV] if report.is_synthetic else []
    notes.append(f"Källa: {report.publisher.source}.")
    notes.append(f"Omgång {report.round}, publicering {report.number}.")
    files = {f"{name}.svg": picture for name, picture in _pictures(report)}
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        _put(archive, INDEX, _index(report, notes, files))
        for name, picture in files.items():
            _put(archive, name, standalone(picture, notes))
    return out.getvalue()


def _pictures(report: Report) -> Iterator[tuple[str, Trend | Comparison | Profile]]:
    for told in (report.outcomes.trend, report.outcomes.comparison):
        if told:
            yield told.ident, told
    for block in _blocks(report):
        yield block.trend.ident, block.trend
        if block.comparison:
            yield block.comparison.ident, block.comparison
    for activity in report.activities:
        for picture in activity.profiles:
            yield f"insats-{activity.stem}-{picture.ident}", picture


def _index(
    report: Report, notes: Iterable[str], files: Mapping[str, Trend | Comparison | Profile]
) -> str:
    told = [f"{name}\n{picture.title}\n{picture.alt}" for name, picture in files.items()]
    return "\n\n".join([report.title, *notes, *told]) + "\n"


def _put(archive: zipfile.ZipFile, name: str, text: str) -> None:
    part = zipfile.ZipInfo(name, CREATED.timetuple()[:6])
    archive.writestr(part, text, zipfile.ZIP_DEFLATED)


# --- the workbook -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet to be made: its name, what is in it, and what writes it."""

    name: str
    about: str
    write: Callable[[_Page, ChartData], None]


def workbook(report: Report) -> bytes:
    """The report's figures as tables with native, editable charts, a .xlsx; same bytes each time.

    No text becomes a formula, a link or a number. A figure that is not shown is a sign.

    Raises:
        ValueError: Excel has no room for a value or a row.
    """
    out = BytesIO()
    with open_workbook(out) as book:
        note = SYNTHETIC_SV if report.is_synthetic else ""
        book.set_properties({"title": report.title, "comments": note, "created": CREATED})
        formats = _formats(book)
        sheets = tuple(_sheets(report))
        readme, *pages, last = (
            _Page(book.add_worksheet(name), formats, note)
            for name in (README, *(sheet.name for sheet in sheets), charts.SHEET)
        )
        _write_readme(readme, report, sheets)
        data = ChartData(book, last.sheet, note, last.head("Det som diagrammen läser"))
        for sheet, page in zip(sheets, pages, strict=True):
            sheet.write(page, data)
    return out.getvalue()


def _sheets(report: Report) -> Iterator[_Sheet]:
    """The sheets between the first and the last, in order."""
    about = "Alla indikatorer: kvinnor, män och totalt, med diagram; svar som har kommit in."
    yield _Sheet(SUMMARY, about, partial(_write_summary, report))
    if report.outcomes.year:
        about = "Vad deltaganden som avslutades ledde till: kvinnor, män och totalt, med diagram."
        yield _Sheet(OUTCOMES, about, partial(_write_outcomes, report))
    for section in report.sections:
        if section.blocks:
            name = f"Indikator {section.indicator_id}"
            yield _Sheet(name, section.label, partial(_write_indicator, section))
    if report.outcomes.comparison or any(block.comparison for block in _blocks(report)):
        about = "Alla förbund bredvid varandra, ett mått per kolumn."
        yield _Sheet(COMPARISON, about, partial(_write_comparison, report))
    if report.activities:
        about = "Varje insats, ett mått per rad, bredvid det som den jämförs med."
        yield _Sheet(ACTIVITIES, about, partial(_write_activities, report))
    if report.projects:
        about = "Projektens egna frågor, som aldrig räknas i riket."
        yield _Sheet(OWN, about, partial(_write_own, report))
    if report.reliability:
        about = "Hur väl indikatorernas mått hänger ihop, med förklaring."
        yield _Sheet(RELIABILITY, about, partial(_write_reliability, report))


def _blocks(report: Report) -> Iterator[Block]:
    return (block for section in report.sections for block in section.blocks)


# --- the sheets ---------------------------------------------------------------------------------


def _write_readme(page: _Page, report: Report, sheets: Sequence[_Sheet]) -> None:
    page.sheet.set_column(0, 0, 26)
    page.sheet.set_column(1, 1, _ABOUT_WIDTH)
    row = page.head(report.title)
    for sentence in report.lead:
        page.write(row, 0, sentence, "text")
        row += 1
    publisher = report.publisher
    data = (charts.SHEET, "Cellerna som diagrammen läser. En tom cell är en lucka.")
    for title, pairs in (
        (
            "Om uppgifterna",
            (
                ("Mätomgång", str(report.round)),
                ("Publicering", str(report.number)),
                ("Utgivare", publisher.name),
                ("Kontakt", publisher.mail),
                ("Webbplats", publisher.homepage),
                ("Licens", f"{publisher.licence_name}, {publisher.licence_iri}"),
                ("Källa", publisher.source),
            ),
        ),
        ("Blad", (*((sheet.name, sheet.about) for sheet in sheets), data)),
        ("Tecken", words.SIGNS),
        ("Metod", report.method),
        ("Det som saknas", tuple(("", sentence) for sentence in report.missing)),
    ):
        page.write(row + 1, 0, title, "section")
        row = page.pairs(row + 2, pairs, is_link=title == "Blad")


def _write_summary(report: Report, page: _Page, data: ChartData) -> None:
    for column, width in enumerate((9, 62, 16, 11, 11, 11, 11)):
        page.sheet.set_column(column, column, width)
    row = page.head(f"I korthet: {report.name}")
    title = row
    page.write(row, 0, f"Andel positiva svar {report.round}, medelvärde av måtten", "section")
    shares = [f"{words.called(kind)}, %" for kind in GENDERS]
    heads = ["Indikator", "Namn", "Svarande", *shares, "Svar"]
    rows = [_summary_cells(section, s) for section in report.sections for s in section.summary]
    row = page.table(row + 1, heads, rows, texts=3, width=10)
    if report.volumes:
        page.write(row + 1, 0, "Svar som har kommit in", "section")
        heads = ["Enkät", "", "", "Flest svar", "Svars- frekvens, %", "Förbund", "av väntade"]
        page.table(row + 2, heads, map(_volume_cells, report.volumes), texts=3, width=10)
    told = {f"{s.indicator_id}. {s.label}": by for s in report.sections if (by := _by_gender(s))}
    if told:
        group = next(iter(told.values())).label
        page.write(title, 8, f"{group} {report.round}: andel positiva svar i procent", "section")
        charts.put_summaries(data, page.sheet, (title + 1, 8), told, page.cell(title, 8))


def _by_gender(section: Section) -> Summary | None:
    """The group that is told by gender."""
    return next((s for s in section.summary if s.women or s.men), None)


def _volume_cells(volume: Volume) -> Sequence[Cell]:
    most = HIDDEN if volume.most_answers is None else volume.most_answers
    return volume.label, None, None, most, volume.response_rate, volume.delivered, volume.expected


def _summary_cells(section: Section, summary: Summary) -> Sequence[Cell]:
    genders = summary.women, summary.men
    is_told = any(estimate is not None for estimate in genders)
    return (
        section.indicator_id,
        section.label,
        summary.label,
        *(_share(estimate) if is_told else words.NOT_APPLICABLE for estimate in genders),
        _share(summary.total),
        _answers(summary.total),
    )


_NARROW, _SCALE = 8.5, 60
"""The width of a column; the percent at which eighteen of them fit an A4 page, a block on each."""


def _write_indicator(section: Section, page: _Page, data: ChartData) -> None:
    page.sheet.set_column(0, 17, _NARROW)
    row = page.head(f"Indikator {section.indicator_id}. {section.label}")
    page.sheet.set_print_scale(_SCALE)
    row = page.sentences(row, (section.sentence, section.target, section.note))
    starts = []
    for block in section.blocks:
        starts.append(row)
        row = _write_block(block, page, data, row + 1)
    page.sheet.set_h_pagebreaks(starts[1:])
    page.sheet.print_area(0, 0, row, 17)


def _write_block(block: Block, page: _Page, data: ChartData, row: int) -> int:
    """A measure's sentences, table and chart; gives the first row that is free."""
    about = block.terms.placeholder if block.is_placeholder else ""
    sentences = (about, block.sentence, block.change, block.target)
    has_intervals = block.topic is not None
    return _write_trend(block.trend, sentences, block.groups, page, data, row, has_intervals)


def _write_trend(
    trend: Trend,
    sentences: Iterable[str],
    groups: Iterable[Dot],
    page: _Page,
    data: ChartData,
    row: int,
    has_intervals: bool,
) -> int:
    """A trend with its sentences above and its groups and chart below; gives the next free row."""
    title = row
    page.write(row, 0, trend.title, "section")
    row = page.sentences(row + 1, sentences)
    parts = dict(_PARTS if has_intervals else _PARTS_OF_MEANS)
    parts[trend.terms.counted.lower()] = _answers
    columns = [(line, name, parts[name]) for line in trend.lines for name in parts]
    columns += [(line, "målnivå", _target) for line in trend.lines if _has_target(line)]
    heads = [trend.terms.time, *(f"{line.label}, {name}" for line, name, _ in columns)]
    rows = [
        (round_, *(part(line.at(round_)) for line, _, part in columns)) for round_ in trend.rounds
    ]
    row = page.table(row, heads, rows, texts=1)
    for group in groups:
        about = _spoken(group.estimate, trend.terms.counted.lower())
        page.write(row, 0, f"{group.name}: {about}", "text")
        row += 1
    if charts.put_trend(data, page.sheet, row + 1, trend, page.cell(title, 0)):
        return row + 1 + charts.HEIGHT_IN_ROWS
    page.write(row, 0, "Inget diagram: ingen andel visas.", "text")
    return row + 1


_PARTS_OF_MEANS: Mapping[str, Callable[[Estimate | None], Cell]] = {
    "%": lambda estimate: _share(estimate)
}
_PARTS: Mapping[str, Callable[[Estimate | None], Cell]] = {
    **_PARTS_OF_MEANS,
    "från": lambda estimate: estimate.low if estimate else None,
    "till": lambda estimate: estimate.high if estimate else None,
}
"""What is told of a figure beside its count, by the end of its head; a mean has no interval."""


def _has_target(line: Line) -> bool:
    """Whether a column of target levels stands beside; women's and men's is the total's."""
    return line.kind in ("T", "nation") and any(e.target is not None for e in line.series)


def _target(estimate: Estimate | None) -> Cell:
    return estimate.target if estimate else None


def _share(estimate: Estimate | None) -> Cell:
    """A share as a number; else its bounds or a sign."""
    if estimate is not None and estimate.share is not None:
        return estimate.share
    return words.share(estimate)


def _answers(estimate: Estimate | None) -> Cell:
    return words.answers(estimate) if estimate is None or estimate.n is None else estimate.n


def _spoken(estimate: Estimate | None, counted: str) -> str:
    interval = words.interval(estimate) if estimate and estimate.is_shown else ""
    about = f" ({interval}, {words.answers(estimate)} {counted})" if interval else ""
    return f"{words.share(estimate)}{about}"


def _write_outcomes(report: Report, page: _Page, data: ChartData) -> None:
    told = report.outcomes
    page.sheet.set_column(0, 0, 40)
    page.sheet.set_column(1, 17, _NARROW)
    row = page.head(f"Utfall: {report.name}")
    row = page.sentences(row, (told.note, texts("outcomes")["about"]["sv"]))
    page.write(row + 1, 0, f"Deltaganden {told.year}", "section")
    heads = ["Vilka", "Pågående", "Avslutade", "Utan avhopp", "Positiva", "Andel, %"]
    rows = [_outcome_cells(outcome) for outcome in told.rows]
    row = page.table(row + 2, [*heads, "från", "till"], rows, texts=1, width=10)
    if told.ways:
        page.write(row + 1, 0, f"Vad deltagandena avslutades till {told.year}", "section")
        counts = [(w.label, *map(_count, (w.women, w.men, w.total))) for w in told.ways]
        row = page.table(row + 2, ["Väg ut", "Kvinnor", "Män", "Totalt"], counts, texts=1)
    if told.trend:
        sentences = (told.sentence, told.change, told.target)
        _write_trend(told.trend, sentences, told.groups, page, data, row + 1, True)


def _outcome_cells(outcome: Outcome) -> Sequence[Cell]:
    counts = (outcome.active, outcome.ended, outcome.rate.n, outcome.positive)
    return (
        outcome.label,
        *map(_count, counts),
        _share(outcome.rate),
        outcome.rate.low,
        outcome.rate.high,
    )


def _count(count: int | None) -> Cell:
    return HIDDEN if count is None else count


def _write_own(report: Report, page: _Page, data: ChartData) -> None:
    page.sheet.set_column(0, 3, 30)
    page.sheet.set_column(4, 9, 11)
    row = page.head(f"Egna frågor {report.round}: {report.name}")
    heads = ["Projekt", "Fråga", "Enkät", "Svar från", "Kvinnor, %", "Män, %", "Totalt, %"]
    rows = [
        (project.name, question.label, question.asked, *_own_cells(figure))
        for project in report.projects
        for question in project.questions
        for figure in question.figures
    ]
    page.table(row, [*heads, "från", "till", "svar"], rows, texts=4, width=10)
    page.sheet.freeze_panes(row + 1, 0)


def _own_cells(figure: OwnFigure) -> Sequence[Cell]:
    genders = figure.women, figure.men
    is_told = any(estimate is not None for estimate in genders)
    return (
        figure.unit,
        *(_share(estimate) if is_told else words.NOT_APPLICABLE for estimate in genders),
        _share(figure.total),
        figure.total.low if figure.total else None,
        figure.total.high if figure.total else None,
        _answers(figure.total),
    )


def _write_reliability(report: Report, page: _Page, data: ChartData) -> None:
    page.sheet.set_column(0, 0, 60)
    page.sheet.set_column(1, 1, 16)
    page.sheet.set_column(2, 7, 11)
    row = page.head(f"Instrumentets kvalitet {report.round}")
    heads = ["Indikator", "Svarande", "Mått", "Alfa", "från", "till", "Mått mot övriga"]
    rows = [
        (
            f"{told.indicator_id}. {told.label}",
            told.asked,
            told.items,
            *(
                words.NOT_APPLICABLE if value is None else value
                for value in (told.alpha, told.low, told.high, told.item_total, told.stability)
            ),
        )
        for told in report.reliability
    ]
    row = page.table(row, [*heads, "Stabilitet"], rows, texts=2, width=11, look="ratio")
    for paragraph in words.explained("reliability"):
        for line in wrap(paragraph, _ABOUT_WIDTH):
            page.write(row + 1, 0, line, "text")
            row += 1


def _write_comparison(report: Report, page: _Page, data: ChartData) -> None:
    """A row per association by name, a column per measure; the own one is marked."""
    row = page.head(f"Förbunden bredvid varandra {report.round}, andelar i procent")
    compared = [(c.title.partition(":")[0], c) for c in [report.outcomes.comparison] if c]
    compared += [
        (f"{section.indicator_id}. {block.heading} ({block.asked})", block.comparison)
        for section in report.sections
        for block in section.blocks
        if block.comparison
    ]
    told = [{dot.unit_id: dot.estimate for dot in c.dots} for _, c in compared]
    names = {dot.unit_id: dot.name for _, c in compared for dot in c.dots}
    order = sorted(names, key=lambda unit_id: (names[unit_id], unit_id))
    page.sheet.set_column(0, 0, min(max(map(len, names.values())), 80) + 4)
    page.sheet.set_column(1, len(compared), 17)
    rows = [[words.called("nation"), *(_share(comparison.nation) for _, comparison in compared)]]
    rows += [[names[u], *(_share(estimates.get(u)) for estimates in told)] for u in order]
    page.table(row, ["Förbund", *(head for head, _ in compared)], rows, texts=1, width=14)
    page.sheet.freeze_panes(row + 1, 1)
    if report.association_id in names:
        own = row + 2 + order.index(report.association_id)
        page.write(own, 0, names[report.association_id], "own")


def _write_activities(report: Report, page: _Page, data: ChartData) -> None:
    row = page.head(f"Insatser {report.round}: {report.name}")
    shown = [(a, p, r) for a in report.activities for p in a.profiles for r in p.rows]
    beside = list(dict.fromkeys(dot.name for _, _, r in shown for dot in r.beside))
    heads = ["Insats", "Namn", "Slag", "Svarande", "Mått", "Andel, %", "från", "till", "svar"]
    rows: list[Sequence[Cell]] = []
    for activity in report.activities:
        about = (activity.code, activity.name, activity.kind)
        for picture in activity.profiles:
            for measure in picture.rows:
                against = {dot.name: _share(dot.estimate) for dot in measure.beside}
                own = [*(part(measure.own) for part in _PARTS.values()), _answers(measure.own)]
                others = (against.get(name) for name in beside)
                rows.append((*about, picture.title, measure.label, *own, *others))
        rows += [
            (*about, asked, label, HIDDEN) for asked, labels in activity.too_few for label in labels
        ]
    heads += [f"{name}, %" for name in beside]
    for column in range(5):
        longest = max(len(str(cells[column])) for cells in (heads, *rows))
        page.sheet.set_column(column, column, min(longest, 80) + 4)
    page.sheet.set_column(5, len(heads) - 1, 11)
    page.table(row, heads, rows, texts=5, width=10)
    page.sheet.autofilter(row, 0, row + len(rows), len(heads) - 1)
    page.sheet.freeze_panes(row + 1, 1)


# --- how they are written -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    """A sheet that is written row by row; invented figures are called so above, also on paper."""

    sheet: Any
    formats: Mapping[str, Any]
    note: str

    def write(self, row: int, column: int, value: Cell, look: str) -> None:
        """Writes a value as what it is.

        Raises:
            ValueError: Excel has no room for it.
        """
        if value is None:
            return
        form = self.formats[look]
        if isinstance(value, str):
            refused = self.sheet.write_string(row, column, value, form)
        else:
            refused = self.sheet.write_number(row, column, float(value), form)
        if refused:
            raise ValueError(f"{self.sheet.get_name()}: no room in row {row + 1}")

    def head(self, title: str) -> int:
        """The title, on paper in every head too; gives the first row that is free."""
        self.sheet.hide_gridlines(2)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_header(f"&L&A&C{self.note}")
        self.sheet.set_row(0, 28)
        self.write(0, 0, title, "title")
        if not self.note:
            return 2
        self.write(1, 0, self.note, "warning")
        return 3

    def sentences(self, row: int, sentences: Iterable[str]) -> int:
        """Sentences, a row each, blank ones left out; gives the first row that is free."""
        for sentence in filter(None, sentences):
            self.write(row, 0, sentence, "text")
            row += 1
        return row

    def cell(self, row: int, column: int) -> str:
        """A cell's address for a chart."""
        return f"='{self.sheet.get_name()}'!{xl_rowcol_to_cell(row, column, True, True)}"

    def pairs(self, row: int, pairs: Iterable[tuple[str, str]], *, is_link: bool) -> int:
        """Names, perhaps of sheets, and what they are; gives the first row that is free."""
        for name, about in pairs:
            if is_link:
                self.sheet.write_url(row, 0, f"internal:'{name}'!A1", self.formats["link"], name)
            else:
                self.write(row, 0, name, "label")
            self.write(row, 1, about, "wrapped")
            self.sheet.set_row(row, 15 * _lines(about, _ABOUT_WIDTH - 6))
            row += 1
        return row

    def table(
        self,
        row: int,
        heads: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        texts: int,
        width: int = 8,
        look: str = "share",
    ) -> int:
        """Writes a table; gives the first row that is free.

        Args:
            row: of its head.
            heads: one for each column.
            rows: its cells.
            texts: how many of the first columns are words.
            width: how many characters a line of the other columns' heads has room for.
            look: of numbers with decimals.
        """
        height = max((_lines(head, width) for head in heads[texts:]), default=1)
        self.sheet.set_row(row, 15 * height)
        for column, head in enumerate(heads):
            self.write(row, column, head, "head" if column < texts else "number_head")
        for cells in rows:
            row += 1
            for column, value in enumerate(cells):
                self.write(row, column, value, _look(value, look, is_word=column < texts))
        return row + 1


_ABOUT_WIDTH = 110


def _lines(text: str, width: int) -> int:
    """How many lines of so many characters a text takes in a cell."""
    return len(wrap(text, width)) or 1


def _look(value: Cell, decimal: str, *, is_word: bool) -> str:
    if isinstance(value, str):
        return "text" if is_word else "sign"
    if is_word:
        return "round"
    return "count" if isinstance(value, int) else decimal


def _formats(book: Any) -> dict[str, Any]:
    head = {"bold": True, "font_color": "#FFFFFF", "bg_color": "#12508C", "text_wrap": True}
    head |= {"valign": "top", "num_format": "@"}
    text = {"num_format": "@", "valign": "top"}
    blue = {"bold": True, "font_color": "#12508C"}
    return {
        "title": book.add_format({**text, **blue, "font_size": 18}),
        "warning": book.add_format({**text, "bold": True, "font_color": "#B4460F"}),
        "section": book.add_format(
            {**text, "bold": True, "font_size": 13, "font_color": "#12508C"}
        ),
        "label": book.add_format({**text, "bold": True}),
        "head": book.add_format(head),
        "number_head": book.add_format({**head, "align": "right"}),
        "text": book.add_format(text),
        "wrapped": book.add_format({**text, "text_wrap": True}),
        "own": book.add_format({**text, "bold": True, "bg_color": "#FFF4CE"}),
        "sign": book.add_format({**text, "align": "right"}),
        "share": book.add_format({"num_format": "0.0", "valign": "top"}),
        "ratio": book.add_format({"num_format": "0.00", "valign": "top"}),
        "count": book.add_format({"num_format": "#,##0", "valign": "top"}),
        "round": book.add_format({"num_format": "0", "align": "left"}),
        "link": book.add_format({"font_color": "#12508C", "underline": 1, "valign": "top"}),
    }
