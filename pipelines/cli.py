"""`nns`, the steward's tool: thin verbs over the Dagster definitions and the plain functions.

Belongs here: verbs, what is printed, exit codes (0 fine, 1 the data has stops or errors, 2 wrong
use or a technical fault). Does not: any work of its own. Heavy libraries are imported in the verb
that needs them, so that `nns status` is there at once.
"""

from __future__ import annotations

import io
import os
import shlex
import signal
import socket
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pipelines import terminal  # first: it translates what the next ones import

# isort: split
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines import (
    audit,
    checking,
    erasure,
    imports,
    instrument,
    lake,
    loading,
    lock,
    outcomes,
    progress,
    register,
    runs,
    settings,
    status,
    warehouse,
    withdrawal,
)
from pipelines.files import UMASK, write_bytes
from pipelines.findings import LEVELS, Finding, Severity
from pipelines.release import due
from pipelines.swedish import (
    current_day,
    days_left,
    moment,
    number,
    several,
    short_day,
    short_moment,
    stamp,
)
from pipelines.workbook.personal import HIDDEN, discreet

if TYPE_CHECKING:
    from pipelines import backup, drill
    from pipelines.settings import Settings
    from pipelines.workbook.template import Written

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
out = Console(highlight=False, markup=False)  # what associations write is no markup
err = Console(stderr=True, highlight=False, markup=False)

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
AssociationOption = Annotated[
    str, typer.Option("--association", help="Förbundets id i registret.", metavar="ID")
]
OneRoundOption = Annotated[
    int, typer.Option("--round", help="Mätomgång, till exempel 2026.", metavar="ÅR")
]
ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Varför, i en mening. Sparas för alltid i händelseloggen: skriv inga namn.",
        metavar="TEXT",
    ),
]
RoundOption = Annotated[
    int | None, typer.Option("--round", help="Mätomgång, till exempel 2026.", metavar="ÅR")
]

FINDINGS_SHOWN = 20

ALTERED = (
    "fast tid och storlek är desamma. Disken kan ha skadat den: lägg tillbaka den ur en äldre "
    "säkerhetskopia, eller be förbundet om filen igen."
)

_INTERRUPTED = "Avbrutet. Det som var klart är kvar; kör samma kommando igen."

_COUNTED = {
    "questionnaires": "enkäter",
    "files": "filer",
    "tables": "tabeller",
    "lines": "rader",
    "rows": "rader",
    "bytes": "byte",
    "release": "publicering",
    "changes": "ändrade uppgifter",
    "releases": "publiceringar",
    "remade": "gjorda om",
    "faults": "fel",
}

_TABLES = {
    "measure_results": "mått",
    "indicator_results": "indikatorer",
    "key_figures": "nyckeltal",
    "outcomes": "utfall",
    "extra_results": "egna frågor",
}
_LEVELS = {
    "nation": "riket",
    "county": "län",
    "association": "förbund",
    "activity_group": "insatsgrupp",
    "activity": "insats",
    "municipality": "kommun",
    "project": "projekt",
}


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
    max_age: Annotated[
        str | None,
        typer.Option(
            help="Bara för bevakning: en rad, och slutkod 1 när den senaste lyckade körningen är "
            "äldre än 26h, 90m eller 2d.",
            metavar="TID",
        ),
    ] = None,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Visar hur omgången står: mottaget, att rätta, saknas, och nästa steg."""
    folders = _enter(raw, home)
    if max_age is not None:
        _watch(folders, max_age)
        return
    _readable(folders)
    known, today = instrument.load(), current_day()
    year = _known_rounds(round_)[0] if round_ else status.default_round(folders, known, today)
    seen = checking.overview(folders, known, register.read(folders.raw), year, today)
    if as_json:
        out.print_json(data=seen.as_json())
    else:
        _print_status(seen)
        for path in withdrawal.erased_files(folders, year):
            out.print(f"Raderad, ta bort den själv: {path}", soft_wrap=True)
        _print_unsaved(folders)
    set_aside = ("replaced", "withdrawn")
    is_open = any(li.stops or li.errors for li in seen.lines if li.state not in set_aside)
    if is_open or any(line.is_open for line in seen.outcomes):
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
    with _alone(folders):
        if warehouse.is_current(folders):
            runs.finished(folders, "build", ok=True)
            out.print("Inget nytt: marterna är redan aktuella.")
        else:
            _execute("build", folders, None)


@app.command("run", cls=terminal.Command)
def run_all(round_: RoundOption = None, raw: RawOption = None, home: HomeOption = None) -> None:
    """Läser, kontrollerar, bygger och publicerar. Det som redan är gjort görs inte om.

    Utan --round publiceras de omgångar vars sista leveransdag har passerat.
    """
    folders = _enter(raw, home)
    rounds = _known_rounds(round_)
    known, registered = instrument.load(), _fitting(folders)
    with _alone(folders):
        if not checking.is_settled(folders, rounds, known, registered):
            _execute("run", folders, round_)
            return
        runs.finished(folders, runs.WHOLE, ok=True)
        manifest = lake.read_manifest(folders)
        if due.is_current(folders, due.rounds(manifest, known, rounds, current_day())):
            out.print("Inget nytt sedan senaste körningen.")
            _finish(folders, manifest, outcomes.read_state(folders))
        else:
            _execute("publish", folders, round_)


@app.command("publish", cls=terminal.Command)
def publish_round(
    round_: OneRoundOption,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Visa bara vad som skulle publiceras.", metavar=""),
    ] = False,
    allow_synthetic: Annotated[
        bool,
        typer.Option(
            "--allow-synthetic",
            help="Gör leveransen till RKA även av påhittade data (för prov). Filerna märks.",
            metavar="",
        ),
    ] = False,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Publicerar en omgång: skyddar små grupper, granskar skyddet och skriver alla filer.

    Inget dolt tal ska gå att räkna fram ur det som visas, inte heller tillsammans med tidigare
    publiceringar av omgången. Är granskningen inte ren blir det ingen publicering. En publicering
    ändras aldrig: har något ändrats blir det en ny, och CHANGES.csv säger vad.
    """
    folders = _enter(raw, home)
    _known_rounds(round_)
    if audit.whole(folders).pending or not warehouse.is_current(folders):
        raise Fault(f"Marterna är inte aktuella. Kör först: nns run{folders.flags}")
    if not due.rounds(lake.read_manifest(folders), instrument.load(), [round_], current_day()):
        raise Fault(f"Det finns inga svar i omgång {round_} att publicera.")
    if dry_run:
        from pipelines.release import publish

        try:
            plan = publish.plan(folders, round_)
        except publish.REFUSALS as error:
            raise Fault(str(error)) from error
        _print_tallies(plan.tallies)
        out.print(f"Inget är skrivet. Publicera: nns publish --round {round_}{folders.flags}")
        return
    is_current = due.is_current(folders, [round_]) and not allow_synthetic
    config = {"ops": {"releases": {"config": {"allow_synthetic": allow_synthetic}}}}
    with _alone(folders):
        _recorded("publish", folders, [round_], config)
    last = due.examined(folders, round_)
    assert last
    _print_tallies(last.tallies)
    folder = folders.published / str(round_) / str(last.number)
    if is_current or not last.is_new:
        said = f"Inget nytt: publicering {last.number} säger redan detta."
        out.print(f"{said} {folder}", soft_wrap=True)
    else:
        changed = several(last.n_changes, "ändrad uppgift", "ändrade uppgifter")
        since = f", {changed} sedan den förra (CHANGES.csv)" if last.number > 1 else ""
        out.print(f"Publicering {last.number} av omgång {round_}{since}: {folder}", soft_wrap=True)


@app.command("serve", cls=terminal.Command)
def serve_releases(
    port: Annotated[int, typer.Option(help="Port på den egna datorn.", metavar="PORT")] = 8765,
    home: HomeOption = None,
) -> None:
    """Visar nyckeltalen i senaste publiceringen som Koladas API v3, på den egna datorn."""
    from pipelines import serve

    folders = _enter(None, home)
    err.print(f"http://127.0.0.1:{port}/v3/kpi  Avsluta med Ctrl+C.")
    try:
        serve.run(folders.published, port)
    except serve.NothingPublishedError as error:
        raise Fault(str(error)) from error
    except OSError as error:
        raise Fault(f"Porten {port} går inte att använda. Välj en annan med --port.") from error


@app.command("remind", cls=terminal.Command)
def write_reminders(
    round_: RoundOption = None, raw: RawOption = None, home: HomeOption = None
) -> None:
    """Skriver utkast till påminnelser som textfiler. Skickar ingenting."""
    from pipelines import reminders

    folders = _enter(raw, home)
    _usable(folders)
    known, today = instrument.load(), current_day()
    registered = register.read(folders.raw)
    year = _known_rounds(round_)[0] if round_ else status.default_round(folders, known, today)
    if not loading.is_current(folders, [year], known, registered):
        out.print("Det finns filer som inte är inlästa än. Kör först: nns run")
    with _alone(folders):
        written = reminders.write(folders, known, registered, year, today)
    table = Table("Förbund", "Varför", "Utkast", box=None, pad_edge=False)
    for path, draft in written.drafts.items():
        table.add_row(draft.entry.association_name, reminders.REASONS[draft.why], path.name)
    if written.drafts:
        out.print(table)
    seen = checking.overview(folders, known, registered, year, today)
    if seen.nameless:
        files = several(seen.nameless, "fil", "filer")
        out.print(f"{files} saknar känt förbund. Se efter vems de är innan du skickar något.")
    removed = several(written.n_removed, "utkast är borttaget", "utkast är borttagna")
    out.print(
        f"{several(len(written.drafts), 'utkast', 'utkast')} i {folders.reminders / str(year)}"
        + (f", {removed}" if written.n_removed else ""),
        soft_wrap=True,
    )


@app.command("digest", cls=terminal.Command)
def send_digest(raw: RawOption = None, home: HomeOption = None) -> None:
    """Skickar eller skriver det som är nytt fel sedan sist, så som efter en schemalagd körning."""
    from pipelines import digest

    folders = _enter(raw, home)
    _usable(folders)
    try:
        sent = digest.send(folders)
    except (digest.DigestError, lock.BusyError) as error:
        raise Fault(str(error)) from error
    if sent.new:
        new = several(len(sent.new), "nytt larm", "nya larm")
        out.print(f"{new} till {sent.where}", soft_wrap=True)
    else:
        out.print("Inget nytt att berätta.")


@app.command("withdraw", cls=terminal.Command)
def withdraw_delivery(
    association: AssociationOption,
    round_: OneRoundOption,
    reason: ReasonOption = "",
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Tar ett förbunds leverans ur alla resultat tills den sätts in igen.

    Marter, kvittenser och läge räknas om direkt. Filerna ligger kvar, och det som förbundet skickar
    senare i omgången räknas inte heller. Förbundet får inga påminnelser. Ångra med nns restore. Ska
    uppgifterna bort för gott: nns erase.
    """
    folders = _enter(raw, home)

    def withdraw() -> None:
        chosen = _chosen(folders, association, round_)
        withdrawal.withdraw(folders, register.read(folders.raw), chosen, reason)
        files, n = several(len(chosen.present), "fil", "filer"), association
        out.print(f"{n} är återkallad i omgång {round_}: {files} räknas inte längre.")
        undo = shlex.join(["--association", association, "--round", str(round_)])
        out.print(f"Ångra: nns restore {undo}{folders.flags}", soft_wrap=True)

    _execute("check_and_build", folders, round_, withdraw)


@app.command("restore", cls=terminal.Command)
def restore_delivery(
    association: AssociationOption,
    round_: OneRoundOption,
    reason: ReasonOption = "",
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Sätter in en återkallad leverans igen, så att den räknas som förut.

    Marter, kvittenser och läge räknas om direkt. En raderad leverans kan inte sättas in igen.
    """
    folders = _enter(raw, home)

    def restore() -> None:
        chosen = _chosen(folders, association, round_)
        withdrawal.restore(folders, register.read(folders.raw), chosen, reason)
        out.print(f"{association} räknas igen i omgång {round_}.")

    _execute("check_and_build", folders, round_, restore)


@app.command("erase", cls=terminal.Command)
def erase_delivery(
    association: AssociationOption,
    round_: OneRoundOption,
    reason: ReasonOption = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Fråga inte först (för skript).", metavar="")
    ] = False,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Raderar för gott allt som gjorts av ett förbunds filer i en omgång. Går inte att ångra.

    Svaren, marterna, kvittenserna, äldre versioner och Dagsters historik tas bort och görs om utan
    dem. Kvar blir en rad i händelseloggen utan personuppgifter. Filerna i mappen med förbundens
    filer rör programmet aldrig: kommandot säger vilka du ska ta bort själv, och tills dess läses de
    inte. En ny fil från förbundet räknas som vanligt. Ska leveransen bara ur resultaten: nns
    withdraw.
    """
    folders = _enter(raw, home)
    _usable(folders)
    chosen = _chosen(folders, association, round_)
    withdrawal.may_be_erased(chosen)
    if not yes:
        _confirm_erasure(chosen)

    def erase() -> None:
        withdrawal.erase(
            folders,
            register.read(folders.raw),
            _chosen(folders, association, round_),
            reason,
        )
        out.print(f"{association} är raderad i omgång {round_}.")
        for path in withdrawal.erased_files(folders, *_known_rounds(None)):
            out.print(f"Ta bort den här filen själv: {path}", soft_wrap=True)
        if last := audit.read(folders).backed_up:
            when = moment(datetime.fromisoformat(last.moment))
            out.print(
                f"Säkerhetskopior har kvar uppgifterna (den senaste gjordes {when}). Gör en ny, "
                f"nns backup --to MAPP{folders.flags}, och ta sedan bort de äldre.",
                soft_wrap=True,
            )

    _execute("check_and_build", folders, round_, erase)


@app.command("audit", cls=terminal.Command)
def show_audit(
    last: Annotated[
        int,
        typer.Option(
            "--last", help="Visa så många av de senaste händelserna.", min=0, metavar="ANTAL"
        ),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Skriv som JSON.", metavar="")] = False,
    renew: Annotated[
        bool,
        typer.Option(
            "--renew",
            help="Lägg en trasig logg åt sidan och börja en ny (bara när säkerhetskopia saknas).",
            metavar="",
        ),
    ] = False,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Prövar händelseloggen: att ingen rad är ändrad, borttagen eller tillagd i efterhand.

    Varje mottagen, inläst, stoppad, återkallad och raderad leverans och varje bygge är en rad. Är
    loggen inte hel slutar kommandot med kod 1, och inget läses in förrän den är lagad. Skriv upp
    sista radens nummer och fingeravtryck ibland: då märks också en logg som bytts ut i sin helhet.
    """
    folders = _enter(raw, home)
    if renew:
        _renew_log(folders)
    log = audit.read(folders)
    if as_json:
        out.print_json(data=_log_as_json(log, last))
    else:
        _print_log(log, last)
    if log.faults:
        raise typer.Exit(1)


@app.command("backup", cls=terminal.Command)
def make_backup(
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", help="Mapp att lägga kopian i, helst på en annan disk.", metavar="MAPP"
        ),
    ] = None,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Kopierar det som inte går att göra om: förbundens filer, händelseloggen och det publicerade.

    Kopian blir en egen mapp med tiden i namnet. Varje fil läses tillbaka och jämförs innan mappen
    får sitt namn, så den är hel eller finns inte. Den innehåller personuppgifter. Prova den med nns
    restore-drill.
    """
    from pipelines import backup

    folders = _enter(raw, home)
    if to is None:
        raise Fault("Flaggan --to saknas: ange mappen att lägga kopian i.")
    _usable(folders)
    with _alone(folders):
        made = backup.write(folders, to)
    _print_backup(made, folders)
    if made.altered:
        raise typer.Exit(1)


@app.command("restore-drill", cls=terminal.Command)
def drill_restoring(
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="En säkerhetskopia (en mapp som heter nns- och en tid). Annars prövas det som "
            "ligger i mapparna nu.",
            metavar="MAPP",
        ),
    ] = None,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Provar att allt går att återställa: bygger upp det i en tom mapp och jämför.

    Varje publicering jämförs med sina fingeravtryck, och de som går att göra om görs om och ska bli
    lika. Inget ändras, utom en rad i händelseloggen. Slutar med kod 1 när något inte är lika eller
    en fil är skadad.
    """
    from pipelines import drill

    folders = _enter(raw, home)
    if source is None:
        _usable(folders)
    with _alone(folders):
        found = drill.drill(folders, _rebuild, source.absolute() if source else None)
    _print_drill(found)
    if found.faults:
        raise typer.Exit(1)


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
    web: Annotated[
        bool, typer.Option("--web", help="Även webbsvar, <omgång>/web/*.csv.", metavar="")
    ] = False,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="Visa de fel som kan läggas in.", metavar="")
    ] = False,
) -> None:
    """Skriver påhittade registreringsfiler och ett register, att öva och prova med."""
    from pipelines.workbook import sample

    if list_faults:
        faults = Table.grid(padding=(0, 2))
        for name, meaning in sample.FAULTS.items():
            faults.add_row(name, meaning)
        out.print(faults)
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
            web=web,
            progress=lambda done, total: progress.report("Skriver", done, total),
        )
    except ValueError as error:
        raise Fault(str(error)) from error
    table = Table("Omgång", "Förbund", "Enkäter", box=None)
    for year, volume in written.rounds.items():
        table.add_row(str(year), str(volume.associations), number(volume.questionnaires))
    out.print(table)
    folders = shlex.join(["--raw", str(written.path), "--home", f"{written.path}-resultat"])
    out.print(f"Påhittade data i {written.path}.")
    out.print(f"Nästa steg: nns run {folders}", soft_wrap=True)


@app.command("template", cls=terminal.Command)
def write_templates(
    round_: RoundOption = None,
    association: Annotated[
        str | None,
        typer.Option("--association", help="Bara ett förbund, med dess id.", metavar="ID"),
    ] = None,
    out_: Annotated[
        Path | None, typer.Option("--out", help="Mapp att skriva till.", metavar="MAPP")
    ] = None,
    xlsform: Annotated[
        bool,
        typer.Option(
            "--xlsform",
            help="Skriv också webbenkäter (XLSForm, för ODK, KoBo med flera), i mappen webb.",
            metavar="",
        ),
    ] = False,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Skriver omgångens mallar: en registreringsfil per förbund, att fylla i.

    Insatserna från förbundets senaste inlästa omgång följer med. Kör därför nns load först.

    En fil som redan finns kan vara ifylld och skrivs aldrig över.

    Exempel: nns template --round 2027 --out mallar
    """
    from pipelines.workbook import template

    if round_ is None:
        raise Fault("Flaggan --round saknas: ange mätomgång, till exempel --round 2027.")
    if out_ is None:
        raise Fault("Flaggan --out saknas: ange mappen att skriva till, till exempel --out mallar.")
    folders = _enter(raw, home)
    _readable(folders)
    _known_rounds(round_)
    registered = register.read(folders.raw)
    _not_mixed_up(folders, registered)
    try:
        written = template.write_templates(
            folders,
            registered,
            round_,
            out_,
            association,
            progress=lambda done, total: progress.report("Skriver", done, total),
        )
    except template.TemplateError as error:
        raise Fault(str(error)) from error
    _print_templates(written, folders, round_, out_)
    if xlsform:
        _write_forms(written, folders, registered, round_, out_ / "webb")


@app.command("ui", cls=terminal.Command)
def open_ui(
    port: Annotated[
        int, typer.Option(help="Port på den här datorn.", metavar="1-65535", min=1, max=65535)
    ] = 3000,
    raw: RawOption = None,
    home: HomeOption = None,
) -> None:
    """Öppnar Dagsters webbsida på 127.0.0.1."""
    folders = _enter(raw, home)
    _usable(folders)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Fault(
                f"Porten {port} är upptagen. Välj en annan, till exempel --port {port + 1}."
            )
    if audit.read(folders).pending:
        with lock.alone(folders):
            erasure.finish(folders, register.read(folders.raw))
    _prepare_dagster(folders)
    lock.stay_open(folders)
    os.environ["PYTHONWARNINGS"] = "ignore"
    out.print(f"Dagster på http://127.0.0.1:{port} – avsluta med Ctrl+C.")
    module = ["-m", "dagster", "dev", "-m", "pipelines.definitions"]
    where = ["-h", "127.0.0.1", "-p", str(port), "--log-level", "warning"]
    os.execv(sys.executable, [sys.executable, *module, *where])  # noqa: S606 fixed arguments


# --- running ------------------------------------------------------------------------------------


def _enter(raw: Path | None, home: Path | None) -> Settings:
    """The folders of this call, also for the Dagster definitions, which read the environment.

    Raises:
        Fault: a setting is not what it should be.
    """
    try:
        folders = settings.from_environment(raw, home)
    except ValueError as error:
        raise Fault(str(error)) from error
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


def _fitting(folders: Settings) -> register.Register:
    """The register of folders that can be used together; nothing is made before that is known.

    Raises:
        Fault: one cannot be used, or they do not fit.
        RegisterError: the register contradicts itself.
    """
    _usable(folders)
    registered = register.read(folders.raw)
    _not_mixed_up(folders, registered)
    return registered


def _execute(
    job: str, folders: Settings, round_: int | None, first: Callable[[], None] = lambda: None
) -> None:
    """Runs a job with no other beside it and prints how it went.

    Args:
        job: its name.
        folders: where.
        round_: the round, None for all.
        first: what to do before, under the same lock.

    Raises:
        Fault: the folders cannot be used, another run is on, or a step failed.
    """
    registered, years = _fitting(folders), _known_rounds(round_)
    with _alone(folders):
        erasure.finish(folders, registered)
        before, earlier = lake.read_manifest(folders), outcomes.read_state(folders)
        first()
        _recorded(job, folders, years)
    _finish(folders, before, earlier)


@contextmanager
def _alone(folders: Settings) -> Iterator[None]:
    """No other run beside this one.

    Interrupted, the process ends at once, and the lock with it: dbt may still be writing in a
    thread of its own.

    Raises:
        Fault: another one is on.
    """
    try:
        with lock.alone(folders):
            try:
                yield
            except KeyboardInterrupt:
                err.print(_INTERRUPTED)
                sys.stdout.flush()
                os._exit(2)
    except lock.BusyError as busy:
        raise Fault(str(busy)) from busy


def _recorded(
    job: str, folders: Settings, years: list[int], config: Mapping[str, Any] | None = None
) -> None:
    """Runs a job and records how it ended.

    Raises:
        Fault: a step failed.
    """
    try:
        _run_job(job, folders, years, config or {})
    except Exception:
        runs.finished(folders, job, ok=False)
        raise
    runs.finished(folders, job, ok=True)


def _rebuild(folders: Settings) -> None:
    """Loads, checks and builds everything, in folders that are not those of this call.

    Raises:
        Fault: a step failed.
    """
    names = ("NNS_RAW", "NNS_HOME", "DAGSTER_HOME")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    os.environ["NNS_RAW"], os.environ["NNS_HOME"] = str(folders.raw), str(folders.home)
    try:
        for job in ("load_and_check", "build"):
            _run_job(job, folders, _known_rounds(None), {})
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(kept)


def _watch(folders: Settings, max_age: str) -> None:
    """Tells how old the last successful run is; exit code 1 when it is too old.

    Raises:
        Fault: the age is no such text.
    """
    try:
        is_young, line = runs.watch(folders, runs.duration(max_age), datetime.now(UTC))
    except ValueError as error:
        raise Fault(str(error)) from error
    out.print(line, soft_wrap=True)
    if not is_young:
        raise typer.Exit(1)


def _not_mixed_up(folders: Settings, registered: register.Register) -> None:
    """Refuses a landing zone that would empty the home folder, or mix invented data with real.

    Raises:
        Fault: what is missing or does not fit.
    """
    manifest = lake.read_manifest(folders)
    files = any(loading.delivered(folders, round_) for round_ in instrument.load().rounds)
    files = files or bool(outcomes.delivered(folders))
    if not registered.associations and (files or any(d.is_present for d in manifest.deliveries)):
        path = folders.raw / "register" / "associations.csv"
        raise Fault(f"{path} saknas eller är tom. Lägg dit registret över förbund.")
    if manifest.deliveries and manifest.is_synthetic != registered.is_synthetic:
        kinds = ("verkliga", "påhittade")
        here, there = kinds[manifest.is_synthetic], kinds[registered.is_synthetic]
        raise Fault(
            f"{folders.home} har {here} data men {folders.raw} har {there}. "
            "Ange en annan mapp med --home."
        )


def _run_job(job: str, folders: Settings, years: list[int], config: Mapping[str, Any]) -> None:
    """Runs a Dagster job in this process.

    Raises:
        Fault: a step failed.
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    _prepare_dagster(folders)
    progress.report("Startar", 0, 1)
    definitions, dagster = _dagster()
    progress.report("Startar", 1, 1)
    silent = definitions.jobs.SILENT  # a run in this process does not take it from the job
    rounds = {
        "dagster/asset_partition_range_start": str(years[0]),
        "dagster/asset_partition_range_end": str(years[-1]),
    }
    with (
        _unheard(),
        dagster.DagsterInstance.from_config(str(folders.dagster_home)) as instance,
    ):
        try:
            result = definitions.defs.resolve_job_def(job).execute_in_process(
                instance=instance,
                run_config={**silent, **config},
                raise_on_error=False,
                tags=rounds if job != "build" else {},
            )
        except dagster.DagsterExecutionInterruptedError as error:
            raise KeyboardInterrupt from error
    if not result.success:
        raise _failure(result)


@contextmanager
def _unheard() -> Iterator[None]:
    """Keeps from the terminal what libraries say there themselves, unless asked for by --debug.

    Dagster does when its history cannot be written: in English, with the statement that failed. It
    raises that as well, so nothing is lost.
    """
    if _is_debugged():
        yield
        return
    err.file = sys.stderr
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        err.file = None  # type: ignore[assignment]  # whatever sys.stderr is


def _dagster() -> tuple[Any, Any]:
    """The definitions and dagster."""
    with imports.uncollected():
        import dagster

        from pipelines import definitions

    return definitions, dagster


def _prepare_dagster(folders: Settings) -> None:
    folders.dagster_home.mkdir(parents=True, exist_ok=True)
    config = (Path(__file__).parent / "defs" / "dagster.yaml").read_bytes()
    path = folders.dagster_home / "dagster.yaml"
    if not path.exists() or path.read_bytes() != config:  # `nns ui` may come beside a run
        write_bytes(path, config)
    os.environ["DAGSTER_HOME"] = str(folders.dagster_home)


def _failure(result: Any) -> BaseException:
    """Why a job failed: the innermost reason of the first step that did, or an interruption."""
    event = next(e for e in result.all_events if e.is_step_failure)
    error = event.step_failure_data.error
    while error.cause:
        error = error.cause
    if error.cls_name == "DagsterExecutionInterruptedError":
        return KeyboardInterrupt()
    reason = terminal.of_disk(error.message) or " ".join(error.message.split())
    return Fault(
        f"Körningen avbröts i steget {event.step_key}: {reason} De gamla marterna står kvar."
    )


def _finish(folders: Settings, before: lake.Manifest, earlier: outcomes.State) -> None:
    """The closing summary, and exit code 1 when the data has stops or errors."""
    manifest, results = lake.read_manifest(folders), outcomes.read_state(folders)
    _print_changes(folders, before, manifest)
    _print_outcome_changes(folders, earlier, results)
    in_use = [d for d in manifest.deliveries if d.state in ("loaded", "stopped")]
    totals = {
        s: sum(d.total(s) for d in in_use) + sum(f.total(s) for f in results.files)
        for s in Severity
    }
    _print_summary(folders, manifest, results, totals)
    known = instrument.load()
    for path in loading.passed_over(folders, known):
        where = f"Filer läses ur {folders.raw}/<årtal>, en mapp per omgång."
        out.print(f"Inte läst: {path}. {where}", soft_wrap=True)
    rounds = {d.round for d in manifest.counting()}
    year = max(rounds) if rounds else status.default_round(folders, known, current_day())
    seen = checking.overview(folders, known, register.read(folders.raw), year, current_day())
    out.print(f"Nästa steg: {seen.next_step}", soft_wrap=True)
    _print_waiting(d for d in in_use if d.round != year)
    if totals[Severity.STOP] or totals[Severity.ERROR]:
        raise typer.Exit(1)


def _chosen(folders: Settings, association: str, round_: int) -> withdrawal.Unit:
    """What a decision is about.

    Raises:
        Fault: the round is unknown.
        WithdrawalError: the association is unknown.
    """
    _known_rounds(round_)
    return withdrawal.unit(folders, register.read(folders.raw), association, round_)


def _confirm_erasure(chosen: withdrawal.Unit) -> None:
    """Shows what goes and has the association's id typed.

    Raises:
        Fault: nobody can be asked, or something else was typed.
    """
    for d in chosen.deliveries:
        out.print(f"{discreet(d.file)}: {several(d.n_questionnaires, 'enkät', 'enkäter')}")
    contents = several(len(chosen.contents), "fil", "filer")
    out.print(f"Det som lästs ur {contents} raderas för gott och kan inte tas tillbaka.")
    if not sys.stdin.isatty():
        raise Fault("Lägg till --yes för att radera utan att få frågan.")
    typed = typer.prompt("Skriv förbundets id för att radera")
    if typed.strip() != chosen.association_id:
        raise Fault(f"{typed.strip()} är inte {chosen.association_id}. Inget är raderat.")


def _renew_log(folders: Settings) -> None:
    """Begins a new log when the old one is not whole.

    Raises:
        Fault: it is whole.
    """
    if not audit.verify(folders):
        raise Fault("Händelseloggen är hel och behöver inte bytas.")
    carried = audit.renew(folders)
    out.print(
        f"Den gamla loggen ligger kvar i {folders.home} som audit.broken. Den nya har "
        f"{several(carried, 'rad', 'rader')} om återkallat och raderat därifrån: stäm av dem med "
        "nns audit --last 100. Kör sedan: nns run"
    )


# --- printing -----------------------------------------------------------------------------------


def _print_changes(folders: Settings, before: lake.Manifest, now: lake.Manifest) -> None:
    """What was found in deliveries that are new or judged anew, and which are gone."""
    earlier = {d.key: d for d in before.deliveries}
    changed = [d for d in now.deliveries if d != earlier.get(d.key)]
    _print_findings(
        folders,
        [
            (f, (d.association_id or "") if f.file == HIDDEN else "")
            for d in changed
            if d.state in ("loaded", "stopped")
            for f in lake.findings_of(folders, d)
        ],
    )
    for d in changed:
        if d.state == "removed" and d.key in earlier:
            gone = f"{discreet(d.file)} ligger inte kvar i mappen och räknas inte längre."
            out.print(gone, soft_wrap=True)


def _print_outcome_changes(folders: Settings, before: outcomes.State, now: outcomes.State) -> None:
    """What was found in outcome files that are new or judged anew, and which are gone."""
    changed = [f for f in now.files if f not in before.files]
    found = outcomes.findings_of(folders, now)
    _print_findings(folders, [(told, "") for f in changed for told in found[f.file]])
    there = {f.file for f in now.files}
    for f in before.files:
        if f.file not in there:
            gone = f"{discreet(f.file)} ligger inte kvar i mappen och räknas inte längre."
            out.print(gone, soft_wrap=True)


def _print_summary(
    folders: Settings,
    manifest: lake.Manifest,
    results: outcomes.State,
    totals: Mapping[Severity, int],
) -> None:
    counting = manifest.counting()
    rounds = sorted({d.round for d in counting})
    warnings = several(totals[Severity.WARNING], "varning", "varningar")
    found = f"{totals[Severity.STOP]} stopp, {totals[Severity.ERROR]} fel, {warnings}"
    rows = {
        "Omgångar": f"{len(rounds)}  ({_years(rounds)})",
        "Förbund": str(len({d.association_id for d in counting})),
        "Filer": str(len(counting)),
        "Enkäter": number(sum(d.n_questionnaires for d in counting)),
        "Utfall": _outcomes_in_words(results),
        "Fynd": found,
        "Data": "påhittade (synthetic)" if manifest.is_synthetic else "",
        "Kvittenser": str(folders.home / "status.html") if sum(totals.values()) else "",
        "Marter": str(folders.snapshot) if folders.snapshot.exists() else "",
        "Publicerat": str(folders.published) if folders.published.exists() else "",
    }
    for name, text in rows.items():
        if text:
            out.print(f"{name:12}{text}", soft_wrap=True)


def _outcomes_in_words(results: outcomes.State) -> str:
    """How many rows of outcome files count; empty without files."""
    counted = number(sum(f.n_counted for f in results.files))
    files = several(len(results.files), "fil", "filer")
    return f"{counted} rader ur {files}" if results.files else ""


def _print_tallies(tallies: Iterable[due.Tally]) -> None:
    """What is shown and hidden, and why, in numbers."""
    titles = ("Tabell", "Nivå", "Visas", "Intervall", "Få svar", "Skyddar andra")
    table = Table(*titles, "Tomt", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for tally in tallies:
        counts = (tally.shown, tally.bracket, tally.small, tally.besides, tally.empty)
        table.add_row(_TABLES[tally.table], _LEVELS[tally.level], *map(number, counts))
    out.print(table)


def _print_waiting(deliveries: Iterable[lake.Delivery]) -> None:
    """Rounds beside the one whose next step was told in which files wait to be mended."""
    stops = Counter(d.round for d in deliveries if d.total(Severity.STOP))
    for round_, n in sorted(stops.items()):
        files = several(n, "fil", "filer")
        out.print(f"I omgång {round_} väntar {files} på rättning: nns status --round {round_}")


def _write_forms(
    written: Written, folders: Settings, registered: register.Register, round_: int, where: Path
) -> None:
    """Writes the web questionnaires of the associations that have templates, and says so."""
    from pipelines.extra import instrument_of
    from pipelines.web.columns import WEB
    from pipelines.web.xlsform import untranslated, write_forms

    known, n_forms = instrument.load(), 0
    for association, activities in written.carried.items():
        own = instrument_of(known, registered.extra_questions, association.association_id, round_)
        args = (where, round_, association, activities, own, written.is_synthetic)
        n_forms += len(write_forms(*args))
    answers = folders.raw / str(round_) / WEB
    lacking = Counter(known.languages[language] for language, *_ in untranslated(known))
    out.print(
        f"{several(n_forms, 'webbenkät', 'webbenkäter')} i {where}, en fil per förbund och enkät. "
        f"Lägg svaren (CSV) i {answers}.",
        soft_wrap=True,
    )
    if lacking:
        texts = ", ".join(f"{language} {n}" for language, n in lacking.items())
        out.print(f"Texter utan översättning, som visas på svenska: {texts}.", soft_wrap=True)


def _print_templates(written: Written, folders: Settings, round_: int, where: Path) -> None:
    n_new, n_same = len(written.new), len(written.unchanged)
    parts = [several(n_new, "ny mall", "nya mallar")] if n_new or not n_same else []
    parts += [f"{number(n_same)} fanns redan"] if n_same else []
    out.print(f"{', '.join(parts)} för mätomgång {round_} i {where}.", soft_wrap=True)
    if written.is_synthetic:
        out.print("Registret är påhittat (synthetic), och mallarna säger det.")
    if not written.is_loaded:
        why = "Inga insatser följde med, för ingen tidigare omgång är inläst."
        out.print(f"{why} Ska de med, kör först: nns load{folders.flags}", soft_wrap=True)
    elif written.without_activities:
        names = ", ".join(a.association_id for a in written.without_activities)
        out.print(f"Utan insatser, för inget tidigare är inläst: {names}.", soft_wrap=True)
    if written.without_names:
        names = ", ".join(a.association_id for a in written.without_names)
        reason = f"filen de stod i finns inte kvar i {folders.raw}"
        out.print(f"Utan insatsnamn, för {reason}: {names}.", soft_wrap=True)
    out.print(
        f"Nästa steg: Skicka varje mall till sitt förbund. Lägg de ifyllda i "
        f"{folders.raw / str(round_)} och kör: nns run --round {round_}{folders.flags}",
        soft_wrap=True,
    )


def _print_status(seen: status.Overview) -> None:
    current = seen.round
    left = days_left(seen.days_left) if seen.days_left >= 0 else "avslutad"
    period = f"insamling {short_day(current.opens)}–{short_day(current.delivery_deadline)}"
    out.print(f"NNS indikatorer · omgång {current.round}   {period} · {left}", style="bold")
    table = Table(box=None, pad_edge=False)
    states = [line.state_sv for line in seen.lines]
    free = out.width - 46 - max(map(len, states), default=0)  # what the other columns leave
    shows_file = free >= 32
    overflow: Literal["ellipsis", "fold"] = "ellipsis" if shows_file else "fold"
    for name in ("Förbund", "Fil")[: 1 + shows_file]:
        width = free // (1 + shows_file)
        table.add_column(name, no_wrap=shows_file, overflow=overflow, max_width=width)
    table.add_column("Mottagen", no_wrap=True)
    for name in ("Enkäter", "Stopp", "Fel", "Varn."):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Läge", no_wrap=True)
    files_of = Counter(line.association_id for line in seen.lines)
    for line in seen.lines:
        counts = (line.questionnaires, line.stops, line.errors, line.warnings)
        shown = ("" if n is None or not line.received else str(n) for n in counts)
        file = discreet(Path(line.file).name) if line.file else "–"
        name = line.short_name or ("" if line.state == "new" else "okänt förbund")
        if not shows_file and (not line.short_name or files_of[line.association_id] > 1):
            name = f"{name}\n  {file}".lstrip("\n")
        table.add_row(
            *(name, file)[: 1 + shows_file],
            short_moment(line.received) if line.received else "",
            *shown,
            line.state_sv,
        )
    out.print(table)
    if seen.news:
        out.print(f"Nya förbund: {seen.news}")
    parts = [f"{seen.loaded} av {seen.expected} inlästa"]
    parts += [f"{n} {words}" for words, n in seen.counts]
    out.print(" · ".join(parts))
    _print_rates(seen)
    _print_outcomes(seen)
    out.print(f"Nästa steg:  {seen.next_step}", soft_wrap=True)


def _print_unsaved(folders: Settings) -> None:
    """That a release is in no backup; nothing otherwise."""
    if release := audit.read(folders).not_backed_up:
        when, flags = moment(datetime.fromisoformat(release.moment)), folders.flags
        told = f"Ingen säkerhetskopia sedan publiceringen {when}: nns backup --to MAPP{flags}"
        out.print(told, soft_wrap=True)


def _print_rates(seen: status.Overview) -> None:
    """Handed out and returned by questionnaire; nothing when the marts are not built of it."""
    if not seen.rates:
        return
    table = Table(box=None, pad_edge=False)
    for name, *cells in status.rate_rows(seen):
        table.add_row(name, *cells)
    for column, heading in zip(table.columns, status.RATE_HEADINGS, strict=True):
        column.header, column.no_wrap = heading, True
        column.justify = "left" if column is table.columns[0] else "right"
    out.print()
    out.print(table)
    out.print(status.RATE_NOTE, style="dim")
    out.print()


def _print_outcomes(seen: status.Overview) -> None:
    """The outcome files; nothing when there are none."""
    if not seen.outcomes:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Utfall", overflow="fold", min_width=16)
    table.add_column("Mottagen", no_wrap=True)
    for name in ("Rader", "Räknas", "Stopp", "Fel", "Varn."):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Läge", no_wrap=True)
    for line in seen.outcomes:
        counts = (line.rows, line.counted, line.stops, line.errors, line.warnings)
        name = discreet(Path(line.file).name)
        table.add_row(
            f"{name}\n  {line.holds}" if line.holds else name,
            short_moment(line.received) if line.received else "",
            *("" if n is None or not line.received else number(n) for n in counts),
            line.state_sv,
        )
    out.print(table)


def _print_log(log: audit.Log, last: int) -> None:
    """How the log stands and its last acts."""
    table = Table(box=None, pad_edge=False)
    for name in ("Nr", "När", "Vad", "Omgång", "Förbund", "Uppgift"):
        justify: Literal["right", "left"] = "right" if name == "Nr" else "left"
        table.add_column(name, justify=justify, no_wrap=name != "Uppgift")
    for line in log.lines[len(log.lines) - min(last, len(log.lines)) :]:
        act = line.act
        counts = (f"{_COUNTED.get(name, name)} {n}" for name, n in act.counts.items())
        what = ", ".join(part for part in (act.reason, *counts, (act.sha256 or "")[:8]) if part)
        when = stamp(datetime.fromisoformat(line.moment))
        done = audit.ACTS.get(act.act, act.act)
        table.add_row(
            str(line.number), when, done, str(act.round or ""), act.association_id or "", what
        )
    if last and log.lines:
        out.print(table)
    for fault in log.faults:
        out.print(fault, soft_wrap=True)
    if log.lines:
        first, latest = (datetime.fromisoformat(log.lines[i].moment) for i in (0, -1))
        n = several(len(log.lines), "rad", "rader")
        out.print(f"{n}, {moment(first)} till {moment(latest)}.", soft_wrap=True)
        out.print(f"Rad {log.lines[-1].number}: {log.lines[-1].hash}", soft_wrap=True)
    if log.unfinished and not log.faults:
        out.print("En avbruten rad tas bort vid nästa körning. Det är inget fel.")
    if log.faults:
        out.print("Händelseloggen är inte hel. Lägg tillbaka audit.jsonl och audit.head ur en")
        out.print("säkerhetskopia. Finns ingen: nns audit --renew")
    else:
        out.print("Händelseloggen är hel." if log.lines else "Inget är gjort än.")


def _print_backup(made: backup.Backup, folders: Settings) -> None:
    """Where a backup lies, what is not in it, and what to do with it."""
    from pipelines.backup import megabytes

    n_files = several(len(made.contents.files), "fil", "filer")
    size = megabytes(made.contents.n_bytes)
    out.print(f"Säkerhetskopian är klar: {n_files}, {size}, i {made.folder}", soft_wrap=True)
    for path, why in made.contents.left_out:
        out.print(f"Inte med: {path} ({why}).", soft_wrap=True)
    for path in made.altered:
        out.print(f"{path} är inte den fil som lästes in, {ALTERED}", soft_wrap=True)
    if made.contents.is_synthetic:
        out.print("Data är påhittade (synthetic).")
    else:
        out.print(
            "Kopian innehåller personuppgifter. Förvara den krypterad eller inlåst, där bara de "
            f"som får se filerna i {folders.raw} kommer åt den.",
            soft_wrap=True,
        )
    tried = shlex.join(["--from", str(made.folder)])
    out.print(f"Prova den: nns restore-drill {tried}{folders.flags}", soft_wrap=True)


def _print_drill(found: drill.Drill) -> None:
    """The releases, what is wrong, and one line about all of it."""
    table = Table("Omgång", "Publicering", "Filer", "Hel", "Gjord om", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    for one in found.releases:
        is_whole = "ja" if one.is_whole else "nej"
        named = (str(one.round), str(one.number), number(one.n_files))
        table.add_row(*named, is_whole, one.remade or "–")
    if found.releases:
        out.print(table)
    for fault in found.faults:
        out.print(fault, soft_wrap=True)
    if found.faults:
        faults = several(len(found.faults), "fel", "fel")
        out.print(
            f"Återställningsprovet hittade {faults}. Lägg tillbaka det som är skadat ur en annan "
            "säkerhetskopia, och prova igen.",
            soft_wrap=True,
        )
        return
    whole = several(len(found.releases), "publicering är hel", "publiceringar är hela")
    remade = sum(one.is_remade for one in found.releases)
    tables = f"{found.n_tables} tabeller i marterna blev lika"
    marts = tables if found.n_tables else "marterna jämfördes inte (de var inte aktuella)"
    out.print(
        f"Återställningsprovet gick bra: {whole}, {remade} gjordes om och blev lika, {marts}.",
        soft_wrap=True,
    )


def _log_as_json(log: audit.Log, last: int) -> dict[str, Any]:
    lines = log.lines[len(log.lines) - min(last, len(log.lines)) :]
    return {
        "lines": len(log.lines),
        "first": log.lines[0].moment if log.lines else None,
        "last": log.lines[-1].moment if log.lines else None,
        "hash": log.lines[-1].hash if log.lines else None,
        "is_whole": not log.faults,
        "faults": list(log.faults),
        "acts": [line.as_dict() for line in lines],
    }


def _print_findings(folders: Settings, found: Iterable[tuple[Finding, str]]) -> None:
    """The gravest findings, each with whose it is where no file may be named, without values."""
    order = list(Severity)
    told = sorted(found, key=lambda pair: order.index(pair[0].severity))
    for f, whose in told[:FINDINGS_SHOWN]:
        where = " ".join(part for part in (f.file, whose, f.sheet, f.cell, f.question) if part)
        out.print(Text(LEVELS[f.severity], "bold"), Text(f" {where}: {f.wrong} {f.remedy}"))
    if (more := len(told) - FINDINGS_SHOWN) > 0:
        rest = f"… och {more} fynd till, se {folders.home / 'status.html'}"
        out.print(rest, soft_wrap=True)


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
            first, dash, last = part.partition("-")
            years += range(int(first), int(last if dash else first) + 1)
    except ValueError as error:
        raise Fault(f"Skriv omgångar som 2018-2026 eller 2019,2021, inte {text!r}.") from error
    for year in years:
        _known_rounds(year)
    return years


def _verbs() -> list[str]:
    return [command.name or "" for command in app.registered_commands]


def _is_debugged() -> bool:
    return "--debug" in sys.argv


def main() -> None:
    """The entry point: runs a verb and ends with its exit code."""
    os.umask(UMASK)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    # dbt's locks outlive a process that is killed or ends at once, and python says so
    os.environ["PYTHONWARNINGS"] = "ignore::UserWarning:multiprocessing.resource_tracker"
    progress.listen(_show_progress)
    lock.command = " ".join(["nns", *(a for a in sys.argv[1:] if a in _verbs())][:2])
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    code = 2
    try:
        code = (
            typer.main.get_command(app).main(arguments, prog_name="nns", standalone_mode=False) or 0
        )
    except typer.Exit as end:
        code = end.exit_code
    except (KeyboardInterrupt, typer.Abort):
        err.print(_INTERRUPTED)
    except Exception as error:
        if _is_debugged():
            traceback.print_exc()
        if said := terminal.message(error):
            err.print(f"nns: {said}", soft_wrap=True, markup=False)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)  # tearing down dagster and dbt module by module takes two seconds


if __name__ == "__main__":
    main()
