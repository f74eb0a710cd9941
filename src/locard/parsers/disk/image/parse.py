# SPDX-License-Identifier: Apache-2.0
"""Whole disk images: the artefacts of Linux machines and the timeline of every file system."""

from locard.model.errors import Unreadable
from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.disk.image import boundary, magic
from locard.parsers.rows import Rows

SOURCE = boundary.SOURCE
_CERTAIN = {"lvm": "LVM2 physical volume", "luks": "LUKS volume", "iso9660": "ISO 9660 image"}


def recognise(head: Head) -> Match:
    """A container, a partition table or a file system at the places where they must be.

    None of them is nothing but text: into that anybody can have words written, wherever he likes.
    """
    if kind := magic.container_of(head.first, b""):
        return Match(100, magic.TITLES[kind])
    if b"\0" not in head.first:
        return NO
    if kind := magic.container_of(b"", head.last):
        return Match(100, magic.TITLES[kind])
    if head.size < 4096 and not head.layers:
        return NO
    # Some keep everything behind the first 64 KiB, which they leave empty.
    first = head.first if head.first.strip(b"\0") else head.first + head.more()
    found = magic.filesystem_of(lambda offset, count: first[offset : offset + count])
    if found == "squashfs" or found == "swap":
        return NO
    if found != "unknown":
        return Match(95, f"{_CERTAIN.get(found, found + ' file system')}")
    if table := magic.partitioned(head.first):
        return Match(90, f"disk with a partition table ({table})")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append what the image holds: first histories and logins, then the rest, then the files.

    Raises `Unreadable` when not even the container can be opened.
    """
    from locard.parsers.disk.image.image import read

    if opened.size == 0:
        raise Unreadable("the disk image is empty")
    read(opened, rows, context)
