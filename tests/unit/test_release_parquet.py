"""The Parquet files of a release: typed, described, the same bytes each time."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from content import content
from readback import assert_same

from pipelines.release import parquet
from pipelines.release.table import SYNTHETIC_EN, SYNTHETIC_SV, Content

TYPES = {
    "text": "string",
    "integer": "int64",
    "decimal": "decimal128(9, 1)",
    "ratio": "decimal128(9, 2)",
    "date": "date32[day]",
}


@pytest.fixture(scope="module")
def made() -> Content:
    return content()


@pytest.fixture(scope="module")
def files(made: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    parquet.write(made, folder)
    return folder / "open" / "parquet"


def test_every_cell_of_every_table_is_read_back_equal(made: Content, files: Path) -> None:
    assert {path.stem for path in files.iterdir()} == set(made.tables)
    for name, table in made.tables.items():
        read = pq.read_table(files / f"{name}.parquet")
        columns = [column.to_pylist() for column in read.columns]
        assert_same(table, read.column_names, zip(*columns, strict=True))


def test_columns_have_the_type_of_their_kind_and_keys_no_blanks(made: Content, files: Path) -> None:
    for name, table in made.tables.items():
        schema = pq.read_schema(files / f"{name}.parquet")
        for column in table.columns:
            field = schema.field(column.name)
            assert str(field.type) == TYPES.get(column.kind, "bool")
            assert field.nullable == (column.name not in table.key)


def test_a_file_tells_what_it_and_its_columns_hold_in_both_languages(
    made: Content, files: Path
) -> None:
    table = made["measure_results"]
    schema = pq.read_schema(files / "measure_results.parquet")
    about = {k.decode(): v.decode() for k, v in schema.metadata.items()}
    assert (about["title_sv"], about["title_en"]) == (table.title_sv, table.title_en)
    assert (about["synthetic_sv"], about["synthetic_en"]) == (SYNTHETIC_SV, SYNTHETIC_EN)
    assert about["licence"] == made.publisher.licence_iri
    for column in table.columns:
        texts = schema.field(column.name).metadata
        assert texts[b"description_sv"].decode() == column.text_sv
        assert texts[b"description_en"].decode() == column.text_en


def test_only_invented_data_is_called_synthetic(tmp_path: Path) -> None:
    parquet.write(content(is_synthetic=False), tmp_path)
    schema = pq.read_schema(tmp_path / "open" / "parquet" / "rounds.parquet")
    assert not [key for key in schema.metadata if b"synthetic" in key]


def test_the_same_tables_give_the_same_bytes(files: Path, tmp_path: Path) -> None:
    parquet.write(content(), tmp_path)
    for path in files.iterdir():
        assert (tmp_path / "open" / "parquet" / path.name).read_bytes() == path.read_bytes()


def test_an_empty_table_keeps_its_columns(made: Content) -> None:
    table = replace(made["measure_results"], rows=())
    read = parquet.arrow(made, table)
    assert (read.num_rows, read.num_columns) == (0, len(table.columns))


@pytest.mark.parametrize("value", [Decimal("0.25"), "text"])
def test_a_value_that_is_not_of_its_kind_is_refused(made: Content, value: object) -> None:
    table = made["key_figures"]
    place = [column.name for column in table.columns].index("value")
    row = (*table.rows[0][:place], value, *table.rows[0][place + 1 :])
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        parquet.arrow(made, replace(table, rows=(row,)))


def test_a_blank_in_a_key_is_refused(made: Content, tmp_path: Path) -> None:
    table = replace(made["rounds"], rows=((None, None, None),))
    with pytest.raises(pa.ArrowInvalid, match="non-nullable"):
        parquet.write(replace(made, tables={"rounds": table}), tmp_path)
