"""Menade du Ofta? The accepted value that a value not understood is clearly near.

Belongs here: which values a finding's cell accepts, by the seeds and the workbook's own
activities, and how near a spelling is. Does not: wording the finding, or changing any value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.findings import Finding
from pipelines.instrument import Instrument
from pipelines.lake import Delivery
from pipelines.register import Association
from pipelines.web.columns import layouts_of
from pipelines.workbook.cells import normalised
from pipelines.workbook.personal import HIDDEN

_LONGEST = 40


def suggestion(
    finding: Finding,
    delivery: Delivery,
    instrument: Instrument,
    associations: Mapping[str, Association],
) -> str | None:
    """The accepted value that the finding's value clearly means or is near, or None."""
    value = finding.sheet if finding.rule_id == "sheet_unknown" else finding.value
    if value == HIDDEN:
        return None
    if meant := _meant(finding, delivery, instrument, associations).get(normalised(value)):
        return meant
    if len(value) > _LONGEST:
        return None
    if finding.rule_id == "association_unknown":
        return nearest(value, associations)
    return nearest(value, _accepted(finding, delivery, instrument))


def _meant(
    finding: Finding,
    delivery: Delivery,
    instrument: Instrument,
    associations: Mapping[str, Association],
) -> Mapping[str, str]:
    """What stands for an accepted value in words: an association's name, a question's wording."""
    if finding.rule_id == "association_unknown":
        return {normalised(a.association_name): a.association_id for a in associations.values()}
    if finding.rule_id == "column_unknown":
        columns = columns_of(finding.sheet, delivery.layout_id, instrument)
        return {
            normalised(instrument.questions[field].label_sv): name
            for name, field in columns.items()
            if field in instrument.questions and instrument.questions[field].is_in(delivery.round)
        }
    return {}


def nearest(value: str, accepted: Iterable[str]) -> str | None:
    """The only accepted spelling within a slip of the value: one, or two in a long word.

    Spellings under three letters are never near, and a changed digit is another code, no slip.
    """
    given = normalised(value)
    slips = {
        candidate: _slips(given, normalised(candidate))
        for candidate in accepted
        if _digits(given) == _digits(candidate)
    }
    near = [c for c, n in slips.items() if len(c) >= 3 and 0 < n <= (2 if len(c) >= 8 else 1)]
    fewest = min((slips[c] for c in near), default=0)
    near = [c for c in near if slips[c] == fewest]
    return near[0] if len(near) == 1 else None


def columns_of(sheet: str, layout_id: str | None, instrument: Instrument) -> Mapping[str, str]:
    """What the columns of a sheet hold, by header; empty when the layout has no such sheet."""
    activities = instrument.fields_of("activities")
    if normalised(sheet) == normalised(activities[0].sheet_name):
        return {f.name: f.field for f in activities}
    for layout in layouts_of(layout_id, instrument).values():
        if normalised(layout.sheet_name) == normalised(sheet):
            return layout.columns
    return {}


def _accepted(finding: Finding, delivery: Delivery, instrument: Instrument) -> Iterable[str]:
    columns = columns_of(finding.sheet, delivery.layout_id, instrument)
    field = columns.get(finding.question, "")
    match finding.rule_id:
        case "answer_unknown":
            question = instrument.questions.get(field)
            scale = instrument.scales[question.scale_id] if question else ()
            return [t for c in scale for t in (c.label_sv, f"{c.code} {c.label_sv}")]
        case "kon_unknown":
            return instrument.spellings["kon"]
        case "category_unknown":
            return instrument.spellings.get(field, ())
        case "activity_unknown":
            return [str(a["insats_kod"]) for a in delivery.activities]
        case "column_unknown" | "activity_column_unknown":
            return columns
        case "sheet_unknown":
            sheets = layouts_of(delivery.layout_id, instrument).values()
            return [layout.sheet_name for layout in sheets]
    return ()


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _slips(one: str, other: str) -> int:
    """How many letters are added, dropped, changed or swapped with their neighbour."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], before[j - 2] + 1)
        before, last = last, row
    return last[-1]
