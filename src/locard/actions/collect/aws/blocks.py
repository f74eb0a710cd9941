# SPDX-License-Identifier: Apache-2.0
"""A snapshot read through the EBS direct API: sparse, in parallel, every block's checksum checked.

Blocks are fetched ahead of whoever reads, kept in a sparse file and noted in a journal with their
checksums, so that a run that was killed fetches none of them again. That file becomes the image in
the vault: nothing is written a second time.
"""

import os
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from locard.evidence.adopted import is_finished
from locard.model.action import Json
from locard.model.errors import Error, Storage, Tampered

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

AHEAD = 16
"""Blocks on their way at once; of 512 KiB each."""
LEAD = 64
"""Blocks that may be here or on their way before whoever reads comes to them: the network goes on
while he has to wait for a processor or the disk."""
TRIES = 3
"""How often a block is fetched whose checksum does not fit."""
FEWEST = 100
"""Blocks that are listed to find one; AWS lists no fewer."""
NEVER = datetime.max.replace(tzinfo=UTC)
GIB = 1 << 30


class Snapshot:
    """The bytes of a snapshot from the first to the last, to be read once."""

    def __init__(
        self,
        cloud: "Cloud",
        name: str,
        folder: Path,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self.cloud, self.name, self._progress = cloud, name, progress
        self.lies_in = folder / f"{name}.blocks"
        """Where the blocks are, at their places, when they are read (`evidence.adopted`)."""
        self._journal = folder / f"{name}.journal"
        self.known = journal(self._journal)
        """SHA-256 (base64) of the blocks that came, by index."""
        self._came: list[int] = []
        self.wrong: dict[int, str] = {}
        """Blocks that never came as their checksum says, and why; zeros stand in their place."""
        self._pages = listed(cloud, name)
        self._first = next(self._pages)
        self.block, self.size = self._first.block, self._first.size
        self._left, self._zeros, self._blank = b"", 0, b""
        self._finished = self._prepared()
        self._chunks = self._whole()

    @property
    def fetched(self) -> int:
        """Blocks that came over the network now, and not in an earlier run."""
        return len(self._came)

    @property
    def count(self) -> int:
        """Blocks that were listed so far."""
        return len(self.known) + len(self.wrong)

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, or none at the end.

        Runs of zeros come by `size`, so that they can become holes, and blocks as they are, for
        putting them together would copy them.
        """
        if self._zeros:
            count = min(self._zeros, size)
            self._zeros -= count
            if len(self._blank) < count:
                self._blank = bytes(count)
            return self._blank if len(self._blank) == count else bytes(count)
        if not self._left:
            more = next(self._chunks, b"")
            if isinstance(more, int):
                self._zeros = more
                return self.read(size)
            self._left = more
        found, self._left = self._left[:size], self._left[size:]
        return found

    def checksums(self) -> Iterator[bytes]:
        """A line for each block that was there: its index and AWS's own SHA-256 of it."""
        yield b"block,sha256-base64,problem\n"
        for index in sorted({**self.known, **self.wrong}):
            why = self.wrong.get(index, "")
            yield f"{index},{'' if why else self.known[index]},{why}\n".encode()

    def _wanted(self) -> Iterator[tuple[int, str]]:
        """Indices and tokens, ascending, a page at a time: a token must not grow old."""
        page: Page | None = self._first
        before = -1
        while page is not None:
            for index, token in sorted(page.tokens.items()):
                if index <= before:
                    raise Error(
                        f"AWS lists the blocks of {self.name} in no order.", "Run it again."
                    )
                before = index
                yield index, token
            page = next(self._pages, None)

    def _whole(self) -> Iterator[bytes | int]:
        """The blocks, and how many zeros are between them."""
        zeros = 0
        how = os.O_RDONLY if self._finished else os.O_RDWR
        self._cache = os.open(self.lies_in, how | os.O_CLOEXEC)
        self._notes = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        try:
            with ThreadPoolExecutor(AHEAD, "blocks") as pool:
                wanted = self._wanted()
                flying: deque[tuple[int, Future[bytes]]] = deque()
                for index in range(-(-self.size // self.block)):
                    while len(flying) < LEAD and (ahead := next(wanted, None)) is not None:
                        flying.append((ahead[0], pool.submit(self._have, *ahead)))
                    if not flying or flying[0][0] != index:
                        zeros += self._length(index)
                        continue
                    if zeros:
                        yield zeros
                        zeros = 0
                    yield self._settle(*flying.popleft())
                if zeros:
                    yield zeros
        finally:
            os.close(self._cache)
            os.close(self._notes)

    def _settle(self, index: int, coming: "Future[bytes]") -> bytes:
        """The bytes of one block; zeros for one that never came as its checksum says."""
        self._progress(index * self.block, self.size)
        try:
            return coming.result()
        except Tampered as error:
            self.wrong[index] = error.message
            return bytes(self._length(index))

    def _have(self, index: int, token: str) -> bytes:
        """One block, from an earlier run or from AWS; in one of the threads that fetch ahead."""
        known = self.known.get(index)
        if known is not None:
            data = os.pread(self._cache, self._length(index), index * self.block)
            if digest(data) == known:
                return data
            del self.known[index]
        data, known = block(self.cloud, self.name, index, token, self._length(index))
        self._keep(index, data, known)
        return data

    def _keep(self, index: int, data: bytes, known: str) -> None:
        """Keep it for a run that is carried on; the note of it comes after it."""
        view, at = memoryview(b"" if self._finished else data), index * self.block
        try:
            while view:
                count = os.pwrite(self._cache, view, at)
                view, at = view[count:], at + count
            os.write(self._notes, f"{index} {known}\n".encode())
        except OSError as error:
            raise Storage(
                f"{self.lies_in.parent} cannot hold the blocks: {error.strerror}.",
                "Make room there, then carry the run on: what was fetched is kept.",
            ) from error
        self.known[index] = known
        self._came.append(index)

    def _prepared(self) -> bool:
        """Make the file of the blocks; whether an earlier attempt made it the image already.

        Then it leads into the vault, and nothing is written there.
        """
        file = self.lies_in
        try:
            if file.is_symlink() and not file.exists():
                file.unlink()
            if file.exists() and is_finished(file):
                return True
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            os.truncate(file, self.size)
        except OSError as error:
            raise Storage(
                f"{file.parent} cannot hold a sparse file of {self.size >> 30:,} GiB: "
                f"{error.strerror}.",
                "Put LOCARD_HOME on a file system with large sparse files, such as XFS.",
            ) from error
        return False

    def _length(self, index: int) -> int:
        return min(self.block, self.size - index * self.block)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list of a snapshot's blocks."""

    tokens: Mapping[int, str]
    """What fetches a block, by its index."""
    block: int
    size: int
    until: datetime
    """When the tokens end."""
    more: str


def page(cloud: "Cloud", name: str, **where: Json) -> Page:
    """One call of the list."""
    found = cloud.call("ebs:ListSnapshotBlocks", SnapshotId=name, **where)
    until = found.get("ExpiryTime")
    return Page(
        {one["BlockIndex"]: one["BlockToken"] for one in found.get("Blocks", ())},
        int(found["BlockSize"]),
        int(found["VolumeSize"]) * GIB,
        datetime.fromisoformat(str(until)) if until else NEVER,
        str(found.get("NextToken") or ""),
    )


def listed(cloud: "Cloud", name: str) -> Iterator[Page]:
    """The whole list, a page at a time when it is asked for."""
    where: dict[str, Json] = {}
    while True:
        found = page(cloud, name, **where)
        yield found
        if not found.more:
            return
        where = {"NextToken": found.more}


def block(cloud: "Cloud", name: str, index: int, token: str, length: int) -> tuple[bytes, str]:
    """One block and AWS's checksum of it; with a fresh token when AWS refuses this one.

    Raises `Tampered` when it comes wrong again and again.
    """
    try:
        return _block(cloud, name, index, token, length)
    except Error as error:
        if type(error) is not Error:
            raise
    again = page(cloud, name, StartingBlockIndex=index, MaxResults=FEWEST)
    return _block(cloud, name, index, again.tokens.get(index, ""), length)


def _block(cloud: "Cloud", name: str, index: int, token: str, length: int) -> tuple[bytes, str]:
    for _ in range(TRIES):
        found = cloud.answer(
            "ebs:GetSnapshotBlock", SnapshotId=name, BlockIndex=index, BlockToken=token
        )
        data = found["BlockData"].read()
        if len(data) == length and digest(data) == found.get("Checksum"):
            return data, found["Checksum"]
    raise Tampered(
        f"Block {index} of {name} came {TRIES} times with bytes that its checksum denies.",
        "Suspect what stands between, such as a proxy.",
    )


def journal(file: Path) -> dict[int, str]:
    """Checksums of the blocks that an earlier run has fetched, by index."""
    found: dict[int, str] = {}
    if file.exists():
        for line in file.read_bytes().split(b"\n")[:-1]:
            index, _, known = line.decode("ascii", "replace").partition(" ")
            if index.isdecimal():
                found[int(index)] = known
    return found


def digest(data: bytes) -> str:
    """SHA-256 as AWS writes it."""
    return b64encode(sha256(data).digest()).decode()
