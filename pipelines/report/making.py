"""All that people look at of a release: its site with pages, papers, drafts and appendices.

Belongs here: which files there are, and where. Does not: what is in them.

```
site/index.html, indikatorer/, begrepp.html, revideringar.html, assets/
site/rapporter/riket/               index.html rapport.pdf bilaga.xlsx bilder.zip
site/rapporter/<association_id>/    the same, and insatser/ insatser.pdf utkast_*.docx
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipelines import progress
from pipelines.disclosure import Rule
from pipelines.release.assemble import SITE
from pipelines.release.changes import Change
from pipelines.release.table import Content
from pipelines.report import appendix, draft, gather, paper, site
from pipelines.report.estimates import Earlier
from pipelines.report.story import Report

_OF_ALL: Mapping[str, Callable[[Report], bytes]] = {
    "rapport.pdf": paper.report,
    "bilaga.xlsx": appendix.workbook,
    "bilder.zip": appendix.pictures,
}
_OF_ASSOCIATIONS: Mapping[str, Callable[[Report], bytes]] = {
    "utkast_halvar.docx": draft.half_year,
    "utkast_helar.docx": draft.full_year,
}


def write(
    content: Content,
    earlier: Earlier,
    rule: Rule,
    number: int,
    changes: Sequence[Change],
    folder: Path,
) -> None:
    """Writes `site/` into a release's folder.

    Args:
        content: the protected tables.
        earlier: what the releases of earlier rounds say.
        rule: the thresholds of the disclosure control.
        number: of the release.
        changes: what differs from the release before; nothing differs from the first.
        folder: the release's.

    Raises:
        OSError: a file cannot be written.
    """
    reports = gather.reports(content, earlier, number, rule)
    site.write(content, reports, changes if number > 1 else None, folder / SITE)
    for done, report in enumerate(reports, start=1):
        place = folder / SITE / "rapporter" / report.folder
        for name, make in _files(report).items():
            (place / name).write_bytes(make(report))
        progress.report("Skriver rapporter", done, len(reports))


def _files(report: Report) -> dict[str, Callable[[Report], bytes]]:
    """What a report has beside its pages, by file name."""
    if not report.association_id:
        return dict(_OF_ALL)
    activities = {"insatser.pdf": paper.activities} if report.activities else {}
    return {**_OF_ALL, **activities, **_OF_ASSOCIATIONS}
