# SPDX-License-Identifier: Apache-2.0
"""Evidence that is read while it comes in: what was read is what is hashed and stored."""

import io
import os
from hashlib import blake2b, sha256
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.evidence import Arrival, Broken, Vault, spool
from locard.evidence.arrival import BLOCK
from locard.model.errors import Unreadable
from locard.model.evidence import Origin

PLACE = Origin(name="disk.raw")


def content(blocks: list[int], rest: int) -> bytes:
    """Blocks of one byte each, zeros among them, and a part of one."""
    return b"".join(bytes([one]) * BLOCK for one in blocks) + b"r" * rest


def sparse(path: Path, data: bytes) -> None:
    """Write a file with holes where it has blocks of zeros."""
    with path.open("wb") as file:
        for at in range(0, len(data), BLOCK):
            if data[at : at + BLOCK].strip(b"\0"):
                file.seek(at)
                file.write(data[at : at + BLOCK])
        file.truncate(len(data))


@given(
    blocks=st.lists(st.integers(0, 3), max_size=6),
    rest=st.integers(0, 5000),
    wanted=st.lists(st.tuples(st.integers(0, 7 * BLOCK), st.integers(1, 2 * BLOCK)), max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_read_ahead_the_file_is_the_source(
    tmp_path_factory: pytest.TempPathFactory,
    blocks: list[int],
    rest: int,
    wanted: list[tuple[int, int]],
) -> None:
    folder, data = tmp_path_factory.mktemp("arrival"), content(blocks, rest)
    sparse(folder / "source", data)
    with (
        (folder / "source").open("rb", buffering=0) as stream,
        Arrival(folder / "file", stream, size=len(data)) as arrival,
        arrival.reader() as reader,
    ):
        for offset, count in wanted:
            if offset + count <= len(data):
                arrival.reach(offset, count)
                found = os.pread(reader.fileno(), count, offset)
                assert found == data[offset : offset + count]
        evidence = arrival.fill()
        assert (evidence.id, evidence.size) == (sha256(data).hexdigest(), len(data))
        assert os.pread(reader.fileno(), len(data) + 1, 0) == data
        assert arrival.sound
    assert not (folder / "file").exists()


def test_what_was_read_ahead_is_hashed_though_the_source_changed_meanwhile(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(content([1, 2, 3], 10))
    vault = Vault(tmp_path / "vault")
    vault.prepare()
    with (
        source.open("rb", buffering=0) as stream,
        vault.arriving(stream, size=source.stat().st_size) as arrival,
    ):
        arrival.reach(2 * BLOCK, 100)
        source.write_bytes(content([1, 9, 9], 10))
        arrival.fill()
        put = vault.keep(arrival, PLACE, case="c", actor="ana", reason="test")
    assert put.evidence.id == sha256(content([1, 9, 3], 10)).hexdigest()
    assert vault.verify(put.evidence.id, case="c", actor="ana", reason="test") == put.evidence


def test_a_source_that_became_shorter_is_kept_as_it_is_and_said_to_have_changed(
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content([1, 2, 3, 0], 10))
    with (
        source.open("rb", buffering=0) as stream,
        Arrival(tmp_path / "file", stream, size=source.stat().st_size) as arrival,
    ):
        arrival.reach(3 * BLOCK, BLOCK)
        os.truncate(source, BLOCK + 7)
        with pytest.raises(Broken, match="shorter"):
            arrival.reach(2 * BLOCK, BLOCK)
        arrival.fill()
        assert not arrival.sound
        assert arrival.path.read_bytes() == content([1], 0) + b"\2" * 7


class Slow(io.RawIOBase):
    """A stream that gives one block, then waits, then breaks or ends."""

    def __init__(self, *, breaks: bool) -> None:
        self.go, self.breaks, self.given = Event(), breaks, 0

    def read(self, _size: int = -1, /) -> bytes:
        self.given += 1
        if self.given == 1:
            return b"a" * BLOCK
        assert self.go.wait(30)
        if self.breaks:
            raise OSError(5, "Input/output error")
        return b"b" * 10 if self.given == 2 else b""


@pytest.mark.parametrize("breaks", [False, True])
def test_who_waits_for_a_stream_gets_its_bytes_or_hears_that_they_do_not_come(
    tmp_path: Path, *, breaks: bool
) -> None:
    stream, said = Slow(breaks=breaks), list[object]()
    with Arrival(tmp_path / "file", stream, size=BLOCK + 10) as arrival:

        def wait() -> None:
            try:
                said.append(arrival.reach(BLOCK, 10))
            except Broken as error:
                said.append(error)

        def fill() -> None:
            try:
                arrival.fill()
            except Unreadable as error:
                said.append(error)

        filling = Thread(target=fill)
        filling.start()
        assert arrival.reach(0, BLOCK) == BLOCK, "what is here is not waited for"
        waiting = Thread(target=wait)
        waiting.start()
        stream.go.set()
        for thread in (filling, waiting):
            thread.join(30)
        if breaks:
            assert {type(one) for one in said} == {Broken, Unreadable}
        else:
            assert said == [BLOCK + 10]
            assert arrival.sound


def test_both_digests_of_long_evidence_are_of_all_its_bytes() -> None:
    chunks = [bytes([number]) * BLOCK for number in range(spool.LONG // BLOCK + 3)]
    chunks += [b"short", bytes(BLOCK), b"end"]
    whole = b"".join(chunks)
    found = spool.measured(chunks)
    assert (found.id, found.size) == (sha256(whole).hexdigest(), len(whole))
    assert found.blake2b == blake2b(whole, digest_size=32).hexdigest()
