"""Receipts: what an association reads about its delivery, and the marked copy of its workbook."""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from pipelines import instrument, receipts
from pipelines.findings import Finding, by_severity, finding
from pipelines.lake import Delivery, Manifest, write_findings
from pipelines.receipts import annotate as marking
from pipelines.receipts.annotate import Job, Mark, NotMarkedError, annotate
from pipelines.register import Association
from pipelines.settings import Settings
from pipelines.status import Line, Overview

INSTRUMENT = instrument.load()
TODAY = date(2026, 10, 28)
SHEET = "Deltagare pågående"
NAME = "Samordningsförbundet Exempelbygden"
NUMBER = "19121212-1212"  # the well-known test number
FORMULAS = ("=1+2", "+46", "-1", "@SUM(A1)", '=HYPERLINK("x")')


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "raw", tmp_path / "home")


def _workbook() -> Any:
    """A workbook of an association: two sheets, answers in E3:E60."""
    book = openpyxl.Workbook()
    book.active.title = "Läs mig"
    sheet = book.create_sheet(SHEET)
    sheet.append(["lopnr", "insats_kod", "kon", "svarsdatum", "ongoing_1a"])
    sheet.append(["Löpnummer"])
    for n in range(3, 61):
        sheet.append([n, "A", "K", None, "Oftaa"])
    return book


def _bytes(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _opened(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def _delivery(
    settings: Settings,
    data: bytes,
    findings: Sequence[Finding] = (),
    *,
    file: str = "2026/fil.xlsx",
    association_id: str | None = "exempelbygden",
    state: str = "loaded",
    received: datetime = datetime(2026, 10, 28, 8, 14, tzinfo=UTC),
) -> Delivery:
    """A delivery that lies in the landing zone and whose findings are known."""
    path = settings.raw / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    delivery = Delivery(
        file=file,
        sha256=sha256,
        round=int(file[:4]),
        mtime_ns=int(received.timestamp()) * 10**9,
        size=len(data),
        association_id=association_id,
        layout_id="2024",
        state=state,
        rows_per_questionnaire={"participant_ongoing": 58} if state == "loaded" else {},
        findings={s.value: n for s, n in by_severity(findings).items()},
        activities=[],
    )
    write_findings(settings, delivery, "reader", findings)
    return delivery


def _wrong(cell: str = "E3", value: str = "Oftaa", rule: str = "answer_unknown") -> Finding:
    return finding(
        rule,
        file="2026/fil.xlsx",
        sheet=SHEET,
        cell=cell,
        question="ongoing_1a",
        value=value,
        wanted="1 Aldrig, 4 Ofta",
    )


def _page(settings: Settings, findings: Sequence[Finding], **changes: Any) -> str:
    """The page of one delivery, whose association delivered 1 212 questionnaires before."""
    before = _delivery(settings, b"", file="2025/fil.xlsx")
    before = replace(before, rows_per_questionnaire={"participant_ongoing": 1212})
    delivery = changes.pop("delivery", None) or _delivery(settings, _bytes(_workbook()), findings)
    written = _round(settings, [before, delivery], **changes)
    return written[delivery.file].page.read_text(encoding="utf-8")


def _text(page: str) -> str:
    """What a reader sees, blanks as one."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("\u00a0", " ").split())


def _associations(name: str) -> dict[str, Association]:
    return {"exempelbygden": Association("exempelbygden", name, "01", None, None)}


def _round(settings: Settings, deliveries: Sequence[Delivery], **changes: Any) -> Any:
    given = {
        "associations": _associations(NAME),
        "instrument": INSTRUMENT,
        "today": TODAY,
    }
    manifest = Manifest(tuple(deliveries), is_synthetic=changes.pop("is_synthetic", False))
    return receipts.write_rounds(settings, manifest, [2026], **given | changes)


def _job(marks: Sequence[Mark] = (), target: str = "kopia.xlsx") -> Job:
    return Job("", "", target, "fil.xlsx", ["Filen är inläst."], marks, "2026-10-28T08:14:00")


def _mark(cell: str = "E3", value: str = "Oftaa", **changes: str) -> Mark:
    mark = Mark(
        "fel", SHEET, cell, "ongoing_1a", value, "Fel.", "Rätta.", "answer_unknown", "fil.xlsx"
    )
    return replace(mark, **changes)


# --- the page -----------------------------------------------------------------------------------


def test_the_head_says_loaded_then_what_to_mend_then_when_to_resend(settings: Settings) -> None:
    text = _text(_page(settings, [_wrong(), _wrong("E4"), _wrong("A5", "", "lopnr_missing")]))
    told = [
        "Filen är inläst",
        "58 enkäter räknas, men 2 saker behöver rättas.",
        "Mottagen 28 oktober 2026 kl. 09:14",
        "Enkäter 58 (förra omgången 1 212)",
        "Att rätta 2",
        "Bra att veta 1",
        "senast 31 oktober 2026 (3 dagar kvar)",
        "Mottagna enkäter",
        "Deltagare pågående 58 1 212",
    ]
    places = [text.index(part) for part in told]
    assert places == sorted(places)


def test_a_stopped_file_says_why_and_which_file_counts_meanwhile(settings: Settings) -> None:
    stop = finding("association_unknown", file="2026/ny.xlsx")
    old = _delivery(settings, b"old")
    new = _delivery(settings, b"new", [stop], file="2026/ny.xlsx", state="stopped")
    written = _round(settings, [old, new])
    text = _text(written["2026/ny.xlsx"].page.read_text(encoding="utf-8"))
    assert "Filen är inte inläst Vi känner inte igen förbundet." in text
    assert "Din tidigare fil fil.xlsx räknas så länge." in text


def test_nothing_found_means_nothing_to_send(settings: Settings) -> None:
    text = _text(_page(settings, []))
    assert "58 enkäter räknas och inget behöver rättas." in text
    assert "Skicka igen behövs inte" in text
    assert not list(settings.receipts.glob("2026/*.xlsx"))


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2026, 10, 30), "senast 31 oktober 2026 (1 dag kvar)"),
        (date(2026, 10, 31), "senast 31 oktober 2026 (i dag)"),
        (date(2026, 11, 1), "så snart du kan, sista dag var 31 oktober 2026"),
    ],
)
def test_the_days_left_are_counted_from_today(settings: Settings, today: date, told: str) -> None:
    assert told in _text(_page(settings, [_wrong()], today=today))


def test_a_finding_tells_its_nine_fields(settings: Settings) -> None:
    text = _text(_page(settings, [_wrong()]))
    for field in (
        *("Regel: answer_unknown", "Fel", "fil.xlsx", SHEET, "E3", "ongoing_1a", "Oftaa"),
        "Svaret känns inte igen och räknas som inget svar.",
        "Skriv en kod eller ett svarsalternativ: 1 Aldrig, 4 Ofta.",
    ):
        assert field in text
    assert "ongoing_1a: Stödet är till stor nytta" in text
    assert "Menade du Ofta?" in text


def test_many_of_a_kind_are_counted_and_all_marked_in_the_copy(settings: Settings) -> None:
    page = _page(settings, [_wrong(f"E{n}") for n in range(3, 38)])
    assert page.count('data-label="Cell"') == 30
    assert "och 5 till av samma slag" in _text(page)
    copy = openpyxl.load_workbook(settings.receipts / "2026" / "exempelbygden.xlsx")
    assert sum(c.comment is not None for row in copy[SHEET]["E3:E60"] for c in row) == 35


def test_findings_with_a_remedy_each_share_a_heading(settings: Settings) -> None:
    found = [
        finding("column_missing", file="f", sheet="Personal", wanted=f"staff_{n}") for n in range(5)
    ]
    page = _page(settings, found)
    assert page.count("<h3>") == 1
    assert page.count("Lägg tillbaka kolumnen med rubriken") == 5


def test_values_are_escaped_and_no_page_has_a_script(settings: Settings) -> None:
    page = _page(
        settings, [_wrong(value='<script>x</script>"')], associations=_associations("<b>F</b>")
    )
    assert "<script" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "&lt;b&gt;F&lt;/b&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_invented_data_says_so_on_page_and_copy(settings: Settings) -> None:
    assert "(synthetic)" not in _page(settings, [_wrong()])
    assert "Påhittade data (synthetic)" in _page(settings, [_wrong()], is_synthetic=True)
    copy = openpyxl.load_workbook(settings.receipts / "2026" / "exempelbygden.xlsx")
    assert "Påhittade data (synthetic)" in [c.value for c in copy["Granskning"]["A"]]


def test_personal_data_is_hidden_whatever_the_rule(settings: Settings) -> None:
    book = _workbook()
    book[SHEET]["E3"] = NUMBER
    name = f"2026/{NUMBER}.xlsx"
    found = [_wrong(value=NUMBER)]
    delivery = _delivery(settings, _bytes(book), found, file=name, association_id=None)
    page = _page(settings, found, delivery=delivery)
    assert "(dolt)" in page
    for path in settings.receipts.rglob("*"):
        assert "1212" not in path.name
        if path.suffix == ".html":
            assert NUMBER not in path.read_text(encoding="utf-8")
        if path.suffix == ".xlsx":
            assert NUMBER not in _all_text(path.read_bytes())


# --- the copy -----------------------------------------------------------------------------------


def _all_text(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return " ".join(
            archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
        )


def test_the_copy_opens_with_a_list_that_filters_and_links() -> None:
    copy = _opened(annotate(_bytes(_workbook()), _job([_mark(), _mark("E4"), _mark("")])))
    page = copy.active
    assert copy.sheetnames == ["Granskning", "Läs mig", SHEET]
    assert page.title == "Granskning"
    assert page.auto_filter.ref == "A4:I7"
    assert [c.value for c in page[4]] == list(marking.COLUMNS)
    assert [c.value for c in page[5]][:5] == ["fel", SHEET, "E3", "ongoing_1a", "Oftaa"]
    assert page["C5"].hyperlink.location == f"'{SHEET}'!E3"
    assert page["C7"].hyperlink is None
    assert [s.sheet_view.tabSelected for s in copy.worksheets[1:]] == [False, False]


def test_a_cell_with_a_finding_is_coloured_and_commented() -> None:
    copy = _opened(annotate(_bytes(_workbook()), _job([_mark(), _mark("E3", level="info")])))
    cell = copy[SHEET]["E3"]
    assert cell.value == "Oftaa"
    assert cell.fill.fgColor.rgb.endswith("F9D5D3")
    assert cell.comment.text.startswith("FEL: Fel.\nGör så här: Rätta.\n\nINFO:")
    assert copy[SHEET]["E4"].comment is None


def test_what_others_wrote_in_a_comment_stays() -> None:
    book = _workbook()
    book[SHEET]["E3"].comment = Comment("Fråga Kim", "Kim")
    copy = _opened(annotate(_bytes(book), _job([_mark()])))
    assert copy[SHEET]["E3"].comment.text.endswith("Fråga Kim")


def test_validations_formats_and_protection_survive() -> None:
    book = _workbook()
    sheet = book[SHEET]
    validation = DataValidation("list", formula1='"K,M,A"', showErrorMessage=True, error="Nej")
    validation.add("C3:C60")
    sheet.add_data_validation(validation)
    rule = CellIsRule(operator="greaterThan", formula=["6"], fill=PatternFill(bgColor="FF0000"))
    sheet.conditional_formatting.add("E3:E60", rule)
    sheet.protection.sheet, sheet.protection.password = True, "hemligt"
    sheet.freeze_panes, sheet.sheet_state = "B3", "hidden"
    copy = _opened(annotate(_bytes(book), _job([_mark()])))
    kept = copy[SHEET]
    assert kept.data_validations.dataValidation[0].sqref == validation.sqref
    assert kept.data_validations.dataValidation[0].error == "Nej"
    assert [str(r.sqref) for r in kept.conditional_formatting] == ["E3:E60"]
    assert kept.protection.sheet
    assert (kept.freeze_panes, kept.sheet_state) == ("B3", "hidden")
    assert copy["Granskning"]["C5"].hyperlink is None  # a link into a hidden sheet leads nowhere


def test_macros_survive_in_xlsm() -> None:
    plain = _bytes(_workbook())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "[Content_Types].xml":
                part = part.replace(
                    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
                )
            new.writestr(name, part)
        new.writestr("xl/vbaProject.bin", b"macros")
    copy = annotate(out.getvalue(), _job([_mark()], "kopia.xlsm"))
    with zipfile.ZipFile(io.BytesIO(copy)) as archive:
        assert archive.read("xl/vbaProject.bin") == b"macros"
        assert b"macroEnabled" in archive.read("[Content_Types].xml")


def test_a_value_never_becomes_a_formula() -> None:
    marks = [_mark(value=value, wrong=value, remedy=value) for value in FORMULAS]
    copy = _opened(annotate(_bytes(_workbook()), _job(marks)))
    page = copy["Granskning"]
    assert [page[f"E{n}"].value for n in range(5, 10)] == list(FORMULAS)
    for row in page.iter_rows():
        for cell in row:
            assert cell.data_type in ("s", "n")
            assert cell.data_type == "s" or cell.value is None
    assert all(page[f"E{n}"].quotePrefix for n in range(5, 10))


def test_personal_data_is_taken_out_of_the_copy() -> None:
    book = _workbook()
    sheet = book[SHEET]
    sheet["E3"], sheet["E4"], sheet["E5"] = f"Gäller {NUMBER}", 1212121212, "se länk"
    sheet["E5"].hyperlink = "mailto:deltagare@example.org"
    sheet["E6"].comment = Comment("Ring 070-174 06 05", "Kim")
    book.properties.creator = "deltagare@example.org"
    copy = annotate(_bytes(book), _job([_mark("E3", "(dolt)")]))
    text = _all_text(copy)
    for found in (NUMBER, "1212121212", "deltagare@example.org", "070-174"):
        assert found not in text
    opened = _opened(copy)[SHEET]
    assert (opened["E3"].value, opened["E4"].value) == ("(dolt)", "(dolt)")
    assert opened["E5"].value == "se länk"


@pytest.mark.parametrize(
    "damage",
    [
        lambda book: book.create_sheet("070-174 06 05"),
        lambda book: setattr(book[SHEET], "title", "annat"),  # the hidden cell cannot be found
    ],
)
def test_personal_data_out_of_reach_means_no_copy(damage: Callable[[Any], object]) -> None:
    book = _workbook()
    damage(book)
    with pytest.raises(NotMarkedError):
        annotate(_bytes(book), _job([_mark("E3", "(dolt)")]))


def test_a_copy_that_was_mended_and_sent_back_loses_the_old_marks() -> None:
    first = annotate(_bytes(_workbook()), _job([_mark("E3"), _mark("E4")]))
    second = _opened(annotate(first, _job([_mark("E4"), _mark("E5")])))
    assert second.sheetnames == ["Granskning", "Läs mig", SHEET]
    comments = {n: second[SHEET][f"E{n}"].comment for n in (3, 4, 5)}
    assert comments[3] is None
    assert comments[4].text == comments[5].text == "FEL: Fel.\nGör så här: Rätta."
    assert second[SHEET]["E3"].fill.fill_type is None


def _prompt(book: Any) -> None:
    book[SHEET].add_data_validation(DataValidation(type="whole", sqref="E3", prompt=NUMBER))


def _name(book: Any) -> None:
    book.defined_names["svar"] = DefinedName("svar", attr_text=f'"{NUMBER}"')


def _footer(book: Any) -> None:
    book[SHEET].oddFooter.left.text = NUMBER


@pytest.mark.parametrize("put", [_prompt, _name, _footer])
def test_no_copy_is_made_of_a_file_with_personal_data_beside_its_cells(put: Any) -> None:
    book = _workbook()
    put(book)
    with pytest.raises(NotMarkedError):
        annotate(_bytes(book), _job([_mark()]))


def test_a_note_s_author_and_the_file_s_own_properties_are_not_copied() -> None:
    book = _workbook()
    book[SHEET]["E9"].comment = Comment("Se pappret", NUMBER)
    book.custom_doc_props.append(StringProperty(name="Handläggare", value=NUMBER))
    book.properties.title = NUMBER
    copy = annotate(_bytes(book), _job([_mark()]))
    assert NUMBER not in _all_text(copy)
    with zipfile.ZipFile(io.BytesIO(copy)) as archive:
        assert not [n for n in archive.namelist() if NUMBER.encode() in archive.read(n)]


@pytest.mark.parametrize(
    ("cell", "marked"),
    [
        ("B9", "B8"),
        ("E3:E9", "E3"),
        ("$E$3", "E3"),
        ("XFE1", None),
        ("A1048577", None),
        ("?", None),
    ],
)
def test_a_finding_about_several_cells_marks_the_first(cell: str, marked: str | None) -> None:
    book = _workbook()
    book[SHEET].merge_cells("B8:C9")
    copy = _opened(annotate(_bytes(book), _job([_mark(cell)])))
    with_comment = [c.coordinate for row in copy[SHEET].iter_rows() for c in row if c.comment]
    assert with_comment == ([marked] if marked else [])


def test_signs_that_a_workbook_cannot_hold_are_left_out() -> None:
    copy = _opened(annotate(_bytes(_workbook()), _job([_mark(value="a\x00b\x1f")])))
    assert copy["Granskning"]["E5"].value == "a b "


# --- a round ------------------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes_and_leaves_the_file_alone(
    settings: Settings, tmp_path: Path
) -> None:
    data = _bytes(_workbook())
    again = Settings(settings.raw, tmp_path / "again")
    contents = []
    for of in (settings, again):
        paths = _round(of, [_delivery(of, data, [_wrong()])])["2026/fil.xlsx"]
        assert paths.workbook
        contents.append((paths.page.read_bytes(), paths.workbook.read_bytes()))
    assert contents[0] == contents[1]
    assert (settings.raw / "2026/fil.xlsx").read_bytes() == data


def test_a_copy_is_made_anew_only_when_something_changed(settings: Settings) -> None:
    delivery = _delivery(settings, _bytes(_workbook()), [_wrong()])
    first = _round(settings, [delivery])["2026/fil.xlsx"].workbook
    inode = first.stat().st_ino
    _round(settings, [delivery], today=date(2026, 10, 29))
    assert first.stat().st_ino == inode
    _round(settings, [_delivery(settings, _bytes(_workbook()), [_wrong("E9")])])
    assert openpyxl.load_workbook(first)[SHEET]["E9"].comment
    first.unlink()
    assert _round(settings, [_delivery(settings, _bytes(_workbook()), [_wrong("E9")])])
    assert first.exists()


def test_receipts_of_deliveries_that_are_gone_are_removed(settings: Settings) -> None:
    delivery = _delivery(settings, _bytes(_workbook()), [_wrong()])
    folder = settings.receipts / "2026"
    _round(settings, [delivery])
    assert {p.suffix for p in folder.glob("exempelbygden.*")} == {".html", ".xlsx"}
    _round(settings, [replace(delivery, state="withdrawn")])
    assert not list(folder.glob("*.html")) + list(folder.glob("*.xlsx"))


def test_receipts_are_named_by_association_else_by_file(settings: Settings) -> None:
    older = datetime(2026, 10, 1, tzinfo=UTC)
    stop = finding("association_unknown", file="f")
    named = partial(_delivery, settings)
    written = _round(
        settings,
        [
            named(b"1", file="2026/a.xlsx", received=older, state="stopped"),
            named(b"2", file="2026/b.xlsx"),
            named(b"3", [stop], file="2026/../Exempelbygden.xlsx", association_id=None),
            named(b"4", [stop], file="2026/vår fil (2) & co.xlsx", association_id=None),
            named(b"5", file="2026/c.xlsx", state="replaced"),
        ],
    )
    assert {file: paths.page.stem for file, paths in written.items()} == {
        "2026/b.xlsx": "exempelbygden",
        "2026/a.xlsx": "exempelbygden-2",
        "2026/../Exempelbygden.xlsx": "Exempelbygden-3",
        "2026/vår fil (2) & co.xlsx": "vår-fil-2-co",
    }


def test_the_last_delivery_that_counts_is_compared_with(settings: Settings) -> None:
    before = [
        replace(
            _delivery(settings, b"old", file=f"{year}/old.xlsx"),
            rows_per_questionnaire={"participant_ongoing": year},
            state=state,
        )
        for year, state in ((2022, "loaded"), (2024, "loaded"), (2025, "stopped"))
    ]
    written = _round(settings, [_delivery(settings, b"new"), *before])
    text = _text(written["2026/fil.xlsx"].page.read_text(encoding="utf-8"))
    assert "Omgång 2026 Omgång 2024 Deltagare pågående 58 2 024" in text


def test_a_refused_file_is_never_opened(settings: Settings, monkeypatch: Any) -> None:
    monkeypatch.setattr(marking, "annotate_all", lambda *_: pytest.fail("opened"))
    refused = finding("unreadable", file="2026/fil.xlsx")
    delivery = replace(_delivery(settings, b"PK", [refused], state="stopped"), is_refused=True)
    paths = _round(settings, [delivery])["2026/fil.xlsx"]
    assert paths.workbook is None
    assert "Din fil med markeringar" not in paths.page.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_marked_leaves_only_its_own_copy_out(
    settings: Settings, monkeypatch: Any
) -> None:
    monkeypatch.setattr(marking, "Reader", partial(marking.Reader, seconds=1.5))
    huge = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_bytes(_workbook()))) as old, zipfile.ZipFile(huge, "w") as new:
        merged = b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
        for name in old.namelist():
            part = old.read(name).replace(b"<pageMargins", merged + b"<pageMargins")
            new.writestr(name, part)
    changed = _delivery(settings, _bytes(_workbook()), [_wrong()], file="2026/c.xlsx")
    (settings.raw / "2026/c.xlsx").write_bytes(b"another file by now")
    written = _round(
        settings,
        [
            _delivery(settings, huge.getvalue(), [_wrong()], file="2026/a.xlsx"),
            _delivery(settings, _bytes(_workbook()), [_wrong()], file="2026/b.xlsx"),
            changed,
        ],
    )
    assert {file for file, paths in written.items() if paths.workbook} == {"2026/b.xlsx"}
    assert "kunde inte göras" in written["2026/a.xlsx"].page.read_text(encoding="utf-8")


# --- the status page ----------------------------------------------------------------------------


def test_the_status_page_shows_every_association_and_links_its_receipt(settings: Settings) -> None:
    delivery = _delivery(settings, b"1", [_wrong(), finding("unreadable", file="2026/fil.xlsx")])
    manifest = Manifest((delivery,), is_synthetic=True)
    _round(settings, [delivery])
    file = delivery.file
    overview = Overview(
        INSTRUMENT.rounds[2026],
        (
            Line("exempelbygden", NAME, file, delivery.received, 1212, 1, 4, 2, "loaded"),
            Line("exempelbygden", NAME, file, delivery.received, 5, 0, 0, 0, "replaced"),
            Line("norra", "Norra <Kusten>", None, None, None, 0, 0, 0, "missing"),
            Line(
                "ute", "Ute", "2026/ute.xlsx", delivery.received, 7, 0, 0, 0, "loaded", None, False
            ),
            Line(None, "", "2026/ny.xlsx", None, None, 0, 0, 0, "new"),
        ),
        expected=2,
        days_left=3,
        next_step="Påminn de förbund som saknas.",
    )
    path = receipts.write_status_page(settings, overview, manifest, TODAY)
    page = path.read_text(encoding="utf-8")
    text = _text(page)
    assert path == settings.home / "status.html"
    assert f"{NAME} fil.xlsx 28 okt 09:14 1 212 1 4 2 inläst Kvittens" in text
    assert f"{NAME} fil.xlsx 28 okt 09:14 5 0 0 0 ersatt Norra &lt;Kusten&gt; saknas" in text
    assert "1 av 2 inlästa Inte inläst än 1 Saknas 1 Inläst utanför riket 1" in text
    assert "31 oktober 2026 (3 dagar kvar)" in text
    assert "Nästa steg Påminn de förbund som saknas." in text
    assert "Påhittade data (synthetic)" in text
    links = re.findall(r'href="([^"]+)"', page)
    assert links == ["receipts/2026/exempelbygden.html"]
    assert (settings.home / links[0]).exists()
