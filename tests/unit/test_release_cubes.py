"""PX and JSON-stat, read by other programs, give every cell of the content back.

The expected cells are made here from the table's rows, one by one, without the cube.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import OrderedDict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import px2csv
import pytest
from content import ROUND, content
from jsonstat_validator import validate_jsonstat
from jsonstat_validator.utils import JSONStatValidationError
from pyaxis import pyaxis
from pyjstat import pyjstat

from pipelines.release import jsonstat, px
from pipelines.release.table import Content

NAME = "participant_ending"
PLACES = ["0000", "0001", "0025", "exempelbygden", "ovrebygd"]
Cells = dict[tuple[str, str, str], Decimal | str]


def changed(found: Content, table: str, change: Any) -> Content:
    rows = tuple(sorted(change(found[table].rows), key=str))
    return replace(found, tables={**found.tables, table: replace(found[table], rows=rows)})


@pytest.fixture(scope="module")
def every_kind() -> Content:
    """The content, with a county that shows brackets and an association without women's answers.

    Of the questionnaires it has one, so the register study is left out.
    """

    def moved(all_rows: tuple[Any, ...]) -> Any:
        rows = [row for row in all_rows if row[3] == NAME]
        yield from rows
        for row in rows:
            if row[2] == "exempelbygden/A1" and row[6] == "T":
                yield (row[0], "county", "0025", *row[3:])
            if row[2] == "exempelbygden/A2":
                yield (row[0], "association", "ovrebygd", *row[3:6], "K", *row[7:])

    return changed(content(), "measure_results", moved)


def truth(found: Content) -> Cells:
    """The cells by contents, unit and gender: 2 measures, 5 units, 3 genders."""
    cells: Cells = {}
    for measure in ("1a", "2a"):
        for place in PLACES:
            for gender in "TKM":
                cells[f"{measure}_share", place, gender] = "."
                cells[f"{measure}_n", place, gender] = "."
    for row in found["measure_results"].records():
        if row["level"] in ("nation", "county", "association"):
            key = str(row["unit_id"]), str(row["gender"])
            share, n = {
                "": (row["share"], row["n"]),
                "..": ("..", ".."),
                "[]": ("..", row["n"]),
                ".": (".", 0),
            }[str(row["status"])]
            for column, value in (("share", share), ("n", n)):
                told = value if isinstance(value, str) else Decimal(str(value))
                cells[f"{row['measure_id']}_{column}", *key] = told
    return cells


@pytest.fixture(scope="module")
def px_file(every_kind: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("px")
    px.write(every_kind, folder)
    assert [p.name for p in (folder / "open" / "px").iterdir()] == [f"{NAME}.px"]
    return folder / "open" / "px" / f"{NAME}.px"


@pytest.fixture(scope="module")
def json_file(every_kind: Content, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("json")
    jsonstat.write(every_kind, folder)
    assert [p.name for p in (folder / "open" / "jsonstat").iterdir()] == [f"{NAME}.json"]
    return folder / "open" / "jsonstat" / f"{NAME}.json"


def test_the_content_has_every_kind_of_cell(every_kind: Content) -> None:
    cells = truth(every_kind)
    assert cells["1a_share", "0025", "T"] == ".."  # a bracket
    assert cells["1a_n", "0025", "T"] == Decimal(9)
    assert cells["1a_n", "ovrebygd", "T"] == ".."  # hidden
    assert cells["1a_share", "ovrebygd", "K"] == "."  # no answers
    assert cells["1a_n", "ovrebygd", "K"] == Decimal(0)
    assert cells["1a_share", "ovrebygd", "M"] == "."  # no such row
    assert cells["1a_share", "0000", "T"] == Decimal("84.2")
    assert len(cells) == 2 * 2 * 5 * 3


# --- PX -----------------------------------------------------------------------------------------


def read_with_pyaxis(file: Path, language: str | None, names: list[str]) -> Cells:
    read = pyaxis.parse(str(file), encoding="utf-8", lang=language)
    codes = {
        name: dict(
            zip(
                read["METADATA"][f"VALUES({name})"], read["METADATA"][f"CODES({name})"], strict=True
            )
        )
        for name in names
    }
    cells: Cells = {}
    for row in read["DATA"].to_dict("records"):
        *key, period = (codes[name][row[name]] for name in names)
        assert period == str(ROUND)
        value = row["DATA"]
        signs = {"": ".", "nan": ".."}
        cells[tuple(key)] = signs.get(str(value)) or Decimal(value)
    assert len(cells) == len(read["DATA"])
    return cells


def test_pyaxis_reads_every_cell_back(px_file: Path, every_kind: Content) -> None:
    names = ["Innehåll", "Förbund", "Kön", "Mätomgång"]
    assert read_with_pyaxis(px_file, None, names) == truth(every_kind)


def test_pyaxis_reads_every_cell_back_under_english_labels(
    px_file: Path, every_kind: Content
) -> None:
    names = ["Contents", "Association", "Gender", "Round"]
    assert read_with_pyaxis(px_file, "en", names) == truth(every_kind)


def test_px2csv_reads_every_cell_back(px_file: Path, every_kind: Content, tmp_path: Path) -> None:
    px2csv.convert(str(px_file), str(tmp_path / "read.csv"), include_codes=True)
    cells: Cells = {}
    with (tmp_path / "read.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = row["Innehåll_code"], row["Förbund_code"], row["Kön_code"]
            assert row["Mätomgång_code"] == str(ROUND)
            cells[key] = {"": ".", '".."': ".."}.get(row["value"]) or Decimal(row["value"])
    assert cells == truth(every_kind)


def test_a_px_file_is_utf_8_with_windows_line_ends(px_file: Path) -> None:
    text = px_file.read_bytes().decode("utf-8")
    assert text.startswith('CHARSET="ANSI";\r\n')
    assert 'CODEPAGE="utf-8";\r\n' in text
    assert text.count("\r\n") == text.count("\n") == text.count("\r")
    assert text.endswith("\r\n;\r\n")


def test_a_px_file_has_every_needed_keyword_in_both_languages_and_data_last(px_file: Path) -> None:
    lines = px_file.read_text(encoding="utf-8").splitlines()
    assert lines.index("DATA=") + 2 * 2 * 5 * 3 + 2 == len(lines)
    keywords = {line.partition("=")[0] for line in lines}
    assert keywords >= {"MATRIX", "SUBJECT-CODE", "DECIMALS", "STUB", "HEADING", "CONTVARIABLE"}
    for keyword in ("SUBJECT-AREA", "CONTENTS", "UNITS", "TITLE", "SOURCE", "CONTACT", "NOTE"):
        assert {keyword, f"{keyword}[en]"} <= keywords


def test_no_text_of_a_px_file_breaks_its_quotes(px_file: Path) -> None:
    head = px_file.read_text(encoding="utf-8").partition("DATA=")[0]
    outside = "".join(head.split('"')[::2])
    assert "HYPERLINK" not in outside
    assert "=HYPERLINK('http://x')" in head


def test_a_note_that_is_always_shown_says_synthetic_when_it_is(tmp_path: Path) -> None:
    for is_synthetic in (True, False):
        px.write(content(is_synthetic), tmp_path)
        text = (tmp_path / "open" / "px" / f"{NAME}.px").read_text(encoding="utf-8")
        assert ('NOTEX="Påhittade uppgifter (synthetic)' in text) is is_synthetic
        assert ("synthetic" in text) is is_synthetic


# --- JSON-stat ----------------------------------------------------------------------------------


def read_with_pyjstat(file: Path, what: str) -> dict[tuple[str, str, str], Any]:
    dataset = pyjstat.Dataset.read(file.read_text(encoding="utf-8"))
    with pytest.warns(DeprecationWarning):
        frame = dataset.write("dataframe", naming="id", value=what).astype(object)
    assert set(frame["Tid"]) == {str(ROUND)}
    keys = zip(frame["ContentsCode"], frame["Forbund"], frame["Kon"], strict=True)
    return dict(zip(keys, frame[what], strict=True))


def test_pyjstat_reads_every_cell_back(json_file: Path, every_kind: Content) -> None:
    values = read_with_pyjstat(json_file, "value")
    statuses = read_with_pyjstat(json_file, "status")
    cells = {
        key: status if isinstance(status, str) else Decimal(str(values[key]))
        for key, status in statuses.items()
    }
    assert cells == truth(every_kind)
    assert {key for key, value in values.items() if value == value} == {
        key for key, cell in truth(every_kind).items() if isinstance(cell, Decimal)
    }


def test_jsonstat_validator_finds_the_dataset_valid(json_file: Path) -> None:
    assert validate_jsonstat(json.loads(json_file.read_text(encoding="utf-8")))


def test_jsonstat_validator_finds_a_wrong_size(json_file: Path) -> None:
    dataset = json.loads(json_file.read_text(encoding="utf-8"))
    dataset["size"][1] += 1
    with pytest.raises(JSONStatValidationError, match="Forbund"):
        validate_jsonstat(dataset)


def test_a_dataset_says_its_roles_units_notes_and_english_labels(json_file: Path) -> None:
    dataset = json.loads(
        json_file.read_text(encoding="utf-8"), object_pairs_hook=OrderedDict[str, Any]
    )
    assert dataset["role"] == {"metric": ["ContentsCode"], "geo": ["Forbund"], "time": ["Tid"]}
    units = dataset["dimension"]["ContentsCode"]["category"]["unit"]
    assert units["1a_share"] == {"label": "procent", "decimals": 1}
    assert units["1a_n"] == {"label": "antal", "decimals": 0}
    assert dataset["note"] == [
        "Påhittade uppgifter (synthetic): får inte användas som statistik.",
        ".. = visas inte, eller intervall i CSV, Parquet och Excel",
        ". = inga svar, eller redovisas inte för sig",
    ]
    assert dataset["extension"]["synthetic"] is True
    english = dataset["extension"]["en"]["dimension"]
    for name, dimension in dataset["dimension"].items():
        index = list(dimension["category"]["index"])
        assert list(english[name]["category"]["label"]) == index
        assert list(dimension["category"]["label"]) == index
    assert english["Kon"]["category"]["label"] == {"T": "Total", "K": "Women", "M": "Men"}


def test_nothing_says_synthetic_of_real_data(tmp_path: Path) -> None:
    jsonstat.write(content(is_synthetic=False), tmp_path)
    text = (tmp_path / "open" / "jsonstat" / f"{NAME}.json").read_text(encoding="utf-8")
    assert json.loads(text)["extension"]["synthetic"] is False
    assert "(synthetic)" not in text


# --- the cube -----------------------------------------------------------------------------------


def labels_of(file: Path, dimension: str) -> dict[str, str]:
    read: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))["dimension"][dimension][
        "category"
    ]["label"]
    return read


def test_the_nation_comes_first_then_counties_then_associations(json_file: Path) -> None:
    assert labels_of(json_file, "Forbund") == {
        "0000": "Riket",
        "0001": "Stockholms län",
        "0025": "Norrbottens län",
        "exempelbygden": "Exempelbygdens samordningsförbund",
        "ovrebygd": '=HYPERLINK("http://x")',
    }
    assert list(labels_of(json_file, "Forbund")) == PLACES


def test_contents_are_named_by_measure_and_figure(json_file: Path) -> None:
    assert labels_of(json_file, "ContentsCode") == {
        "1a_share": "Stödet är till stor nytta, andel (%)",
        "1a_n": "Stödet är till stor nytta, antal svar",
        "2a_share": "Får vara med och bestämma, andel (%)",
        "2a_n": "Får vara med och bestämma, antal svar",
    }


def test_the_tenth_measure_comes_after_the_second(tmp_path: Path) -> None:
    renamed = content()
    for table, column in (("measure_results", 4), ("measures", 0)):
        renamed = changed(
            renamed,
            table,
            lambda rows, c=column: [
                (*r[:c], "10a" if r[c] == "1a" else r[c], *r[c + 1 :]) for r in rows
            ],
        )
    jsonstat.write(renamed, tmp_path)
    read = labels_of(tmp_path / "open" / "jsonstat" / f"{NAME}.json", "ContentsCode")
    assert list(read) == ["2a_share", "2a_n", "10a_share", "10a_n"]


def test_units_of_the_same_name_are_told_apart_by_their_codes(
    every_kind: Content, tmp_path: Path
) -> None:
    namesakes = changed(
        every_kind, "associations", lambda rows: [(r[0], "Namnlika", r[2]) for r in rows]
    )
    px.write(namesakes, tmp_path)
    file = tmp_path / "open" / "px" / f"{NAME}.px"
    names = ["Innehåll", "Förbund", "Kön", "Mätomgång"]
    assert 'VALUES("Förbund")="Riket",' in file.read_text(encoding="utf-8")
    assert '"Namnlika (exempelbygden)"' in file.read_text(encoding="utf-8")
    assert read_with_pyaxis(file, None, names) == truth(every_kind)


def test_a_questionnaire_has_its_own_file(tmp_path: Path) -> None:
    two = changed(
        content(),
        "measure_results",
        lambda rows: [(*r[:3], "staff", *r[4:]) if r[4] == "2a" else r for r in rows],
    )
    two = changed(
        two,
        "questionnaires",
        lambda rows: [*rows, ("staff", "staff", "Personal", "Staff", 2017, None, "questionnaire")],
    )
    px.write(two, tmp_path)
    jsonstat.write(two, tmp_path)
    assert sorted(p.name for p in (tmp_path / "open" / "px").iterdir()) == [
        f"{NAME}.px",
        "register_study.px",
        "staff.px",
    ]
    read = labels_of(tmp_path / "open" / "jsonstat" / "staff.json", "ContentsCode")
    assert list(read) == ["2a_share", "2a_n"]


def test_the_same_content_gives_the_same_bytes_in_any_environment(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]; from pathlib import Path\n"
        "from content import content\n"
        "from pipelines.release import catalogue, jsonstat, px\n"
        "[f.write(content(), Path(sys.argv[1])) for f in (catalogue, jsonstat, px)]"
    )
    tests = Path(__file__).parents[1]
    hashes = set()
    for seed, zone, language in (("1", "UTC", "C"), ("2", "Asia/Tokyo", "sv_SE.UTF-8")):
        folder = tmp_path / seed
        subprocess.run(
            [sys.executable, "-c", program, str(folder), str(tests), str(tests.parent)],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language},
            check=True,
        )
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        assert len(files) == 5
        hashes.add(hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest())
    assert len(hashes) == 1
