# SPDX-License-Identifier: Apache-2.0
"""Tiles of the ledger's tree, as the C2SP tiled log names them: 256 hashes of every eighth level.

A bundle carries the tiles that lead from its own entries to the checkpoints, so it holds hashes of
other entries and nothing that they say.
"""

from collections.abc import Callable, Iterable

from locard_verify.malformed import Malformed
from locard_verify.merkle import At, Levels, consistency_path, inclusion_path, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
_BLANK = bytes(32)

Tile = tuple[int, int]
"""Level of the tile (0 has the leaves) and its number from the left."""


def path_of(tile: Tile, size: int) -> str:
    """The name of a tile in a tree of `size` leaves, such as `tile/0/x001/234.p/17`."""
    level, number = tile
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03d}")
    width = width_of(tile, size)
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(parts))}{partial}"


def width_of(tile: Tile, size: int) -> int:
    """How many hashes a tile has in a tree of `size` leaves."""
    level, number = tile
    return max(0, min(WIDTH, (size >> HEIGHT * level) - number * WIDTH))


def content_of(tile: Tile, size: int, at: At) -> bytes:
    """The hashes of a tile, made from the hashes of complete subtrees."""
    level, number = tile
    first = number * WIDTH
    return b"".join(
        at(HEIGHT * level, place) for place in range(first, first + width_of(tile, size))
    )


def needed(entries: Iterable[int], sizes: Iterable[int], size: int) -> list[Tile]:
    """The tiles that prove `entries` (numbers from 1) and trees of these sizes in one of `size`."""
    found: set[Tile] = set()

    def at(level: int, place: int) -> bytes:
        found.add(_tile(level, place))
        return _BLANK

    root_of(size, at)
    for one in sizes:
        consistency_path(one, size, at)
    for sequence in entries:
        inclusion_path(sequence - 1, size, at)
        found.add(_tile(0, sequence - 1))
    return sorted(found)


def reader(size: int, read: Callable[[str], bytes]) -> At:
    """Finds hashes in the tiles of a tree of `size` leaves, which `read` gives by their names.

    What it finds is as good as the proofs that are made of it: tiles are believed in nothing.
    Raises `Malformed` for a tile that has not its length.
    """
    known: dict[Tile, list[bytes]] = {}
    """Of each tile its hashes, and the nodes above them as far as they are complete."""

    def at(level: int, place: int) -> bytes:
        tile = _tile(level, place)
        if tile not in known:
            name = path_of(tile, size)
            content = read(name)
            if not content or len(content) != 32 * width_of(tile, size):
                raise Malformed(f"{name} has {len(content):,} bytes, which is not its length")
            known[tile] = Levels(content).levels
        above = level % HEIGHT
        first = (place - (tile[1] * WIDTH >> above)) * 32
        levels = known[tile]
        found = levels[above][first : first + 32] if above < len(levels) else b""
        if len(found) != 32:
            raise Malformed(f"{path_of(tile, size)} has no hash {place} of level {level}")
        return found

    return at


def _tile(level: int, place: int) -> Tile:
    return level // HEIGHT, (place << level % HEIGHT) // WIDTH
