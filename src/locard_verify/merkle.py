# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962 over SHA-256: roots, and proofs of inclusion and of consistency.

A complete subtree is named by its level (0 for a leaf, 2**level leaves below it) and its place from
the left. `At` finds its hash; everything else follows from those.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

At = Callable[[int, int], bytes]
"""The hash of the complete subtree at (level, place)."""

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf; the prefix keeps leaves and nodes apart."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return sha256(b"\x01" + left + right).digest()


class Edge:
    """The right edge of a growing tree: what is needed to add a leaf and to say the root."""

    def __init__(self, size: int = 0, at: At | None = None) -> None:
        self.size = size
        self._hashes: dict[int, bytes] = {}
        if at is not None:
            for level in range(size.bit_length()):
                if size >> level & 1:
                    self._hashes[level] = at(level, (size >> level) - 1)

    def add(self, leaf: bytes) -> list[bytes]:
        """Add a leaf by its hash. The hashes of the subtrees it completes, from level 0 up."""
        made, level = [leaf], 0
        while self.size >> level & 1:
            made.append(node_hash(self._hashes.pop(level), made[-1]))
            level += 1
        self._hashes[level] = made[-1]
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        root = b""
        for level in sorted(self._hashes):
            root = node_hash(self._hashes[level], root) if root else self._hashes[level]
        return root or EMPTY


class Levels:
    """All complete subtrees of a tree whose leaf hashes are given at once."""

    def __init__(self, leaves: bytes) -> None:
        self.size = len(leaves) // 32
        self.levels = [leaves]
        while len(self.levels[-1]) >= 64:
            below = self.levels[-1]
            pairs = range(0, len(below) // 64 * 64, 64)
            self.levels.append(
                b"".join([sha256(b"\x01" + below[i : i + 64]).digest() for i in pairs])
            )

    def at(self, level: int, place: int) -> bytes:
        """The hash of a complete subtree."""
        return self.levels[level][place * 32 : place * 32 + 32]


def root_of(size: int, at: At) -> bytes:
    """The root of the first `size` leaves."""
    return Edge(size, at).root()


def inclusion_path(leaf: int, size: int, at: At) -> list[bytes]:
    """The proof that leaf number `leaf` (from 0) is in the tree of `size` leaves."""
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if leaf < middle:
            path.append(_range(middle, end, at))
            end = middle
        else:
            path.append(_range(start, middle, at))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, at: At) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with the tree of `old` leaves."""
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range(middle, end, at))
            end = middle
        else:
            path.append(_range(start, middle, at))
            start, whole = middle, False
    if not whole:
        path.append(_range(start, end, at))
    return path[::-1]


def included(leaf_hash: bytes, leaf: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` proves the leaf in the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= leaf < size:
        return False
    left, last, found = leaf, size - 1, leaf_hash
    for one in path:
        if last == 0:
            return False
        if left & 1 or left == last:
            found = node_hash(one, found)
            while not left & 1 and left:
                left, last = left >> 1, last >> 1
        else:
            found = node_hash(found, one)
        left, last = left >> 1, last >> 1
    return last == 0 and found == root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    left, last = old - 1, new - 1
    while left & 1:
        left, last = left >> 1, last >> 1
    first = second = steps[0]
    for one in steps[1:]:
        if last == 0:
            return False
        if left & 1 or left == last:
            first, second = node_hash(one, first), node_hash(one, second)
            while not left & 1 and left:
                left, last = left >> 1, last >> 1
        else:
            second = node_hash(second, one)
        left, last = left >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range(start: int, end: int, at: At) -> bytes:
    """The root over the leaves from `start` up to `end`; `start` is where a subtree begins."""
    root = b""
    pieces: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        pieces.append(at(level, start >> level))
        start += 1 << level
    for piece in reversed(pieces):
        root = node_hash(piece, root) if root else piece
    return root
