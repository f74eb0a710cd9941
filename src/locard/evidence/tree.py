# SPDX-License-Identifier: Apache-2.0
"""The hashes of the ledger's tree on disk, so that adding and proving read only a few of them.

hashes/00, 01, …   complete subtrees by level, 32 bytes each, in their order

They follow from the entries and are made again when they are missing. Level 8 L, cut into slices of
256, is the tile L/N of the C2SP tiled log.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from locard.evidence.ending import put
from locard_verify.merkle import Edge, Levels

WIDTH = 32
"""Bytes of a hash."""


class HashFiles:
    """The folder of hashes. Whoever calls `extend` or `rebuild` holds the ledger's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def at(self, level: int, place: int) -> bytes:
        """The hash of a complete subtree. Raises `OSError` or `ValueError` when it is not there."""
        with self._path(level).open("rb", buffering=0) as file:
            file.seek(place * WIDTH)
            found = file.read(WIDTH)
        if len(found) != WIDTH:
            raise ValueError(f"hashes/{level:02d} has no hash number {place}")
        return found

    def reaches(self, size: int) -> bool:
        """Whether the files have every hash of a tree of this size, by their lengths."""
        return all(
            self._length(level) >= (size >> level) * WIDTH for level in range(size.bit_length())
        )

    def edge(self, size: int) -> Edge:
        """The right edge of the tree of this size."""
        return Edge(size, self.at)

    def extend(self, edge: Edge, leaves: Iterable[bytes]) -> None:
        """Add leaves to `edge` and write what they complete."""
        before = edge.size
        made: list[list[bytes]] = []
        for leaf in leaves:
            for level, one in enumerate(edge.add(leaf)):
                if level == len(made):
                    made.append([])
                made[level].append(one)
        for level, hashes in enumerate(made):
            self._write(level, (before >> level) * WIDTH, b"".join(hashes))

    def rebuild(self, leaves: bytes) -> None:
        """Write all files anew from the hashes of all leaves."""
        self.folder.mkdir(exist_ok=True, mode=0o700)
        for level, hashes in enumerate(Levels(leaves).levels):
            new = self._path(level).with_suffix(".new")
            new.write_bytes(hashes)
            new.replace(self._path(level))

    def _path(self, level: int) -> Path:
        return self.folder / f"{level:02d}"

    def _length(self, level: int) -> int:
        try:
            return self._path(level).stat().st_size
        except FileNotFoundError:
            return 0

    def _write(self, level: int, offset: int, data: bytes) -> None:
        fd = os.open(self._path(level), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            put(fd, data, offset)
        finally:
            os.close(fd)
