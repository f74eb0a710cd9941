# SPDX-License-Identifier: Apache-2.0
"""Finding the next whole record behind bytes that are damaged."""

import json
import re
from collections.abc import Callable

from locard.parsers.records import Piece

_NEXT = re.compile(rb"[}\]:,\s](?=\{)")
_EFFORT = 64 << 20
"""Characters that may be read in one document in search of records behind damage."""
BLANK = b" \t\r\n,"
"""What may lie between the records of a list."""
RESYNCS = 500
"""Times that the cutter starts anew in one document before it calls the rest damaged."""


def separate(piece: Piece, is_record: Callable[[bytes], bool]) -> list[Piece]:
    """The records inside of bytes that turned out to be no JSON, and the damaged bytes between."""
    pieces: list[Piece] = []
    seeker = Seeker(is_record)
    at = 0
    while len(pieces) < RESYNCS:
        found = seeker.next_record(piece.raw, at + (not pieces))
        begin, stop = found or (len(piece.raw), 0)
        bad = piece.raw[at:begin].strip(BLANK)
        if bad:
            start = piece.raw.index(bad, at)
            fault = "a damaged record: not valid JSON"
            pieces.append(Piece(piece.offset + start, bad, len(bad), fault, piece.where))
        if found is None:
            break
        raw = piece.raw[begin:stop]
        pieces.append(Piece(piece.offset + begin, raw, len(raw), "", piece.where))
        at = stop
    return pieces


class Seeker:
    """Looks for the next record behind damage, with a budget for all of one document."""

    def __init__(self, is_record: Callable[[bytes], bool] | None) -> None:
        self.is_record = is_record
        self.effort = _EFFORT

    def next_record(self, data: bytes, start: int) -> tuple[int, int] | None:
        """Where the next record begins and ends, from `start` on; None when there is none."""
        if self.is_record is None:
            return None
        text = data.decode("latin-1")
        decoder = json.JSONDecoder(strict=False)
        for match in _NEXT.finditer(data, start):
            if self.effort <= 0:
                return None
            begin = match.end()
            try:
                value, stop = decoder.raw_decode(text, begin)
            except json.JSONDecodeError as error:
                # An unterminated string was read to its end, anything else up to the mistake.
                open_string = error.msg.startswith("Unterminated")
                self.effort -= 100 + (len(text) if open_string else error.pos) - begin
                continue
            except RecursionError:
                self.effort -= 10_000
                continue
            self.effort -= 100 + stop - begin
            if isinstance(value, dict) and self.is_record(data[begin:stop]):
                return begin, stop
        return None
