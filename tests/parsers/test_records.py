# SPDX-License-Identifier: Apache-2.0
"""Cutting streams into records: every byte is in a piece or between pieces, in bounded memory."""

import json
import tracemalloc
from io import BytesIO, RawIOBase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.model.errors import Unreadable
from locard.parsers import records
from locard.parsers.damage import RESYNCS, separate
from locard.parsers.elements import elements
from locard.parsers.records import Piece, lines

KEYS = ("Records", "Events")
LIMIT = 1 << 20


def is_record(raw: bytes) -> bool:
    return b'"t":' in raw


def cut(data: bytes, limit: int = LIMIT, chunk: int | None = None) -> list[Piece]:
    with pytest.MonkeyPatch.context() as patch:
        if chunk:
            patch.setattr(records, "CHUNK", chunk)
        pieces = [p for batch in elements(BytesIO(data), limit, KEYS, is_record) for p in batch]
    for piece in pieces:
        assert data[piece.offset : piece.offset + len(piece.raw)] == piece.raw
        assert len(piece.raw) <= max(limit, records.KEPT)
    return pieces


def good(pieces: list[Piece]) -> list[bytes]:
    return [p.raw for p in pieces if not p.fault]


ONE = b'{"t":1,"x":{"a":[{"b":"]}\\\\\\""}]}}'
TWO = b'{"t":2}'


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [
        b'{"Records":[%s,\n%s]}',
        b'{"Next":"x","list":[1],"Events" : [ %s , %s ],"z":{"a":[]}}',
        b"[%s,%s]",
        b"%s\n%s",
        b"%s%s",
        b'{"Records":[%s]}\n{"Records":[%s]}',
        b'{"Records":[%s],"Records":[%s]}',
        b"\xef\xbb\xbf[%s,%s]",
    ],
)
def test_records_are_found_in_every_form(data: bytes, chunk: int) -> None:
    pieces = cut(data % (ONE, TWO), chunk=chunk)
    assert [p.raw for p in pieces] == [ONE, TWO]
    assert not any(p.fault for p in pieces)


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (b'{"Records":[%s},%s]}', ["a bracket that closes nothing"]),
        (b'{"Records":[%s,17,%s,"x"]}', ["not a record", "not a record"]),
        (b'{"Records":[{"t":3,"x":"y},%s,%s]}', ["a damaged record: brackets do not fit"]),
        (b'{"Records":[{"t":3,"x":[},%s,%s]}', ["a damaged record: brackets do not fit"]),
        (b"]]}%s%s", ["not a record"]),
    ],
)
def test_one_bad_record_does_not_spoil_the_others(data: bytes, faults: list[str]) -> None:
    pieces = cut(data % (ONE, TWO))
    assert good(pieces) == [ONE, TWO]
    assert [p.fault for p in pieces if p.fault][: len(faults)] == faults


def test_a_record_that_swallowed_others_is_separated() -> None:
    data = b'{"Records":[{"t":3,"x":{,%s,%s]}' % (ONE, TWO)
    swallowed, *rest = cut(data)
    assert swallowed.fault
    assert good(rest) == [ONE, TWO]
    line = b'{"t":3,"x":{,%s,%s]}' % (ONE, TWO)
    parts = separate(Piece(100, line, len(line)), is_record)
    assert [p.raw for p in parts if not p.fault] == [ONE, TWO]
    assert line[parts[1].offset - 100 :].startswith(ONE)
    assert parts[0].fault


def test_a_document_cut_short_keeps_its_records_and_its_tail() -> None:
    data = b'{"Records":[%s,%s,{"t":3,"x":{"a":' % (ONE, TWO)
    *whole, tail = cut(data)
    assert good(whole) == [ONE, TWO]
    assert tail.fault and tail.raw == b'{"t":3,"x":{"a":'
    *whole, tail = cut(b'{"Records":[%s,' % ONE)
    assert good(whole) == [ONE]
    assert tail.fault == "the document ends inside a list of records"


def test_a_record_that_is_too_long_keeps_its_beginning() -> None:
    long = b'{"t":9,"x":"' + b"y" * 300_000 + b'"}'
    pieces = cut(b"[%s,%s,%s]" % (ONE, long, TWO), limit=100_000, chunk=10_000)
    assert good(pieces) == [ONE, TWO]
    (bad,) = [p for p in pieces if p.fault]
    assert bad.raw == long[: records.KEPT]
    assert bad.length == len(long)
    assert f"{len(long):,}" in bad.fault


def test_memory_is_bounded_by_the_record_and_not_by_the_document() -> None:
    kilobyte = b'{"t":2,"x":"' + b"y" * 1009 + b'"},'

    class Long(RawIOBase):
        left = 80

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            if self.left == 79:
                return b'{"Records":['
            return kilobyte * 1024 if self.left > 0 else b""

    tracemalloc.start()
    count = sum(len(batch) for batch in elements(Long(), LIMIT, KEYS))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 78 * 1024 + 1
    assert peak < 40 << 20


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
), max_size=4), max_size=6), st.sampled_from([None, 1]), st.integers(1, 40))  # fmt: skip
def test_any_json_list_comes_apart_exactly(
    values: list[dict[str, object]], indent: int | None, chunk: int
) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=False).encode()
    assert [json.loads(p.raw) for p in cut(data, chunk=chunk)] == values


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_come_out_as_pieces(data: bytes, chunk: int) -> None:
    inside = cut(b'{"Records":[%s,%s' % (ONE, data), chunk=chunk)
    assert inside[0].raw == ONE or inside[0].fault


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:\\ t1', max_size=120), st.integers(1, 9))
def test_broken_brackets_never_hang_and_never_lose_the_first(text: str, chunk: int) -> None:
    pieces = cut(b'{"Records":[%s,%s' % (ONE, text.encode()), chunk=chunk)
    assert pieces[0].raw == ONE


class Breaks(RawIOBase):
    """Gives bytes, ends, and only then raises, as the streams of the workers do."""

    def __init__(self, data: bytes) -> None:
        self.answers = [data, b""]

    def read(self, size: int = -1) -> bytes:
        if not self.answers:
            raise Unreadable("the gzip stream is cut short")
        return self.answers.pop(0)


def test_a_stream_that_breaks_off_gives_its_records_and_the_reason() -> None:
    pieces = [p for b in elements(Breaks(b"[" + ONE + b',{"t":'), LIMIT) for p in b]  # type: ignore[arg-type]
    assert pieces[0].raw == ONE
    assert "cut short: the gzip stream is cut short" in pieces[1].fault
    found = [p for batch in lines(Breaks(b"a\nb"), LIMIT) for p in batch]  # type: ignore[arg-type]
    assert [p.raw for p in found] == [b"a", b"b"]
    assert "cut short" in found[1].fault
    found = [p for batch in lines(Breaks(b"a\n"), LIMIT) for p in batch]  # type: ignore[arg-type]
    assert found[1].length == 0 and "cut short" in found[1].fault


def test_lines_have_places_and_no_ends() -> None:
    data = b"\xef\xbb\xbfone\r\n\n  \ntwo\nthree"
    pieces = [p for batch in lines(BytesIO(data), LIMIT) for p in batch]
    assert [p.raw for p in pieces] == [b"one", b"two", b"three"]
    assert all(data[p.offset : p.offset + p.length] == p.raw for p in pieces)


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_of_a_hundred_megabytes_does_not_stay_in_memory(
    end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "CHUNK", 1 << 16)
    size = 20 << 20
    data = b"before\n" + b"x" * size + end + (b"after\n" if end else b"")
    pieces = [p for batch in lines(BytesIO(data), LIMIT) for p in batch]
    assert pieces[0].raw == b"before"
    assert pieces[1].raw == b"x" * records.KEPT
    assert pieces[1].length == size
    assert [p.raw for p in pieces[2:]] == ([b"after"] if end else [])
    if end:
        assert data[pieces[2].offset :] == b"after\n"


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b), max_size=20),
       st.integers(1, 30))  # fmt: skip
def test_lines_lose_nothing(parts: list[bytes], chunk: int) -> None:
    data = b"!" + b"\n".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "CHUNK", chunk)
        pieces = [p for batch in lines(BytesIO(data), LIMIT) for p in batch]
    assert all(data[p.offset : p.offset + p.length] == p.raw for p in pieces)
    whole = [line for line in data.split(b"\n") if line and not line.isspace()]
    assert [p.raw for p in pieces] == [line.removesuffix(b"\r") for line in whole]


def test_backslashes_before_quotes_count_in_pairs() -> None:
    for count in (*range(6), 31, 32, 33, 34, 65, 66):
        raw = json.dumps({"t": "\\" * count + '"}'}).encode()
        assert [p.raw for p in cut(b"[" + raw + b"]")] == [raw]
        assert [p.raw for p in cut(b"[" + raw + b"]", chunk=5)] == [raw]


def test_a_document_of_damage_is_given_up_and_not_lost() -> None:
    data = b"[" + b'{"t":1]' * 900 + b"]"
    pieces = cut(data)
    assert "too damaged to be cut into records" in {piece.fault for piece in pieces}
    assert sum(piece.length for piece in pieces) >= len(data) - 2
    assert len(pieces) <= RESYNCS + 10
