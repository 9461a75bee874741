"""Menade du Ofta? A suggestion comes only when one accepted value is clearly near."""

import pytest

from pipelines import instrument
from pipelines.findings import Finding, finding
from pipelines.lake import Delivery
from pipelines.receipts.suggest import nearest, suggestion
from pipelines.register import Association

INSTRUMENT = instrument.load()
ASSOCIATIONS = {
    "norra-provdalen": Association("norra-provdalen", "Förbundet Norra Provdalen", "01", None, None)
}
FREQUENCY = ["Aldrig", "Sällan", "Ibland", "Ofta", "För det mesta", "Alltid"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Oftaa", "Ofta"),
        ("ofat", "Ofta"),  # neighbours swapped
        (" OFFTA ", "Ofta"),
        ("Sällen", "Sällan"),
        ("Altid", "Alltid"),
        ("För det messta", "För det mesta"),
        ("Förr det messta", "För det mesta"),
    ],
)
def test_a_slip_is_recognised(given: str, meant: str) -> None:
    assert nearest(given, FREQUENCY) == meant


@pytest.mark.parametrize("given", ["", "9", "Ibl", "Ofta igen", "Vet inte", "3 Ofta", "=1+2"])
def test_what_is_not_clearly_near_is_not_guessed(given: str) -> None:
    assert nearest(given, FREQUENCY) is None


def test_two_values_equally_near_are_not_guessed_between() -> None:
    assert nearest("Insats C", ["Insats A", "Insats B"]) is None


def test_another_digit_is_another_code_and_no_slip() -> None:
    assert nearest("A13", ["A12", "B7"]) is None
    assert nearest("AA12", ["A12", "B7"]) == "A12"


def test_letters_are_never_guessed() -> None:
    assert nearest("F", ["K", "M", "A"]) is None


def _delivery() -> Delivery:
    activities = [{"insats_kod": "VÄGEN"}, {"insats_kod": "STEGET"}]
    empty: dict[str, int] = {}
    return Delivery("f.xlsx", "0", 2026, 0, 0, "sof", "2024", "loaded", empty, empty, activities)


def _finding(rule: str, value: str, question: str = "", sheet: str = "") -> Finding:
    sheet = sheet or "Deltagare pågående"
    return finding(rule, file="f.xlsx", sheet=sheet, cell="B8", question=question, value=value)


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        (_finding("answer_unknown", "Oftaa", "ongoing_1a"), "Ofta"),
        (_finding("answer_unknown", "4 Oftaa", "ongoing_1a"), "4 Ofta"),
        (_finding("answer_unknown", "Delvist", "ongoing_5a"), "Delvis"),
        (_finding("answer_unknown", "Oftaa", "ongoing_5a"), None),  # not on that scale
        (_finding("answer_unknown", "Oftaa", "unknown"), None),
        (_finding("kon_unknown", "Kvina", "kon"), "Kvinna"),
        (_finding("category_unknown", "indvid", "inriktning", "Insatser"), "individ"),
        (_finding("activity_unknown", "VÄGGEN", "insats_kod"), "VÄGEN"),
        (_finding("column_unknown", "svarsdatumm"), "svarsdatum"),
        (_finding("column_unknown", "Stödet är till stor nytta"), "ongoing_1a"),  # its label
        (_finding("activity_column_unknown", "lngd", sheet="Insatser"), "langd"),
        (_finding("association_unknown", "NORRA-PROVDALLEN", "Förbund"), "norra-provdalen"),
        (_finding("association_unknown", "förbundet norra provdalen"), "norra-provdalen"),
        (_finding("association_unknown", ""), None),
        (_finding("sheet_unknown", "", sheet="Personall"), "Personal"),
        (_finding("date_unknown", "Ofta", "svarsdatum"), None),
        (_finding("answer_unknown", "(dolt)", "ongoing_1a"), None),
        (_finding("answer_unknown", "Ofta" * 11, "ongoing_1a"), None),
    ],
)
def test_what_is_accepted_comes_from_the_instrument_and_the_workbook(
    found: Finding, meant: str | None
) -> None:
    assert suggestion(found, _delivery(), INSTRUMENT, ASSOCIATIONS) == meant
