"""The mart `outcomes` computed another way: plain loops over the lines of the CSV files.

Belongs here: what the contract says of outcomes in the most literal form, from sound files as
delivered, the seeds and the register. Does not: anything of `pipelines` or the dbt models, speed,
or the judging of files. Counts of everybody are the lines that say T, never a sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import fmean, median
from typing import Any

import openpyxl
import pandas as pd
import truth
from truth import Row, Table

KEY = ["period", "level", "unit_id", "gender"]
RATE = "positive_rate"
WAYS = ["work", "studies", "other_vocational", "medical_rehab", "sickness_compensation", "other"]
SPLIT = ["work_supported", "work_unsupported"]
TABLE = ["active", "ended", "dropouts", *WAYS, *SPLIT, "active_next"]
POSITIVE = ["work", "studies", "other_vocational"]
DAYS_PER_MONTH = 365.25 / 12
Unit = tuple[str, str]


def outcomes(raw: Path) -> Table:
    """Every row of the mart that follows from a landing zone."""
    register = {
        name: truth.csv_rows(raw / "register" / f"{name}.csv")
        for name in ("associations", "targets")
    }
    groups = groups_of_activities(raw)
    lines = [line for path in sorted(raw.glob("outcomes/*.csv")) for line in lines_of(path)]
    inside: dict[tuple[Any, ...], Table] = defaultdict(list)
    for line in lines:
        for period in periods_of(line):
            for unit in units_of(line, period, register["associations"], groups):
                for gender in genders_of(line):
                    inside[(*period, *unit, gender)].append(line)
    synthetic = (raw / "register" / "ORIGIN").exists()
    table = [row_of(key, part, synthetic) for key, part in inside.items()]
    table = [row for row in table if row["active"]]
    for row in table:
        add_change(row, table)
        add_target(row, register["targets"])
    return table


# ---- the files ---------------------------------------------------------------------------------


def lines_of(path: Path) -> Table:
    """The lines of a file; a participation knows the latest day in its file."""
    lines: Table = truth.csv_rows(path)
    days = [line[c] for line in lines for c in ("start_date", "end_date") if line.get(c)]
    for line in lines:
        line["file_ends"] = max(days, default="")
    return lines


def is_participation(line: Row) -> bool:
    return "start_date" in line


def groups_of_activities(raw: Path) -> dict[tuple[int, str, str], set[str]]:
    """(round, association, activity) → its length and orientation, where stated."""
    groups: dict[tuple[int, str, str], set[str]] = {}
    for delivery in truth.read(raw).loaded:
        assert delivery.round and delivery.association_id
        book = openpyxl.load_workbook(delivery.path, read_only=True)
        header, *rows = book["Insatser"].iter_rows(values_only=True)
        for row in rows:
            cells = dict(zip(header, row, strict=True))
            if cells["insats_kod"]:
                key = (delivery.round, delivery.association_id, str(cells["insats_kod"]))
                groups[key] = {str(cells[c]) for c in ("langd", "inriktning") if cells[c]}
    return groups


# ---- periods, units, genders -------------------------------------------------------------------


def all_periods() -> Iterator[tuple[str, str, str, str]]:
    """Name, kind, first and last day of every period that begins in a round."""
    for row in truth.csv_rows(truth.SEEDS / "rounds.csv"):
        year = int(row["round"])
        yield f"{year}", "calendar_year", f"{year}-01-01", f"{year}-12-31"
        yield f"{year}H2", "half_year", f"{year}-07-01", f"{year}-12-31"
        yield f"{year}-{year + 1}", "full_year", f"{year}-07-01", f"{year + 1}-06-30"


PERIODS = list(all_periods())


def periods_of(line: Row) -> list[tuple[str, str, str, str]]:
    """The periods a line says something of."""
    if not is_participation(line):
        return [p for p in PERIODS if p[2:] == (line["period_start"], line["period_end"])]
    return [
        (name, kind, first, last)
        for name, kind, first, last in PERIODS
        if line["start_date"] <= last
        and (line["end_date"] or last) >= first
        and first <= line["file_ends"]
        and last <= "2023-03-31"
    ]


def units_of(
    line: Row, period: tuple[str, ...], associations: Table, groups: dict[Any, set[str]]
) -> list[Unit]:
    """The units a line counts in."""
    association = truth.one(associations, association_id=line["association_id"])
    units = [("association", line["association_id"])]
    if line["insats_kod"]:
        units.append(("activity", f"{line['association_id']}/{line['insats_kod']}"))
    is_out = association.get("in_nation") or ("false" if association.get("kind") else "true")
    if is_out == "false":
        return units
    activity = (int(period[2][:4]), line["association_id"], line["insats_kod"])
    groups_ = [("activity_group", group) for group in groups.get(activity, ())]
    return [*units, *groups_, ("nation", "0000"), ("county", "00" + association["county_code"])]


def genders_of(line: Row) -> list[str]:
    """The genders a line counts in; one with counts has its own alone."""
    if not is_participation(line):
        return [line["kon"]]
    return ["T", line["kon"]] if line["kon"] in ("K", "M") else ["T"]


# ---- figures -----------------------------------------------------------------------------------


def row_of(key: tuple[Any, ...], lines: Table, synthetic: bool) -> Row:
    """The row of a period, unit and gender, but for change and target."""
    period, kind, first, last, level, unit_id, gender = key
    of_counts = not is_participation(lines[0])
    figures = summed(lines) if of_counts else counted(lines, first, last)
    leavers = figures["ended"] - figures["dropouts"]
    positive = sum(figures[way] for way in POSITIVE)
    low, high = truth.wilson(positive, leavers)
    return {
        "round": int(first[:4]),
        "period": period,
        "period_kind": kind,
        "period_start": date.fromisoformat(first),
        "period_end": date.fromisoformat(last),
        "source_id": "uppfoljning_finsam" if of_counts else "sus",
        "level": level,
        "unit_id": unit_id,
        "gender": gender,
        **figures,
        "leavers": leavers,
        "positive": positive,
        "positive_rate": 100 * positive / leavers if leavers else None,
        "ci_low": low,
        "ci_high": high,
        "is_synthetic": synthetic,
    }


def summed(lines: Table) -> Row:
    """Counts of several lines together; what one of them does not tell is not known."""
    figures: Row = {}
    for name in TABLE:
        told = [int(line[name]) for line in lines if line.get(name)]
        figures[name] = sum(told) if len(told) == len(lines) else None
    names = ("years_without_work", "throughput_months")
    unknown = [f"{name}_{of}" for name in names for of in ("n", "mean", "median")]
    return figures | dict.fromkeys([*unknown, "misregistrations", "dropout_months", "last_date"])


def counted(lines: Table, first: str, last: str) -> Row:
    """The figures of the participations that a period overlaps."""
    months = int(
        truth.one(truth.csv_rows(truth.SEEDS / "outcome_rules.csv"), rule="dropout_months")["value"]
    )
    mistaken = [line for line in lines if line["exit_reason"] == "misregistration"]
    active = [line for line in lines if line["exit_reason"] != "misregistration"]
    ended = [line for line in active if line["end_date"] and line["end_date"] <= last]
    dropouts = [line for line in ended if left_within(line, months)]
    leavers = [line for line in ended if not left_within(line, months)]
    reasons = [line["exit_reason"] for line in leavers]
    figures = {
        "active": len(active),
        "ended": len(ended),
        "dropouts": len(dropouts),
        **{way: reasons.count(way) for way in [*WAYS[1:], *SPLIT]},
        "work": sum(reason.startswith("work_") for reason in reasons),
        "active_next": len([x for x in active if not x["end_date"] or x["end_date"] > last]),
        "misregistrations": len(
            [x for x in mistaken if first <= (x["end_date"] or x["start_date"]) <= last]
        ),
        "dropout_months": months,
        "last_date": date.fromisoformat(min(x["file_ends"] for x in active)) if active else None,
    }
    positive = [line for line in leavers if line["exit_reason"] in POSITIVE + SPLIT]
    years = [int(x["years_without_work"]) for x in positive if x["years_without_work"]]
    stays = [(day(x["end_date"]) - day(x["start_date"])).days / DAYS_PER_MONTH for x in positive]
    return figures | spread("years_without_work", years) | spread("throughput_months", stays)


def spread(name: str, values: list[Any]) -> Row:
    return {
        f"{name}_n": len(values),
        f"{name}_mean": fmean(values) if values else None,
        f"{name}_median": float(median(values)) if values else None,
    }


def left_within(line: Row, months: int) -> bool:
    """Whether it ended before so many calendar months had passed, or on that very day."""
    return bool(day(line["end_date"]) <= day(line["start_date"]) + pd.DateOffset(months=months))


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


# ---- change and target -------------------------------------------------------------------------


def add_change(row: Row, table: Table) -> None:
    """Compare with the latest earlier period of the kind in which somebody left."""
    earlier = [
        other
        for other in table
        if (other["period_kind"], other["level"], other["unit_id"], other["gender"])
        == (row["period_kind"], row["level"], row["unit_id"], row["gender"])
        and other["period_start"] < row["period_start"]
        and other["leavers"] > 0
    ]
    before = max(earlier, key=lambda other: other["period_start"], default=None)
    same = before is not None and before["source_id"] == row["source_id"]
    row["comparable"] = same
    row["previous_period"] = before["period"] if before else None
    row["rate_previous"] = before["positive_rate"] if before and same else None
    row["change"] = row["change_significant"] = None
    if before and same and row["leavers"]:
        row["change"] = row["positive_rate"] - before["positive_rate"]
        row["change_significant"] = truth.differs(
            row["positive"], row["leavers"], before["positive"], before["leavers"]
        )


def add_target(row: Row, targets: Table) -> None:
    """The unit's own target, else that of all units of its level, and what the interval says."""
    found = {
        t["unit_id"]: float(t["target_share"])
        for t in targets
        if (t["measure_id"], t["level"]) == (RATE, row["level"])
        and truth.covers(t, row["round"])
        and t["unit_id"] in ("", row["unit_id"])
    }
    target = found.get(row["unit_id"], found.get(""))
    row |= {"target_share": target, "distance": None, "reached": None}
    if target is not None and row["leavers"]:
        row["distance"] = row["positive_rate"] - target
        row["reached"] = "unclear"
        if row["ci_low"] >= target:
            row["reached"] = "reached"
        if row["ci_high"] < target:
            row["reached"] = "not_reached"
