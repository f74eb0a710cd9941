# SPDX-License-Identifier: Apache-2.0
"""The blocks of a disk that were read, as one file: what a triage keeps of a disk that it opened.

The magic, the length of the head, the head as JSON (which disk, the index and SHA-256 of every
block, which blocks were looked for and are zeros by the provider's word), zeros up to a full page,
then the blocks in order. Whatever is neither a block nor such a zero was not read, and reading it
is an error and never zeros: a part must not be taken for the whole.
"""

import errno
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from locard.model.errors import Unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC = b"LOCARD BLOCKS 1\n"
MOST_HEAD = 256 << 20
MOST_BLOCK = 16 << 20
MOST_SIZE = 1 << 50
PAGE = 4096


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands before the blocks."""

    source: str
    """The disk as its provider names it."""
    size: int
    """Bytes of the whole disk."""
    block: int
    """Bytes of a block; the last one of the disk may be shorter."""
    blocks: Sequence[tuple[int, str]]
    """Index and SHA-256 (hex), in the order of the indices."""
    zeros: Sequence[int] = ()
    """Blocks that were looked for and that the provider does not list: zeros by its word."""
    files: bool = False
    """Whether the file-system timeline was read too."""

    def length(self, index: int) -> int:
        """Bytes of one block."""
        return min(self.block, self.size - index * self.block)


def written(head: Head, read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The file in chunks; `read` gives a block by its index."""
    text = msgspec.json.encode(head)
    start = MAGIC + len(text).to_bytes(8, "little") + text
    yield start + bytes(-len(start) % PAGE)
    for index, _ in head.blocks:
        yield read(index)


def head_of(stream: BinaryIO) -> tuple[Head, int]:
    """The head and where the blocks begin. Raises `Unreadable` for what does not hold together."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    start = stream.read(len(MAGIC) + 8)
    length = int.from_bytes(start[len(MAGIC) :], "little")
    if not start.startswith(MAGIC) or length > min(MOST_HEAD, size):
        raise _broken("its head is longer than it")
    try:
        head = msgspec.json.decode(stream.read(length), type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(f"its head cannot be read ({error})") from error
    if not (0 < head.size <= MOST_SIZE and 512 <= head.block <= MOST_BLOCK):
        raise _broken("its head names no disk")
    indices = [index for index, _ in head.blocks]
    last = -(-head.size // head.block)
    for named in (indices, head.zeros):
        if any(not 0 <= one < last for one in named) or not _ascending(named):
            raise _broken("its blocks are in no order")
    start_of_blocks = (len(start) + length + PAGE - 1) // PAGE * PAGE
    if start_of_blocks + sum(head.length(one) for one in indices) != size:
        raise _broken("its length is not that of its blocks")
    return head, start_of_blocks


def opened(stream: BinaryIO) -> BinaryIO:
    """The disk that the blocks are of, random access; see `Unread` for what is not among them."""
    head, start = head_of(stream)
    return cast(BinaryIO, io.BufferedReader(Part(stream, head, start), 64 << 10))


class Unread(OSError):
    """Bytes that were not read when the disk was triaged."""


class Part(io.RawIOBase):
    """A disk of which some blocks are there. Each is held against its SHA-256 when it is read."""

    def __init__(self, stream: BinaryIO, head: Head, start: int) -> None:
        super().__init__()
        self._stream, self._head, self._at = stream, head, 0
        self.size = head.size
        self._places: dict[int, tuple[int, str]] = {}
        for index, digest in head.blocks:
            self._places[index] = (start, digest)
            start += head.length(index)
        self._zeros = frozenset(head.zeros)
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = (0, self._at, self.size)[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        if self._at >= self.size:
            return 0
        index, inside = divmod(self._at, self._head.block)
        data = self._block(index)
        count = min(len(view), len(data) - inside)
        view[:count] = data[inside : inside + count]
        self._at += count
        return count

    def _block(self, index: int) -> bytes:
        if self._held[0] == index:
            return self._held[1]
        length = self._head.length(index)
        if index in self._zeros:
            data = bytes(length)
        elif index not in self._places:
            raise Unread(errno.EIO, f"block {index} was not read when the disk was triaged")
        else:
            at, digest = self._places[index]
            self._stream.seek(at)
            data = self._stream.read(length)
            if len(data) != length or sha256(data).hexdigest() != digest:
                raise OSError(errno.EIO, f"block {index} is not what its SHA-256 says")
        self._held = (index, data)
        return data


def _ascending(numbers: Iterable[int]) -> bool:
    before = -1
    for one in numbers:
        if one <= before:
            return False
        before = one
    return True


def _broken(why: str) -> Unreadable:
    return Unreadable(f"the block image is damaged: {why}", "Take it from the vault once more.")
