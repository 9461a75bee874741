"""The audit log: whatever is done to it is seen, and a crash is no tampering."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import audit, lake
from pipelines.audit import Act
from pipelines.lake import Delivery, Manifest
from pipelines.settings import Settings

ROUND = 2026
N_LINES = 24


def home(folder: Path) -> Settings:
    return Settings(folder / "raw", folder / "home")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose log has lines of several runs."""
    folders = home(tmp_path_factory.mktemp("template"))
    for k in range(6):
        acts = [
            Act("receive", ROUND, f"förbund-{k}", f"{k}-name", f"{k:064}", {"questionnaires": k}),
            Act("load", ROUND, f"förbund-{k}", f"{k}-name", f"{k:064}", {"questionnaires": k}),
            Act("withdraw", ROUND, f"förbund-{k}", reason="Åter igen"),
            Act("build", sha256=f"{k:064}", counts={"tables": 22}),
        ]
        audit.append(folders, acts)
    return folders.home


@pytest.fixture
def settings(template: Path, tmp_path: Path) -> Settings:
    """A copy of the template that a test may change."""
    shutil.copytree(template, tmp_path / "home")
    return home(tmp_path)


def delivery(file: str = f"{ROUND}/a.xlsx", sha256: str = "1" * 64, **facts: object) -> Delivery:
    counts = dict.fromkeys(("stop", "error", "warning", "info"), 0)
    known: dict[str, object] = {
        **{"file": file, "sha256": sha256, "round": ROUND, "mtime_ns": 1, "size": 1},
        **{"association_id": "a", "layout_id": "2024", "state": "loaded"},
        **{"rows_per_questionnaire": {"staff": 3}, "findings": counts, "activities": []},
    }
    return Delivery(**{**known, **facts})  # type: ignore[arg-type]


# --- tampering ----------------------------------------------------------------------------------


def own_hash(fields: dict[str, object]) -> str:
    """SHA-256 over the line without its hash, written down once more."""
    rest = {name: value for name, value in fields.items() if name != "hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def dumped(fields: dict[str, object]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def flip_bit(lines: list[bytes], chance: random.Random) -> bytes:
    data = bytearray(b"".join(lines))
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def change_byte(lines: list[bytes], chance: random.Random) -> bytes:
    data = bytearray(b"".join(lines))
    position = chance.randrange(len(data))
    data[position] = chance.choice([b for b in range(256) if b != data[position]])
    return bytes(data)


def remove_bytes(lines: list[bytes], chance: random.Random) -> bytes:
    data = b"".join(lines)
    position = chance.randrange(len(data))
    return data[:position] + data[position + chance.randrange(1, 50) :]


def change_value(lines: list[bytes], chance: random.Random, *, rehash: bool = False) -> bytes:
    k = chance.randrange(len(lines))
    fields = json.loads(lines[k])
    name = chance.choice(["act", "round", "association_id", "reason", "moment", "sha256", "counts"])
    others = {"act": "restore", "round": 2025, "counts": {"questionnaires": 99}}
    fields[name] = others.get(name, "another")
    if rehash:
        fields["hash"] = own_hash(fields)
    return b"".join([*lines[:k], dumped(fields) + b"\n", *lines[k + 1 :]])


def change_value_and_hash(lines: list[bytes], chance: random.Random) -> bytes:
    return change_value(lines, chance, rehash=True)


def write_otherwise(lines: list[bytes], chance: random.Random) -> bytes:
    k = chance.randrange(len(lines))
    same = json.dumps(json.loads(lines[k]), ensure_ascii=False).encode()
    return b"".join([*lines[:k], same + b"\n", *lines[k + 1 :]])


def delete_line(lines: list[bytes], chance: random.Random) -> bytes:
    k = chance.choice([0, len(lines) - 1, chance.randrange(len(lines))])
    return b"".join(lines[:k] + lines[k + 1 :])


def delete_several(lines: list[bytes], chance: random.Random) -> bytes:
    k = chance.randrange(len(lines))
    return b"".join(lines[:k] + lines[k + chance.randrange(1, len(lines)) :])


def swap_lines(lines: list[bytes], chance: random.Random) -> bytes:
    i, k = chance.sample(range(len(lines)), 2)
    lines[i], lines[k] = lines[k], lines[i]
    return b"".join(lines)


def repeat_line(lines: list[bytes], chance: random.Random) -> bytes:
    k, at = chance.randrange(len(lines)), chance.randrange(len(lines) + 1)
    return b"".join([*lines[:at], lines[k], *lines[at:]])


def truncate(lines: list[bytes], chance: random.Random) -> bytes:
    data = b"".join(lines)
    return data[: chance.randrange(len(data))]


def delete_file(lines: list[bytes], chance: random.Random) -> None:
    return None


TAMPERINGS: list[Callable[[list[bytes], random.Random], bytes | None]] = [
    *(flip_bit, change_byte, remove_bytes, change_value, change_value_and_hash, write_otherwise),
    *(delete_line, delete_several, swap_lines, repeat_line, truncate, delete_file),
]


def test_of_200_random_edits_and_deletions_200_are_detected(settings: Settings) -> None:
    path, chance = audit.path_of(settings), random.Random(20261031)
    whole = path.read_bytes()
    done: set[str] = set()
    for k in range(200):
        tamper = TAMPERINGS[k % len(TAMPERINGS)]
        changed = tamper(whole.splitlines(keepends=True), chance)
        assert changed != whole, f"{tamper.__name__} number {k} changed nothing"
        path.unlink()
        if changed is not None:
            path.write_bytes(changed)
        assert audit.verify(settings), f"{tamper.__name__} number {k} was not seen"
        with pytest.raises(audit.BrokenLogError, match="inte hel"):
            audit.append(settings, [Act("build")])
        assert (path.read_bytes() if path.exists() else None) == changed
        done.add(tamper.__name__)
        path.write_bytes(whole)
    assert len(done) == len(TAMPERINGS)
    assert audit.verify(settings) == []


def test_a_whole_log_is_whole_and_says_what_was_done(settings: Settings) -> None:
    log = audit.read(settings)
    assert (log.faults, log.unfinished, len(log.lines)) == ((), 0, N_LINES)
    assert [line.number for line in log.lines] == list(range(1, N_LINES + 1))
    raw = [json.loads(line) for line in audit.path_of(settings).read_text("utf-8").splitlines()]
    assert [fields["hash"] for fields in raw] == [own_hash(fields) for fields in raw]
    assert [r["previous"] for r in raw] == ["0" * 64, *(r["hash"] for r in raw[:-1])]
    assert raw[0]["association_id"] == "förbund-0"


def test_a_lost_head_is_detected(settings: Settings) -> None:
    (settings.home / "audit.head").unlink()
    assert audit.verify(settings) == ["audit.head saknas eller går inte att läsa."]


def test_a_log_lost_with_its_head_is_detected_where_deliveries_were_logged(
    settings: Settings,
) -> None:
    lake.write_manifest(settings, Manifest((delivery(),), is_logged=True))
    for path in settings.home.glob("audit.*"):
        path.unlink()
    assert audit.verify(settings) == ["audit.jsonl och audit.head saknas."]


# --- crashes ------------------------------------------------------------------------------------


def test_a_crash_in_the_midst_of_an_append_is_mended_by_the_next(settings: Settings) -> None:
    path, head = audit.path_of(settings), settings.home / "audit.head"
    whole, old_head = path.read_bytes(), head.read_bytes()
    acts = [Act("release", ROUND, counts={"files": k}) for k in range(2)]
    audit.append(settings, acts)
    added = path.read_bytes()[len(whole) :]
    ends = [n + 1 for n, byte in enumerate(added) if byte == 10]
    for n in sorted({*range(0, len(added), 41), 1, 2, *ends, *(n - 1 for n in ends)}):
        path.write_bytes(whole + added[:n])
        head.write_bytes(old_head)
        assert audit.verify(settings) == [], n
        audit.append(settings, [Act("build")])
        log = audit.read(settings)
        assert (log.faults, log.unfinished) == ((), 0)
        finished = added[:n].count(b"\n")
        cut = n - len(b"".join(added.splitlines(keepends=True)[:finished]))
        told = [line.act for line in log.lines[N_LINES:]]
        mend = [Act("mend", counts={"bytes": cut})] if cut else []
        assert told == [*acts[:finished], *mend, Act("build")]


def test_a_crash_before_the_first_line_is_no_fault(tmp_path: Path) -> None:
    settings = home(tmp_path)
    settings.home.mkdir()
    audit.begin(settings)
    assert audit.verify(settings) == []
    audit.append(settings, [Act("build")])
    assert len(audit.whole(settings).lines) == 1


def test_nothing_done_leaves_nothing_behind(tmp_path: Path) -> None:
    settings = home(tmp_path)
    audit.append(settings, [])
    assert audit.read(settings) == audit.Log()
    assert not settings.home.exists()


# --- what follows from it -----------------------------------------------------------------------


def test_the_last_decision_counts(tmp_path: Path) -> None:
    settings = home(tmp_path)
    for act in ("withdraw", "restore", "withdraw"):
        audit.append(settings, [Act(act, ROUND, "a")])
    audit.append(settings, [Act("withdraw", ROUND, "b"), Act("erase", ROUND, "b", sha256="x")])
    audit.append(settings, [Act("withdraw", 2025, "c"), Act("restore", 2025, "c")])
    log = audit.whole(settings)
    assert log.withdrawn == {(ROUND, "a")}
    assert log.erased == log.pending == {"x": ROUND}
    audit.append(settings, [Act("purge")])
    assert audit.whole(settings).pending == {}
    assert audit.whole(settings).erased == {"x": ROUND}


def test_what_the_manifest_says_is_logged_once(tmp_path: Path) -> None:
    settings, manifest = home(tmp_path), Manifest((delivery(),))
    audit.record(settings, manifest)
    audit.record(settings, manifest)
    assert [line.act.act for line in audit.whole(settings).lines] == ["receive", "load"]
    audit.record(settings, Manifest((delivery(state="stopped"),)))
    audit.record(settings, Manifest((delivery(rows_per_questionnaire={"staff": 4}),)))
    acts = [line.act.act for line in audit.whole(settings).lines]
    assert acts == ["receive", "load", "refuse", "load"]


def test_a_manifest_that_was_lost_logs_nothing_twice_and_misses_nothing(tmp_path: Path) -> None:
    settings = home(tmp_path)
    kept, gone = delivery(), delivery(f"{ROUND}/b.xlsx", "2" * 64)
    audit.record(settings, Manifest((kept, gone)))
    n = len(audit.whole(settings).lines)
    audit.record(settings, Manifest(), [2025])
    assert len(audit.whole(settings).lines) == n
    audit.record(settings, Manifest((kept,)), [ROUND])
    [told] = audit.whole(settings).lines[n:]
    assert (told.act.act, told.act.delivery) == ("remove", gone.delivery_id)


def test_no_file_s_name_stands_in_the_log(tmp_path: Path) -> None:
    settings = home(tmp_path)
    audit.record(settings, Manifest((delivery(f"{ROUND}/Anna Andersson.xlsx"),)))
    assert "Anna" not in audit.path_of(settings).read_text("utf-8")


def test_a_withdrawn_delivery_counts_no_more_nor_what_comes_later() -> None:
    old, new = delivery(), delivery(f"{ROUND}/b.xlsx", "2" * 64, mtime_ns=2)
    other = delivery("2026/c.xlsx", "3" * 64, association_id="b")
    gone = delivery(f"{ROUND}/d.xlsx", "4" * 64, is_present=False)
    settled = lake.settle([old, new, other, gone], {(ROUND, "a")})
    assert [d.state for d in settled] == ["withdrawn", "withdrawn", "loaded", "removed"]
    assert [d.state for d in lake.settle(settled)] == ["replaced", "loaded", "loaded", "replaced"]


def test_a_broken_log_is_laid_aside_and_its_decisions_stay(settings: Settings) -> None:
    audit.append(settings, [Act("erase", ROUND, "förbund-0", sha256="x"), Act("purge")])
    held = delivery(association_id="nytt", state="withdrawn")
    lake.write_manifest(settings, Manifest((held,), is_logged=True))
    path = audit.path_of(settings)
    broken = path.read_bytes().replace(b"another", b"").replace(b'"round":2026', b'"round":2025', 1)
    path.write_bytes(broken)
    assert audit.verify(settings)
    carried = audit.renew(settings)
    log = audit.whole(settings)
    assert log.lines[0].act.sha256 == hashlib.sha256(broken).hexdigest()
    assert len(log.lines) == carried + 1
    assert log.withdrawn == {(ROUND, f"förbund-{k}") for k in range(1, 6)} | {(ROUND, "nytt")}
    assert (log.erased, log.pending) == ({"x": ROUND}, {})
    assert (settings.home / "audit.broken-1.jsonl").read_bytes() == broken


def test_a_line_with_a_field_of_a_later_program_is_whole(settings: Settings) -> None:
    path, head = audit.path_of(settings), settings.home / "audit.head"
    last = json.loads(path.read_bytes().splitlines()[-1])
    fields = {**last, "number": N_LINES + 1, "previous": last["hash"], "who": "later"}
    fields["hash"] = own_hash(fields)
    with path.open("ab") as file:
        file.write(dumped(fields) + b"\n")
    head.write_text(json.dumps({"count": N_LINES + 1, "hash": fields["hash"]}))
    assert audit.verify(settings) == []
