# SPDX-License-Identifier: Apache-2.0
"""A disk image (or another file that must be read at will) inside compression layers.

It is taken out as one derived member, because a compressed stream cannot be read at any place.
"""

import sys
from collections.abc import Callable

from locard.parsers.archive.members import Members
from locard.parsers.opened import Evidence

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_INDEX_MOST = 1 << 20
"""Longest index of an xz file that is looked at; its entries are few bytes for each block."""
_SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd", ".z")


def content_size(
    layers: tuple[str, ...], size: int, read: Callable[[int, int], bytes]
) -> int | None:
    """How many bytes the content has, as one layer around it says; None when that is not said.

    `read(offset, count)` gives stored bytes, of which there are `size`. It is a claim: gzip keeps
    the lowest 32 bits of it and only for its last member, and whoever made the file may lie.
    """
    if layers == ("zstd",):
        try:
            return zstd.get_frame_info(read(0, 32)).decompressed_size
        except zstd.ZstdError:
            return None
    if layers == ("gzip",) and size > 18:
        return int.from_bytes(read(size - 4, 4), "little") or None
    if layers == ("xz",) and size > 32:
        return _xz_size(size, read)
    return None


def _xz_size(size: int, read: Callable[[int, int], bytes]) -> int | None:
    """From the index at the end of a single stream (The .xz File Format, 2.1.2 and 4)."""
    footer = read(size - 12, 12)
    if footer[10:] != b"YZ":
        return None
    length = (int.from_bytes(footer[4:8], "little") + 1) * 4
    if not 8 <= length <= min(_INDEX_MOST, size - 24):
        return None
    index, at = read(size - 12 - length, length), 1

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = index[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 63:
                return value

    try:
        records, total = number(), 0
        for _ in range(records):
            number()
            total += number()
    except IndexError:
        return None
    return total or None


def unpack(opened: Evidence, members: Members) -> None:
    """The decoded bytes as one member named like the file without the layers' suffixes."""
    name = opened.name.replace("\\", "/").rpartition("/")[2]
    for _ in opened.layers:
        stem, dot, suffix = name.rpartition(".")
        if stem and dot + suffix.lower() in _SUFFIXES:
            name = stem
    members.member(name or "content", opened.chunks(), None, None)
