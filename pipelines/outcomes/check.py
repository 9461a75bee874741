"""Checking outcome files: the expectations over all of them, and the rows that count after it.

Belongs here: the order of the stages, telling what failed by file, writing the lake's tables. Does
not: the figures that are judged (evidence.py), the rules (`expectations/<table>.json`), running
them (quality.py).

An error leaves its row out, and so does a rule with `leaves_out`; no rule stops a file. What is
left is all that dbt gets to see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from pipelines import quality
from pipelines.findings import Finding, Severity, thresholds
from pipelines.instrument import Instrument
from pipelines.outcomes import facts, files, pages, tables
from pipelines.outcomes.files import CHECKS, OutcomeFile, State
from pipelines.outcomes.tables import PARTICIPATIONS, TABLES
from pipelines.quality import Row
from pipelines.register import Register
from pipelines.settings import EXPECTATIONS, Settings
from pipelines.swedish import day
from pipelines.workbook.personal import discreet

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.outcomes.evidence import Bools

Findings = dict[str, tuple[Finding, ...]]
"""The findings of each file, the reader's first."""

_TEXTS = {
    "start_text": ("start_date", "period_start"),
    "end_text": ("end_date", "period_end"),
}
"""The days that sentences name, and the columns they are in."""


def check(settings: Settings, instrument: Instrument, register: Register) -> Findings:
    """Holds the expectations against all outcome files, unless nothing changed since.

    The sound rows become the lake's tables, and each file has its receipt.

    Raises:
        QualityBroken: an expectation could not be held against the data.
    """
    if is_checked(settings, instrument, register):
        return files.findings_of(settings)
    state = files.read_state(settings)
    found: dict[str, list[Finding]] = {f.file: [] for f in state.files}
    counted: dict[str, int] = {}
    for table in TABLES:
        own = state.of(table)
        if not own:
            tables.write(settings, table, tables.schema_of(table).empty_table())
            continue
        judged = judge(settings, table, own, instrument)
        for name, of_file in judged.findings.items():
            found[name] += of_file
        counted |= _publish(settings, table, own, judged, register.is_synthetic)
    checked = tuple(
        replace(files.keep(settings, f, CHECKS, found[f.file]), n_counted=counted.get(f.file, 0))
        for f in state.files
    )
    state = replace(state, files=checked)
    state = replace(state, checked_with=fingerprint(state, instrument, register))
    pages.write(settings, state, register)
    files.forget_others(settings, state)
    files.write_state(settings, state)
    return files.findings_of(settings, state)


def is_checked(settings: Settings, instrument: Instrument, register: Register) -> bool:
    """Whether the files are checked as they were loaded last, and have their receipts."""
    state = files.read_state(settings)
    return (
        tables.are_there(settings)
        and state.checked_with == fingerprint(state, instrument, register)
        and all(files.is_whole(settings, f) for f in state.files)
        and all(path.exists() for path in pages.pages_of(settings, state).values())
    )


def fingerprint(state: State, instrument: Instrument, register: Register) -> str:
    """Changes whenever a check could find something else, or leave other rows."""
    digest = hashlib.sha256(f"{instrument.fingerprint}{state.is_synthetic}".encode())
    digest.update(repr(sorted(a.association_name for a in register.associations.values())).encode())
    held = [EXPECTATIONS / f"{table}.json" for table in TABLES]
    code = [*sorted(Path(__file__).parent.glob("*.py")), Path(quality.__file__)]
    for path in (*held, EXPECTATIONS / "thresholds.json", *code):
        digest.update(path.read_bytes())
    for f in state.files:
        digest.update(repr((*f.seen_as, f.sha256, f.table, f.read_with)).encode())
    return digest.hexdigest()


# --- judging ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The rows of a table with what was found in them.

    Attributes:
        frame: all rows that were read, see `evidence.frame_of`.
        counting: which of them count.
        findings: by file.
    """

    frame: pd.DataFrame
    counting: Bools
    findings: Mapping[str, Sequence[Finding]]


def judge(
    settings: Settings, table: str, own: Sequence[OutcomeFile], instrument: Instrument
) -> Judged:
    """Holds a table's suite, stage after stage.

    Raises:
        QualityBroken: an expectation could not be held.
    """
    import numpy as np
    import pyarrow.parquet as pq

    from pipelines.outcomes import evidence

    rows = [pq.ParquetFile(files.read_path(settings, f)).read() for f in own]
    frame = evidence.frame_of(table, own, rows)
    suite = quality.suites(EXPECTATIONS, TABLES)[table]
    failures: dict[str, list[int]] = {}
    counting = np.ones(len(frame), bool)
    for stage in evidence.STAGES:
        if stage == "repeats":
            evidence.with_repeats(table, frame, counting, own)
        elif stage == "sums":
            evidence.with_sums(table, frame, counting)
        held = [e for e in suite["expectations"] if e["meta"]["stage"] == stage]
        if not held or not len(frame):
            failures |= {e["meta"]["rule_id"]: [] for e in held}
            continue
        failing = quality.failing_rows(
            {table: frame}, parameters(instrument), {table: {**suite, "expectations": held}}
        )
        for e in held:
            if _leaves_out(e["meta"]):
                counting[failing[e["meta"]["rule_id"]]] = False
        failures |= failing
    found = _told(suite, frame, failures, _Atlas(own, instrument))
    return Judged(frame, counting, found)


def parameters(instrument: Instrument) -> dict[str, Any]:
    """What fills the suites' parameters."""
    known = facts.load()
    return {
        **thresholds(),
        "rounds": list(instrument.rounds),
        "months_after": list(known.months_after),
        "max_years_without_work": known.max_years_without_work,
    }


def _leaves_out(meta: Mapping[str, Any]) -> bool:
    return meta["severity"] == Severity.ERROR or "leaves_out" in meta


# --- telling it ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Atlas:
    """Where things stand in outcome files; see `quality.Atlas`."""

    files: Sequence[OutcomeFile]
    instrument: Instrument

    def file(self, i: int) -> str:
        return self.files[i].file

    def sheet(self, i: int, row: Row, at: str) -> str:
        return self.files[i].sheet

    def names(self, i: int, row: Row, at: str) -> Mapping[str, str]:
        return {name: str(header) for name, (header, _) in self.files[i].places.items()}

    def row(self, i: int, row: Row) -> int:
        return int(row["row"])

    def position(self, i: int, row: Row, name: str) -> int | None:
        place = self.files[i].places.get(name)
        return int(place[1]) if place else None

    def words(self, row: Row, names: Mapping[str, str]) -> Mapping[str, str]:
        from pipelines.outcomes.evidence import text_of_day

        known, words = facts.load(), {}
        for word, columns in _TEXTS.items():
            given = next((row[c] for c in columns if c in row), None)
            words[word] = "" if given is None or given != given else text_of_day(given)
        if row.get("row_first"):
            other = f" i {row['file_first']}" if row["file_first"] else ""
            words["where_first"] = f"{other} på rad {row['row_first']}"
        f = self.files[row["delivery"]]
        source, first = known.sources[PARTICIPATIONS], known.sources["counts"].first_day
        ended = (known.figures[part].label_sv.lower() for part in known.parts_of("ended"))
        return {
            **words,
            "received": day(f.received_on),
            "source": source.label_sv,
            "source_last": day(source.last_day) if source.last_day else "",
            "source_first": day(first) if first else "",
            "max_years": str(known.max_years_without_work),
            "wanted": ", ".join(dict.fromkeys(self.instrument.spellings["exit_reason"].values())),
            "period_kinds": _period_kinds(),
            "ended_parts": " + ".join(ended),
            "known_months": ", ".join(map(str, known.months_after)),
            "example_round": str(max(self.instrument.rounds)),
        }


def _period_kinds() -> str:
    from pipelines.instrument import seed_rows

    return ", ".join(row["label_sv"].lower() for row in seed_rows("outcome_periods"))


def _told(
    suite: quality.Suite,
    frame: pd.DataFrame,
    failures: Mapping[str, Sequence[int]],
    atlas: _Atlas,
) -> dict[str, list[Finding]]:
    """What failed as findings, by file, gravest first."""
    found: dict[int, list[Finding]] = {}
    for meta in (e["meta"] for e in suite["expectations"]):
        rows: Any = frame.iloc[sorted(failures[meta["rule_id"]])][_columns(meta, frame)]
        for i in sorted(set(rows["delivery"])):
            records = rows[rows["delivery"] == i].sort_values("row").to_dict("records")
            found.setdefault(i, []).extend(quality.of_rule(meta, i, records, atlas))
    order = list(Severity)
    return {
        atlas.file(i): sorted(some, key=lambda f: order.index(f.severity))
        for i, some in found.items()
    }


def _columns(meta: Mapping[str, Any], frame: pd.DataFrame) -> list[str]:
    """The columns that telling a rule needs; others would only cost."""
    texts = [meta["column"], meta.get("value", ""), meta["wrong_sv"], meta["remedy_sv"]]
    named = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}
    named |= {c for word in named & _TEXTS.keys() for c in _TEXTS[word]}
    named |= {"row_first", "file_first"} if "where_first" in named else set()
    return ["delivery", "row", *(str(c) for c in frame if c in named - {"delivery", "row"})]


# --- what counts --------------------------------------------------------------------------------


def _publish(
    settings: Settings,
    table: str,
    own: Sequence[OutcomeFile],
    judged: Judged,
    is_synthetic: bool,
) -> dict[str, int]:
    """Writes the rows that count to the lake; gives how many rows of each file do."""
    from pipelines.outcomes import publish

    rows = publish.ROWS_OF[table](judged.frame[judged.counting])
    order = ["delivery", "row", *(["gender"] if "gender" in rows else [])]
    rows = rows.sort_values(order, kind="stable")
    names = [discreet(f.file) for f in own]
    places = rows["delivery"].to_numpy()
    rows["file"] = [names[i] for i in places]
    rows["sha256"] = [own[i].sha256 for i in places]
    rows["is_synthetic"] = is_synthetic
    schema = tables.schema_of(table)
    tables.write(settings, table, publish.table_of(rows, schema))
    counting = judged.frame["delivery"].to_numpy()[judged.counting]
    return {f.file: int((counting == i).sum()) for i, f in enumerate(own)}
