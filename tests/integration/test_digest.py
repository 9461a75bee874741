"""The digest and the watchdog: what is told once, where to, and what happens when mail fails."""

from __future__ import annotations

import email
import email.policy
import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipelines import checking, digest, instrument, loading, register, runs
from pipelines.digest import DigestError
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

KNOWN = instrument.load()
NIGHT = datetime(2026, 10, 5, tzinfo=UTC)
VARIABLES = ("SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD", "MAIL_FROM", "MAIL_TO")


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail as a server does, and keeps it; with `refuses` it takes none."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[EmailMessage] = []
        self.commands: list[str] = []
        self.refuses = False


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            self.server.commands.append(line)
            verb = line.upper().split(" ")[0].split(":")[0]
            if verb == "QUIT":
                self.say("221 bye")
                return
            if verb == "DATA":
                self.take()
            elif verb == "MAIL" and self.server.refuses:
                self.say("451 try later")
            elif verb == "EHLO":
                self.say("250-test\r\n250 8BITMIME")
            else:
                self.say("250 fine")

    def take(self) -> None:
        self.say("354 go on")
        lines = iter(self.rfile.readline, b".\r\n")
        data = b"".join(line[1:] if line.startswith(b"..") else line for line in lines)
        mail = email.message_from_bytes(data, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.server.mails.append(mail)
        self.say("250 kept")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        settings = ("127.0.0.1", str(server.server_address[1]), "", "", "nns@example.org")
        for name, value in zip(VARIABLES, (*settings, "a@example.org, b@example.org"), strict=True):
            monkeypatch.setenv(f"NNS_{name}", value)
        yield server
        server.shutdown()


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"NNS_{name}", raising=False)


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round with an unknown code in one file and a personal number in another."""
    raw = tmp_path_factory.mktemp("digest") / "raw"
    faults = ["unknown_code", "personal_number_in_comment"]
    write_landing_zone(raw, rounds=[2026], associations=2, questionnaires=20, faults=faults)
    return raw


@pytest.fixture
def settings(zone: Path, tmp_path: Path) -> Settings:
    return Settings(zone, tmp_path / "home")


@pytest.fixture
def loaded(settings: Settings) -> Settings:
    known = register.read(settings.raw)
    loading.load(settings, [2026], KNOWN, known)
    checking.check_rounds(settings, [2026], KNOWN, known, NIGHT.date())
    runs.finished(settings, "run", ok=True, now=NIGHT)
    return settings


def test_what_is_new_is_mailed_once(loaded: Settings, server: MailServer) -> None:
    sent = digest.send(loaded, NIGHT)
    assert sent.where == "a@example.org, b@example.org"
    assert {a.rule_id for a in sent.new} >= {"answer_unknown", "personal_number"}
    [mail] = server.mails
    assert mail["Subject"] == f"NNS indikatorer: {len(sent.new)} nya larm"
    assert (mail["From"], mail["To"]) == ("nns@example.org", "a@example.org, b@example.org")
    assert mail["Date"].endswith("+0200")
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content().replace("\r\n", "\n")
    assert all(f"{a.about}: {a.wrong}\n  {a.remedy}" in text for a in sent.new)
    assert "Påhittade data (synthetic)." in text
    assert "1212" not in text
    assert digest.send(loaded, NIGHT).new == ()
    assert len(server.mails) == 1


def test_what_is_the_same_for_several_associations_is_said_once(
    loaded: Settings, no_server: None, tmp_path: Path
) -> None:
    alone = Settings(loaded.raw, tmp_path / "nothing loaded")
    runs.finished(alone, "run", ok=True, now=NIGHT + timedelta(days=30))
    sent = digest.send(alone, NIGHT + timedelta(days=30))
    names = [a.about for a in sent.new]
    assert {a.rule_id for a in sent.new} == {"delivery_missing"}
    assert len(names) == 2
    text = Path(sent.where).read_text(encoding="utf-8")
    assert text.count("Förbundet har inte levererat.") == 1
    assert f"\n  {names[0]} och {names[1]}.\n" in text


def test_an_alarm_that_went_away_and_returns_is_new(loaded: Settings, server: MailServer) -> None:
    digest.send(loaded, NIGHT)
    for ok, n_mails in ((False, 2), (False, 2), (True, 2), (False, 3)):
        runs.finished(loaded, "run", ok=ok, now=NIGHT)
        digest.send(loaded, NIGHT)
        assert len(server.mails) == n_mails
    assert "Driften" in server.mails[-1].get_content()


def test_what_could_not_be_sent_is_tried_again(loaded: Settings, server: MailServer) -> None:
    server.refuses = True
    for _ in range(2):
        with pytest.raises(DigestError, match="Sammandraget är inte skickat"):
            digest.send(loaded, NIGHT)
    server.refuses = False
    assert len(digest.send(loaded, NIGHT).new) > 1
    assert len(server.mails) == 1


def test_a_server_that_is_not_there_is_told_without_the_password(
    loaded: Settings, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("NNS_SMTP_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("NNS_SMTP_PASSWORD", "hemligt")
    with pytest.raises(DigestError, match="127.0.0.1:.* tog inte emot") as error:
        digest.send(loaded, NIGHT)
    assert "hemligt" not in str(error.value)


def test_a_password_is_not_sent_over_an_open_connection(
    loaded: Settings, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNS_SMTP_USER", "steward")
    monkeypatch.setenv("NNS_SMTP_PASSWORD", "hemligt")
    with pytest.raises(DigestError, match="erbjuder ingen kryptering"):
        digest.send(loaded, NIGHT)
    assert not [c for c in server.commands if c.upper().startswith("AUTH")]


@pytest.mark.parametrize("name", ["MAIL_FROM", "MAIL_TO"])
def test_a_server_without_addresses_is_told(
    name: str, loaded: Settings, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(f"NNS_{name}")
    with pytest.raises(DigestError, match=f"NNS_{name}"):
        digest.send(loaded, NIGHT)


def test_without_a_server_the_mail_is_a_file(loaded: Settings, no_server: None) -> None:
    sent = digest.send(loaded, NIGHT)
    assert Path(sent.where) == loaded.digest / "2026-10-05T020000.txt"
    text = Path(sent.where).read_text(encoding="utf-8")
    assert text.startswith(f"Ämne: NNS indikatorer: {len(sent.new)} nya larm\n\n")
    runs.finished(loaded, "run", ok=False, now=NIGHT)
    assert digest.send(loaded, NIGHT).where.endswith("2026-10-05T020000-2.txt")


def test_all_well_is_silent(tmp_path: Path, no_server: None) -> None:
    settings = Settings(tmp_path / "raw", tmp_path / "home")
    runs.finished(settings, "run", ok=True, now=NIGHT)
    assert digest.send(settings, NIGHT) == digest.Sent(())
    assert not settings.digest.exists()


def test_a_register_that_cannot_be_read_is_told_and_nothing_else_forgotten(
    loaded: Settings, no_server: None, tmp_path: Path
) -> None:
    digest.send(loaded, NIGHT)
    broken = Settings(tmp_path / "raw", loaded.home)
    (broken.raw / "register").mkdir(parents=True)
    (broken.raw / "register" / "associations.csv").write_text("association_id\na\n")
    [alarm] = digest.send(broken, NIGHT).new
    assert alarm.rule_id == "register_unreadable"
    assert "kolumnen association_name saknas" in alarm.wrong
    assert digest.send(loaded, NIGHT).new == ()


# --- runs and the watchdog ----------------------------------------------------------------------


def hours(n: float) -> datetime:
    return NIGHT + timedelta(hours=n)


def test_the_last_success_is_that_of_a_whole_run_or_of_all_its_parts(settings: Settings) -> None:
    assert runs.last_success(settings) is None
    for n, job in enumerate(("load", "check", "build")):
        assert runs.last_success(settings) is None
        runs.finished(settings, job, ok=True, now=hours(n))
    assert runs.last_success(settings) == hours(0)
    runs.finished(settings, "run", ok=True, now=hours(5))
    runs.finished(settings, "run", ok=False, now=hours(6))
    assert runs.last_success(settings) == hours(5)
    assert runs.failed(settings) == "run"
    with pytest.raises(ValueError, match="nightly"):
        runs.finished(settings, "nightly", ok=True)


@pytest.mark.parametrize(
    ("age", "is_young", "said"),
    [
        (timedelta(hours=26), True, "för 26 timmar sedan. Gränsen är 26 timmar."),
        (timedelta(hours=26, minutes=1), False, "Ingen lyckad körning på 26 timmar."),
        (timedelta(minutes=5), True, "för 5 minuter sedan"),
        (timedelta(days=3), False, "för 3 dagar sedan. Kör: nns run"),
        (timedelta(minutes=-5), True, "för 0 minuter sedan"),
    ],
)
def test_the_watchdog_tells_a_run_that_is_too_old(
    age: timedelta, is_young: bool, said: str, settings: Settings
) -> None:
    runs.finished(settings, "run", ok=True, now=NIGHT)
    told = runs.watch(settings, runs.duration("26h"), NIGHT + age)
    assert told[0] is is_young
    assert said in told[1]


def test_ages_are_minutes_hours_or_days() -> None:
    assert [runs.duration(t) for t in ("90m", "26h", " 2d ")] == [
        timedelta(minutes=90),
        timedelta(hours=26),
        timedelta(days=2),
    ]
    for wrong in ("", "26", "1.5h", "-1h", "26 timmar", "1h30m"):
        with pytest.raises(ValueError, match="Skriv en tid som"):
            runs.duration(wrong)
