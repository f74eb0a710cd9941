# SPDX-License-Identifier: Apache-2.0
"""The CSV of log2timeline, which Plaso's psort still writes as `l2tcsv`: seventeen fields a line.

A comma inside of a field was replaced when it was written, and a quotation mark was not escaped: so
a line is cut at its commas, and read as quoted CSV only where that gives another number of fields.
Times are whole seconds in the zone that the line names, mostly by an abbreviation. Source: Plaso,
output module `l2tcsv`; log2timeline, "l2t_csv" on the Forensics Wiki.
"""

import csv
from functools import lru_cache

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.mapping import compile_columns, fill
from locard.parsers.records import Piece, lines
from locard.parsers.rows import Rows
from locard.parsers.structured import Found
from locard.parsers.tables import line_end
from locard.parsers.times import SECOND, NoSuchZone, NotATime, abbreviation, text, written

HEADER = (
    "date", "time", "timezone", "MACB", "source", "sourcetype", "type", "user", "host", "short",
    "desc", "version", "filename", "inode", "notes", "format", "extra",
)  # fmt: skip
_HEADER = ",".join(HEADER).lower().encode()
_FORM = "%m/%d/%Y %H:%M:%S"
_UTC = ("", "-", "UTC", "GMT", "Z")
_AHEAD = {
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9,
    "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9,
    "AKDT": -8, "HST": -10, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Hours ahead of UTC of abbreviations that mean one zone only; CST, IST and BST mean several."""

_COLUMNS = {
    "time_meaning": "type",
    "message": {"from": ["desc", "short"]},
    "host": "host",
    "actor": "user",
    "file": "filename",
}
_TIMED = compile_columns({"time": {"from": "locard.time", "as": "timestamp"}, **_COLUMNS})
_TIMELESS = compile_columns(_COLUMNS)


def recognise(head: Head) -> Match:
    """By the header."""
    first = head.first.partition(line_end(head.first))[0]
    return Match(93, "the header of log2timeline CSV") if _header(first) else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for each line below the header; see `contract`."""
    end = line_end(opened.first)
    for batch in lines(opened.stream(), context.limits.record_bytes, end=end):
        found = [
            _found(piece, context.zone)
            for piece in batch
            if context.only in (None, piece.locator) and (piece.fault or not _header(piece.raw))
        ]
        fill(_TIMED, [item for item, timed in found if timed], rows, context)
        fill(_TIMELESS, [item for item, timed in found if not timed], rows, context)


def _header(line: bytes) -> bool:
    line = line.removeprefix(b"\xef\xbb\xbf").strip()
    return line.lower() == _HEADER


def _found(piece: Piece, zone: str) -> tuple[Found, bool]:
    """One line as names and values; False when it says that there is no time."""
    if piece.fault:
        return Found({}, piece.raw, piece.locator, piece.fault), True
    line = piece.raw.decode(errors="replace").rstrip("\r\n")
    cells = line.split(",")
    if len(cells) != len(HEADER):
        cells = _quoted(line)
    if len(cells) != len(HEADER):
        fault = f"a line of {len(cells)} fields where log2timeline CSV has {len(HEADER)}"
        return Found({"desc": line}, piece.raw, piece.locator, fault), True
    record = {name: cell for name, cell in zip(HEADER, cells, strict=True) if cell not in ("", "-")}
    date, clock, name = (record.pop(key, "") for key in ("date", "time", "timezone"))
    if date.startswith("00/00/0000"):
        return Found(record, piece.raw, piece.locator), False
    fault = ""
    try:
        record["locard.time"] = _time(f"{date} {clock}", name, zone)
    except NotATime as error:
        fault = f"no time can be read from {f'{date} {clock} {name}'[:80]!r}: {error}"
    return Found(record, piece.raw, piece.locator, fault), True


def _quoted(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return line.split(",")


@lru_cache(maxsize=4096)
def _time(when: str, name: str, zone: str) -> str:
    """ISO time of what a line says; raises `NotATime`."""
    local = written(when, _FORM)
    if name.upper() in _UTC:
        return text(local)
    if name == abbreviation(local, zone):
        return text(written(when, _FORM, zone))
    if (hours := _AHEAD.get(name.upper())) is not None:
        return text(local - hours * 3600 * SECOND)
    try:
        return text(written(when, _FORM, name))
    except NoSuchZone as error:
        raise NotATime(
            f"the zone {name[:20]!r} means several or none; add it again with --zone"
        ) from error
