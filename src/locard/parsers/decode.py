# SPDX-License-Identifier: Apache-2.0
"""Layers around the content: recognised by content, taken off in a stream, bounded against bombs.

Compressions, and UTF-16 and UTF-32, in which Windows writes text: taken off, it is UTF-8 like all
other text.

A decoder here delivers every good byte before it raises, because the first half of a damaged log is
still evidence. Input goes in by small pieces for the same reason: what a decoder had produced in
the call that fails is lost.
"""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol, cast

from isal import igzip_lib, isal_zlib

from locard.model.errors import Unreadable
from locard.parsers import skippable, wide
from locard.parsers.contract import Limits
from locard.parsers.pieces import Pieces, Read

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK = 1 << 20
"""Most decoded bytes taken from a decoder at once: the bound of its memory."""
JUDGED_FROM = 64 << 20
"""Decoded bytes before the ratio means anything."""
SALVAGED = 1 << 20
"""A gzip member of at most this many stored bytes is read again, byte by byte, when it breaks."""
WINDOW_LOG = 28
"""Largest zstd window: 256 MiB, well under a worker's memory."""
LZMA_MEMORY = 512 << 20

_BROKEN: tuple[type[Exception], ...] = (
    cast(type[Exception], igzip_lib.IsalError),
    lzma.LZMAError,
    zstd.ZstdError,
    OSError,
    EOFError,
    ValueError,
)
"""What the decoders raise on damaged data."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def layer_of(first: bytes) -> str | None:
    """The layer that these first bytes (at least 14 where there are so many) begin."""
    if first[:3] == b"\x1f\x8b\x08" and len(first) > 3 and not first[3] & 0xE0:
        return "gzip"
    if (
        first[:3] == b"BZh"
        and first[3:4] in b"123456789"
        and first[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
    ):
        return "bzip2"
    if first[:6] == b"\xfd7zXZ\0":
        return "xz"
    if skippable.begins(first):
        return "zstd"
    return wide.encoding(first)


class Meter:
    """Counts decoded bytes of one file or of all members of one archive, and stops a bomb."""

    def __init__(self, limits: Limits, stored: int) -> None:
        self.limits = limits
        self.stored = stored
        self.decoded = 0

    def add(self, count: int) -> None:
        """Count; raises `Unreadable` that names the limit once one is passed."""
        self.decoded += count
        if self.decoded > self.limits.decoded_bytes:
            raise Unreadable(
                f"Decoding gives more than {self.limits.decoded_bytes:,} bytes.",
                "Raise the limit 'decoded_bytes' if you trust this file.",
            )
        if self.decoded > JUDGED_FROM and self.decoded > self.limits.ratio * self.stored:
            raise Unreadable(
                f"Decoding gives more than {self.limits.ratio:,} times the stored "
                f"{self.stored:,} bytes: this looks like a decompression bomb.",
                "Raise the limit 'ratio' if you trust this file.",
            )


def decoded(read: Read, layers: tuple[str, ...], limits: Limits, stored: int) -> Iterator[bytes]:
    """The bytes of `read` without `layers` (outermost first), in chunks of at most 1 MiB.

    Raises `Unreadable` after the good bytes when a layer is damaged, cut short or a bomb.
    """
    chunks: Iterator[bytes] | None = None
    for layer in layers:
        source = Pieces(read if chunks is None else _reader(chunks))
        chunks = _metered(_LAYERS[layer](source), Meter(limits, stored))
    return _plain(read) if chunks is None else chunks


Stream = tuple[Iterator[bytes], Callable[[], int]]
"""Chunks, and how many of the bytes that were read turned out to lie behind them."""


def bare(layer: str, read: Read) -> Stream:
    """One layer whose end is in the data, for a member of a zip archive."""
    source = Pieces(read)
    return _LAYERS[layer](source), source.left


def bare_deflate(read: Read) -> Stream:
    """Deflate without a header."""
    source = Pieces(read)
    return _one(source, _deflate, "deflate"), source.left


def bare_lzma(read: Read, filters: list[dict[str, int]], size: int | None) -> Stream:
    """LZMA without a header; it may lack an end mark, and is then over after `size` bytes."""
    source = Pieces(read)

    def make() -> _Decoder:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)

    def bounded() -> Iterator[bytes]:
        left = size
        for chunk in _one(source, make, "LZMA"):
            yield chunk
            if left is not None:
                left -= len(chunk)
                if left <= 0:
                    return

    return bounded(), source.left


def _plain(read: Read) -> Iterator[bytes]:
    while data := read(CHUNK):
        yield data


def _metered(chunks: Iterator[bytes], meter: Meter) -> Iterator[bytes]:
    for chunk in chunks:
        meter.add(len(chunk))
        yield chunk


def _reader(chunks: Iterator[bytes]) -> Read:
    """`read(n)` over chunks: gives at most n bytes, and nothing at the end only."""
    rest = b""

    def read(count: int) -> bytes:
        nonlocal rest
        while not rest:
            chunk = next(chunks, None)
            if chunk is None:
                return b""
            rest = chunk
        data, rest = rest[:count], rest[count:]
        return data

    return read


def _cut(layer: str) -> Unreadable:
    return Unreadable(f"The {layer} data ends too early: the file is cut short.")


def _damaged(layer: str, why: object) -> Unreadable:
    return Unreadable(f"The {layer} data is damaged ({why}).")


def _deflate() -> _Decoder:
    decoder: _Decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    return decoder


def _one(source: Pieces, make: Callable[[], _Decoder], layer: str) -> Iterator[bytes]:
    """One compressed stream; what follows it is given back to `source`."""
    decoder = make()
    while not decoder.eof:
        data = b""
        if decoder.needs_input:
            data = source.piece()
            if not data:
                raise _cut(layer)
        try:
            out = decoder.decompress(data, CHUNK)
        except _BROKEN as error:
            raise _damaged(layer, error) from None
        if out:
            yield out
    source.give_back(decoder.unused_data)


def _streams(
    source: Pieces, one: Callable[[Pieces], Iterator[bytes]], layer: str
) -> Iterator[bytes]:
    """Compressed streams one after the other, as `cat a.xz b.xz` makes them."""
    yield from one(source)
    while begin := source.exactly(14):
        source.give_back(begin)
        rest = begin.lstrip(b"\0")
        if not rest:
            _only_padding(source, layer)
            return
        if layer_of(begin) != layer and not (layer == "zstd" and skippable.skips(begin)):
            raise _behind(layer, source.place + len(begin) - len(rest))
        yield from one(source)


def _only_padding(source: Pieces, layer: str) -> None:
    while piece := source.piece():
        if rest := piece.lstrip(b"\0"):
            raise _behind(layer, source.place - len(rest))


def _behind(layer: str, place: int) -> Unreadable:
    return Unreadable(
        f"There is something behind the {layer} data that is not {layer}, from byte {place:,} on."
    )


def _gunzip(source: Pieces) -> Iterator[bytes]:
    """Gzip members. The header is read and the checksum compared here, not by the decoder:

    a decoder that finds a wrong checksum keeps the last bytes to itself.
    """
    return _streams(source, _gzip_member, "gzip")


def _gzip_header(source: Pieces) -> None:
    head = source.exactly(10)
    if len(head) < 10:
        raise _cut("gzip")
    flags = head[3]
    if flags & 4:
        length = int.from_bytes(source.exactly(2), "little")
        source.exactly(length)
    for flag in (8, 16):
        if flags & flag and not source.until_zero().endswith(b"\0"):
            raise _cut("gzip")
    if flags & 2:
        source.exactly(2)


def _gzip_member(source: Pieces) -> Iterator[bytes]:
    _gzip_header(source)
    decoder = _deflate()
    crc = size = 0
    kept: list[bytes] | None = []
    taken = 0
    while not decoder.eof:
        data = b""
        if decoder.needs_input:
            data = source.piece()
            if not data:
                raise _cut("gzip")
            taken += len(data)
            if kept is not None:
                kept = [*kept, data] if taken <= SALVAGED else None
        try:
            out = decoder.decompress(data, CHUNK)
        except _BROKEN as error:
            if kept is not None:
                yield from _salvage(b"".join(kept), size)
            raise _damaged("gzip", error) from None
        if out:
            crc = isal_zlib.crc32(out, crc)
            size += len(out)
            yield out
    source.give_back(decoder.unused_data)
    tail = source.exactly(8)
    if len(tail) < 8:
        raise _cut("gzip")
    if int.from_bytes(tail[:4], "little") != crc:
        raise _damaged("gzip", "the checksum differs")
    if int.from_bytes(tail[4:], "little") != size & 0xFFFFFFFF:
        raise _damaged("gzip", "the length differs")


def _salvage(stored: bytes, delivered: int) -> Iterator[bytes]:
    """What a patient decoder still gets out of a broken member, behind `delivered` bytes."""
    decoder = zlib.decompressobj(-15)
    at = 0
    try:
        for index in range(len(stored)):
            out = decoder.decompress(stored[index : index + 1])
            if out:
                fresh = out[max(delivered - at, 0) :]
                at += len(out)
                if fresh:
                    yield fresh
    except zlib.error:
        return


def _bunzip(source: Pieces) -> Iterator[bytes]:
    return _decoded(source, bz2.BZ2Decompressor, "bzip2")


def _unxz(source: Pieces) -> Iterator[bytes]:
    def make() -> _Decoder:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LZMA_MEMORY)

    return _decoded(source, make, "xz")


def _unzstd(source: Pieces) -> Iterator[bytes]:
    def make() -> _Decoder:
        options = {int(zstd.DecompressionParameter.window_log_max): WINDOW_LOG}
        return zstd.ZstdDecompressor(options=options)

    passed = skippable.Skippable(source)

    def one(source: Pieces) -> Iterator[bytes]:
        if not passed.passed():
            for chunk in _one(source, make, "zstd"):
                passed.decoded += len(chunk)
                yield chunk
            passed.framed()

    try:
        yield from _streams(source, one, "zstd")
    except Unreadable as error:
        raise Unreadable(f"{error.message} {passed.told()}".rstrip(), error.advice) from None
    if told := passed.told():
        raise Unreadable(told)


def _decoded(source: Pieces, make: Callable[[], _Decoder], layer: str) -> Iterator[bytes]:
    return _streams(source, lambda one: _one(one, make, layer), layer)


def _text(name: str) -> Callable[[Pieces], Iterator[bytes]]:
    def read(source: Pieces) -> Iterator[bytes]:
        try:
            yield from wide.to_utf8(source.piece, wide.CODECS[name])
        except EOFError:
            raise _cut(name) from None

    return read


_LAYERS: dict[str, Callable[[Pieces], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "bzip2": _bunzip,
    "xz": _unxz,
    "zstd": _unzstd,
    **{name: _text(name) for name in wide.CODECS},
}
