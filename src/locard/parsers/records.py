# SPDX-License-Identifier: Apache-2.0
"""Streams cut into records, in bounded memory, each with the place of its bytes.

Nothing is dropped: bytes that are no record come out as a piece with a `fault`. A stream that
breaks off (`Unreadable` while reading) gives the pieces before and then one with the reason.
"""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from locard.model.errors import Unreadable

CHUNK = 1 << 20
KEPT = 64 << 10
"""Bytes that are kept of a record that is too long."""
BATCH = 4096
BOM = b"\xef\xbb\xbf"


class Piece(NamedTuple):
    """A record, or bytes that are none."""

    offset: int
    """Where it starts in the decoded stream, in bytes."""
    raw: bytes
    """Its bytes; the first 64 KiB when it is longer than the limit."""
    length: int
    """How many bytes it has in the stream."""
    fault: str = ""
    """Why it is no record; empty when it is one."""
    where: str = ""
    """Name of the list that it is an element of, when the list has a name."""

    @property
    def locator(self) -> str:
        """`byte=OFFSET+LENGTH` in the decoded stream."""
        return f"byte={self.offset}+{self.length}"


def byte_locators(offsets: Sequence[int], lengths: Sequence[int]) -> pa.Array:
    """`Piece.locator` of many pieces at once."""
    texts = (pa.array(numbers, pa.int64()).cast(pa.string()) for numbers in (offsets, lengths))
    places = pc.binary_join_element_wise(*texts, "+")
    return pc.binary_join_element_wise("byte=", places, "")


class Source:
    """A stream whose breaking off is a finding and not an exception."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._begun = False
        self.broken = ""
        """Why the stream broke off; empty as long as it did not."""

    def chunk(self) -> bytes:
        """The next bytes; empty at the end and where the stream breaks off."""
        if self.broken:
            return b""
        data = self._read()
        while not self._begun and 0 < len(data) < len(BOM) and (more := self._read()):
            data += more
        self._begun = True
        return data

    def _read(self) -> bytes:
        try:
            # A stream may end first and raise when it is asked again: good bytes come before.
            return self._stream.read(CHUNK) or self._stream.read(CHUNK) or b""
        except Unreadable as error:
            self.broken = error.message
        except EOFError as error:
            self.broken = str(error) or "the stream ends too soon"
        return b""


def too_long(length: int, limit: int) -> str:
    """The fault of a record that is longer than the limit."""
    return f"a record of {length:,} bytes is longer than the limit of {limit:,}"


def wanted(locator: str | None, unit: str) -> tuple[int, int] | None:
    """Start and length in a locator such as `byte=10+5` (length 0 when it has none)."""
    match = re.fullmatch(rf"{unit}=(\d+)(?:\+(\d+))?", locator or "")
    return (int(match[1]), int(match[2] or 0)) if match else None


def lines(
    stream: BinaryIO, limit: int, *, blank: bool = False, end: bytes = b"\n"
) -> Iterator[list[Piece]]:
    """The lines of a stream without their ends, in batches; those that are `blank` if wanted.

    A byte order mark of UTF-8 is no part of the first line. `end` is what ends a line.
    """
    source = Source(stream)
    carry = b""
    start = 0
    dropped = 0
    while chunk := source.chunk():
        if start == 0 and not carry and chunk.startswith(BOM):
            start, chunk = 3, chunk[3:]
        *whole, rest = (carry + chunk).split(end) if not dropped else chunk.split(end)
        batch: list[Piece] = []
        if dropped and whole:
            length = dropped + len(whole[0])
            batch.append(Piece(start, carry, length, too_long(length, limit)))
            start += length + 1
            dropped = 0
            del whole[0]
        elif dropped:
            dropped += len(rest)
            continue
        for line in whole:
            if blank or (line and not line.isspace()):
                batch.append(_line(line, start, limit))
            start += len(line) + 1
        carry = rest
        if len(carry) > limit:
            dropped, carry = len(carry), carry[:KEPT]
        if batch:
            yield batch
    if dropped:
        yield [Piece(start, carry, dropped, too_long(dropped, limit))]
    elif carry.strip():
        last = _line(carry, start, limit)
        yield [last._replace(fault=f"cut short: {source.broken}") if source.broken else last]
    elif source.broken:
        yield [Piece(start, b"", 0, source.broken)]


def _line(line: bytes, start: int, limit: int) -> Piece:
    if line.endswith(b"\r"):
        line = line[:-1]
    if len(line) > limit:
        return Piece(start, line[:KEPT], len(line), too_long(len(line), limit))
    return Piece(start, line, len(line))


def unmarked(piece: Piece) -> Piece:
    """The same without the byte order mark that a file had which was put behind another."""
    if not piece.raw.startswith(BOM):
        return piece
    cut = len(BOM)
    return piece._replace(offset=piece.offset + cut, raw=piece.raw[cut:], length=piece.length - cut)
