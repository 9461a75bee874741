"""The frames that the expectations about outcomes are held against, in plain pandas.

Belongs here: working out beside the rows what an expectation looks at: a gap, a repeat, a sum. Does
not: judging or wording it (`expectations/*.json`), reading (read.py), what follows (check.py).

Three stages, each on the rows that the one before left sound, so that a slip of one row makes no
others look wrong: `rows` by themselves, `repeats`, and `sums` over rows that belong together. A
column is NaN on rows it says nothing of: expectations pass over what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipelines.outcomes import facts
from pipelines.outcomes.tables import COUNTS, PARTICIPATIONS, STUDY, TOTAL
from pipelines.workbook.cells import normalised
from pipelines.workbook.personal import discreet

if TYPE_CHECKING:
    from pipelines.outcomes.files import OutcomeFile

STAGES = ("rows", "repeats", "sums")
"""In the order they are held."""

Bools = npt.NDArray[np.bool_]

_DAYS = ("start_date", "end_date", "period_start", "period_end")
_UNKNOWN = ""  # gender or activity of a row that names none


def frame_of(table: str, files: Sequence[OutcomeFile], rows: Sequence[pa.Table]) -> pd.DataFrame:
    """The rows of all files of a table, newest file first, with what the first stage looks at.

    Args:
        table: one of the tables.
        files: the files of it.
        rows: what was read from each.

    Returns:
        A row per row: the columns as read; of a day `<column>` the days since 1970, NaN where there
        is none; `delivery`, the position of its file; `at`, its own.
    """
    newest = sorted(range(len(files)), key=lambda i: (files[i].mtime_ns, files[i].file))[::-1]
    whole = pa.concat_tables([rows[i] for i in newest])
    for name in set(_DAYS) & set(whole.column_names):
        place = whole.column_names.index(name)
        whole = whole.set_column(place, name, whole.column(name).cast(pa.int32()))
    frame: pd.DataFrame = whole.to_pandas()
    for name in set(_DAYS) & set(frame):
        frame[name] = frame[name].astype(float)
    frame["delivery"] = np.repeat(newest, [len(rows[i]) for i in newest])
    frame["at"] = np.arange(len(frame))
    received = np.array([_days(f.received_on) for f in files], float)[frame["delivery"]]
    if table != PARTICIPATIONS:  # small; and arrow's texts cannot be joined when there are none
        for name in whole.column_names:
            if pa.types.is_string(whole.schema.field(name).type):
                frame[name] = frame[name].astype(object)
    for name in {"kon", "insats_kod"} & set(frame):
        frame[name] = frame[name].fillna(_UNKNOWN)
    _OF_ROWS[table](frame, received)
    return frame


def text_of_day(days: float) -> str:
    """A day as it is written, from days since 1970."""
    return str(np.datetime64(int(days), "D"))


def _days(day: date) -> int:
    return (day - date(1970, 1, 1)).days


# --- rows ---------------------------------------------------------------------------------------


def _participations(frame: pd.DataFrame, received: npt.NDArray[Any]) -> None:
    source = facts.load().sources[PARTICIPATIONS]
    start, end = frame["start_date"], frame["end_date"]
    frame["start_day"], frame["end_day"] = start, end
    frame["start_after_receipt"] = start - received
    frame["end_after_receipt"] = end - received
    frame["start_year"] = _year(start)
    last = _days(source.last_day) if source.last_day else np.inf
    frame["start_after_source"] = np.where(frame["start_after_receipt"] > 0, np.nan, start - last)
    has_reason, has_end = frame["exit_reason"].notna(), end.notna()
    frame["reason_without_end"] = (has_reason & ~has_end).astype(int)
    frame["end_without_reason"] = (has_end & ~has_reason).astype(int)


def _year(days: pd.Series[float]) -> npt.NDArray[Any]:
    years: npt.NDArray[Any] = (
        days.to_numpy().astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
    )
    return years


def _counts(frame: pd.DataFrame, received: npt.NDArray[Any]) -> None:
    known = facts.load()
    kinds = {
        pair: known.period_kind(*(date.fromisoformat(text_of_day(day)) for day in pair))
        for pair in set(zip(frame["period_start"], frame["period_end"], strict=True))
    }
    pairs = zip(frame["period_start"], frame["period_end"], strict=True)
    frame["period_kind"] = [kinds[pair] for pair in pairs]
    is_none = frame["period_kind"].isna()
    frame["is_no_period"] = is_none.astype(int)
    first = known.sources["counts"].first_day
    before = (_days(first) if first else -np.inf) - frame["period_start"]
    frame["days_before_source"] = before.where(~is_none)
    _lowest(frame, known.counted)
    frame["ended_sum"] = frame[list(known.parts_of("ended"))].sum(axis=1)
    frame["ended_gap"] = frame["ended"] - frame["ended_sum"]
    frame["work_sum"] = frame[list(known.parts_of("work"))].sum(axis=1, skipna=False)
    frame["work_gap"] = frame["work"] - frame["work_sum"]
    frame["next_sum"] = frame["active"] - frame["ended"]
    frame["next_gap"] = frame["active_next"] - frame["next_sum"]


def _study(frame: pd.DataFrame, received: npt.NDArray[Any]) -> None:
    _lowest(frame, ("n", "n_sustained"))
    frame["source"] = frame["source"].fillna("")


def _lowest(frame: pd.DataFrame, figures: Sequence[str]) -> None:
    """`lowest`: the least of the counts of a row, and whose it is."""
    figures = list(figures)
    counts = frame[figures].astype(float)
    for figure in figures:
        frame[figure] = counts[figure]
    least = counts.to_numpy()
    place = np.where(np.isnan(least), np.inf, least).argmin(axis=1)
    frame["lowest"] = least[np.arange(len(frame)), place]
    frame["lowest_figure"] = np.array(figures, object)[place]


_OF_ROWS: Mapping[str, Callable[[pd.DataFrame, npt.NDArray[Any]], None]] = {
    PARTICIPATIONS: _participations,
    COUNTS: _counts,
    STUDY: _study,
}


# --- repeats ------------------------------------------------------------------------------------

_KEYS = {
    PARTICIPATIONS: ["key"],
    COUNTS: ["association_id", "activity", "kon", "period_start", "period_end"],
    STUDY: ["level", "unit_id", "cohort", "months_after", "kon"],
}


def _said(table: str) -> list[str]:
    """The columns that say what a row with the same key says otherwise."""
    return {
        PARTICIPATIONS: ["kon", "start_date", "end_date", "exit_reason", "years_without_work"],
        COUNTS: list(facts.load().counted),
        STUDY: ["n", "n_sustained"],
    }[table]


def with_repeats(
    table: str, frame: pd.DataFrame, sound: Bools, files: Sequence[OutcomeFile]
) -> None:
    """`is_same`, `is_other`, `is_replaced`: how a row repeats the one that counts, else 0.

    The newest file's row counts, in a file the first one. The same content elsewhere is the same;
    other content is a contradiction in the same file, and replaced in an older one.
    """
    if table == COUNTS:
        frame["activity"] = frame["insats_kod"].map(normalised)
    keys = _KEYS[table]
    compared = frame.loc[sound & frame[keys].notna().all(axis=1).to_numpy()]
    groups = compared.groupby(keys, sort=False, observed=True)
    is_later = (groups.cumcount() > 0).to_numpy()
    later = compared.index.to_numpy()[is_later]
    first = groups["at"].transform("first").to_numpy()[is_later]
    own, other = frame.loc[later], frame.loc[first]
    said = _said(table)
    pairs = [(own[c].to_numpy(), other[c].to_numpy()) for c in said]
    same = np.ones(len(later), bool)
    for a, b in pairs:
        same &= (a == b) | (pd.isna(a) & pd.isna(b))
    in_file = own["delivery"].to_numpy() == other["delivery"].to_numpy()
    for name, is_so in {
        "is_same": same,
        "is_other": ~same & in_file,
        "is_replaced": ~same & ~in_file,
    }.items():
        flags = np.where(sound, 0.0, np.nan)
        flags[later] = is_so
        frame[name] = flags
    names = np.array([discreet(PurePosixPath(f.file).name) for f in files], object)
    frame["row_first"], frame["file_first"] = 0, ""
    frame.loc[later, "row_first"] = other["row"].to_numpy()
    frame.loc[later, "file_first"] = np.where(in_file, "", names[other["delivery"]])


# --- sums ---------------------------------------------------------------------------------------


def with_sums(table: str, frame: pd.DataFrame, counting: Bools) -> None:
    """What rows that belong together say of each other, over those that count."""
    if table == COUNTS:
        group = ["association_id", "activity", "period_start", "period_end"]
        _against_total(frame, counting, group, facts.load().counted)
        _mixed(frame, counting)
    elif table == STUDY:
        group = ["level", "unit_id", "cohort", "months_after"]
        _against_total(frame, counting, group, ("n", "n_sustained"))
        _without_total(frame, counting, group)
        _nation(frame, counting)


def _against_total(
    frame: pd.DataFrame, counting: Bools, group: list[str], figures: Sequence[str]
) -> None:
    """`genders_exceed`: 1 on all rows of a group whose genders are together more than its total."""
    figures = list(figures)
    rows = frame.loc[counting, [*group, "kon", *figures]]
    is_total = rows["kon"] == TOTAL
    keys = [rows[c] for c in group]
    totals = rows[figures].where(is_total).groupby(keys).transform("max")
    parts = rows[figures].where(~is_total).groupby(keys).transform("sum")
    over = (parts > totals).to_numpy()
    place = over.argmax(axis=1) if len(rows) else np.zeros(0, int)
    at = np.arange(len(rows))
    flags = np.full(len(frame), np.nan)
    flags[counting] = over.any(axis=1)
    frame["genders_exceed"] = flags
    for name, values in (
        ("genders_sum", parts.to_numpy()[at, place]),
        ("total", totals.to_numpy()[at, place]),
        ("exceeded", np.array(figures, object)[place]),
    ):
        frame[name] = "" if name == "exceeded" else np.nan
        frame.loc[counting, name] = values


def _mixed(frame: pd.DataFrame, counting: Bools) -> None:
    """`is_mixed`: 1 on the first row without an activity of a period that has some with one."""
    rows = frame.loc[counting]
    keys = [rows[c] for c in ("association_id", "period_start", "period_end")]
    without = rows["activity"] == _UNKNOWN
    both = without.groupby(keys).transform("any") & (~without).groupby(keys).transform("any")
    is_first = without & (without.groupby(keys).cumsum() == 1)
    flags = np.full(len(frame), np.nan)
    flags[counting] = (both & is_first).to_numpy()
    frame["is_mixed"] = flags


def _without_total(frame: pd.DataFrame, counting: Bools, group: list[str]) -> None:
    """`lacks_total`: 1 on all rows of a group with neither a total nor both women and men.

    A row without gender is the total where no other row has one.
    """
    rows = frame.loc[counting]
    keys = [rows[c] for c in group]
    has = {
        g: (rows["kon"] == g).groupby(keys).transform("any").to_numpy()
        for g in (TOTAL, "K", "M", _UNKNOWN)
    }
    flags = np.full(len(frame), np.nan)
    is_undivided = has[_UNKNOWN] & ~has["K"] & ~has["M"]
    flags[counting] = ~(has[TOTAL] | (has["K"] & has["M"]) | is_undivided)
    frame["lacks_total"] = flags


def _nation(frame: pd.DataFrame, counting: Bools) -> None:
    """`nation_too_small`: 1 on a row of the nation that is less than its associations together."""
    keys, figures = ["cohort", "months_after", "kon"], ["n", "n_sustained"]
    rows = frame.loc[counting]
    is_nation = (rows["level"] == "nation").to_numpy()
    sums = rows.loc[~is_nation].groupby(keys)[figures].sum()
    nation = rows.loc[is_nation, [*keys, *figures]]
    together = nation[keys].join(sums, on=keys)[figures].fillna(0).to_numpy()
    over = together > nation[figures].to_numpy()
    place = over.argmax(axis=1) if len(nation) else np.zeros(0, int)
    at = np.arange(len(nation))
    where = nation.index.to_numpy(int)
    for name, values in {
        "nation_too_small": over.any(axis=1).astype(float),
        "nation_n": nation[figures].to_numpy()[at, place],
        "associations_n": together[at, place],
    }.items():
        told = np.full(len(frame), np.nan)
        told[where] = values
        frame[name] = told
    below = np.full(len(frame), "", object)
    below[where] = np.array(figures, object)[place]
    frame["below"] = below
