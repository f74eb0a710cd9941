# SPDX-License-Identifier: Apache-2.0
"""JSON documents of any size cut into their records without reading them whole.

The cutter looks at quotes and brackets only, a chunk at a time, with numpy. That makes it fast
enough for gigabytes, bounds its memory by the longest record, and lets it go on behind damage:
where brackets do not fit it looks for the next thing that is a record, and what lies between comes
out as a piece with a fault.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, BinaryIO

import msgspec
import numpy as np

from locard.parsers.damage import BLANK, RESYNCS, Seeker
from locard.parsers.records import KEPT, Piece, Source, too_long

_Numbers = np.ndarray[Any, np.dtype[Any]]
_OPEN = frozenset(b"{[")
_PAIR = {ord("{"): ord("}"), ord("["): ord("]")}
_STRUCTURE = np.zeros(256, bool)
_STRUCTURE[list(b"{}[]")] = True
_OPENING = np.zeros(256, bool)
_OPENING[list(b"{[")] = True
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*\Z')


def elements(
    stream: BinaryIO,
    limit: int,
    keys: Collection[str] = (),
    is_record: Callable[[bytes], bool] | None = None,
) -> Iterator[list[Piece]]:
    """The records of a JSON document, or of several one after another, in batches.

    Records are the elements of a top-level list, or of a list that the top-level object holds
    under one of `keys`; an object without such a list is a record itself. `is_record` tells a
    record from a part of one by its bytes; it is asked where damage has to be repaired.
    """
    cutter = _Cutter(limit, frozenset(keys), is_record)
    source = Source(stream)
    while chunk := source.chunk():
        yield from _some(cutter.feed(chunk))
    yield from _some(cutter.close(source.broken))


def _some(pieces: list[Piece]) -> Iterator[list[Piece]]:
    if pieces:
        yield pieces


class _Cutter:
    """The state between chunks. Positions count from the start of the document."""

    def __init__(
        self, limit: int, keys: frozenset[str], is_record: Callable[[bytes], bool] | None
    ) -> None:
        self.limit, self.keys, self.seeker = limit, keys, Seeker(is_record)
        self.data = b""
        self.base = 0
        self.done = 0
        """Everything before this position was looked at."""
        self.in_string = 0
        self.depth = 0
        self.mode = ""
        """"" outside, "list", "object" (undecided), "named" (in a list of `keys`), "rest"."""
        self.where = ""
        self.cursor = 0
        """Everything before this position belongs to a piece or is of no interest."""
        self.start = -1
        """Where the open record starts; -1 when none is open."""
        self.first = 0
        self.skipped = b""
        """First bytes of a record that is too long to be kept."""
        self.resyncs = 0
        self.out: list[Piece] = []

    def feed(self, chunk: bytes) -> list[Piece]:
        """Take the next bytes and give the pieces that are complete."""
        if not self.base and not self.data and chunk.startswith(b"\xef\xbb\xbf"):
            chunk = chunk[3:]
            self.base = self.done = self.cursor = 3
        self.data += chunk
        self._advance()
        self._bound()
        self._forget()
        out, self.out = self.out, []
        return out

    def close(self, broken: str) -> list[Piece]:
        """The last pieces, with the reason when the document is not complete."""
        end = self.base + len(self.data)
        reason = f"cut short: {broken}" if broken else "the document ends inside a record"
        while self.start >= 0 and not self.skipped and self.resyncs < RESYNCS:
            after = self._seek(self.start + 1, end)
            if after is None:
                break
            self._piece(self.start, after, "a damaged record")
            self._resync(after)
            self._advance()
        if self.start >= 0 and self.skipped:
            length = end - self.start
            self.out.append(Piece(self.start, self.skipped, length, too_long(length, self.limit)))
        elif self.start >= 0:
            self._piece(self.start, end, reason)
        elif self.mode in ("list", "named", "rest"):
            if self.mode != "rest" and not broken:
                reason = "the document ends inside a list of records"
            self._piece(self.cursor, end, reason)
        elif broken:
            self._piece(self.cursor, end, broken)
        else:
            self._gap(end)
        out, self.out = self.out, []
        return out

    def _advance(self) -> None:
        before = -1
        while before != self.done:
            before = self.done
            self._scan()

    def _scan(self) -> None:
        """Look at all bytes from `done` on, or up to where brackets do not fit."""
        at = self.done
        view = self.data[at - self.base :] if at > self.base else self.data
        # A chunk may end inside an escape: leave an odd backslash for the next time.
        if (len(view) - len(view.rstrip(b"\\"))) % 2:
            view = view[:-1]
        if not view:
            return
        tokens, in_string = _tokens(view, self.in_string)
        codes = np.frombuffer(view, np.uint8)[tokens]
        opening = _OPENING[codes]
        depths = self.depth + np.cumsum(np.where(opening, 1, -1))
        depths -= np.minimum(0, np.minimum.accumulate(depths)) if len(depths) else 0
        shallow = np.flatnonzero(np.where(opening, depths <= 3, depths <= 2))
        for position, code, depth in zip(
            (tokens[shallow] + at).tolist(),
            codes[shallow].tolist(),
            depths[shallow].tolist(),
            strict=True,
        ):
            if not self._step(position, code, depth):
                return
        self.done = at + len(view)
        self.in_string = in_string
        if len(depths):
            self.depth = int(depths[-1])

    def _step(self, position: int, code: int, depth: int) -> bool:
        """Take one bracket; False when the cutter started anew at another place."""
        mode = self.mode
        if code in _OPEN:
            if depth == 1:
                if not self._gap(position):
                    return False
                self.mode = "list" if code == 91 else "object"
                self.where = ""
                if code == 91:
                    self.cursor = position + 1
                else:
                    self._begin(position, code)
            elif depth == 2 and mode == "list":
                if not self._gap(position):
                    return False
                self._begin(position, code)
            elif depth == 2 and code == 91 and mode in ("object", "rest"):
                self._name(position)
            elif depth == 3 and mode == "named":
                if not self._gap(position):
                    return False
                self._begin(position, code)
            return True
        level = {"object": 0, "list": 1, "named": 2}.get(mode, -1)
        if depth == level and self.start >= 0:
            if code != _PAIR[self.first]:
                return self._damaged(position)
            if not self._end(position + 1):
                return False
            if depth == 0:
                self.mode = ""
        elif depth == level - 1 and mode in ("list", "named"):
            if code != 93:
                return self._stray(position, level)
            if not self._gap(position):
                return False
            self.cursor = position + 1
            self.mode = "" if mode == "list" else "rest"
        elif depth == 0 and mode == "rest":
            if not self._rest(position):
                return False
            self.cursor = position + 1
            self.mode = ""
        return True

    def _name(self, position: int) -> None:
        before = self.data[max(0, position - self.base - 256) : position - self.base]
        match = _KEY.search(before)
        name = match[1].decode(errors="replace") if match else ""
        if name in self.keys:
            self.mode, self.where = "named", name
            self.start, self.skipped = -1, b""
            self.cursor = position + 1

    def _begin(self, position: int, code: int) -> None:
        self.start, self.first, self.skipped = position, code, b""

    def _end(self, end: int) -> bool:
        """A record is complete; False when it is no JSON and another record begins in it."""
        length = end - self.start
        if self.skipped:
            fault = too_long(length, self.limit)
            self.out.append(Piece(self.start, self.skipped, length, fault, self.where))
        elif self._swallowed(end):
            return False
        else:
            self._piece(self.start, end)
        self.start, self.skipped, self.cursor = -1, b"", end
        return True

    def _swallowed(self, end: int) -> bool:
        if self.seeker.is_record is None or _sound(
            self.data[self.start - self.base : end - self.base]
        ):
            return False
        after = self._seek(self.start + 1, self.base + len(self.data))
        if after is None or after >= end:
            return False
        self._piece(self.start, after, "a damaged record: not valid JSON")
        self._resync(after)
        return True

    def _piece(self, start: int, end: int, fault: str = "") -> None:
        raw = self.data[start - self.base : end - self.base]
        if len(raw) > self.limit:
            fault = fault or too_long(len(raw), self.limit)
            raw = raw[:KEPT]
        self.out.append(Piece(start, raw, end - start, fault, self.where))

    def _gap(self, end: int) -> bool:
        """What lies between records must be blanks and commas.

        False when a record stands in it: a quote was missing before, so texts were taken for
        brackets and brackets for text, and the cutter started anew at that record.
        """
        if self.mode != "rest" and end > self.cursor:
            raw = self.data[self.cursor - self.base : end - self.base]
            inner = raw.strip(BLANK)
            if inner:
                start = self.cursor + raw.index(inner)
                found = _scalars(inner)
                if found == [(0, len(inner))] and self._anew(start, end):
                    return False
                for begin, stop in found:
                    self._piece(start + begin, start + stop, "not a record")
        self.cursor = max(self.cursor, end)
        return True

    def _rest(self, end: int) -> bool:
        """What follows the list in its object is no record; False as in `_gap`."""
        self.mode = ""
        return not (self.cursor >= self.base and self._anew(self.cursor, end))

    def _anew(self, start: int, end: int) -> bool:
        """Go on at the first record that begins in bytes that should hold none."""
        after = self._seek(start, self.base + len(self.data))
        if after is None or after >= end:
            return False
        if after > start:
            self._piece(start, after, "not a record")
        self._resync(after)
        return True

    def _damaged(self, position: int) -> bool:
        """A record whose last bracket does not fit its first."""
        end = self.base + len(self.data)
        after = None if self.skipped else self._seek(self.start + 1, end)
        if after is None:
            after = position + 1
        self._piece(self.start, after, "a damaged record: brackets do not fit")
        self._resync(after)
        return False

    def _stray(self, position: int, level: int) -> bool:
        """A bracket that closes nothing."""
        if not self._gap(position):
            return False
        self._piece(position, position + 1, "a bracket that closes nothing")
        self._resync(position + 1)
        return False

    def _resync(self, position: int) -> None:
        """Go on at `position` as if between two records."""
        self.resyncs += 1
        if self.mode == "object":
            self.mode = ""
        self.start, self.skipped, self.cursor = -1, b"", position
        self.in_string, self.done = 0, position
        self.depth = {"list": 1, "named": 2}.get(self.mode, 0)
        if self.resyncs > RESYNCS:
            end = self.base + len(self.data)
            self._piece(position, end, "too damaged to be cut into records")
            self.cursor = self.done = end

    def _seek(self, start: int, end: int) -> int | None:
        """Where the next thing starts, from `start` on, that is a record."""
        data = self.data[: end - self.base]
        found = self.seeker.next_record(data, max(start - 1 - self.base, 0))
        return self.base + found[0] if found else None

    def _bound(self) -> None:
        """Hold at most one record of the longest length allowed."""
        end = self.base + len(self.data)
        if self.start >= 0 and not self.skipped and end - self.start > self.limit:
            after = self._seek(self.start + 1, end)
            if after is not None:
                self._piece(self.start, after, "a damaged record")
                self._resync(after)
                self._advance()
                return
            begin = self.start - self.base
            self.skipped = self.data[begin : begin + KEPT]
        if self.start < 0 and self.mode != "rest" and end - self.cursor > KEPT:
            self._gap(end)

    def _forget(self) -> None:
        end = self.base + len(self.data)
        keep = self.start if self.start >= 0 and not self.skipped else end - 256
        if self.start < 0 and (self.mode != "rest" or end - self.cursor <= KEPT):
            keep = min(keep, self.cursor)
        keep = min(keep, self.done, end - 256)
        if keep > self.base:
            self.data = self.data[keep - self.base :]
            self.base = keep


def _sound(raw: bytes) -> bool:
    """Whether these bytes are JSON."""
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _scalars(text: bytes) -> list[tuple[int, int]]:
    """Where the texts and numbers of a list stand; all of it as one when it is nothing of that."""
    decoder = json.JSONDecoder(strict=False)
    letters = text[:KEPT].decode("latin-1")
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(letters):
        try:
            _, stop = decoder.raw_decode(letters, at)
        except (ValueError, RecursionError):
            return [(0, len(text))]
        found.append((at, stop))
        between = letters[stop:].lstrip(BLANK.decode())
        at = len(letters) - len(between)
        if len(text) > KEPT or len(found) > 1000 or (between and "," not in letters[stop:at]):
            return [(0, len(text))]
    return found


def _tokens(view: bytes, in_string: int) -> tuple[_Numbers, int]:
    """Places of brackets outside of strings, and whether a string is open at the end."""
    codes = np.frombuffer(view, np.uint8)
    quotes = np.flatnonzero(codes == 34)
    if len(quotes) and b"\\" in view:
        quotes = quotes[~_escaped(codes, quotes, view)]
    brackets = np.flatnonzero(_STRUCTURE[codes])
    inside = (np.searchsorted(quotes, brackets) + in_string) & 1
    return brackets[inside == 0], (in_string + len(quotes)) & 1


def _escaped(codes: _Numbers, quotes: _Numbers, view: bytes) -> _Numbers:
    """Which quotes follow an odd number of backslashes."""
    odd = np.zeros(len(quotes), bool)
    live = np.flatnonzero((quotes > 0) & (codes[quotes - 1] == 92))
    run = 1
    while len(live):
        odd[live] = run % 2 == 1
        places = quotes[live] - run - 1
        if run > 32:
            for index in live.tolist():
                before = view[: int(quotes[index])]
                odd[index] = (len(before) - len(before.rstrip(b"\\"))) % 2 == 1
            break
        live = live[(places >= 0) & (codes[places] == 92)]
        run += 1
    return odd
