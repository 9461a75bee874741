"""Web questionnaires as forms: what they ask, in which languages, and that ODK takes them."""

import csv
import io
import re
import shutil
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyxform.validators import odk_validate
from pyxform.xls2xform import convert

from pipelines import instrument as instruments
from pipelines.register import Association
from pipelines.web.columns import code_of, name_of
from pipelines.web.read import draft_export
from pipelines.web.xlsform import untranslated, write_forms
from pipelines.workbook.read import Reading, read_drafts
from pipelines.workbook.write import Activity

KNOWN = instruments.load()
ROUND = 2027
ASSOCIATION = Association(
    "provdalen", "Samordningsförbundet Provdalen", "01", date(2017, 1, 1), None
)
ACTIVITIES = [
    Activity("A1", "Navet"),
    Activity("Å 2/b", "Bron & <kompassen>"),
    Activity("_u0041_", ""),
]
XFORMS = "{http://www.w3.org/2002/xforms}"


def forms(out: Path, round_: int = ROUND, activities: Any = ACTIVITIES) -> tuple[Path, ...]:
    return write_forms(out, round_, ASSOCIATION, activities, KNOWN, True)


def rows(path: Path, sheet: str) -> list[dict[str, Any]]:
    header, *below = openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in below]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return forms(tmp_path_factory.mktemp("forms"))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, list[str]]]:
    """Every form of every round as an XForm, and what was warned of, by its name."""
    out, found = tmp_path_factory.mktemp("all"), {}
    for round_ in KNOWN.rounds:
        for path in forms(out, round_):
            warnings: list[str] = []
            found[path.stem] = (convert(path, warnings=warnings).xform, warnings)
    return found


# --- what a form holds --------------------------------------------------------------------------


def test_there_is_a_form_per_questionnaire_of_the_round_and_the_same_bytes_each_time(
    written: tuple[Path, ...], tmp_path: Path
) -> None:
    asked = [q.questionnaire_id for q in KNOWN.questionnaires_in(ROUND)]
    assert [p.name for p in written] == [f"provdalen_{q}_{ROUND}.xlsx" for q in asked]
    assert [p.read_bytes() for p in forms(tmp_path)] == [p.read_bytes() for p in written]


def test_a_form_asks_what_the_round_asks_and_nothing_else(written: tuple[Path, ...]) -> None:
    for path, questionnaire in zip(written, KNOWN.questionnaires_in(ROUND), strict=True):
        names = [r["name"] for r in rows(path, "survey") if r["type"].startswith("select_one")]
        about = ["insats_kod"] if questionnaire.has_activity else []
        about += ["kon"] if questionnaire.respondent_group == "participant" else []
        asked = [
            q.question_id
            for q in KNOWN.questions.values()
            if q.questionnaire_id == questionnaire.questionnaire_id
            and q.first_round <= ROUND <= (q.last_round or ROUND)
        ]
        assert names == about + asked


def test_nobody_can_write_free_text_in_a_form(written: tuple[Path, ...]) -> None:
    kinds = {r["type"].split()[0] for path in written for r in rows(path, "survey")}
    assert kinds == {"calculate", "today", "note", "select_one"}


def test_every_column_of_a_form_is_one_the_reader_knows(written: tuple[Path, ...]) -> None:
    names = {r["name"] for path in written for r in rows(path, "survey")}
    assert names <= KNOWN.web_columns.keys() | KNOWN.questions.keys()


def test_a_follow_up_question_is_shown_only_after_a_positive_answer(
    written: tuple[Path, ...],
) -> None:
    shown = {
        r["name"]: r["relevant"] for p in written for r in rows(p, "survey") if r.get("relevant")
    }
    assert shown == {"ending_6b": "${ending_6a} = '2'", "ending_8a": "${ending_6a} = '2'"}


def test_a_form_of_an_association_without_activities_does_not_ask_for_one(tmp_path: Path) -> None:
    for path in forms(tmp_path, activities=()):
        assert "insats_kod" not in {r["name"] for r in rows(path, "survey")}


def test_an_invented_association_s_form_says_so_and_a_real_one_s_does_not(
    written: tuple[Path, ...], tmp_path: Path
) -> None:
    real = write_forms(tmp_path, ROUND, ASSOCIATION, ACTIVITIES, KNOWN, False)
    said = [
        ["synthetic" in {r["name"] for r in rows(p, "survey")} for p in ps]
        for ps in (written, real)
    ]
    assert said == [[True] * 6, [False] * 6]


def test_a_form_that_asks_otherwise_has_another_version(
    written: tuple[Path, ...], tmp_path: Path
) -> None:
    other = forms(tmp_path, activities=ACTIVITIES[:1])
    versions = [[rows(p, "settings")[0]["version"] for p in paths] for paths in (written, other)]
    differ = [a != b for a, b in zip(*versions, strict=True)]
    assert differ == [q.has_activity for q in KNOWN.questionnaires_in(ROUND)]


# --- languages ----------------------------------------------------------------------------------


def test_every_text_of_every_form_is_there_in_every_language(written: tuple[Path, ...]) -> None:
    languages = ["Svenska (sv)", "English (en)", "العربية (ar)", "Soomaali (so)"]
    for path in written:
        assert rows(path, "settings")[0]["default_language"] == languages[0]
        for r in (*rows(path, "survey"), *rows(path, "choices")):
            texts = [r[f"label::{language}"] for language in languages]
            assert all(texts) if r.get("type") not in ("calculate", "today") else not any(texts)


def test_what_is_not_translated_is_seen_and_listed(written: tuple[Path, ...]) -> None:
    shown: dict[str, set[str]] = {}
    for path in written:
        for r in (*rows(path, "survey"), *rows(path, "choices")):
            for header, text in r.items():
                if header.startswith("label::") and str(text).startswith("[sv] "):
                    language = re.findall(r"\((\w+)\)", header)[0]
                    shown.setdefault(language, set()).add(text.removeprefix("[sv] "))
    listed: dict[str, set[str]] = {}
    for language, kind, text_id in untranslated(KNOWN):
        listed.setdefault(language, set()).add(KNOWN.texts["sv", kind, text_id])
    assert "sv" not in listed.keys() | shown.keys()
    assert all(shown[language] <= listed[language] for language in shown)
    assert "Ofta" in shown["ar"] & shown["so"]
    assert listed["en"] == {
        "Indikator 1, mått a",
        "Stöttning i kontakt med myndigheter och vården (till 2020)",
        "Stöttning i kontakt med myndigheter och vården (2021-2023)",
    }


def test_every_text_a_form_may_show_is_there_in_swedish() -> None:
    kinds = {kind for _, kind, _ in KNOWN.texts}
    assert kinds == {"form", "kon", "scale", "question", "questionnaire"}
    texts = {(kind, text_id) for _, kind, text_id in KNOWN.texts}
    assert all(("sv", *text) in KNOWN.texts for text in texts)
    assert {("question", q) for q in KNOWN.questions} <= texts
    codes = {("scale", f"{s}/{c.code}") for s, scale in KNOWN.scales.items() for c in scale}
    assert codes <= texts


# --- codes as names -----------------------------------------------------------------------------


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.from_regex(r"[_uA-F0-9]*")
)
def test_a_code_becomes_a_plain_name_and_comes_back(code: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]*", name_of(code))
    assert code_of(name_of(code)) == code


@given(st.text())
def test_any_name_is_read_to_something_that_can_be_kept(name: str) -> None:
    code_of(name).encode()
    code_of(f"_uD800_{name}_uFFFFFF_").encode()


# --- ODK takes them -----------------------------------------------------------------------------


def test_pyxform_converts_every_form_of_every_round_without_a_warning(
    converted: dict[str, tuple[str, list[str]]],
) -> None:
    asked = [
        f"provdalen_{q.questionnaire_id}_{r}"
        for r in KNOWN.rounds
        for q in KNOWN.questionnaires_in(r)
    ]
    assert list(converted) == asked
    assert {name: warnings for name, (_, warnings) in converted.items() if warnings} == {}


needs_java = pytest.mark.skipif(
    shutil.which("java") is None, reason="JAVA IS MISSING: ODK Validate did not look at any form"
)


@needs_java
@pytest.mark.parametrize(
    "questionnaire", KNOWN.questionnaires.values(), ids=lambda q: q.questionnaire_id
)
def test_odk_validate_finds_nothing_wrong(
    questionnaire: instruments.Questionnaire,
    converted: dict[str, tuple[str, list[str]]],
    tmp_path: Path,
) -> None:
    last = max(r for r in KNOWN.rounds if questionnaire.is_in(r))
    path = tmp_path / "form.xml"
    path.write_text(
        converted[f"provdalen_{questionnaire.questionnaire_id}_{last}"][0], encoding="utf-8"
    )
    assert odk_validate.check_xform(str(path)) == []


@needs_java
def test_odk_validate_does_look(converted: Any, tmp_path: Path) -> None:
    path = tmp_path / "form.xml"
    sound = converted[f"provdalen_participant_ending_{ROUND}"][0]
    path.write_text(
        sound.replace("/data/ending_6a  = '2'", "/data/ending_6a  = ("), encoding="utf-8"
    )
    with pytest.raises(odk_validate.ODKValidateError):
        odk_validate.check_xform(str(path))


# --- there and back -----------------------------------------------------------------------------


def filled(xform: str, chance: Random, number: int) -> dict[str, str]:
    """One submission as a form's tool keeps it: every question that is shown has an answer."""
    root = ElementTree.fromstring(xform)  # noqa: S314  our own form
    model = root.find(f".//{XFORMS}model")
    assert model is not None
    lists = {
        i.get("id"): [n.text or "" for n in i.iter(f"{XFORMS}name")]
        for i in model.findall(f"{XFORMS}instance")
    }
    chosen_from = {}
    for question in root.iter(f"{XFORMS}select1"):
        items = question.find(f"{XFORMS}itemset")
        assert items is not None
        list_name = re.findall(r"instance\('(.+)'\)", items.get("nodeset", ""))[0]
        chosen_from[question.get("ref")] = lists[list_name]
    values: dict[str, str] = {}
    for bind in model.iter(f"{XFORMS}bind"):
        path = bind.get("nodeset", "")
        value = ""
        if calculation := bind.get("calculate"):
            value = calculation.strip("'")
        elif path in chosen_from:
            value = chance.choice(chosen_from[path])
        if relevant := bind.get("relevant"):
            base, wanted = re.findall(r"/data/(\w+)\s+= '(\d)'", relevant)[0]
            value = value if values[base] == wanted else ""
        values[path.removeprefix("/data/").replace("/", "-")] = value
    key = f"uuid:00000000-0000-4000-8000-{number:012}"
    return values | {"svarsdatum": f"{ROUND}-10-01", "meta-instanceID": key, "KEY": key}


def read_back(path: Path, submissions: list[dict[str, str]]) -> Reading:
    out = io.StringIO()
    writer = csv.DictWriter(out, submissions[0])
    writer.writeheader()
    writer.writerows(submissions)
    draft = draft_export(
        out.getvalue().encode(),
        file=f"{ROUND}/web/{path}",
        sha256="0" * 64,
        folder_round=ROUND,
        associations={"provdalen": None},
        instrument=KNOWN,
    )
    return read_drafts([draft], KNOWN)[0]


def test_a_filled_form_comes_back_as_it_was_answered_without_a_finding(
    converted: dict[str, tuple[str, list[str]]],
) -> None:
    n_not_shown = 0
    for questionnaire in KNOWN.questionnaires_in(ROUND):
        own = questionnaire.questionnaire_id
        chance = Random(own)
        xform = converted[f"provdalen_{own}_{ROUND}"][0]
        submissions = [filled(xform, chance, n) for n in range(10)]
        reading = read_back(Path(f"{own}.csv"), submissions)
        assert reading.findings == ()
        assert reading.association_id == "provdalen"
        assert reading.rows_per_questionnaire == {own: 10}
        for given_, read in zip(submissions, reading.responses.to_pylist(), strict=True):
            answers = {q: int(v) for q, v in given_.items() if q in KNOWN.questions and v}
            assert dict(read["answers"]) == answers
            assert read["kon"] == given_.get("kon")
            assert read["svarsdatum"] == date(ROUND, 10, 1)
            codes = {"A1": "a1", "_u00C5__u0020_2_u002F_b": "å 2/b", "_u005F_u0041_": "_u0041_"}
            assert read["insats_kod"] == codes.get(given_.get("insats_kod", ""))
            n_not_shown += given_.get("ending_6a") == "1"
    assert n_not_shown  # some follow-up questions were hidden, and came back empty
