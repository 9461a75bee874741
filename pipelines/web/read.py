"""Web answers as delivered: an export of one form as the same draft as a registration workbook's.

Belongs here: whose answers an export holds, which of its columns is what, submissions that stand
twice. Does not: the file itself (export.py), understanding its cells (workbook/read.py), comparing
with other deliveries (the expectations).

A file holds the answers of one association to one questionnaire of one round, which every row says
itself. What identifies a submission is looked at and not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from pipelines.extra import ExtraQuestion, instrument_of, instrument_of_all
from pipelines.findings import Finding, finding
from pipelines.instrument import Instrument
from pipelines.swedish import local_day
from pipelines.web.columns import WEB, code_of, layout_of, source_of
from pipelines.web.export import read_export
from pipelines.workbook import corrections
from pipelines.workbook.cells import Cell, address, blank, normalised, plain_text
from pipelines.workbook.native import Book, RefusedError
from pipelines.workbook.personal import HIDDEN, PERSONAL_RULES, personal_data, personal_data_in
from pipelines.workbook.structure import (
    Draft,
    StopError,
    listed,
    problems_of,
    refused_file,
    sheet_of,
)

_IDENTITY = ("round", "association_id", "questionnaire_id")

_UUID = re.compile(r"(?:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Export:
    """An export whose columns are known.

    Attributes:
        file: its name in findings.
        title: what its only sheet is called in findings: its questionnaire's, when that is known.
        rows: all of them; the header without the names of groups.
        positions: where the columns stand that hold a field, by field.
        round: of the folder it lies in.
    """

    file: str
    title: str
    rows: list[list[Cell]]
    positions: Mapping[str, list[int]]
    round: int
    instrument: Instrument
    report: Callable[..., Finding]

    @property
    def numbers(self) -> list[int]:
        """The rows that hold a submission, counted as Excel does."""
        below = enumerate(self.rows[1:], start=2)
        return [n for n, row in below if not all(map(blank, row))]

    def value(self, field: str, number: int) -> str:
        """What the first column of a field that holds anything says in a row."""
        row = self.rows[number - 1]
        return next(
            (text for i in self.positions.get(field, ()) if (text := plain_text(row[i]))), ""
        )


def draft_export(
    data: bytes,
    *,
    file: str,
    sha256: str,
    folder_round: int,
    associations: Mapping[str, object],
    instrument: Instrument,
    extra: Iterable[ExtraQuestion] = (),
) -> Draft:
    """The structure of one export.

    Args:
        data: the file's bytes.
        file: its name in findings.
        sha256: of the bytes.
        folder_round: the round of the folder it lies in.
        associations: the register's associations by id.
        instrument: the seeds.
        extra: the questions that projects ask beside them; their columns are their question_ids.

    Returns:
        The draft. Nothing in a file makes it raise: an export that cannot be loaded has a finding
        of severity stop.
    """
    every = instrument_of_all(instrument, extra)
    known = _known(every)
    try:
        rows = read_export(data, file, lambda header: _name(header, known) in known.values())
    except RefusedError as refused:
        return replace(refused_file(file, sha256, folder_round, refused), source=WEB)
    export = _export(rows, file, folder_round, every)
    draft = Draft(file, sha256, folder_round, WEB, WEB)
    findings = [finding("personal_file_name", file=file)] if personal_data(file) else []
    findings += _personal(export)
    try:
        findings += _corrected(export, sha256)
        told = dict(_told(export, associations, findings))
        source = source_of(told["questionnaire_id"])
        draft = replace(draft, source=source, association_id=told["association_id"])
        if all(told.values()):
            own = instrument_of(instrument, extra, draft.association_id, folder_round)
            draft = _with_answers(draft, replace(export, instrument=own), findings)
    except StopError as stop:
        findings.append(stop.reason)
    return replace(draft, findings=tuple(findings))


def _known(instrument: Instrument) -> dict[str, str]:
    """The columns that exports may have, by their normalised form."""
    return {normalised(name): name for name in (*instrument.web_columns, *instrument.questions)}


def _name(header: Cell, known: Mapping[str, str]) -> str:
    """The column a header names, alone or after groups (a/b/x, a-b-x); else the header itself."""
    whole = normalised(header)
    for name in (whole, whole.replace("/", "-").rpartition("-")[2]):
        if name in known:
            return known[name]
    return str(header)


def _export(rows: list[list[Cell]], file: str, round_: int, instrument: Instrument) -> _Export:
    known = _known(instrument)
    header = [_name(cell, known) for cell in rows[0]]
    positions: dict[str, list[int]] = {}
    for name, field in instrument.web_columns.items():
        places = [i for i, column in enumerate(header) if column == name]
        positions.setdefault(field, []).extend(places)
    whole = [[*header], *rows[1:]]
    report = partial(finding, file=file)
    export = _Export(file, "", whole, positions, round_, instrument, report)
    ids = {export.value("questionnaire_id", n) for n in export.numbers[:1]}
    own = next((q for q in instrument.questionnaires.values() if q.questionnaire_id in ids), None)
    title = own.sheet_name if own else ""
    return replace(export, title=title, report=partial(report, sheet=title))


def _personal(export: _Export) -> Iterator[Finding]:
    """Personal data in any cell, headers included; the identifier of a submission is none."""
    ids = export.positions.get("submission", [])
    rows = [
        [("" if i in ids and _UUID.fullmatch(str(cell)) else cell) for i, cell in enumerate(row)]
        for row in export.rows
    ]
    for _, cell, kind in personal_data_in(Book((export.title,), {export.title: rows})):
        yield export.report(PERSONAL_RULES[kind], cell=cell, value=HIDDEN)


def _corrected(export: _Export, sha256: str) -> list[Finding]:
    """Applies the corrections of this very file; those by association are of its workbook."""
    meant = [c for c in export.instrument.corrections if c.sha256 == sha256]
    book = Book((export.title,), {export.title: export.rows})
    return list(corrections.apply(book, meant, partial(finding, file=export.file)))


# --- whose answers they are ---------------------------------------------------------------------


def _told(
    export: _Export, associations: Container[str], findings: list[Finding]
) -> Iterator[tuple[str, str | None]]:
    """What the rows tell of round, association and questionnaire; None where it is wrong.

    Raises:
        StopError: a column of these is missing, or there is no submission.
    """
    if missing := [field for field in _IDENTITY if not export.positions.get(field)]:
        raise StopError(export.report("export_column_missing", wanted=", ".join(missing)))
    if not export.numbers:
        raise StopError(export.report("export_empty"))
    years = list(map(str, export.instrument.rounds))
    rules: Mapping[str, list[tuple[str, Container[str], object]]] = {
        "round": [
            ("round_unknown", years, export.round),
            ("round_not_folder", [str(export.round)], export.round),
        ],
        "association_id": [("association_unknown", associations, "")],
        "questionnaire_id": [
            ("questionnaire_unknown", export.instrument.questionnaires, _ids(export))
        ],
    }
    for field, tests in rules.items():
        reason = _not_one(export, field)
        cell, value = _where(export, field)
        for rule, accepted, wanted in tests:
            if reason is None and value not in accepted:
                at = {"cell": cell, "question": field, "value": value, "wanted": wanted}
                reason = export.report(rule, **at)
        findings += [reason] if reason else []
        yield field, None if reason else value


def _ids(export: _Export) -> str:
    asked = export.instrument.questionnaires_in(export.round)
    return ", ".join(q.questionnaire_id for q in asked)


def _where(export: _Export, field: str) -> tuple[str, str]:
    """Cell and value of a field in the first submission."""
    first = export.numbers[0]
    return address(first, export.positions[field][0]), export.value(field, first)


def _not_one(export: _Export, field: str) -> Finding | None:
    """That a row says otherwise than the first, if one does."""
    first, *others = export.numbers
    said = export.value(field, first)
    for number in others:
        if (value := export.value(field, number)) != said:
            cell = address(number, export.positions[field][0])
            at = {"cell": cell, "question": field, "value": value}
            return export.report("export_rows_disagree", wanted=said or "inget", **at)
    return None


# --- the answers --------------------------------------------------------------------------------


def _with_answers(draft: Draft, export: _Export, findings: list[Finding]) -> Draft:
    """The draft with its sheet of responses.

    Raises:
        StopError: its columns are not the form's.
    """
    questionnaire = export.instrument.questionnaires[draft.source.removeprefix(f"{WEB}:")]
    rows = [[*row] for row in export.rows]
    for number in _repeated(export, findings):
        rows[number - 1] = [""] * len(rows[0])
    _fill_days(rows, export)
    for i in export.positions.get("insats_kod", ()):
        for row in rows[1:]:
            row[i] = code_of(plain_text(row[i]))
    layout = layout_of(questionnaire, export.round, rows[0], export.instrument)
    sheet = sheet_of(export.title, rows, layout, export.round, export.instrument, export.report)
    if sheet is None:
        return draft
    findings += problems_of(sheet)
    return replace(draft, sheets=(sheet,) if sheet.rows else ())


def _repeated(export: _Export, findings: list[Finding]) -> Sequence[int]:
    """The rows whose submission stands further up; what tells it is not repeated in the finding."""
    seen, repeated = set(), []
    for number in export.numbers:
        key = normalised(export.value("submission", number)).removeprefix("uuid:")
        if key and key in seen:
            repeated.append(number)
        seen.add(key)
    if repeated:
        column = export.positions["submission"][0]
        cell = address(repeated[0], column)
        at: dict[str, Any] = {"cell": cell, "question": export.rows[0][column]}
        findings.append(export.report("submission_repeated", wanted=listed(repeated), **at))
    return repeated


def _fill_days(rows: list[list[Cell]], export: _Export) -> None:
    """Puts the day a submission was received where the form's own day is missing."""
    own, received = (export.positions.get(f, []) for f in ("svarsdatum", "received"))
    if not received:
        return
    if not own:
        rows[0][received[0]] = "svarsdatum"
    column = (own or received)[0]
    for row in rows[1:]:
        if not own or blank(row[column]):
            row[column] = _day(row[received[0]])


def _day(cell: Cell) -> date | Cell:
    """The day in Sweden of a moment that an export tells; what is no moment stays as it is."""
    with suppress(ValueError):
        return local_day(datetime.fromisoformat(plain_text(cell)))
    return cell
