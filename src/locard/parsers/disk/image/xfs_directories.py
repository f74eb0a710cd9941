# SPDX-License-Identifier: Apache-2.0
"""The names in XFS directories, whatever the size of a directory block.

A directory block takes one or more blocks of the file system (`mkfs.xfs -n size=`). `dissect` reads
each block of the file system as a directory block, so larger ones give it no or too few names, and
it passes over what it does not know without a word. Here that is told.

The layout is that of "XFS Algorithms & Data Structures", chapter "Directories".
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

_LEAVES = 32 << 30
"""Bytes of a directory from which on it holds no names but hashes of them."""
_LARGEST = 64 << 10
_HEADER, _HEADER_CRC = 16, 64
_DATA = (b"XD2D", b"XDD3")
_BLOCK = (b"XD2B", b"XDB3")
"""The only block of a small directory: the hashes stand at its end, behind the names."""
_CRC = (b"XDD3", b"XDB3")
_UNUSED = b"\xff\xff"


def replace(filesystem: Any, report: Callable[[str], None]) -> None:
    """Let the `dissect.target` file system read its directories here.

    `report` is told one sentence for each directory of which blocks could not be read.
    """
    from dissect.xfs import xfs
    from dissect.xfs.c_xfs import FILETYPES, c_xfs

    formats = c_xfs.xfs_dinode_fmt
    in_blocks = (formats.XFS_DINODE_FMT_EXTENTS, formats.XFS_DINODE_FMT_BTREE)

    class Node(xfs.INode):  # type: ignore[misc]
        def iterdir(self) -> Iterator[Any]:
            """The names of a directory, as far as they can be read."""
            if self.filetype != 0o040000 or self.inode.di_format not in in_blocks:
                yield from super().iterdir()
                return
            for inode, name, kind in _names(self, report):
                text = name.decode(errors="surrogateescape")
                yield self.xfs.get_inode(inode, text, FILETYPES.get(kind))

    class Whole(xfs.XFS):  # type: ignore[misc]
        def get_relative_inode(self, agnum: int, inum: int, *args: Any, **named: Any) -> Any:
            """The inode. Raises the errors of `dissect` for one that cannot be."""
            found = super().get_relative_inode(agnum, inum, *args, **named)
            return Node(found.ag, inum, *args, **named)

    filesystem.xfs = Whole(filesystem.xfs.fh)


def _names(node: Any, report: Callable[[str], None]) -> Iterator[tuple[int, bytes, int]]:
    """Inode, name and kind (0 where the file system does not keep it) of each name."""
    size = node.xfs.block_size << node.xfs.sb.sb_dirblklog
    if size > _LARGEST:
        raise ValueError(f"directory blocks of {size} bytes")
    stream = node.open()
    whole = damaged = first = 0
    for start in _places(node, size):
        try:
            stream.seek(start)
            yield from _of_block(stream.read(size), size, bool(node.xfs._has_ftype))
            whole += 1
        except (struct.error, IndexError, EOFError):
            first = first if damaged else start
            damaged += 1
    if damaged:
        report(
            f"{damaged} of {whole + damaged} directory blocks of inode {node.inum} are damaged, "
            f"the first at byte {first} of it: names are missing"
        )


def _places(node: Any, size: int) -> Iterator[int]:
    """Where in the directory blocks with names are stored; there may be holes between them."""
    at, following = 0, 0
    end = min(node.size, _LEAVES)
    for block, count in node.dataruns:
        before, at = at, at + count * node.xfs.block_size
        if block is None:
            continue
        start = max(before // size * size, following)
        for place in range(start, min(at, end), size):
            yield place
            following = place + size


def _of_block(block: bytes, size: int, typed: bool) -> Iterator[tuple[int, bytes, int]]:
    """The names of a block. Raises `IndexError` and `struct.error` behind those that are sound."""
    if len(block) < size or block[:4] not in (*_DATA, *_BLOCK):
        raise IndexError(0)
    at = _HEADER_CRC if block[:4] in _CRC else _HEADER
    end = len(block)
    if block[:4] in _BLOCK:
        (hashes,) = struct.unpack_from(">I", block, end - 8)
        end -= 8 + 8 * hashes
        if end < at:
            raise IndexError(end)
    while at < end:
        if block[at : at + 2] == _UNUSED:
            (length,) = struct.unpack_from(">H", block, at + 2)
            if length == 0 or length % 8:
                raise IndexError(at)
            at += length
            continue
        inode, length = struct.unpack_from(">QB", block, at)
        after = at + 9 + length
        if not length or after + typed + 2 > end:
            raise IndexError(at)
        yield inode, block[at + 9 : after], block[after] if typed else 0
        at += (9 + length + typed + 2 + 7) // 8 * 8
