# SPDX-License-Identifier: Apache-2.0
"""One piece of evidence as a parser sees it: `contract.Opened` over a file descriptor.

Everything is read by position: the descriptor is shared with the parent, and its offset with it.
"""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, cast

from locard.model.errors import Unreadable
from locard.parsers.asking import Asking
from locard.parsers.contract import Head, Limits
from locard.parsers.decode import decoded, layer_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FIRST = 64 << 10
LAST = 4 << 10
BUFFER = 256 << 10

Moved = Callable[[int], None]
"""Told how many stored bytes were just read."""


class Positions:
    """Stored bytes by position, out of a descriptor that may have to be filled first."""

    def __init__(self, fd: int, asking: Asking | None = None) -> None:
        self._fd, self._asking = fd, asking

    def read(self, count: int, at: int) -> bytes:
        """`count` bytes, or fewer at the end."""
        data = os.pread(self._fd, self._there(count, at), at)
        if self._asking is None:
            return data
        while data and len(data) < count:
            end = at + len(data)
            more = os.pread(self._fd, self._there(count - len(data), end), end)
            if not more:
                break
            data += more
        return data

    def readinto(self, buffer: "WriteableBuffer", at: int) -> int:
        """Fill as much of the buffer as can be read at once; how much."""
        view = memoryview(buffer)
        return os.preadv(self._fd, [view[: self._there(len(view), at)]], at)

    def _there(self, count: int, at: int) -> int:
        return count if self._asking is None else self._asking.within(at, count)


class Stored(io.RawIOBase):
    """Random access to the stored bytes, independent of every other reader of them."""

    def __init__(self, source: Positions, size: int, moved: Moved | None = None) -> None:
        super().__init__()
        self._source = source
        self._size = size
        self._at = 0
        self._moved = moved

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = (0, self._at, self._size)[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if self._at >= self._size:
            return 0
        count = self._source.readinto(buffer, self._at)
        self._at += count
        if self._moved is not None:
            self._moved(count)
        return count


class _Stream(io.RawIOBase):
    """Decoded chunks as a file. When decoding breaks, it first ends and only then raises.

    A buffered reader throws away what it gathered when the read below it raises; ending first
    lets it hand over the good bytes.
    """

    def __init__(self, chunks: Iterator[bytes], broke: Callable[[Unreadable], None]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._broke = broke
        self._error: Unreadable | None = None
        self.raised = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        if self._error is not None:
            self.raised = True
            raise self._error
        if not self._rest:
            try:
                chunk = next(self._chunks, b"")
            except Unreadable as error:
                self._error = error
                self._broke(error)
                return 0
            self._rest = memoryview(chunk)
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class Evidence:
    """`contract.Opened`: one file and the files that belong to it."""

    def __init__(
        self,
        source: Positions | int,
        size: int,
        name: str,
        limits: Limits,
        siblings: Mapping[str, tuple[int, int]] | None = None,
        moved: Moved | None = None,
        *,
        ends: bool = True,
    ) -> None:
        """`ends`: whether the end is there, and not still on its way."""
        self._ends = ends
        self._source = Positions(source) if isinstance(source, int) else source
        self._size = size
        self._name = name
        self._limits = limits
        self._siblings = siblings or {}
        self._moved = moved
        self._streams: list[_Stream] = []
        self._told = False
        self.decoded = 0
        """Most decoded bytes that one reader delivered."""
        self.broken: Unreadable | None = None
        """The first damage that any reader met."""
        self._more: bytes | None = None
        self._layers, self._first, self.damage = self._peel()

    @property
    def name(self) -> str:
        return self._name

    @property
    def size(self) -> int:
        return self._size

    @property
    def layers(self) -> tuple[str, ...]:
        return self._layers

    @property
    def first(self) -> bytes:
        return self._first

    @property
    def head(self) -> Head:
        """What recognition looks at."""
        return Head(self._first, self.end(LAST), self._size, self._name, self._layers, self.more)

    def more(self) -> bytes:
        if self._more is None:
            most = FIRST + self._limits.record_bytes
            self._more = self._begin(self._layers, most)[0][FIRST:]
        return self._more

    def end(self, count: int) -> bytes:
        return self._source.read(count, max(self._size - count, 0)) if self._ends else b""

    @property
    def untold(self) -> Unreadable | None:
        """Damage that a reader met and that no parser was told of, because it did not read on."""
        told = self._told or any(stream.raised for stream in self._streams)
        return None if told else self.broken

    def stream(self) -> BinaryIO:
        if not self._layers:
            raw: io.RawIOBase = Stored(self._source, self._size, self._count)
        else:
            raw = self._open()
        return cast(BinaryIO, io.BufferedReader(raw, BUFFER))

    def whole(self, limit: int) -> bytes | None:
        if not self._layers:
            return self._plain(limit)
        parts: list[bytes] = []
        length = 0
        try:
            for chunk in self.chunks():
                length += len(chunk)
                if length > limit:
                    return None
                parts.append(chunk)
        except Unreadable as error:
            self._break(error)
            self._told = True
            raise
        return b"".join(parts)

    def seekable(self) -> BinaryIO:
        return cast(
            BinaryIO, io.BufferedReader(Stored(self._source, self._size, self._moved), BUFFER)
        )

    def siblings(self) -> Mapping[str, BinaryIO]:
        stored = {
            name: Stored(Positions(fd), size, self._moved)
            for name, (fd, size) in self._siblings.items()
        }
        return {n: cast(BinaryIO, io.BufferedReader(one, BUFFER)) for n, one in stored.items()}

    def chunks(self) -> Iterator[bytes]:
        """The decoded bytes in chunks. Raises `Unreadable` after the good ones."""
        total = 0
        for chunk in self._decode(self._layers, self._moved):
            total += len(chunk)
            self.decoded = max(self.decoded, total)
            yield chunk

    def _open(self) -> _Stream:
        stream = _Stream(self.chunks(), self._break)
        self._streams.append(stream)
        return stream

    def _plain(self, limit: int) -> bytes | None:
        if self._size > limit:
            return None
        with io.BufferedReader(Stored(self._source, self._size, self._count), BUFFER) as reader:
            return reader.read()

    def _count(self, count: int) -> None:
        self.decoded = self._size
        if self._moved is not None:
            self._moved(count)

    def _break(self, error: Unreadable) -> None:
        self.broken = self.broken or error

    def _decode(self, layers: tuple[str, ...], moved: Moved | None) -> Iterator[bytes]:
        at = 0

        def read(count: int) -> bytes:
            nonlocal at
            data = self._source.read(count, at)
            at += len(data)
            if moved is not None:
                moved(len(data))
            return data

        return decoded(read, layers, self._limits, self._size)

    def _peel(self) -> tuple[tuple[str, ...], bytes, Unreadable | None]:
        """Layers, first decoded bytes, and the damage that was met while looking."""
        layers: tuple[str, ...] = ()
        first = self._source.read(FIRST, 0)
        damage: Unreadable | None = None
        while (layer := layer_of(first)) is not None:
            if len(layers) >= self._limits.depth:
                damage = Unreadable(
                    f"There are more than {self._limits.depth} compression layers.",
                    "Raise the limit 'depth' if you trust this file.",
                )
                break
            layers = (*layers, layer)
            first, met = self._begin(layers, FIRST)
            damage = met or damage
        return layers, first, damage

    def _begin(self, layers: tuple[str, ...], count: int) -> tuple[bytes, Unreadable | None]:
        """The first bytes without these layers, and the damage that was met on the way."""
        if not layers:
            return self._source.read(count, 0), None
        parts: list[bytes] = []
        try:
            for chunk in self._decode(layers, None):
                parts.append(chunk)
                if sum(map(len, parts)) >= count:
                    break
        except Unreadable as error:
            return b"".join(parts)[:count], error
        return b"".join(parts)[:count], None
