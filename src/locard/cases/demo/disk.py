# SPDX-License-Identifier: Apache-2.0
"""The disk image of the web server: an MBR with one partition that holds the file system."""

import struct
from datetime import timedelta
from pathlib import Path

from . import story
from .ext import BLOCK, build
from .host_files import BUILT, nodes
from .story import nanoseconds

SECTOR = 512
FIRST_SECTOR = 2048
BLOCKS = 6144
"""Blocks of the file system: 24 MiB, most of it a hole in the file."""
_LINUX = 0x83


def write(path: Path, seed: int) -> Path:
    """Write the image as a sparse file."""
    system = build(
        nodes(seed),
        blocks=BLOCKS,
        label="SIMULATED",
        uuid=bytes.fromhex("51a11a7ed0000000800051a11a7ed000"),
        made=nanoseconds(BUILT - timedelta(minutes=3)),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(_boot_record(len(system) // SECTOR))
        for at in range(0, len(system), BLOCK):
            block = system[at : at + BLOCK]
            if block.strip(b"\0"):
                file.seek(FIRST_SECTOR * SECTOR + at)
                file.write(block)
        file.truncate(FIRST_SECTOR * SECTOR + len(system))
    return path


def _boot_record(sectors: int) -> bytes:
    label = f"SIMULATED disk of {story.HOST}, written by Locard. Not real evidence.".encode()
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", _LINUX, b"\xfe\xff\xff",
                        FIRST_SECTOR, sectors)  # fmt: skip
    return label.ljust(440, b"\0") + b"SIMU\0\0" + entry + bytes(48) + b"\x55\xaa"
