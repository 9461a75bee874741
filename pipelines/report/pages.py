"""A report as pages: the nation's or an association's, and an activity's result to hand back.

Belongs here: the two pages of a report, and how any page is rendered. Does not: the site around
them (site.py), the numbers as tables (tables.py), what is said (story.py), how it looks
(templates/, assets/).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pipelines.release.table import SYNTHETIC_SV
from pipelines.release.texts import texts
from pipelines.report import pictures, tables, words
from pipelines.report.story import Activity, Report, Section
from pipelines.swedish import number, several

if TYPE_CHECKING:
    from jinja2 import Environment

ORIENTATIONS = {"process": "Handlar om processen", "effect": "Handlar om effekten"}


def report(of: Report) -> str:
    """The report as HTML, to lie two folders below the site's root."""
    return render(
        "report.html",
        depth=2,
        report=of,
        shorts=[(section, _together(section)) for section in of.sections],
        has_coverage=any(volume.expected is not None for volume in of.volumes),
    )


def activity(of: Report, activity: Activity) -> str:
    """An activity's result as HTML, to lie three folders below the site's root."""
    return render("activity.html", depth=3, report=of, activity=activity)


def render(template: str, *, depth: int, report: Report, **values: object) -> str:
    """A page of a release.

    Args:
        template: its file name.
        depth: how many folders it lies below the site's root.
        report: tells the round, the release, the publisher and whether figures are invented.
        values: what else the template asks for.

    Raises:
        jinja2.UndefinedError: the template asks for what is not given.
    """
    root = "../" * depth
    return _templates().get_template(template).render(root=root, report=report, **values) + "\n"


def _together(section: Section) -> tuple[str, str, str]:
    """Women, men and total of all respondent groups together."""
    if not section.summary:
        return (words.NOT_APPLICABLE,) * 3
    *_, together = section.summary
    return (*words.by_gender(together.women, together.men), words.share(together.total))


@cache
def _templates() -> Environment:
    # only while pages are written: importing it would slow every command
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("pipelines.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.filters |= {"number": number, "count": words.count}
    templates.globals |= {
        "site": words.subject(),
        "synthetic": SYNTHETIC_SV,
        "orientations": ORIENTATIONS,
        "about_outcomes": texts("outcomes")["about"]["sv"],
        "about_reliability": words.explained("reliability"),
        "signs": words.SIGNS,
        "pictures": pictures,
        "tables": tables,
        "several": several,
    }
    return templates
