# SPDX-License-Identifier: Apache-2.0
"""Rotated logs inside an image: the content of a file with its compression taken off."""

import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from locard.parsers.contract import Limits
from locard.parsers.decode import decoded, layer_of

_BUFFER = 256 << 10


class _Chunks(io.RawIOBase):
    """Decoded chunks as a file; damage is raised after the good bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes of one chunk: a short read, so that nothing good is lost."""
        buffer = bytearray(_BUFFER if size < 0 else min(size, _BUFFER))
        return bytes(buffer[: self.readinto(buffer)])


def expanded(reopen: Callable[[], BinaryIO], limits: Limits) -> BinaryIO:
    """A stream over the file's content, through gzip, bzip2, xz or zstd when it begins with one.

    Its `read` raises `Unreadable` after the good bytes when the layer is damaged.
    """
    stream = reopen()
    layer = layer_of(stream.read(14))
    stream.seek(0)
    if layer is None:
        return stream
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    chunks = decoded(stream.read, (layer,), limits, size)
    return cast(BinaryIO, _Chunks(chunks))
