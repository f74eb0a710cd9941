# SPDX-License-Identifier: Apache-2.0
"""Layers: good bytes first, then the sentence about the damage; bombs stop at the limit."""

import bz2
import gzip
import lzma
import os
import random
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.model.errors import Unreadable
from locard.parsers.contract import Limits
from locard.parsers.decode import decoded, layer_of
from locard.parsers.opened import Evidence

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
TEXT = b"".join(b"%d a line of a log that compresses\n" % number for number in range(40_000))
NOISE = random.Random(1).randbytes(300_000)

layers = pytest.mark.parametrize("layer", list(COMPRESS))


def take(data: bytes, *names: str, limits: Limits | None = None) -> tuple[bytes, str]:
    """Decoded bytes and the sentence of the error, if one came."""
    at = 0

    def read(count: int) -> bytes:
        nonlocal at
        piece = data[at : at + count]
        at += len(piece)
        return piece

    out = []
    try:
        out.extend(decoded(read, names, limits or Limits(), len(data)))
    except Unreadable as error:
        return b"".join(out), f"{error.message} {error.advice}"
    return b"".join(out), ""


@layers
def test_a_layer_is_known_by_its_content_and_comes_off(layer: str) -> None:
    for content in (TEXT, NOISE, b"", b"x"):
        stored = COMPRESS[layer](content)
        assert layer_of(stored[:64]) == layer
        assert take(stored, layer) == (content, "")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_text_of_windows_comes_out_as_utf8(codec: str) -> None:
    text = "\ufeff" + '{"user": "J\u00fcrgen \U0001f50d"}\r\n' * 9000
    stored = text.encode(codec)
    assert layer_of(stored[:64]) == "UTF-16"
    assert take(stored, "UTF-16") == (text[1:].encode(), "")
    got, why = take(stored[:-1], "UTF-16")
    assert got == text[1:-1].encode()
    assert "UTF-16 data ends too early" in why
    lone = "\ufeffa\ud800b".encode(codec, "surrogatepass")
    assert take(lone, "UTF-16") == (b"a\xed\xa0\x80b", "")


@pytest.mark.parametrize(
    ("codec", "mark", "layer"),
    [
        ("utf-16-le", "", "UTF-16LE"),
        ("utf-16-be", "", "UTF-16BE"),
        ("utf-32-le", "\ufeff", "UTF-32"),
        ("utf-32-be", "\ufeff", "UTF-32"),
    ],
)
def test_other_wide_text_comes_out_as_utf8(codec: str, mark: str, layer: str) -> None:
    text = "when;who\r\n" + '2024-03-05;"J\u00fcrgen \U0001f50d"\r\n' * 9000
    stored = (mark + text).encode(codec)
    assert layer_of(stored[:64]) == layer_of(stored) == layer
    assert take(stored, layer) == (text.encode(), "")
    got, why = take(stored[:-1], layer)
    assert got == text[:-1].encode()
    assert f"{layer} data ends too early" in why
    for lone in ("some text \ud800 b", "some text \ud800"):
        got, why = take((mark + lone).encode(codec, "surrogatepass"), layer)
        assert (got, why) == (lone.encode("utf-8", "surrogatepass"), "")


def test_numbers_that_are_no_letters_make_invalid_utf8() -> None:
    stored = "\ufeffabc".encode("utf-32-le") + b"\xff\xff\xff\x7f" + "d".encode("utf-32-le")
    assert take(stored, "UTF-32") == (b"abc\xed\xbf\xbfd", "")


@pytest.mark.parametrize(
    "first",
    [
        "short".encode("utf-16-le"),
        "some text".encode("utf-16-le") + bytes(2) + "more".encode("utf-16-le"),
        "some text \x01".encode("utf-16-be"),
        "some text".encode("utf-16-le") + NOISE,
        "some text".encode("utf-32-le"),
        "abcd".encode("utf-16-le") + "\u6f22\u5b57".encode("utf-16-le") * 9,
        b"some text",
        bytes(2048),
    ],
)
def test_wide_text_without_a_mark_has_to_be_text_all_of_it(first: bytes) -> None:
    assert layer_of(first) is None


@pytest.mark.parametrize("first", [b"\xff\xfe\0\0a\0\0\0", b"\xff\xfe" + NOISE, b"\xff\xfea\0"])
def test_bytes_behind_a_mark_that_are_no_text_stay_as_they_are(first: bytes) -> None:
    assert layer_of(first[:64]) is None


@layers
def test_streams_one_behind_the_other_are_one(layer: str) -> None:
    stored = COMPRESS[layer](b"one") + COMPRESS[layer](TEXT) + COMPRESS[layer](b"three")
    assert take(stored, layer) == (b"one" + TEXT + b"three", "")


@layers
def test_what_is_behind_is_not_passed_over(layer: str) -> None:
    stored = COMPRESS[layer](TEXT)
    assert take(stored + bytes(1000), layer) == (TEXT, "")
    for between in (0, 3, 14, 100_000):
        good, why = take(stored + bytes(between) + b"hidden", layer)
        assert good == TEXT
        assert f"not {layer}, from byte {len(stored) + between:,} on" in why


def skippable(data: bytes, number: int = 0) -> bytes:
    """A frame that every zstd program passes over."""
    return bytes([0x50 + number]) + b"\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


@pytest.mark.parametrize("hidden", [b"x" * 3, b"four", b"a line of evidence\n" * 9000])
def test_what_is_in_skippable_frames_is_told_with_its_place(hidden: bytes) -> None:
    frames = [COMPRESS["zstd"](text) for text in (b"one\n", TEXT)]
    for stored, place in (
        (skippable(hidden) + frames[0] + frames[1], 0),
        (skippable(b"", 3) + frames[0] + skippable(hidden, 15) + frames[1], 8 + len(frames[0])),
        (frames[0] + frames[1] + skippable(hidden), sum(map(len, frames))),
    ):
        assert layer_of(stored[:64]) == "zstd"
        good, why = take(stored, "zstd")
        assert good == b"one\n" + TEXT
        assert f"{len(hidden):,} bytes in skippable frames" in why and f"byte {place:,}." in why
    good, why = take(frames[0] + skippable(hidden) + frames[1] + b"behind", "zstd")
    assert good == b"one\n" + TEXT and "not zstd, from byte" in why and "skippable" in why
    good, why = take(frames[0] + skippable(hidden)[:-1], "zstd")
    assert good == b"one\n" and "cut short" in why
    assert take(skippable(hidden), "zstd")[1]
    assert layer_of(skippable(hidden) + b"\x04\x22\x4d\x18") is None, "LZ4 has such frames too"


def test_skippable_frames_of_parallel_and_of_seekable_zstd_are_no_problem() -> None:
    texts = [b"one\n" * 90, TEXT, b"", b"three\n"]
    frames = [COMPRESS["zstd"](text) for text in texts]
    parallel = b"".join(skippable(len(one).to_bytes(4, "little")) + one for one in frames)
    assert layer_of(parallel[:64]) == "zstd"
    assert take(parallel, "zstd") == (b"".join(texts), "")
    for words in (2, 3):
        table = b"".join(
            b"".join(one.to_bytes(4, "little") for one in (len(frame), len(text), 0)[:words])
            for frame, text in zip(frames, texts, strict=True)
        )
        foot = struct.pack("<IB", len(frames), 0x80 * (words == 3)) + b"\xb1\xea\x92\x8f"
        assert take(b"".join(frames) + skippable(table + foot, 14), "zstd") == (b"".join(texts), "")
        lies = b"\1" + table[1:] + foot
        assert "skippable" in take(b"".join(frames) + skippable(lies, 14), "zstd")[1]


@layers
@pytest.mark.parametrize("content", [TEXT, NOISE], ids=["text", "noise"])
def test_cut_short_gives_what_is_there(layer: str, content: bytes) -> None:
    stored = COMPRESS[layer](content)
    for keep in (len(stored) - 1, len(stored) - 9, len(stored) // 2, 11):
        good, why = take(stored[:keep], layer)
        assert content.startswith(good)
        assert "cut short" in why
    if layer == "gzip":
        assert len(take(stored[: len(stored) // 2], layer)[0]) > len(content) // 3


@layers
def test_damage_gives_what_is_before_it(layer: str) -> None:
    stored = bytearray(COMPRESS[layer](NOISE))
    stored[len(stored) * 3 // 4] ^= 0xFF
    good, why = take(bytes(stored), layer)
    assert why
    if layer == "gzip":
        assert len(good) > len(NOISE) // 2


def test_a_wrong_gzip_checksum_does_not_cost_the_content() -> None:
    stored = bytearray(gzip.compress(b"toy\nfirst\n"))
    stored[-8] ^= 1
    good, why = take(bytes(stored), "gzip")
    assert good == b"toy\nfirst\n"
    assert "checksum" in why


def test_a_small_broken_gzip_gives_the_lines_before_the_damage() -> None:
    stored = bytearray(gzip.compress(TEXT[:200_000]))
    stored[len(stored) // 2 : len(stored) // 2 + 40] = b"\xff" * 40
    good, why = take(bytes(stored), "gzip")
    assert good[:80_000] == TEXT[:80_000]
    assert why


def test_gzip_headers_with_all_their_fields() -> None:
    plain = gzip.compress(TEXT)
    head = b"\x1f\x8b\x08\x1e" + plain[4:10] + b"\x04\0abcd" + b"name\0" + b"comment\0" + b"\0\0"
    assert take(head + plain[10:], "gzip") == (TEXT, "")
    for keep in range(len(head)):
        assert take(head[:keep] or head[:1], "gzip")[1]


@layers
def test_a_bomb_stops_at_the_ratio(layer: str) -> None:
    stored = COMPRESS[layer](bytes(100 << 20))
    good, why = take(stored, layer, limits=Limits(ratio=10))
    assert 62 << 20 < len(good) <= 64 << 20
    assert "'ratio'" in why


@layers
def test_a_bomb_stops_at_the_total(layer: str) -> None:
    stored = COMPRESS[layer](bytes(20 << 20))
    good, why = take(stored, layer, limits=Limits(decoded_bytes=5 << 20))
    assert len(good) <= 5 << 20
    assert "'decoded_bytes'" in why


def test_zeros_up_to_the_ratio_are_no_bomb() -> None:
    stored = gzip.compress(bytes(100 << 20))
    good, why = take(stored, "gzip", limits=Limits(ratio=1100))
    assert (len(good), why) == (100 << 20, "")


def evidence(folder: Path, data: bytes, limits: Limits | None = None) -> Evidence:
    path = folder / "evidence"
    path.write_bytes(data)
    return Evidence(os.open(path, os.O_RDONLY), len(data), "evidence", limits or Limits())


def test_layers_inside_each_other(tmp_path: Path) -> None:
    stored = TEXT
    for layer in COMPRESS:
        stored = COMPRESS[layer](stored)
    opened = evidence(tmp_path, stored)
    assert opened.layers == tuple(reversed(COMPRESS))
    assert opened.head.first == TEXT[: 64 << 10]
    assert opened.stream().read() == TEXT
    assert opened.whole(len(TEXT)) == TEXT
    assert opened.whole(len(TEXT) - 1) is None
    assert opened.decoded == len(TEXT)


def test_more_layers_than_the_limit(tmp_path: Path) -> None:
    stored = b"x"
    for _ in range(4):
        stored = gzip.compress(stored)
    opened = evidence(tmp_path, stored, Limits(depth=3))
    assert len(opened.layers) == 3
    assert opened.damage is not None
    assert "'depth'" in opened.damage.advice


def test_a_reader_gets_the_good_bytes_and_then_the_error(tmp_path: Path) -> None:
    opened = evidence(tmp_path, gzip.compress(TEXT)[:-9])
    lines = []
    with pytest.raises(Unreadable, match="cut short"):
        lines.extend(opened.stream())
        opened.stream().read()
        stream = opened.stream()
        while True:
            stream.read(1000)
    assert opened.untold is None


def test_damage_that_a_reader_did_not_reach_is_remembered(tmp_path: Path) -> None:
    opened = evidence(tmp_path, gzip.compress(TEXT)[:-9])
    assert TEXT.startswith(opened.stream().read())
    assert opened.untold is not None


def test_what_breaks_off_is_never_handed_over_as_the_whole(tmp_path: Path) -> None:
    opened = evidence(tmp_path, gzip.compress(TEXT)[:-9])
    with pytest.raises(Unreadable, match="cut short"):
        opened.whole(1 << 30)
    assert opened.untold is None


def test_stored_bytes_are_read_at_any_place(tmp_path: Path) -> None:
    opened = evidence(tmp_path, gzip.compress(TEXT))
    one, other = opened.seekable(), opened.seekable()
    assert one.read(2) == other.read(2) == b"\x1f\x8b"
    one.seek(-4, os.SEEK_END)
    assert int.from_bytes(one.read(), "little") == len(TEXT)
    with pytest.raises(ValueError, match="before the beginning"):
        other.seek(-1)


@settings(deadline=None, max_examples=150)
@given(
    layer=st.sampled_from(list(COMPRESS)),
    changes=st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), max_size=4),
    keep=st.floats(0, 1),
)
def test_mutated_layers_give_bytes_or_unreadable(
    layer: str, changes: list[tuple[float, int]], keep: float
) -> None:
    data = bytearray(COMPRESS[layer](TEXT[:20_000] + NOISE[:5_000]))
    for place, byte in changes:
        data[int(place * len(data))] = byte
    take(bytes(data[: int(keep * len(data))]), layer)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300), st.sampled_from([b"", *[c(b"")[:10] for c in COMPRESS.values()]]))
def test_any_bytes_can_be_opened(data: bytes, begin: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        opened = evidence(Path(folder), begin + data)
        assert len(opened.head.first) <= 64 << 10
        opened.stream().read()
        os.close(opened._source._fd)
