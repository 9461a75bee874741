"""The texts of a release that no table has: the seed `release_texts`.

Belongs here: reading them, and what a text in two languages is. Does not: labels of the instrument
(they are tables of the content), or how a format says a text.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pipelines.release.table import SYNTHETIC_EN, SYNTHETIC_SV
from pipelines.settings import SEEDS

LANGUAGES = ("sv", "en")
"""The languages of a release, the main one first."""

Text = Mapping[str, str]
"""A text by language."""

SYNTHETIC: Text = {"sv": SYNTHETIC_SV, "en": SYNTHETIC_EN}


def same(text: object) -> Text:
    """What reads the same in all languages, such as a code or a name."""
    return dict.fromkeys(LANGUAGES, str(text))


def labels(row: Mapping[str, object]) -> Text:
    """The label of a row that has one in each language."""
    return {language: str(row[f"label_{language}"]) for language in LANGUAGES}


def filled(pattern: Text | str, /, **values: object) -> Text:
    """The pattern with its braces filled in; a value that is a text speaks the same language.

    Raises:
        KeyError: the pattern names what is not given.
    """
    patterns = same(pattern) if isinstance(pattern, str) else pattern
    return {
        language: patterns[language].format(
            **{n: v[language] if isinstance(v, Mapping) else v for n, v in values.items()}
        )
        for language in LANGUAGES
    }


@cache
def texts(kind: str, seeds: Path = SEEDS) -> Mapping[str, Text]:
    """The texts of a kind by their id, in the seed's order."""
    with (seeds / "release_texts.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["text_kind"] == kind]
    return MappingProxyType({row["text_id"]: labels(row) for row in rows})
