# SPDX-License-Identifier: Apache-2.0
"""AWS CloudTrail in every form that it comes in.

What S3 delivers is decoded in one go when it fits into memory. Everything else, and everything
that is damaged, goes through the cutter, which needs no more memory than the longest record.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, BinaryIO, cast

import msgspec

from locard.model.errors import Unreadable
from locard.parsers.aws.cloudtrail import results
from locard.parsers.aws.cloudtrail.columns import put
from locard.parsers.aws.cloudtrail.exports import (
    LISTS,
    PREFIX,
    is_record,
    of_cells,
    plain_name,
    unwrap,
)
from locard.parsers.aws.cloudtrail.nested import LIST_KEY, inside, lists, nested, of_list
from locard.parsers.aws.cloudtrail.parts import Memory
from locard.parsers.aws.cloudtrail.record import Reading
from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.damage import separate
from locard.parsers.elements import elements
from locard.parsers.records import BATCH, KEPT, Piece, byte_locators, lines, wanted
from locard.parsers.rows import Rows
from locard.parsers.strict_json import BadRecord
from locard.parsers.structured import one_each
from locard.parsers.tables import Table, csv_rows, line_end, table

_WHOLE = 128 << 20
"""Documents up to this many bytes are decoded in memory."""
_PORTION = 8 << 20
"""Bytes of records that are taken apart at once: that takes a dozen times as many."""
_RECORDS = re.compile(rb'\s*\{\s*"Records"\s*:\s*\[\s*')
_LAST = re.compile(rb"\s*\]\s*\}\s*")
_LISTED = re.compile(rb'\s*\{\s*"(?:' + "|".join(LISTS).encode() + rb')"\s*:\s*\[')
_SOURCE = re.compile(rb'\\*"eventSource\\*"\s*:')
_NAME = re.compile(rb'\\*"eventName\\*"\s*:')
_COLUMNS = {
    "eventname", "eventtime", "eventsource", "awsregion", "useridentity", "eventid",
    "sourceipaddress", "useragent", "requestid", "eventversion", "username", "awsaccesskey",
}  # fmt: skip
_CARRIERS = {"raw", "eventjson", "cloudtrailevent", "message"}


class _File(msgspec.Struct):
    Records: list[msgspec.Raw]


_FILE = msgspec.json.Decoder(_File)
_MEMORY = Memory()
"""Kept from file to file: the files of a trail tell of the same people. What it says of a value
follows from the bytes of that value alone."""


def recognise(head: Head) -> Match:
    """By field names that only CloudTrail has, in JSON or in the header of a table."""
    first = head.first
    start = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        if _SOURCE.search(first) and _NAME.search(first):
            if _RECORDS.match(first):
                return Match(95, 'a "Records" list with CloudTrail fields')
            if b'"CloudTrailEvent"' in first:
                return Match(93, "LookupEvents output")
            return Match(88, "JSON with CloudTrail fields")
        if re.fullmatch(rb'\s*\{\s*"Records"\s*:\s*\[\s*\]\s*\}\s*', first):
            return Match(40, 'an empty "Records" list')
        if b'"EventName"' in first and b'"EventSource"' in first and b'"EventId"' in first:
            return Match(85, "LookupEvents output")
        if results.recognised(first):
            return Match(86, "a table with CloudTrail columns, as Athena answers with it")
        if b'"QueryResultRows"' in first and b'"eventName"' in first:
            return Match(80, "results of a CloudTrail Lake query")
        if b'"insightEventName"' in first and b'"insightEventSource"' in first:
            return Match(85, "Insights events as CloudTrail Lake holds them")
        if b'"insightDetails"' in first and b'"AwsCloudTrailInsight"' in first:
            return Match(85, "Insights events of CloudTrail")
        return NO
    if PREFIX.match(first) and all(name.search(first) for name in (_SOURCE, _NAME)):
        return Match(88, "CloudTrail events as CloudWatch Logs exports them")
    shape = _shape(first)
    if shape is None:
        return NO
    names = {plain_name(name).partition(".")[0] for name in shape.header}
    if names & _CARRIERS and b"eventSource" in first and b"eventName" in first:
        return Match(86, "a table with CloudTrail records in a column")
    if names & {"eventname", "insighteventname"} and len(names & _COLUMNS) >= 4:
        return Match(84, "a table with CloudTrail columns")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for each record; see `contract`."""
    first = opened.first
    prefixed = PREFIX.match(first) is not None
    if not prefixed and first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
        _table(opened, rows, context, first)
        return
    if not prefixed and results.recognised(first):
        _answer(opened, rows, context)
        return
    if context.only is not None and _one(opened, rows, context):
        return
    if prefixed:
        for batch in lines(opened.stream(), context.limits.record_bytes):
            _put(rows, batch, context.only)
        return
    if _RECORDS.match(first) and context.only is None and _delivered(opened, rows, context):
        return
    digest = hashlib.sha256()
    hashed = _Hashed(opened.stream(), digest)
    for batch in _json(cast(BinaryIO, hashed), first, context.limits.record_bytes):
        _put(rows, batch, context.only)
    if not hashed.broken:
        rows.facts["decoded_sha256"] = digest.hexdigest()


def _delivered(opened: Opened, rows: Rows, context: Context) -> bool:
    """The form that S3 delivers, intact and small enough; False when it is not that."""
    try:
        data = opened.whole(_WHOLE)
        if data is None:
            return False
        records = _FILE.decode(data).Records
    except (Unreadable, EOFError, msgspec.DecodeError, RecursionError):
        return False
    begin = _RECORDS.match(data)
    if begin is None:
        return False
    raws = list(map(bytes, records))
    places = _places(data, begin.end(), raws)
    if places is None or max(map(len, raws), default=0) > context.limits.record_bytes:
        return False
    for start, end in _portions(raws):
        part = raws[start:end]
        put(rows, part, byte_locators(places[start:end], list(map(len, part))), _MEMORY)
    rows.facts["decoded_sha256"] = hashlib.sha256(data).hexdigest()
    return True


def _portions(raws: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """What is read at once: first and end of at most `BATCH` records of about `_PORTION` bytes."""
    start = held = 0
    for number, raw in enumerate(raws):
        if number - start == BATCH or (held and held + len(raw) > _PORTION):
            yield start, number
            start, held = number, 0
        held += len(raw)
    if raws:
        yield start, len(raws)


def _places(data: bytes, begin: int, raws: Sequence[bytes]) -> Sequence[int] | None:
    """Where the elements of a list stand that begins at `begin` and ends the document.

    None when the document says more than that.
    """
    # What was decoded as a list of these has a separator between any two. When one byte for each
    # makes the list end where the document does, no separator is longer.
    ends = list(accumulate(map(len, raws)))
    position = begin + ends[-1] + len(raws) - 1 if raws else begin
    if _LAST.fullmatch(data, position):
        return [
            begin + end - len(raw) + n for n, (end, raw) in enumerate(zip(ends, raws, strict=True))
        ]
    places: list[int] = []
    position = begin
    for raw in raws:
        if not data.startswith(raw, position):
            position += 1
            while data[position : position + 1] in (b",", b" ", b"\n", b"\r", b"\t"):
                position += 1
            if not data.startswith(raw, position):
                return None
        places.append(position)
        position += len(raw)
    return places if _LAST.fullmatch(data, position) else None


def _json(stream: BinaryIO, first: bytes, limit: int) -> Iterator[list[Piece]]:
    """Pieces of any JSON form; lists inside of single lines are cut further."""
    line, end, _ = first.partition(b"\n")
    if end and not _LISTED.match(line) and _complete(line):
        for batch in one_each(lines(stream, limit), limit):
            cut: list[Piece] = []
            for piece in batch:
                if not piece.fault and LIST_KEY.search(piece.raw):
                    cut += inside(piece, limit)
                else:
                    cut += of_list(piece, limit)
            yield cut
        return
    for batch in elements(stream, limit, LISTS, is_record):
        yield [
            inner
            for piece in batch
            for inner in (
                of_list(piece, limit)
                if piece.fault or not nested(piece.raw)
                else lists(piece, limit)
            )
        ]


def _complete(line: bytes) -> bool:
    try:
        msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"), type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return line.strip() not in (b"[", b"{")


def _put(rows: Rows, pieces: list[Piece], only: str | None, again: bool = True) -> None:
    kept: list[Piece] = []
    inner: list[Reading | BadRecord] = []
    for piece in pieces:
        if piece.fault:
            found: list[tuple[Piece, Reading | BadRecord]] = [(piece, BadRecord(piece.fault))]
        else:
            found = _read(piece, again)
        for part, reading in found:
            if only is None or part.locator == only:
                kept.append(part)
                inner.append(reading)
    put(rows, [p.raw for p in kept], [p.locator for p in kept], _MEMORY, inner)


def _read(piece: Piece, again: bool) -> list[tuple[Piece, Reading | BadRecord]]:
    try:
        return [(piece, unwrap(piece.raw, _MEMORY))]
    except BadRecord as error:
        listed = piece.where and piece.raw.startswith(b"[")  # whole: no damage to look behind
        if again and not listed and piece.raw.count(b'"eventTime"') > 1:
            parts = separate(piece, is_record)
            if any(not part.fault for part in parts):
                return [
                    (part, BadRecord(part.fault)) if part.fault else _read(part, False)[0]
                    for part in parts
                ]
        return [(piece, error)]


def _one(opened: Opened, rows: Rows, context: Context) -> bool:
    """The one record that a proof wants, read at its place; False when it takes a whole parse."""
    place = wanted(context.only, "byte")
    if place is None or not 0 < place[1] <= context.limits.record_bytes:
        return False
    start, length = place
    try:
        with opened.stream() as stream:
            left = start
            while left:
                chunk = stream.read(min(left, 1 << 20))
                if not chunk:
                    return False
                left -= len(chunk)
            raw = b""
            while len(raw) < length + 1 and (chunk := stream.read(length + 1 - len(raw))):
                raw += chunk
    except (Unreadable, EOFError):
        return False
    if len(raw) <= length:
        return False
    try:
        reading = unwrap(raw[:length], _MEMORY)
    except BadRecord:
        return False
    put(rows, [raw[:length]], [context.only or ""], _MEMORY, [reading])
    return True


def _table(opened: Opened, rows: Rows, context: Context, first: bytes) -> None:
    shape = _shape(first)
    if shape is None:
        limit = context.limits.record_bytes
        for pieces in lines(opened.stream(), limit):
            for piece in pieces:
                if context.only is None or piece.locator == context.only:
                    fault = piece.fault or "neither JSON nor a table with a header"
                    rows.problem(fault, piece.raw, piece.locator)
        return
    place = wanted(context.only, "row")
    for batch in csv_rows(opened.stream(), shape, context.limits.record_bytes):
        kept = [row for row in batch if place is None or row.number == place[0]]
        inner = [_cells(row.fault, row.cells, shape.header, row.oddity) for row in kept]
        put(rows, [r.raw for r in kept], [r.locator for r in kept], _MEMORY, inner)


def _answer(opened: Opened, rows: Rows, context: Context) -> None:
    """The table in an answer of Athena."""
    place = wanted(context.only, "row")
    try:
        kept = [row for row in results.answered(opened) if place is None or row.number == place[0]]
    except BadRecord as error:
        rows.problem(str(error), opened.first[:KEPT], "row=1")
        return
    inner = [_cells(row.fault, list(row.cells.values()), tuple(row.cells)) for row in kept]
    for at in range(0, len(kept), BATCH):
        part = kept[at : at + BATCH]
        found = inner[at : at + BATCH]
        put(rows, [row.raw for row in part], [row.locator for row in part], _MEMORY, found)


def _shape(first: bytes) -> Table | None:
    """The header of a table; one column is enough when it is called as one that holds records."""
    end = line_end(first)
    name = first.removeprefix(b"\xef\xbb\xbf").partition(end)[0].strip().strip(b'"')
    if name.isascii() and plain_name(name.decode()) in _CARRIERS:
        return Table(",", (name.decode(),), end)
    return table(first)


def _cells(
    fault: str, cells: list[str], header: tuple[str, ...], oddity: str = ""
) -> Reading | BadRecord:
    if fault:
        return BadRecord(fault)
    try:
        found = of_cells(dict(zip(header, cells, strict=True)), _MEMORY)
    except BadRecord as error:
        return error
    found.fault = "; ".join(filter(None, (oddity, found.fault)))
    return found


class _Hashed:
    """A stream that feeds a digest with what is read from it."""

    def __init__(self, stream: BinaryIO, digest: Any) -> None:
        self._read: Callable[[int], bytes] = stream.read
        self._digest = digest
        self.broken = False

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._read(size)
        except (Unreadable, EOFError):
            self.broken = True
            raise
        self._digest.update(data)
        return data
