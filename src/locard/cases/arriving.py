# SPDX-License-Identifier: Apache-2.0
"""Which evidence is coming in at this moment, and which of its rows may be seen.

Each arrival is a small file in `LOCARD_HOME/arriving/CASE` that its process keeps locked. The
kernel takes the lock away when the process ends, however it ends: from then on nobody sees its
rows, and the next run in the case removes them.
"""

import fcntl
import os
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import BinaryIO

from locard.timeline import Arriving

LENGTH = 82
"""Bytes of what such a file says: the first group to be seen, the size, a time and an id."""


class Announced:
    """One arrival that others can see the rows of, until `end` or the end of this process."""

    def __init__(self, home: Path, case: str, size: int) -> None:
        folder = home / "arriving" / case
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.name = f"{os.getpid()}-{token_hex(4)}"
        self._path, self._size = folder / self.name, size
        self._lock = Lock()
        self._file = self._path.open("x+b", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self.show_from(0)

    def show_from(self, group: int, successor: tuple[int | None, str] | None = None) -> None:
        """Of its groups of rows, those before this one are seen no longer.

        Nor is this one itself as soon as the case has the row with the time and id of `successor`.
        """
        time, key = successor or (None, "")
        said = (f"{group:06}", f"{self._size:020}", f"{'' if time is None else time:>20}", key)
        with self._lock:
            if not self._file.closed:
                line = "|".join(said).ljust(LENGTH)
                os.pwrite(self._file.fileno(), line.encode(), 0)

    def end(self) -> None:
        """None of its rows is seen any longer. Twice does no harm."""
        with self._lock:
            self._path.unlink(missing_ok=True)
            self._file.close()


def arriving(home: Path, case: str) -> list[Arriving]:
    """What is coming into a case at this moment."""
    return [one for one, _ in _alive(home, case)]


def receiving(home: Path) -> list[str]:
    """The cases that something may be coming into."""
    return sorted(path.name for path in (home / "arriving").glob("*"))


def sizes(home: Path, case: str) -> set[int]:
    """How many bytes the evidence has that is coming into a case at this moment."""
    return {size for _, size in _alive(home, case)}


def tidy(home: Path, case: str) -> None:
    """Remove what processes left that are gone."""
    alive = {one.name for one, _ in _alive(home, case)}
    for path in _listed(home, case):
        if path.name not in alive:
            path.unlink(missing_ok=True)


def _alive(home: Path, case: str) -> list[tuple[Arriving, int]]:
    """Each arrival whose process lives, and its size."""
    found = []
    for path in _listed(home, case):
        try:
            with path.open("rb") as file:
                first, size, time, key = file.read(LENGTH).decode().split("|")
                if _is_held(file):
                    at = int(time) if time.strip() else None
                    successor = (at, key.strip()) if key.strip() else None
                    found.append((Arriving(path.name, int(first), successor), int(size)))
        except (FileNotFoundError, ValueError):
            continue
    return found


def _listed(home: Path, case: str) -> list[Path]:
    try:
        return sorted((home / "arriving" / case).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_held(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
