# SPDX-License-Identifier: Apache-2.0
"""Segments in the form of SMART (`.s01`), which keep their data inside of the table sections.

`dissect` finds the end of a table's last chunk by the size of the section, from which it takes the
76 bytes of the descriptor; so for it the last chunk lacks its end. And it ends a segment at a
section that points to itself, where SMART points behind the end. It is shown the numbers it wants.
"""

import io
import struct
from bisect import bisect_left
from collections.abc import Iterator
from typing import BinaryIO, cast

_DESCRIPTOR = struct.Struct("<16sQQ")
"""Kind, where the next section begins, bytes of this one: the first 32 of 76."""
_DESCRIPTOR_SIZE = 76
_FIRST = 13
"""Where the first section begins."""
_SECTIONS = 1_000_000
_TABLE = 24
"""Bytes of a table's header; four bytes for each entry and four of a checksum follow."""


def segment(stream: BinaryIO) -> BinaryIO:
    """The segment as `dissect` reads it rightly; one of another form as it is."""
    others = dict(_others(stream))
    stream.seek(0)
    return cast(BinaryIO, _Shown(stream, others)) if others else stream


def _others(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Places of numbers that `dissect` takes wrongly, and the eight bytes that it is shown."""
    end = stream.seek(0, io.SEEK_END)
    at = _FIRST
    for _ in range(_SECTIONS):
        stream.seek(at)
        head = stream.read(_DESCRIPTOR.size)
        if len(head) < _DESCRIPTOR.size:
            return
        kind, following, size = _DESCRIPTOR.unpack(head)
        if kind.rstrip(b"\0") == b"table":
            stream.seek(at + _DESCRIPTOR_SIZE)
            entries = int.from_bytes(stream.read(4), "little")
            if _DESCRIPTOR_SIZE + _TABLE + 4 * entries + 4 < size <= end:
                yield at + 24, (size + _DESCRIPTOR_SIZE).to_bytes(8, "little")
        if kind.rstrip(b"\0") == b"next" and following >= end:
            yield at + 16, at.to_bytes(8, "little")
        if following <= at:
            return
        at = following


class _Shown:
    """A stream in which a few bytes are shown as others."""

    def __init__(self, stream: BinaryIO, others: dict[int, bytes]) -> None:
        self._stream, self._others = stream, others
        self._places = sorted(others)
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        start = self._stream.tell()
        data = self._stream.read(size)
        first = bisect_left(self._places, start - 7)
        last = bisect_left(self._places, start + len(data))
        if first == last:
            return data
        shown = bytearray(data)
        for place in self._places[first:last]:
            for offset, byte in enumerate(self._others[place], place - start):
                if 0 <= offset < len(shown):
                    shown[offset] = byte
        return bytes(shown)
