"""Findings: what is wrong with a delivery, where, and what to do about it.

Belongs here: the finding itself and the catalogue of rules with their Swedish sentences
(`expectations/rules.csv`). Does not: deciding that something is wrong; the reader and the
expectations do that.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.settings import EXPECTATIONS

RULES = EXPECTATIONS / "rules.csv"
"""The reader's rules."""

THRESHOLDS = EXPECTATIONS / "thresholds.json"
"""The limits that rules strike at, each with its reason."""


class Severity(StrEnum):
    """Who acts: stop, the delivery stays out; error, the row or cell does not count."""

    STOP = "stop"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


LEVELS = {
    Severity.STOP: "stopp",
    Severity.ERROR: "fel",
    Severity.WARNING: "varning",
    Severity.INFO: "info",
}
"""The severities in words, gravest first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue; the sentences may hold `{wanted}`, the accepted form."""

    rule_id: str
    severity: Severity
    wrong_sv: str
    remedy_sv: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The nine things a finding tells; `value` repeats the cell and is shown in receipts only."""

    rule_id: str
    severity: Severity
    file: str
    sheet: str
    cell: str
    question: str
    value: str
    wrong: str
    remedy: str

    def as_dict(self) -> dict[str, str]:
        """The nine fields by name."""
        return asdict(self)


@cache
def rules(catalogue: Path = RULES) -> dict[str, Rule]:
    """A catalogue of rules by their id; by default the reader's.

    Raises:
        ValueError: a severity outside the four known ones.
    """
    with catalogue.open(encoding="utf-8", newline="") as file:
        return {
            row["rule_id"]: Rule(
                row["rule_id"], Severity(row["severity"]), row["wrong_sv"], row["remedy_sv"]
            )
            for row in csv.DictReader(file)
        }


@cache
def thresholds() -> dict[str, Any]:
    """The limits by name."""
    content = json.loads(THRESHOLDS.read_text(encoding="utf-8"))
    return {name: threshold["value"] for name, threshold in content.items()}


def finding(
    rule_id: str,
    *,
    file: str,
    sheet: str = "",
    cell: str = "",
    question: str = "",
    value: object = "",
    wanted: object = "",
) -> Finding:
    """A finding with the catalogue's sentences filled in.

    Raises:
        KeyError: the rule is not in the catalogue.
    """
    from pipelines.workbook.personal import discreet

    rule = rules()[rule_id]
    return Finding(
        rule_id,
        rule.severity,
        discreet(file),
        _shown(sheet),
        cell,
        _shown(question),
        _shown(value),
        rule.wrong_sv.format(wanted=wanted),
        rule.remedy_sv.format(wanted=wanted),
    )


def by_severity(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many findings of each severity; all four are present."""
    counts = Counter(f.severity for f in findings)
    return {severity: counts[severity] for severity in Severity}


def _shown(value: object) -> str:
    """A cell's value as Excel shows it: 3.0 is 3, at most 80 characters, no personal data."""
    from pipelines.workbook.personal import discreet

    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = discreet(str(value))
    return text if len(text) <= 80 else f"{text[:79]}…"
