# SPDX-License-Identifier: Apache-2.0
"""Tar archives, read as a stream through whatever layers are around them.

`tarfile` takes a broken header behind the first member for the end of the archive; here that is
noticed, because a cut archive must not look like a whole one.
"""

import tarfile
from collections.abc import Iterator
from typing import IO, Any, cast

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

    held: set[int] = set()
    stream = cast(IO[bytes], opened.stream())
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", tarinfo=Header, errors="surrogateescape", bufsize=1 << 20
        ) as archive:
            while (one := archive.next()) is not None:
                _member(archive, one, members, held)
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
