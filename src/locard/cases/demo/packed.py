# SPDX-License-Identifier: Apache-2.0
"""Gzip files that carry the label SIMULATED in their header and are the same bytes every time."""

import struct
import zlib
from pathlib import Path

COMMENT = b"SIMULATED by Locard: not real evidence"
_HAS_COMMENT = 0x10


def gzip(content: bytes) -> bytes:
    """`content` as one gzip member without a time and with the label as its comment (RFC 1952)."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = struct.pack("<2sBBIBB", b"\x1f\x8b", 8, _HAS_COMMENT, 0, 0, 255) + COMMENT + b"\0"
    body = packer.compress(content) + packer.flush()
    return head + body + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)


def put(path: Path, content: bytes) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
