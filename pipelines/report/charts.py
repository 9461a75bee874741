"""Native charts of an appendix, which Excel draws from cells and people may change.

Belongs here: the sheet of cells that charts read, and how a chart looks. Does not: the tables that
people read (appendix.py), or pictures as SVG (pictures/).

Excel draws a sign such as `..` as zero; so charts read a sheet of their own, in which what is not
told is an empty cell: a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipelines.report import words
from pipelines.report.estimates import Estimate
from pipelines.report.pictures import svg
from pipelines.report.story import LineKind, Summary, Trend

SHEET = "Diagramdata"
_HEADS = ("Bild", "Omgång eller indikator")
_PARTS = ("%", "uppåt", "nedåt")
_LOOKS: Mapping[LineKind, tuple[str, float, str, str]] = {
    "K": ("#B4460F", 2, "solid", "circle"),
    "M": ("#12508C", 2, "dash", "square"),
    "T": ("#1B1F24", 2.25, "solid", "diamond"),
    "nation": ("#555555", 1.5, "round_dot", "circle"),
}
"""Colour, width, dash and marker, as in the pictures."""

_TARGET_PLACE = len(_HEADS) + len(_PARTS) * len(_LOOKS)
_TARGET_LOOK = {
    "line": {"color": "#555555", "width": 1, "dash_type": "long_dash_dot"},
    "marker": {"type": "none"},
}

_WIDTH, _HEIGHT, _ROW = 860, 360, 20
"""Pixels: a chart, and the height of a row."""

HEIGHT_IN_ROWS = _HEIGHT // _ROW + 1


_Told = Mapping[LineKind, Estimate]
"""The figures at a place of the axis."""


class ChartData:
    """The sheet that charts read, a row per place on a chart's axis.

    Attributes:
        book: the workbook.
        note: what each chart says of its figures, also when it is taken elsewhere.
    """

    def __init__(self, book: Any, page: Any, note: str, row: int) -> None:
        """Writes the head, which names the series, at a row of the sheet."""
        self.book, self.note = book, note
        self._page, self._head, self._row = page, row, row + 1
        page.set_column(0, 1, 30)
        page.set_column(2, _TARGET_PLACE, 16, book.add_format({"num_format": "0.0"}))
        page.freeze_panes(row + 1, 2)
        target = f"{words.called('T')}, målnivå"
        figures = (f"{words.called(kind)}, {part}" for kind in _LOOKS for part in _PARTS)
        for place, head in enumerate((*_HEADS, *figures, target)):
            page.write_string(row, place, head)

    def take(self, name: str, categories: Iterable[tuple[str, _Told]]) -> range:
        """Writes a picture's rows, a row per category with its estimates; gives their places."""
        first = self._row
        for category, estimates in categories:
            self._page.write_string(self._row, 0, name)
            self._page.write_string(self._row, 1, category)
            for place, value in _cells(estimates):
                self._page.write_number(self._row, place, float(value))
            self._row += 1
        return range(first, self._row)

    def series(self, place: int, rows: range) -> dict[str, Any]:
        """A column of some rows as a chart's series, named by the column's head."""
        return {
            "name": f"={SHEET}!{_cell(self._head, place)}",
            "categories": _range(1, rows),
            "values": _range(place, rows),
        }


def _cells(estimates: _Told) -> Iterator[tuple[int, Decimal]]:
    """The places and values of what is told."""
    for kind, estimate in estimates.items():
        share = estimate.share
        if share is None:
            continue
        place = _place(kind)
        yield place, share
        if estimate.high is not None and estimate.low is not None:
            yield place + 1, estimate.high - share
            yield place + 2, share - estimate.low
    if (total := estimates.get("T")) and total.target is not None:
        yield _TARGET_PLACE, total.target


def _place(kind: LineKind) -> int:
    return len(_HEADS) + len(_PARTS) * list(_LOOKS).index(kind)


def put_trend(data: ChartData, page: Any, row: int, picture: Trend, title: str) -> bool:
    """Puts a line chart at a row of a sheet; False when there is nothing to draw.

    Args:
        data: takes the cells that the chart reads.
        page: the sheet.
        row: where its upper left corner is.
        picture: what is drawn.
        title: the cell that says it, such as `='Indikator 1'!$A$5`.
    """
    told = {line.kind: [e for e in line.series if e.share is not None] for line in picture.lines}
    estimates = [e for found in told.values() for e in found]
    if not estimates:
        return False
    rows = data.take(picture.ident, _categories(picture))
    chart = data.book.add_chart({"type": "line"})
    has_interval = any(e.low is not None for e in estimates)
    for kind in (kind for kind in _LOOKS if told.get(kind)):
        look = _line(kind) | (_whiskers(kind, rows) if has_interval else {})
        chart.add_series(data.series(_place(kind), rows) | look)
    if any(e.target is not None for e in told.get("T", ())):
        chart.add_series(data.series(_TARGET_PLACE, rows) | _TARGET_LOOK)
    bottom = svg.bottom(estimates)
    axis = (bottom, svg.top(estimates, bottom, is_to_100=picture.terms.is_to_100))
    _finish(chart, title, axis, data.note, is_bar=False)
    chart.set_size({"width": _WIDTH, "height": _HEIGHT})
    page.insert_chart(row, 0, chart, {"description": picture.alt})
    return True


def _categories(picture: Trend) -> Iterator[tuple[str, _Told]]:
    by_kind = {line.kind: {e.round: e for e in line.series} for line in picture.lines}
    for round_ in picture.rounds:
        if round_ in picture.breaks and round_ != picture.rounds[0]:
            yield picture.terms.new, {}  # a place of its own: no line crosses it
        yield str(round_), {k: found[round_] for k, found in by_kind.items() if round_ in found}


def put_summaries(
    data: ChartData, page: Any, place: tuple[int, int], rows: Mapping[str, Summary], title: str
) -> bool:
    """Puts a bar chart of indicators at a cell; False when there is nothing to draw.

    Args:
        data: takes the cells that the chart reads.
        page: the sheet.
        place: row and column of its upper left corner.
        rows: by the indicator's label; whose women, men and total are drawn.
        title: the cell that says it.
    """
    told = {label: _told(summary) for label, summary in rows.items()}
    told = {label: estimates for label, estimates in told.items() if estimates}
    if not told:
        return False
    chart = data.book.add_chart({"type": "bar"})
    places = data.take("I korthet", told.items())
    for kind in _LOOKS:
        if any(kind in estimates for estimates in told.values()):
            chart.add_series(data.series(_place(kind), places) | _bar(kind))
    _finish(chart, title, (0, 100), data.note, is_bar=True)
    chart.set_size({"width": 640, "height": 150 + 52 * len(told)})
    alt = "Stapeldiagram: andel positiva svar per indikator; samma tal står i tabellen bredvid."
    page.insert_chart(*place, chart, {"description": alt})
    return True


def _told(summary: Summary) -> _Told:
    found: Mapping[LineKind, Estimate | None]
    found = {"K": summary.women, "M": summary.men, "T": summary.total}
    return {kind: e for kind, e in found.items() if e is not None and e.share is not None}


# --- how they look ------------------------------------------------------------------------------


def _line(kind: LineKind) -> dict[str, Any]:
    colour, width, dash, marker = _LOOKS[kind]
    fill = {"color": "#FFFFFF" if kind == "nation" else colour}
    mark = {"type": marker, "size": 7, "border": {"color": colour}, "fill": fill}
    return {"line": {"color": colour, "width": width, "dash_type": dash}, "marker": mark}


def _whiskers(kind: LineKind, rows: range) -> dict[str, Any]:
    """The 95 % intervals as error bars."""
    bars = {
        "type": "custom",
        "plus_values": _range(_place(kind) + 1, rows),
        "minus_values": _range(_place(kind) + 2, rows),
        "line": {"color": _LOOKS[kind][0], "width": 0.75},
    }
    return {"y_error_bars": bars}


def _bar(kind: LineKind) -> dict[str, Any]:
    """Men are hatched, so that colour does not say it alone."""
    colour, *_ = _LOOKS[kind]
    look: dict[str, Any] = {"fill": {"color": colour}, "border": {"color": colour}}
    if kind == "M":
        hatched = {"pattern": "wide_upward_diagonal", "fg_color": colour, "bg_color": "#FFFFFF"}
        look = {"pattern": hatched, "border": {"color": colour}}
    return look | {"gap": 60, "overlap": 0}


def _finish(chart: Any, title: str, axis: tuple[int, int], note: str, *, is_bar: bool) -> None:
    """Title, axes and legend; percent along the axis; the note is the flat axis' name."""
    bottom, top = axis
    small = {"size": 10, "color": "#1B1F24"}
    categories = {"num_font": small, "line": {"color": "#555555"}, "reverse": is_bar}
    percent = {
        "min": bottom,
        "max": top,
        "major_unit": svg.step(bottom, top),
        "num_format": "0",
        "num_font": small,
        "line": {"none": True},
        "major_gridlines": {"visible": True, "line": {"color": "#D9DDE1", "width": 0.75}},
    }
    flat = percent if is_bar else categories
    flat |= {"name": note, "name_font": {"size": 9, "color": "#B4460F"}}
    chart.set_x_axis(flat)
    chart.set_y_axis(categories if is_bar else percent)
    chart.set_title({"name": title, "name_font": {"size": 12, "color": "#1B1F24"}})
    chart.set_legend({"position": "bottom", "font": small})
    chart.show_blanks_as("gap")


def _range(place: int, rows: range) -> str:
    return f"={SHEET}!{_cell(rows[0], place)}:{_cell(rows[-1], place)}"


def _cell(row: int, place: int) -> str:
    return f"${chr(ord('A') + place)}${row + 1}"
