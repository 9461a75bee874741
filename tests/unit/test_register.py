"""The register as associations' staff keep it: CSV of several makes, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.register import Membership, RegisterError, Target, read

ASSOCIATIONS = "association_id,association_name,county_code,agreement_from,agreement_to"
MEMBERSHIPS = "association_id,municipality_code,first_round,last_round"
TARGETS = "measure_id,indicator_id,level,unit_id,first_round,last_round,target_share"
NORR = "norr,Norra förbundet,01,2017,"

Files = dict[str, str | bytes]


@pytest.fixture
def landing_zone(tmp_path):
    """Writes a register of the given files beside one sound association; gives `raw/`."""

    def write(**files: str | bytes) -> Path:
        contents: Files = {"associations": f"{ASSOCIATIONS}\n{NORR}\n"} | files
        (tmp_path / "register").mkdir()
        for name, content in contents.items():
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / "register" / f"{name}.csv").write_bytes(data)
        return tmp_path

    return write


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_csv_may_have_a_bom_semicolons_and_either_line_end(landing_zone, bom, delimiter, newline):
    lines = [ASSOCIATIONS, NORR, "soder, Södra förbundet ,24,2018-03-01,2020-06-30", ""]
    text = bom + newline.join(lines).replace(",", delimiter)
    known = read(landing_zone(associations=text)).associations
    assert list(known) == ["norr", "soder"]
    soder = known["soder"]
    assert (soder.association_name, soder.county_code) == ("Södra förbundet", "24")
    assert (soder.agreement_from, soder.agreement_to) == (date(2018, 3, 1), date(2020, 6, 30))


def test_an_agreement_given_as_a_year_lasts_from_its_first_day_to_its_last(landing_zone):
    rows = f"{ASSOCIATIONS}\nnorr,Norr,01,2017,2020\nsoder,Söder,01,,\n"
    known = read(landing_zone(associations=rows)).associations
    assert known["norr"].agreement_from == date(2017, 1, 1)
    assert known["norr"].agreement_to == date(2020, 12, 31)
    assert (known["soder"].agreement_from, known["soder"].agreement_to) == (None, None)


@pytest.mark.parametrize(
    ("columns", "cells", "kind", "in_nation"),
    [
        ("", "", "", True),
        (",kind", ",", "", True),
        (",kind", ",kommun", "kommun", False),
        (",kind,in_nation", ",,", "", True),
        (",kind,in_nation", ",region,", "region", False),
        (",kind,in_nation", ",region,TRUE", "region", True),
        (",in_nation", ",false", "", False),
    ],
)
def test_an_organisation_of_another_kind_is_in_the_nation_only_when_it_says_so(
    landing_zone, columns, cells, kind, in_nation
):
    raw = landing_zone(associations=f"{ASSOCIATIONS}{columns}\n{NORR}{cells}\n")
    norr = read(raw).associations["norr"]
    assert (norr.kind, norr.in_nation) == (kind, in_nation)


def test_codes_are_text_and_an_empty_last_round_means_still(landing_zone):
    known = read(
        landing_zone(
            memberships=f"{MEMBERSHIPS}\nnorr,0114,2017,\nnorr,0127,2018,2020\n",
            targets=f"{TARGETS}\n1a,,nation,,2019,,72\n".replace("72", '"72,5"'),
        )
    )
    assert known.memberships == (
        Membership("norr", "0114", 2017, None),
        Membership("norr", "0127", 2018, 2020),
    )
    assert known.targets == (Target("1a", None, "nation", None, 2019, None, 72.5),)


def test_every_level_and_the_outcome_rate_may_have_a_target(landing_zone):
    units = {"nation": "0000", "county": "0001", "association": "norr", "activity": "norr/A/1"}
    rows = [f"1a,,{level},{unit},2019,,70" for level, unit in units.items()]
    rows += [f"1a,,activity_group,{group},2019,,70" for group in ("lång", "struktur", "form=IPS")]
    rows += [f"positive_rate,,{level},,2019,,30" for level in (*units, "activity_group")]
    known = read(landing_zone(targets="\n".join([TARGETS, *rows]))).targets
    assert [(t.level, t.unit_id) for t in known] == [
        *units.items(),
        *(("activity_group", group) for group in ("lång", "struktur", "form=IPS")),
        *((level, None) for level in (*units, "activity_group")),
    ]
    assert {t.measure_id for t in known[-5:]} == {"positive_rate"}


def test_a_register_that_is_not_there_is_empty(tmp_path):
    known = read(tmp_path)
    assert (known.associations, known.memberships, known.targets) == ({}, (), ())
    assert not known.is_synthetic


def test_the_register_says_when_it_is_invented(landing_zone):
    raw = landing_zone()
    assert not read(raw).is_synthetic
    (raw / "register" / "ORIGIN").write_text("synthetic\n", encoding="utf-8")
    assert read(raw).is_synthetic


@pytest.mark.parametrize(
    ("name", "content", "row", "says"),
    [
        ("associations", f"{ASSOCIATIONS}\n{NORR}\nsoder,Söder,99,2017,", 3, "länskoden 99"),
        ("associations", f"{ASSOCIATIONS}\n{NORR}\nsoder,Söder,1,2017,", 3, "länskoden 1 "),
        ("associations", f"{ASSOCIATIONS}\n{NORR}\n{NORR}", 3, "två gånger"),
        ("associations", f"{ASSOCIATIONS}\n{NORR}\n,Söder,01,2017,", 3, "association_id är tom"),
        ("associations", f"{ASSOCIATIONS}\nnorr,,01,2017,", 2, "association_name är tom"),
        ("associations", f"{ASSOCIATIONS}\nnorr,Norr,01,1/1 2017,", 2, "'1/1 2017' är inget datum"),
        ("associations", f"{ASSOCIATIONS}\nnorr,Norr,01,2017-02-30,", 2, "är inget datum"),
        ("associations", f"{ASSOCIATIONS}\nnorr,Norr,01,2017,år 1", 2, "'år 1' är inget årtal"),
        ("associations", f"{ASSOCIATIONS},in_nation\n{NORR},ja", 2, "in_nation är 'ja'"),
        ("memberships", f"{MEMBERSHIPS}\nsoder,0114,2017,", 2, "soder finns inte"),
        ("memberships", f"{MEMBERSHIPS}\nnorr,0114,2017,\nnorr,114,2017,", 3, "kommunkoden 114"),
        ("memberships", f"{MEMBERSHIPS}\nnorr,0114,17,", 2, "'17' är inget årtal"),
        ("memberships", f"{MEMBERSHIPS}\nnorr,0114,2017,nu", 2, "'nu' är inget årtal"),
        ("memberships", f"{MEMBERSHIPS}\nnorr,0114,２０１７,", 2, "är inget årtal"),
        ("targets", f"{TARGETS}\n1a,1,nation,,2019,,70", 2, "antingen measure_id eller"),
        ("targets", f"{TARGETS}\n,,nation,,2019,,70", 2, "antingen measure_id eller"),
        ("targets", f"{TARGETS}\n1a,,,,2019,,70", 2, "level är tom"),
        ("targets", f"{TARGETS}\n99z,,nation,,2019,,70", 2, "99z är inget mått"),
        ("targets", f"{TARGETS}\n,positive_rate,nation,,2019,,70", 2, "positive_rate är inget"),
        ("targets", f"{TARGETS}\n1a,,country,,2019,,70", 2, "nivån country är ingen av nation,"),
        ("targets", f"{TARGETS}\n1a,,nation,0001,2019,,70", 2, "0001 är ingen enhet"),
        ("targets", f"{TARGETS}\n1a,,county,01,2019,,70", 2, "skriv 00 och länskoden"),
        ("targets", f"{TARGETS}\n1a,,association,soder,2019,,70", 2, "finns inte i registret"),
        ("targets", f"{TARGETS}\n1a,,activity,soder/A1,2019,,70", 2, "soder/A1 är ingen enhet"),
        ("targets", f"{TARGETS}\n1a,,activity,norr,2019,,70", 2, "snedstreck och insatsens kod"),
        ("targets", f"{TARGETS}\n1a,,activity_group,korta,2019,,70", 2, "skriv individ, kort, "),
        ("targets", f"{TARGETS}\n1a,,activity_group,form=,2019,,70", 2, "form= är ingen enhet"),
    ],
)
def test_an_error_names_the_file_and_the_row(landing_zone, name, content, row, says):
    raw = landing_zone(**{name: content})
    with pytest.raises(RegisterError) as error:
        read(raw)
    message = str(error.value)
    assert message.startswith(f"{raw / 'register' / name}.csv, rad {row}: ")
    assert says in message


@pytest.mark.parametrize("name", ["associations", "memberships", "targets"])
def test_a_missing_column_is_named(landing_zone, name):
    raw = landing_zone(**{name: "association_id,measure_id\nnorr,1a\n"})
    with pytest.raises(RegisterError, match=rf"{name}\.csv: kolumnen \w+ saknas"):
        read(raw)


def test_a_file_in_another_encoding_is_refused(landing_zone):
    raw = landing_zone(associations=f"{ASSOCIATIONS}\n{NORR}\n".encode("latin-1"))
    with pytest.raises(RegisterError, match=r"associations\.csv: filen är inte sparad som UTF-8"):
        read(raw)


def test_a_merger_is_told_by_municipalities_that_all_go_on_in_the_new_association(landing_zone):
    associations = [ASSOCIATIONS, "a,A,01,,2020", "b,B,01,,2020", "c,C,01,2021,", "d,D,01,,2020"]
    memberships = [
        *(MEMBERSHIPS, "a,0114,2017,2020", "a,0115,2017,2018", "b,0117,2017,2020"),
        *("c,0114,2021,", "c,0117,2021,", "c,0120,2021,"),
        *("d,0114,2017,2020", "d,0136,2017,2020"),  # of which one went elsewhere
    ]
    raw = landing_zone(associations="\n".join(associations), memberships="\n".join(memberships))
    known = read(raw)
    assert known.predecessors("c") == {"a": 2021, "b": 2021}
    assert known.predecessors("a") == known.predecessors("d") == {}
