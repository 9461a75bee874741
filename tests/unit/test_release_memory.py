"""What releases told is recalled as it was kept, and says of nobody whose answers are erased."""

from pathlib import Path

import pytest

from pipelines.disclosure import Family, Figure, Published, Told
from pipelines.release import memory
from pipelines.settings import Settings

ROUND = 2026
NORR, SODER = ("norrby", "A1", "K"), ("soderby", "A1", "K")
NORR_TOO = ("norrby", "", "M")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "raw", tmp_path / "home")


def published(n: int = 8, name: str = "ending_1a") -> Published:
    """A family of two associations; one of the three groups has n answers."""
    atoms = {NORR: (n, 5), NORR_TOO: (6, 6), SODER: (7, 2)}
    family = Family(
        name,
        figures=(
            Figure(name, frozenset(atoms), 5),
            Figure(name, frozenset({NORR, NORR_TOO}), 10),
            Figure(name, frozenset({SODER}), 5, is_published=False),
        ),
        unknowns={(name, atom): (name, atom, *count) for atom, count in atoms.items()},
        bases={"ending_1b": name},
    )
    return Published(family, (Told(n + 13, 13, 13), Told(n + 6, 10, 12), None))


def kept(settings: Settings, *releases: Published) -> None:
    for number, one in enumerate(releases, start=1):
        memory.keep(settings, ROUND, number, [one])


def recalled(settings: Settings, n_releases: int) -> tuple[Published, ...]:
    return memory.recall(settings, ROUND, range(1, n_releases + 1))["ending_1a"]


def sums(one: Published) -> list[frozenset[object]]:
    """The unknowns that each figure of a release is the sum of."""
    return [one.family.unknowns_of(figure) for figure in one.family.figures]


def texts(settings: Settings) -> dict[str, str]:
    """The files that are kept, the key of an erasure under way as hexadecimal."""
    return {
        p.name: p.read_bytes().hex() if p.name == ".key" else p.read_text(encoding="utf-8")
        for p in settings.told.glob("*/*")
    }


def test_what_was_kept_is_recalled_release_by_release(settings: Settings) -> None:
    kept(settings, published(), published(9))
    assert recalled(settings, 2) == (published(), published(9))
    memory.keep(settings, ROUND, 3, [published(7, "ending_2a"), published()])
    told = memory.recall(settings, ROUND, [1, 3])
    assert told == {
        "ending_1a": (published(), published()),
        "ending_2a": (published(7, "ending_2a"),),
    }
    assert memory.recall(settings, 2025, []) == {}


def test_without_what_a_release_told_nothing_more_is_published(settings: Settings) -> None:
    kept(settings, published(), published(9))
    memory.drop(settings, ROUND, 1)
    with pytest.raises(memory.ForgottenError, match=r"publicering 1 saknas: .*2026/1\.json"):
        recalled(settings, 2)
    memory.drop(settings, ROUND, 1)  # what is not there need not be dropped


def test_an_erased_association_is_named_nowhere_and_the_others_are_as_they_were(
    settings: Settings,
) -> None:
    kept(settings, published(), published(9))
    (settings.told / str(ROUND) / "examined.json").write_text('{"basis": "b"}', encoding="utf-8")
    assert all("norrby" in text for name, text in texts(settings).items() if name[0] in "12")
    memory.erase(settings, ROUND, "norrby")
    assert set(texts(settings)) == {"1.json", "2.json", "examined.json"}
    assert not [name for name, text in texts(settings).items() if "norrby" in text]
    for one, before in zip(recalled(settings, 2), (published(), published(9)), strict=True):
        assert one.told == before.told
        assert one.family.unknowns["ending_1a", SODER] == ("ending_1a", SODER, 7, 2)
        assert [len(unknowns) for unknowns in sums(one)] == [3, 2, 1]


def test_it_stays_known_which_groups_answered_the_same_in_two_releases(settings: Settings) -> None:
    kept(settings, published(), published(9), published())
    memory.erase(settings, ROUND, "norrby")
    first, second, third = map(sums, recalled(settings, 3))
    assert first == third
    assert len(first[1] & second[1]) == 1  # NORR_TOO; NORR has one answer more
    assert len({*first[0], *second[0]}) == 4


def test_what_cannot_be_told_apart_by_its_hash_is_not_told_by_trying(settings: Settings) -> None:
    """The key is gone: the same groups get another name the next time."""
    kept(settings, published())
    memory.erase(settings, ROUND, "norrby")
    [once] = recalled(settings, 1)
    kept(settings, published())
    memory.erase(settings, ROUND, "norrby")
    [again] = recalled(settings, 1)
    assert sums(once)[1].isdisjoint(sums(again)[1])
    assert sums(once)[2] == sums(again)[2]


def test_two_erased_associations_are_not_taken_for_one(settings: Settings) -> None:
    kept(settings, published())
    for association_id in ("norrby", "soderby"):
        memory.erase(settings, ROUND, association_id)
    [one] = recalled(settings, 1)
    assert [len(unknowns) for unknowns in sums(one)] == [3, 2, 1]
    before = texts(settings)
    memory.erase(settings, ROUND, "norrby")
    assert texts(settings) == before


@pytest.mark.parametrize("n_written", [1, 2, 3])
def test_an_erasure_that_was_interrupted_goes_on_as_if_it_had_not_been(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, n_written: int
) -> None:
    kept(settings, published(), published(9), published())
    write, done = memory.write_bytes, []

    def interrupted(path: Path, content: bytes) -> None:
        if len(done) == n_written:
            raise KeyboardInterrupt
        done.append(path)
        write(path, content)

    monkeypatch.setattr(memory, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        memory.erase(settings, ROUND, "norrby")
    monkeypatch.undo()
    assert "norrby" in "".join(t for name, t in texts(settings).items() if name != ".key")
    memory.erase(settings, ROUND, "norrby")
    assert set(texts(settings)) == {"1.json", "2.json", "3.json"}
    first, second, third = map(sums, recalled(settings, 3))
    assert first == third
    assert len(first[1] & second[1]) == 1


def test_a_round_without_releases_has_nothing_to_erase(settings: Settings) -> None:
    memory.erase(settings, ROUND, "norrby")
    assert not settings.home.exists()
