"""Templates: what they hold, who gets one, what is open in them, and that no file is destroyed."""

import hashlib
import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils import get_column_letter, range_boundaries

from pipelines import instrument as instruments
from pipelines import lake, loading, register, roster
from pipelines.findings import rules
from pipelines.instrument import seed_rows
from pipelines.settings import Settings
from pipelines.workbook import template
from pipelines.workbook.read import read_workbook
from pipelines.workbook.sample import write_landing_zone
from pipelines.workbook.write import Activity

INSTRUMENT = instruments.load()
ROUND = 2027
PREPARED = 500
ASSOCIATION = register.Association("provdalen", "Samordningsförbundet Provdalen", "01", None, None)
ACTIVITIES = (
    Activity("A1", "Navet", "individ", "kort"),
    Activity("=1+1", '=HYPERLINK("http://x.example")', "struktur", ""),
)
SHEETS = {
    row["questionnaire_id"]: row["sheet_name"]
    for row in seed_rows("layouts")
    if row["layout_id"] == INSTRUMENT.rounds[ROUND].layout_id
}


def made(activities=ACTIVITIES, round_=ROUND, *, is_synthetic=False) -> bytes:
    return template.template(ASSOCIATION, activities, round_, INSTRUMENT, is_synthetic=is_synthetic)


@pytest.fixture(scope="module")
def book() -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(made()))


def texts(page) -> list[str]:
    return [str(c.value) for row in page.iter_rows() for c in row if c.value is not None]


def styles_of_columns(data: bytes, number: int) -> dict[int, int]:
    """The style of each column as the file says; openpyxl keeps it for cells that exist only."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
    columns = re.findall(r'<col min="(\d+)" max="(\d+)" width="[\d.]+" style="(\d+)"', part)
    return {c: int(s) for first, last, s in columns for c in range(int(first), int(last) + 1)}


def validation_of(page, column: int):
    for rule in page.data_validations.dataValidation:
        first, top, last, bottom = range_boundaries(str(rule.sqref))
        if first <= column <= last:
            return rule, (top, bottom)
    return None, None


def named(book: openpyxl.Workbook, name: str) -> list[object]:
    title, cells = next(iter(book.defined_names[name].destinations))
    return [c.value for row in book[title][cells] for c in row]


# --- what a template holds ----------------------------------------------------------------------


def test_the_sheets_are_those_of_the_round_and_the_headers_exactly_the_layout_s(book):
    assert book.sheetnames == ["Läs mig", "Insatser", *SHEETS.values(), "Listor"]
    for questionnaire_id, title in SHEETS.items():
        header = [
            row["column_name"]
            for row in seed_rows("layout_columns")
            if row["layout_id"] == "2024" and row["questionnaire_id"] == questionnaire_id
        ]
        assert [c.value for c in book[title][1]] == header
        assert book[title]["A2"].value == "Löpnummer"
        assert book[title].freeze_panes == "B3"
        assert book[title].max_row == 2
    assert book["Listor"].sheet_state == "hidden"


@pytest.mark.parametrize("round_", [2019, 2022, 2024, 2027])
def test_an_empty_template_of_any_round_reads_without_a_finding(round_):
    reading = read_workbook(
        made(round_=round_),
        file="mall.xlsx",
        sha256="",
        folder_round=round_,
        associations={"provdalen": ASSOCIATION},
        instrument=INSTRUMENT,
    )
    assert reading.findings == ()
    assert (reading.round, reading.association_id) == (round_, "provdalen")
    assert [a.insats_kod for a in reading.activities] == ["A1", "=1+1"]


def test_a_question_that_is_not_asked_any_more_has_no_column():
    ended = replace(INSTRUMENT.questions["staff_1a"], last_round=2026)
    later = replace(INSTRUMENT, questions={**INSTRUMENT.questions, "staff_1a": ended})
    data = template.template(ASSOCIATION, (), ROUND, later, is_synthetic=False)
    header = [c.value for c in openpyxl.load_workbook(io.BytesIO(data))["Personal"][1]]
    assert "staff_1a" not in header
    assert "staff_1c" in header


def test_the_readme_says_whose_it_is_what_to_do_and_until_when(book):
    page = book["Läs mig"]
    keys = {row[0].value: row[1].value for row in page.iter_rows(max_col=2)}
    assert (keys["Mätomgång"], keys["Layout"], keys["Förbund"]) == (ROUND, "2024", "provdalen")
    assert keys["Namn"] == "Samordningsförbundet Provdalen"
    assert keys["Skickas senast"] == "31 oktober 2027"
    told = " ".join(texts(page))
    for part in ("inga namn", "inga personnummer", "senast 31 oktober 2027", "skicka filen till"):
        assert part in told
    links = {c.hyperlink.location for row in page.iter_rows() for c in row if c.hyperlink}
    assert links == {f"'{title}'!A1" for title in ("Insatser", *SHEETS.values())}


def test_the_version_stands_in_a_cell_and_in_the_properties_and_follows_the_instrument(book):
    page = book["Läs mig"]
    keys = {row[0].value: row[1].value for row in page.iter_rows(max_col=2)}
    version = keys[template.VERSION_KEY]
    assert version.startswith("2027-")
    assert book.custom_doc_props[template.VERSION_KEY].value == version
    reworded = replace(INSTRUMENT.questions["staff_1a"], label_sv="En ny fråga")
    later = replace(INSTRUMENT, questions={**INSTRUMENT.questions, "staff_1a": reworded})
    assert template.version(ROUND, later) != version
    assert template.version(ROUND, INSTRUMENT) == version


def test_invented_data_is_called_invented_and_other_data_is_not(book):
    invented = openpyxl.load_workbook(io.BytesIO(made(is_synthetic=True)))
    assert any("påhittade" in text for text in texts(invented["Läs mig"]))
    assert not any("påhittade" in text for text in texts(book["Läs mig"]))


def test_activities_are_text_whatever_they_look_like_and_their_counts_are_empty(book):
    header, *rows = book["Insatser"].iter_rows(max_row=3)
    assert [[c.value for c in row[:4]] for row in rows] == [
        ["A1", "Navet", "individ", "kort"],
        ["=1+1", '=HYPERLINK("http://x.example")', "struktur", None],
    ]
    assert {c.data_type for row in rows for c in row if c.value} == {"s"}
    assert not any(c.value for row in rows for c in row[4:])
    assert sum(c.value.startswith("utdelade_") for c in header) == 4


def test_a_template_is_small_and_the_same_bytes_each_time():
    data = made()
    assert len(data) < 60_000
    assert made() == data
    assert len(made(tuple(Activity(f"A{n}", "Insats " * 5) for n in range(60)))) < 60_000


# --- what Excel lets people do ------------------------------------------------------------------


def test_what_is_filled_in_is_open_and_the_rest_is_locked(book):
    data = made()
    for number, title in enumerate(("Insatser", *SHEETS.values()), start=2):
        page = book[title]
        assert page.protection.sheet
        assert not page.protection.password
        assert not page.protection.sort
        assert not page.protection.autoFilter
        styles = styles_of_columns(data, number)
        assert sorted(styles) == list(range(1, page.max_column + 1))
        for style in styles.values():
            index = book._cell_styles[style].protectionId
            assert book._protections[index].locked is False
        n_head = 1 if title == "Insatser" else 2
        for row in page.iter_rows(max_row=n_head):
            assert all(c.protection.locked for c in row)
        carried = [c for row in page.iter_rows(min_row=n_head + 1) for c in row if c.value]
        assert len(carried) == (7 if title == "Insatser" else 0)
        assert not any(c.protection.locked for c in carried)
    assert book["Läs mig"].protection.sheet
    assert book["Listor"].protection.sheet


def test_every_question_is_a_dropdown_of_its_scale_in_words_and_codes(book):
    for questionnaire_id, title in SHEETS.items():
        page = book[title]
        for cell in page[1]:
            question = next(
                (q for q in seed_rows("questions") if q["question_id"] == cell.value), None
            )
            if question is None:
                continue
            rule, rows = validation_of(page, cell.column)
            scale = [s for s in seed_rows("scales") if s["scale_id"] == question["scale_id"]]
            assert question["questionnaire_id"] == questionnaire_id
            assert (rule.type, rows) == ("list", (3, 2 + PREPARED))
            offered = named(book, rule.formula1)
            assert offered[: len(scale)] == [f"{s['code']} {s['label_sv']}" for s in scale]
            assert set(offered) >= {int(s["code"]) for s in scale} | {s["label_sv"] for s in scale}
            assert question["label_sv"] in rule.prompt
            sentence = rules()["answer_unknown"].remedy_sv
            assert rule.error == sentence.format(wanted=", ".join(offered[: len(scale)]))


def test_gender_day_activity_and_counts_are_checked_while_somebody_types(book):
    page = book[SHEETS["participant_ending"]]
    kinds = {c.value: validation_of(page, c.column)[0] for c in page[1]}
    assert named(book, kinds["kon"].formula1) == ["K", "Kvinna", "M", "Man", "A", "Annat"]
    day = kinds["svarsdatum"]
    serial = {d: (d - date(1899, 12, 30)).days for d in (date(2027, 1, 1), date(2027, 12, 31))}
    assert (day.type, [int(day.formula1), int(day.formula2)]) == ("date", list(serial.values()))
    assert kinds["insats_kod"].formula1 == "lista_insatser"
    assert kinds["insats_kod"].allowBlank is False
    page = book["Insatser"]
    kinds = {c.value: validation_of(page, c.column)[0] for c in page[1]}
    assert named(book, kinds["inriktning"].formula1) == ["individ", "struktur"]
    assert (kinds["utdelade_staff"].type, kinds["utdelade_staff"].formula1) == ("whole", "0")


def test_every_checked_column_has_a_formula_for_pasted_cells_under_excel_s_old_limit(book):
    for title in SHEETS.values():
        page = book[title]
        coloured = {}
        for area in page.conditional_formatting:
            first, top, last, bottom = range_boundaries(str(area.sqref))
            assert (first, top, bottom) == (last, 3, 2 + PREPARED)
            coloured[first] = [rule.formula[0] for rule in area.rules]
        for cell in page[1]:
            n_rules = len(coloured.get(cell.column, ()))
            assert n_rules == (2 if cell.value in INSTRUMENT.questions else n_rules)
            assert n_rules or cell.value == "kommentar", get_column_letter(cell.column)
        assert max(len(f) for formulas in coloured.values() for f in formulas) <= 255


# --- activities carried over --------------------------------------------------------------------


class Zone:
    """A landing zone of invented data with two rounds, and what is loaded of it."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(folder / "raw", folder / "home")
        write_landing_zone(
            self.settings.raw, rounds=[2019, 2020], associations=4, questionnaires=20
        )
        self.register = register.read(self.settings.raw)

    def load(self) -> lake.Manifest:
        return loading.load(self.settings, [2019, 2020], INSTRUMENT, self.register).manifest

    def activities(self, association_id: str, round_: int) -> tuple[Activity, ...]:
        manifest = lake.read_manifest(self.settings)
        return template.activities_for(
            self.settings, manifest, self.register, association_id, round_
        )

    def delivered(self, association_id: str, round_: int) -> list[tuple[object, ...]]:
        """The activities as the workbook lists them."""
        path = self.settings.raw / str(round_) / f"{association_id}_{round_}.xlsx"
        rows = openpyxl.load_workbook(path)["Insatser"].iter_rows(min_row=2, max_col=4)
        return [tuple(c.value or "" for c in row) for row in rows if row[0].value]


@pytest.fixture
def zone(tmp_path) -> Zone:
    return Zone(tmp_path)


def plain(activities) -> list[tuple[str, str, str, str]]:
    return [(a.insats_kod, a.insats_namn, a.inriktning, a.langd) for a in activities]


def test_the_last_round_s_activities_come_along_with_their_names(zone):
    assert zone.activities("testskogen", 2027) == ()
    zone.load()
    carried = zone.activities("testskogen", 2027)
    assert plain(carried) == zone.delivered("testskogen", 2020)
    assert all(a.insats_namn for a in carried)
    assert not any(a.handed_out for a in carried)


def test_names_are_left_empty_when_the_file_is_gone_or_another(zone):
    zone.load()
    path = zone.settings.raw / "2020" / "testskogen_2020.xlsx"
    codes = [row[0] for row in zone.delivered("testskogen", 2020)]
    path.write_bytes(path.read_bytes() + b"\0")
    assert [(a.insats_kod, a.insats_namn) for a in zone.activities("testskogen", 2027)] == [
        (code, "") for code in codes
    ]
    path.unlink()
    assert [a.insats_kod for a in zone.activities("testskogen", 2027)] == codes


def test_only_rounds_before_count_and_the_latest_of_them(zone):
    path = zone.settings.raw / "2020" / "testskogen_2020.xlsx"
    book = openpyxl.load_workbook(path)
    book["Insatser"]["A2"] = "Ny1"
    book.save(path)
    zone.load()
    assert zone.activities("testskogen", 2019) == ()
    assert zone.activities("testskogen", 2020)[0].insats_kod == "A1"
    assert zone.activities("testskogen", 2021)[0].insats_kod == "Ny1"


def test_a_merged_association_begins_with_both_lists_and_each_code_once(zone):
    zone.load()
    merged = next(a for a in zone.register.associations if zone.register.predecessors(a))
    first, second = zone.register.predecessors(merged)
    carried = plain(zone.activities(merged, 2021))
    ones, others = (zone.delivered(a, 2020) for a in (first, second))
    own = [row[0] for row in ones]
    assert carried[: len(ones)] == ones
    assert [row[1:] for row in carried[len(ones) :]] == [row[1:] for row in others]
    assert [row[0] for row in carried[len(ones) :]] == [
        f"{row[0]}-2" if row[0] in own else row[0] for row in others
    ]
    assert any(row[0].endswith("-2") for row in carried)
    assert zone.activities(merged, 2020) == ()


def test_codes_that_collide_as_the_reader_compares_them_are_told_apart(zone):
    zone.load()
    codes = ["A1", "a1", "A1-2", "A1"]
    row = {"inriktning": None, "langd": "kort", "handed_out": {}}
    before = lake.read_manifest(zone.settings)
    other = [
        replace(d, activities=[{"insats_kod": c, **row} for c in codes], sha256="gone")
        if (d.association_id, d.round) == ("testskogen", 2020)
        else d
        for d in before.deliveries
    ]
    carried = template.activities_for(
        zone.settings, replace(before, deliveries=tuple(other)), zone.register, "testskogen", 2027
    )
    assert [a.insats_kod for a in carried] == ["A1", "a1-2", "A1-2-2", "A1-3"]


def test_the_last_round_s_categories_come_along_as_columns_that_the_reader_knows(zone):
    path = zone.settings.raw / "2020" / "testskogen_2020.xlsx"
    book = openpyxl.load_workbook(path)
    page = book["Insatser"]
    last = page.max_column
    for row, cells in enumerate([("Kategori_Målgrupp", "kategori"), ("Unga", None)], start=1):
        for column, cell in enumerate(cells, start=last + 1):
            page.cell(row, column, cell)
    page.cell(3, last + 2, "=1+1")
    page.cell(3, last + 2).data_type = "s"
    book.save(path)
    zone.load()
    carried = zone.activities("testskogen", 2027)
    assert [a.categories for a in carried[:2]] == [{"målgrupp": "Unga"}, {"kategori": "=1+1"}]
    data = made(carried)
    page = openpyxl.load_workbook(io.BytesIO(data))["Insatser"]
    added = [[c.value for c in row[last:]] for row in page.iter_rows(max_row=3)]
    assert added == [["kategori_målgrupp", "kategori"], ["Unga", None], [None, "=1+1"]]
    rule, rows = validation_of(page, last + 1)
    assert (rule.type, rule.operator, rule.formula1) == ("textLength", "lessThanOrEqual", "40")
    assert rows == (2, 1 + PREPARED)
    reading = read_workbook(
        data,
        file="mall.xlsx",
        sha256="",
        folder_round=2027,
        associations={"provdalen": ASSOCIATION},
        instrument=INSTRUMENT,
    )
    assert reading.findings == ()
    assert [a.categories for a in reading.activities] == [a.categories for a in carried]


# --- which files are written --------------------------------------------------------------------


def test_each_association_expected_gets_a_file_and_no_other(zone, tmp_path):
    zone.load()
    out = tmp_path / "mallar"
    written = template.write_templates(zone.settings, zone.register, 2027, out)
    expected = roster.expected_associations(zone.register, INSTRUMENT.rounds[2027])
    assert {p.name for p in out.iterdir()} == {f"{a.association_id}_2027.xlsx" for a in expected}
    assert sorted(written.new) == sorted(out.iterdir())
    assert written.is_loaded
    assert written.is_synthetic


def test_written_again_nothing_changes_and_a_filled_in_file_is_never_written_over(zone, tmp_path):
    out = tmp_path / "mallar"
    first = template.write_templates(zone.settings, zone.register, 2027, out)
    stamps = {p: p.stat().st_mtime_ns for p in out.iterdir()}
    again = template.write_templates(zone.settings, zone.register, 2027, out)
    assert (again.new, again.unchanged) == ((), first.new)
    assert {p: p.stat().st_mtime_ns for p in out.iterdir()} == stamps
    filled, gone = first.new[0], first.new[1]
    filled.write_bytes(filled.read_bytes() + b"answers")
    gone.unlink()
    digest = hashlib.sha256(filled.read_bytes()).hexdigest()
    with pytest.raises(template.TemplateError, match=f"{filled.name}.*inte skrivs över"):
        template.write_templates(zone.settings, zone.register, 2027, out)
    assert hashlib.sha256(filled.read_bytes()).hexdigest() == digest
    assert not gone.exists()


def test_what_cannot_be_is_refused_and_told_in_swedish(zone, tmp_path):
    def refused(words: str, out=tmp_path / "ut", registered=zone.register, **given) -> None:
        with pytest.raises(template.TemplateError, match=words):
            template.write_templates(zone.settings, registered, 2027, out, **given)

    ended = next(a for a in zone.register.associations.values() if a.agreement_to)
    odd = replace(ASSOCIATION, association_id="../utanför")
    refused("finns inte i registret", association_id="nagon")
    refused("har inget avtal som gäller i mätomgång 2027", association_id=ended.association_id)
    refused("läsas som inlämnade", out=zone.settings.raw / "2027")
    refused("saknas eller är tom", registered=replace(zone.register, associations={}))
    refused("kan inte bli ett filnamn", registered=replace(zone.register, associations={"x": odd}))
    assert not (tmp_path / "ut").exists()
    assert not (zone.settings.raw / "2027").exists()
