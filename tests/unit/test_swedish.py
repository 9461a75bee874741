"""How numbers, counts, days and moments are written in Swedish."""

from datetime import UTC, date, datetime, tzinfo
from typing import Self

import pytest

from pipelines import swedish


class _Clock(datetime):
    """A clock that stands at 22:30 UTC on 31 July, half past midnight in Sweden."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2026, 7, 31, 22, 30, tzinfo=UTC).astimezone(tz)


def test_the_current_day_is_the_one_in_sweden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swedish, "datetime", _Clock)
    assert swedish.current_day() == date(2026, 8, 1)


def test_a_moment_is_told_in_swedish_time() -> None:
    assert swedish.moment(datetime(2026, 10, 28, 8, 14, tzinfo=UTC)) == (
        "28 oktober 2026 kl. 09:14"
    )
    assert swedish.short_moment(datetime(2026, 7, 31, 22, 30, tzinfo=UTC)) == "1 aug 00:30"


@pytest.mark.parametrize(
    ("days", "told"),
    [(-1, "passerat"), (0, "i dag"), (1, "1 dag kvar"), (1200, "1\u00a0200 dagar kvar")],
)
def test_days_left_are_counted_in_words(days: int, told: str) -> None:
    assert swedish.days_left(days) == told
