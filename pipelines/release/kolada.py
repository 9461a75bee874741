"""Kolada's shape, version 3: key figures, municipalities and values as its API gives them.

Belongs here: Kolada's records and their envelope, as read from its API in 2026. Does not: answering
requests (serve.py), or what is sent to RKA, who owns Kolada (rka.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

from pipelines.release.table import SHOWN, SYNTHETIC_SV, Content, Value

Record = Mapping[str, object]

MISSING = "Missing"
"""Kolada's status of a value that is not given; of one that is, it is empty."""

_KPI_FIELDS = (
    "title", "description", "is_divided_by_gender", "municipality_type", "auspice",
    "operating_area", "perspective", "prel_publication_date", "publication_date", "publ_period",
    "has_ou_data",
)  # fmt: skip
_ROW = ("kpi_id", "municipality_id", "period")
_MUNICIPALITY, _REGION = "K", "L"
_NATION = {"id": "0000", "title": "Riket", "type": _REGION}


def write(content: Content, folder: Path) -> None:
    """Writes `kolada/kpi.json`, `kolada/municipality.json` and `kolada/data.json`.

    Raises:
        OSError: a file cannot be written.
    """
    target = folder / "kolada"
    target.mkdir(parents=True, exist_ok=True)
    records = {
        "kpi": _kpis(content),
        "municipality": _municipalities(content),
        "data": _data(content),
    }
    for name, iterator in records.items():
        values = list(iterator)
        text = json.dumps(
            envelope(values, len(values), content.is_synthetic),
            ensure_ascii=False,
            indent=1,
            default=date.isoformat,
        )
        (target / f"{name}.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")


def envelope(
    values: Sequence[Record],
    count: int,
    is_synthetic: bool,
    previous_url: str | None = None,
    next_url: str | None = None,
) -> Record:
    """What Kolada puts around records: `count` counts those of all pages.

    Kolada has no invented values, so `synthetic` is ours and only there when it is true.
    """
    around = {
        "values": values,
        "count": count,
        "previous_url": previous_url,
        "next_url": next_url,
    }
    return around | ({"synthetic": True} if is_synthetic else {})


def figure(row: Mapping[str, Value]) -> dict[str, Value | float]:
    """A row of `key_figures` as Kolada gives a value: in percent and unrounded.

    All that is not shown is missing: Kolada's other signs are unknown, and it has no brackets.
    """
    value = None
    if row["status"] == SHOWN:
        positive, count = row["n_positive"], row["count"]
        assert isinstance(positive, int) and isinstance(count, int)
        value = 100 * positive / count
    return {
        "gender": row["gender"],
        "count": row["count"],
        "status": MISSING if value is None else "",
        "value": value,
        "isdeleted": False,
    }


def _kpis(content: Content) -> Iterator[Record]:
    for row in content["key_figure_definitions"].records():
        record = {"id": row["kpi_id"]} | {field: row[field] for field in _KPI_FIELDS}
        if content.is_synthetic:
            record["description"] = f"{SYNTHETIC_SV} {record['description']}"
        yield record


def _municipalities(content: Content) -> Iterator[Record]:
    """The nation and the regions, then the municipalities: in the order of their ids."""
    yield _NATION
    for row in content["counties"].records():
        region = f"00{row['county_code']}"
        yield {"id": region, "title": row["county_name"], "type": _REGION}
    for row in content["municipalities"].records():
        code, name = row["municipality_code"], row["municipality_name"]
        yield {"id": code, "title": name, "type": _MUNICIPALITY}


def _data(content: Content) -> Iterator[Record]:
    rows = content["key_figures"].records()
    for (kpi, municipality, period), group in groupby(rows, lambda r: tuple(r[c] for c in _ROW)):
        yield {
            "kpi": kpi,
            "municipality": municipality,
            "period": period,
            "values": [figure(row) for row in group],
        }
