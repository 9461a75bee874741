"""What the seeds say of outcomes: counts, periods, sources, limits, follow-ups.

Belongs here: reading the seeds `outcome_*` and `register_studies` and looking things up in them.
Does not: the columns of a file (tables.py), or any code, day or limit of its own.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from pipelines.instrument import seed_rows
from pipelines.settings import DBT_PROJECT, SEEDS, Settings


@dataclass(frozen=True, slots=True)
class Figure:
    """A count of the outcome table; `part_of` another one, or None."""

    figure_id: str
    part_of: str | None
    is_left_out: bool
    label_sv: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where outcomes of one form come from, and its days, inclusive; None: open."""

    label_sv: str
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Facts:
    """The seeds about outcomes.

    Attributes:
        figures: by id, in the seed's order.
        periods: first month and number of months of each kind of period.
        sources: by what they deliver: participations or counts.
        dropout_months: the seed's; `dropout_months` of this module knows the setting.
        max_years_without_work: what the source counts years to.
        months_after: the follow-ups of the register study.
        nation_id: what the nation is called among units.
    """

    figures: Mapping[str, Figure]
    periods: Mapping[str, tuple[int, int]]
    sources: Mapping[str, Source]
    dropout_months: int
    max_years_without_work: int
    months_after: tuple[int, ...]
    nation_id: str

    @property
    def counted(self) -> tuple[str, ...]:
        """The figures that a row of counts has."""
        return tuple(f.figure_id for f in self.figures.values() if not f.is_left_out)

    def parts_of(self, figure_id: str) -> tuple[str, ...]:
        """The figures that add up to one."""
        return tuple(f.figure_id for f in self.figures.values() if f.part_of == figure_id)

    def period_kind(self, first: date, last: date) -> str | None:
        """The kind of the period between two days, inclusive; None when it is none."""
        return next(
            (
                kind
                for kind, (month, n_months) in self.periods.items()
                if (first.month, first.day) == (month, 1) and _months(first, last) == n_months
            ),
            None,
        )


@cache
def load(seeds: Path = SEEDS) -> Facts:
    """What the seeds say.

    Raises:
        FileNotFoundError, KeyError, ValueError: a seed is missing or holds something else.
    """
    rules = {row["rule"]: int(row["value"]) for row in seed_rows("outcome_rules", seeds)}
    return Facts(
        figures={
            row["figure_id"]: Figure(
                row["figure_id"],
                row["part_of"] or None,
                row["is_left_out"] == "true",
                row["label_sv"],
            )
            for row in seed_rows("outcome_figures", seeds)
        },
        periods={
            row["period_kind"]: (int(row["first_month"]), int(row["n_months"]))
            for row in seed_rows("outcome_periods", seeds)
        },
        sources={
            row["delivers"]: Source(row["label_sv"], _day(row["first_day"]), _day(row["last_day"]))
            for row in seed_rows("outcome_sources", seeds)
        },
        dropout_months=rules["dropout_months"],
        max_years_without_work=rules["max_years_without_work"],
        months_after=tuple(int(r["months_after"]) for r in seed_rows("register_studies", seeds)),
        nation_id=_nation_id(),
    )


def dropout_months(settings: Settings) -> int:
    """Within how many months of its start a participation that ends is a dropout."""
    given = settings.dropout_months
    return load().dropout_months if given is None else given


def _nation_id() -> str:
    """The nation's id as the dbt project has it."""
    import yaml

    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    return str(project["vars"]["nation_id"])


def _months(first: date, last: date) -> int | None:
    """How many months from the first of one to the end of another; None when it does not end."""
    if last.day != monthrange(last.year, last.month)[1]:
        return None
    return (last.year - first.year) * 12 + last.month - first.month + 1


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
