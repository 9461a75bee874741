"""No verb uses the network: what each asks of the kernel's sockets is watched.

Belongs here: watching every verb of the command line do its work. Does not: whether a run succeeds
where there is no network at all (test_full_run_anywhere.py).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import frozen
import pytest
import typer

from pipelines import cli

PROJECT = Path(__file__).parents[2]
DAY = "2027-01-15"
"""After the last delivery day of round 2026: a run publishes it."""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.geteuid() != 0 or not (shutil.which("strace") and shutil.which("unshare")),
        reason="needs root, strace and unshare (util-linux)",
    ),
]

OF_A_DELIVERY = ("--association", "latsaskusten", "--round", "2026", "--reason", "prov")
CASES: dict[str, Sequence[Sequence[str]]] = {
    "sample": [["--rounds", "2026", "--associations", "2", "--questionnaires", "12"]],
    "load": [[]],
    "check": [[]],
    "run": [[]],
    "build": [[]],
    "publish": [["--round", "2026", "--dry-run"], ["--round", "2026", "--allow-synthetic"]],
    "status": [[], ["--json"], ["--max-age", "26h"]],
    "remind": [[]],
    "digest": [[]],
    "audit": [["--last", "3"]],
    "template": [["--round", "2027", "--xlsform"]],
    "withdraw": [OF_A_DELIVERY],
    "restore": [OF_A_DELIVERY],
    "backup": [[]],
    "restore-drill": [[]],
    "erase": [[*OF_A_DELIVERY, "--yes"]],
}
"""What each verb is called with, in this order; each does real work on what those before left."""

SERVERS = {"ui": "/server_info", "serve": "/v3/kpi"}
"""The verbs that stay and answer, and a page of each."""

WITHOUT_FOLDERS = {"sample"}
WHERE_TO = {"sample": "--out", "template": "--out", "backup": "--to"}


# --- watching -----------------------------------------------------------------------------------

INTERNET = re.compile(r"AF_INET6?\b|AF_PACKET|<(TCP|UDP|RAW|ICMP|PING)")
ADDRESS = re.compile(r'inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"|[\[>]\[?([0-9a-f.:]+?)\]?:\d+')
PROBED = re.compile(r'bind\(\d+<TCPv6:(\[\d+\])>, \{.*htons\(0\).*inet_pton\(AF_INET6, "::1"')

Lines = Sequence[str]


def of_internet(trace: Path) -> Lines:
    """The calls about sockets that could reach beyond this machine's own files.

    urllib3, which dagster imports, tries at import whether this machine knows IPv6, by giving a
    socket an address of its own and closing it: nothing is sent, and nobody could reach it. Such a
    socket is left out as long as nothing else is done with it.
    """
    lines = trace.read_text("utf-8").splitlines()
    calls = [line for line in lines if INTERNET.search(line) and "EAFNOSUPPORT" not in line]
    probes = [found[1] for line in calls if (found := PROBED.search(line))]
    harmless = {
        probe
        for probe in probes
        if sum(probe in line for line in calls) == 2  # made and named, and that is all
    }
    return [line for line in calls if not any(probe in line for probe in harmless)]


def beyond(calls: Lines) -> Lines:
    """Those that concern another address than 127.0.0.1, or datagrams, which names are asked by."""
    return [
        line
        for line in calls
        if "SOCK_DGRAM" in line
        or "SOCK_RAW" in line
        or "<UDP" in line
        or {a or b for a, b in ADDRESS.findall(line)} - {"127.0.0.1"}
    ]


def watched(trace: Path) -> list[str]:
    """The command that writes a process's and its children's calls about sockets to a file."""
    return ["strace", "-f", "-yy", "-qq", "--seccomp-bpf", "-e", "trace=network", "-o", str(trace)]


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    return {**kept, "NNS_RAW": str(home.with_name("raw")), "NNS_HOME": str(home)}


# --- what is not a server -----------------------------------------------------------------------


def verbs() -> set[str]:
    return set(typer.main.get_command(cli.app).commands)


def test_every_verb_has_a_case() -> None:
    assert verbs() <= CASES.keys() | SERVERS.keys()


def test_no_verb_opens_a_socket_to_the_network(tmp_path: Path) -> None:
    home, trace = tmp_path / "home", tmp_path / "trace"
    told: dict[str, Lines] = {}
    for verb, arguments in ((v, a) for v, cases in CASES.items() if v in verbs() for a in cases):
        where = tmp_path / ("raw" if verb == "sample" else verb)
        out = [WHERE_TO[verb], str(where)] if verb in WHERE_TO else []
        run = subprocess.run(
            [*watched(trace), *frozen.nns(DAY, verb, *arguments, *out)],
            cwd=PROJECT,
            env=environment(home),
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, (verb, run.stdout, run.stderr)
        assert "AF_UNIX" in trace.read_text("utf-8") or verb not in ("load", "run"), "not watched"
        if calls := of_internet(trace):
            told[" ".join((verb, *arguments))] = calls
    assert told == {}
    assert (home / "published" / "2026" / "2").is_dir()  # all had something to do


def test_a_digest_speaks_to_the_mail_server_it_is_given_and_to_nobody_else(
    tmp_path: Path,
) -> None:
    trace, home = tmp_path / "trace", tmp_path / "home"
    cli_ = [sys.executable, "-m", "pipelines.cli"]
    zone = ["--rounds", "2026", "--associations", "2", "--questionnaires", "12"]
    made = [*cli_, "sample", *zone, "--out", str(tmp_path / "raw")]
    subprocess.run(made, cwd=PROJECT, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = str(nobody.getsockname()[1])
    mail = {"NNS_SMTP_HOST": "127.0.0.1", "NNS_SMTP_PORT": port}
    mail |= {"NNS_MAIL_FROM": "a@nns.invalid", "NNS_MAIL_TO": "b@nns.invalid"}
    run = subprocess.run(
        [*watched(trace), *cli_, "digest"],
        cwd=PROJECT,
        env=environment(home) | mail,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    calls = of_internet(trace)
    assert any(f"htons({port})" in line for line in calls)
    assert beyond(calls) == []


# --- servers ------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def asked(url: str, patience: float = 120) -> bytes:
    """What a page answers once it is up.

    Raises:
        TimeoutError: it never was.
    """
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return bytes(answer.read())
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(url)


@contextmanager
def serving(verb: str, home: Path, trace: Path) -> Iterator[int]:
    """A verb that stays, on a port of its own; all it started ends with the block."""
    port = free_port()
    apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    process = subprocess.Popen(
        [*apart, *watched(trace), *frozen.nns(DAY, verb, "--port", str(port))],
        cwd=PROJECT,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        process.kill()  # and with it, the process that all others are under
        process.wait()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a release."""
    home = tmp_path_factory.mktemp("served") / "home"
    zone = ["--rounds", "2026", "--associations", "2", "--questionnaires", "12"]
    for arguments in (["sample", *zone, "--out", str(home.with_name("raw"))], ["run"]):
        command = frozen.nns(DAY, *arguments)
        run = subprocess.run(command, cwd=PROJECT, env=environment(home), capture_output=True)
        assert run.returncode == 0, run.stderr
    return home


@pytest.mark.parametrize("verb", SERVERS)
def test_a_server_listens_on_this_machine_alone_and_asks_nobody(
    verb: str, published: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    with serving(verb, published, trace) as port:
        address = f"http://127.0.0.1:{port}"
        asked(address + SERVERS[verb])
        if verb == "ui":
            page = asked(address).decode()
            assert '"telemetryEnabled": false' in page
            wait_for_daemons(address)
    calls = of_internet(trace)
    bound = [line for line in calls if " bind(" in line and "inet_addr" in line]
    assert any(f"htons({port})" in line for line in bound)
    assert beyond(calls) == []


def wait_for_daemons(address: str, patience: float = 120) -> None:
    """Until Dagster's own processes have all been at work: schedules and sensors are looked at.

    Raises:
        TimeoutError: they never were.
    """
    query = "{ instance { daemonHealth { allDaemonStatuses { healthy } } } "
    query += "workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": query}).encode(),
        {"content-type": "application/json"},
    )
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with urllib.request.urlopen(request, timeout=30) as answer:
            data = json.load(answer)["data"]
        healthy = [d["healthy"] for d in data["instance"]["daemonHealth"]["allDaemonStatuses"]]
        entries = data["workspaceOrError"]["locationEntries"]
        loaded = [entry["loadStatus"] for entry in entries]
        if healthy and all(healthy) and loaded == ["LOADED"]:
            time.sleep(3)  # a version check would come now
            return
        time.sleep(0.5)
    raise TimeoutError(address)


# --- what trips the watch -----------------------------------------------------------------------


def has_ipv6() -> bool:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


@pytest.mark.parametrize(
    ("does", "is_beyond"),
    [
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))", True),
        ("socket.socket().connect_ex(('192.0.2.1', 9))", True),
        ("socket.socket(socket.AF_INET6).connect_ex(('2001:db8::1', 9))", True),
        ("socket.getaddrinfo('nns.invalid', 80)", True),
        ("socket.create_server(('', 0))", True),
        ("socket.create_server(('127.0.0.1', 0))", False),
        ("s = socket.socket(socket.AF_INET6); s.bind(('::1', 0)); s.listen()", True),
    ],
)
def test_the_watch_sees_a_process_that_uses_the_network(
    does: str, is_beyond: bool, tmp_path: Path
) -> None:
    if "AF_INET6" in does and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    trace = tmp_path / "trace"
    ending = "s = None\nsocket.setdefaulttimeout(0.2)\ntry:\n {}\nexcept OSError: pass"
    child = f"import socket\n{ending.format(does)}"
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    subprocess.run([*watched(trace), sys.executable, "-c", program], check=True, timeout=60)
    assert of_internet(trace)
    assert bool(beyond(of_internet(trace))) == is_beyond


def test_the_watch_leaves_out_only_the_question_whether_there_is_ipv6(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = "import urllib3, socket; socket.socketpair()"
    subprocess.run([*watched(trace), sys.executable, "-c", program], check=True)
    assert "AF_INET6" in trace.read_text("utf-8")
    assert of_internet(trace) == []
