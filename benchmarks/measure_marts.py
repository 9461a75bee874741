"""From 1e6, 1e7 and 1e8 answers to the measure mart, beside plain scripts of the same mart.

Ours are the project's own dbt models over a lake that `lakes.py` writes: what dbt takes for the
nodes that lie on the way from the answers to `measure_results`. Everyone else gets the same answers
as a plain table, a row each with all that is known of it. Whose figures differ is not timed.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import lakes
import processes
import results
from processes import REPETITIONS, Cost

from pipelines.settings import Settings

HERE = Path(__file__).parent
SIZES = (1_000_000, 10_000_000, 100_000_000)
WITH_RIVALS = SIZES[:2]  # more answers as a plain table do not fit in pandas
FEW, NATION = (10, 2), (40, 3)  # associations, activities of each
COUNTS, MART = "our models: counts", "our models: measure mart"
COUNT_AND_SUM = "DuckDB: count and sum"
OURS = ("int_measure_counts", "measure_results")
SELECTION = ("--select", "+measure_results", "--indirect-selection", "buildable")
MODELS, TESTS = ("--exclude-resource-type", "test"), ("--resource-type", "test")
GRAIN = "round, level, unit_id, questionnaire_id, measure_id, gender"

CELLS = "from read_parquet('{lake}/answers/round=2*/*.parquet')"
BARE = {
    COUNT_AND_SUM: f"select count(*), sum(cell_id) {CELLS}",
    "DuckDB: one grouping pass": f"select count(*) from (select count(*) {CELLS} group by cell_id)",
}
BARE_PLAIN = (
    "select count(*) from (select round, association_id, county_code, insats_kod, langd, kon, "
    "questionnaire_id, question_id, code, base_code, count(*) from '{plain}' group by all)"
)


class WrongError(Exception):
    """A script gives other figures than the mart."""


@dataclass(frozen=True)
class Ground:
    """A lake with the same answers as a plain table, and where reports go."""

    settings: Settings
    folder: Path

    @property
    def plain(self) -> Path:
        """The answers as parquet; beside it as CSV."""
        return self.folder / "plain.parquet"

    @property
    def questions(self) -> Path:
        """What is known of each question."""
        return self.folder / "questions.csv"


def ground(folder: Path, answers: int, units: tuple[int, int], *, with_rivals: bool) -> Ground:
    """A lake of so many answers of so many associations and activities."""
    associations, activities = units
    shape = lakes.Shape(answers, associations=associations, activities=activities)
    made = Ground(lakes.write(folder / "home", shape), folder)
    if with_rivals:
        lakes.write_questions(made.questions)
        lakes.write_plain(made.settings, made.plain)
        lakes.write_plain(made.settings, made.plain.with_suffix(".csv"), "format csv, header")
    return made


# --- who is measured ----------------------------------------------------------------------------


def ours(g: Ground) -> Mapping[str, Cost]:
    """What our models cost, from an empty database."""
    shutil.rmtree(g.settings.working_database.parent, ignore_errors=True)
    whole, nodes = _built(g, MODELS)
    views = [node for name, node in nodes.items() if name.startswith("stg_")]
    counts, mart = (nodes[name] for name in OURS)
    return {
        MART: together([*views, counts, mart]),
        COUNTS: together([*views, counts]),
        "our process as a whole": whole,
    }


def tests(g: Ground) -> Mapping[str, Cost]:
    """What dbt's tests of the same models cost."""
    _, nodes = _built(g, TESTS)
    return {"our tests of these models": together(list(nodes.values()))}


def together(costs: Sequence[Cost]) -> Cost:
    """What comes after each other costs as a whole."""
    return Cost(sum(c.wall for c in costs), sum(c.cpu for c in costs), max(c.peak for c in costs))


def _built(g: Ground, kind: Sequence[str]) -> tuple[Cost, Mapping[str, Cost]]:
    """What a build costs as a process, and each of its nodes."""
    report = g.folder / "build.json"
    program = HERE / "timed_build.py"
    whole = processes.cost([sys.executable, program, g.settings.home, report, *SELECTION, *kind])
    told = json.loads(report.read_text(encoding="utf-8"))
    nodes = {name: Cost(*node) for name, node in told.items()}
    peak = max(whole.peak, *(node.peak for node in nodes.values()))  # each node forgets the last
    return replace(whole, peak=peak), nodes


def bare(sql: str, g: Ground) -> Cost:
    """What a query costs in DuckDB alone; its memory is not told."""
    with duckdb.connect() as connection:
        wall, cpu = time.perf_counter(), time.process_time()
        connection.execute(sql.format(lake=g.settings.lake, plain=g.plain)).fetchall()
        return Cost(time.perf_counter() - wall, time.process_time() - cpu, 0.0)


def python(module: str, g: Ground) -> Mapping[str, Cost]:
    """What the mart costs by a competitor in Python."""
    out, report = g.folder / f"{module}.parquet", g.folder / f"{module}.json"
    timed = HERE / "timed_mart.py"
    whole = processes.cost([sys.executable, timed, module, g.plain, g.questions, out, report])
    _compare(g, f"'{out}'")
    cost = json.loads(report.read_text(encoding="utf-8"))
    return {module.removesuffix("_mart"): Cost(cost["wall"], cost["cpu"], whole.peak)}


def data_table(g: Ground) -> Mapping[str, Cost]:
    """What the mart costs in R, with and without reading the file."""
    out, report = g.folder / "data_table.csv", g.folder / "data_table_report.csv"
    script = HERE / "competitors" / "data_table_mart.R"
    answers = g.plain.with_suffix(".csv")
    whole = processes.cost(["Rscript", script, answers, g.questions, out, report])
    _compare(g, f"read_csv('{out}', types = {{'unit_id': 'varchar', 'gender': 'varchar'}})")
    costs = duckdb.execute(f"select wall, cpu from '{report}'").fetchall()  # noqa: S608
    names = ("R data.table, with fread", "R data.table, from memory")
    return {
        name: Cost(wall, cpu, whole.peak) for name, (wall, cpu) in zip(names, costs, strict=True)
    }


def _compare(g: Ground, theirs: str) -> None:
    """Refuses another table than the mart: counts exactly, shares to 1e-9.

    Raises:
        WrongError: how many rows differ.
    """
    values = "n, n_positive, share, ci_low, ci_high"
    differ = " or ".join(f"abs(a.{v} - b.{v}) > 1e-9" for v in values.split(", "))
    with duckdb.connect(str(g.settings.working_database), read_only=True) as connection:
        found = connection.execute(
            f"select count(*), count(*) filter (where a.n is null or b.n is null or {differ}) "  # noqa: S608
            f"from (select {GRAIN}, {values} from marts.measure_results where n > 0) as a "
            f"full join (select {GRAIN}, {values} from {theirs}) as b using ({GRAIN})"
        ).fetchone()
    if not found or not found[0] or found[1]:
        raise WrongError(f"{theirs}: {found}")


# --- the table ----------------------------------------------------------------------------------


def costs_of(g: Ground, with_rivals: bool) -> Mapping[str, Cost]:
    """The medians of everyone, measured in turn."""
    seen: dict[str, list[Cost]] = {}
    rivals: list[Callable[[], Mapping[str, Cost]]] = [
        lambda: {"DuckDB: grouping the plain table": bare(BARE_PLAIN, g)},
        lambda: python("polars_mart", g),
        lambda: data_table(g) if shutil.which("Rscript") else {},
        lambda: python("pandas_mart", g),
    ]
    for n in range(REPETITIONS):
        turns = [
            {name: bare(sql, g) for name, sql in BARE.items()},
            ours(g),
            tests(g) if not n else {},
            *(do() for do in (rivals if with_rivals else ())),
        ]
        for turn in turns:
            for name, cost in turn.items():
                seen.setdefault(name, []).append(cost)
    return {name: processes.median_of(costs) for name, costs in seen.items()}


def told(title: str, costs: Mapping[str, Cost]) -> str:
    """The table of one size."""
    mart, base = costs[MART], costs[COUNT_AND_SUM]
    rows = [
        (name, c.wall, c.cpu, c.wall / mart.wall, c.cpu / base.cpu, c.peak or "")
        for name, c in costs.items()
    ]
    columns = ("", "wall s", "CPU s", "wall, of our mart", "CPU, of count and sum", "peak MB")
    return f"### {title}\n\n{results.table(columns, rows)}"


def main(sizes: list[int]) -> None:
    tables, marts = [], {}
    for size, units in [*((size, FEW) for size in sizes), (max(sizes), NATION)]:
        with_rivals = size in WITH_RIVALS and units == FEW
        with tempfile.TemporaryDirectory() as name:
            g = ground(Path(name), size, units, with_rivals=with_rivals)
            costs = costs_of(g, with_rivals)
            counted, figures = n_answers(g), n_figures(g)
        tables.append(
            told(f"{_spaced(counted)} answers, {_spaced(figures)} figures in the mart", costs)
        )
        marts[size, units] = costs[MART]
    growth = [
        f"{b / a:.3g} × the answers cost {marts[b, FEW].cpu / marts[a, FEW].cpu:.1f} × the CPU time"
        for a, b in zip(sizes, sizes[1:], strict=False)
    ]
    results.write("Measure marts", "\n\n".join([NOTES.strip(), *tables, "; ".join(growth) + "."]))


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def n_figures(g: Ground) -> int:
    """How many rows the mart has."""
    with duckdb.connect(str(g.settings.working_database), read_only=True) as connection:
        return int(
            connection.execute("select count(*) from marts.measure_results").fetchall()[0][0]
        )


def n_answers(g: Ground) -> int:
    """How many answers there are."""
    sql = f"select count(*) {CELLS}".format(lake=g.settings.lake)
    return int(duckdb.execute(sql).fetchall()[0][0])


NOTES = """
Ten rounds, ten associations with two activities each, one delivery of each in each round; in the
last table 40 with three each, as many figures as the national network's. What grows from one table
to the next is the number of respondents in each group; units, questions and figures stay the same.
So the mart has a cost per answer, the pass over the lake, and one per figure. *Our models* are the
dbt models on the way from the answers to the mart `measure_results`, a node's own time as dbt tells
it: imports, parsing, seeds and tests are apart. Medians of three, taken in turn. `peak MB` is of
the whole process, imports included; of our models the largest while they ran. Their tests, which
the scripts have none of, are run once.

The others read the same answers as a plain table, written for them with everything joined: names
instead of numbers, and the answer to a question's base, which saves them a join with themselves.
Theirs and ours agree in every row: counts exactly, shares and intervals to 1e-9. All group once and
roll the counts up to the five levels and the total of genders, which is faster in each than to
group for every level. What ours does beyond theirs: missing answers and don't knows, the mean
index, the change since the round before and its test, targets, comparability, the register study,
and a primary key. What ours leaves out: nothing that they do. R reads CSV (there is no Arrow for R
here), so it stands there both with and without reading.
"""


if __name__ == "__main__":
    main([int(float(size)) for size in sys.argv[1:]] or list(SIZES))
