# SPDX-License-Identifier: Apache-2.0
"""A writer of small ext4 file systems: no `mkfs`, no root, the same bytes every time.

One block group of 4 KiB blocks, 256-byte inodes (so that birth times and nanoseconds are there),
files of one extent each, no journal and no checksums. `e2fsck -fn` finds nothing to say about it.
Layout after the kernel's `Documentation/filesystems/ext4`.

A deleted file keeps its inode (time of deletion set, no links, free in the bitmaps) and its name
in the slack of its folder, as after `unlink`. Unlike the kernel's ext4, which empties the extents
then, size and extents stay as ext2 left them, so that the content can be recovered too.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISDIR, S_ISLNK

BLOCK = 4096
INODE = 256
FIRST_FREE_INODE = 12
ROOT = 2
LOST_AND_FOUND = 11
_EXTENTS_FLAG = 0x80000
_TYPES = {S_IFREG: 1, S_IFDIR: 2, S_IFLNK: 7}


@dataclass(frozen=True, slots=True)
class Times:
    """The four times of an inode, UTC nanoseconds since 1970, and of its deletion if it was."""

    modified: int
    accessed: int
    changed: int
    born: int
    deleted: int | None = None


@dataclass(slots=True)
class Node:
    """A file, folder (mode `S_IFDIR`) or symbolic link (mode `S_IFLNK`, target in `content`)."""

    path: str
    mode: int
    times: Times
    content: bytes = b""
    uid: int = 0
    gid: int = 0
    inode: int = 0
    children: "list[Node]" = field(default_factory=list)
    start: int = 0
    blocks: int = 0

    @property
    def name(self) -> bytes:
        """The last part of the path."""
        return PurePosixPath(self.path).name.encode()


def build(nodes: Iterable[Node], *, blocks: int, label: str, uuid: bytes, made: int) -> bytes:
    """A whole file system of `blocks` blocks that holds `nodes` (parents before children).

    `made` is the time it was made, UTC nanoseconds. Raises `ValueError` when it does not fit into
    one block group, when a folder is missing, or when a path is given twice.
    """
    tree = _tree(list(nodes), made)
    inodes = -(-(FIRST_FREE_INODE + len(tree)) // 16) * 16
    table = -(-inodes * INODE // BLOCK)
    first_data = 4 + table
    image = bytearray(blocks * BLOCK)
    used = _allocate(tree, first_data)
    if used > blocks or blocks > 8 * BLOCK or inodes > 8 * BLOCK:
        raise ValueError(f"{used} blocks and {inodes} inodes do not fit into {blocks} blocks")
    for node in tree:
        if node.blocks:
            image[node.start * BLOCK : node.start * BLOCK + len(node.content)] = node.content
        at = 4 * BLOCK + (node.inode - 1) * INODE
        image[at : at + INODE] = _inode(node)
    taken = set(range(first_data)) | {
        block
        for node in tree
        if node.times.deleted is None
        for block in range(node.start, node.start + node.blocks)
    }
    alive = set(range(1, LOST_AND_FOUND)) | {n.inode for n in tree if n.times.deleted is None}
    image[2 * BLOCK : 3 * BLOCK] = _bitmap(taken, blocks)
    image[3 * BLOCK : 4 * BLOCK] = _bitmap({number - 1 for number in alive}, inodes)
    free_blocks, free_inodes = blocks - len(taken), inodes - len(alive)
    folders = sum(1 for n in tree if S_ISDIR(n.mode) and n.times.deleted is None)
    image[BLOCK : BLOCK + 32] = struct.pack(
        "<IIIHHHHIHHHH", 2, 3, 4, free_blocks, free_inodes, folders, 0, 0, 0, 0, 0, 0
    )
    image[1024:2048] = _superblock(inodes, blocks, free_blocks, free_inodes, label, uuid, made)
    return bytes(image)


def _tree(nodes: list[Node], made: int) -> list[Node]:
    """Give inode numbers and children; root and lost+found come first."""
    still = Times(made, made, made, made)
    root = Node("/", S_IFDIR | 0o755, still, inode=ROOT)
    lost = Node("/lost+found", S_IFDIR | 0o700, still, inode=LOST_AND_FOUND)
    root.children.append(lost)
    known = {"/": root, "/lost+found": lost}
    for number, node in enumerate((n for n in nodes if n.path != "/"), FIRST_FREE_INODE):
        parent = known.get(str(PurePosixPath(node.path).parent))
        if parent is None or not S_ISDIR(parent.mode):
            raise ValueError(f"{node.path} has no folder")
        if node.path in known:
            raise ValueError(f"{node.path} is there twice")
        node.inode = number
        parent.children.append(node)
        known[node.path] = node
    for node in nodes:
        if node.path == "/":
            root.times = node.times
    for node in known.values():
        if S_ISDIR(node.mode):
            parent = known[str(PurePosixPath(node.path).parent)]
            node.content = _folder(node, parent)
    return list(known.values())


def _folder(node: Node, parent: Node) -> bytes:
    """The blocks of a folder: each living entry reaches to the next one, over deleted ones."""
    entries = [(node.inode, b".", 2, False), (parent.inode, b"..", 2, False)]
    entries += [
        (c.inode, c.name, _TYPES[S_IFMT(c.mode)], c.times.deleted is not None)
        for c in node.children
    ]
    blocks: list[list[tuple[int, int, bytes, bool]]] = [[]]
    at = 0
    for number, name, kind, deleted in entries:
        length = 8 + -(-len(name) // 4) * 4
        if at + length > BLOCK:
            blocks.append([])
            at = 0
        packed = struct.pack("<BB", len(name), kind) + name
        blocks[-1].append((at, number, packed, deleted and at > 0))
        at += length
    return b"".join(_folder_block(entries) for entries in blocks)


def _folder_block(entries: list[tuple[int, int, bytes, bool]]) -> bytes:
    block = bytearray(BLOCK)
    end = living = BLOCK
    for at, number, packed, deleted in reversed(entries):
        length = (end if deleted else living) - at
        block[at : at + 6 + len(packed)] = struct.pack("<IH", number, length) + packed
        end = at
        if not deleted:
            living = at
    return bytes(block)


def _allocate(tree: list[Node], first: int) -> int:
    """Give every node its run of blocks and return the first block that is free behind them."""
    at = first
    for node in tree:
        short_link = S_ISLNK(node.mode) and len(node.content) < 60
        node.blocks = 0 if short_link else -(-len(node.content) // BLOCK)
        node.start = at if node.blocks else 0
        at += node.blocks
    return at


def _extra(time: int) -> int:
    seconds, nanoseconds = divmod(time, 10**9)
    return (nanoseconds << 2) | ((seconds >> 32) & 3)


def _inode(node: Node) -> bytes:
    times, size = node.times, len(node.content)
    born, changed, modified, accessed = (
        (time // 10**9) & 0xFFFFFFFF
        for time in (times.born, times.changed, times.modified, times.accessed)
    )
    links = 2 + sum(1 for c in node.children if S_ISDIR(c.mode)) if S_ISDIR(node.mode) else 1
    flags, body = _EXTENTS_FLAG, struct.pack("<HHHHI", 0xF30A, 0, 4, 0, 0)
    if node.blocks:
        body = struct.pack("<HHHHI", 0xF30A, 1, 4, 0, 0)
        body += struct.pack("<IHHI", 0, node.blocks, 0, node.start)
    elif S_ISLNK(node.mode):
        flags, body = 0, node.content
    deleted = 0 if times.deleted is None else times.deleted // 10**9
    return struct.pack(
        "<HHIIIIIHHIII60sIIII12sHHIIIIIII",
        node.mode,
        node.uid,
        size,
        accessed,
        changed,
        modified,
        deleted,
        node.gid,
        0 if deleted else links,
        node.blocks * (BLOCK // 512),
        flags,
        0,
        body,
        *(0, 0, 0, 0),
        b"",
        *(32, 0),
        _extra(times.changed),
        _extra(times.modified),
        _extra(times.accessed),
        born,
        _extra(times.born),
        *(0, 0),
    ).ljust(INODE, b"\0")


def _bitmap(taken: set[int], count: int) -> bytes:
    """Bits of what is taken; the bits behind `count` are set, as the format asks."""
    bits = bytearray(BLOCK)
    for number in [*taken, *range(count, 8 * BLOCK)]:
        bits[number // 8] |= 1 << (number % 8)
    return bytes(bits)


def _superblock(
    inodes: int, blocks: int, free_blocks: int, free_inodes: int, label: str, uuid: bytes, made: int
) -> bytes:
    seconds = made // 10**9
    filetype, extents = 0x2, 0x40
    sparse, large_files, extra_inode_size = 0x1, 0x2, 0x40
    fields: tuple[tuple[int, str, tuple[int | bytes, ...]], ...] = (
        (0, "<6I", (inodes, blocks, 0, free_blocks, free_inodes, 0)),
        (24, "<5I", (2, 2, 8 * BLOCK, 8 * BLOCK, inodes)),  # sizes as powers of two above 1 KiB
        (44, "<2I", (seconds, seconds)),  # mounted, written
        (52, "<6H", (1, 0xFFFF, 0xEF53, 1, 1, 0)),  # mounts, magic, clean, go on after errors
        (64, "<4I", (seconds, 0, 0, 1)),  # checked, interval, Linux, revision 1
        (84, "<IHH", (LOST_AND_FOUND, INODE, 0)),
        (92, "<3I", (0, filetype | extents, sparse | large_files | extra_inode_size)),
        (104, "<16s16s64s", (uuid, label.encode()[:16], b"/")),
        (236, "<16sB", (uuid, 1)),  # hash seed and kind, of no use without indexed folders
        (264, "<I", (seconds,)),  # made
        (348, "<HHI", (32, 32, 1)),
    )
    block = bytearray(1024)
    for offset, layout, values in fields:
        struct.pack_into(layout, block, offset, *values)
    return bytes(block)
