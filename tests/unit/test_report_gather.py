"""From a release's tables to stories: outcomes, the register study, groups and own questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from content import ROUND, content
from released import with_cells, with_rows

from pipelines.disclosure import rule
from pipelines.release.table import Column, Content
from pipelines.report import gather
from pipelines.report.story import Report

Rows = Mapping[int, Sequence[Mapping[str, Any]]]

INSTRUMENT = {
    "indicators": {"first_round": 2017, "last_round": None, "verification": "confirmed"},
    "questions": {"verification": "confirmed", "comparable_from": None},
}
"""Columns of the real tables that the small content leaves out."""


def told() -> Content:
    """The small content with all that a report asks of it; of the kind that the seed names."""
    made = content()
    for name, columns in INSTRUMENT.items():
        table = made[name]
        wider = replace(
            table,
            columns=(*table.columns, *(Column(c, "text", c, c) for c in columns)),
            rows=tuple((*row, *columns.values()) for row in table.rows),
        )
        made = replace(made, tables={**made.tables, name: wider})
    made = with_cells(made, "indicators", {}, kind="questionnaire")
    return with_cells(made, "indicators", {"indicator_id": "11"}, kind="register")


def reports(made: Content, outcomes: Rows | None = None) -> dict[str, Report]:
    """The reports by association_id, the nation's under an empty one."""

    def earlier(table: str) -> Rows:
        return (outcomes or {}) if table == "outcomes" else {}

    return {r.association_id: r for r in gather.reports(made, earlier, 1, rule(None))}


def outcome_rows(made: Content, year: int, **cells: Any) -> list[Mapping[str, Any]]:
    """The content's rows of outcomes as an earlier year's release had them."""
    return [
        {**row, "round": year, "period": str(year), **cells}
        for row in made["outcomes"].records()
        if row["level"] in ("nation", "association")
    ]


NOW = reports(told())


# --- outcomes -----------------------------------------------------------------------------------


def test_outcomes_of_the_rounds_year_are_told_by_gender() -> None:
    outcomes = NOW["exempelbygden"].outcomes
    assert (outcomes.year, outcomes.note) == (ROUND, "")
    assert [(r.label, r.active, r.ended, r.rate.n, r.positive) for r in outcomes.rows] == [
        ("Kvinnor", 75, 44, 40, 11),
        ("Män", 64, 38, 33, 12),
        ("Totalt", 140, 83, 74, 23),
    ]
    assert outcomes.sentence == (
        "31,1 procent av 74 deltaganden som avslutades 2026, tidiga avhopp oräknade, ledde till "
        "arbete, studier eller annan arbetslivsinriktad rehabilitering (kvinnor 27,5, män 36,4); "
        "i riket 30,9."
    )
    assert outcomes.sentence in NOW["exempelbygden"].lead


def test_only_the_nation_tells_the_ways_out_the_positive_ones_first() -> None:
    assert [(w.label, w.women, w.men, w.total) for w in NOW[""].outcomes.ways] == [
        ("Till arbete", 830, 1020, 1851),
        ("Till studier", 240, 210, 450),
        ("Till annan arbetslivsinriktad rehabilitering", 106, 133, 242),
        ("Till medicinsk rehabilitering", 1500, 1380, 2883),
        ("Till sjukersättning", 300, 255, None),
        ("Till annat", 1224, 1012, 2237),
    ]
    assert NOW["exempelbygden"].outcomes.ways == ()


def test_hidden_outcomes_are_said_to_be_so_and_have_no_figure() -> None:
    outcomes = NOW["ovrebygd"].outcomes
    assert outcomes.sentence.startswith("Resultatet 2026 visas inte: ")
    assert [(r.active, r.ended, r.rate.n, r.positive) for r in outcomes.rows] == [(None,) * 4]
    assert outcomes.target == ""
    assert not any(outcomes.sentence in lead for lead in NOW["ovrebygd"].lead)


def test_without_the_years_outcomes_the_latest_told_before_are_told_with_their_year() -> None:
    made = told()
    before = {2024: outcome_rows(made, 2024), 2025: outcome_rows(made, 2025)}
    report = reports(with_rows(made, "outcomes", []), before)["exempelbygden"]
    assert report.outcomes.year == 2025
    assert report.outcomes.note == (
        "Utfallen 2026 är inte publicerade. Siffrorna gäller kalenderåret 2025."
    )
    assert "avslutades 2025" in report.outcomes.sentence
    assert report.outcomes.trend
    assert report.outcomes.trend.rounds == (2024, 2025)


def test_without_any_outcomes_there_is_one_sentence() -> None:
    for report in reports(with_rows(told(), "outcomes", [])).values():
        assert report.outcomes.year is None
        assert report.outcomes.note == "Inga utfall har lämnats för deltaganden som avslutats."
        assert report.outcomes.trend is None


def test_a_break_is_drawn_between_sources_and_no_change_is_told_over_it() -> None:
    made = told()
    before = {year: outcome_rows(made, year, source_id="sus") for year in (2023, 2025)}
    unlike = with_cells(made, "outcomes", {"positive": 23}, change=None, comparable=False)
    outcomes = reports(unlike, before)["exempelbygden"].outcomes
    assert outcomes.trend
    assert outcomes.trend.rounds == (2023, 2024, 2025, 2026)
    assert outcomes.trend.breaks == (2026,)
    assert outcomes.change == "Går inte att jämföra med 2025: uppgifterna har en ny källa."


@pytest.mark.parametrize(
    ("months", "said"),
    [
        (2, "Gränsen är 2 månader från starten där vi räknar enskilda deltaganden"),
        (None, "Gränsen är den som källan har."),
    ],
)
def test_sources_and_the_dropout_limit_are_told(months: int | None, said: str) -> None:
    made = told()
    before = {2025: outcome_rows(made, 2025, dropout_months=months)}
    method = dict(reports(made, before)[""].method)
    assert said in method["Tidiga avhopp"]
    assert (
        "SUS till och med 31 mars 2023 och Uppföljning Finsam från 1 januari 2023"
        in (method["Utfall"])
    )


def test_nothing_says_any_more_that_outcomes_are_missing() -> None:
    assert not any("tfall" in sentence for r in NOW.values() for sentence in r.missing)


# --- the register study -------------------------------------------------------------------------


def section(report: Report, indicator_id: str) -> Any:
    return next(s for s in report.sections if s.indicator_id == indicator_id)


def test_a_follow_up_is_a_measure_without_a_question() -> None:
    (block,) = section(NOW["exempelbygden"], "11").blocks
    assert block.heading == "Indikator 11, mått b, efter 12 månader"
    assert block.asked == "Registerstudie"
    assert block.is_placeholder
    assert block.trend.now("T").n == 52
    assert block.terms.counted == "Följda"
    assert "svar" not in block.sentence


def test_without_a_study_its_note_is_neutral_and_nothing_is_missing() -> None:
    made = told()
    rows = [r for r in made["measure_results"].records() if r["measure_id"] != "11b"]
    made = with_rows(made, "measure_results", rows)
    for report in reports(made).values():
        assert section(report, "11").blocks == ()
        assert section(report, "11").note.startswith("Mäts med en registerstudie")
        assert not any("Indikator 11," in sentence for sentence in report.missing)


# --- targets, groups, own questions, the instrument ---------------------------------------------


def test_a_target_is_judged_by_the_release() -> None:
    (block,) = section(NOW["exempelbygden"], "1").blocks
    assert block.trend.now("T").share == Decimal("87.5")
    assert block.target == (
        "Det går inte att säga om målnivån 80 procent är nådd: intervallet omfattar den; andelen "
        "ligger 7,5 procentenheter över."
    )
    made = told()
    rows = list(made["indicator_results"].records())
    whole = [{**r, "respondent_group": "all"} for r in rows if r["level"] == "nation"]
    nation = reports(with_rows(made, "indicator_results", [*rows, *whole]))[""]
    assert section(nation, "1").target == (
        "Målnivån 80 procent är nådd: andelen ligger 4,2 procentenheter över."
    )


def test_an_activity_stands_beside_all_its_groups() -> None:
    made = told()
    (short,) = [r for r in made["measure_results"].records() if r["unit_id"] == "kort"][:1]
    young = {**short, "unit_id": "malgrupp=unga"}
    made = with_rows(made, "measure_results", [*made["measure_results"].records(), young])
    in_it = {"round": ROUND, "unit_id": "exempelbygden/A1", "group_id": "malgrupp=unga"}
    made = with_rows(made, "activity_groups", [*made["activity_groups"].records(), in_it])
    found = reports(made)
    (first, second) = found["exempelbygden"].activities
    assert [dot.name for dot in first.profiles[0].rows[0].beside] == [
        "malgrupp: unga",
        "Exempelbygdens samordningsförbund",
        "Riket",
    ]
    assert second.profiles == ()
    (block,) = section(found[""], "1").blocks
    assert [dot.name for dot in block.groups] == ["Korta insatser", "malgrupp: unga"]


def test_own_questions_are_told_to_their_association_alone() -> None:
    (project,) = NOW["exempelbygden"].projects
    assert project.name == "byggprojektet"
    (question,) = project.questions
    assert (question.label, question.asked) == (
        "Har du fått någonstans att bo?",
        "Deltagare avslut",
    )
    assert [(f.unit, f.total and f.total.n) for f in question.figures] == [
        ("Exempelbygdens samordningsförbund", 33),
        ("Insats A1", None),
        ("Hela projektet", 42),
    ]
    assert NOW[""].projects == ()
    (other,) = NOW["ovrebygd"].projects
    assert [f.unit for f in other.questions[0].figures][1:] == ["Hela projektet"]


def test_only_the_nation_tells_the_reliability_that_is_shown() -> None:
    assert [(r.indicator_id, r.asked, r.alpha) for r in NOW[""].reliability] == [
        ("1", "Deltagare", Decimal("0.87")),
        ("2", "Deltagare", Decimal("-0.05")),
    ]
    assert NOW["exempelbygden"].reliability == ()


def test_an_organisation_outside_the_nation_is_compared_in_its_own_report_alone() -> None:
    made = told()
    rows = list(made["measure_results"].records())
    mine = [r for r in rows if r["unit_id"] == "exempelbygden" and r["gender"] == "T"]
    more = [{**r, "unit_id": unit} for r in mine for unit in ("ovrebygd", "utanfor")]
    others = [r for r in rows if r["unit_id"] != "ovrebygd"]
    made = with_rows(made, "measure_results", [*others, *more])
    table = made["associations"]
    wider = replace(
        table,
        columns=(*table.columns, Column("in_nation", "boolean", "", "")),
        rows=(*((*row, True) for row in table.rows), ("utanfor", "Utanför", "01", False)),
    )
    found = reports(replace(made, tables={**made.tables, "associations": wider}))

    def beside(report: Report) -> set[str]:
        (block,) = section(report, "1").blocks
        return {dot.unit_id for dot in block.comparison.dots}

    assert beside(found[""]) == beside(found["ovrebygd"]) == {"exempelbygden", "ovrebygd"}
    assert beside(found["utanfor"]) == {"exempelbygden", "ovrebygd", "utanfor"}


def test_a_study_alone_is_no_answer_and_makes_no_report() -> None:
    made = told()
    rows = [
        r
        for r in made["measure_results"].records()
        if r["unit_id"] != "ovrebygd" or r["questionnaire_id"] == "register_study"
    ]
    found = reports(with_rows(made, "measure_results", rows))
    assert found.keys() == {"", "exempelbygden"}
    assert any("Inget resultat" in sentence for sentence in found[""].missing)
