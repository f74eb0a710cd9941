# SPDX-License-Identifier: Apache-2.0
"""Tiles give the same proofs as the whole tree, and only those that are needed."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard_verify.malformed import Malformed
from locard_verify.merkle import (
    Levels,
    consistency_path,
    consistent,
    included,
    inclusion_path,
    leaf_hash,
    root_of,
)
from locard_verify.tiles import content_of, needed, path_of, reader, width_of

LARGEST = 70_000
LEAVES = [leaf_hash(b"%d" % n) for n in range(LARGEST)]
TREE = Levels(b"".join(LEAVES))


@pytest.mark.parametrize(
    ("tile", "size", "name"),
    [
        ((0, 0), 1, "tile/0/000.p/1"),
        ((0, 0), 256, "tile/0/000"),
        ((0, 1), 257, "tile/0/001.p/1"),
        ((1, 0), 257, "tile/1/000.p/1"),
        ((0, 1234067), 1234068 * 256, "tile/0/x001/x234/067"),
        ((2, 0), 70_000, "tile/2/000.p/1"),
    ],
)
def test_names_are_those_of_the_tiled_log(tile: tuple[int, int], size: int, name: str) -> None:
    assert path_of(tile, size) == name


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_needed_tiles_prove_entries_and_older_trees(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST) | st.sampled_from([255, 256, 257, 65_535, 65_536]))
    number = st.integers(1, size)
    entries = data.draw(st.lists(number, min_size=1, max_size=5, unique=True))
    older = data.draw(st.lists(number, max_size=3))
    wanted = needed(entries, older, size)
    files = {path_of(one, size): content_of(one, size, TREE.at) for one in wanted}
    assert all(
        len(content) == 32 * width_of(one, size)
        for one, content in zip(wanted, files.values(), strict=True)
    )
    at = reader(size, files.__getitem__)
    root = root_of(size, TREE.at)
    assert root_of(size, at) == root
    for entry in entries:
        path = inclusion_path(entry - 1, size, at)
        assert included(LEAVES[entry - 1], entry - 1, size, path, root)
        assert not included(LEAVES[entry - 2], entry - 1, size, path, root) or size == 1
    for old in older:
        path = consistency_path(old, size, at)
        assert consistent(old, size, root_of(old, TREE.at), root, path)


def test_one_entry_of_many_needs_few_tiles() -> None:
    wanted = needed([30_000], [], LARGEST)
    assert len(wanted) <= 5


def test_a_tile_of_another_length_is_refused() -> None:
    at = reader(300, lambda _name: b"x" * 31)
    with pytest.raises(Malformed, match="not its length"):
        at(0, 5)


def test_a_changed_hash_proves_nothing() -> None:
    size = 1000
    files = {path_of(one, size): content_of(one, size, TREE.at) for one in needed([7], [500], size)}
    files["tile/0/000"] = files["tile/0/000"][:-1] + b"!"
    at = reader(size, files.__getitem__)
    root = root_of(size, TREE.at)
    path = inclusion_path(6, size, at)
    assert not included(LEAVES[6], 6, size, path, root)
    assert sha256(b"").digest() not in path
