# SPDX-License-Identifier: Apache-2.0
"""Skippable frames of zstd data: bytes that every decoder passes over, so that anything fits there.

Programs keep two things in them that are no content: `pzstd` the length of the frame behind, and
the seekable format a table of all frames at the end. What is neither is told with its place,
because nobody who only decompresses the file ever sees it (RFC 8878, 3.1.2).
"""

import struct

from locard.model.errors import Unreadable
from locard.parsers.pieces import Pieces

FRAME = b"\x28\xb5\x2f\xfd"
"""First bytes of a frame that holds content."""
_HEAD = struct.Struct("<4sI")
_SEEKABLE = b"\xb1\xea\x92\x8f"
_TABLE_MOST = 1 << 20
"""Longest table of a seekable file that is looked at."""
_TOLD = 5
"""Places that are named one by one."""


def skips(begin: bytes) -> bool:
    """Whether these bytes, 8 at least, begin a skippable frame."""
    return len(begin) >= _HEAD.size and begin[1:4] == b"\x2a\x4d\x18" and begin[0] >> 4 == 5


def begins(first: bytes) -> bool:
    """Whether zstd data begins here, be it behind skippable frames; LZ4 has the same of these."""
    at = 0
    while skips(first[at : at + _HEAD.size]):
        at += _HEAD.size + int.from_bytes(first[at + 4 : at + 8], "little")
    return first[at : at + 4] == FRAME or bool(at and at >= len(first))


class Skippable:
    """The skippable frames of one stream, in the order in which they are met."""

    def __init__(self, source: Pieces) -> None:
        self._source = source
        self._untold: list[tuple[int, int]] = []
        """Where what nobody sees begins, and how many bytes it has."""
        self._promise: tuple[int, int] | None = None
        """Where the last length of a frame stands, and the length."""
        self._frame = 0
        """Where the last frame with content begins."""
        self.decoded = 0
        """Bytes of content so far."""

    def passed(self) -> bool:
        """Pass over the skippable frame that begins here, if one does. Raises `Unreadable`."""
        place, head = self._source.place, self._source.exactly(_HEAD.size)
        if not skips(head):
            self._source.give_back(head)
            self._frame = place
            return False
        length = int.from_bytes(head[4:], "little")
        kept = self._source.exactly(min(length, _TABLE_MOST))
        left = length - len(kept)
        while left and (piece := self._source.piece()):
            self._source.give_back(piece[left:])
            left -= min(left, len(piece))
        self._break_promise()
        if length == 4 and not left:
            self._promise = place, int.from_bytes(kept, "little")
        elif length and not self._is_table(kept, place):
            self._untold.append((place, length - left))
        if left:
            raise Unreadable("The zstd data ends too early: the file is cut short.")
        return True

    def framed(self) -> None:
        """A frame with content has ended here."""
        if self._promise and self._promise[1] == self._source.place - self._frame:
            self._promise = None
        self._break_promise()

    def told(self) -> str:
        """What was passed over and is no length and no table, for a person; or nothing."""
        self._break_promise()
        if not self._untold:
            return ""
        places = [f"byte {place:,}" for place, _ in self._untold[:_TOLD]]
        more = len(self._untold) - len(places)
        places += [f"{more:,} more places"] if more else []
        return (
            f"There are {sum(length for _, length in self._untold):,} bytes in skippable frames of "
            f"the zstd data, at {', '.join(places)}. They were not read: every zstd program passes "
            "over them, so cut them out and look at them."
        )

    def _break_promise(self) -> None:
        if self._promise is not None:
            self._untold.append((self._promise[0], 4))
            self._promise = None

    def _is_table(self, data: bytes, place: int) -> bool:
        """Whether this is the table of the seekable format, and says what was met before it."""
        if len(data) < 9 or data[-4:] != _SEEKABLE:
            return False
        count, described = struct.unpack_from("<IB", data, len(data) - 9)
        words = 3 if described & 0x80 else 2
        if len(data) != count * words * 4 + 9:
            return False
        table: tuple[int, ...] = struct.unpack_from(f"<{count * words}I", data)
        return (sum(table[::words]), sum(table[1::words])) == (place, self.decoded)
