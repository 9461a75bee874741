"""The site of a release in a browser: for everybody, by keyboard, as files and from a server.

Belongs here: axe-core, widths, the keyboard, the search, links. Does not: whether the numbers are
the release's (test_pages_tell_the_release.py).
"""

import functools
import http.server
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import browser
import pytest
import stories
from content import content
from released import with_rows

from pipelines.release.changes import Change
from pipelines.release.table import Content
from pipelines.report import site
from pipelines.report.story import Report

MADE_ELSEWHERE = re.compile(
    r"^\.\./(open/.+|CHANGES\.csv)$|"
    r"^rapporter/[^/]+/(rapport\.pdf|bilaga\.xlsx|bilder\.zip|insatser\.pdf|utkast_\w+\.docx)$"
)
NAMES = {"forbund06": "Samordningsförbundet Örnviken", "forbund07": "Samordningsförbundet Ängen"}


def folder(story: str) -> str:
    """The association that a story is told of."""
    return f"forbund{list(stories.STORIES).index(story):02}"


def told() -> tuple[Report, ...]:
    """The nation, and each other story as an association of its own."""
    nation = stories.national()
    reports = [replace(nation, sections=(*nation.sections, stories.unknown_section()))]
    for name, make in stories.STORIES.items():
        if name != "national":
            reports.append(replace(make(), association_id=folder(name), folder=folder(name)))
    return tuple(reports)


def listed(reports: tuple[Report, ...]) -> Content:
    """A content whose associations are those of the reports."""
    ids = [report.association_id for report in reports if report.association_id]
    rows = [
        {
            "association_id": i,
            "association_name": NAMES.get(i, f"Förbundet {i}"),
            "county_code": "01",
        }
        for i in ids
    ]
    return with_rows(content(), "associations", [*content()["associations"].records(), *rows])


def changes(count: int) -> tuple[Change, ...]:
    """Changed cells with a few reasons."""
    key = "measure_results/2026/association/forbund07/participant_ending/1a/T"
    reasons = ("sekretess", "ersatt leverans: forbund07", "ny leverans: forbund03")
    return tuple(Change(f"{key}{i:03}/share", None, i, reasons[i % 3]) for i in range(count))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of all stories."""
    place = tmp_path_factory.mktemp("release") / "site"
    reports = told()
    site.write(listed(reports), reports, changes(900), place)
    return place


KINDS = (
    *("index.html", "begrepp.html", "revideringar.html"),
    *(
        "indikatorer/1.html",
        "indikatorer/6.html",
        "indikatorer/11.html",
        "rapporter/riket/index.html",
    ),
    *(f"rapporter/{folder(name)}/index.html" for name in ("typical", "long_names", "ten_rounds")),
    *(f"rapporter/{folder(name)}/index.html" for name in ("all_hidden", "one_round")),
    *(f"rapporter/{folder(name)}/insatser/a1.html" for name in ("typical", "long_names")),
    *(f"rapporter/{folder(name)}/insatser/a1.html" for name in ("all_hidden", "forty_measures")),
)
"""A page of each kind, and the extremes."""


# --- links and files: no browser ----------------------------------------------------------------


class Page(HTMLParser):
    """The addresses a page asks for and the names it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.names: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src") and value is not None:
                self.asked.append(value)
            if name == "id" and value is not None:
                self.names.append(value)
            assert not name.startswith("on"), f"{tag} {name}"


def test_every_link_leads_to_a_page_and_a_place_on_it(root: Path) -> None:
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in root.rglob("*.html")}
    n_inside = n_outside = 0
    for path, page in pages.items():
        for address in page.asked:
            if re.match(r"(https?|mailto):", address):
                continue
            file, _, place = address.partition("#")
            target = (path.parent / file).resolve() if file else path
            if target.is_relative_to(root):
                inside = target.relative_to(root).as_posix()
            else:
                inside = f"../{target.relative_to(root.parent).as_posix()}"
            if MADE_ELSEWHERE.match(inside):
                n_outside += 1
                continue
            assert target.is_file(), (path, address)
            assert not place or place in pages[target].names, (path, address)
            n_inside += 1
    assert n_inside > 300
    assert n_outside > 60


def test_no_name_stands_twice_on_a_page(root: Path) -> None:
    for path in root.rglob("*.html"):
        names = Counter(Page(path.read_text(encoding="utf-8")).names)
        assert [name for name, count in names.items() if count > 1] == [], path


def test_a_page_asks_nothing_of_other_servers(root: Path) -> None:
    for path in root.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=.(https?:)?//", text), path
    assert not re.search(r"url\(.?(https?:)?//|@import", (root / "assets/style.css").read_text())


def test_a_site_is_the_same_bytes_each_time(root: Path, tmp_path: Path) -> None:
    reports = told()
    site.write(listed(reports), tuple(reversed(reports)), changes(900), tmp_path)
    first, second = (
        {path.relative_to(place): path.read_bytes() for path in place.rglob("*.*")}
        for place in (root, tmp_path)
    )
    assert first == second


# --- in a browser -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What axe-core says of each page, by page and width."""
    pages = KINDS
    profile = tmp_path_factory.mktemp("profile")
    found: dict[str, Any] = browser.run("check.mjs", profile, *pages, cwd=root)
    assert len(found) == 3 * len(pages)
    return found


@browser.needed
def test_axe_finds_no_violation_at_any_width(seen: dict[str, Any]) -> None:
    assert {page: found["violations"] for page, found in seen.items() if found["violations"]} == {}
    assert all(found["passes"] > 20 for found in seen.values())


@browser.needed
def test_no_page_is_wider_than_its_window(seen: dict[str, Any]) -> None:
    assert {page: found["overflow"] for page, found in seen.items() if found["overflow"]} == {}


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[str]:
    """The address of the site on a plain static server."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path == "/favicon.ico":
                self.send_response(204)
                self.end_headers()
            else:
                super().do_GET()

    handler = functools.partial(Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()


@browser.needed
def test_all_can_be_reached_and_used_by_keyboard(root: Path, server: str, tmp_path: Path) -> None:
    kinds = [*KINDS[:4], "rapporter/riket/index.html", f"rapporter/{folder('typical')}/index.html"]
    kinds.append(f"rapporter/{folder('typical')}/insatser/a1.html")
    pages = [base + "/" + kind for base in (root.as_uri(), server) for kind in kinds]
    for page, found in browser.run("keyboard.mjs", tmp_path / "profile", *pages).items():
        assert found["errors"] == [], page
        assert found["usable"] > 8, page
        assert found["reached"] == list(range(found["usable"])), page
        assert found["unmarked"] == [], page
        assert found["skipped"] == "#innehall", page
        assert found["font"], page
        has_folded = not page.endswith(("begrepp.html", "revideringar.html", "a1.html"))
        assert found["opened"] is (True if has_folded else None), page


@browser.needed
def test_typing_finds_associations_municipalities_and_indicators(
    root: Path, server: str, tmp_path: Path
) -> None:
    for base in (root.as_uri(), server):
        typed = (
            "ornvik",
            "ÄNGEN förbund",
            "inflytande",
            "avesta",
            "finns inte",
            "förbundet",
            "utfall",
        )
        start = f"{base}/index.html"
        found = browser.run("find.mjs", tmp_path / base.partition(":")[0], start, *typed)
        everything = found[""]
        # two associations of the content's own, the outcomes, and three indicators
        assert len(everything["entries"]) == 9 + 1 + 3
        assert everything["said"] == ""
        assert everything["leads"] == start
        assert found["ornvik"]["entries"] == ["Samordningsförbundet Örnviken"]
        assert found["ornvik"]["said"] == "1 träff"
        assert found["ornvik"]["leads"] == f"{base}/rapporter/forbund06/index.html"
        assert found["ÄNGEN förbund"]["entries"] == ["Samordningsförbundet Ängen"]
        assert found["utfall"]["leads"] == f"{base}/rapporter/riket/index.html#utfall"
        assert found["inflytande"]["leads"] == f"{base}/indikatorer/1.html"
        (avesta,) = found["avesta"]["entries"]
        assert "Avesta" in avesta
        assert found["finns inte"] == {"entries": [], "said": "0 träffar", "leads": start}
        assert found["förbundet"]["said"] == f"{len(found['förbundet']['entries'])} träffar"
        assert len(found["förbundet"]["entries"]) == 7


@browser.needed
def test_without_scripts_the_lists_are_whole(root: Path, tmp_path: Path) -> None:
    bare = browser.run("find.mjs", tmp_path / "profile", f"{root.as_uri()}/index.html")["bare"]
    assert bare == {"count": 13, "visible": 13, "box": False}
