"""docs/promises.md: each promise names tests that exist, and each test of faults is named."""

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
PROMISES = PROJECT / "docs" / "promises.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PROMISES.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]


def names_in(path: Path) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    return {f.name for f in functions if f.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_promise_names_tests_that_exist(row: list[str]) -> None:
    named = re.findall(r"`(tests/[^`]+)`", row[1])
    assert named, "it names no test"
    for test in named:
        file, _, name = test.partition("::")
        found = names_in(PROJECT / file)
        assert name in found if name else found, test


def test_every_test_of_faults_is_named_by_a_promise() -> None:
    named = {test.partition("::")[0] for row in ROWS for test in re.findall(r"`([^`]+)`", row[1])}
    files = {p.relative_to(PROJECT).as_posix() for p in PROJECT.glob("tests/faults/test_*.py")}
    assert files - named == set()
