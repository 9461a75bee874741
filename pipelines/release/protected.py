"""The protected tables of a round: the marts' figures as far as they may be told.

Belongs here: from what disclosure control tells of n and n_positive to every released figure, and
rounding. Does not: the rule itself (disclosure.py), or any file.

Every figure is made from the told integers, never from the marts' own shares: so nothing that is
hidden can hide in a decimal. What a release says of an earlier round is what that round's latest
release says; what was hidden or never released there is not told here either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from math import sqrt
from typing import Any

from pipelines.disclosure import Told
from pipelines.release.groups import MUNICIPALITY, Cell
from pipelines.release.marts import Declared, Marts, Record
from pipelines.release.table import (
    BRACKET,
    EMPTY,
    HIDDEN,
    SHOWN,
    Column,
    Content,
    Table,
    Value,
    percent,
    publisher,
    tenths,
)

Figures = Mapping[Cell, Told | None]
"""What is told of every cell with answers, None where nothing is; cells without are not there."""

Earlier = Mapping[tuple[Value, ...], tuple[int, int]]
"""n and n_positive that a release of an earlier round shows, by level, unit, questionnaire,
measure and gender."""

_RATE_LEVELS = ("nation", "association")
_ALL = "all"


def content(marts: Marts, shown: Figures, earlier: Callable[[int], Earlier]) -> Content:
    """The content of a release.

    Args:
        marts: the marts of the round.
        shown: what may be told of each cell.
        earlier: what the latest release of an earlier round shows; nothing when there is none.
    """
    makers: Mapping[str, Callable[[], Iterator[Record]]] = {
        "measure_results": lambda: _measures(marts, shown, earlier),
        "indicator_results": lambda: _indicators(marts, shown),
        "national_results": lambda: _national(marts, shown, earlier),
        "key_figures": lambda: _key_figures(marts, shown),
        "response_rates": lambda: _response_rates(marts),
    }
    tables = [
        _table(marts, declared, list(makers[declared.name]()), has_figures=True)
        if declared.name in makers
        else _table(marts, declared, marts.rows[declared.name], has_figures=False)
        for declared in marts.declared
    ]
    names = {table.name: table for table in tables}
    return Content(marts.round, marts.is_synthetic, publisher(), _referring(names))


def is_released(row: Record, marts: Marts) -> bool:
    """Whether a row of measure_results is released, be its figures hidden or not.

    One known person of an association is no group: those questionnaires end at the nation.
    """
    return row["level"] == "nation" or row["questionnaire_id"] not in marts.single


# --- figures ------------------------------------------------------------------------------------


def _measures(marts: Marts, shown: Figures, earlier: Callable[[int], Earlier]) -> Iterator[Record]:
    for row in marts.rows["measure_results"]:
        if is_released(row, marts):
            cell = (row["level"], row["unit_id"], row["question_id"], row["gender"])
            yield {**row, **_measure(row, cell, marts, shown, earlier)}


def _measure(
    row: Record,
    cell: Cell,
    marts: Marts,
    shown: Figures,
    earlier: Callable[[int], Earlier],
) -> Record:
    """All figures of a row of measure_results."""
    told = shown.get(cell)
    status = _status(cell, shown)
    figures: dict[str, Value] = dict.fromkeys(
        (
            *("n", "n_positive", "share", "bracket_low", "bracket_high", "ci_low", "ci_high"),
            *("comparable", "previous_round", "share_previous", "change", "change_significant"),
            "target_share",
        )
    )
    figures["status"] = status
    if status == EMPTY:
        return {**figures, "n": 0, "n_positive": 0}
    if not told:
        return figures
    figures |= {"n": told.n, "target_share": _rounded(row["target_share"])}
    if status == BRACKET:
        low, high = percent(told.low, told.n), percent(told.high, told.n)
        return {**figures, "bracket_low": low, "bracket_high": high}
    low, high = _wilson(told.n, told.low, marts.z)
    figures |= {"n_positive": told.low, "share": percent(told.low, told.n)}
    figures |= {"ci_low": low, "ci_high": high, "comparable": row["comparable"]}
    return {**figures, **_since(row, told, marts.z, earlier)}


def _since(row: Record, told: Told, z: Decimal, earlier: Callable[[int], Earlier]) -> Record:
    """The change since the latest earlier round, as far as that round's release tells it."""
    if not row["comparable"]:
        return {}
    names = ("level", "unit_id", "questionnaire_id", "measure_id", "gender")
    before = earlier(row["previous_round"]).get(tuple(row[name] for name in names))
    if not before:
        return {"previous_round": row["previous_round"]}
    n, positive = before
    return {
        "previous_round": row["previous_round"],
        "share_previous": percent(positive, n),
        "change": tenths(100 * (told.low * n - positive * told.n), told.n * n),
        "change_significant": _differs((told.n, told.low), before, float(z)),
    }


def _national(marts: Marts, shown: Figures, earlier: Callable[[int], Earlier]) -> Iterator[Record]:
    measures = {
        (row["questionnaire_id"], row["measure_id"], row["gender"]): row
        for row in _measures(marts, shown, earlier)
        if row["level"] == "nation"
    }
    indicators = {
        (row["respondent_group"], row["indicator_id"], row["gender"]): row
        for row in _indicators(marts, shown)
        if row["level"] == "nation"
    }
    blank = dict.fromkeys(
        (
            *("n_positive", "bracket_low", "bracket_high", "ci_low", "ci_high", "comparable"),
            *("previous_round", "share_previous", "change", "change_significant"),
        )
    )
    for row in marts.rows["national_results"]:
        key = (row["answered_by"], row["figure_id"], row["gender"])
        figure = measures[key] if row["figure_kind"] == "measure" else {**blank, **indicators[key]}
        kept = ("n_associations", "indicator_id", "figure_kind", "figure_id", "answered_by")
        yield {"n_measures": None, **figure, **{name: row[name] for name in kept}}


def _indicators(marts: Marts, shown: Figures) -> Iterator[Record]:
    """Shown where all the shares it is the mean of are; so it tells nothing they do not."""
    parts = _parts(marts, shown)
    for row in marts.rows["indicator_results"]:
        at = (row["level"], row["unit_id"], row["indicator_id"], row["gender"])
        by_group = parts[at]
        groups = [row["respondent_group"]] if row["respondent_group"] != _ALL else sorted(by_group)
        if row["level"] != "nation" and not any(by_group.get(group) for group in groups):
            continue  # only one known person's questionnaire asks it
        yield {**row, **_mean([by_group[group] for group in groups if group in by_group])} | {
            "target_share": _rounded(row["target_share"])
        }


_Part = tuple[str, Told | None]


def _parts(
    marts: Marts, shown: Figures
) -> Mapping[tuple[str, str, str, str], Mapping[str, list[_Part]]]:
    """The measures of each indicator by level, unit, indicator and gender, then by group."""
    indicator_of = {row["measure_id"]: row["indicator_id"] for row in marts.rows["measures"]}
    group_of = {
        row["questionnaire_id"]: row["respondent_group"] for row in marts.rows["questionnaires"]
    }
    parts: dict[tuple[str, str, str, str], dict[str, list[_Part]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in marts.rows["measure_results"]:
        cell = (row["level"], row["unit_id"], row["question_id"], row["gender"])
        at = (row["level"], row["unit_id"], indicator_of[row["measure_id"]], row["gender"])
        part = (
            (_status(cell, shown), shown.get(cell)) if is_released(row, marts) else (HIDDEN, None)
        )
        parts[at][group_of[row["questionnaire_id"]]].append(part)
    return parts


def _mean(groups: Sequence[Sequence[_Part]]) -> Record:
    """The unweighted mean over groups of the unweighted means over measures with answers."""
    answered = [[part for part in group if part[0] != EMPTY] for group in groups]
    answered = [group for group in answered if group]
    if not answered:
        return {"share": None, "n_measures": 0, "n": 0, "status": EMPTY}
    if any(status != SHOWN for group in answered for status, _ in group):
        return {"share": None, "n_measures": None, "n": None, "status": HIDDEN}
    told = [[t for _, t in group if t] for group in answered]
    means = [sum((Fraction(t.low, t.n) for t in group), Fraction()) / len(group) for group in told]
    mean = sum(means, Fraction()) / len(means)
    return {
        "share": tenths(100 * mean.numerator, mean.denominator),
        "n_measures": sum(map(len, told)),
        "n": sum(t.n for group in told for t in group),
        "status": SHOWN,
    }


def _key_figures(marts: Marts, shown: Figures) -> Iterator[Record]:
    question_of = {
        (row["questionnaire_id"], row["measure_id"]): row["question_id"]
        for row in marts.rows["measure_results"]
    }
    definitions = {row["kpi_id"]: row for row in marts.rows["key_figure_definitions"]}
    for row in marts.rows["key_figures"]:
        kpi = definitions[row["kpi_id"]]
        question = question_of.get((kpi["questionnaire_id"], kpi["measure_id"]), "")
        cell = (MUNICIPALITY, row["municipality_id"], question, row["gender"])
        told, status = shown.get(cell), _status(cell, shown)
        figures: dict[str, Value] = dict.fromkeys(
            ("value", "bracket_low", "bracket_high", "count", "n_positive")
        )
        if status == EMPTY:
            figures["count"] = 0
        elif told:
            figures["count"] = told.n
            low, high = percent(told.low, told.n), percent(told.high, told.n)
            if status == BRACKET:
                figures |= {"bracket_low": low, "bracket_high": high}
            else:
                figures |= {"n_positive": told.low, "value": low}
        yield {**row, **figures, "status": status}


def _response_rates(marts: Marts) -> Iterator[Record]:
    """In whole percent, and never how many questionnaires were handed out or came back.

    Nearly all answer some question. So how many came back, even in the nation, would limit how
    many can have answered anywhere, and with it one could compute what is hidden. A rate by itself
    does not: any number can have come back. So it is told of few as of many; were it hidden of
    few, that would tell that they are few.
    """
    for row in marts.rows["response_rates"]:
        if row["level"] in _RATE_LEVELS and is_released(row, marts):
            handed_out = row["handed_out"]
            rate = _whole_percent(row["returned_known"], handed_out) if handed_out else None
            yield {**row, "response_rate": rate, "status": SHOWN if handed_out else EMPTY}


def _whole_percent(part: int, whole: int) -> Decimal:
    """A share without decimals, half up."""
    return Decimal((200 * part + whole) // (2 * whole)).quantize(Decimal("0.1"))


def _status(cell: Cell, shown: Figures) -> str:
    if cell not in shown:
        return EMPTY
    told = shown[cell]
    return told.state if told else HIDDEN


# --- numbers ------------------------------------------------------------------------------------


def _wilson(n: int, positive: int, z: Decimal) -> tuple[Decimal, Decimal]:
    """The Wilson interval in percent with one decimal, counted in decimals: the same everywhere."""
    with localcontext(prec=40):
        middle = positive + z * z / 2
        reach = z * (Decimal(positive * (n - positive)) / n + z * z / 4).sqrt()
        bounds = [100 * (middle + sign * reach) / (n + z * z) for sign in (-1, 1)]
        low, high = (_half_up(min(max(b, Decimal(0)), Decimal(100))) for b in bounds)
    return low, high


def _differs(now: tuple[int, int], before: tuple[int, int], z: float) -> bool:
    """The pooled two-sided z-test of two shares; false when both are 0 % or both 100 %."""
    (n, positive), (n_before, positive_before) = now, before
    pooled = (positive + positive_before) / (n + n_before)
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_before))
    return abs(positive / n - positive_before / n_before) > z * error


def _rounded(number: float | None) -> Decimal | None:
    return None if number is None else _half_up(Decimal(repr(float(number))))


def _half_up(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.1"), ROUND_HALF_UP)


# --- tables -------------------------------------------------------------------------------------

_BRACKET = ("bracket_low", "bracket_high")
_AFTER = {"share": _BRACKET, "value": _BRACKET, "count": ("n_positive",)}
_ADDED = {"bracket_low": "decimal", "bracket_high": "decimal", "n_positive": "integer"}


def _table(marts: Marts, declared: Declared, rows: Iterable[Record], *, has_figures: bool) -> Table:
    """A table with the declared columns, those only a release has, and whether it is invented."""
    columns = [c for c in declared.columns if c.name != "is_synthetic"]
    if has_figures:
        columns = list(_with_added(declared, columns, marts))
        columns.append(_noted("status", "text", marts, "release_status"))
    columns.append(_noted("is_synthetic", "boolean", marts))
    # dbt reads the empty code of a seed as null
    blank = dict.fromkeys(declared.key, "")
    records = [
        {**row, **{k: row[k] or b for k, b in blank.items()}, "is_synthetic": marts.is_synthetic}
        for row in rows
    ]
    ordered = sorted(records, key=lambda row: tuple(str(row[name]) for name in declared.key))
    return Table(
        name=declared.name,
        title_sv=declared.title_sv,
        title_en=declared.title_en,
        columns=tuple(columns),
        key=declared.key,
        references={},
        rows=tuple(tuple(row[column.name] for column in columns) for row in ordered),
        has_figures=has_figures,
    )


def _with_added(declared: Declared, columns: Iterable[Column], marts: Marts) -> Iterator[Column]:
    names = {column.name for column in declared.columns}
    has_brackets = "ci_low" in names
    for column in columns:
        yield column
        for name in _AFTER.get(column.name, ()):
            if name not in names and (has_brackets or column.name != "share"):
                yield _noted(name, _ADDED[name], marts)


def _noted(name: str, kind: Any, marts: Marts, note: str = "") -> Column:
    english, swedish = marts.notes[note or name]
    return Column(name, kind, swedish, english)


def _referring(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables with their references: a column named as the only key of another table."""
    owners = {table.key[0]: table.name for table in tables.values() if len(table.key) == 1}
    return {
        name: Table(
            **{slot: getattr(table, slot) for slot in Table.__slots__}
            | {
                "references": {
                    column.name: (owners[column.name], column.name)
                    for column in table.columns
                    if owners.get(column.name, name) != name
                }
            }
        )
        for name, table in tables.items()
    }
