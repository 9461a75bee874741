"""The site of a release: a start page, a page per indicator, the data dictionary, the revisions.

Belongs here: which pages there are, where they lie and what each gets. Does not: a report's own
pages (pages.py), their papers and workbooks, or the open data that the start page links to.

```
<release>/site/index.html · begrepp.html · revideringar.html
<release>/site/indikatorer/<indicator_id>.html
<release>/site/rapporter/<riket or association_id>/index.html · insatser/<stem>.html
<release>/site/assets/                  the look, the search and the font
```
Links are relative: the site works as files and from any static server. Only the start page has a
script, and without it the lists are whole.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipelines.release import csvs
from pipelines.release.changes import Change
from pipelines.release.formats import FORMATS
from pipelines.release.table import Content, Kind
from pipelines.release.texts import texts
from pipelines.report import pages
from pipelines.report.estimates import Row, is_asked
from pipelines.report.story import Report
from pipelines.swedish import alphabetical

ROWS_SHOWN = 300
"""How many changed cells the page of revisions lists at most; the file beside it has all."""

_HERE = Path(__file__).parent
_ASSETS = (_HERE / "assets" / "style.css", _HERE / "assets" / "find.js")
_FONTS = _HERE / "fonts"
_NATION = ""  # its association_id
_RELEASE = "../"  # from the site's root
_KINDS: Mapping[Kind, str] = {
    "text": "text",
    "integer": "heltal",
    "decimal": "tal med en decimal",
    "ratio": "tal med två decimaler",
    "boolean": "ja eller nej",
    "date": "datum",
}


@dataclass(frozen=True, slots=True)
class Found:
    """An association as the start page lists it; `link` is None when it has no report."""

    name: str
    municipalities: tuple[str, ...]
    link: str | None


@dataclass(frozen=True, slots=True)
class Download:
    """A format and its files, from the site's root."""

    text: str
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the round, and the answers that count as positive."""

    questionnaire: str
    measure_id: str
    label: str
    positive: str


@dataclass(frozen=True, slots=True)
class Revised:
    """Changed cells with one reason: how many, and those that are listed."""

    reason: str
    count: int
    shown: tuple[Change, ...]


def write(
    content: Content, reports: Sequence[Report], changes: Sequence[Change] | None, folder: Path
) -> None:
    """Writes all pages of the site, the reports' too, and what they need to look right.

    Args:
        content: of the release.
        reports: the nation's and the associations', in any order.
        changes: since the release before; None when there is none.
        folder: the site's root, inside the release's folder.

    Raises:
        KeyError: the nation's report is not there.
        OSError: a file cannot be written.
    """
    _copy_assets(folder / "assets")
    for path, text in _pages(content, reports, changes):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")


def _copy_assets(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*_ASSETS, *sorted(_FONTS.glob("*.woff2")), *sorted(_FONTS.glob("*.txt"))):
        shutil.copyfile(path, folder / path.name)


def _pages(
    content: Content, reports: Sequence[Report], changes: Sequence[Change] | None
) -> Iterator[tuple[str, str]]:
    """Where each page lies, from the site's root, and what it says."""
    nation = {report.association_id: report for report in reports}[_NATION]
    yield "index.html", start(content, nation, reports)
    yield "begrepp.html", dictionary(content, nation)
    yield "revideringar.html", revisions(nation, changes)
    for place, section in enumerate(nation.sections):
        yield f"indikatorer/{section.indicator_id}.html", indicator(nation, place, reports)
    for report in reports:
        folder = f"rapporter/{report.folder}"
        yield f"{folder}/index.html", pages.report(report)
        for activity in report.activities:
            yield f"{folder}/insatser/{activity.stem}.html", pages.activity(report, activity)


# --- the pages ----------------------------------------------------------------------------------


def start(content: Content, nation: Report, reports: Iterable[Report]) -> str:
    """The start page: what was found, all reports and indicators, and the downloads."""
    return pages.render(
        "start.html",
        depth=0,
        report=nation,
        about=texts("catalogue")["description"]["sv"].format(round=content.round),
        found=_found(content, reports),
        downloads=tuple(_downloads(content)),
    )


def indicator(nation: Report, place: int, reports: Iterable[Report]) -> str:
    """An indicator's page: the nation's trends, and all associations by name.

    Args:
        nation: the nation's report.
        place: of the indicator among the report's sections.
        reports: those that an association's name links to.
    """
    sections = nation.sections
    return pages.render(
        "indicator.html",
        depth=1,
        report=nation,
        section=sections[place],
        before=sections[place - 1] if place else None,
        after=sections[place + 1] if place + 1 < len(sections) else None,
        links={
            report.association_id: f"../rapporter/{report.folder}/index.html" for report in reports
        },
    )


def dictionary(content: Content, nation: Report) -> str:
    """The data dictionary: every released table and column, in Swedish and English."""
    described = [
        (table, [f"{_RELEASE}{path}" for path in _own_files(content, table.name)])
        for table in content.tables.values()
    ]
    return pages.render(
        "dictionary.html",
        depth=0,
        report=nation,
        described=described,
        kinds=_KINDS,
        questions=tuple(_questions(content)),
    )


def revisions(nation: Report, changes: Sequence[Change] | None) -> str:
    """What this release changed, by reason."""
    revised = None if changes is None else tuple(_revised(changes))
    return pages.render(
        "revisions.html",
        depth=0,
        report=nation,
        revised=revised,
        n_changes=len(changes or ()),
        written=csvs.text,
    )


# --- what they get ------------------------------------------------------------------------------


def _found(content: Content, reports: Iterable[Report]) -> list[Found]:
    """All associations by name, with the municipalities that are members in the round."""
    folders = {report.association_id: report.folder for report in reports}
    names = {
        row["municipality_code"]: str(row["municipality_name"])
        for row in _rows(content, "municipalities")
    }
    members: defaultdict[object, list[str]] = defaultdict(list)
    for row in _rows(content, "memberships"):
        if is_asked(row, content.round):
            members[row["association_id"]].append(names[row["municipality_code"]])
    found = [
        Found(
            name=str(row["association_name"]),
            municipalities=tuple(sorted(members[row["association_id"]], key=alphabetical)),
            link=f"rapporter/{folder}/index.html" if folder else None,
        )
        for row in _rows(content, "associations")
        for folder in [folders.get(str(row["association_id"]))]
    ]
    return sorted(found, key=lambda one: alphabetical(one.name))


def _downloads(content: Content) -> Iterator[Download]:
    for format_ in FORMATS:
        paths = [path for t in content.tables.values() for path in format_.paths(content, t)]
        links = tuple(f"{_RELEASE}{path}" for path in dict.fromkeys(paths))
        yield Download(texts("format")[format_.format_id]["sv"], links)


def _own_files(content: Content, name: str) -> Iterator[str]:
    """The files that hold this table and nothing else."""
    for format_ in FORMATS:
        for path in format_.paths(content, content[name]):
            if PurePosixPath(path).stem == name:
                yield path


def _questions(content: Content) -> Iterator[Question]:
    """The questions asked in the round, in the instrument's order."""
    names = {
        row["questionnaire_id"]: str(row["sheet_name"]) for row in _rows(content, "questionnaires")
    }
    answers = [row for row in _rows(content, "scales") if row["is_answer"]]
    for row in _rows(content, "questions"):
        if is_asked(row, content.round):
            positive = [
                str(answer["label_sv"])
                for answer in answers
                if answer["scale_id"] == row["scale_id"]
                and answer["code"] >= row["positive_min_code"]
            ]
            yield Question(
                questionnaire=names[row["questionnaire_id"]],
                measure_id=str(row["measure_id"]),
                label=str(row["label_sv"]),
                positive=", ".join(positive),
            )


def _revised(changes: Sequence[Change]) -> Iterator[Revised]:
    """The changes by reason, the most frequent first; together no more are listed than fit."""
    by_reason: defaultdict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_reason[change.reason].append(change)
    left = ROWS_SHOWN
    share = max(ROWS_SHOWN // max(len(by_reason), 1), 1)
    for reason, found in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        shown = tuple(found[: min(share, left)])
        left -= len(shown)
        yield Revised(reason, len(found), shown)


def _rows(content: Content, table: str) -> Iterator[Row]:
    return content[table].records()
