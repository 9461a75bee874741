"""The measures of a questionnaire as a dense cube: what PX and JSON-stat are written from.

Belongs here: dimensions, their labels and order, a cell for each combination. Does not: how a
format writes them.

```
ContentsCode (<measure>_share, <measure>_n) × Forbund (nation, counties, associations) × Kon × Tid
```
Activities are left out: next to all of their figures are hidden.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from pipelines.release.table import EMPTY, HIDDEN, Content, Value
from pipelines.release.texts import LANGUAGES, Text, filled, labels, same, texts

Cell = int | Decimal | str
"""A number, or the sign of why there is none: HIDDEN (so is a bracket), EMPTY (no answers)."""

LEVELS = ("nation", "county", "association")

_FIGURES = {"share": 1, "n": 0}  # column → decimals


@dataclass(frozen=True, slots=True)
class Category:
    """A value of a dimension; no two of a dimension have the same label."""

    code: str
    label: Text


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension with its values in order."""

    code: str
    label: Text
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a content is counted in."""

    label: Text
    decimals: int


@dataclass(frozen=True, slots=True)
class Cube:
    """A questionnaire's figures.

    Attributes:
        dimensions: contents, units, gender, time.
        units: of each content by its code.
        cells: a cell for each combination of categories, the last dimension running fastest.
    """

    questionnaire_id: str
    title: Text
    dimensions: tuple[Dimension, ...]
    units: Mapping[str, Unit]
    cells: tuple[Cell, ...]


_Rows = dict[tuple[str, str, str], dict[str, Value]]  # measure, unit, gender → row


def questionnaires(content: Content) -> tuple[str, ...]:
    """The questionnaires that have a cube, in order."""
    return tuple(_grouped(content))


def cubes(content: Content) -> Iterator[Cube]:
    """The cubes of the round by questionnaire.

    Raises:
        KeyError: a unit, measure or questionnaire of the figures is not among the content's tables.
    """
    measures = {str(r["measure_id"]): labels(r) for r in content["measures"].records()}
    names = _unit_names(content)
    titles = {
        str(r["questionnaire_id"]): {"sv": str(r["sheet_name"]), "en": str(r["label_en"])}
        for r in content["questionnaires"].records()
    }
    for questionnaire_id, rows in _grouped(content).items():
        asked = sorted({measure for measure, _, _ in rows}, key=_natural)
        contents = {f"{m}_{figure}": (m, figure) for m in asked for figure in _FIGURES}
        units = {unit: names[str(r["level"])](unit) for (_, unit, _), r in rows.items()}
        genders = texts("gender")
        yield Cube(
            questionnaire_id=questionnaire_id,
            title=filled(texts("cube")["title"], questionnaire=titles[questionnaire_id]),
            dimensions=_dimensions(
                ContentsCode={
                    code: _content_label(measures[measure], figure)
                    for code, (measure, figure) in contents.items()
                },
                Forbund=units,
                Kon=genders,
                Tid={str(content.round): same(content.round)},
            ),
            units={
                code: Unit(texts("unit")[figure], _FIGURES[figure])
                for code, (_, figure) in contents.items()
            },
            cells=tuple(
                _cell(rows.get((measure, unit, gender)), figure)
                for (measure, figure), unit, gender in product(contents.values(), units, genders)
            ),
        )


def signs(content: Content) -> list[Text]:
    """What the signs of cells mean, a line each."""
    meanings = {str(r["meaning"]): labels(r) for r in content["statuses"].records()}
    return [
        filled(f"{sign} = {{meaning}}", meaning=filled(text, **meanings))
        for sign, text in texts("sign").items()
    ]


def _grouped(content: Content) -> dict[str, _Rows]:
    """The rows of the cubes' levels by questionnaire, nation first."""
    found = [r for r in content["measure_results"].records() if r["level"] in LEVELS]
    found.sort(key=lambda r: (LEVELS.index(str(r["level"])), str(r["unit_id"])))
    grouped: dict[str, _Rows] = {}
    for row in found:
        key = str(row["measure_id"]), str(row["unit_id"]), str(row["gender"])
        grouped.setdefault(str(row["questionnaire_id"]), {})[key] = row
    return dict(sorted(grouped.items()))


def _cell(row: Mapping[str, Value] | None, figure: str) -> Cell:
    if row is None:
        return EMPTY
    value = row[figure]
    if isinstance(value, int | Decimal):
        return value
    return EMPTY if row["status"] == EMPTY else HIDDEN


# --- labels -------------------------------------------------------------------------------------


def _unit_names(content: Content) -> dict[str, Callable[[str], Text]]:
    """How a unit of each level is named, by its unit_id."""
    nation = texts("level")["nation"]
    counties = {r["county_code"]: same(r["county_name"]) for r in content["counties"].records()}
    associations = {
        r["association_id"]: same(r["association_name"]) for r in content["associations"].records()
    }
    return {
        "nation": lambda _: nation,
        "county": lambda unit_id: counties[unit_id.removeprefix("00")],  # Kolada's id of a county
        "association": lambda unit_id: associations[unit_id],
    }


def _content_label(measure: Text, figure: str) -> Text:
    return filled("{measure}, {figure}", measure=measure, figure=texts("figure")[figure])


def _dimensions(**members: Mapping[str, Text]) -> tuple[Dimension, ...]:
    names = texts("dimension")
    return tuple(
        Dimension(code, names[code], _categories(labelled)) for code, labelled in members.items()
    )


def _categories(labelled: Mapping[str, Text]) -> tuple[Category, ...]:
    """The values of a dimension; those of the same label are told apart by their codes."""
    seen = Counter((lang, text[lang]) for text in labelled.values() for lang in LANGUAGES)
    return tuple(
        Category(
            code,
            {n: text[n] if seen[n, text[n]] == 1 else f"{text[n]} ({code})" for n in LANGUAGES},
        )
        for code, text in labelled.items()
    )


def _natural(code: str) -> list[str]:
    """Orders 2a before 10a."""
    return [part.zfill(4) for part in re.findall(r"\d+|\D+", code)]
