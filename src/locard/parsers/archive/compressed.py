# SPDX-License-Identifier: Apache-2.0
"""The compression methods of zip members."""

import lzma
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

from locard.model.errors import Unreadable
from locard.parsers.decode import CHUNK, bare, bare_deflate, bare_lzma
from locard.parsers.pieces import Read

STORED, DEFLATED, DEFLATE64, BZIP2, LZMA, ZSTD, XZ = 0, 8, 9, 12, 14, 93, 95


class Bounded:
    """Bytes of a reader from a place on, at most `length` of them (None: to the end)."""

    def __init__(self, reader: BinaryIO, start: int, length: int | None) -> None:
        self._reader = reader
        self.place = start
        """Where the next byte is read; what a decoder gives back is subtracted."""
        self._left = length

    def read(self, count: int) -> bytes:
        if self._left is not None:
            count = min(count, self._left)
        self._reader.seek(self.place)
        data = self._reader.read(count)
        self.place += len(data)
        if self._left is not None:
            self._left -= len(data)
        return data

    def unread(self, count: int) -> None:
        """The last `count` bytes were not used."""
        self.place -= count
        if self._left is not None:
            self._left += count

    @property
    def left(self) -> int:
        """Bytes that are not read yet; 0 where nobody knows how many there are."""
        return self._left or 0


def expanded(method: int, source: Bounded, size: int | None) -> Iterator[bytes]:
    """The content of a member. Raises `Unreadable` behind the good bytes when it is damaged."""
    return METHODS[method](source, size)


def _stored(source: Bounded, size: int | None) -> Iterator[bytes]:
    while data := source.read(CHUNK):
        yield data


def _deflated(source: Bounded, size: int | None) -> Iterator[bytes]:
    return _from(source, bare_deflate(source.read))


def _layer(name: str) -> "Callable[[Bounded, int | None], Iterator[bytes]]":
    def expand(source: Bounded, size: int | None) -> Iterator[bytes]:
        return _from(source, bare(name, source.read))

    return expand


def _lzma(source: Bounded, size: int | None) -> Iterator[bytes]:
    head = source.read(4)
    length = struct.unpack("<xxH", head)[0] if len(head) == 4 else 0
    properties = source.read(length)
    if len(properties) != 5:
        raise Unreadable("The member's LZMA header is damaged.")
    code, dictionary = properties[0], int.from_bytes(properties[1:], "little")
    if code >= 225 or dictionary > 256 << 20:
        raise Unreadable("The member's LZMA header asks for what cannot be.")
    filters = [
        {
            "id": lzma.FILTER_LZMA1,
            "dict_size": max(dictionary, 4096),
            "lc": code % 9,
            "lp": code // 9 % 5,
            "pb": code // 45,
        }
    ]
    return _from(source, bare_lzma(source.read, filters, size))


def _deflate64(source: Bounded, size: int | None) -> Iterator[bytes]:
    import inflate64

    inflater = inflate64.Inflater()
    while not inflater.eof:
        data = source.read(4096)
        if not data:
            raise Unreadable("The member ends too early: the file is cut short.")
        try:
            out = inflater.inflate(data)
        except ValueError as error:
            raise Unreadable(f"The member's deflate64 data is damaged ({error}).") from None
        if out:
            yield bytes(out)


def _from(source: Bounded, stream: "tuple[Iterator[bytes], Callable[[], int]]") -> Iterator[bytes]:
    chunks, unused = stream
    yield from chunks
    source.unread(unused())


METHODS: dict[int, Callable[[Bounded, int | None], Iterator[bytes]]] = {
    STORED: _stored,
    DEFLATED: _deflated,
    DEFLATE64: _deflate64,
    BZIP2: _layer("bzip2"),
    LZMA: _lzma,
    ZSTD: _layer("zstd"),
    XZ: _layer("xz"),
}
"""How each known method number is expanded."""

__all__ = ["METHODS", "Bounded", "Read", "expanded"]
