"""What a release changed: exactly the cells that differ in the files, and the right reason."""

import csv
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from content import content
from released import with_cells, with_rows

from pipelines.release import csvs, parquet
from pipelines.release.changes import (
    OTHER_ROUND,
    OUTCOMES,
    REGISTER,
    SECRECY,
    Change,
    Deliveries,
    changes,
)
from pipelines.release.table import BRACKET, HIDDEN, SHOWN, Content

BOTH = {"exempelbygden": frozenset("e"), "ovrebygd": frozenset("o")}
OWN = {"level": "association", "unit_id": "exempelbygden", "measure_id": "1a", "gender": "T"}
OWN_KEY = "measure_results/2026/association/exempelbygden/participant_ending/1a/T"
NATION = {"level": "nation", "measure_id": "1a", "gender": "T"}
CORRECTED = {"n_positive": 34, "share": Decimal("85.0")}


def changed(
    folder: Path,
    old: Content,
    new: Content,
    before: Deliveries = BOTH,
    now: Deliveries = BOTH,
) -> tuple[Change, ...]:
    """The changes from one content, released, to another."""
    parquet.write(old, folder)
    return changes(folder, new, before, now)


def reasons(found: tuple[Change, ...]) -> dict[str, str]:
    """The reasons by the column of the change."""
    return {change.key.rpartition("/")[2]: change.reason for change in found}


def test_a_correction_is_the_changed_cells_and_no_others(tmp_path: Path) -> None:
    new = with_cells(content(), "measure_results", OWN, **CORRECTED)
    now = {**BOTH, "exempelbygden": frozenset("f")}
    assert changed(tmp_path, content(), new, now=now) == (
        (f"{OWN_KEY}/n_positive", 35, 34, "ersatt leverans: exempelbygden"),
        (f"{OWN_KEY}/share", Decimal("87.5"), Decimal("85.0"), "ersatt leverans: exempelbygden"),
    )


def test_nothing_changed_is_no_change(tmp_path: Path) -> None:
    assert changed(tmp_path, content(), content()) == ()


def test_changes_are_what_differs_between_the_csv_files(tmp_path: Path) -> None:
    """The truth is read from the files of both releases, by another reader."""
    old, new = content(), content()
    new = with_cells(new, "measure_results", OWN, **CORRECTED)
    new = with_cells(new, "measure_results", {"level": "county"}, status=HIDDEN, n=None, share=None)
    new = with_cells(new, "key_figures", {"municipality_id": "2084"}, status=SHOWN, count=7)
    new = with_cells(new, "counties", {"county_code": "25"}, county_name="Norrland; län")
    new = with_cells(new, "rounds", {}, closes=None)
    new = with_cells(new, "measure_results", {"level": "nation", "gender": "M"}, comparable=False)
    rows = [r for r in new["response_rates"].records() if r["unit_id"] != "ovrebygd"]
    late = {**rows[0], "unit_id": "sentbygden", "response_rate": Decimal("7.0")}
    new = with_rows(new, "response_rates", [*rows, late])
    for name, made in (("old", old), ("new", new)):
        csvs.write(made, tmp_path / name)
    csvs.write_csv(tmp_path / "CHANGES.csv", Change._fields, changed(tmp_path / "old", old, new))
    told = {
        row["key"]: (row["old"], row["new"])
        for row in _rows(tmp_path / "CHANGES.csv")
    }  # fmt: skip
    assert told == _differences(tmp_path, new)
    assert len(told) == 26  # 2 + 6 + 4 + 1 + 1 + 3 + 4 that went + 5 that came


def _differences(folder: Path, made: Content) -> dict[str, tuple[str, str]]:
    found = {}
    for name, table in made.tables.items():
        cells: list[dict[str, str]] = [
            {
                "/".join([name, *(row[k] for k in table.key), column]): text
                for row in _rows(folder / release / "open" / "csv" / f"{name}.csv")
                for column, text in row.items()
                if column not in table.key
            }
            for release in ("old", "new")
        ]
        for key in cells[0].keys() | cells[1].keys():
            old, new = (c.get(key, "") for c in cells)
            if old != new:
                found[key] = (old, new)
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ({"ovrebygd": frozenset("o")}, BOTH, "ny leverans: exempelbygden"),
        (BOTH, {**BOTH, "exempelbygden": frozenset("eg")}, "ersatt leverans: exempelbygden"),
        (
            BOTH,
            {"ovrebygd": frozenset("o")},
            "återkallad eller borttagen leverans: exempelbygden",
        ),
        (BOTH, {**BOTH, "ovrebygd": frozenset("p")}, REGISTER),
        (BOTH, {"exempelbygden": frozenset("e")}, REGISTER),
    ],
)
def test_an_associations_figures_change_with_its_own_delivery(
    tmp_path: Path, before: Deliveries, now: Deliveries, reason: str
) -> None:
    for level in (OWN, {"level": "activity", "unit_id": "exempelbygden/A1", "gender": "T"}):
        new = with_cells(content(), "measure_results", level, n=77)
        assert reasons(changed(tmp_path, content(), new, before, now)) == {"n": reason}


def test_an_activity_comes_with_its_associations_delivery(tmp_path: Path) -> None:
    new = with_cells(content(), "activities", {"unit_id": "exempelbygden/A2"}, langd="lång")
    now = {**BOTH, "exempelbygden": frozenset("f")}
    found = changed(tmp_path, content(), new, now=now)
    assert reasons(found) == {"langd": "ersatt leverans: exempelbygden"}


def test_figures_of_many_tell_all_whose_deliveries_changed(tmp_path: Path) -> None:
    before = {"borta": frozenset("b"), "exempelbygden": frozenset("e")}
    now = {"exempelbygden": frozenset("f"), "ovrebygd": frozenset("o"), "annan": frozenset("a")}
    why = (
        "ny leverans: annan, ovrebygd; ersatt leverans: exempelbygden; "
        "återkallad eller borttagen leverans: borta"
    )
    for table, where in (
        ("measure_results", NATION),
        ("measure_results", {"level": "activity_group"}),
        ("national_results", {"figure_id": "1a"}),
    ):
        new = with_cells(content(), table, where, n=77)
        assert set(reasons(changed(tmp_path, content(), new, before, now)).values()) == {why}


def test_a_county_tells_only_of_its_associations(tmp_path: Path) -> None:
    new = with_cells(content(), "measure_results", {"level": "county"}, n=77)
    now = {**BOTH, "annan": frozenset("a"), "ovrebygd": frozenset("p")}
    found = changed(tmp_path, content(), new, now=now)
    assert reasons(found) == {"n": "ersatt leverans: ovrebygd"}


def test_a_county_tells_of_an_association_that_is_no_longer_there(tmp_path: Path) -> None:
    new = with_cells(content(), "measure_results", {"level": "county"}, n=77)
    left = [r for r in new["associations"].records() if r["association_id"] != "ovrebygd"]
    new = with_rows(new, "associations", left)
    found = changed(tmp_path, content(), new, now={"exempelbygden": frozenset("e")})
    [county] = {change.reason for change in found if "/county/" in change.key}
    assert county == "återkallad eller borttagen leverans: ovrebygd"


def test_a_key_figure_tells_only_of_the_associations_it_is_pooled_from(tmp_path: Path) -> None:
    now = {**BOTH, "ovrebygd": frozenset("p")}
    for municipality, reason in (
        ("0114", REGISTER),
        ("0180", "ersatt leverans: ovrebygd"),
        ("2084", "ersatt leverans: ovrebygd"),
    ):
        new = with_cells(content(), "key_figures", {"municipality_id": municipality}, count=9)
        assert reasons(changed(tmp_path, content(), new, now=now)) == {"count": reason}


def test_a_membership_that_ended_tells_of_the_association_that_was_there(tmp_path: Path) -> None:
    where = {"municipality_id": "0180"}
    new = with_cells(content(), "key_figures", where, association_ids="exempelbygden", count=9)
    now = {"exempelbygden": frozenset("e")}
    told = set(reasons(changed(tmp_path, content(), new, now=now)).values())
    assert told == {"återkallad eller borttagen leverans: ovrebygd"}


def test_more_than_a_few_associations_are_counted(tmp_path: Path) -> None:
    new = with_cells(content(), "measure_results", NATION, n=77)
    now = {**BOTH, **{f"sen{i}": frozenset("s") for i in range(7)}}
    found = changed(tmp_path, content(), new, now=now)
    assert reasons(found) == {"n": "ny leverans: sen0, sen1, sen2, sen3, sen4 och 2 till"}


def test_hiding_alone_is_secrecy(tmp_path: Path) -> None:
    figures = "n n_positive share ci_low ci_high comparable previous_round share_previous change"
    hidden: dict[str, Any] = dict.fromkeys([*figures.split(), "change_significant", "target_share"])
    new = with_cells(content(), "measure_results", OWN, status=HIDDEN, **hidden)
    for name, (old, later) in {
        "hidden": (content(), new),
        "shown": (new, content()),
    }.items():
        told = reasons(changed(tmp_path / name, old, later))
        assert told.keys() == hidden.keys() | {"status"}
        assert set(told.values()) == {SECRECY}


def test_what_is_hidden_is_not_compared_either(tmp_path: Path) -> None:
    new = with_cells(content(), "measure_results", OWN, status=HIDDEN, n=None, comparable=False)
    assert set(reasons(changed(tmp_path, content(), new)).values()) == {SECRECY}


def test_a_figure_that_changed_beside_its_status_is_not_secrecy(tmp_path: Path) -> None:
    new = with_cells(content(), "measure_results", OWN, status=BRACKET, n=41, share=None)
    assert set(reasons(changed(tmp_path, content(), new)).values()) == {REGISTER}


def test_a_figure_that_came_while_its_row_was_shown_is_not_secrecy(tmp_path: Path) -> None:
    new = with_cells(content(), "response_rates", {"level": "nation"}, response_rate=None)
    assert reasons(changed(tmp_path, content(), new)) == {"response_rate": REGISTER}


def test_an_earlier_rounds_share_is_that_rounds_publication(tmp_path: Path) -> None:
    cells = {"share_previous": Decimal("80.0"), "change": Decimal("7.5")}
    new = with_cells(content(), "measure_results", OWN, **cells)
    for now in (BOTH, {**BOTH, "exempelbygden": frozenset("f")}):
        found = changed(tmp_path, content(), new, now=now)
        assert reasons(found) == dict.fromkeys(cells, OTHER_ROUND)


def test_a_change_is_the_own_deliverys_where_its_figures_changed(tmp_path: Path) -> None:
    new = with_cells(content(), "measure_results", OWN, **CORRECTED, change=Decimal("0.9"))
    now = {**BOTH, "exempelbygden": frozenset("f")}
    told = reasons(changed(tmp_path, content(), new, now=now))
    assert told == dict.fromkeys([*CORRECTED, "change"], "ersatt leverans: exempelbygden")


def test_no_longer_comparable_with_the_same_round_is_the_instrument(tmp_path: Path) -> None:
    cells = {"comparable": False, "share_previous": None, "change": None}
    new = with_cells(content(), "measure_results", OWN, **cells)
    assert reasons(changed(tmp_path, content(), new)) == dict.fromkeys(cells, REGISTER)
    new = with_cells(new, "measure_results", OWN, previous_round=None)
    cells = {**cells, "previous_round": None}
    assert reasons(changed(tmp_path, content(), new)) == dict.fromkeys(cells, OTHER_ROUND)


def test_a_target_is_the_registers_whatever_was_delivered(tmp_path: Path) -> None:
    new = with_cells(content(), "measure_results", OWN, target_share=Decimal("90.0"), **CORRECTED)
    now = {**BOTH, "exempelbygden": frozenset("f")}
    assert reasons(changed(tmp_path, content(), new, now=now))["target_share"] == REGISTER


def test_a_fact_of_the_instrument_is_none_of_a_delivery(tmp_path: Path) -> None:
    new = with_cells(content(), "measures", {"measure_id": "1a"}, label_sv="Ny lydelse")
    new = with_cells(new, "associations", {"county_code": "01"}, association_name="Nytt namn")
    now: Mapping[str, frozenset[str]] = {"annan": frozenset("a")}
    assert set(reasons(changed(tmp_path, content(), new, now=now)).values()) == {REGISTER}


def test_a_table_that_is_no_longer_released_is_told(tmp_path: Path) -> None:
    tables = {name: table for name, table in content().tables.items() if name != "rounds"}
    new = Content(2026, True, content().publisher, tables)
    assert changed(tmp_path, content(), new) == (("rounds", 1, None, REGISTER),)
    assert len(changed(tmp_path / "new", new, content())) == 2


@pytest.mark.parametrize(
    ("table", "where", "cell"),
    [
        ("outcomes", {"unit_id": "exempelbygden", "gender": "T"}, {"positive": 24}),
        ("measure_results", {"measure_id": "11b", "unit_id": "exempelbygden"}, {"n": 53}),
    ],
)
def test_outcomes_and_register_studies_rest_on_no_delivery(
    table: str, where: dict[str, object], cell: dict[str, object], tmp_path: Path
) -> None:
    new = with_cells(content(), table, where, **cell)
    now = {**BOTH, "exempelbygden": frozenset("f")}
    found = reasons(changed(tmp_path, content(), new, now=now))
    assert set(found.values()) == {OUTCOMES}


def test_what_is_held_against_a_target_alone_is_the_registers(tmp_path: Path) -> None:
    target = {"target_share": Decimal("90.0"), "distance": Decimal("-2.5"), "reached": "reached"}
    new = with_cells(content(), "measure_results", OWN, **target)
    now = {**BOTH, "exempelbygden": frozenset("f")}
    found = reasons(changed(tmp_path, content(), new, now=now))
    assert found == {"target_share": REGISTER, "distance": REGISTER, "reached": REGISTER}
