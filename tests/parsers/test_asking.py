# SPDX-License-Identifier: Apache-2.0
"""Blocks that are fetched when they are asked for, and the file that they are kept in."""

import errno
import io
import os
import socket
import struct
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locard.model.errors import Unreadable
from locard.parsers.asking import Asking, Serving
from locard.parsers.disk.image.blocks import MAGIC, Head, Unread, head_of, opened, written
from locard.parsers.opened import Positions

BLOCK = 512


class Shop:
    """Blocks of a disk of ten."""

    block = BLOCK

    def __init__(self, file: Path) -> None:
        self.file, self.asked = file, []

    def fetch(self, index: int) -> str:
        self.asked.append(index)
        if index == 3:
            return "block 3 is not for you"
        with self.file.open("r+b") as file:
            file.seek(index * BLOCK)
            file.write(bytes([index]) * BLOCK)
        return ""


def test_each_block_is_asked_for_once_and_a_refusal_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "sparse"
    file.touch()
    os.truncate(file, 10 * BLOCK)
    shop, fd = Shop(file), os.open(file, os.O_RDONLY)
    with Serving(shop, 10 * BLOCK) as serving:
        source = Positions(fd, Asking(serving.theirs.fileno(), BLOCK, 11 * BLOCK))
        assert source.read(12, 2 * BLOCK + 500) == bytes([2]) * 12
        assert source.read(1, 11 * BLOCK) == b"", "behind the end nothing is asked for"
        assert source.read(BLOCK, 4 * BLOCK + 500) == bytes([4]) * 12 + bytes([5]) * 500
        assert source.read(20, 9 * BLOCK) == bytes([9]) * 20
        assert source.read(20, 9 * BLOCK + 20) == bytes([9]) * 20
        for at, why in ((3 * BLOCK, "not for you"), (10 * BLOCK, "no block 10")):
            with pytest.raises(OSError, match=why) as raised:
                source.read(1, at)
            assert raised.value.errno == errno.EIO
    assert shop.asked == [2, 4, 5, 9, 3]
    os.close(fd)


@given(asked=st.lists(st.integers(0, 2**64 - 1), max_size=5), rest=st.binary(max_size=7))
def test_whatever_a_worker_asks_for_it_gets_blocks_of_this_disk(
    asked: list[int], rest: bytes
) -> None:
    seen: list[int] = []

    class Noting:
        block = BLOCK

        def fetch(self, index: int) -> str:
            seen.append(index)
            return ""

    with Serving(Noting(), 10 * BLOCK) as serving:
        ours = serving.theirs
        ours.settimeout(60)
        for index in asked:
            ours.sendall(struct.pack("<Q", index))
            (length,) = struct.unpack("<H", ours.recv(2))
            assert bool(length) == (index >= 10)
            assert len(ours.recv(length, socket.MSG_WAITALL) if length else b"") == length
        ours.sendall(rest)
    assert all(index < 10 for index in seen)


def image(indices: list[int], zeros: list[int] | None = None) -> bytes:
    blocks = {index: bytes([index + 1]) * BLOCK for index in indices}
    named = [(index, sha256(data).hexdigest()) for index, data in blocks.items()]
    head = Head("snap-1", 9 * BLOCK + 100, BLOCK, named, zeros or [])
    return b"".join(written(head, lambda index: blocks[index][: head.length(index)]))


def test_what_was_read_is_there_what_was_listed_as_absent_is_zeros_the_rest_is_an_error() -> None:
    file = opened(io.BytesIO(image([0, 4], [1])))
    assert file.read(2 * BLOCK) == b"\1" * BLOCK + bytes(BLOCK)
    file.seek(4 * BLOCK + 10)
    assert file.read(5) == b"\5" * 5
    with pytest.raises(Unread, match="block 2 was not read"):
        file.seek(2 * BLOCK)
        file.read(1)


def test_a_changed_block_is_found_out() -> None:
    data = bytearray(image([0, 4]))
    data[-1] ^= 1
    file = opened(io.BytesIO(bytes(data)))
    file.seek(4 * BLOCK)
    with pytest.raises(OSError, match="block 4 is not what its SHA-256 says"):
        file.read(1)


@given(st.binary(max_size=300), st.integers(0, 2**64 - 1), st.booleans())
def test_any_head_is_either_read_or_refused(junk: bytes, length: int, plausible: bool) -> None:
    size = len(junk) if plausible else length
    with pytest.raises(Unreadable):
        head_of(io.BytesIO(MAGIC + size.to_bytes(8, "little") + junk))


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_head_with_one_other_byte_raises_nothing_strange(at: int, byte: int) -> None:
    data = bytearray(image([0, 4], [1]))
    data[at] = byte
    try:
        file = opened(io.BytesIO(bytes(data)))
        while file.read(BLOCK):
            pass
    except (Unreadable, OSError):
        pass
