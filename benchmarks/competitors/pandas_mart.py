"""The measure mart in plain pandas, as one who knows it would write it from a table of answers."""

from pathlib import Path

import numpy as np
import pandas as pd

FACTS = ["round", "association_id", "county_code", "insats_kod", "langd", "kon"]
FACTS += ["questionnaire_id", "measure_id"]
GRAIN = ["round", "level", "unit_id", "questionnaire_id", "measure_id", "gender"]
Z = 1.959964


def mart(answers: Path, questions: Path) -> pd.DataFrame:
    """A row per round, level, unit, questionnaire, measure and gender."""
    rows = pd.read_parquet(answers).merge(pd.read_csv(questions), on="question_id")
    in_base = rows["base_positive"].isna() | (rows["base_code"] >= rows["base_positive"])
    return figures(rows[in_base])


def figures(rows: pd.DataFrame) -> pd.DataFrame:
    """The mart of the answers within the base, each with what is known of its question."""
    rows = rows[rows["code"] <= rows["n_codes"]]
    rows = rows.assign(is_positive=rows["code"] >= rows["positive_min_code"])
    counts = rows.groupby(FACTS, dropna=False, observed=True)["is_positive"]
    counts = counts.agg(n="count", n_positive="sum").reset_index()
    units = {
        "nation": "0000",
        "county": "00" + counts["county_code"],
        "association": counts["association_id"],
        "activity": counts["association_id"] + "/" + counts["insats_kod"],
        "activity_group": counts["langd"],
    }
    by_level = pd.concat([counts.assign(level=k, unit_id=u) for k, u in units.items()])
    by_level = by_level.dropna(subset="unit_id")
    of_gender = by_level[by_level["kon"].isin(["K", "M"])]
    both = pd.concat([by_level.assign(gender="T"), of_gender.assign(gender=of_gender["kon"])])
    totals = both.groupby(GRAIN)[["n", "n_positive"]].sum().reset_index()
    n, k = totals["n"], totals["n_positive"]
    middle, half = k + Z**2 / 2, Z * np.sqrt(k * (n - k) / n + Z**2 / 4)
    return totals.assign(
        share=100 * k / n,
        ci_low=(100 * (middle - half) / (n + Z**2)).clip(lower=0),
        ci_high=(100 * (middle + half) / (n + Z**2)).clip(upper=100),
    )
