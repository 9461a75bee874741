"""What is installed is in the lock and fits its hashes; the bill of materials says what it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

PROJECT = Path(__file__).parents[2]
LOCK = tomllib.loads((PROJECT / "uv.lock").read_text("utf-8"))
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
OURS = "nns-warehouse"
NO_NETWORK = ["unshare", "--net"]


# --- the lock -----------------------------------------------------------------------------------


def unhashed(packages: Sequence[dict[str, Any]]) -> list[str]:
    """The packages of which a file has no SHA-256, or there is no file at all."""
    found = []
    for package in packages:
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        hashes = [str(file.get("hash", "")) for file in files]
        if not files or not all(re.fullmatch("sha256:[0-9a-f]{64}", h) for h in hashes):
            found.append(package["name"])
    return found


def strange(packages: Sequence[dict[str, Any]]) -> list[str]:
    """The packages that come from elsewhere than the package index."""
    index = {"registry": "https://pypi.org/simple"}
    return [package["name"] for package in packages if package["source"] != index]


def test_every_locked_package_has_hashes_and_comes_from_the_index() -> None:
    assert strange(LOCK["package"]) == [OURS]
    assert unhashed([p for p in LOCK["package"] if p["name"] != OURS]) == []
    assert len(LOCK["package"]) > 150


def test_a_package_without_hash_or_from_elsewhere_is_noticed() -> None:
    sound = next(p for p in LOCK["package"] if p["name"] == "duckdb")
    [first, *others] = sound["wheels"]
    assert unhashed([sound]) == strange([sound]) == []
    assert unhashed([{**sound, "wheels": [{"url": first["url"]}, *others]}]) == ["duckdb"]
    assert unhashed([{"name": "x", "source": {"git": "https://example.org/x"}}]) == ["x"]
    assert strange([{**sound, "source": {"git": "https://example.org/x"}}]) == ["duckdb"]


def test_what_is_no_wheel_is_built_with_what_is_locked() -> None:
    built = {p["name"] for p in LOCK["package"] if not p.get("wheels")} - {OURS}
    assert built == set(DECLARED["tool"]["uv"]["no-build-isolation-package"])
    names = {p["name"] for p in LOCK["package"]}
    assert {"setuptools", "uv"} <= names
    [backend] = DECLARED["build-system"]["requires"]
    [with_it] = [r for r in DECLARED["dependency-groups"]["build"] if r.startswith("uv")]
    assert backend == with_it.replace("uv", "uv_build")  # uv then takes the one in itself


# --- what installs ------------------------------------------------------------------------------

INSTALLERS = ("Makefile", ".ci/run", "deploy/Containerfile", "deploy/compose.yaml")
FETCHES = r"\b(pip3? install|pip3? download|uv sync|uv pip|uv add|uvx|uv tool|uv run|npm|npx)\b"
FETCHES += r"|\b(curl|wget|git clone|pipx|conda|easy_install)\b"
HELD = ("pip install", "--require-hashes"), ("uv sync", "--frozen")


def loose(text: str) -> Iterator[str]:
    """The commands of a script that install or fetch without holding the result to a hash."""
    for command in re.sub(r"\\\n", " ", text).splitlines():
        for found in re.finditer(FETCHES, command.partition("#")[0]):
            after = command[found.start() :].split("&&")[0]
            if not any(found[0] == verb and flag in after for verb, flag in HELD):
                yield " ".join(after.split())


def test_nothing_is_installed_without_a_hash() -> None:
    told = {name: (PROJECT / name).read_text("utf-8") for name in INSTALLERS}
    assert {name: list(loose(text)) for name, text in told.items() if [*loose(text)]} == {}
    assert sum(len(re.findall(FETCHES, text)) for text in told.values()) >= 6
    locked = json.loads((PROJECT / "tests/integration/axe/package-lock.json").read_text("utf-8"))
    packages = [p for name, p in locked["packages"].items() if name]
    assert packages
    assert all(p["integrity"].startswith("sha512-") for p in packages)


@pytest.mark.parametrize(
    "command",
    [
        "pip install uv==0.13.9",
        "RUN x && pip install --no-cache-dir \\\n  uv && echo --require-hashes",
        "$(VENV)/bin/uv sync --quiet",
        "curl -LsSf https://example.org/install.sh | sh",
        "uvx ruff",
    ],
)
def test_a_loose_install_is_noticed(command: str) -> None:
    assert list(loose(command))


def test_what_pip_is_told_of_uv_is_what_the_lock_says() -> None:
    script = [sys.executable, str(PROJECT / "deploy" / "locked.py")]
    told = subprocess.run([*script, "uv"], capture_output=True, text=True, check=True).stdout
    name, *hashes = told.split()
    [uv] = [p for p in LOCK["package"] if p["name"] == "uv"]
    assert name == f"uv=={uv['version']}"
    assert hashes == [f"--hash={wheel['hash']}" for wheel in uv["wheels"]]
    absent = subprocess.run([*script, "no-such-package"], capture_output=True, text=True)
    assert absent.returncode != 0
    assert absent.stdout == ""


# --- the bill of materials ----------------------------------------------------------------------


def sbom(path: Path, *before: str) -> bytes:
    command = [*before, sys.executable, str(PROJECT / "deploy" / "sbom.py"), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path.read_bytes()


def run_time_packages() -> set[tuple[str, str]]:
    """What the lock has of us and of what we need, by walking it; markers are not looked at."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for package in LOCK["package"]:
        by_name.setdefault(package["name"], []).append(package)
    found: set[tuple[str, str]] = set()
    waiting = [(OURS, ())]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        for package in by_name[name]:
            if name != OURS:
                found.add((name, package["version"]))
            wanted = list(package.get("dependencies", ()))
            for extra in extras:
                wanted += package.get("optional-dependencies", {}).get(extra, ())
            for d in wanted:
                needed = (d["name"], tuple(d.get("extra", ())))
                if needed not in seen:
                    seen.add(needed)
                    waiting.append(needed)
    return found


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return sbom(tmp_path_factory.mktemp("sbom") / "dist" / "sbom.cdx.json")


def hashes_of(component: dict[str, Any]) -> set[str]:
    files = component.get("externalReferences", ())
    return {h["content"] for f in files for h in f.get("hashes", ()) if h["alg"] == "SHA-256"}


def test_the_bill_of_materials_is_valid_cyclonedx(bill: bytes) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_5)
    assert validator.validate_str(bill.decode()) is None
    broken = json.loads(bill)
    broken["components"][0]["type"] = "no such type"
    assert validator.validate_str(json.dumps(broken)) is not None


def test_the_bill_of_materials_has_every_package_of_the_program_with_its_hashes(
    bill: bytes,
) -> None:
    components = json.loads(bill)["components"]
    assert {(c["name"], c["version"]) for c in components} == run_time_packages()
    locked = {(p["name"], p.get("version")): p for p in LOCK["package"]}
    for component in components:
        package = locked[component["name"], component["version"]]
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        assert hashes_of(component) == {f["hash"].removeprefix("sha256:") for f in files}
    names = {c["name"] for c in components}
    assert {"duckdb", "dagster", "great-expectations", "typst"} <= names
    assert not {"pytest", "ruff", "uv", "polars", "pyspark"} & names


def test_the_bill_of_materials_says_the_licences(bill: bytes) -> None:
    components = json.loads(bill)["components"]
    licences = {c["name"]: c["licenses"] for c in components if "licenses" in c}
    assert licences["duckdb"] == [{"license": {"name": "MIT License"}}]
    assert len(licences) > 0.9 * len(components)


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"),
    reason="only root may cut a process off from the network (unshare of util-linux)",
)
def test_the_bill_of_materials_is_the_same_bytes_twice_and_without_network(
    bill: bytes, tmp_path: Path
) -> None:
    assert sbom(tmp_path / "again.json", *NO_NETWORK) == bill


# --- the security rules -------------------------------------------------------------------------

SILENCED = re.compile(r"#\s*noqa(?P<rules>:[ A-Z0-9,]*)?(?P<reason>.*)")


def unreasoned(text: str) -> list[str]:
    """The lines that silence a security rule, or all rules, without saying why."""
    found = []
    for line in text.splitlines():
        if silenced := SILENCED.search(line):
            rules = (silenced["rules"] or "").strip(": ")
            if not rules or (re.search(r"\bS\d", rules) and not silenced["reason"].strip()):
                found.append(line)
    return found


def test_the_security_rules_are_on_and_what_is_silenced_says_why() -> None:
    lint = DECLARED["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert [rule for rule in lint["ignore"] if rule.startswith("S")] == ["S101"]
    free = {name for name, rules in lint["per-file-ignores"].items() if "S" in "".join(rules)}
    assert free == {"tests/**", "benchmarks/**", "docs/**"}
    ours = [p for folder in ("pipelines", "deploy") for p in (PROJECT / folder).rglob("*.py")]
    assert len(ours) > 100
    found = {p.name: unreasoned(p.read_text("utf-8")) for p in ours}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("line", ["x = 1  # noqa", "x = 1  # noqa: S608", "x = 1  # noqa: E501,S1"])
def test_a_silenced_rule_without_a_reason_is_noticed(line: str) -> None:
    assert unreasoned(line) == [line]
    assert unreasoned("x = 1  # noqa: S608 our own names") == []
