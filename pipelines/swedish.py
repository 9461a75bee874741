"""The command line's own words in Swedish, for the library that draws it.

Belongs here: translations of the library's texts, installed through gettext before it is imported.
Does not: the program's own sentences, which stand where they are said.
"""

from __future__ import annotations

import gettext

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
    "Show this message and exit.": "Visa den här hjälpen.",
    "Missing command.": "Ange ett kommando.",
    "No such command {name!r}.": "Kommandot {name!r} finns inte.",
}


def install() -> None:
    """Makes gettext answer in Swedish; a text without translation stays as it is."""
    gettext.gettext = lambda message: _TEXTS.get(message, message)


def message(error: Exception) -> str:
    """What went wrong in one line: the error's own sentence, or the library's in Swedish."""
    text = str(getattr(error, "message", "") or error or type(error).__name__)
    name = getattr(error, "option_name", "") or _parameter(error)
    usage = {
        "NoSuchOption": f"Flaggan {name} finns inte.",
        "MissingParameter": f"Flaggan {name} saknas.",
        "BadParameter": f"Värdet för {name} duger inte: {text}",
        "UsageError": text,
    }.get(type(error).__name__)
    return f"{usage} Se nns --help." if usage else text


def _parameter(error: Exception) -> str:
    parameter = getattr(error, "param", None)
    return "/".join(parameter.opts) if parameter else ""
