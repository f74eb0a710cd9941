# SPDX-License-Identifier: Apache-2.0
"""What of a file system is not in the volume: cut off, or on other devices. It says so itself."""

from collections.abc import Callable
from typing import BinaryIO

from locard.parsers.disk.image.boundary import Report


def tell(name: str, kind: str, size: int, stream: BinaryIO, report: Report) -> None:
    """Report a file system of this kind that says it is larger than its volume, or on several."""

    def read(offset: int, count: int) -> bytes:
        stream.seek(offset)
        return stream.read(count)

    try:
        claimed, number = _claimed(kind, read), _devices(kind, read)
    except EOFError:
        return  # Whatever reads the volume next says so.
    if claimed > size:
        report(
            f"{name}!size",
            f"the image is cut short: the {kind} file system of {name} takes "
            f"{claimed} bytes and {size} are there; what lay in the others cannot be read. "
            "If it was taken in several pieces, call them .001, .002 and so on, or join them, "
            "and add them together",
        )
    if number > 1:
        report(
            f"{name}!devices",
            f"the {kind} file system of {name} lies on {number} devices, and this is "
            "one of them: what lies on the others cannot be read. Copy its files out where all of "
            "its devices are, and add those",
        )


def _claimed(kind: str, read: Callable[[int, int], bytes]) -> int:
    """Bytes that a file system of this kind says it takes; 0 where it does not say.

    So an image that was cut short is found out, though nothing that was looked at is missing.
    """
    first = read(0, 2048).ljust(2048, b"\0")
    if kind == "ext":
        blocks = int.from_bytes(first[1028:1032], "little")
        if int.from_bytes(first[1024 + 0x60 : 1024 + 0x64], "little") & 0x80:
            blocks |= int.from_bytes(first[1024 + 0x150 : 1024 + 0x154], "little") << 32
        power = int.from_bytes(first[1048:1052], "little")
        return blocks * (1024 << power) if power <= 6 else 0
    if kind == "xfs":
        return int.from_bytes(first[4:8], "big") * int.from_bytes(first[8:16], "big")
    if kind == "ntfs":
        return int.from_bytes(first[11:13], "little") * int.from_bytes(first[40:48], "little")
    if kind == "btrfs":  # what it takes of this device
        return int.from_bytes(read(0x100D1, 8), "little")
    return 0


def _devices(kind: str, read: Callable[[int, int], bytes]) -> int:
    """How many devices a file system of this kind says it lies on."""
    return int.from_bytes(read(0x10088, 8), "little") if kind == "btrfs" else 1
