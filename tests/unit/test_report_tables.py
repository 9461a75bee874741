"""The tables beside the pictures, read back cell by cell."""

from dataclasses import replace
from decimal import Decimal

import pytest
import stories
from lxml import html

from pipelines.report import tables, words
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
        (("70.0", "70.0", "70.0"), "Målnivå 70 procent (2024–2026): inte nådd 2024–2026."),
        (("70.0", None, "70.0"), "Målnivå 70 procent (2024, 2026): inte nådd 2024, 2026."),
        ((None, None, "40.5"), "Målnivå 40,5 procent (2026): går inte att säga 2026."),
        (("37.4", None, None), "Målnivå 37,4 procent (2024): nådd 2024."),
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


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (None, ""),
        ("37.4", "Målnivån 37,4 procent är nådd: andelen ligger 12,6 procentenheter över."),
        (
            "45.0",
            "Det går inte att säga om målnivån 45 procent är nådd: intervallet omfattar den; "
            "andelen ligger 5,0 procentenheter över.",
        ),
        (
            "50.0",
            "Det går inte att säga om målnivån 50 procent är nådd: intervallet omfattar den; "
            "andelen ligger precis på den.",
        ),
        ("62.7", "Målnivån 62,7 procent är inte nådd: andelen ligger 12,7 procentenheter under."),
    ],
)
def test_whether_a_target_is_reached_is_said_in_words(target: str | None, said: str) -> None:
    told = stories.shown(2026, 30, 60, target)
    assert (told.low, told.high) == (Decimal("37.7"), Decimal("62.3"))
    assert words.target(told) == said


def test_a_target_of_a_hidden_figure_is_told_without_a_verdict() -> None:
    assert words.target(stories.aimed(stories.hidden(2026), "70.0")) == "Målnivån är 70 procent."


def test_outcomes_are_told_by_gender_with_signs_for_what_is_hidden() -> None:
    rows = (
        stories.outcome("Kvinnor", 1234, 40, 11, SHOWN),
        stories.Outcome("Män", 90, 30, None, stories.bracket(2026, "0.0", "7.1", 28)),
        stories.Outcome("Totalt", None, None, None, stories.hidden(2026)),
    )
    made = tables.outcomes(rows, "Deltaganden 2026")
    assert heads(made) == [
        *("Vilka", "Pågående", "Avslutade", "Utan avhopp", "Positiva", "Andel, %"),
        "95 % intervall",
    ]
    assert read(made) == [
        ["Kvinnor", "1 234", "40", "1 234", "11", "67,3", "60,1–73,9"],
        ["Män", "90", "30", "28", "..", "0,0–7,1", ""],
        ["Totalt", "..", "..", "..", "..", "..", ""],
    ]


def test_ways_out_are_counts_and_signs() -> None:
    made = tables.ways((stories.Way("Till arbete", 830, None, 1851),), "Vägar ut")
    assert read(made) == [["Till arbete", "830", "..", "1 851"]]


def test_own_questions_have_a_row_for_each_who_answered() -> None:
    (question, _) = stories.project().questions
    assert read(tables.own(question)) == [
        ["Exempelbygden", "54,5", "55,6", "53,7", "38,7–67,9", "41"],
        ["Insats A1", ".", ".", "85,7–100,0", "", "14"],
        ["Insats A2", "..", "-", "..", "", ".."],
        ["Hela projektet", ".", ".", "51,7", "42,8–60,4", "120"],
    ]


def test_reliability_has_two_decimals_and_a_true_minus() -> None:
    assert [row[3:] for row in read(tables.reliability(stories.reliability(), "Alfa"))] == [
        ["0,87", "0,85–0,90", "0,71", "0,40"],
        ["−0,05", "−0,31–0,90", "0,71", "0,40"],
        ["0,87", "", "0,71", "."],
    ]


def test_a_trend_of_outcomes_says_year_and_source() -> None:
    drawn = stories.outcomes().trend
    assert drawn
    made = tables.trend(drawn)
    assert heads(made)[0] == "År"
    assert heads(made)[-1] == "Utan avhopp"
    assert made.count("ny källa") == 1
    assert "ny fråga" not in made
