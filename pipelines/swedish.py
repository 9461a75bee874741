"""How numbers, counts, days and moments are written in Swedish, on paper and in the terminal.

Belongs here: the one form of each. Does not: sentences, which stand where they are said.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

TIME_ZONE = "Europe/Stockholm"

_SWEDEN = ZoneInfo(TIME_ZONE)
_MONTHS = (
    *("januari", "februari", "mars", "april", "maj", "juni"),
    *("juli", "augusti", "september", "oktober", "november", "december"),
)

_AFTER_Z = str.maketrans("åäö", "{|}")


def number(value: int) -> str:
    """A number with a blank between thousands that does not break: 4 186."""
    return f"{value:,}".replace(",", "\u00a0")


def percent(share: float) -> str:
    """A share in percent without decimals, rounded half up: 83 %."""
    return f"{int(share + 0.5)}\u00a0%"


def several(count: int, one: str, more: str) -> str:
    """A count and what is counted: 1 enkät, 4 186 enkäter."""
    return f"{number(count)} {one if count == 1 else more}"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: A, B och C."""
    *others, last = names
    return f"{', '.join(others)} och {last}" if others else last


def alphabetical(name: str) -> str:
    """What names are sorted by: å, ä and ö come after z, whatever their case."""
    return name.casefold().translate(_AFTER_Z)


def current_day() -> date:
    """The day it is in Sweden, wherever the machine's clock stands."""
    return datetime.now(_SWEDEN).date()


def local(value: datetime) -> datetime:
    """A moment by the clock in Sweden; one without a zone is taken to be of UTC."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(_SWEDEN)


def local_day(value: datetime) -> date:
    """The day it is in Sweden at a moment."""
    return local(value).date()


def day(value: date) -> str:
    """A day in full: 31 oktober 2026."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def short_day(value: date) -> str:
    """A day of a year that is known: 31 okt."""
    return f"{value.day} {_MONTHS[value.month - 1][:3]}"


def moment(value: datetime) -> str:
    """A moment in Swedish time: 28 oktober 2026 kl. 09:14."""
    there = local(value)
    return f"{day(there)} kl. {there:%H:%M}"


def short_moment(value: datetime) -> str:
    """A moment of a year that is known, in Swedish time: 28 okt 09:14."""
    there = local(value)
    return f"{short_day(there)} {there:%H:%M}"


def stamp(value: datetime) -> str:
    """A moment in Swedish time as lists have it: 2026-10-28 09:14."""
    return f"{value.astimezone(_SWEDEN):%Y-%m-%d %H:%M}"


def days_left(days: int) -> str:
    """How much time is left: 3 dagar kvar, i dag, passerat."""
    if days < 0:
        return "passerat"
    return "i dag" if days == 0 else f"{several(days, 'dag', 'dagar')} kvar"
