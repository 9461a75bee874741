"""Personal data is found however it is spelt, and ordinary cells are left in peace."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.instrument import seed_rows
from pipelines.workbook.native import Book, read_book
from pipelines.workbook.personal import HIDDEN, personal_data, personal_data_in
from pipelines.workbook.sample import write_landing_zone

SPELLINGS = {
    "with century and hyphen": "{yyyy}{mm}{dd}-{nnnn}",
    "without century": "{yy}{mm}{dd}-{nnnn}",
    "over a hundred": "{yy}{mm}{dd}+{nnnn}",
    "twelve digits": "{yyyy}{mm}{dd}{nnnn}",
    "ten digits": "{yy}{mm}{dd}{nnnn}",
    "blank": "{yyyy}{mm}{dd} {nnnn}",
    "en dash between blanks": "{yyyy}{mm}{dd} \u2013 {nnnn}",
    "no-break space": "{yy}{mm}{dd}\u00a0{nnnn}",
    "dots": "{yyyy}.{mm}.{dd}-{nnnn}",
    "short with dots": "{yy}.{mm}.{dd}.{nnnn}",
    "ISO date": "{yyyy}-{mm}-{dd}-{nnnn}",
    "ISO date and blank": "{yyyy}-{mm}-{dd} {nnnn}",
    "blanks all over": "{yy} {mm} {dd} {nnnn}",
    "slashes": "{yyyy}/{mm}/{dd}-{nnnn}",
    "non-breaking hyphen": "{yyyy}{mm}{dd}\u2011{nnnn}",
    "zero-width space": "{yyyy}{mm}{dd}\u200b-{nnnn}",
}
AROUND = ("{}", "Gäller {}.", "pnr:{}", "({})", "Anna,{},Personal", "{}, ring!", "3 {} 4", "\n{}\n")


def check_digit(nine: str) -> int:
    """Worked out digit by digit, as one does on paper."""
    total = 0
    for position, digit in enumerate(map(int, nine)):
        product = digit if position % 2 else digit * 2
        total += product - 9 if product > 9 else product
    return -total % 10


def numbers(n: int, seed: int, coordination: bool = False) -> list[dict[str, str]]:
    random = Random(seed)
    made = []
    for _ in range(n):
        born = date(1920, 1, 1) + timedelta(days=random.randrange(38_000))
        day = born.day + 60 if coordination else born.day
        parts = {"yyyy": f"{born:%Y}", "yy": f"{born:%y}", "mm": f"{born:%m}", "dd": f"{day:02}"}
        three = f"{random.randrange(1000):03}"
        nine = parts["yy"] + parts["mm"] + parts["dd"] + three
        made.append({**parts, "nnnn": f"{three}{check_digit(nine)}"})
    return made


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("coordination", [False, True], ids=["birth date", "coordination number"])
def test_a_thousand_identity_numbers_are_found_in_each_spelling(spelling, coordination):
    for i, parts in enumerate(numbers(1000, seed=7, coordination=coordination)):
        text = AROUND[i % len(AROUND)].format(spelling.format(**parts))
        assert personal_data(text) == "personnummer", text


@pytest.mark.parametrize("coordination", [False, True])
def test_identity_numbers_in_numeric_cells_are_found_without_their_leading_zero_too(coordination):
    for parts in numbers(1000, seed=8, coordination=coordination):
        long = float(parts["yyyy"] + parts["mm"] + parts["dd"] + parts["nnnn"])
        cells = [long]
        if parts["yy"] != "00":  # of more than one leading zero too little is left
            cells.append(float(parts["yy"] + parts["mm"] + parts["dd"] + parts["nnnn"]))
        book = Book(("Blad",), {"Blad": [cells]})
        assert [kind for _, _, kind in personal_data_in(book)] == ["personnummer"] * len(cells)


@pytest.mark.parametrize("wrong", range(1, 10))
def test_a_wrong_check_digit_is_no_identity_number(wrong):
    for parts in numbers(50, seed=9):
        nnnn = parts["nnnn"][:3] + str((int(parts["nnnn"][3]) + wrong) % 10)
        assert personal_data(f"{parts['yyyy']}{parts['mm']}{parts['dd']}-{nnnn}") is None


@pytest.mark.parametrize("text", ["19901301-1237", "19900230-1239", "900100-1234", "909999-1233"])
def test_a_date_that_does_not_exist_is_no_identity_number(text):
    assert personal_data(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "070-123 45 67",
        "0701234567",
        "Ring 070 123 45 67!",
        "073-1234567",
        "076/123 45 67",
        "070-123-45-67",
        "+46 70 123 45 67",
        "+46701234567",
        "+46 (0)70-123 45 67",
        "0046 70 123 45 67",
        "+46\u00a08\u00a0123\u00a045\u00a067",
        "08-123 45 67",
        "08-12 34 56 78",
        "(08) 123 45 67",
        "08/123 456 78",
        "0812345678",
        "031-12 34 56",
        "0911-123 45",
        "010-123 45 67",
        "tel 070\u2013123 45 67 el. 070\u2013174 06 05",
        "+47 22 12 34 56",
        "+358 40 123 4567",
    ],
)
def test_telephone_numbers_are_found(text):
    assert personal_data(text) == "telefon"


@pytest.mark.parametrize(
    "text", ["deltagare@example.org", "Skriv till a.b+c@mail.example.se.", "<åsa@exämple.se>"]
)
def test_email_addresses_are_found(text):
    assert personal_data(text) == "e-post"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "3 Ofta",
        "2024-10-03",
        "2024-10-03 12:15:30",
        "08-12-2024 14:30",
        "2023-10-03 - 2024-01-15",
        "20231003-20240115",
        "231003-240115",
        "2023.10.03-2024.01.15",
        "kl 08.15-16.30",
        "08:00-16:30, 2024-12-08",
        "0114",
        "556123-4567",  # an organisation's number: its third digit is at least 2
        "232100-0123",
        "123 45 Provdalen",
        "1 234 567 kr",
        "0,1234567890123",
        "0.8503121239",
        "U40460, U40461, U40462",
        "A1",
        "12345678",
        "1234567",
        "10 st @ 50 kr",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
        "2018-2020, 2021-2023, 2024-",
        "bankgiro 123-4567",
        "@Exempelbygden",
        "version 1.2.3@4",
        "lag 2003:1210",
    ],
)
def test_ordinary_texts_are_left_in_peace(text):
    assert personal_data(text) is None


def ordinary(random: Random) -> object:
    day = date(2017, 1, 1) + timedelta(days=random.randrange(4000))
    other = day + timedelta(days=random.randrange(400))
    count = random.randrange(10 ** random.randrange(1, 8))
    return random.choice(
        [
            str(count),
            f"{count:,}".replace(",", " "),
            f"{count} av {random.randrange(1000)}",
            f"{random.random() * 100:.{random.randrange(1, 5)}f} %".replace(".", ","),
            str(random.random()),
            day.isoformat(),
            f"{day:%Y%m%d}",
            f"{day:%d/%m %Y}",
            f"{day:%d-%m-%Y} {random.randrange(24):02}:{random.randrange(60):02}",
            f"{day} - {other}",
            f"{day:%y%m%d}-{other:%y%m%d}",
            f"{day:%Y%m%d}-{other:%Y%m%d}",
            f"{random.choice('ABCDEF')}{random.randrange(1000)}",
            f"{random.randrange(2017, 2030)}-{random.randrange(1000):03}",
            f"{random.randrange(1, 2585):04}",
            f"00{random.randrange(1, 25):02}/A{random.randrange(20)}",
            f"{random.randrange(1, 8)} {random.choice(['Ofta', 'Ibland', 'Aldrig'])}",
            f"Förbund nr {count}, {random.randrange(18, 66)} år",
            f"U{random.randrange(10_000, 99_999)}",
            float(count),
            random.random() * 1e6,
            day,
        ]
    )


def test_a_hundred_thousand_ordinary_cells_are_left_in_peace():
    random = Random(2024)
    rows = [[ordinary(random) for _ in range(100)] for _ in range(1000)]
    found = personal_data_in(Book(("Blad",), {"Blad": rows}))
    assert found == [], [rows[int("".join(filter(str.isdigit, c))) - 1] for _, c, _ in found[:1]]


@given(st.text(max_size=200))
def test_any_text_is_judged(text):
    assert personal_data(text) in (None, "personnummer", "telefon", "e-post")


@given(st.text(st.characters(codec="utf-8", categories=["L", "P", "Z"], exclude_characters="@＠")))
def test_a_text_without_digits_or_at_signs_holds_nothing(text):
    assert personal_data(text) is None


def test_seeds_and_sample_workbooks_hold_nothing(tmp_path):
    for seed in ("questions", "municipalities", "key_figures", "measures", "layout_columns"):
        assert [v for row in seed_rows(seed) for v in row.values() if personal_data(v)] == []
    zone = write_landing_zone(tmp_path, rounds=[2024], associations=4)
    for file in zone.files:
        book = read_book(file.read_bytes(), file.name, lambda title: True)
        assert len(book.rows) > 3
        assert personal_data_in(book) == []


def test_every_cell_of_every_sheet_is_looked_at_and_told_by_its_address():
    book = Book(
        ("Personal", "Blad1", "Tomt"),
        {
            "Personal": [["lopnr", "kommentar"], [1.0, "Ring 070-174 06 05"], [2.0, ""]],
            "Blad1": [["", "", ""], ["", "", 191212121212.0], ["a@example.org", "", "3 Ofta"]],
            "Tomt": [],
        },
    )
    assert personal_data_in(book) == [
        ("Personal", "B2", "telefon"),
        ("Blad1", "C2", "personnummer"),
        ("Blad1", "A3", "e-post"),
    ]


def test_a_title_with_personal_data_is_not_repeated():
    title = "19121212-1212"
    book = Book((title,), {title: [["0701740605"]]})
    assert personal_data_in(book) == [(HIDDEN, "", "personnummer"), (HIDDEN, "A1", "telefon")]
