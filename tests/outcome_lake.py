"""The lake's outcome tables, made from sound CSV files by a few lines of pandas.

Belongs here: what the reader of outcome files would write of files without a fault, for tests of
the models alone. Does not: any check, Excel, spellings, or files that repeat each other.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

SEEDS = Path(__file__).parents[1] / "dbt_project" / "seeds"
TEXT, WHOLE, DAY = pa.string(), pa.int32(), pa.date32()
ORIGIN = {"file": TEXT, "sha256": TEXT, "row": WHOLE}
PLACE = {"association_id": TEXT, "insats_kod": TEXT, "kon": TEXT}
TABLE = (
    "active", "ended", "dropouts", "work", "work_supported", "work_unsupported", "studies",
    "other_vocational", "medical_rehab", "sickness_compensation", "other", "active_next",
)  # fmt: skip
SCHEMAS = {
    "participations": ORIGIN
    | PLACE
    | {"start_date": DAY, "end_date": DAY, "exit_reason": TEXT, "years_without_work": WHOLE}
    | {"last_date": DAY, "is_synthetic": pa.bool_()},
    "counts": ORIGIN
    | PLACE
    | {"period_kind": TEXT, "period_start": DAY, "period_end": DAY}
    | dict.fromkeys(TABLE, WHOLE)
    | {"is_synthetic": pa.bool_()},
    "register_study": ORIGIN
    | {"level": TEXT, "unit_id": TEXT, "cohort": WHOLE, "months_after": WHOLE, "gender": TEXT}
    | {"n": WHOLE, "n_sustained": WHOLE, "source": TEXT, "is_synthetic": pa.bool_()},
    "settings": {"dropout_months": WHOLE},
}


def write_outcome_lake(raw: Path, lake: Path) -> None:
    """The four tables of `lake/outcomes` from `raw/outcomes` and `raw/indicator_11`."""
    files = [_read(path, raw) for path in sorted(raw.glob("outcomes/*.csv"))]
    studies = [_read(path, raw) for path in sorted(raw.glob("indicator_11/*.csv"))]
    rules = pd.read_csv(SEEDS / "outcome_rules.csv").set_index("rule")["value"]
    tables = {
        "participations": [_participations(f) for f in files if "start_date" in f],
        "counts": [_counts(f) for f in files if "period_start" in f],
        "register_study": [_study(f) for f in studies],
        "settings": [pd.DataFrame({"dropout_months": [rules["dropout_months"]]})],
    }
    (lake / "outcomes").mkdir(parents=True, exist_ok=True)
    for name, parts in tables.items():
        _write(lake / "outcomes" / f"{name}.parquet", SCHEMAS[name], parts)


def _write(path: Path, schema: dict[str, pa.DataType], parts: list[pd.DataFrame]) -> None:
    rows = [row for part in parts for row in part.astype(object).to_dict("records")]
    clean = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in rows]
    pq.write_table(pa.Table.from_pylist(clean, pa.schema(schema)), path)


def _read(path: Path, raw: Path) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    table["file"] = path.relative_to(raw).as_posix()
    table["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    table["row"] = range(2, len(table) + 2)
    table["is_synthetic"] = (raw / "register" / "ORIGIN").exists()
    return table


def _participations(table: pd.DataFrame) -> pd.DataFrame:
    for column in ("start_date", "end_date"):
        table[column] = pd.to_datetime(table[column], errors="coerce")
    table["last_date"] = table[["start_date", "end_date"]].max().max()
    table["exit_reason"] = table["exit_reason"].replace("", None)
    table["years_without_work"] = pd.to_numeric(table["years_without_work"])
    return table


def _counts(table: pd.DataFrame) -> pd.DataFrame:
    """A row T becomes what K and M leave of it."""
    numbers = [name for name in TABLE if name in table]
    table[numbers] = table[numbers].apply(pd.to_numeric)
    key = ["association_id", "insats_kod", "period_start", "period_end"]
    genders = table[table["kon"] != "T"].groupby(key)[numbers].sum(min_count=1)
    totals = table[table["kon"] == "T"].set_index(key)
    rest = totals.copy()
    rest[numbers] = totals[numbers] - genders.reindex(totals.index).fillna(0)
    rest = rest[(rest[numbers].fillna(0) != 0).any(axis=1)].reset_index().assign(kon="")
    table = pd.concat([table[table["kon"] != "T"], rest])
    for column in ("period_start", "period_end"):
        table[column] = pd.to_datetime(table[column])
    starts, ends = table["period_start"].dt, table["period_end"].dt
    table["period_kind"] = "full_year"
    table.loc[starts.year == ends.year, "period_kind"] = "half_year"
    table.loc[starts.month == 1, "period_kind"] = "calendar_year"
    return table


def _study(table: pd.DataFrame) -> pd.DataFrame:
    numbers = ["cohort", "months_after", "n", "n_sustained"]
    table[numbers] = table[numbers].apply(pd.to_numeric)
    table = table.rename(columns={"kon": "gender"})
    key = ["level", "unit_id", "cohort", "months_after"]
    given = table[table["gender"] == "T"].set_index(key).index
    sums = table.groupby(key, as_index=False)[["n", "n_sustained"]].sum().assign(gender="T")
    sums = sums[~sums.set_index(key).index.isin(given)]
    origin = table.drop_duplicates(key)[[*key, "file", "sha256", "row", "source", "is_synthetic"]]
    return pd.concat([table, sums.merge(origin, on=key)])
