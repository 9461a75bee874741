"""The frames that the expectations are held against, one per raw table, in plain pandas.

Belongs here: gathering a round's rows from the lake and working out beside them what an expectation
looks at (a change, a share, a repeat). Does not: judging it or wording it; the suites under
`expectations/` do, and quality.py runs them.

What concerns several rows (a sheet, a question) stands on the first of them and is NaN on the
others: expectations pass over what is missing, so one cause gives one finding.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import lake
from pipelines.instrument import Instrument, Question
from pipelines.lake import Delivery
from pipelines.register import Association, Register
from pipelines.settings import Settings
from pipelines.workbook.personal import HIDDEN, PLAIN_NUMBER

Array = npt.NDArray[Any]
Thresholds = Mapping[str, Any]

_SHEET = ["delivery", "sheet"]
_YEARS_SHOWN = 5  # a date further from the round may be a date of birth


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A round's deliveries and the frames about them.

    Attributes:
        deliveries: those that are checked; the frames' column `delivery` is the position here.
        frames: deliveries, a row per delivery; activities, a row per activity and questionnaire;
            responses, a row per returned questionnaire; answers, a row per answer.
    """

    deliveries: tuple[Delivery, ...]
    frames: Mapping[str, pd.DataFrame]


def gather(
    settings: Settings,
    deliveries: Sequence[Delivery],
    round_: int,
    instrument: Instrument,
    register: Register,
    thresholds: Thresholds,
    *,
    gone: Sequence[Delivery] = (),
    stopped: Container[tuple[str, str]] = (),
) -> Evidence:
    """The evidence about a round's deliveries.

    Args:
        settings: where the lake is.
        deliveries: of the round and sound for the reader, replaced ones included.
        round_: the round.
        instrument: the seeds.
        register: the associations.
        thresholds: by name, see `expectations/thresholds.json`.
        gone: what was delivered for the round and is no longer there: it tells who was first.
        stopped: keys of deliveries that cannot count, so that an older one of theirs does.
    """
    now = _Answers.of(settings, deliveries, instrument)
    ever = _Answers.of(settings, [*deliveries, *gone], instrument) if gone else now
    before = _previous(settings, deliveries, round_)
    about = _About(
        deliveries=tuple(deliveries),
        gone=tuple(gone),
        may_count=np.array([d.key not in stopped for d in deliveries], bool),
        before=before,
        now=now,
        ever=ever,
        then=_Answers.of(settings, [d for d in before if d], instrument),
        round=round_,
        instrument=instrument,
        register=register,
        thresholds=thresholds,
    )
    frames = {
        "deliveries": _deliveries(about),
        "activities": _activities(about),
        "responses": _responses(about),
        "answers": _answers(about),
    }
    for frame in frames.values():
        frame["at"] = np.arange(len(frame))
    return Evidence(about.deliveries, frames)


@dataclass(frozen=True)
class _Answers:
    """Responses and, beside them, their answers.

    Attributes:
        responses: a row per response, RESPONSES_SCHEMA without answers, plus `delivery`.
        codes: responses × questions, 0: no answer.
        question_ids: the instrument's, then any other the lake holds.
    """

    responses: pd.DataFrame
    codes: npt.NDArray[np.uint8]
    question_ids: tuple[str, ...]
    instrument: Instrument

    @classmethod
    def of(
        cls, settings: Settings, deliveries: Sequence[Delivery], instrument: Instrument
    ) -> _Answers:
        from pipelines.workbook.read import RESPONSES_SCHEMA

        tables = [pq.ParquetFile(lake.parquet_of(settings, d)).read() for d in deliveries]
        table = pa.concat_tables([t.cast(RESPONSES_SCHEMA) for t in tables] or [_empty()])
        answers = table.column("answers").combine_chunks()
        keys = answers.keys.dictionary_encode()
        found = keys.dictionary.to_pylist()
        question_ids = (*instrument.questions, *(q for q in found if q not in instrument.questions))
        column_of = {q: k for k, q in enumerate(question_ids)}
        column = np.array([column_of[q] for q in found], np.intp)[keys.indices.to_numpy()]
        row = np.repeat(np.arange(len(table)), np.diff(answers.offsets.to_numpy()))
        codes = np.zeros((len(table), len(question_ids)), np.uint8)
        codes[row, column] = answers.items.to_numpy().view(np.uint8)
        kept = table.drop_columns(["answers", "sha256"])
        responses = kept.to_pandas(strings_to_categorical=True)
        sizes = [len(t) for t in tables]
        responses["delivery"] = np.repeat(np.arange(len(tables)), sizes)
        responses["svarsdatum"] = pd.to_datetime(responses["svarsdatum"])
        return cls(responses, codes, question_ids, instrument)

    @property
    def delivery(self) -> Array:
        """The position of each response's delivery."""
        return self.responses["delivery"].to_numpy()

    @cached_property
    def questions(self) -> tuple[Question | None, ...]:
        """The question of each column of codes; None for those the instrument does not have."""
        return tuple(map(self.instrument.questions.get, self.question_ids))

    @cached_property
    def is_answer(self) -> npt.NDArray[np.bool_]:
        """Responses × questions: an answer of the question's scale, no don't know."""
        return self._where(lambda question, code: code.is_answer)

    @cached_property
    def is_positive(self) -> npt.NDArray[np.bool_]:
        """Responses × questions: a positive answer."""
        return self._where(lambda q, code: code.is_answer and code.code >= q.positive_min_code)

    @cached_property
    def in_base(self) -> npt.NDArray[np.bool_]:
        """Responses × questions: no follow-up, or the question it follows answered positively."""
        base = [self.base_column(q) for q in self.questions]
        return np.where(
            [b is None for b in base], True, self.is_positive[:, [b or 0 for b in base]]
        )

    def base_column(self, question: Question | None) -> int | None:
        """The column of the question that another one follows."""
        base = question.base_question_id if question else None
        return self.question_ids.index(base) if base else None

    def shares(self, n_deliveries: int) -> tuple[Array, Array]:
        """Deliveries × questions: valid answers, and how many of them are positive."""
        valid = self.is_answer & self.in_base
        n, n_positive = (np.zeros((n_deliveries, len(self.question_ids))) for _ in range(2))
        np.add.at(n, self.delivery, valid)
        np.add.at(n_positive, self.delivery, valid & self.is_positive)
        return n, n_positive

    def _where(self, test: Any) -> npt.NDArray[np.bool_]:
        holds = np.zeros((len(self.question_ids), 256), bool)
        for k, question in enumerate(self.questions):
            for code in self.instrument.scales[question.scale_id] if question else ():
                holds[k, code.code] = test(question, code)
        return holds[np.arange(len(self.question_ids)), self.codes]


def _empty() -> pa.Table:
    from pipelines.workbook.read import RESPONSES_SCHEMA

    return RESPONSES_SCHEMA.empty_table()


@dataclass(frozen=True)
class _About:
    """All that evidence is drawn from.

    Attributes:
        gone: earlier deliveries of the round whose files are no longer there.
        may_count: whether a delivery counts if it is the newest.
        before: the delivery of each one's association that counts in an earlier round.
        now: answers of the deliveries.
        ever: the same, those of `gone` after them.
        then: answers of `before`.
    """

    deliveries: tuple[Delivery, ...]
    gone: tuple[Delivery, ...]
    may_count: npt.NDArray[np.bool_]
    before: tuple[Delivery | None, ...]
    now: _Answers
    ever: _Answers
    then: _Answers
    round: int
    instrument: Instrument
    register: Register
    thresholds: Thresholds

    @cached_property
    def order(self) -> Array:
        """The rank of each delivery, gone ones last, by time, and by name where it is the same."""
        ages = [d.age() for d in (*self.deliveries, *self.gone)]
        return np.argsort(sorted(range(len(ages)), key=lambda i: ages[i]))

    @cached_property
    def is_newest(self) -> npt.NDArray[np.bool_]:
        """Whether a delivery is the newest of its association; no gone one is."""
        return self._is_newest(range(len(self.deliveries)))

    @cached_property
    def counts(self) -> npt.NDArray[np.bool_]:
        """Whether a delivery is the newest of its association that may count."""
        return self._is_newest(np.flatnonzero(self.may_count))

    def _is_newest(self, among: Iterable[int]) -> npt.NDArray[np.bool_]:
        newest = {self.deliveries[i].association_id: i for i in sorted(among, key=self._rank)}
        return np.isin(np.arange(len(self.order)), list(newest.values()))

    def _rank(self, i: int) -> int:
        return int(self.order[i])

    @cached_property
    def content(self) -> Array:
        """A number for each response ever, equal where answers, gender, day and sheet's kind are.

        Responses too short or too uniform to tell are -1.
        """
        r, codes = self.ever.responses, self.ever.codes
        days = r["svarsdatum"].to_numpy().astype("datetime64[D]").astype(np.int64)
        facts = [r[c].cat.codes.to_numpy(np.int64) for c in ("questionnaire_id", "kon")]
        whole = np.column_stack([*facts, days, codes.astype(np.int64)])
        number = np.unique(whole, axis=0, return_inverse=True)[1].reshape(-1)
        ordered = np.sort(codes, axis=1)
        differing = (np.diff(ordered, axis=1) != 0).sum(axis=1)  # 0 for no answer comes first
        telling = ((codes > 0).sum(axis=1) >= self.thresholds["twin_min_answers"]) & (
            differing >= self.thresholds["twin_min_codes"]
        )
        return np.where(telling, number, -1)

    def is_asked(self, question: Question | None, round_: int) -> bool:
        """Whether the round asks the question."""
        if question is None or not question.is_in(round_):
            return False
        return self.instrument.questionnaires[question.questionnaire_id].is_in(round_)

    def far(self, change: Array, spread: Array) -> Array:
        """How many robust standard deviations each change lies from the median of all.

        Args:
            change: deliveries × figures, NaN where there is nothing to compare.
            spread: what chance alone brings about, the least standard deviation.
        """
        usual = np.where(self.is_newest[: len(change), None], change, np.nan)
        enough = (~np.isnan(usual)).sum(axis=0) >= self.thresholds["robust_min_associations"]
        usual[:, ~enough] = 0
        usual[:, np.isnan(usual).all(axis=0)] = 0
        centre = np.nanmedian(usual, axis=0)
        deviation = 1.4826 * np.nanmedian(abs(usual - centre), axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            far: Array = abs(change - centre) / np.maximum(deviation, spread)
        return far


def _previous(
    settings: Settings, deliveries: Sequence[Delivery], round_: int
) -> tuple[Delivery | None, ...]:
    """The delivery that counts in the latest earlier round of each delivery's association."""
    counting = lake.read_manifest(settings).counting()
    earlier = sorted((d for d in counting if d.round < round_), key=lambda d: d.round)
    last = {d.association_id: d for d in earlier if lake.parquet_of(settings, d).exists()}
    return tuple(last.get(d.association_id) for d in deliveries)


# --- deliveries ---------------------------------------------------------------------------------


def _deliveries(about: _About) -> pd.DataFrame:
    """A row per delivery."""
    deliveries, before = about.deliveries, about.before
    n = np.array([d.n_questionnaires for d in deliveries], float)
    n_before = np.array([d.n_questionnaires if d else 0 for d in before], float)
    comparable = (n > 0) & (n_before > 0)
    n_, n_before_ = np.where(comparable, n, np.nan), np.where(comparable, n_before, np.nan)
    spread = np.sqrt(about.thresholds["volume_spread"] ** 2 + 1 / n_ + 1 / n_before_)
    far = about.far(np.log(n_ / n_before_)[:, None], spread[:, None])[:, 0]
    frame = pd.DataFrame(
        {
            "delivery": np.arange(len(deliveries)),
            "round": [d.round for d in deliveries],
            "layout_id": [d.layout_id or "" for d in deliveries],
            "association_id": [d.association_id or "" for d in deliveries],
            "has_agreement": [float(_has_agreement(about, d)) for d in deliveries],
            "n": n.astype(int),
            "n_before": n_before.astype(int),
            "round_before": [d.round if d else 0 for d in before],
            "volume_z": far,
        }
    )
    return frame.join(_absent(about)).join(_twins(about))


def _absent(about: _About) -> pd.DataFrame:
    """For each delivery the questionnaires that returned none now and quite a few last round."""
    asked, least = about.instrument.questionnaires_in(about.round), about.thresholds["absent_min"]
    absent = [
        [
            q.sheet_name
            for q in asked
            if before and before.rows_per_questionnaire.get(q.questionnaire_id, 0) >= least
            if not now.rows_per_questionnaire.get(q.questionnaire_id)
        ]
        for now, before in zip(about.deliveries, about.before, strict=True)
    ]
    empty = [not d.n_questionnaires for d in about.deliveries]  # which is another rule
    return pd.DataFrame(
        {
            "n_absent": [np.nan if e else len(a) for a, e in zip(absent, empty, strict=True)],
            "absent_sv": [", ".join(a) for a in absent],
        }
    )


def _has_agreement(about: _About, delivery: Delivery) -> bool:
    association = about.register.associations.get(delivery.association_id or "")
    if association is None:
        return True  # unknown altogether, which is another rule
    round_ = about.instrument.rounds[about.round]
    return _day_from(association) <= round_.closes and _day_to(association) >= round_.opens


def _day_from(association: Association) -> date:
    return association.agreement_from or date.min


def _day_to(association: Association) -> date:
    return association.agreement_to or date.max


def _twins(about: _About) -> pd.DataFrame:
    """For each delivery how many responses are those of an association that had them first.

    An association had them first when its first delivery with them is older, whether or not that
    file is still there. Looked for are the deliveries that would count; another harms nobody. What
    is like a withdrawn one is told apart, whoever was first: it counts nobody twice.
    """
    shared = pd.DataFrame(
        {
            "content": about.content,
            "delivery": about.ever.delivery,
            "sheet": about.ever.responses["sheet"],
        }
    )
    shared = shared[shared["content"] >= 0]
    counts = shared.groupby(["content", "delivery"], as_index=False).agg(
        sheet=("sheet", "first"), n=("sheet", "size")
    )
    owners = np.array([d.association_id for d in (*about.deliveries, *about.gone)])
    counts["association"] = owners[counts["delivery"]]
    counts["time"] = about.order[counts["delivery"]]
    counts = counts[counts.groupby("content")["association"].transform("nunique") > 1]
    pairs = counts.merge(counts, on="content", suffixes=("", "_other"))
    pairs = pairs[pairs["association"] != pairs["association_other"]]
    pairs["n_same"] = pairs[["n", "n_other"]].min(axis=1)
    keys = ["delivery", "delivery_other", "association", "association_other"]
    alike = pairs.groupby([*keys, "time", "time_other"], as_index=False).agg(
        n_same=("n_same", "sum"), sheet=("sheet", "first")
    )
    alike = alike[alike["n_same"] >= about.thresholds["twin_min_responses"]]
    is_withdrawn = np.array([d.state == "withdrawn" for d in (*about.deliveries, *about.gone)])
    like_withdrawn = alike[is_withdrawn[alike["delivery_other"]]]
    both = alike.groupby(["association", "association_other"])
    is_later = both["time"].transform("min") > both["time_other"].transform("min")
    alike = alike[is_later & about.counts[alike["delivery_other"]]]
    withdrawn = _most_alike(like_withdrawn, about).add_suffix("_withdrawn")
    return _most_alike(alike, about).join(withdrawn)


def _most_alike(alike: pd.DataFrame, about: _About) -> pd.DataFrame:
    """For each delivery the one that it is most like: n_same, sheet, other (its association)."""
    worst = alike.sort_values(["n_same", "delivery_other"], ascending=[False, True], kind="stable")
    worst = worst.drop_duplicates("delivery").set_index("delivery")
    names = {a.association_id: a.association_name for a in about.register.associations.values()}
    worst["other"] = worst["association_other"].map(names)
    twins: pd.DataFrame = worst[["n_same", "sheet", "other"]]
    return twins.reindex(range(len(about.deliveries)))


# --- activities ---------------------------------------------------------------------------------


def _activities(about: _About) -> pd.DataFrame:
    """A row per activity and questionnaire; what is about the activity alone on its first row."""
    rows = [
        (i, a["insats_kod"], a["inriktning"], a["langd"], questionnaire_id, handed_out)
        for i, d in enumerate(about.deliveries)
        for a in d.activities
        for questionnaire_id, handed_out in a["handed_out"].items()
    ]
    columns = ["delivery", "insats_kod", "inriktning", "langd", "questionnaire_id", "handed_out"]
    frame = pd.DataFrame(rows, columns=columns).astype({"handed_out": float})
    keys = ["delivery", "insats_kod", "questionnaire_id"]
    responses = about.now.responses[keys].astype({"insats_kod": object, "questionnaire_id": object})
    returned = responses.groupby(keys).size().rename("returned")
    frame = frame.join(returned, on=keys).fillna({"returned": 0})
    activity = frame.groupby(["delivery", "insats_kod"], sort=False)
    handed_out = activity["handed_out"].transform("sum")
    returned_at_all = activity["returned"].transform("sum")
    first = activity.cumcount() == 0
    any_at_all = frame["delivery"].isin(about.now.delivery)  # nothing at all is another rule
    asked = (handed_out >= about.thresholds["handed_out_min"]) & any_at_all
    for field in ("inriktning", "langd"):
        frame[field] = frame[field].where(first)
    frame["n_handed_out"] = handed_out.astype(int)
    frame["returned_at_all"] = returned_at_all.where(first & asked)
    frame["sheet"] = about.instrument.sheet_name_of("activities")
    return frame.astype({"returned": int})


# --- responses ----------------------------------------------------------------------------------


def _responses(about: _About) -> pd.DataFrame:
    """A row per response."""
    frame = about.now.responses.copy()
    frame["n_answers"] = (about.now.codes > 0).sum(axis=1)
    for evidence in (_listed, _genders, _days, _repeats, _numbers, _straight_lines):
        evidence(frame, about)
    return frame


def _listed(frame: pd.DataFrame, about: _About) -> None:
    """`activity_is_listed`: the activity stands on the workbook's own sheet; NaN when blank."""
    listed = {(i, a["insats_kod"]) for i, d in enumerate(about.deliveries) for a in d.activities}
    codes = frame["insats_kod"].astype(object)
    is_listed = pd.MultiIndex.from_arrays([frame["delivery"], codes]).isin(
        list(listed) or [(-1, "")]
    )
    frame["activity_is_listed"] = np.where(codes.isna(), np.nan, is_listed.astype(float))


def _genders(frame: pd.DataFrame, about: _About) -> None:
    """`gender_empty_share`: of a sheet whose respondents have a gender, on its first row."""
    asked_of = set(about.thresholds["gender_asked_of"])
    groups = {
        q.questionnaire_id: q.respondent_group for q in about.instrument.questionnaires.values()
    }
    asked = frame["questionnaire_id"].astype(object).map(groups).isin(asked_of)
    empty = frame["kon"].isna()
    sheet = empty.groupby([frame[c] for c in _SHEET], observed=True)
    enough = sheet.transform("size") >= about.thresholds["gender_min_responses"]
    frame["n_empty"] = sheet.transform("sum")
    frame["n_sheet"] = sheet.transform("size")
    share = sheet.transform("mean").where(asked & enough)
    frame["gender_empty_share"] = share.where(_first(frame, _SHEET))


def _days(frame: pd.DataFrame, about: _About) -> None:
    """`days_outside`: how many days the answer lies before or after the questionnaire's time."""
    round_ = about.instrument.rounds[about.round]
    all_year = [q.questionnaire_id for q in about.instrument.questionnaires.values() if q.all_year]
    year = (date(round_.round, 1, 1), date(round_.round, 12, 31))
    season = (round_.opens, round_.delivery_deadline)
    questionnaires = frame["questionnaire_id"].astype(object)
    whole = questionnaires.isin(all_year).to_numpy()
    first = np.where(whole, np.datetime64(year[0]), np.datetime64(season[0]))
    last = np.where(whole, np.datetime64(year[1]), np.datetime64(season[1]))
    day = frame["svarsdatum"]
    early, late = (first - day).dt.days, (day - last).dt.days
    outside = np.maximum(np.maximum(early, late), 0)
    frame["days_outside"] = outside
    frame["first_day"], frame["last_day"] = first, last
    near = (day.dt.year - about.round).abs() <= _YEARS_SHOWN
    frame["day_shown"] = day.dt.strftime("%Y-%m-%d").where(near, HIDDEN).where(outside > 0)


def _repeats(frame: pd.DataFrame, about: _About) -> None:
    """`repeated_share`: of a sheet those that repeat a response above, on the first of them."""
    content = pd.Series(about.content[: len(frame)], frame.index)
    repeats = (content >= 0) & pd.DataFrame(
        {"delivery": frame["delivery"], "sheet": frame["sheet"], "content": content}
    ).duplicated()
    sheet = repeats.groupby([frame[c] for c in _SHEET], observed=True)
    frame["n_repeated"] = sheet.transform("sum")
    many = frame["n_repeated"] >= about.thresholds["repeated_min_responses"]
    frame["is_pasted"] = (
        repeats & many & (sheet.transform("mean") > about.thresholds["repeated_share"])
    )
    first = repeats & (sheet.cumsum() == 1)
    frame["repeated_share"] = sheet.transform("mean").where(first & many)


def _numbers(frame: pd.DataFrame, about: _About) -> None:
    """`lopnr_times_before`: how often the number stands further up on the sheet.

    NaN without a number, and where a whole block of rows was pasted twice, which is another rule.
    """
    number = frame["lopnr"].astype(object)
    same = frame.groupby([*_SHEET, "lopnr"], observed=True)["row"]
    times = same.cumcount().where(number.notna() & ~frame["is_pasted"])
    frame["lopnr_times_before"] = times
    frame["row_before"] = same.transform("first").fillna(0).astype(int)
    plain = number.str.fullmatch(PLAIN_NUMBER, na=False)
    frame["lopnr_shown"] = number.where(plain, HIDDEN).where(times > 0)


def _straight_lines(frame: pd.DataFrame, about: _About) -> None:
    """`straight_lined`: 1 for a response that gives one answer throughout, if several do so.

    Looked at are answers on scales of some length, in both directions of wording: the seeds hold no
    reversed questions, so the same answer throughout need not be wrong. Therefore only sheets with
    many such responses count.
    """
    limits, now = about.thresholds, about.now
    scales = about.instrument.scales
    long = np.array(
        [
            q is not None
            and sum(c.is_answer for c in scales[q.scale_id]) >= limits["straight_lining_min_codes"]
            for q in now.questions
        ]
    )
    counted = now.is_answer & long
    low = np.where(counted, now.codes, 255).min(axis=1, initial=255)
    high = np.where(counted, now.codes, 0).max(axis=1, initial=0)
    lined = (counted.sum(axis=1) >= limits["straight_lining_min_answers"]) & (low == high)
    sheet = pd.Series(lined, frame.index).groupby([frame[c] for c in _SHEET], observed=True)
    many = (sheet.transform("sum") >= limits["straight_lining_min_responses"]) & (
        sheet.transform("mean") >= limits["straight_lining_share"]
    )
    frame["straight_lined"] = (lined & many).astype(float)


def _first(frame: pd.DataFrame, keys: Sequence[str]) -> pd.Series[bool]:
    """Whether a row is the first of its group."""
    return ~frame.duplicated(list(keys))


# --- answers ------------------------------------------------------------------------------------


def _answers(about: _About) -> pd.DataFrame:
    """A row per answer."""
    now, (response, question) = about.now, about.now.codes.nonzero()
    address = ["delivery", "sheet", "row", "questionnaire_id"]
    frame = now.responses[address].iloc[response].reset_index(drop=True)
    code = now.codes[response, question]
    ids = list(now.question_ids)
    frame["code"] = code
    frame["question_id"] = _named(question, ids)
    asked_by = frame["questionnaire_id"].cat
    pairs = [f"{q}/{question_id}" for q in asked_by.categories for question_id in ids]
    places = asked_by.codes.to_numpy(int) * len(ids) + question
    is_known = frame["questionnaire_id"].isin(about.instrument.questionnaires)  # else another rule
    frame["question"] = _named(np.where(is_known, places, -1), pairs)
    known = np.array([q is not None for q in now.questions])[question]
    answers = [f"{question_id}={n}" for question_id in ids for n in range(256)]
    numbers = np.where(known, question * 256 + code, -1)
    frame["answer"] = _named(numbers, answers)
    asked = np.array([about.is_asked(q, about.round) for q in now.questions])
    follows = asked & [now.base_column(q) is not None for q in now.questions]
    frame["base_is_positive"] = np.where(
        follows[question], now.in_base[response, question].astype(float), np.nan
    )
    return _with_changes(frame, question, about)


def _named(numbers: Array, names: Sequence[str]) -> pd.Categorical[str]:
    """The names at these positions, -1: none; costs nothing however many there are."""
    return pd.Categorical.from_codes(numbers, pd.Index(names))


def _with_changes(frame: pd.DataFrame, question: Array, about: _About) -> pd.DataFrame:
    """`share_is_far`, 1 or 0, on the first answer of a delivery to a question; else NaN."""
    delivery = frame["delivery"].to_numpy()
    first = _first(
        pd.DataFrame({"delivery": delivery, "question": question}), ["delivery", "question"]
    )
    is_far, share, share_before, rounds = _changes(about)
    columns = {"share_is_far": is_far, "share": share, "share_before": share_before}
    for name, figures in columns.items():
        frame[name] = np.where(first, figures[delivery, question], np.nan)
    frame["round_before"] = rounds[delivery]
    return frame


def _changes(about: _About) -> tuple[Array, Array, Array, Array]:
    """Deliveries × questions: whether the share changed by much, the shares; and the round before.

    Compared is one wording in two rounds between which it is comparable, with enough answers in
    both. Much is far beyond what the others' changes and chance explain; or so many points that
    it is worth a question somewhat earlier, if chance alone would hardly do it.
    """
    questions, n_deliveries = about.now.questions, len(about.deliveries)
    n, n_positive = about.now.shares(n_deliveries)
    own = np.array([d is not None for d in about.before])
    n_then, n_positive_then = np.zeros_like(n), np.zeros_like(n)
    size = len(about.instrument.questions)
    sums = about.then.shares(int(own.sum()))
    n_then[own, :size], n_positive_then[own, :size] = (s[:, :size] for s in sums)
    rounds = np.array([d.round if d else 0 for d in about.before])
    since = np.array([_comparable_since(q) for q in questions])
    asked = np.array([about.is_asked(q, about.round) for q in questions])
    enough = np.minimum(n, n_then) >= about.thresholds["share_min_n"]
    comparable = enough & asked & (rounds[:, None] >= since)
    with np.errstate(invalid="ignore", divide="ignore"):
        share, share_then = n_positive / n, n_positive_then / n_then
        pooled = (n_positive + n_positive_then) / (n + n_then)
        chance = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_then))
    change = np.where(comparable, share - share_then, np.nan)
    far, limits = about.far(change, chance), about.thresholds
    many_points = abs(change) * 100 >= limits["share_points"]
    is_far = (far > limits["robust_z"]) | (many_points & (far > limits["share_z"]))
    return is_far, 100 * share, 100 * share_then, rounds


def _comparable_since(question: Question | None) -> int:
    return (question.comparable_from or question.first_round) if question else 9999
