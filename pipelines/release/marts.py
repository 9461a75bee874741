"""What a release is made from: the analysts' marts of a round, and what dbt declares of them.

Belongs here: reading the snapshot, and from dbt's manifest which tables and columns are released
and how they are described. Does not: what may be shown (protected.py).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

from pipelines import database
from pipelines.release import counts
from pipelines.release.groups import Register
from pipelines.release.table import Column, Kind
from pipelines.settings import DBT_PROJECT

Record = Mapping[str, Any]
"""A row of a mart, by column."""

_STUDY = "register"
"""The kind of a questionnaire that is a register study."""

_EXPOSURE = "exposure.nns.open_data"
_DESCRIBED = re.compile(
    r"(?P<en>.*?) \| (?P<sv>.*?) Grain: a row per (?P<key>[^.|]+)\. \| En rad per [^.|]+\.$"
)
_KINDS: Mapping[str, Kind] = {
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DOUBLE": "decimal",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
}


@dataclass(frozen=True, slots=True)
class Declared:
    """A mart or seed as it is declared: what it is, and the columns that are released."""

    name: str
    title_sv: str
    title_en: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Marts:
    """The marts of one round.

    Attributes:
        is_synthetic: whether any of it is invented.
        declared: the released tables, in the order they are listed to readers.
        rows: all columns of their rows by table: of the round where they have one, else all.
        register: how units are made of each other.
        single: questionnaires that one known person of an association answers.
        notes: a column that only a release has → how it is described.
        z: the quantile of the standard normal distribution behind intervals and tests.
    """

    round: int
    is_synthetic: bool
    declared: tuple[Declared, ...]
    rows: Mapping[str, tuple[Record, ...]]
    register: Register
    single: frozenset[str]
    notes: Mapping[str, tuple[str, str]]
    z: Decimal


def read(snapshot: Path, manifest: Path, round_: int) -> Marts:
    """The marts of a round.

    Args:
        snapshot: the analysts' snapshot.
        manifest: dbt's manifest of the models it was built by.
        round_: the measurement round.

    Raises:
        duckdb.Error: the snapshot cannot be read or lacks a table.
    """
    made = json.loads(manifest.read_bytes())
    nodes = [made["nodes"][name] for name in made["exposures"][_EXPOSURE]["depends_on"]["nodes"]]
    with database.connect(snapshot, read_only=True) as connection:
        kinds = _kinds(connection)
        rows = {n["alias"]: _rows(connection, n["alias"], kinds, round_) for n in nodes}
    declared = tuple(_declared(node, kinds[node["alias"]]) for node in nodes)
    return Marts(
        round=round_,
        is_synthetic=any(row.get("is_synthetic") for found in rows.values() for row in found),
        declared=declared,
        rows=rows,
        register=_register(rows),
        single=frozenset(
            row["questionnaire_id"] for row in rows["questionnaires"] if row["one_per_association"]
        ),
        notes={
            name.rpartition(".col_")[2]: _both(block["block_contents"])
            for name, block in made["docs"].items()
            if ".col_" in name
        },
        z=Decimal(str(variables()["z"])),
    )


def variables() -> dict[str, Any]:
    """The variables of the dbt project: levels, genders and what all models count with."""
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(project["vars"])


def _kinds(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Kind]]:
    """The kind of each column by table."""
    kinds: dict[str, dict[str, Kind]] = defaultdict(dict)
    found = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where schema_name = 'marts' order by table_name, column_index"
    ).fetchall()
    for table, column, data_type in found:
        if data_type in _KINDS:
            kinds[table][column] = _KINDS[data_type]
    return kinds


def _rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    kinds: Mapping[str, Mapping[str, Kind]],
    round_: int,
) -> tuple[Record, ...]:
    names = list(kinds[table])
    of_round = next((name for name in ("round", "period") if name in names), None)
    where = f"where {of_round} = {int(round_)}" if of_round and table != "rounds" else ""
    columns = ", ".join(f'"{name}"' for name in names)
    query = f"select {columns} from marts.marts.{table} {where} order by all"  # noqa: S608 our own
    return tuple(dict(zip(names, row, strict=True)) for row in connection.execute(query).fetchall())


def _declared(node: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Declared:
    described = _DESCRIBED.match(" ".join(node["description"].split()))
    if not described:
        raise ValueError(f"{node['alias']} is not described in both languages with its grain")
    columns = tuple(
        Column(name, _kind(column, kinds[name]), *reversed(_both(column["description"])))
        for name, column in node["columns"].items()
        if _meta(column).get("released")
    )
    key = tuple(re.split(r", | and ", described["key"]))
    return Declared(node["alias"], described["sv"], described["en"], key, columns)


def _meta(column: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(column.get("config", {}).get("meta", {}))


def _kind(column: Mapping[str, Any], stored: Kind) -> Kind:
    """The kind of a released column: a double is in percent, or a ratio where its yml says so."""
    return "ratio" if _meta(column).get("is_ratio") else stored


def _both(description: str) -> tuple[str, str]:
    """A description in English and in Swedish."""
    english, _, swedish = " ".join(description.split()).partition(" | ")
    return english, swedish


def _register(rows: Mapping[str, Iterable[Record]]) -> Register:
    measures = list(rows["measure_results"])
    question_of = {
        (row["questionnaire_id"], row["measure_id"]): row["question_id"] for row in measures
    }
    asked = set(question_of.values())
    definitions = {row["kpi_id"]: row for row in rows["key_figure_definitions"]}
    thresholds: dict[str, int] = {}
    pools: dict[str, set[str]] = defaultdict(set)
    for row in rows["key_figures"]:
        kpi = definitions[row["kpi_id"]]
        question = question_of.get((kpi["questionnaire_id"], kpi["measure_id"]))
        if question:
            thresholds[question] = kpi["min_answers"]
        for association in row["association_ids"].split(","):
            pools[association].add(row["municipality_id"])
    groups: dict[str, list[str]] = defaultdict(list)
    for row in rows["activity_groups"]:
        groups[row["unit_id"]].append(row["group_id"])
    nations = (row["unit_id"] for row in _figures(rows) if row["level"] == "nation")
    return Register(
        nation=next(nations, ""),
        counties={row["association_id"]: f"00{row['county_code']}" for row in rows["associations"]},
        groups={unit: tuple(of_unit) for unit, of_unit in groups.items()},
        pools={association: tuple(sorted(units)) for association, units in pools.items()},
        thresholds=thresholds,
        bases={
            row["question_id"]: row["base_question_id"]
            for row in rows["questions"]
            if row["base_question_id"] in asked
        }
        | dict(counts.BASES),
        outside=frozenset(
            row["association_id"] for row in rows["associations"] if not row["in_nation"]
        ),
        projects=counts.projects(rows["extra_results"]),
        studies={
            row["question_id"]: row["questionnaire_id"]
            for row in measures
            if row["questionnaire_id"] in studies(rows["questionnaires"])
        },
    )


def studies(questionnaires: Iterable[Record]) -> frozenset[str]:
    """The questionnaires that are none: register studies, which ask nobody."""
    return frozenset(row["questionnaire_id"] for row in questionnaires if row["kind"] == _STUDY)


def _figures(rows: Mapping[str, Iterable[Record]]) -> Iterator[Record]:
    return (row for name in ("measure_results", "outcomes") for row in rows[name])
