"""What describes the CSV files: validators of both formats pass them and trip on faults."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import frictionless
import pytest
from content import content
from csvw import CSVW
from readback import assert_same

from pipelines.release import csvs, datapackage
from pipelines.release.table import SYNTHETIC_EN, SYNTHETIC_SV, Content, Table, Value


@pytest.fixture(scope="module")
def made() -> Content:
    return content()


@pytest.fixture(scope="module")
def described(made: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return describe(made, tmp_path_factory.mktemp("release"))


def describe(made: Content, folder: Path) -> Path:
    csvs.write(made, folder)
    datapackage.write(made, folder)
    return folder / "open"


def faults(described: Path) -> set[tuple[str, str]]:
    """What frictionless finds: the table and the kind of error."""
    report = frictionless.validate(str(described / "datapackage.json"))
    assert not report.errors
    return {(task.name, error.type) for task in report.tasks for error in task.errors}


def csvw_passes(described: Path) -> bool:
    try:
        return CSVW(str(described / "csv-metadata.json"), validate=True).is_valid
    except ValueError:
        return False


def package(described: Path) -> dict[str, Any]:
    return json.loads((described / "datapackage.json").read_text(encoding="utf-8"))


def without_apostrophe(value: Value) -> Value:
    return value[1:] if isinstance(value, str) and value[:1] == "'" else value


# --- what they read -----------------------------------------------------------------------------


def test_frictionless_validates_the_package_and_reads_every_cell_equal(
    made: Content, described: Path
) -> None:
    assert faults(described) == set()
    read = frictionless.Package(str(described / "datapackage.json"))
    assert read.resource_names == list(made.tables)
    for resource in read.resources:
        rows = [list(map(without_apostrophe, row.values())) for row in resource.read_rows()]
        assert_same(made[resource.name], resource.schema.field_names, rows)


def test_csvw_validates_the_tables_and_reads_every_cell_equal(
    made: Content, described: Path
) -> None:
    assert csvw_passes(described)
    read = CSVW(str(described / "csv-metadata.json")).tables
    for table, tabular in zip(made.tables.values(), read, strict=True):
        rows = [list(map(without_apostrophe, row.values())) for row in tabular.iterdicts()]
        names = [column.name for column in tabular.tableSchema.columns]
        assert_same(table, names, [list(map(as_date, row)) for row in rows])


def as_date(value: Any) -> Value:
    """csvw reads a date as midnight of it."""
    return value.date() if hasattr(value, "date") else value


def test_the_package_names_publisher_licence_source_and_texts(
    made: Content, described: Path
) -> None:
    read = package(described)
    assert read["licenses"][0]["path"] == made.publisher.licence_iri
    assert read["contributors"][0]["title"] == made.publisher.name
    assert read["sources"][0]["title"] == made.publisher.source
    for resource, table in zip(read["resources"], made.tables.values(), strict=True):
        assert resource["title"] == table.title_sv
        texts = [(f["title"], f["description"]) for f in resource["schema"]["fields"]]
        assert texts == [(column.text_sv, column.text_en) for column in table.columns]


def test_invented_data_is_called_synthetic_in_both(described: Path) -> None:
    read = package(described)
    assert read["synthetic"] is True
    assert SYNTHETIC_SV in read["title"]
    assert all(SYNTHETIC_EN in resource["description"] for resource in read["resources"])
    assert SYNTHETIC_EN in (described / "csv-metadata.json").read_text(encoding="utf-8")


def test_only_invented_data_is_called_synthetic(tmp_path: Path) -> None:
    described = describe(content(is_synthetic=False), tmp_path)
    for name in ("datapackage.json", "csv-metadata.json"):
        written = (described / name).read_text(encoding="utf-8").replace("is_synthetic", "")
        assert "synthetic" not in written


def test_the_same_tables_give_the_same_bytes(described: Path, tmp_path: Path) -> None:
    again = describe(content(), tmp_path)
    for name in ("datapackage.json", "csv-metadata.json"):
        assert (again / name).read_bytes() == (described / name).read_bytes()


# --- what they trip on --------------------------------------------------------------------------


def changed(table: Table, column: str, value: Value, row: int = -1) -> Table:
    """The table with one cell changed, in its last row unless another is asked for."""
    place = [c.name for c in table.columns].index(column)
    rows = list(table.rows)
    rows[row] = (*rows[row][:place], value, *rows[row][place + 1 :])
    return replace(table, rows=tuple(rows))


FAULTS: dict[str, tuple[str, str, Value, str]] = {
    "a share above 100": ("measure_results", "share", Decimal("100.1"), "constraint-error"),
    "a share below 0": ("measure_results", "share", Decimal("-0.1"), "constraint-error"),
    "a change below -100": ("measure_results", "change", Decimal("-100.1"), "constraint-error"),
    "a count below 0": ("measure_results", "n", -1, "constraint-error"),
    "an unknown gender": ("measure_results", "gender", "A", "constraint-error"),
    "an unknown level": ("measure_results", "level", "land", "constraint-error"),
    "an unknown status": ("measure_results", "status", "Missing", "constraint-error"),
    "a key without its table's row": ("measures", "indicator_id", "99", "foreign-key"),
    "a repeated key": ("measures", "measure_id", "1a", "primary-key"),
    "a blank in a key": ("indicator_results", "respondent_group", None, "constraint-error"),
}


@pytest.fixture(params=FAULTS.values(), ids=list(FAULTS))
def faulty(
    request: pytest.FixtureRequest, made: Content, tmp_path: Path
) -> Iterator[tuple[Path, str, str]]:
    """The description of a content with one fault, and where frictionless should see which."""
    name, column, value, error = request.param
    tables = {**made.tables, name: changed(made[name], column, value)}
    yield describe(replace(made, tables=tables), tmp_path), name, error


def test_frictionless_sees_a_fault(faulty: tuple[Path, str, str]) -> None:
    described, name, error = faulty
    assert (name, error) in faults(described)


def test_csvw_sees_a_fault(faulty: tuple[Path, str, str]) -> None:
    assert not csvw_passes(faulty[0])


def test_a_response_rate_may_be_above_100(made: Content, tmp_path: Path) -> None:
    table = changed(made["response_rates"], "response_rate", Decimal("104.0"))
    described = describe(replace(made, tables={**made.tables, table.name: table}), tmp_path)
    assert faults(described) == set()
    assert csvw_passes(described)


@pytest.mark.parametrize(("old", "new"), [(b"1850;1558", b"1850;1559"), (b"\r\n", b"\r\n\r\n")])
def test_a_file_changed_afterwards_is_not_the_one_described(
    old: bytes, new: bytes, made: Content, tmp_path: Path
) -> None:
    described = describe(made, tmp_path)
    path = described / "csv" / "measure_results.csv"
    path.write_bytes(path.read_bytes().replace(old, new))
    assert ("measure_results", "hash-count") in faults(described)


@pytest.mark.parametrize("target", [("nowhere", "measure_id"), ("measures", "no_column")])
def test_a_reference_to_what_is_not_released_is_refused(
    target: tuple[str, str], made: Content, tmp_path: Path
) -> None:
    table = replace(made["questions"], references={"measure_id": target})
    with pytest.raises(ValueError, match=r"questions\.measure_id refers to"):
        describe(replace(made, tables={**made.tables, "questions": table}), tmp_path)


def test_files_that_are_not_there_cannot_be_described(made: Content, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        datapackage.write(made, tmp_path)
