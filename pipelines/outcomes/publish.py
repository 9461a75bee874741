"""From the rows that count to the lake's rows: totals become remainders, or rows of their own.

Belongs here: what each table of the lake is made of. Does not: whether a row counts (check.py) or
columns and types (tables.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.outcomes import facts
from pipelines.outcomes.tables import COUNTS, PARTICIPATIONS, STUDY, TOTAL

_GENDERS = ("K", "M")  # the register study is told for these beside the total
_PERIOD = ["association_id", "activity", "period_start", "period_end"]
_FOLLOWED = ["level", "unit_id", "cohort", "months_after"]


def participations(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per participation; `last_date` is the latest start or end of its file that counts."""
    rows = rows.copy()
    latest = rows[["start_date", "end_date"]].max(axis=1)
    rows["last_date"] = latest.groupby(rows["delivery"]).transform("max")
    return rows


def counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that add up: a total becomes what it has beyond the genders, if there is anything."""
    figures, is_total = list(facts.load().counted), rows["kon"] == TOTAL
    parts = rows.loc[~is_total].copy()
    totals = rows.loc[is_total].copy()
    groups = parts.groupby(_PERIOD)
    is_unknown = parts[figures].isna().groupby([parts[c] for c in _PERIOD]).any()
    known = groups[figures].sum().where(~is_unknown)  # unknown as soon as one is
    beside = totals[_PERIOD].join(known, on=_PERIOD)[figures]
    has_parts = totals[_PERIOD].join(groups.size().rename("n"), on=_PERIOD)["n"]
    beside = beside.where(has_parts.notna(), 0)
    totals[figures] = totals[figures] - beside
    totals["kon"] = ""
    return pd.concat([parts, totals[(totals[figures].fillna(0) != 0).any(axis=1)]])


def study(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per gender and one for the total, as given, else the sum.

    Groups that cannot be summed were left out by the check.
    """
    is_total = rows["kon"] == TOTAL
    has_total = is_total.groupby([rows[c] for c in _FOLLOWED]).transform("any")
    summed = rows.loc[~has_total]
    made = summed.groupby(_FOLLOWED, as_index=False, sort=False).agg(
        n=("n", "sum"),
        n_sustained=("n_sustained", "sum"),
        source=("source", "first"),
        row=("row", "min"),
        delivery=("delivery", "first"),
    )
    made["kon"] = TOTAL
    told = rows.loc[is_total | rows["kon"].isin(_GENDERS)]
    every = pd.concat([told, made])
    return every.assign(gender=every["kon"])


ROWS_OF: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    PARTICIPATIONS: participations,
    COUNTS: counts,
    STUDY: study,
}


def table_of(rows: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """The rows under the columns and types of the lake."""
    return pa.table([_column(rows[f.name], f.type) for f in schema], schema=schema)


def _column(values: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    """A column of the lake; days and counts come as floats, NaN where there is none."""
    if pa.types.is_date32(kind) or pa.types.is_integer(kind):
        numbers = values.to_numpy(float)
        mask = np.isnan(numbers)
        whole = pa.array(np.where(mask, 0, numbers).astype(np.int32), pa.int32(), mask=mask)
        return whole.cast(kind)
    texts: Sequence[Any] = values.astype(object).where(values.notna(), None).tolist()
    return pa.array(texts, kind)
