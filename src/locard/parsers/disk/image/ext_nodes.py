# SPDX-License-Identifier: Apache-2.0
"""Content and names of ext2, ext3 and ext4 inodes, where `dissect` reads less than there is.

It takes what is inside an inode (`inline_data`) for no more than 60 bytes and for no folder, ends
at the first damage of a folder without a word, and takes a hole in a map of blocks for block 0. A
file system whose clusters are larger than its blocks (`bigalloc`) it refuses, though its inodes
count in blocks all the same.

The layout is that of "ext4 Data Structures and Algorithms" (kernel documentation).
"""

import io
import stat
import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

_SUPERBLOCK = 1024
_SIZES = (24, 28)
"""Where the superblock has the powers of two of a block and of a cluster."""
_BIGALLOC = 0x200
_EXTENTS, _INLINE, _ENCRYPTED = 0x80000, 0x10000000, 0x800
_INSIDE = 60
"""Bytes of an inode that hold a map of blocks, or content."""
_OLD_SIZE = 128
_ATTRIBUTES = b"\0\0\2\xea"
_DATA = (7, b"data")
"""Index and name of the attribute that holds content beyond those bytes: `system.data`."""
_ENTRY = struct.Struct("<IHBB")
_DAMAGED = 1000
"""Blocks of one folder that may be damaged before the rest of it is left alone."""
_RUNS = 4_000_000
"""Runs of blocks that one file may have."""


def counted_in_blocks(stream: BinaryIO, size: int) -> BinaryIO:
    """The volume; one with larger clusters as if they were blocks, which libraries read then."""
    from dissect.util.stream import MappingStream

    stream.seek(0)
    first = bytearray(stream.read(4096))
    block, cluster = (slice(_SUPERBLOCK + at, _SUPERBLOCK + at + 4) for at in _SIZES)
    features = int.from_bytes(first[_SUPERBLOCK + 100 : _SUPERBLOCK + 104], "little")
    if len(first) < 4096 or not features & _BIGALLOC or first[block] == first[cluster]:
        return stream
    first[cluster] = first[block]
    whole = MappingStream(size)
    whole.add(0, 4096, io.BytesIO(first))
    whole.add(4096, size - 4096, stream, 4096)
    return cast(BinaryIO, whole)


class _Inside(io.BytesIO):
    """Content of an inode, which says its size as the streams of `dissect` do."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.getbuffer())


def replace(filesystem: Any, report: Callable[[str], None]) -> None:
    """Let the `dissect.target` file system read its inodes here.

    `report` is told one sentence for each folder of which names could not be read.
    """
    from dissect.extfs import extfs
    from dissect.extfs.c_ext import FILETYPES

    class Node(extfs.INode):  # type: ignore[misc]
        def iterdir(self) -> Iterator[Any]:
            """The names of a folder, as far as they can be read."""
            if self.filetype != stat.S_IFDIR:
                raise extfs.NotADirectoryError(f"{self!r} is not a directory")
            if self.inode.i_flags & _ENCRYPTED:
                report(f"the folder of inode {self.inum} is encrypted (fscrypt); without its key "
                       "neither the names in it nor what they hold can be read")  # fmt: skip
            for inode, name, kind in _names(self, report):
                text = name.decode(errors="surrogateescape")
                yield self.extfs.get_inode(inode, text, FILETYPES.get(kind))

        def dataruns(self) -> list[tuple[int | None, int]]:
            """Runs of blocks: the first (None: a hole) and how many."""
            if self.inode.i_flags & _EXTENTS:
                found: list[tuple[int | None, int]] = super().dataruns()
                return found
            return list(_mapped(self))

        def open(self) -> BinaryIO:
            """The content."""
            if not self.inode.i_flags & _INLINE:
                opened: BinaryIO = super().open()
                return opened
            data = b"".join(_inline(self))
            if len(data) < self.size:
                raise EOFError(f"inode {self.inum} holds {len(data)} of its {self.size} bytes")
            return _Inside(data[: self.size])

    class Whole(extfs.ExtFS):  # type: ignore[misc]
        def get_inode(self, inum: int, *args: Any, **named: Any) -> Any:
            """The inode. Raises the errors of `dissect` for one that cannot be."""
            super().get_inode(inum, *args, **named)
            return Node(self, inum, *args, **named)

    filesystem.extfs = Whole(filesystem.extfs.fh)


def _names(node: Any, report: Callable[[str], None]) -> Iterator[tuple[int, bytes, int]]:
    """Inode, name and kind (0 where the file system does not keep it) of each name in use."""
    count = node.extfs.sb.s_inodes_count
    typed = node.extfs._dirtype.__name__.endswith("_2")
    damaged = 0
    for block in _blocks(node):
        try:
            for inode, name, kind in _of_block(block, typed):
                if 0 < inode <= count:
                    yield inode, name, kind
        except (struct.error, IndexError):
            damaged += 1
            if damaged > _DAMAGED:
                break
    if damaged:
        report(f"{damaged} blocks of the folder of inode {node.inum} are damaged: names in it are "
               "missing")  # fmt: skip


def _blocks(node: Any) -> Iterator[bytes]:
    """The stretches of a folder in which names lie, none of which goes beyond its stretch."""
    if node.inode.i_flags & _INLINE:
        first, *rest = _inline(node)
        yield first[4:]  # behind the inode of the folder above
        yield from rest
        return
    size = node.extfs.block_size
    stream, at = node.open(), 0
    for start, blocks in node.dataruns():
        for number in range(blocks if start is not None else 0):
            if at + number * size >= node.size:
                return
            stream.seek(at + number * size)
            yield stream.read(size)
        at += blocks * size


def _of_block(block: bytes, typed: bool) -> Iterator[tuple[int, bytes, int]]:
    """The entries of a block. Raises `IndexError`, `struct.error` behind those that are sound."""
    at = 0
    while at < len(block):
        inode, length, named, kind = _ENTRY.unpack_from(block, at)
        if len(block) > 65_532:  # two bits more, and all of them say that the block ends here
            whole = length in (0, 65_535)
            length = len(block) - at if whole else (length & 65_532) | (length & 3) << 16
        if not typed:
            named, kind = named | kind << 8, 0
        if length < 8 or length % 4 or at + length > len(block) or 8 + named > length:
            raise IndexError(at)
        yield inode, block[at + 8 : at + 8 + named], kind
        at += length


def _inline(node: Any) -> list[bytes]:
    """Content that is inside the inode: in place of its map, and in the attribute for the rest."""
    size = node.extfs.sb.s_inode_size
    group, index = divmod(node.inum - 1, node.extfs.sb.s_inodes_per_group)
    found = node.extfs._read_group_desc(group)
    table = found.bg_inode_table_lo | getattr(found, "bg_inode_table_hi", 0) << 32
    node.extfs.fh.seek(table * node.extfs.block_size + index * size)
    raw = node.extfs.fh.read(size)
    parts = [raw[40 : 40 + _INSIDE]]
    if size <= _OLD_SIZE:
        return parts
    (extra,) = struct.unpack_from("<H", raw, _OLD_SIZE)
    first = _OLD_SIZE + extra + 4
    if raw[first - 4 : first] == _ATTRIBUTES:
        parts += _attribute(raw, first)
    return parts


def _attribute(raw: bytes, first: int) -> Iterator[bytes]:
    at = first
    while at + 16 <= len(raw) and any(raw[at : at + 4]):
        named, index, offset, other, size = struct.unpack_from("<BBHII", raw, at)
        if (index, raw[at + 16 : at + 16 + named]) == _DATA and not other:
            yield raw[first + offset : first + offset + size]
            return
        at += (16 + named + 3) // 4 * 4


def _mapped(node: Any) -> Iterator[tuple[int | None, int]]:
    """The runs of a file whose inode maps blocks, one by one and through blocks of pointers."""
    left = -(-node.size // node.extfs.block_size)
    each = node.extfs.block_size // 4
    pointers = struct.unpack("<15I", node.inode.i_block[:_INSIDE])
    run: tuple[int | None, int] | None = None
    runs = 0
    for number, pointer in enumerate(pointers):
        level = max(0, number - 11)
        for start, count in _below(node, pointer, level, each, min(left, each**level)):
            left -= count
            if run is not None and start == (None if run[0] is None else run[0] + run[1]):
                run = run[0], run[1] + count
                continue
            if run is not None:
                yield run
            run, runs = (start, count), runs + 1
            if runs > _RUNS:
                raise ValueError(f"inode {node.inum} has more than {_RUNS:,} runs of blocks")
        if left <= 0:
            break
    if run is not None:
        yield run
    if left > 0:
        yield None, left


def _below(
    node: Any, pointer: int, level: int, each: int, wanted: int
) -> Iterator[tuple[int | None, int]]:
    """The blocks that a pointer leads to, at most `wanted`."""
    if wanted <= 0:
        return
    if pointer == 0 or level == 0:
        yield (pointer or None), wanted
        return
    node.extfs.fh.seek(pointer * node.extfs.block_size)
    block = node.extfs.fh.read(node.extfs.block_size)
    for inner in struct.unpack(f"<{len(block) // 4}I", block[: len(block) // 4 * 4]):
        count = min(wanted, each ** (level - 1))
        yield from _below(node, inner, level - 1, each, count)
        wanted -= count
        if wanted <= 0:
            return
    if wanted > 0:
        raise EOFError(f"blocks of pointers of inode {node.inum} lie beyond the end")
