"""`nns serve`: the releases as Kolada's API, version 3, read-only and on this machine only.

Belongs here: paths, filters, paging and the sentences of a refusal. Does not: any figure; what is
answered is what kolada.py wrote into the latest release of each round.

```
/v3/kpi  /v3/kpi/{ids}                              title=
/v3/municipality  /v3/municipality/{ids}            title=, type=
/v3/kpi_groups  /v3/municipality_groups             title=; we have none
/v3/data                                            kpi_id=, municipality_id=, year=
/v3/data/kpi/{ids}/municipality/{ids}/year/{years}  or two of the three
```
All take page= and per_page=.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.release.kolada import envelope

HOST = "127.0.0.1"
IDS_PER_SEGMENT = 25
RECORDS_PER_PAGE = 5000
_ROOT = "/v3"
_PAGING = ("page", "per_page")
_FILTERS = {"kpi": ("title",), "municipality": ("title", "type")}
_AXES = {"kpi": "kpi_id", "municipality": "municipality_id", "year": "year"}
"""How data are asked for: the name in a path → the name in a query."""


Endpoint = Callable[[Request], Response]
Record = Mapping[str, Any]
Id = str | int
"""Of a key figure or a municipality, or a year."""


class NothingPublishedError(Exception):
    """There is no release to serve; the message says in Swedish what to do."""


@dataclass(frozen=True, slots=True)
class Served:
    """The records of all rounds.

    Attributes:
        records: `kpi` and `municipality` → id → record, as the newest round has it.
        data: (kpi, municipality, year) → the row.
        years: those that have data, in order.
    """

    records: Mapping[str, Mapping[str, Record]]
    data: Mapping[tuple[Id, ...], Record]
    years: Sequence[int]
    is_synthetic: bool

    def known(self, axis: str) -> Collection[Id]:
        """All that can be asked for along an axis of the data, in order."""
        return self.years if axis == "year" else self.records[axis]


def application(published: Path) -> Starlette:
    """The API over the releases of a folder; it notices when one becomes the latest.

    Args:
        published: `<round>/latest` of each round.

    Raises:
        NothingPublishedError: no round has a release.
    """
    _latest(published)
    app = Starlette(
        routes=list(_routes()),
        exception_handlers={HTTPException: _refused, NothingPublishedError: _unavailable},
    )
    app.state.published = published
    return app


def run(published: Path, port: int) -> None:
    """Serves until it is interrupted.

    Raises:
        NothingPublishedError: no round has a release.
        OSError: the port is taken.
    """
    app = application(published)
    with socket.create_server((HOST, port)) as listening:
        config = uvicorn.Config(app, log_level="warning", lifespan="off")
        uvicorn.Server(config).run(sockets=[listening])


# --- what is served -----------------------------------------------------------------------------


def _served(request: Request) -> Served:
    return _read(_latest(request.app.state.published))


def _latest(published: Path) -> tuple[Path, ...]:
    """The folder of the latest release of each round, the oldest round first."""
    found = tuple(path.resolve() for path in sorted(published.glob("*/latest")))
    if not found:
        raise NothingPublishedError(
            "Ingen omgång är publicerad ännu. Publicera en först: nns publish --round ÅÅÅÅ"
        )
    return found


@lru_cache(maxsize=1)
def _read(releases: tuple[Path, ...]) -> Served:
    """All records; a release never changes, so they are read again only when there is another."""
    envelopes = {
        name: [json.loads((r / "kolada" / f"{name}.json").read_bytes()) for r in releases]
        for name in ("kpi", "municipality", "data")
    }
    records = {
        name: {r["id"]: r for read in envelopes[name] for r in read["values"]}
        for name in ("kpi", "municipality")
    }
    data: dict[tuple[Id, ...], Record] = {
        (row["kpi"], row["municipality"], row["period"]): row
        for read in envelopes["data"]
        for row in read["values"]
    }
    return Served(
        records={name: dict(sorted(found.items())) for name, found in records.items()},
        data=data,
        years=sorted({row["period"] for row in data.values()}),
        is_synthetic=any("synthetic" in read for reads in envelopes.values() for read in reads),
    )


# --- the paths ----------------------------------------------------------------------------------


def _routes() -> Iterator[Route]:
    """Every path with and without a slash at its end, then the sentence for any other."""
    for path, endpoint in _paths():
        for end in ("", "/"):
            yield Route(f"{_ROOT}/{path}{end}", endpoint, methods=["GET"])
    yield Route("/{path:path}", _no_such_path, methods=["GET"])


def _paths() -> Iterator[tuple[str, Endpoint]]:
    for name in ("kpi", "municipality"):
        yield name, _described_by(name)
        yield f"{name}/{{{name}}}", _described_by(name)
        yield f"{name}_groups", _groups
    yield "data", _data
    for n in (2, 3):
        for axes in combinations(_AXES, n):
            yield f"data/{'/'.join(f'{axis}/{{{axis}}}' for axis in axes)}", _data


def _described_by(name: str) -> Endpoint:
    """What answers with the records of key figures or municipalities."""

    def endpoint(request: Request) -> Response:
        _takes(request, _FILTERS[name])
        served = _served(request)
        asked = _asked(request, name, served) or served.records[name]
        records = [served.records[name][str(id_)] for id_ in asked]
        return _page(request, [r for r in records if _fits(r, request)], served.is_synthetic)

    return endpoint


def _groups(request: Request) -> Response:
    _takes(request, ("title",))
    return _page(request, [], _served(request).is_synthetic)


def _data(request: Request) -> Response:
    _takes(request, () if request.path_params else tuple(_AXES.values()))
    served = _served(request)
    asked = [_asked(request, axis, served) or served.known(axis) for axis in _AXES]
    rows = [row for key in product(*asked) if (row := served.data.get(key))]
    return _page(request, rows, served.is_synthetic)


def _no_such_path(request: Request) -> Response:
    first = ", ".join(f"{_ROOT}/{path}" for path, _ in _paths() if "/" not in path)
    raise HTTPException(404, f"Sökvägen {request.url.path} finns inte. Här finns {first}.")


# --- what is asked for --------------------------------------------------------------------------


def _takes(request: Request, keys: Sequence[str]) -> None:
    """Refuses a misspelt key: ignored, it would give more than was asked for."""
    known = (*keys, *_PAGING)
    if unknown := [key for key in request.query_params if key not in known]:
        raise HTTPException(
            400, f"Här går det inte att fråga efter {unknown[0]}, bara efter {', '.join(known)}."
        )


def _asked(request: Request, axis: str, served: Served) -> Sequence[Id]:
    """The ids or years asked for, in order and once each; none when the request names none."""
    if axis in request.path_params:
        texts = request.path_params[axis].split(",")
        if len(texts) > IDS_PER_SEGMENT:
            raise HTTPException(
                400,
                f"Sökvägen tar högst {IDS_PER_SEGMENT} id eller år i varje led, "
                f"inte {len(texts)}. Dela upp frågan.",
            )
    else:
        texts = request.query_params.getlist(_AXES[axis])
    if axis == "year":
        return sorted({_year(text) for text in texts})
    if unknown := sorted(set(texts) - {str(id_) for id_ in served.known(axis)}):
        raise HTTPException(404, f"{axis} {', '.join(unknown)} finns inte.")
    return sorted(set(texts))


def _year(text: str) -> int:
    if not re.fullmatch(r"[0-9]{4}", text):
        raise HTTPException(400, f"Ett år skrivs med fyra siffror, som 2026, inte '{text}'.")
    return int(text)


def _fits(record: Record, request: Request) -> bool:
    """Whether a record's title contains what is asked for, and its type is that asked for."""
    title, type_ = (request.query_params.get(key, "") for key in ("title", "type"))
    return title.casefold() in record["title"].casefold() and type_ in ("", record.get("type"))


# --- the answers --------------------------------------------------------------------------------


def _page(request: Request, records: Sequence[Record], is_synthetic: bool) -> Response:
    """The page asked for, and the addresses of the pages beside it."""
    per_page = _number(request, "per_page", RECORDS_PER_PAGE, RECORDS_PER_PAGE)
    page = _number(request, "page", 1)
    n_pages = -(-len(records) // per_page)
    shown = records[(page - 1) * per_page : page * per_page]
    previous, following = (
        str(request.url.include_query_params(page=p)) if 1 <= p <= n_pages else None
        for p in (page - 1, page + 1)
    )
    return JSONResponse(envelope(shown, len(records), is_synthetic, previous, following))


def _number(request: Request, key: str, default: int, most: int | None = None) -> int:
    text = request.query_params.get(key, str(default))
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text) or int(text) > (most or int(text)):
        wanted = f"från 1 till {most}" if most else "från 1"
        raise HTTPException(400, f"{key} ska vara ett heltal {wanted}, inte '{text}'.")
    return int(text)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    only_read = "Här går det bara att läsa: fråga med GET eller HEAD."
    sentence = only_read if error.status_code == 405 else error.detail
    return JSONResponse({"detail": sentence}, error.status_code, error.headers)


def _unavailable(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 503)
