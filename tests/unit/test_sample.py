"""The synthetic landing zone: repeatable, consistent, with the published volumes and faults."""

import csv
import itertools
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from python_calamine import CalamineError, CalamineWorkbook

from pipelines import instrument as instruments
from pipelines.instrument import seed_rows
from pipelines.workbook.sample import FAULTS, LandingZone, Volume, write_landing_zone

INSTRUMENT = instruments.load()
LAST = max(INSTRUMENT.rounds)
FILE_FAULTS = {"broken_file", "old_xls", "corrected_later"}

Cells = dict[tuple[str, int, int], object]
"""(sheet, row, column), both counted from 0 → value, blanks left out."""


def make(out: Path, rounds=(LAST,), **options) -> LandingZone:
    return write_landing_zone(out, rounds=rounds, **options)


def contents(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def register(out: Path, name: str) -> list[dict[str, str]]:
    with (out / "register" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cells(path: Path) -> Cells:
    book = CalamineWorkbook.from_path(str(path))
    return {
        (name, row, column): value
        for name in book.sheet_names
        for row, line in enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False))
        for column, value in enumerate(line)
        if value != ""
    }


def respondents(path: Path, round_: int) -> dict[str, list[dict[str, object]]]:
    """questionnaire_id → rows as field → cell, in the layout of the round."""
    layouts = INSTRUMENT.layouts[INSTRUMENT.rounds[round_].layout_id]
    book = CalamineWorkbook.from_path(str(path))
    return {
        questionnaire_id: [
            dict(zip(layout.columns.values(), line, strict=True))
            for line in book.get_sheet_by_name(layout.sheet_name).to_python(skip_empty_area=False)[
                layout.header_row + 1 :
            ]
        ]
        for questionnaire_id, layout in layouts.items()
        if layout.sheet_name in book.sheet_names
    }


@cache
def code(question_id: str, cell: object) -> int | None:
    """The code behind any of the habits of writing an answer."""
    if cell == "":
        return None
    text = str(int(cell)) if isinstance(cell, float) else str(cell)
    scale = INSTRUMENT.scales[INSTRUMENT.questions[question_id].scale_id]
    return next(
        c.code for c in scale if text in (str(c.code), c.label_sv, f"{c.code} {c.label_sv}")
    )


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> LandingZone:
    return make(tmp_path_factory.mktemp("sample"), rounds=(2019, 2020, 2021, 2026))


@pytest.fixture(scope="module")
def sheets(sample) -> list[tuple[int, dict[str, list[dict[str, object]]]]]:
    return [(int(p.parent.name), respondents(p, int(p.parent.name))) for p in sample.files]


@pytest.fixture(scope="module")
def national(tmp_path_factory) -> LandingZone:
    return make(tmp_path_factory.mktemp("national"), rounds=(2020, 2021, 2022), national=True)


@pytest.fixture(scope="module")
def national_sheets(national) -> list[tuple[int, dict[str, list[dict[str, object]]]]]:
    return [(int(p.parent.name), respondents(p, int(p.parent.name))) for p in national.files]


def test_the_same_arguments_give_the_same_bytes_and_another_seed_does_not(tmp_path):
    make(tmp_path / "a", associations=2, questionnaires=20)
    make(tmp_path / "b", associations=2, questionnaires=20)
    make(tmp_path / "c", associations=2, questionnaires=20, seed=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_another_association_or_round_changes_no_other_workbook(tmp_path):
    few = make(tmp_path / "few", associations=3, questionnaires=20)
    make(tmp_path / "many", rounds=(2025, LAST), associations=5, questionnaires=20)
    larger = contents(tmp_path / "many")
    for path in few.files:
        assert larger[str(path.relative_to(few.path))] == path.read_bytes()


def test_the_checked_in_sample_is_what_the_code_writes(tmp_path):
    checked_in = Path(__file__).parents[2] / "raw"
    make(tmp_path, rounds=(2019, 2020, 2021, 2022, 2024, 2025, 2026))
    written = contents(tmp_path)
    assert {name: (checked_in / name).read_bytes() for name in written} == written
    assert sum(map(len, written.values())) < 2_000_000


def test_nationally_the_published_volumes_come_out_exactly(national, national_sheets):
    published = {2020: Volume(42, 4186), 2021: Volume(39, 3759), 2022: Volume(36, 3970)}
    rows = Counter()
    for round_, questionnaires in national_sheets:
        rows[round_] += sum(map(len, questionnaires.values()))
    assert national.rounds == published
    assert Counter(int(p.parent.name) for p in national.files) == {
        r: v.associations for r, v in published.items()
    }
    assert rows == {r: v.questionnaires for r, v in published.items()}


def test_nationally_the_published_numbers_of_associations_have_an_agreement(national):
    valid = Counter()
    for row in register(national.path, "associations"):
        last = date.fromisoformat(row["agreement_to"] or "2099-12-31").year
        valid.update(range(date.fromisoformat(row["agreement_from"]).year, min(last, 2026) + 1))
    assert [valid[year] for year in (2020, 2021, 2022)] == [78, 76, 75]


def test_every_round_is_delivered_in_its_own_layout(sample):
    for path in sample.files:
        readme = dict(
            row[:2]
            for row in CalamineWorkbook.from_path(str(path))
            .get_sheet_by_name("Läs mig")
            .to_python(skip_empty_area=False)
        )
        round_ = INSTRUMENT.rounds[int(path.parent.name)]
        assert (readme["Mätomgång"], readme["Layout"]) == (round_.round, round_.layout_id)
        assert path.name == f"{readme['Förbund']}_{round_.round}.xlsx"


def test_the_register_is_consistent_with_the_seeds_and_itself(sample):
    municipalities = {r["municipality_code"]: r["county_code"] for r in seed_rows("municipalities")}
    associations = {r["association_id"]: r for r in register(sample.path, "associations")}
    memberships = register(sample.path, "memberships")
    assert {m["association_id"] for m in memberships} == set(associations)
    assert {m["municipality_code"] for m in memberships} <= set(municipalities)
    for membership in memberships:
        agreement = associations[membership["association_id"]]
        assert agreement["agreement_from"][:4] == membership["first_round"]
        assert agreement["agreement_to"][:4] == membership["last_round"]
    assert "synthetic" in (sample.path / "register" / "ORIGIN").read_text(encoding="utf-8")
    for target in register(sample.path, "targets"):
        assert bool(target["measure_id"]) != bool(target["indicator_id"])
        assert target["unit_id"] in {"0000", *associations}


def test_associations_merge_one_crosses_a_county_and_one_municipality_is_in_two(sample):
    county = {r["municipality_code"]: r["county_code"] for r in seed_rows("municipalities")}
    members: dict[str, set[str]] = {}
    for row in register(sample.path, "memberships"):
        members.setdefault(row["association_id"], set()).add(row["municipality_code"])
    years = {
        r["association_id"]: (r["agreement_from"][:4], r["agreement_to"][:4])
        for r in register(sample.path, "associations")
    }
    ended = [a for a in years if years[a][1]]
    assert [years[a] for a in ended] == [("2017", "2020")] * 2
    assert set().union(*(members[a] for a in ended)) in [
        members[a] for a in years if years[a] == ("2021", "")
    ]
    assert any(len({county[m] for m in codes}) > 1 for codes in members.values())
    assert any(
        members[a] & members[b]
        for a, b in itertools.combinations(members, 2)
        if years[a] == years[b]
    )


def test_six_associations_deliver_in_every_round(sample):
    assert {r: v.associations for r, v in sample.rounds.items()} == dict.fromkeys(sample.rounds, 6)


def test_only_questions_of_the_round_are_answered_and_follow_ups_only_after_a_yes(sheets):
    after_yes = 0
    for round_, questionnaires in sheets:
        for row in itertools.chain(*questionnaires.values()):
            for question in INSTRUMENT.questions.values():
                answer = code(question.question_id, row.get(question.question_id, ""))
                if answer is None:
                    continue
                assert question.is_in(round_)
                if base_id := question.base_question_id:
                    after_yes += 1
                    base = INSTRUMENT.questions[base_id]
                    assert (code(base_id, row[base_id]) or 0) >= base.positive_min_code
    assert after_yes > 100


def test_gender_activity_and_date_are_as_the_questionnaire_asks(sheets):
    for round_, questionnaires in sheets:
        described = INSTRUMENT.rounds[round_]
        for questionnaire_id, rows in questionnaires.items():
            questionnaire = INSTRUMENT.questionnaires[questionnaire_id]
            is_participant = questionnaire.respondent_group == "participant"
            opens = (
                date(round_, 1, 1) if questionnaire_id == "participant_ending" else described.opens
            )
            assert [r["lopnr"] for r in rows] == list(range(1, len(rows) + 1))
            assert all(bool(r["insats_kod"]) == questionnaire.has_activity for r in rows)
            assert all(opens <= r["svarsdatum"] <= described.closes for r in rows)
            assert is_participant or not any(r["kon"] or r["kommentar"] for r in rows)


def test_volumes_genders_blanks_and_dont_knows_are_realistic(sheets):
    rows = Counter()
    genders = Counter()
    answers = Counter()
    for _round, questionnaires in sheets:
        for questionnaire_id, lines in questionnaires.items():
            rows[questionnaire_id] += len(lines)
            if questionnaire_id == "participant_ongoing":
                genders.update(str(r["kon"])[:1] for r in lines)
            for row in lines if questionnaire_id == "staff" else ():
                answers.update(str(row[f])[:1] for f in ("staff_1a", "staff_2b", "staff_3b"))
    assert 90 < rows.total() / len(sheets) < 120
    assert rows["participant_ending"] > rows["staff"] > rows["board"] > rows["association_head"]
    assert 0.5 < genders["K"] / genders.total() < 0.66
    assert genders["A"]
    assert genders[""]
    assert 0.02 < answers[""] / answers.total() < 0.07
    assert 0.02 < (answers["7"] + answers["V"]) / answers.total() < 0.09


def test_more_is_handed_out_than_comes_back_and_sometimes_the_number_is_unknown(sample):
    unknown = 0
    for path in sample.files:
        book = CalamineWorkbook.from_path(str(path))
        header, *activities = book.get_sheet_by_name("Insatser").to_python(skip_empty_area=False)
        assert 2 <= len(activities) <= 6
        for questionnaire_id, rows in respondents(path, int(path.parent.name)).items():
            if not INSTRUMENT.questionnaires[questionnaire_id].has_activity:
                continue
            returned = Counter(r["insats_kod"] for r in rows)
            assert set(returned) <= {a[0] for a in activities}
            for activity in activities:
                handed_out = activity[header.index(f"utdelade_{questionnaire_id}")]
                unknown += handed_out == ""
                assert handed_out == "" or handed_out >= returned[activity[0]]
    assert unknown


def test_women_and_men_differ_and_answers_rise_over_the_rounds(national_sheets):
    shares: dict[tuple[int, str], list[bool]] = {}
    for round_, questionnaires in national_sheets:
        for row in questionnaires["participant_ending"]:
            for question_id in ("ending_1a", "ending_2a", "ending_3a", "ending_5a", "ending_9a"):
                if answer := code(question_id, row[question_id]):
                    shares.setdefault((round_, str(row["kon"])[:1]), []).append(answer >= 5)
    share = {key: sum(values) / len(values) for key, values in shares.items()}
    assert all(share[round_, "K"] > share[round_, "M"] for round_ in (2020, 2021, 2022))
    assert share[2022, "K"] > share[2020, "K"]
    assert 0.4 < share[2022, "K"] < 0.9


# Faults that are one wrong cell; the others have a test of their own.
ONE_CELL = {
    "unknown_code",
    "label_misspelt",
    "unknown_activity",
    "unknown_association",
    "unknown_layout",
    "wrong_round",
    "duplicate_lopnr",
    "date_outside_round",
    "more_returned_than_handed_out",
    "formula_without_value",
    "excel_error",
    "personal_number_in_comment",
    "phone_number",
    "email",
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> LandingZone:
    return make(tmp_path_factory.mktemp("clean"), associations=2)


def first_workbook(zone: LandingZone, **options) -> Path:
    make(zone.path.with_name(zone.path.name + "_fault"), associations=2, **options)
    return zone.path.with_name(zone.path.name + "_fault") / zone.files[0].relative_to(zone.path)


def differences(clean: LandingZone, fault: str) -> tuple[Cells, Cells]:
    """Cells of the first workbook that differ: as they were, as they are with the fault."""
    path = first_workbook(clean, faults=[fault])
    before, after = cells(clean.files[0]), cells(path)
    return dict(before.items() - after.items()), dict(after.items() - before.items())


@pytest.mark.parametrize("fault", [f for f in FAULTS if f not in FILE_FAULTS | {"hidden_sheet"}])
def test_a_content_fault_changes_the_first_workbook_only(clean, fault):
    before, after = differences(clean, fault)
    assert before or after
    if fault in ONE_CELL:
        assert len(before.keys() | after.keys()) == 1
    faulty = clean.path.with_name(clean.path.name + "_fault")
    first = str(clean.files[0].relative_to(clean.path))
    changed = [k for k, v in contents(faulty).items() if contents(clean.path).get(k) != v]
    assert changed == [first]


@pytest.mark.parametrize(
    ("fault", "sheet", "value"),
    [
        ("unknown_code", "Deltagare pågående", 8.0),
        ("label_misspelt", "Deltagare pågående", "Altid"),
        ("unknown_activity", "Deltagare pågående", "Z99"),
        ("unknown_association", "Läs mig", "finns-inte"),
        ("unknown_layout", "Läs mig", "1999"),
        ("wrong_round", "Läs mig", LAST - 1.0),
        ("duplicate_lopnr", "Deltagare pågående", 1.0),
        ("personal_number_in_comment", "Deltagare pågående", "Gäller 19121212-1212"),
    ],
)
def test_a_fault_sits_where_it_is_named(clean, fault, sheet, value):
    _, after = differences(clean, fault)
    assert [(key[0], cell) for key, cell in after.items()] == [(sheet, value)]


@pytest.mark.parametrize("fault", ["formula_without_value", "excel_error"])
def test_a_cell_without_a_value_reads_as_blank(clean, fault):
    before, after = differences(clean, fault)
    (place,) = before
    assert not after
    path = first_workbook(clean, faults=[fault])
    cell = openpyxl.load_workbook(path)[place[0]].cell(place[1] + 1, place[2] + 1)
    assert str(cell.value).startswith("=")


def test_a_further_sheet_or_column_is_added_and_nothing_else_changes(clean):
    before, after = differences(clean, "unknown_sheet")
    assert not before
    assert {key[0] for key in after} == {"Blad1"}
    before, after = differences(clean, "unknown_column")
    assert not before
    assert len({(key[0], key[2]) for key in after}) == 1


def test_a_hidden_sheet_keeps_its_content(clean):
    before, after = differences(clean, "hidden_sheet")
    assert (before, after) == ({}, {})
    book = openpyxl.load_workbook(first_workbook(clean, faults=["hidden_sheet"]))
    assert [s.title for s in book if s.sheet_state == "hidden"] == ["Deltagare pågående"]


def test_a_follow_up_is_answered_after_a_no(clean):
    path = first_workbook(clean, faults=["follow_up_after_no"])
    questions = [q for q in INSTRUMENT.questions.values() if q.base_question_id]
    rows = respondents(path, LAST)["participant_ending"]
    wrong = [
        row["lopnr"]
        for row in rows
        for q in questions
        if row[q.question_id] != "" and code(q.base_question_id, row[q.base_question_id]) == 1
    ]
    assert set(wrong) == {3}


def test_gender_goes_missing_and_answers_line_up(clean):
    rows = respondents(first_workbook(clean, faults=["gender_mostly_empty"]), LAST)
    assert sum(r["kon"] != "" for r in rows["participant_ongoing"]) <= 2
    rows = respondents(first_workbook(clean, faults=["straight_lining"]), LAST)
    asked = INSTRUMENT.questions_asked("participant_ongoing", LAST)
    sheet = rows["participant_ongoing"]
    straight = [{r[q.question_id] for q in asked} for r in sheet[: max(4, len(sheet) // 8)]]
    assert straight == [{6.0}] * len(straight)


def test_the_same_answers_stand_in_two_files(clean):
    path = first_workbook(clean, faults=["same_answers_two_files"])
    asked = [q.question_id for q in INSTRUMENT.questions_asked("participant_ongoing", LAST)]
    mine, theirs = (
        [[r[q] for q in asked] for r in respondents(p, LAST)["participant_ongoing"]]
        for p in (path, clean.files[1])
    )
    shared = min(len(mine), len(theirs))
    assert mine[:shared] == theirs[:shared]


def test_the_volume_falls_to_a_fifth(clean):
    before = respondents(clean.files[0], LAST)
    after = respondents(first_workbook(clean, faults=["volume_jump"]), LAST)
    assert {q: after[q] for q in after} == {q: before[q][::5] for q in before}


def test_a_broken_file_and_an_old_one_cannot_be_opened_as_xlsx(clean):
    with pytest.raises(CalamineError):
        CalamineWorkbook.from_path(str(first_workbook(clean, faults=["broken_file"])))
    path = first_workbook(clean, faults=["old_xls"])
    assert not path.exists()
    assert path.with_suffix(".xls").read_bytes().startswith(bytes.fromhex("D0CF11E0A1B11AE1"))


def test_a_corrected_file_is_newer_and_differs_in_one_answer(clean):
    path = first_workbook(clean, faults=["corrected_later"])
    later = path.with_stem(path.stem + "_rattad")
    assert path.read_bytes() == clean.files[0].read_bytes()
    assert later.stat().st_mtime > path.stat().st_mtime
    assert len({k for k, _ in cells(path).items() ^ cells(later).items()}) == 1


def test_an_earlier_sample_is_replaced_and_other_files_stay(tmp_path):
    make(tmp_path, associations=2, questionnaires=20, faults=["corrected_later", "old_xls"])
    (tmp_path / str(LAST) / "egen.xlsx").write_bytes(b"")
    make(tmp_path, associations=1, questionnaires=20)
    names = sorted(p.name for p in (tmp_path / str(LAST)).iterdir())
    assert names == ["egen.xlsx", f"exempelbygden_{LAST}.xlsx"]


def test_several_faults_are_put_into_one_workbook_each_in_turn(tmp_path):
    names = ["unknown_code", "volume_jump", "old_xls"]
    make(tmp_path / "clean", associations=2, questionnaires=20)
    make(tmp_path / "faulty", associations=2, questionnaires=20, faults=names)
    assert sorted(p.suffix for p in (tmp_path / "faulty" / str(LAST)).iterdir()) == [
        ".xls",
        ".xlsx",
    ]
    [second] = (tmp_path / "faulty" / str(LAST)).glob("*.xlsx")
    before, after = (
        sum(map(len, respondents(path, LAST).values()))
        for path in (tmp_path / "clean" / str(LAST) / second.name, second)
    )
    assert after < before / 2


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "register").mkdir()
    (tmp_path / "register" / "associations.csv").write_text("äkta", encoding="utf-8")
    with pytest.raises(ValueError, match="välj en tom mapp"):
        make(tmp_path)
    assert contents(tmp_path) == {"register/associations.csv": "äkta".encode()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"faults": ["rubbish"]}, "Okänt fel"),
        ({"rounds": (2031,)}, "Okänd mätomgång"),
        ({"rounds": ()}, "Okänd mätomgång"),
        ({"associations": 0}, "Antalet förbund"),
        ({"questionnaires": 0}, "Antalet enkäter"),
        ({"faults": ["same_answers_two_files"], "associations": 1}, "ryms inte"),
        ({"faults": ["unknown_code"], "questionnaires": 1}, "ryms inte"),
    ],
)
def test_what_is_unknown_or_impossible_is_refused_in_swedish(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        make(tmp_path / "out", **options)


def test_progress_counts_the_workbooks(tmp_path):
    seen: list[tuple[int, int]] = []
    make(tmp_path, (2025, LAST), associations=2, progress=lambda *step: seen.append(step))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
