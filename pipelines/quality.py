"""The expectations: suites of JSON held against rounds' evidence; what fails becomes findings.

Belongs here: reading `expectations/<table>.json`, running each once over the deliveries of many
rounds, and telling failures apart by delivery with sheet and cell. Does not: the figures that are
judged (evidence.py), what one cell may hold (the reader). Alone imports great_expectations, and
only when a check runs.

A suite's `meta` decides, GX's own severity follows it:

| meta.severity  | severity | who acts                                      |
|----------------|----------|-----------------------------------------------|
| stop           | critical | the delivery stays out                        |
| error, warning | warning  | the cell does not count; loaded, please look  |
| info           | info     | nobody                                        |

`meta.at` says what is pointed at: cell, column, sheet, readme or file; `meta.column` its field.
`meta.together` makes one finding of all that a column of a sheet has. Sentences and `value` may
hold the names of the frame's columns. Results of GX hold cells' values: they stay in memory.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipelines import imports, lake, loading
from pipelines.extra import instrument_of, instrument_of_all
from pipelines.findings import Finding, Rule, Severity, thresholds
from pipelines.instrument import Instrument
from pipelines.lake import Delivery, Manifest
from pipelines.register import Register
from pipelines.settings import EXPECTATIONS, Settings
from pipelines.web.columns import WEB, layouts_of

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.evidence import Evidence
    from pipelines.workbook.structure import ReadBook

TABLES = ("deliveries", "activities", "responses", "answers")
"""The raw tables, one suite each, in the order their findings are told."""

Key = tuple[str, str]
Findings = dict[Key, tuple[Finding, ...]]
Suite = Mapping[str, Any]
Row = Mapping[str, Any]
Failing = Mapping[str, list[dict[str, Any]]]
"""The rows of a round's evidence that fail, by rule id."""

_GX_SEVERITY = {"stop": "critical", "error": "warning", "warning": "warning", "info": "info"}
_RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["at"],
    "return_unexpected_index_query": False,
    "partial_unexpected_count": 0,
}
_ROWS_LISTED = 20
_AT_ONCE = 100_000
"""Questionnaires looked at together; evidence about one takes about a kilobyte of memory."""

_BY_ROW = ("expect_column_values_to_be_in_set", "expect_column_values_to_be_between")
_COLUMN = ("column", "column_A", "column_B")


class QualityBroken(Exception):
    """An expectation could not be held against the data: the check is broken, not the data."""


def check(
    settings: Settings,
    deliveries: Mapping[int, Sequence[Delivery]],
    instrument: Instrument,
    register: Register,
    progress: loading.Progress = lambda done, total: None,
) -> Findings:
    """What the expectations find in some rounds.

    Args:
        settings: where the lake is.
        deliveries: those to check by round, see `sound`.
        instrument: the seeds, which fill the suites' parameters.
        register: the associations.
        progress: told how many of the rounds are done.

    Returns:
        The findings of each checked delivery by its key, stops first, then as the suites and the
        workbook have them; empty where nothing is wrong.

    Raises:
        QualityBroken: a suite cannot be used, or an expectation failed to run.
    """
    from pipelines.workbook.sandbox import Reader, read_safely

    deliveries = {round_: own for round_, own in deliveries.items() if own}
    failing = _failing(settings, deliveries, instrument, register, progress)
    found: Findings = {}
    with Reader() as reader:
        read = partial(read_safely, reader=reader)
        for round_, own in deliveries.items():
            atlas = _Atlas(settings, instrument, register, own, read)
            found |= _told(failing[round_], own, atlas)
    return found


def sound(manifest: Manifest, round_: int) -> list[Delivery]:
    """The round's deliveries that the reader found no stop in, replaced but no withdrawn ones.

    A stop of an earlier check does not count: whether it holds is what the check is to say.
    """
    return [d for d in manifest.present(round_) if d.is_readable and d.state != "withdrawn"]


def fingerprint(
    deliveries: Sequence[Delivery], round_: int, instrument: Instrument, register: Register
) -> str:
    """Changes whenever a check of the round could find something else.

    Args:
        deliveries: the manifest's.
        round_: the round.
        instrument: the seeds.
        register: the associations.
    """
    digest = hashlib.sha256(f"{instrument.fingerprint}{register.associations!r}".encode())
    here = Path(__file__)
    for path in (*sorted(EXPECTATIONS.glob("*.json")), here, here.with_name("evidence.py")):
        digest.update(path.read_bytes())
    own = [d for d in deliveries if d.round == round_]
    for d in (*own, *_earlier(own, deliveries, round_)):
        told = (d.key, d.mtime_ns, d.is_present, d.read_with, d.findings, d.is_final)
        digest.update(repr((*told, d.state == "withdrawn")).encode())
    return digest.hexdigest()


def _earlier(
    own: Iterable[Delivery], deliveries: Iterable[Delivery], round_: int
) -> Iterable[Delivery]:
    """What a round's deliveries, or their receipts, may be compared with."""
    associations = {d.association_id for d in own}
    counting = [d for d in deliveries if d.round < round_ and d.state == "loaded"]
    last = {(d.association_id, d.source): d for d in sorted(counting, key=lambda d: d.round)}
    return [d for (association_id, _), d in last.items() if association_id in associations]


# --- looking at rounds ----------------------------------------------------------------------------


def _failing(
    settings: Settings,
    deliveries: Mapping[int, Sequence[Delivery]],
    instrument: Instrument,
    register: Register,
    progress: loading.Progress,
) -> dict[int, Failing]:
    """The rows that fail, by round.

    A round is looked at once more when what it rests on turns out otherwise: after a stop an older
    delivery of the association counts, also for those that are compared with it.
    """
    from pipelines import evidence

    manifest = lake.read_manifest(settings)
    stopped: dict[int, frozenset[Key]] = dict.fromkeys(deliveries, frozenset())
    failing: dict[int, Failing] = {}
    rested_on: dict[int, _Ground] = {}
    while True:
        counting = _counting(settings, manifest, deliveries, stopped)
        grounds = {
            round_: _Ground(evidence.previous(own, counting, round_), stopped[round_])
            for round_, own in deliveries.items()
        }
        due = {r: own for r, own in deliveries.items() if rested_on.get(r) != grounds[r]}
        if not due:
            return failing
        for batch in _batches(due):
            gathered = _gathered(settings, manifest, batch, grounds, instrument, register)
            failing |= _held(gathered, parameters(instrument, register))
            progress(len(failing), len(deliveries))
        rested_on = grounds
        stopped = {r: stopped[r] | _stopped(failing[r], own) for r, own in deliveries.items()}


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the evidence about a round rests on beside its own deliveries.

    Attributes:
        before: what each of them is compared with.
        stopped: those that cannot count, so that an older one of the association does.
    """

    before: Sequence[Sequence[Delivery]]
    stopped: frozenset[Key]


def _counting(
    settings: Settings,
    manifest: Manifest,
    judged: Mapping[int, Sequence[Delivery]],
    stopped: Mapping[int, frozenset[Key]],
) -> list[Delivery]:
    """What counts in all rounds if just these of the judged deliveries are stopped."""
    keys = {d.key for own in judged.values() for d in own}
    out = frozenset[Key]().union(*stopped.values())
    withdrawn = {d.unit[:2] for d in manifest.deliveries if d.state == "withdrawn"}
    supposed = [
        replace(d, checks={Severity.STOP.value: int(d.key in out)}) if d.key in keys else d
        for d in manifest.deliveries
    ]
    settled = lake.settle(supposed, withdrawn)
    return [d for d in settled if d.state == "loaded" and lake.parquet_of(settings, d).exists()]


def _batches(
    deliveries: Mapping[int, Sequence[Delivery]],
) -> Iterator[dict[int, Sequence[Delivery]]]:
    """The rounds that are looked at together: a validation costs the same however few its rows."""
    batch: dict[int, Sequence[Delivery]] = {}
    size = 0
    for round_, own in deliveries.items():
        n = sum(d.n_questionnaires for d in own)
        if batch and size + n > _AT_ONCE:
            yield batch
            batch, size = {}, 0
        batch[round_] = own
        size += n
    yield batch


def _gathered(
    settings: Settings,
    manifest: Manifest,
    deliveries: Mapping[int, Sequence[Delivery]],
    grounds: Mapping[int, _Ground],
    instrument: Instrument,
    register: Register,
) -> dict[int, Evidence]:
    """The evidence by round; what one round has read the next one looks back at."""
    from pipelines import evidence

    shares: evidence.Shares = {}
    return {
        round_: evidence.gather(
            settings,
            own,
            round_,
            instrument,
            register,
            thresholds(),
            before=grounds[round_].before,
            gone=_gone(settings, manifest, round_, own),
            stopped=grounds[round_].stopped,
            shares=shares,
        )
        for round_, own in deliveries.items()
    }


def _gone(
    settings: Settings, manifest: Manifest, round_: int, own: Iterable[Delivery]
) -> list[Delivery]:
    """What was read of the round and is judged no more: withdrawn, or the file is gone."""
    judged = {d.key for d in own}
    return [
        d
        for d in manifest.deliveries
        if d.round == round_ and d.is_readable and (not d.is_present or d.state == "withdrawn")
        if d.key not in judged and lake.parquet_of(settings, d).exists()
    ]


def _stopped(failing: Failing, deliveries: Sequence[Delivery]) -> frozenset[Key]:
    """The keys of the deliveries that a rule stops."""
    severity = {rule_id: rule.severity for rule_id, rule in rules().items()}
    return frozenset(
        deliveries[row["delivery"]].key
        for rule_id, rows in failing.items()
        if severity[rule_id] is Severity.STOP
        for row in rows
    )


# --- the suites ---------------------------------------------------------------------------------


@cache
def suites(folder: Path = EXPECTATIONS, tables: Sequence[str] = TABLES) -> dict[str, Suite]:
    """The suites by table; by default those of the raw tables of deliveries.

    Raises:
        QualityBroken: a rule stands twice, or GX's severity contradicts ours.
    """
    read = {t: json.loads((folder / f"{t}.json").read_text(encoding="utf-8")) for t in tables}
    seen: set[str] = set()
    for described in (e for suite in read.values() for e in suite["expectations"]):
        rule_id, severity = described["meta"]["rule_id"], described["meta"]["severity"]
        if rule_id in seen or described["severity"] != _GX_SEVERITY.get(severity):
            raise QualityBroken(f"{rule_id}: regeln finns två gånger, eller har fel severity.")
        seen.add(rule_id)
    return read


def rules(tables: Sequence[str] = TABLES) -> dict[str, Rule]:
    """The suites' rules by id; the reader's are in `findings.rules`."""
    held = suites(EXPECTATIONS, tables).values()
    metas = [e["meta"] for suite in held for e in suite["expectations"]]
    return {
        m["rule_id"]: Rule(m["rule_id"], Severity(m["severity"]), m["wrong_sv"], m["remedy_sv"])
        for m in metas
    }


def table_of() -> dict[str, str]:
    """The table each rule is about."""
    return {e["meta"]["rule_id"]: t for t, s in suites().items() for e in s["expectations"]}


def parameters(instrument: Instrument, register: Register) -> dict[str, Any]:
    """What fills the suites' parameters: the seeds' codes, the register's ids, the limits."""
    every = instrument_of_all(instrument, register.extra_questions)
    questions, scales = every.questions.values(), instrument.scales
    return {
        **thresholds(),
        **{field: sorted(set(known.values())) for field, known in instrument.spellings.items()},
        "rounds": list(instrument.rounds),
        "layouts": [*instrument.layouts, WEB],
        "associations": list(register.associations),
        "questionnaires": list(instrument.questionnaires),
        "questions": [f"{q.questionnaire_id}/{q.question_id}" for q in questions],
        "answers": [f"{q.question_id}={c.code}" for q in questions for c in scales[q.scale_id]],
    }


# --- running them -------------------------------------------------------------------------------


def _held(gathered: Mapping[int, Evidence], parameters: Mapping[str, Any]) -> dict[int, Failing]:
    """The rows that fail, by round; one validation per table for all of them."""
    from pipelines import evidence

    frames = {t: [e.frames[t] for e in gathered.values()] for t in suites()}
    cases = {
        table: evidence.cases_of(frames[table], _looked_at(suite), is_by_row=_is_by_row(suite))
        for table, suite in suites().items()
    }
    failures = failing_rows({t: c.frame for t, c in cases.items()}, parameters, suites())
    by_rule = {
        rule_id: cases[table].rows(frames[table], failures[rule_id])
        for rule_id, table in table_of().items()
    }
    return {
        round_: {rule_id: rows[k] for rule_id, rows in by_rule.items()}
        for k, round_ in enumerate(gathered)
    }


def _looked_at(suite: Suite) -> list[str]:
    """The columns that a suite looks at."""
    held = [e["kwargs"] for e in suite["expectations"]]
    named = [kwargs[name] for kwargs in held for name in _COLUMN if name in kwargs]
    lists = [kwargs.get("column_list", ()) for kwargs in held]
    return list(dict.fromkeys([*named, *chain.from_iterable(lists)]))


def _is_by_row(suite: Suite) -> bool:
    """Whether each of a suite's expectations looks at one row at a time."""
    return all(e["type"].startswith(_BY_ROW) for e in suite["expectations"])


def failing_rows(
    frames: Mapping[str, pd.DataFrame], parameters: Mapping[str, Any], held: Mapping[str, Suite]
) -> dict[str, list[int]]:
    """The rows of the frames that expectations fail on, by rule id; one validation per table.

    Args:
        frames: by table.
        parameters: what fills `{"$PARAMETER": …}`.
        held: the suites to hold against the frames, by table.

    Raises:
        QualityBroken: an expectation is unknown, lacks a parameter, or failed to run.
    """
    source = _context().data_sources.add_pandas("lake")
    failing: dict[str, list[int]] = {}
    for table, suite in held.items():
        whole = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("round")
        failing |= _validated(whole.get_batch({"dataframe": frames[table]}), suite, parameters)
    return failing


def _context() -> Any:
    """A context of GX that keeps all to itself: no file, no log line, no progress, no telemetry."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    log = logging.getLogger("great_expectations")  # its lines may hold values
    log.propagate, log.handlers = False, [logging.NullHandler()]

    with imports.uncollected():
        import great_expectations as gx
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _validated(batch: Any, suite: Suite, parameters: Mapping[str, Any]) -> dict[str, list[int]]:
    from great_expectations import ExpectationSuite
    from great_expectations.exceptions.exceptions import SuiteParameterError

    expectations = [_expectation(e) for e in suite["expectations"]]
    built = ExpectationSuite(name=suite["name"], expectations=expectations)
    try:
        validated = batch.validate(
            built, result_format=_RESULT_FORMAT, expectation_parameters=dict(parameters)
        )
    except SuiteParameterError as error:
        raise QualityBroken(f"{suite['name']}: en parameter saknas ({error}).") from None
    except Exception as error:
        kind = type(error).__name__
        raise QualityBroken(f"{suite['name']}: kontrollen gick inte att köra ({kind}).") from None
    results = {r.expectation_config.meta["rule_id"]: r for r in validated.results}
    wanted = [e["meta"]["rule_id"] for e in suite["expectations"]]
    if lost := set(wanted) - set(results):
        raise QualityBroken(f"{suite['name']}: {', '.join(sorted(lost))} kördes inte.")
    return {rule_id: _positions(rule_id, results[rule_id]) for rule_id in wanted}


def _expectation(described: Mapping[str, Any]) -> Any:
    """One expectation; the suite itself would drop a misspelt one without a word."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        return ExpectationConfiguration(**described).to_domain_obj()
    except Exception as error:
        rule_id, kind = described["meta"]["rule_id"], described["type"]
        raise QualityBroken(f"{rule_id}: {kind} går inte att använda.") from error


def _positions(rule_id: str, result: Any) -> list[int]:
    """The rows a result names. Its message may hold values, so an error tells the rule alone."""
    if result.success:
        return []
    rows = result.result.get("unexpected_index_list")
    if not rows:
        raise QualityBroken(f"{rule_id}: kontrollen gick inte att köra.")
    return sorted({int(row["at"]) for row in rows})


# --- telling it ---------------------------------------------------------------------------------


class Atlas(Protocol):
    """Where things stand in the files and what they are called there; `i` is a file's number."""

    def file(self, i: int) -> str:
        """The file as delivered."""

    def sheet(self, i: int, row: Row, at: str) -> str:
        """The sheet that is pointed at; empty for the whole file."""

    def names(self, i: int, row: Row, at: str) -> Mapping[str, str]:
        """The visible names of fields."""

    def row(self, i: int, row: Row) -> int:
        """The row as Excel counts it; 0 when not known."""

    def position(self, i: int, row: Row, name: str) -> int | None:
        """Where a field's column stands, from 0; None when not known."""

    def words(self, row: Row, names: Mapping[str, str]) -> Mapping[str, str]:
        """What sentences may say beside the columns of a frame."""


@dataclass(frozen=True)
class _Atlas:
    """Where things stand in the workbooks and what they are called there."""

    settings: Settings
    instrument: Instrument
    register: Register
    deliveries: Sequence[Delivery]
    read: ReadBook

    def file(self, i: int) -> str:
        """The delivered file."""
        return self.deliveries[i].file

    def sheet(self, i: int, row: Row, at: str) -> str:
        """The sheet that is pointed at; an export from the web has no readme sheet."""
        if at == "readme":
            return "" if self.deliveries[i].is_web else self.instrument.sheet_name_of("readme")
        return "" if at == "file" else row.get("sheet") or ""

    def position(self, i: int, row: Row, name: str) -> int | None:
        """Where a field's column stands on the row's sheet."""
        return self.places(i).get((row["sheet"], name))

    def words(self, row: Row, names: Mapping[str, str]) -> Mapping[str, str]:
        """The accepted genders; of an answer its label and the question it follows."""
        known = self.own_instrument(row["delivery"])
        words = {"wanted": ", ".join(dict.fromkeys(known.spellings["kon"].values()))}
        if question := known.questions.get(row.get("question_id", "")):
            labels = {c.code: c.label_sv for c in known.scales[question.scale_id]}
            words["answer_sv"] = f"{row['code']} {labels.get(row['code'], '')}"
            words["base_name"] = names.get(question.base_question_id or "", "")
        return words

    @cached_property
    def places(self) -> Callable[[int], Mapping[tuple[str, str], int]]:
        """Positions of columns by sheet and field, rows of activities by sheet and code."""
        return cache(self._places)

    def names(self, i: int, row: Mapping[str, Any], at: str) -> Mapping[str, str]:
        """The visible names of fields: column headers, or keys of the readme sheet."""
        if at == "readme":
            keys = self.instrument.fields_of("readme")
            return {f.field: f.field if self.deliveries[i].is_web else f.name for f in keys}
        if "row" not in row:
            columns = self.instrument.fields_of("activities")
            return {f.questionnaire_id or f.field: f.name for f in columns}
        sheets = layouts_of(self.deliveries[i].layout_id, self.own_instrument(i))
        layout = sheets.get(row["questionnaire_id"])
        return {field: name for name, field in layout.columns.items()} if layout else {}

    def own_instrument(self, i: int) -> Instrument:
        """The instrument with the columns that the delivery's association has beside."""
        delivery, questions = self.deliveries[i], self.register.extra_questions
        return instrument_of(self.instrument, questions, delivery.association_id, delivery.round)

    def row(self, i: int, row: Mapping[str, Any]) -> int:
        """The Excel row of a response, answer or activity; 0 when not known."""
        return int(row.get("row") or self.places(i).get((row["sheet"], row["insats_kod"]), 0))

    def _places(self, i: int) -> dict[tuple[str, str], int]:
        """Read from the workbook itself, as its columns may stand in any order.

        Nothing when the file is no longer the one that was read.
        """
        from pipelines.workbook.cells import plain_text

        delivery, path = self.deliveries[i], self.settings.raw / self.deliveries[i].file
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != delivery.sha256:
            return {}
        draft = loading.draft_of(
            data, delivery.file, delivery.round, self.instrument, self.register, self.read
        )
        places = {
            (sheet.title, field): column.position
            for sheet in draft.sheets
            for field, column in sheet.plan.by_field.items()
        }
        if sheet := draft.activities:
            title = self.instrument.sheet_name_of("activities")
            by_field = sheet.plan.by_field
            places |= {(title, field): column.position for field, column in by_field.items()}
            for number, row in reversed(list(zip(sheet.numbers, sheet.rows, strict=True))):
                places[title, plain_text(row[by_field["insats_kod"].position])] = number
        return places


def _told(failing: Failing, deliveries: Sequence[Delivery], atlas: Atlas) -> Findings:
    """The findings of each delivery: stops first, then as suites and workbook have them."""
    told: dict[int, list[Finding]] = {i: [] for i in range(len(deliveries))}
    for described in chain.from_iterable(suite["expectations"] for suite in suites().values()):
        meta = described["meta"]
        own: dict[int, list[dict[str, Any]]] = {}
        for row in failing[meta["rule_id"]]:
            own.setdefault(row["delivery"], []).append(row)
        for i, of_delivery in own.items():
            told[i] += of_rule(meta, i, of_delivery, atlas)
    order = list(Severity)
    return {
        deliveries[i].key: tuple(sorted(found, key=lambda f: order.index(f.severity)))
        for i, found in told.items()
    }


def of_rule(
    meta: Mapping[str, Any], i: int, rows: Sequence[dict[str, Any]], atlas: Atlas
) -> list[Finding]:
    """The findings of one rule in one file: many in a column are one, and all have a cap."""
    limits = thresholds()
    columns: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        key = (row.get("sheet", ""), meta["column"].format_map(row))
        columns.setdefault(key, []).append(row)
    apart = 1 if meta.get("together") else limits["apart"]
    found = [
        _finding(meta, i, field, alike, atlas)
        for (_, field), column in columns.items()
        for alike in ([column] if len(column) > apart else [[row] for row in column])
    ]
    told = found[: limits["cap"] - 1]
    if (more := len(found) - len(told)) <= 1:
        return found
    rest = f"Samma sak på {more} ställen till i filen."
    return [*told, replace(found[-1], sheet="", cell="", question="", value="", wrong=rest)]


def _finding(
    meta: Mapping[str, Any], i: int, field: str, rows: Sequence[dict[str, Any]], atlas: Atlas
) -> Finding:
    """One finding about one or several rows of a frame."""
    at, row, names = meta["at"], rows[0], atlas.names(i, rows[0], meta["at"])
    said = {**row, **atlas.words(row, names)}
    several = len(rows) > 1
    return Finding(
        rule_id=meta["rule_id"],
        severity=Severity(meta["severity"]),
        file=atlas.file(i),
        sheet=atlas.sheet(i, row, at),
        cell=_cell(at, i, field, row, atlas),
        question=names.get(field, ""),
        value="" if several else meta.get("value", "").format_map(said),
        wrong=meta["wrong_sv"].format_map(said) + (_which(i, rows, atlas) if several else ""),
        remedy=meta["remedy_sv"].format_map(said),
    )


def _cell(at: str, i: int, field: str, row: Row, atlas: Atlas) -> str:
    """What is pointed at as Excel names it: B8, the column B:B, or the row 8:8 if that is all."""
    from pipelines.workbook.cells import address, column_letters

    if at not in ("cell", "column"):
        return ""
    position = atlas.position(i, row, field)
    number = atlas.row(i, row) if at == "cell" else 0
    if position is None:
        return f"{number}:{number}" if number else ""
    letters = column_letters(position)
    return address(number, position) if number else f"{letters}:{letters}"


def _which(i: int, rows: Sequence[Row], atlas: Atlas) -> str:
    """The rows one finding is about."""
    numbers = [str(n) for n in sorted({atlas.row(i, row) for row in rows} - {0})]
    listed = ", ".join(numbers[:_ROWS_LISTED]) + (" …" if len(numbers) > _ROWS_LISTED else "")
    return f" Det gäller {len(numbers)} rader: {listed}."
