"""The half-year and full-year drafts, read back by python-docx and as the XML they are."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import docx
import pytest
import stories
from docx.document import Document
from docx.table import Table
from docx.text.paragraph import Paragraph

from pipelines.release.table import SYNTHETIC_SV
from pipelines.report import draft
from pipelines.report.estimates import Estimate
from pipelines.report.nine_fields import fields, unplaced
from pipelines.report.story import Block, Report, Section, Summary

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
GENDERED = ("K", "M", "T", "nation")
GROUPS = {
    "participant_ending": "participant",
    "staff": "staff",
    "board": "board",
    "managers": "managers",
}


def block(heading: str, questionnaire_id: str, trend=None, is_placeholder=False) -> Block:
    """A measure of a questionnaire, of men and women only where participants answer."""
    drawn = trend or stories.typical_trend()
    if GROUPS[questionnaire_id] != "participant":
        drawn = replace(drawn, lines=tuple(x for x in drawn.lines if x.kind in ("T", "nation")))
    made = stories.block(heading.replace(" ", "-"), drawn, None, heading)
    topic = replace(
        made.topic, questionnaire_id=questionnaire_id, respondent_group=GROUPS[questionnaire_id]
    )
    return replace(made, topic=topic, asked=questionnaire_id, is_placeholder=is_placeholder)


def section(number: str, orientation: str, *blocks: Block) -> Section:
    """An indicator of some measures, with a mean for each group that is asked."""
    of = dict.fromkeys(block.topic.respondent_group for block in blocks)
    means = [
        Summary(g, g, None, None, stories.plain(2026, f"5{i}.5", 70)) for i, g in enumerate(of)
    ]
    whole = Summary("all", "Alla grupper", None, None, stories.plain(2026, "99.9", 301))
    made = stories.section(number, blocks, f"Om {number}")
    return replace(made, orientation=orientation, summary=(*means, whole))


@pytest.fixture(scope="module")
def story() -> Report:
    bracket = stories.trend([stories.line("T", (stories.bracket(2026, "85.7", "100.0"),))])
    gone = stories.trend([stories.line("T", (stories.shown(2025, 30, 44),))])
    return stories.report(
        [
            section(
                "1",
                "process",
                block("Nytta", "participant_ending", is_placeholder=True),
                block("Tid", "staff"),
                block("Stöd", "board", bracket),
                block("Råd", "managers", gone),
            ),
            section("5", "effect", block("Läge", "participant_ending", stories.hidden_trend())),
            section("6", "", block("Okänt", "staff"), block("Dunkelt", "participant_ending")),
            replace(stories.unknown_section("11"), orientation="effect", note="En registerstudie."),
        ]
    )


@pytest.fixture(scope="module")
def document(story: Report) -> Document:
    return read(draft.half_year(story))


def read(data: bytes) -> Document:
    return docx.Document(BytesIO(data))


def parts(document: Document) -> Iterator[tuple[tuple[str, ...], Paragraph | Table]]:
    """Everything in order, with the headings of levels 1 and 2 that it stands under."""
    under = [""] * 2
    for item in document.iter_inner_content():
        style = item.style.name if isinstance(item, Paragraph) and item.style else ""
        if style in ("Heading 1", "Heading 2"):
            level = int(style[-1])
            under[level - 1 :] = [item.text, *[""] * (2 - level)]
        yield tuple(under), item


def rows_of(document: Document) -> dict[tuple[str, str], tuple[tuple[str, ...], list[list[str]]]]:
    """The rows of the tables of measures: by name and who was asked, where, and the lines."""
    return {
        (lines[0][0], lines[0][1]): (under, lines[1:])
        for under, item in parts(document)
        if isinstance(item, Table) and item.cell(0, 0).text == "Mått"
        for row in item.rows[1:]
        if (lines := [cell.text.split("\n") for cell in row.cells])
    }


def written(value: object) -> str:
    return f"{value}".replace(".", ",")


def told(estimate: Estimate) -> list[str]:
    """A shown figure as it should be read."""
    interval = f"{written(estimate.low)}–{written(estimate.high)}"
    return [written(estimate.share), interval, f"{estimate.n:,} svar".replace(",", "\u00a0")]


def text_of(document: Document) -> str:
    return "\n".join(node.text or "" for node in document.element.iter(f"{W}t", f"{W}p"))


# --- where figures stand ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "asked", "under"),
    [
        ("Nytta", "participant_ending", ("Deltagare", "Process")),
        ("Läge", "participant_ending", ("Deltagare", "Resultat")),
        ("Tid", "staff", ("Personal", "Process")),
        ("Stöd", "board", ("Organisation", "Process")),
        ("Råd", "managers", ("Organisation", "Process")),
        ("Okänt", "staff", ("Ännu inte placerade", "")),
        ("Dunkelt", "participant_ending", ("Ännu inte placerade", "")),
    ],
)
def test_a_measure_stands_in_its_field(
    document: Document, heading: str, asked: str, under: tuple[str, str]
) -> None:
    assert rows_of(document)[heading, asked][0] == under


def test_an_indicator_without_figures_is_told_with_its_reason(document: Document) -> None:
    told = [
        item.text
        for under, item in parts(document)
        if under[0] == "Ännu inte placerade" and isinstance(item, Paragraph)
    ]
    assert told[told.index("Indikator 11. Indikator 11") + 1] == "En registerstudie."


def test_every_measure_stands_in_exactly_one_place(story: Report) -> None:
    findings = [f for field in fields(story) for f in field.findings] + list(unplaced(story))
    placed = sorted(block.heading for finding in findings for block in finding.blocks)
    assert placed == sorted(b.heading for s in story.sections for b in s.blocks)


def test_there_are_nine_fields_each_with_its_question(document: Document) -> None:
    rows, columns = ("Deltagare", "Personal", "Organisation"), {}
    for under, item in parts(document):
        if under[0] in rows and under[1] and isinstance(item, Paragraph):
            columns.setdefault(under, []).append(item.text)
    assert list(columns) == [
        (row, column) for row in rows for column in ("Förutsättningar", "Process", "Resultat")
    ]
    questions = [[t for t in texts if t.startswith("[Skriv här: ")] for texts in columns.values()]
    assert [len(found) for found in questions] == [1] * 9
    assert len({found[0] for found in questions}) == 9


# --- the figures --------------------------------------------------------------------------------


def test_women_men_total_and_the_nation_are_the_story_s(story: Report, document: Document) -> None:
    lines = {line.kind: line.series[-1] for line in story.sections[0].blocks[0].trend.lines}
    _, cells = rows_of(document)["Nytta", "participant_ending"]
    assert cells[:4] == [told(lines[kind]) for kind in GENDERED]
    block = story.sections[0].blocks[0]
    assert cells[4] == [block.change, block.target]
    assert block.target.startswith("Målnivån 70 procent är inte nådd: ")


def test_those_not_told_by_gender_have_the_total_and_the_nation(
    story: Report, document: Document
) -> None:
    total, nation = (line.series[-1] for line in story.sections[0].blocks[1].trend.lines)
    _, cells = rows_of(document)["Tid", "staff"]
    assert cells[:2] == [told(total), told(nation)]


def test_what_is_not_shown_is_a_sign_and_bounds_have_no_interval_beside(
    document: Document,
) -> None:
    rows = rows_of(document)
    assert rows["Läge", "participant_ending"][1][:4] == [[".."], [".."], [".."], [""]]
    assert rows["Stöd", "board"][1][0] == ["85,7–100,0", "14 svar"]
    assert rows["Okänt", "staff"][1][:2] == [["."], ["."]]  # not told by gender
    assert rows["Råd", "managers"][1][0] == ["-"]  # its figure is an earlier round's


def test_a_mean_is_told_for_each_group_of_a_field_and_never_over_all(document: Document) -> None:
    rows = rows_of(document)
    means = {group: cells for (name, group), (_, cells) in rows.items() if name.startswith("Genom")}
    assert means.keys() == {"participant", "staff", "board", "managers"}
    assert means["managers"][0] == ["53,5", "70 svar"]
    assert "99,9" not in text_of(document)


def test_a_mean_is_told_of_women_and_of_men() -> None:
    _, cells = rows_of(read(draft.half_year(stories.typical())))[
        "Genomsnitt av måtten", "Deltagare"
    ]
    assert cells[:4] == [["68,1", "80 svar"], ["63,9", "61 svar"], ["66,2", "143 svar"], [""]]


@pytest.mark.parametrize("name", [name for name in stories.STORIES if name != "national"])
def test_every_number_in_a_table_is_the_story_s(name: str) -> None:
    story = stories.STORIES[name]()
    known = {
        written(value)
        for s in story.sections
        for e in (
            *(line.series[-1] for b in s.blocks for line in b.trend.lines),
            *(e for m in s.summary for e in (m.women, m.men, m.total) if e),
            *(row.rate for row in story.outcomes.rows),
            *(
                e
                for project in story.projects
                for question in project.questions
                for figure in question.figures
                for e in (figure.women, figure.men, figure.total)
                if e
            ),
        )
        for value in (e.share, e.low, e.high, *(v and abs(v) for v in (e.change, e.distance)))
        if value is not None
    }
    tables = [item for _, item in parts(read(draft.full_year(story))) if isinstance(item, Table)]
    found = {
        number
        for table in tables
        for cell in table._cells
        for number in re.findall(r"\d+,\d", cell.text)
    }
    assert found <= known
    assert bool(found) == (name != "all_hidden")


def test_a_placeholder_is_called_so_in_its_row_and_explained(document: Document) -> None:
    (row,) = [
        row
        for _, item in parts(document)
        if isinstance(item, Table)
        for row in item.rows
        if row.cells[0].text.startswith("Nytta")
    ]
    assert row.cells[0].text == "Nytta\nparticipant_ending\nPlatshållare"
    assert "Platshållare betyder: frågans ordalydelse är inte offentlig." in text_of(document)


def test_volumes_are_the_report_s_in_the_field_of_who_answered(document: Document) -> None:
    tables = {
        under: [[cell.text for cell in row.cells] for row in item.rows[1:]]
        for under, item in parts(document)
        if isinstance(item, Table) and item.cell(0, 0).text == "Enkät"
    }
    assert tables == {
        ("Deltagare", "Förutsättningar"): [["Deltagare avslut", "143", "71\u00a0%"]],
        ("Personal", "Förutsättningar"): [["Personal", "..", ".."]],
        ("Organisation", "Förutsättningar"): [["Styrelse", "0", "-"]],
    }


def test_outcomes_are_the_calendar_year_s_and_the_period_s_are_left_to_write(
    story: Report, document: Document
) -> None:
    """The release has no halves: with them one could compute what is hidden of the years."""
    found = [item for under, item in parts(document) if under[0] == "Utfallsmått"]
    said = [item.text for item in found if isinstance(item, Paragraph)]
    assert said[1].startswith(f"{story.outcomes.sentence} {story.outcomes.change}")
    assert "de överlappar kalenderåren" in said[-2]
    assert said[-1].startswith("[Skriv här: utfallet juli–december 2026")
    (table,) = (item for item in found if isinstance(item, Table))
    rows = [[cell.text.split("\n") for cell in row.cells] for row in table.rows[1:]]
    assert rows == [
        [
            [row.label],
            *([f"{n:,}".replace(",", "\u00a0")] for n in (row.active, row.ended, row.rate.n)),
            [str(row.positive)],
            told(row.rate)[:2],
        ]
        for row in story.outcomes.rows
    ]


def test_without_outcomes_that_is_said_and_there_is_no_table() -> None:
    document = read(draft.full_year(stories.one_activity()))
    found = [item for under, item in parts(document) if under[0] == "Utfallsmått"]
    assert [type(item) for item in found] == [Paragraph] * 3
    assert found[1].text == "Inga utfall har lämnats för deltaganden som avslutats."


def test_own_questions_stand_by_themselves_by_project() -> None:
    document = read(draft.half_year(stories.typical()))
    found = [(u, item) for u, item in parts(document) if u[0] == "Egna frågor"]
    (table,) = (item for _, item in found if isinstance(item, Table))
    assert found[1][0] == ("Egna frågor", "Projekt mia")
    rows = [[cell.text.split("\n") for cell in row.cells] for row in table.rows[1:]]
    units = ["Exempelbygden", "Insats A1", "Insats A2", "Hela projektet"]
    assert [row[0][2] for row in rows] == units * 2
    assert [row[3] for row in rows[1:3]] == [["85,7–100,0", "14 svar"], [".."]]


def test_a_study_without_figures_stands_in_its_field_and_is_not_called_missing() -> None:
    document = read(draft.half_year(stories.typical()))
    where = {
        under
        for under, item in parts(document)
        if isinstance(item, Paragraph) and item.text.startswith("Indikator 11. ")
    }
    assert where == {("Deltagare", "Resultat")}


# --- the document -------------------------------------------------------------------------------


def test_the_two_drafts_are_of_their_periods() -> None:
    story = stories.typical()
    half, full = (read(make(story)) for make in (draft.half_year, draft.full_year))
    assert half.paragraphs[0].text == "Halvårsrapport juli–december 2026"
    assert full.paragraphs[0].text == "Helårsrapport juli 2026–juni 2027"
    assert half.core_properties.title == "Halvårsrapport juli–december 2026: Exempelbygden"


def test_styles_are_word_s_own_heads_repeat_and_the_language_is_swedish(
    document: Document,
) -> None:
    styles = [p.style.name for p in document.paragraphs if p.style]
    assert {"Title", "Heading 1", "Heading 2", "Heading 3", "List Bullet"} <= set(styles)
    for table in document.tables:
        head = table._tbl.tr_lst[0]
        assert head.find(f"{W}trPr/{W}tblHeader") is not None
        assert table._tbl.find(f"{W}tblPr/{W}tblCaption") is not None
        assert all(cell.text for cell in table.rows[0].cells)
    languages = {e.get(f"{W}val") for e in document.styles.element.iter(f"{W}lang")}
    assert languages == {"sv-SE"}


def test_what_is_invented_is_called_so_on_every_page(story: Report) -> None:
    invented, real = (
        read(draft.half_year(replace(story, is_synthetic=made))) for made in (True, False)
    )
    for section in invented.sections:
        assert section.header.paragraphs[0].text == SYNTHETIC_SV
        assert not section.different_first_page_header_footer
    assert SYNTHETIC_SV in text_of(invented)
    assert "synthetic" not in text_of(real)
    assert not any(p.text for section in real.sections for p in section.header.paragraphs)


def test_a_name_with_markup_is_a_name() -> None:
    story = replace(stories.typical(), name='A & B <w:p/> "C"')
    assert read(draft.full_year(story)).paragraphs[1].text == 'A & B <w:p/> "C"'


def test_the_same_story_gives_the_same_bytes_without_the_time_of_day() -> None:
    first = draft.half_year(stories.ten_rounds())
    draft._blank.cache_clear()
    assert draft.half_year(stories.ten_rounds()) == first
    with zipfile.ZipFile(BytesIO(first)) as archive:
        assert {part.date_time for part in archive.infolist()} == {(2017, 1, 1, 0, 0, 0)}


def test_the_order_in_properties_is_the_one_word_demands(story: Report) -> None:
    """Word refuses a file whose properties come in another order than the schema's."""
    with zipfile.ZipFile(BytesIO(draft.half_year(story))) as archive:
        body = ElementTree.fromstring(archive.read("word/document.xml"))
    wanted = ["tblW", "tblBorders", "tblLayout", "tblCellMar", "tblLook", "tblCaption"]
    for properties in body.iter(f"{W}tblPr"):
        assert [child.tag.removeprefix(W) for child in properties] == wanted
