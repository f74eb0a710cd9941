# SPDX-License-Identifier: Apache-2.0
"""What comes in pieces, as something that bytes can be read from: nothing is held whole."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256

from locard.evidence.spool import Readable
from locard.model.action import Json


class Stream:
    """Chunks as something that can be read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, b""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, or none at the end."""
        while not self._left:
            more = next(self._chunks, None)
            if more is None:
                return b""
            self._left = more
        found, self._left = self._left[:size], self._left[size:]
        return found


class Sum:
    """A stream whose SHA-256 is known when it was read."""

    def __init__(self, stream: Readable) -> None:
        self._stream, self._sum = stream, sha256()

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, or none at the end."""
        data = self._stream.read(size)
        self._sum.update(data)
        return data

    def base64(self) -> str:
        """As AWS writes it."""
        return b64encode(self._sum.digest()).decode()


def lines(records: Iterable[Json]) -> Iterator[bytes]:
    """Each record as a line of JSON."""
    for one in records:
        yield json.dumps(one, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def document(name: str, records: Iterable[Json]) -> Iterator[bytes]:
    """One JSON document with a list in it, as the provider's own answers have it."""
    yield f'{{"{name}":['.encode()
    for number, one in enumerate(records):
        text = json.dumps(one, ensure_ascii=False).encode("utf-8", "replace")
        yield (b",\n" if number else b"\n") + text
    yield b"\n]}\n"
