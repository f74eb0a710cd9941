# SPDX-License-Identifier: Apache-2.0
"""Tar archives, read as a stream through whatever layers are around them.

`tarfile` takes a broken header behind the first member for the end of the archive; here that is
noticed, because a cut archive must not look like a whole one.
"""

import tarfile
from collections.abc import Iterator
from typing import IO, Any, cast

from locard.model.errors import Unreadable
from locard.parsers.archive.members import Members
from locard.parsers.archive.moments import from_seconds
from locard.parsers.decode import CHUNK
from locard.parsers.opened import Evidence

_SPECIAL = {
    tarfile.CHRTYPE: "A character device.",
    tarfile.BLKTYPE: "A block device.",
    tarfile.FIFOTYPE: "A named pipe.",
}


def unpack(opened: Evidence, members: Members) -> None:
    """All members. Raises `Unreadable` after those that could be read when the archive is cut."""
    ends: list[type[BaseException]] = []

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: Any, encoding: str, errors: str) -> "Header":
            try:
                return super().frombuf(buf, encoding, errors)
            except tarfile.HeaderError as error:
                ends.append(type(error))
                raise

    stream = cast(IO[bytes], opened.stream())
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", tarinfo=Header, errors="surrogateescape", bufsize=1 << 20
        ) as archive:
            while (one := archive.next()) is not None:
                _member(archive, one, members)
                cast(Any, archive).members = []  # it would keep every header it saw
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        if opened.broken is not None:
            raise opened.broken from None
        raise Unreadable(f"The tar archive is cut short or damaged ({error}).") from None
    if opened.broken is not None:
        raise opened.broken
    if not ends or ends[-1].__name__ != "EOFHeaderError":
        raise Unreadable(
            "The tar archive ends without its end mark: it is cut short or damaged. "
            "The members in front were read."
        )


def _member(archive: tarfile.TarFile, one: tarfile.TarInfo, members: Members) -> None:
    if one.isdir():
        return
    if one.issym() or one.islnk():
        kind = "hard link" if one.islnk() else "link"
        members.refuse(one.name, f"A {kind} to {one.linkname[:1024]!r}.")
        return
    if one.type in _SPECIAL:
        members.refuse(one.name, _SPECIAL[one.type])
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
