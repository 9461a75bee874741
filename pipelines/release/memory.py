"""What earlier releases of a round told, and of which respondents: never published.

Belongs here: keeping it beside the releases, reading it, and taking an association out when its
deliveries are erased. Does not: what follows from it (disclosure.py).

```
NNS_HOME/told/<round>/<n>.json    of release n, written before the release appears
```

A release shows sums over groups, and the next one shows other sums over mostly the same groups. To
tell what a reader of both can compute, one must know which groups answered the same in both.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.disclosure import Family, Figure, Published, Told
from pipelines.files import write_bytes
from pipelines.release import counts
from pipelines.settings import Settings


class ForgottenError(Exception):
    """What a release told is not known any more; the message is Swedish and says what to do."""


def keep(settings: Settings, round_: int, number: int, published: Sequence[Published]) -> None:
    """Writes what a release is about to tell."""
    path = _path(settings, round_, number)
    _write(path, [_as_json(p) for p in published])


def drop(settings: Settings, round_: int, number: int) -> None:
    """Removes what was written of a release that did not appear."""
    _path(settings, round_, number).unlink(missing_ok=True)


def recall(
    settings: Settings, round_: int, numbers: Sequence[int]
) -> Mapping[str, tuple[Published, ...]]:
    """What those releases told, by family, in their order.

    Raises:
        ForgottenError: a release is there, but not what it told.
    """
    told: dict[str, list[Published]] = {}
    for number in numbers:
        path = _path(settings, round_, number)
        if not path.exists():
            raise ForgottenError(
                f"Det som skyddar omgång {round_} mot att dolda tal räknas fram ur publicering "
                f"{number} saknas: {path}. Återställ filen från en säkerhetskopia."
            )
        for published in map(_from_json, json.loads(path.read_text(encoding="utf-8"))):
            told.setdefault(published.family.name, []).append(published)
    return {name: tuple(published) for name, published in told.items()}


def erase(settings: Settings, round_: int, association_id: str) -> None:
    """Takes an association's groups and answers out of what releases of a round told.

    What it told of outcomes stays: they lie in files of their own, which were not erased.
    Their sums were published and stay known. That two releases told of the same respondents stays
    known as well: each group and each of its answers is named by a hash. Its key lies beside them
    until all of them are done, for a call that goes on after one that was interrupted; then it is
    gone, and nobody can try which name gives which hash.
    """
    folder = settings.told / str(round_)
    paths = sorted(folder.glob("[0-9]*.json"))
    if not paths:
        return
    key_path = folder / ".key"
    if not key_path.exists():
        write_bytes(key_path, secrets.token_bytes())
    key = key_path.read_bytes()

    def nameless(*named: object) -> str:
        text = json.dumps(named).encode()
        return hashlib.blake2b(text, digest_size=16, key=key).hexdigest()

    for path in paths:
        families = json.loads(path.read_text(encoding="utf-8"))
        for family in (f for f in families if counts.rests_on_answers(f["name"])):
            for place, (question, atom, *answers) in enumerate(family["unknowns"]):
                if atom[0] == association_id:
                    group, which = nameless(*atom), nameless(question, *atom, *answers)
                    family["unknowns"][place] = [question, ["", "", group], which, 0]
        _write(path, families)
    key_path.unlink()


def _write(path: Path, families: Sequence[object]) -> None:
    text = json.dumps(families, ensure_ascii=False, separators=(",", ":"))
    write_bytes(path, text.encode())


def _path(settings: Settings, round_: int, number: int) -> Path:
    return settings.told / str(round_) / f"{number}.json"


def _as_json(published: Published) -> dict[str, Any]:
    """A family with its unknowns in a list, and groups as places in it."""
    family = published.family
    places = {key: place for place, key in enumerate(family.unknowns)}

    def at(question: str, atoms: Iterable[Any]) -> list[int]:
        return sorted(places[question, atom] for atom in atoms)

    return {
        "name": family.name,
        "bases": dict(family.bases),
        "unknowns": list(family.unknowns.values()),
        "figures": [
            [f.question, at(f.question, f.atoms), f.min_answers, f.is_published]
            for f in family.figures
        ],
        "told": [t and [t.n, t.low, t.high] for t in published.told],
    }


def _from_json(stored: Mapping[str, Any]) -> Published:
    unknowns = [(q, tuple(atom), n, positive) for q, atom, n, positive in stored["unknowns"]]

    def atoms(places: Iterable[int]) -> frozenset[Any]:
        return frozenset(unknowns[place][1] for place in places)

    family = Family(
        name=stored["name"],
        figures=tuple(
            Figure(question, atoms(places), least, is_published=is_published)
            for question, places, least, is_published in stored["figures"]
        ),
        unknowns={unknown[:2]: unknown for unknown in unknowns},
        bases=stored["bases"],
    )
    return Published(family, tuple(t and Told(*t) for t in stored["told"]))
