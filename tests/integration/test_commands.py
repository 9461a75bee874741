"""The steward's commands from the outside: what they print, how they end, what they leave."""

import contextlib
import csv
import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import frozen
import openpyxl
import pytest

from pipelines import cli, runs, warehouse
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

PROJECT = Path(__file__).parent.parent.parent
Nns = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def nns(tmp_path: Path) -> Nns:
    """Runs a verb with a home of its own; `raw` is given by the test. Nothing is published."""

    def run(*arguments: str, raw: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipelines.cli", *arguments]
        if arguments[:1] == ("run",):
            command = frozen.nns(frozen.NOTHING_IS_DUE, *arguments)
        folders = {"NNS_HOME": str(tmp_path / "home"), "NNS_RAW": str(raw or tmp_path / "raw")}
        return subprocess.run(
            command,
            cwd=PROJECT,
            env={**os.environ, **folders},
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two associations in two rounds, some twenty questionnaires each."""
    folder = tmp_path / "raw"
    write_landing_zone(folder, rounds=[2025, 2026], associations=2, questionnaires=20)
    return folder


def facts(home: Path) -> dict[str, int]:
    with duckdb.connect(str(home / "marts.duckdb"), read_only=True) as connection:
        return {
            table: connection.execute(f"select count(*) from marts.marts.{table}").fetchone()[0]
            for table in ("measure_results", "indicator_results", "key_figures", "submissions")
        }


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "dagster" not in path.parts
    }


def test_a_run_builds_the_marts_and_running_again_changes_nothing(
    nns: Nns, raw: Path, tmp_path: Path
) -> None:
    first = nns("run")
    assert first.returncode == 0, first.stderr
    assert "2025–2026" in first.stdout
    assert "påhittade" in first.stdout
    assert facts(tmp_path / "home")["submissions"] == 4
    before = contents(tmp_path / "home")
    again = nns("run")
    assert again.returncode == 0
    assert "Inget nytt" in again.stdout
    after = contents(tmp_path / "home")
    assert before.pop("last_run.json") != after.pop("last_run.json")  # it is a success all the same
    assert after == before
    heavy = {"dagster", "great_expectations", "dbt", "pandas", "pyarrow"}
    assert modules_of_a_run(raw, tmp_path / "home") & heavy == set()


def modules_of_a_run(raw: Path, home: Path) -> set[str]:
    python, option, program, *arguments = frozen.nns(frozen.NOTHING_IS_DUE, "run")
    told = "import atexit, sys\natexit.register(lambda: print(*sys.modules))\n"
    run = subprocess.run(
        [python, option, told + program, *arguments],
        cwd=PROJECT,
        env={**os.environ, "NNS_HOME": str(home), "NNS_RAW": str(raw)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.splitlines()[-1].split())


def test_what_is_made_is_for_user_and_group_only(nns: Nns, raw: Path, tmp_path: Path) -> None:
    nns("run")
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "home").rglob("*") if p.is_file()}
    assert stat.S_IMODE((tmp_path / "home" / "marts.duckdb").stat().st_mode) == 0o640
    assert not {mode for mode in modes if mode & 0o007}


def test_a_changed_workbook_changes_its_own_round_and_the_rest_stays(
    nns: Nns, raw: Path, tmp_path: Path
) -> None:
    nns("run")
    lake = tmp_path / "home" / "lake" / "responses"
    before = contents(lake)
    write_landing_zone(tmp_path / "other", rounds=[2026], associations=2, questionnaires=25, seed=2)
    changed = sorted((tmp_path / "other" / "2026").iterdir())[0]
    shutil.copy(changed, raw / "2026" / changed.name)
    run = nns("run")
    assert run.returncode == 0, run.stderr
    after = contents(lake)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1
    with duckdb.connect(str(tmp_path / "home" / "marts.duckdb"), read_only=True) as connection:
        states = connection.execute(
            "select state, count(*) from marts.marts.submissions group by state order by state"
        ).fetchall()
    assert states == [("loaded", 4), ("replaced", 1)]


def test_an_empty_landing_zone_builds_empty_facts(nns: Nns, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    run = nns("run")
    assert run.returncode == 0, run.stderr
    assert set(facts(tmp_path / "home").values()) == {0}
    assert nns("status").returncode == 0


def test_a_round_without_one_association_s_file_says_who_is_missing(nns: Nns, raw: Path) -> None:
    sorted((raw / "2026").iterdir())[0].unlink()
    assert nns("run").returncode == 0
    seen = json.loads(nns("status", "--round", "2026", "--json").stdout)
    assert (seen["loaded"], seen["missing"]) == (1, 1)
    assert [d["state_sv"] for d in seen["deliveries"]].count("saknas") == 1


def test_a_broken_file_ends_with_code_1_and_the_others_load(
    nns: Nns, raw: Path, tmp_path: Path
) -> None:
    sorted((raw / "2026").iterdir())[0].write_bytes(b"this is no workbook")
    run = nns("run")
    assert run.returncode == 1
    assert "stopp" in run.stdout
    assert "spara om som .xlsx" in run.stdout
    with duckdb.connect(str(tmp_path / "home" / "marts.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select round, state, n_stop from marts.marts.submissions order by all"
        ).fetchall()
    assert rows == [
        (2025, "loaded", 0),
        (2025, "loaded", 0),
        (2026, "loaded", 0),
        (2026, "stopped", 1),
    ]


def test_loading_one_round_leaves_the_others_unread(nns: Nns, raw: Path) -> None:
    assert nns("load", "--round", "2025").returncode == 0
    seen = json.loads(nns("status", "--round", "2026", "--json").stdout)
    assert {d["state"] for d in seen["deliveries"]} == {"new", "missing"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--raw", "no/such/folder"), "finns inte"),
        (("status", "--raw", "no/such/folder"), "finns inte"),
        (("run", "--home", "/proc/no/such"), "Kontrollera mappen"),
        (("run", "--round", "1999"), "Mätomgången 1999 är okänd"),
        (("load", "--round", "tjugo"), "Värdet för --round duger inte, det ska vara ÅR"),
        (("build",), "nns load"),
        (("status", "--no-such-flag"), "--no-such-flag"),
        (("bygg",), "bygg"),
        (("status", "--max-age", "26 timmar"), "Skriv en tid som 90m, 26h eller 2d"),
        (("statsu",), "Menade du status?"),
        (("status", "2026"), "2026 hör inte dit"),
        (("ui", "--port", "99999"), "1-65535"),
        (("sample", "--out", "x", "--rounds", "2018-"), "2018-2026"),
        (("sample", "--out", "x", "--rounds", "2018-20x6"), "2018-2026"),
        (("sample", "--out", "x", "--fault", "no_such_fault"), "no_such_fault"),
    ],
)
def test_wrong_use_is_one_swedish_line_with_code_2(
    nns: Nns, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "raw").mkdir()
    run = nns(*arguments)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert said in run.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("arguments", [(), ("--help",), ("sample", "--help")])
def test_help_is_swedish_and_no_fault(nns: Nns, arguments: tuple[str, ...]) -> None:
    run = nns(*arguments)
    assert run.returncode == (0 if arguments else 2)
    assert run.stderr == ""
    assert "Så här: nns" in run.stdout
    assert "Visa den här hjälpen." in run.stdout
    for english in ("Usage", "Show this", "Options", "<bool>", "<int>", "default"):
        assert english not in run.stdout


def test_what_a_check_finds_is_printed_without_a_value(nns: Nns, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write_landing_zone(raw, rounds=[2026], associations=2, faults=["duplicate_lopnr"])
    assert "varning" not in nns("load").stdout.partition("Omgångar")[0]
    check = nns("check")
    assert check.returncode == 0
    assert "Löpnumret står redan på rad" in check.stdout.replace("\n", " ")
    assert list((tmp_path / "home" / "receipts" / "2026").glob("*.html"))


def test_a_landing_zone_that_does_not_fit_the_home_changes_nothing(
    nns: Nns, raw: Path, tmp_path: Path
) -> None:
    nns("load")
    before = contents(tmp_path / "home")
    (tmp_path / "empty").mkdir()
    real = tmp_path / "real"
    shutil.copytree(raw, real)
    (real / "register" / "ORIGIN").unlink()
    for wrong, said in (
        (tmp_path / "empty", "associations.csv saknas eller är tom"),
        (real, "har påhittade data men"),
    ):
        run = nns("run", raw=wrong)
        assert (run.returncode, said in run.stderr) == (2, True), run.stderr
    (raw / "register" / "associations.csv").unlink()
    run = nns("run")
    assert (run.returncode, "associations.csv saknas" in run.stderr) == (2, True), run.stderr
    assert contents(tmp_path / "home") == before


def test_what_is_gone_or_lies_elsewhere_is_told(nns: Nns, raw: Path) -> None:
    nns("load")
    gone = sorted((raw / "2026").iterdir())[0]
    gone.rename(raw / gone.name)
    (raw / "2026" / "gamla").mkdir()
    run = nns("load")
    assert f"2026/{gone.name} ligger inte kvar i mappen och räknas inte längre." in run.stdout
    assert f"Inte läst: {raw / gone.name}" in run.stdout
    assert f"Inte läst: {raw / '2026' / 'gamla'}" in run.stdout


def test_a_file_in_another_round_s_folder_waits_there_and_is_told(nns: Nns, raw: Path) -> None:
    path = sorted((raw / "2026").iterdir())[0]
    path.rename(raw / "2025" / "fel mapp.xlsx")
    os.utime(raw / "2025" / "fel mapp.xlsx", (0, 0))  # older than the association's own of 2025
    run = nns("load")
    assert run.returncode == 1
    assert "1 stopp" in run.stdout
    assert "I omgång 2025 väntar 1 fil på rättning: nns status --round 2025" in run.stdout


def test_names_and_titles_are_no_markup(nns: Nns, raw: Path) -> None:
    path = sorted((raw / "2026").iterdir())[0]
    book = openpyxl.load_workbook(path)
    book.create_sheet("Blad1")
    book.save(path.with_name("[b]ny[red].xlsx"))
    run = nns("load")
    assert run.returncode == 0, run.stderr
    assert "2026/[b]ny[red].xlsx Blad1: Bladet hör inte till layouten" in run.stdout
    assert "[b]ny[red]" in nns("status", "--round", "2026").stdout


def test_a_home_of_an_older_program_is_read_anew(nns: Nns, raw: Path, tmp_path: Path) -> None:
    nns("load")
    path = tmp_path / "home" / "lake" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | {"read_with": "as it was"}), encoding="utf-8")
    assert nns("status").returncode == 0
    assert nns("load").returncode == 0
    assert set(json.loads(path.read_text(encoding="utf-8"))) == set(manifest)


@pytest.mark.parametrize("flags", [(), ("--debug",)])
def test_a_fault_ends_with_code_2_whether_or_not_its_trace_is_shown(
    nns: Nns, raw: Path, flags: tuple[str, ...]
) -> None:
    run = nns("run", "--round", "1999", *flags)
    assert run.returncode == 2
    assert ("Traceback" in run.stderr) == bool(flags)
    assert run.stderr.splitlines()[-1].startswith("nns: Mätomgången 1999 är okänd.")


def test_a_port_that_is_taken_is_told(nns: Nns, raw: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = nns("ui", "--port", str(taken.getsockname()[1]))
    assert run.returncode == 2
    assert "är upptagen" in run.stderr


def test_a_round_at_work_is_told_reminded_and_watched(
    nns: Nns, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NNS_SMTP_HOST", raising=False)
    never = nns("status", "--max-age", "26h")
    assert (never.returncode, never.stdout.startswith("Ingen lyckad körning")) == (1, True)
    first, second = sorted((raw / "2025").iterdir())
    first.unlink()
    late = datetime(2025, 11, 3, 12, tzinfo=UTC).timestamp()
    os.utime(second, (late, late))
    assert nns("run").returncode == 0
    watched = nns("status", "--max-age", "90m")
    assert watched.returncode == 0
    assert watched.stdout.count("\n") == 1
    told = nns("status", "--round", "2025").stdout
    assert "inläst, 3 dagar sen" in told
    assert "1 av 2 inlästa · 1 saknas · 1 kom sent" in told
    assert "Svarsfrekvens" in told
    seen = json.loads(nns("status", "--round", "2025", "--json").stdout)
    assert (seen["late"], seen["missing"], seen["replaced"]) == (1, 1, 0)
    rates = {rate["questionnaire_id"]: rate for rate in seen["response_rates"]}
    coverage = [rates["staff"][f"n_associations_{what}"] for what in ("expected", "delivered")]
    assert coverage == [2, 1]
    assert rates["board"]["handed_out"] is None
    page = (tmp_path / "home" / "status.html").read_text(encoding="utf-8")
    assert "Utdelade och inkomna enkäter" in page
    reminded = nns("remind", "--round", "2025")
    assert reminded.returncode == 0
    assert "har inte levererat" in reminded.stdout
    [draft] = (tmp_path / "home" / "reminders" / "2025").iterdir()
    assert draft.stem == first.stem.removesuffix("_2025")
    assert "larm till" in nns("digest").stdout
    assert nns("digest").stdout == "Inget nytt att berätta.\n"


@pytest.mark.parametrize("ok", [True, False])
def test_how_a_job_ended_is_recorded(
    ok: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = Settings(tmp_path / "raw", tmp_path / "home")

    def run_job(*_: object) -> None:
        if not ok:
            raise cli.Fault("Körningen avbröts.")

    monkeypatch.setattr(cli, "_run_job", run_job)
    with contextlib.nullcontext() if ok else pytest.raises(cli.Fault):
        cli._recorded("run", folders, [2026])
    assert runs.last(folders)["run"].ok is ok
    assert (runs.last_success(folders) is not None) is ok


def test_whatever_ends_a_build_in_its_thread_is_raised_where_it_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.defs import warehouse as step

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("NNS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(warehouse, "build", full)
    with pytest.raises(OSError, match="No space left"):
        list(step._events([]))


def test_a_second_run_beside_the_first_is_told_to_wait(nns: Nns, raw: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with (tmp_path / "home" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        run = nns("load")
    assert run.returncode == 2
    assert "En annan körning pågår" in run.stderr
    assert [p.name for p in (tmp_path / "home").iterdir()] == [".lock"]
    assert nns("load").returncode == 0


def test_the_next_step_goes_from_loading_over_checking_to_building(nns: Nns, raw: Path) -> None:
    def next_step() -> str:
        said: str = json.loads(nns("status", "--round", "2026", "--json").stdout)["next_step"]
        folders = f" --raw {raw} --home {raw.parent / 'home'}"
        assert folders in said or not said.startswith("nns")
        return said.replace(folders, "")

    assert next_step() == "nns run --round 2026"
    nns("load")
    assert next_step() == "nns check --round 2026"
    nns("check")
    assert next_step() == "nns build"
    nns("build")
    assert next_step() == "Allt är inläst och byggt."


def test_a_register_that_contradicts_itself_is_told_before_anything_runs(
    nns: Nns, raw: Path, tmp_path: Path
) -> None:
    path = raw / "register" / "memberships.csv"
    rows = list(csv.reader(path.open(encoding="utf-8")))
    rows[1][1] = "9999"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    run = nns("run")
    assert run.returncode == 2
    assert "memberships.csv, rad 2: kommunkoden 9999 är okänd" in run.stderr
    assert not (tmp_path / "home").exists()


def test_status_imports_neither_dagster_nor_dbt_nor_great_expectations(raw: Path) -> None:
    code = (
        "import sys; sys.argv = ['nns', 'status']\n"
        "from pipelines import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'dagster', 'dbt', 'great_expectations', 'pandas', 'duckdb', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "NNS_RAW": str(raw), "NNS_HOME": str(raw.parent / "home")}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines()[-1] == "[]"


def test_web_questionnaires_are_written_beside_the_templates(
    nns: Nns, raw: Path, tmp_path: Path
) -> None:
    run = nns("template", "--round", "2027", "--out", str(tmp_path / "mallar"), "--xlsform")
    assert run.returncode == 0, run.stderr
    templates = {p.name.removesuffix("_2027.xlsx") for p in (tmp_path / "mallar").glob("*.xlsx")}
    forms = [p.name for p in (tmp_path / "mallar" / "webb").iterdir()]
    assert len(templates) == 2
    assert len(forms) == 12  # six questionnaires of each
    assert {next(a for a in templates if name.startswith(a)) for name in forms} == templates
    assert str(raw / "2027" / "web") in run.stdout


def test_a_build_leaves_the_manifest_alone_that_other_processes_read(
    nns: Nns, raw: Path, tmp_path: Path
) -> None:
    nns("run")
    before = warehouse.MANIFEST.stat()
    (tmp_path / "home" / "marts.duckdb").unlink()
    assert nns("build").returncode == 0
    after = warehouse.MANIFEST.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
