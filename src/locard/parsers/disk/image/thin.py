# SPDX-License-Identifier: Apache-2.0
"""Thin volumes of LVM2: blocks of a pool, found through the pool's metadata.

The metadata are B-trees of 4 KiB nodes (`dm-thin-metadata.c` and `dm-btree-internal.h` of the Linux
kernel): device -> root of its blocks, and block -> place in the pool's data. `dissect` reads them
too, but gives zeros for all of a read of which one block was never written.
"""

import struct
from bisect import bisect_right
from typing import BinaryIO, cast

_MAGIC = 27022010
_SUPERBLOCK = struct.Struct("<IIQ16sQIIQQ128s128sQQIIQ")
_NODE = struct.Struct("<IIQIIII")
_NODE_BYTES = 4096
_INTERNAL, _LEAF = 1, 2
_DEPTH = 16
"""Levels of a tree; sixteen hold more blocks than there can be."""
_KEPT = 256
SECTOR = 512
_LARGEST = 1 << 30
"""The largest block of a pool, as `lvmthin(7)` has it."""


class Pool:
    """A thin pool. Raises `ValueError` for metadata that do not hold together."""

    def __init__(self, metadata: BinaryIO, data: BinaryIO) -> None:
        self._metadata, self._data = metadata, data
        metadata.seek(0)
        first = metadata.read(_SUPERBLOCK.size)
        if len(first) < _SUPERBLOCK.size:
            raise ValueError("the pool's metadata end too early")
        fields = _SUPERBLOCK.unpack(first)
        self._mapping, block = fields[11], fields[13]
        self.block = block * SECTOR
        if fields[4] != _MAGIC:
            raise ValueError("the pool's metadata do not begin as such do")
        if not 64 << 10 <= self.block <= _LARGEST or fields[14] * SECTOR != _NODE_BYTES:
            raise ValueError(f"blocks of {self.block} bytes in the pool")
        self._nodes: dict[int, bytes] = {}

    def device(self, number: int, size: int) -> BinaryIO:
        """The bytes of one thin volume. Blocks that were never written are zeros."""
        from dissect.util.stream import AlignedStream

        found = self._find(self._mapping, number)
        if found is None:
            raise ValueError(f"the pool has no volume number {number}")
        pool, root = self, found

        class Device(AlignedStream):  # type: ignore[misc]
            """A thin volume."""

            def _read(self, offset: int, length: int) -> bytes:
                parts, end = [], min(offset + length, size)
                while offset < end:
                    index, inside = divmod(offset, pool.block)
                    count = min(pool.block - inside, end - offset)
                    parts.append(pool.read(root, index, inside, count))
                    offset += count
                return b"".join(parts)

        return cast(BinaryIO, Device(size))

    def read(self, root: int, index: int, inside: int, count: int) -> bytes:
        """`count` bytes of a block of the volume with this root."""
        place = self._find(root, index)
        if place is None:
            return bytes(count)
        self._data.seek((place >> 24) * self.block + inside)
        data = self._data.read(count)
        if len(data) < count:
            raise EOFError("a block lies behind the end of the pool")
        return data

    def _find(self, root: int, key: int) -> int | None:
        """The value of a key in the tree at `root`."""
        at = root
        for _ in range(_DEPTH):
            node = self._node(at)
            _, flags, _, entries, most, width, _ = _NODE.unpack_from(node)
            if width != 8 or entries > most or _NODE.size + most * 16 > _NODE_BYTES:
                raise ValueError(f"node {at} of the pool's metadata is damaged")
            keys = struct.unpack_from(f"<{entries}Q", node, _NODE.size)
            below = bisect_right(keys, key) - 1
            if below < 0:
                return None
            value = int(struct.unpack_from("<Q", node, _NODE.size + (most + below) * 8)[0])
            if flags & _LEAF:
                return value if keys[below] == key else None
            if not flags & _INTERNAL:
                raise ValueError(f"node {at} of the pool's metadata is of no known kind")
            at = value
        raise ValueError("the trees of the pool's metadata lead in a circle")

    def _node(self, at: int) -> bytes:
        found = self._nodes.get(at)
        if found is None:
            self._metadata.seek(at * _NODE_BYTES)
            found = self._metadata.read(_NODE_BYTES)
            if len(found) < _NODE_BYTES:
                raise ValueError(f"node {at} lies behind the end of the pool's metadata")
            if len(self._nodes) >= _KEPT:
                self._nodes.clear()
            self._nodes[at] = found
        return found
