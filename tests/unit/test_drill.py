"""A drill tells each thing that can be wrong with a release, and leaves the home as it was.

Nothing is loaded or built here: what a rebuilt home would hold is put there by the test.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines import audit, backup, cli, database, drill
from pipelines.audit import Act
from pipelines.drill import Checked, Drill
from pipelines.release import due, publish
from pipelines.settings import Settings

ROUND = 2026
FILES = {"open/csv/a.csv": "n;7\n", "CHANGES.csv": "key\n"}
NOW = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)


def released(settings: Settings, round_: int, number: int, **facts: object) -> str:
    """Writes a release and what it told; gives its hash."""
    folder = settings.published / str(round_) / str(number)
    listed = []
    for path, text in sorted(FILES.items()):
        content = f"{text}{number}".encode()
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        listed.append({"path": path, "sha256": hashlib.sha256(content).hexdigest()})
    lines = "".join(f"{file['path']} {file['sha256']}\n" for file in listed)
    release_hash = hashlib.sha256(lines.encode()).hexdigest()
    said = {"code": "older", "marts": "", "deliveries": [], "trends": "", "synthetic": True}
    said |= {"files": listed, "release_hash": release_hash, **facts}
    (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    told = settings.told / str(round_) / f"{number}.json"
    told.parent.mkdir(parents=True, exist_ok=True)
    told.write_text("[]", encoding="utf-8")
    return release_hash


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two rounds with three releases, all in the log."""
    folders = Settings(tmp_path / "raw", tmp_path / "home")
    folders.raw.mkdir()
    for round_, number in ((ROUND - 1, 1), (ROUND, 1), (ROUND, 2)):
        sha256 = released(folders, round_, number)
        counts = {"release": number, "changes": 0}
        audit.append(folders, [Act("release", round_, sha256=sha256, counts=counts)])
    return folders


def drilled(settings: Settings, source: Path | None = None) -> Drill:
    def rebuild(target: Settings) -> None:
        assert target.home.is_relative_to(settings.home / ".drill.part")
        assert target.home.is_dir()

    return drill.drill(settings, rebuild, source)


def release_of(settings: Settings, number: int = 2) -> Path:
    return settings.published / str(ROUND) / str(number)


def test_releases_that_are_as_they_were_are_whole(settings: Settings) -> None:
    found = drilled(settings)
    assert found.faults == ()
    assert [(r.round, r.number, r.n_files) for r in found.releases] == [
        (ROUND - 1, 1, 3),
        (ROUND, 1, 3),
        (ROUND, 2, 3),
    ]
    why = "nej, gjord av en annan version av programmet"
    assert {(r.is_whole, r.remade) for r in found.releases} == {(True, why)}
    assert not list(settings.home.glob(".drill*"))


def forget_release(settings: Settings) -> None:
    """The log is another one, which does not know the last release."""
    lines = audit.read(settings).lines
    for name in ("audit.jsonl", "audit.head"):
        (settings.home / name).unlink()
    audit.append(settings, [line.act for line in lines[:-1]])


CHANGES: dict[str, tuple[Callable[[Settings], object], str]] = {
    "changed": (
        lambda s: (release_of(s) / "open/csv/a.csv").write_text("n;8\n2", encoding="utf-8"),
        f"Publicering 2 av omgång {ROUND}: filen open/csv/a.csv är inte som när den publicerades.",
    ),
    "gone": (
        lambda s: (release_of(s) / "CHANGES.csv").unlink(),
        f"Publicering 2 av omgång {ROUND}: filen CHANGES.csv är inte som när den publicerades.",
    ),
    "added": (
        lambda s: (release_of(s) / "ny.csv").write_text("", encoding="utf-8"),
        f"Publicering 2 av omgång {ROUND}: filen ny.csv är inte som när den publicerades.",
    ),
    "manifest gone": (
        lambda s: (release_of(s) / "manifest.json").unlink(),
        f"Publicering 2 av omgång {ROUND}: filen manifest.json är inte som när den publicerades.",
    ),
    "manifest of another": (
        lambda s: released(s, ROUND, 2, release_hash="0" * 64),
        f"Publicering 2 av omgång {ROUND}: filen manifest.json är inte som när den publicerades.",
    ),
    "another release": (
        lambda s: shutil.copytree(release_of(s, 1), release_of(s), dirs_exist_ok=True),
        f"Publicering 2 av omgång {ROUND}: händelseloggen har ett annat fingeravtryck.",
    ),
    "not logged": (
        forget_release,
        f"Publicering 2 av omgång {ROUND}: händelseloggen känner inte till den.",
    ),
    "lost": (
        lambda s: shutil.rmtree(release_of(s)),
        f"Publicering 2 av omgång {ROUND} saknas.",
    ),
    "what it told lost": (
        lambda s: (s.told / str(ROUND) / "2.json").unlink(),
        f"Publicering 2 av omgång {ROUND}: told/{ROUND}/2.json, som skyddar nästa publicering, "
        "saknas.",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_wrong_with_a_release_is_named(settings: Settings, change: str) -> None:
    apply, fault = CHANGES[change]
    apply(settings)
    assert drilled(settings).faults == (fault,)


def test_a_log_that_was_renewed_need_not_know_older_releases(settings: Settings) -> None:
    (settings.home / "audit.head").unlink()
    audit.renew(settings)
    assert drilled(settings).faults == ()


def test_what_rests_on_a_damaged_release_is_not_made_anew(settings: Settings) -> None:
    (settings.published / str(ROUND - 1) / "1" / "CHANGES.csv").unlink()
    found = drilled(settings)
    assert [r.remade for r in found.releases] == [
        "",
        *["nej, bygger på en skadad publicering"] * 2,
    ]


def test_a_release_that_should_be_the_same_and_is_not_is_a_fault(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill, "_why_not", lambda *_: "")
    monkeypatch.setattr(drill, "_made_anew", lambda *_: "0" * 64)
    monkeypatch.setattr(drill, "_follows", lambda record, one, manifest: one.number == 2)
    found = drilled(settings)
    assert found.faults == (f"Publicering 2 av omgång {ROUND} blev inte lika när den gjordes om.",)
    assert [r.remade for r in found.releases] == [
        *["nej, register, utfall eller annat är ändrat"] * 2,
        "ja, men inte lika",
    ]


def test_a_release_that_may_not_be_made_any_more_says_why(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise publish.NotReadyError("Det går inte.")

    monkeypatch.setattr(drill, "_why_not", lambda *_: "")
    monkeypatch.setattr(drill, "_made_anew", refuse)
    monkeypatch.setattr(drill, "_follows", lambda *_: False)
    found = drilled(settings)
    assert {r.remade for r in found.releases} == {"nej, Det går inte."}
    assert found.faults == ()


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"code": "older"}, "gjord av en annan version av programmet"),
        ({"deliveries": [{"association_id": "a", "sha256": "1"}]}, "leveranser är ersatta"),
        ({"trends": "other"}, "en tidigare omgång är publicerad igen"),
    ],
)
def test_why_a_release_cannot_be_made_anew_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, facts: dict[str, object], why: str
) -> None:
    monkeypatch.setattr(drill.before, "fingerprint", lambda _: "trends")
    now = {"code": due.fingerprint_of_code(), "deliveries": [], "trends": "trends"}
    assert drill._why_not(settings, ROUND, now, False) == ""
    assert drill._why_not(settings, ROUND, {**now, **facts}, False).startswith(why)


def test_marts_that_are_built_otherwise_are_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stood = backup.Standing(due.fingerprint_of_code(), {"a": "1", "b": "2", "c": "3"}, {})
    monkeypatch.setattr(backup, "standing", lambda _: stood)
    monkeypatch.setattr(database, "table_hashes", lambda _: {"a": "1", "b": "x", "d": "4"})
    found = drilled(settings)
    assert found.faults == ("Marterna blev inte lika: b, c, d.",)
    monkeypatch.setattr(backup, "standing", lambda _: replace(stood, code="older"))
    assert (drilled(settings).n_tables, drilled(settings).faults) == (0, ())


def test_a_drill_is_a_line_in_the_log_and_nothing_else_is_changed(settings: Settings) -> None:
    def state() -> dict[str, bytes]:
        kept = (p for p in settings.home.rglob("*") if p.is_file() and p.name[:6] != "audit.")
        return {str(p): p.read_bytes() for p in kept}

    before = state()
    drilled(settings)
    assert state() == before
    last = audit.read(settings).lines[-1].act
    assert (last.act, dict(last.counts)) == ("drill", {"releases": 3, "remade": 0, "faults": 0})


def test_the_empty_home_is_gone_also_when_rebuilding_fails(settings: Settings) -> None:
    def fail(target: Settings) -> None:
        raise RuntimeError(str(target.home))

    with pytest.raises(RuntimeError, match=r"\.drill\.part"):
        drill.drill(settings, fail)
    assert not list(settings.home.glob(".drill*"))
    assert audit.read(settings).lines[-1].act.act == "release"


def test_a_backup_restores_where_the_log_of_the_home_is_broken(
    settings: Settings, tmp_path: Path
) -> None:
    made = backup.write(settings, tmp_path / "kopior", NOW)
    (settings.home / "audit.head").write_text("{}", encoding="utf-8")
    with pytest.raises(audit.BrokenLogError):
        drilled(settings)
    found = drilled(settings, made.folder)
    assert found.faults == () and len(found.releases) == 3


def test_a_damaged_backup_is_not_rebuilt(settings: Settings, tmp_path: Path) -> None:
    made = backup.write(settings, tmp_path / "kopior", NOW)
    (made.folder / "home" / "told" / str(ROUND) / "2.json").write_text("[1]", encoding="utf-8")

    def never(target: Settings) -> None:
        pytest.fail("a damaged backup was rebuilt")

    found = drill.drill(settings, never, made.folder)
    assert found.faults == (f"home/told/{ROUND}/2.json i säkerhetskopian är skadad.",)
    assert found.releases == ()


# --- what the steward is told -------------------------------------------------------------------


def test_the_closing_line_says_how_much_was_compared(capsys: pytest.CaptureFixture[str]) -> None:
    one = Checked(ROUND, 1, 120, remade=drill.SAME)
    cli._print_drill(Drill((one, replace(one, number=2, remade="nej, därför")), 44, ()))
    told = capsys.readouterr().out
    assert "2 publiceringar är hela, 1 gjordes om och blev lika, 44 tabeller" in told
    cli._print_drill(Drill((one,), 0, ("Något saknas.",)))
    told = capsys.readouterr().out
    assert "Något saknas." in told and "hittade 1 fel" in told and "gick bra" not in told


def test_an_erasure_tells_that_older_backups_still_hold_what_was_erased(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, name in (
        *((cli.withdrawal, name) for name in ("erase", "may_be_erased", "unit")),
        (cli, "_chosen"),
    ):
        monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(cli, "_execute", lambda job, folders, round_, first: first())
    arguments = {"yes": True, "raw": settings.raw, "home": settings.home}
    cli.erase_delivery("provdalen", ROUND, **arguments)
    assert "Säkerhetskopior" not in capsys.readouterr().out
    audit.append(settings, [Act("backup")])
    cli.erase_delivery("provdalen", ROUND, **arguments)
    told = capsys.readouterr().out
    assert "Säkerhetskopior har kvar uppgifterna" in told and "nns backup --to MAPP" in told


def test_status_tells_when_a_release_is_in_no_backup(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    cli._print_unsaved(settings)
    assert "Ingen säkerhetskopia sedan publiceringen" in capsys.readouterr().out
    audit.append(settings, [Act("backup")])
    cli._print_unsaved(settings)
    assert capsys.readouterr().out == ""
