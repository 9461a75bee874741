"""Every number on every page is the release's: the pages are parsed and compared with its CSV.

Belongs here: from workbooks by `nns run` to the pages, and back by a reader that knows only what a
release and a page look like. Does not: how pages look or whether all can use them
(test_report_pages.py).
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import frozen
import pytest
from lxml import html

from pipelines.workbook.sample import write_landing_zone

PROJECT = Path(__file__).parents[2]
ROUNDS = (2023, 2025)
ROUND = ROUNDS[-1]
LINES = {"Kvinnor": "K", "Män": "M", "Totalt": "T"}
GROUPS = {
    "Korta insatser": "kort",
    "Långa insatser": "lång",
    "Insatser riktade till individer": "individ",
    "Insatser riktade till struktur": "struktur",
}
WAYS = {
    "Till arbete": "work",
    "Till studier": "studies",
    "Till annan arbetslivsinriktad rehabilitering": "other_vocational",
    "Till medicinsk rehabilitering": "medical_rehab",
    "Till sjukersättning": "sickness_compensation",
    "Till annat": "other",
}
DECIMAL = re.compile(r"\d+,\d")
INDICATOR = "indikator"

Row = dict[str, str]
Rows = dict[tuple[str, ...], Row]
Cells = tuple[str, ...]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of the last of two rounds, between which a question was reworded."""
    folder = tmp_path_factory.mktemp("pages")
    write_landing_zone(folder / "raw", rounds=list(ROUNDS), associations=4, questionnaires=60)
    run = subprocess.run(
        frozen.nns("2026-02-01", "run"),
        cwd=PROJECT,
        env={**os.environ, "NNS_RAW": str(folder / "raw"), "NNS_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return folder / "home" / "published" / str(ROUND) / "1"


# --- the truth: the release's own tables --------------------------------------------------------


@cache
def table(release: Path, name: str) -> tuple[Row, ...]:
    path = release / "open" / "csv" / f"{name}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple(csv.DictReader(file, delimiter=";"))


@cache
def measures(release: Path) -> Rows:
    """All rounds' rows by round, level, unit, questionnaire, measure and gender."""
    key = ("round", "level", "unit_id", "questionnaire_id", "measure_id", "gender")
    return _of_all_rounds(release, "measure_results", key)


@cache
def indicators(release: Path) -> Rows:
    """All rounds' rows by round, level, unit, respondent group, indicator and gender."""
    key = ("round", "level", "unit_id", "respondent_group", "indicator_id", "gender")
    return _of_all_rounds(release, "indicator_results", key)


@cache
def outcomes(release: Path) -> Rows:
    """All years' rows by year, level, unit and gender."""
    return _of_all_rounds(release, "outcomes", ("round", "level", "unit_id", "gender"))


def _of_all_rounds(release: Path, name: str, key: tuple[str, ...]) -> Rows:
    folders = [release.parents[1] / str(round_) / "1" for round_ in ROUNDS]
    rows = [row for folder in folders for row in table(folder, name)]
    return {tuple(row[column] for column in key): row for row in rows}


def group_of(label: str) -> tuple[str, str]:
    """The comparable group that a label names: one of all workbooks, or a steward's own."""
    return "activity_group", GROUPS.get(label, label.replace(": ", "=", 1))


def number(text: str) -> str:
    return f"{int(text):,}".replace(",", "\u00a0")


def cells(row: Row | None, *, has_interval: bool) -> Cells:
    """What a table says of a row of the release: share, interval, answers."""
    if row is None:
        found = ("-", "", "-")
    elif row["status"] == "":
        interval = f"{row['ci_low']}–{row['ci_high']}" if has_interval else ""
        found = (row["share"], interval, number(row["n"]))
    elif row["status"] == "[]":
        found = (f"{row['bracket_low']}–{row['bracket_high']}", "", number(row["n"]))
    else:
        found = {".": (".", "", "0"), "..": ("..", "", "..")}[row["status"]]
    return found if has_interval else (found[0], found[2])


# --- the pages ----------------------------------------------------------------------------------


@cache
def page(path: Path) -> html.HtmlElement:
    return html.parse(str(path)).getroot()


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().replace("\u00a0", "~").split()).replace("~", "\u00a0")


def reports(release: Path) -> Iterator[tuple[str, str, Path]]:
    """Level, unit_id and the page of every report."""
    for folder in sorted((release / "site" / "rapporter").iterdir()):
        is_nation = folder.name == "riket"
        unit = ("nation", "0000") if is_nation else ("association", folder.name)
        yield *unit, folder / "index.html"


def topics(release: Path) -> Mapping[str, tuple[str, str]]:
    """Questionnaire and measure by what names a block on a page."""
    return {
        f"{row['questionnaire_id']}-{row['measure_id']}".replace("_", "-"): (
            row["questionnaire_id"],
            row["measure_id"],
        )
        for row in table(release, "measure_results")
    }


def blocks(release: Path, path: Path) -> Iterator[tuple[str, html.HtmlElement]]:
    """What names each block with figures, and the block."""
    for block in page(path).find_class("block"):
        assert block.get("id"), "a block without a name"
        yield block.get("id"), block


def body(table_: html.HtmlElement) -> Iterator[tuple[str, list[html.HtmlElement]]]:
    """The rows of a table with what heads them; a head of several rows heads each."""
    for group in table_.findall("tbody"):
        over = ""
        for row in group.findall("tr"):
            found = list(row)
            if found[0].get("scope") == "rowgroup":
                over = re.match(r"\d+", text(found.pop(0)))[0]  # type: ignore[index]
            yield over, found


def headed(table_: html.HtmlElement) -> list[str]:
    return [text(cell) for cell in table_.iterfind("thead/tr/th")]


# --- the tests ----------------------------------------------------------------------------------


def test_every_figure_of_every_trend_is_the_releases(release: Path) -> None:
    n_shown = n_hidden = 0
    for level, unit, path in reports(release):
        of_page = 0
        for name, block in blocks(release, path):
            (trend,) = block.xpath(".//table[thead/tr/th[1][.='Omgång']]")
            has_interval = "95 % intervall" in headed(trend)
            is_mean = name.startswith(INDICATOR)
            assert not (is_mean and has_interval)
            for round_, (head, *found) in body(trend):
                where = ("nation", "0000") if text(head) == "Riket" else (level, unit)
                gender = LINES.get(text(head), "T")
                if is_mean:
                    _, number_, group = name.split("-", 2)
                    key = (round_, *where, group.replace("-", "_"), number_, gender)
                    row = indicators(release).get(key)
                else:
                    row = measures(release).get((round_, *where, *topics(release)[name], gender))
                    assert has_interval or not (row and row["ci_low"])
                wanted = cells(row, has_interval=has_interval)
                assert tuple(map(text, found)) == wanted, (path, name, round_, text(head))
                n_shown += bool(row and row["status"] == "")
                n_hidden += bool(row and row["status"] == "..")
                of_page += 1
        assert of_page > 250, path
    assert n_shown > 500
    assert n_hidden > 300


def test_every_association_is_compared_with_its_own_figure(release: Path) -> None:
    names = {r["association_name"]: r["association_id"] for r in table(release, "associations")}
    short = {name.removeprefix("Samordningsförbundet "): unit for name, unit in names.items()}
    indicator_pages = sorted((release / "site" / "indikatorer").glob("*.html"))
    n_figures = 0
    for path in [*indicator_pages, *(path for *_, path in reports(release))]:
        for name, block in blocks(release, path):
            for compared in block.xpath(".//table[thead/tr/th[1][.='Förbund']]"):
                for _, (head, *found) in body(compared):
                    is_nation = text(head) == "Riket"
                    unit = ("nation", "0000") if is_nation else ("association", short[text(head)])
                    row = measures(release)[(str(ROUND), *unit, *topics(release)[name], "T")]
                    assert tuple(map(text, found)) == cells(row, has_interval=True), (path, name)
                    n_figures += 1
    assert n_figures > 300


def test_the_comparable_groups_are_the_releases(release: Path) -> None:
    path = release / "site" / "rapporter" / "riket" / "index.html"
    n_figures = 0
    for name, block in blocks(release, path):
        for grouped in block.xpath(".//table[thead/tr/th[1][.='Slag av insats']]"):
            has_interval = "95 % intervall" in headed(grouped)
            for _, (head, *found) in body(grouped):
                key = (str(ROUND), *group_of(text(head)), *topics(release)[name], "T")
                row = measures(release)[key]
                assert tuple(map(text, found)) == cells(row, has_interval=has_interval)
                n_figures += 1
    assert n_figures > 20


def test_every_indicators_means_are_the_releases(release: Path) -> None:
    groups = {
        "Deltagare": "participant",
        "Personal": "staff",
        "Styrelse": "board",
        "Chefsgrupp": "managers",
        "Remittenter": "referrer",
        "Alla grupper": "all",
    }
    n_figures = 0
    for level, unit, path in reports(release):
        for section in page(path).find_class("indicator"):
            indicator = section.find("h2").get("id").rpartition("-")[2]
            for summed in section.xpath("./table[thead/tr/th[1][.='Svarande']]"):
                for _, (head, *found) in body(summed):
                    key = (str(ROUND), level, unit, groups[text(head)], indicator)
                    answers = cells(indicators(release).get((*key, "T")), has_interval=False)[1]
                    wanted = [*by_gender(release, key), answers]
                    assert [text(cell) for cell in found] == wanted, (path, indicator)
                    n_figures += 1
        (short,) = page(path).xpath("//table[contains(caption, 'alla svarandegrupper')]")
        for _, (head, *found) in body(short):
            indicator = text(head).split()[0]
            key = (str(ROUND), level, unit, "all", indicator)
            assert [text(cell) for cell in found] == by_gender(release, key), (path, indicator)
            n_figures += (*key, "T") in indicators(release)
    assert n_figures > 150


def by_gender(release: Path, key: tuple[str, ...]) -> list[str]:
    """Women, men and the total; a point where nobody of a gender is told."""
    rows = [indicators(release).get((*key, gender)) for gender in "KMT"]
    return [cells(row, has_interval=False)[0] if row else "." for row in rows]


def test_volumes_and_response_rates_are_the_releases(release: Path) -> None:
    sheets = {r["sheet_name"]: r["questionnaire_id"] for r in table(release, "questionnaires")}
    rates = {
        (r["level"], r["unit_id"], r["questionnaire_id"]): r
        for r in table(release, "response_rates")
    }
    n_rates = 0
    for level, unit, path in reports(release):
        (volumes,) = page(path).xpath("//table[contains(caption, 'Inkomna svar')]")
        for _, (head, most, rate, *coverage) in body(volumes):
            questionnaire = sheets[text(head)]
            row = rates[level, unit, questionnaire]
            told = [
                int(found["n"])
                for key, found in measures(release).items()
                if key[:4] == (str(ROUND), level, unit, questionnaire)
                and key[-1] == "T"
                and found["n"]
            ]
            assert text(most) == (number(str(max(told))) if told else "..")
            wanted = row["response_rate"].removesuffix(",0") or "okänd"
            assert text(rate).removesuffix("\u00a0%") == wanted
            if level == "nation":
                reached = [row["n_associations_delivered"], row["n_associations_expected"]]
                assert text(coverage[0]) == " av ".join(reached)
            n_rates += wanted != "okänd"
    assert n_rates > 10


def test_every_activitys_page_tells_its_own_figures(release: Path) -> None:
    sheets = {r["sheet_name"]: r["questionnaire_id"] for r in table(release, "questionnaires")}
    labels = {(r["questionnaire_id"], r["label_sv"]): r for r in table(release, "questions")}
    n_figures = n_few = 0
    activities = [r for r in table(release, "activities") if r["round"] == str(ROUND)]
    for row in activities:
        folder = release / "site" / "rapporter" / row["association_id"] / "insatser"
        path = folder / f"{row['unit_id'].rpartition('/')[2].lower()}.html"
        own = row["association_id"]
        beside = {"Riket": ("nation", "0000"), short_name(release, own): ("association", own)}
        for profile in page(path).find_class("profile"):
            questionnaire = sheets[text(profile.find("h2"))]
            (figures,) = profile.iter("table")
            heads = headed(figures)
            for _, (head, *found) in body(figures):
                measure = labels[questionnaire, text(head)]["measure_id"]
                names = [name.removesuffix(", %") for name in heads[4:]]
                assert {group_of(name)[1] for name in names if name not in beside} == {
                    found["group_id"]
                    for found in table(release, "activity_groups")
                    if found["unit_id"] == row["unit_id"]
                }
                units = [beside.get(name, group_of(name)) for name in names]
                wanted = [*_at(release, ("activity", row["unit_id"]), questionnaire, measure)]
                wanted += [_at(release, unit, questionnaire, measure)[0] for unit in units]
                assert [text(cell) for cell in found] == wanted, (path, measure)
                n_figures += 1
        n_few += len(page(path).xpath("//h2[starts-with(., 'För få')]/following-sibling::ul/li"))
    assert n_figures > 50
    assert n_few > 10


def short_name(release: Path, association_id: str) -> str:
    """What an association is called beside others."""
    names = {r["association_id"]: r["association_name"] for r in table(release, "associations")}
    return names[association_id].removeprefix("Samordningsförbundet ")


def _at(release: Path, unit: tuple[str, str], questionnaire: str, measure: str) -> Cells:
    row = measures(release).get((str(ROUND), *unit, questionnaire, measure, "T"))
    return cells(row, has_interval=True)


def test_sentences_and_pictures_say_no_other_numbers(release: Path) -> None:
    """All decimals in a block's words, its pictures' words and alternative texts."""
    names = ("share", "ci_low", "ci_high", "bracket_low", "bracket_high", "target_share")
    told: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for (_, *key, gender), row in measures(release).items():
        found = {row[name] for name in names}
        found |= {row[name].lstrip("-") for name in ("change", "distance")}
        told[tuple(key)] |= found
        if key[0] == "nation" and gender == "T":
            told["", *key[2:]] |= found
    n_found = 0
    for level, unit, path in reports(release):
        for name, block in blocks(release, path):
            if not name.startswith(INDICATOR):
                topic = topics(release)[name]
                found = set(DECIMAL.findall(text(without_tables(block))))
                assert found <= told[level, unit, *topic] | told["", *topic], (path, name)
                n_found += len(found)
    assert n_found > 500


# --- outcomes -----------------------------------------------------------------------------------


def outcome_cells(row: Row | None) -> Cells:
    """A share of outcomes, its interval, and those who left without the early dropouts."""
    if row is None:
        return ("-", "", "-")
    return cells({**row, "share": row["positive_rate"], "n": row["leavers"]}, has_interval=True)


def sections_of_outcomes(
    release: Path,
) -> Iterator[tuple[str, str, str, html.HtmlElement]]:
    """Level, unit_id, the year told and the section of every report that has outcomes."""
    for level, unit, path in reports(release):
        (section,) = page(path).find_class("outcomes")
        years = [year for year, *where, _ in outcomes(release) if where == [level, unit]]
        assert bool(years) == bool(section.xpath(".//table")), path
        if years:
            yield level, unit, max(years), section


def test_outcomes_are_the_releases(release: Path) -> None:
    n_shown = n_ways = 0
    for level, unit, year, section in sections_of_outcomes(release):
        (told,) = section.xpath("./table[starts-with(caption, 'Deltaganden')]")
        assert text(told.find("caption")) == f"Deltaganden {year}"
        for _, (head, *found) in body(told):
            row = outcomes(release)[year, level, unit, LINES[text(head)]]
            share, interval, leavers = outcome_cells(row)
            counts = [number(row[n]) if row[n] else ".." for n in ("active", "ended", "positive")]
            wanted = [*counts[:2], leavers, counts[2], share, interval]
            assert [text(cell) for cell in found] == wanted, (unit, text(head))
            n_shown += row["status"] == ""
        for ways in section.xpath("./table[thead/tr/th[1][.='Väg ut']]"):
            for _, (head, *found) in body(ways):
                rows = [outcomes(release).get((year, level, unit, g), {}) for g in "KMT"]
                counts = [row.get(WAYS[text(head)], "") for row in rows]
                assert [text(c) for c in found] == [number(n) if n else ".." for n in counts]
                n_ways += 1
    assert n_shown > 2
    assert n_ways == len(WAYS)


def test_trends_comparisons_and_groups_of_outcomes_are_the_releases(release: Path) -> None:
    n_figures = 0
    names = {short_name(release, r["association_id"]): r["association_id"]
             for r in table(release, "associations")}  # fmt: skip
    for level, unit, year, section in sections_of_outcomes(release):
        for compared in section.xpath(".//table[thead/tr/th[1][.='Förbund']]"):
            for _, (head, *found) in body(compared):
                of = ("association", names.get(text(head), ""))
                where = ("nation", "0000") if text(head) == "Riket" else of
                row = outcomes(release)[(year, *where, "T")]
                assert tuple(map(text, found)) == outcome_cells(row)
                n_figures += 1
        for grouped in section.xpath(".//table[thead/tr/th[1][.='Slag av insats']]"):
            for _, (head, *found) in body(grouped):
                row = outcomes(release)[(year, *group_of(text(head)), "T")]
                assert tuple(map(text, found)) == outcome_cells(row)
                n_figures += 1
        (trend,) = section.xpath(".//table[thead/tr/th[1][.='År']]")
        for round_, (head, *found) in body(trend):
            where = ("nation", "0000") if text(head) == "Riket" else (level, unit)
            row = outcomes(release).get((round_, *where, LINES.get(text(head), "T")))
            assert tuple(map(text, found)) == outcome_cells(row), (unit, round_, text(head))
            n_figures += 1
    assert n_figures > 20


def test_what_is_said_of_outcomes_has_no_other_decimals(release: Path) -> None:
    names = ("positive_rate", "ci_low", "ci_high", "bracket_low", "bracket_high", "target_share")
    n_found = 0
    for level, unit, _, section in sections_of_outcomes(release):
        told = {
            row[name].lstrip("-")
            for key, row in outcomes(release).items()
            for name in (*names, "change", "distance")
            if key[1:3] in ((level, unit), ("nation", "0000"))
        }
        found = set(DECIMAL.findall(text(without_tables(section))))
        assert found <= told, unit
        n_found += len(found)
    assert n_found > 5


def without_tables(block: html.HtmlElement) -> html.HtmlElement:
    copied = html.fromstring(html.tostring(block))
    for found in copied.xpath(".//table"):
        found.drop_tree()
    return copied


def test_every_page_says_that_it_is_invented(release: Path) -> None:
    paths = sorted((release / "site").rglob("*.html"))
    assert len(paths) > 30
    for path in paths:
        (said,) = page(path).find_class("synthetic")
        assert "Påhittade uppgifter (synthetic)" in text(said)
