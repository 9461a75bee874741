"""The header cells of a PDF's rows, which typst cannot mark yet.

Belongs here: what the tags of a PDF lack after typst. Does not: making one (paper.py).

typst marks the cells of a table's head only. That the first cell of every other row is a header
too needs a feature that its Python package does not switch on; drop this module when it does.
"""

from __future__ import annotations

import re

_CELL = re.compile(rb"/S/TD(?P<owner>/P \d+ 0 R/A\[?<</O/Table)(?P<headers>/Headers\[[^\]]*\])")
"""A cell as typst writes it; it names its column's headers: `(U4x0y1)` is table 4, column 0."""


def with_row_headers(pdf: bytes) -> bytes:
    """The PDF with the first cell of every row a header of that row.

    The others no longer name the headers of their columns: readers would look no further, and miss
    the row's. Nothing is moved, as a PDF tells where each of its parts begins.
    """
    return _CELL.sub(_marked, pdf)


def _marked(cell: re.Match[bytes]) -> bytes:
    is_first = b"x0y" in cell["headers"]
    kind, scope = (b"/S/TH", b"/Scope/Row") if is_first else (b"/S/TD", b"")
    return kind + cell["owner"] + scope.ljust(len(cell["headers"]))
