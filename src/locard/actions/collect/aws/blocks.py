# SPDX-License-Identifier: Apache-2.0
"""A snapshot read through the EBS direct API: sparse, in parallel, every block's checksum checked.

Blocks are fetched ahead of whoever reads, kept in a sparse file and noted in a journal with their
checksums, so that a run that was killed fetches none of them again.
"""

from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from locard.model.errors import Tampered

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

AHEAD = 16
"""Blocks on their way at once; of 512 KiB each."""
TRIES = 3
"""How often a block is fetched whose checksum does not fit."""
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
        self.fetched = 0
        """Blocks that came over the network now, and not in an earlier run."""
        self.tokens, self.block, self.size = self._list()
        self._left = b""
        self._chunks = self._whole()

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, or none at the end. Raises `Tampered` for a block that is wrong."""
        if not self._left:
            self._left = next(self._chunks, b"")
        found, self._left = self._left[:size], self._left[size:]
        return found

    def checksums(self) -> Iterator[bytes]:
        """A line for each block that was there: its index and AWS's own SHA-256 of it."""
        yield b"block,sha256-base64\n"
        for index in sorted(self.tokens):
            yield f"{index},{self.known[index]}\n".encode()

    def _list(self) -> tuple[dict[int, str], int, int]:
        tokens: dict[int, str] = {}
        more: dict[str, str] = {}
        while True:
            page = self.cloud.call("ebs:ListSnapshotBlocks", SnapshotId=self.name, **more)
            tokens |= {one["BlockIndex"]: one["BlockToken"] for one in page.get("Blocks", ())}
            if not page.get("NextToken"):
                return tokens, int(page["BlockSize"]), int(page["VolumeSize"]) * GIB
            more = {"NextToken": page["NextToken"]}

    def _whole(self) -> Iterator[bytes]:
        zeros = bytes(self.block)
        mode = "r+b" if self._file.exists() else "w+b"
        with (
            cast(BinaryIO, self._file.open(mode)) as cache,
            cast(BinaryIO, self._journal.open("ab", buffering=0)) as notes,
            ThreadPoolExecutor(AHEAD, "blocks") as pool,
        ):
            wanted = iter(sorted(self.tokens))
            flying: deque[tuple[int, Future[tuple[bytes, str]] | None]] = deque()
            for index in range(-(-self.size // self.block)):
                while len(flying) < AHEAD and (ahead := next(wanted, None)) is not None:
                    known = ahead in self.known
                    flying.append((ahead, None if known else pool.submit(self._fetch, ahead)))
                if index in self.tokens:
                    yield self._settle(*flying.popleft(), cache, notes)
                else:
                    yield zeros[: self.size - index * self.block]

    def _settle(
        self,
        index: int,
        coming: "Future[tuple[bytes, str]] | None",
        cache: BinaryIO,
        notes: BinaryIO,
    ) -> bytes:
        """The bytes of one block, from the network or from an earlier run."""
        self._progress(index * self.block, self.size)
        if coming is None:
            cache.seek(index * self.block)
            data = cache.read(self.block)
            if digest(data) == self.known[index]:
                return data
            data, known = self._fetch(index)
        else:
            data, known = coming.result()
        self.fetched += 1
        cache.seek(index * self.block)
        cache.write(data)
        cache.flush()
        notes.write(f"{index} {known}\n".encode())
        self.known[index] = known
        return data

    def _fetch(self, index: int) -> tuple[bytes, str]:
        return block(self.cloud, self.name, index, self.tokens[index], self.block)


def block(cloud: "Cloud", name: str, index: int, token: str, length: int) -> tuple[bytes, str]:
    """One block and AWS's checksum of it. Raises `Tampered` when it comes wrong again and again."""
    for _ in range(TRIES):
        found = cloud.answer(
            "ebs:GetSnapshotBlock", SnapshotId=name, BlockIndex=index, BlockToken=token
        )
        data = found["BlockData"].read()
        if len(data) == length and digest(data) == found.get("Checksum"):
            return data, found["Checksum"]
    raise Tampered(
        f"Block {index} of {name} came {TRIES} times with bytes that its checksum denies.",
        "Nothing of the disk was kept. Suspect what stands between, such as a proxy; then "
        "carry the run on: the other blocks are not fetched again.",
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
