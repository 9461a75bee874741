"""What is safe by default: modes of files, secrets of the mail server, what tells others of us.

Belongs here: what holds after every verb, whoever started it and however. Does not: what processes
ask of the network (test_network.py).
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import socketserver
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import frozen
import pytest
import typer
import yaml

from pipelines import cli, quality
from pipelines.settings import DBT_PROJECT, Settings

PROJECT = Path(__file__).parents[2]
DAY = "2027-01-15"
ZONE = ("--rounds", "2026", "--associations", "2", "--questionnaires", "12")
USER, PASSWORD = "canary-user-5c1e", "canary-password/7f3a"  # smtplib takes no other letters

pytestmark = pytest.mark.long


def nns(
    home: Path, verb: str, *arguments: str, umask: int = 0o022, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs a verb as someone with that umask; raw lies beside the home."""
    folders = {"NNS_RAW": str(home.with_name("raw")), "NNS_HOME": str(home)}
    return subprocess.run(
        frozen.nns(DAY, verb, *arguments),
        cwd=PROJECT,
        env={**os.environ, **folders, **(env or {})},
        umask=umask,
        capture_output=True,
    )


# --- modes --------------------------------------------------------------------------------------


def open_to_others(folder: Path) -> dict[str, str]:
    """The files and folders at and under a folder that are not 0640 and 0750, with their modes."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        wanted = {stat.S_IFREG: 0o640, stat.S_IFDIR: 0o750}.get(stat.S_IFMT(mode))
        if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) != wanted:
            found[path.relative_to(folder).as_posix()] = stat.filemode(mode)
    return found


@pytest.mark.parametrize("umask", [0, 0o022], ids=["umask 000", "umask 022"])
def test_what_is_made_is_for_user_and_group_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    home, raw, templates = tmp_path / "home", tmp_path / "raw", tmp_path / "mallar" / "nya"
    steps = (
        ("sample", *ZONE, "--web", "--fault", "unknown_code", "--out", str(raw)),
        ("run",),
        ("publish", "--round", "2026", "--allow-synthetic"),
        ("digest",),
        ("remind",),
        ("status",),
        ("template", "--round", "2027", "--xlsform", "--out", str(templates)),
    )
    for verb, *arguments in steps:
        done = nns(home, verb, *arguments, umask=umask)
        assert done.returncode in (0, 1), done.stderr.decode()
    for folder in (home, raw, templates.parent):
        assert open_to_others(folder) == {}
    made = {p.relative_to(home).parts[0] for p in home.rglob("*") if p.is_file()}
    kinds = {"lake", "receipts", "reminders", "digest", "dagster", "told", "published", "work"}
    assert kinds | {"audit.jsonl", "marts.duckdb", "status.html", "last_run.json"} <= made
    assert list(templates.rglob("*.xlsx"))
    assert list(raw.rglob("*.csv"))


def test_what_dagster_starts_by_itself_is_for_user_and_group_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert nns(home, "sample", *ZONE, "--out", str(home.with_name("raw"))).returncode == 0
    (home / "dagster").mkdir(0o750, parents=True)
    home.chmod(0o750)
    shutil.copyfile(PROJECT / "pipelines/defs/dagster.yaml", home / "dagster/dagster.yaml")
    (home / "dagster" / "dagster.yaml").chmod(0o640)
    of_round = '{"dagster/asset_partition_range_start": "2026", '
    of_round += '"dagster/asset_partition_range_end": "2026"}'
    job = ["job", "execute", "-m", "pipelines.definitions", "-j", "load", "--tags", of_round]
    folders = {"NNS_RAW": str(tmp_path / "raw"), "NNS_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "dagster", *job],
        cwd=PROJECT,
        env={**os.environ, **folders, "DAGSTER_HOME": str(home / "dagster")},
        umask=0,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (home / "lake" / "manifest.json").exists()
    lake = open_to_others(home / "lake")
    assert lake == {}


def test_another_mode_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(0o750)
    folder.chmod(0o750)
    (folder / "file").touch(0o640)
    (folder / "file").chmod(0o640)
    assert open_to_others(folder) == {}
    (folder / "file").chmod(0o644)
    folder.chmod(0o755)
    assert open_to_others(folder) == {".": "drwxr-xr-x", "file": "-rw-r--r--"}


# --- secrets ------------------------------------------------------------------------------------


class MailServer(socketserver.ThreadingTCPServer):
    """Offers encryption, then takes mail of those who give the right password; or of nobody."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, certificate: Path, *, refuses: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.refuses = refuses
        self.given: list[bytes] = []
        self.mails: list[bytes] = []
        self.safe = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.safe.load_cert_chain(certificate)


class _Session(socketserver.BaseRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.file = self.request.makefile("rwb")
        self.say("220 test")
        while line := self.file.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            getattr(self, f"on_{verb.lower()}", self.fine)(rest)
            if verb.upper() == "QUIT":
                return

    def on_quit(self, rest: str) -> None:
        self.say("221 bye")

    def say(self, text: str) -> None:
        self.file.write(f"{text}\r\n".encode())
        self.file.flush()

    def fine(self, rest: str) -> None:
        self.say("250 fine")

    def on_ehlo(self, rest: str) -> None:
        is_safe = isinstance(self.request, ssl.SSLSocket)
        self.say(f"250-test\r\n250-8BITMIME\r\n250 {'AUTH PLAIN' if is_safe else 'STARTTLS'}")

    def on_starttls(self, rest: str) -> None:
        self.say("220 go on")
        self.request = self.server.safe.wrap_socket(self.request, server_side=True)
        self.file = self.request.makefile("rwb")

    def on_auth(self, rest: str) -> None:
        self.server.given.append(base64.b64decode(rest.split()[1]))
        self.say(f"535 no, not {rest}" if self.server.refuses else "235 welcome")

    def on_data(self, rest: str) -> None:
        self.say("354 go on")
        self.server.mails.append(b"".join(iter(self.file.readline, b".\r\n")))
        self.say("250 kept")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate of 127.0.0.1 in one file."""
    path = tmp_path / "both.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30000"]
    who = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [*made, *who, "-keyout", str(path), "-out", str(path.with_name("cert.pem"))]
    subprocess.run(command, check=True, capture_output=True)
    with path.open("ab") as file:
        file.write(path.with_name("cert.pem").read_bytes())
    return path


@contextmanager
def mail_server(certificate: Path, *, refuses: bool) -> Iterator[MailServer]:
    with MailServer(certificate, refuses=refuses) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def with_secrets(port: int, certificate: Path | None = None) -> dict[str, str]:
    told = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_USER": USER}
    told |= {"SMTP_PASSWORD": PASSWORD, "MAIL_FROM": "a@nns.invalid", "MAIL_TO": "b@nns.invalid"}
    trusted = {"SSL_CERT_FILE": str(certificate)} if certificate else {}
    return {f"NNS_{name}": value for name, value in told.items()} | trusted


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it may be written: as it is, as part of an address, encoded."""
    plain = secret.encode()
    yield from (plain, secret.encode("utf-16-le"), quote(secret, safe="").encode())
    for n in range(3):  # whatever stands before it
        encoded = base64.b64encode(b"\0" * n + plain + b"\0" * (-(n + len(plain)) % 3))
        yield encoded[4 if n else 0 : -4]
    yield plain.hex().encode()


def told_in(content: bytes) -> set[str]:
    return {s for s in (USER, PASSWORD) if any(form in content for form in forms(s))}


def told_under(home: Path) -> dict[str, set[str]]:
    """The files that hold a secret, or are named by one."""
    files = {p.relative_to(home).as_posix(): p for p in home.rglob("*") if p.is_file()}
    told = {name: told_in(p.read_bytes() + name.encode()) for name, p in files.items()}
    assert len(told) > 30
    return {name: secrets for name, secrets in told.items() if secrets}


def test_no_secret_of_the_mail_server_is_written(tmp_path: Path, certificate: Path) -> None:
    """Not by a run, nor by a digest: when nobody answers, when it is refused, when it is taken."""
    home, raw = tmp_path / "home", str(tmp_path / "raw")
    assert nns(home, "sample", *ZONE, "--fault", "unknown_code", "--out", raw).returncode == 0

    def does(verb: str, port: int) -> tuple[int, str]:
        done = nns(home, verb, "--debug", env=with_secrets(port, certificate))
        assert not told_in(done.stdout + done.stderr)
        assert told_under(home) == {}
        return done.returncode, done.stderr.decode()

    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = int(nobody.getsockname()[1])
    assert does("run", port)[0] == 1
    assert list((home / "dagster" / "history").rglob("*.db"))
    code, said = does("digest", port)
    assert (code, "Sammandraget är inte skickat" in said) == (2, True)
    with mail_server(certificate, refuses=True) as server:
        code, said = does("digest", server.server_address[1])
    assert (code, "godtog inte användare och lösenord" in said) == (2, True)
    assert (told_in(server.given[0]), server.mails) == ({USER, PASSWORD}, [])
    with mail_server(certificate, refuses=False) as server:
        code, said = does("digest", server.server_address[1])
    assert (code, said) == (0, "")
    assert told_in(server.given[0]) == {USER, PASSWORD}
    assert [told_in(mail) for mail in server.mails] == [set()]


def test_a_secret_in_any_form_is_noticed(tmp_path: Path) -> None:
    login = f"\0{USER}\0{PASSWORD}".encode()
    assert told_in(login) == told_in(base64.b64encode(login)) == {USER, PASSWORD}
    assert told_in(f"config: {PASSWORD!r}".encode()) == {PASSWORD}
    assert told_in(f"{PASSWORD}".encode("utf-16-le")) == {PASSWORD}
    assert told_in(quote(PASSWORD, safe="").encode()) == {PASSWORD}
    assert told_in(b"canary") == set()


def test_only_the_environment_gives_a_password() -> None:
    commands = typer.main.get_command(cli.app).commands
    options = {
        (verb, option)
        for verb, command in commands.items()
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert len(options) > 50
    words = ("pass", "user", "smtp", "mail", "secret", "token", "key", "config", "env")
    assert [o for o in options if any(word in o[1].lower() for word in words)] == []
    named = {
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "pipelines").rglob("*.*")
        if path.suffix in (".py", ".yaml") and "PASSWORD" in path.read_text("utf-8")
    }
    assert named == {"pipelines/digest.py"}


# --- what tells others of us --------------------------------------------------------------------


def effective(program: str, **env: str) -> list[str]:
    """What a program prints, in a process of its own with nothing of ours in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=PROJECT, env=kept | env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_dagster_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)  # and put back, since it is set here
    cli._prepare_dagster(Settings(tmp_path / "raw", tmp_path))
    program = (
        "from dagster import DagsterInstance as D; import os\n"
        "from dagster._core.telemetry import _get_instance_telemetry_enabled as told\n"
        "with D.from_config(os.environ['DAGSTER_HOME']) as i: print(told(i), i.nux_enabled)"
    )
    where = str(tmp_path / "dagster")
    assert effective(program, DAGSTER_HOME=where, HOME=where) == ["False", "False"]
    served = yaml.safe_load((PROJECT / "deploy" / "dagster.yaml").read_text("utf-8"))
    ours = yaml.safe_load((PROJECT / "pipelines/defs/dagster.yaml").read_text("utf-8"))
    for config in (served, ours):
        assert config["telemetry"] == config["nux"] == {"enabled": False}


def test_dbt_tells_nobody(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from pipelines import settings, warehouse\n"
        "import dbt.tracking as t\n"
        "home = settings.from_environment()\n"
        "warehouse._invoke(home, ['parse'], target=home.home / 'target')\n"
        "from dbt.flags import get_flags\n"
        "print(get_flags().SEND_ANONYMOUS_USAGE_STATS, t.active_user.do_not_track)"
    )
    assert effective(program, NNS_HOME=str(tmp_path), HOME=str(tmp_path)) == ["False", "True"]
    flags = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))["flags"]
    assert flags["send_anonymous_usage_stats"] is False


def test_great_expectations_tells_nobody() -> None:
    program = (
        "from pipelines import quality\n"
        f"context = quality.{quality._context.__name__}()\n"
        "import os, sys\n"
        "print(context.variables.config.analytics_enabled, os.environ['GX_ANALYTICS_ENABLED'])\n"
        "print('posthog' in sys.modules)"  # what former versions told it by
    )
    assert effective(program) == ["False", "false", "False"]
