# SPDX-License-Identifier: Apache-2.0
"""Signatures of containers, partition tables and file systems: what bytes are at a glance.

Where a signature has two letters only, or is words that a log may hold, fields behind it have to
make sense too: one packed file in 16,000 has two such letters at such a place by chance.
"""

import struct
from collections.abc import Callable

_CONTAINERS = (
    (0, b"EVF2\r\n\x81\0", "ewf2"), (0, b"EVF\t\r\n\xff\0", "ewf"), (0, b"LVF\t\r\n\xff\0", "ewf"),
    (0, b"QFI\xfb", "qcow2"), (0, b"KDMV", "vmdk"), (0, b"COWD", "vmdk"),
    (0, b"# Disk DescriptorFile", "vmdk"), (0, b"vhdxfile", "vhdx"),
    (0x40, b"\x7f\x10\xda\xbe", "vdi"), (0, b"conectix", "vhd"),
    (0, b"LOCARD BLOCKS 1\n", "blocks"), (0, b"QED\0", "qed"),
    (0, b"WithoutFreeSpace", "parallels"), (0, b"WithouFreSpacExt", "parallels"),
)  # fmt: skip
_FILESYSTEMS = (
    (0, b"LUKS\xba\xbe", "luks"), (0, b"XFSB", "xfs"), (3, b"-FVE-FS-", "bitlocker"),
    (3, b"NTFS    ", "ntfs"), (3, b"EXFAT   ", "exfat"), (0, b"hsqs", "squashfs"),
    (32, b"NXSB", "apfs"), (1024, b"H+\0\4", "hfs"), (1024, b"HX\0\5", "hfs"),
    (4086, b"SWAPSPACE2", "swap"), (0x8001, b"CD001", "iso9660"), (0x10040, b"_BHRfS_M", "btrfs"),
    (4096, b"\xfc\x4e\x2b\xa9", "mdraid"), (8192 + 1372, b"\x54\x19\x01\x00", "ufs"),
    (65536 + 1372, b"\x19\x01\x54\x19", "ufs"),
)  # fmt: skip
TITLES = {
    "ewf": "E01 image", "ewf2": "Ex01 image", "qcow2": "qcow2 image", "vmdk": "VMDK image",
    "vhdx": "VHDX image", "vhd": "VHD image", "vdi": "VDI image", "blocks": "block image",
    "qed": "QED image", "parallels": "Parallels image",
}  # fmt: skip


def container_of(first: bytes, last: bytes) -> str:
    """The kind of container that `first` begins or `last` (512 bytes or more) ends; else empty."""
    for offset, magic, kind in _CONTAINERS:
        if first[offset : offset + len(magic)] == magic:
            return kind
    return "vhd" if last[-512:][:8] == b"conectix" or last[-511:][:8] == b"conectix" else ""


def filesystem_of(read: Callable[[int, int], bytes]) -> str:
    """What the bytes that `read(offset, count)` gives hold: a file system, `lvm`, or `unknown`."""
    first = read(0, 4096)
    if b"LABELONE" in (first[offset : offset + 8] for offset in range(0, 2048, 512)):
        return "lvm"
    for offset, magic, kind in _FILESYSTEMS:
        found = (
            first[offset : offset + len(magic)]
            if offset + len(magic) <= len(first)
            else read(offset, len(magic))
        )
        if found == magic:
            return kind
    return "ext" if _ext(first) else "fat" if _fat(first) else "hfs" if _hfs(first) else "unknown"


def _ext(first: bytes) -> bool:
    """Linux, fs/ext4/ext4.h: counts, the size of a block, and the revision."""
    if first[1024 + 56 : 1024 + 58] != b"\x53\xef":
        return False
    inodes, blocks = struct.unpack_from("<II", first, 1024)
    size, revision = (struct.unpack_from("<I", first, 1024 + at)[0] for at in (24, 76))
    return bool(inodes and blocks and size <= 6 and revision <= 1)


def _fat(first: bytes) -> bool:
    """Microsoft, FAT specification 1.03: the words are for people, the fields for programs."""
    if first[54:58] != b"FAT1" and first[82:87] != b"FAT32":
        return False
    sector, cluster, _, tables = struct.unpack_from("<HBHB", first, 11)
    return sector in (512, 1024, 2048, 4096) and cluster.bit_count() == 1 and tables > 0


def _hfs(first: bytes) -> bool:
    """Inside Macintosh: Files, the master directory block: size of a block, length of the name."""
    if first[1024:1026] != b"BD" or len(first) < 1024 + 64:
        return False
    size = int.from_bytes(first[1044:1048], "big")
    return size > 0 and size % 512 == 0 and 1 <= first[1060] <= 27


def partitioned(first: bytes) -> str:
    """The kind of partition table that `first` (1 KiB or more) begins with, or an empty text."""
    if first[512:520] == b"EFI PART":
        return "GPT"
    if first[510:512] != b"\x55\xaa":
        return "APM" if first[512:514] == b"PM" and first[:2] == b"ER" else ""
    entries = [first[446 + 16 * i : 462 + 16 * i] for i in range(4)]
    used = [entry for entry in entries if any(entry)]
    sound = all(
        entry[0] in (0, 0x80) and entry[4] and any(entry[8:12]) and any(entry[12:16])
        for entry in used
    )
    return "MBR" if used and sound else ""
