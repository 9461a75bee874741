"""Exports of web answers made by other hands than ours: what is read, and what is told of them."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest

from pipelines import instrument as instruments
from pipelines.findings import Severity, rules
from pipelines.instrument import Correction
from pipelines.web.read import draft_export
from pipelines.workbook.read import Reading, read_drafts

KNOWN = instruments.load()
ROUND = 2027
STAFF = [q.question_id for q in KNOWN.questions_asked("staff", ROUND)]
Rows = list[dict[str, str]]


def answers(n: int = 6, **changes: str) -> Rows:
    """What a sound export holds: staff of one association, every question answered."""
    chance = Random(n)
    return [
        {
            "SubmissionDate": f"{ROUND}-10-02T08:00:00.000Z",
            "round": str(ROUND),
            "association_id": "provdalen",
            "questionnaire_id": "staff",
            "form_version": f"{ROUND}-1a2b3c4d",
            "svarsdatum": f"{ROUND}-10-01",
            "privacy": "",
            "insats_kod": "A1",
            **{q: str(chance.randint(1, 2)) for q in STAFF},
            "meta-instanceID": f"uuid:00000000-0000-4000-8000-{number:012}",
            "KEY": f"uuid:00000000-0000-4000-8000-{number:012}",
            "SubmitterID": "",
            "DeviceID": "collect:AbCdEf",
            "ReviewState": "",
            **changes,
        }
        for number in range(n)
    ]


def text_of(rows: Rows, delimiter: str = ",", newline: str = "\n") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0], delimiter=delimiter, lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(data: bytes | str | Rows, file: str = "personal.csv", instrument: Any = KNOWN) -> Reading:
    if isinstance(data, list):
        data = text_of(data)
    data = data.encode() if isinstance(data, str) else data
    draft = draft_export(
        data,
        file=f"{ROUND}/web/{file}",
        sha256=hashlib.sha256(data).hexdigest(),
        folder_round=ROUND,
        associations={"provdalen": None, "sagoasen": None},
        instrument=instrument,
    )
    return read_drafts([draft], instrument)[0]


def edited(number: int, **changes: str) -> Rows:
    """A sound export with other cells in one row, counted as Excel does."""
    rows = answers()
    rows[number - 2] |= changes
    return rows


def without(*columns: str) -> Rows:
    return [{k: v for k, v in row.items() if k not in columns} for row in answers()]


def cell_of(column: str, row: int) -> str:
    """As Excel names it, worked out by counting letters."""
    position = list(answers()[0]).index(column)
    first, last = divmod(position, 26)
    return (chr(64 + first) if first else "") + chr(65 + last) + str(row)


def told(reading: Reading) -> list[tuple[str, str]]:
    return [(f.rule_id, f.cell) for f in reading.findings]


# --- what is read -------------------------------------------------------------------------------


def test_a_sound_export_is_read_without_a_finding() -> None:
    rows = answers()
    reading = read(rows)
    assert reading.findings == ()
    assert (reading.association_id, reading.layout_id) == ("provdalen", "web")
    assert reading.rows_per_questionnaire == {"staff": 6}
    for number, (row, response) in enumerate(zip(rows, reading.responses.to_pylist(), strict=True)):
        assert dict(response["answers"]) == {q: int(row[q]) for q in STAFF}
        assert (response["sheet"], response["row"]) == ("Personal", number + 2)
        assert (response["insats_kod"], response["svarsdatum"]) == ("a1", date(ROUND, 10, 1))


def test_nothing_that_identifies_a_submission_is_kept() -> None:
    kept = repr(read(answers()).responses.to_pylist())
    assert not any(part in kept for part in ("uuid", "0000-4000", "collect", "AbCdEf"))


def _in_groups(sign: str) -> Rows:
    plain = {"SubmissionDate", "KEY", "SubmitterID", "DeviceID", "ReviewState", "meta-instanceID"}
    return [
        {(k if k in plain else f"a{sign}b{sign}{k}"): v for k, v in row.items()}
        for row in answers()
    ]


@pytest.mark.parametrize(
    "data",
    [
        text_of(answers(), ";"),
        "\ufeff" + text_of(answers(), ";", "\r\n"),
        text_of(answers(), ",", "\r\n"),
        text_of(_in_groups("-")),
        text_of(_in_groups("/"), ";"),
        text_of([{k.upper(): v for k, v in row.items()} for row in answers()]),
        text_of([dict(reversed(row.items())) for row in answers()]),
    ],
    ids=["semicolon", "bom and crlf", "crlf", "groups -", "groups /", "capitals", "other order"],
)
def test_an_export_is_read_alike_however_its_tool_writes_it(data: str) -> None:
    reading, usual = read(data), read(answers())
    assert reading.findings == ()
    kept = [c for c in usual.responses.column_names if c not in ("sha256", "answers")]
    assert reading.responses.select(kept).equals(usual.responses.select(kept))
    pairs = zip(reading.responses.to_pylist(), usual.responses.to_pylist(), strict=True)
    assert all(dict(a["answers"]) == dict(b["answers"]) for a, b in pairs)


@pytest.mark.parametrize("column", ["SubmissionDate", "_submission_time"])
def test_the_day_an_answer_came_in_stands_in_for_a_missing_one_in_swedish_time(column: str) -> None:
    moments = ["2027-09-30T22:30:00.000Z", "2027-10-30T23:59:59+02:00", "2027-12-01T23:30:00"]
    rows = [
        {column: moment}
        | {k: v for k, v in row.items() if k not in ("SubmissionDate", "svarsdatum")}
        for moment, row in zip(moments, answers(3), strict=True)
    ]
    days = [date(2027, 10, 1), date(2027, 10, 30), date(2027, 12, 2)]
    assert read(rows).responses["svarsdatum"].to_pylist() == days
    blank = [row | {"svarsdatum": ""} for row in rows]
    blank[0]["svarsdatum"] = "2027-09-20"
    assert read(blank).responses["svarsdatum"].to_pylist() == [date(2027, 9, 20), *days[1:]]


def test_blank_lines_do_not_move_the_rows_below_them() -> None:
    lines = text_of(edited(4, staff_1a="kanske")).splitlines()
    reading = read("\n".join([*lines[:2], "", "", *lines[2:]]))
    assert told(reading) == [("answer_unknown", cell_of("staff_1a", 6))]
    assert reading.responses["row"].to_pylist() == [2, 5, 6, 7, 8, 9]


def test_answers_are_understood_as_in_a_workbook() -> None:
    rows = edited(2, staff_1a="7 Vet ej", staff_1c=" delvis ", staff_2b="3.0", staff_13a="JA")
    first = dict(read(rows).responses.to_pylist()[0]["answers"])
    assert {q: first.get(q) for q in ("staff_1a", "staff_1c", "staff_13a")} == {
        "staff_1a": 7, "staff_1c": 3, "staff_13a": 2,
    }  # fmt: skip


def test_a_correction_of_the_very_file_is_applied_and_one_of_the_workbook_is_not() -> None:
    data = text_of(edited(3, staff_1a="kanske")).encode()
    cell = cell_of("staff_1a", 3)
    record = Correction(
        hashlib.sha256(data).hexdigest(), None, None, "Personal", cell, "kanske", "3", "Samtal.",
        "NNS", date(2027, 11, 1),
    )  # fmt: skip
    known = replace(KNOWN, corrections=(record,))
    reading = read(data, instrument=known)
    assert told(reading) == [("corrected", cell)]
    assert dict(reading.responses.to_pylist()[1]["answers"])["staff_1a"] == 3
    by_association = replace(record, sha256=None, association_id="provdalen", round=ROUND)
    known = replace(KNOWN, corrections=(by_association,))
    assert told(read(data, instrument=known)) == [("answer_unknown", cell)]


# --- what is wrong ------------------------------------------------------------------------------


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        parts.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


def _labels() -> Rows:
    """As exported with labels for headers."""
    return [
        {KNOWN.questions[k].label_sv if k in KNOWN.questions else k: v for k, v in row.items()}
        for row in without("round", "association_id", "questionnaire_id")
    ]


LINES = text_of(answers()).splitlines()
SAME_KEY = {c: answers()[0]["KEY"] for c in ("KEY", "meta-instanceID")}
UUID = "uuid:19121212-1212-4121-8121-121212121212"  # begins with the well-known test number

# What is sent, the only rule it breaks, and where.
STOPS: dict[str, tuple[Callable[[], bytes | str | Rows], str, str]] = {
    "an empty file": (lambda: b"", "no_access", ""),
    "a mark of bytes' order alone": (lambda: b"\xef\xbb\xbf\r\n", "no_access", ""),
    "a workbook by another name": (_zip, "not_csv", ""),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "not_csv", ""),
    "utf-16": (lambda: text_of(answers()).encode("utf-16"), "csv_encoding", ""),
    "latin-1": (lambda: text_of(edited(2, insats_kod="Å1")).encode("latin-1"), "csv_encoding", ""),
    "a nul": (lambda: text_of(answers()).replace("A1", "A\0", 1), "csv_damaged", ""),
    "an open quote": (lambda: "\n".join([*LINES[:3], '"' + LINES[3]]), "csv_damaged", ""),
    "a cell without end": (lambda: edited(2, ReviewState="x" * 40_000), "csv_damaged", ""),
    "a cell beyond csv's limit": (lambda: edited(2, ReviewState="x" * 200_000), "csv_damaged", ""),
    "a row too short": (lambda: "\n".join([*LINES[:3], "a,b"]), "csv_ragged", ""),
    "a row too long": (lambda: "\n".join([*LINES[:3], LINES[3] + ",x"]), "csv_ragged", ""),
    "rows without end": (lambda: "\n".join([LINES[0], *[LINES[1]] * 20_001]), "csv_too_large", ""),
    "columns without end": (lambda: ",".join(map(str, range(600))), "csv_too_large", ""),
    "a line without end": (lambda: "," * 200_000, "csv_too_large", ""),
    "a name without end": (lambda: "a/" * 100_000, "csv_damaged", ""),
    "a header alone": (lambda: LINES[0], "export_empty", ""),
    "text": (lambda: "Hej! Här kommer svaren.", "export_column_missing", ""),
    "labels for headers": (_labels, "export_column_missing", ""),
    "no association": (lambda: without("association_id"), "export_column_missing", ""),
    "two associations": (
        lambda: edited(5, association_id="sagoasen"), "export_rows_disagree",
        cell_of("association_id", 5),
    ),
    "a row without association": (
        lambda: edited(4, association_id=""), "export_rows_disagree", cell_of("association_id", 4),
    ),
    "two questionnaires": (
        lambda: edited(6, questionnaire_id="board"), "export_rows_disagree",
        cell_of("questionnaire_id", 6),
    ),
    "two rounds": (lambda: edited(3, round="2026"), "export_rows_disagree", cell_of("round", 3)),
    "an unknown association": (
        lambda: answers(association_id="finns-inte"), "association_unknown",
        cell_of("association_id", 2),
    ),
    "an unknown questionnaire": (
        lambda: answers(questionnaire_id="personal"), "questionnaire_unknown",
        cell_of("questionnaire_id", 2),
    ),
    "no round": (lambda: answers(round=""), "round_unknown", cell_of("round", 2)),
    "another round's folder": (
        lambda: answers(round="2026"), "round_not_folder", cell_of("round", 2)
    ),
    "a column twice": (
        lambda: text_of(answers()).replace("staff_1c", "grupp-staff_1a", 1), "column_repeated",
        cell_of("staff_1c", 1),
    ),
    "another questionnaire's columns": (
        lambda: answers(questionnaire_id="board"), "header_missing", ""
    ),
    "an e-mail address as submitter": (
        lambda: edited(3, SubmitterID="a.b@exempel.se"), "email_address", cell_of("SubmitterID", 3)
    ),
    "a personal number as activity": (
        lambda: edited(3, insats_kod="19121212-1212"), "personal_number", cell_of("insats_kod", 3)
    ),
    "a personal number where a key should be": (
        lambda: edited(3, KEY="19121212-1212"), "personal_number", cell_of("KEY", 3)
    ),
    "another question's answers": (
        lambda: answers(20, staff_13a="5"), "answers_of_another_scale", "",
    ),
}  # fmt: skip

OTHERS: dict[str, tuple[Callable[[], bytes | str | Rows], str, str, int]] = {
    "a submission twice": (
        lambda: edited(5, **SAME_KEY), "submission_repeated", cell_of("KEY", 5), 5
    ),
    "an answer that is none": (
        lambda: edited(4, staff_3b="kanske"), "answer_unknown", cell_of("staff_3b", 4), 6
    ),
    "a day that is none": (
        lambda: edited(4, svarsdatum="i går"), "date_unknown", cell_of("svarsdatum", 4), 6
    ),
    "a question taken out": (lambda: without("staff_9c"), "column_missing", "", 6),
    "no activities": (lambda: without("insats_kod"), "field_missing", "", 6),
    "a column more": (
        lambda: text_of(answers()).replace("ReviewState", "Övrigt"), "column_unknown",
        cell_of("ReviewState", 1), 6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STOPS)
def test_a_broken_export_is_stopped_by_one_rule_that_says_where(name: str) -> None:
    make, rule, cell = STOPS[name]
    reading = read(make())
    assert {f.rule_id for f in reading.findings} == {rule}
    assert len(reading.findings) == 1
    (found,) = reading.findings
    assert found.severity is Severity.STOP
    assert cell in ("", found.cell)
    assert found.wrong and found.remedy and "{" not in found.wrong + found.remedy
    assert len(reading.responses) == 0
    assert reading.rows_per_questionnaire == {}


@pytest.mark.parametrize("name", OTHERS)
def test_a_lesser_fault_is_told_and_the_rest_is_read(name: str) -> None:
    make, rule, cell, n = OTHERS[name]
    reading = read(make())
    assert told(reading) == [(rule, cell)]
    assert len(reading.responses) == n


def test_every_rule_about_exports_has_an_input_that_trips_it() -> None:
    tried = {case[1] for case in (*STOPS.values(), *OTHERS.values())}
    own = {r for r in rules() if r.startswith(("csv_", "export_", "submission_", "not_csv"))}
    assert {*own, "questionnaire_unknown"} <= tried


def test_a_workbook_among_the_exports_is_stopped() -> None:
    reading = read(_zip(), "personal.xlsx")
    assert [(f.rule_id, f.wrong) for f in reading.findings] == [
        ("not_csv", "Filen är ingen CSV-fil (.xlsx).")
    ]


def test_a_file_name_with_personal_data_stops_the_export() -> None:
    assert [f.rule_id for f in read(answers(), "19121212-1212.csv").findings] == [
        "personal_file_name"
    ]


def test_the_identifier_of_a_submission_is_no_personal_number() -> None:
    rows = edited(3, KEY=UUID, **{"meta-instanceID": UUID})
    assert read(rows).findings == ()
    assert [f.rule_id for f in read(edited(3, ReviewState=UUID)).findings] == ["personal_number"]


def test_an_old_form_s_question_is_told_and_not_counted() -> None:
    rows = [
        row | {"questionnaire_id": "participant_ending", "kon": "K"}
        | {q.question_id: "1" for q in KNOWN.questions_asked("participant_ending", ROUND)}
        | {"ending_4a_2021": "3"}
        for row in without(*STAFF)
    ]  # fmt: skip
    assert [(f.rule_id, f.question) for f in read(rows).findings] == [
        ("question_not_asked", "ending_4a_2021")
    ]


def test_a_questionnaire_that_the_round_does_not_have_is_told_and_not_counted() -> None:
    rows = [
        row | {"questionnaire_id": "association_head"}
        | {q.question_id: "1" for q in KNOWN.questions_asked("association_head", 2020)}
        for row in without(*STAFF, "insats_kod")
    ]  # fmt: skip
    reading = read(rows)
    assert "questionnaire_not_in_round" in {f.rule_id for f in reading.findings}
    assert reading.rows_per_questionnaire == {}


def test_no_bytes_make_the_reader_fail() -> None:
    chance = Random(4)
    sound = text_of(answers()).encode()
    for _ in range(400):
        data = bytearray(sound)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randint(1, 200)]
                case 2:
                    data[at:at] = chance.choice([b'"', b";", b"\n", b"\r", b"\0", b"\xff", b"=1+1"])
                case _:
                    data[at:at] = data[chance.randrange(len(data)) :][:300]
        reading = read(bytes(data))
        assert len(reading.responses) == sum(reading.rows_per_questionnaire.values())
        assert len(reading.responses) or reading.findings
