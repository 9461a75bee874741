"""The marts computed another way: plain loops over the files' cells, for comparison only.

Belongs here: CONTRACT's definitions in the most literal form, from openpyxl, pandas and the seeds
read as plain CSV. Does not: anything of `pipelines` or the dbt models, speed, or the judging of
files. Files are taken to be readable; one whose round, layout, association or questionnaire is
unknown, or whose round is not its folder's, is `stopped` and counts nowhere. Personal identity
numbers, withdrawn deliveries and findings are not known here.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import openpyxl
import pandas as pd

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
Z = 1.959964
Row = dict[str, Any]
Table = list[Row]

# The columns that name a row of each mart; the others are its figures.
KEYS = {
    "measure_results": ["round", "level", "unit_id", "questionnaire_id", "measure_id", "gender"],
    "indicator_results": [
        "round", "level", "unit_id", "respondent_group", "indicator_id", "gender",
    ],
    "key_figures": ["kpi_id", "municipality_id", "period", "gender"],
    "activity_groups": ["round", "unit_id", "group_id"],
    "activity_comparisons": [
        "round", "unit_id", "group_id", "questionnaire_id", "measure_id", "gender",
    ],
    "national_results": ["round", "figure_kind", "figure_id", "answered_by", "gender"],
    "response_rates": ["round", "level", "unit_id", "questionnaire_id"],
    "submissions": ["file", "sha256"],
    "roster": ["round", "association_id"],
}  # fmt: skip


@dataclass
class Response:
    """One returned questionnaire; `answers` maps question_id to a code of its scale."""

    round: int
    association_id: str
    questionnaire_id: str
    insats_kod: str | None
    groups: list[str]
    kon: str | None
    answers: dict[str, int]


@dataclass
class Activity:
    """One row of the activities sheet, and the comparable groups it is in.

    A handed-out count that is None is unknown.
    """

    insats_kod: str
    groups: list[str]
    handed_out: dict[str, int | None]


@dataclass
class Delivery:
    """One workbook, or one export of web answers."""

    path: Path
    file: str
    sha256: str
    round: int | None
    layout_id: str | None
    association_id: str | None
    source: str = "workbook"
    state: str = "stopped"
    activities: list[Activity] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)


@dataclass
class Facts:
    """Everything the marts are computed from: seeds, register, deliveries and register study."""

    seeds: dict[str, Table]
    register: dict[str, Table]
    deliveries: list[Delivery]
    study: Table
    is_synthetic: bool

    @property
    def loaded(self) -> list[Delivery]:
        return [d for d in self.deliveries if d.state == "loaded"]

    def questions(self, questionnaire_id: str, round_: int) -> Table:
        """The questions a questionnaire asks in a round."""
        return [
            q
            for q in self.seeds["questions"]
            if q["questionnaire_id"] == questionnaire_id and covers(q, round_)
        ]

    def questionnaires(self, round_: int) -> Table:
        """The questionnaires of a round; a register study asks nobody."""
        asked = [q for q in self.seeds["questionnaires"] if q["kind"] == "questionnaire"]
        return [q for q in asked if covers(q, round_)]

    def county_unit(self, association_id: str) -> str:
        """The county of an association as a unit: '00' and the code."""
        return (
            "00" + one(self.register["associations"], association_id=association_id)["county_code"]
        )

    def is_in_nation(self, association_id: str) -> bool:
        """Whether the register says so: an association is, another kind is not, unless it does."""
        row = one(self.register["associations"], association_id=association_id)
        said = row.get("in_nation", "")
        return said.casefold() == "true" if said else not row.get("kind")

    def responses(self, round_: int) -> list[Response]:
        """The returned questionnaires that are part of the round, of loaded deliveries."""
        part = {q["questionnaire_id"] for q in self.questionnaires(round_)}
        return [
            r
            for d in self.loaded
            if d.round == round_
            for r in d.responses
            if r.questionnaire_id in part
        ]

    @property
    def rounds(self) -> list[int]:
        """The rounds with a loaded delivery."""
        return sorted({d.round for d in self.loaded if d.round is not None})


def compute(raw: Path) -> dict[str, pd.DataFrame]:
    """Every mart of the landing zone, a table per name of `KEYS`; shares in percent."""
    facts = read(raw)
    measures = measure_results(facts)
    indicators = indicator_results(facts, measures)
    tables = {
        "measure_results": measures,
        "indicator_results": indicators,
        "key_figures": key_figures(facts),
        "activity_groups": activity_groups(facts),
        "activity_comparisons": activity_comparisons(facts),
        "national_results": national_results(facts, measures, indicators),
        "response_rates": response_rates(facts),
        "submissions": submissions(facts),
        "roster": roster(facts),
    }
    return {name: pd.DataFrame(rows, dtype=object) for name, rows in tables.items()}


# ---- reading: seeds, register, workbooks -------------------------------------------------------


def read(raw: Path) -> Facts:
    """All facts of a landing zone; of an association, round and source the newest is loaded."""
    seeds = {path.stem: csv_rows(path) for path in SEEDS.glob("*.csv")}
    register = {
        name: csv_rows(raw / "register" / f"{name}.csv")
        for name in ("associations", "memberships", "targets")
    }
    origin = raw / "register" / "ORIGIN"
    deliveries = [
        read_workbook(path, raw, seeds, register)
        for path in sorted(raw.glob("[0-9][0-9][0-9][0-9]/*.xls[xm]"))
    ]
    deliveries += [
        read_web_answers(path, raw, seeds, register)
        for path in sorted(raw.glob("[0-9][0-9][0-9][0-9]/web/*.csv"))
    ]
    newest_loaded(deliveries)
    for delivery in deliveries:
        if delivery.source != "workbook" and delivery.state == "loaded":
            find_activities(delivery, deliveries)
    synthetic = origin.exists() and "synthetic" in origin.read_text(encoding="utf-8")
    return Facts(seeds, register, deliveries, read_study(raw, seeds), synthetic)


def csv_rows(path: Path) -> Table:
    """The rows of a CSV with `,` or `;` as text; none if the file is absent."""
    if not path.exists():
        return []
    header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    separator = ";" if ";" in header else ","
    table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    return table.to_dict("records")


def read_study(raw: Path, seeds: dict[str, Table]) -> Table:
    """The register study by gender; who gives no total has the sum of what they give."""
    groups: dict[tuple[str, ...], dict[str, tuple[int, int]]] = defaultdict(dict)
    for path in raw.glob("indicator_11/*.csv"):
        for row in csv_rows(path):
            key = (row["level"], row["unit_id"], row["cohort"], row["months_after"])
            gender = "T" if folded(row["kon"]) == "t" else spelled("kon", row["kon"], seeds) or ""
            groups[key][gender] = int(row["n"]), int(row["n_sustained"])
    rows = []
    for (level, unit_id, cohort, months), given in groups.items():
        if "T" not in given:
            given["T"] = sum(n for n, _ in given.values()), sum(k for _, k in given.values())
        study = one(seeds["register_studies"], months_after=months)
        for gender in given.keys() & {"T", "K", "M"}:
            n, kept = given[gender]
            rows.append({"round": int(cohort), "level": level, "unit_id": unit_id, **study})
            rows[-1] |= {"gender": gender, "n": n, "n_positive": kept}
    return rows


def newest_loaded(deliveries: list[Delivery]) -> None:
    """Mark the newest of an association, round and source as loaded, earlier ones as replaced."""
    newest: dict[tuple[str, int, str], Delivery] = {}
    ready = [d for d in deliveries if d.state == "ready"]
    for delivery in sorted(ready, key=lambda d: (d.path.stat().st_mtime_ns, d.path.name)):
        newest[delivery.association_id, delivery.round, delivery.source] = delivery
    for delivery in ready:
        unit = delivery.association_id, delivery.round, delivery.source
        is_newest = newest[unit] is delivery
        delivery.state = "loaded" if is_newest else "replaced"


def read_workbook(
    path: Path, raw: Path, seeds: dict[str, Table], register: dict[str, Table]
) -> Delivery:
    """One workbook; without responses where its round, layout or association is unknown."""
    book = openpyxl.load_workbook(path, data_only=True)
    readme = readme_values(book, seeds)
    known_rounds = {r["round"] for r in seeds["rounds"]} & {path.parent.name}
    known_layouts = {layout["layout_id"] for layout in seeds["layouts"]}
    known_associations = {a["association_id"] for a in register["associations"]}
    delivery = Delivery(
        path=path,
        file=path.relative_to(raw).as_posix(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        round=int(readme["round"]) if readme.get("round") in known_rounds else None,
        layout_id=readme["layout_id"] if readme.get("layout_id") in known_layouts else None,
        association_id=(
            readme["association_id"] if readme.get("association_id") in known_associations else None
        ),
    )
    if delivery.round and delivery.layout_id and delivery.association_id:
        delivery.state = "ready"
        delivery.activities = read_activities(book, seeds)
        for layout in seeds["layouts"]:
            if layout["layout_id"] == delivery.layout_id:
                delivery.responses += read_responses(book, layout, delivery, seeds)
    return delivery


def read_web_answers(
    path: Path, raw: Path, seeds: dict[str, Table], register: dict[str, Table]
) -> Delivery:
    """One export: a row per submission, which says itself whose answer it is; each counts once."""
    rows, seen = [], set()
    for row in csv_rows(path):
        plain = {name.replace("/", "-").rpartition("-")[2]: value for name, value in row.items()}
        if plain["instanceID"] not in seen:
            rows.append(plain)
        seen.add(plain["instanceID"])
    round_ = {r["round"] for r in rows}
    association = {r["association_id"] for r in rows}
    questionnaire = {r["questionnaire_id"] for r in rows}
    known = (
        round_ == {path.parents[1].name}
        and association <= {a["association_id"] for a in register["associations"]}
        and questionnaire <= {q["questionnaire_id"] for q in seeds["questionnaires"]}
    )
    delivery = Delivery(
        path=path,
        file=path.relative_to(raw).as_posix(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        round=int(path.parents[1].name),
        layout_id="web",
        association_id="".join(association) if known else None,
        source="web:" + "".join(questionnaire),
        state="ready" if known and len(association) == len(questionnaire) == 1 else "stopped",
    )
    for row in rows if delivery.state == "ready" else ():
        delivery.responses.append(
            Response(
                round=delivery.round,
                association_id=delivery.association_id,
                questionnaire_id=row["questionnaire_id"],
                insats_kod=re.sub(
                    "_u([0-9A-F]{4})_",
                    lambda sign: chr(int(sign[1], 16)),
                    row.get("insats_kod", ""),
                ),
                groups=[],
                kon=spelled("kon", row.get("kon"), seeds),
                answers=understood_answers(row, seeds),
            )
        )
    return delivery


def find_activities(web: Delivery, deliveries: list[Delivery]) -> None:
    """Give web answers the activities that the association's loaded workbook lists."""
    listed = {
        folded(activity.insats_kod): activity
        for d in deliveries
        if (d.association_id, d.round) == (web.association_id, web.round)
        if d.source == "workbook" and d.state == "loaded"
        for activity in d.activities
    }
    for response in web.responses:
        activity = listed.get(folded(response.insats_kod))
        response.insats_kod = activity.insats_kod if activity else None
        response.groups = activity.groups if activity else []


def readme_values(book: openpyxl.Workbook, seeds: dict[str, Table]) -> dict[str, str]:
    """The readme sheet's known keys (as fields) with their values as text."""
    fields = {
        folded(f["name"]): f["field"]
        for f in seeds["workbook_fields"]
        if f["sheet_role"] == "readme"
    }
    sheet = one(seeds["workbook_fields"], field="round")["sheet_name"]
    rows = [row for row in sheet_rows(book, sheet) if len(row) > 1]
    return {fields[folded(row[0])]: text(row[1]) for row in rows if folded(row[0]) in fields}


def read_activities(book: openpyxl.Workbook, seeds: dict[str, Table]) -> list[Activity]:
    """The rows of the activities sheet that have a code."""
    columns = [f for f in seeds["workbook_fields"] if f["sheet_role"] == "activities"]
    rows = sheet_rows(book, columns[0]["sheet_name"])
    header = [folded(cell) for cell in rows[0]] if rows else []
    activities = []
    for row in rows[1:]:
        cells = dict(zip(header, row, strict=False))
        code = text(cells.get("insats_kod"))
        if code:
            counts = {
                column["questionnaire_id"]: count_or_unknown(cells.get(folded(column["name"])))
                for column in columns
                if column["field"] == "handed_out"
            }
            activities.append(Activity(code, read_groups(cells, seeds), counts))
    return activities


def read_groups(cells: Row, seeds: dict[str, Table]) -> list[str]:
    """The comparable groups of an activity, from the cells of its row by folded header."""
    groups = [spelled(field, cells.get(field), seeds) for field in ("langd", "inriktning")]
    word = one(seeds["workbook_fields"], field="category")["name"]
    for header, cell in cells.items():
        value = " ".join(text(cell).split()).lower()
        category = word if header == word else header.removeprefix(f"{word}_")
        if header.startswith(word) and 0 < len(value) <= 40:
            groups.append(f"{category}={value}")
    return [group for group in groups if group]


def read_responses(
    book: openpyxl.Workbook, layout: Row, delivery: Delivery, seeds: dict[str, Table]
) -> list[Response]:
    """The respondents of one questionnaire's sheet: every row that is neither label nor blank."""
    questionnaire_id = layout["questionnaire_id"]
    fields = {
        folded(c["column_name"]): c["field"]
        for c in seeds["layout_columns"]
        if (c["layout_id"], c["questionnaire_id"]) == (layout["layout_id"], questionnaire_id)
        and c["field"] != "kommentar"
    }
    groups_of = {a.insats_kod: a.groups for a in delivery.activities}
    rows = sheet_rows(book, layout["sheet_name"])[int(layout["header_row"]) - 1 :]
    header = [fields.get(folded(cell)) for cell in rows[0]] if rows else []
    responses = []
    for row in rows[1:]:
        cells = {name: cell for name, cell in zip(header, row, strict=True) if name}
        is_label_row = folded(row[0]) == folded(layout["label_row_mark"])
        is_blank = all(text(cell) == "" for name, cell in cells.items() if name != "lopnr")
        if is_label_row or is_blank:
            continue
        insats_kod = text(cells.get("insats_kod"))
        responses.append(
            Response(
                round=delivery.round,
                association_id=delivery.association_id,
                questionnaire_id=questionnaire_id,
                insats_kod=insats_kod if insats_kod in groups_of else None,
                groups=groups_of.get(insats_kod, []),
                kon=spelled("kon", cells.get("kon"), seeds),
                answers=understood_answers(cells, seeds),
            )
        )
    return responses


def understood_answers(cells: Row, seeds: dict[str, Table]) -> dict[str, int]:
    """question_id → code for every cell that is a code, a label, or both, of its scale."""
    answers = {}
    for question in seeds["questions"]:
        written = folded(cells.get(question["question_id"]))
        if not written:
            continue
        for option in seeds["scales"]:
            code, label = option["code"], option["label_sv"].casefold()
            if option["scale_id"] == question["scale_id"] and written in (
                code,
                label,
                f"{code} {label}",
            ):
                answers[question["question_id"]] = int(code)
    return answers


def sheet_rows(book: openpyxl.Workbook, name: str) -> list[tuple[Any, ...]]:
    """The cells of a sheet from A1 on; none if the workbook has no such sheet."""
    for sheet in book.worksheets:
        if folded(sheet.title) == folded(name):
            return list(sheet.iter_rows(min_row=1, min_col=1, values_only=True))
    return []


def text(cell: Any) -> str:
    """A cell as text without outer blanks; 3.0 is '3', an empty cell ''."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return unicodedata.normalize("NFKC", str(cell)).strip()


def folded(cell: Any) -> str:
    """A cell as text for comparison without case."""
    return text(cell).casefold()


def count_or_unknown(cell: Any) -> int | None:
    """A count; None when blank or no whole number."""
    return int(text(cell)) if text(cell).isdecimal() else None


def spelled(name: str, cell: Any, seeds: dict[str, Table]) -> str | None:
    """The canonical value of a field by the seed of spellings, None for anything else."""
    for row in seeds["spellings"]:
        if row["field"] == name and row["spelling"].casefold() == folded(cell):
            return row["value"]
    return None


# ---- the marts ---------------------------------------------------------------------------------


def measure_results(facts: Facts) -> Table:
    """A row per round, level, unit, questionnaire, measure and gender."""
    table = []
    for round_ in facts.rounds:
        for key, responses in grouped(facts, round_).items():
            level, unit_id, questionnaire_id, gender = key
            for question in facts.questions(questionnaire_id, round_):
                table.append(
                    {
                        "round": round_,
                        "level": level,
                        "unit_id": unit_id,
                        "questionnaire_id": questionnaire_id,
                        "measure_id": question["measure_id"],
                        "gender": gender,
                        "question_id": question["question_id"],
                        **tally(question, responses, facts.seeds),
                        "is_synthetic": facts.is_synthetic,
                        "question": question,
                    }
                )
    table += study_results(facts)
    add_change(table)
    for row in table:
        del row["question"]
        row |= against_target(facts, "measure_id", row, row["ci_low"], row["ci_high"])
    return table


def study_results(facts: Facts) -> Table:
    """The register study's rows: as delivered, of the cohort's year, with nobody missing."""
    table = []
    for row in facts.study:
        low, high = wilson(row["n_positive"], row["n"])
        study = one(facts.seeds["questionnaires"], questionnaire_id=row["questionnaire_id"])
        names = ("round", "level", "unit_id", "questionnaire_id", "measure_id", "gender")
        table.append(
            {
                **{name: row[name] for name in (*names, "n", "n_positive")},
                "question_id": "register_" + row["measure_id"],
                "n_missing": 0,
                "n_dont_know": 0,
                "share": 100 * row["n_positive"] / row["n"] if row["n"] else None,
                "mean_index": None,
                "ci_low": low,
                "ci_high": high,
                "is_synthetic": facts.is_synthetic,
                "question": {"comparable_from": "", "first_round": study["first_round"]},
            }
        )
    return table


def grouped(facts: Facts, round_: int) -> dict[tuple[str, str, str, str], list[Response]]:
    """Responses by level, unit_id, questionnaire_id and gender; a response counts in several."""
    groups = defaultdict(list)
    for response in facts.responses(round_):
        genders = ["T", response.kon] if response.kon in ("K", "M") else ["T"]
        for level, unit_id in units_of(response, facts):
            for gender in genders:
                groups[level, unit_id, response.questionnaire_id, gender].append(response)
    return groups


def units_of(response: Response, facts: Facts) -> list[tuple[str, str]]:
    """Every (level, unit_id) a response counts in."""
    units = [("association", response.association_id)]
    groups = []
    if has_activity(facts, response.questionnaire_id) and response.insats_kod:
        units.append(("activity", f"{response.association_id}/{response.insats_kod}"))
        groups = [("activity_group", group) for group in response.groups]
    if facts.is_in_nation(response.association_id):
        county = facts.county_unit(response.association_id)
        units += [("nation", "0000"), ("county", county), *groups]
    return units


def tally(question: Row, responses: list[Response], seeds: dict[str, Table]) -> Row:
    """Counts, share, mean index and Wilson interval of one question among some responses."""
    answers = codes_of(question, seeds, is_answer="true")
    dont_knows = codes_of(question, seeds, is_answer="false")
    positives = positive_codes(question, seeds)
    asked = responses
    if question["base_question_id"]:
        base = one(seeds["questions"], question_id=question["base_question_id"])
        yes = positive_codes(base, seeds)
        asked = [r for r in responses if r.answers.get(base["question_id"]) in yes]
    codes = [r.answers.get(question["question_id"]) for r in asked]
    valid = [code for code in codes if code in answers]
    n, n_dont_know = len(valid), len([code for code in codes if code in dont_knows])
    n_positive = len([code for code in valid if code in positives])
    low, high = wilson(n_positive, n)
    return {
        "n": n,
        "n_positive": n_positive,
        "n_missing": len(codes) - n - n_dont_know,
        "n_dont_know": n_dont_know,
        "share": 100 * n_positive / n if n else None,
        "mean_index": (
            100 * fmean((code - 1) / (len(answers) - 1) for code in valid) if n else None
        ),
        "ci_low": low,
        "ci_high": high,
    }


def codes_of(question: Row, seeds: dict[str, Table], is_answer: str) -> list[int]:
    """The codes of a question's scale that are answers, or that are don't knows."""
    return [
        int(s["code"])
        for s in seeds["scales"]
        if (s["scale_id"], s["is_answer"]) == (question["scale_id"], is_answer)
    ]


def positive_codes(question: Row, seeds: dict[str, Table]) -> list[int]:
    """The answers of a question's scale from its first positive one up."""
    answers = codes_of(question, seeds, is_answer="true")
    return [code for code in answers if code >= int(question["positive_min_code"])]


def wilson(x: int, n: int) -> tuple[float | None, float | None]:
    """The 95 % Wilson interval of x of n, in percent."""
    if n == 0:
        return None, None
    p = x / n
    centre = p + Z**2 / (2 * n)
    half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return 100 * (centre - half) / (1 + Z**2 / n), 100 * (centre + half) / (1 + Z**2 / n)


def add_change(table: Table) -> None:
    """Fill comparable, share_previous, change and change_significant from the round before."""
    history = defaultdict(list)
    for row in table:
        history[tuple(row[name] for name in KEYS["measure_results"][1:])].append(row)
    for rows in history.values():
        for row in rows:
            earlier = [r for r in rows if r["round"] < row["round"] and r["n"] > 0]
            previous = max(earlier, key=lambda r: r["round"], default=None)
            since = int(row["question"]["comparable_from"] or row["question"]["first_round"])
            row["comparable"] = previous is not None and since <= previous["round"]
            row["share_previous"] = row["change"] = row["change_significant"] = None
            if row["comparable"]:
                row["share_previous"] = previous["share"]
            if row["comparable"] and row["n"] > 0:
                row["change"] = row["share"] - previous["share"]
                row["change_significant"] = differs(
                    row["n_positive"], row["n"], previous["n_positive"], previous["n"]
                )


def differs(x1: int, n1: int, x2: int, n2: int) -> bool:
    """Two-sided pooled two-proportion z-test at 5 %; no spread at all is no difference."""
    pooled = (x1 + x2) / (n1 + n2)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return error > 0 and abs(x1 / n1 - x2 / n2) / error > Z


def activity_groups(facts: Facts) -> Table:
    """A row per activity of the nation and comparable group it is in."""
    return [
        {
            "round": d.round,
            "unit_id": f"{d.association_id}/{activity.insats_kod}",
            "group_id": group,
            "is_synthetic": facts.is_synthetic,
        }
        for d in facts.loaded
        if facts.is_in_nation(d.association_id)
        for activity in d.activities
        for group in activity.groups
    ]


def activity_comparisons(facts: Facts) -> Table:
    """A row per activity that anybody answered about, group it is in, measure and gender."""
    table = []
    for round_ in facts.rounds:
        pools = group_answers(facts, round_)
        for (group, questionnaire_id, gender), by_activity in pools.items():
            for question in facts.questions(questionnaire_id, round_):
                counts = {
                    unit: tally(question, rs, facts.seeds) for unit, rs in by_activity.items()
                }
                for unit, responses in by_activity.items():
                    others = [r for u, rs in by_activity.items() if u != unit for r in rs]
                    table.append(
                        {
                            "round": round_,
                            "unit_id": unit,
                            "group_id": group,
                            "questionnaire_id": questionnaire_id,
                            "measure_id": question["measure_id"],
                            "gender": gender,
                            **against(question, responses, others, facts.seeds),
                            "n_activities": len([c for c in counts.values() if c["n"] > 0]),
                            "is_synthetic": facts.is_synthetic,
                        }
                    )
    return table


def group_answers(
    facts: Facts, round_: int
) -> dict[tuple[str, str, str], dict[str, list[Response]]]:
    """By group, questionnaire and gender: the responses of each activity that has any."""
    pools: dict[tuple[str, str, str], dict[str, list[Response]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for (level, unit, questionnaire_id, gender), responses in grouped(facts, round_).items():
        association_id = responses[0].association_id
        if level == "activity" and facts.is_in_nation(association_id):
            for group in responses[0].groups:
                pools[group, questionnaire_id, gender][unit] = responses
    return pools


def against(
    question: Row, own: list[Response], others: list[Response], seeds: dict[str, Table]
) -> Row:
    """One question among some responses, and among the others."""
    mine, theirs = tally(question, own, seeds), tally(question, others, seeds)
    is_both = mine["n"] > 0 and theirs["n"] > 0
    return {
        "n": mine["n"],
        "share": mine["share"],
        "n_others": theirs["n"],
        "share_others": theirs["share"],
        "difference": mine["share"] - theirs["share"] if is_both else None,
        "difference_significant": (
            differs(mine["n_positive"], mine["n"], theirs["n_positive"], theirs["n"])
            if is_both
            else None
        ),
    }


def against_target(
    facts: Facts, id_name: str, row: Row, low: float | None, high: float | None
) -> Row:
    """The target of a row's figure, how far above it the share is, and what its interval says."""
    level = target(facts, id_name, row)
    judged: Row = {"target_share": level, "distance": None, "reached": None}
    if level is not None and row["share"] is not None:
        judged["distance"] = row["share"] - level
        judged["reached"] = "unclear"
        if low >= level:
            judged["reached"] = "reached"
        if high < level:
            judged["reached"] = "not_reached"
    return judged


def target(facts: Facts, id_name: str, row: Row) -> float | None:
    """The target of a measure or indicator in a round: the unit's own, else all units' one."""
    own, common = (
        [
            float(t["target_share"])
            for t in facts.register["targets"]
            if (t[id_name], t["level"], t["unit_id"]) == (row[id_name], row["level"], unit_id)
            and covers(t, row["round"])
        ]
        for unit_id in (row["unit_id"], "")
    )
    return next(iter(own + common), None)


def indicator_results(facts: Facts, measures: Table) -> Table:
    """A row per round, level, unit, respondent group (and `all`), indicator and gender."""
    group_of = {q["questionnaire_id"]: q["respondent_group"] for q in facts.seeds["questionnaires"]}
    indicator_of = {m["measure_id"]: m["indicator_id"] for m in facts.seeds["measures"]}
    parts: dict[tuple[Any, ...], dict[str, Table]] = defaultdict(lambda: defaultdict(list))
    for row in measures:
        unit = (row["round"], row["level"], row["unit_id"])
        key = (*unit, indicator_of[row["measure_id"]], row["gender"])
        parts[key][group_of[row["questionnaire_id"]]].append(row)
    table = []
    for (round_, level, unit_id, indicator_id, gender), groups in parts.items():
        figures = {group: indicator_figures(rows) for group, rows in groups.items()}
        figures["all"] = {
            **{name: mean_of(figures.values(), name) for name in ("share", "low", "high")},
            "n_measures": sum(f["n_measures"] for f in figures.values()),
            "n": sum(f["n"] for f in figures.values()),
        }
        for group, figure in figures.items():
            low, high = figure.pop("low"), figure.pop("high")
            row = {
                "round": round_,
                "level": level,
                "unit_id": unit_id,
                "respondent_group": group,
                "indicator_id": indicator_id,
                "gender": gender,
                **figure,
                "is_synthetic": facts.is_synthetic,
            }
            table.append(row | against_target(facts, "indicator_id", row, low, high))
    return table


def indicator_figures(rows: Table) -> Row:
    """The unweighted mean of the shares that exist and of their intervals, and their answers."""
    answered = [row for row in rows if row["n"] > 0]
    return {
        "share": mean_of(answered, "share"),
        "low": mean_of(answered, "ci_low"),
        "high": mean_of(answered, "ci_high"),
        "n_measures": len(answered),
        "n": sum(row["n"] for row in answered),
    }


def mean_of(rows: Iterable[Row], name: str) -> float | None:
    """The mean of a figure over the rows that have it."""
    known = [row[name] for row in rows if row[name] is not None]
    return fmean(known) if known else None


def key_figures(facts: Facts) -> Table:
    """A row per key figure, municipality that is a member and year with a loaded delivery."""
    table = []
    for round_ in facts.rounds:
        members = defaultdict(set)
        for membership in facts.register["memberships"]:
            inside = facts.is_in_nation(membership["association_id"])
            if inside and covers(membership, round_):
                members[membership["municipality_code"]].add(membership["association_id"])
        responses = facts.responses(round_)
        for figure in facts.seeds["key_figures"]:
            if not covers(figure, round_, "first_year", "last_year"):
                continue
            questions = facts.questions(figure["questionnaire_id"], round_)
            question = one(questions, measure_id=figure["measure_id"])
            for municipality, associations in members.items():
                pooled = [
                    r
                    for r in responses
                    if r.association_id in associations
                    and r.questionnaire_id == figure["questionnaire_id"]
                ]
                counts = tally(question, pooled, facts.seeds)
                enough = counts["n"] >= int(figure["min_answers"])
                table.append(
                    {
                        "kpi_id": figure["kpi_id"],
                        "municipality_id": municipality,
                        "period": round_,
                        "gender": "T",
                        "value": counts["share"] if enough else None,
                        "count": counts["n"],
                        "status": "" if enough else "Missing",
                        "association_ids": ",".join(sorted(associations)),
                        "is_synthetic": facts.is_synthetic,
                    }
                )
    return table


def national_results(facts: Facts, measures: Table, indicators: Table) -> Table:
    """The nation's measures and indicators with how many associations and questionnaires."""
    figures = [
        ("measure", row["measure_id"], row["questionnaire_id"], row)
        for row in measures
        if row["level"] == "nation"
    ] + [
        ("indicator", row["indicator_id"], row["respondent_group"], row)
        for row in indicators
        if row["level"] == "nation"
    ]
    names = (
        "n", "n_positive", "n_missing", "n_dont_know", "share", "mean_index", "ci_low", "ci_high",
        "comparable", "share_previous", "change", "change_significant", "target_share",
        "distance", "reached", "n_measures", "is_synthetic",
    )  # fmt: skip
    table = []
    registered = {
        measure["measure_id"]
        for measure in facts.seeds["measures"]
        if one(facts.seeds["indicators"], indicator_id=measure["indicator_id"])["kind"]
        == "register"
    } | {i["indicator_id"] for i in facts.seeds["indicators"] if i["kind"] == "register"}
    for kind, figure_id, answered_by, row in figures:
        gender = row["gender"]
        returned = [
            r
            for r in facts.responses(row["round"])
            if gender in ("T", r.kon) and facts.is_in_nation(r.association_id)
        ]
        behind = {r.association_id for r in returned}
        if figure_id in registered:
            returned = []
            behind = {
                r["unit_id"]
                for r in facts.study
                if (r["round"], r["level"], r["gender"]) == (row["round"], "association", gender)
                and facts.is_in_nation(r["unit_id"])
            }
        table.append(
            {
                "round": row["round"],
                "figure_kind": kind,
                "figure_id": figure_id,
                "answered_by": answered_by,
                "gender": gender,
                **{name: row.get(name) for name in names},
                "n_associations": len(behind),
                "n_questionnaires": len(returned),
            }
        )
    return table


def response_rates(facts: Facts) -> Table:
    """Handed out, returned and coverage per round, level, unit and questionnaire."""
    table = []
    for round_ in facts.rounds:
        deliveries = by_association([d for d in facts.loaded if d.round == round_])
        nation = [d for d in deliveries if facts.is_in_nation(d.association_id)]
        counties = {facts.county_unit(d.association_id) for d in nation}
        for questionnaire in facts.questionnaires(round_):
            groups = [("nation", "0000", nation)]
            for county in counties:
                inside = [d for d in nation if facts.county_unit(d.association_id) == county]
                groups.append(("county", county, inside))
            groups += [("association", d.association_id, [d]) for d in deliveries]
            rows = [
                deliveries_rate(facts, round_, level, unit, inside, questionnaire)
                for level, unit, inside in groups
            ]
            if has_activity(facts, questionnaire["questionnaire_id"]):
                rows += [
                    activity_rate(facts, d, activity, questionnaire)
                    for d in deliveries
                    for activity in d.activities
                ]
            table += rows
    return table


def by_association(deliveries: list[Delivery]) -> list[Delivery]:
    """One delivery per association, with what it lists and returned in any file."""
    whole: dict[str, Delivery] = {}
    for d in deliveries:
        one_ = whole.setdefault(d.association_id, replace(d, activities=[], responses=[]))
        one_.activities += d.activities
        one_.responses += d.responses
    return list(whole.values())


def deliveries_rate(
    facts: Facts, round_: int, level: str, unit_id: str, inside: list[Delivery], questionnaire: Row
) -> Row:
    """The row of a nation, county or association, which consists of these deliveries."""
    questionnaire_id = questionnaire["questionnaire_id"]
    handed_out = {d.association_id: handed_out_by(d, questionnaire_id) for d in inside}
    returned = {
        d.association_id: len([r for r in d.responses if r.questionnaire_id == questionnaire_id])
        for d in inside
    }
    known = [name for name, count in handed_out.items() if count is not None]
    reached = {
        (d.association_id, r.insats_kod)
        for d in inside
        for r in d.responses
        if r.questionnaire_id == questionnaire_id and r.insats_kod
    }
    has_activities = has_activity(facts, questionnaire_id)
    return {
        "round": round_,
        "level": level,
        "unit_id": unit_id,
        "questionnaire_id": questionnaire_id,
        **rate(
            sum(handed_out[name] for name in known) if known else None,
            sum(returned.values()),
            sum(returned[name] for name in known) if known else None,
        ),
        "n_associations_expected": len(expected_associations(facts, round_, level, unit_id)),
        "n_associations_delivered": len(inside),
        "n_activities_expected": sum(len(d.activities) for d in inside) if has_activities else None,
        "n_activities_delivered": len(reached) if has_activities else None,
        "is_synthetic": facts.is_synthetic,
    }


def activity_rate(facts: Facts, delivery: Delivery, activity: Activity, questionnaire: Row) -> Row:
    """The row of one activity."""
    questionnaire_id = questionnaire["questionnaire_id"]
    handed_out = activity.handed_out[questionnaire_id]
    returned = len(
        [
            r
            for r in delivery.responses
            if (r.questionnaire_id, r.insats_kod) == (questionnaire_id, activity.insats_kod)
        ]
    )
    association = delivery.association_id
    return {
        "round": delivery.round,
        "level": "activity",
        "unit_id": f"{association}/{activity.insats_kod}",
        "questionnaire_id": questionnaire_id,
        **rate(handed_out, returned, None if handed_out is None else returned),
        "n_associations_expected": len(
            expected_associations(facts, delivery.round, "association", association)
        ),
        "n_associations_delivered": 1,
        "n_activities_expected": 1,
        "n_activities_delivered": 1 if returned else 0,
        "is_synthetic": facts.is_synthetic,
    }


def handed_out_by(delivery: Delivery, questionnaire_id: str) -> int | None:
    """What an association handed out: unknown as soon as one of its activities is."""
    counts = [a.handed_out.get(questionnaire_id) for a in delivery.activities]
    return sum(counts) if counts and None not in counts else None


def rate(handed_out: int | None, returned: int, returned_known: int | None) -> Row:
    """The counts and the response rate in percent, where something was handed out."""
    return {
        "handed_out": handed_out,
        "returned": returned,
        "returned_known": returned_known,
        "response_rate": 100 * returned_known / handed_out if handed_out else None,
    }


def expected_associations(facts: Facts, round_: int, level: str, unit_id: str) -> list[str]:
    """The associations of a unit whose agreement is valid while the round is open (`any`: all)."""
    dates = one(facts.seeds["rounds"], round=str(round_))
    return [
        a["association_id"]
        for a in facts.register["associations"]
        if a["agreement_from"] <= dates["closes"]
        and (not a["agreement_to"] or a["agreement_to"] >= dates["opens"])
        and (level in ("any", "association") or facts.is_in_nation(a["association_id"]))
        and unit_id in {"nation": ["0000"], "county": ["00" + a["county_code"]], "any": [""]}.get(
            level, [a["association_id"]]
        )
    ]  # fmt: skip


def submissions(facts: Facts) -> Table:
    """A row per delivery, but for the time received and the findings."""
    return [submission_of(facts, delivery) for delivery in facts.deliveries]


def submission_of(facts: Facts, delivery: Delivery) -> Row:
    """The row of one delivery."""
    part = {q["questionnaire_id"] for q in facts.questionnaires(delivery.round)}
    returned = [r for r in delivery.responses if r.questionnaire_id in part]
    rows = Counter(r.questionnaire_id for r in returned)
    return {
        "file": delivery.file,
        "sha256": delivery.sha256,
        "round": delivery.round,
        "association_id": delivery.association_id,
        "delivery_source": delivery.source,
        "layout_id": delivery.layout_id,
        "state": delivery.state,
        "n_questionnaires": len(returned),
        "rows_per_questionnaire": dict(rows),
        "is_synthetic": facts.is_synthetic,
    }


def roster(facts: Facts) -> Table:
    """Who was expected or delivered, in every round for which anything came."""
    kinds = {a["association_id"]: a.get("kind", "") for a in facts.register["associations"]}
    table = []
    for dates in facts.seeds["rounds"]:
        came = [d for d in facts.deliveries if dates["round"] in d.file.split("/")[:-1]]
        expected = expected_associations(facts, int(dates["round"]), "any", "")
        senders = {d.association_id for d in came if d.association_id}
        for association_id in sorted({*expected, *senders} if came else ()):
            own = [d for d in came if d.association_id == association_id]
            table.append(
                {
                    "round": int(dates["round"]),
                    "association_id": association_id,
                    "kind": kinds.get(association_id),
                    "is_expected": association_id in expected,
                    "merged_from": ",".join(merged_into(facts, association_id, dates["round"])),
                    "is_synthetic": facts.is_synthetic,
                    **standing(facts, own, dates["delivery_deadline"]),
                }
            )
    return table


def standing(facts: Facts, own: list[Delivery], deadline: str) -> Row:
    """How an association stands whose deliveries of a round these are."""
    received = {d.sha256: pd.Timestamp(int(d.path.stat().st_mtime), unit="s") for d in own}
    loaded = [d for d in own if d.state == "loaded"]
    telling = loaded or [d for d in own if d.state == "stopped"] or own
    telling = [d for d in telling if d.source == "workbook"] or telling
    newest = max(telling, key=lambda d: (received[d.sha256], d.file), default=None)
    days_late = questionnaires = None
    if loaded:
        arrival = received[newest.sha256].tz_localize("UTC").tz_convert("Europe/Stockholm")
        days_late = (arrival.tz_localize(None).normalize() - pd.Timestamp(deadline)).days
        questionnaires = sum(submission_of(facts, d)["n_questionnaires"] for d in loaded)
    return {
        "state": "delivered" if loaded else "waiting" if own else "missing",
        "first_received": min(received.values()).to_pydatetime() if own else None,
        "received": received[newest.sha256].to_pydatetime() if own else None,
        "days_late": days_late,
        "n_deliveries": len(own),
        "n_replaced": len([d for d in own if d.state == "replaced"]),
        "n_questionnaires": questionnaires,
    }


def merged_into(facts: Facts, association_id: str, round_: str) -> list[str]:
    """The associations that ended before the round, with all their municipalities going on here."""
    members = facts.register["memberships"]
    merged = []
    for other in sorted({m["association_id"] for m in members} - {association_id}):
        ends = {m["last_round"] for m in members if m["association_id"] == other}
        last = str(int(round_) - 1)
        if "" in ends or max(ends) != last:
            continue
        went = {
            m["municipality_code"]
            for m in members
            if (m["association_id"], m["last_round"]) == (other, last)
        }
        came = {
            m["municipality_code"]
            for m in members
            if (m["association_id"], m["first_round"]) == (association_id, round_)
        }
        if went <= came:
            merged.append(other)
    return merged


# ---- looking up ---------------------------------------------------------------------------


def covers(row: Row, year: int, first: str = "first_round", last: str = "last_round") -> bool:
    """Whether a row's years, both inclusive, hold the year; an empty end is open."""
    return int(row[first]) <= year and (not row[last] or year <= int(row[last]))


def one(rows: Table, **values: str) -> Row:
    """The only row with these values."""
    (found,) = [r for r in rows if all(r[name] == value for name, value in values.items())]
    return found


def has_activity(facts: Facts, questionnaire_id: str) -> bool:
    """Whether a questionnaire belongs to activities."""
    questionnaire = one(facts.seeds["questionnaires"], questionnaire_id=questionnaire_id)
    return questionnaire["has_activity"] == "true"
