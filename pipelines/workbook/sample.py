"""A synthetic landing zone: a register and workbooks of invented answers, made from the seeds.

Belongs here: who exists, who delivers how much, what they answer. Does not: how a workbook looks
(`write.py`), what can go wrong in one (`faults.py`), any code or label (the seeds). Names of
associations, activities and comments are invented; municipalities are real codes of the seeds.
Each association and round draws from its own generator, so that another one changes nothing here.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from pipelines import instrument as instruments
from pipelines.instrument import Instrument, Question, Questionnaire, Round
from pipelines.outcomes import sample as outcomes
from pipelines.register import Association, Membership, Target, outcome_rate
from pipelines.web.columns import WEB, asks_gender
from pipelines.web.sample import STYLES, write_export
from pipelines.workbook import faults as faulty
from pipelines.workbook.faults import FAULTS
from pipelines.workbook.write import (
    SYNTHETIC_NOTE,
    Activity,
    Cell,
    Delivery,
    Respondent,
    Sheet,
    write_workbook,
)

__all__ = ["FAULTS", "LandingZone", "Volume", "write_landing_zone"]

ORIGIN = "synthetic\nPåhittade uppgifter: register och svar är framställda med nns sample.\n"

# Published by NNS: associations that delivered and questionnaires; 2018's questionnaires and
# the rounds not listed are our assumption. 78, 76 and 75 associations existed in 2020-2022.
PUBLISHED = {2018: (41, 4000), 2020: (42, 4186), 2021: (39, 3759), 2022: (36, 3970)}
TYPICAL_ROUND = (41, 4000)
TYPICAL_QUESTIONNAIRES = 100
ALL_ASSOCIATIONS = 78
# Published by NNS: participations active in a year, and of 2017 those that ended; between and after
# these years the numbers are our assumption.
PUBLISHED_ACTIVE = {2017: 28_381, 2020: 24_867}
ENDED_SHARE = 8_400 / 28_381
TYPICAL_ACTIVE = (60, 350, 130)

# First round → pairs that merge then, and newcomers (only where something merges).
_SAMPLE_EVENTS = {2021: (1, 1)}
_NATIONAL_EVENTS = {2021: (3, 1), 2022: (1, 0)}
_CROSSES_COUNTY = 3  # numbers in the order territories are given out
_SHARES_MUNICIPALITY = 5

_PREFIXES = ("", "Norra ", "Södra ", "Östra ", "Västra ", "Inre ", "Yttre ", "Övre ", "Nedre ")
_PLACES = (
    "Exempelbygden",
    "Provdalen",
    "Låtsaskusten",
    "Påhittsslätten",
    "Testskogen",
    "Sagoåsen",
    "Fantasiviken",
    "Skissmarken",
    "Modellbergen",
    "Övningsheden",
    "Utkastnäset",
)
_ACTIVITY_NAMES = (
    "Vägen vidare",
    "Kompassen",
    "Avstampet",
    "Nya steg",
    "Verkstaden",
    "Navet",
    "Gläntan",
    "Första steget",
    "Samlad kartläggning",
    "Gemensam ingång",
    "Samverkansteamet",
    "Lotsen",
)
_COMMENTS = (
    "Bra bemötande.",
    "Tack för stödet!",
    "Jag hade velat börja tidigare.",
    "Det tog tid men det blev bra.",
    "Fler gruppträffar, tack.",
    "Svårt att svara på vissa frågor.",
    "Skönt att slippa berätta allt igen.",
)

_RESPONDENT_WEIGHTS = {"participant": 35, "staff": 15, "board": 5, "managers": 4, "referrer": 6}
_OFTEN_SILENT = {"board": 0.15, "managers": 0.2}  # probability of not answering at all
_HEAD_ANSWERS = 0.9
_GENDER_WEIGHTS = (58, 39, 1, 2)  # the seed's genders in order, then empty
_BLANK = 0.04
_DONT_KNOW = 0.05
_COMMENTED = 0.05
_UNKNOWN_COUNT = 0.08
_TREND = 0.02  # a round, on the latent scale


@dataclass(frozen=True, slots=True)
class Volume:
    """How much a round holds."""

    associations: int
    questionnaires: int


@dataclass(frozen=True, slots=True)
class LandingZone:
    """What was written; `files` are the workbooks as first written, `rounds` without faults."""

    path: Path
    files: tuple[Path, ...]
    rounds: Mapping[int, Volume]


@dataclass(frozen=True, slots=True)
class _Member:
    """An association of the register, its years and habits."""

    number: int
    association: Association
    municipalities: tuple[str, ...]
    first_round: int
    last_round: int | None

    @property
    def id(self) -> str:
        return self.association.association_id

    def is_in(self, round_: int) -> bool:
        return self.first_round <= round_ <= (self.last_round or round_)


@dataclass(frozen=True, slots=True)
class _Life:
    """When an association exists, and the positions of the two it was made of."""

    first_round: int
    last_round: int | None = None
    parents: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Item:
    """A question as one association's respondents meet it.

    `level` is the mean on a latent standard scale, `gap` what women add to it; `cells` maps every
    code to how this association registers it.
    """

    question: Question
    base: Question | None
    level: float
    gap: float
    answers: tuple[int, ...]
    dont_knows: tuple[int, ...]
    cells: Mapping[int, Cell]


def write_landing_zone(
    out: Path,
    *,
    rounds: Sequence[int],
    associations: int = 6,
    questionnaires: int | None = None,
    seed: int = 1,
    national: bool = False,
    faults: Sequence[str] = (),
    web: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LandingZone:
    """Writes register, workbooks and outcomes under `out`; the same arguments give the same bytes.

    Args:
        out: an empty or new folder, or an earlier synthetic landing zone, which is replaced.
        rounds: years of the rounds seed.
        associations: how many are active at a time; `national` has its own number.
        questionnaires: mean per association; without it 100, nationally the published totals.
        seed: another seed, other answers.
        national: as many associations and questionnaires as NNS published.
        faults: names of `FAULTS`, put into the workbooks of the last round, one in each in turn.
        web: also exports of web answers, `<round>/web/*.csv`: of some associations' ending
            participants and staff, beside those in their workbooks.
        progress: called with workbooks written and workbooks in all.

    Raises:
        ValueError: `out` holds other files, or an argument is unknown; the message is Swedish.
        OSError: `out` cannot be written.
    """
    instrument = instruments.load()
    _refuse(rounds, associations, questionnaires, faults, instrument)
    _refuse_foreign(out)
    _clear(out, instrument)
    members = _members(ALL_ASSOCIATIONS if national else associations, seed, national, instrument)
    _write_register(out / "register", members)
    volumes = {r: _volumes(members, r, questionnaires, seed, national) for r in sorted(set(rounds))}
    total = sum(map(len, volumes.values()))
    files: list[Path] = []
    counts: dict[int, Volume] = {}
    for round_, volume in volumes.items():
        deliveries = [_delivery(m, round_, n, seed, instrument) for m, n in volume.items()]
        on_web = {m: _on_web(m, round_, seed, instrument) if web else () for m in volume}
        deliveries = [
            _with_web(d, sheets) for d, sheets in zip(deliveries, on_web.values(), strict=True)
        ]
        names = faults if round_ == max(rounds) else ()
        for path in _write_round(out / str(round_), deliveries, names, instrument):
            files.append(path)
            if progress:
                progress(len(files), total)
        for member, sheets in on_web.items():
            _write_web(out / str(round_) / WEB, member, round_, sheets, seed, instrument)
        n_web = sum(len(s.respondents) for sheets in on_web.values() for s in sheets)
        counts[round_] = Volume(len(volume), sum(volume.values()) + n_web)
    sites = _sites(members, max(volumes), seed, national, instrument)
    genders, rng = _canonical(instrument, "kon"), partial(_rng, seed)
    outcomes.write_outcomes(out, sites, min(volumes), max(volumes), genders, rng)
    return LandingZone(out, tuple(files), counts)


def _refuse(
    rounds: Sequence[int],
    associations: int,
    questionnaires: int | None,
    faults: Sequence[str],
    instrument: Instrument,
) -> None:
    known = list(instrument.rounds)
    unknown = [r for r in rounds if r not in known]
    if unknown or not rounds:
        asked = ", ".join(map(str, unknown)) or "ingen"
        raise ValueError(f"Okänd mätomgång ({asked}): välj bland {min(known)}-{max(known)}.")
    if not 1 <= associations <= ALL_ASSOCIATIONS:
        raise ValueError(f"Antalet förbund ska vara 1-{ALL_ASSOCIATIONS}, inte {associations}.")
    if questionnaires is not None and questionnaires < 1:
        raise ValueError(f"Antalet enkäter per förbund ska vara minst 1, inte {questionnaires}.")
    if strange := [f for f in faults if f not in FAULTS]:
        raise ValueError(f"Okänt fel ({', '.join(strange)}): välj bland {', '.join(FAULTS)}.")


def _refuse_foreign(out: Path) -> None:
    origin = out / "register" / "ORIGIN"
    if origin.is_file() and b"synthetic" in origin.read_bytes():
        return
    if out.is_file() or any(p.is_file() for p in out.rglob("*")):
        raise ValueError(f"{out} innehåller redan annat än påhittade uppgifter: välj en tom mapp.")


def _clear(out: Path, instrument: Instrument) -> None:
    """Takes away the files of an earlier sample; those under other names stay."""
    for round_ in instrument.rounds:
        for pattern in (f"*_{round_}.xls*", f"*_{round_}_rattad.xlsx", f"{WEB}/*_{round_}.csv"):
            for path in (out / str(round_)).glob(pattern):
                path.unlink()
    outcomes.clear(out)


def _write_round(
    folder: Path, deliveries: list[Delivery], faults: Sequence[str], instrument: Instrument
) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for number, delivery in enumerate(deliveries):
        path = folder / f"{delivery.association_id}_{folder.name}.xlsx"
        names = faults[number :: len(deliveries)]
        scene = faulty.Scene(instrument, (*deliveries[number + 1 :], *deliveries[:number]))
        changed = faulty.change(delivery, names, scene)
        write_workbook(path, changed, instrument)
        faulty.damage(path, changed, names, scene)
        yield path


# Web answers


def _on_web(member: _Member, round_: int, seed: int, instrument: Instrument) -> tuple[Sheet, ...]:
    """What an association has on the web besides: ending participants, of every second staff too.

    Every third association has none. Answers are codes, as forms give them.
    """
    if member.number % 3 == 2:
        return ()
    rng, plain = _rng(seed, member.id, round_, "web"), replace(member, number=0)
    activities = _activities(member, seed, instrument)
    groups = {"participant", "staff"} if member.number % 2 else {"participant"}
    return tuple(
        _sheet(rng, plain, q, round_, rng.randint(6, 12), activities, seed, instrument)
        for q in instrument.questionnaires_in(round_)
        if q.respondent_group in groups and (q.all_year or q.respondent_group == "staff")
    )


def _with_web(delivery: Delivery, sheets: Sequence[Sheet]) -> Delivery:
    """The workbook with the web's questionnaires among those it says were handed out."""
    answered = Counter(
        (s.layout.questionnaire_id, r.insats_kod) for s in sheets for r in s.respondents
    )
    activities = tuple(
        replace(
            a,
            handed_out={
                q: None if n is None else n + answered[q, a.insats_kod]
                for q, n in a.handed_out.items()
            },
        )
        for a in delivery.activities
    )
    return replace(delivery, activities=activities)


def _write_web(
    folder: Path,
    member: _Member,
    round_: int,
    sheets: Sequence[Sheet],
    seed: int,
    instrument: Instrument,
) -> None:
    for sheet in sheets:
        own = sheet.layout.questionnaire_id
        asked = [q.question_id for q in instrument.questions_asked(own, round_)]
        if asks_gender(instrument.questionnaires[own]):
            asked.insert(0, "kon")
        if instrument.questionnaires[own].has_activity:
            asked.insert(0, "insats_kod")
        known = {"round": round_, "association_id": member.id, "questionnaire_id": own}
        rng = _rng(seed, member.id, round_, own, "keys")
        style = STYLES[member.number % len(STYLES)]
        path = folder / f"{member.id}_{own}_{round_}.csv"
        write_export(path, known, sheet.respondents, asked, rng, style)


# The register


def _members(count: int, seed: int, national: bool, instrument: Instrument) -> list[_Member]:
    """All associations that exist in some year; the first ones are those that merge."""
    lives = _lives(count, national, min(instrument.rounds))
    territories = _territories(sum(not life.parents for life in lives), seed)
    counties = {r["municipality_code"]: r["county_code"] for r in _municipalities()}
    names = [prefix + place for prefix in _PREFIXES for place in _PLACES]
    members: list[_Member] = []
    for number, life in enumerate(lives):
        home = tuple(dict.fromkeys(m for p in life.parents for m in members[p].municipalities))
        municipalities = home or next(territories)
        association = Association(
            association_id=_slug(names[number]),
            association_name=f"Samordningsförbundet {names[number]}",
            county_code=counties[municipalities[0]],
            agreement_from=date(life.first_round, 1, 1),
            agreement_to=date(life.last_round, 12, 31) if life.last_round else None,
        )
        members.append(
            _Member(number, association, municipalities, life.first_round, life.last_round)
        )
    return members


def _lives(count: int, national: bool, start: int) -> list[_Life]:
    lives: list[_Life] = []
    left = count
    for round_, (pairs, newcomers) in (_NATIONAL_EVENTS if national else _SAMPLE_EVENTS).items():
        pairs = min(pairs, left // 2)
        left -= 2 * pairs
        for _ in range(pairs):
            first = len(lives)
            lives += [_Life(start, round_ - 1)] * 2 + [_Life(round_, None, (first, first + 1))]
        lives += [_Life(round_)] * min(pairs, newcomers)
    return lives + [_Life(start)] * left


def _territories(count: int, seed: int) -> Iterator[tuple[str, ...]]:
    """Municipalities of each association that is no merger, neighbours by code.

    Two in a row lie in the same county, the next two some counties further on.
    """
    free: dict[str, list[str]] = {}
    for row in _municipalities():
        free.setdefault(row["county_code"], []).append(row["municipality_code"])
    counties = list(free)
    before: tuple[str, ...] = ()
    for number in range(count):
        home = (number // 2 * 5) % len(counties)
        order = [c for c in counties[home:] + counties[:home] if free[c]]
        size = _rng(seed, "territory", number).randint(2, 4)
        own = tuple(free[order[0]][:size])
        del free[order[0]][:size]
        if number == _CROSSES_COUNTY:
            own += (free[order[1]].pop(0),)
        if number == _SHARES_MUNICIPALITY:
            own += before[:1]
        before = own
        yield own


def _rng(*key: object) -> Random:
    """The generator that belongs to the key, the same on every machine."""
    return Random("/".join(map(str, key)))  # noqa: S311  invented answers, no secrets


def _municipalities() -> Iterator[dict[str, str]]:
    return instruments.seed_rows("municipalities")


def _slug(name: str) -> str:
    return name.lower().translate(str.maketrans("åäö ", "aao-"))


def _write_register(folder: Path, members: Sequence[_Member]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ORIGIN").write_text(ORIGIN, encoding="utf-8", newline="")
    memberships = [
        Membership(m.id, code, m.first_round, m.last_round)
        for m in members
        for code in m.municipalities
    ]
    _write_csv(folder / "associations.csv", Association, [m.association for m in members])
    _write_csv(folder / "memberships.csv", Membership, memberships)
    _write_csv(folder / "targets.csv", Target, _targets(members))


def _targets(members: Sequence[_Member]) -> list[Target]:
    """Targets of the nation and of the first lasting association, of results and of outcomes."""
    first = next(instruments.seed_rows("measures"))
    own = next(m for m in members if m.last_round is None)
    start = own.first_round
    return [
        Target(first["measure_id"], None, "nation", "0000", start, None, 70.0),
        Target(None, first["indicator_id"], "nation", "0000", start, None, 65.0),
        Target(first["measure_id"], None, "association", own.id, start, start + 3, 60.0),
        Target(first["measure_id"], None, "association", own.id, start + 4, None, 75.0),
        Target(None, first["indicator_id"], "association", own.id, start + 4, None, 70.0),
        Target(outcome_rate(), None, "nation", "0000", start, None, 30.0),
        Target(outcome_rate(), None, "association", own.id, start, None, 35.0),
    ]


def _write_csv(path: Path, kind: type[Any], rows: Sequence[Any]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        needed = [f.name for f in fields(kind) if f.default is MISSING]  # not what may be left out
        writer.writerow(needed)
        writer.writerows([getattr(row, name) for name in needed] for row in rows)


# Who delivers how much


def _volumes(
    members: Sequence[_Member], round_: int, mean: int | None, seed: int, national: bool
) -> dict[_Member, int]:
    """Questionnaires of each association that delivers in the round."""
    active = [m for m in members if m.is_in(round_)]
    if not national:
        mean = mean or TYPICAL_QUESTIONNAIRES
        return {m: max(1, round(mean * _size(m, round_, seed))) for m in active}
    number, total = PUBLISHED.get(round_, TYPICAL_ROUND)
    keen = sorted(active, key=lambda m: _reluctance(m, round_, seed))[:number]
    delivering = sorted(keen, key=lambda m: m.number)
    weights = [_size(m, round_, seed) for m in delivering]
    counts = _apportion(mean * number if mean else total, weights)
    return dict(zip(delivering, counts, strict=True))


def _size(member: _Member, round_: int, seed: int) -> float:
    usual = _rng(seed, member.id, "size").triangular(0.55, 1.5, 0.95)
    return usual * _rng(seed, member.id, round_, "size").uniform(0.9, 1.1)


def _reluctance(member: _Member, round_: int, seed: int) -> float:
    usual = _rng(seed, member.id, "delivers").random()
    return usual + _rng(seed, member.id, round_, "delivers").uniform(0, 0.2)


def _apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the weights, exactly `total` in all (largest remainder)."""
    exact = [total * w / sum(weights) for w in weights]
    counts = [int(x) for x in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


# Who takes part


def _sites(
    members: Sequence[_Member], last: int, seed: int, national: bool, instrument: Instrument
) -> list[outcomes.Site]:
    """Where people take part, and how many, from the first round to the year `last`."""
    start = min(instrument.rounds)
    years = range(start, last + 1)
    volumes: dict[str, dict[int, tuple[int, int]]] = {m.id: {} for m in members}
    for year in years:
        there = [m for m in members if m.is_in(year)]
        active = _active(there, year, seed, national)
        ended = _apportion(round(sum(active) * ENDED_SHARE), active)
        for member, counts in zip(there, zip(active, ended, strict=True), strict=True):
            volumes[member.id][year] = counts
    return [
        outcomes.Site(
            number=m.number,
            association_id=m.id,
            activities=_activities_of_people(m, seed, instrument),
            volumes=volumes[m.id],
            starts_anew=m.first_round > start,
            is_lasting=m.last_round is None,
        )
        for m in members
    ]


def _active(members: Sequence[_Member], year: int, seed: int, national: bool) -> list[int]:
    """Participations active in a year, by association."""
    usual = [_rng(seed, m.id, "active").triangular(*TYPICAL_ACTIVE) for m in members]
    sizes = [
        size * _rng(seed, m.id, year, "active").uniform(0.95, 1.05)
        for m, size in zip(members, usual, strict=True)
    ]
    if not national:
        return [round(size) for size in sizes]
    (first, before), (second, after) = PUBLISHED_ACTIVE.items()
    passed = min(1, (year - first) / (second - first))
    return _apportion(round(before + passed * (after - before)), sizes)


def _activities_of_people(member: _Member, seed: int, instrument: Instrument) -> tuple[str, ...]:
    aim = _canonical(instrument, "inriktning")[0]
    activities = _activities(member, seed, instrument)
    return tuple(a.insats_kod for a in activities if a.inriktning == aim)


# One delivery


def _delivery(
    member: _Member, round_: int, total: int, seed: int, instrument: Instrument
) -> Delivery:
    rng = _rng(seed, member.id, round_)
    layout_id = instrument.rounds[round_].layout_id
    activities = _activities(member, seed, instrument)
    asked = instrument.questionnaires_in(round_)
    counts = dict(zip(asked, _split(rng, total, asked), strict=True))
    sheets = tuple(
        _sheet(rng, member, q, round_, n, activities, seed, instrument)
        for q, n in counts.items()
        if n
    )
    return Delivery(
        round=round_,
        layout_id=layout_id,
        association_id=member.id,
        activities=_with_handed_out(rng, activities, asked, sheets, instrument),
        sheets=sheets,
        notes=(SYNTHETIC_NOTE,),
    )


def _activities(member: _Member, seed: int, instrument: Instrument) -> tuple[Activity, ...]:
    """An association's activities, the same in all its rounds; the first aims at individuals."""
    rng = _rng(seed, member.id, "activities")
    aims, lengths = _canonical(instrument, "inriktning"), _canonical(instrument, "langd")
    names = rng.sample(_ACTIVITY_NAMES, rng.randint(2, 6))
    return tuple(
        Activity(
            insats_kod=f"A{number}",
            insats_namn=name,
            inriktning=aims[0] if number == 1 else rng.choices(aims, (4, 1))[0],
            langd=rng.choices((*lengths, ""), (2, 2, 1))[0],
        )
        for number, name in enumerate(names, start=1)
    )


def _canonical(instrument: Instrument, field: str) -> list[str]:
    return list(dict.fromkeys(instrument.spellings[field].values()))


def _split(rng: Random, total: int, asked: Sequence[Questionnaire]) -> list[int]:
    """How the association's questionnaires fall on the round's questionnaires, `total` in all."""
    heads = [int(q.respondent_group == "association_head") for q in asked]
    answering = min(total - 1, int(rng.random() < _HEAD_ANSWERS)) if any(heads) else 0
    weights = [
        0.0
        if head or rng.random() < _OFTEN_SILENT.get(q.respondent_group, 0)
        else _RESPONDENT_WEIGHTS.get(q.respondent_group, 5) * rng.uniform(0.75, 1.25)
        for q, head in zip(asked, heads, strict=True)
    ]
    counts = _apportion(total - answering, weights)
    return [answering if head else n for head, n in zip(heads, counts, strict=True)]


def _with_handed_out(
    rng: Random,
    activities: Sequence[Activity],
    asked: Sequence[Questionnaire],
    sheets: Sequence[Sheet],
    instrument: Instrument,
) -> tuple[Activity, ...]:
    returned: dict[tuple[str, Cell], int] = {}
    for sheet in sheets:
        for respondent in sheet.respondents:
            key = (sheet.layout.questionnaire_id, respondent.insats_kod)
            returned[key] = returned.get(key, 0) + 1
    return tuple(
        replace(
            activity,
            handed_out={
                q.questionnaire_id: _handed_out(
                    rng, returned.get((q.questionnaire_id, activity.insats_kod), 0)
                )
                if activity in _open_to(q, activities, instrument)
                else 0
                for q in asked
                if q.has_activity
            },
        )
        for activity in activities
    )


def _handed_out(rng: Random, returned: int) -> int | None:
    """A plausible number of handed-out questionnaires, never under the returned; None: unknown."""
    unknown, rate = rng.random() < _UNKNOWN_COUNT, rng.uniform(0.5, 0.9)
    return None if unknown else math.ceil(max(returned, 1) / rate)


def _open_to(
    questionnaire: Questionnaire, activities: Sequence[Activity], instrument: Instrument
) -> Sequence[Activity]:
    """Activities whose people get the questionnaire: participants only where aimed at them."""
    if questionnaire.respondent_group != "participant":
        return activities
    aim = _canonical(instrument, "inriktning")[0]
    return [a for a in activities if a.inriktning == aim]


def _sheet(
    rng: Random,
    member: _Member,
    questionnaire: Questionnaire,
    round_: int,
    count: int,
    activities: Sequence[Activity],
    seed: int,
    instrument: Instrument,
) -> Sheet:
    described = instrument.rounds[round_]
    layout = instrument.layouts[described.layout_id][questionnaire.questionnaire_id]
    items = _items(member, questionnaire, round_, seed, instrument)
    genders = _genders(member, questionnaire, instrument)
    places = _open_to(questionnaire, activities, instrument) if questionnaire.has_activity else ()
    days = _days(rng, questionnaire, described, count)
    return Sheet(
        layout,
        tuple(
            _respondent(rng, number, day, places, genders, items)
            for number, day in enumerate(days, start=1)
        ),
    )


def _days(rng: Random, questionnaire: Questionnaire, round_: Round, count: int) -> list[date]:
    """The days the questionnaires were answered, in order."""
    first = date(round_.round, 1, 1) if questionnaire.all_year else round_.opens
    days = (round_.closes - first).days
    return sorted(first + timedelta(days=rng.randint(0, days)) for _ in range(count))


def _genders(
    member: _Member, questionnaire: Questionnaire, instrument: Instrument
) -> tuple[Cell, ...]:
    """How this association writes women, men, others and unknown; empty if gender is not asked."""
    if questionnaire.respondent_group != "participant":
        return ()
    spellings = instrument.spellings["kon"]
    words = {v: [s for s in spellings if spellings[s] == v] for v in spellings.values()}
    return (*(own[member.number // 2 % len(own)] for own in words.values()), None)


def _items(
    member: _Member, questionnaire: Questionnaire, round_: int, seed: int, instrument: Instrument
) -> list[_Item]:
    own = _rng(seed, member.id, "level").gauss(0, 0.12)
    trend = _TREND * (round_ - min(instrument.rounds))
    items = []
    for question in instrument.questions_asked(questionnaire.questionnaire_id, round_):
        measure = _rng(seed, question.measure_id, questionnaire.questionnaire_id)
        scale = instrument.scales[question.scale_id]
        items.append(
            _Item(
                question=question,
                base=instrument.questions.get(question.base_question_id or ""),
                level=measure.gauss(0.45, 0.2) + own + trend,
                gap=measure.gauss(0.1, 0.1),
                answers=tuple(c.code for c in scale if c.is_answer),
                dont_knows=tuple(c.code for c in scale if not c.is_answer),
                cells={c.code: _spelled(member, c.code, c.label_sv) for c in scale},
            )
        )
    return items


def _spelled(member: _Member, code: int, label: str) -> Cell:
    """An answer by the association's habit: number, both, label, or the number as text."""
    habits: tuple[Cell, ...] = (code, f"{code} {label}", label, str(code))
    return habits[member.number % len(habits)]


def _respondent(
    rng: Random,
    lopnr: int,
    day: date,
    places: Sequence[Activity],
    genders: Sequence[Cell],
    items: Sequence[_Item],
) -> Respondent:
    kon = rng.choices(genders, _GENDER_WEIGHTS)[0] if genders else None
    is_woman = bool(genders) and kon == genders[0]
    return Respondent(
        lopnr=lopnr,
        insats_kod=rng.choice(places).insats_kod if places else None,
        kon=kon,
        svarsdatum=day,
        kommentar=rng.choice(_COMMENTS) if genders and rng.random() < _COMMENTED else None,
        answers=_answers(rng, items, is_woman),
    )


def _answers(rng: Random, items: Sequence[_Item], is_woman: bool) -> dict[str, Cell]:
    """One respondent's answers: a mood of their own, and each question's level and noise."""
    mood = rng.gauss(0, 0.35)
    positive: set[str] = set()
    answers: dict[str, Cell] = {}
    for item in items:
        latent = rng.gauss(item.level + mood + item.gap * is_woman, 0.75)
        kind = rng.random()
        question = item.question
        if kind < _BLANK or (item.base and item.base.question_id not in positive):
            continue
        if item.dont_knows and kind < _BLANK + _DONT_KNOW:
            answers[question.question_id] = item.cells[item.dont_knows[0]]
            continue
        share = 0.5 * (1 + math.erf(latent / math.sqrt(2)))
        code = item.answers[min(int(share * len(item.answers)), len(item.answers) - 1)]
        if code >= question.positive_min_code:
            positive.add(question.question_id)
        answers[question.question_id] = item.cells[code]
    return answers
