# SPDX-License-Identifier: Apache-2.0
"""The times of ext2, ext3 and ext4 inodes, as the kernel reads them.

The Sleuth Kit takes the 32 bits of seconds for a number without a sign and leaves out the two bits
that ext4 adds to them: 1960 is shown as 2096 by it, and 2400 as 1991. So the times are read
here. The layout is that of "ext4 Data Structures and Algorithms" (kernel documentation).
"""

import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_SECOND = 1_000_000_000
_SUPERBLOCK = 1024
_BIT64, _META_GROUPS = 0x80, 0x10
_SPARSE = 1
_OLD_SIZE = 128
"""Bytes of an inode that has seconds alone."""
_CHUNK = 16 << 10
_CHUNKS = 256
_LARGEST_BLOCK = 64 << 10

Times = tuple[int | None, int | None, int | None, int | None]
"""Modified, accessed, changed, born: UTC nanoseconds."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the inodes of a file system are."""

    count: int
    block: int
    per_group: int
    inode: int
    first: int
    descriptor: int
    wide: bool
    apart: int
    """From which group of groups on the descriptors lie with what they describe."""
    blocks: int
    """Blocks of a group."""
    sparse: bool
    """Whether few groups hold a copy of the superblock."""

    def descriptor_of(self, group: int) -> int:
        """Where the descriptor of a group is."""
        each = self.block // self.descriptor
        if group // each < self.apart:
            return (self.first + 1) * self.block + group * self.descriptor
        start = group // each * each
        copied = not self.sparse or start in (0, 1) or any(_is_power(start, n) for n in (3, 5, 7))
        return (self.first + start * self.blocks + copied) * self.block + (
            group % each * self.descriptor
        )


class ExtTimes:
    """Times by inode number of the ext file system on a volume."""

    def __init__(self, kind: str, read: Callable[[int, int], bytes]) -> None:
        """`read` gives bytes at an offset, fewer or none where the volume cannot be read."""
        self._source = read
        self._tables: dict[int, int] = {}
        self._chunks: OrderedDict[int, bytes] = OrderedDict()
        self._layout = _layout(self._read(_SUPERBLOCK, 1024)) if kind == "ext" else None

    @property
    def scattered(self) -> bool:
        """Whether descriptors of groups lie where neither library looks for them."""
        layout = self._layout
        if layout is None:
            return False
        return -(-layout.count // layout.per_group) > layout.block // layout.descriptor * (
            layout.apart or 1
        )

    def of(self, inode: int, modified: int) -> Times | None:
        """The times of an inode; None when they cannot be found.

        `modified`: what the Sleuth Kit says of it in seconds, without the sign, which must agree:
        an inode that was looked for in the wrong place gives no times.
        """
        layout = self._layout
        if layout is None or not 0 < inode <= layout.count:
            return None
        group, index = divmod(inode - 1, layout.per_group)
        table = self._table(layout, group)
        if not table:
            return None
        data = self._read(table * layout.block + index * layout.inode, min(layout.inode, 256))
        if len(data) < _OLD_SIZE:
            return None
        accessed, changed, second = struct.unpack_from("<iii", data, 8)
        if second & 0xFFFFFFFF != modified & 0xFFFFFFFF:
            return None
        return _times(second, accessed, changed, data)

    def _table(self, layout: _Layout, group: int) -> int:
        if group not in self._tables:
            data = self._read(layout.descriptor_of(group), layout.descriptor)
            table = int.from_bytes(data[8:12], "little")
            if layout.wide:
                table |= int.from_bytes(data[40:44], "little") << 32
            self._tables[group] = table
        return self._tables[group]

    def _read(self, offset: int, count: int) -> bytes:
        first, last = offset // _CHUNK, (offset + count - 1) // _CHUNK
        found = b"".join(self._chunk(number) for number in range(first, last + 1))
        return found[offset - first * _CHUNK : offset - first * _CHUNK + count]

    def _chunk(self, number: int) -> bytes:
        found = self._chunks.get(number)
        if found is None:
            found = self._source(number * _CHUNK, _CHUNK)
            self._chunks[number] = found
            if len(self._chunks) > _CHUNKS:
                self._chunks.popitem(last=False)
        return found


def _layout(block: bytes) -> _Layout | None:
    """What a superblock says; None for one that makes no sense."""
    if len(block) < 1024 or block[56:58] != b"\x53\xef":
        return None
    (count,) = struct.unpack_from("<I", block, 0)
    first, shift = struct.unpack_from("<II", block, 20)
    blocks, _, per_group = struct.unpack_from("<III", block, 32)
    (revision,) = struct.unpack_from("<I", block, 76)
    (inode,) = struct.unpack_from("<H", block, 88)
    features, readonly = struct.unpack_from("<II", block, 96)
    (descriptor,) = struct.unpack_from("<H", block, 254)
    (apart,) = struct.unpack_from("<I", block, 260)
    inode = inode if revision else _OLD_SIZE
    wide = bool(features & _BIT64)
    descriptor = descriptor if wide else 32
    size = 1024 << min(shift, 32)
    if not (
        per_group and _OLD_SIZE <= inode <= size <= _LARGEST_BLOCK and 32 <= descriptor <= 1024
    ):
        return None
    return _Layout(
        count, size, per_group, inode, first, descriptor, wide and descriptor >= 64,
        apart if features & _META_GROUPS else 1 << 32, blocks, bool(readonly & _SPARSE),
    )  # fmt: skip


def _is_power(number: int, of: int) -> bool:
    while number > 1 and number % of == 0:
        number //= of
    return number == 1


def _times(modified: int, accessed: int, changed: int, data: bytes) -> Times:
    """The four times of an inode.

    Zero is the first second of 1970, which a tool for forging times may set, unless `changed` is
    zero too, which no such tool can set: then nothing was ever set.
    """
    kept = int.from_bytes(data[128:130], "little") if len(data) > _OLD_SIZE + 2 else 0
    more = [0, 0, 0, 0, 0]
    for index in range(5):
        if 4 + (index + 1) * 4 <= kept and 132 + (index + 1) * 4 <= len(data):
            (more[index],) = struct.unpack_from("<I", data, 132 + index * 4)
    change = _time(changed, more[0])
    born = more[3] - (1 << 32) if more[3] >> 31 else more[3]
    if not change:
        return (_time(modified, more[1]) or None, _time(accessed, more[2]) or None, None,
                _time(born, more[4]) or None)  # fmt: skip
    return _time(modified, more[1]), _time(accessed, more[2]), change, _time(born, more[4]) or None


def _time(seconds: int, extra: int) -> int:
    return (seconds + ((extra & 3) << 32)) * _SECOND + (extra >> 2)
