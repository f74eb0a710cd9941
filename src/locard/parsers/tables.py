# SPDX-License-Identifier: Apache-2.0
"""Tables as text (CSV and its kin): their header, how they are written, and their rows.

What may stand above the header: the line `sep=;` that Excel takes for the delimiter, and comments.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, NamedTuple

from locard.parsers.records import BATCH, BOM, Piece, lines

FIRST_MOST = 64 << 10
"""Bytes from which on the first bytes of a file may not be all of it."""
_DELIMITERS = ",\t;|"
_COMMENTS = 100
"""Most lines above a header, blank ones with them."""


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of a table are written."""

    delimiter: str
    header: tuple[str, ...]
    end: bytes = b"\n"
    """What ends a row."""
    begin: int = 0
    """Where the header begins, in bytes: what is above it is no part of the table."""


def table(first: bytes) -> Table | None:
    """The table that these bytes begin, or None when they are none with names of columns."""
    end = line_end(first)
    if len(first) >= FIRST_MOST and end not in first:
        return None  # what is seen of the header is not all of it
    told, begin = _told(first, end)
    if told and (found := _shape(first[begin:], end, told)):
        return Table(found[0], distinct(found[1]), end, begin)
    return _below_comments(first, end) or _table(_shape(first, end, _DELIMITERS), end)


def _table(found: tuple[str, list[str], int] | None, end: bytes) -> Table | None:
    return Table(found[0], distinct(found[1]), end) if found else None


def line_end(first: bytes) -> bytes:
    """What ends a line: CR alone where nothing else does, as in files of old Macs and of Excel.

    Line ends in quotes do not count: there Excel keeps those of a cell, whatever ends its rows.
    """
    if b"\r" not in first:
        return b"\n"
    seen = first[:-1] if len(first) >= FIRST_MOST else first  # a line feed may follow the last
    outside = b"".join(seen.split(b'"')[::2])
    return b"\r" if b"\r" in outside and b"\n" not in outside else b"\n"


def _told(first: bytes, end: bytes) -> tuple[str, int]:
    """The delimiter that a line `sep=;` names, and where the line behind it begins."""
    line, _, _ = first[:64].removeprefix(BOM).partition(end)
    text = line.removesuffix(b"\r").strip(b'"')
    delimiter = text[4:].decode("ascii", "replace")
    if text[:4].lower() != b"sep=" or len(delimiter) != 1 or not _delimits(delimiter):
        return "", 0
    return delimiter, first.index(end) + 1 if end in first else len(first)


def _delimits(letter: str) -> bool:
    return letter == "\t" or (letter.isascii() and letter.isprintable() and not letter.isalnum())


def _below_comments(first: bytes, end: bytes) -> Table | None:
    """A table below lines that begin with `#`, where it surely is one.

    Mostly such a line is the header itself. So the line below has to hold names and no values, a
    row has to follow that has as many cells, and no comment may have as many.
    """
    begin = len(BOM) if first.startswith(BOM) else 0
    comments: list[str] = []
    for _ in range(_COMMENTS):
        stop = first.find(end, begin)
        line = first[begin:stop] if stop >= 0 else b""
        if line.startswith(b"#"):
            comments.append(line.decode(errors="replace"))
        elif stop < 0 or line.strip():
            break
        begin = stop + 1
    found = _shape(first[begin:], end, _DELIMITERS) if comments else None
    if found is None:
        return None
    delimiter, names, alike = found
    named = all(name[:1].isalpha() or name[:1] in ("_", "@") for name in names)
    header = any(len(_split(line, delimiter)) == len(names) for line in comments)
    cut = len(first) >= FIRST_MOST and first.count(end, begin) == 1
    if not named or header or not (alike or cut) or len(set(names)) < len(names):
        return None
    return Table(delimiter, tuple(names), end, begin)


def _shape(first: bytes, end: bytes, delimiters: str) -> tuple[str, list[str], int] | None:
    """The delimiter, the names in the first row, and how many of the next have as many cells."""
    text = first.removeprefix(BOM).decode(errors="replace")
    records = [piece for piece in _join(text.split(end.decode())[:50], end) if piece.strip()]
    if not records:
        return None
    best: tuple[int, str, list[str], int] | None = None
    for delimiter in delimiters:
        read = [_split(record, delimiter) for record in records[:10]]
        width = len(read[0])
        if width < 2:
            continue
        same = sum(len(row) == width for row in read[:-1]) or 1
        score = same * 1000 + min(width, 999)
        if best is None or score > best[0]:
            best = (score, delimiter, read[0], sum(len(row) == width for row in read[1:]))
    if best is None:
        return None
    names = [name.strip() for name in best[2]]
    real = [name for name in names if name and not name[0].isdigit()]
    if len(real) * 2 <= len(names) or any(len(name) > 200 for name in names):
        return None
    return best[1], names, best[3]


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
    source = (
        piece
        for batch in lines(stream, limit, blank=True, end=shape.end)
        for piece in batch
        if piece.offset >= shape.begin
    )
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
            if closes and not _cells(whole := _joined(held, shape.end), shape)[1]:
                yield whole, ""
                held, size = [], 0
                continue
            if not closes and not piece.fault and size <= limit and len(held) <= _HELD:
                continue
        yield held[0].raw, "a quote is never closed"
        again.extendleft(reversed(held[1:]))
        held, size = [], 0


def _joined(pieces: Sequence[Piece], end: bytes) -> bytes:
    """Lines with the ends that they had."""
    parts = [pieces[0].raw]
    for before, piece in pairwise(pieces):
        crlf = piece.offset - before.offset - before.length == 2
        parts += [b"\r\n" if crlf else end, piece.raw]
    return b"".join(parts)


def _join(texts: Iterable[str], end: bytes) -> Iterator[str]:
    held = ""
    for text in texts:
        held = f"{held}{end.decode()}{text}" if held else text
        if held.count('"') % 2 == 0:
            yield held.removesuffix("\r")
            held = ""
    if held:
        yield held.removesuffix("\r")
