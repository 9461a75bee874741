"""The evidence, held against what is counted by hand or in plain Python, and the suites as text."""

import json
import re
import string
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import lake_rows
import numpy as np
import pandas as pd
import pytest

from pipelines import alarms, evidence, instrument, lake, quality, roster
from pipelines.files import write_text
from pipelines.findings import Severity
from pipelines.findings import rules as reader_rules
from pipelines.lake import Delivery
from pipelines.register import Association, Register
from pipelines.settings import Settings
from pipelines.workbook import read, structure

KNOWN = instrument.load()
ROUND = 2026
OPENS = KNOWN.rounds[ROUND].opens
QUESTIONS = [q.question_id for q in KNOWN.questions_asked("participant_ongoing", ROUND)]
REGISTER = Register(
    {
        name: Association(name, f"Förbundet {name}", "01", date(2017, 1, 1), None)
        for name in ("ett", "tva", "tre")
    },
    (),
    (),
    False,
)


def row(number: int, codes: Sequence[int] = (), **facts: Any) -> dict[str, Any]:
    """A response on the sheet of ongoing participants; the codes go to the questions in order."""
    answers = list(zip(QUESTIONS, codes, strict=False))
    return {
        "sheet": "Deltagare pågående",
        "row": number + 2,
        "questionnaire_id": "participant_ongoing",
        "lopnr": str(number),
        "insats_kod": "A1",
        "kon": "K",
        "svarsdatum": OPENS,
        "answers": answers,
        **facts,
    }


def varied(seed: int) -> list[int]:
    """Answers that no other seed has."""
    return Random(seed).choices(range(1, 7), k=len(QUESTIONS))


class Lake:
    """A lake of hand-made deliveries."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home / "raw", home)
        self.deliveries: list[Delivery] = []

    def add(
        self,
        association_id: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        round_: int = ROUND,
        time: int = 1,
        state: str = "loaded",
        activities: Sequence[Mapping[str, Any]] = (),
        source: str = "workbook",
    ) -> Delivery:
        name = f"{association_id}_{round_}_{time}"
        if source != "workbook":
            name, activities = f"{name}_{source}", [{}]
        delivery = Delivery(
            file=f"{round_}/{name}.xlsx",
            sha256=name,
            round=round_,
            mtime_ns=time,
            size=1,
            association_id=association_id,
            layout_id=KNOWN.rounds[round_].layout_id,
            state=state,
            rows_per_questionnaire=dict(Counter(r["questionnaire_id"] for r in rows)),
            findings=dict.fromkeys(Severity, 0),
            activities=[a for a in activities if a]
            if activities
            else [{"insats_kod": "A1", "inriktning": "individ", "langd": None, "handed_out": {}}],
            source=source,
            delivery_no=1 + len(self.deliveries),
        )
        whole = [{"sha256": name, **r} for r in rows]
        lake_rows.keep(self.settings, delivery, whole)
        self.deliveries.append(delivery)
        content = {"deliveries": [asdict(d) for d in self.deliveries]}
        write_text(self.settings.lake / "manifest.json", json.dumps(content))
        return delivery

    def frames(self, register: Register = REGISTER, **limits: Any) -> Mapping[str, pd.DataFrame]:
        manifest = lake.read_manifest(self.settings)
        deliveries = quality.sound(manifest, ROUND)
        gathered = evidence.gather(
            self.settings,
            deliveries,
            ROUND,
            KNOWN,
            register,
            {**quality.thresholds(), **limits},
            before=evidence.previous(deliveries, manifest.counting(), ROUND),
        )
        return gathered.frames


@pytest.fixture
def made(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def positive_share(rows: Sequence[Mapping[str, Any]], question_id: str) -> float:
    """Counted one answer at a time."""
    question = KNOWN.questions[question_id]
    codes = [code for r in rows for q, code in r["answers"] if q == question_id]
    return 100 * sum(code >= question.positive_min_code for code in codes) / len(codes)


# --- cases --------------------------------------------------------------------------------------


def test_rows_that_expectations_cannot_tell_apart_are_one_case() -> None:
    frames = [
        pd.DataFrame({"delivery": [0, 0, 1, 1], "a": ["x", None, "x", "y"], "n": [1, 2, 1, None]}),
        pd.DataFrame({"delivery": [0, 0, 0], "a": ["y", "x", "z"], "n": [None, 1, 1]}),
    ]
    kept = [frame.astype({"a": "category"}) for frame in frames]
    cases = evidence.cases_of(kept, ["a", "n", "no_such"], is_by_row=True)
    seen = [(a, n) for a, n in zip(cases.frame["a"], cases.frame["n"], strict=True)]
    assert list(cases.frame.columns) == ["a", "n", "at"]
    assert len(seen) == 6  # three of each frame
    wanted = [at for at, (a, _) in enumerate(seen) if a == "x"]
    for frame, rows in zip(frames, cases.rows(kept, wanted), strict=True):
        assert [(r["delivery"], r["n"]) for r in rows] == [
            (d, n) for d, a, n in frame.itertuples(index=False) if a == "x"
        ]
    assert cases.rows(kept, []) == [[], []]


def test_where_rows_are_compared_each_is_a_case_and_deliveries_count_on() -> None:
    frames = [
        pd.DataFrame({"delivery": [0, 1, 1], "code": ["A", "A", "A"]}),
        pd.DataFrame({"delivery": [0], "code": ["A"]}),
    ]
    cases = evidence.cases_of(frames, ["delivery", "code"], is_by_row=False)
    assert list(cases.frame["delivery"]) == [0, 1, 1, 2]
    assert cases.rows(frames, [1, 3]) == [
        [{"delivery": 1, "code": "A"}],
        [{"delivery": 0, "code": "A"}],
    ]


def test_a_delivery_is_compared_with_all_of_its_association_s_last_round(made: Lake) -> None:
    made.add("ett", [row(1)], round_=2024)
    old = made.add("tva", [row(1)], round_=2023)
    book = made.add("ett", [row(1)], round_=2025)
    web = made.add("ett", [row(1)], round_=2025, source="web:staff")
    now = [made.add(name, [row(1)]) for name in ("ett", "tva", "tre")]
    counting = reversed(made.deliveries)
    found = evidence.previous(now, counting, ROUND)
    assert [{d.key for d in of_one} for of_one in found] == [{book.key, web.key}, {old.key}, set()]


# --- shares and volumes -------------------------------------------------------------------------


def test_a_question_s_share_is_compared_with_the_association_s_last_round(made: Lake) -> None:
    before = [row(n, [1] * 3) for n in range(25)]
    now = [row(n, [6] * 2 + [1]) for n in range(30)]
    made.add("ett", before, round_=2024)
    made.add("ett", now)
    answers = made.frames()["answers"]
    told = answers[answers["share_is_far"] == 1].set_index("question_id")
    assert set(told.index) == set(QUESTIONS[:2])
    for question_id in told.index:
        figures = told.loc[question_id]
        assert figures["share"] == positive_share(now, question_id)
        assert figures["share_before"] == positive_share(before, question_id)
        assert figures["round_before"] == 2024


@pytest.mark.parametrize(
    ("n", "positive_before", "positive_now", "is_far"),
    [
        # one association: no median, and the spread is chance's, of two proportions, by hand:
        (100, 50, 78, True),  # 28 points, z = 28 / sqrt(64·36·2/100) = 4.12
        (100, 50, 75, True),  # 25 points, z = 3.65
        (100, 50, 72, False),  # 22 points, z = 3.19
        (400, 200, 260, True),  # 15 points, z = 4.28
        (400, 200, 252, False),  # 13 points, z = 3.71
        (20, 4, 20, True),  # 80 points, z = 5.16
        (25, 8, 15, False),  # 28 points, z = 1.98
    ],
)
def test_a_change_is_far_beyond_chance_or_somewhat_less_if_of_many_points(
    made: Lake, n: int, positive_before: int, positive_now: int, is_far: bool
) -> None:
    for round_, positive in ((2025, positive_before), (ROUND, positive_now)):
        rows = [row(k, [6 if k < positive else 1]) for k in range(n)]
        made.add("ett", rows, round_=round_)
    answers = made.frames()["answers"]
    assert (answers["share_is_far"] == 1).any() == is_far


@pytest.mark.parametrize(("n_before", "n_now"), [(19, 40), (40, 19)])
def test_shares_of_few_answers_are_not_compared(made: Lake, n_before: int, n_now: int) -> None:
    made.add("ett", [row(n, [1]) for n in range(n_before)], round_=2025)
    made.add("ett", [row(n, [6]) for n in range(n_now)])
    assert not (made.frames()["answers"]["share_is_far"] == 1).any()


def test_another_wording_is_not_compared(made: Lake) -> None:
    reworded = next(q for q in KNOWN.questions.values() if q.last_round and q.last_round < 2026)
    old = {"questionnaire_id": reworded.questionnaire_id, "answers": [(reworded.question_id, 1)]}
    new = {**old, "answers": [(reworded.question_id, 2)]}
    made.add("ett", [row(n, **old) for n in range(30)], round_=reworded.last_round or 0)
    made.add("ett", [row(n, **new) for n in range(30)])
    assert not (made.frames()["answers"]["share_is_far"] == 1).any()


def test_a_change_that_the_whole_nation_shares_is_not_far(made: Lake) -> None:
    register = replace(
        REGISTER,
        associations={f"a{n}": Association(f"a{n}", f"a{n}", "01", None, None) for n in range(7)},
    )
    for n in range(7):
        made.add(f"a{n}", [row(k, varied(k)) for k in range(20)], round_=2025)
        made.add(f"a{n}", [row(k, varied(k)) for k in range(100 if n else 20)])
    volume_z = made.frames(register)["deliveries"]["volume_z"]
    assert volume_z[0] > 4  # the one that did not grow as all others did
    assert (volume_z[1:] == 0).all()


def test_volume_is_compared_by_the_ratio_of_questionnaires(made: Lake) -> None:
    made.add("ett", [row(n) for n in range(50)], round_=2025)
    made.add("ett", [row(n) for n in range(100)])
    spread = (0.15**2 + 1 / 50 + 1 / 100) ** 0.5
    deliveries = made.frames(volume_spread=0.15)["deliveries"]
    assert deliveries["volume_z"][0] == pytest.approx(np.log(2) / spread)
    assert (deliveries["n_before"][0], deliveries["round_before"][0]) == (50, 2025)


# --- answers from the web, beside a workbook or alone -------------------------------------------

ONGOING = "web:participant_ongoing"
STAFF_ROW = {"questionnaire_id": "staff", "sheet": "Personal", "answers": [("staff_1a", 3)]}


def test_last_round_is_compared_with_workbook_and_web_together_and_told_once(made: Lake) -> None:
    before = [row(n, [1]) for n in range(60)]
    book, web = [row(n, [6]) for n in range(25)], [row(n + 100, [1, 2]) for n in range(35)]
    made.add("ett", before, round_=2025)
    made.add("ett", book, time=1)
    made.add("ett", web, time=2, source=ONGOING)
    frames = made.frames()
    deliveries = frames["deliveries"]
    assert list(deliveries["n_together"]) == [60, 60]
    assert list(deliveries["n"]) == [25, 35]
    assert list(deliveries["volume_z"].fillna(-1)) == [0, -1]
    told = frames["answers"].dropna(subset="share_is_far")
    told = told[told["question_id"] == QUESTIONS[0]]
    far = told[told["share_is_far"] == 1]
    assert list(far["share"]) == [pytest.approx(positive_share([*book, *web], QUESTIONS[0]))]
    assert list(far["delivery"]) == [0]


def test_what_is_only_on_the_web_is_told_about_the_web(made: Lake) -> None:
    made.add("ett", [row(n, [1]) for n in range(30)], round_=2025)
    made.add("ett", [row(n, **STAFF_ROW) for n in range(30)], time=1)
    made.add("ett", [row(n, [6]) for n in range(30)], time=2, source=ONGOING)
    answers = made.frames()["answers"]
    assert list(answers["delivery"][answers["share_is_far"] == 1]) == [1]


def test_the_volume_of_web_answers_is_not_compared_before_the_workbook_has_come(
    made: Lake,
) -> None:
    made.add("ett", [row(n) for n in range(30)], round_=2025, time=1)
    made.add("ett", [row(n) for n in range(3)], source=ONGOING)
    deliveries = made.frames()["deliveries"]
    assert np.isnan(deliveries["volume_z"][0])
    assert np.isnan(deliveries["n_absent"][0])


def test_a_questionnaire_that_moved_to_the_web_is_not_absent(made: Lake) -> None:
    whole = [row(n) for n in range(20)] + [row(n, **STAFF_ROW) for n in range(20)]
    made.add("ett", whole, round_=2025)
    made.add("ett", whole[20:], time=1)
    assert made.frames()["deliveries"]["absent_sv"][0] == "Deltagare pågående"
    made.add("ett", whole[:20], time=2, source=ONGOING)
    deliveries = made.frames()["deliveries"]
    assert deliveries["absent_sv"][0] == ""
    assert list(deliveries["volume_z"].dropna()) == [0]


def test_of_web_answers_to_a_questionnaire_the_newest_count(made: Lake) -> None:
    made.add("ett", [row(n) for n in range(20)], round_=2025)
    made.add("ett", [row(n, **STAFF_ROW) for n in range(5)], time=1)
    made.add("ett", [row(n) for n in range(500)], time=2, source=ONGOING)
    made.add("ett", [row(n) for n in range(15)], time=3, source=ONGOING)
    assert list(made.frames()["deliveries"]["n_together"]) == [20, 505, 20]


def test_answers_in_the_workbook_and_on_the_web_are_registered_twice(made: Lake) -> None:
    made.add("ett", TEN, time=2)
    made.add("ett", [replace_row(r, n) for n, r in enumerate(TEN)], time=1, source=ONGOING)
    deliveries = made.frames()["deliveries"]
    assert list(deliveries["n_twice"].fillna(0)) == [10, 0]  # the later one is told
    assert deliveries["other_file"][0] == f"ett_{ROUND}_1_{ONGOING}.xlsx"
    assert twins(made) == {}


def test_answers_taken_out_of_the_workbook_again_are_registered_once(made: Lake) -> None:
    made.add("ett", TEN, time=1, state="replaced")
    made.add("ett", TEN, time=2, source=ONGOING)
    made.add("ett", [row(n, varied(n + 20)) for n in range(10)], time=3)
    assert made.frames()["deliveries"]["n_twice"].isna().all()


def test_what_came_back_on_the_web_counts_against_what_was_handed_out(made: Lake) -> None:
    listed = [
        {"insats_kod": code, "inriktning": None, "langd": None,
         "handed_out": {"participant_ongoing": 15}}
        for code in ("A1", "B2")
    ]  # fmt: skip
    made.add("ett", [row(n) for n in range(7)], time=1, activities=listed)
    assert list(made.frames()["activities"]["returned"]) == [7, 0]
    old = [row(n, insats_kod="b2") for n in range(50)]
    made.add("ett", old, time=2, source=ONGOING)
    made.add("ett", [row(n, insats_kod="b2") for n in range(4)], time=3, source=ONGOING)
    frame = made.frames()["activities"]
    assert list(frame["returned"]) == [7, 4]
    assert list(frame["returned_at_all"]) == [7, 4]


def test_an_activity_from_the_web_is_one_that_the_workbook_lists(made: Lake) -> None:
    web = [row(n, insats_kod=code) for n, code in enumerate(["a1", "z9", None])]
    made.add("ett", web, time=1, source=ONGOING)
    responses = made.frames()["responses"]
    assert list(responses["has_list"].fillna(-1)) == [0, 0, -1]
    assert responses["web_activity_is_listed"].isna().all()
    made.add("ett", [row(9)], time=2)
    responses = made.frames()["responses"]
    assert list(responses["has_list"].fillna(-1)) == [1, 1, -1, -1]
    assert list(responses["web_activity_is_listed"].fillna(-1)) == [1, 0, -1, -1]
    assert list(responses["activity_is_listed"].fillna(-1)) == [-1, -1, -1, 1]


# --- the same answers twice ---------------------------------------------------------------------

TEN = [row(n, varied(n)) for n in range(10)]


def twins(made: Lake, **limits: Any) -> dict[str, int]:
    n_same = made.frames(**limits)["deliveries"]["n_same"]
    deliveries = quality.sound(lake.read_manifest(made.settings), ROUND)
    return {d.sha256: int(n) for d, n in zip(deliveries, n_same, strict=True) if n == n}


def test_the_later_of_two_files_with_the_same_answers_is_named_in_any_order(made: Lake) -> None:
    made.add("tva", TEN, time=1)
    made.add("ett", [replace_row(r, n) for n, r in enumerate(reversed(TEN))], time=2)
    assert twins(made) == {"ett_2026_2": 10}


def replace_row(response: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The same response in another row, under another number and activity, its answers turned."""
    moved = {"row": number + 2, "lopnr": f"x{number}", "insats_kod": None}
    return {**response, **moved, "answers": list(reversed(response["answers"]))}


def test_an_association_s_own_correction_is_no_copy_and_keeps_its_claim(made: Lake) -> None:
    made.add("ett", TEN, time=1, state="replaced")
    made.add("tva", TEN, time=2)
    made.add("ett", [*TEN, row(11, varied(11))], time=3)
    assert twins(made) == {"tva_2026_2": 10}


def test_a_file_is_not_a_copy_of_one_that_was_replaced_by_other_answers(made: Lake) -> None:
    made.add("ett", TEN, time=1, state="replaced")
    made.add("tva", TEN, time=2)
    made.add("ett", [row(n, varied(n + 20)) for n in range(10)], time=3)
    assert twins(made) == {}


@pytest.mark.parametrize(
    "rows",
    [
        [row(n, [6] * 14) for n in range(10)],  # all top: alike by chance
        [row(n, varied(n)[:4]) for n in range(10)],  # short
        TEN[:4],  # few
    ],
)
def test_responses_that_may_be_alike_by_chance_are_no_copy(
    made: Lake, rows: list[dict[str, Any]]
) -> None:
    others = [row(n, varied(n + 20)) for n in range(10)]
    made.add("ett", [*rows, *others], time=1)
    made.add("tva", rows, time=2)
    assert twins(made) == {}


def test_a_block_pasted_twice_is_told_once_and_its_numbers_not_again(made: Lake) -> None:
    made.add("ett", [*TEN, *({**r, "row": r["row"] + 10} for r in TEN)])
    frame = made.frames()["responses"]
    told = frame[frame["repeated_share"].notna()]
    assert list(told["row"]) == [12]
    assert (told["repeated_share"].item(), told["n_repeated"].item()) == (0.5, 10)
    assert not (frame["lopnr_times_before"] > 0).any()


# --- single responses ---------------------------------------------------------------------------


def test_a_number_given_twice_is_told_on_the_later_row(made: Lake) -> None:
    rows = [row(n, varied(n), lopnr="7" if n in (2, 5) else str(100 + n)) for n in range(6)]
    other_sheet = row(9, lopnr="7", sheet="Personal", questionnaire_id="staff")
    made.add("ett", [*rows, other_sheet])
    frame = made.frames()["responses"]
    told = frame[frame["lopnr_times_before"] > 0]
    assert list(zip(told["row"], told["row_before"], told["lopnr_shown"], strict=True)) == [
        (7, 4, "7")
    ]


@pytest.mark.parametrize("lopnr", ["191212121212", "121212-1212", "Anna", "0701740605"])
def test_what_may_be_a_person_is_not_shown_as_a_number(made: Lake, lopnr: str) -> None:
    made.add("ett", [row(n, lopnr=lopnr) for n in range(2)])
    shown = made.frames()["responses"]["lopnr_shown"]
    assert shown[1] == "(dolt)"


ONGOING, ENDING = "participant_ongoing", "participant_ending"


@pytest.mark.parametrize(
    ("questionnaire_id", "day", "days"),
    [
        (ONGOING, date(2026, 9, 14), 0),
        (ONGOING, date(2026, 10, 31), 0),
        (ONGOING, date(2026, 9, 13), 1),
        (ONGOING, date(2026, 11, 2), 2),
        (ENDING, date(2026, 1, 1), 0),
        (ENDING, date(2026, 12, 31), 0),
        (ENDING, date(2025, 12, 31), 1),
        (ENDING, date(2027, 1, 3), 3),
        (ONGOING, None, None),
    ],
)
def test_days_outside_a_questionnaire_s_time_are_counted(
    made: Lake, questionnaire_id: str, day: date | None, days: int | None
) -> None:
    made.add("ett", [row(1, questionnaire_id=questionnaire_id, svarsdatum=day)])
    outside = made.frames()["responses"]["days_outside"][0]
    assert (None if np.isnan(outside) else outside) == days


def test_a_date_that_may_be_a_birthday_is_not_shown(made: Lake) -> None:
    made.add("ett", [row(1, svarsdatum=date(1985, 3, 1)), row(2, svarsdatum=date(2025, 3, 1))])
    assert list(made.frames()["responses"]["day_shown"]) == ["(dolt)", "2025-03-01"]


def test_the_share_without_gender_stands_on_the_sheet_s_first_row(made: Lake) -> None:
    rows = [row(n, kon=None if n < 6 else "M") for n in range(8)]
    staff = [row(n, kon=None, sheet="Personal", questionnaire_id="staff") for n in range(8)]
    made.add("ett", [*rows, *staff])
    share = made.frames()["responses"]["gender_empty_share"]
    assert share[0] == 0.75
    assert share[1:].isna().all()  # staff are not asked


@pytest.mark.parametrize(("n_lined", "expected"), [(2, 0), (3, 3)])
def test_straight_lines_count_when_several_of_a_sheet_are_so(
    made: Lake, n_lined: int, expected: int
) -> None:
    made.add("ett", [row(n, [4] * 14 if n < n_lined else varied(n)) for n in range(12)])
    assert made.frames()["responses"]["straight_lined"].sum() == expected


@pytest.mark.parametrize("codes", [[4] * 7, [4] * 13 + [5]])
def test_few_answers_or_one_that_differs_are_no_straight_line(made: Lake, codes: list[int]) -> None:
    made.add("ett", [row(n, codes) for n in range(5)])
    assert made.frames()["responses"]["straight_lined"].sum() == 0


@pytest.mark.parametrize(("base", "is_positive"), [(2, 1.0), (1, 0.0), (None, 0.0)])
def test_a_follow_up_knows_whether_its_base_is_positive(
    made: Lake, base: int | None, is_positive: float
) -> None:
    follow_up = next(q for q in KNOWN.questions.values() if q.base_question_id and q.is_in(ROUND))
    answers = [(follow_up.question_id, 4)]
    if base:
        answers.append((str(follow_up.base_question_id), base))
    made.add("ett", [row(1, questionnaire_id=ENDING, answers=answers)])
    frame = made.frames()["answers"].set_index("question_id")["base_is_positive"]
    assert frame[follow_up.question_id] == is_positive
    assert frame.drop(follow_up.question_id).isna().all()


# --- activities and deliveries ------------------------------------------------------------------


def test_returned_questionnaires_are_counted_by_activity(made: Lake) -> None:
    activities = [
        {"insats_kod": code, "inriktning": None, "langd": None, "handed_out": {ONGOING: 20}}
        for code in ("A1", "A2")
    ]
    made.add("ett", [row(n) for n in range(7)], activities=activities)
    frame = made.frames()["activities"].set_index("insats_kod")
    assert list(frame["returned"]) == [7, 0]
    assert list(frame["returned_at_all"]) == [7, 0]
    assert list(frame["n_handed_out"]) == [20, 20]


@pytest.mark.parametrize(
    ("first", "last", "has_agreement"),
    [
        (None, None, 1),
        (date(2026, 10, 25), None, 1),
        (date(2026, 10, 26), None, 0),
        (None, date(2026, 9, 14), 1),
        (None, date(2026, 9, 13), 0),
    ],
)
def test_an_agreement_holds_when_it_touches_the_round(
    made: Lake, first: date | None, last: date | None, has_agreement: int
) -> None:
    association = Association("ett", "Ett", "01", first, last)
    made.add("ett", [row(1)])
    frames = made.frames(replace(REGISTER, associations={"ett": association}))
    assert frames["deliveries"]["has_agreement"][0] == has_agreement


def test_a_round_of_empty_files_has_empty_frames(made: Lake) -> None:
    made.add("ett", [])
    sizes = {table: len(frame) for table, frame in made.frames().items()}
    assert sizes == {"deliveries": 1, "activities": 0, "responses": 0, "answers": 0}


# --- the suites as text -------------------------------------------------------------------------

METAS = [e["meta"] for suite in quality.suites().values() for e in suite["expectations"]]


def test_rules_have_their_own_names_beside_the_reader_s() -> None:
    assert len(quality.rules()) == len(METAS)
    assert not set(quality.rules()) & set(reader_rules())


@pytest.mark.parametrize("meta", METAS, ids=lambda m: m["rule_id"])
def test_a_rule_says_where_what_and_how_to_mend_it(made: Lake, meta: dict[str, Any]) -> None:
    made.add("ett", TEN)
    frame = made.frames()[quality.table_of()[meta["rule_id"]]]
    said = {*frame.columns, "wanted", "base_name", "answer_sv"}
    for key in ("wrong_sv", "remedy_sv", "value", "column"):
        text = meta.get(key, "")
        assert {name for _, name, _, _ in string.Formatter().parse(text) if name} <= said
        assert not re.search(r"[–—]|ogiltig", text)
    assert re.search(r"(Vi|vi) har|De räknas", meta["wrong_sv"])  # what we did
    assert meta["remedy_sv"].endswith(".")
    assert meta["at"] in {"cell", "column", "sheet", "readme", "file"}


def test_codes_and_limits_stand_nowhere_but_in_the_seeds_and_the_thresholds() -> None:
    numbers = {0, 1}  # nothing, something, yes
    for suite in quality.suites().values():
        for described in suite["expectations"]:
            for name in ("min_value", "max_value", "value_set"):
                given = described["kwargs"].get(name, 0)
                values = given if isinstance(given, list) else [given]
                assert all(isinstance(v, dict) or v in numbers for v in values), described


def test_every_threshold_is_used_and_explained() -> None:
    folder = quality.EXPECTATIONS
    thresholds = json.loads((folder / "thresholds.json").read_text(encoding="utf-8"))
    modules = (m.__file__ for m in (evidence, quality, structure, read, alarms, roster))
    sources = [*map(Path, modules), *folder.glob("*.json")]
    text = "".join(p.read_text(encoding="utf-8") for p in sources if p.stem != "thresholds")
    assert [name for name in thresholds if f'"{name}"' not in text] == []
    assert all(len(t["why"]) > 20 for t in thresholds.values())


def test_suites_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    for table, suite in quality.suites().items():
        copy = json.loads(json.dumps(suite))
        copy["expectations"][0]["severity"] = "info"
        (tmp_path / f"{table}.json").write_text(json.dumps(copy), encoding="utf-8")
    with pytest.raises(quality.QualityBroken, match="round_not_in_seeds"):
        quality.suites(tmp_path)


def test_importing_quality_imports_neither_great_expectations_nor_pandas() -> None:
    heavy = "{'great_expectations', 'pandas', 'numpy', 'pyarrow'}"
    code = f"import sys, pipelines.quality; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
