# SPDX-License-Identifier: Apache-2.0
"""Where a Linux artefact was found, and how its records become rows.

The same readers serve a loose file and a file inside a disk image: only the place differs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from locard.model.errors import Unreadable
from locard.parsers.contract import HOME, Context, Limits, Opened
from locard.parsers.linux.accounts import owner_of
from locard.parsers.rows import Rows

_INT64 = 1 << 63
_CHUNK = 1 << 20
_SMALL = 4096
BREAKS = (Unreadable, EOFError, OSError, ValueError)
"""What reading raises where a file breaks off: a damaged layer, an image cut short."""
KEPT_OF_LONG_RECORDS = 64 << 10
"""A record beyond the limit keeps this many bytes."""


@dataclass(frozen=True, slots=True)
class Place:
    """One artefact: what its rows have in common."""

    source: str
    """Id that its rows carry, such as `linux.auth`."""
    path: str
    """Path of the file for people; the `file` column."""
    prefix: str = ""
    """What its locators begin with: volume and path inside an image, nothing for a loose file."""
    host: str = ""
    zone: str = "UTC"
    """IANA zone for times that name none."""
    modified: int | None = None
    """UTC nanoseconds."""
    owner: str = ""
    """Account whose home the file lies in, when the path says so."""
    only: str | None = None
    """The one locator that is wanted; other records are passed over."""
    limits: Limits = field(default_factory=Limits)

    def locator(self, position: int | str) -> str:
        """Where a record is: the place, `#`, and a byte offset (or a name that the file gives)."""
        return f"{self.prefix}#{position}"

    def row(
        self,
        rows: Rows,
        position: int | str,
        attributes: Mapping[str, str] | None = None,
        **values: Any,
    ) -> None:
        """Append one record that was read.

        A time outside what 64 bits of nanoseconds hold (1677 to 2262) is left out and named as the
        row's problem, since it cannot be shown on a timeline.
        """
        locator = self.locator(position)
        if self.only is not None and locator != self.only:
            return
        when = values.get("time")
        if when is not None and not -_INT64 < when < _INT64:
            values["time"] = None
            values["problem"] = f"the time {when} ns since 1970 is outside 1677 to 2262"
        values.setdefault("host", self.host)
        values.setdefault("file", self.path)
        for name, value in values.items():
            if type(value) is str:
                values[name] = sound(value)
        rows.row(
            source=self.source,
            provider="linux",
            locator=locator,
            attributes=tuple((sound(k), sound(v)) for k, v in (attributes or {}).items()),
            **values,
        )

    def problem(self, rows: Rows, position: int | str, problem: str, raw: bytes = b"") -> None:
        """Append a record that could not be read."""
        self.row(
            rows,
            position,
            raw=raw[:KEPT_OF_LONG_RECORDS],
            problem=problem,
            message=text(raw[:1024]),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text file, without its line end."""

    offset: int
    """Bytes from the start of the decoded file."""
    data: bytes
    """At most the record limit."""
    length: int
    """Bytes that the line really has."""


def loose(opened: Opened, context: Context, source: str) -> Place:
    """The place of a file that was added by itself."""
    return Place(
        source=source,
        path=opened.name,
        host=context.host,
        zone=context.zone,
        modified=context.modified,
        owner=context.accounts.get(HOME, owner_of(opened.name)),
        only=context.only,
        limits=context.limits,
    )


def text(data: bytes) -> str:
    """Text for a person: UTF-8 with bytes that are not shown as `\\xNN`, and no NUL."""
    return data.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def sound(value: str) -> str:
    """Text that can be stored: lone surrogates, which JSON can spell, become visible."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def printable(name: str) -> str:
    """A path as a library gave it, without the lone surrogates that stand for odd bytes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of `stream`. Where it breaks off it raises one of `BREAKS`, behind all good bytes.

    A disk that cannot be read at one place refuses all of a large piece around it, so the last
    piece is read once more in small ones.
    """
    position = 0
    while True:
        try:
            chunk = stream.read(_CHUNK)
        except BREAKS:
            if not stream.seekable():
                raise
            stream.seek(position)
            while chunk := stream.read(_SMALL):
                yield chunk
            return
        if not chunk:
            return
        yield chunk
        position += len(chunk)


def lines(stream: BinaryIO, place: Place, rows: Rows) -> Iterator[Line]:
    """The lines of `stream`, whatever their length and in bounded memory.

    When the stream breaks (a damaged layer, an image cut short) the lines so far come out, then a
    problem row names the byte where it broke.
    """
    limit = place.limits.record_bytes
    start = length = position = 0
    pieces: list[bytes] = []
    try:
        for chunk in chunks(stream):
            begin = 0
            while (end := chunk.find(b"\n", begin)) >= 0:
                piece = chunk[begin:end]
                length += len(piece)
                data = b"".join(pieces) + piece if pieces else piece
                yield Line(start, data[:limit], length)
                begin, pieces, length = end + 1, [], 0
                start = position + begin
            rest = chunk[begin:]
            position += len(chunk)
            if rest and length < limit:
                pieces.append(rest)
            length += len(rest)
    except BREAKS as fault:
        if length:
            yield Line(start, b"".join(pieces)[:limit], length)
        place.problem(
            rows, f"broken@{position}", f"the file breaks off at byte {position}: {fault}"
        )
        return
    if length:
        yield Line(start, b"".join(pieces)[:limit], length)


def too_long(line: Line, place: Place, rows: Rows) -> bool:
    """Whether the line is beyond the limit; if so it has become a problem row."""
    if line.length <= place.limits.record_bytes:
        return False
    place.problem(
        rows,
        line.offset,
        f"a record of {line.length} bytes is longer than the limit of "
        f"{place.limits.record_bytes}; its first {KEPT_OF_LONG_RECORDS} bytes are kept",
        line.data,
    )
    return True
