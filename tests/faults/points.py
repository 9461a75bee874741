"""Named points of a run at which it is killed: between two steps that belong together.

Each is right before a file takes its place, or before or after a function of the program is called,
for the so-manieth time. The signal goes to the run itself; after SIGTERM it lives on as long as
its handler lets it.
"""

import importlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Renamed:
    """Before a file or folder whose path ends so is renamed into its place."""

    path: str
    time: int = 1

    def watch(self, die: Callable[[], None]) -> None:
        seen = [0]
        for name in ("replace", "rename"):
            move = getattr(Path, name)

            def moved(source: Path, target: Path, move: Callable = move) -> Path:
                seen[0] += bool(re.search(f"{self.path}$", str(target)))
                if seen[0] == self.time:
                    seen[0] += 1
                    die()
                return move(source, target)

            setattr(Path, name, moved)


@dataclass(frozen=True)
class Called:
    """Before a function of the program is called, with arguments that mention a word."""

    function: str
    mentions: str = ""
    time: int = 1

    def watch(self, die: Callable[[], None]) -> None:
        module, _, name = self.function.rpartition(".")
        place = importlib.import_module(module)
        real, seen = getattr(place, name), [0]

        def called(*arguments: object, **named: object) -> object:
            seen[0] += self.mentions in repr(arguments)
            if seen[0] == self.time:
                seen[0] += 1
                die()
            return real(*arguments, **named)

        setattr(place, name, called)


@dataclass(frozen=True)
class Built:
    """When dbt has built so many models."""

    models: int

    def watch(self, die: Callable[[], None]) -> None:
        from pipelines import warehouse

        invoke, seen = warehouse._invoke, [0]

        def invoked(settings: object, arguments: list, on_event: Callable, *rest: object) -> None:
            def event(told: object) -> None:
                seen[0] += told.info.name == "LogModelResult"
                if seen[0] == self.models:
                    seen[0] += 1
                    die()
                on_event(told)

            invoke(settings, arguments, event, *rest)

        warehouse._invoke = invoked


POINTS = {
    "rows are written beside their places": Renamed(r"lake/\w+/round=\d+/\w+\.parquet"),
    "half of the rows have taken their places": Renamed(r"lake/\w+/round=\d+/\w+\.parquet", 3),
    "the lake's tables are new and the manifest is old": Renamed(r"lake/manifest\.json"),
    "the manifest is new and the audit log does not know": Called("pipelines.audit._write", "load"),
    "the audit log has lines and its head is old": Called("pipelines.audit._write_head", time=2),
    "what was checked counts and the receipts are old": Called("pipelines.receipts.write_rounds"),
    "dbt has built half of the models": Built(17),
    "all is built and nothing says so": Renamed(r"work/built_from"),
    "the snapshot is made beside its place": Renamed(r"marts\.duckdb"),
    "the snapshot is new and nothing says of what": Renamed(r"work/snapshot_made_from"),
    "what the release tells is kept and it is not made": Called(
        "pipelines.release.assemble.assemble"
    ),
    "the release is whole beside its place": Renamed(r"published/\d+/\d+"),
    "the release is there and latest is the old one": Renamed(r"published/\d+/latest"),
    "the release is there and the audit log does not know": Called(
        "pipelines.audit._write", "'release'"
    ),
}


def arm(point: str, signal: int) -> None:
    """Has this process killed at a point."""
    POINTS[point].watch(lambda: os.kill(os.getpid(), signal))
