"""Importing large libraries without the garbage collector looking through them again and again.

Belongs here: only that. Does not: which libraries there are; each is imported where it is used.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is collected within, and what there is by then is never looked through later.

    Modules stay until the end of the process. Looking for garbage among them costs a third of
    importing them, and the same again in tearing them down.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
