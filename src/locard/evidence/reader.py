# SPDX-License-Identifier: Apache-2.0
"""What can be read of a ledger without walking it: entries of a case, exhibits, proofs."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import TypeVar

from locard.evidence.entries import read
from locard.evidence.faults import changed
from locard.evidence.index import Found, Index
from locard.evidence.tree import HashFiles
from locard.model.custody import CustodyEntry, Exhibit
from locard.model.errors import Conflict, Missing, Storage, Tampered
from locard_verify import dsse
from locard_verify.examine import cut_off
from locard_verify.keys import Key, read_key
from locard_verify.ledger import verify_ledger
from locard_verify.malformed import Malformed
from locard_verify.merkle import Levels, included, inclusion_path, leaf_hash, root_of
from locard_verify.note import Checkpoint, open_checkpoint
from locard_verify.verdict import Verdict

T = TypeVar("T")

WHOLE = 64 << 20
"""Bytes of entries that a proof reads besides its own: a quarter of a second."""


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

    def require_form(self) -> None:
        """Raises `Conflict` for a ledger of the form before this one, which is not read."""
        old = self.folder.with_suffix(".jsonl")
        try:
            there = old.exists()
        except OSError as error:
            raise Storage(
                f"The folder {self.folder} cannot be used: {error.strerror}.",
                "Set LOCARD_HOME to a folder that you may write.",
            ) from error
        if there:
            raise Conflict(
                f"{old} is a custody ledger of a version before the first release, which is not "
                "read. Nothing is wrong with it.",
                "Keep that LOCARD_HOME as it is, set LOCARD_HOME to another folder, and add the "
                "evidence anew.",
            )

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

        def looked() -> list[CustodyEntry]:
            self.index.catch_up()
            found = self.index.where(
                evidence=evidence, case=case, before=before, newest=True, limit=limit
            )
            return list(self.read(found))

        return self._healed(looked)

    def exhibits(self, case: str, evidence: str | None = None) -> list[Exhibit]:
        """The exhibits of a case, or the one of this evidence, in the order of their numbers."""

        def looked() -> list[Exhibit]:
            self.index.catch_up()
            found = self.index.makers(case, evidence)
            lines = zip(found, self._lines(found), strict=True)
            return [self._made_by(place, line, case) for place, line in lines]

        return self._healed(looked)

    def known(self, case: str, evidence: str) -> tuple[str, int] | None:
        """Number of the exhibit, and the last entry about it, as that entry itself says."""

        def looked() -> tuple[str, int] | None:
            if (said := self.index.exhibit(case, evidence)) is None:
                return None
            number, sequence = said
            found = next(self.read([self.index.entry(sequence) or Found(sequence, 0, 0)]))
            if (found.case, found.evidence, found.exhibit) != (case, evidence, number):
                raise changed(f"entry {sequence} is not about exhibit {number}")
            return number, sequence

        return self._healed(looked)

    def made(self, case: str, evidence: str) -> int | None:
        """The number of the entry by which the case took this evidence in, when it did."""

        def looked() -> int | None:
            self.index.catch_up()
            if (sequence := self.index.made(case, evidence)) is None:
                return None
            found = next(self.read([self.index.entry(sequence) or Found(sequence, 0, 0)]))
            if (found.case, found.evidence, found.previous) != (case, evidence, 0):
                raise changed(f"entry {sequence} did not make the exhibit of {evidence[:16]}…")
            return sequence

        return self._healed(looked)

    def proof(self, sequence: int, *, whole: bool = False) -> Inclusion:
        """Entry number `sequence`, proved: signature, inclusion, head.

        `whole` reads all other entries too, so that a change to any of them is found as well,
        unless they are more than `WHOLE` bytes. Raises `Missing` when there is no such entry, and
        `Tampered` when it does not hold.
        """
        return self._healed(lambda: self._proved(sequence, whole))

    def _proved(self, sequence: int, whole: bool) -> Inclusion:
        self.index.catch_up()
        with self._lock:
            found = self.index.entry(sequence)
            if found is None and 0 < sequence <= self.size():
                raise changed(f"the index does not know entry {sequence}")
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
                    raise Malformed(f"of the ledger {cut_off(gone)}")
                entry = read(line).entry
                if entry.sequence != sequence:
                    raise Malformed(f"it carries number {entry.sequence}")
                anew = whole and self.path.stat().st_size <= WHOLE
                path = self._path(checkpoint, sequence, leaf_hash(line), anew)
            except (Malformed, OSError, ValueError) as error:
                raise changed(f"entry {sequence}: {error}") from error
        return Inclusion(entry, line, key, checkpoint.size, tuple(path), checkpoint.root, head)

    def _path(self, head: Checkpoint, sequence: int, leaf: bytes, anew: bool) -> list[bytes]:
        """The inclusion proof of an entry, by the hashes on disk unless those do not fit.

        Raises `Malformed` when the entry is not in the tree that the head signs.
        """
        with suppress(OSError, ValueError):
            path = [] if anew else inclusion_path(sequence - 1, head.size, self.tree.at)
            if not anew and included(leaf, sequence - 1, head.size, path, head.root):
                return path
        with self.path.open("rb") as file:
            tree = Levels(b"".join(leaf_hash(line[:-1]) for line in islice(file, head.size)))
        if tree.size < head.size or root_of(head.size, tree.at) != head.root:
            raise Malformed(f"the first {head.size:,} entries are not those that the head signs")
        path = inclusion_path(sequence - 1, head.size, tree.at)
        if not included(leaf, sequence - 1, head.size, path, head.root):
            raise Malformed("it is not in the tree that the head signs")
        return path

    def _made_by(self, place: Found, line: bytes, case: str) -> Exhibit:
        try:
            found = read(line)
        except Malformed as error:
            raise changed(f"entry {place.sequence}: {error}") from error
        if found.record is None or (found.entry.sequence, found.entry.case) != (
            place.sequence,
            case,
        ):
            raise changed(f"entry {place.sequence} made no exhibit of {case}")
        return Exhibit.of(found.record)

    def _healed(self, look: Callable[[], T]) -> T:
        """What is looked up; with an index made anew when the one there leads astray."""
        try:
            return look()
        except Tampered:
            self.index.rebuild()
            return look()

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
                except UnicodeDecodeError as error:
                    raise changed(f"keys/{path.name} is no key: it is no text") from error
                except Malformed as error:
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
