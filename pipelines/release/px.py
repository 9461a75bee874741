"""PX files, as PxWeb and PX-Win read them: `open/px/<questionnaire>.px`.

Belongs here: keywords, quoting, line ends. Does not: what is in the cube (cube.py).

Keywords and their order: PX file format 2013, Statistics Sweden. The dates of creation and update
may be left out, and are: the same content gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from pipelines.release.cube import Cell, Cube, cubes, signs
from pipelines.release.table import Content
from pipelines.release.texts import LANGUAGES, SYNTHETIC, Text, filled, same, texts


def write(content: Content, folder: Path) -> None:
    """Writes a PX file per questionnaire.

    Raises:
        OSError: a file cannot be written.
    """
    target = folder / "open" / "px"
    target.mkdir(parents=True, exist_ok=True)
    for cube in cubes(content):
        lines = (f"{line}\r\n" for line in _lines(cube, content))
        (target / f"{cube.questionnaire_id}.px").write_bytes("".join(lines).encode())


def _lines(cube: Cube, content: Content) -> Iterator[str]:
    yield 'CHARSET="ANSI";'  # as the format wants it; CODEPAGE is what counts
    yield 'AXIS-VERSION="2013";'
    yield 'CODEPAGE="utf-8";'
    yield f'LANGUAGE="{LANGUAGES[0]}";'
    yield f"LANGUAGES={','.join(map(_quoted, LANGUAGES))};"
    yield f"DECIMALS={max(unit.decimals for unit in cube.units.values())};"
    yield "SHOWDECIMALS=0;"
    yield f"MATRIX={_quoted(cube.questionnaire_id)};"
    yield "COPYRIGHT=NO;"
    yield from _subject(cube, content)
    yield from _variables(cube)
    yield from _contents(cube)
    yield from _said("SOURCE", [same(content.publisher.source)])
    yield from _said("CONTACT", [same(f"{content.publisher.name}#{content.publisher.mail}")])
    yield "OFFICIAL-STATISTICS=NO;"
    if content.is_synthetic:
        yield from _said("NOTEX", [SYNTHETIC])
    yield from _said("NOTE", [_joined("#", signs(content))])
    yield "DATA="
    yield from map(_datum, cube.cells)
    yield ";"


def _subject(cube: Cube, content: Content) -> Iterator[str]:
    [(code, area)] = texts("subject").items()
    yield f"SUBJECT-CODE={_quoted(code)};"
    yield from _said("SUBJECT-AREA", [area])
    yield from _said("TITLE", [cube.title])
    if content.is_synthetic:
        marked = filled("{title}. {mark}", title=cube.title, mark=SYNTHETIC)
        yield from _said("DESCRIPTION", [marked])
    yield from _said("CONTENTS", [cube.title])


def _variables(cube: Cube) -> Iterator[str]:
    """The dimensions: all but the last down the side, and which is what."""
    contents, _, gender, time = cube.dimensions
    units = {unit.label[LANGUAGES[0]]: unit.label for unit in cube.units.values()}
    yield from _said("UNITS", [_joined(", ", units.values())])
    yield from _said("STUB", [d.label for d in cube.dimensions if d is not time])
    yield from _said("HEADING", [time.label])
    yield from _said("CONTVARIABLE", [contents.label])
    for d in cube.dimensions:
        yield from _said("VALUES", [c.label for c in d.categories], of=[d.label])
    periods = ",".join(_quoted(c.code) for c in time.categories)
    yield from _said("TIMEVAL", f"TLIST(A1),{periods}", of=[time.label])
    for d in cube.dimensions:
        yield from _said("CODES", [same(c.code) for c in d.categories], of=[d.label])
    for d in cube.dimensions:
        yield from _said("VARIABLECODE", [same(d.code)], of=[d.label])
    yield from _said("ELIMINATION", [gender.categories[0].label], of=[gender.label])  # the total


def _contents(cube: Cube) -> Iterator[str]:
    """What holds for one content: its unit, and its decimals where it has any."""
    contents = cube.dimensions[0]
    for content in contents.categories:
        decimals = cube.units[content.code].decimals
        if decimals:
            yield from _said("PRECISION", str(decimals), of=[contents.label, content.label])
    for content in contents.categories:
        yield from _said("UNITS", [cube.units[content.code].label], of=[content.label])


def _said(keyword: str, value: Sequence[Text] | str, of: Sequence[Text] = ()) -> Iterator[str]:
    """A keyword in each language; a value that is a str is the same in all and stands as it is."""
    for language in LANGUAGES:
        tongue = "" if language == LANGUAGES[0] else f"[{language}]"
        about = f"({_listed(of, language, ',')})" if of else ""
        said = value if isinstance(value, str) else _listed(value, language, ",\r\n")
        yield f"{keyword}{tongue}{about}={said};"


def _listed(said: Sequence[Text], language: str, comma: str) -> str:
    return comma.join(_quoted(text[language]) for text in said)


def _joined(mark: str, parts: Iterable[Text]) -> Text:
    parts = list(parts)
    return {language: mark.join(part[language] for part in parts) for language in LANGUAGES}


def _quoted(text: str) -> str:
    """A text of the format, which knows no quotation mark and no line end within one."""
    return '"' + " ".join(text.replace('"', "'").split()) + '"'


def _datum(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return f"{cell:.1f}"
    return _quoted(cell) if isinstance(cell, str) else str(cell)
