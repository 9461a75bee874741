"""Makes the pictures of the handbook anew, from invented deliveries and the real screens.

Run it when what people see has changed: `.venv/bin/python docs/bilder/make.py`.
Needs Chromium, LibreOffice and pdftoppm (poppler-utils) on the path.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import openpyxl
from openpyxl.styles import Alignment
from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
NNS = [sys.executable, "-m", "pipelines.cli"]
OFFICE = Path("/srv/nns")  # stands in the pictures
PASTED = (
    (1, "A1", "K", date(2027, 9, 24), "4 Ofta", 5, "Alltid", 5, 6, "5 För det mesta"),
    (2, "A1", "M", date(2027, 9, 24), 3, 4, "Alldrig", 4, None, 6),
    (3, "B7", "K", date(2027, 10, 2), 5, 6, 6, 5, 4, 9),
    (4, "A2", None, date(2027, 10, 5), 6, None, 5, 6, 6, 6),
)
FAULTS = ("label_misspelt", "unknown_code", "volume_jump", "corrected_later")
COLUMNS = 100
PORT = 3299


def main() -> None:
    """Writes the pictures beside this script."""
    OFFICE.mkdir(parents=True)
    try:
        _make(str(OFFICE))
    finally:
        shutil.rmtree(OFFICE)


def _make(folder: str) -> None:
    raw, home = Path(folder, "raw"), Path(folder, ".nns")
    environment = {"NNS_RAW": str(raw), "NNS_HOME": str(home), "HOME": folder}
    faults = [part for name in FAULTS for part in ("--fault", name)]
    rounds = ["--rounds", "2025-2026", "--associations", "6"]
    _nns(environment, "sample", *rounds, "--out", str(raw), *faults)
    files = sorted((raw / "2026").iterdir())
    files.pop().unlink()  # somebody is missing
    for number, path in enumerate(files):
        came = datetime(2026, 10, 21 + 2 * number, 9, 14 + number, tzinfo=UTC).timestamp()
        os.utime(path, (came, came))
    _nns(environment, "run")
    _terminal(environment, "status.svg", "status", "--round", "2026")
    _page(home / "status.html", "status.png", folder, 1100, 900)
    marked = sorted((home / "receipts" / "2026").glob("*.xlsx"))[0]
    _page(marked.with_suffix(".html"), "kvittens.png", folder, 1000, 1150)
    _nns(environment, "template", "--round", "2027", "--out", str(Path(folder, "mallar")))
    _sheet(sorted(Path(folder, "mallar").glob("*.xlsx"))[0], "mall.png", folder)
    with _ui(environment) as address:
        _shot(f"{address}/runs", "korningar.png", folder, 1200, 520)
    _reports(folder)


def _reports(folder: str) -> None:
    """The site of the repository's own sample, which has rounds enough for a trend."""
    home = Path(folder, "rapporter")
    _nns({"NNS_RAW": str(PROJECT / "raw"), "NNS_HOME": str(home)}, "run")
    site = home / "published" / "latest" / "site"
    _page(site / "index.html", "webbplats.png", folder, 1100, 1000)
    _page(site / "indikatorer" / "2.html", "indikator.png", folder, 1200, 1300)
    _page(
        site / "rapporter" / "skissmarken" / "insatser" / "a1.html", "insats.png", folder, 900, 1250
    )


def _nns(environment: dict[str, str], *arguments: str) -> str:
    """What a command prints, as a terminal shows it."""
    run = subprocess.run(
        [*NNS, *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)},
        capture_output=True,
        text=True,
    )
    if run.returncode > 1:
        sys.exit(run.stderr)
    return run.stdout


def _terminal(environment: dict[str, str], picture: str, *arguments: str) -> None:
    """A command and what it prints, as an SVG with real text and no font from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(f"[bold]$ nns {' '.join(arguments)}[/bold]")
    for line in AnsiDecoder().decode(_nns(environment, *arguments)):
        console.print(line)
    svg = console.export_svg(title="Terminal", theme=DEFAULT_TERMINAL_THEME)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono")
    (HERE / picture).write_text(re.sub(r"terminal-\d+", "terminal", svg), encoding="utf-8")


def _page(page: Path, picture: str, profile: str, width: int, height: int) -> None:
    _shot(page.as_uri(), picture, profile, width, height)


def _shot(address: str, picture: str, profile: str, width: int, height: int) -> None:
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars"
    subprocess.run(
        [
            *("chromium", *flags.split(), "--disable-background-networking"),
            f"--user-data-dir={profile}/chromium",
            f"--window-size={width},{height}",
            "--virtual-time-budget=15000",
            f"--screenshot={HERE / picture}",
            address,
        ],
        check=True,
        capture_output=True,
    )


def _sheet(template: Path, picture: str, folder: str) -> None:
    """A template in which some answers are wrong and some are missing."""
    book = openpyxl.load_workbook(template)
    page = book["Deltagare avslut"]
    for row, cells in enumerate(PASTED, start=3):
        for column, value in enumerate(cells, start=1):
            page.cell(row, column, value).alignment = Alignment(horizontal="left")
    page.print_area = "A1:J12"
    for other in book.worksheets:
        if other is not page:
            other.sheet_state = "hidden"
    book.active = page
    book.save(template)
    office = f"-env:UserInstallation=file://{folder}/office"
    convert = ["soffice", office, "--headless", "--convert-to", "pdf", "--outdir", folder]
    subprocess.run([*convert, str(template)], check=True, capture_output=True)
    pdf, target = Path(folder, f"{template.stem}.pdf"), str(HERE / Path(picture).stem)
    part = ["-singlefile", "-x", "60", "-y", "60", "-W", "1500", "-H", "220"]
    subprocess.run(["pdftoppm", "-png", "-r", "140", *part, str(pdf), target], check=True)


@contextmanager
def _ui(environment: dict[str, str]) -> Iterator[str]:
    """The address of a page that has had time to load what lies in the landing zone."""
    process = subprocess.Popen(
        [*NNS, "ui", "--port", str(PORT)],
        cwd=PROJECT,
        env={**os.environ, **environment},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{PORT}"
    try:
        raw = Path(environment["NNS_RAW"])
        for path in (raw / "2026").iterdir():
            os.utime(path, (time.time() - 600, time.time() - 600))
        time.sleep(100)
        urllib.request.urlopen(address, timeout=10).close()
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
