"""The gate: what it notes about an accepted workbook, its limits, and what it hands on."""

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.findings import Severity, finding, rules
from pipelines.workbook import gate, sandbox
from pipelines.workbook.gate import LIMITS, Inspection, inspect, regular_file
from pipelines.workbook.native import RefusedError, read_book
from pipelines.workbook.sample import write_landing_zone

SHEET = "xl/worksheets/sheet1.xml"


def written(rows: str = "", **replaced: str) -> bytes:
    """A workbook of one sheet, `Blad`, with the given rows; parts may be replaced by name."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("Blad").write(0, 0, "a")
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    parts[SHEET] = re.sub(
        "<sheetData>.*</sheetData>", f"<sheetData>{rows}</sheetData>", parts[SHEET]
    )
    return zipped(parts | replaced)


def zipped(parts: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def hollow(rows: str) -> dict[str, str]:
    """Error text by cell."""
    inspection = inspect(written(rows))
    assert {sheet for sheet, _, _ in inspection.hollow} <= {"Blad"}
    return {cell: error for _, cell, error in inspection.hollow}


def refused(data: bytes, **limits: int) -> tuple[str, str]:
    with pytest.raises(RefusedError) as error:
        inspect(data, replace(LIMITS, **limits))
    return error.value.rule_id, error.value.wanted


# --- what is noted ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ('<c r="B3" t="e"><v>#REF!</v></c>', "#REF!"),
        ('<c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ("<c r='B3' t='e'><v>#N/A</v></c>", "#N/A"),
        ('<c r="B3" t = "e"><v>#NAME?</v></c>', "#NAME?"),
        ('<c r="B3" t="e"><v> #NUM! </v></c>', "#NUM!"),
        ('<c r="B3" t="e"/>', "#"),
        ('<c r="B3" t="e"><v>Anna 19121212-1212</v></c>', "#"),
        ('<c r="B3"><f>1+2</f></c>', ""),
        ('<c r="B3"><f>1+2</f><v></v></c>', ""),
        ('<c r="B3"><f>1+2</f><v/>\n </c>', ""),
        ('<c r="B3"><f t="shared" si="0"/></c>', ""),
        ('<c r="B3"><f/></c>', ""),
        ('<c r="B3" t="str"><f>A1</f></c>', ""),
        ('<c r="B3"><f\nca="1">NOW()</f></c>', ""),
        ('<x:c xmlns:x="u" r="B3"><x:f>1</x:f></x:c>', ""),
    ],
)
def test_errors_and_formulas_without_a_value_are_noted(cell, error):
    assert hollow(f'<row r="3">{cell}</row>') == {"B3": error}


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B3"><v>3</v></c>',
        '<c r="B3"/>',
        '<c r="B3" t="s"><v>0</v></c>',
        '<c r="B3"><f>1+2</f><v>3</v></c>',
        '<c r="B3"><f>1-1</f><v>0</v></c>',
        '<c r="B3" t="str"><f>IF(A1="","",A1)</f><v></v></c>',  # the empty text is a value
        '<c r="B3" t="inlineStr"><is><t>&lt;f> "e"</t></is></c>',
        '<c r="B3" t="inlineStr"><f>A1</f><is><t>a</t></is></c>',
        '<c r="B3" t="b"><f>TRUE</f><v>1</v></c>',
    ],
)
def test_cells_with_a_value_are_not(cell):
    marker = '<c r="Z9" t="e"><v>#N/A</v></c>'
    assert hollow(f'<row r="3">{cell}</row><row r="9">{marker}</row>') == {"Z9": "#N/A"}


def test_what_looks_like_a_formula_elsewhere_is_none():
    page = inspect(
        written(
            '<row r="1"><c r="A1"><v>1</v></c></row>',
            **{"xl/extra.xml": '<a t="e"><f/><c><f/></c></a>'},
        )
    )
    assert page.hollow == ()


def test_cells_without_addresses_are_counted_as_the_reader_counts_them():
    error = '<c t="e"><v>#N/A</v></c>'
    rows = f"<row><c/>{error}</row><row r='5'>{error}</row><row><c/><c/>{error}</row>"
    assert list(hollow(rows)) == ["B1", "A5", "C6"]


def test_hollow_and_hidden_are_told_by_the_titles_of_their_sheets(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = 'Läs <mig> & "du"'
    book.active["C2"] = "=1+2"
    book.create_sheet("Dolt").sheet_state = "hidden"
    book.create_sheet("Väl dolt").sheet_state = "veryHidden"
    book["Väl dolt"]["B7"] = "#DIV/0!"
    book["Väl dolt"]["B7"].data_type = "e"
    book.move_sheet("Väl dolt", -2)
    book.save(tmp_path / "a.xlsx")
    inspection = inspect((tmp_path / "a.xlsx").read_bytes())
    assert set(inspection.hollow) == {
        ('Läs <mig> & "du"', "C2", ""),
        ("Väl dolt", "B7", "#DIV/0!"),
    }
    assert inspection.hidden == ("Väl dolt", "Dolt")


@pytest.mark.parametrize("fault", ["formula_without_value", "excel_error", "hidden_sheet"])
def test_each_fault_of_the_sample_is_noted_and_nothing_else(fault, tmp_path):
    zone = write_landing_zone(tmp_path, rounds=[2024], associations=2, faults=[fault])
    inspections = [inspect(file.read_bytes()) for file in zone.files]
    errors = [error for i in inspections for _, _, error in i.hollow]
    assert errors == {"formula_without_value": [""], "excel_error": ["#DIV/0!"]}.get(fault, [])
    assert sum(len(i.hidden) for i in inspections) == (fault == "hidden_sheet")


# --- what is handed on --------------------------------------------------------------------------


def test_the_reader_gets_the_same_cells_and_nothing_but_xml(tmp_path):
    for file in write_landing_zone(tmp_path, rounds=[2018, 2024], associations=2).files:
        data = file.read_bytes()
        plain = inspect(data).plain
        assert read_book(plain, "a.xlsx", bool) == read_book(data, "a.xlsx", bool)
    plain = inspect(written(**{"xl/vbaProject.bin": "Sub Auto_Open()"})).plain
    assert b"Auto_Open" not in plain
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {"xml", "rels"}


# --- limits -------------------------------------------------------------------------------------


def test_an_honest_workbook_is_far_from_all_limits(tmp_path):
    file = max(
        write_landing_zone(tmp_path, rounds=[2024], associations=3, questionnaires=300).files,
        key=lambda f: f.stat().st_size,
    )
    data = file.read_bytes()
    tenth = {name: getattr(LIMITS, name) // 10 for name in ("file", "unpacked", "parts", "rows")}
    assert inspect(data, replace(LIMITS, **tenth, columns=60)).hidden == ()


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({"file": 1000}, "file_too_large"),
        ({"unpacked": 2000}, "unpacked_too_large"),
        ({"parts": 5}, "too_many_parts"),
        ({"rows": 19_999}, "cell_far_away"),
        ({"columns": 511}, "cell_far_away"),
        ({"hollow": 1}, "too_many_hollow"),
    ],
)
def test_what_is_at_a_limit_passes_and_what_is_beyond_does_not(limits, rule):
    far = '<c r="SR20000" t="e"><v>#N/A</v></c>'
    data = written(f'<row r="20000"><c r="A20000" t="e"><v>#N/A</v></c>{far}</row>')
    assert len(inspect(data).hollow) == 2
    assert refused(data, **limits)[0] == rule


def test_a_far_cell_is_told_by_its_address():
    assert refused(written('<row r="1"><c r="XFD1"/></row>')) == ("cell_far_away", "XFD1")
    assert refused(written('<row r="1048576"/>')) == ("cell_far_away", "1048576")


@given(st.integers(1, 16_384), st.integers(1, 1_048_576))
@settings(max_examples=200, deadline=None)
def test_any_address_is_far_exactly_when_it_is_beyond_the_limits(column, row):
    cell = openpyxl.utils.get_column_letter(column) + str(row)
    part = f'<worksheet><row><c s="1" r="{cell}"/></row></worksheet>'.encode()
    if column <= LIMITS.columns and row <= LIMITS.rows:
        gate._check_cells("a", part, LIMITS)
    else:
        with pytest.raises(RefusedError):
            gate._check_cells("a", part, LIMITS)


@pytest.mark.parametrize("before", [" ", "\t", "\n", "\r", "\r\n  "])
@pytest.mark.parametrize("equals", ["=", " =", "= ", "\n=\t"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_far_cell_is_far_however_its_address_is_written(before, equals, quote):
    part = f"<worksheet><row><c s='1'{before}r{equals}{quote}XFD1{quote}/></row></worksheet>"
    with pytest.raises(RefusedError):
        gate._check_cells("a", part.encode(), LIMITS)


def test_what_only_ends_as_an_address_does_is_none():
    part = b'<worksheet><cfRule operator="lessThan" customr="XFD1048576"/></worksheet>'
    gate._check_cells("a", part, LIMITS)


NAMES = ("f", "formula", "formula1", "formula2", "oddHeader", "firstFooter", "evenHeader", "Footer")


@given(
    st.lists(
        st.tuples(
            st.sampled_from((*NAMES, "v", "t", "c", "from", "Headers", "ff")),
            st.sampled_from(("", "x:", "ns0:")),
            st.sampled_from(("", " a='1'", "\n")),
        ),
        max_size=4,
    )
)
@settings(deadline=None)
def test_no_place_beside_cells_is_passed_over_for_want_of_its_sign(elements):
    number = "811218-9876"
    for name, prefix, attributes in elements:
        tag = f"{prefix}{name}"
        part = f"<a><b>1</b><{tag}{attributes}>{number}</{tag}></a>".encode()
        told = list(gate._numbers_beside({SHEET: part}))
        assert bool(told) == (name in NAMES), tag


@pytest.mark.parametrize("written_as", ["8112189876", "&#56;11218&#x2d;9876", "811218-9876"])
def test_a_number_beside_is_found_also_when_its_signs_are_written_by_their_codes(written_as):
    assert [*gate._numbers_beside({"xl/comments1.xml": f"<t>{written_as}</t>".encode()})] == [
        "en anteckning"
    ]


def test_names_chosen_by_the_files_maker_are_not_repeated_as_they_are():
    parts = {"xl/19121212-1212 <b>.xml": "<!DOCTYPE a><a/>"}
    assert refused(written(**parts)) == ("xml_declares", "xl/?-1212 ?b?.xml")


# --- the sentences ------------------------------------------------------------------------------


def test_each_rule_of_gate_and_sandbox_has_its_sentences():
    sources = (Path(module.__file__).read_text() for module in (gate, sandbox))
    named = {rule for source in sources for rule in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', source)}
    named &= rules().keys()
    assert {"zip_damaged", "cell_far_away", "reader_memory", "too_many_cells"} <= named
    for rule in (*named, "excel_error", "formula_without_value", "hidden_sheet"):
        told = finding(rule, file="a.xlsx", wanted="X")
        for sentence in (told.wrong, told.remedy):
            assert sentence[0].isupper() and sentence.endswith(".")
            assert "{" not in sentence and "—" not in sentence and "ogiltig" not in sentence
    assert {rules()[rule].severity for rule in named} == {Severity.STOP}


def test_an_unread_path_is_named_and_a_file_is_read(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(written())
    assert isinstance(inspect(regular_file(tmp_path / "a.xlsx")), Inspection)
    with pytest.raises(RefusedError) as error:
        regular_file(tmp_path / "a.xlsx", replace(LIMITS, file=100))
    assert error.value.rule_id == "file_too_large"
    with pytest.raises(RefusedError) as error:
        regular_file(tmp_path)
    assert error.value.rule_id == "not_regular_file"
