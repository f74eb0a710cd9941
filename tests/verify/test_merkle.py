# SPDX-License-Identifier: Apache-2.0
"""The tree against the definition in RFC 6962, and proofs that prove nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locard_verify import merkle as m

LEAVES = [m.leaf_hash(bytes([n])) for n in range(67)]
TREE = m.Levels(b"".join(LEAVES))


def root(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1 defines it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else m.EMPTY
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return m.node_hash(root(leaves[:half]), root(leaves[half:]))


def test_known_roots_of_the_specification() -> None:
    assert m.EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (
        m.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


@pytest.mark.parametrize("size", range(1, 67))
def test_every_proof_of_every_size_holds(size: int) -> None:
    whole = root(LEAVES[:size])
    edge = m.Edge()
    made = [edge.add(leaf) for leaf in LEAVES[:size]]
    assert edge.root() == whole == m.root_of(size, TREE.at)
    assert [len(one) for one in made] == [((n + 1) & -(n + 1)).bit_length() for n in range(size)]
    for leaf in range(size):
        path = m.inclusion_path(leaf, size, TREE.at)
        assert m.included(LEAVES[leaf], leaf, size, path, whole)
        assert not m.included(LEAVES[leaf + 1], leaf, size, path, whole)
        assert not m.included(LEAVES[leaf], leaf, size, [*path, LEAVES[0]], whole)
        assert not path or not m.included(LEAVES[leaf], leaf, size, path[1:], whole)
        other = (leaf + 1) % size
        assert size == 1 or not m.included(LEAVES[leaf], other, size, path, whole)
    for old in range(size + 1):
        path = m.consistency_path(old, size, TREE.at)
        assert m.consistent(old, size, root(LEAVES[:old]), whole, path)
        if 0 < old < size:
            assert not m.consistent(old, size, root(LEAVES[1 : old + 1]), whole, path)
            assert not m.consistent(old, size, root(LEAVES[:old]), LEAVES[0], path)
            assert not m.consistent(old, size, root(LEAVES[:old]), whole, path[1:])


@given(
    st.integers(0, 80),
    st.integers(0, 80),
    st.lists(st.sampled_from(LEAVES[:3]), max_size=9),
)
def test_a_made_up_proof_is_refused_and_raises_nothing(
    old: int, new: int, path: list[bytes]
) -> None:
    assert not m.included(LEAVES[60], old, new, path, LEAVES[61])
    if old and (old, path) != (new, []):
        assert not m.consistent(old, new, LEAVES[61], LEAVES[62], path)
