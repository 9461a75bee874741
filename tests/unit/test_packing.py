"""The lake's numbers: put together, taken apart by hand, and back again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import instrument, packing
from pipelines.workbook.read import RESPONSES_SCHEMA

KNOWN = instrument.load()
IDS = [*KNOWN.questions, "eget_bussen"]
BASES = {q.question_id: q.base_question_id for q in KNOWN.questions.values() if q.base_question_id}


def response(number: int, answers: dict[str, int], **facts: Any) -> dict[str, Any]:
    return {
        "sha256": "s",
        "sheet": "Personal",
        "row": number + 3,
        "questionnaire_id": "staff",
        "insats_kod": "I1",
        "kon": "K",
        "answers": list(answers.items()),
        **facts,
    }


def packed(rows: list[dict[str, Any]], delivery_no: int = 5) -> dict[str, pa.Table]:
    return packing.packed(pa.Table.from_pylist(rows, RESPONSES_SCHEMA), delivery_no, KNOWN)


responses = st.lists(
    st.builds(
        lambda answers, kod, kon: response(0, answers, insats_kod=kod, kon=kon),
        st.dictionaries(st.sampled_from(IDS), st.integers(1, 127), max_size=8),
        st.sampled_from(["I1", "I2", None]),
        st.sampled_from(["K", "M", None]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(rows=responses, delivery_no=st.integers(1, 2**24 - 1))
def test_every_answer_is_told_by_its_number(rows: list[dict[str, Any]], delivery_no: int) -> None:
    tables = packed(rows, delivery_no)
    bundles = {b["bundle_id"]: b for b in tables["bundles"].to_pylist()}
    assert len(tables["responses"]) == len(rows)
    assert sum(b["n_returned"] for b in bundles.values()) == len(rows)
    number_of = {q.question_no: q.question_id for q in KNOWN.questions.values()}
    found: dict[int, dict[str, int]] = {}
    for answer in tables["answers"].to_pylist():
        bits = f"{answer['cell_id']:063b}"
        assert int(bits[:24], 2) == answer["response_id"] >> 32 == delivery_no
        row = rows[answer["response_id"] & 0xFFFFFFFF]
        bundle = bundles[int(bits[:38], 2)]
        assert {k: bundle[k] for k in packing.ALIKE} == {k: row[k] for k in packing.ALIKE}
        question_id = number_of[int(bits[38:47], 2)]
        assert int(bits[47:55], 2) == dict(row["answers"]).get(BASES.get(question_id, ""), 0)
        own = found.setdefault(answer["response_id"], {})
        assert question_id not in own
        own[question_id] = int(bits[55:], 2)
    for answer in tables["extra_answers"].to_pylist():
        found.setdefault(answer["response_id"], {})[answer["question_id"]] = answer["code"]
    told = [found.get((delivery_no << 32) + k, {}) for k in range(len(rows))]
    assert told == [dict(r["answers"]) for r in rows]
    assert tables["answers"].to_pylist() == sorted(
        tables["answers"].to_pylist(), key=lambda a: (a["cell_id"], a["response_id"])
    )


@settings(max_examples=60, deadline=None)
@given(first=responses, second=responses)
def test_what_is_put_together_again_is_what_was_taken_apart(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    both = [packed(first, 1), packed(second, 2)]
    codes = packing.unpacked(
        [t["answers"] for t in both],
        [t["extra_answers"] for t in both],
        [len(t["responses"]) for t in both],
        KNOWN,
    )
    told = [
        {codes.question_ids[k]: int(row[k]) for k in np.flatnonzero(row)} for row in codes.codes
    ]
    assert told == [dict(r["answers"]) for r in (*first, *second)]


def test_a_slice_of_a_larger_table_is_packed_as_a_table_of_its_own() -> None:
    rows = [response(n, {IDS[n]: 1 + n, IDS[-1]: 2}, kon=["K", "M"][n % 2]) for n in range(9)]
    whole = pa.Table.from_pylist(rows, RESPONSES_SCHEMA)
    sliced = packing.packed(whole.slice(3, 4), 5, KNOWN)
    assert {n: t.to_pylist() for n, t in sliced.items()} == {
        n: t.to_pylist() for n, t in packed(rows[3:7]).items()
    }


def test_more_bundles_than_a_number_can_tell_are_refused() -> None:
    rows = [response(n, {}, insats_kod=f"I{n}") for n in range(2**14 + 1)]
    with pytest.raises(ValueError, match="16385 bundles"):
        packed(rows)


def test_the_parts_of_a_number_fill_63_bits() -> None:
    bits = packing.bits()
    cell = ("delivery_no", "bundle_no", "question_no", "base_code", "code")
    assert sum(bits[part] for part in cell) == 63
    assert bits["delivery_no"] + bits["response_index"] <= 63
    assert max(c.code for scale in KNOWN.scales.values() for c in scale) < 2 ** bits["code"]
