"""The seeds themselves: rules over their rows, and for each rule a broken seed that trips it.

Belongs here: what must hold within and between the seeds, and that published facts (Kolada's key
figures, municipalities, wordings already used) are as in the copies of `tests/data/`. Does not:
reading workbooks, or figures.
"""

from __future__ import annotations

import copy
import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines import instrument
from pipelines.settings import SEEDS

DATA = Path(__file__).parents[1] / "data"
Row = dict[str, str]
Seeds = dict[str, list[Row]]
Faults = Iterator[str]

KEYS = {
    "agreed_titles": ["kpi_id"],
    "corrections": ["sha256", "association_id", "round", "sheet", "cell"],
    "counties": ["county_code"],
    "disclosure": ["rule"],
    "indicators": ["indicator_id"],
    "isf_extract": ["column_name", "allowed_value"],
    "key_figures": ["kpi_id"],
    "layout_columns": ["layout_id", "questionnaire_id", "column_name"],
    "layouts": ["layout_id", "questionnaire_id"],
    "measures": ["measure_id"],
    "municipalities": ["municipality_code"],
    "nine_fields": ["axis", "instrument_value"],
    "outcome_figures": ["figure_id"],
    "outcome_periods": ["period_kind"],
    "outcome_rules": ["rule"],
    "outcome_sources": ["source_id"],
    "publisher": ["key"],
    "questionnaires": ["questionnaire_id"],
    "questions": ["question_id"],
    "register_studies": ["measure_id"],
    "release_texts": ["text_kind", "text_id"],
    "rka_columns": ["column_name"],
    "rounds": ["round"],
    "scales": ["scale_id", "code"],
    "spellings": ["field", "spelling"],
    "statuses": ["status"],
    "translations": ["language", "text_kind", "text_id"],
    "web_columns": ["column_name"],
    "workbook_fields": ["sheet_role", "name"],
}
REFERENCES = [
    ("agreed_titles", "kpi_id", "key_figures"),
    ("key_figures", "measure_id", "measures"),
    ("key_figures", "questionnaire_id", "questionnaires"),
    ("layouts", "questionnaire_id", "questionnaires"),
    ("measures", "indicator_id", "indicators"),
    ("municipalities", "county_code", "counties"),
    ("outcome_figures", "part_of", "outcome_figures"),
    ("questions", "base_question_id", "questions"),
    ("questions", "measure_id", "measures"),
    ("questions", "questionnaire_id", "questionnaires"),
    ("questions", "scale_id", "scales"),
    ("register_studies", "measure_id", "measures"),
    ("register_studies", "questionnaire_id", "questionnaires"),
    ("rounds", "layout_id", "layouts"),
    ("workbook_fields", "questionnaire_id", "questionnaires"),
]
OPTIONAL = {
    ("outcome_figures", "part_of"),
    ("questions", "base_question_id"),
    ("workbook_fields", "questionnaire_id"),
}
RESPONDENT_FIELDS = {"lopnr", "insats_kod", "kon", "svarsdatum"}
SCALES = {
    "frequency6": ["Aldrig", "Sällan", "Ibland", "Ofta", "För det mesta", "Alltid"],
    "extent6": [
        "Inte alls", "Till liten del", "Delvis", "Till stor del", "Till mycket stor del",
        "Helt och hållet",
    ],
    "yesno": ["Nej", "Ja"],
}  # fmt: skip
# From Kolada's note on U40463, which its columns cannot say: other wording and scale until 2020.
OTHER_WORDING = {("U40463", year): ("yesno", "2") for year in (2018, 2019, 2020)}
KOLADA_FIELDS = [
    "title", "first_year", "last_year", "municipality_type", "auspice", "is_divided_by_gender",
    "operating_area", "perspective", "publication_date", "publ_period",
]  # fmt: skip


# ---- looking things up -------------------------------------------------------------------------


def name(seed: str, row: Row) -> str:
    return f"{seed} {'/'.join(row[column] for column in KEYS[seed])}"


def by_id(seeds: Seeds, seed: str) -> dict[str, Row]:
    return {row[KEYS[seed][0]]: row for row in seeds[seed]}


def years(seeds: Seeds, row: Row) -> set[int]:
    """The rounds, or years of a key figure, that a row covers."""
    first, last = row.get("first_round") or row["first_year"], last_year(row)
    rounds = {int(r["round"]) for r in seeds["rounds"]}
    return {r for r in rounds if int(first) <= r <= (int(last) if last else r)}


def last_year(row: Row) -> str:
    return row["last_round"] if "last_round" in row else row["last_year"]


def listed(values: set[int]) -> str:
    return ", ".join(map(str, sorted(values)))


# ---- the rules ---------------------------------------------------------------------------------


def keys_are_unique(seeds: Seeds) -> Faults:
    for seed, columns in KEYS.items():
        counts = Counter(tuple(row[c].casefold() for c in columns) for row in seeds[seed])
        yield from (f"{seed} {'/'.join(k)}: is there {n} times" for k, n in counts.items() if n > 1)


def every_id_referred_to_exists(seeds: Seeds) -> Faults:
    for seed, column, to in REFERENCES:
        known = by_id(seeds, to).keys() | ({""} if (seed, column) in OPTIONAL else set())
        for row in seeds[seed]:
            if row[column] not in known:
                yield f"{name(seed, row)}: {column} '{row[column]}' is not in {to}"


def question_ids_are_plain(seeds: Seeds) -> Faults:
    for question_id in by_id(seeds, "questions"):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", question_id):
            yield f"questions {question_id}: is not of the form [a-z][a-z0-9_]*"


def question_numbers_tell_questions(seeds: Seeds) -> Faults:
    """In nine bits, of which the lake's numbers have room for no more; 0 is no question."""
    taken: dict[str, str] = {}
    for question_id, row in by_id(seeds, "questions").items():
        number = row["question_no"]
        if not (number.isdigit() and 0 < int(number) < 512):
            yield f"questions {question_id}: question_no '{number}' is not of 1-511"
        elif taken.setdefault(number, question_id) != question_id:
            yield f"questions {question_id}: question_no {number} is {taken[number]}'s"


def rounds_do_not_end_before_they_begin(seeds: Seeds) -> Faults:
    for seed in ("indicators", "questionnaires", "questions", "key_figures"):
        for row in seeds[seed]:
            first, last = row.get("first_round") or row["first_year"], last_year(row)
            if last and int(first) > int(last):
                yield f"{name(seed, row)}: begins {first}, ends {last}"


def the_days_of_a_round_follow_each_other(seeds: Seeds) -> Faults:
    ended = ""
    for round_, row in sorted({row["round"]: row for row in seeds["rounds"]}.items()):
        order = ("opens", "closes", "delivery_deadline", "loads_until")
        days = [ended, *(row[column] for column in order)]
        if days != sorted(days):
            yield f"rounds {round_}: {', '.join(days)} do not follow each other"
        ended = row["loads_until"]


def a_question_is_asked_only_while_its_questionnaire_and_indicator_are(seeds: Seeds) -> Faults:
    indicator_of = {m["measure_id"]: m["indicator_id"] for m in seeds["measures"]}
    for seed in ("questionnaires", "indicators"):
        for parent_id, parent in by_id(seeds, seed).items():
            for question in seeds["questions"]:
                ids = question["questionnaire_id"], indicator_of.get(question["measure_id"])
                outside = years(seeds, question) - years(seeds, parent)
                if parent_id in ids and outside:
                    yield f"{name('questions', question)}: in {listed(outside)} without its {seed}"


def a_measure_has_one_question_per_questionnaire_and_round(seeds: Seeds) -> Faults:
    asked = defaultdict(list)
    for question in seeds["questions"]:
        for round_ in years(seeds, question):
            key = question["measure_id"], question["questionnaire_id"], round_
            asked[key].append(question["question_id"])
    for (measure, questionnaire, round_), ids in asked.items():
        if len(ids) > 1:
            yield f"measures {measure}: {' and '.join(ids)} in {questionnaire} of {round_}"


def a_base_question_is_asked_where_and_when_its_follower_is(seeds: Seeds) -> Faults:
    questions = by_id(seeds, "questions")
    for question in seeds["questions"]:
        base = questions.get(question["base_question_id"])
        if not base:
            continue
        where = f"{name('questions', question)}: base {base['question_id']}"
        if base["questionnaire_id"] != question["questionnaire_id"]:
            yield f"{where} is of another questionnaire"
        if unasked := years(seeds, question) - years(seeds, base):
            yield f"{where} is not asked in {listed(unasked)}"
        if base["base_question_id"]:
            yield f"{where} follows another question itself"


def a_change_of_scale_breaks_comparability(seeds: Seeds) -> Faults:
    for new in seeds["questions"]:
        for old in seeds["questions"]:
            same = all(new[c] == old[c] for c in ("measure_id", "questionnaire_id"))
            since = int(new["comparable_from"] or new["first_round"])
            if same and new["scale_id"] != old["scale_id"] and years(seeds, old):
                last_of_old = max(years(seeds, old))
                if last_of_old < int(new["first_round"]) and since <= last_of_old:
                    yield (
                        f"{name('questions', new)}: comparable from {since}, when "
                        f"{old['question_id']} had the scale {old['scale_id']}"
                    )


def scale_codes_run_from_one_with_dont_knows_last(seeds: Seeds) -> Faults:
    for scale, rows in scales(seeds).items():
        codes = [int(row["code"]) for row in rows]
        if codes != list(range(1, len(codes) + 1)):
            yield f"scales {scale}: codes {codes} do not run from 1"
        kinds = [row["is_answer"] for row in rows]
        if kinds != sorted(kinds, reverse=True):
            yield f"scales {scale}: a don't know stands before an answer"


def published_scales_have_their_labels(seeds: Seeds) -> Faults:
    for scale, labels in SCALES.items():
        found = [row["label_sv"] for row in scales(seeds)[scale]]
        if found != labels:
            yield f"scales {scale}: {found}, published {labels}"


def scales(seeds: Seeds) -> dict[str, list[Row]]:
    table = defaultdict(list)
    for row in seeds["scales"]:
        table[row["scale_id"]].append(row)
    return table


def the_first_positive_code_is_an_answer_of_the_scale(seeds: Seeds) -> Faults:
    answers = {(s["scale_id"], s["code"]) for s in seeds["scales"] if s["is_answer"] == "true"}
    for question in seeds["questions"]:
        if (question["scale_id"], question["positive_min_code"]) not in answers:
            code, scale = question["positive_min_code"], question["scale_id"]
            yield f"{name('questions', question)}: positive from {code}, no answer of {scale}"


def there_are_sixteen_indicators(seeds: Seeds) -> Faults:
    numbers = [row["indicator_id"] for row in seeds["indicators"]]
    if numbers != [str(n) for n in range(1, 17)]:
        yield f"indicators: {', '.join(numbers)} are not 1 to 16"


def thirty_two_measures_are_asked_until_2020(seeds: Seeds) -> Faults:
    for round_ in range(2017, 2021):
        asked = {q["measure_id"] for q in seeds["questions"] if round_ in years(seeds, q)}
        if len(asked) != 32:
            yield f"rounds {round_}: {len(asked)} measures are asked, 32 were"


def verification_is_one_of_three(seeds: Seeds) -> Faults:
    for seed in KEYS:
        for row in seeds[seed]:
            if row.get("verification", "confirmed") not in ("confirmed", "inferred", "placeholder"):
                yield f"{name(seed, row)}: verification '{row['verification']}' is unknown"


def placeholders_have_neutral_labels(seeds: Seeds) -> Faults:
    neutral = {i: (f"Indikator {i}", f"Indicator {i}") for i in by_id(seeds, "indicators")}
    for measure_id, measure in by_id(seeds, "measures").items():
        i, letter = measure["indicator_id"], measure_id[-1]
        neutral[measure_id] = (f"Indikator {i}, mått {letter}", f"Indicator {i}, measure {letter}")
    for seed, column in (
        ("indicators", "indicator_id"), ("measures", "measure_id"), ("questions", "measure_id"),
    ):  # fmt: skip
        for row in seeds[seed]:
            sv, en = neutral[row[column]]
            is_neutral = row["label_sv"] == sv and row.get("label_en", en) == en
            if row["verification"] == "placeholder" and not is_neutral:
                yield f"{name(seed, row)}: a placeholder is called '{sv}' ('{en}')"


def key_figures_are_koladas(seeds: Seeds) -> Faults:
    ours, theirs = by_id(seeds, "key_figures"), {k["kpi_id"]: k for k in seeds["kolada"]}
    yield from (f"key_figures {k}: is not in both" for k in sorted(ours.keys() ^ theirs.keys()))
    for kpi_id in ours.keys() & theirs.keys():
        for field in KOLADA_FIELDS:
            if ours[kpi_id][field] != theirs[kpi_id][field]:
                found, published = ours[kpi_id][field], theirs[kpi_id][field]
                yield f"key_figures {kpi_id}: {field} '{found}', published '{published}'"


def questions_behind_key_figures_are_koladas(seeds: Seeds) -> Faults:
    ours, questions = by_id(seeds, "key_figures"), by_id(seeds, "questions")
    measures = by_id(seeds, "measures")
    for kpi in seeds["kolada"]:
        figure = ours[kpi["kpi_id"]]
        indicator = measures[figure["measure_id"]]["indicator_id"]
        if kpi["indicator_no"] not in ("", indicator):
            yield f"key_figures {kpi['kpi_id']}: indicator {indicator}, not {kpi['indicator_no']}"
        base = ours.get(kpi["base_kpi_id"], {"measure_id": ""})["measure_id"]
        for year in sorted(years(seeds, figure)):
            scale, code = OTHER_WORDING.get(
                (kpi["kpi_id"], year), (kpi["answer_scale"], kpi["positive_min_code"])
            )
            found = [
                (
                    q["scale_id"],
                    q["positive_min_code"],
                    questions.get(q["base_question_id"], {"measure_id": ""})["measure_id"],
                )
                for q in seeds["questions"]
                if q["measure_id"] == figure["measure_id"]
                and q["questionnaire_id"] == figure["questionnaire_id"]
                and year in years(seeds, q)
            ]
            if found != [(scale, code, base)]:
                yield f"key_figures {kpi['kpi_id']}: in {year} {found}, not {(scale, code, base)}"
                break


def key_figures_are_of_the_ending_questionnaire(seeds: Seeds) -> Faults:
    for row in seeds["key_figures"]:
        if row["questionnaire_id"] != "participant_ending":
            yield f"{name('key_figures', row)}: only participant_ending counts"


def municipalities_are_the_official_ones(seeds: Seeds) -> Faults:
    for seed, fields in (
        ("counties", ("county_code", "county_name")),
        ("municipalities", ("municipality_code", "municipality_name", "county_code")),
    ):
        ours = {row[fields[0]]: [row[f] for f in fields] for row in seeds[seed]}
        official = {row[fields[0]]: [row[f] for f in fields] for row in seeds["official"]}
        for code in sorted(ours.keys() | official.keys()):
            if ours.get(code) != official.get(code):
                yield f"{seed} {code}: {ours.get(code)}, officially {official.get(code)}"


def columns(seeds: Seeds, layout_id: str, questionnaire_id: str) -> list[Row]:
    key = layout_id, questionnaire_id
    return [c for c in seeds["layout_columns"] if (c["layout_id"], c["questionnaire_id"]) == key]


def layouts_name_only_what_exists(seeds: Seeds) -> Faults:
    sheets = {(row["layout_id"], row["questionnaire_id"]) for row in seeds["layouts"]}
    of = {q["question_id"]: q["questionnaire_id"] for q in seeds["questions"]}
    for row in seeds["layout_columns"]:
        where = name("layout_columns", row)
        if (row["layout_id"], row["questionnaire_id"]) not in sheets:
            yield f"{where}: layouts has no such sheet"
        known = row["field"] in RESPONDENT_FIELDS | {"kommentar"}
        if not known and of.get(row["field"]) != row["questionnaire_id"]:
            yield f"{where}: '{row['field']}' is no question of {row['questionnaire_id']}"


def layout_sheets_and_fields_are_unique(seeds: Seeds) -> Faults:
    sheets = Counter((row["layout_id"], row["sheet_name"].casefold()) for row in seeds["layouts"])
    yield from (f"layouts {k[0]}: two sheets '{k[1]}'" for k, n in sheets.items() if n > 1)
    for row in seeds["layouts"]:
        fields = Counter(
            c["field"] for c in columns(seeds, row["layout_id"], row["questionnaire_id"])
        )
        yield from (
            f"{name('layouts', row)}: {n} columns for {field}"
            for field, n in fields.items()
            if n > 1
        )


def every_sheet_has_the_respondents_columns(seeds: Seeds) -> Faults:
    for row in seeds["layouts"]:
        fields = {c["field"] for c in columns(seeds, row["layout_id"], row["questionnaire_id"])}
        if lacking := RESPONDENT_FIELDS - fields:
            yield f"{name('layouts', row)}: no column for {', '.join(sorted(lacking))}"


def what_a_round_asks_is_in_its_layout(seeds: Seeds) -> Faults:
    sheets = {(row["layout_id"], row["questionnaire_id"]) for row in seeds["layouts"]}
    for round_ in seeds["rounds"]:
        for questionnaire in seeds["questionnaires"]:
            year, layout_id = int(round_["round"]), round_["layout_id"]
            questionnaire_id = questionnaire["questionnaire_id"]
            where = f"rounds {year}: layout {layout_id} has no"
            if year not in years(seeds, questionnaire) or questionnaire["kind"] == "register":
                continue
            if (layout_id, questionnaire_id) not in sheets:
                yield f"{where} sheet for {questionnaire_id}"
                continue
            fields = {c["field"] for c in columns(seeds, layout_id, questionnaire_id)}
            for question in seeds["questions"]:
                is_asked = year in years(seeds, question)
                is_here = question["questionnaire_id"] == questionnaire_id
                if is_asked and is_here and question["question_id"] not in fields:
                    yield f"{where} column for {question['question_id']}"


def columns_of_layout_2024_are_question_ids(seeds: Seeds) -> Faults:
    for row in seeds["layout_columns"]:
        if row["layout_id"] == "2024" and row["column_name"] != row["field"]:
            yield f"{name('layout_columns', row)}: should be named {row['field']}"


def spellings_lead_to_a_spelling(seeds: Seeds) -> Faults:
    known = {(row["field"], row["spelling"]) for row in seeds["spellings"]}
    for row in seeds["spellings"]:
        if (row["field"], row["value"]) not in known:
            yield f"{name('spellings', row)}: the value '{row['value']}' is not accepted itself"


def a_changed_wording_is_a_new_row(seeds: Seeds) -> Faults:
    asked = by_id(seeds, "questions")
    first = {row["question_id"]: row for row in seeds["wordings"]}
    for question_id in asked.keys() - first.keys():
        yield f"questions {question_id}: is new; add its wording to question_wordings.csv"
    for question_id in first.keys() - asked.keys():
        yield f"questions {question_id}: is gone; end it by last_round, answers to it are kept"
    for question_id in asked.keys() & first.keys():
        for column, value in first[question_id].items():
            if asked[question_id][column] != value:
                yield (
                    f"questions {question_id}: {column} was '{value}' and is now "
                    f"'{asked[question_id][column]}'; another wording breaks comparability: "
                    "end this row by last_round and add a row with a new question_id"
                )


def a_correction_names_its_delivery_and_its_owner(seeds: Seeds) -> Faults:
    for row in seeds["corrections"]:
        if bool(row["sha256"]) == bool(row["association_id"] and row["round"]):
            yield f"{name('corrections', row)}: give either sha256, or association_id and round"
        for column in ("sheet", "cell", "value", "reason", "owner", "date"):
            if not row[column]:
                yield f"{name('corrections', row)}: {column} is empty"


def web_columns_hold_what_the_reader_knows(seeds: Seeds) -> Faults:
    known = {"round", "association_id", "questionnaire_id", "insats_kod", "kon", "svarsdatum",
             "received", "submission", "ignored"}  # fmt: skip
    questions = {q["question_id"].casefold() for q in seeds["questions"]}
    for row in seeds["web_columns"]:
        if row["holds"] not in known:
            yield f"{name('web_columns', row)}: nobody reads '{row['holds']}'"
        if row["column_name"].casefold() in questions:
            yield f"{name('web_columns', row)}: is a question's column"
    for holds in known - {row["holds"] for row in seeds["web_columns"]}:
        yield f"web_columns: none holds {holds}"


def texts_elsewhere(seeds: Seeds) -> dict[tuple[str, str], set[str]]:
    """The languages in which other seeds already have a text, by kind and id."""
    same = {m["measure_id"]: m["label_sv"] for m in seeds["measures"]}
    texts = {
        ("questionnaire", q["questionnaire_id"]): {"sv", "en"} for q in seeds["questionnaires"]
    }
    texts |= {("scale", f"{s['scale_id']}/{s['code']}"): {"sv", "en"} for s in seeds["scales"]}
    texts |= {
        ("question", q["question_id"]): {"sv", "en"} if same.get(q["measure_id"]) == q["label_sv"]
        else {"sv"}
        for q in seeds["questions"]
    }  # fmt: skip
    return texts | {("kon", s["value"]): {"sv"} for s in seeds["spellings"] if s["field"] == "kon"}


def a_translation_is_of_a_known_text_and_said_once(seeds: Seeds) -> Faults:
    elsewhere = texts_elsewhere(seeds)
    languages = {t["language"] for t in seeds["translations"] if t["text_kind"] == "language"}
    swedish = {t["text_id"] for t in seeds["translations"] if t["language"] == "sv"}
    for row in seeds["translations"]:
        kind, text_id = row["text_kind"], row["text_id"]
        is_own = kind in ("language", "form") and text_id in swedish
        if row["language"] not in languages:
            yield f"{name('translations', row)}: the language has no name"
        if not is_own and (kind, text_id) not in elsewhere:
            yield f"{name('translations', row)}: there is no such text in Swedish"
        if row["language"] in elsewhere.get((kind, text_id), ()):
            yield f"{name('translations', row)}: another seed already says it"
        if not row["text"]:
            yield f"{name('translations', row)}: is empty"


def the_forms_own_texts_are_there_in_swedish(seeds: Seeds) -> Faults:
    swedish = {
        t["text_id"]
        for t in seeds["translations"]
        if (t["language"], t["text_kind"]) == ("sv", "form")
    }
    for text_id in sorted({"synthetic", "privacy", "insats_kod", "kon"} ^ swedish):
        yield f"translations: sv/form/{text_id} is missing, or no form shows it"


def the_nine_fields_have_a_place_for_all_that_is_asked(seeds: Seeds) -> Faults:
    wanted = {("row", q["respondent_group"]) for q in seeds["questionnaires"]}
    wanted |= {("column", i["orientation"]) for i in seeds["indicators"] if i["orientation"]}
    wanted |= {("column", "response_rate")}
    placed = {(row["axis"], row["instrument_value"]) for row in seeds["nine_fields"]}
    for axis, value in sorted(wanted ^ placed):
        yield f"nine_fields {axis}/{value}: is missing, or nothing is called so"
    labels = {t["text_id"] for t in seeds["release_texts"] if t["text_kind"] == "nine_fields"}
    for part in sorted(labels ^ {row["field_part"] for row in seeds["nine_fields"]}):
        yield f"nine_fields: {part} has no label, or nothing belongs to it"


RULES: list[Callable[[Seeds], Faults]] = [
    keys_are_unique,
    every_id_referred_to_exists,
    question_ids_are_plain,
    question_numbers_tell_questions,
    rounds_do_not_end_before_they_begin,
    the_days_of_a_round_follow_each_other,
    a_question_is_asked_only_while_its_questionnaire_and_indicator_are,
    a_measure_has_one_question_per_questionnaire_and_round,
    a_base_question_is_asked_where_and_when_its_follower_is,
    a_change_of_scale_breaks_comparability,
    scale_codes_run_from_one_with_dont_knows_last,
    published_scales_have_their_labels,
    the_first_positive_code_is_an_answer_of_the_scale,
    there_are_sixteen_indicators,
    thirty_two_measures_are_asked_until_2020,
    verification_is_one_of_three,
    placeholders_have_neutral_labels,
    key_figures_are_koladas,
    questions_behind_key_figures_are_koladas,
    key_figures_are_of_the_ending_questionnaire,
    municipalities_are_the_official_ones,
    layouts_name_only_what_exists,
    layout_sheets_and_fields_are_unique,
    every_sheet_has_the_respondents_columns,
    what_a_round_asks_is_in_its_layout,
    columns_of_layout_2024_are_question_ids,
    spellings_lead_to_a_spelling,
    a_changed_wording_is_a_new_row,
    a_correction_names_its_delivery_and_its_owner,
    web_columns_hold_what_the_reader_knows,
    a_translation_is_of_a_known_text_and_said_once,
    the_forms_own_texts_are_there_in_swedish,
    the_nine_fields_have_a_place_for_all_that_is_asked,
]


def faults_in(seeds: Seeds) -> list[str]:
    """Everything that is wrong with the seeds, in words; empty when they are sound."""
    return [fault for rule in RULES for fault in rule(seeds)]


# ---- the seeds are sound -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound() -> Seeds:
    seeds = {path.stem: list(instrument.seed_rows(path.stem)) for path in SEEDS.glob("*.csv")}
    return seeds | {
        "kolada": copied("kolada_key_figures"),
        "official": copied("municipalities"),
        "wordings": copied("question_wordings"),
    }


@pytest.fixture
def seeds(sound: Seeds) -> Seeds:
    return copy.deepcopy(sound)


def copied(file: str) -> list[Row]:
    with (DATA / f"{file}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_seeds_keep_every_rule(seeds: Seeds) -> None:
    assert faults_in(seeds) == []


def test_every_seed_is_under_the_rules_and_loads(seeds: Seeds) -> None:
    assert seeds.keys() == KEYS.keys() | {"kolada", "official", "wordings"}
    loaded = instrument.load()
    assert len(loaded.questions) == len(seeds["questions"])
    assert [len(loaded.questionnaires_in(r)) for r in (2017, 2020, 2021)] == [6, 6, 6]


def test_sweden_has_290_municipalities_in_21_counties(seeds: Seeds) -> None:
    assert len(seeds["municipalities"]) == 290
    assert len(seeds["counties"]) == 21
    assert all(m["municipality_code"][:2] == m["county_code"] for m in seeds["municipalities"])


# ---- every rule bites --------------------------------------------------------------------------


def change(seeds: Seeds, seed: str, at: str, **values: str) -> None:
    """Give the row with that key other values."""
    (row,) = [r for r in seeds[seed] if name(seed, r) == f"{seed} {at}"]
    row.update(values)


def reword(seeds: Seeds, question_id: str, **values: str) -> None:
    """Change a question as if it had always been so."""
    change(seeds, "questions", question_id, **values)
    for row in seeds["wordings"]:
        if row["question_id"] == question_id:
            row.update({k: v for k, v in values.items() if k in row})


def remove(seeds: Seeds, seed: str, at: str) -> None:
    """Take out the rows whose key begins so."""
    seeds[seed] = [r for r in seeds[seed] if not name(seed, r).startswith(f"{seed} {at}")]


def add_column(seeds: Seeds, layout_id: str, questionnaire_id: str, column: str, to: str) -> None:
    values = (layout_id, questionnaire_id, column, to)
    keys = ("layout_id", "questionnaire_id", "column_name", "field")
    seeds["layout_columns"].append(dict(zip(keys, values, strict=True)))


def a_round_twice(seeds: Seeds) -> None:
    seeds["rounds"].append(dict(seeds["rounds"][-1]))


def a_deadline_before_the_close(seeds: Seeds) -> None:
    change(seeds, "rounds", "2021", delivery_deadline="2021-10-01")


def a_column_name_twice(seeds: Seeds) -> None:
    change(seeds, "layout_columns", "2018/staff/F2", column_name="f1")


def a_reference_to_nothing(seeds: Seeds) -> None:
    change(seeds, "workbook_fields", "activities/utdelade_staff", questionnaire_id="personal")


def a_question_id_with_a_blank(seeds: Seeds) -> None:
    for rows in seeds.values():
        for row in rows:
            row.update({k: "Staff 1c" for k, v in row.items() if v == "staff_1c"})


def a_number_given_twice(seeds: Seeds) -> None:
    change(seeds, "questions", "ongoing_1b", question_no="1")


def a_number_too_large(seeds: Seeds) -> None:
    change(seeds, "questions", "ongoing_1b", question_no="512")


def an_end_before_the_beginning(seeds: Seeds) -> None:
    change(seeds, "questions", "head_12a", last_round="2016")


def a_question_outlives_its_questionnaire(seeds: Seeds) -> None:
    change(seeds, "questions", "head_12a", last_round="2022")


def an_indicator_begins_after_its_question(seeds: Seeds) -> None:
    for question in seeds["questions"]:
        if question["measure_id"].startswith("16") and question["question_id"] != "board_16b":
            question["first_round"] = "2022"
    change(seeds, "indicators", "16", first_round="2022")


def two_wordings_overlap(seeds: Seeds) -> None:
    change(seeds, "questions", "ongoing_4a", last_round="2021")
    add_column(seeds, "2021", "participant_ongoing", "m_4a_gammal", "ongoing_4a")


def a_base_in_another_questionnaire(seeds: Seeds) -> None:
    reword(seeds, "ending_1b", base_question_id="ongoing_1a")


def a_base_that_ended(seeds: Seeds) -> None:
    reword(seeds, "ongoing_1b", base_question_id="ongoing_4a", last_round="2022")


def a_comparison_across_scales(seeds: Seeds) -> None:
    change(seeds, "questions", "ongoing_4a_2021", comparable_from="2018")


def a_gap_in_the_codes(seeds: Seeds) -> None:
    change(seeds, "scales", "extent6_dk/7", code="8")


def a_dont_know_first(seeds: Seeds) -> None:
    change(seeds, "scales", "yesno_dk/1", is_answer="false")


def two_labels_swapped(seeds: Seeds) -> None:
    change(seeds, "scales", "yesno/1", label_sv="Ja")
    change(seeds, "scales", "yesno/2", label_sv="Nej")


def a_positive_dont_know(seeds: Seeds) -> None:
    reword(seeds, "staff_13a", positive_min_code="3")


def a_seventeenth_indicator(seeds: Seeds) -> None:
    seeds["indicators"].append({**seeds["indicators"][0], "indicator_id": "17"})


def a_measure_less(seeds: Seeds) -> None:
    change(seeds, "questions", "staff_1c", first_round="2018")


def a_guess(seeds: Seeds) -> None:
    change(seeds, "measures", "1a", verification="guess")


def an_invented_wording(seeds: Seeds) -> None:
    change(seeds, "measures", "1b", label_sv="Stödet är bra")


def a_title_with_its_spelling_mended(seeds: Seeds) -> None:
    change(
        seeds,
        "key_figures",
        "U40467",
        title="Deltagarbedömning Finsam - Planering finns för vad som ska hända efter insats, "
        "andel (%)",
    )


def a_key_figure_that_is_not_koladas(seeds: Seeds) -> None:
    seeds["key_figures"].append({**seeds["key_figures"][0], "kpi_id": "U40470"})


def yes_no_of_u40463_forgotten(seeds: Seeds) -> None:
    reword(seeds, "ending_4a", scale_id="frequency6", positive_min_code="5")


def a_base_that_follows_another(seeds: Seeds) -> None:
    reword(seeds, "ending_1b", base_question_id="ending_6b")


def the_base_of_u40468_forgotten(seeds: Seeds) -> None:
    reword(seeds, "ending_6b", base_question_id="")


def a_key_figure_of_another_indicator(seeds: Seeds) -> None:
    change(seeds, "measures", "9a", indicator_id="10")


def a_key_figure_of_those_still_taking_part(seeds: Seeds) -> None:
    change(seeds, "key_figures", "U40460", questionnaire_id="participant_ongoing")


def a_county_misspelt(seeds: Seeds) -> None:
    change(seeds, "counties", "12", county_name="Skånes län")


def a_municipality_lost(seeds: Seeds) -> None:
    remove(seeds, "municipalities", "0114")


def a_column_for_nothing(seeds: Seeds) -> None:
    add_column(seeds, "2021", "staff", "m_12a", "board_12a")


def a_column_without_a_sheet(seeds: Seeds) -> None:
    add_column(seeds, "2024", "association_head", "lopnr", "lopnr")


def a_sheet_name_twice(seeds: Seeds) -> None:
    change(seeds, "layouts", "2024/board", sheet_name="personal")


def a_question_in_two_columns(seeds: Seeds) -> None:
    add_column(seeds, "2021", "staff", "m_1a_igen", "staff_1a")


def no_column_for_gender(seeds: Seeds) -> None:
    remove(seeds, "layout_columns", "2024/board/kon")


def a_question_without_a_column(seeds: Seeds) -> None:
    remove(seeds, "layout_columns", "2024/staff/staff_1c")
    change(seeds, "questions", "staff_1c", last_round="2024")


def a_questionnaire_without_a_sheet(seeds: Seeds) -> None:
    remove(seeds, "layouts", "2024/referrer")
    remove(seeds, "layout_columns", "2024/referrer")
    change(seeds, "questionnaires", "referrer", last_round="2024")
    for question in seeds["questions"]:
        if question["questionnaire_id"] == "referrer":
            question["last_round"] = "2024"


def another_column_name_in_2024(seeds: Seeds) -> None:
    change(seeds, "layout_columns", "2024/board/board_12a", column_name="b12a")


def a_spelling_of_nothing(seeds: Seeds) -> None:
    change(seeds, "spellings", "kon/Kvinna", value="F")


def _correct(seeds: Seeds, **values: str) -> None:
    row = dict(sha256="", association_id="provdalen", round="2024", sheet="Personal", cell="E3")
    row |= dict(expect="7", value="6", reason="Fel tangent.", owner="NNS", date="2024-11-20")
    seeds["corrections"].append(row | values)


def a_correction_of_nothing(seeds: Seeds) -> None:
    _correct(seeds, round="")


def a_correction_without_a_reason(seeds: Seeds) -> None:
    _correct(seeds, reason="")


def a_column_that_holds_nothing_known(seeds: Seeds) -> None:
    change(seeds, "web_columns", "KEY", holds="nyckel")


def _translate(seeds: Seeds, language: str, kind: str, text_id: str, text: str) -> None:
    row = {"language": language, "text_kind": kind, "text_id": text_id, "text": text}
    seeds["translations"].append(row)


def a_translation_of_nothing(seeds: Seeds) -> None:
    _translate(seeds, "en", "kon", "X", "Unknown")


def a_label_said_again(seeds: Seeds) -> None:
    _translate(seeds, "en", "scale", "yesno/1", "Nope")


def a_form_text_lost(seeds: Seeds) -> None:
    remove(seeds, "translations", "sv/form/kon")
    remove(seeds, "translations", "en/form/kon")


def a_wording_changed(seeds: Seeds) -> None:
    change(seeds, "questions", "ending_1a", label_sv="Stödet är till nytta")


def a_question_not_noted(seeds: Seeds) -> None:
    seeds["wordings"] = [w for w in seeds["wordings"] if w["question_id"] != "staff_1c"]


def a_group_without_a_field(seeds: Seeds) -> None:
    remove(seeds, "nine_fields", "row/managers")


def a_field_without_a_label(seeds: Seeds) -> None:
    remove(seeds, "release_texts", "nine_fields/staff")


def a_question_taken_out(seeds: Seeds) -> None:
    seeds["wordings"].append({**seeds["wordings"][0], "question_id": "ending_0"})


BROKEN = [
    (keys_are_unique, a_round_twice, "rounds 2027: is there 2 times"),
    (
        the_days_of_a_round_follow_each_other,
        a_deadline_before_the_close,
        "rounds 2021: 2020-12-12, 2021-09-20, 2021-10-31, 2021-10-01, 2021-12-12 "
        "do not follow each other",
    ),
    (keys_are_unique, a_column_name_twice, "layout_columns 2018/staff/f1: is there 2 times"),
    (
        every_id_referred_to_exists,
        a_reference_to_nothing,
        "workbook_fields activities/utdelade_staff: "
        "questionnaire_id 'personal' is not in questionnaires",
    ),
    (
        question_numbers_tell_questions,
        a_number_given_twice,
        "questions ongoing_1b: question_no 1 is ongoing_1a's",
    ),
    (
        question_numbers_tell_questions,
        a_number_too_large,
        "questions ongoing_1b: question_no '512' is not of 1-511",
    ),
    (
        question_ids_are_plain,
        a_question_id_with_a_blank,
        "questions Staff 1c: is not of the form [a-z][a-z0-9_]*",
    ),
    (
        rounds_do_not_end_before_they_begin,
        an_end_before_the_beginning,
        "questions head_12a: begins 2017, ends 2016",
    ),
    (
        a_question_is_asked_only_while_its_questionnaire_and_indicator_are,
        a_question_outlives_its_questionnaire,
        "questions head_12a: in 2021, 2022 without its questionnaires",
    ),
    (
        a_question_is_asked_only_while_its_questionnaire_and_indicator_are,
        an_indicator_begins_after_its_question,
        "questions board_16b: in 2021 without its indicators",
    ),
    (
        a_measure_has_one_question_per_questionnaire_and_round,
        two_wordings_overlap,
        "measures 4a: ongoing_4a and ongoing_4a_2021 in participant_ongoing of 2021",
    ),
    (
        a_base_question_is_asked_where_and_when_its_follower_is,
        a_base_in_another_questionnaire,
        "questions ending_1b: base ongoing_1a is of another questionnaire",
    ),
    (
        a_base_question_is_asked_where_and_when_its_follower_is,
        a_base_that_ended,
        "questions ongoing_1b: base ongoing_4a is not asked in 2021, 2022",
    ),
    (
        a_base_question_is_asked_where_and_when_its_follower_is,
        a_base_that_follows_another,
        "questions ending_1b: base ending_6b follows another question itself",
    ),
    (
        a_change_of_scale_breaks_comparability,
        a_comparison_across_scales,
        "questions ongoing_4a_2021: comparable from 2018, when ongoing_4a had the scale yesno",
    ),
    (
        scale_codes_run_from_one_with_dont_knows_last,
        a_gap_in_the_codes,
        "scales extent6_dk: codes [1, 2, 3, 4, 5, 6, 8] do not run from 1",
    ),
    (
        scale_codes_run_from_one_with_dont_knows_last,
        a_dont_know_first,
        "scales yesno_dk: a don't know stands before an answer",
    ),
    (
        published_scales_have_their_labels,
        two_labels_swapped,
        "scales yesno: ['Ja', 'Nej'], published ['Nej', 'Ja']",
    ),
    (
        the_first_positive_code_is_an_answer_of_the_scale,
        a_positive_dont_know,
        "questions staff_13a: positive from 3, no answer of yesno_dk",
    ),
    (
        there_are_sixteen_indicators,
        a_seventeenth_indicator,
        "indicators: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 are not 1 to 16",
    ),
    (
        thirty_two_measures_are_asked_until_2020,
        a_measure_less,
        "rounds 2017: 31 measures are asked, 32 were",
    ),
    (verification_is_one_of_three, a_guess, "measures 1a: verification 'guess' is unknown"),
    (
        placeholders_have_neutral_labels,
        an_invented_wording,
        "measures 1b: a placeholder is called 'Indikator 1, mått b' ('Indicator 1, measure b')",
    ),
    (
        key_figures_are_koladas,
        a_title_with_its_spelling_mended,
        "key_figures U40467: title 'Deltagarbedömning Finsam - Planering finns för vad som ska "
        "hända efter insats, andel (%)', published 'Deltagarbedömning Finsam - Planering  finns "
        "för vad som ska hända efter insats, andel (%)'",
    ),
    (
        key_figures_are_koladas,
        a_key_figure_that_is_not_koladas,
        "key_figures U40470: is not in both",
    ),
    (
        questions_behind_key_figures_are_koladas,
        yes_no_of_u40463_forgotten,
        "key_figures U40463: in 2018 [('frequency6', '5', '')], not ('yesno', '2', '')",
    ),
    (
        questions_behind_key_figures_are_koladas,
        the_base_of_u40468_forgotten,
        "key_figures U40468: in 2018 [('extent6', '5', '')], not ('extent6', '5', '6a')",
    ),
    (
        questions_behind_key_figures_are_koladas,
        a_key_figure_of_another_indicator,
        "key_figures U40466: indicator 10, not 9",
    ),
    (
        key_figures_are_of_the_ending_questionnaire,
        a_key_figure_of_those_still_taking_part,
        "key_figures U40460: only participant_ending counts",
    ),
    (
        municipalities_are_the_official_ones,
        a_municipality_lost,
        "municipalities 0114: None, officially ['0114', 'Upplands Väsby', '01']",
    ),
    (
        municipalities_are_the_official_ones,
        a_county_misspelt,
        "counties 12: ['12', 'Skånes län'], officially ['12', 'Skåne län']",
    ),
    (
        layouts_name_only_what_exists,
        a_column_for_nothing,
        "layout_columns 2021/staff/m_12a: 'board_12a' is no question of staff",
    ),
    (
        layouts_name_only_what_exists,
        a_column_without_a_sheet,
        "layout_columns 2024/association_head/lopnr: layouts has no such sheet",
    ),
    (
        layout_sheets_and_fields_are_unique,
        a_sheet_name_twice,
        "layouts 2024: two sheets 'personal'",
    ),
    (
        layout_sheets_and_fields_are_unique,
        a_question_in_two_columns,
        "layouts 2021/staff: 2 columns for staff_1a",
    ),
    (
        every_sheet_has_the_respondents_columns,
        no_column_for_gender,
        "layouts 2024/board: no column for kon",
    ),
    (
        what_a_round_asks_is_in_its_layout,
        a_question_without_a_column,
        "rounds 2024: layout 2024 has no column for staff_1c",
    ),
    (
        what_a_round_asks_is_in_its_layout,
        a_questionnaire_without_a_sheet,
        "rounds 2024: layout 2024 has no sheet for referrer",
    ),
    (
        columns_of_layout_2024_are_question_ids,
        another_column_name_in_2024,
        "layout_columns 2024/board/b12a: should be named board_12a",
    ),
    (
        spellings_lead_to_a_spelling,
        a_spelling_of_nothing,
        "spellings kon/Kvinna: the value 'F' is not accepted itself",
    ),
    (
        a_correction_names_its_delivery_and_its_owner,
        a_correction_of_nothing,
        "corrections /provdalen//Personal/E3: give either sha256, or association_id and round",
    ),
    (
        a_correction_names_its_delivery_and_its_owner,
        a_correction_without_a_reason,
        "corrections /provdalen/2024/Personal/E3: reason is empty",
    ),
    (
        a_changed_wording_is_a_new_row,
        a_wording_changed,
        "questions ending_1a: label_sv was 'Stödet är till stor nytta' and is now 'Stödet är till "
        "nytta'; another wording breaks comparability: end this row by last_round and add a row "
        "with a new question_id",
    ),
    (
        a_changed_wording_is_a_new_row,
        a_question_not_noted,
        "questions staff_1c: is new; add its wording to question_wordings.csv",
    ),
    (
        web_columns_hold_what_the_reader_knows,
        a_column_that_holds_nothing_known,
        "web_columns KEY: nobody reads 'nyckel'",
    ),
    (
        a_translation_is_of_a_known_text_and_said_once,
        a_translation_of_nothing,
        "translations en/kon/X: there is no such text in Swedish",
    ),
    (
        a_translation_is_of_a_known_text_and_said_once,
        a_label_said_again,
        "translations en/scale/yesno/1: another seed already says it",
    ),
    (
        the_forms_own_texts_are_there_in_swedish,
        a_form_text_lost,
        "translations: sv/form/kon is missing, or no form shows it",
    ),
    (
        the_nine_fields_have_a_place_for_all_that_is_asked,
        a_group_without_a_field,
        "nine_fields row/managers: is missing, or nothing is called so",
    ),
    (
        the_nine_fields_have_a_place_for_all_that_is_asked,
        a_field_without_a_label,
        "nine_fields: staff has no label, or nothing belongs to it",
    ),
    (
        a_changed_wording_is_a_new_row,
        a_question_taken_out,
        "questions ending_0: is gone; end it by last_round, answers to it are kept",
    ),
]


@pytest.mark.parametrize(
    ("rule", "spoil", "fault"), BROKEN, ids=[spoil.__name__ for _, spoil, _ in BROKEN]
)
def test_a_broken_seed_gives_exactly_its_fault(
    seeds: Seeds, rule: Callable[[Seeds], Faults], spoil: Callable[[Seeds], None], fault: str
) -> None:
    spoil(seeds)
    assert list(rule(seeds)) == [fault]
    assert faults_in(seeds) == [fault]


def test_every_rule_has_a_broken_seed() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)
