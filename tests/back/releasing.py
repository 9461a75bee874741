"""Drawn rounds through the real disclosure control: what would be released of them, as files.

Belongs here: from rows of the marts to a folder an attacker can read, without dbt and workbooks.
Does not: drawing rounds (hierarchies.py) or attacking (attacker.py).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from hierarchies import KEYS, ROUND, Hierarchy, Tables
from more_figures import everything

from pipelines import disclosure
from pipelines.disclosure import Published, Rule
from pipelines.release import counts as names
from pipelines.release import csvs, groups, marts, protected
from pipelines.release import round as whole
from pipelines.release.marts import Declared, Marts
from pipelines.release.table import Column, Content

_BLANK: Mapping[str, Mapping[str, Any]] = {
    "measure_results": {"comparable": False, "previous_round": None, "target_share": None},
    "indicator_results": {"target_share": None},
    "national_results": {"n_associations": 1, "indicator_id": ""},
    "response_rates": {"handed_out": None, "returned_known": 0},
    "questions": {"base_question_id": None},
    "questionnaires": {"kind": "questionnaire"},
}
_OTHER_KEYS = {
    "activities": ("round", "unit_id"),
    "activity_groups": ("round", "unit_id", "group_id"),
    "outcomes": ("period", "level", "unit_id", "gender"),
    "extra_results": ("level", "unit_id", "question_id", "gender"),
}
_PRIVATE = {"is_synthetic", "returned", "n_questionnaires", "handed_out", "returned_known"}
_FIGURES = {"share", "positive_rate", "value", "ci_low", "ci_high", "response_rate"}
_MORE = {
    "measure_results": ("ci_low", "ci_high"),
    "national_results": ("ci_low", "ci_high"),
    "outcomes": ("ci_low", "ci_high"),
    "extra_results": ("ci_low", "ci_high"),
    "response_rates": ("response_rate",),
}


def marts_of(tables: Tables) -> Marts:
    """The marts of a drawn round."""
    rows = {
        name: tuple({**_BLANK.get(name, {}), **row, "is_synthetic": True} for row in found)
        for name, found in tables.items()
    }
    return Marts(
        round=ROUND,
        is_synthetic=True,
        declared=tuple(_declared(name, found) for name, found in rows.items() if found),
        rows=defaultdict(tuple, rows),
        register=marts._register(defaultdict(tuple, rows)),
        single=frozenset(),
        notes=defaultdict(lambda: ("", "")),
        z=Decimal("1.959964"),
    )


def _declared(name: str, rows: Sequence[Mapping[str, Any]]) -> Declared:
    added = {"n_positive"} if name == "key_figures" else set()
    names = [n for n in rows[0] if n not in _PRIVATE | added]
    columns = (*dict.fromkeys([*names, *_MORE.get(name, ())]),)
    kinds = ["decimal" if column in _FIGURES else "text" for column in columns]
    key = KEYS.get(name, _OTHER_KEYS.get(name, tuple(names[:1])))
    return Declared(
        name,
        "",
        "",
        key,
        tuple(Column(c, k, "", "") for c, k in zip(columns, kinds, strict=True)),  # type: ignore[arg-type]
    )


def release(
    folder: Path,
    counts: Hierarchy,
    earlier: Iterable[Sequence[Published]] = (),
    rule: Rule | None = None,
) -> list[Published]:
    """Writes what would be released of a drawn round, after earlier releases of it.

    Returns:
        What it tells, for the releases after it.
    """
    rule = rule or disclosure.rule()
    told: dict[str, tuple[Published, ...]] = {}
    for published in earlier:
        for one in published:
            told[one.family.name] = (*told.get(one.family.name, ()), one)
    source = marts_of(everything(counts))
    made = whole.protect(source, told, rule)
    content = protected.content(source, whole.figures(made), protected.Past(), rule)
    whole.audit(content, source, made, told, rule)
    _write(folder, content, counts)
    return [one.published for one in made]


def silent(folder: Path, counts: Hierarchy) -> Path:
    """Writes a release of a drawn round that tells who there is and what was asked, no figure."""
    rule = disclosure.rule()
    source = marts_of(everything(counts))
    found = groups.of_questions(whole._counts(source), source.register, rule)
    hidden = {cell: None for group in found for cell in group.cells}
    _write(folder, protected.content(source, hidden, protected.Past(), rule), counts)
    return folder


def told(folder: Path, counts: Hierarchy, table: str, level: str) -> str:
    """Writes a release of all that there is but the last unit of a level in a table: that unit."""
    source = marts_of(everything(counts))
    found = list(groups.of_questions(whole._counts(source), source.register, disclosure.rule()))
    shown = {
        cell: group.true[at] if group.true[at].n else None
        for group in found
        for cell, at in group.cells.items()
    }
    unit = max(c[1] for c in shown if c[0] == level and names.table_of(c) == table)
    hidden = {c: None for c in shown if c[1] == unit and names.table_of(c) == table}
    past = protected.Past()
    _write(folder, protected.content(source, {**shown, **hidden}, past, disclosure.rule()), counts)
    return unit


def _write(folder: Path, content: Content, counts: Hierarchy) -> None:
    csvs.write(content, folder)
    deliveries = [
        {"association_id": name, "sha256": sha} for name, sha in sorted(counts.deliveries.items())
    ]
    (folder / "manifest.json").write_text(json.dumps({"deliveries": deliveries}), encoding="utf-8")
