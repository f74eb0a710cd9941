# SPDX-License-Identifier: Apache-2.0
"""UTF-16, in which Windows and its PowerShell write text, as UTF-8 like all other text."""

import codecs
from collections.abc import Callable, Iterator

_HIGH = {codecs.BOM_UTF16_LE: 1, codecs.BOM_UTF16_BE: 0}
"""Which byte of a letter is the high one, by the byte order mark."""


def begins(first: bytes) -> bool:
    """Whether a byte order mark stands first and mostly ASCII follows, of which logs are made."""
    high = _HIGH.get(first[:2])
    if high is None or len(first) < 6:
        return False
    places = range(2, min(len(first) - 1, 64), 2)
    plain = [at for at in places if not first[at + high] and first[at + 1 - high]]
    return 2 * len(plain) > len(places)


def to_utf8(piece: Callable[[], bytes]) -> Iterator[bytes]:
    """UTF-8 without a byte order mark. Raises `EOFError` when half a letter ends it.

    A lone surrogate stays one, so that it is noticed as invalid UTF-8 and not lost.
    """
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    while data := piece():
        if out := decoder.decode(data).encode("utf-8", "surrogatepass"):
            yield out
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise EOFError from error
