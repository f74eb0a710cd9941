# SPDX-License-Identifier: Apache-2.0
"""UTF-16 and UTF-32, in which Windows and its tools write text, as UTF-8 like all other text."""

import codecs
from collections.abc import Callable, Iterator

_MARKS = (
    (codecs.BOM_UTF32_LE, 4, 0, "UTF-32"),
    (codecs.BOM_UTF32_BE, 4, 3, "UTF-32"),
    (codecs.BOM_UTF16_LE, 2, 0, "UTF-16"),
    (codecs.BOM_UTF16_BE, 2, 1, "UTF-16"),
)
"""Byte order marks: bytes of a letter, and where in them the one that ASCII needs stands. The mark
of UTF-32 begins with that of UTF-16."""
_UNMARKED = ((0, "UTF-16LE", "utf-16-le"), (1, "UTF-16BE", "utf-16-be"))
"""Where the byte that ASCII needs stands in a letter when no mark says it."""
CODECS = {"UTF-16": "utf-16", "UTF-32": "utf-32"} | {name: codec for _, name, codec in _UNMARKED}
"""Python's name of each layer."""
_LEAST = 14
"""Bytes from which on text without a mark is told from other bytes."""
_SEEN = 1024
_SIGNS = "\t\r\n\f"
"""Control characters of texts."""


def encoding(first: bytes) -> str | None:
    """The encoding, when a byte order mark stands first and mostly ASCII follows, of which logs

    are made. Without a mark all that is seen has to be text, and its first letters ASCII.
    """
    for mark, width, low, name in _MARKS:
        if first.startswith(mark):
            return name if _mostly_plain(first, width, low) else None
    for low, name, codec in _UNMARKED:
        if len(first) >= _LEAST and not any(first[1 - low : 8 : 2]) and all(first[low:8:2]):
            return name if _is_text(first[:_SEEN], codec) else None
    return None


def _mostly_plain(first: bytes, width: int, low: int) -> bool:
    places = range(width, min(len(first) - width + 1, 64), width)
    if len(places) < 2:
        return False
    letters = [first[at : at + width] for at in places]
    plain = [one for one in letters if one[low] and one.count(0) == width - 1]
    return 2 * len(plain) > len(letters)


def _is_text(seen: bytes, codec: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(codec)().decode(seen)
    except UnicodeDecodeError:
        return False
    ascii_letters = sum(map(str.isascii, text))
    return 2 * ascii_letters > len(text) and all(
        one.isprintable() or one in _SIGNS or not one.isascii() for one in text
    )


def to_utf8(piece: Callable[[], bytes], codec: str) -> Iterator[bytes]:
    """UTF-8 without a byte order mark. Raises `EOFError` when half a letter ends it.

    A lone surrogate stays one, and what is no letter at all becomes one, so that it is noticed as
    invalid UTF-8 and not lost.
    """
    decoder = codecs.getincrementaldecoder(codec)("locard.no_letter")
    while data := piece():
        if out := decoder.decode(data).encode("utf-8", "surrogatepass"):
            yield out
    if len(decoder.getstate()[0]) % (4 if "32" in codec else 2):
        raise EOFError
    if out := decoder.decode(b"", final=True).encode("utf-8", "surrogatepass"):
        yield out


def _no_letter(error: UnicodeError) -> tuple[str | bytes, int]:
    """A lone surrogate as itself; the last of them for a number that no letter has."""
    assert isinstance(error, UnicodeDecodeError)
    try:
        return codecs.lookup_error("surrogatepass")(error)
    except UnicodeDecodeError:
        return "\udfff", error.end


codecs.register_error("locard.no_letter", _no_letter)
