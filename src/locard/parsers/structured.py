# SPDX-License-Identifier: Apache-2.0
"""Records of JSON and CSV files as names and values, whatever the file is about."""

import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

import msgspec

from locard.parsers.contract import Context, Head, Opened
from locard.parsers.elements import elements
from locard.parsers.records import Piece, lines, unmarked, wanted
from locard.parsers.strict_json import BadRecord, kind_of, read
from locard.parsers.tables import FIRST_MOST, csv_rows, table

FORMATS = ("json", "csv")


class Found(NamedTuple):
    """One record with its place."""

    record: Mapping[str, Any]
    raw: bytes
    locator: str
    fault: str = ""


def form(first: bytes) -> str:
    """`json`, `csv`, or "" for what is neither, judged by the first bytes."""
    start = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        return "json"
    return "csv" if table(first) is not None else ""


def look(first: bytes, lists: Sequence[str] = ()) -> tuple[str, list[Mapping[str, Any]]]:
    """The form and the records in the first bytes of a file, those cut off left out."""
    kind = form(first)
    records: list[Mapping[str, Any]] = []
    limit = max(len(first), 1 << 20)
    if kind == "json":
        for pieces in _json(BytesIO(first), first, limit, lists):
            found = [as_found(piece) for piece in pieces[:100]]
            records += [item.record for item in found if item.record]
            if len(records) >= 100:
                break
    elif kind == "csv":
        shape = table(first)
        assert shape is not None
        for rows in csv_rows(BytesIO(first), shape, limit):
            records += [
                dict(zip(shape.header, row.cells, strict=True))
                for row in rows[:100]
                if not row.fault
            ]
            if len(records) >= 100:
                break
    return kind, records[:100]


def beginning(of: Head | Opened, lists: Sequence[str] = ()) -> bytes:
    """The first bytes of a file, and what follows them where they hold no whole record."""
    first = of.first
    if len(first) < FIRST_MOST or not form(first) or look(first, lists)[1]:
        return first
    return first + of.more()


def found_batches(
    opened: Opened, context: Context, lists: Sequence[str] = ()
) -> Iterator[list[Found]]:
    """All records of a file, in batches; only the one of `context.only` when that is set."""
    first = beginning(opened, lists)
    limit = context.limits.record_bytes
    only = context.only
    if form(first) == "csv":
        shape = table(first)
        assert shape is not None
        place = wanted(only, "row")
        for rows in csv_rows(opened.stream(), shape, limit):
            yield [
                Found(
                    dict(zip(shape.header, row.cells, strict=False)),
                    row.raw,
                    row.locator,
                    row.fault or row.oddity,
                )
                for row in rows
                if only is None or (place and row.number == place[0])
            ]
        return
    for pieces in _json(opened.stream(), first, limit, lists):
        yield [as_found(p) for p in pieces if only is None or p.locator == only]


def _json(stream: Any, first: bytes, limit: int, lists: Sequence[str]) -> Iterator[list[Piece]]:
    line = first.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].strip()
    names = "|".join(re.escape(name) for name in lists).encode()
    if lists and re.match(rb'\s*\{[^{]*?"(?:' + names + rb')"\s*:\s*\[', first):
        return elements(stream, limit, lists)
    if form(first) != "json" or (_whole(line) and line[:1] == b"{"):
        return one_each(lines(stream, limit), limit)
    return elements(stream, limit, lists)


def one_each(batches: Iterator[list[Piece]], limit: int) -> Iterator[list[Piece]]:
    """The lines of JSON, and in place of one that holds several records these."""
    for batch in batches:
        pieces: list[Piece] = []
        for piece in map(unmarked, batch):
            several = b"}{" in piece.raw or b"} {" in piece.raw
            if piece.fault or not several or _whole(piece.raw):
                if piece.raw or piece.fault:
                    pieces.append(piece)
                continue
            parts = [part for found in elements(BytesIO(piece.raw), limit) for part in found]
            if any(part.fault for part in parts):
                pieces.append(piece)
            else:
                pieces += [part._replace(offset=piece.offset + part.offset) for part in parts]
        yield pieces


def _whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def as_found(piece: Piece) -> Found:
    """The record that a piece of JSON holds, or why it holds none."""
    if piece.fault:
        return Found({}, piece.raw, piece.locator, piece.fault)
    faults: list[str] = []
    try:
        value = read(piece.raw, faults)
    except BadRecord as error:
        return Found({}, piece.raw, piece.locator, str(error))
    if not isinstance(value, dict):
        fault = f"{kind_of(value)} where an object was expected"
        return Found({}, piece.raw, piece.locator, fault)
    return Found(value, piece.raw, piece.locator, "; ".join(faults))
