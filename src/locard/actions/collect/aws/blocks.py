# SPDX-License-Identifier: Apache-2.0
"""A snapshot read through the EBS direct API: sparse, in parallel, every block's checksum checked.

Blocks are fetched ahead of whoever reads, kept in a sparse file and noted in a journal with their
checksums, so that a run that was killed fetches none of them again.
"""

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from locard.model.action import Json
from locard.model.errors import Error, Tampered

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

AHEAD = 16
"""Blocks on their way at once; of 512 KiB each."""
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
        self._file = folder / f"{name}.blocks"
        self._journal = folder / f"{name}.journal"
        self.known = journal(self._journal)
        """SHA-256 (base64) of the blocks that came, by index."""
        self.fetched = 0
        """Blocks that came over the network now, and not in an earlier run."""
        self.wrong: dict[int, str] = {}
        """Blocks that never came as their checksum says, and why; zeros stand in their place."""
        self._pages = listed(cloud, name)
        self._first = next(self._pages)
        self.block, self.size = self._first.block, self._first.size
        self._left: list[bytes] = []
        self._chunks = self._whole()

    @property
    def count(self) -> int:
        """Blocks that were listed so far."""
        return len(self.known) + len(self.wrong)

    def read(self, size: int, /) -> bytes:
        """`size` bytes, fewer at the end: full chunks, so that runs of zeros become holes."""
        parts, held = self._left, sum(map(len, self._left))
        while held < size and (more := next(self._chunks, b"")):
            parts.append(more)
            held += len(more)
        whole = parts[0] if len(parts) == 1 else b"".join(parts)
        self._left = [whole[size:]] if len(whole) > size else []
        return whole[:size]

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

    def _whole(self) -> Iterator[bytes]:
        zeros = bytes(self.block)
        mode = "r+b" if self._file.exists() else "w+b"
        with (
            cast(BinaryIO, self._file.open(mode)) as cache,
            cast(BinaryIO, self._journal.open("ab", buffering=0)) as notes,
            ThreadPoolExecutor(AHEAD, "blocks") as pool,
        ):
            wanted = self._wanted()
            flying: deque[tuple[int, str, Future[tuple[bytes, str]] | None]] = deque()
            for index in range(-(-self.size // self.block)):
                while len(flying) < AHEAD and (ahead := next(wanted, None)) is not None:
                    known = ahead[0] in self.known
                    flying.append((*ahead, None if known else pool.submit(self._fetch, *ahead)))
                if flying and flying[0][0] == index:
                    yield self._settle(*flying.popleft(), cache, notes)
                else:
                    yield zeros[: self.size - index * self.block]

    def _settle(
        self,
        index: int,
        token: str,
        coming: "Future[tuple[bytes, str]] | None",
        cache: BinaryIO,
        notes: BinaryIO,
    ) -> bytes:
        """The bytes of one block, from the network or from an earlier run."""
        self._progress(index * self.block, self.size)
        try:
            if coming is None:
                cache.seek(index * self.block)
                data = cache.read(self.block)
                if digest(data) == self.known[index]:
                    return data
                del self.known[index]
                data, known = self._fetch(index, token)
            else:
                data, known = coming.result()
        except Tampered as error:
            self.wrong[index] = error.message
            return bytes(min(self.block, self.size - index * self.block))
        self.fetched += 1
        cache.seek(index * self.block)
        cache.write(data)
        cache.flush()
        notes.write(f"{index} {known}\n".encode())
        self.known[index] = known
        return data

    def _fetch(self, index: int, token: str) -> tuple[bytes, str]:
        length = min(self.block, self.size - index * self.block)
        return block(self.cloud, self.name, index, token, length)


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
