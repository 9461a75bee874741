"""The header cells of a PDF's rows, which typst cannot mark yet.

Belongs here: what a tagged PDF lacks after typst. Does not: making one (paper.py).

typst marks the cells of a table's head only; that the first cell of each other row is a header too
needs a feature that its Python package does not switch on. On the way the file becomes half as
large: pikepdf packs the tags, typst does not.
"""

from __future__ import annotations

from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Object


def with_row_headers(pdf: bytes) -> bytes:
    """The PDF with the first cell of every row a header of that row; the same bytes each time."""
    with pikepdf.open(BytesIO(pdf)) as document:
        for element in document.objects:
            if isinstance(element, Dictionary) and element.get("/S") == Name.TR:
                _mark(list(element.K))
        made = BytesIO()
        document.save(
            made,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        )
    return made.getvalue()


def _mark(cells: list[Object]) -> None:
    """Makes the first cell of a row a header, unless it is a row of the table's head.

    The others no longer name their headers: readers would look no further and miss the row's.
    """
    if cells[0].S == Name.TH:
        return
    for cell in cells:
        for attributes in _of_table(cell):
            del attributes["/Headers"]
    cells[0].S = Name.TH
    for attributes in _of_table(cells[0]):
        attributes["/Scope"] = Name.Row


def _of_table(cell: Object) -> list[Object]:
    owned = cell.A if isinstance(cell.A, Array) else [cell.A]
    return [attributes for attributes in owned if Name.Table == attributes.O]
