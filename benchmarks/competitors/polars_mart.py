"""The measure mart in polars, lazily from the parquet file."""

from pathlib import Path

import polars as pl

FACTS = ["round", "association_id", "county_code", "insats_kod", "langd", "kon"]
FACTS += ["questionnaire_id", "measure_id"]
GRAIN = ["round", "level", "unit_id", "questionnaire_id", "measure_id", "gender"]
Z = 1.959964


def mart(answers: Path, questions: Path) -> pl.DataFrame:
    """A row per round, level, unit, questionnaire, measure and gender."""
    in_base = pl.col("base_positive").is_null() | (pl.col("base_code") >= pl.col("base_positive"))
    counts = (
        pl.scan_parquet(answers)
        .join(pl.scan_csv(questions), on="question_id")
        .filter(in_base, pl.col("code") <= pl.col("n_codes"))
        .group_by(FACTS)
        .agg(n=pl.len(), n_positive=(pl.col("code") >= pl.col("positive_min_code")).sum())
        .collect()
    )
    units = {
        "nation": pl.lit("0000"),
        "county": "00" + pl.col("county_code"),
        "association": pl.col("association_id"),
        "activity": pl.col("association_id") + "/" + pl.col("insats_kod"),
        "activity_group": pl.col("langd"),
    }
    by_level = pl.concat(
        counts.with_columns(level=pl.lit(level), unit_id=unit) for level, unit in units.items()
    ).drop_nulls("unit_id")
    of_gender = by_level.filter(pl.col("kon").is_in(["K", "M"]))
    both = pl.concat(
        [
            by_level.with_columns(gender=pl.lit("T")),
            of_gender.with_columns(gender=pl.col("kon")),
        ]
    )
    n, k = pl.col("n").cast(pl.Float64), pl.col("n_positive").cast(pl.Float64)
    middle, half = k + Z**2 / 2, Z * (k * (n - k) / n + Z**2 / 4).sqrt()
    return (
        both.group_by(GRAIN)
        .agg(pl.col("n", "n_positive").sum())
        .with_columns(
            share=100 * k / n,
            ci_low=(100 * (middle - half) / (n + Z**2)).clip(lower_bound=0),
            ci_high=(100 * (middle + half) / (n + Z**2)).clip(upper_bound=100),
        )
    )
