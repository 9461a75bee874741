"""A project's own questions: where they are known, and that the core is as it is without them.

Belongs here: the register's rows, the reader, web answers, templates and checks. Does not: the
figures (tests/back/test_extra_results_equal_truth.py).
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import evidence, lake, loading, quality, register
from pipelines import instrument as instruments
from pipelines.extra import ExtraQuestion, instrument_of, instrument_of_all
from pipelines.findings import Severity, finding
from pipelines.receipts.page import tell
from pipelines.register import Association, RegisterError
from pipelines.settings import Settings
from pipelines.web.read import draft_export
from pipelines.web.xlsform import write_forms
from pipelines.workbook import template, write
from pipelines.workbook.read import Reading, read_drafts, read_workbook
from pipelines.workbook.sample import write_landing_zone

KNOWN = instruments.load()
ROUND = 2026
LAYOUT_OF = {layout_id: min(r.round for r in KNOWN.rounds.values() if r.layout_id == layout_id)
             for layout_id in KNOWN.layouts}  # fmt: skip
STAFF = [q.question_id for q in KNOWN.questions_asked("staff", ROUND)]
HEAD = (
    "project_id,association_id,questionnaire_id,column_name,question_id,label_sv,scale_id,"
    "positive_min_code,first_round,last_round,insats_kod"
)
OWN = "ronden,provdalen,staff,Egen fråga,ronden_bussen,Kommer bussen?,yesno,2,2020,,"


def question(**changes: Any) -> ExtraQuestion:
    """What OWN is read to, with changes."""
    own = ExtraQuestion(
        project_id="ronden",
        association_id="provdalen",
        questionnaire_id="staff",
        column_name="Egen fråga",
        question_id="ronden_bussen",
        label_sv="Kommer bussen?",
        scale_id="yesno",
        positive_min_code=2,
        first_round=2017,
        last_round=None,
        insats_kod=None,
    )
    return replace(own, **changes)


# --- the register -------------------------------------------------------------------------------


@pytest.fixture
def landing_zone(tmp_path: Path) -> Callable[..., Path]:
    def write_rows(*rows: str, head: str = HEAD) -> Path:
        folder = tmp_path / "register"
        folder.mkdir()
        known = "association_id,association_name,county_code,agreement_from,agreement_to\n"
        known += "provdalen,Provdalen,01,2017,\nsagoasen,Sagoåsen,01,2017,\n"
        (folder / "associations.csv").write_text(known, encoding="utf-8")
        text = "\n".join([head, *rows, ""])
        (folder / "extra_questions.csv").write_text(text, encoding="utf-8")
        return tmp_path

    return write_rows


def test_a_row_is_read_as_it_stands_and_blanks_mean_still_and_all(landing_zone) -> None:
    limited = OWN.replace("provdalen", "sagoasen").replace("2020,,", "2020,2022,A1")
    first, second = register.read(landing_zone(OWN, limited)).extra_questions
    assert first == question(first_round=2020)
    assert second == question(
        association_id="sagoasen", first_round=2020, last_round=2022, insats_kod="A1"
    )


def test_the_column_for_an_activity_may_be_left_out(landing_zone) -> None:
    raw = landing_zone(OWN.rpartition(",")[0], head=HEAD.rpartition(",")[0])
    assert [q.insats_kod for q in register.read(raw).extra_questions] == [None]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("provdalen", "finns-inte", "förbundet finns-inte finns inte i registret"),
        ("staff", "personal", "enkäten personal finns inte. Ange en av participant_ongoing"),
        ("staff", "register_study", "enkäten register_study finns inte"),
        ("staff", "referrer", "enkäten referrer ingår inte i omgång 2020"),
        ("yesno", "janej", "skalan janej finns inte. Ange en av frequency6"),
        (",2,2020", ",3,2020", "positive_min_code 3 är ingen svarskod på skalan yesno. Ange en av"),
        ("yesno,2", "yesno_dk,3", "positive_min_code 3 är ingen svarskod"),  # a don't know
        (",2,2020", ",två,2020", "positive_min_code två är inget heltal"),
        (",2,2020", ",,2020", "positive_min_code är tom"),
        ("ronden_bussen", "Bussen", "question_id Bussen får bara ha små bokstäver"),
        ("ronden_bussen", "2a", "question_id 2a får bara ha små bokstäver"),
        ("ronden_bussen", "bussen-går", "question_id bussen-går får bara ha"),
        ("ronden_bussen", "staff_1a", "staff_1a används redan av instrumentet"),
        ("ronden_bussen", "kon", "kon används redan av instrumentet"),
        ("ronden_bussen", "privacy", "privacy används redan av instrumentet"),  # a form's note
        ("Egen fråga", "STAFF_1A", "kolumnen STAFF_1A finns redan på enkätens blad"),
        ("Egen fråga", "Nr", "kolumnen Nr finns redan"),  # of another layout
        ("Egen fråga", " kommentar", "kolumnen kommentar finns redan"),
        ("Egen fråga", "", "column_name är tom"),
        ("Kommer bussen?", "", "label_sv är tom"),
        ("2020,,", "2020,2019,", "last_round 2019 ligger före"),
        ("staff,Egen fråga", "board,Egen fråga", None),
        ("2020,,", "2020,,A1", None),
    ],
)
def test_what_the_instrument_contradicts_is_refused_with_file_row_and_remedy(
    landing_zone, before: str, after: str, says: str | None
) -> None:
    assert before in OWN
    raw = landing_zone(OWN.replace(before, after))
    if says is None:
        assert len(register.read(raw).extra_questions) == 1
        return
    with pytest.raises(RegisterError) as refused:
        register.read(raw)
    assert str(refused.value).startswith(f"{raw / 'register' / 'extra_questions.csv'}, rad 2: ")
    assert says in str(refused.value)


def test_a_questionnaire_without_activities_has_no_question_for_one(landing_zone) -> None:
    raw = landing_zone(OWN.replace("staff", "board").replace("2020,,", "2020,,A1"))
    with pytest.raises(RegisterError, match=r"rad 2: enkäten board gäller ingen insats"):
        register.read(raw)


SAGOASEN = OWN.replace("provdalen", "sagoasen")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (SAGOASEN.replace("bussen?", "tåget?"), "frågan ronden_bussen har samma projekt, enkät"),
        (SAGOASEN.replace("ronden,", "navet,"), "frågan ronden_bussen har samma projekt"),
        (SAGOASEN.replace("yesno", "yesno_dk"), "frågan ronden_bussen har samma projekt"),
        (SAGOASEN.replace(",2,2020", ",1,2020"), "frågan ronden_bussen har samma projekt"),
        (OWN, "kolumnen Egen fråga är redan upptagen"),
        (OWN.replace("ronden_bussen", "annan"), "kolumnen Egen fråga är redan upptagen"),
        (
            OWN.replace("Egen fråga,ronden_bussen", "EGEN  fråga,annan").replace("2020,", "2024,"),
            "kolumnen EGEN  fråga är redan upptagen",
        ),
        (OWN.replace("Egen", "Andra"), "frågan ronden_bussen har redan en kolumn"),
        (SAGOASEN, None),
        (SAGOASEN.replace("2020,,", "2022,2024,B2").replace("Egen", "Vår"), None),
        (OWN.replace("Egen", "Andra").replace("ronden_bussen", "annan"), None),
        (OWN.replace("staff", "board").replace("ronden_bussen", "annan"), None),
    ],
)
def test_rows_that_contradict_each_other_are_refused(landing_zone, other, says) -> None:
    raw = landing_zone(OWN, other)
    if says is None:
        assert len(register.read(raw).extra_questions) == 2
        return
    with pytest.raises(RegisterError) as refused:
        register.read(raw)
    assert "extra_questions.csv, rad 3: " in str(refused.value)
    assert says in str(refused.value)
    assert "Se rad 2" in str(refused.value)


def test_a_question_may_come_back_in_later_rounds_under_another_header(landing_zone) -> None:
    early = OWN.replace("2020,,", "2020,2022,")
    late = OWN.replace("2020,,", "2024,,").replace("Egen", "Andra")
    assert len(register.read(landing_zone(early, late)).extra_questions) == 2


# --- workbooks ----------------------------------------------------------------------------------


Row = dict[str, Any]


def workbook(rows: Sequence[Row], headers: Sequence[str], layout_id: str = "2024") -> bytes:
    """A workbook with the staff's sheet: a row per respondent, by field or further header."""
    layout = KNOWN.layouts[layout_id]["staff"]
    fields = {**{name: field for name, field in layout.columns.items()}, **{h: h for h in headers}}
    book = openpyxl.Workbook()
    readme = book.active
    readme.title = "Läs mig"
    for key, value in (("Mätomgång", LAYOUT_OF[layout_id]), ("Layout", layout_id)):
        readme.append([key, value])
    readme.append(["Förbund", "provdalen"])
    activities = book.create_sheet("Insatser")
    for row in (["insats_kod", "insats_namn"], ["A1", "Navet"], ["B2", "Bron"]):
        activities.append(row)
    sheet = book.create_sheet(layout.sheet_name)
    for column, (name, field) in enumerate(fields.items(), start=1):
        sheet.cell(layout.header_row, column, name)
        sheet.cell(layout.header_row + 1, column, f"Text om {field}")
        for number, row in enumerate(rows, start=layout.header_row + 2):
            sheet.cell(number, column, row.get(field))
    sheet.cell(layout.header_row + 1, 1, layout.label_row_mark)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(
    data: bytes, *extra: ExtraQuestion, layout_id: str = "2024", association: str = "provdalen"
) -> Reading:
    return read_workbook(
        data,
        file="fil.xlsx",
        sha256="0" * 64,
        folder_round=LAYOUT_OF[layout_id],
        associations={association: None},
        instrument=KNOWN,
        extra=extra,
    )


def answers(reading: Reading) -> list[dict[str, int]]:
    return [dict(row["answers"]) for row in reading.responses.to_pylist()]


def told(reading: Reading) -> list[tuple[str, str]]:
    return [(f.rule_id, f.cell) for f in reading.findings]


def respondents(*own: Any, **common: Any) -> list[Row]:
    """Staff who answered one core question and, in order, the project's."""
    core = {"kon": "K", "insats_kod": "A1", "staff_1a": 3, **common}
    return [{"lopnr": n, **core, "Egen fråga": cell} for n, cell in enumerate(own, start=1)]


@pytest.mark.parametrize("layout_id", sorted(KNOWN.layouts))
def test_a_project_s_column_is_understood_by_its_scale_in_every_layout(layout_id: str) -> None:
    data = workbook(respondents(1, "Ja", "2 ja", None), ["Egen fråga"], layout_id)
    reading = read(data, question(), layout_id=layout_id)
    assert [a.get("ronden_bussen") for a in answers(reading)] == [1, 2, 2, None]
    assert [f.rule_id for f in reading.findings] == []


def test_the_column_is_unknown_in_other_associations_rounds_and_questionnaires() -> None:
    data = workbook(respondents(2), ["Egen fråga"])
    strangers = [
        question(association_id="sagoasen"),
        question(first_round=2025),
        question(last_round=2023),
        question(questionnaire_id="board"),
    ]
    reading = read(data, *strangers)
    assert [rule for rule, _ in told(reading)] == ["column_unknown"]
    assert answers(reading) == [{"staff_1a": 3}]


def test_what_is_no_answer_is_told_like_any_other() -> None:
    reading = read(workbook(respondents("kanske", 2), ["Egen fråga"]), question())
    [(rule, cell)] = told(reading)
    assert (rule, cell[-1]) == ("answer_unknown", "3")
    assert "1 Nej, 2 Ja" in reading.findings[0].remedy
    assert answers(reading) == [{"staff_1a": 3}, {"staff_1a": 3, "ronden_bussen": 2}]


def test_a_missing_column_is_a_warning_and_names_the_header() -> None:
    reading = read(workbook(respondents(2), []), question())
    [found] = reading.findings
    assert (found.rule_id, found.severity) == ("extra_column_missing", Severity.WARNING)
    assert (found.question, "Egen fråga" in found.remedy) == ("Egen fråga", True)


def test_answers_of_other_activities_do_not_count_and_are_told_by_row() -> None:
    rows = [
        {"lopnr": n, "insats_kod": code, "staff_1a": 3, "Egen fråga": 2}
        for n, code in enumerate(["a1", "B2", None, "A1"], start=1)
    ]
    reading = read(workbook(rows, ["Egen fråga"]), question(insats_kod=" a1"))
    assert ["ronden_bussen" in a for a in answers(reading)] == [True, False, False, True]
    [found] = reading.findings
    assert (found.rule_id, found.severity) == ("extra_of_another_activity", Severity.WARNING)
    assert "rad 4, 5." in found.wrong


def test_a_row_that_answers_nothing_else_is_no_questionnaire_and_is_told() -> None:
    rows = [*respondents(1), {"lopnr": 2, "Egen fråga": 2}, {"Egen fråga": 2}, {"lopnr": 4}]
    reading = read(workbook(rows, ["Egen fråga"]), question())
    assert len(answers(reading)) == 1
    assert [rule for rule, _ in told(reading)] == ["rows_only_numbered", "extra_answers_alone"]
    assert "rad 4, 5." in reading.findings[1].wrong


@pytest.mark.parametrize(
    ("rows", "headers", "rule"),
    [
        (respondents(*[0] * 30), ["Egen fråga"], "answer_unknown"),  # not codes_from_zero
        (respondents(*[6] * 30), ["Egen fråga"], "answer_unknown"),  # nor answers_of_another_scale
        (respondents(2), ["Egen fråga", "egen  fråga"], "column_unknown"),  # nor column_repeated
    ],
    ids=["from zero", "another scale", "twice"],
)
def test_a_project_s_own_column_stops_no_workbook(rows, headers, rule) -> None:
    reading = read(workbook(rows, headers), question())
    assert {f.rule_id for f in reading.findings} == {rule}
    assert [a["staff_1a"] for a in answers(reading)] == [3] * len(rows)


def test_many_own_columns_that_are_not_there_do_not_hide_the_sheet() -> None:
    many = [question(column_name=f"Egen {n}", question_id=f"own_{n}") for n in range(60)]
    reading = read(workbook(respondents(2), []), *many)
    assert [f.rule_id for f in reading.findings] == ["extra_column_missing"] * 60
    assert len(answers(reading)) == 1


CELLS = st.sampled_from([None, "", " ", 0, 1, 2, 6, "Ja", "ja ", "2 Ja", "kanske", 1.5, True])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "lopnr": st.sampled_from([None, 1, 2]),
                "insats_kod": st.sampled_from([None, "A1", "B2"]),
                "staff_1a": CELLS,
                "Egen fråga": CELLS,
            }
        ),
        max_size=8,
    ),
    st.sampled_from([None, "A1"]),
)
def test_the_core_is_read_as_without_the_column(rows: list[Row], activity: str | None) -> None:
    plain = read(workbook([{k: v for k, v in r.items() if k != "Egen fråga"} for r in rows], []))
    beside = read(workbook(rows, ["Egen fråga"]), question(insats_kod=activity))
    without = [
        row | {"answers": [a for a in row["answers"] if a[0] != "ronden_bussen"]}
        for row in beside.responses.to_pylist()
    ]
    assert without == plain.responses.to_pylist()
    assert beside.rows_per_questionnaire == plain.rows_per_questionnaire


def test_workbooks_of_a_project_share_what_is_worked_out_for_a_header() -> None:
    extra = [question(), question(association_id="sagoasen")]
    own = [instrument_of(KNOWN, extra, a, ROUND) for a in ("provdalen", "sagoasen", "ronden")]
    assert own[0] is own[1]
    assert own[2] is KNOWN


def test_over_all_projects_a_question_has_all_its_rounds() -> None:
    extra = [
        question(first_round=2020, last_round=2021),
        question(first_round=2019, last_round=2020),
    ]
    own = instrument_of_all(KNOWN, extra).questions["ronden_bussen"]
    assert (own.first_round, own.last_round, own.is_core) == (2019, 2021, False)
    still = instrument_of_all(KNOWN, [*extra, question()]).questions["ronden_bussen"]
    assert (still.first_round, still.last_round) == (2017, None)
    assert all(q.is_core for q in KNOWN.questions.values())


# --- web answers --------------------------------------------------------------------------------


def export(association: str, *columns: str) -> Reading:
    rows = [
        {
            "round": str(ROUND),
            "association_id": association,
            "questionnaire_id": "staff",
            "svarsdatum": f"{ROUND}-10-01",
            "insats_kod": "A1",
            **dict.fromkeys(STAFF, "1"),
            **dict.fromkeys(columns, cell),
            "instanceID": f"uuid:00000000-0000-4000-8000-{number:012}",
        }
        for number, cell in enumerate(["2", "Nej", ""])
    ]
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    draft = draft_export(
        out.getvalue().encode(),
        file=f"{ROUND}/web/personal.csv",
        sha256="0" * 64,
        folder_round=ROUND,
        associations={"provdalen": None, "sagoasen": None},
        instrument=KNOWN,
        extra=[question()],
    )
    return read_drafts([draft], KNOWN)[0]


@pytest.mark.parametrize("column", ["ronden_bussen", "projektet/ronden_bussen"])
def test_web_answers_have_a_project_s_question_under_its_id(column: str) -> None:
    reading = export("provdalen", column)
    assert [a.get("ronden_bussen") for a in answers(reading)] == [2, 1, None]
    assert reading.findings == ()


def test_web_answers_of_another_association_do_not_have_it_and_a_missing_one_is_told() -> None:
    assert [rule for rule, _ in told(export("sagoasen", "ronden_bussen"))] == ["column_unknown"]
    assert [rule for rule, _ in told(export("provdalen"))] == ["extra_column_missing"]


# --- templates, forms and receipts --------------------------------------------------------------

ASSOCIATION = Association("provdalen", "Provdalen", "01", None, None)
ACTIVITIES = (write.Activity("A1", "Navet"), write.Activity("Å 2", "Bron"))


def made(*extra: ExtraQuestion) -> openpyxl.Workbook:
    own = instrument_of(KNOWN, extra, "provdalen", ROUND)
    data = template.template(ASSOCIATION, ACTIVITIES, ROUND, own, is_synthetic=False)
    return openpyxl.load_workbook(io.BytesIO(data))


@pytest.mark.parametrize("activity", [None, "Å 2"])
def test_a_template_has_the_question_before_the_comments_with_its_list(activity) -> None:
    page = made(question(insats_kod=activity))["Personal"]
    header = [cell.value for cell in page[1]]
    column = header.index("Egen fråga") + 1
    assert header[column:] == ["kommentar"]
    assert page.cell(2, column).value == "Kommer bussen?"
    letter = openpyxl.utils.get_column_letter(column)
    [rule] = [v for v in page.data_validations.dataValidation if f"{letter}3" in v.sqref]
    assert (rule.type, rule.formula1) == ("list", "lista_yesno")
    assert ("Bara för insatsen Å 2." in rule.prompt) == (activity is not None)
    looks = [f for r, fs in page.conditional_formatting._cf_rules.items()
             if f"{letter}3" in r.sqref for f in fs]  # fmt: skip
    assert len(looks) == 2
    assert all(len(formula) < 255 for look in looks for formula in look.formula)


def test_a_template_without_own_questions_is_the_same_bytes_as_ever() -> None:
    own = instrument_of(KNOWN, [question()], "sagoasen", ROUND)
    plain, beside = (
        template.template(ASSOCIATION, ACTIVITIES, ROUND, known, is_synthetic=False)
        for known in (KNOWN, own)
    )
    assert plain == beside


def survey(out: Path, *extra: ExtraQuestion) -> dict[str, dict[str, Any]]:
    """The rows of the staff's form by name."""
    own = instrument_of(KNOWN, extra, "provdalen", ROUND)
    write_forms(out, ROUND, ASSOCIATION, ACTIVITIES, own, False)
    page = openpyxl.load_workbook(out / f"provdalen_staff_{ROUND}.xlsx")["survey"]
    header, *below = page.iter_rows(values_only=True)
    return {row[1]: dict(zip(header, row, strict=True)) for row in below}


def test_a_form_asks_the_project_s_question_of_those_it_is_for(tmp_path: Path) -> None:
    row = survey(tmp_path, question())["ronden_bussen"]
    assert (row["type"], row["label::Svenska (sv)"]) == ("select_one yesno", "Kommer bussen?")
    assert row["relevant"] is None
    row = survey(tmp_path, question(insats_kod="å 2"))["ronden_bussen"]
    assert row["relevant"] == "${insats_kod} = '_u00C5__u0020_2'"
    assert "ronden_bussen" not in survey(tmp_path, question(insats_kod="C3"))


# --- the lake and the checks --------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "raw"
    write_landing_zone(path, rounds=(2025, ROUND), associations=2, questionnaires=8)
    return path


@pytest.fixture
def home(sample: Path, tmp_path: Path) -> Settings:
    shutil.copytree(sample, tmp_path / "raw")
    return Settings(tmp_path / "raw", tmp_path / "home")


def deliverer(folders: Settings) -> str:
    """An association with a file in both rounds."""
    names = [
        {path.stem.removesuffix(f"_{round_}") for path in loading.delivered(folders, round_)}
        for round_ in (2025, ROUND)
    ]
    return min(names[0] & names[1])


def registered(folders: Settings, *rows: str) -> register.Register:
    path = folders.raw / "register" / "extra_questions.csv"
    path.write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    return register.read(folders.raw)


def test_a_change_of_the_rows_has_the_files_of_their_association_and_rounds_read_again(
    home: Settings,
) -> None:
    def read_now(*rows: str) -> list[tuple[str, int]]:
        known = registered(home, *rows)
        assert not loading.is_current(home, [2025, ROUND], KNOWN, known)
        loaded = loading.load(home, (ROUND,), KNOWN, known)
        assert loading.is_current(home, [2025, ROUND], KNOWN, known)
        return sorted((d.association_id or "", d.round) for d in loaded.read)

    loading.load(home, (2025, ROUND), KNOWN, register.read(home.raw))
    whose = deliverer(home)
    row = OWN.replace("provdalen", whose)
    assert read_now(row) == [(whose, 2025), (whose, ROUND)]
    assert loading.load(home, (2025, ROUND), KNOWN, register.read(home.raw)).read == ()
    assert read_now(row.replace("2020,,", "2020,2025,")) == [(whose, ROUND)]
    assert read_now() == [(whose, 2025)]


def test_the_lake_holds_the_rows_with_their_activity_as_codes_are_compared(home: Settings) -> None:
    whose = deliverer(home)
    known = registered(home, OWN.replace("provdalen", whose).replace("2020,,", "2020,, Å  2"))
    loading.load(home, (ROUND,), KNOWN, known)
    import pyarrow.parquet as pq

    [row] = pq.read_table(home.lake / "register" / "extra_questions.parquet").to_pylist()
    assert (row["question_id"], row["association_id"]) == ("ronden_bussen", whose)
    assert (row["first_round"], row["last_round"], row["activity_key"]) == (2020, None, "å 2")


@pytest.fixture
def checked(home: Settings) -> tuple[Settings, register.Register, str]:
    """A loaded round of which one association's staff has answered a project's question."""
    whose = deliverer(home)
    known = registered(home, OWN.replace("provdalen", whose))
    [path] = [p for p in loading.delivered(home, ROUND) if p.name.startswith(whose)]
    book = openpyxl.load_workbook(path)
    page = book["Personal"]
    column = page.max_column + 1
    page.cell(1, column, "Egen fråga")
    for number in range(3, page.max_row + 1):
        page.cell(number, column, 2)
    book.save(path)
    loading.load(home, (ROUND,), KNOWN, known)
    return home, known, whose


def frames(folders: Settings, known: register.Register) -> Mapping[str, Any]:
    """The evidence about the round, without an earlier one."""
    deliveries = quality.sound(lake.read_manifest(folders), ROUND)
    return evidence.gather(
        folders,
        deliveries,
        ROUND,
        KNOWN,
        known,
        quality.thresholds(),
        before=[()] * len(deliveries),
    ).frames


def failing(folders: Settings, known: register.Register) -> dict[str, set[str]]:
    """The questions of answers that are none of what the suite accepts, by parameter."""
    frame, accepted = frames(folders, known)["answers"], quality.parameters(KNOWN, known)
    assert "ronden_bussen" in set(frame["question_id"])
    return {
        column: set(frame["question_id"][~frame[column].isin(accepted[f"{column}s"])])
        for column in ("question", "answer")
    }


def test_the_checks_accept_a_project_s_question_and_its_codes(checked) -> None:
    folders, known, _ = checked
    assert failing(folders, known) == {"question": set(), "answer": set()}


def test_the_checks_refuse_an_answer_that_the_association_is_not_asked_for(checked) -> None:
    folders, known, whose = checked
    other = next(a for a in known.associations if a != whose)
    moved = replace(
        known, extra_questions=(replace(known.extra_questions[0], association_id=other),)
    )
    assert failing(folders, moved)["question"] == {"ronden_bussen"}
    nobody = replace(known, extra_questions=())
    assert failing(folders, nobody)["question"] == {"ronden_bussen"}


def test_no_check_of_a_response_looks_at_a_project_s_question(checked) -> None:
    folders, known, _ = checked
    nobody = replace(known, extra_questions=())
    loading.load(folders, (ROUND,), KNOWN, nobody)
    plain = frames(folders, nobody)
    loading.load(folders, (ROUND,), KNOWN, known)
    beside = frames(folders, known)
    for table in ("deliveries", "activities", "responses"):
        assert beside[table].equals(plain[table]), table


def test_a_receipt_says_the_project_s_question_in_words() -> None:
    own = instrument_of(KNOWN, [question()], "provdalen", ROUND)
    sheet = KNOWN.layouts["2024"]["staff"].sheet_name
    about = finding(
        "answer_unknown", file="f.xlsx", sheet=sheet, cell="V3", question="Egen fråga", value="Jaa"
    )
    delivery = lake.Delivery(
        *("f.xlsx", "0" * 64, ROUND, 0, 0, "provdalen", "2024", "loaded", {}, {}, ())
    )
    [line] = tell([about], delivery, own, {})
    assert line.question == "Egen fråga: Kommer bussen?"
