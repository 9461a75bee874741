"""Tells pip what uv.lock says of one package: its version and the hash of each of its files.

Belongs here: that, for the one package that nothing locked can install, uv. Does not: anything that
needs more than Python itself; the Makefile and the Containerfile run it before there is more.

    python deploy/locked.py uv > FILE && pip install --require-hashes --no-deps -r FILE
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "uv.lock"


def requirement(name: str, lock: Path = LOCK) -> str:
    """A requirement that pip checks by hash, on one line.

    Raises:
        LookupError: the lock has no such package, or no hash of it.
    """
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    for package in packages:
        if package["name"] == name:
            hashes = [file["hash"] for file in package.get("wheels", ()) if "hash" in file]
            if hashes:
                return " ".join([f"{name}=={package['version']}", *(f"--hash={h}" for h in hashes)])
    raise LookupError(f"{lock} has no hashes of {name}.")


if __name__ == "__main__":
    sys.stdout.write(requirement(sys.argv[1]) + "\n")
