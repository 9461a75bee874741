"""The formats of the open data, and in which files of a release a table is found.

Belongs here: the list that the catalogue and the site tell. Does not: writing the files, each in
its own module; a format's description, which is a text of the release (`texts("format")`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.release.cube import questionnaires
from pipelines.release.table import Content, Table


@dataclass(frozen=True, slots=True)
class Format:
    """A format of the open data; `paths` gives the files in which a table is found."""

    format_id: str
    media_type: str
    file_type: str
    paths: Callable[[Content, Table], Sequence[str]]


def _cubes(path: str) -> Callable[[Content, Table], Sequence[str]]:
    """The files of the cubes, which hold measures only."""

    def paths(content: Content, table: Table) -> Sequence[str]:
        if table.name != "measure_results":
            return ()
        return [path.format(questionnaire_id) for questionnaire_id in questionnaires(content)]

    return paths


# IANA knows neither PX nor DuckDB, nor does the EU's list of file types.
FORMATS = (
    Format("csv", "text/csv", "CSV", lambda _, table: [f"open/csv/{table.name}.csv"]),
    Format(
        "parquet",
        "application/vnd.apache.parquet",
        "PARQUET",
        lambda _, table: [f"open/parquet/{table.name}.parquet"],
    ),
    Format(
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "XLSX",
        lambda content, _: [f"open/nns_indikatorer_{content.round}.xlsx"],
    ),
    Format(
        "duckdb",
        "application/octet-stream",
        "OCTET",
        lambda content, _: [f"open/nns_indikatorer_{content.round}.duckdb"],
    ),
    Format("px", "text/plain", "TXT", _cubes("open/px/{}.px")),
    Format("jsonstat", "application/json", "JSON", _cubes("open/jsonstat/{}.json")),
)
