"""The warehouse: dbt in this process, and the analysts' snapshot of what it built.

Belongs here: running dbt on the lake, knowing whether its result is up to date, and swapping in
the snapshot. Does not: any SQL of the marts (dbt_project/), or Dagster (defs/warehouse.py).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines import database, instrument, lake
from pipelines.files import FILE_MODE, beside, sync, write_text
from pipelines.imports import uncollected
from pipelines.settings import DBT_PROJECT, Settings

MANIFEST = DBT_PROJECT / "target" / "manifest.json"
_MADE = {"target", "logs"}
_SNAPSHOT_SCHEMA = "marts"


@dataclass(frozen=True, slots=True)
class Rate:
    """A row of the mart `response_rates` about the nation; what is unknown is None."""

    questionnaire_id: str
    handed_out: int | None
    returned: int
    returned_known: int | None
    response_rate: float | None
    n_associations_expected: int
    n_associations_delivered: int
    n_activities_expected: int | None
    n_activities_delivered: int | None


class BuildError(Exception):
    """dbt did not build; the message names the models or tests that failed."""


# --- dbt ----------------------------------------------------------------------------------------


def project_files() -> list[Path]:
    """The files of the dbt project, what dbt itself makes left out."""
    return sorted(
        path
        for entry in DBT_PROJECT.iterdir()
        if entry.name not in _MADE
        for path in ([entry] if entry.is_file() else entry.rglob("*"))
        if path.is_file()
    )


def ensure_manifest(settings: Settings) -> Path:
    """The path of dbt's manifest, parsed anew when a file of the project is younger.

    It is written beside its place and renamed: another process may be reading it. Builds leave it.

    Raises:
        BuildError: the project does not parse.
    """
    youngest = max(path.stat().st_mtime_ns for path in project_files())
    if not MANIFEST.exists() or MANIFEST.stat().st_mtime_ns < youngest:
        MANIFEST.parent.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=MANIFEST.parent) as beside:
            _invoke(settings, ["parse"], target=Path(beside))
            for name in ("partial_parse.msgpack", MANIFEST.name):
                Path(beside, name).replace(MANIFEST.with_name(name))
    return MANIFEST


def build(
    settings: Settings,
    selection: Sequence[str] = (),
    on_event: Callable[[Any], None] = lambda event: None,
) -> None:
    """Builds and tests the models in the working database; unit tests are for `make test`.

    The database stays from build to build while the project, the register and the outcomes are as
    before: only rounds whose deliveries changed are counted again, only they and later ones have
    their figures made anew, and seeds are not loaded again.

    Args:
        settings: the folders.
        selection: dbt's selection arguments, empty for everything.
        on_event: called with every event of dbt.

    Raises:
        BuildError: a model failed or a test found something.
    """
    before, now = _read_basis(_built_from(settings)), basis(settings)
    settings.working_database.parent.mkdir(parents=True, exist_ok=True)
    _forget(_built_from(settings))  # not known before all is built
    is_kept = before.common == now.common and settings.working_database.exists()
    if not is_kept and not selection:
        _remove_database(settings)
    leave_manifest = "--no-write-json"
    left_out = ["unit_test", *(["seed"] if is_kept and not selection else [])]
    without = [part for kind in left_out for part in ("--exclude-resource-type", kind)]
    with _told(settings, now.changed_since(before if is_kept else Basis())):
        _invoke(settings, ["build", leave_manifest, *without, *selection], on_event)
    if not selection:
        write_text(_built_from(settings), json.dumps(lake.fields_of(now)))


@contextmanager
def _told(settings: Settings, changed: Mapping[str, Iterable[int]]) -> Iterator[None]:
    """Tells dbt which rounds changed, a file each of what may differ."""
    work = settings.working_database.parent
    files = {work / f"changed_{what}.csv": rounds for what, rounds in changed.items()}
    for path, rounds in files.items():
        write_text(path, "\n".join(["round", *map(str, sorted(rounds))]))
    try:
        yield
    finally:
        for path in files:
            path.unlink()


def _invoke(
    settings: Settings,
    arguments: list[str],
    on_event: Callable[[Any], None] = lambda event: None,
    target: Path = MANIFEST.parent,
) -> None:
    with uncollected():
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner
        from dbt_common.events.event_manager_client import cleanup_event_logger

    settings.home.mkdir(parents=True, exist_ok=True)
    try:
        with chdir(settings.home):  # the project names lake and database from there
            result = dbtRunner(callbacks=[on_event]).invoke(
                [*arguments, *_dbt_options(settings, target)]
            )
    finally:
        cleanup_event_logger()
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if not result.success:
        raise BuildError(_why(result)) from result.exception


def _dbt_options(settings: Settings, target: Path) -> list[str]:
    folders = {
        "--project-dir": DBT_PROJECT,
        "--profiles-dir": DBT_PROJECT,
        "--target-path": target,
        "--log-path": settings.home / "logs",
    }
    quiet = ["--no-use-colors", "--log-level", "none", "--log-level-file", "error"]
    return [str(part) for option in folders.items() for part in option] + quiet


def _why(result: Any) -> str:
    if result.exception:
        return str(result.exception)
    failed = [r for r in result.result.results if r.status in ("error", "fail")]
    return "; ".join(f"{r.node.name}: {r.message}" for r in failed)


# --- what was built from what -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Basis:
    """What decides the marts, as fingerprints.

    Attributes:
        common: of what concerns every round: the dbt project, the register, the outcomes.
        deliveries: of what became of each delivery.
        rounds: by round, of the deliveries that count.
    """

    common: str = ""
    deliveries: str = ""
    rounds: Mapping[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """One for all of it; empty when nothing is known."""
        return _digest((), repr(lake.fields_of(self))) if self.common else ""

    def changed_since(self, before: Basis) -> dict[str, set[int]]:
        """The rounds of which the answers are not as before, and those of which the figures may.

        A figure tells the change since a round before, so all later rounds are among them.
        """
        keys = {*self.rounds, *before.rounds}
        answers = {int(k) for k in keys if self.rounds.get(k) != before.rounds.get(k)}
        later = {r for r in instrument.load().rounds if answers and r > min(answers)}
        return {"answers": answers, "figures": answers | later}


def basis(settings: Settings) -> Basis:
    """What decides the marts now: the dbt project, the lake's manifest and its tables."""
    manifest = lake.read_manifest(settings)
    by_round: dict[str, list[Any]] = {}
    for d in manifest.counting():
        told = (d.sha256, d.delivery_no, d.association_id, d.read_with, d.source, d.activities)
        by_round.setdefault(str(d.round), []).append(told)
    tables = (sorted(settings.lake.glob(f"{name}/*.parquet")) for name in ("register", "outcomes"))
    whole = [*project_files(), *chain.from_iterable(tables)]
    return Basis(
        common=_digest(whole, repr(manifest.is_synthetic)),
        deliveries=_digest([settings.lake / "deliveries.parquet"]),
        rounds={k: _digest((), repr(told)) for k, told in sorted(by_round.items())},
    )


def is_current(settings: Settings) -> bool:
    """Whether the snapshot was built from the lake and the models as they are now."""
    return settings.snapshot.exists() and made_from(settings) == fingerprint(settings)


def made_from(settings: Settings) -> str:
    """The fingerprint of what the snapshot was made from; empty when that is not known."""
    path = _made_from(settings)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def fingerprint(settings: Settings) -> str:
    """SHA-256 over all that decides the marts."""
    return basis(settings).fingerprint


def _digest(files: Iterable[Path], text: str = "") -> str:
    digest = hashlib.sha256(text.encode())
    for path in files:
        digest.update(path.name.encode() + b"\0")
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def _read_basis(path: Path) -> Basis:
    """What a database was built from; of nothing when that is not known, or an older program's."""
    try:
        return Basis(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return Basis()


def _forget(told: Path) -> None:
    """Removes a file that tells what another was made from, before that one changes."""
    told.unlink(missing_ok=True)
    sync(told.parent)


def _remove_database(settings: Settings) -> None:
    """Removes the working database, and what a build that was killed left beside it."""
    for path in settings.working_database.parent.glob(f"{settings.working_database.name}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _built_from(settings: Settings) -> Path:
    """What the working database was built from as a whole; absent when that is not known."""
    return settings.working_database.with_name("built_from")


def _made_from(settings: Settings) -> Path:
    """What the snapshot was made from."""
    return settings.working_database.with_name("snapshot_made_from")


# --- the snapshot -------------------------------------------------------------------------------


def swap_snapshot(settings: Settings) -> int:
    """Copies the marts to a new file and renames it over the analysts' snapshot.

    Tables keep primary keys and comments; rows are ordered by all columns. Open readers keep the
    file they have.

    Returns:
        How many tables the snapshot holds.
    """
    part = beside(settings.snapshot)
    part.unlink(missing_ok=True)
    with database.connect(spill=settings.working_database.with_name("spill")) as connection:
        connection.execute(f"attach {_quoted(settings.working_database)} as built (read_only)")
        # the oldest storage that DuckDB 1.x and 2.x both read
        connection.execute(f"attach {_quoted(part)} as made (storage_version 'v1.0.0')")
        statements = list(_copy_statements(connection))
        for statement in statements:
            connection.execute(statement)
        connection.execute("checkpoint made")
        n_tables = sum(statement.startswith("insert") for statement in statements)
    part.chmod(FILE_MODE)
    sync(part)
    _forget(_made_from(settings))  # of neither file until both are there
    part.replace(settings.snapshot)
    sync(settings.snapshot.parent)
    write_text(_made_from(settings), _read_basis(_built_from(settings)).fingerprint)
    return n_tables


def response_rates(settings: Settings, round_: int) -> tuple[Rate, ...]:
    """The nation's response rates and coverage in a round, as the snapshot has them."""
    columns = ", ".join(Rate.__slots__)
    with database.connect(settings.snapshot, read_only=True) as connection:
        rows = connection.execute(
            # a parameter would make duckdb import pandas, which costs more than all the rest
            f"select {columns} from marts.marts.response_rates "  # noqa: S608 our own names
            f"where round = {int(round_)} and level = 'nation'"
        ).fetchall()
    return tuple(Rate(*row) for row in rows)


def _copy_statements(connection: Any) -> Iterator[str]:
    """The statements that make a copy of the marts, in the order of table names."""
    schema = _SNAPSHOT_SCHEMA
    yield "use made"
    yield f"create schema {schema}"
    tables = connection.execute(
        "select table_name, sql, comment from duckdb_tables() "
        "where database_name = 'built' and schema_name = ? order by table_name",
        [schema],
    ).fetchall()
    columns = connection.execute(
        "select table_name, column_name, comment from duckdb_columns() "
        "where database_name = 'built' and schema_name = ? and comment is not null "
        "order by table_name, column_index",
        [schema],
    ).fetchall()
    for table, create, comment in tables:
        yield create
        name = f"{schema}.{table}"
        yield f"insert into {name} from built.{name} order by all"
        if comment:
            yield f"comment on table {schema}.{table} is {_quoted(comment)}"
    for table, column, comment in columns:
        yield f'comment on column {schema}.{table}."{column}" is {_quoted(comment)}'


def _quoted(text: object) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"
