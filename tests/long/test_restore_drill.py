"""What is backed up can be restored, and a drill tells when it cannot.

One home is led through it: two rounds published, a file replaced in its place and published again,
a backup; then what is restored from it, and what a drill says when something was changed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import frozen
import pytest

from pipelines import audit, database, lake
from pipelines.release import assemble
from pipelines.settings import Settings
from pipelines.workbook.sample import write_landing_zone

pytestmark = pytest.mark.long

PROJECT = Path(__file__).parent.parent.parent
DAY = "2026-12-15"  # both rounds are over
ROUNDS = (2025, 2026)

Run = subprocess.CompletedProcess[str]


def nns(settings: Settings, *arguments: str) -> Run:
    return subprocess.run(
        frozen.nns(DAY, *arguments),
        cwd=PROJECT,
        env={**os.environ, "NNS_RAW": str(settings.raw), "NNS_HOME": str(settings.home)},
        capture_output=True,
        text=True,
    )


def rows(run: Run) -> dict[tuple[str, str], tuple[str, str]]:
    """The table a drill prints: by round and number, whether a release is whole and was remade."""
    table = [line for line in run.stdout.splitlines() if re.match(r"\d{4} ", line)]
    lines = (line.split(maxsplit=4) for line in table)
    return {(line[0], line[1]): (line[3], line[4].strip()) for line in lines}


def state(home: Path) -> Mapping[str, tuple[bytes, int]]:
    """All files of a home but the audit log and the lock."""
    return {
        p.relative_to(home).as_posix(): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in home.rglob("*")
        if p.is_file() and not p.name.startswith("audit.") and p.name != ".lock"
    }


def flipped(path: Path) -> None:
    """Another bit in the middle, with the same size and time."""
    time, data = path.stat().st_mtime_ns, bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(time, time))


class Story:
    """The home that is led through it, and the backup of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(folder / "raw", folder / "home")
        volumes = {"rounds": list(ROUNDS), "associations": 2, "questionnaires": 8}
        write_landing_zone(self.settings.raw, seed=1, **volumes)
        self.first = nns(self.settings, "run")
        write_landing_zone(folder / "other", seed=2, **volumes)
        self.replaced = min((self.settings.raw / str(ROUNDS[1])).glob("*.xlsx"))
        shutil.copyfile(
            next((folder / "other" / str(ROUNDS[1])).glob(self.replaced.name)), self.replaced
        )
        self.second = nns(self.settings, "run")
        self.backed_up = nns(self.settings, "backup", "--to", str(folder / "kopior"))
        (self.backup,) = (folder / "kopior").iterdir()

    def restored(self, name: str) -> Settings:
        """The backup copied to where a landing zone and a home folder are, as the handbook says."""
        there = Settings(self.folder / name / "raw", self.folder / name / "home")
        shutil.copytree(self.backup / "raw", there.raw)
        shutil.copytree(self.backup / "home", there.home)
        return there


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("drill"))


EQUAL = {
    ("2025", "1"): ("ja", "ja, lika"),
    ("2026", "1"): ("ja", "nej, leveranser är ersatta eller borttagna"),
    ("2026", "2"): ("ja", "ja, lika"),
}


def test_what_is_published_and_backed_up_is_told(story: Story) -> None:
    for run in (story.first, story.second, story.backed_up):
        assert run.returncode == 0, run.stderr + run.stdout
    assert f"Prova den: nns restore-drill --from {story.backup}" in story.backed_up.stdout
    states = {d.state for d in lake.read_manifest(story.settings).deliveries if not d.is_present}
    assert states == {"replaced"}  # a row that nothing in the landing zone tells of


def test_the_record_as_it_lies_rebuilds_all_that_can_be_and_changes_nothing(story: Story) -> None:
    before, home = state(story.settings.home), story.settings.home
    run = nns(story.settings, "restore-drill")
    assert run.returncode == 0, run.stderr + run.stdout
    assert rows(run) == EQUAL
    n_tables = len(database.table_hashes(story.settings.snapshot))
    told = f"3 publiceringar är hela, 2 gjordes om och blev lika, {n_tables} tabeller"
    assert told in run.stdout
    assert state(home) == before
    assert not list(home.glob(".drill*"))
    last = audit.read(story.settings).lines[-1].act
    assert (last.act, dict(last.counts)) == ("drill", {"releases": 3, "remade": 2, "faults": 0})


def test_a_backup_on_a_disk_that_lost_the_times_rebuilds_as_well_in_another_home(
    story: Story,
) -> None:
    copy = story.folder / "utan-tider" / story.backup.name
    shutil.copytree(story.backup, copy, copy_function=shutil.copyfile)
    for path in (copy / "raw").rglob("*.xlsx"):
        os.utime(path, ns=(1, 1))
    before = state(copy)
    empty = Settings(story.folder / "finns-inte", story.folder / "ny")
    run = nns(empty, "restore-drill", "--from", str(copy))
    assert run.returncode == 0, run.stderr + run.stdout
    assert rows(run) == EQUAL
    assert "tabeller i marterna blev lika" in run.stdout
    assert state(copy) == before
    assert not audit.path_of(empty).exists()  # a home that waits for what is restored into it


def test_a_damaged_backup_is_told_file_by_file(story: Story) -> None:
    copy = story.folder / "skadad" / story.backup.name
    shutil.copytree(story.backup, copy)
    flipped(copy / "home" / "told" / "2025" / "1.json")
    (copy / "raw" / "register" / "associations.csv").unlink()
    run = nns(story.settings, "restore-drill", "--from", str(copy))
    assert run.returncode == 1
    for name in ("home/told/2025/1.json", "raw/register/associations.csv"):
        assert f"{name} i säkerhetskopian är skadad" in run.stdout
    assert "hittade 2 fel" in run.stdout
    missing = nns(story.settings, "restore-drill", "--from", str(copy / "raw"))
    assert (missing.returncode, len(missing.stderr.splitlines())) == (2, 1)
    assert "ingen säkerhetskopia" in missing.stderr


def test_copied_back_and_run_a_backup_is_what_it_was_made_of(story: Story) -> None:
    there = story.restored("aterstalld")
    run = nns(there, "run")
    assert run.returncode == 0, run.stderr + run.stdout
    assert database.table_hashes(there.snapshot) == database.table_hashes(story.settings.snapshot)
    for round_ in ROUNDS:
        now, then = (assemble.releases(s, round_) for s in (there, story.settings))
        assert [f.name for f in now] == [f.name for f in then]
        assert all(assemble.damaged(folder) == () for folder in now)
    assert (there.published / "latest").readlink() == Path("2026/2")
    assert (there.published / "2025" / "latest").readlink() == Path("1")
    assert not audit.read(there).faults
    assert nns(there, "run").stdout.startswith("Inget nytt")


def test_a_changed_byte_in_a_release_and_a_delivery_that_decayed_are_named(story: Story) -> None:
    there = story.restored("andrad")
    changed = min(p for p in (there.published / "2026/1/kolada").rglob("*") if p.is_file())
    flipped(changed)
    decayed = max((there.raw / "2025").glob("*.xlsx"))
    received = decayed.stat().st_mtime_ns
    with decayed.open("r+b") as file:  # in the time of the zip's first entry: it is read as before
        file.seek(10)
        byte = file.read(1)
        file.seek(10)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(decayed, ns=(received, received))
    run = nns(there, "restore-drill")
    assert run.returncode == 1, run.stderr + run.stdout
    named = changed.relative_to(there.published / "2026/1").as_posix()
    assert f"Publicering 1 av omgång 2026: filen {named} är inte som när" in run.stdout
    assert f"2025/{decayed.name} i raw har blivit en annan fil" in run.stdout
    assert rows(run) == {
        ("2025", "1"): ("ja", "nej, leveranser är ersatta eller borttagna"),
        ("2026", "1"): ("nej", "–"),
        ("2026", "2"): ("ja", "nej, bygger på en skadad publicering"),
    }
    assert not list(there.home.glob(".drill*"))
    saved = nns(there, "backup", "--to", str(story.folder / "nya-kopior"))
    assert saved.returncode == 1
    assert f"2025/{decayed.name} är inte den fil som lästes in" in saved.stdout
