"""`nns`, the steward's tool: thin verbs over the Dagster definitions and the plain functions.

Belongs here: verbs, what is printed, exit codes (0 fine, 1 the data has stops or errors, 2 wrong
use or a technical fault). Does not: any work of its own. Heavy libraries are imported in the verb
that needs them, so that `nns status` is there at once.
"""

from __future__ import annotations

import fcntl
import gc
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pipelines import terminal  # first: it translates what the next ones import

# isort: split
import typer
from rich.console import Console
from rich.table import Table

from pipelines import instrument, lake, progress, quality, register, settings, status, warehouse
from pipelines.findings import LEVELS, Finding, Severity
from pipelines.swedish import days_left, number, several, short_day, short_moment
from pipelines.workbook.personal import discreet

if TYPE_CHECKING:
    from pipelines.settings import Settings

app = typer.Typer(
    name="nns",
    cls=terminal.Group,
    help="NNS indikatorer: läser förbundens registreringsfiler, kontrollerar dem och räknar fram "
    "mått, indikatorer och nyckeltal.",
    no_args_is_help=True,
    options_metavar="[FLAGGOR]",
    subcommand_metavar="KOMMANDO …",
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

RawOption = Annotated[
    Path | None,
    typer.Option(
        "--raw", help="Mappen med förbundens filer (NNS_RAW, annars raw/).", metavar="MAPP"
    ),
]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="Mappen för det som görs (NNS_HOME, annars .nns/).", metavar="MAPP"
    ),
]
RoundOption = Annotated[
    int | None, typer.Option("--round", help="Mätomgång, till exempel 2026.", metavar="ÅR")
]

FINDINGS_SHOWN = 20


class Fault(Exception):
    """Wrong use or a technical fault; the message is one Swedish line that says what to do."""


# --- verbs --------------------------------------------------------------------------------------


@app.callback()
def everything(
    raw: RawOption = None,
    home: HomeOption = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Visa hela felspåret vid tekniska fel.", metavar="")
    ] = False,
) -> None:
    """What every verb shares; the options may stand before or after the verb."""
    _enter(raw, home)


@app.command("status", cls=terminal.Command)
def show_status(
    round_: RoundOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Skriv som JSON.", metavar="")] = False,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Visar hur omgången står: mottaget, att rätta, saknas, och nästa steg."""
    folders = _enter(raw, home)
    _readable(folders)
    known, today = instrument.load(), date.today()
    year = _known_rounds(round_)[0] if round_ else status.default_round(folders, known, today)
    seen = status.overview(folders, known, register.read(folders.raw), year, today)
    if as_json:
        out.print_json(data=seen.as_json())
    else:
        _print_status(seen)
    if any(line.stops or line.errors for line in seen.lines if line.state != "replaced"):
        raise typer.Exit(1)


@app.command("load", cls=terminal.Command)
def load_round(round_: RoundOption = None, raw: RawOption = None, home: HomeOption = None) -> None:
    """Läser det som är nytt eller ändrat i mappen med förbundens filer."""
    _execute("load", _enter(raw, home), round_)


@app.command("check", cls=terminal.Command)
def check_round(round_: RoundOption = None, raw: RawOption = None, home: HomeOption = None) -> None:
    """Prövar det inlästa mot kontrollerna och skriver en kvittens per leverans."""
    folders = _enter(raw, home)
    _known_rounds(round_)
    if not (folders.lake / "manifest.json").exists():
        raise Fault("Inget är inläst än. Kör: nns load")
    _execute("check", folders, round_)


@app.command("build", cls=terminal.Command)
def build_marts(raw: RawOption = None, home: HomeOption = None) -> None:
    """Bygger marterna av det som är inläst och byter ut analytikernas kopia."""
    folders = _enter(raw, home)
    if not (folders.lake / "manifest.json").exists():
        raise Fault("Inget är inläst än. Kör: nns load")
    if warehouse.is_current(folders):
        out.print("Inget nytt: marterna är redan aktuella.")
    else:
        _execute("build", folders, None)


@app.command("run", cls=terminal.Command)
def run_all(round_: RoundOption = None, raw: RawOption = None, home: HomeOption = None) -> None:
    """Läser, kontrollerar och bygger i en körning. Det som redan är gjort görs inte om."""
    folders = _enter(raw, home)
    rounds = _known_rounds(round_)
    known, registered = instrument.load(), register.read(folders.raw)
    if (
        warehouse.is_current(folders)
        and lake.is_current(folders, rounds, known, registered)
        and quality.is_current(folders, rounds, known, registered)
    ):
        out.print("Inget nytt sedan senaste körningen.")
        _finish(folders, ())
    else:
        _execute("run", folders, round_)


@app.command("sample", cls=terminal.Command)
def write_sample(
    out_: Annotated[
        Path | None, typer.Option("--out", help="Mapp att skriva till.", metavar="MAPP")
    ] = None,
    rounds: Annotated[
        str, typer.Option(help="Mätomgångar: 2018-2026 eller 2019,2021.", metavar="ÅR")
    ] = "2018-2026",
    associations: Annotated[int, typer.Option(help="Antal förbund.", min=1, metavar="ANTAL")] = 6,
    questionnaires: Annotated[
        int | None, typer.Option(help="Enkäter per förbund, i genomsnitt.", min=1, metavar="ANTAL")
    ] = None,
    seed: Annotated[int, typer.Option(help="Samma frö ger samma filer.", metavar="TAL")] = 1,
    national: Annotated[
        bool,
        typer.Option("--national", help="Hela landet, med de publicerade volymerna.", metavar=""),
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="Lägg in ett namngivet fel (kan upprepas).", metavar="FEL"),
    ] = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="Visa de fel som kan läggas in.", metavar="")
    ] = False,
) -> None:
    """Skriver påhittade registreringsfiler och ett register, att öva och prova med."""
    from pipelines.workbook import sample

    if list_faults:
        for name, meaning in sample.FAULTS.items():
            out.print(f"{name:26} {meaning}")
        return
    if out_ is None:
        raise Fault("Flaggan --out saknas: ange mappen att skriva till.")
    try:
        written = sample.write_landing_zone(
            out_,
            rounds=_rounds(rounds),
            associations=associations,
            questionnaires=questionnaires,
            seed=seed,
            national=national,
            faults=fault or (),
            progress=lambda done, total: progress.report("Skriver", done, total),
        )
    except ValueError as error:
        raise Fault(str(error)) from error
    table = Table("Omgång", "Förbund", "Enkäter", box=None)
    for year, volume in written.rounds.items():
        table.add_row(str(year), str(volume.associations), number(volume.questionnaires))
    out.print(table)
    out.print(f"Påhittade data i {written.path}. Nästa steg: nns run --raw {written.path}")


@app.command("ui", cls=terminal.Command)
def open_ui(
    port: Annotated[int, typer.Option(help="Port på den här datorn.", metavar="PORT")] = 3000,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Öppnar Dagsters webbsida på 127.0.0.1."""
    folders = _enter(raw, home)
    _prepare_dagster(folders)
    out.print(f"Dagster på http://127.0.0.1:{port} – avsluta med Ctrl+C.")
    module = ["-m", "dagster", "dev", "-m", "pipelines.definitions"]
    where = ["-h", "127.0.0.1", "-p", str(port)]
    os.execv(sys.executable, [sys.executable, *module, *where])  # noqa: S606 fixed arguments


# --- running ------------------------------------------------------------------------------------


def _enter(raw: Path | None, home: Path | None) -> Settings:
    """The folders of this call, also for the Dagster definitions, which read the environment.

    Raises:
        Fault: the landing zone is no readable folder, or home cannot be written.
    """
    folders = settings.from_environment(raw, home)
    os.environ["NNS_RAW"], os.environ["NNS_HOME"] = str(folders.raw), str(folders.home)
    return folders


def _readable(folders: Settings) -> None:
    """Refuses a landing zone that cannot be read.

    Raises:
        Fault: which folder, and what to do.
    """
    if not folders.raw.is_dir():
        raise Fault(f"Mappen {folders.raw} finns inte. Ange rätt mapp med --raw.")
    if not os.access(folders.raw, os.R_OK | os.X_OK):
        raise Fault(f"Mappen {folders.raw} får inte läsas. Be om läsrättighet till den.")


def _usable(folders: Settings) -> None:
    """Refuses folders that cannot be read or written, before anything is done.

    Raises:
        Fault: which folder, and what to do.
    """
    _readable(folders)
    nearest = next(p for p in (folders.home, *folders.home.parents) if p.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise Fault(f"Det går inte att skriva i {nearest}. Ange en annan mapp med --home.")


def _execute(job: str, folders: Settings, round_: int | None) -> None:
    """Runs a job with no other beside it and prints how it went.

    Raises:
        Fault: the folders cannot be used, another run is on, or a step failed.
    """
    _usable(folders)
    register.read(folders.raw)  # a register that contradicts itself is told before anything runs
    years = _known_rounds(round_)
    with _alone(folders):
        fresh = _run_job(job, folders, years)
    _finish(folders, fresh)


@contextmanager
def _alone(folders: Settings) -> Iterator[None]:
    """Keeps a second run out of the home folder for as long as this one works in it.

    Raises:
        Fault: another run works there now.
    """
    folders.home.mkdir(parents=True, exist_ok=True)
    with (folders.home / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Fault(
                f"En annan körning pågår i {folders.home}. Vänta tills den är klar."
            ) from error
        yield


def _run_job(job: str, folders: Settings, years: list[int]) -> list[lake.Delivery]:
    """Runs a Dagster job in this process; gives the deliveries that were read or judged anew.

    Raises:
        Fault: a step failed.
    """
    _prepare_dagster(folders)
    progress.report("Startar", 0, 1)
    definitions, dagster = _dagster()
    progress.report("Startar", 1, 1)
    before = {d.key: d.checks for d in lake.read_manifest(folders).deliveries}
    config = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dagster.DagsterInstance.from_config(str(folders.dagster_home)) as instance:
        result = definitions.defs.resolve_job_def(job).execute_in_process(
            instance=instance,
            run_config=config,
            raise_on_error=False,
            tags={
                "dagster/asset_partition_range_start": str(years[0]),
                "dagster/asset_partition_range_end": str(years[-1]),
            }
            if job != "build"
            else {},
        )
    if not result.success:
        raise Fault(_what_failed(result))
    after = lake.read_manifest(folders).deliveries
    return [d for d in after if d.key not in before or d.checks != before[d.key]]


def _dagster() -> tuple[Any, Any]:
    """The definitions and dagster; collecting garbage while importing them costs a second."""
    gc.disable()
    import dagster

    from pipelines import definitions

    gc.freeze()
    gc.enable()
    return definitions, dagster


def _prepare_dagster(folders: Settings) -> None:
    folders.dagster_home.mkdir(parents=True, exist_ok=True)
    config = Path(__file__).parent / "defs" / "dagster.yaml"
    lake.write_bytes(folders.dagster_home / "dagster.yaml", config.read_bytes())
    os.environ["DAGSTER_HOME"] = str(folders.dagster_home)


def _what_failed(result: Any) -> str:
    """The innermost reason of the first step that failed, in one line."""
    event = next(e for e in result.all_events if e.is_step_failure)
    error = event.step_failure_data.error
    while error.cause:
        error = error.cause
    reason = " ".join(error.message.split())
    return f"Körningen avbröts i steget {event.step_key}: {reason} De gamla marterna står kvar."


def _finish(folders: Settings, fresh: Iterable[lake.Delivery]) -> None:
    """The closing summary, and exit code 1 when the data has stops or errors."""
    known = instrument.load()
    manifest = lake.read_manifest(folders)
    _print_findings(f for d in fresh for f in lake.findings_of(folders, d))
    counting = manifest.counting()
    rounds = sorted({d.round for d in counting})
    in_use = [d for d in manifest.deliveries if d.state in ("loaded", "stopped")]
    totals = {s: sum(d.total(s) for d in in_use) for s in Severity}
    grid = Table.grid(padding=(0, 2))
    grid.add_row("Omgångar", f"{len(rounds)}  ({_years(rounds)})")
    grid.add_row("Förbund", str(len({d.association_id for d in counting})))
    grid.add_row("Filer", str(len(counting)))
    grid.add_row("Enkäter", number(sum(d.n_questionnaires for d in counting)))
    grid.add_row(
        "Fynd",
        f"{totals[Severity.STOP]} stopp, {totals[Severity.ERROR]} fel, "
        f"{several(totals[Severity.WARNING], 'varning', 'varningar')}",
    )
    if manifest.is_synthetic:
        grid.add_row("Data", "påhittade (synthetic)")
    if folders.snapshot.exists():
        grid.add_row("Marter", str(folders.snapshot))
    out.print(grid)
    for name in lake.unknown_rounds(folders, known):
        out.print(f"Mappen {folders.raw / name} är ingen känd mätomgång och har inte lästs.")
    year = rounds[-1] if rounds else status.default_round(folders, known, date.today())
    seen = status.overview(folders, known, register.read(folders.raw), year, date.today())
    out.print(f"Nästa steg: {seen.next_step}")
    if totals[Severity.STOP] or totals[Severity.ERROR]:
        raise typer.Exit(1)


# --- printing -----------------------------------------------------------------------------------


def _print_status(seen: status.Overview) -> None:
    current = seen.round
    left = days_left(seen.days_left) if seen.days_left >= 0 else "avslutad"
    period = f"insamling {short_day(current.opens)}–{short_day(current.delivery_deadline)}"
    out.print(f"NNS indikatorer · omgång {current.round}   {period} · {left}", style="bold")
    table = Table(box=None, pad_edge=False)
    free = out.width - 64  # of a line, what the columns with a width of their own leave
    shows_file = free >= 32
    for name in ("Förbund", "Fil")[: 1 + shows_file]:
        table.add_column(
            name, no_wrap=True, overflow="ellipsis", max_width=free // (1 + shows_file)
        )
    table.add_column("Mottagen", no_wrap=True)
    for name in ("Enkäter", "Stopp", "Fel", "Varn."):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Läge", no_wrap=True)
    for line in seen.lines:
        counts = (line.questionnaires, line.stops, line.errors, line.warnings)
        shown = ("" if line.questionnaires is None else str(n) for n in counts)
        file = discreet(Path(line.file).name) if line.file else "–"
        unnamed = file if line.state == "new" and not shows_file else "okänt förbund"
        names = [line.short_name or unnamed, file]
        table.add_row(
            *names[: 1 + shows_file],
            short_moment(line.received) if line.received else "",
            *shown,
            status.STATES[line.state],
        )
    out.print(table)
    parts = [f"{seen.count('loaded')} av {seen.expected} inlästa"]
    parts += [
        f"{seen.count(state)} {status.STATES[state]}"
        for state in ("stopped", "new", "missing")
        if seen.count(state)
    ]
    out.print(" · ".join(parts))
    out.print(f"Nästa steg:  {seen.next_step}")


def _print_findings(findings: Iterable[Finding]) -> None:
    order = list(Severity)
    shown = sorted(findings, key=lambda f: order.index(f.severity))
    for f in shown[:FINDINGS_SHOWN]:
        where = " ".join(part for part in (f.file, f.sheet, f.cell, f.question) if part)
        out.print(f"[bold]{LEVELS[f.severity]}[/bold]  {where}: {f.wrong} {f.remedy}")
    if len(shown) > FINDINGS_SHOWN:
        out.print(f"… och {len(shown) - FINDINGS_SHOWN} fynd till.")


def _show_progress(stage: str, done: int, total: int) -> None:
    """One line on a terminal that is written over; nothing elsewhere."""
    if err.is_terminal and total:
        width = 30
        filled = "━" * (width * done // total)
        end = "\n" if done == total else ""
        err.print(f"\r{stage:8} {filled:{width}} {done}/{total}", end=end)


def _years(rounds: list[int]) -> str:
    ends = sorted({rounds[0], rounds[-1]}) if rounds else []
    return "–".join(map(str, ends)) or "inga"


# --- what is given ------------------------------------------------------------------------------


def _known_rounds(round_: int | None) -> list[int]:
    """The round that was given, or all of them.

    Raises:
        Fault: the instrument has no such round.
    """
    rounds = instrument.load().rounds
    if round_ is not None and round_ not in rounds:
        raise Fault(f"Mätomgången {round_} är okänd. Kända omgångar: {min(rounds)}–{max(rounds)}.")
    return list(rounds) if round_ is None else [round_]


def _rounds(text: str) -> list[int]:
    """The rounds named by `2018-2026`, `2019,2021` or both.

    Raises:
        Fault: it is no such list.
    """
    years: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            years += range(int(first), int(last or first) + 1)
    except ValueError as error:
        raise Fault(f"Skriv omgångar som 2018-2026 eller 2019,2021, inte {text!r}.") from error
    for year in years:
        _known_rounds(year)
    return years


def main() -> None:
    """The entry point: runs a verb and ends with its exit code."""
    os.umask(0o027)  # what is made here is for this user and group
    progress.listen(_show_progress)
    debug = "--debug" in sys.argv
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    code = 2
    try:
        code = (
            typer.main.get_command(app).main(arguments, prog_name="nns", standalone_mode=False) or 0
        )
    except typer.Exit as end:
        code = end.exit_code
    except (KeyboardInterrupt, typer.Abort):
        err.print("Avbrutet. Det som var klart är kvar; kör samma kommando igen.")
    except Exception as error:
        if debug:
            raise
        if said := terminal.message(error):
            err.print(f"nns: {said}", soft_wrap=True, markup=False)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)  # tearing down dagster and dbt module by module takes two seconds


if __name__ == "__main__":
    main()
