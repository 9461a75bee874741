"""The register of the landing zone: associations, memberships, targets.

Belongs here: reading `raw/register/*.csv` and refusing what contradicts itself. Does not: which
deliveries came in; that is the lake's.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from pipelines import instrument

Row = TypeVar("Row")


class RegisterError(Exception):
    """The register cannot be used; the message is Swedish and names file and row."""


@dataclass(frozen=True, slots=True)
class Association:
    """A coordination association and its agreement with NNS; `agreement_to` None: still."""

    association_id: str
    association_name: str
    county_code: str
    agreement_from: date | None
    agreement_to: date | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A municipality's membership of an association, rounds inclusive; None: still."""

    association_id: str
    municipality_code: str
    first_round: int
    last_round: int | None

    def overlaps(self, other: Membership) -> bool:
        """Whether both say the same of some round."""
        same = (self.association_id, self.municipality_code) == (
            other.association_id,
            other.municipality_code,
        )
        return same and _share_a_round(self, other)


@dataclass(frozen=True, slots=True)
class Target:
    """A target level in percent for a measure or an indicator; `unit_id` None: every unit."""

    measure_id: str | None
    indicator_id: str | None
    level: str
    unit_id: str | None
    first_round: int
    last_round: int | None
    target_share: float

    def overlaps(self, other: Target) -> bool:
        """Whether both set a level for the same figure, unit and round."""
        same = (self.measure_id, self.indicator_id, self.level, self.unit_id) == (
            other.measure_id,
            other.indicator_id,
            other.level,
            other.unit_id,
        )
        return same and _share_a_round(self, other)


@dataclass(frozen=True, slots=True)
class Register:
    """The whole register; `is_synthetic` when ORIGIN says the data is invented."""

    associations: Mapping[str, Association]
    memberships: tuple[Membership, ...]
    targets: tuple[Target, ...]
    is_synthetic: bool


def read(raw: Path) -> Register:
    """The register under a landing zone; missing files are an empty register.

    Raises:
        RegisterError: a column is missing, a value is of another kind, an id is unknown or twice.
    """
    folder = raw / "register"
    associations = _read(folder / "associations.csv", _association)
    memberships = _read(folder / "memberships.csv", _membership)
    targets = _read(folder / "targets.csv", _target)
    if memberships and not associations:
        path = folder / "associations.csv"
        raise RegisterError(f"{path} saknas eller är tom. Lägg dit registret över förbund.")
    _check_associations(folder / "associations.csv", associations)
    _check_memberships(folder / "memberships.csv", memberships, associations)
    _check_targets(folder / "targets.csv", targets)
    origin = folder / "ORIGIN"
    return Register(
        associations={a.association_id: a for a in associations},
        memberships=memberships,
        targets=targets,
        is_synthetic=origin.is_file() and "synthetic" in origin.read_text(encoding="utf-8"),
    )


def _read(path: Path, make: Callable[[dict[str, str]], Row]) -> tuple[Row, ...]:
    if not path.is_file():
        return ()
    rows = []
    for number, row in enumerate(csv_rows(path), start=2):
        try:
            rows.append(make(row))
        except KeyError as error:
            raise RegisterError(f"{path}: kolumnen {error.args[0]} saknas.") from error
        except ValueError as error:
            raise RegisterError(f"{path}, rad {number}: {error}") from error
    return tuple(rows)


def csv_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file as stripped text: UTF-8, BOM allowed, `,` or `;`.

    Raises:
        RegisterError: the file is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RegisterError(
            f"{path}: filen är inte sparad som UTF-8. Spara om den (i Excel: Spara som, CSV UTF-8)."
        ) from error
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    for row in csv.DictReader(text.splitlines(), delimiter=delimiter):
        yield {(key or "").strip(): (value or "").strip() for key, value in row.items()}


def _association(row: dict[str, str]) -> Association:
    return Association(
        association_id=_required(row, "association_id"),
        association_name=_required(row, "association_name"),
        county_code=_required(row, "county_code"),
        agreement_from=_day(row["agreement_from"], last=False),
        agreement_to=_day(row["agreement_to"], last=True),
    )


def _membership(row: dict[str, str]) -> Membership:
    return Membership(
        association_id=_required(row, "association_id"),
        municipality_code=_required(row, "municipality_code"),
        first_round=_year(row["first_round"]),
        last_round=_year(row["last_round"]) if row["last_round"] else None,
    )


def _target(row: dict[str, str]) -> Target:
    measure_id, indicator_id = row.get("measure_id") or None, row.get("indicator_id") or None
    if (measure_id is None) == (indicator_id is None):
        raise ValueError("ange antingen measure_id eller indicator_id.")
    return Target(
        measure_id=measure_id,
        indicator_id=indicator_id,
        level=_required(row, "level"),
        unit_id=row["unit_id"] or None,
        first_round=_year(row["first_round"]),
        last_round=_year(row["last_round"]) if row["last_round"] else None,
        target_share=float(row["target_share"].replace(",", ".")),
    )


def _check_associations(path: Path, associations: tuple[Association, ...]) -> None:
    """Refuses an id given twice and an unknown county."""
    counties = {row["county_code"] for row in instrument.seed_rows("counties")}
    known: set[str] = set()
    for number, a in enumerate(associations, start=2):
        where = f"{path}, rad {number}"
        if a.association_id in known:
            raise RegisterError(f"{where}: förbundet {a.association_id} finns två gånger.")
        if a.county_code not in counties:
            raise RegisterError(f"{where}: länskoden {a.county_code} är okänd (två siffror, 01).")
        known.add(a.association_id)


def _check_memberships(
    path: Path, memberships: tuple[Membership, ...], associations: tuple[Association, ...]
) -> None:
    """Refuses unknown ids, and the same membership given twice for a round."""
    municipalities = {row["municipality_code"] for row in instrument.seed_rows("municipalities")}
    known = {a.association_id for a in associations}
    for number, m in enumerate(memberships, start=2):
        where = f"{path}, rad {number}"
        if m.association_id not in known:
            raise RegisterError(f"{where}: förbundet {m.association_id} finns inte i registret.")
        if m.municipality_code not in municipalities:
            raise RegisterError(
                f"{where}: kommunkoden {m.municipality_code} är okänd (fyra siffror, 0114)."
            )
        for earlier, other in enumerate(memberships[: number - 2], start=2):
            if m.overlaps(other):
                raise RegisterError(f"{where}: samma medlemskap finns på rad {earlier}.")


def _check_targets(path: Path, targets: tuple[Target, ...]) -> None:
    """Refuses targets of unknown figures, and two targets for one figure, unit and round."""
    measures = {row["measure_id"] for row in instrument.seed_rows("measures")}
    indicators = {row["indicator_id"] for row in instrument.seed_rows("indicators")}
    for number, t in enumerate(targets, start=2):
        if t.measure_id not in {*measures, None} or t.indicator_id not in {*indicators, None}:
            figure = t.measure_id or t.indicator_id
            raise RegisterError(
                f"{path}, rad {number}: {figure} är inget mått och ingen indikator."
            )
        for earlier, other in enumerate(targets[: number - 2], start=2):
            if t.overlaps(other):
                raise RegisterError(f"{path}, rad {number}: samma målnivå finns på rad {earlier}.")


def _share_a_round(a: Membership | Target, b: Membership | Target) -> bool:
    later = max(a.first_round, b.first_round)
    return all(row.last_round is None or later <= row.last_round for row in (a, b))


def _required(row: dict[str, str], column: str) -> str:
    if not row[column]:
        raise ValueError(f"{column} är tom.")
    return row[column]


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise ValueError(f"{text!r} är inget årtal (fyra siffror, till exempel 2026).")
    return int(text)


def _day(text: str, *, last: bool) -> date | None:
    """A day given as ÅÅÅÅ-MM-DD, or a year meaning its first or last day."""
    if not text:
        return None
    if len(text) == 4:
        return date(_year(text), 12, 31) if last else date(_year(text), 1, 1)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} är inget datum (ÅÅÅÅ-MM-DD).") from error
