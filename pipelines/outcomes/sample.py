"""Invented outcomes: participations, the counts that took their place, and a register study.

Belongs here: when people come and leave an association's activities, and the files that tell of it.
Does not: which associations exist and how many take part in them (`workbook/sample.py`), or what
the figures and periods are (the seeds). Each association draws from its own generator.
"""

from __future__ import annotations

import calendar
import csv
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pipelines.instrument import seed_rows

OUTCOMES, STUDY = "outcomes", "indicator_11"
_STUDY_FILE = "registerstudie.csv"

_GENDER_WEIGHTS = (58, 39, 1, 2)  # the given genders in order, then unknown
# Where 100 leavers go, women's as published of 2017: 28 to work or studies; 34 of men's.
_REASON_WEIGHTS = {
    "work_supported": 8,
    "work_unsupported": 10,
    "studies": 7,
    "other_vocational": 3,
    "medical_rehab": 24,
    "sickness_compensation": 8,
    "other": 40,
}
_MENS_LUCK = 34 / 28 * 72 / 66  # of the positive ways' odds
_OWN_LUCK = (0.8, 1.25)
_STAYS, _STAYS_AT_MOST = 540, 1800  # days that those there at the beginning have taken part
_TAKES_PART_TWICE = 0.03
_MISREGISTERED = 0.01
_YEARS_UNKNOWN = 0.1
_MEAN_YEARS, _MOST_YEARS = 3.5, 9
_TELLS_NO_SPLIT = 3  # every third association does not split work

_COHORTS = range(2018, 2023)
_MONTHS_AFTER = (12, 24)
_SUSTAINED = (0.55, 0.45)  # of the followed, after each of these
_SOURCE = "påhittad registerstudie"
_TOTAL = "T"

PARTICIPATION_COLUMNS = (
    "association_id", "insats_kod", "participation_id", "kon", "start_date", "end_date",
    "exit_reason", "years_without_work",
)  # fmt: skip
STUDY_COLUMNS = (
    "level", "unit_id", "cohort", "months_after", "kon", "n", "n_sustained", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """An association as people meet it.

    `volumes` are participations active and ended by year, of all its years in order; `starts_anew`
    tells that nobody took part before the first. `activities` are those that people take part in.
    """

    number: int
    association_id: str
    activities: Sequence[str]
    volumes: Mapping[int, tuple[int, int]]
    starts_anew: bool
    is_lasting: bool


@dataclass(frozen=True, slots=True)
class _Participation:
    """One participation; `end_date` None: still going on."""

    participation_id: str
    insats_kod: str
    kon: str
    start_date: date
    years_without_work: int | None
    end_date: date | None = None
    exit_reason: str = ""


@dataclass(frozen=True, slots=True)
class _Figures:
    """The outcome table: its columns, those that a leaver counts in, those that split another."""

    columns: tuple[str, ...]
    counts_as: Mapping[str, Sequence[str]]
    splits: Sequence[str]
    positive: frozenset[str]
    left_out: str
    dropout_months: int


def write_outcomes(
    out: Path,
    sites: Sequence[Site],
    first: int,
    last: int,
    genders: Sequence[str],
    rng: Callable[..., Random],
) -> None:
    """Writes outcomes and register study under `out`, nothing later than the year `last`.

    `outcomes/<association>_sus.csv` has a row per participation since the sites' first year, where
    participations still were delivered in `first`; `outcomes/<association>_<year>.csv` the counts
    of the periods that end in that year, not before `first`; `indicator_11/registerstudie.csv`
    who of a year's leavers had work or studies later.

    Args:
        out: the landing zone.
        sites: the associations.
        first: the first year asked for.
        last: the last one.
        genders: the codes of women, men and others.
        rng: gives the generator that belongs to a key.
    """
    figures, until = _figures(), date(last, 12, 31)
    ends, begins = _day_of("participations", "last_day"), _day_of("counts", "first_day")
    taking_part = [
        (s, _participations(s, genders, figures, rng(OUTCOMES, s.association_id)))
        for s in sites
        if s.volumes
    ]
    (out / OUTCOMES).mkdir(parents=True, exist_ok=True)
    for site, rows in taking_part:
        if first <= ends.year and min(site.volumes) <= ends.year:
            _write_participations(out / OUTCOMES, site, _as_of(rows, min(ends, until)))
        for year in range(max(first, begins.year), last + 1):
            _write_counts(out / OUTCOMES, site, rows, year, genders, figures, begins)
    _write_study(out / STUDY, taking_part, until, genders, figures, rng)


def clear(out: Path) -> None:
    """Takes away the files of an earlier sample; those under other names stay."""
    for pattern in (f"{OUTCOMES}/*_sus.csv", f"{OUTCOMES}/*_20??.csv", f"{STUDY}/{_STUDY_FILE}"):
        for path in out.glob(pattern):
            path.unlink()


# The seeds


def _figures() -> _Figures:
    rows = list(seed_rows("outcome_figures"))
    parents = {row["figure_id"]: row["part_of"] for row in rows}
    rules = {row["rule"]: int(row["value"]) for row in seed_rows("outcome_rules")}
    return _Figures(
        columns=tuple(r["figure_id"] for r in rows if r["is_left_out"] == "false"),
        counts_as={reason: tuple(_with_parents(reason, parents)) for reason in _REASON_WEIGHTS},
        splits=tuple(f for f, parent in parents.items() if parents.get(parent)),
        positive=frozenset(r["figure_id"] for r in rows if r["is_positive"] == "true"),
        left_out=next(r["figure_id"] for r in rows if r["is_left_out"] == "true"),
        dropout_months=rules["dropout_months"],
    )


def _with_parents(figure: str, parents: Mapping[str, str]) -> Iterator[str]:
    while figure:
        yield figure
        figure = parents[figure]


def _day_of(delivers: str, column: str) -> date:
    """The first or last day of the source that delivers participations, or counts."""
    days = {row["delivers"]: row[column] for row in seed_rows("outcome_sources")}
    return date.fromisoformat(days[delivers])


# Who takes part


def _participations(
    site: Site, genders: Sequence[str], figures: _Figures, rng: Random
) -> list[_Participation]:
    """All participations of an association: exactly its volumes, and those misregistered."""
    luck = rng.uniform(*_OWN_LUCK)
    going_on: list[_Participation] = []
    over: list[_Participation] = []
    numbers = itertools.count(1)
    for year, (n_active, n_ended) in site.volumes.items():
        if not (site.starts_anew or over):
            stays = [min(rng.expovariate(1 / _STAYS), _STAYS_AT_MOST) for _ in range(n_active)]
            starts = [date(year - 1, 12, 31) - timedelta(int(d)) for d in stays[n_ended:]]
            going_on += _beginning(rng, site, genders, starts, numbers)
        n_new = max(0, n_active - len(going_on))
        starts = [date(year, 1, 1) + timedelta(rng.randrange(365)) for _ in range(n_new)]
        going_on += _beginning(rng, site, genders, starts, numbers)
        leaving = set(rng.sample(range(len(going_on)), n_ended))
        ended = [_ending(rng, going_on[n], year, genders, luck, figures) for n in sorted(leaving)]
        mistaken = rng.sample(ended, min(n_ended, int(n_active * _MISREGISTERED + rng.random())))
        over += ended + [_mistake(rng, p, next(numbers), figures) for p in mistaken]
        going_on = [p for n, p in enumerate(going_on) if n not in leaving]
    return over + going_on


def _beginning(
    rng: Random,
    site: Site,
    genders: Sequence[str],
    starts: Iterable[date],
    numbers: Iterator[int],
) -> Iterator[_Participation]:
    """A participation per start: of somebody new, or now and then of the one before as well."""
    single: _Participation | None = None
    for start in starts:
        others = [a for a in site.activities if single and a != single.insats_kod]
        if single and others and rng.random() < _TAKES_PART_TWICE:
            yield replace(single, insats_kod=rng.choice(others))
            single = None
            continue
        knows_years = rng.random() >= _YEARS_UNKNOWN
        years = min(_MOST_YEARS, int(rng.expovariate(1 / _MEAN_YEARS)))
        single = _Participation(
            participation_id=f"D{next(numbers):05d}",
            insats_kod=rng.choice(site.activities),
            kon=rng.choices((*genders, ""), _GENDER_WEIGHTS)[0],
            start_date=start,
            years_without_work=years if knows_years else None,
        )
        yield single


def _ending(
    rng: Random,
    participation: _Participation,
    year: int,
    genders: Sequence[str],
    luck: float,
    figures: _Figures,
) -> _Participation:
    """The participation with an end in the year, whatever became of it."""
    first = max(participation.start_date, date(year, 1, 1))
    odds = luck * (_MENS_LUCK if participation.kon == genders[1] else 1)
    weights = [w * (odds if r in figures.positive else 1) for r, w in _REASON_WEIGHTS.items()]
    return replace(
        participation,
        end_date=first + timedelta(int(rng.random() * ((date(year, 12, 31) - first).days + 1))),
        exit_reason=rng.choices(list(_REASON_WEIGHTS), weights)[0],
    )


def _mistake(rng: Random, beside: _Participation, number: int, figures: _Figures) -> _Participation:
    """A registration by mistake, soon ended; its dates lie within those of another."""
    assert beside.end_date
    days = min((beside.end_date - beside.start_date).days, rng.randint(0, 30))
    return replace(
        beside,
        participation_id=f"D{number:05d}",
        end_date=beside.start_date + timedelta(days),
        exit_reason=figures.left_out,
    )


def _as_of(rows: Iterable[_Participation], day: date) -> Iterator[_Participation]:
    """What was known on a day: who began later is not there, who left later goes on."""
    for row in rows:
        if row.start_date <= day:
            knows_end = row.end_date is not None and row.end_date <= day
            yield row if knows_end else replace(row, end_date=None, exit_reason="")


# The files


def _write_participations(folder: Path, site: Site, rows: Iterable[_Participation]) -> None:
    lines = [
        (
            site.association_id,
            row.insats_kod,
            row.participation_id,
            row.kon,
            row.start_date,
            row.end_date or "",
            row.exit_reason,
            "" if row.years_without_work is None else row.years_without_work,
        )
        for row in sorted(rows, key=lambda r: (r.start_date, r.participation_id, r.insats_kod))
    ]
    _write(folder / f"{site.association_id}_sus.csv", PARTICIPATION_COLUMNS, lines)


def _write_counts(
    folder: Path,
    site: Site,
    rows: Sequence[_Participation],
    year: int,
    genders: Sequence[str],
    figures: _Figures,
    begins: date,
) -> None:
    """The counts of the periods that end in a year, women, men and everybody."""
    if year not in site.volumes:
        return
    untold = () if site.number % _TELLS_NO_SPLIT else figures.splits
    told = [f for f in figures.columns if f not in untold]
    lines = []
    for first_day, last_day in _periods_ending(year, begins):
        for activity in site.activities:
            own = [r for r in rows if r.insats_kod == activity]
            for kon in (*genders[:2], _TOTAL):
                counts = _counts(own, first_day, last_day, kon, figures)
                if counts["active"]:
                    place = (site.association_id, activity, first_day, last_day, kon)
                    lines.append((*place, *(counts[f] for f in told)))
    columns = ("association_id", "insats_kod", "period_start", "period_end", "kon", *told)
    _write(folder / f"{site.association_id}_{year}.csv", columns, lines)


def _periods_ending(year: int, begins: date) -> Iterator[tuple[date, date]]:
    for row in seed_rows("outcome_periods"):
        for start in (year - 1, year):
            first_day = date(start, int(row["first_month"]), 1)
            last_day = _months_after(first_day, int(row["n_months"])) - timedelta(1)
            if first_day >= begins and last_day.year == year:
                yield first_day, last_day


def _counts(
    rows: Iterable[_Participation], first_day: date, last_day: date, kon: str, figures: _Figures
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        end = row.end_date or date.max
        overlaps = row.start_date <= last_day and end >= first_day
        if overlaps and kon in (_TOTAL, row.kon) and row.exit_reason != figures.left_out:
            counts["active"] += 1
            counts.update(["active_next"] if end > last_day else _ways_out(row, figures))
    return counts


def _ways_out(row: _Participation, figures: _Figures) -> Sequence[str]:
    """The columns that somebody who left counts in."""
    limit = _months_after(row.start_date, figures.dropout_months)
    is_dropout = row.end_date is not None and row.end_date <= limit
    return ("ended", "dropouts") if is_dropout else figures.counts_as[row.exit_reason]


def _months_after(day: date, months: int) -> date:
    """The same day of a later month, or the last of it."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _write_study(
    folder: Path,
    taking_part: Sequence[tuple[Site, Sequence[_Participation]]],
    until: date,
    genders: Sequence[str],
    figures: _Figures,
    rng: Callable[..., Random],
) -> None:
    """Leavers of each cohort who had work or studies later, of the nation and lasting associations.

    The nation has those of the others too.
    """
    lines: list[tuple[Any, ...]] = []
    for cohort in _COHORTS:
        for months, share in zip(_MONTHS_AFTER, _SUSTAINED, strict=True):
            if _months_after(date(cohort, 12, 31), months) > until:
                continue
            nation: Counter[str] = Counter()
            for site, rows in taking_part:
                own = rng(STUDY, site.association_id, cohort, months)
                found = _followed(rows, cohort, share * own.uniform(*_OWN_LUCK), figures, own)
                nation.update(found)
                if site.is_lasting and found[_TOTAL]:
                    lines += _study_rows(
                        ("association", site.association_id, cohort, months), found, genders
                    )
            if nation[_TOTAL]:
                lines += _study_rows(("nation", "0000", cohort, months), nation, genders)
    if lines:
        folder.mkdir(exist_ok=True)
        _write(folder / _STUDY_FILE, STUDY_COLUMNS, lines)


def _followed(
    rows: Iterable[_Participation], cohort: int, share: float, figures: _Figures, rng: Random
) -> Counter[str]:
    """How many left in the year, and (with +) how many of them had work or studies later."""
    found: Counter[str] = Counter()
    for row in rows:
        if row.end_date and row.end_date.year == cohort and row.exit_reason != figures.left_out:
            positive = row.exit_reason in figures.positive
            sustained = rng.random() < share * (1.4 if positive else 0.5)
            for kon in (_TOTAL, row.kon):
                found[kon] += 1
                found[f"{kon}+"] += sustained
    return found


def _study_rows(
    key: tuple[Any, ...], found: Counter[str], genders: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    for kon in (_TOTAL, *genders[:2]):
        if found[kon]:
            yield (*key, kon, found[kon], found[f"{kon}+"], _SOURCE)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
