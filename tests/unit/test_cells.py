"""What one cell means: every accepted form, every refused one, and the address of a cell."""

import unicodedata
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from pipelines import instrument as instruments
from pipelines.workbook.cells import (
    address,
    answer_kind,
    blank,
    column_letters,
    count_kind,
    date_kind,
    normalised,
    plain_text,
    spelling_kind,
    text_kind,
    typed,
)

INSTRUMENT = instruments.load()
NONE = frozenset()
FREQUENCY = answer_kind(INSTRUMENT.scales["frequency6"], NONE)  # 4 Ofta
EXTENT = answer_kind(INSTRUMENT.scales["extent6"], NONE)  # 3 Delvis
GENDER = spelling_kind(INSTRUMENT.spellings["kon"], "kon_unknown")
DAY = date_kind(date(2024, 9, 16))
BLANKS = ("", " ", "\t\n", "\u00a0", "\u200b", "\ufeff \u2003")

REFUSED = object()


def understood(cells, kind):
    """The cells' values and the positions of those refused, as lists."""
    values, unknown = typed(cells, kind)
    return list(values), unknown


def read(cell, kind):
    """The cell's value, or REFUSED."""
    [value], unknown = typed([cell], kind)
    assert unknown in ([], [0])
    if unknown:
        assert value == kind.blank
    return REFUSED if unknown else value


@pytest.mark.parametrize(
    "cell",
    [3, 3.0, "3", " 3 ", "\u00a03\u00a0", "3\u200b", "\ufeff3"]
    + ["Delvis", "delvis", "DELVIS", " delvis ", "\u00a0Delvis", "Del\u00advis", "De\u200blvis"]
    + ["3 Delvis", "3  delvis", "3\u00a0Delvis", "3\tDELVIS", "3\nDelvis"],
)
def test_an_answer_is_a_code_a_label_or_both(cell):
    assert read(cell, EXTENT) == 3


@pytest.mark.parametrize(
    "cell",
    [0, 7, -3, 3.5, 1e300, float("inf"), float("nan"), True, False]
    + ["0", "7", "03", "3.0", "3,0", "3.", "+3", "-3", "3 3", "33", "1e0", "true", "SANT"]
    + ["３", "³", "٣", "③", "Ⅲ", "３ Delvis", "³ Delvis", "三"]  # NFKC would read the first two
    + ["3 Ofta", "4 Delvis", "Delvis 3", "3Delvis", "3-Delvis", "3. Delvis", "(3)"]
    + ["Delviss", "Delvi", "Ofta", "Delvis Delvis", "?", "-", "x", "#REF!", "Delvis/Ofta"]
    + [date(1900, 1, 3), datetime(2024, 3, 1), time(3), timedelta(3)],
)
def test_anything_else_is_no_answer(cell):
    assert read(cell, EXTENT) is REFUSED


@pytest.mark.parametrize("cell", BLANKS)
@pytest.mark.parametrize(
    ("kind", "empty"),
    [(EXTENT, 0), (GENDER, None), (DAY, None), (count_kind(), None), (text_kind(), None)],
)
def test_a_blank_cell_is_nothing_and_no_finding(cell, kind, empty):
    assert read(cell, kind) == empty
    assert blank(cell)


@pytest.mark.parametrize("scale", INSTRUMENT.scales.values())
def test_every_code_and_label_of_every_scale_is_understood_however_it_is_composed(scale):
    kind = answer_kind(scale, NONE)
    for code in scale:
        for form in ("NFC", "NFD"):
            label = unicodedata.normalize(form, code.label_sv)
            cells = [float(code.code), str(code.code), label, f"{code.code} {label}"]
            assert understood(cells, kind) == ([code.code] * 4, [])
        assert f"{code.code} {code.label_sv}" in kind.wanted


def test_a_boolean_is_refused_even_after_the_number_it_equals_was_understood():
    kind = answer_kind(INSTRUMENT.scales["yesno"], NONE)
    assert understood([1.0, True, 2.0, False, 1.0], kind) == ([1, 0, 2, 0, 1], [1, 3])
    assert understood([True], kind) == ([0], [0])
    assert understood([1.0], kind) == ([1], [])
    assert understood([True, 1.0, 0.0, False], text_kind()) == (["True", "1", "0", "False"], [])


@given(
    st.lists(
        st.sampled_from([1.0, 2.0, 9.0, "", " ", "Ofta", "3 Ibland", "3 Ofta", "fem", True, "4"])
    )
)
def test_cells_typed_together_become_what_each_becomes_alone(cells):
    alone = [understood([cell], FREQUENCY) for cell in cells]
    values, unknown = understood(cells, FREQUENCY)
    assert values == [value for [value], _ in alone]
    assert unknown == [k for k, (_, refused) in enumerate(alone) if refused]


@given(st.text(max_size=12) | st.floats() | st.booleans() | st.dates() | st.times())
def test_whatever_is_in_a_cell_an_answer_is_a_code_of_its_scale_or_refused(cell):
    value = read(cell, FREQUENCY)
    if value is not REFUSED and not blank(cell):
        code = next(c for c in INSTRUMENT.scales["frequency6"] if c.code == value)
        label = normalised(code.label_sv)
        assert plain_text(cell).isascii() or normalised(cell).endswith(label)
        assert normalised(cell) in (str(value), label, f"{value} {label}")


@given(st.text() | st.floats() | st.booleans() | st.dates() | st.datetimes() | st.timedeltas())
def test_no_kind_of_column_raises_on_any_cell(cell):
    for kind in (EXTENT, GENDER, DAY, count_kind(), text_kind()):
        value = read(cell, kind)
        assert value is REFUSED or value is None or isinstance(value, int | str | date)


def test_cells_are_forgotten_when_too_many_were_seen(monkeypatch):
    monkeypatch.setattr("pipelines.workbook.cells._MOST_SEEN", 10)
    kind = answer_kind.__wrapped__(INSTRUMENT.scales["yesno"], NONE)
    for number in range(100):
        assert understood([float(number), 2.0], kind)[0] == [number if number in (1, 2) else 0, 2]
        assert len(kind.seen) < 15


@pytest.mark.parametrize(
    ("cell", "gender"),
    [("K", "K"), ("k", "K"), (" Kvinna ", "K"), ("KVINNA", "K"), ("M", "M"), ("man", "M")]
    + [("A", "A"), ("annat", "A"), ("Ｋ", "K")]
    + [(c, REFUSED) for c in ("Kv", "Kvinnor", "F", "Male", "1", 1.0, True, "K/M", "Man Kvinna")],
)
def test_gender_is_a_letter_or_a_word(cell, gender):
    assert read(cell, GENDER) == gender


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (date(2024, 9, 20), date(2024, 9, 20)),
        (datetime(2024, 9, 20, 13, 45), date(2024, 9, 20)),
        ("2024-09-20", date(2024, 9, 20)),
        (" 2024-09-20\u00a0", date(2024, 9, 20)),
    ]
    + [
        (cell, REFUSED)
        for cell in ("2024-13-01", "2024-02-30", "20/9 2024", "20.9.2024", "i går", "2024-09-20 10")
        + (45555.0, 20240920.0, True, time(9), timedelta(1), "2024-9-20", "２０２４-09-20")
    ],
)
def test_a_date_is_a_date_cell_or_a_text_with_year_month_day(cell, day):
    assert read(cell, DAY) == day


@pytest.mark.parametrize(
    ("cell", "count"),
    [(0.0, 0), (12.0, 12), (12, 12), ("12", 12), (" 0 ", 0), ("12\u00a0", 12)]
    + [(c, REFUSED) for c in (-1.0, "-1", 2.5, "12.0", "1 200", "cirka 12", "٣", "²", True, 1e12)]
    + [(float("inf"), REFUSED), (date(2024, 1, 1), REFUSED)],
)
def test_a_count_is_a_whole_number_from_zero(cell, count):
    assert read(cell, count_kind()) == count


@pytest.mark.parametrize(
    ("cell", "text"),
    [(3.0, "3"), (3, "3"), (2.5, "2.5"), (" A-17\u200b ", "A-17"), (True, "True"), ("007", "007")],
)
def test_a_text_keeps_what_a_person_sees(cell, text):
    assert read(cell, text_kind()) == text


@pytest.mark.parametrize(
    ("row", "column", "name"),
    [(1, 0, "A1"), (1, 25, "Z1"), (1, 26, "AA1"), (7, 701, "ZZ7"), (7, 702, "AAA7")]
    + [(1048576, 16383, "XFD1048576")],
)
def test_an_address_is_as_excel_names_the_cell(row, column, name):
    assert address(row, column) == name


@given(st.integers(0, 16383))
def test_a_columns_letters_are_those_of_openpyxl(column):
    assert column_letters(column) == get_column_letter(column + 1)
