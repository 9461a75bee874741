"""Writes the program's bill of materials: CycloneDX 1.5 JSON, from the lock, offline.

Belongs here: what uv's export lacks: the same bytes for the same lock, and the licences that the
installed packages state. Does not: which packages there are and their hashes, which uv takes from
uv.lock.

    python deploy/sbom.py dist/sbom.cdx.json
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
_UV = ("export", "--frozen", "--offline", "--quiet", "--no-dev", "--project", str(PROJECT))
_FORMAT = ("--format", "cyclonedx1.5", "--preview-features", "sbom-export")


def bill(uv: Path) -> dict[str, Any]:
    """What the program is made of, its development tools left out.

    Args:
        uv: the program uv.

    Raises:
        CalledProcessError: uv could not export the lock.
    """
    told = subprocess.run([uv, *_UV, *_FORMAT], check=True, capture_output=True)  # noqa: S603 ours
    made: dict[str, Any] = json.loads(told.stdout)
    locked = hashlib.sha256((PROJECT / "uv.lock").read_bytes()).hexdigest()
    made["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, locked).urn
    del made["metadata"]["timestamp"]
    for component in made["components"]:
        if licences := _licences(component["name"], component["version"]):
            component["licenses"] = licences
    return made


def _licences(name: str, version: str) -> list[dict[str, Any]]:
    """What an installed package says of its licence; nothing of one that is not installed here."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    if about["Version"] != version:
        return []
    if expressions := about.get_all("License-Expression"):
        return [{"expression": expressions[0]}]
    classifiers = about.get_all("Classifier") or []
    names = {c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License :: ")}
    words = about.get_all("License") or []  # some put the whole text there
    names = names or {text for text in words if len(text.splitlines()) == 1}
    return [{"license": {"name": text}} for text in sorted(names)]


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(bill(Path(sys.executable).with_name("uv")), indent=2, ensure_ascii=False)
    target.write_text(f"{text}\n", encoding="utf-8")
