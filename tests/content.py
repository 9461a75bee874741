"""A small invented content of a release, made by hand: what format writers are tried on.

Belongs here: every kind of cell (shown, hidden, bracket, no answers, synthetic, å/ä/ö, a name that
looks like a formula, a negative change). Does not: real disclosure control or real marts.
"""

# ruff: noqa: E501

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pipelines.release import table
from pipelines.release.table import BRACKET, EMPTY, HIDDEN, SHOWN, Column, Content, Kind, Table
from pipelines.release.table import Value as Cell

ROUND = 2026

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(
        ["round", "n", "n_positive", "previous_round", "period", "count", "n_measures", "returned",
         "n_associations", "n_questionnaires", "n_associations_expected",
         "n_associations_delivered", "first_round", "last_round", "positive_min_code", "code",
         "first_year", "last_year", "min_answers", "publ_period", "active", "ended", "leavers",
         "positive", "work", "studies", "other_vocational", "medical_rehab", "sickness_compensation",
         "other", "dropout_months", "months_after", "n_items"],
        "integer",
    ),
    **dict.fromkeys(
        ["share", "bracket_low", "bracket_high", "ci_low", "ci_high", "share_previous", "change",
         "target_share", "distance", "positive_rate", "rate_previous", "value", "response_rate"],
        "decimal",
    ),
    **dict.fromkeys(["alpha", "alpha_low", "alpha_high", "item_total_mean", "stability"], "ratio"),
    **dict.fromkeys(["comparable", "change_significant", "is_synthetic", "is_answer", "is_divided_by_gender",
         "has_ou_data", "is_positive"], "boolean"),
    **dict.fromkeys(["first_day", "last_day", "opens", "closes", "prel_publication_date", "publication_date"], "date"),
}  # fmt: skip

_FIGURES = (
    "n n_positive share bracket_low bracket_high ci_low ci_high comparable previous_round "
    "share_previous change change_significant target_share distance reached status is_synthetic"
)
_TARGETED = "target_share distance reached "


def _table(
    name: str,
    columns: str,
    key: str,
    rows: list[tuple[Cell, ...]],
    references: dict[str, tuple[str, str]] | None = None,
) -> Table:
    names = columns.split()
    kinds: dict[str, Kind] = {**_KINDS, "period": "text"} if name == "outcomes" else _KINDS
    return Table(
        name=name,
        title_sv=f"Tabellen {name} på svenska.",
        title_en=f"The table {name} in English.",
        columns=tuple(
            Column(n, kinds.get(n, "text"), f"{n} på svenska.", f"{n} in English.") for n in names
        ),
        key=tuple(key.split()),
        references=references or {},
        rows=tuple(rows),
        has_figures="is_synthetic" in names,
    )


def _figures(
    n: int | None, n_positive: int | None, status: str, change: str = "-3.4"
) -> tuple[Cell, ...]:
    """The figures of a row; of a bracket n_positive stays unsaid."""
    if status == HIDDEN:
        return (*[None] * 15, status, True)
    if status == EMPTY:
        return (0, 0, *[None] * 13, status, True)
    assert n is not None
    if status == BRACKET:
        low, high = table.percent(n - 2, n), Decimal("100.0")
        return (n, None, None, low, high, *[None] * 10, status, True)
    assert n_positive is not None
    share = table.percent(n_positive, n)
    bounds = (max(share - 9, Decimal("0.0")), min(share + 9, Decimal("100.0")))
    earlier = (True, 2025, share - Decimal(change), Decimal(change), False)
    target = _against(share, *bounds, Decimal("80.0"))
    return (n, n_positive, share, None, None, *bounds, *earlier, *target, status, True)


def _against(share: Decimal, low: Decimal, high: Decimal, target: Decimal) -> tuple[Cell, ...]:
    """A target, the distance to it and whether it is reached."""
    reached = "reached" if low >= target else "not_reached" if high < target else "unclear"
    return target, share - target, reached


def _outcomes(
    counts: tuple[int, int, int, int] | None,
    ways_out: tuple[int | None, ...] = (None,) * 6,
    status: str = SHOWN,
) -> tuple[Cell, ...]:
    """The figures of a row of outcomes: active, ended, leavers and positive, then the ways out."""
    if counts is None:
        return (*[None] * 24, HIDDEN, HIDDEN, True)
    active, ended, leavers, positive = counts
    if status == BRACKET:
        range_ = (Decimal("0.0"), table.percent(2, leavers))
        told = (active, ended, leavers, *ways_out, None, None, *range_)
        return (*told, *[None] * 10, None, SHOWN, status, True)
    rate = table.percent(positive, leavers)
    bounds = (rate - 2, rate + 2)
    told = (active, ended, leavers, *ways_out, positive, rate, None, None, *bounds)
    earlier = (True, str(ROUND - 1), rate - 1, Decimal("1.0"), False)
    return (*told, *earlier, *_against(rate, *bounds, Decimal("30.0")), None, SHOWN, status, True)


def content(is_synthetic: bool = True) -> Content:
    """The content; `is_synthetic` False only for what is refused of invented data."""
    measure_rows = [
        (ROUND, level, unit, "participant_ending", measure, question, gender, *figures)
        for level, unit, gender, figures in [
            ("activity", "exempelbygden/A1", "K", _figures(None, None, HIDDEN)),
            ("activity", "exempelbygden/A1", "M", _figures(None, None, HIDDEN)),
            ("activity", "exempelbygden/A1", "T", _figures(9, 8, BRACKET)),
            ("activity", "exempelbygden/A2", "T", _figures(0, 0, EMPTY)),
            ("activity_group", "kort", "T", _figures(31, 20, SHOWN)),
            ("association", "exempelbygden", "K", _figures(24, 21, SHOWN)),
            ("association", "exempelbygden", "M", _figures(16, 14, SHOWN, "2.1")),
            ("association", "exempelbygden", "T", _figures(40, 35, SHOWN)),
            ("association", "ovrebygd", "T", _figures(None, None, HIDDEN)),
            ("county", "0001", "T", _figures(61, 50, SHOWN)),
            ("nation", "0000", "K", _figures(1034, 901, SHOWN)),
            ("nation", "0000", "M", _figures(812, 655, SHOWN)),
            ("nation", "0000", "T", _figures(1850, 1558, SHOWN, "0.0")),
        ]
        for measure, question in (("1a", "ending_1a"), ("2a", "ending_2a"))
    ]
    measure_rows += [
        (ROUND, level, unit, "register_study", "11b", "register_11b", gender, *figures)
        for level, unit, gender, figures in [
            ("association", "exempelbygden", "T", _figures(52, 30, SHOWN)),
            ("association", "ovrebygd", "T", _figures(None, None, HIDDEN)),
            ("nation", "0000", "K", _figures(410, 250, SHOWN)),
            ("nation", "0000", "M", _figures(300, 190, SHOWN)),
            ("nation", "0000", "T", _figures(712, 441, SHOWN)),
        ]
    ]
    names = "round level unit_id questionnaire_id measure_id question_id gender "
    key = "round level unit_id questionnaire_id measure_id gender"
    tables = [
        _table("measure_results", names + _FIGURES, key, sorted(measure_rows, key=lambda r: r[:5] + r[6:7]), {
            "questionnaire_id": ("questionnaires", "questionnaire_id"),
            "measure_id": ("measures", "measure_id"),
        }),
        _table(
            "indicator_results",
            "round level unit_id respondent_group indicator_id gender share n_measures n "
            + _TARGETED + "status is_synthetic",
            "round level unit_id respondent_group indicator_id gender",
            [
                (ROUND, "association", "exempelbygden", "participant", "1", "T", Decimal("87.5"), 2, 80, None, None, None, SHOWN, True),
                (ROUND, "association", "ovrebygd", "participant", "1", "T", None, None, None, None, None, None, HIDDEN, True),
                (ROUND, "nation", "0000", "participant", "1", "T", Decimal("84.2"), 2, 3700, Decimal("80.0"), Decimal("4.2"), "reached", SHOWN, True),
                (ROUND, "nation", "0000", "register", "11", "T", Decimal("61.9"), 1, 712, None, None, None, SHOWN, True),
            ],
            {"indicator_id": ("indicators", "indicator_id")},
        ),
        _table(
            "national_results",
            "round figure_kind figure_id answered_by gender indicator_id n_measures " + _FIGURES.replace("status", "n_associations n_questionnaires status"),
            "round figure_kind figure_id answered_by gender",
            [
                (ROUND, "measure", m, "participant_ending", "T", m[0], None, *_figures(1850, 1558, SHOWN)[:15], 2, 1900, SHOWN, True)
                for m in ("1a", "2a")
            ],
        ),
        _table(
            "key_figures",
            "kpi_id municipality_id period gender value count n_positive status association_ids is_synthetic",
            "kpi_id municipality_id period gender",
            [
                (kpi, municipality, ROUND, "T", *figures, True)
                for kpi in ("U40460", "U40461")
                for municipality, figures in [
                    ("0114", (table.percent(35, 40), 40, 35, SHOWN, "exempelbygden")),
                    ("0180", (table.percent(50, 61), 61, 50, SHOWN, "exempelbygden,ovrebygd")),
                    ("2084", (None, None, None, HIDDEN, "ovrebygd")),
                ]
            ],
            {
                "kpi_id": ("key_figure_definitions", "kpi_id"),
                "municipality_id": ("municipalities", "municipality_code"),
            },
        ),
        _table(
            "response_rates",
            "round level unit_id questionnaire_id returned response_rate n_associations_expected "
            "n_associations_delivered status is_synthetic",
            "round level unit_id questionnaire_id",
            [
                (ROUND, "association", "exempelbygden", "participant_ending", 41, Decimal("62.0"), 1, 1, SHOWN, True),
                (ROUND, "association", "ovrebygd", "participant_ending", None, None, 1, 1, HIDDEN, True),
                (ROUND, "nation", "0000", "participant_ending", 1900, Decimal("58.0"), 2, 2, SHOWN, True),
            ],
            {"questionnaire_id": ("questionnaires", "questionnaire_id")},
        ),
        _table(
            "outcomes",
            "round period source_id level unit_id gender active ended leavers work studies "
            "other_vocational medical_rehab sickness_compensation other positive positive_rate "
            "bracket_low bracket_high ci_low ci_high comparable previous_period rate_previous change "
            "change_significant " + _TARGETED + "dropout_months status_active status is_synthetic",
            "period level unit_id gender",
            [
                (ROUND, str(ROUND), "uppfoljning_finsam", level, unit, gender, *figures)
                for level, unit, gender, figures in [
                    ("activity", "exempelbygden/A1", "T", _outcomes(None)),
                    ("activity", "exempelbygden/A2", "T", _outcomes((30, 11, 9, 1), status=BRACKET)),
                    ("activity_group", "individ", "T", _outcomes((96, 60, 51, 17))),
                    ("activity_group", "kort", "T", _outcomes((60, 41, 35, 12))),
                    ("association", "exempelbygden", "K", _outcomes((75, 44, 40, 11))),
                    ("association", "exempelbygden", "M", _outcomes((64, 38, 33, 12))),
                    ("association", "exempelbygden", "T", _outcomes((140, 83, 74, 23))),
                    ("association", "ovrebygd", "T", _outcomes(None)),
                    ("county", "0001", "T", _outcomes((151, 90, 80, 25))),
                    ("nation", "0000", "K", _outcomes((7900, 4650, 4200, 1176), (830, 240, 106, 1500, 300, 1224))),
                    ("nation", "0000", "M", _outcomes((7100, 4400, 4010, 1363), (1020, 210, 133, 1380, 255, 1012))),
                    ("nation", "0000", "T", _outcomes((15030, 9062, 8219, 2543), (1851, 450, 242, 2883, None, 2237))),
                ]
            ],
            {"source_id": ("outcome_sources", "source_id")},
        ),
        _table(
            "extra_results",
            "round level unit_id questionnaire_id question_id gender label_sv "
            + _FIGURES.replace(_TARGETED, ""),
            "round level unit_id questionnaire_id question_id gender",
            [
                (ROUND, level, unit, "participant_ending", "bygga_bo", "T", "Har du fått någonstans att bo?", *figures[:12], *figures[15:])
                for level, unit, figures in [
                    ("activity", "exempelbygden/A1", _figures(None, None, HIDDEN)),
                    ("association", "exempelbygden", _figures(33, 20, SHOWN)),
                    ("association", "ovrebygd", _figures(9, 8, BRACKET)),
                    ("project", "byggprojektet", _figures(42, 28, SHOWN)),
                ]
            ],
            {"questionnaire_id": ("questionnaires", "questionnaire_id")},
        ),
        _table(
            "reliability",
            "round respondent_group indicator_id n_items alpha alpha_low alpha_high "
            "item_total_mean stability status is_synthetic",
            "round respondent_group indicator_id",
            [
                (ROUND, "participant", "1", 4, Decimal("0.87"), Decimal("0.85"), Decimal("0.90"), Decimal("0.71"), Decimal("0.40"), SHOWN, True),
                (ROUND, "participant", "2", 2, Decimal("-0.05"), Decimal("-0.31"), Decimal("0.20"), Decimal("0.10"), None, SHOWN, True),
                (ROUND, "staff", "1", 3, None, None, None, None, None, HIDDEN, True),
            ],
            {"indicator_id": ("indicators", "indicator_id")},
        ),
        _table("rounds", "round opens closes", "round", [(ROUND, date(2026, 9, 14), date(2026, 10, 25))]),
        _table(
            "questionnaires",
            "questionnaire_id respondent_group sheet_name label_en first_round last_round kind",
            "questionnaire_id",
            [("participant_ending", "participant", "Deltagare avslut", "Participants, ending", 2017, None, "questionnaire"),
             ("register_study", "register", "Registerstudie", "Register study", 2017, None, "register")],
        ),
        _table(
            "indicators",
            "indicator_id label_sv label_en kind orientation",
            "indicator_id",
            [("1", "Organiserat runt deltagarens behov", "Organised around needs", "process", "individ"),
             ("11", "Hållbar förändring", "Lasting change", "result", "individ"),
             ("2", "Ökat inflytande", "More influence", "process", "individ")],
        ),
        _table(
            "measures",
            "measure_id indicator_id label_sv label_en",
            "measure_id",
            [("1a", "1", "Stödet är till stor nytta", "The support is of great use"),
             ("11b", "11", "Indikator 11, mått b", "Indicator 11, measure b"),
             ("2a", "2", "Får vara med och bestämma", "Takes part in decisions")],
            {"indicator_id": ("indicators", "indicator_id")},
        ),
        _table(
            "questions",
            "question_id measure_id questionnaire_id scale_id positive_min_code first_round last_round label_sv",
            "question_id",
            [("ending_1a", "1a", "participant_ending", "frequency6", 5, 2017, None, "Stödet är till stor nytta"),
             ("ending_2a", "2a", "participant_ending", "frequency6", 5, 2017, None, "Får vara med och bestämma")],
            {"measure_id": ("measures", "measure_id"),
             "questionnaire_id": ("questionnaires", "questionnaire_id")},
        ),
        _table(
            "scales",
            "scale_id code label_sv label_en is_answer",
            "scale_id code",
            [("frequency6", code, *labels, True) for code, labels in enumerate(
                [("Aldrig", "Never"), ("Sällan", "Seldom"), ("Ibland", "Sometimes"), ("Ofta", "Often"),
                 ("För det mesta", "Mostly"), ("Alltid", "Always")], start=1)],
        ),
        _table(
            "associations",
            "association_id association_name county_code",
            "association_id",
            [("exempelbygden", "Exempelbygdens samordningsförbund", "01"),
             ("ovrebygd", '=HYPERLINK("http://x")', "01")],
            {"county_code": ("counties", "county_code")},
        ),
        _table(
            "memberships",
            "association_id municipality_code first_round last_round",
            "association_id municipality_code first_round",
            [("exempelbygden", "0114", 2017, 2020), ("exempelbygden", "0180", 2017, None),
             ("ovrebygd", "0180", 2017, None), ("ovrebygd", "2084", 2017, None)],
            {"association_id": ("associations", "association_id"),
             "municipality_code": ("municipalities", "municipality_code")},
        ),
        _table("counties", "county_code county_name", "county_code", [("01", "Stockholms län"), ("25", "Norrbottens län")]),
        _table(
            "municipalities",
            "municipality_code municipality_name county_code",
            "municipality_code",
            [("0114", "Upplands Väsby", "01"), ("0180", "Stockholm", "01"), ("2084", "Avesta", "25")],
            {"county_code": ("counties", "county_code")},
        ),
        _table(
            "activities",
            "round unit_id association_id inriktning langd",
            "round unit_id",
            [(ROUND, "exempelbygden/A1", "exempelbygden", "individ", "lång"),
             (ROUND, "exempelbygden/A2", "exempelbygden", "individ", "kort")],
            {"association_id": ("associations", "association_id")},
        ),
        _table(
            "activity_groups",
            "round unit_id group_id",
            "round unit_id group_id",
            [(ROUND, "exempelbygden/A1", "individ"), (ROUND, "exempelbygden/A1", "lång"),
             (ROUND, "exempelbygden/A2", "individ"), (ROUND, "exempelbygden/A2", "kort")],
        ),
        _table(
            "register_studies",
            "measure_id questionnaire_id months_after verification",
            "measure_id",
            [("11b", "register_study", 12, "placeholder")],
            {"measure_id": ("measures", "measure_id"),
             "questionnaire_id": ("questionnaires", "questionnaire_id")},
        ),
        _table(
            "outcome_figures",
            "figure_id part_of is_positive label_sv label_en",
            "figure_id",
            [("active", None, False, "Pågående under perioden", "Active during the period"),
             ("ended", None, False, "Avslutade", "Ended"),
             ("medical_rehab", "ended", False, "Till medicinsk rehabilitering", "To medical rehabilitation"),
             ("other", "ended", False, "Till annat", "To other"),
             ("other_vocational", "ended", True, "Till annan arbetslivsinriktad rehabilitering", "To other vocational rehabilitation"),
             ("sickness_compensation", "ended", False, "Till sjukersättning", "To sickness compensation"),
             ("studies", "ended", True, "Till studier", "To studies"),
             ("work", "ended", True, "Till arbete", "To work")],
        ),
        _table(
            "outcome_sources",
            "source_id first_day last_day label_sv label_en",
            "source_id",
            [("sus", None, date(2023, 3, 31), "SUS", "SUS"),
             ("uppfoljning_finsam", date(2023, 1, 1), None, "Uppföljning Finsam", "Uppföljning Finsam")],
        ),
        _table(
            "key_figure_definitions",
            "kpi_id measure_id questionnaire_id title description first_year last_year min_answers "
            "is_divided_by_gender municipality_type auspice operating_area perspective "
            "prel_publication_date publication_date publ_period has_ou_data",
            "kpi_id",
            [
                (kpi, measure, "participant_ending", f"Deltagarbedömning Finsam - {claim}, andel (%)",
                 f"Antal deltagare … {claim}. Källa: NNS.", 2018, None, 5, False, "K", "X",
                 "Kommunen, övergripande", "Kvalitet och resultat", None, date(2027, 2, 2), 2026, False)
                for kpi, measure, claim in (
                    ("U40460", "1a", "Stöd är till stor nytta"),
                    ("U40461", "2a", "Får vara med och bestämma"),
                )
            ],
        ),
        _table(
            "statuses",
            "status meaning label_sv label_en",
            "status",
            [(SHOWN, "shown", "visas", "shown"), (EMPTY, "empty", "inga svar", "no answers"),
             (HIDDEN, "hidden", "visas inte", "not shown"), (BRACKET, "bracket", "intervall", "bracket")],
        ),
    ]  # fmt: skip
    return Content(ROUND, is_synthetic, table.publisher(), {t.name: t for t in tables})
