"""The pages around the reports: what is listed, and what is said of a release's changes."""

from dataclasses import replace
from pathlib import Path

import pytest
import stories
from content import content
from lxml import html

from pipelines.release import csvs, parquet, workbook
from pipelines.release.changes import Change
from pipelines.report import pages, site
from pipelines.swedish import alphabetical

NATION = stories.national()


def tree(text: str) -> html.HtmlElement:
    return html.fromstring(text)


def test_swedish_letters_come_last() -> None:
    names = ["Öland", "åker", "Zinken", "Ängen", "alvik"]
    assert sorted(names, key=alphabetical) == ["alvik", "Zinken", "åker", "Ängen", "Öland"]


def test_the_start_page_links_what_the_formats_write(tmp_path: Path) -> None:
    for write in (csvs.write, parquet.write, workbook.write):
        write(content(), tmp_path)
    linked = {
        link.removeprefix("../")
        for link in tree(site.start(content(), NATION, [NATION])).xpath("//a/@href")
        if link.startswith("../open/")
    }
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert len(written) > 30
    assert written <= linked


def test_the_dictionary_has_every_column_in_both_languages() -> None:
    page = tree(site.dictionary(content(), NATION))
    told = {
        (section.find("h2").get("id"), row[0].text_content(), row[2].text, row[3].text)
        for section in page.find_class("dictionary")
        for row in section.iterfind("table/tbody/tr")
    }
    assert told == {
        (table.name, column.name, column.text_sv, column.text_en)
        for table in content().tables.values()
        for column in table.columns
    }
    english = page.xpath("//*[@lang='en']")
    assert all(" in English." not in e.text_content() for e in page.xpath("//td[not(@lang)]"))
    assert len(english) > len(told)


def test_the_dictionary_tells_which_answers_are_positive() -> None:
    rows = tree(site.dictionary(content(), NATION)).xpath("//h2[@id='fragor']/..//tbody/tr")
    assert [[cell.text_content() for cell in row] for row in rows] == [
        ["Stödet är till stor nytta", "Deltagare avslut", "1a", "För det mesta, Alltid"],
        ["Får vara med och bestämma", "Deltagare avslut", "2a", "För det mesta, Alltid"],
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (None, "Första utgåvan av omgången"),
        ((), "Inga uppgifter är ändrade sedan utgåva 1."),
        ((Change("t/a/b", None, 1, "sekretess"),), "1 uppgift är ändrad sedan utgåva 1."),
    ],
)
def test_the_revisions_say_what_changed(changes: tuple[Change, ...] | None, said: str) -> None:
    assert said in site.revisions(replace(NATION, number=2), changes)


@pytest.mark.parametrize("n_reasons", [1, 3, 700])
def test_no_more_changes_are_listed_than_fit_but_all_are_counted(n_reasons: int) -> None:
    changes = [Change(f"t/{i:04}/c", i, None, f"skäl {i % n_reasons:03}") for i in range(1400)]
    page = tree(site.revisions(NATION, changes))
    assert len(page.xpath("//tbody/tr")) == pytest.approx(site.ROWS_SHOWN, abs=n_reasons)
    assert len(page.xpath("//tbody/tr")) <= site.ROWS_SHOWN
    assert len(page.xpath("//main/section[h2[starts-with(., 'Skäl')]]")) == n_reasons
    assert "1\u00a0400 uppgifter" in page.text_content()


def test_a_change_is_written_as_in_the_file_beside() -> None:
    change = Change("t/a/<b>", True, "=1+1", "sekretess")
    (row,) = tree(site.revisions(NATION, [change])).xpath("//tbody/tr")
    assert [cell.text_content() for cell in row] == ["t/a/<b>", "true", "'=1+1"]


def test_a_real_release_says_nothing_of_invention() -> None:
    real = replace(stories.typical(), is_synthetic=False)
    for text in (pages.report(real), pages.activity(real, real.activities[0])):
        assert "Påhittade" not in text
        assert "noindex" not in text


@pytest.mark.parametrize("name", stories.STORIES)
def test_nothing_but_the_story_is_on_a_page_twice_the_same(name: str) -> None:
    assert pages.report(stories.STORIES[name]()) == pages.report(stories.STORIES[name]())


def test_a_name_never_becomes_markup() -> None:
    live = replace(stories.typical(), name="<script>x</script>", title="<b>x</b>")
    for text in (pages.report(live), pages.activity(live, live.activities[0])):
        assert "<script>" not in text
        assert "<b>" not in text
