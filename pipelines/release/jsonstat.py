"""JSON-stat 2.0: `open/jsonstat/<questionnaire>.json`, in Swedish with the English labels beside.

Belongs here: the shape of a dataset as json-stat.org tells it. Does not: what is in the cube
(cube.py). There is no `updated`: the same content gives the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.release.cube import Cell, Cube, Dimension, cubes, signs
from pipelines.release.table import Content
from pipelines.release.texts import LANGUAGES, SYNTHETIC

MAIN, *OTHERS = LANGUAGES


def write(content: Content, folder: Path) -> None:
    """Writes a dataset per questionnaire.

    Raises:
        OSError: a file cannot be written.
    """
    target = folder / "open" / "jsonstat"
    target.mkdir(parents=True, exist_ok=True)
    for cube in cubes(content):
        text = json.dumps(_dataset(cube, content), ensure_ascii=False, separators=(",", ":"))
        (target / f"{cube.questionnaire_id}.json").write_bytes(f"{text}\n".encode())


def _dataset(cube: Cube, content: Content) -> dict[str, object]:
    contents, places, _, time = cube.dimensions
    return {
        "version": "2.0",
        "class": "dataset",
        **_words(cube, content, MAIN),
        "source": content.publisher.source,
        "id": [d.code for d in cube.dimensions],
        "size": [len(d.categories) for d in cube.dimensions],
        "role": {"metric": [contents.code], "geo": [places.code], "time": [time.code]},
        "dimension": {
            contents.code: _dimension(contents, _units(cube)),
            **{d.code: _dimension(d, {}) for d in cube.dimensions if d is not contents},
        },
        "value": [_number(cell) for cell in cube.cells],
        "status": {str(i): cell for i, cell in enumerate(cube.cells) if isinstance(cell, str)},
        "link": {"license": [{"type": "text/html", "href": content.publisher.licence_iri}]},
        "extension": {
            "synthetic": content.is_synthetic,
            **{language: _translated(cube, content, language) for language in OTHERS},
        },
    }


def _words(cube: Cube, content: Content, language: str) -> dict[str, object]:
    notes = [SYNTHETIC] * content.is_synthetic + signs(content)
    return {"label": cube.title[language], "note": [note[language] for note in notes]}


def _dimension(dimension: Dimension, units: dict[str, object]) -> dict[str, object]:
    index = {c.code: position for position, c in enumerate(dimension.categories)}
    category = {"index": index, "label": _labels(dimension, MAIN), **units}
    return {"label": dimension.label[MAIN], "category": category}


def _units(cube: Cube) -> dict[str, object]:
    return {
        "unit": {
            code: {"label": unit.label[MAIN], "decimals": unit.decimals}
            for code, unit in cube.units.items()
        }
    }


def _translated(cube: Cube, content: Content, language: str) -> dict[str, object]:
    """All texts in another language, in the places they have in the dataset."""
    return {
        **_words(cube, content, language),
        "dimension": {
            d.code: {"label": d.label[language], "category": {"label": _labels(d, language)}}
            for d in cube.dimensions
        },
    }


def _labels(dimension: Dimension, language: str) -> dict[str, str]:
    return {c.code: c.label[language] for c in dimension.categories}


def _number(cell: Cell) -> int | float | None:
    if isinstance(cell, str):
        return None
    return cell if isinstance(cell, int) else float(cell)  # one decimal: as short in JSON
