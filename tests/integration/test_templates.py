"""Templates in use: opened and recalculated by LibreOffice, filled in, loaded, and coloured."""

import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import openpyxl
import pytest
from openpyxl.formula.translate import Translator
from openpyxl.utils import get_column_letter, range_boundaries

from pipelines import checking, lake, loading, register
from pipelines import instrument as instruments
from pipelines.settings import Settings
from pipelines.workbook import template
from pipelines.workbook.read import read_workbook
from pipelines.workbook.sample import write_landing_zone

PROJECT = Path(__file__).parents[2]
INSTRUMENT = instruments.load()
ROUND = 2027
SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
LAYOUTS = INSTRUMENT.layouts[INSTRUMENT.rounds[ROUND].layout_id]
QUESTIONNAIRES = {layout.sheet_name: layout.questionnaire_id for layout in LAYOUTS.values()}
RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""
"""LibreOffice's setting to count every formula anew, whatever value is stored beside it."""


def recalculated(paths: list[Path], folder: Path) -> dict[str, Path]:
    """The workbooks as LibreOffice saves them, by name."""
    if SOFFICE is None:
        pytest.skip("LIBREOFFICE IS MISSING: nothing says that templates work in it")
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(RECALCULATE)
    subprocess.run(
        [
            SOFFICE,
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(folder),
            *map(str, paths),
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return {path.name: folder / path.name for path in paths}


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A landing zone with the round before loaded, and invented answers of the round beside it."""
    folder = tmp_path_factory.mktemp("zone")
    settings = Settings(folder / "raw", folder / "home")
    write_landing_zone(settings.raw, rounds=[ROUND - 1, ROUND], associations=6, questionnaires=40)
    (settings.raw / str(ROUND)).rename(folder / "answers")
    loading.load(settings, [ROUND - 1], INSTRUMENT, register.read(settings.raw))
    return settings


@pytest.fixture(scope="module")
def templates(zone: Settings) -> list[Path]:
    out = zone.raw.parent / "mallar"
    written = template.write_templates(zone, register.read(zone.raw), ROUND, out)
    assert len(written.new) == 6
    return list(written.new)


@pytest.fixture(scope="module")
def opened(templates: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return recalculated(templates, tmp_path_factory.mktemp("opened"))


@pytest.fixture(scope="module")
def filled(templates: list[Path], zone: Settings) -> list[Path]:
    """The templates filled in by hand, as it were: the sample's answers, spelled in all ways."""
    folder = zone.raw.parent / "ifyllda"
    folder.mkdir()
    for path in templates:
        answers = openpyxl.load_workbook(zone.raw.parent / "answers" / path.name)
        book = openpyxl.load_workbook(path)
        for title in ("Insatser", *QUESTIONNAIRES):
            if title in answers.sheetnames:
                _fill(book[title], answers[title], Random(path.name + title))
        book.save(folder / path.name)
    return [folder / path.name for path in templates]


@pytest.fixture(scope="module")
def saved(filled: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The filled templates as LibreOffice saves them, by name."""
    return recalculated(filled, tmp_path_factory.mktemp("saved"))


def _fill(page, answers, random: Random) -> None:
    columns = {cell.value: cell.column for cell in page[1]}
    names = [cell.value for cell in answers[1]]
    for row in answers.iter_rows(min_row=2):
        for name, cell in zip(names, row, strict=True):
            question = INSTRUMENT.questions.get(name)
            target = page.cell(cell.row, columns[name])
            if cell.value is None or cell.row == 2 and page.title in QUESTIONNAIRES:
                continue
            target.value = cell.value
            if question:
                scale = {c.code: c.label_sv for c in INSTRUMENT.scales[question.scale_id]}
                text = str(cell.value).split()[0]
                code = int(text) if text.isdigit() else {v: k for k, v in scale.items()}[cell.value]
                ways = (code, scale[code], f"{code} {scale[code]}", str(code), scale[code].upper())
                target.value = random.choice(ways)


def state_of(book: openpyxl.Workbook) -> tuple[str, dict[str, tuple[int, int, int]]]:
    """The sentence of how it stands, and per sheet the rows filled in, wrong and missing cells."""
    rows = [[c.value for c in row] for row in book["Läs mig"].iter_rows(max_col=5)]
    state = next(row[2] for row in rows if row[0] == "Läget")
    return state, {r[0]: tuple(r[2:]) for r in rows if r[0] in ("Insatser", *QUESTIONNAIRES)}


def errors_in(book: openpyxl.Workbook) -> list[str]:
    cells = (c for page in book for row in page.iter_rows() for c in row)
    return [f"{c.parent.title} {c.coordinate}" for c in cells if c.data_type == "e"]


# --- opened and recalculated --------------------------------------------------------------------


def test_every_template_opens_in_libreoffice_with_all_that_it_has(templates, opened):
    for path in templates:
        before, after = openpyxl.load_workbook(path), openpyxl.load_workbook(opened[path.name])
        assert after.sheetnames == before.sheetnames
        assert {n for n in after.defined_names} >= set(before.defined_names)
        for page in before:
            twin = after[page.title]
            assert twin.sheet_state == page.sheet_state
            assert twin.protection.sheet == page.protection.sheet
            assert _covered(twin.data_validations.dataValidation) == _covered(
                page.data_validations.dataValidation
            )
            assert len(list(twin.conditional_formatting)) >= bool(page.conditional_formatting)


def _covered(validations) -> Counter:
    """How many cells each kind of check covers; dropdowns by their list."""
    kinds = Counter()
    for rule in validations:
        if rule.type == "list":
            for area in str(rule.sqref).split():
                first, top, last, bottom = range_boundaries(area)
                kinds[rule.formula1] += (last - first + 1) * (bottom - top + 1)
    return kinds


def test_every_template_says_that_nothing_is_filled_in_and_has_no_error(opened):
    for path in opened.values():
        book = openpyxl.load_workbook(path, data_only=True)
        state, counts = state_of(book)
        n_activities = sum(c.value is not None for c in book["Insatser"]["A"]) - 1
        assert counts.pop("Insatser") == (n_activities, 0, 0)
        assert set(counts) == set(QUESTIONNAIRES)
        assert set(counts.values()) == {(0, 0, 0)}
        assert state == "Inga enkäter registrerade än"
        assert errors_in(book) == []


def test_the_stored_values_are_those_that_are_counted(templates, opened):
    """Who opens a template without counting anew, as LibreOffice does, sees the same."""
    for path in templates:
        stored = openpyxl.load_workbook(path, data_only=True)
        counted = openpyxl.load_workbook(opened[path.name], data_only=True)
        assert state_of(stored) == state_of(counted)
        rows = zip(stored["Listor"].iter_rows(), counted["Listor"].iter_rows(), strict=True)
        assert [
            (a.coordinate, a.value, b.value)
            for row, twin in rows
            for a, b in zip(row, twin, strict=False)
            if (a.value or "") != (b.value or "")
        ] == []


# --- from the command line ----------------------------------------------------------------------


def nns(zone: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    folders = ["--raw", str(zone.raw), "--home", str(zone.home)]
    command = [sys.executable, "-m", "pipelines.cli", "template", *arguments, *folders]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)


def test_the_command_says_how_many_where_and_what_to_do_next(zone, tmp_path):
    out = tmp_path / "mallar"
    run = nns(zone, "--round", str(ROUND), "--out", str(out))
    assert run.returncode == 0, run.stderr
    assert f"6 nya mallar för mätomgång {ROUND} i {out}." in run.stdout
    assert "påhittat" in run.stdout
    assert f"Nästa steg: Skicka varje mall till sitt förbund. Lägg de ifyllda i {zone.raw}" in (
        run.stdout
    )
    again = nns(zone, "--round", str(ROUND), "--out", str(out), "--association", "testskogen")
    assert (again.returncode, again.stdout.split(" för ")[0]) == (0, "1 fanns redan")
    (out / f"testskogen_{ROUND}.xlsx").write_bytes(b"filled in")
    refused = nns(zone, "--round", str(ROUND), "--out", str(out))
    assert refused.returncode == 2
    assert "inte skrivs över" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_command_says_when_nothing_is_carried_over(zone, tmp_path):
    fresh = Settings(zone.raw, tmp_path / "home")
    run = nns(fresh, "--round", str(ROUND), "--out", str(tmp_path / "mallar"))
    assert run.returncode == 0, run.stderr
    assert "Inga insatser följde med, för ingen tidigare omgång är inläst." in run.stdout


@pytest.mark.parametrize("given", [["--round", "2027"], ["--out", "mallar"]])
def test_the_command_asks_for_what_is_left_out(given, zone):
    run = nns(zone, *given)
    assert run.returncode == 2
    assert "saknas: ange" in run.stderr


# --- filled in and loaded -----------------------------------------------------------------------


def delivered(zone: Settings, files: list[Path], home: Path) -> tuple[lake.Manifest, list]:
    """What becomes of the files when they are delivered: the manifest, and all findings."""
    settings = Settings(home / "raw", home / "home")
    shutil.copytree(zone.raw, settings.raw)
    folder = settings.raw / str(ROUND)
    folder.mkdir()
    for path in files:
        shutil.copy(path, folder / path.name)
    known, rounds = register.read(settings.raw), [ROUND - 1, ROUND]
    loading.load(settings, rounds, INSTRUMENT, known)
    checking.check_rounds(settings, rounds, INSTRUMENT, known, date(ROUND, 11, 1))
    manifest = lake.read_manifest(settings)
    found = [f for d in manifest.present(ROUND) for f in lake.findings_of(settings, d)]
    return manifest, found


def expected_rows(zone: Settings) -> dict[str, Counter]:
    counts = {}
    for path in (zone.raw.parent / "answers").iterdir():
        book = openpyxl.load_workbook(path)
        sheets = {t: book[t].max_row - 2 for t in book.sheetnames if t in QUESTIONNAIRES}
        counts[path.name] = Counter({QUESTIONNAIRES[t]: n for t, n in sheets.items()})
    return counts


@pytest.mark.parametrize("saved_by", ["openpyxl", "libreoffice"])
def test_a_filled_template_loads_with_no_finding_at_all(saved_by, zone, request, tmp_path):
    files = request.getfixturevalue("filled" if saved_by == "openpyxl" else "saved")
    files = files if saved_by == "openpyxl" else list(files.values())
    manifest, found = delivered(zone, files, tmp_path)
    assert found == []
    rows = expected_rows(zone)
    assert len(rows) == 6
    for delivery in manifest.counting(ROUND):
        assert delivery.rows_per_questionnaire == rows.pop(Path(delivery.file).name)
    assert rows == {}


def test_a_filled_template_counts_its_rows_and_sees_nothing_wrong(zone, saved):
    rows = expected_rows(zone)
    for name, path in saved.items():
        book = openpyxl.load_workbook(path, data_only=True)
        state, counts = state_of(book)
        assert errors_in(book) == []
        counts.pop("Insatser")
        assert {QUESTIONNAIRES[t]: n for t, (n, _, _) in counts.items() if n} == rows[name]
        assert {wrong for _, wrong, _ in counts.values()} == {0}
        missing = sum(missing for _, _, missing in counts.values())
        assert state == f"{missing} tomma celler att se över"


def test_a_template_with_every_question_answered_says_that_all_is_well(templates, tmp_path):
    book = openpyxl.load_workbook(templates[0])
    for title in QUESTIONNAIRES:
        for cell in book[title][1]:
            if cell.value != "kommentar":
                book[title].cell(3, cell.column).value = _sound(cell.value, title)
    path = tmp_path / "full.xlsx"
    book.save(path)
    saved = recalculated([path], tmp_path / "saved")[path.name]
    state, counts = state_of(openpyxl.load_workbook(saved, data_only=True))
    assert state == "Allt ser bra ut"
    assert {counts[title] for title in QUESTIONNAIRES} == {(1, 0, 0)}


def _sound(column: str, title: str):
    """Something acceptable for a column; activities only where the questionnaire has them."""
    has_activity = INSTRUMENT.questionnaires[QUESTIONNAIRES[title]].has_activity
    plain = {"lopnr": 1, "insats_kod": "A1" if has_activity else None, "kon": "K"}
    return plain.get(column, date(ROUND, 9, 21) if column == "svarsdatum" else 2)


# --- wrong and missing cells --------------------------------------------------------------------

ACCEPTED = {
    "ending_1a": [
        1,
        6,
        "3",
        "3 Ibland",
        "ofta",
        " 4 ",
        "FÖR  DET MESTA",
        "6\u00a0Alltid",
        "4\nOfta",
    ],
    "kon": ["K", "kvinna", "M", "Man ", "a", "Annat"],
    "svarsdatum": [date(2027, 9, 21), "2027-09-21", " 2027-10-01 "],
    "insats_kod": ["A1", "a1", " A2"],
}
REFUSED = {
    "ending_1a": [
        0,
        7,
        -1,
        2.5,
        "7",
        "?",
        "*",
        "~",
        "3 Ofta",
        "Oft",
        "2.0",
        "=1/0",
        "x" * 300,
        ">0",
    ],
    "kon": ["Q", "kv", 1, "*", "Kvinna Man"],
    "svarsdatum": ["21/9 2027", "2027-02-30", "i går", 20270921, "2027", "=1/0", "2027-13-01"],
    "insats_kod": ["ZZ", "A?", "A*", "A1 A2", 1],
}
ACTIVITIES = {
    "insats_kod": ([], ["A1", "a1 "]),
    "inriktning": (["Individ", "STRUKTUR "], ["individer", "*"]),
    "langd": (["kort", "Lång"], ["lang", 1]),
    "utdelade_staff": ([0, 25, "25", " 7 "], [-1, 2.5, "2,5", "1e3", "tjugo", "=1/0"]),
}


@pytest.fixture(scope="module")
def pasted(templates, tmp_path_factory):
    """A template with pasted cells, its conditional formats written out as formulas, and counted.

    Gives the workbook as pasted, as counted, and for each sheet a function that tells the colours
    of a cell: which formulas of the conditional formats are true for it.
    """
    folder = tmp_path_factory.mktemp("pasted")
    book = openpyxl.load_workbook(templates[0])
    _paste(book["Deltagare avslut"], ACCEPTED, REFUSED, 3)
    split = ({c: pair[i] for c, pair in ACTIVITIES.items()} for i in (0, 1))
    _paste(book["Insatser"], *split, 10, {"insats_kod": lambda row: f"N{row}"})
    page = book["Deltagare avslut"]
    column = {cell.value: cell.column for cell in page[1]}
    page.cell(60, column["ending_6a"]).value = "2 Ja"
    page.cell(61, column["ending_6a"]).value = "nej"
    page.cell(62, column["ending_6a"]).value = "ja"
    page.cell(62, column["ending_6b"]).value = 3
    page.cell(63, column["lopnr"]).value = 7
    page.cell(64, column["kommentar"]).value = "Bra."
    book["Läs mig"]["H1"] = "=ROWS(lista_insatser)"
    places = {title: _write_out(book[title]) for title in ("Deltagare avslut", "Insatser")}
    book.save(folder / "pasted.xlsx")
    saved = recalculated([folder / "pasted.xlsx"], folder / "saved")["pasted.xlsx"]
    counted = openpyxl.load_workbook(saved, data_only=True)

    def colours(title: str, cell) -> set[str]:
        return {
            colour
            for colour, at in places[title].get(cell.column, ())
            if counted[title].cell(cell.row, at).value in (True, 1)
        }

    return book, counted, colours


def _paste(page, accepted, refused, first: int, others=None) -> None:
    """Accepted cells, then refused ones, one a row in each column."""
    for cell in list(page[1]):
        values = [*accepted.get(cell.value, ()), *refused.get(cell.value, ())]
        for row, value in enumerate(values, start=first):
            page.cell(row, cell.column).value = value
    for name, make in (others or {}).items():
        at = next(c.column for c in page[1] if c.value == name)
        for row in range(first, first + 12):
            if page.cell(row, at).value is None:
                page.cell(row, at).value = make(row)


def _write_out(page) -> dict[int, list[tuple[str, int]]]:
    """Puts the formula of each conditional format beside the cells; by column: colour and where."""
    names = {"FFF4B0A8": "red", "FFFFEB9C": "yellow"}
    places: dict[int, list[tuple[str, int]]] = {}
    at = page.max_column + 20
    for area in page.conditional_formatting:
        column, top, _, _ = range_boundaries(str(area.sqref))
        for rule in area.rules:
            at += 1
            origin = f"{get_column_letter(column)}{top}"
            places.setdefault(column, []).append((names[rule.dxf.fill.bgColor.rgb], at))
            for row in range(top, 70):
                moved = Translator(f"={rule.formula[0]}", origin=origin)
                target = f"{get_column_letter(column)}{row}"
                page.cell(row, at).value = moved.translate_formula(target)
    return places


@pytest.mark.filterwarnings("ignore:Cell .* is marked as a date")  # 20270921, as pasted
def test_what_the_reader_accepts_is_not_red_and_what_it_refuses_is(pasted):
    book, _, colours = pasted
    for title, first in (("Deltagare avslut", 3), ("Insatser", 10)):
        page = book[title]
        sets = (
            (ACCEPTED, REFUSED)
            if title != "Insatser"
            else (
                {c: pair[0] for c, pair in ACTIVITIES.items()},
                {c: pair[1] for c, pair in ACTIVITIES.items()},
            )
        )
        for cell in page[1]:
            accepted, refused = (s.get(cell.value, []) for s in sets)
            told = [
                (value, "red" in colours(title, page.cell(row, cell.column)))
                for row, value in enumerate([*accepted, *refused], start=first)
            ]
            assert [v for v, red in told[: len(accepted)] if red] == [], cell.value
            assert [v for v, red in told[len(accepted) :] if not red] == [], cell.value


def test_the_reader_agrees_with_the_colours(pasted, templates, tmp_path):
    """The tables above say what is accepted; so does the reader, cell by cell."""
    book = openpyxl.load_workbook(templates[0])
    page, as_pasted = book["Deltagare avslut"], pasted[0]["Deltagare avslut"]
    for row in as_pasted.iter_rows(min_row=3, max_row=40, max_col=5):
        for cell in row:
            page.cell(cell.row, cell.column).value = cell.value
    for row in range(41, 81):  # else most of a column is wrong, which is told once
        for cell in page[1][:5]:
            page.cell(row, cell.column).value = _sound(cell.value, page.title)
    book.save(tmp_path / "pasted.xlsx")
    reading = read_workbook(
        (tmp_path / "pasted.xlsx").read_bytes(),
        file="pasted.xlsx",
        sha256="",
        folder_round=ROUND,
        associations={templates[0].name.partition("_")[0]: None},
        instrument=INSTRUMENT,
    )
    refused = {
        f"{cell.column_letter}{3 + len(ACCEPTED[cell.value]) + n}"
        for cell in page[1]
        for n in range(len(REFUSED.get(cell.value, ())))
    }
    assert {f.cell for f in reading.findings if f.rule_id != "lopnr_missing"} == refused


def test_the_dropdown_of_activities_ends_with_the_last_of_them(pasted):
    book, counted, _ = pasted
    listed = [c.row for c in book["Insatser"]["A"][1:] if c.value is not None]
    assert counted["Läs mig"]["H1"].value == max(listed) - 1


def test_only_started_rows_and_wanted_cells_are_yellow(pasted):
    book, _, colours = pasted
    page = book["Deltagare avslut"]
    yellow = {
        row: {
            cell.value
            for cell in page[1]
            if "yellow" in colours(page.title, page.cell(row, cell.column))
        }
        for row in range(60, 66)
    }
    always = {cell.value for cell in page[1][: page.max_column] if cell.value} - {
        "kommentar", "ending_6a", "ending_6b", "ending_8a",
    }  # fmt: skip
    assert yellow[60] == always | {"ending_6b", "ending_8a"}
    assert yellow[61] == always
    assert yellow[62] == always | {"ending_8a"}
    assert yellow[63] == yellow[64] == yellow[65] == set()


def test_the_counts_are_those_of_the_coloured_cells(pasted):
    book, counted, colours = pasted
    state, counts = state_of(counted)
    for title in ("Deltagare avslut", "Insatser"):
        page = book[title]
        cells = (page.cell(r, c) for r in range(2, 70) for c in range(1, 24))
        seen = Counter(colour for cell in cells for colour in colours(title, cell))
        assert counts[title][1:] == (seen["red"], seen["yellow"])
        assert seen["red"] > 10
    totals = [sum(n[i] for n in counts.values()) for i in (1, 2)]
    assert state == f"{totals[0]} celler att rätta och {totals[1]} tomma celler att se över"
