"""Progress of long work: who does it reports, who shows it listens.

Belongs here: the one hook between the two. Does not: showing anything; that is the command line's.
"""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str, int, int], None]
"""Called with what is being done (Swedish), how many are done, how many there are."""

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Sends all later progress to the listener."""
    _listeners.append(listener)


def report(stage: str, done: int, total: int) -> None:
    """Tells how far a stage has come."""
    for listener in _listeners:
        listener(stage, done, total)
