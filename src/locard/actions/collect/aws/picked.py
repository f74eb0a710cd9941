# SPDX-License-Identifier: Apache-2.0
"""A snapshot of which only those blocks are fetched that somebody asks for.

Where a block is looked for, AWS is asked to list the blocks from there on: what it lists has a
token to fetch it with, and what lies between is zeros by its word. Nothing else is ever listed.
"""

import os
from base64 import b64decode
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from locard.actions.collect.aws import blocks
from locard.actions.collect.aws.blocks import NEVER, block, journal, page
from locard.actions.collect.aws.streams import Stream
from locard.model.action import Json
from locard.model.errors import Error, Storage
from locard.parsers.disk.image.blocks import Head, written

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

LISTED = 1000
"""Blocks that are listed at once; AWS takes 100 to 10,000."""
EARLY = timedelta(minutes=5)
"""How long before they end tokens are fetched anew."""


class Record(msgspec.Struct, frozen=True):
    """What a triage read."""

    known: dict[int, str]
    """SHA-256 as AWS wrote it, by the index of the block."""
    zeros: list[int]


class Picked:
    """`parsers.asking.Blocks` over the EBS direct API, up to so many bytes."""

    def __init__(
        self,
        cloud: "Cloud",
        name: str,
        folder: Path,
        most: int,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self.cloud, self.name, self.most, self._progress = cloud, name, most, progress
        self.file, self._journal = folder / f"{name}.picked", folder / f"{name}.picked.journal"
        self._record = folder / f"{name}.picked.json"
        self.known = journal(self._journal)
        """SHA-256 (base64) of the blocks that are in the file."""
        self.asked: set[int] = set()
        self.read = 0
        """Bytes of the blocks that were asked for."""
        self.zeros: set[int] = set()
        self._refused: set[int] = set()
        self.fetched = self.listings = 0
        self.error: Error | None = None
        """What ended the fetching: it is about the account or the network, not about the disk."""
        self._tokens: dict[int, str] = {}
        self._listed: list[tuple[int, int]] = []
        """Stretches of which the blocks are known, ascending: first, and one behind the last."""
        self._until = NEVER
        self._size = 0
        self._block = 0
        self._list(0)
        self._prepare()

    @property
    def block(self) -> int:
        """Bytes of a block."""
        return self._block

    @property
    def size(self) -> int:
        """Bytes of the disk."""
        return self._size

    def open(self) -> int:
        """A descriptor of the sparse file, for reading only."""
        return os.open(self.file, os.O_RDONLY | os.O_CLOEXEC)

    def fetch(self, index: int) -> str:
        """Put a block where the descriptor finds it; why it is not there, or empty."""
        if self.error is not None:
            return "it could not be fetched any more"
        try:
            return self._fetch(index)
        except Error as error:
            self.error = error
        except OSError as error:
            self.error = Storage(
                f"{self.file.parent} cannot hold the blocks: {error.strerror}.",
                "Make room there, then carry the run on: what was fetched is kept.",
            )
        return "it could not be fetched"

    @staticmethod
    def record(folder: Path, name: str) -> "Record":
        """What a triage of this run read of a snapshot, as it was written when it was done."""
        return msgspec.json.decode((folder / f"{name}.picked.json").read_bytes(), type=Record)

    @property
    def refused(self) -> int:
        """Blocks that were asked for when as much as is allowed had been fetched."""
        return len(self._refused)

    def head(self, files: bool) -> Head:
        """What was read, as it stands in the exhibit."""
        found = [(one, b64decode(self.known[one]).hex()) for one in sorted(self.asked)]
        zeros = tuple(sorted(self.zeros))
        return Head(self.name, self._size, self._block, tuple(found), zeros, files)

    def exhibit(self, files: bool) -> "Stream":
        """The blocks that were read and their record, as one file."""
        record = Record({one: self.known[one] for one in self.asked}, sorted(self.zeros))
        self._record.write_bytes(msgspec.json.encode(record))
        return Stream(written(self.head(files), self._read))

    def _fetch(self, index: int) -> str:
        if index in self.asked or index in self.zeros:
            return ""
        self._require(index)
        if index not in self._tokens:
            self.zeros.add(index)
            return ""
        length = self._length(index)
        if self.read + length > self.most:
            self._refused.add(index)
            return f"block {index} was not read: the triage may read {self.most >> 20:,} MiB"
        if index not in self.known or blocks.digest(self._read(index)) != self.known[index]:
            data, digest = block(self.cloud, self.name, index, self._tokens[index], length)
            with self.file.open("r+b", buffering=0) as file:
                file.seek(index * self._block)
                file.write(data)
            with self._journal.open("ab", buffering=0) as notes:
                notes.write(f"{index} {digest}\n".encode())
            self.known[index] = digest
            self.fetched += 1
        self.asked.add(index)
        self.read += length
        self._progress(self.read, self.most)
        return ""

    def _require(self, index: int) -> None:
        if datetime.now(UTC) > self._until - EARLY:
            self._forget()
        place = bisect_right(self._listed, (index, self._size))
        if not place or self._listed[place - 1][1] <= index:
            self._list(index)

    def _forget(self) -> None:
        self._listed.clear()
        self._tokens.clear()
        self._until = NEVER

    def _list(self, index: int) -> None:
        """List from `index` on until something is known of it."""
        where: dict[str, Json] = {"StartingBlockIndex": index} if index else {}
        while True:
            self.listings += 1
            found = page(self.cloud, self.name, MaxResults=LISTED, **where)
            self._block, self._size = found.block, found.size
            self._tokens |= found.tokens
            self._until = min(self._until, found.until)
            end = max(found.tokens, default=index) + 1
            if not found.more:
                end = -(-self._size // self._block)
            if found.tokens or not found.more:
                self._listed.append((index, max(end, index + 1)))
                self._listed.sort()
                return
            where = {"NextToken": found.more}

    def _prepare(self) -> None:
        try:
            with self.file.open("ab") as file:
                file.truncate(self._size)
        except OSError as error:
            raise Storage(
                f"{self.file.parent} cannot hold a sparse file of {self._size >> 30:,} GiB: "
                f"{error.strerror}.",
                "Put LOCARD_HOME on a file system with large sparse files, such as XFS.",
            ) from error

    def _length(self, index: int) -> int:
        return min(self._block, self._size - index * self._block)

    def _read(self, index: int) -> bytes:
        with self.file.open("rb", buffering=0) as file:
            file.seek(index * self._block)
            return _all(file, self._length(index))


def _all(file: BinaryIO, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := file.read(count - len(data))):
        data += more
    return data
