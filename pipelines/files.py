"""Files that appear whole or not at all, and stay: written beside, synced, renamed.

Belongs here: bringing files and folders to the disk, and sweeping away what a process that was
killed left half written. Does not: what stands in a file.

Whatever happens, a name holds the old content or the new. A file being written is named
`.<name>.part`, and so is a folder; whoever comes to write next removes what is left of such.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

FILE_MODE, FOLDER_MODE = 0o640, 0o750
"""For the user and the group; nobody else reads what is made here."""

UMASK = 0o777 & ~FOLDER_MODE
"""The same, for files that others write in this process: dbt, Dagster, DuckDB."""

Write = Callable[[Path, "bytes | pa.Buffer"], None]
"""Writes a file of this content at this place."""


def write_text(path: Path, content: str) -> None:
    """Writes a text file, see `write_bytes`."""
    write_bytes(path, content.encode())


def write_bytes(path: Path, content: bytes | pa.Buffer) -> None:
    """Writes a file that is whole and on the disk when this returns; makes its folder.

    Raises:
        OSError: it could not be written; what was there before still is.
    """
    with together() as write:
        write(path, content)


@contextmanager
def together() -> Iterator[Write]:
    """Gives a function that writes files, all of which take their places at the end.

    Of many files this takes a fraction of the time: the disk writes them in one go, and each folder
    is synced once.

    Raises:
        OSError: one could not be written; those that have taken their places by then stay.
    """
    parts: dict[Path, Path] = {}
    folders: set[Path] = set()

    def write(path: Path, content: bytes | pa.Buffer) -> None:
        if path.parent not in folders:
            folders.update((path.parent, *_made(path.parent)))
        parts[path] = beside(path)
        with open(parts[path], "wb", opener=_for_few) as file:
            file.write(content)

    try:
        yield write
        for part in parts.values():
            sync(part)
        for path, part in parts.items():
            part.replace(path)
        for folder in folders:
            sync(folder)
    except BaseException:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise


def beside(path: Path) -> Path:
    """Where a file or folder is made before it takes its place."""
    return path.with_name(f".{path.name}.part")


def sync(path: Path) -> None:
    """Brings a file, or the names in a folder, to the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sweep(folder: Path) -> None:
    """Removes all that was being made in a folder, at any depth, when its maker was killed."""
    for place, folders, names in os.walk(folder):
        for name in (n for n in (*folders, *names) if n.startswith(".") and ".part" in n):
            left = Path(place, name)
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()
        folders[:] = [n for n in folders if not n.startswith(".") or ".part" not in n]


def _made(folder: Path) -> list[Path]:
    """Makes a folder where there is none; gives the folders that hold a new one."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        path.mkdir(FOLDER_MODE, exist_ok=True)
    return [path.parent for path in missing]


def _for_few(name: str, flags: int) -> int:
    return os.open(name, flags, FILE_MODE)
