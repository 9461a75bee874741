"""The tables beside the pictures, read back cell by cell."""

from dataclasses import replace
from decimal import Decimal

import pytest
import stories
from lxml import html

from pipelines.report import tables
from pipelines.report.story import Dot, Summary


def read(markup: str) -> list[list[str]]:
    """The cells of a table's body, row by row."""
    return [
        [" ".join(cell.text_content().split()) for cell in row]
        for row in html.fromstring(f"<div>{markup}</div>").iterfind(".//tbody/tr")
    ]


def heads(markup: str) -> list[str]:
    return [
        cell.text for cell in html.fromstring(f"<div>{markup}</div>").iterfind(".//thead/tr/th")
    ]


SHOWN = replace(
    stories.plain(2026, "67.3", 1234), low=Decimal("60.1"), high=Decimal("73.9"), round=2026
)


def test_a_trend_lists_every_round_and_line_the_latest_first() -> None:
    women = stories.line("K", (stories.hidden(2024), SHOWN))
    men = stories.line("M", (stories.empty(2024), stories.bracket(2026, "85.7", "100.0")))
    drawn = stories.trend([women, men], (2024, 2025, 2026), breaks=(2026,))
    assert heads(tables.trend(drawn)) == ["Omgång", "Grupp", "Andel, %", "95 % intervall", "Svar"]
    assert read(tables.trend(drawn)) == [
        ["2026ny fråga", "Kvinnor", "67,3", "60,1–73,9", "1 234"],
        ["Män", "85,7–100,0", "", "14"],
        ["2025", "Kvinnor", "-", "", "-"],
        ["Män", "-", "", "-"],
        ["2024", "Kvinnor", "..", "", ".."],
        ["Män", ".", "", "0"],
    ]


def test_an_indicator_has_no_column_of_intervals() -> None:
    drawn = stories.trend([stories.line("T", (stories.plain(2026, "64.0", 301),))], (2026,))
    assert heads(tables.trend(drawn)) == ["Omgång", "Grupp", "Andel, %", "Svar"]
    assert read(tables.trend(drawn)) == [["2026", "Totalt", "64,0", "301"]]


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (("70.0", "70.0", "70.0"), "Målnivå 70,0 procent (2024–2026)."),
        (("70.0", None, "70.0"), "Målnivå 70,0 procent (2024, 2026)."),
        ((None, None, "70.0"), "Målnivå 70,0 procent (2026)."),
        ((None, None, None), ""),
    ],
)
def test_target_levels_are_told_in_words(targets: tuple[str | None, ...], said: str) -> None:
    series = tuple(
        stories.shown(round_, 30, 60, target)
        for round_, target in zip((2024, 2025, 2026), targets, strict=True)
    )
    drawn = stories.trend([stories.line("T", series)], (2024, 2025, 2026))
    assert tables.trend(drawn).rpartition("</table>")[2].count("Målnivå") == bool(said)
    assert said in tables.trend(drawn)


def test_a_comparison_keeps_its_order_marks_its_own_and_ends_with_the_nation() -> None:
    dots = [
        Dot("b", "Bygden", SHOWN),
        Dot("a", '<Alvik> & "Co"', stories.hidden(2026)),
        Dot("c", "Cederby", None),
    ]
    compared = replace(stories.comparison(dots, own="a"), nation=SHOWN)
    made = tables.comparison(compared, {"b": "../b/index.html"})
    assert [row[0] for row in read(made)] == ["Bygden", '<Alvik> & "Co"', "Cederby", "Riket"]
    assert [row[1:] for row in read(made)][1:3] == [["..", "", ".."], ["-", "", "-"]]
    tree = html.fromstring(made)
    assert [row.text_content()[:7] for row in tree.find_class("own")] == ["<Alvik>"]
    assert [link.get("href") for link in tree.iter("a")] == ["../b/index.html"]


def test_a_summary_says_not_applicable_where_gender_is_not_told() -> None:
    made = tables.summary(
        (
            Summary("participant", "Deltagare", SHOWN, None, SHOWN),
            Summary("all", "Alla grupper", None, None, stories.hidden(2026)),
        ),
        "Vem som svarat",
    )
    assert read(made) == [
        ["Deltagare", "67,3", "-", "67,3", "1 234"],
        ["Alla grupper", ".", ".", "..", ".."],
    ]


def test_every_cell_of_a_profile_carries_its_heading() -> None:
    made = tables.profile(stories.profile(3))
    names = [cell.get("data-label") for cell in html.fromstring(made).iterfind("tbody/tr[1]/td")]
    assert names == heads(made)[1:]
    assert names == ["Andel, %", "95 % intervall", "Svar", "Exempelbygden, %", "Riket, %"]
    assert [row[1] for row in read(made)] == ["46,7", "53,3", "85,7–100,0"]
