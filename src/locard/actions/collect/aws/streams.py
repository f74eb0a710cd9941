# SPDX-License-Identifier: Apache-2.0
"""What comes in pieces, as something that bytes can be read from: nothing is held whole."""

import json
from collections.abc import Iterable, Iterator

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
