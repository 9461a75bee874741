"""Pages in a browser: headless Chromium driven by the scripts of `integration/axe/`.

Belongs here: what every test of pages needs to start one. Does not: what a page must be like.

Needs Chromium (Debian's), node and npm; where one is absent the tests are skipped and say so. The
node packages are pinned in `axe/package-lock.json` and installed into the user's cache folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parent / "integration" / "axe"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_NEEDED = {"chromium": CHROMIUM, "node": shutil.which("node"), "npm": shutil.which("npm")}
_ABSENT = [name for name, path in _NEEDED.items() if not path]

needed = pytest.mark.skipif(
    bool(_ABSENT), reason=f"NOT CHECKED, pages in a browser: {', '.join(_ABSENT)} not installed"
)


@cache
def _packages() -> Path:
    """A folder with the pinned node packages, installed once for each lock file."""
    lock = hashlib.sha256((AXE / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache_ = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache_ / "nns-warehouse" / f"axe-{lock}"
    if not (folder / ".ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(AXE / name, folder)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
        (folder / ".ready").touch()
    return folder


def run(script: str, profile: Path, *arguments: str | Path, cwd: Path | None = None) -> Any:
    """What a script of `axe/` prints, given the node packages, Chromium and an own profile."""
    command = ["node", AXE / script, _packages(), str(CHROMIUM), profile, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
