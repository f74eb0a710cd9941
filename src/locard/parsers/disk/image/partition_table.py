# SPDX-License-Identifier: Apache-2.0
"""The partition table of a disk: the one at its beginning or, of a GPT, the copy at its end.

Who wipes a disk in haste wipes its beginning. UEFI 2.10, 5.3: the header stands in the second
sector, of 512 or of 4,096 bytes, and its copy in the last.
"""

import io
import struct
import zlib
from typing import Any, BinaryIO

SECTORS = (512, 4096)
SIGNATURE = b"EFI PART"
_PROTECTS = 0xEE
"""Kind of the one partition that a disk with a GPT has for programs that do not know it."""
FROM_ITS_END = (
    "the partition table at the beginning of the disk is damaged or was wiped; its copy at the end "
    "of the disk was read"
)


def table(disk: BinaryIO, size: int) -> tuple[Any, str]:
    """The table, as `dissect` reads it, and what is to be told of it, or nothing.

    Raises what `dissect` raises where there is none.
    """
    from dissect.util.stream import MappingStream
    from dissect.volume.disk import Disk

    sector = sector_of(disk)
    if not sector and (sector := _copied(disk, size)):
        whole = MappingStream()
        whole.add(0, sector, io.BytesIO(_protective(sector)))
        whole.add(sector, sector, io.BytesIO(_at(disk, size - sector, sector)))
        whole.add(2 * sector, size - 2 * sector, disk, 2 * sector)
        return Disk(whole, sector), FROM_ITS_END
    disk.seek(0)
    return Disk(disk, sector or SECTORS[0]), ""


def sector_of(disk: BinaryIO) -> int:
    """Bytes of a sector of a disk with a GPT at its beginning; 0 where there is none."""
    return next((one for one in SECTORS if _at(disk, one, 8) == SIGNATURE), 0)


def _copied(disk: BinaryIO, size: int) -> int:
    """Bytes of a sector where the last one is a whole header, and no other table is in force."""
    first = _at(disk, 0, 512)
    if first[510:] == b"\x55\xaa" and _PROTECTS not in first[450:510:16]:
        return 0
    for sector in SECTORS:
        header = _at(disk, size - sector, 512) if size > 2 * sector else b""
        if header[:8] != SIGNATURE:
            continue
        length, told = struct.unpack_from("<II", header, 12)
        if 92 <= length <= 512 and told == zlib.crc32(header[:16] + bytes(4) + header[20:length]):
            return sector
    return 0


def _protective(sector: int) -> bytes:
    entry = struct.pack("<B3sB3sII", 0, bytes(3), _PROTECTS, bytes(3), 1, 0xFFFFFFFF)
    return (bytes(446) + entry + bytes(48) + b"\x55\xaa").ljust(sector, b"\0")


def _at(disk: BinaryIO, offset: int, count: int) -> bytes:
    disk.seek(offset)
    return disk.read(count)
