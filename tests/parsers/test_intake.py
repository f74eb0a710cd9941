# SPDX-License-Identifier: Apache-2.0
"""The parent's judgement of frames, with the frames of a worker that lies."""

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from locard.parsers.contract import Limits
from locard.parsers.frames import (
    BATCH,
    BYTES,
    JSON,
    Batch,
    Done,
    MemberBegin,
    MemberEnd,
    Order,
    Recognised,
)
from locard.parsers.intake import Intake, Lie
from locard.parsers.rows import Rows

EVIDENCE = "a" * 64


def a_batch() -> bytes:
    found: list[pa.RecordBatch] = []
    rows = Rows(found.append, EVIDENCE, "toy.lines", "1")
    for number in range(3):
        rows.row(message=f"m{number}", locator=str(number), attributes=[("a", "b")], time=number)
    rows.close()
    return bytes(found[0].serialize())


GOOD = a_batch()


def begun() -> Intake:
    intake = Intake(Order(EVIDENCE, "file", 1), Limits(decoded_bytes=10))
    intake.judge(JSON, msgspec.json.encode(Recognised("p", "1", "records", (), "")), 0.0)
    return intake


def test_good_rows_pass() -> None:
    frame = begun().judge(BATCH, GOOD, 0.0)
    assert isinstance(frame, Batch)
    assert frame.batch.column("message").to_pylist() == ["m0", "m1", "m2"]


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1))
def test_changed_rows_pass_whole_or_not_at_all(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, byte in changes:
        data[place] = byte
    try:
        frame = begun().judge(BATCH, bytes(data), 0.0)
    except Lie:
        return
    assert isinstance(frame, Batch)
    frame.batch.validate(full=True)
    assert set(frame.batch.column("evidence").to_pylist()) <= {EVIDENCE}
    frame.batch.to_pydict()


@given(st.binary(max_size=200), st.sampled_from([JSON, BATCH, BYTES, b"?"]))
def test_any_bytes_are_judged(payload: bytes, kind: bytes) -> None:
    with pytest.raises(Lie):
        begun().judge(kind, payload, 0.0)


@pytest.mark.parametrize(
    "told",
    [
        [Recognised("p", "1", "records", (), "")],
        [MemberEnd(0, "a")],
        [MemberBegin(0, "a", 1, None), MemberBegin(1, "b", 1, None)],
        [MemberBegin(0, "a", 1, None), MemberEnd(1, "a")],
        [MemberBegin(3, "a", 1, None), MemberEnd(3, "a"), MemberBegin(3, "a", 1, None)],
        [MemberBegin(0, "a", 1, None), Done(1, 0, 0, {}, 0)],
        [Done(3, 3, 0, {}, 0)],
    ],
)
def test_frames_out_of_order_are_lies(told: list[msgspec.Struct]) -> None:
    intake = begun()
    with pytest.raises(Lie):
        for frame in told:
            intake.judge(JSON, msgspec.json.encode(frame), 0.0)


def test_members_are_bounded_by_the_parent_too() -> None:
    intake = begun()
    intake.judge(JSON, msgspec.json.encode(MemberBegin(0, "a", 1, None)), 0.0)
    intake.judge(BYTES, b"12345", 0.0)
    with pytest.raises(Lie, match="limit"):
        intake.judge(BYTES, b"678901", 0.0)


def test_nothing_comes_before_recognition() -> None:
    intake = Intake(Order(EVIDENCE, "file", 1), Limits())
    with pytest.raises(Lie, match="before recognition"):
        intake.judge(BATCH, GOOD, 0.0)
