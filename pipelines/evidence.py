"""The frames that the expectations are held against, one per raw table, in plain pandas.

Belongs here: gathering a round's rows from the lake and working out beside them what an expectation
looks at (a change, a share, a repeat). Does not: judging it or wording it; the suites under
`expectations/` do, and quality.py runs them.

What concerns several rows (a sheet, a question) stands on the first of them and is NaN on the
others: expectations pass over what is missing, so one cause gives one finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from pipelines import lake, packing
from pipelines.extra import asked_of, instrument_of_all
from pipelines.instrument import Instrument, Question
from pipelines.lake import Delivery
from pipelines.register import Association, Register
from pipelines.settings import Settings
from pipelines.workbook.cells import normalised
from pipelines.workbook.personal import HIDDEN, PLAIN_NUMBER, discreet

Array = npt.NDArray[Any]
Thresholds = Mapping[str, Any]

_SHEET = ["delivery", "sheet"]
_OF_ANOTHER = "of another association"  # a question that nothing accepts
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
    instrument = instrument_of_all(instrument, register.extra_questions)
    now = _Answers.of(settings, deliveries, instrument)
    ever = _Answers.of(settings, [*deliveries, *gone], instrument) if gone else now
    before = _previous(settings, deliveries, round_)
    own = [i for i, earlier in enumerate(before) for _ in earlier]
    about = _About(
        deliveries=tuple(deliveries),
        gone=tuple(gone),
        may_count=np.array([d.key not in stopped for d in deliveries], bool),
        before=before,
        now=now,
        ever=ever,
        then=_Answers.of(settings, [d for earlier in before for d in earlier], instrument),
        then_of=np.array(own, np.intp),
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
        responses: a row per response as the lake has it, plus `delivery`.
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
        tables, answers = lake.read_responses(settings, deliveries, instrument)
        table = pa.concat_tables([packing.SCHEMAS["responses"].empty_table(), *tables])
        kept = table.drop_columns(["response_id", "sha256"])
        responses = kept.to_pandas(strings_to_categorical=True)
        sizes = [len(t) for t in tables]
        responses["delivery"] = np.repeat(np.arange(len(tables)), sizes)
        responses["svarsdatum"] = pd.to_datetime(responses["svarsdatum"])
        return cls(responses, answers.codes, answers.question_ids, instrument)

    @property
    def delivery(self) -> Array:
        """The position of each response's delivery."""
        return self.responses["delivery"].to_numpy()

    @cached_property
    def questions(self) -> tuple[Question | None, ...]:
        """The question of each column of codes; None for those the instrument does not have."""
        return tuple(map(self.instrument.questions.get, self.question_ids))

    @cached_property
    def core(self) -> npt.NDArray[np.bool_]:
        """Questions: all but projects' own, which nothing about a response may depend on."""
        return np.array([q is None or q.is_core for q in self.questions], bool)

    @property
    def core_codes(self) -> npt.NDArray[np.uint8]:
        """The codes without those of projects' own questions."""
        return self.codes[:, self.core]

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


@dataclass(frozen=True)
class _About:
    """All that evidence is drawn from.

    Attributes:
        gone: earlier deliveries of the round whose files are no longer there.
        may_count: whether a delivery counts if it is the newest.
        before: what counts of each one's association in the latest earlier round.
        now: answers of the deliveries.
        ever: the same, those of `gone` after them.
        then: answers of `before`, one delivery after the other.
        then_of: which of the deliveries each of them is compared with.
    """

    deliveries: tuple[Delivery, ...]
    gone: tuple[Delivery, ...]
    may_count: npt.NDArray[np.bool_]
    before: tuple[tuple[Delivery, ...], ...]
    now: _Answers
    ever: _Answers
    then: _Answers
    then_of: Array
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
        """Whether a delivery is the newest of its association and source; no gone one is."""
        return self._is_newest(range(len(self.deliveries)))

    @cached_property
    def counts(self) -> npt.NDArray[np.bool_]:
        """Whether a delivery is the newest of its association and source that may count."""
        return self._is_newest(np.flatnonzero(self.may_count))

    def _is_newest(self, among: Iterable[int]) -> npt.NDArray[np.bool_]:
        newest = {self.owner(i): i for i in sorted(among, key=self._rank)}
        return np.isin(np.arange(len(self.order)), list(newest.values()))

    def owner(self, i: int) -> tuple[str | None, str]:
        """Whose a delivery is and where it comes from; of each the newest counts."""
        d = (*self.deliveries, *self.gone)[i]
        return d.association_id, d.source

    @cached_property
    def beside(self) -> npt.NDArray[np.bool_]:
        """Deliveries × deliveries: whether the other counts beside it, from another source."""
        n = len(self.deliveries)
        owners = [self.owner(i) for i in range(n)]
        return np.array(
            [
                [self.counts[j] and a == b and s != t for j, (b, t) in enumerate(owners)]
                for a, s in owners
            ],
            bool,
        ).reshape(n, n)

    def pooled(self, own: Array) -> Array:
        """Deliveries × figures with those of the same association that count beside added."""
        pooled: Array = own + self.beside.astype(float) @ own
        return pooled

    def leads(self, own: Array) -> npt.NDArray[np.bool_]:
        """Deliveries × figures: whether a pooled figure is to be told about this delivery.

        It is told once: about the workbook if it has part in it, else the first from the web.
        """
        rank = [(d.is_web, d.source) for d in self.deliveries]
        ahead = np.array([[b < a for b in rank] for a in rank], bool).reshape(self.beside.shape)
        has_part = own > 0
        leads: npt.NDArray[np.bool_] = has_part & ~((self.beside & ahead) @ has_part)
        return leads

    @cached_property
    def lists(self) -> Array:
        """For each delivery the position of the workbook whose activities explain its codes.

        A workbook's own; of answers from the web the one that counts beside them, -1: none.
        """
        books = [
            next((j for j in np.flatnonzero(row) if not self.deliveries[j].is_web), -1)
            for row in self.beside
        ]
        lists = [books[i] if d.is_web else i for i, d in enumerate(self.deliveries)]
        return np.array(lists, np.intp)

    def _rank(self, i: int) -> int:
        return int(self.order[i])

    @cached_property
    def content(self) -> Array:
        """A number for each response ever, equal where answers, gender, day and sheet's kind are.

        Responses too short or too uniform to tell are -1.
        """
        r, codes = self.ever.responses, self.ever.core_codes
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
            change: deliveries × figures, NaN where there is nothing to compare or to tell.
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
) -> tuple[tuple[Delivery, ...], ...]:
    """What counts of each delivery's association in the latest earlier round, of all sources."""
    counting = lake.read_manifest(settings).counting()
    earlier = [d for d in counting if d.round < round_ and lake.parquet_of(settings, d).exists()]
    last: dict[str | None, int] = {}
    for d in earlier:
        last[d.association_id] = max(d.round, last.get(d.association_id, 0))
    return tuple(
        tuple(
            b
            for b in earlier
            if (b.association_id, b.round) == (d.association_id, last[d.association_id])
        )
        if d.association_id in last
        else ()
        for d in deliveries
    )


def _questionnaires(deliveries: Iterable[Delivery]) -> Counter[str]:
    """Returned questionnaires by questionnaire, of several deliveries together."""
    return sum((Counter(d.rows_per_questionnaire) for d in deliveries), Counter())


# --- deliveries ---------------------------------------------------------------------------------


def _deliveries(about: _About) -> pd.DataFrame:
    """A row per delivery."""
    deliveries, before = about.deliveries, about.before
    together = [[d, *_beside(about, i)] for i, d in enumerate(deliveries)]
    own = np.array([d.n_questionnaires for d in deliveries], float)
    n = np.array([sum(_questionnaires(ds).values()) for ds in together], float)
    n_before = np.array([sum(_questionnaires(ds).values()) for ds in before], float)
    # web answers grow day by day: volumes are compared once the workbook has come
    is_web = np.array([d.is_web for d in deliveries], bool)
    comparable = (own > 0) & (n_before > 0) & ~is_web
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
            "n": own.astype(int),
            "n_together": n.astype(int),
            "n_before": n_before.astype(int),
            "round_before": [d[0].round if d else 0 for d in before],
            "volume_z": far,
        }
    )
    return frame.join(_absent(about, together)).join(_twins(about))


def _beside(about: _About, i: int) -> list[Delivery]:
    """The deliveries that count beside one, of its association's other sources."""
    return [about.deliveries[j] for j in np.flatnonzero(about.beside[i])]


def _absent(about: _About, together: Sequence[Sequence[Delivery]]) -> pd.DataFrame:
    """For each workbook the questionnaires that returned none now and quite a few last round."""
    asked, least = about.instrument.questionnaires_in(about.round), about.thresholds["absent_min"]
    pairs = zip(together, about.before, strict=True)
    counts = [(_questionnaires(t), _questionnaires(b)) for t, b in pairs]
    absent = [
        [
            q.sheet_name
            for q in asked
            if before[q.questionnaire_id] >= least and not now[q.questionnaire_id]
        ]
        for now, before in counts
    ]
    left_out = [d.is_web or not d.n_questionnaires for d in about.deliveries]  # other rules
    return pd.DataFrame(
        {
            "n_absent": [np.nan if e else len(a) for a, e in zip(absent, left_out, strict=True)],
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
    """For each delivery how many responses are those of another that had them first.

    The other is of another association, or of the same one and another source: then the answers
    are registered twice. It had them first when its first delivery with them is older, whether or
    not that file is still there. Looked for are the deliveries that would count; another harms
    nobody. What is like a withdrawn one's is told apart, whoever was first: it counts nobody twice.
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
    everybody = (*about.deliveries, *about.gone)
    counts["association"] = np.array([d.association_id for d in everybody])[counts["delivery"]]
    owners = np.array([f"{d.association_id}/{d.source}" for d in everybody])
    counts["owner"] = owners[counts["delivery"]]
    counts["time"] = about.order[counts["delivery"]]
    counts = counts[counts.groupby("content")["owner"].transform("nunique") > 1]
    pairs = counts.merge(counts, on="content", suffixes=("", "_other"))
    pairs = pairs[pairs["owner"] != pairs["owner_other"]]
    pairs["n_same"] = pairs[["n", "n_other"]].min(axis=1)
    keys = ["delivery", "delivery_other", "owner", "owner_other"]
    keys += ["association", "association_other", "time", "time_other"]
    alike = pairs.groupby(keys, as_index=False).agg(
        n_same=("n_same", "sum"), sheet=("sheet", "first")
    )
    alike = alike[alike["n_same"] >= about.thresholds["twin_min_responses"]]
    own = alike["association"] == alike["association_other"]
    is_withdrawn = np.array([d.state == "withdrawn" for d in everybody])[alike["delivery_other"]]
    both = alike.groupby(["owner", "owner_other"])
    is_later = both["time"].transform("min") > both["time_other"].transform("min")
    is_copy = is_later & about.counts[alike["delivery_other"]]
    foreign, twice = _worst(alike[is_copy & ~own]), _worst(alike[is_copy & own])
    withdrawn = _worst(alike[is_withdrawn & ~own])
    names = {a.association_id: a.association_name for a in about.register.associations.values()}
    for found in (foreign, withdrawn):
        found["other"] = found["association_other"].map(names)
    files = [discreet(PurePosixPath(d.file).name) for d in everybody]
    twice["other_file"] = [files[j] for j in twice["delivery_other"]]
    told = pd.DataFrame(index=range(len(about.deliveries)))
    told["n_same"], told["n_twice"] = foreign["n_same"], twice["n_same"]
    told["other"], told["other_file"] = foreign["other"], twice["other_file"]
    told["n_same_withdrawn"] = withdrawn["n_same"]
    told["other_withdrawn"] = withdrawn["other"]
    told["sheet"] = foreign["sheet"].astype(object).combine_first(twice["sheet"].astype(object))
    return told


def _worst(alike: pd.DataFrame) -> pd.DataFrame:
    """For each delivery the other one that has most of its responses."""
    worst = alike.sort_values(["n_same", "delivery_other"], ascending=[False, True], kind="stable")
    return worst.drop_duplicates("delivery").set_index("delivery")


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
    counted = _of_lists(about)
    frame["key"] = frame["insats_kod"].map(normalised).astype(object)
    keys = ["delivery", "key", "questionnaire_id"]
    returned = counted.groupby(keys).size().rename("returned")
    frame = frame.join(returned, on=keys).fillna({"returned": 0})
    activity = frame.groupby(["delivery", "insats_kod"], sort=False)
    handed_out = activity["handed_out"].transform("sum")
    returned_at_all = activity["returned"].transform("sum")
    first = activity.cumcount() == 0
    any_at_all = frame["delivery"].isin(counted["delivery"])  # nothing at all is another rule
    asked = (handed_out >= about.thresholds["handed_out_min"]) & any_at_all
    for field in ("inriktning", "langd"):
        frame[field] = frame[field].where(first)
    frame["n_handed_out"] = handed_out.astype(int)
    frame["returned_at_all"] = returned_at_all.where(first & asked)
    frame["sheet"] = about.instrument.sheet_name_of("activities")
    return frame.astype({"returned": int})


def _of_lists(about: _About) -> pd.DataFrame:
    """Responses with an activity, by the workbook that lists it; those from the web if they count.

    Columns: delivery (the workbook), key (the activity's normalised code), questionnaire_id.
    """
    own = about.now.delivery
    counted = about.now.responses[["insats_kod", "questionnaire_id"]].astype(object)
    counted["delivery"] = about.lists[own]
    is_web = np.array([d.is_web for d in about.deliveries], bool)[own]
    counted = counted[(counted["delivery"] >= 0) & (~is_web | about.counts[own])]
    counted["key"] = counted["insats_kod"].map(normalised, na_action="ignore").astype(object)
    return counted


# --- responses ----------------------------------------------------------------------------------


def _responses(about: _About) -> pd.DataFrame:
    """A row per response."""
    frame = about.now.responses.copy()
    frame["n_answers"] = (about.now.core_codes > 0).sum(axis=1)
    for evidence in (_listed, _genders, _days, _repeats, _numbers, _straight_lines):
        evidence(frame, about)
    return frame


def _listed(frame: pd.DataFrame, about: _About) -> None:
    """Whether the activity stands on the list of the association's workbook; NaN when blank.

    `activity_is_listed`: of a workbook's response, on its own list. `web_activity_is_listed`: of
    one from the web, on the list of the workbook that counts beside it; `has_list`: there is one.
    """
    listed = {
        (i, normalised(a["insats_kod"]))
        for i, d in enumerate(about.deliveries)
        for a in d.activities
    }
    key = frame["insats_kod"].astype(object).map(normalised, na_action="ignore").astype(object)
    lists = about.lists[frame["delivery"]]
    pairs = pd.MultiIndex.from_arrays([lists, key])
    is_listed = pairs.isin(list(listed) or [(-1, "")]).astype(float)
    is_web = np.array([d.is_web for d in about.deliveries], bool)[frame["delivery"]]
    blank = key.isna().to_numpy()
    frame["activity_is_listed"] = np.where(blank | is_web, np.nan, is_listed)
    told = ~blank & is_web
    frame["web_activity_is_listed"] = np.where(told & (lists >= 0), is_listed, np.nan)
    frame["has_list"] = np.where(told, (lists >= 0).astype(float), np.nan)


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
    year, season = round_.period(all_year=True), round_.period(all_year=False)
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
            and q.is_core
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
    is_own = _own_questions(about)[frame["delivery"], question]
    places = np.where(is_own, places, len(pairs))
    frame["question"] = _named(np.where(is_known, places, -1), [*pairs, _OF_ANOTHER])
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


def _own_questions(about: _About) -> npt.NDArray[np.bool_]:
    """Deliveries × questions: no project's, or one that a project asks of the association."""
    asked = [
        {q.question_id for q in asked_of(about.register.extra_questions, d.association_id, d.round)}
        for d in about.deliveries
    ]
    own = np.tile(about.now.core, (len(asked), 1))
    for k in np.flatnonzero(~about.now.core):
        own[:, k] = [about.now.question_ids[k] in of_delivery for of_delivery in asked]
    return own


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
    n_own, n_positive_own = about.now.shares(n_deliveries)
    n, n_positive = about.pooled(n_own), about.pooled(n_positive_own)
    n_then, n_positive_then = np.zeros_like(n), np.zeros_like(n)
    size = len(about.instrument.questions)
    for to, sums in zip(
        (n_then, n_positive_then), about.then.shares(len(about.then_of)), strict=True
    ):
        np.add.at(to[:, :size], about.then_of, sums[:, :size])
    rounds = np.array([d[0].round if d else 0 for d in about.before])
    since = np.array([_comparable_since(q) for q in questions])
    asked = np.array([about.is_asked(q, about.round) for q in questions])
    enough = np.minimum(n, n_then) >= about.thresholds["share_min_n"]
    comparable = enough & asked & (rounds[:, None] >= since) & about.leads(n_own)
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
