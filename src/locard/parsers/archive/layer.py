# SPDX-License-Identifier: Apache-2.0
"""A disk image (or another file that must be read at will) inside compression layers.

It is taken out as one derived member, because a compressed stream cannot be read at any place.
"""

from locard.parsers.archive.members import Members
from locard.parsers.opened import Evidence

_SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd", ".z")


def unpack(opened: Evidence, members: Members) -> None:
    """The decoded bytes as one member named like the file without the layers' suffixes."""
    name = opened.name.replace("\\", "/").rpartition("/")[2]
    for _ in opened.layers:
        stem, dot, suffix = name.rpartition(".")
        if stem and dot + suffix.lower() in _SUFFIXES:
            name = stem
    members.member(name or "content", opened.chunks(), None, None)
