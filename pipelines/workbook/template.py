"""The registration workbooks that go out before a round: which, with what in them, and where to.

Belongs here: the associations that get one, the activities carried over from their last round, the
readme's texts, and writing the files without destroying any. Does not: how a sheet is written
(write.py) and what it does in Excel (dress.py).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from pipelines import instrument as instruments
from pipelines import lake
from pipelines.extra import instrument_of
from pipelines.files import write_bytes
from pipelines.instrument import Instrument
from pipelines.lake import Delivery, Manifest
from pipelines.register import Association, Register
from pipelines.roster import expected_associations
from pipelines.settings import Settings
from pipelines.swedish import day
from pipelines.workbook import dress, write
from pipelines.workbook.cells import normalised, plain_text

VERSION_KEY = "Mallversion"
"""Where a template tells its version: a row of the readme sheet and a property of the file."""

_FILL, _PRIVACY, _LIST = write.NOTES
STEPS = (
    f"1. {_LIST} Stryk insatser som har upphört och lägg till nya.",
    f"2. {_FILL} Välj svaret i listan, eller skriv koden, till exempel 3.",
    f"3. {_PRIVACY}",
    "4. Röd cell: värdet känns inte igen, rätta det. Gul cell: något saknas på en påbörjad rad; "
    "har personen inte svarat får den vara tom.",
    "5. Se på läget här ovanför och skicka filen till NNS senast {deadline}, som svar på det "
    "meddelande du fick mallen i.",
)
_STEPS_HEAD = "Så här gör du"
_STATE = "Läget"
_NOTHING_YET = "Inga enkäter registrerade än"
_ALL_WELL = "Allt ser bra ut"
_COLUMNS = ("Blad", "", "Ifyllda rader", "Fel (röda)", "Saknas (gula)")
_PLAIN_ID = re.compile(r"[\w-][\w.-]*")


class TemplateError(Exception):
    """No templates were written; the message is Swedish and says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the templates.

    Attributes:
        new: files that were written.
        unchanged: files that were there already, byte by byte.
        carried: the activities carried over, by whom they are for.
        without_names: associations whose activities have codes and no names.
        is_loaded: whether any earlier round is loaded.
        is_synthetic: whether the register says that it is invented.
    """

    new: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    carried: Mapping[Association, tuple[write.Activity, ...]]
    without_names: tuple[Association, ...]
    is_loaded: bool
    is_synthetic: bool

    @property
    def without_activities(self) -> tuple[Association, ...]:
        """Associations with no activities to carry over."""
        return tuple(a for a, activities in self.carried.items() if not activities)


def write_templates(
    settings: Settings,
    register: Register,
    round_: int,
    out: Path,
    association_id: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Written:
    """Writes `<association_id>_<round>.xlsx` for each association expected in the round, or one.

    A file that is there under that name may be filled in: it is never written over.

    Raises:
        TemplateError: there is nobody to write for, the folder is the landing zone, or some files
            are there and are not the same; nothing is written then.
        OSError: `out` cannot be written.
    """
    instrument, manifest = instruments.load(), lake.read_manifest(settings)
    associations = _receivers(settings, register, instrument, round_, association_id)
    if out.absolute().resolve().is_relative_to(settings.raw.resolve()):
        raise TemplateError(
            f"{out} hör till mappen med förbundens filer, där mallarna skulle läsas som inlämnade. "
            "Ange en annan mapp med --out."
        )
    files: dict[Path, bytes] = {}
    carried: dict[Association, tuple[write.Activity, ...]] = {}
    for done, association in enumerate(associations, start=1):
        whose = association.association_id
        carried[association] = activities_for(settings, manifest, register, whose, round_)
        files[out / f"{whose}_{round_}.xlsx"] = template(
            association,
            carried[association],
            round_,
            instrument_of(instrument, register.extra_questions, whose, round_),
            is_synthetic=register.is_synthetic,
        )
        progress(done, len(associations))
    there = {path for path in files if path.exists()}
    same = {path for path in there if path.is_file() and path.read_bytes() == files[path]}
    if others := sorted(path.name for path in there - same):
        raise TemplateError(
            f"I {out} finns redan {', '.join(others)}, som kan vara ifyllda och inte skrivs över. "
            "Ange en annan mapp med --out, eller flytta filerna först."
        )
    for path, content in files.items():
        if path not in same:
            write_bytes(path, content)
    return Written(
        new=tuple(path for path in files if path not in same),
        unchanged=tuple(path for path in files if path in same),
        carried=carried,
        without_names=tuple(a for a in associations if _is_nameless(carried[a])),
        is_loaded=any(d.round < round_ for d in manifest.counting()),
        is_synthetic=register.is_synthetic,
    )


def _receivers(
    settings: Settings,
    register: Register,
    instrument: Instrument,
    round_: int,
    association_id: str | None,
) -> list[Association]:
    """The associations that get a template.

    Raises:
        TemplateError: there are none, the given one is none of them, or an id cannot name a file.
    """
    path = settings.raw / "register" / "associations.csv"
    expected = expected_associations(register, instrument.rounds[round_])
    if not register.associations:
        raise TemplateError(f"{path} saknas eller är tom. Lägg dit registret över förbund.")
    if association_id is not None and association_id not in register.associations:
        raise TemplateError(
            f"Förbundet {association_id} finns inte i registret. Förbundens id står i {path}."
        )
    receivers = [a for a in expected if association_id in (None, a.association_id)]
    if not receivers:
        whose = f"Förbundet {association_id}" if association_id else "Inget förbund i registret"
        has = "har inget avtal" if association_id else "har ett avtal"
        raise TemplateError(
            f"{whose} {has} som gäller i mätomgång {round_}. Stämmer det inte, rätta {path}."
        )
    for a in receivers:
        if not _PLAIN_ID.fullmatch(a.association_id):
            raise TemplateError(
                f"Förbundets id {a.association_id!r} kan inte bli ett filnamn. Rätta {path}."
            )
    return receivers


def _is_nameless(activities: Sequence[write.Activity]) -> bool:
    return bool(activities) and not any(a.insats_namn for a in activities)


# --- activities carried over --------------------------------------------------------------------


def activities_for(
    settings: Settings,
    manifest: Manifest,
    register: Register,
    association_id: str,
    round_: int,
) -> tuple[write.Activity, ...]:
    """The activities an association begins a round with: those of its last delivery before it.

    Those of associations that merged into it since are added; a code that is taken gets -2, -3.
    Counts of handed-out questionnaires are of a round and not carried over. Names are free text
    and not kept (decision 0009): they are read again from the delivery, if it is still there.

    Returns:
        One row per activity, each code once as the reader compares them.
    """
    taken: set[str] = set()
    unique = []
    for activity in _carried(settings, manifest, register, association_id, round_):
        code, number = activity.insats_kod, 1
        while normalised(code) in taken:
            number += 1
            code = f"{activity.insats_kod}-{number}"
        taken.add(normalised(code))
        unique.append(replace(activity, insats_kod=code))
    return tuple(unique)


def _carried(
    settings: Settings, manifest: Manifest, register: Register, association_id: str, round_: int
) -> Iterator[write.Activity]:
    """The activities of the last delivery before a round, then of those who merged in since."""
    own = [
        d for d in manifest.counting() if d.association_id == association_id and d.round < round_
    ]
    last = max(own, key=lambda d: d.round, default=None)
    if last:
        names = _names(settings, last, register)
        for a in last.activities:
            code = a["insats_kod"]
            yield write.Activity(
                code,
                names.get(code, ""),
                a["inriktning"] or "",
                a["langd"] or "",
                categories=a.get("categories", {}),
            )
    for other, first_round in register.predecessors(association_id).items():
        if (last is None or last.round < first_round) and first_round <= round_:
            yield from _carried(settings, manifest, register, other, first_round)


def _names(settings: Settings, delivery: Delivery, register: Register) -> dict[str, str]:
    """The activities' names by code, while the file delivered is still there as it was."""
    from pipelines.workbook.structure import draft_workbook

    path = settings.raw / delivery.file
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != delivery.sha256:
        return {}
    draft = draft_workbook(
        data,
        file=delivery.file,
        sha256=delivery.sha256,
        folder_round=delivery.round,
        associations=register.associations,
        instrument=instruments.load(),
        extra=register.extra_questions,
    )
    sheet = draft.activities
    if sheet is None or "insats_namn" not in sheet.plan.by_field:
        return {}
    code, name = (sheet.plan.by_field[f].position for f in ("insats_kod", "insats_namn"))
    return {plain_text(row[code]): plain_text(row[name]) for row in reversed(sheet.rows)}


# --- one template -------------------------------------------------------------------------------


def version(round_: int, instrument: Instrument) -> str:
    """What tells a template of a round from one made under another instrument: 2027-3f9a1c."""
    sheets = _sheets(round_, instrument)
    content = [
        (sheet.title, [(e.name, dict(e.validation), dict(e.lists)) for e in sheet.entries])
        for sheet in sheets
    ]
    return f"{round_}-{hashlib.sha256(repr(content).encode()).hexdigest()[:6]}"


def template(
    association: Association,
    activities: Sequence[write.Activity],
    round_: int,
    instrument: Instrument,
    *,
    is_synthetic: bool,
) -> bytes:
    """An association's workbook for a round; the same arguments give the same bytes."""
    delivery = write.Delivery(
        round_, instrument.rounds[round_].layout_id, association.association_id, tuple(activities)
    )
    target, made = BytesIO(), version(round_, instrument)
    with write.open_workbook(target) as book:
        book.set_properties({"title": write.TITLE, "created": write.CREATED, "comments": made})
        book.set_custom_property(VERSION_KEY, made)
        formats, styles = write.make_formats(book), dress.make_styles(book)
        facts = {
            "Namn": association.association_name,
            "Skickas senast": day(instrument.rounds[round_].delivery_deadline),
            VERSION_KEY: made,
        }
        readme, row = write.write_readme(book, formats, delivery, instrument, facts)
        sheets = _sheets(round_, instrument, write.categories_of(activities))
        page = write.write_activities(book, formats, activities, instrument)
        dress.dress(page, styles, sheets[0], labelled=False)
        for sheet in sheets[1:]:
            layout = instrument.layouts[delivery.layout_id][sheet.key]
            columns = {entry.name: entry.field for entry in sheet.entries}
            shown = write.Sheet(replace(layout, columns=columns))
            page = write.write_sheet(book, formats, shown, instrument)
            dress.dress(page, styles, sheet, labelled=True)
        codes = [a.insats_kod for a in activities]
        counts = dress.write_lists(book, instrument.sheet_name_of("lists"), sheets, codes)
        _finish_readme(readme, formats, styles, row, counts, delivery, instrument, is_synthetic)
    return target.getvalue()


def _sheets(
    round_: int, instrument: Instrument, categories: Sequence[str] = ()
) -> list[dress.Dressed]:
    """The activities' sheet and the sheets of the round's questionnaires."""
    layouts = instrument.layouts[instrument.rounds[round_].layout_id]
    return [
        dress.activities_sheet(round_, instrument, categories),
        *(
            dress.questionnaire_sheet(layouts[q.questionnaire_id], round_, instrument)
            for q in instrument.questionnaires_in(round_)
            if q.questionnaire_id in layouts
        ),
    ]


def _finish_readme(
    page: Any,
    formats: dict[str, Any],
    styles: dict[str, Any],
    row: int,
    counts: Sequence[dress.Count],
    delivery: write.Delivery,
    instrument: Instrument,
    is_synthetic: bool,
) -> None:
    """The readme's table of how it stands, and what to do."""
    row = _write_state(page, formats, styles, row + 1, counts, len(delivery.activities))
    deadline = day(instrument.rounds[delivery.round].delivery_deadline)
    note = (write.SYNTHETIC_NOTE,) if is_synthetic else ()
    steps = [step.replace("{deadline}", deadline) for step in STEPS]
    page.write_string(row + 1, 0, _STEPS_HEAD, formats["bold"])
    write.write_notes(page, row + 2, (*steps, *note), instrument)
    page.protect()


def _write_state(
    page: Any,
    formats: dict[str, Any],
    styles: dict[str, Any],
    row: int,
    counts: Sequence[dress.Count],
    n_activities: int,
) -> int:
    """How it stands in a sentence, then a row per sheet; gives the first row that is free.

    Nothing is counted in columns A and B, which the reader looks at.
    """
    page.set_column(0, 0, 22)
    page.set_column(1, 4, 16, formats["left"])
    state, head = row, row + 2
    for column, name in enumerate(_COLUMNS):
        page.write_string(head, column, name, formats["bold"])
    row = head
    for count in counts:
        row += 1
        page.write_url(row, 0, f"internal:'{count.title}'!A1", string=count.title)
        filled = n_activities if count is counts[0] else 0
        for column, cells in enumerate((count.filled, count.wrong, count.missing), start=2):
            value = filled if cells == count.filled else 0
            page.write_formula(row, column, f"=SUM({cells})", formats["left"], value)
    page.conditional_format(head + 1, 3, row, 3, _above_zero(styles["wrong"]))
    page.conditional_format(head + 1, 4, row, 4, _above_zero(styles["missing"]))
    page.write_string(state, 0, _STATE, formats["bold"])
    page.write_blank(state, 1, None, formats["bold"])
    page.write_formula(state, 2, _state(head + 2, row + 1), formats["title"], _NOTHING_YET)
    return row + 1


def _above_zero(style: Any) -> dict[str, Any]:
    return {"type": "cell", "criteria": ">", "value": 0, "format": style}


def _state(first: int, last: int) -> str:
    """The sentence of how it stands, from the table's rows counted from 1."""
    wrong, missing = f"SUM(D{first}:D{last})", f"SUM(E{first}:E{last})"
    told = (
        f'IF({wrong}=0,"",{wrong}&IF({wrong}=1," cell"," celler")&" att rätta")'
        f'&IF({wrong}*{missing}=0,""," och ")'
        f'&IF({missing}=0,"",{missing}&IF({missing}=1," tom cell"," tomma celler")&" att se över")'
    )
    nothing = f"SUM(C{first + 1}:C{last})+{wrong}+{missing}=0"
    well = f'IF({wrong}+{missing}=0,"{_ALL_WELL}",{told})'
    return f'=IF({nothing},"{_NOTHING_YET}",{well})'
