# SPDX-License-Identifier: Apache-2.0
"""Zip archives, zip64 included, whole or cut short.

Read here and not by `zipfile`, because evidence is often cut short (no directory at the end: the
members in front of the cut are still there, each behind its own header), because names must not be
interpreted, and because memory must not grow with the number of members.
PKWARE APPNOTE 6.3.10; the extra fields 0x5455 and 0x7875 are Info-ZIP's.
"""

import stat
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from isal import isal_zlib

from locard.model.errors import Unreadable
from locard.parsers.archive.compressed import DEFLATED, METHODS, Bounded, expanded
from locard.parsers.archive.members import Members, first_byte, legible
from locard.parsers.archive.moments import from_dos, from_windows
from locard.parsers.opened import Evidence

_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_FAR = struct.Struct("<4sIQI")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_COMMENT_MOST = 0xFFFF
_FULL32 = 0xFFFFFFFF
LINK_MOST = 4096
"""Longest target of a link (PATH_MAX of Linux); what is longer is none."""
_NOTHING_PACKED = 2
"""Stored bytes of what has none, deflated."""
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800


@dataclass(slots=True)
class Entry:
    """A member as one of its headers describes it."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    modified: int | None
    mode: int
    """Unix mode, 0 when the archive was made elsewhere."""
    offset: int
    """Of the local header."""


def unpack(opened: Evidence, members: Members) -> None:
    """All members. Raises `Unreadable` after those that could be read when the archive is cut."""
    reader = opened.seekable()
    end = _find_end(reader, opened.size)
    if end is None:
        _walk(reader, members)
        raise Unreadable(
            "The zip archive has no directory at its end: it is cut short. "
            "The members in front of the cut were read."
        )
    start, length, count, shift, stop = end
    spans = array("Q")
    read = 0
    for entry in _directory(reader, start, start + length, count):
        read += 1
        place = entry.offset + shift
        after = _member(reader, entry, place, members)
        spans.extend((min(place, start), min(after, start)))
    _unnamed(reader, spans, start, members)
    behind = first_byte(reader, stop, opened.size)
    if behind is not None:
        members.run.problem(
            f"There are {opened.size - behind:,} bytes behind the end of the zip archive, from "
            f"byte {behind:,} on. They were not read."
        )
    # Archives of macOS name more than 65,535 members with a count that holds 16 bits of them.
    if (read - count) % (1 << 16):
        raise Unreadable(f"The zip directory names {count} members, and {read} can be read.")


def _unnamed(reader: BinaryIO, spans: "array[int]", end: int, members: Members) -> None:
    """Members in front of the directory, at `end`, that it does not name: hidden or deleted ones.

    `spans` has the first and the last place of each member that it names.
    """
    pairs = np.frombuffer(spans, np.uint64).reshape(-1, 2) if spans else np.zeros((0, 2), np.uint64)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    over = np.concatenate(([0], np.maximum.accumulate(pairs[:, 1]))).astype(np.uint64)
    begins = np.append(pairs[:, 0], np.uint64(end))
    for gap in np.flatnonzero(begins > over + np.uint64(_LOCAL.size)).tolist():
        start = int(over[gap])
        reader.seek(start)
        # In front there may be the length of a member that was written as a stream.
        at = reader.read(64).find(b"PK\x03\x04")
        if at >= 0:
            members.run.problem(
                f"The zip directory names nothing of what begins at byte {start + at:,}: members "
                "that were hidden or deleted, or another archive. It was read all the same."
            )
            _walk(reader, members, start + at, min(int(begins[gap]), end))


def _find_end(reader: BinaryIO, size: int) -> tuple[int, int, int, int, int] | None:
    """Place and length of the directory, number of entries, how far all offsets are shifted, and

    where the archive ends.
    """
    span = min(size, _END.size + _COMMENT_MOST)
    reader.seek(size - span)
    tail = reader.read(span)
    at = len(tail)
    while (at := tail.rfind(b"PK\x05\x06", 0, at)) >= 0:
        if len(tail) - at < _END.size:
            continue
        place = size - span + at
        _, _, _, _, count, length, start, comment = _END.unpack_from(tail, at)
        stop = place + _END.size + comment
        far = _find_end64(reader, place)
        if far is not None:
            count, length, start, place = far
        shift = place - length - start
        if shift < 0 or start + shift > size:
            continue
        reader.seek(start + shift)
        if count == 0 or reader.read(4) == b"PK\x01\x02":
            return start + shift, length, count, shift, stop
    return None


def _find_end64(reader: BinaryIO, place: int) -> tuple[int, int, int, int] | None:
    if place < _FAR.size:
        return None
    reader.seek(place - _FAR.size)
    signature, _, _, _ = _FAR.unpack(reader.read(_FAR.size))
    if signature != b"PK\x06\x07" or place < _FAR.size + _END64.size:
        return None
    # The record stands right in front of its locator; its stored offset may be shifted.
    end = place - _FAR.size - _END64.size
    reader.seek(end)
    values = _END64.unpack(reader.read(_END64.size))
    if values[0] != b"PK\x06\x06":
        return None
    return values[7], values[8], values[9], end


def _directory(reader: BinaryIO, start: int, end: int, count: int) -> Iterator[Entry]:
    place = start
    while place < end or count > 0:
        count -= 1
        reader.seek(place)
        head = reader.read(_ENTRY.size)
        if len(head) < _ENTRY.size or head[:4] != b"PK\x01\x02":
            return
        (
            _, made, _, flags, method, time, date, crc, packed, size,
            name_length, extra_length, comment_length, _, _, outside, offset,
        ) = _ENTRY.unpack(head)  # fmt: skip
        name, extra = reader.read(name_length), reader.read(extra_length)
        place += _ENTRY.size + name_length + extra_length + comment_length
        fields = _fields(extra)
        wide = fields.get(1, b"")
        if size == _FULL32 and len(wide) >= 8:
            size, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        if packed == _FULL32 and len(wide) >= 8:
            packed, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        if offset == _FULL32 and len(wide) >= 8:
            offset = int.from_bytes(wide[:8], "little")
        mode = outside >> 16 if made >> 8 == 3 else 0
        yield Entry(
            _name(name, flags), flags, method, crc, packed, size,
            _modified(fields, date, time), mode, offset,
        )  # fmt: skip


def _fields(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        fields.setdefault(kind, extra[4 : 4 + length])
        extra = extra[4 + length :]
    return fields


def _name(name: bytes, flags: int) -> str:
    """UTF-8 where it says so or fits, else the code page of DOS, which takes any byte."""
    if flags & _UTF8:
        return name.decode("utf-8", "backslashreplace")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _modified(fields: dict[int, bytes], date: int, time: int) -> int | None:
    """The exact time of an extra field, else the DOS time, whose zone nobody wrote down."""
    unix = fields.get(0x5455, b"")
    if len(unix) >= 5 and unix[0] & 1:
        return int(struct.unpack_from("<i", unix, 1)[0]) * 1_000_000_000
    ntfs = fields.get(0x000A, b"")
    if len(ntfs) >= 16 and ntfs[4:8] == b"\x01\x00\x18\x00":
        return from_windows(int.from_bytes(ntfs[8:16], "little"))
    return from_dos(date, time)


def _member(reader: BinaryIO, entry: Entry, place: int, members: Members) -> int:
    """Tell one entry, the header of which is at `place`; where its stored bytes end."""
    start = _start(reader, entry, place, members)
    _tell(reader, entry, start, members)
    return place if start is None else start + entry.packed


def _start(reader: BinaryIO, entry: Entry, place: int, members: Members) -> int | None:
    """Where its stored bytes begin, behind the header at `place`; None when there is no header."""
    head = _header(reader, place)
    if not head:
        return None
    _, _, flags, method, *_, name_length, extra_length = _LOCAL.unpack(head)
    own = _name(reader.read(name_length), flags)
    said = [f"the name {own[:200]!r}"] if _slashed(own) != _slashed(entry.name) else []
    if method != entry.method:
        said.append(f"compression method {method}")
    if said and not (flags | entry.flags) & _ENCRYPTED:
        why = f"Its own header says otherwise than the zip directory: {' and '.join(said)}."
        members.run.problem(why, legible(entry.name))
    return place + _LOCAL.size + int(name_length) + int(extra_length)


def _header(reader: BinaryIO, place: int) -> bytes:
    """The fixed part of the header of a member at `place`; empty when there is none."""
    if place >= 1 << 62:
        return b""
    reader.seek(place)
    head = reader.read(_LOCAL.size)
    return head if len(head) == _LOCAL.size and head[:4] == b"PK\x03\x04" else b""


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _tell(reader: BinaryIO, entry: Entry, start: int | None, members: Members) -> None:
    """What it is called decides nothing where there are bytes: `cat x | zip` says that it holds a
    pipe, and an attacker may say what he likes."""
    if entry.name.endswith("/") and not entry.size and entry.packed <= _NOTHING_PACKED:
        return
    if entry.flags & _ENCRYPTED:
        members.refuse(entry.name, "The member is encrypted.")
        return
    kind = stat.S_IFMT(entry.mode)
    if kind == stat.S_IFLNK and entry.size <= LINK_MOST:
        _link(reader, entry, start, members)
        return
    if kind not in (0, stat.S_IFREG, stat.S_IFLNK) and not (entry.size or entry.packed):
        members.pass_over(entry.name, "a device or another special file")
        return
    if entry.method not in METHODS:
        members.refuse(entry.name, f"Compression method {entry.method} is not known here.")
        return
    members.member(entry.name, _checked(reader, entry, start), entry.size, entry.modified)


def _link(reader: BinaryIO, entry: Entry, start: int | None, members: Members) -> None:
    target = b""
    try:
        for chunk in expanded(entry.method, _source(reader, entry, start), entry.size):
            target += chunk
            if len(target) > LINK_MOST:
                break
    except Unreadable:
        members.refuse(entry.name, "A link, the target of which cannot be read.")
        return
    members.pass_link(entry.name, target[:LINK_MOST].decode("utf-8", "backslashreplace"))


def _source(reader: BinaryIO, entry: Entry, start: int | None) -> Bounded:
    if start is None:
        raise Unreadable("The member is not where the zip directory says.")
    return Bounded(reader, start, entry.packed)


def _checked(reader: BinaryIO, entry: Entry, start: int | None) -> Iterator[bytes]:
    """The content; raises `Unreadable` behind it when it is not what the directory says."""
    crc = size = 0
    source = _source(reader, entry, start)
    for chunk in expanded(entry.method, source, entry.size):
        crc = isal_zlib.crc32(chunk, crc)
        size += len(chunk)
        yield chunk
    if size != entry.size:
        raise Unreadable(f"The member has {size:,} bytes, and the archive says {entry.size:,}.")
    if crc != entry.crc:
        raise Unreadable("The member's checksum differs from the archive's.")
    if entry.method == DEFLATED and source.left:
        raise Unreadable(
            f"Behind the member's data {source.left:,} bytes follow inside of its stored length. "
            "They were not read."
        )


def _walk(reader: BinaryIO, members: Members, place: int = 0, end: int | None = None) -> None:
    """Members without a directory, one local header after the other, from `place` up to `end`."""
    while end is None or place < end:
        head = _header(reader, place)
        if not head:
            return
        _, _, flags, method, time, date, crc, packed, size, *lengths = _LOCAL.unpack(head)
        name, extra = reader.read(lengths[0]), reader.read(lengths[1])
        fields = _fields(extra)
        wide = fields.get(1, b"")
        if len(wide) >= 16 and size == _FULL32:
            size = int.from_bytes(wide[:8], "little")
            packed = int.from_bytes(wide[8:16], "little")
        start = place + _LOCAL.size + sum(lengths)
        entry = Entry(
            _name(name, flags), flags, method, crc, packed, size,
            _modified(fields, date, time), 0, place,
        )  # fmt: skip
        if flags & _DESCRIPTOR and not packed:
            place = _open_ended(reader, entry, start, members)
            if place < 0:
                return
            continue
        _member(reader, entry, place, members)
        place = start + packed


def _open_ended(reader: BinaryIO, entry: Entry, start: int, members: Members) -> int:
    """A member whose length stands behind it; where the next begins, or -1 when nobody knows."""
    if entry.flags & _ENCRYPTED or entry.method not in METHODS or entry.method == 0:
        members.refuse(entry.name, "The member's length is lost with the zip directory.")
        return -1
    source = Bounded(reader, start, None)
    members.member(entry.name, expanded(entry.method, source, None), None, entry.modified)
    place = source.place
    reader.seek(place)
    behind = reader.read(24)
    for length in (16, 12, 24, 20):
        if behind[length : length + 2] == b"PK" or len(behind) == length:
            return place + length
        reader.seek(place + length)
        if reader.read(4) == b"PK\x03\x04":
            return place + length
    return -1
