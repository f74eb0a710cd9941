# SPDX-License-Identifier: Apache-2.0
"""What a bundle takes out of the ledger: the entries of one case, and what proves them.

Entries of other cases are never taken. They show as hashes within tiles, which say nothing of what
was hashed: every entry holds a time to the nanosecond and a signature, so no hash can be guessed.
"""

import base64
import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from locard.evidence import Ledger
from locard.evidence.entries import Read, read
from locard.evidence.index import Found
from locard.model.custody import CustodyEntry, Exhibit, Verb
from locard.model.errors import Missing, Tampered
from locard_verify import stamp
from locard_verify.extract import OF_THE_INSTALLATION
from locard_verify.malformed import Malformed
from locard_verify.merkle import consistency_path, inclusion_path
from locard_verify.note import Checkpoint, open_checkpoint
from locard_verify.tiles import Tile, content_of, needed, path_of

WITH_ONE = frozenset({Verb.AUTHORISED})
"""Entries about the case as a whole that go with a single exhibit too."""


@dataclass(slots=True)
class Drawn:
    """The entries that go into a bundle, in their order, and the exhibits that they are about."""

    ledger: Ledger
    case: str
    only: str = ""
    """The number of the one exhibit; empty for all of the case."""
    exhibits: list[Exhibit] = field(default_factory=list)
    places: list[Found] = field(default_factory=list)

    @classmethod
    def of(cls, ledger: Ledger, case: str, only: str = "", until: int | None = None) -> "Drawn":
        """What there is now, or was up to entry `until`.

        Raises `Missing` for an exhibit that the case has not.
        """
        exhibits = ledger.exhibits(case)
        if only:
            exhibits = [one for one in exhibits if one.number == only]
        if not exhibits:
            what = f"exhibit {only}" if only else "exhibits"
            raise Missing(
                f"Case {case} has no {what}.", f"List them with `locard custody exhibits {case}`."
            )
        found = cls(ledger, case, only, exhibits)
        ledger.index.catch_up()
        before = until + 1 if until is not None else None
        own = ledger.index.where(case=case, before=before)
        itself = ledger.index.where(case="", before=before)
        merged = list(heapq.merge(own, itself, key=lambda one: one.sequence))
        kept = zip(merged, found._lines(merged), strict=True)
        found.places = [place for place, line in kept if found._belongs(read(line))]
        return found

    @property
    def sequences(self) -> list[int]:
        """The numbers of the entries."""
        return [place.sequence for place in self.places]

    def entries(self) -> list[CustodyEntry]:
        """The entries as the ledger has them."""
        return [read(line).entry for line in self._lines(self.places)]

    def written(self) -> Iterator[bytes]:
        """The entries as lines, each with its number and its envelope as it was signed."""
        for place, line in zip(self.places, self._lines(self.places), strict=True):
            yield b'{"sequence":%d,"envelope":%s}\n' % (place.sequence, line)

    def line(self, sequence: int) -> bytes:
        """One entry as it was signed. Raises `Missing`."""
        self.ledger.index.catch_up()
        place = self.ledger.index.entry(sequence)
        if place is None:
            raise Missing(f"The ledger has no entry {sequence}.")
        return next(self._lines([place]))

    def _belongs(self, found: Read) -> bool:
        entry = found.entry
        if not entry.case:
            return entry.verb.value in OF_THE_INSTALLATION
        return not self.only or entry.exhibit == self.only or entry.verb in WITH_ONE

    def _lines(self, places: Sequence[Found]) -> Iterator[bytes]:
        with self.ledger.path.open("rb") as file:
            for place in places:
                file.seek(place.start)
                yield file.read(place.length)


@dataclass(frozen=True, slots=True)
class Point:
    """A checkpoint that the ledger keeps, with what an authority said of it."""

    name: str
    """Of its files, without their ends."""
    checkpoint: Checkpoint
    note: bytes
    token: bytes
    gap: str


def points(ledger: Ledger, sequences: Sequence[int], until: int) -> list[Point]:
    """For each of the entries the first checkpoint that has it, and the one of `until` entries."""
    wanted: set[int] = {until}
    left = sorted(sequences, reverse=True)
    for size in ledger.checkpoints.sizes():
        if left and left[-1] <= size <= until:
            wanted.add(size)
            while left and left[-1] <= size:
                left.pop()
    return [point(ledger, size) for size in sorted(wanted)]


def point(ledger: Ledger, size: int) -> Point:
    """The checkpoint of that size."""
    kept = ledger.checkpoints
    note = kept.note(size)
    checkpoint, _ = open_checkpoint(note, ledger.keys())
    gap = str(kept.why(size).get("why", ""))
    return Point(f"{size:012d}", checkpoint, note, kept.held(size), gap)


def stamped(ledger: Ledger, point: Point) -> stamp.Stamp:
    """What the token of a checkpoint says, under the roots beside the ledger. Raises `Tampered`."""
    roots = [
        one
        for path in sorted((ledger.folder / "authorities").glob("*.pem"))
        for one in stamp.certificates(path.read_bytes())
    ]
    try:
        return stamp.check(point.token, point.note, roots)
    except Malformed as error:
        raise Tampered(
            f"The time stamp beside checkpoint {point.name} does not hold: {error}.",
            "Run `locard verify` to see all that is wrong.",
        ) from error


def tiles(ledger: Ledger, sequences: Sequence[int], found: Sequence[Point]) -> list[Tile]:
    """The tiles that lead from these entries, and these checkpoints, to the last of them."""
    sizes = [one.checkpoint.size for one in found]
    return needed(sequences, sizes, sizes[-1])


def tile(ledger: Ledger, one: Tile, size: int) -> tuple[str, bytes]:
    """The name and the content of a tile in the ledger of `size` entries."""
    return path_of(one, size), content_of(one, size, ledger.tree.at)


def seal(ledger: Ledger, line: bytes, sequence: int, point: Point, since: int) -> bytes:
    """The seal: the entry, its place in the checkpoint after it, and how that goes on from before.

    `since` is the size of the last checkpoint in the bundle.
    """
    size = point.checkpoint.size
    at = ledger.tree.at
    found: dict[str, Any] = {
        "sequence": sequence,
        "envelope": json.loads(line),
        "inclusion": _base64(inclusion_path(sequence - 1, size, at)),
        "checkpoint": point.note.decode(),
        "consistency": {"from": since, "path": _base64(consistency_path(since, size, at))},
    }
    if point.token:
        found["token"] = base64.b64encode(point.token).decode()
    elif point.gap:
        found["gap"] = point.gap
    return json.dumps(found, indent=1).encode() + b"\n"


def _base64(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]
