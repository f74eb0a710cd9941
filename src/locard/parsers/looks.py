# SPDX-License-Identifier: Apache-2.0
"""What a file that no parser claims looks like, in a few words for a person.

Signatures: the `file(1)` magic database and the formats' own specifications.
"""

from locard.model.action import FORMAT
from locard.parsers.contract import Head

_UNPACK = ", which Locard does not open: unpack it and add what comes out"
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF8", "GIF image"),
    (0, b"\x7fELF", "ELF program or core"),
    (0, b"MZ", "Windows program"),
    (0, b"\xcf\xfa\xed\xfe", "macOS program"),
    (0, b"%PDF-", "PDF document"),
    (0, b"SQLite format 3\0", "SQLite database"),
    (0, b"\xd4\xc3\xb2\xa1", "network capture (pcap)"),
    (0, b"\xa1\xb2\xc3\xd4", "network capture (pcap)"),
    (0, b"\x4d\x3c\xb2\xa1", "network capture (pcap)"),
    (0, b"\x0a\x0d\x0d\x0a", "network capture (pcapng)"),
    (0, b"ElfFile\0", "Windows event log"),
    (0, b"regf", "Windows registry hive"),
    (0, b"PAR1", "Parquet table"),
    (0, b"ARROW1", "Arrow table"),
    (0, b"Obj\x01", "Avro file"),
    (0, b"LPKSHHRH", "systemd journal"),
    (0, b"QFI\xfb", "qcow disk image"),
    (0, b"EVF\x09\x0d\x0a\xff\x00", "EWF (E01) disk image"),
    (0, b"EVF2\x0d\x0a\x81", "EWF2 (Ex01) disk image"),
    (0, b"KDMV", "VMDK disk image"),
    (0, b"vhdxfile", "VHDX disk image"),
    (0, b"EMiL", "LiME memory image"),
    (0, b'{\n "format": "%s"' % FORMAT.encode(), "receipt of a run of Locard"),
    (0, b"block,sha256-base64,problem", "checksums of a disk's blocks"),
    (0, b"Rar!\x1a\x07", "RAR archive" + _UNPACK),
    (0, b"!<arch>\n", "ar archive" + _UNPACK),
    (0, b"070701", "cpio archive" + _UNPACK),
    (0, b"MSCF", "cabinet archive" + _UNPACK),
    (0, b"PK\x03\x04", "zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (0, b"\x1f\x8b", "gzip data"),
    (0, b"\x04\x22\x4d\x18", "lz4 data" + _UNPACK),
    (0, b"\x5d\0\0", "LZMA data" + _UNPACK),
    (0, b"LZIP", "lzip data" + _UNPACK),
    (0, b"\x1f\x9d", "data of compress" + _UNPACK),
    (0, b"\xff\x06\0\0sNaPpY", "snappy data" + _UNPACK),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft compound file"),
    (0, b"LUKS\xba\xbe", "LUKS volume: unlock it and add what it holds"),
    (0, b"XFSB", "XFS file system"),
    (3, b"NTFS    ", "NTFS file system"),
    (257, b"ustar", "tar archive"),
    (0x438, b"\x53\xef", "ext file system"),
    (32769, b"CD001", "ISO 9660 image"),
    (510, b"\x55\xaa", "disk with a boot sector"),
    (4086, b"SWAPSPACE2", "swap space"),
)

LONG = 64 << 10
"""Bytes from which on the first ones may not be all of a line."""
_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\r\n\f\x1b"


def looks_like(head: Head) -> str:
    """A name for content that nothing parses, and what to do where there is something to do."""
    first = head.first
    if head.size == 0:
        return "empty file"
    if not first:
        return "nothing readable"
    for at, signature, name in _SIGNATURES:
        if first[at : at + len(signature)] == signature:
            return name
    if not first.strip(b"\0"):
        seen = first + head.more()
        whole = not head.layers and len(seen) == head.size
        return "zeros" if whole and not seen.strip(b"\0") else "zeros at its beginning"
    if first.startswith(_BOMS) or _is_text(first):
        if b"\n" not in first and len(first) >= LONG and b"\n" not in head.more():
            return "text whose first line is too long to tell what it is: say it with --as"
        return "text that no parser knows"
    return "unknown binary data"


def _is_text(first: bytes) -> bool:
    sample = first[:4096]
    if b"\0" in sample:
        return False
    odd = sample.translate(None, _TEXT)
    if not odd:
        return True
    try:
        sample[: len(sample) - 3].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(1 for byte in odd if byte < 0x20) * 50 < len(sample)
