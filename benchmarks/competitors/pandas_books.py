"""A round from its workbooks to the measure mart in plain pandas, by the reader of one's choice.

Run: python pandas_books.py engine raw seeds questions.csv out.parquet report.json round …

Every sheet is read by pandas, all are put together and melted. Nothing is checked: a cell that is
not understood is passed over. Writes the seconds that each round took; imports left out.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
from pandas_mart import figures

KNOWN = ["round", "association_id", "questionnaire_id", "insats_kod", "kon"]


def mart(
    engine: str, folder: Path, raw: Path, seeds: Path, questions: pd.DataFrame
) -> pd.DataFrame:
    """The measure mart of the workbooks in a folder."""
    layouts = pd.read_csv(seeds / "layouts.csv", dtype=str)
    columns = pd.read_csv(seeds / "layout_columns.csv", dtype=str)
    activities, answers = [], []
    for path in sorted(folder.glob("*.xlsx")):
        book = pd.read_excel(path, sheet_name=None, header=None, engine=engine)
        told = book["Läs mig"].set_index(0)[1]
        unit = {"round": int(told["Mätomgång"]), "association_id": told["Förbund"]}
        listed = book["Insatser"]
        listed = listed[1:].set_axis(listed.iloc[0], axis=1)
        activities.append(listed[["insats_kod", "langd"]].assign(**unit))
        layout = layouts[layouts["layout_id"] == str(told["Layout"])]
        for sheet in layout.itertuples():
            if sheet.sheet_name in book:
                of_sheet = columns[
                    (columns["layout_id"] == sheet.layout_id)
                    & (columns["questionnaire_id"] == sheet.questionnaire_id)
                ]
                fields = of_sheet.set_index("column_name")["field"]
                rows = book[sheet.sheet_name]
                header = rows.iloc[int(sheet.header_row) - 1].map(fields)
                rows = rows[int(sheet.header_row) + 1 :].set_axis(header, axis=1)
                extra = {**unit, "questionnaire_id": sheet.questionnaire_id}
                rows = rows.drop(columns=["lopnr", "svarsdatum", "kommentar"])
                answers.append(rows.assign(**extra))
    facts = pd.read_csv(raw / "register" / "associations.csv", dtype=str)
    long = understood(pd.concat(answers, ignore_index=True), seeds, questions)
    long = long.merge(facts[["association_id", "county_code"]], on="association_id")
    units = ["round", "association_id", "insats_kod"]
    return figures(long.merge(pd.concat(activities), on=units, how="left"))


def understood(wide: pd.DataFrame, seeds: Path, questions: pd.DataFrame) -> pd.DataFrame:
    """The answers within their base, a row each; a cell holds a code, its label, or both."""
    spellings = pd.read_csv(seeds / "spellings.csv", dtype=str)
    genders = spellings[spellings["field"] == "kon"].set_index("spelling")["value"]
    wide = wide.assign(kon=wide["kon"].map(genders), respondent=wide.index)
    long = wide.melt([*KNOWN, "respondent"], var_name="question_id").dropna(subset="value")
    long = long.assign(value=long["value"].astype(str)).merge(questions, on="question_id")
    scales = pd.read_csv(seeds / "scales.csv")
    code, label = scales["code"].astype(str), scales["label_sv"]
    ways = [scales.assign(value=value) for value in (code, label, code + " " + label)]
    long = long.merge(pd.concat(ways)[["scale_id", "value", "code"]], on=["scale_id", "value"])
    bases = long[["respondent", "question_id", "code"]]
    bases = bases.set_axis(["respondent", "base_question_id", "base_code"], axis=1)
    long = long.merge(bases, on=["respondent", "base_question_id"], how="left")
    return long[long["base_positive"].isna() | (long["base_code"] >= long["base_positive"])]


def main(engine: str, rounds: list[str], *paths: Path) -> None:
    raw, seeds, questions, out, report = paths
    walls, marts = [], []
    for folder in (raw / round_ for round_ in rounds):
        started = time.perf_counter()
        marts.append(mart(engine, folder, raw, seeds, pd.read_csv(questions)))
        walls.append(time.perf_counter() - started)
    pd.concat(marts).to_parquet(out)
    report.write_text(json.dumps(walls), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[7:], *map(Path, sys.argv[2:7]))
