# SPDX-License-Identifier: Apache-2.0
"""Tar archives, read as a stream through whatever layers are around them.

`tarfile` takes a broken header behind the first member for the end of the archive; here that is
told, because a cut archive must not look like a whole one, and what is behind is read. It stops at
the first end mark, too; here one archive behind another is read on, because `cat a.tar b.tar` is
what people do.
"""

import tarfile
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, cast

from locard.model.errors import Unreadable
from locard.parsers.archive.members import TARGET_MOST, Members
from locard.parsers.archive.moments import from_seconds
from locard.parsers.decode import CHUNK
from locard.parsers.opened import Evidence

_SPECIAL = {
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
}
_BROKEN = (
    tarfile.TarError, EOFError, ValueError, OverflowError, IndexError, RecursionError,
)  # fmt: skip
"""What `tarfile` raises on damaged archives."""
_EXTENDED = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip
_EXTENDED_MOST = 1 << 20
"""Bytes of names and attributes in front of a member, which `tarfile` reads into memory."""
_ENDS_MOST = 64
"""Times that `tarfile` may ask on behind the end: for the 2^62 bytes of a member, forever."""


def unpack(opened: Evidence, members: Members) -> None:
    """All members. Raises `Unreadable` after those that could be read when the archive is cut."""
    between = _Between()

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: Any, encoding: str, errors: str) -> "Header":
            try:
                found = super().frombuf(buf, encoding, errors)
            except tarfile.HeaderError as error:
                between.note(type(error).__name__, bytes(buf))
                raise
            between.marked = False
            if found.type in _EXTENDED and found.size > _EXTENDED_MOST:
                raise tarfile.ReadError(f"a name or attributes of {found.size:,} bytes")
            return found

    held: set[int] = set()
    stream = cast(IO[bytes], _Ending(opened.stream()))
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", tarinfo=Header, errors="surrogateescape", bufsize=1 << 20,
            ignore_zeros=True,
        ) as archive:  # fmt: skip
            while (one := archive.next()) is not None:
                between.tell(one.offset, members)
                _member(archive, one, members, held)
                cast(Any, archive).members = []  # it would keep every header it saw
    except _BROKEN as error:
        if opened.broken is not None:
            raise opened.broken from None
        why = " ".join(str(error).split())[:200]
        raise Unreadable(f"The tar archive is cut short or damaged ({why}).") from None
    if opened.broken is not None:
        raise opened.broken
    if between.bytes:
        raise Unreadable(
            "The tar archive is damaged, or there is something behind its end mark: "
            f"{between.bytes:,} bytes at its end belong to no member. They were not read."
        )
    if not between.marked:
        raise Unreadable(
            "The tar archive ends without its end mark: it is cut short or damaged. "
            "The members in front were read."
        )


class _Between:
    """What stands where a header should: `tarfile` looks for one in each block that follows."""

    def __init__(self) -> None:
        self.marked = False
        """Whether an end mark came last."""
        self.bytes = 0
        """Bytes since the last member that are none of a member and no end mark."""

    def note(self, error: str, block: bytes) -> None:
        """A block was no header, for the reason that `tarfile` calls so."""
        cut = error == "TruncatedHeaderError" and self.marked and block.strip(b"\0")
        if cut or error == "InvalidHeaderError":
            self.bytes += len(block)
        self.marked = self.marked or error == "EOFHeaderError"

    def tell(self, place: int, members: Members) -> None:
        """A member begins at `place`: what was in front of it is told."""
        if self.bytes:
            members.run.problem(
                f"{self.bytes:,} bytes in front of byte {place:,} of the tar archive belong to no "
                "member: it is damaged there, or they were hidden. They were not read; what is "
                "behind them was."
            )
        self.bytes = 0


class _Ending:
    """A stream that does not give its end for ever."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ends = 0

    def read(self, count: int) -> bytes:
        """The next bytes. Raises `EOFError` when it is asked on and on behind the end."""
        data = self._stream.read(count)
        if not data:
            self._ends += 1
            if self._ends > _ENDS_MOST:
                raise EOFError("it ends inside an entry")
        return data


def _member(
    archive: tarfile.TarFile, one: tarfile.TarInfo, members: Members, held: set[int]
) -> None:
    """Tell one entry; `held` has the hashes of the names before it, for hard links to them."""
    if one.isdir():
        return
    if one.islnk() and hash(one.linkname) not in held:
        members.refuse(
            one.name,
            f"A hard link to {one.linkname[:TARGET_MOST]!r}, which is not in front of it: "
            "its bytes are not in the archive.",
        )
        return
    held.add(hash(one.name))
    if one.issym() or one.islnk():
        members.pass_link(one.name, one.linkname, "hard link" if one.islnk() else "link")
        return
    if one.type in _SPECIAL:
        members.pass_over(one.name, _SPECIAL[one.type])
        return
    if not one.isreg():
        members.refuse(one.name, f"An entry of unknown kind {one.type!r}.")
        return
    members.member(one.name, _content(archive, one), one.size, from_seconds(one.mtime))


def _content(archive: tarfile.TarFile, one: tarfile.TarInfo) -> Iterator[bytes]:
    reader = archive.extractfile(one)
    if reader is None:
        return
    left = one.size
    while left > 0:
        try:
            chunk = reader.read(min(CHUNK, left))
        except tarfile.ReadError:
            chunk = b""
        if not chunk:
            raise Unreadable("The archive ends inside this member: it is cut short.")
        left -= len(chunk)
        yield chunk
