# SPDX-License-Identifier: Apache-2.0
"""7z archives through py7zr.

Its own `extract` joins member names to the working folder and stops at the first odd one, so the
blocks of the archive are gone through here, and every member is written to the parent.
"""

import lzma
import struct
import zlib
from io import BytesIO
from typing import Any, cast

import py7zr
from py7zr.archiveinfo import HeaderStreamsInfo
from py7zr.exceptions import (
    ArchiveError,
    CrcError,
    PasswordRequired,
    UnsupportedCompressionMethodError,
)
from py7zr.io import MemIO, Py7zIO, WriterFactory
from py7zr.properties import PROPERTY

from locard.model.errors import Unreadable
from locard.parsers.archive.members import Bomb, Members, first_byte
from locard.parsers.archive.moments import from_seconds
from locard.parsers.decode import CHUNK
from locard.parsers.opened import Evidence

_BROKEN = (
    ArchiveError, lzma.LZMAError, zlib.error, struct.error, EOFError, OSError, ValueError,
    IndexError, KeyError, TypeError, AttributeError, AssertionError, OverflowError,
)  # fmt: skip
"""What py7zr raises on damaged archives: it was tried with mutated ones (tests)."""
LINK_MOST = 4096


class _Member(Py7zIO):
    """Takes what py7zr decodes of one member."""

    def __init__(self, members: Members, entry: Any) -> None:
        self.members = members
        self.entry = entry
        self.link = bool(entry.is_symlink or entry.is_junction)
        self.target = b""
        self.length = 0
        self.open = False

    def begin(self) -> None:
        """The member's turn has come."""
        if not self.link:
            self.members.begin(self.entry.filename, self.entry.uncompressed, _modified(self.entry))
            self.open = True

    def write(self, s: bytes | bytearray) -> int:
        self.length += len(s)
        if self.link:
            self.target = (self.target + bytes(s[:LINK_MOST]))[:LINK_MOST]
            return len(s)
        # py7zr decodes up to 128 MB at once; a frame to the parent holds far less.
        whole = memoryview(s)
        try:
            for at in range(0, len(s), CHUNK):
                self.members.data(bytes(whole[at : at + CHUNK]))
        except Bomb:
            self.open = False
            raise
        return len(s)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def flush(self) -> None:
        """Nothing is held back."""

    def size(self) -> int:
        return self.length

    def finish(self, problem: str = "") -> None:
        """The member is over."""
        if self.link and problem:
            self.members.refuse(self.entry.filename, problem)
        elif self.link:
            target = self.target.decode("utf-8", "backslashreplace")
            self.members.pass_link(self.entry.filename, target)
        elif self.open:
            self.members.end(problem)
        self.open = False


class _Turn(WriterFactory):
    """Gives py7zr the member whose turn it is, and ends the one before."""

    def __init__(self, members: Members) -> None:
        self.members = members
        self.entries: dict[str, Any] = {}
        self.current: _Member | None = None
        self.met: set[str] = set()
        """Those whose turn has come."""

    def create(self, filename: str) -> Py7zIO:
        self.finish()
        self.met.add(filename)
        self.current = _Member(self.members, self.entries[filename])
        self.current.begin()
        return self.current

    def finish(self, problem: str = "") -> None:
        """End the member at work."""
        current, self.current = self.current, None
        if current is not None:
            current.finish(problem)

    def give_up(self, files: list[Any], why: str) -> str:
        """End the member at work, and name each behind it in its block, which nobody can reach."""
        self.finish(why)
        for entry in files:
            if str(entry.id) in self.entries.keys() - self.met:
                self.members.refuse(entry.filename, f"{why} It is in one block with others.")
        return why


def unpack(opened: Evidence, members: Members) -> None:
    """All members. Raises `Unreadable` when the archive is encrypted, cut short or damaged."""
    try:
        archive = py7zr.SevenZipFile(cast(Any, opened.seekable()), "r")
    except PasswordRequired:
        raise Unreadable("The 7z archive is encrypted.") from None
    except _BROKEN as error:
        volume = opened.name.endswith(".001")
        raise Unreadable(
            f"The 7z archive is cut short or damaged ({_why(error)}).",
            "It is the first of several volumes: join them (cat NAME.7z.* > NAME.7z) and add that."
            if volume
            else "",
        ) from None
    turn = _Turn(members)
    worker: Any = archive.worker
    for entry in cast(Any, archive.files):
        if entry.is_directory:
            continue
        if entry.is_socket:
            members.refuse(entry.filename, "A socket or another special file.")
            continue
        key = str(entry.id)
        turn.entries[key] = entry
        worker.register_filelike(entry.id, MemIO(key, turn))
    damage = [
        text for text in (_block(archive, worker, turn, *b) for b in _blocks(archive)) if text
    ]
    _tell_unnamed(archive, opened, members)
    if damage:
        raise Unreadable(f"Parts of the 7z archive could not be read: {damage[0]}")


def _tell_unnamed(archive: Any, opened: Evidence, members: Members) -> None:
    """Bytes that belong to no member and to no header: hidden ones, deleted ones, another archive.

    Zeros are what a device or a download fills up with.
    """
    reader = opened.seekable()
    end = 0
    for start, stop in [*sorted(_spans(archive)), (opened.size, opened.size)]:
        first = first_byte(reader, end, start)
        if first is not None:
            behind = "behind its end" if start == opened.size else "between its members"
            members.run.problem(
                f"The 7z archive holds {start - first:,} bytes {behind} that nothing in it names, "
                f"from byte {first:,} on: hidden or deleted ones, or another archive. "
                "They were not read."
            )
        end = max(end, stop)


def _spans(archive: Any) -> list[tuple[int, int]]:
    """Where headers and stored blocks stand, from and to (7zFormat.txt of the LZMA SDK)."""
    told, base = archive.sig_header, archive.afterheader
    place = base + told.nextheaderofs
    spans = [(0, base), (place, place + told.nextheadersize)]
    packs = [getattr(archive.header, "main_streams", None)]
    archive.fp.seek(place)
    header = BytesIO(archive.fp.read(told.nextheadersize))
    if header.read(1) == PROPERTY.ENCODED_HEADER:
        packs.append(HeaderStreamsInfo.retrieve(header))
    for one in packs:
        if one is not None and one.packinfo is not None:
            start = base + one.packinfo.packpos
            spans.append((start, start + sum(one.packinfo.packsizes)))
    return spans


def _blocks(archive: Any) -> list[tuple[Any, int, int]]:
    """Files and stored bytes of each block; the empty files are a block of their own."""
    empty = [entry for entry in archive.files if entry.emptystream]
    blocks: list[tuple[Any, int, int]] = [(empty, 0, 0)]
    streams = getattr(archive.header, "main_streams", None)
    if streams is None:
        return blocks
    start, places = archive.worker.src_start, streams.packinfo.packpositions
    for index, folder in enumerate(streams.unpackinfo.folders):
        at = sum(len(one.packed_indices) for one in streams.unpackinfo.folders[:index])
        after = at + len(folder.packed_indices)
        blocks.append((folder.files, start + places[at], start + places[after]))
    return blocks


def _block(archive: Any, worker: Any, turn: _Turn, files: Any, start: int, end: int) -> str:
    """One block's members; why it broke off, or empty."""
    files = [one for one in files or () if one.emptystream == (end == 0)]
    try:
        worker.extract_single(archive.fp, files, None, start, end, None, None, True)
        turn.finish()
    except Bomb:
        raise
    except PasswordRequired:
        return turn.give_up(files, "The member is encrypted.")
    except UnsupportedCompressionMethodError:
        return turn.give_up(files, "Its compression method is not known here.")
    except _BROKEN as error:
        return turn.give_up(files, f"The member is damaged ({_why(error)}).")
    return ""


def _modified(entry: Any) -> int | None:
    stamp = entry.lastwritetime
    return from_seconds(stamp.totimestamp()) if stamp is not None else None


def _why(error: BaseException) -> str:
    if isinstance(error, CrcError):
        return "the checksum differs"
    return " ".join(str(error).split())[:200] or type(error).__name__
