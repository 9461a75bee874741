"""The digest: one mail about what is newly wrong, after each scheduled run; silent when nothing is.

Belongs here: remembering which alarms were told, wording the mail, sending it or writing it to a
file. Does not: what is an alarm (alarms.py).

The mail server comes from the environment and nowhere else: NNS_SMTP_HOST, NNS_SMTP_PORT,
NNS_SMTP_USER, NNS_SMTP_PASSWORD, NNS_MAIL_FROM, NNS_MAIL_TO. Without a host the mail is a file.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from itertools import count
from pathlib import Path
from textwrap import wrap

from pipelines import alarms, instrument, lake, lock, register
from pipelines.alarms import Alarm
from pipelines.files import write_text
from pipelines.findings import LEVELS
from pipelines.register import RegisterError
from pipelines.settings import Settings
from pipelines.swedish import listed, local, several

SUBMISSION, SUBMISSION_TLS = 587, 465
"""Ports for mail that is handed in: encrypted once greeted, and encrypted from the start."""

PATIENCE = 30
"""Seconds to wait for the mail server."""


class DigestError(Exception):
    """The mail could not be sent; the message is Swedish, holds no password, and says why."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a digest told: the alarms that were new, and where to (addresses or a file)."""

    new: tuple[Alarm, ...]
    where: str = ""


@dataclass(frozen=True, slots=True)
class _Server:
    """Where mail is handed in; the password is shown nowhere."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    recipients: str


def send(settings: Settings, now: datetime | None = None, patience: float = 0) -> Sent:
    """Sends what is newly wrong since the last digest; nothing when nothing is.

    An alarm that is gone is forgotten: back again, it is new. When sending fails, the alarms count
    as not told and are tried again the next time.

    Args:
        settings: the folders.
        now: by default now.
        patience: seconds to wait for a run that is on.

    Raises:
        DigestError: the mail could not be sent.
        BusyError: another process works in the home folder.
    """
    now = now or datetime.now(UTC)
    with lock.alone(settings, patience):
        there, is_whole = _alarms(settings, now)
        told = _told(settings)
        new = tuple(a for a in there if a.key not in told)
        kept = told & {a.key for a in there} if is_whole else told
        where = ""
        if new:
            try:
                where = _deliver(settings, _message(settings, new, now), now)
            except DigestError:
                _remember(settings, kept)
                raise
        _remember(settings, kept | {a.key for a in new})
    return Sent(new, where)


def _alarms(settings: Settings, now: datetime) -> tuple[tuple[Alarm, ...], bool]:
    """The alarms there are, and whether those about the data are among them."""
    known = instrument.load()
    try:
        return alarms.raised(settings, known, register.read(settings.raw), now), True
    except RegisterError as error:
        unreadable = alarms.unreadable_register(str(error))
        return (unreadable, *alarms.of_operations(settings, known, now)), False


# --- what was told ------------------------------------------------------------------------------


def _told(settings: Settings) -> set[str]:
    path = settings.digest / "told.json"
    return set(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()


def _remember(settings: Settings, keys: set[str]) -> None:
    if keys != _told(settings):
        write_text(settings.digest / "told.json", json.dumps(sorted(keys), indent=1))


# --- the mail -----------------------------------------------------------------------------------


def _message(settings: Settings, new: Sequence[Alarm], now: datetime) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = f"NNS indikatorer: {several(len(new), 'nytt larm', 'nya larm')}"
    message["Date"] = format_datetime(local(now))
    message.set_content("\n".join(_lines(settings, new)), cte="8bit")
    return message


def _lines(settings: Settings, new: Sequence[Alarm]) -> Iterator[str]:
    if lake.read_manifest(settings).is_synthetic:
        yield "Påhittade data (synthetic)."
        yield ""
    yield "Det här är nytt sedan förra sammandraget. Det som redan är berättat upprepas inte."
    for heading, some in _grouped(new, _heading).items():
        yield ""
        yield str(heading)
        for alike in _grouped(some, lambda a: (a.severity, a.wrong, a.remedy)).values():
            yield ""
            yield from _paragraph(alike)
    yield ""
    yield f"Läget i {settings.home / 'status.html'}, eller: nns status"


def _paragraph(alike: Sequence[Alarm]) -> Iterator[str]:
    """What is wrong, with whom, and what to do; said once when it is the same for several."""
    first, whose = alike[0], [alarm.about for alarm in alike if alarm.about]
    about = f"{whose[0]}: " if len(whose) == 1 else ""
    yield f"{LEVELS[first.severity].capitalize()}. {about}{first.wrong}"
    if len(whose) > 1:
        yield from wrap(f"{listed(whose)}.", 78, initial_indent="  ", subsequent_indent="  ")
    yield f"  {first.remedy}"


def _heading(alarm: Alarm) -> str:
    return f"Omgång {alarm.round}" if alarm.round else "Driften"


def _grouped(
    some: Sequence[Alarm], key: Callable[[Alarm], Hashable]
) -> dict[Hashable, list[Alarm]]:
    """The alarms with the same key together, in the order they come."""
    groups: dict[Hashable, list[Alarm]] = {}
    for alarm in some:
        groups.setdefault(key(alarm), []).append(alarm)
    return groups


# --- sending it ---------------------------------------------------------------------------------


def _deliver(settings: Settings, message: EmailMessage, now: datetime) -> str:
    """Sends the mail, or writes it to a file where there is no server; gives where to.

    Raises:
        DigestError: it could not be sent.
    """
    server = _server()
    if not server:
        return str(_write(settings, message, now))
    message["From"], message["To"] = server.sender, server.recipients
    message["Message-ID"] = make_msgid(domain="nns.invalid")
    try:
        with _connected(server) as connection:
            connection.send_message(message)
    except smtplib.SMTPAuthenticationError:
        raise DigestError(
            "Sammandraget är inte skickat: e-postservern godtog inte användare och lösenord. "
            "Kontrollera NNS_SMTP_USER och NNS_SMTP_PASSWORD."
        ) from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise DigestError(
            f"Sammandraget är inte skickat: {server.host}:{server.port} "
            f"tog inte emot det ({type(error).__name__}). Kontrollera NNS_SMTP_* och NNS_MAIL_*. "
            "Det skickas vid nästa försök."
        ) from None
    return server.recipients


def _server() -> _Server | None:
    """The mail server of the environment; None without a host.

    Raises:
        DigestError: a setting is missing or no number.
    """
    host = os.environ.get("NNS_SMTP_HOST", "").strip()
    if not host:
        return None
    port = os.environ.get("NNS_SMTP_PORT", "").strip() or str(SUBMISSION)
    sender, to = os.environ.get("NNS_MAIL_FROM", ""), os.environ.get("NNS_MAIL_TO", "")
    if not (port.isdecimal() and sender and to):
        raise DigestError(
            "Sammandraget är inte skickat: ange avsändare (NNS_MAIL_FROM), mottagare "
            "(NNS_MAIL_TO) och porten som ett tal (NNS_SMTP_PORT)."
        )
    user, password = (os.environ.get(f"NNS_SMTP_{name}", "") for name in ("USER", "PASSWORD"))
    return _Server(host, int(port), user, password, sender, to)


def _connected(server: _Server) -> smtplib.SMTP:
    """A connection, encrypted when the server offers it; a password goes over no other.

    Raises:
        DigestError: there is a password but no encryption.
        OSError, SMTPException: the server cannot be reached or refuses.
    """
    safe = ssl.create_default_context()
    if server.port == SUBMISSION_TLS:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=PATIENCE, context=safe
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
    try:
        connection.ehlo()
        if is_encrypted := connection.has_extn("starttls"):
            connection.starttls(context=safe)
        if server.user and not (is_encrypted or server.port == SUBMISSION_TLS):
            raise DigestError(
                f"Sammandraget är inte skickat: {server.host} erbjuder ingen kryptering, och "
                "lösenordet skickas inte öppet. Välj en annan port, till exempel 465."
            )
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _write(settings: Settings, message: EmailMessage, now: datetime) -> Path:
    """Writes the mail as a text file of its own, named by the Swedish moment."""
    stem = f"{local(now):%Y-%m-%dT%H%M%S}"
    names = (f"{stem}-{n}.txt" if n > 1 else f"{stem}.txt" for n in count(1))
    path = next(p for name in names if not (p := settings.digest / name).exists())
    write_text(path, f"Ämne: {message['Subject']}\n\n{message.get_content()}")
    return path
