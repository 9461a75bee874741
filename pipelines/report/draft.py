"""An association's half-year and full-year report as a draft to be finished in Word.

Belongs here: the document, the figures filled into it, and what it asks its author. Does not: which
figures belong in which of the nine fields (nine_fields.py), or any figure of its own.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor

from pipelines.release.table import SYNTHETIC_SV
from pipelines.release.texts import texts
from pipelines.report import words
from pipelines.report.estimates import GENDERS, Estimate
from pipelines.report.nine_fields import Field, Finding, fields, unplaced
from pipelines.report.story import (
    ANSWERS,
    Block,
    LineKind,
    Outcomes,
    Project,
    Report,
    Summary,
    Volume,
)
from pipelines.swedish import listed
from pipelines.workbook.write import CREATED

_BLUE, _RED = RGBColor(0x12, 0x50, 0x8C), RGBColor(0xB4, 0x46, 0x0F)
_BLACK, _GREY = RGBColor(0x1B, 0x1F, 0x24), RGBColor(0x55, 0x55, 0x55)
_PLACEHOLDER, _PLACEHOLDER_MEANS = ANSWERS.placeholder.split(": ")
_PAGE_WIDTH = 17.0
"""Centimetres between the margins of an A4 page."""

_QUESTIONS: Mapping[tuple[str, str], str] = {
    ("participants", "conditions"): (
        "Vilka deltagare har insatserna nått, kvinnor och män, och är det dem de är till för? "
        "Hur många har svarat, och vilka saknas?"
    ),
    ("participants", "process"): (
        "Hur upplever kvinnor och män stödet på vägen? Vad förklarar skillnader mellan dem och "
        "mot riket?"
    ),
    ("participants", "results"): (
        "Vad har stödet lett till för deltagarna? Vad säger de själva som siffrorna inte visar?"
    ),
    ("staff", "conditions"): (
        "Vilka förutsättningar har personalen haft: bemanning, tid, kompetens, handledning?"
    ),
    ("staff", "process"): (
        "Hur arbetar personalen tillsammans över myndighetsgränserna, och vad står i vägen?"
    ),
    ("staff", "results"): (
        "Vad har arbetet lett till enligt personalen? Vilka arbetssätt är värda att sprida?"
    ),
    ("organisation", "conditions"): (
        "Vilka beslut, överenskommelser och resurser har styrt perioden? Vilka parter har svarat?"
    ),
    ("organisation", "process"): (
        "Hur samverkar styrelse, chefer och de som remitterar? Tas erfarenheter till vara?"
    ),
    ("organisation", "results"): (
        "Vad har samverkan förändrat i parternas ordinarie verksamhet, och håller det?"
    ),
}


@dataclass(frozen=True, slots=True)
class _Period:
    """What differs between the two reports."""

    name: str
    months: str
    summary: str
    look_ahead: str


def half_year(report: Report) -> bytes:
    """The draft of July to December of the round's year, a .docx; the same bytes each time."""
    return _document(
        report,
        _Period(
            name="Halvårsrapport",
            months=f"juli–december {report.round}",
            summary="tre till fem meningar om hösten: vad har ni sett, och vad gör ni åt det?",
            look_ahead="Vad behöver justeras redan under våren?",
        ),
    )


def full_year(report: Report) -> bytes:
    """The draft of July to June after the round, a .docx; the same bytes each time."""
    return _document(
        report,
        _Period(
            name="Helårsrapport",
            months=f"juli {report.round}–juni {report.round + 1}",
            summary="fem till åtta meningar om året: vad har uppnåtts, för vem, och vad återstår?",
            look_ahead="Vad har förändrats sedan halvårsrapporten, och vad tas med till nästa år?",
        ),
    )


def _document(report: Report, period: _Period) -> bytes:
    document = docx.Document(BytesIO(_blank()))
    _write_edges(document, report, period)
    body = parse_xml(f"<w:body {nsdecls('w')}>{''.join(_body(report, period))}</w:body>")
    for element in list(body):
        document.element.body.sectPr.addprevious(element)
    return _saved(document)


def _body(report: Report, period: _Period) -> Iterator[str]:
    """The document's paragraphs and tables as Word's XML, in order."""
    placed = fields(report)
    yield from _opening(report, period)
    yield _paragraph("Niofältaren", _HEADING_1)
    yield _overview_table(placed)
    for row, of_row in groupby(placed, key=lambda field: field.row_label):
        yield _paragraph(row, _HEADING_1)
        for field in of_row:
            yield from _field(field, period)
    yield from _unplaced(unplaced(report))
    yield from _outcomes(report.outcomes, period)
    yield from _own_questions(report.projects)
    yield from _about(report)


# --- the parts ----------------------------------------------------------------------------------


def _opening(report: Report, period: _Period) -> Iterator[str]:
    yield _paragraph(f"{period.name} {period.months}", _TITLE)
    yield _paragraph(report.name, _SUBTITLE)
    if report.is_synthetic:
        yield _paragraph(SYNTHETIC_SV, _WARNING)
    yield _paragraph(
        f"Utkast. Siffrorna är ifyllda ur utgåva {report.number} av omgång {report.round}. "
        "Det som står på gul botten inom hakparentes skriver förbundet självt."
    )
    yield _prompt("vem som har skrivit rapporten, och när styrelsen behandlade den")
    yield _paragraph("Sammanfattning", _HEADING_1)
    yield from (_paragraph(sentence, _BULLET) for sentence in report.lead)
    yield _prompt(period.summary)


def _field(field: Field, period: _Period) -> Iterator[str]:
    yield _paragraph(field.column_label, _HEADING_2)
    if field.volumes:
        yield _volumes_table(field.volumes, f"{field.row_label}: svar som har kommit in")
    for finding in field.findings:
        yield from _finding(finding)
    yield _paragraph("", _SMALL)
    question = _QUESTIONS[field.row, field.column]
    yield _prompt(f"{question} {period.look_ahead}" if field.column == "results" else question)


def _finding(finding: Finding) -> Iterator[str]:
    section = finding.section
    heading = f"Indikator {section.indicator_id}. {section.label}"
    yield _paragraph(heading, _HEADING_3)
    if section.note:
        yield _paragraph(section.note)
    if finding.blocks or finding.summaries:
        yield _figures_table(finding, heading)


def _unplaced(findings: Sequence[Finding]) -> Iterator[str]:
    yield _paragraph("Ännu inte placerade", _HEADING_1)
    if not findings:
        yield _paragraph("Alla indikatorer har en plats i de nio fälten.")
        return
    yield _paragraph(
        "Det är inte känt om de här indikatorerna gäller process eller resultat, eller så har de "
        "inga siffror i den här omgången."
    )
    for finding in findings:
        yield from _finding(finding)
    yield _paragraph("", _SMALL)
    yield _prompt("hör något av detta hemma i ett av fälten ovan? Flytta det dit.")


def _outcomes(told: Outcomes, period: _Period) -> Iterator[str]:
    """The latest calendar year; the period's own numbers are the author's to write."""
    yield _paragraph("Utfallsmått", _HEADING_1)
    if told.note:
        yield _paragraph(told.note)
    if told.year:
        sentences = (told.sentence, told.change, told.target, texts("outcomes")["about"]["sv"])
        yield _paragraph(" ".join(filter(None, sentences)))
        yield _outcomes_table(told)
        yield _paragraph("", _SMALL)
        yield _paragraph(texts("outcomes")["periods"]["sv"])
    yield _prompt(f"utfallet {period.months} ur egen uppföljning, för kvinnor och män")


def _own_questions(projects: Sequence[Project]) -> Iterator[str]:
    if projects:
        yield _paragraph("Egna frågor", _HEADING_1)
    for project in projects:
        if project.name:
            yield _paragraph(f"Projekt {project.name}", _HEADING_2)
        yield _own_table(project)
        yield _paragraph("", _SMALL)
        yield _prompt("vad säger svaren på de egna frågorna, och vad gör projektet åt det?")


def _about(report: Report) -> Iterator[str]:
    yield _paragraph("Om siffrorna", _HEADING_1)
    yield _paragraph(
        "I tabellerna står andelen positiva svar i procent, under den ett 95-procentigt "
        "konfidensintervall och antalet svar. Ett genomsnitt av flera mått har inget intervall. "
        f"Platshållare betyder: {_PLACEHOLDER_MEANS}. Där ett tal saknas står ett tecken:"
    )
    yield from (_paragraph(meaning, _BULLET, start=f"{sign}  ") for sign, meaning in words.SIGNS)
    yield from (_paragraph(text, start=f"{name}. ") for name, text in report.method)
    yield _paragraph("Det som saknas", _HEADING_2)
    yield from (_paragraph(sentence, _BULLET) for sentence in report.missing)
    yield _paragraph(f"{report.publisher.source}.", start="Källa: ")


# --- tables -------------------------------------------------------------------------------------

_Lines = Sequence[str]
"""A cell: first the figure or the name, then what is smaller; blanks are left out."""

_KINDS: Sequence[LineKind] = ("K", "M", "T", "nation")


def _figures_table(finding: Finding, title: str) -> str:
    """A row per measure and per mean of them, with women and men where any row is told so."""
    told = {line.kind for block in finding.blocks for line in block.trend.lines}
    for summary in finding.summaries:
        told |= {kind for kind, estimate in _summarised(summary).items() if estimate}
    kinds = [kind for kind in _KINDS if kind in told or kind in ("T", "nation")]
    heads = ["Mått", *map(words.called, kinds), "Förändring, totalt"]
    rows = [_block_row(block, kinds) for block in finding.blocks]
    rows += [_summary_row(summary, kinds) for summary in finding.summaries]
    label, change = (3.8, 4.2) if len(kinds) > 2 else (6.6, 5.6)
    one = (_PAGE_WIDTH - label - change) / len(kinds)
    return _table(title, heads, rows, (label, *[one] * len(kinds), change))


def _block_row(block: Block, kinds: Iterable[LineKind]) -> list[_Lines]:
    """A measure's figures in the report's round."""
    told = {line.kind for line in block.trend.lines} | {"T"}
    about = [block.asked, _PLACEHOLDER] if block.is_placeholder else [block.asked]
    counted = block.terms.counted
    figures = (
        _figure(block.trend.now(kind), counted) if kind in told else _untold(kind) for kind in kinds
    )
    return [[block.heading, *about], *figures, ["", block.change, block.target]]


def _summary_row(summary: Summary, kinds: Iterable[LineKind]) -> list[_Lines]:
    """A group's mean; the nation's is not told beside it."""
    now = _summarised(summary)
    figures = (_figure(now[kind]) if now.get(kind) else _untold(kind) for kind in kinds)
    return [["Genomsnitt av måtten", summary.label], *figures, [""]]


def _untold(kind: LineKind) -> _Lines:
    """What stands where a line is not told at all: not by gender, or no nation's beside."""
    return ["" if kind == "nation" else words.NOT_APPLICABLE]


def _summarised(summary: Summary) -> dict[LineKind, Estimate | None]:
    return {"K": summary.women, "M": summary.men, "T": summary.total}


def _figure(estimate: Estimate | None, counted: str = ANSWERS.counted) -> _Lines:
    """A share with its interval and number of answers below; or one sign."""
    share = words.share(estimate)
    if estimate is None or not (estimate.is_shown or estimate.is_bracket):
        return [share]
    interval = words.interval(estimate) if estimate.is_shown else ""
    return [
        share,
        *([interval] if interval else []),
        f"{words.answers(estimate)} {counted.lower()}",
    ]


def _outcomes_table(told: Outcomes) -> str:
    rows = [
        [
            [row.label],
            *([words.count(count)] for count in (row.active, row.ended, row.rate.n, row.positive)),
            [words.share(row.rate), words.interval(row.rate) if row.rate.is_shown else ""],
        ]
        for row in told.rows
    ]
    heads = [f"År {told.year}", "Pågående", "Avslutade", "Utan avhopp", "Positiva"]
    title = f"Deltaganden {told.year}"
    return _table(title, [*heads, "Andel, procent"], rows, (3.0, *[2.7] * 4, 3.2))


def _own_table(project: Project) -> str:
    rows = [
        [
            [question.label, question.asked, figure.unit],
            *([share] for share in words.by_gender(figure.women, figure.men)),
            _figure(figure.total),
            ["", question.change if figure is question.figures[0] else ""],
        ]
        for question in project.questions
        for figure in question.figures
    ]
    heads = ["Fråga", *(words.called(kind) for kind in GENDERS), "Förändring, totalt"]
    title = " ".join(filter(None, ("Egna frågor", project.name)))
    return _table(title, heads, rows, (6.0, 2.2, 2.2, 2.6, 4.0))


def _overview_table(placed: Sequence[Field]) -> str:
    """The nine fields in one picture: what of the report is in each."""
    columns = [field.column_label for field in placed if field.row == placed[0].row]
    rows = [
        [[row], *([_holds(field)] for field in of_row)]
        for row, of_row in groupby(placed, key=lambda field: field.row_label)
    ]
    widths = (3.2, *[(_PAGE_WIDTH - 3.2) / len(columns)] * len(columns))
    return _table("De nio fälten och vad som står i dem", ["Fält", *columns], rows, widths)


def _holds(field: Field) -> str:
    numbers = [finding.section.indicator_id for finding in field.findings]
    told = [f"Indikator {listed(numbers)}"] if numbers else []
    return "; ".join(["Svar som har kommit in"] * bool(field.volumes) + told) or "–"


def _volumes_table(volumes: Iterable[Volume], title: str) -> str:
    rows = [
        [
            [volume.label],
            [words.count(volume.most_answers)],
            [volume.response_rate],
        ]
        for volume in volumes
    ]
    heads = ["Enkät", "Svar på den mest besvarade frågan", "Svarsfrekvens, procent"]
    return _table(title, heads, rows, (6.0, 6.0, 5.0))


def _table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[_Lines]], widths: Sequence[float]
) -> str:
    """A table as Word's XML: python-docx takes a hundred times as long cell by cell.

    The head is repeated on each page, no row is torn, and the title is the alternative text.
    """
    grid = "".join(f'<w:gridCol w:w="{_twips(width)}"/>' for width in widths)
    head = "".join(
        _cell(_paragraph(text, _HEAD), width) for text, width in zip(heads, widths, strict=True)
    )
    body = "".join(
        "<w:tr><w:trPr><w:cantSplit/></w:trPr>"
        + "".join(
            _cell(_paragraphs(lines), width) for lines, width in zip(cells, widths, strict=True)
        )
        + "</w:tr>"
        for cells in rows
    )
    return (
        f"<w:tbl {nsdecls('w')}><w:tblPr>"
        f'<w:tblW w:w="{_twips(_PAGE_WIDTH)}" w:type="dxa"/><w:tblBorders>{_BORDERS}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{_CELL_EDGES}</w:tblCellMar>'
        f'<w:tblLook w:val="0020" w:firstRow="1"/><w:tblCaption w:val={quoteattr(title)}/>'
        f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
        f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{head}</w:tr>{body}</w:tbl>"
    )


def _cell(paragraphs: str, width: float) -> str:
    return f'<w:tc><w:tcPr><w:tcW w:w="{_twips(width)}" w:type="dxa"/></w:tcPr>{paragraphs}</w:tc>'


def _paragraphs(lines: _Lines) -> str:
    first, *more = lines
    small = "".join(_paragraph(line, _SMALL) for line in more if line)
    return (_paragraph(first, _FIGURE) if first or not small else "") + small


def _paragraph(text: str, style: str = "Normal", start: str = "") -> str:
    """A paragraph; its start is bold."""
    bold = f"<w:r><w:rPr><w:b/></w:rPr>{_text(start)}</w:r>" if start else ""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{bold}<w:r>{_text(text)}</w:r></w:p>'


def _text(text: str) -> str:
    return f'<w:t xml:space="preserve">{escape(text)}</w:t>'


def _prompt(question: str) -> str:
    """A clearly marked place for the author's own text, with a question that helps."""
    return _paragraph(f"[Skriv här: {question}]", _PROMPT)


def _twips(centimetres: float) -> int:
    return round(centimetres * 1440 / 2.54)


# --- how it looks -------------------------------------------------------------------------------

_TITLE, _SUBTITLE, _BULLET = "Title", "Subtitle", "ListBullet"
_HEADING_1, _HEADING_2, _HEADING_3 = "Heading1", "Heading2", "Heading3"
_WARNING, _PROMPT, _HEAD, _FIGURE, _SMALL = "Varning", "Skriv", "Huvud", "Siffra", "Detalj"
"""Paragraph styles by id: Word's own, then ours, which the author sees under these names."""

_BORDERS = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="BFC5CC"/>'
    for side in ("top", "bottom", "insideH")
)
_CELL_EDGES = "".join(
    f'<w:{side} w:w="{width}" w:type="dxa"/>'
    for side, width in (("top", 50), ("left", 80), ("bottom", 50), ("right", 80))
)


@cache
def _blank() -> bytes:
    """An empty document, dressed: A4, fonts, colours and our own styles; Swedish all through."""
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm((21.0 - _PAGE_WIDTH) / 2)
    section.top_margin = section.bottom_margin = Cm(2.2)
    styles = document.styles
    for language in styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "sv-SE")
    normal = styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    normal.paragraph_format.space_after = Pt(6)
    for name, size, before in (
        ("Title", 26.0, 0), ("Heading 1", 18.0, 24), ("Heading 2", 14.0, 16),
        ("Heading 3", 12.0, 14),
    ):  # fmt: skip
        _set(styles[name], size, _BLUE, before)
    _set(styles["Subtitle"], 13, _GREY)
    for name, size, colour, after in (
        (_WARNING, 12, _RED, 6), (_PROMPT, 11, _BLACK, 12), (_HEAD, 9.5, _BLACK, 0),
        (_FIGURE, 10.5, _BLACK, 0), (_SMALL, 9, _GREY, 0),
    ):  # fmt: skip
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.font.bold = normal, name in (_WARNING, _HEAD)
        _set(style, size, colour, after=after)
    styles[_PROMPT].element.get_or_add_pPr().insert(0, parse_xml(_shade("FFF4CE")))
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _set(style: Any, size: float, colour: RGBColor, before: float = 0, after: float = 4) -> None:
    style.font.name, style.font.size, style.font.color.rgb = "Calibri", Pt(size), colour
    style.paragraph_format.space_before = Pt(before)
    style.paragraph_format.space_after = Pt(after)


def _shade(fill: str) -> str:
    return f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill}"/>'


def _write_edges(document: Document, report: Report, period: _Period) -> None:
    """The properties, the head and the foot of each page."""
    properties = document.core_properties
    properties.title = f"{period.name} {period.months}: {report.name}"
    properties.author = properties.last_modified_by = report.publisher.name
    properties.comments = SYNTHETIC_SV if report.is_synthetic else ""
    properties.language = "sv-SE"
    properties.created = properties.modified = CREATED
    section = document.sections[0]
    if report.is_synthetic:
        section.header.paragraphs[0].text = SYNTHETIC_SV
        section.header.paragraphs[0].style = _WARNING
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    foot.add_run(f"{period.name} {period.months}, utkast · sida ")
    foot._p.append(
        parse_xml(
            f'<w:fldSimple {nsdecls("w")} w:instr="PAGE"><w:r><w:t>1</w:t></w:r></w:fldSimple>'
        )
    )


def _saved(document: Document) -> bytes:
    """The document's bytes, without the time of day."""
    written, out = BytesIO(), BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as parts, zipfile.ZipFile(out, "w") as fixed:
        for name in parts.namelist():
            part = zipfile.ZipInfo(name, CREATED.timetuple()[:6])
            fixed.writestr(part, parts.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
