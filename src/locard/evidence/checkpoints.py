# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: heads of the ledger that are kept for good, and the time stamps on them.

checkpoints/000000001234.note   the signed head with 1,234 entries
            000000001234.tsr    the authority's response over the note's bytes
            000000001234.gap    while there is none: which authority, since when, why
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a checkpoint is made by itself, whichever comes first."""

    entries: int = 1_000
    seconds: float = 3_600


class Checkpoints:
    """The folder of checkpoints. Whoever writes holds the ledger's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._newest = (0, 0.0)
        self._read_at = -1

    def newest(self) -> tuple[int, float]:
        """Size and time (seconds since 1970) of the newest one, or zeros."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            return 0, 0.0
        if changed != self._read_at:
            names = [path.name for path in self.folder.glob("*.note")]
            self._newest = (0, 0.0)
            if names:
                last = self.folder / max(names)
                self._newest = (int(last.stem), last.stat().st_mtime)
            self._read_at = changed
        return self._newest

    def write(self, size: int, note: bytes, authority: str) -> None:
        """Keep a head for good; with an authority, note at once that its token is still missing."""
        self.folder.mkdir(exist_ok=True, mode=0o700)
        if authority:
            self.gap(size, authority, "it was not asked yet")
        durably(self._path(size, "note"), note)

    def note(self, size: int) -> bytes:
        """The bytes of a checkpoint."""
        return self._path(size, "note").read_bytes()

    def sizes(self) -> list[int]:
        """The sizes of all checkpoints, the oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("*.note"))

    def waiting(self) -> list[int]:
        """The sizes of those that have no token and should have one, the oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("*.gap"))

    def why(self, size: int) -> dict[str, Any]:
        """What is noted about a token that is missing."""
        try:
            found = json.loads(self._path(size, "gap").read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def gap(self, size: int, authority: str, why: str) -> None:
        """Note why there is no token yet."""
        before = self.why(size)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        said = {"since": before.get("since", now), "time": now, "authority": authority, "why": why}
        durably(self._path(size, "gap"), json.dumps(said).encode() + b"\n")

    def token(self, size: int, response: bytes) -> None:
        """Keep the authority's response."""
        durably(self._path(size, "tsr"), response)

    def made_good(self, size: int) -> None:
        """The gap is no more."""
        self._path(size, "gap").unlink(missing_ok=True)

    def held(self, size: int) -> bytes:
        """The response over this checkpoint, or nothing."""
        path = self._path(size, "tsr")
        return path.read_bytes() if path.exists() else b""

    def _path(self, size: int, kind: str) -> Path:
        return self.folder / f"{size:012d}.{kind}"


def durably(path: Path, data: bytes) -> None:
    """Write a file that is there with all of this, or not at all."""
    new = path.with_name(path.name + ".new")
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
