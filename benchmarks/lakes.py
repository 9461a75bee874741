"""Lakes of a million to a hundred million answers, the same bytes for the same seed.

Belongs here: inventing deliveries, bundles of respondents and their answers, and writing them as a
load would have: `warehouse.build` works on such a lake as on any. Does not: workbooks (`nns sample`
makes those), or measuring anything.

What grows with the number of answers is how many respondents there are in each bundle. Rounds,
associations, activities and questions, and so the number of figures, stay as they are.

A respondent's answer is arithmetic on a hash of who answers and what is asked; so the answer to a
question's base can be told without looking it up.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from pipelines import instrument as instruments
from pipelines import lake, outcomes, packing
from pipelines.instrument import Question, Questionnaire
from pipelines.lake import Delivery, Manifest
from pipelines.register import Association, Membership, Register
from pipelines.settings import Settings

ROUNDS = tuple(range(2017, 2027))

_GENDERS = (("K", 58), ("M", 39), ("A", 1), (None, 2))
_RESPONDENTS = {"participant": 35, "staff": 15, "referrer": 6, "board": 5, "managers": 4}
_BLANK, _DONT_KNOW = 4, 5  # percent of the answers
_OUT_OF_BASE = 2  # percent of those outside a follow-up's base who answer it all the same
_YES = 0.6  # about how many are in the base of a follow-up
_LENGTHS = ("kort", "lång")
_MUNICIPALITIES = 3  # of an association


@dataclass(frozen=True)
class Shape:
    """How large a lake is; two of the same shape are equal.

    Attributes:
        answers: how many, to about one percent.
        activities: of each association in each round.
    """

    answers: int
    rounds: Sequence[int] = ROUNDS
    associations: int = 40
    activities: int = 3
    seed: int = 1

    @cached_property
    def register(self) -> Register:
        """Associations of neighbouring municipalities, spread over the counties."""
        territories = list(_territories())
        step = max(1, len(territories) // self.associations)
        chosen = territories[::step][: self.associations]
        ids = [f"forbund{number:02}" for number in range(1, len(chosen) + 1)]
        return Register(
            {
                id_: Association(id_, f"Förbund {id_[7:]}", territory[0][:2], None, None)
                for id_, territory in zip(ids, (t for t in chosen), strict=True)
            },
            tuple(
                Membership(id_, municipality, min(self.rounds), None)
                for id_, territory in zip(ids, chosen, strict=True)
                for municipality in territory
            ),
            targets=(),
            is_synthetic=True,
        )

    @cached_property
    def deliveries(self) -> tuple[Delivery, ...]:
        """One of each association and round, all of which count."""
        return tuple(
            _delivery(number, association_id, round_, self)
            for number, (round_, association_id) in enumerate(
                ((r, a) for r in self.rounds for a in self.register.associations), start=1
            )
        )


@dataclass(frozen=True, slots=True)
class _Bundle:
    """Respondents of a delivery of whom the same is known, and how gladly they answer."""

    no: int
    questionnaire: Questionnaire
    insats_kod: str | None
    kon: str | None
    weight: float
    lift: int


def write(home: Path, shape: Shape) -> Settings:
    """Writes a lake under a home folder, with no landing zone beside it."""
    settings = Settings(home / "raw", home)
    bundles = [list(_bundles(d, shape)) for d in shape.deliveries]
    sizes = _sizes(shape, bundles)
    rows = [
        (d, _bundle_rows(d, own, [next(sizes) for _ in own]))
        for d, own in zip(shape.deliveries, bundles, strict=True)
    ]
    whole = tuple(replace(d, rows_per_questionnaire=_returned(own)) for d, own in rows)
    lake.write_tables(settings, Manifest(whole, is_synthetic=True), shape.register)
    outcomes.ensure(settings)
    with duckdb.connect() as connection:
        connection.execute(_MACROS)
        for round_ in shape.rounds:
            told = [(d, own) for d, own in rows if d.round == round_]
            _write_round(settings, connection, told, shape.seed)
    return settings


def _territories() -> Iterator[tuple[str, ...]]:
    """So many municipalities of one county at a time."""
    codes = sorted(row["municipality_code"] for row in instruments.seed_rows("municipalities"))
    for county in sorted({code[:2] for code in codes}):
        own = [code for code in codes if code[:2] == county]
        yield from zip(*[iter(own)] * _MUNICIPALITIES, strict=False)


def _delivery(number: int, association_id: str, round_: int, shape: Shape) -> Delivery:
    name = f"{round_}/{association_id}.xlsx"
    activities: list[dict[str, Any]] = [
        {
            "insats_kod": f"A{n}",
            "inriktning": None,
            "langd": _LENGTHS[n % len(_LENGTHS)],
            "handed_out": {},
            "categories": {},
        }
        for n in range(1, shape.activities + 1)
    ]
    return Delivery(
        file=name,
        sha256=hashlib.sha256(f"{shape.seed} {shape.answers} {name}".encode()).hexdigest(),
        round=round_,
        mtime_ns=number * 1_000_000_000,
        size=0,
        association_id=association_id,
        layout_id=instruments.load().rounds[round_].layout_id,
        state="loaded",
        rows_per_questionnaire={},
        findings={"stop": 0, "error": 0, "warning": 0, "info": 0},
        activities=activities,
        delivery_no=number,
    )


def _bundles(delivery: Delivery, shape: Shape) -> Iterator[_Bundle]:
    """The bundles of a delivery, those of large and content associations larger and gladder."""
    rng = Random(f"{shape.seed} {delivery.association_id}")
    size, mood = rng.uniform(0.5, 1.5), rng.randint(0, 40) + 2 * (delivery.round - 2017)
    codes = [a["insats_kod"] for a in delivery.activities]
    no = 0
    for q in instruments.load().questionnaires_in(delivery.round):
        for insats_kod in codes if q.has_activity else [None]:
            for number, (kon, percent) in enumerate(_GENDERS):
                people = _RESPONDENTS.get(q.respondent_group, 0) / (
                    len(codes) if q.has_activity else 1
                )
                yield _Bundle(no, q, insats_kod, kon, size * people * percent, mood + 5 * number)
                no += 1


def _sizes(shape: Shape, bundles: Sequence[Sequence[_Bundle]]) -> Iterator[int]:
    """How many respondents each bundle has, so that all together give the answers asked for.

    Who is alone, as the head of an association, is one in the first of its bundles.
    """
    expected = [
        (b.weight, b.weight * _answers_of(b.questionnaire, d.round))
        for d, own in zip(shape.deliveries, bundles, strict=True)
        for b in own
    ]
    scale = shape.answers / sum(answers for _, answers in expected)
    ends = accumulate((weight * scale for weight, _ in expected), initial=0.0)
    by_weight = (int(after) - int(before) for before, after in pairwise(ends))
    for b in (b for own in bundles for b in own):
        size = next(by_weight)
        yield size if b.weight else int(b.kon == _GENDERS[0][0])


def _answers_of(questionnaire: Questionnaire, round_: int) -> float:
    """About how many answers a respondent gives."""
    asked = instruments.load().questions_asked(questionnaire.questionnaire_id, round_)
    return (1 - _BLANK / 100) * sum(_YES if q.base_question_id else 1 for q in asked)


# --- answers ------------------------------------------------------------------------------------

_RESPONSES = """
select
    response_id,
    sha256,
    questionnaire_id as sheet,
    row_number() over (partition by sha256, questionnaire_id order by response_id) + 1 as row,
    questionnaire_id,
    null as lopnr,
    insats_kod,
    kon,
    make_date($round::integer, 9, 20) as svarsdatum
from responses
order by response_id
"""

_CELL_ID = (
    "((bundle_id << {question_no} | question_no) << {base_code} | base_code) << {code} | code"
)
_CELL_ID = _CELL_ID.format(**packing.bits())

_BELOW_DELIVERY = {
    "bundles": packing.bits()["bundle_no"],
    "responses": packing.bits()["response_index"],
    "answers": sum(packing.bits()[n] for n in ("bundle_no", "question_no", "base_code", "code")),
}
"""How many bits come after the delivery's number in the first column of a table."""

_ANSWERS = f"""
with drawn as (
    select
        responses.bundle_id,
        responses.response_id,
        responses.lift,
        questions.*,
        draw(responses.response_id, questions.question_no, $seed) as draw,
        draw(responses.response_id, questions.base_no, $seed) as base_draw
    from responses
    inner join questions using (questionnaire_id)
),

coded as (
    select
        *,
        code_of(draw, n_codes, dont_know, lift) as code,
        case when base_no > 0 then code_of(base_draw, base_n_codes, 0, lift) else 0 end as base_code
    from drawn
)

select
    {_CELL_ID} as cell_id,
    response_id
from coded
where code > 0
    and (base_no = 0 or base_code >= base_positive or draw % 100 >= 100 - {_OUT_OF_BASE})
order by cell_id, response_id
"""  # noqa: S608 our own numbers

_MACROS = f"""
-- Signed, since with unsigned numbers all of this would be done with 128 bits.
create macro draw(response_id, question_no, seed) as (
    (hash(response_id * 512 + question_no, seed) >> 16)::bigint
);

create macro code_of(draw, n_codes, dont_know, lift) as (
    case
        when draw % 100 < {_BLANK} then 0
        when dont_know > 0 and draw % 100 < {_BLANK + _DONT_KNOW} then dont_know
        when (draw >> 36) % 100 < lift
            then greatest((draw >> 8) % n_codes, (draw >> 20) % n_codes) + 1
        else (draw >> 8) % n_codes + 1
    end
)
"""  # noqa: S608 our own numbers


def _write_round(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[tuple[Delivery, Sequence[dict[str, Any]]]],
    seed: int,
) -> None:
    """The files of a round's deliveries: each has the rows that its number begins."""
    told = [row for _, own in rows for row in own]
    round_ = rows[0][0].round
    schema = packing.SCHEMAS["bundles"]
    described = pa.schema([*schema, *dict.fromkeys(_NOT_KEPT, pa.int64()).items()])
    connection.register("bundles", pa.Table.from_pylist(told, described))
    connection.register("questions", _questions(round_))
    connection.execute(
        "create or replace temp table responses as "
        "select *, first + unnest(range(n_returned)) as response_id from bundles"
    )
    tables = {
        "bundles": pa.Table.from_pylist(told, schema),
        "responses": connection.execute(_RESPONSES, {"round": round_}).to_arrow_table(),
        "answers": connection.execute(_ANSWERS, {"seed": seed}).to_arrow_table(),
    }
    for name, content in tables.items():
        numbers = content.column(0).to_numpy() >> _BELOW_DELIVERY[name]
        for d, _ in rows:
            first, end = np.searchsorted(numbers, (d.delivery_no, d.delivery_no + 1))
            part = content.slice(first, end - first).cast(packing.SCHEMAS[name])
            lake.write_parquet(lake.parquet_of(settings, d, name), part)


_NOT_KEPT = ("first", "lift")
"""What answers are drawn with, beside what the lake tells of a bundle."""


def _returned(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many questionnaires of each kind came back."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row["questionnaire_id"]] += row["n_returned"]
    return dict(counts)


def _bundle_rows(
    delivery: Delivery, bundles: Sequence[_Bundle], sizes: Sequence[int]
) -> list[dict[str, Any]]:
    """The bundles with respondents, and the number of the first of them."""
    before = accumulate(sizes, initial=delivery.delivery_no << packing.bits()["response_index"])
    return [
        {
            "bundle_id": delivery.delivery_no << packing.bits()["bundle_no"] | b.no,
            "sha256": delivery.sha256,
            "questionnaire_id": b.questionnaire.questionnaire_id,
            "insats_kod": b.insats_kod,
            "kon": b.kon,
            "n_returned": size,
            "first": first,
            "lift": b.lift,
        }
        for b, size, first in zip(bundles, sizes, before, strict=False)
        if size
    ]


def _questions(round_: int) -> pa.Table:
    """What is asked in a round: numbers, scales and bases; 0 for what a question has none of."""
    known = instruments.load()
    asked = [
        q
        for questionnaire in known.questionnaires_in(round_)
        for q in known.questions_asked(questionnaire.questionnaire_id, round_)
    ]
    by_id = {q.question_id: q for q in asked}
    return pa.Table.from_pylist([_question_row(q, by_id) for q in asked])


def _question_row(question: Question, asked: dict[str, Question]) -> dict[str, Any]:
    base = asked.get(question.base_question_id or "")
    codes, others = _codes(question)
    return {
        "questionnaire_id": question.questionnaire_id,
        "question_no": question.question_no,
        "n_codes": len(codes),
        "dont_know": others[0] if others else 0,
        "base_no": base.question_no if base else 0,
        "base_n_codes": len(_codes(base)[0]) if base else 1,
        "base_positive": base.positive_min_code if base else 0,
    }


def _codes(question: Question) -> tuple[list[int], list[int]]:
    """The codes of a question that are answers, and those that are not."""
    scale = instruments.load().scales[question.scale_id]
    answers = [code.code for code in scale if code.is_answer]
    return answers, [code.code for code in scale if not code.is_answer]


# --- the same answers for others ----------------------------------------------------------------

_PLAIN = """
copy (
    select
        deliveries.round,
        deliveries.association_id,
        associations.county_code,
        bundles.insats_kod,
        activities.langd,
        bundles.kon,
        bundles.questionnaire_id,
        questions.question_id,
        (answers.cell_id & (1 << {code}) - 1)::tinyint as code,
        nullif(answers.cell_id >> {code} & (1 << {base_code}) - 1, 0)::tinyint as base_code
    from read_parquet('{lake}/answers/round=2*/*.parquet') as answers
    inner join read_parquet('{lake}/bundles/round=2*/*.parquet') as bundles
        on answers.cell_id >> {code} + {base_code} + {question_no} = bundles.bundle_id
    inner join '{lake}/deliveries.parquet' as deliveries using (sha256)
    inner join '{lake}/register/associations.parquet' as associations using (association_id)
    inner join numbered as questions
        on answers.cell_id >> {code} + {base_code} & (1 << {question_no}) - 1
            = questions.question_no
    left join '{lake}/activities.parquet' as activities
        on bundles.sha256 = activities.sha256
        and bundles.insats_kod = activities.insats_kod
) to '{out}' ({options})
"""


def write_plain(settings: Settings, out: Path, options: str = "format parquet") -> None:
    """Writes a lake's answers as an analyst would have them: a row each, with what is known of it.

    `base_code` is what the respondent answered to the question's base, so that nobody has to look
    that up; null without a base or an answer to it.
    """
    known = instruments.load().questions.values()
    numbers = [{"question_no": q.question_no, "question_id": q.question_id} for q in known]
    with duckdb.connect() as connection:
        connection.register("numbered", pa.Table.from_pylist(numbers))
        connection.execute(
            _PLAIN.format(lake=settings.lake, out=out, options=options, **packing.bits())
        )


def write_questions(out: Path) -> None:
    """Writes what has to be known of each question to count its answers, as CSV."""
    known = instruments.load().questions
    rows = [
        {
            "question_id": q.question_id,
            "measure_id": q.measure_id,
            "positive_min_code": q.positive_min_code,
            "n_codes": len(_codes(q)[0]),
            "scale_id": q.scale_id,
            "base_question_id": q.base_question_id,
            "base_positive": known[q.base_question_id].positive_min_code
            if q.base_question_id
            else None,
        }
        for q in known.values()
    ]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
