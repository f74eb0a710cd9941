# SPDX-License-Identifier: Apache-2.0
"""Streams cut into records, in bounded memory, each with the place of its bytes.

Nothing is dropped: bytes that are no record come out as a piece with a `fault`. A stream that
breaks off (`Unreadable` while reading) gives the pieces before and then one with the reason.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from locard.model.errors import Unreadable

CHUNK = 1 << 20
KEPT = 64 << 10
"""Bytes that are kept of a record that is too long."""
FIRST_MOST = 64 << 10
"""Bytes from which on the first bytes of a file may not be all of it."""
BATCH = 4096
_BOM = b"\xef\xbb\xbf"


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
        while not self._begun and 0 < len(data) < len(_BOM) and (more := self._read()):
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


def lines(stream: BinaryIO, limit: int, *, blank: bool = False) -> Iterator[list[Piece]]:
    """The lines of a stream without their ends, in batches; those that are `blank` if wanted.

    A byte order mark of UTF-8 is no part of the first line.
    """
    source = Source(stream)
    carry = b""
    start = 0
    dropped = 0
    while chunk := source.chunk():
        if start == 0 and not carry and chunk.startswith(_BOM):
            start, chunk = 3, chunk[3:]
        *whole, rest = (carry + chunk).split(b"\n") if not dropped else chunk.split(b"\n")
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
        yield [Piece(start, b"", 0, f"cut short: {source.broken}")]


def _line(line: bytes, start: int, limit: int) -> Piece:
    if line.endswith(b"\r"):
        line = line[:-1]
    if len(line) > limit:
        return Piece(start, line[:KEPT], len(line), too_long(len(line), limit))
    return Piece(start, line, len(line))


def unmarked(piece: Piece) -> Piece:
    """The same without the byte order mark that a file had which was put behind another."""
    if not piece.raw.startswith(_BOM):
        return piece
    cut = len(_BOM)
    return piece._replace(offset=piece.offset + cut, raw=piece.raw[cut:], length=piece.length - cut)


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of a CSV are written."""

    delimiter: str
    header: tuple[str, ...]


def table(first: bytes) -> Table | None:
    """The delimiter and the header of CSV bytes, or None when they are no table with names."""
    if len(first) >= FIRST_MOST and b"\n" not in first:
        return None  # what is seen of the header is not all of it
    text = first.removeprefix(_BOM).decode(errors="replace")
    records = [piece for piece in _join(text.split("\n")[:50]) if piece.strip()]
    if not records:
        return None
    best: tuple[int, str, list[str]] | None = None
    for delimiter in ",\t;|":
        read = [_split(record, delimiter) for record in records[:10]]
        width = len(read[0])
        if width < 2:
            continue
        same = sum(len(row) == width for row in read[:-1]) or 1
        score = same * 1000 + min(width, 999)
        if best is None or score > best[0]:
            best = (score, delimiter, read[0])
    if best is None:
        return None
    names = [name.strip() for name in best[2]]
    real = [name for name in names if name and not name[0].isdigit()]
    if len(real) * 2 <= len(names) or any(len(name) > 200 for name in names):
        return None
    return Table(best[1], distinct(names))


def _split(record: str, delimiter: str) -> list[str]:
    """The cells of one row; none where it is no row, which a stray quote is enough for."""
    try:
        return next(csv.reader([record], delimiter=delimiter), [])
    except csv.Error:
        return []


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names of columns, each of its own: one that was there gets the number of its column."""
    header: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        one = name if name and name not in header else f"{name or 'column'}.{number}"
        while one in header:
            one += "'"
        header[one] = None
    return tuple(header)


_HELD = 10_000
"""Most lines of one row of a CSV."""


class Row(NamedTuple):
    """One row of a CSV: its number from 1 (the header is 0), bytes, and cells."""

    number: int
    raw: bytes
    cells: list[str]
    fault: str = ""
    """Why it is no row of the table."""
    oddity: str = ""
    """What is wrong with a row of the table."""

    @property
    def locator(self) -> str:
        """`row=N`, the header being row 0."""
        return f"row={self.number}"


def csv_rows(stream: BinaryIO, shape: Table, limit: int) -> Iterator[list[Row]]:
    """The rows below the header, quoted line ends included, in batches."""
    csv.field_size_limit(max(limit, 131072))
    number = -1
    batch: list[tuple[bytes, str]] = []
    for raw, fault in _logical(stream, shape, limit):
        batch.append((raw, fault))
        if len(batch) >= BATCH:
            yield from _read_rows(batch, shape, number)
            number += len(batch)
            batch = []
    yield from _read_rows(batch, shape, number)


def _read_rows(batch: list[tuple[bytes, str]], shape: Table, number: int) -> Iterator[list[Row]]:
    rows: list[Row] = []
    for raw, fault in batch:
        number += 1
        if number == 0 and not fault:
            continue
        cells: list[str] = []
        oddity = ""
        if not fault:
            cells, fault = _cells(raw, shape)
            oddity = "" if is_utf8(raw) else "the row is not valid UTF-8"
        rows.append(Row(max(number, 0), raw, cells, fault, oddity))
    if rows:
        yield rows


def _cells(raw: bytes, shape: Table) -> tuple[list[str], str]:
    """The cells of a row, and why they are none of this table; empty when they are."""
    text = raw.decode(errors="replace")
    try:
        found = list(csv.reader([text], delimiter=shape.delimiter))
    except csv.Error as error:
        return [], f"not a row of CSV: {error}"
    cells = found[0] if len(found) == 1 else []
    if len(cells) != len(shape.header):
        cell = "cell" if len(cells) == 1 else "cells"
        return cells, f"{len(cells)} {cell} where the header has {len(shape.header)}"
    return cells, ""


def is_utf8(raw: bytes) -> bool:
    """Whether these bytes are text."""
    try:
        return raw.isascii() or raw.decode() is not None
    except UnicodeDecodeError:
        return False


def _logical(stream: BinaryIO, shape: Table, limit: int) -> Iterator[tuple[bytes, str]]:
    """Rows as bytes: lines joined while a quote is open, up to the limit.

    A quote that is never closed, or closed where that gives no row of the table, costs its own line
    and not those behind it.
    """
    source = (piece for batch in lines(stream, limit, blank=True) for piece in batch)
    again: deque[Piece] = deque()
    held: list[Piece] = []
    size = 0
    while True:
        piece = again.popleft() if again else next(source, None)
        if piece is None and not held:
            return
        if piece is not None:
            odd = not piece.fault and piece.raw.count(b'"') % 2 == 1
            if not held and not odd:
                if piece.fault or not (piece.raw == b"" or piece.raw.isspace()):
                    yield piece.raw, piece.fault
                continue
            held.append(piece)
            size += piece.length + 1
            closes = odd and len(held) > 1
            if closes and not _cells(whole := _joined(held), shape)[1]:
                yield whole, ""
                held, size = [], 0
                continue
            if not closes and not piece.fault and size <= limit and len(held) <= _HELD:
                continue
        yield held[0].raw, "a quote is never closed"
        again.extendleft(reversed(held[1:]))
        held, size = [], 0


def _joined(pieces: Sequence[Piece]) -> bytes:
    """Lines with the ends that they had."""
    parts = [pieces[0].raw]
    for before, piece in pairwise(pieces):
        crlf = piece.offset - before.offset - before.length == 2
        parts += [b"\r\n" if crlf else b"\n", piece.raw]
    return b"".join(parts)


def _join(texts: Iterable[str]) -> Iterator[str]:
    held = ""
    for text in texts:
        held = f"{held}\n{text}" if held else text
        if held.count('"') % 2 == 0:
            yield held.removesuffix("\r")
            held = ""
    if held:
        yield held.removesuffix("\r")
