# SPDX-License-Identifier: Apache-2.0
"""Which other files a container names in its own bytes: it cannot be read without them.

Only the standard library is used, and little of the file is read: the parent asks too, to hand the
worker what lies beside the image.
"""

import re
import struct
from collections.abc import Callable

Read = Callable[[int, int], bytes]
"""Gives `count` bytes at `offset`, or fewer at the end."""

_DATA_FILE = 0x44415441
"""Type of the header extension that names an external data file."""
_EXTERNAL = 1 << 2
"""Incompatible feature of qcow2: the data are in another file."""
_DESCRIPTOR = 64 << 10
_EXTENT = re.compile(rb'^(?:RW|RDONLY)\s+\d+\s+[A-Z]+\s+"([^"\r\n]+)"', re.MULTILINE)


def companions(read: Read) -> list[str]:
    """Names of the files that the container needs, without folders; none for any other file."""
    first = read(0, 104)
    if first[:4] == b"QFI\xfb":
        return [leaf(name) for name in (backing_file(read), data_file(read)) if name]
    if first.startswith(b"# Disk DescriptorFile"):
        return [leaf(_text(name)) for name in _EXTENT.findall(read(0, _DESCRIPTOR))]
    return []


def backing_file(read: Read) -> str:
    """What a qcow2 image is a difference to; empty when it stands alone."""
    head = read(0, 20)
    if len(head) < 20:
        return ""
    at, size = struct.unpack_from(">QI", head, 8)
    return _text(read(at, min(size, 1023))) if 0 < at < 1 << 32 else ""


def data_file(read: Read) -> str:
    """The file that holds the data of a qcow2 image; empty when they are in the image."""
    head = read(0, 104)
    if len(head) < 104 or head[4:8] != b"\0\0\0\3" or not head[79] & _EXTERNAL:
        return ""
    at = int.from_bytes(head[100:104], "big")
    while 104 <= at < 1 << 16 and len(extension := read(at, 8)) == 8:
        kind, size = struct.unpack(">II", extension)
        if kind == _DATA_FILE:
            return _text(read(at + 8, min(size, 1023)))
        if kind == 0:
            break
        at += 8 + (size + 7) // 8 * 8
    return ""


def leaf(name: str) -> str:
    """The last part of a path of either kind of system."""
    return name.replace("\\", "/").rpartition("/")[2]


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace").rstrip("\0")
