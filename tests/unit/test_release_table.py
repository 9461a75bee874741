"""How a released figure is rounded."""

from pipelines.release import table


def test_a_rounded_figure_has_one_decimal_also_when_it_is_whole() -> None:
    told = [str(table.percent(part, whole)) for part, whole in ((50, 61), (41, 50), (0, 7))]
    assert told == ["82.0", "82.0", "0.0"]


def test_half_is_rounded_away_from_zero() -> None:
    assert [str(table.tenths(n, 20)) for n in (1, -1, 3, -3)] == ["0.1", "-0.1", "0.2", "-0.2"]
