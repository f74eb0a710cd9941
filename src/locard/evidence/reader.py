# SPDX-License-Identifier: Apache-2.0
"""What can be read of a ledger without walking it: entries of a case, exhibits, proofs."""

import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from locard.evidence.entries import read
from locard.evidence.faults import changed
from locard.evidence.index import Found, Index
from locard.evidence.tree import HashFiles
from locard.model.custody import CustodyEntry, Exhibit
from locard.model.errors import Missing
from locard_verify import dsse
from locard_verify.keys import Key, read_key
from locard_verify.ledger import verify_ledger
from locard_verify.malformed import Malformed
from locard_verify.merkle import included, inclusion_path, leaf_hash
from locard_verify.note import open_checkpoint
from locard_verify.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Inclusion:
    """An entry whose signature holds, with its place in the tree that the head signs."""

    entry: CustodyEntry
    envelope: bytes
    key: Key
    size: int
    path: tuple[bytes, ...]
    root: bytes
    head: bytes
    """The signed note."""


class LedgerReader:
    """A ledger to be read. Safe between threads, and beside processes that add to it."""

    def __init__(self, folder: Path, pinned: Path | None = None) -> None:
        self.folder, self.pinned = folder, pinned
        """`pinned`: where the first key is kept outside the vault, to compare the ledger with."""
        self.path = folder / "entries"
        self.head = folder / "head"
        self.durable = folder / "durable"
        self.tree = HashFiles(folder / "hashes")
        self.index = Index(folder / "index.sqlite", self.path)
        self._lock = RLock()
        self._keys: tuple[Key, ...] = ()

    def close(self) -> None:
        """Let go of the index."""
        self.index.close()

    def size(self) -> int:
        """How many entries there are."""
        return self.index.catch_up()[1]

    def entries(
        self, *, evidence: str | None = None, case: str | None = None
    ) -> Iterator[CustodyEntry]:
        """Entries in their order, all or of one piece of evidence or case.

        Raises `Tampered` at a line that is not the entry that belongs there.
        """
        self.index.catch_up()
        yield from self.read(self.index.where(evidence=evidence, case=case))

    def newest(
        self,
        *,
        evidence: str | None = None,
        case: str | None = None,
        before: int | None = None,
        limit: int = 200,
    ) -> list[CustodyEntry]:
        """The last `limit` entries about a case or evidence before one number, newest first."""
        self.index.catch_up()
        found = self.index.where(
            evidence=evidence, case=case, before=before, newest=True, limit=limit
        )
        return list(self.read(found))

    def exhibits(self, case: str, evidence: str | None = None) -> list[Exhibit]:
        """The exhibits of a case, or the one of this evidence, in the order of their numbers."""
        self.index.catch_up()
        return [Exhibit.of(record) for record in self.index.records(case, evidence)]

    def made(self, case: str, evidence: str) -> int | None:
        """The number of the entry by which the case took this evidence in, when it did."""
        self.index.catch_up()
        return self.index.made(case, evidence)

    def proof(self, sequence: int) -> Inclusion:
        """Entry number `sequence`, proved: signature, inclusion, head.

        Raises `Missing` when there is none, and `Tampered` when it does not hold.
        """
        self.index.catch_up()
        with self._lock:
            found = self.index.entry(sequence)
            if found is None:
                raise Missing(f"The ledger has no entry {sequence}.")
            line = next(self._lines([found]))
            with self.path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)  # nobody writes over the head meanwhile
                head = self.note()
            count = self.size()
            try:
                envelope = dsse.read_line(line)
                key = self._key(envelope.keyid)
                if not key.signed(dsse.pae(envelope.payload), envelope.signature):
                    raise Malformed("its signature does not fit its text")
                checkpoint, _ = open_checkpoint(head, self.keys())
                if (gone := checkpoint.size - count) > 0:
                    raise Malformed(f"the last {gone:,} entries of the ledger were cut off")
                path = inclusion_path(sequence - 1, checkpoint.size, self.tree.at)
                entry = read(line).entry
                place = (leaf_hash(line), sequence - 1, checkpoint.size, path, checkpoint.root)
                if entry.sequence != sequence or not included(*place):
                    raise Malformed("it is not in the tree that the head signs")
            except (Malformed, OSError, ValueError) as error:
                raise changed(f"entry {sequence}: {error}") from error
        return Inclusion(entry, line, key, checkpoint.size, tuple(path), checkpoint.root, head)

    def check(self) -> Verdict:
        """The verdict on the whole ledger, every signature verified anew."""
        trusted = self.pinned.read_text() if self.pinned and self.pinned.exists() else ""
        return verify_ledger(self.folder, [read_key(trusted)] if trusted else [])

    def note(self) -> bytes:
        """The head: a signed note. Raises `Tampered` when it is missing."""
        try:
            return self.head.read_bytes()
        except FileNotFoundError as error:
            raise changed("the head that names the last entry is missing") from error

    def keys(self) -> tuple[Key, ...]:
        """The public keys that ever signed. Raises `Tampered` for a file that holds none."""
        if not self._keys:
            found = []
            for path in sorted((self.folder / "keys").glob("*.vkey")):
                try:
                    found.append(read_key(path.read_text()))
                except (Malformed, ValueError) as error:
                    raise changed(f"keys/{path.name} is no key: {error}") from error
            self._keys = tuple(found)
        return self._keys

    def _key(self, keyid: str) -> Key:
        for _ in range(2):
            for key in self.keys():
                if key.keyid == keyid:
                    return key
            self._keys = ()  # another process may have introduced it
        raise Malformed(f"the key {keyid} was never introduced")

    def _lines(self, places: Sequence[Found]) -> Iterator[bytes]:
        if not places:
            return
        with self.path.open("rb") as file:
            for place in places:
                file.seek(place.start)
                yield file.read(place.length)

    def read(self, places: Sequence[Found]) -> Iterator[CustodyEntry]:
        for place, line in zip(places, self._lines(places), strict=True):
            try:
                entry = read(line).entry
            except Malformed as error:
                raise changed(f"entry {place.sequence}: {error}") from error
            if entry.sequence != place.sequence:
                raise changed(f"entry {place.sequence} carries number {entry.sequence}")
            yield entry
