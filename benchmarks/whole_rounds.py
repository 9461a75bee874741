"""Ten rounds of 78 workbooks each: from the files to the measure mart, beside plain scripts.

Ours are the steward's commands, on the clock, less what the same command takes over a landing zone
with next to nothing in it.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import duckdb
import lakes
import processes
import results
import zones
from processes import Cost

from pipelines.settings import SEEDS, Settings

HERE = Path(__file__).parent
LAST = zones.ROUNDS[-1]
OF_SCRIPTS = (2018, 2022, 2026)  # one of each layout: theirs is a cost per file


class WrongError(Exception):
    """A script gives other figures than the mart."""


# --- ours ---------------------------------------------------------------------------------------


def run(raw: Path, home: Path, *verbs: str) -> Cost:
    """What some verbs cost together in a fresh home."""
    shutil.rmtree(home, ignore_errors=True)
    costs = [processes.nns(verb, raw=raw, home=home) for verb in verbs]
    return Cost(sum(c.wall for c in costs), sum(c.cpu for c in costs), max(c.peak for c in costs))


def ours(folder: Path) -> dict[str, Cost]:
    """The medians of our runs, in turn; the home of all ten rounds is left behind."""
    raws = {
        "ten rounds": folder / "raw",
        "one round": folder / "one",
        "next to nothing": folder / "tiny",
    }
    seen: dict[str, list[Cost]] = {}
    for _ in range(processes.REPETITIONS):
        for verbs in (("load", "build"), ("run",)):
            for name, raw in raws.items():
                cost = run(raw, folder / f"home of {name}", *verbs)
                seen.setdefault(f"nns {', '.join(verbs)}: {name}", []).append(cost)
    return {name: processes.median_of(costs) for name, costs in seen.items()}


# --- scripts ------------------------------------------------------------------------------------


def script(*command: str | Path, report: Path) -> list[float]:
    """The seconds that a script took for each of its rounds."""
    processes.cost([*command, report, *map(str, OF_SCRIPTS)])
    if report.suffix == ".json":
        return list(json.loads(report.read_text(encoding="utf-8")))
    return [row[0] for row in duckdb.execute(f"select wall from '{report}'").fetchall()]  # noqa: S608


def scripts(folder: Path) -> dict[str, list[float]]:
    """By script the seconds of each round; whose figures differ is not timed."""
    questions, raw = folder / "questions.csv", folder / "raw"
    lakes.write_questions(questions)
    seconds = {}
    for engine in ("calamine", "openpyxl"):
        out, report = folder / f"{engine}.parquet", folder / f"{engine}.json"
        program = HERE / "competitors" / "pandas_books.py"
        command = (sys.executable, program, engine, raw, SEEDS, questions, out)
        seconds[f"pandas with {engine}"] = script(*command, report=report)
        _compare(folder, f"'{out}'")
    if shutil.which("Rscript"):
        out, report = folder / "readxl.csv", folder / "readxl_report.csv"
        program = HERE / "competitors" / "readxl_books.R"
        r_command = ("Rscript", program, raw, SEEDS, questions, out)
        seconds["R with readxl and data.table"] = script(*r_command, report=report)
        _compare(
            folder, f"read_csv('{out}', types = {{'unit_id': 'varchar', 'gender': 'varchar'}})"
        )
    return seconds


def _compare(folder: Path, theirs: str) -> None:
    """Refuses another table than the mart, comparable groups left out.

    Raises:
        WrongError: how many rows there are, and how many differ.
    """
    home = folder / "home of ten rounds"
    grain = "round, level, unit_id, questionnaire_id, measure_id, gender"
    levels = (
        "level in ('nation', 'county', 'association', 'activity') and n > 0 "
        f"and round in {OF_SCRIPTS} and questionnaire_id <> 'register_study'"
    )
    with duckdb.connect(str(Settings(home, home).snapshot), read_only=True) as connection:
        found = connection.execute(
            "select count(*), count(*) filter (where a.n is distinct from b.n "  # noqa: S608
            "or a.n_positive is distinct from b.n_positive) from "
            f"(from marts.marts.measure_results where {levels}) "
            f"as a full join (from {theirs} where {levels}) as b using ({grain})"
        ).fetchone()
    if not found or not found[0] or found[1]:
        raise WrongError(f"{theirs}: {found}")


# --- the table ----------------------------------------------------------------------------------


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zones.national(folder / "raw")
        zones.national(folder / "one", rounds=(LAST,))
        zones.next_to_nothing(folder / "tiny")
        costs = ours(folder)
        seconds = scripts(folder)
    results.write("Whole rounds", told(costs, seconds))


def told(costs: dict[str, Cost], seconds: dict[str, list[float]]) -> str:
    """The section."""
    beyond = {
        verb: costs[f"nns {verb}: ten rounds"].wall - costs[f"nns {verb}: next to nothing"].wall
        for verb in ("load, build", "run")
    }
    ours_rows = [
        (name, c.wall, c.cpu, c.peak, c.wall / costs[f"{name.partition(':')[0]}: one round"].wall)
        for name, c in costs.items()
    ]
    columns = ("", "wall s", "CPU s", "peak MB", "wall, of one round")
    scripts_rows = [
        (name, statistics.median(walls), _all_rounds(walls))
        + tuple(_all_rounds(walls) / ours for ours in beyond.values())
        for name, walls in seconds.items()
    ]
    heads = ("", "a round, wall s", "ten rounds", "× load and build", "× the whole run")
    table = results.table(heads, scripts_rows)
    less = ", ".join(f"{verb} {wall:.1f} s" for verb, wall in beyond.items())
    return (
        f"{NOTES.strip()}\n\n{results.table(columns, ours_rows)}\n\n"
        f"Ten rounds beyond start-up, on the clock: {less}.\n\n{table}"
    )


def _all_rounds(walls: list[float]) -> float:
    return len(zones.ROUNDS) * statistics.median(walls)


NOTES = """
78 workbooks with about 100 questionnaires in each of ten rounds. `nns load, build` is what the
scripts do and more: findings, all other marts and their tests, the snapshot. `nns run` is load,
check with a receipt for each delivery, and build; nothing is published. Medians of three in fresh
homes; the start-up is the same command with next to nothing to do. The scripts go
through three of the rounds, one at a time, imports left out, and ten rounds are ten times their
median; they check nothing, and compute counts, shares and intervals at nation, county, association
and activity, whose counts agree with the mart in every row.
"""


if __name__ == "__main__":
    main()
