"""How answers lie in the lake: as numbers that say what they are counted by.

Belongs here: taking the table of a delivery's responses apart into what the lake keeps of it, and
putting it together again. Does not: where the files lie (lake.py), or what is made of the counts
(dbt, which takes the numbers apart with the same `cell_bits`).

An answer is one number, its cell: the delivery, the bundle (its questionnaires that are alike in
questionnaire, activity and gender), the question, the answer to the question's base question, and
the code. A database counts a stored column of ordered numbers in a tenth of the time of the same
counts over columns of text; what is to be known of an answer is looked up once for all alike.

```
delivery_no | bundle_no | question_no | base_code | code        cell_id
delivery_no | bundle_no                                         bundle_id
delivery_no | index of the response in its delivery            response_id
```
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.settings import DBT_PROJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.instrument import Instrument

Numbers = npt.NDArray[np.int64]

ALIKE = ("questionnaire_id", "insats_kod", "kon")
"""What the responses of a bundle are alike in."""

_SINGLE = ("sha256", "sheet", "row", "questionnaire_id", "lopnr", "insats_kod", "kon", "svarsdatum")

SCHEMAS = {
    "responses": pa.schema(
        [("response_id", pa.int64())]
        + [(name, pa.string()) for name in ("sha256", "sheet")]
        + [("row", pa.int32())]
        + [(name, pa.string()) for name in _SINGLE[3:7]]
        + [("svarsdatum", pa.date32())]
    ),
    "bundles": pa.schema(
        [("bundle_id", pa.int64()), ("sha256", pa.string())]
        + [(name, pa.string()) for name in ALIKE]
        + [("n_returned", pa.int32())]
    ),
    "answers": pa.schema([("cell_id", pa.int64()), ("response_id", pa.int64())]),
    "extra_answers": pa.schema(
        [("bundle_id", pa.int64()), ("response_id", pa.int64())]
        + [("question_id", pa.string()), ("code", pa.uint8())]
    ),
}
"""The tables by name. A row of `responses` is a returned questionnaire, of `bundles` those of a
delivery that are alike, of `answers` an understood answer to a question of the instrument, of
`extra_answers` one to a project's own question."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Answers put together again.

    Attributes:
        codes: responses × questions, 0: no answer.
        question_ids: the instrument's by their order, then any other.
    """

    codes: npt.NDArray[np.uint8]
    question_ids: tuple[str, ...]


@cache
def bits() -> dict[str, int]:
    """How many bits each part of a number takes, as the dbt project has them."""
    import yaml

    text = (DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
    found: dict[str, int] = yaml.safe_load(text)["vars"]["cell_bits"]
    return found


def packed(responses: pa.Table, delivery_no: int, instrument: Instrument) -> dict[str, pa.Table]:
    """What the lake keeps of a delivery's responses, see SCHEMAS.

    Args:
        responses: see RESPONSES_SCHEMA of the workbooks' reader.
        delivery_no: the number of the delivery.
        instrument: the questions and their numbers.

    Raises:
        ValueError: the delivery has more bundles than a number can tell.
    """
    bundle, first, sizes = _bundles(responses)
    if len(sizes) > 1 << bits()["bundle_no"]:
        raise ValueError(f"{len(sizes)} bundles in one delivery")
    bundle_ids = (delivery_no << bits()["bundle_no"]) + np.arange(len(sizes), dtype=np.int64)
    response_ids = _response_ids(delivery_no, len(responses))
    row, question_ids, codes = _answers(responses)
    question_no = _looked_up(
        question_ids, {q.question_no: q.question_id for q in instrument.questions.values()}
    )
    is_core = question_no > 0
    at = row[is_core]
    cells = _cells(bundle_ids[bundle[at]], at, question_no[is_core], codes[is_core], instrument)
    order = np.lexsort((at, cells))
    own = pa.array(np.flatnonzero(~is_core))
    told = responses.select(ALIKE).take(pa.array(first))
    columns: dict[str, dict[str, Any]] = {
        "responses": {
            "response_id": response_ids,
            **{name: responses.column(name) for name in _SINGLE},
        },
        "bundles": {
            "bundle_id": bundle_ids,
            "sha256": responses.column("sha256").take(pa.array(first)),
            **{name: told.column(name) for name in ALIKE},
            "n_returned": sizes.astype(np.int32),
        },
        "answers": {
            "cell_id": cells[order],
            "response_id": response_ids[at[order]],
        },
        "extra_answers": {
            "bundle_id": bundle_ids[bundle[row[~is_core]]],
            "response_id": response_ids[row[~is_core]],
            "question_id": question_ids.take(own),
            "code": codes[~is_core].astype(np.uint8),
        },
    }
    return {name: pa.table(columns[name], schema) for name, schema in SCHEMAS.items()}


def unpacked(
    answers: Sequence[pa.Table],
    extra_answers: Sequence[pa.Table],
    sizes: Sequence[int],
    instrument: Instrument,
) -> Codes:
    """The answers of deliveries, one after the other, each with so many responses."""
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    own = [t.column("question_id").to_pylist() for t in extra_answers]
    others = sorted({q for ids in own for q in ids} - set(instrument.questions))
    question_ids = (*instrument.questions, *others)
    column_of = {q: k for k, q in enumerate(question_ids)}
    of_number = np.zeros(1 << bits()["question_no"], np.intp)
    for q in instrument.questions.values():
        of_number[q.question_no] = column_of[q.question_id]
    codes = np.zeros((starts[-1], len(question_ids)), np.uint8)
    for start, table in zip(starts, answers, strict=False):
        cells = table.column("cell_id").to_numpy()
        column = of_number[_part(cells, "question_no")]
        codes[start + _index(table), column] = _part(cells, "code")
    for start, table, ids in zip(starts, extra_answers, own, strict=False):
        column = np.array([column_of[q] for q in ids], np.intp)
        codes[start + _index(table), column] = table.column("code").to_numpy()
    return Codes(codes, question_ids)


def _bundles(responses: pa.Table) -> tuple[Numbers, Numbers, Numbers]:
    """For each response its bundle; for each bundle its first response and how many it has."""
    combined = np.zeros(len(responses), np.int64)
    for name in ALIKE:
        texts = responses.column(name).combine_chunks().dictionary_encode()
        number = texts.indices.fill_null(len(texts.dictionary)).to_numpy(zero_copy_only=False)
        combined = combined * (len(texts.dictionary) + 1) + number
    _, first, bundle, sizes = np.unique(
        combined, return_index=True, return_inverse=True, return_counts=True
    )
    return bundle.astype(np.int64), first.astype(np.int64), sizes.astype(np.int64)


def _answers(responses: pa.Table) -> tuple[Numbers, pa.Array, npt.NDArray[np.int64]]:
    """For each answer the index of its response, its question and its code."""
    answers = responses.column("answers").combine_chunks()
    offsets = answers.offsets.to_numpy()
    start, n = (offsets[0], offsets[-1] - offsets[0]) if len(offsets) else (0, 0)
    row = np.repeat(np.arange(len(responses), dtype=np.int64), np.diff(offsets))
    codes = answers.items.slice(start, n).to_numpy().view(np.uint8).astype(np.int64)
    return row, answers.keys.slice(start, n), codes


def _looked_up(question_ids: pa.Array, known: dict[int, str]) -> Numbers:
    """The number of each question, 0 of one that is not the instrument's."""
    texts = question_ids.dictionary_encode()
    number_of = {question_id: number for number, question_id in known.items()}
    numbers = [number_of.get(q, 0) for q in texts.dictionary.to_pylist()]
    return np.array(numbers, np.int64)[texts.indices.to_numpy()]


def _cells(
    bundle_id: Numbers, row: Numbers, question_no: Numbers, code: Numbers, instrument: Instrument
) -> Numbers:
    """The cell of each answer, from its bundle, row, question and code."""
    questions = instrument.questions
    base_of = np.zeros(1 + max(q.question_no for q in questions.values()), np.int64)
    for q in questions.values():
        if q.base_question_id:
            base_of[q.question_no] = questions[q.base_question_id].question_no
    given = np.zeros((row.max(initial=-1) + 1, len(base_of)), np.uint8)
    given[row, question_no] = code
    given[:, 0] = 0  # the base of what follows nothing
    base_code = given[row, base_of[question_no]]
    parts = {"question_no": question_no, "base_code": base_code, "code": code}
    cells = bundle_id
    for name, values in parts.items():
        cells = (cells << bits()[name]) + values
    return cells


def _response_ids(delivery_no: int, n: int) -> Numbers:
    return (delivery_no << bits()["response_index"]) + np.arange(n, dtype=np.int64)


def _index(table: pa.Table) -> Numbers:
    """The index of each row's response in its delivery."""
    found: Numbers = table.column("response_id").to_numpy() & ((1 << bits()["response_index"]) - 1)
    return found


def _part(cells: Numbers, name: str) -> Numbers:
    """A part of cells below their bundle."""
    below = {"code": 0, "base_code": bits()["code"]}
    below["question_no"] = below["base_code"] + bits()["base_code"]
    found: Numbers = (cells >> below[name]) & ((1 << bits()[name]) - 1)
    return found
