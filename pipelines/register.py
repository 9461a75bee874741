"""The register of the landing zone: associations, memberships, targets, projects' questions.

Belongs here: reading `raw/register/*.csv` and refusing what contradicts itself. Does not: which
deliveries came in; that is the lake's.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pipelines import extra, instrument
from pipelines.extra import ExtraQuestion
from pipelines.settings import DBT_PROJECT

Row = TypeVar("Row")

_QUESTION_ID = re.compile(r"[a-z][a-z0-9_]*")


class RegisterError(Exception):
    """The register cannot be used; the message is Swedish and names file and row."""


@dataclass(frozen=True, slots=True)
class Association:
    """A coordination association and its agreement with NNS; `agreement_to` None: still.

    Attributes:
        kind: what an organisation is that is no association; empty for an association.
        in_nation: whether it counts in the nation, its county and the comparable groups.
    """

    association_id: str
    association_name: str
    county_code: str
    agreement_from: date | None
    agreement_to: date | None
    kind: str = ""
    in_nation: bool = True


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
    """A target level in percent for a figure; `unit_id` None: every unit of the level.

    `measure_id` is a measure's or, for the outcomes, the outcome rate's.
    """

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
    extra_questions: tuple[ExtraQuestion, ...] = ()

    def predecessors(self, association_id: str) -> dict[str, int]:
        """The associations that merged into this one, with the first round of the merged one.

        The register has no word for a merger: one ended, and all its municipalities were members
        of this one from the round after.
        """
        joined = {
            (m.municipality_code, m.first_round)
            for m in self.memberships
            if m.association_id == association_id
        }
        left: dict[str, set[tuple[str, int]]] = {}
        for other in self.associations:
            own = [m for m in self.memberships if m.association_id == other]
            if own and all(m.last_round is not None for m in own):
                end = max(m.last_round or 0 for m in own)
                left[other] = {(m.municipality_code, end + 1) for m in own if m.last_round == end}
        return {
            other: min(first for _, first in left[other])
            for other in left
            if other != association_id and left[other] <= joined
        }


def read(raw: Path) -> Register:
    """The register under a landing zone; missing files are an empty register.

    Raises:
        RegisterError: a column is missing, a value is of another kind, an id is unknown or twice.
    """
    folder = raw / "register"
    associations = _read(folder / "associations.csv", _association)
    memberships = _read(folder / "memberships.csv", _membership)
    targets = _read(folder / "targets.csv", _target)
    extra_questions = _read(folder / "extra_questions.csv", _extra_question)
    known = {a.association_id for a in associations.values()}
    if memberships and not associations:
        path = folder / "associations.csv"
        raise RegisterError(f"{path} saknas eller är tom. Lägg dit registret över förbund.")
    _check_associations(folder / "associations.csv", associations)
    _check_memberships(folder / "memberships.csv", memberships, known)
    _check_targets(folder / "targets.csv", targets, known)
    _check_extra_questions(folder / "extra_questions.csv", extra_questions, known)
    origin = folder / "ORIGIN"
    return Register(
        associations={a.association_id: a for a in associations.values()},
        memberships=tuple(memberships.values()),
        targets=tuple(targets.values()),
        is_synthetic=origin.is_file() and "synthetic" in origin.read_text(encoding="utf-8"),
        extra_questions=tuple(extra_questions.values()),
    )


def _read(path: Path, make: Callable[[dict[str, str]], Row]) -> dict[int, Row]:
    """The rows of a file by their number in it."""
    if not path.is_file():
        return {}
    rows = {}
    for number, row in csv_rows(path):
        try:
            rows[number] = make(row)
        except KeyError as error:
            raise RegisterError(f"{path}: kolumnen {error.args[0]} saknas.") from error
        except ValueError as error:
            raise RegisterError(f"{path}, rad {number}: {error}") from error
    return rows


def csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The line number and stripped texts of each row of a CSV file: UTF-8, BOM allowed, `,` or `;`.

    Rows without any text, as Excel leaves them, are passed over.

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
    rows = csv.DictReader(text.splitlines(), delimiter=delimiter)
    for row in rows:
        texts = {(k or "").strip(): v.strip() for k, v in row.items() if isinstance(v, str)}
        if any(texts.values()):
            yield rows.line_num, {**dict.fromkeys(rows.fieldnames or (), ""), **texts}


def _association(row: dict[str, str]) -> Association:
    kind = row.get("kind", "")
    return Association(
        association_id=_required(row, "association_id"),
        association_name=_required(row, "association_name"),
        county_code=_required(row, "county_code"),
        agreement_from=_day(row["agreement_from"], last=False),
        agreement_to=_day(row["agreement_to"], last=True),
        kind=kind,
        in_nation=_flag(row, "in_nation", default=not kind),
    )


def _membership(row: dict[str, str]) -> Membership:
    return Membership(
        association_id=_required(row, "association_id"),
        municipality_code=_required(row, "municipality_code"),
        **_rounds(row),
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
        **_rounds(row),
        target_share=_percent(row["target_share"]),
    )


def _extra_question(row: dict[str, str]) -> ExtraQuestion:
    return ExtraQuestion(
        project_id=_required(row, "project_id"),
        association_id=_required(row, "association_id"),
        questionnaire_id=_required(row, "questionnaire_id"),
        column_name=_required(row, "column_name"),
        question_id=_question_id(row),
        label_sv=_required(row, "label_sv"),
        scale_id=_required(row, "scale_id"),
        positive_min_code=_code(row, "positive_min_code"),
        **_rounds(row),
        insats_kod=row.get("insats_kod") or None,
    )


def _question_id(row: dict[str, str]) -> str:
    question_id = _required(row, "question_id")
    if not _QUESTION_ID.fullmatch(question_id):
        raise ValueError(
            f"question_id {question_id} får bara ha små bokstäver a-z, siffror och understreck, "
            "och börjar med en bokstav."
        )
    return question_id


def _code(row: dict[str, str], column: str) -> int:
    text = _required(row, column)
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{column} {text} är inget heltal. Ange en kod på skalan.")
    return int(text)


def _check_associations(path: Path, associations: Mapping[int, Association]) -> None:
    """Refuses an id given twice and an unknown county."""
    counties = {row["county_code"] for row in instrument.seed_rows("counties")}
    known: set[str] = set()
    for number, a in associations.items():
        where = f"{path}, rad {number}"
        if a.association_id in known:
            raise RegisterError(f"{where}: förbundet {a.association_id} finns två gånger.")
        if a.county_code not in counties:
            raise RegisterError(f"{where}: länskoden {a.county_code} är okänd (två siffror, 01).")
        known.add(a.association_id)


def _check_memberships(
    path: Path, memberships: Mapping[int, Membership], associations: Container[str]
) -> None:
    """Refuses unknown ids, and the same membership given twice for a round."""
    municipalities = {row["municipality_code"] for row in instrument.seed_rows("municipalities")}
    for number, m in memberships.items():
        where = f"{path}, rad {number}"
        if m.association_id not in associations:
            raise RegisterError(f"{where}: förbundet {m.association_id} finns inte i registret.")
        if m.municipality_code not in municipalities:
            raise RegisterError(
                f"{where}: kommunkoden {m.municipality_code} är okänd (fyra siffror, 0114)."
            )
        _refuse_repeated(where, "samma medlemskap", m, number, memberships)


def _check_targets(path: Path, targets: Mapping[int, Target], associations: Container[str]) -> None:
    """Refuses targets of unknown figures or units, and two for one figure, unit and round."""
    if not targets:
        return
    named = _project_vars()
    measures = {row["measure_id"] for row in instrument.seed_rows("measures")}
    measures.add(named["outcome_rate"])
    indicators = {row["indicator_id"] for row in instrument.seed_rows("indicators")}
    is_unit = _units(named["nation_id"], associations)
    for number, t in targets.items():
        where = f"{path}, rad {number}"
        if t.measure_id not in {*measures, None} or t.indicator_id not in {*indicators, None}:
            figure = t.measure_id or t.indicator_id
            raise RegisterError(f"{where}: {figure} är inget mått och ingen indikator.")
        if t.level not in named["levels"]:
            levels = ", ".join(named["levels"])
            raise RegisterError(f"{where}: nivån {t.level} är ingen av {levels}.")
        known, how = is_unit[t.level]
        if t.unit_id and not known(t.unit_id):
            raise RegisterError(f"{where}: {t.unit_id} är ingen enhet på nivån {t.level}: {how}")
        _refuse_repeated(where, "samma målnivå", t, number, targets)


def _units(
    nation: str, associations: Container[str]
) -> Mapping[str, tuple[Callable[[str], bool], str]]:
    """By level whether there can be such a unit, and how its units are written.

    Which activities there are, and which groups the steward has made of them, is not known here.
    """
    counties = {f"00{row['county_code']}" for row in instrument.seed_rows("counties")}
    groups = {
        row["value"]
        for row in instrument.seed_rows("spellings")
        if row["field"] in ("langd", "inriktning")
    }

    def is_activity(unit_id: str) -> bool:
        association, _, code = unit_id.partition("/")
        return association in associations and bool(code)

    def is_group(unit_id: str) -> bool:
        return unit_id in groups or all(unit_id.partition("="))

    return {
        "nation": (lambda unit_id: unit_id == nation, f"skriv {nation}."),
        "county": (counties.__contains__, "skriv 00 och länskoden, till exempel 0001."),
        "association": (associations.__contains__, "förbundet finns inte i registret."),
        "activity": (is_activity, "skriv förbundets id, snedstreck och insatsens kod."),
        "activity_group": (is_group, f"skriv {', '.join(sorted(groups))} eller kategori=värde."),
    }


def _check_extra_questions(
    path: Path, questions: Mapping[int, ExtraQuestion], associations: Container[str]
) -> None:
    """Refuses what the instrument contradicts, and rows that contradict each other."""
    for number, q in questions.items():
        where = f"{path}, rad {number}"
        if q.association_id not in associations:
            raise RegisterError(f"{where}: förbundet {q.association_id} finns inte i registret.")
        if wrong := extra.contradiction(q, instrument.load()):
            raise RegisterError(f"{where}: {wrong}")
        for earlier, other in questions.items():
            if earlier < number and (wrong := _contradicts(q, other)):
                raise RegisterError(f"{where}: {wrong} Se rad {earlier}.")


def _contradicts(q: ExtraQuestion, other: ExtraQuestion) -> str | None:
    """What two rows say against each other, in Swedish with what to do."""
    is_same = q.question_id == other.question_id
    if is_same and q.content != other.content:
        return (
            f"frågan {q.question_id} har samma projekt, enkät, label_sv, skala och "
            "positive_min_code på alla sina rader. Ge en annan fråga ett annat question_id."
        )
    if q.association_id != other.association_id or not _share_a_round(q, other):
        return None
    if (q.questionnaire_id, q.header) == (other.questionnaire_id, other.header):
        return f"kolumnen {q.column_name} är redan upptagen de omgångarna. Välj ett annat namn."
    if is_same:
        return f"frågan {q.question_id} har redan en kolumn de omgångarna. Ta bort den ena raden."
    return None


def _refuse_repeated(where: str, what: str, row: Any, number: int, rows: Mapping[int, Any]) -> None:
    for earlier, other in rows.items():
        if earlier < number and row.overlaps(other):
            raise RegisterError(f"{where}: {what} finns på rad {earlier}.")


def outcome_rate() -> str:
    """What a target of the outcomes names in place of a measure, from the dbt project."""
    return str(_project_vars()["outcome_rate"])


def _project_vars() -> Mapping[str, Any]:
    """What the dbt project names once for SQL and Python: levels, units, the outcome rate."""
    import yaml

    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    named: Mapping[str, Any] = project["vars"]
    return named


def _share_a_round(
    a: Membership | Target | ExtraQuestion, b: Membership | Target | ExtraQuestion
) -> bool:
    later = max(a.first_round, b.first_round)
    return all(row.last_round is None or later <= row.last_round for row in (a, b))


def _required(row: dict[str, str], column: str) -> str:
    if not row[column]:
        raise ValueError(f"{column} är tom.")
    return row[column]


def _flag(row: dict[str, str], column: str, *, default: bool) -> bool:
    """True or false, in any case as Excel turns it; the default where the column or cell is not."""
    text = row.get(column, "")
    if not text:
        return default
    if text.casefold() not in ("true", "false"):
        raise ValueError(f"{column} är {text!r}; skriv true eller false, eller lämna tomt.")
    return text.casefold() == "true"


def _rounds(row: dict[str, str]) -> dict[str, Any]:
    """The first and last round of a row; no last: still."""
    first = _year(row["first_round"])
    last = _year(row["last_round"]) if row["last_round"] else None
    if last is not None and last < first:
        raise ValueError(f"last_round {last} ligger före first_round {first}.")
    return {"first_round": first, "last_round": last}


def _percent(text: str) -> float:
    share = float(text.replace(",", "."))
    if not 0 <= share <= 100:
        raise ValueError(f"{text} är ingen andel i procent (0 till 100).")
    return share


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
