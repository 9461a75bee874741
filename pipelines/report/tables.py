"""The numbers of a picture as an HTML table: what stands beside each picture of a page.

Belongs here: rows and cells, joined by hand, since a report has thousands and a template is slow at
them. Does not: where a table stands (templates/), or how a figure is written (words.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from markupsafe import Markup, escape

from pipelines.report import words
from pipelines.report.estimates import Estimate
from pipelines.report.story import (
    Comparison,
    Dot,
    Line,
    Outcome,
    OwnQuestion,
    Profile,
    ProfileRow,
    Reliability,
    Summary,
    Trend,
    Way,
)

_SHARE, _INTERVAL, _ANSWERS = "Andel, %", "95 % intervall", "Svar"


def trend(picture: Trend) -> Markup:
    """All rounds of a trend, the latest first: a row per line with share, interval, answers."""
    has_intervals = any(map(_has_interval, _estimates(picture)))
    by_round = [
        ({estimate.round: estimate for estimate in line.series}, _line_head(line))
        for line in picture.lines
    ]
    new, rows = f'<br><span class="soft">{picture.terms.new}</span>', []
    for round_ in reversed(picture.rounds):
        rows.append(f'<tbody><tr><th scope="rowgroup" rowspan="{len(by_round)}">{round_}')
        rows.append(new if round_ in picture.breaks else "")
        rows.append("</th>")
        rows.append(
            "<tr>".join(
                f"{head}{_cells(series.get(round_), has_intervals)}</tr>\n"
                for series, head in by_round
            )
        )
        rows.append("</tbody>\n")
    heads = _heads((picture.terms.time, "Grupp"), has_intervals, picture.terms.counted)
    return _table(picture.title, heads, "".join(rows), _targets(picture))


def comparison(picture: Comparison, links: Mapping[str, str] | None = None) -> Markup:
    """All associations of a comparison in its order, the nation last.

    Args:
        picture: the comparison.
        links: where an association's report is, by unit_id; its name becomes a link there.
    """
    linked = links or {}
    has_intervals = any(_has_interval(dot.estimate) for dot in picture.dots)
    rows = [
        f'<tr{_OWN if dot.unit_id == picture.own else ""}><th scope="row">'
        f"{_named(dot, linked.get(dot.unit_id))}</th>{_cells(dot.estimate, has_intervals)}</tr>\n"
        for dot in picture.dots
    ]
    nation = f'<tr class="sum"><th scope="row">Riket</th>{_cells(picture.nation, has_intervals)}'
    body = f"<tbody>{''.join(rows)}</tbody>\n<tbody>{nation}</tr></tbody>\n"
    heads = _heads(("Förbund",), has_intervals, picture.terms.counted)
    return _table(picture.title, heads, body)


_OWN = ' class="own"'


def profile(picture: Profile) -> Markup:
    """An activity's measures: its share, interval and answers, and the shares it is seen against.

    It stacks on a narrow screen, so each cell carries its heading.
    """
    beside = list(dict.fromkeys(dot.name for row in picture.rows for dot in row.beside))
    names = [_SHARE, _INTERVAL, _ANSWERS, *(f"{name}, %" for name in beside)]
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in ("Mått", *names))
    body = "".join(_profile_row(row, names, beside) for row in picture.rows)
    return _table(picture.title, heads, f"<tbody>{body}</tbody>\n", kind="figures stack")


def _profile_row(row: ProfileRow, names: Sequence[str], beside: Sequence[str]) -> str:
    others = {dot.name: dot.estimate for dot in row.beside}
    cells = [words.share(row.own), _interval(row.own), words.answers(row.own)]
    cells += [words.share(others.get(name)) for name in beside]
    labelled = "".join(
        f'<td data-label="{escape(name)}">{cell}</td>'
        for name, cell in zip(names, cells, strict=True)
    )
    return f'<tr><th scope="row">{escape(row.label)}</th>{labelled}</tr>\n'


def summary(of: Iterable[Summary], caption: str, counted: str = _ANSWERS) -> Markup:
    """An indicator by respondent group, all together last: women, men, total, answers."""
    rows = [
        f'<th scope="row">{escape(line.label)}</th>'
        f"<td>{'</td><td>'.join(words.by_gender(line.women, line.men))}</td>"
        f"<td>{words.share(line.total)}</td><td>{words.answers(line.total)}</td></tr>\n"
        for line in of
    ]
    heads = ("Svarande", "Kvinnor, %", "Män, %", "Totalt, %", counted)
    *groups, together = rows
    body = f'<tbody>{"".join(f"<tr>{row}" for row in groups)}<tr class="sum">{together}</tbody>\n'
    return _table(caption, "".join(f'<th scope="col">{head}</th>' for head in heads), body)


def groups(of: Iterable[Dot], caption: str, counted: str = _ANSWERS) -> Markup:
    """The comparable groups of activities."""
    dots = tuple(of)
    has_intervals = any(_has_interval(dot.estimate) for dot in dots)
    rows = "".join(
        f'<tr><th scope="row">{escape(dot.name)}</th>{_cells(dot.estimate, has_intervals)}</tr>\n'
        for dot in dots
    )
    heads = _heads(("Slag av insats",), has_intervals, counted)
    return _table(caption, heads, f"<tbody>{rows}</tbody>\n")


def outcomes(of: Sequence[Outcome], caption: str) -> Markup:
    """What became of participations: how many went on and left, and the positive ways out."""
    heads = ("Vilka", "Pågående", "Avslutade", "Utan avhopp", "Positiva", _SHARE, _INTERVAL)
    rows = [
        (
            words.count(row.active),
            words.count(row.ended),
            words.answers(row.rate),
            words.count(row.positive),
            words.share(row.rate),
            _interval(row.rate),
        )
        for row in of
    ]
    return _plain(caption, heads, zip((row.label for row in of), rows, strict=True))


def ways(of: Iterable[Way], caption: str) -> Markup:
    """The ways out and how many women, men and all took them."""
    rows = ((way.label, (way.women, way.men, way.total)) for way in of)
    told = ((label, tuple(map(words.count, counts))) for label, counts in rows)
    return _plain(caption, ("Väg ut", "Kvinnor", "Män", "Totalt"), told)


def own(of: OwnQuestion) -> Markup:
    """A question of a project's own: the association's answers, its activities', the project's."""
    rows = (
        (
            figure.unit,
            (
                *words.by_gender(figure.women, figure.men),
                words.share(figure.total),
                _interval(figure.total),
                words.answers(figure.total),
            ),
        )
        for figure in of.figures
    )
    heads = ("Svar från", "Kvinnor, %", "Män, %", "Totalt, %", _INTERVAL, _ANSWERS)
    return _plain(of.label, heads, rows)


def reliability(of: Iterable[Reliability], caption: str) -> Markup:
    """The indicators' reliability by respondent group."""
    heads = ("Indikator", "Svarande", "Mått", "Alfa", _INTERVAL, "Mått mot övriga", "Stabilitet")
    rows = (
        (
            f"{row.indicator_id} {row.label}",
            (
                row.asked,
                str(row.items),
                words.coefficient(row.alpha),
                words.coefficients(row.low, row.high),
                words.coefficient(row.item_total),
                words.coefficient(row.stability),
            ),
        )
        for row in of
    )
    return _plain(caption, heads, rows)


# --- parts --------------------------------------------------------------------------------------


def _table(caption: str, heads: str, body: str, note: str = "", kind: str = "figures") -> Markup:
    return Markup(  # noqa: S704 all parts are escaped where they are made
        f'<table class="{kind}"><caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n{body}</table>\n{note}"
    )


def _plain(caption: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> Markup:
    """A table of rows with a head each and cells as they are written; it stacks when narrow."""
    names = heads[1:]
    body = "".join(
        f'<tr><th scope="row">{escape(head)}</th>'
        + "".join(
            f'<td data-label="{name}">{escape(cell)}</td>'
            for name, cell in zip(names, cells, strict=True)
        )
        + "</tr>\n"
        for head, cells in rows
    )
    columns = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return _table(caption, columns, f"<tbody>{body}</tbody>\n", kind="figures stack")


def _heads(of_row: Sequence[str], has_intervals: bool, counted: str = _ANSWERS) -> str:
    names = (*of_row, _SHARE, *((_INTERVAL,) if has_intervals else ()), counted)
    return "".join(f'<th scope="col">{name}</th>' for name in names)


def _line_head(line: Line) -> str:
    return f'<th scope="row">{escape(line.label)}</th>'


def _cells(estimate: Estimate | None, has_intervals: bool) -> str:
    interval = f"<td>{_interval(estimate)}</td>" if has_intervals else ""
    return f"<td>{words.share(estimate)}</td>{interval}<td>{words.answers(estimate)}</td>"


def _interval(estimate: Estimate | None) -> str:
    """The 95 % interval; a bracket stands as the share, for it is no such interval."""
    return words.interval(estimate) if _has_interval(estimate) else ""


def _has_interval(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.low is not None and not estimate.is_bracket


def _named(dot: Dot, link: str | None) -> str:
    return f'<a href="{escape(link)}">{escape(dot.name)}</a>' if link else str(escape(dot.name))


def _estimates(picture: Trend) -> Iterable[Estimate]:
    return (estimate for line in picture.lines for estimate in line.series)


def _targets(picture: Trend) -> str:
    """The target levels that the picture draws, in words."""
    targets: defaultdict[Decimal, list[int]] = defaultdict(list)
    for round_, target in picture.targets.items():
        targets[target].append(round_)
    return "".join(
        f'<p class="soft">Målnivå {words.level(target)} procent ({_years(rounds)})'
        f"{_reached(picture, rounds)}.</p>\n"
        for target, rounds in targets.items()
    )


def _reached(picture: Trend, rounds: Sequence[int]) -> str:
    """Whether the level was reached, and when: `: nådd 2024, inte nådd 2025`."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for round_ in rounds:
        if round_ in picture.reached:
            found[words.REACHED[picture.reached[round_]]].append(round_)
    told = "; ".join(f"{name} {_years(found[name])}" for name in found)
    return f": {told}" if told else ""


def _years(rounds: Sequence[int]) -> str:
    first, last = min(rounds), max(rounds)
    if first == last:
        return str(first)
    is_whole = len(rounds) == last - first + 1
    return f"{first}–{last}" if is_whole else ", ".join(map(str, sorted(rounds)))
