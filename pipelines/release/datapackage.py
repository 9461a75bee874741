"""The description of the open CSV files that machines read: Frictionless Data Package and CSVW.

Belongs here: both descriptions, made of the same facts about each column. Does not: the files that
they describe, which are there already (csvs.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.release import csvs
from pipelines.release.groups import PROJECT
from pipelines.release.table import SYNTHETIC_EN, SYNTHETIC_SV, Column, Content, Kind, Table
from pipelines.settings import DBT_PROJECT

_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_CSVW = "http://www.w3.org/ns/csvw"
_INERT_SV = "En text som börjar som en formel har en apostrof framför sig."
_INERT_EN = "A text that begins as a formula does has an apostrophe before it."
_PERCENT = {"minimum": 0, "maximum": 100}
_LIMITS: Mapping[Kind, Mapping[str, int]] = {"integer": {"minimum": 0}, "ratio": {"maximum": 1}}
_DIFFERENCE = {"minimum": -100, "maximum": 100}
_OTHER_LIMITS: Mapping[str, Mapping[str, int]] = {
    "change": _DIFFERENCE,  # of shares
    "distance": _DIFFERENCE,
    "response_rate": {"minimum": 0},  # more may come back than was said to be handed out
}
"""Of the decimals, which are percent all of them, those that are no shares."""

Json = dict[str, Any]


def write(content: Content, folder: Path) -> None:
    """Writes `open/datapackage.json` and `open/csv-metadata.json`; the CSV files lie there already.

    Raises:
        OSError: a CSV file is missing, or a file cannot be written.
        ValueError: a table refers to a column that is not in the content.
    """
    described = folder / "open"
    _refuse_loose_ends(content)
    codes = _codes(content)
    _write_json(described / "datapackage.json", _package(content, codes, described))
    _write_json(described / "csv-metadata.json", _table_group(content, codes))


def _write_json(path: Path, value: Json) -> None:
    path.write_bytes(json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")


# --- what both say ------------------------------------------------------------------------------


def _refuse_loose_ends(content: Content) -> None:
    columns = {name: {c.name for c in table.columns} for name, table in content.tables.items()}
    for name, table in content.tables.items():
        for column, (target, found_in) in table.references.items():
            if found_in not in columns.get(target, ()):
                raise ValueError(f"{name}.{column} refers to {target}.{found_in}: not released")


def _codes(content: Content) -> dict[str, list[str]]:
    """The columns with a fixed set of codes, whichever table they are in."""
    import yaml

    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    statuses = [str(row["status"]) for row in content["statuses"].records()]
    return {
        "level": [*project["vars"]["levels"], PROJECT],
        "gender": project["vars"]["genders"],
        "status": statuses,
        "status_active": statuses,
    }


def _limits(column: Column) -> Mapping[str, int]:
    """The least and the greatest value of a column of numbers."""
    if column.kind == "decimal":
        return _OTHER_LIMITS.get(column.name, _PERCENT)
    return _LIMITS.get(column.kind, {})


def _is_never_missing(column: Column, codes: Mapping[str, Sequence[str]]) -> bool:
    """Whether an empty cell is a code: the status of a figure that is shown."""
    return "" in codes.get(column.name, ())


def _with_note(text: str, note: str, content: Content) -> str:
    return f"{text} {note}" if content.is_synthetic else text


# --- Frictionless Data Package v2 ---------------------------------------------------------------


def _package(content: Content, codes: Mapping[str, Sequence[str]], folder: Path) -> Json:
    publisher = content.publisher
    title = f"{publisher.source}, {content.round}"
    package = {
        "$schema": _PROFILE,
        "name": f"nns_indikatorer_{content.round}",
        "title": _with_note(title, SYNTHETIC_SV, content),
        "description": _with_note(f"{_INERT_SV} {_INERT_EN}", SYNTHETIC_EN, content),
        "homepage": publisher.homepage,
        "licenses": [{"path": publisher.licence_iri, "title": publisher.licence_name}],
        "sources": [{"title": publisher.source, "path": publisher.homepage}],
        "contributors": [
            {
                "title": publisher.name,
                "path": publisher.homepage,
                "email": publisher.mail,
                "roles": ["publisher"],
            }
        ],
        "resources": [
            _resource(content, table, codes, folder) for table in content.tables.values()
        ],
    }
    return package | {"synthetic": True} if content.is_synthetic else package


def _resource(
    content: Content, table: Table, codes: Mapping[str, Sequence[str]], folder: Path
) -> Json:
    path = csvs.path_of(table.name)
    written = (folder / path).read_bytes()
    return {
        "name": table.name,
        "path": path,
        "type": "table",
        "title": table.title_sv,
        "description": _with_note(table.title_en, SYNTHETIC_EN, content),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(written),
        "hash": f"sha256:{hashlib.sha256(written).hexdigest()}",
        "dialect": {"delimiter": csvs.DELIMITER, "lineTerminator": csvs.LINE_END},
        "schema": {
            "fields": [_field(column, table, codes) for column in table.columns],
            "missingValues": [""],
            "primaryKey": list(table.key),
            "foreignKeys": [
                {"fields": [column], "reference": {"resource": target, "fields": [found_in]}}
                for column, (target, found_in) in table.references.items()
            ],
        },
    }


def _field(column: Column, table: Table, codes: Mapping[str, Sequence[str]]) -> Json:
    kinds: Mapping[str, Json] = {
        "text": {"type": "string"},
        "integer": {"type": "integer"},
        "decimal": {"type": "number", "decimalChar": csvs.DECIMAL_MARK},
        "ratio": {"type": "number", "decimalChar": csvs.DECIMAL_MARK},
        "boolean": {"type": "boolean", "trueValues": [csvs.TRUE], "falseValues": [csvs.FALSE]},
        "date": {"type": "date"},
    }
    constraints: Json = dict(_limits(column))
    if column.name in codes:
        constraints["enum"] = codes[column.name]
    if column.name in table.key:
        constraints["required"] = True
    field = {"name": column.name, **kinds[column.kind]}
    field |= {"title": column.text_sv, "description": column.text_en}
    if _is_never_missing(column, codes):
        field["missingValues"] = []
    return field | ({"constraints": constraints} if constraints else {})


# --- CSVW ---------------------------------------------------------------------------------------


def _table_group(content: Content, codes: Mapping[str, Sequence[str]]) -> Json:
    publisher = content.publisher
    group = {
        "@context": _CSVW,
        "dc:title": f"{publisher.source}, {content.round}",
        "dc:publisher": publisher.name,
        "dc:license": {"@id": publisher.licence_iri},
        "dialect": {"delimiter": csvs.DELIMITER, "encoding": "utf-8", "header": True},
        "tables": [_csvw_table(table, codes) for table in content.tables.values()],
    }
    notes = {"rdfs:comment": _in_both(SYNTHETIC_SV, SYNTHETIC_EN)}
    return group | notes if content.is_synthetic else group


def _csvw_table(table: Table, codes: Mapping[str, Sequence[str]]) -> Json:
    return {
        "url": csvs.path_of(table.name),
        "dc:title": _in_both(table.title_sv, table.title_en),
        "tableSchema": {
            "columns": [_csvw_column(column, table, codes) for column in table.columns],
            "primaryKey": list(table.key),
            "foreignKeys": [
                {
                    "columnReference": column,
                    "reference": {"resource": csvs.path_of(target), "columnReference": found_in},
                }
                for column, (target, found_in) in table.references.items()
            ],
        },
    }


def _csvw_column(column: Column, table: Table, codes: Mapping[str, Sequence[str]]) -> Json:
    kinds: Mapping[str, Json] = {
        "text": {"base": "string"},
        "integer": {"base": "integer"},
        "decimal": {"base": "decimal", "format": {"decimalChar": csvs.DECIMAL_MARK}},
        "ratio": {"base": "decimal", "format": {"decimalChar": csvs.DECIMAL_MARK}},
        "boolean": {"base": "boolean", "format": f"{csvs.TRUE}|{csvs.FALSE}"},
        "date": {"base": "date", "format": "yyyy-MM-dd"},
    }
    datatype = kinds[column.kind] | {limit: str(n) for limit, n in _limits(column).items()}
    if column.name in codes:
        datatype["format"] = "|".join(re.escape(code) for code in codes[column.name])
    return {
        "name": column.name,
        "titles": column.name,
        "dc:description": _in_both(column.text_sv, column.text_en),
        "datatype": datatype,
        "required": column.name in table.key,
        "null": [] if _is_never_missing(column, codes) else [""],
    }


def _in_both(swedish: str, english: str) -> list[Json]:
    return [
        {"@value": swedish, "@language": "sv"},
        {"@value": english, "@language": "en"},
    ]
