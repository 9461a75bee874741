"""The register study's table of the lake, as a reader of `raw/indicator_11/` would leave it.

Belongs here: that one table, so that a warehouse can be built with a study. Does not: any judging
of the files, or figures.
"""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

UNIT = ["level", "unit_id", "cohort", "months_after"]


def write(raw: Path, home: Path) -> None:
    """Writes the study of a landing zone to the lake; nothing where there is none."""
    files = [
        pd.read_csv(path, sep=None, engine="python", encoding="utf-8-sig", dtype={"unit_id": str})
        for path in sorted(raw.glob("indicator_11/*.csv"))
    ]
    if not files:
        return
    given = pd.concat(files)
    given["gender"] = given["kon"].fillna("").replace({"Kvinna": "K", "Man": "M"})
    totals = given[given["gender"] == "T"]
    summed = given.groupby(UNIT, as_index=False)[["n", "n_sustained"]].sum().assign(gender="T")
    rows = pd.concat([given[given["gender"].isin(["K", "M"])], totals, summed])
    rows = rows.drop_duplicates([*UNIT, "gender"])  # a total that is given stands before the sum
    origin = raw / "register" / "ORIGIN"
    rows["is_synthetic"] = origin.exists() and "synthetic" in origin.read_text(encoding="utf-8")
    whole = dict.fromkeys(("cohort", "months_after", "n", "n_sustained"), pa.int32())
    texts = dict.fromkeys(("level", "unit_id", "gender"), pa.string())
    schema = pa.schema({**texts, **whole, "is_synthetic": pa.bool_()})
    path = home / "lake" / "outcomes" / "register_study.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pandas(rows, schema, preserve_index=False), path)
