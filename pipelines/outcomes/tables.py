"""The three tables of outcomes: the columns of their files, and what of them the lake holds.

Belongs here: which header is of which table, how its cells are understood, the columns and types
that dbt's staging relies on. Does not: reading a file (read.py) or judging its rows (evidence.py).
The source of the columns is CONTRACT 5; the counts are those of the seed outcome_figures.

```
lake/outcomes/participations.parquet     a row per participation
lake/outcomes/counts.parquet             a row per association, activity, gender and period
lake/outcomes/register_study.parquet     a row per unit, cohort, follow-up and gender
lake/outcomes/settings.parquet           one row: what the figures are counted with
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import lake
from pipelines.instrument import Instrument
from pipelines.outcomes import facts
from pipelines.settings import Settings
from pipelines.workbook.cells import (
    UNKNOWN,
    Cell,
    Kind,
    date_kind,
    plain_text,
    spelling_kind,
)

if TYPE_CHECKING:
    import pyarrow as pa

PARTICIPATIONS, COUNTS, STUDY = "participations", "outcome_counts", "register_study"

TABLES = (PARTICIPATIONS, COUNTS, STUDY)
"""The tables: a suite of expectations, an asset and a parquet file each."""

LABELS = {
    PARTICIPATIONS: "deltaganden",
    COUNTS: "antal per period",
    STUDY: "registerstudien",
}
"""What the steward calls them."""

SETTINGS = "outcome_settings"

TOTAL = "T"
"""The gender of a row that counts everybody."""

_PARQUET = {COUNTS: "counts", SETTINGS: "settings"}
_EXAMPLE = date(2022, 5, 31)
_WHOLE = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of a file.

    Attributes:
        kind: how its cells are understood.
        is_required: whether a file without it is refused.
        is_blank: whether a cell may be blank.
        keeps_row: whether a cell that is not understood is read as blank and the row counts.
    """

    name: str
    kind: Kind
    is_required: bool = True
    is_blank: bool = False
    keeps_row: bool = False


def columns_of(
    table: str, instrument: Instrument, associations: Iterable[str]
) -> tuple[Column, ...]:
    """The columns a file of the table may have.

    Args:
        table: one of TABLES.
        instrument: the seeds, for the accepted spellings.
        associations: the ids of the register.
    """
    words = instrument.spellings
    association = spelling_kind({a: a for a in associations}, "outcome_association_unknown")
    day = replace(date_kind(_EXAMPLE), rule="outcome_date_unknown", seen={}, refused=set())
    activity = Column("insats_kod", _text(), is_required=False, is_blank=True)
    both = {**words["kon"], **words["kon_total"]}
    gender = Column("kon", spelling_kind(both, "outcome_gender_unknown"), is_blank=True)
    if table == PARTICIPATIONS:
        reason = spelling_kind(words["exit_reason"], "outcome_reason_unknown")
        reason = replace(reason, wanted=", ".join(dict.fromkeys(words["exit_reason"].values())))
        return (
            Column("association_id", replace(association, wanted="")),
            activity,
            Column("participation_id", _text(), is_blank=True),  # some take part anonymously
            replace(gender, kind=spelling_kind(words["kon"], "kon_unknown"), keeps_row=True),
            Column("start_date", day),
            Column("end_date", day, is_blank=True),
            Column("exit_reason", reason, is_blank=True),
            Column("years_without_work", _whole(), is_required=False, is_blank=True),
        )
    if table == COUNTS:
        known = facts.load()
        derived = {"work", *known.parts_of("work"), "active_next"}
        return (
            Column("association_id", replace(association, wanted="")),
            activity,
            gender,
            Column("period_start", day),
            Column("period_end", day),
            *(
                Column(f, _whole(), is_required=f not in derived, is_blank=f in derived)
                for f in known.counted
            ),
        )
    level = spelling_kind(words["level"], "outcome_level_unknown")
    return (
        Column("level", replace(level, wanted=", ".join(dict.fromkeys(words["level"].values())))),
        Column("unit_id", _text(), is_blank=True),  # of the nation; see read.py
        Column("cohort", _whole()),
        Column("months_after", _whole()),
        gender,
        Column("n", _whole()),
        Column("n_sustained", _whole()),
        Column("source", _text(), is_required=False, is_blank=True),
    )


def _text() -> Kind:
    return Kind("", "", None, plain_text)


def _whole() -> Kind:
    """A whole number; a negative one is understood, and judged by the expectations."""

    def parse(cell: Cell) -> Any:
        text = plain_text(cell)
        return int(text) if _WHOLE.fullmatch(text) else UNKNOWN

    return Kind("outcome_number_unknown", "", None, parse)


# --- the lake -----------------------------------------------------------------------------------


def path_of(settings: Settings, table: str) -> Path:
    """Where the lake holds a table's rows that count; of SETTINGS, its one row."""
    return settings.lake / "outcomes" / f"{_PARQUET.get(table, table)}.parquet"


def schema_of(table: str) -> pa.Schema:
    """Columns and types of a table in the lake, as dbt's staging relies on them."""
    import pyarrow as pa

    text, integer, day = pa.string(), pa.int32(), pa.date32()
    place = {"file": text, "sha256": text, "row": integer}
    columns: dict[str, Mapping[str, pa.DataType]] = {
        PARTICIPATIONS: {
            "association_id": text,
            "insats_kod": text,
            "kon": text,
            "start_date": day,
            "end_date": day,
            "exit_reason": text,
            "years_without_work": integer,
            "last_date": day,
        },
        COUNTS: {
            "association_id": text,
            "insats_kod": text,
            "kon": text,
            "period_kind": text,
            "period_start": day,
            "period_end": day,
            **dict.fromkeys(facts.load().counted, integer),
        },
        STUDY: {
            "level": text,
            "unit_id": text,
            "cohort": integer,
            "months_after": integer,
            "gender": text,
            "n": integer,
            "n_sustained": integer,
            "source": text,
        },
    }
    if table == SETTINGS:
        return pa.schema({"dropout_months": integer})
    return pa.schema({**place, **columns[table], "is_synthetic": pa.bool_()})


def write(settings: Settings, table: str, content: pa.Table) -> None:
    """Writes a table of the lake, whole or not at all."""
    lake.write_parquet(path_of(settings, table), content.cast(schema_of(table)))


def write_settings(settings: Settings) -> None:
    """Writes what the figures are counted with."""
    import pyarrow as pa

    rows = [{"dropout_months": facts.dropout_months(settings)}]
    write(settings, SETTINGS, pa.Table.from_pylist(rows, schema_of(SETTINGS)))


def are_there(settings: Settings) -> bool:
    """Whether dbt finds all it reads."""
    return all(path_of(settings, table).exists() for table in (*TABLES, SETTINGS))


def ensure(settings: Settings) -> None:
    """Writes the tables that are not there, empty, so that dbt always finds them."""
    if are_there(settings):
        return
    for table in TABLES:
        if not path_of(settings, table).exists():
            write(settings, table, schema_of(table).empty_table())
    if not path_of(settings, SETTINGS).exists():
        write_settings(settings)
