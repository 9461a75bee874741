"""What the terminal says of faults that come from outside: Swedish, in one line, with a remedy."""

import sys

import pytest

from pipelines import cli, terminal

_FILE = "/home/nns/work/warehouse.duckdb"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("[Errno 28] No space left on device: '/a/b'", "Disken är full (/a/b). Frigör utrymme"),
        ("[Errno 5] Input/output error", "Disken svarar med fel. Kontrollera den"),
        ("FATAL Error: fsync failed!", "Disken svarar med fel. Kontrollera den"),
        ("(sqlite3.OperationalError) disk I/O error", "Disken är full eller svarar med fel."),
        ("(sqlite3.OperationalError) database or disk is full", "Disken är full. Frigör utrymme"),
        (f'The file "{_FILE}" exists, but it is not a valid DuckDB database file!', f"({_FILE})"),
    ],
)
def test_a_disk_that_refuses_is_told_with_what_to_do(error: str, said: str) -> None:
    told = terminal.message(OSError(error))
    assert said in told
    assert "kör samma kommando igen" in told
    assert "\n" not in told


def test_other_faults_are_not_blamed_on_the_disk() -> None:
    assert terminal.of_disk("Binder Error: column x not found in '/a/b'") == ""


@pytest.mark.parametrize(
    ("flags", "heard"), [((), "Bygger\nKlart\n"), (("--debug",), "in English\nBygger\nKlart\n")]
)
def test_what_libraries_say_on_the_terminal_is_heard_only_when_asked_for(
    flags: tuple[str, ...],
    heard: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["nns", "build", *flags])
    with cli._unheard():
        print("in English", file=sys.stderr)
        cli.err.print("Bygger")
    cli.err.print("Klart")
    assert capsys.readouterr().err == heard
