"""The protected tables of a round: the marts' figures as far as they may be told.

Belongs here: which tables and rows a release has, and those of the questionnaires' figures. Does
not: the rule itself (disclosure.py), counting and rounding (told.py), or any file.

What a release says of an earlier round is what that round's latest release says; what was hidden or
never released there is not told here either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pipelines.disclosure import Rule, Told
from pipelines.release import counts, extra, outcomes, reliability
from pipelines.release.groups import MUNICIPALITY
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
from pipelines.release.told import (
    Before,
    Compared,
    Figures,
    Shares,
    against,
    mean_bounds,
    rounded,
    share,
    status,
)

_RATE_LEVELS = ("nation", "association")
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier releases show.

    Attributes:
        before: n and n_positive, by table and earlier round.
        shares: the shares of indicators, by earlier round.
        ways_out: of the nation, told by each earlier release of the same round that tells them.
    """

    before: Before = lambda table, round_: {}
    shares: Shares = lambda round_: {}
    ways_out: Sequence[outcomes.WaysOut] = ()


def content(marts: Marts, shown: Figures, past: Past, rule: Rule) -> Content:
    """The content of a release.

    Args:
        marts: the marts of the round.
        shown: what may be told of each cell.
        past: what earlier releases show.
        rule: the thresholds.
    """
    least = rule.min_answers
    makers: Mapping[str, Callable[[], Iterator[Record]]] = {
        "measure_results": lambda: _measures(marts, shown, past.before),
        "indicator_results": lambda: _indicators(marts, shown),
        "national_results": lambda: _national(marts, shown, past.before),
        "key_figures": lambda: _key_figures(marts, shown),
        "response_rates": lambda: _response_rates(marts),
        outcomes.TABLE: lambda: outcomes.rows(marts, shown, past.before, least, past.ways_out),
        extra.TABLE: lambda: extra.rows(marts, shown, past.before),
        reliability.TABLE: lambda: reliability.rows(marts, _indicators(marts, shown), past.shares),
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


def _measures(marts: Marts, shown: Figures, before: Before) -> Iterator[Record]:
    for row in marts.rows["measure_results"]:
        if is_released(row, marts):
            cell = counts.measure(row)
            year = row["previous_round"]
            earlier = before("measure_results", year).get(key(row)) if row["comparable"] else None
            compared = Compared(row["comparable"], year, earlier, row["target_share"])
            yield {**row, **share(shown.get(cell), status(cell, shown), marts.z, compared)}


def key(row: Record) -> tuple[Value, ...]:
    """What names a row of measure_results among those of a round."""
    return (
        *(row["level"], row["unit_id"], row["questionnaire_id"]),
        *(row["measure_id"], row["gender"]),
    )


def _national(marts: Marts, shown: Figures, before: Before) -> Iterator[Record]:
    measures = {
        (row["questionnaire_id"], row["measure_id"], row["gender"]): row
        for row in _measures(marts, shown, before)
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
        at = (row["answered_by"], row["figure_id"], row["gender"])
        figure = measures[at] if row["figure_kind"] == "measure" else {**blank, **indicators[at]}
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
        parts_of = [by_group[group] for group in groups if group in by_group]
        yield {**row, **_mean(parts_of, row["target_share"], marts.z)}


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
        cell = counts.measure(row)
        at = (row["level"], row["unit_id"], indicator_of[row["measure_id"]], row["gender"])
        part = (status(cell, shown), shown.get(cell)) if is_released(row, marts) else (HIDDEN, None)
        parts[at][group_of[row["questionnaire_id"]]].append(part)
    return parts


def _mean(groups: Sequence[Sequence[_Part]], target: float | None, z: Decimal) -> Record:
    """The unweighted mean over groups of the unweighted means over measures with answers.

    Its interval, against which the target is held, is the mean of theirs: whatever the answers'
    correlation, it is wide enough.
    """
    figures: dict[str, Value] = {"target_share": rounded(target), "distance": None, "reached": None}
    answered = [[part for part in group if part[0] != EMPTY] for group in groups]
    answered = [group for group in answered if group]
    if not answered:
        return {**figures, "share": None, "n_measures": 0, "n": 0, "status": EMPTY}
    if any(status_ != SHOWN for group in answered for status_, _ in group):
        return {**figures, "share": None, "n_measures": None, "n": None, "status": HIDDEN}
    told = [[t for _, t in group if t] for group in answered]
    means = [sum((Fraction(t.low, t.n) for t in group), Fraction()) / len(group) for group in told]
    mean = 100 * sum(means, Fraction()) / len(means)
    return {
        **figures,
        "share": tenths(mean.numerator, mean.denominator),
        "n_measures": sum(map(len, told)),
        "n": sum(t.n for group in told for t in group),
        "status": SHOWN,
        **against(target, mean, mean_bounds(told, z)),
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
        told, status_ = shown.get(cell), status(cell, shown)
        figures: dict[str, Value] = dict.fromkeys(
            ("value", "bracket_low", "bracket_high", "count", "n_positive")
        )
        if status_ == EMPTY:
            figures["count"] = 0
        elif told:
            figures["count"] = told.n
            low, high = percent(told.low, told.n), percent(told.high, told.n)
            if status_ == BRACKET:
                figures |= {"bracket_low": low, "bracket_high": high}
            else:
                figures |= {"n_positive": told.low, "value": low}
        yield {**row, **figures, "status": status_}


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


# --- tables -------------------------------------------------------------------------------------

_BRACKET = ("bracket_low", "bracket_high")
_AFTER = {
    **dict.fromkeys(("share", "positive_rate", "value"), _BRACKET),
    "count": ("n_positive",),
}
_ADDED = {"bracket_low": "decimal", "bracket_high": "decimal", "n_positive": "integer"}


def _table(marts: Marts, declared: Declared, rows: Iterable[Record], *, has_figures: bool) -> Table:
    """A table with the declared columns, those only a release has, and whether it is invented."""
    columns = [c for c in declared.columns if c.name != "is_synthetic"]
    if has_figures:
        columns = list(_with_added(declared, columns, marts))
        if declared.name == outcomes.TABLE:
            columns.append(_noted("status_active", "text", marts))
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
    """The tables with their references: a column refers to the first table of which it is the key.

    Not where a value is not found there: the question of a project is none of the instrument's.
    """
    owners: dict[str, Table] = {}
    for table in tables.values():
        if len(table.key) == 1:
            owners.setdefault(table.key[0], table)
    return {name: replace(t, references=_references(t, owners)) for name, t in tables.items()}


def _references(table: Table, owners: Mapping[str, Table]) -> Mapping[str, tuple[str, str]]:
    found = {}
    for place, column in enumerate(table.columns):
        owner = owners.get(column.name, table)
        known = {record[column.name] for record in owner.records()}
        if owner.name != table.name and known.issuperset(
            {row[place] for row in table.rows} - {None}
        ):
            found[column.name] = (owner.name, column.name)
    return found
