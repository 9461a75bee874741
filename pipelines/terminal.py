"""The command line's own words in Swedish, for the library that draws it.

Belongs here: translations of the library's texts; it must be imported before that library is.
Does not: the program's own sentences, which stand where they are said.
"""

from __future__ import annotations

import gettext
import re
from typing import TYPE_CHECKING, Any

_TEXTS = {
    "(deprecated) ": "(utgår) ",
    "[default: {}]": "[förval: {}]",
    "[env var: {}]": "[miljövariabel: {}]",
    "[required]": "[krävs]",
    "Arguments": "Argument",
    "Options": "Flaggor",
    "Commands": "Kommandon",
    "Error": "Fel",
    "Aborted.": "Avbrutet.",
    "Missing command.": "Ange ett kommando.",
    "No such command {name!r}.": "Kommandot {name!r} finns inte.",
}
gettext.gettext = lambda message: _TEXTS.get(message, message)  # the library binds it on import

from typer.core import TyperCommand, TyperGroup  # noqa: E402

if TYPE_CHECKING:
    from typer.core import TyperOption


class Command(TyperCommand):
    """A command whose help is Swedish also where the library has English fixed."""

    def __init__(self, *args: Any, help: str | None = None, **rest: Any) -> None:
        paragraphs = (help or "").split("\n\n")  # the library would keep the docstring's lines
        super().__init__(*args, help="\n\n".join(" ".join(p.split()) for p in paragraphs), **rest)

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option --help with its Swedish text."""
        return _in_swedish(super().get_help_option(ctx))

    def get_usage(self, ctx: Any) -> str:
        """The line of usage."""
        return _usage(super().get_usage(ctx))


class Group(TyperGroup):
    """The same for the command that holds the others."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option --help with its Swedish text."""
        return _in_swedish(super().get_help_option(ctx))

    def get_usage(self, ctx: Any) -> str:
        """The line of usage."""
        return _usage(super().get_usage(ctx))


def _in_swedish(option: TyperOption | None) -> TyperOption | None:
    if option:
        option.help, option.metavar = "Visa den här hjälpen.", ""
    return option


def _usage(line: str) -> str:
    return line.replace("Usage:", "Så här:", 1)


_FULL, _BROKEN, _EITHER, _TORN, _CLOSED = (
    "Disken är full",
    "Disken svarar med fel",
    "Disken är full eller svarar med fel",
    "Databasen är inte hel",
    "Disken kan inte skrivas",
)
_OF_DISK = {
    "No space left on device": _FULL,
    "Disk quota exceeded": _FULL,
    "database or disk is full": _FULL,
    "Input/output error": _BROKEN,
    "fsync failed!": _BROKEN,
    "disk I/O error": _EITHER,
    "not a valid DuckDB database file": _TORN,
    "Read-only file system": _CLOSED,
    "attempt to write a readonly database": _CLOSED,
}
"""How the system, DuckDB and SQLite say that the disk did not take what was written."""

_DISK_REMEDIES = {
    _FULL: "Frigör utrymme och kör samma kommando igen; inget är förlorat.",
    _BROKEN: "Kontrollera den, och kör samma kommando igen.",
    _EITHER: "Frigör utrymme eller kontrollera den, och kör samma kommando igen.",
    _TORN: "Kontrollera disken, och kör samma kommando igen.",
    _CLOSED: "Ange en annan mapp med --home.",
}


def message(error: Exception) -> str:
    """What went wrong in one line: the error's own sentence, or the library's in Swedish.

    Empty for what is no error of its own, such as help that was shown because nothing was asked.
    """
    kind = type(error).__name__
    text = str(getattr(error, "message", "") or error or kind)
    if of_disk(text):
        return of_disk(text)
    if isinstance(error, OSError):
        return _of_system(error)
    name = getattr(error, "option_name", "") or _parameter(error)
    usage = {
        "NoSuchOption": f"Flaggan {name} finns inte.",
        "MissingParameter": f"Flaggan {name} saknas.",
        "BadParameter": f"Värdet för {name} duger inte, det ska vara {_wanted(error)}.",
        "UsageError": text,
    }.get(kind)
    if kind == "NoArgsIsHelpError":
        return ""
    if found := re.match(r"Got unexpected extra argument\S* \((.*)\)", text):
        usage = f"{found[1]} hör inte dit. Flaggor börjar med --, till exempel --round 2026."
    elif found := re.search(r"Did you mean '?([\w-]+)'?", text):
        usage = f"{usage or text}".partition(" Did you mean")[0] + f" Menade du {found[1]}?"
    return f"{usage} Se nns --help." if usage else text


def of_disk(text: str) -> str:
    """What the disk refused, told by the system's words in an error; empty when it did not."""
    found = next((said for words, said in _OF_DISK.items() if words in text), "")
    path = re.search(r"[\"'](/[^\"']+)[\"']", text)
    return found and f"{found}{f' ({path[1]})' if path else ''}. {_DISK_REMEDIES[found]}"


def _of_system(error: OSError) -> str:
    """What the operating system refused, and where."""
    reasons: dict[type[OSError], str] = {
        FileNotFoundError: "finns inte",
        PermissionError: "får inte läsas eller skrivas",
        NotADirectoryError: "är ingen mapp",
        IsADirectoryError: "är en mapp",
    }
    reason = reasons.get(type(error), f"gick inte att använda ({error.strerror})")
    return f"{error.filename or 'En fil'} {reason}. Kontrollera mappen, eller ange en annan."


def _wanted(error: Exception) -> str:
    """What a parameter takes, as its help names it."""
    parameter = getattr(error, "param", None)
    return getattr(parameter, "metavar", None) or "något annat"


def _parameter(error: Exception) -> str:
    parameter = getattr(error, "param", None)
    return "/".join(parameter.opts) if parameter else ""
