"""Dagster as deploy/ sets it up, on a real PostgreSQL: queued, killed and done again.

Belongs here: the configuration as it is, with all its processes. There is no container engine
where the tests run: a stand-in runs each container as a process (container_engine.py).
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import duckdb
import pytest
import yaml
from container_engine import Container, Engine

from pipelines import lock, settings
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
FIRST, SECOND = 2025, 2026
PATIENCE = 300.0  # seconds, for what takes half a minute when nothing else runs
UNDER_WAY = {"QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"}
LOAD_STEP = "registration_workbooks"


T = TypeVar("T")


def wait_for(found: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """What is found in the end; fails when it takes too long."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if (one := found()) is not None:
            return one
        time.sleep(0.2)
    raise AssertionError(f"waited in vain for {what}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


# --- what a deployment stands on ----------------------------------------------------------------


def postgresql_program(name: str) -> str | None:
    """A program of the server, which Debian keeps out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@pytest.fixture
def postgresql() -> Iterator[dict[str, str]]:
    """The environment that leads to an empty database in a cluster of its own."""
    initdb, pg_ctl = postgresql_program("initdb"), postgresql_program("pg_ctl")
    if not initdb or not pg_ctl:
        pytest.skip("NO POSTGRESQL: deploy/ IS NOT TESTED. Install Debian's package postgresql.")
    user = ["runuser", "-u", "nobody", "--"] if os.getuid() == 0 else []
    port = free_port()
    with TemporaryDirectory(prefix="nns-pg-", dir="/tmp") as name:
        folder = Path(name)
        (folder / "password").write_text("secret", "utf-8")
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, "nobody")
        data = ["--pgdata", str(folder / "data")]
        how = ["--auth", "scram-sha-256", "--pwfile", str(folder / "password")]
        options = f"-c port={port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        quiet: dict[str, Any] = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL}
        subprocess.run([*user, initdb, *data, *how, "--username", "nns", "-E", "UTF8"], **quiet)
        log = ["--log", str(folder / "log"), "--wait"]
        subprocess.run([*user, pg_ctl, "start", *data, *log, "--options", options], **quiet)
        try:
            yield {
                "PGHOST": "127.0.0.1",
                "PGPORT": str(port),
                "PGDATABASE": "postgres",
                "PGUSER": "nns",
                "PGPASSWORD": "secret",
            }
        finally:
            subprocess.run([*user, pg_ctl, "stop", *data, "--mode", "immediate"], **quiet)


def rows(database: Mapping[str, str], table: str) -> int:
    """How many rows a table in PostgreSQL has."""
    import psycopg2

    with closing(
        psycopg2.connect(
            host=database["PGHOST"],
            port=database["PGPORT"],
            dbname=database["PGDATABASE"],
            user=database["PGUSER"],
            password=database["PGPASSWORD"],
        )
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(f"select count(*) from {table}")
        return int(cursor.fetchone()[0])


class Deployment:
    """The processes of deploy/compose.yaml, and what its page is asked over GraphQL."""

    def __init__(self, folder: Path, database: Mapping[str, str], engine: Engine) -> None:
        self.folder, self.database, self.engine = folder, database, engine
        self.port = free_port()

    def ask(self, query: str, **variables: object) -> Any:
        """The answer of the page."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            body,
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        assert "errors" not in told, told
        return told["data"]

    def is_up(self) -> bool | None:
        """True once the page is there, its code is loaded and all daemons have been heard of."""
        try:
            told = self.ask(
                """{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } }
                     instance { daemonHealth { allDaemonStatuses { healthy required } } } }"""
            )
        except OSError:
            return None
        daemons = told["instance"]["daemonHealth"]["allDaemonStatuses"]
        is_well = daemons and all(d["healthy"] for d in daemons if d["required"])
        return True if is_well and told["repositoriesOrError"].get("nodes") else None

    def launch(self, job: str, round_: int) -> str:
        """Asks for a run of a round; gives its id."""
        told = self.ask(
            """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } }
                 ... on PythonError { message } } }""",
            params={
                "selector": {
                    "repositoryLocationName": "nns",
                    "repositoryName": "__repository__",
                    "jobName": job,
                },
                "executionMetadata": {
                    "tags": [{"key": "dagster/partition", "value": str(round_)}],
                },
            },
        )["launchRun"]
        assert told["__typename"] == "LaunchRunSuccess", told
        return str(told["run"]["runId"])

    def runs(self) -> dict[str, dict[str, Any]]:
        """All runs there have been by id, with their steps."""
        told = self.ask(
            """{ runsOrError { ... on Runs { results {
                 runId jobName status startTime endTime parentRunId
                 tags { key value } stepStats { stepKey status endTime } } } } }"""
        )
        return {run["runId"]: run for run in told["runsOrError"]["results"]}

    def messages(self, run_id: str) -> list[str]:
        """What Dagster wrote about a run."""
        told = self.ask(
            """query ($id: ID!) { logsForRun(runId: $id) {
                 ... on EventConnection { events { ... on MessageEvent { message } } } } }""",
            id=run_id,
        )
        return [event["message"] for event in told["logsForRun"]["events"]]

    def container_of(self, run_id: str) -> Container:
        """The container a run was started in."""
        everything = self.engine.containers.values()
        (found,) = (c for c in everything if c.created["Labels"].get("dagster/run_id") == run_id)
        return found

    def in_step(self, run_id: str, step: str) -> bool | None:
        """True while the run is in the step."""
        steps = self.runs()[run_id]["stepStats"]
        at = {s["stepKey"]: s["status"] for s in steps}.get(step)
        assert at in (None, "IN_PROGRESS"), f"{step} was over before it could be killed"
        return at and True

    def kill_in(self, run_id: str, step: str) -> None:
        """Kills all that runs in the container of a run, in the middle of a step."""
        wait_for(lambda: self.in_step(run_id, step), f"{step} of {run_id}")
        self.container_of(run_id).signal(signal.SIGKILL)

    def retry_of(self, run_id: str) -> dict[str, Any]:
        """The run that does a killed one again, once it is over."""

        def found() -> dict[str, Any] | None:
            again = [r for r in self.runs().values() if r["parentRunId"] == run_id]
            return next((r for r in again if r["status"] not in UNDER_WAY), None)

        return wait_for(found, f"the retry of {run_id}")


@contextmanager
def deployed(
    folder: Path, database: Mapping[str, str], executor: str, associations: int
) -> Iterator[Deployment]:
    """The code server, the page and the daemon over a landing zone of two rounds."""
    raw, home, dagster = (folder / name for name in ("raw", "home", "dagster"))
    home.mkdir()
    write_landing_zone(raw, rounds=[FIRST, SECOND], associations=associations)
    for path in raw.rglob("*"):  # not whole yet, for the sensor: it leaves them to the test
        os.utime(path, (time.time() + 3600,) * 2)
    dagster.mkdir()
    shutil.copy(DEPLOY / "dagster.yaml", dagster)
    log = folder / "log"
    with ExitStack() as stack:
        short = stack.enter_context(TemporaryDirectory(prefix="nns-", dir="/tmp"))
        code_port, engine_socket = free_port(), Path(short) / "engine.sock"
        image = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "DAGSTER_HOME": str(dagster),
            "DOCKER_HOST": f"unix://{engine_socket}",
            "PYTHONPATH": str(PROJECT),
            "PYTHONWARNINGS": "ignore",
        }
        environment = image | {
            **database,
            "NNS_RAW": str(raw),
            "NNS_HOME": str(home),
            "NNS_CODE_HOST": "127.0.0.1",
            "NNS_CODE_PORT": str(code_port),
            "NNS_IMAGE": "nns-warehouse",
            "NNS_NETWORK": "nns",
            "NNS_EXECUTOR": executor,
            "NNS_MIN_ANSWERS": "",
            "NNS_DROPOUT_MONTHS": "",
        }
        engine = Engine(engine_socket, image, PROJECT, log)
        stack.callback(engine.close)
        made = Deployment(folder, database, engine)
        here = {"/srv/nns/home": str(home), "0.0.0.0": "127.0.0.1"}
        here |= {" 4000": f" {code_port}", " 3000": f" {made.port}"}
        for name in ("code", "webserver", "daemon"):
            command = str(COMPOSE["services"][name]["command"])
            for there, instead in here.items():
                command = command.replace(there, instead)
            stack.enter_context(service(shlex.split(command), environment, log))
        wait_for(made.is_up, "the page, the code server and the daemon")
        yield made


@contextmanager
def service(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """A process in a session of its own, of which nothing is left afterwards."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["env", *command],  # which looks for it in the PATH of the environment
            cwd=PROJECT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):  # when all of its group went with it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# --- what it made, against what `nns` makes -----------------------------------------------------


def nns(raw: Path, home: Path, *arguments: str) -> None:
    """Runs a verb undisturbed, without any of deploy/."""
    command = [sys.executable, "-c", "from pipelines import cli; cli.main()", *arguments]
    folders = ["--raw", str(raw), "--home", str(home)]
    run = subprocess.run([*command, *folders], cwd=PROJECT, capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stderr + run.stdout


def lake_of(home: Path) -> dict[str, bytes]:
    """All tables of a lake by name."""
    lake = home / "lake"
    return {str(p.relative_to(lake)): p.read_bytes() for p in lake.rglob("*.parquet")}


def marts_of(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the analysts' snapshot by table."""
    with duckdb.connect(str(home / "marts.duckdb"), read_only=True) as snapshot:
        names = snapshot.execute("select table_name from duckdb_tables() order by 1").fetchall()
        return {
            name: snapshot.execute(f"select * from marts.marts.{name} order by all").fetchall()
            for (name,) in names
        }


def in_order_of_load(runs: Mapping[str, dict[str, Any]]) -> list[int]:
    """The rounds in the order in which their loads were over."""
    ends = [
        (step["endTime"], next(t["value"] for t in run["tags"] if t["key"] == "dagster/partition"))
        for run in runs.values()
        for step in run["stepStats"]
        if step["stepKey"] == LOAD_STEP and step["status"] == "SUCCESS"
    ]
    return [int(round_) for _, round_ in sorted(ends)]


# --- the tests ----------------------------------------------------------------------------------


@pytest.mark.long
def test_queued_runs_go_one_at_a_time_and_killed_ones_are_done_again(
    postgresql: dict[str, str], tmp_path: Path
) -> None:
    with deployed(tmp_path, postgresql, "in_process", associations=6) as made:
        first = made.launch("load_and_check", FIRST)
        second = made.launch("load_and_check", SECOND)
        made.kill_in(first, LOAD_STEP)
        assert made.runs()[second]["status"] == "QUEUED"  # while the first one writes
        assert lock.is_open(Settings(tmp_path / "raw", tmp_path / "home"))  # nothing is erased
        assert made.retry_of(first)["status"] == "SUCCESS"
        assert any("Detected run worker status" in m for m in made.messages(first))
        wait_for(
            lambda: made.runs()[second]["status"] == "SUCCESS" or None,
            "the second load",
        )

        build = wait_for(  # which the sensor asks for, after the loads
            lambda: next((i for i, r in made.runs().items() if r["jobName"] == "build"), None),
            "a build",
        )
        made.kill_in(build, "dbt_models")
        assert not (tmp_path / "home" / "marts.duckdb").exists()
        again = made.retry_of(build)
        assert again["status"] == "SUCCESS"
        tags = {tag["key"] for tag in again["tags"]}
        assert "dagster/sensor_name" in tags  # nobody watches it either: the digest will tell

        runs = made.runs()
        assert {runs[first]["status"], runs[build]["status"]} == {"FAILURE"}
        assert not {r["status"] for r in runs.values()} & UNDER_WAY
        spans = sorted((r["startTime"], r["endTime"]) for r in runs.values())
        assert len(spans) == 5
        assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
        assert rows(postgresql, "runs") == 5
        assert rows(postgresql, "event_logs") > 100
        assert rows(postgresql, "job_ticks") > 0
        assert [p.name for p in (tmp_path / "dagster").rglob("*.db")] == []

    undisturbed = tmp_path / "undisturbed"
    for round_ in in_order_of_load(runs):
        nns(tmp_path / "raw", undisturbed, "load", "--round", str(round_))
    nns(tmp_path / "raw", undisturbed, "check")
    nns(tmp_path / "raw", undisturbed, "build")
    assert lake_of(tmp_path / "home") == lake_of(undisturbed) != {}
    marts = marts_of(tmp_path / "home")
    assert marts == marts_of(undisturbed)
    assert len(marts["measure_results"]) > 1000


@pytest.mark.long
def test_steps_run_in_containers_of_their_own_where_that_is_asked_for(
    postgresql: dict[str, str], tmp_path: Path
) -> None:
    with deployed(tmp_path, postgresql, "docker", associations=1) as made:
        run = made.launch("load", SECOND)
        wait_for(lambda: made.runs()[run]["status"] not in UNDER_WAY or None, "the load")
        assert made.runs()[run]["status"] == "SUCCESS", made.messages(run)
        steps = {s["stepKey"] for s in made.runs()[run]["stepStats"]}
        assert LOAD_STEP in steps
        assert len(made.engine.containers) == 1 + len(steps)
    assert lake_of(tmp_path / "home")


@pytest.mark.parametrize(
    ("given", "chosen"), [(None, "in_process"), ("", "in_process"), ("docker", "docker")]
)
def test_the_environment_decides_where_steps_are_executed(
    given: str | None, chosen: str, tmp_path: Path
) -> None:
    code = """
import sys
from pipelines.definitions import defs
print(defs.resolve_job_def("load").executor_def.name, "dagster_docker" in sys.modules)
"""
    own = {} if given is None else {"NNS_EXECUTOR": given}
    rest = {k: v for k, v in os.environ.items() if k != "NNS_EXECUTOR"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**rest, **own, "NNS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == [chosen, str(chosen == "docker")]


def test_an_executor_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNS_EXECUTOR", "kubernetes")
    with pytest.raises(ValueError, match="NNS_EXECUTOR ska vara in_process eller docker"):
        settings.from_environment()


def test_runs_are_given_every_setting_of_the_environment_they_may_need() -> None:
    launcher = yaml.safe_load((DEPLOY / "dagster.yaml").read_text("utf-8"))["run_launcher"]
    set_there = COMPOSE["x-nns"]["environment"]
    asked = set(launcher["config"]["env_vars"])
    assert asked == set(set_there) - {"NNS_CODE_HOST", "NNS_CODE_PORT"}
    mounted = {v.split(":")[0] for v in launcher["config"]["container_kwargs"]["volumes"]}
    assert mounted < {v["name"] for v in COMPOSE["volumes"].values()}
    assert set_there["NNS_NETWORK"] == COMPOSE["networks"]["default"]["name"]
