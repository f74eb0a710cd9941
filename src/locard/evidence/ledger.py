# SPDX-License-Identifier: Apache-2.0
"""The custody ledger: signed entries that are the leaves of one Merkle tree.

entries          one signed statement a line, append-only: the only truth, all else follows from it
hashes/          the tree (`tree.py`)
index.sqlite     where entries stand, and the exhibits (`index.py`)
head             a signed note: so many entries, this root; written anew with every addition
durable          the head of what has reached the disk for sure
keys/            the public keys that ever signed, each introduced by an entry
checkpoints/     heads that are kept for good, with their time stamps (`checkpoints.py`)
authorities/     who stamps them (`authority.py`)

An entry that is changed, removed, added or swapped no longer fits its signature, its number or the
root; a tail that was cut off is missed by the head. Whoever holds the private key can still write
another history from the last checkpoint that somebody else keeps or has time-stamped.
"""

import fcntl
import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from locard.evidence import ending
from locard.evidence.authority import Authorities
from locard.evidence.checkpoints import Checkpoints, Pace, durably
from locard.evidence.ending import ITSELF, SHOWN, End, gone_before, head_changed, overwrite, whole
from locard.evidence.entries import SECOND, Draft, now, payload, read, rfc3339
from locard.evidence.faults import changed
from locard.evidence.reader import LedgerReader
from locard.evidence.signing import FileSigner, Signer
from locard.model.custody import CustodyEntry, Exhibit, Hand, Verb
from locard.model.errors import Conflict, Error, Storage, Tampered
from locard_verify import dsse
from locard_verify.examine import cut_off
from locard_verify.keys import Key
from locard_verify.malformed import Malformed
from locard_verify.merkle import Edge, leaf_hash, root_of
from locard_verify.note import Checkpoint, open_checkpoint, signed_note

OF_CHECKPOINTS = (Verb.CHECKPOINT_KEPT, Verb.TIME_STAMPED, Verb.TIME_STAMP_MISSED)
"""Entries that alone are no reason for another checkpoint: it would be stamped, and so on."""
SET_BACK = 2 * SECOND
"""A clock that lags less than this behind the last entry is waited for in the mind: the entry gets
the next nanosecond. One that lags more was set back, and an entry says so."""
UNINDEXED = 2_000
"""Entries that may wait to be indexed while a run adds many."""


class Ledger(LedgerReader):
    """The ledger of one vault. Appending is safe between threads and between processes."""

    def __init__(
        self, folder: Path, signer: Signer, pinned: Path | None = None, pace: Pace | None = None
    ) -> None:
        super().__init__(folder, pinned)
        self.checkpoints = Checkpoints(folder / "checkpoints")
        self.authorities = Authorities(folder / "authorities")
        self.pace = pace or Pace()
        self.touched = False
        """Whether this process has added anything."""
        self.signer = signer
        self._known = End()

    def append(self, drafts: Sequence[Draft], *, durable: bool = True) -> list[CustodyEntry]:
        """Sign entries, write them to the end and return them. `durable` waits for the disk.

        Raises `Tampered` when the end of the ledger is not what it was left as, and `Storage` when
        it cannot be signed or written; then nothing was written.
        """
        if not drafts:
            return []
        with self._lock, self._opened() as file:
            end = self._end(file)
            first = end.edge.size == 0
            extra = self._begin(end) if first else end.lost
            lines = self._add(file, end, [*extra, *drafts], durable or first)
            end.lost = []
            if self._due(end):
                with suppress(OSError):  # the disk is full: it is due again with the next entry
                    self._keep(file, end)
            return [read(line).entry for line in lines[-len(drafts) :]]

    def _add(self, file: BinaryIO, end: End, drafts: Sequence[Draft], durable: bool) -> list[bytes]:
        """Sign these drafts and write them to the end; the lines."""
        key = self.signer.key
        if end.edge.size and key.vkey not in {one.vkey for one in self.keys()}:
            raise Conflict(
                f"The ledger does not know the key {key.keyid} that is to sign.",
                "Sign with the key that it was begun with, or introduce the new one with it: "
                "`locard custody key --new`.",
            )
        size, head = end.size, end.head if end.edge.size and not end.lost else b""
        try:
            lines = self._signed(end, drafts, key)
            self._write(file, end, lines, durable)
            self._follow(end, lines, key, durable)
        except BaseException as error:
            self._known = End()
            if head and isinstance(error, Exception):
                ending.take_back(file.fileno(), size, self.head, head)
            raise
        self.touched = True
        return lines

    def settle(self) -> None:
        """Wait until every entry is on the disk; from then on one that is missing was cut off."""
        with self._lock, self._opened() as file:
            end = self._end(file)
            self._say(file, end)
            if end.edge.size and self._read_durable() != end.head:
                os.fsync(file.fileno())
                overwrite(self.durable, end.head)

    def checkpoint(self, without: Collection[Verb] = ()) -> int:
        """Keep the head as it is now for good, when something happened since the last checkpoint.

        Entries of the verbs `without`, and that one was time-stamped, are nothing that happened.
        The size of the newest checkpoint.
        """
        with self._lock, self._opened() as file:
            end = self._end(file)
            self._say(file, end)
            size, _ = self.checkpoints.newest()
            self.index.catch_up()
            if self.index.others(size, (*OF_CHECKPOINTS, *without)):
                return self._keep(file, end)
            return size

    def due(self) -> bool:
        """Whether the set pace asks for a checkpoint."""
        size, at = self.checkpoints.newest()
        late = time.time() - at >= self.pace.seconds
        return self.size() - size >= self.pace.entries or (late and self.size() > size)

    def _due(self, end: End) -> bool:
        size, at = self.checkpoints.newest()
        late = bool(at) and time.time() - at >= self.pace.seconds
        return end.edge.size - size >= self.pace.entries or late

    def _keep(self, file: BinaryIO, end: End) -> int:
        """The head becomes a checkpoint, and an entry says so; all before has reached the disk."""
        size, head = end.edge.size, end.head
        try:
            authority = self.authorities.current()
            asked = authority.url if authority else ""
        except Error as error:  # whoever asks it is told; entries do not wait for that
            asked = error.message
        os.fsync(file.fileno())
        overwrite(self.durable, head)
        self.checkpoints.write(size, head, asked)
        details = {"checkpoint": str(size), "note": sha256(head).hexdigest()}
        reason = f"the head of {size:,} entries is kept as a checkpoint"
        self._add(file, end, [Draft(ITSELF, Verb.CHECKPOINT_KEPT, "", "", reason, details)], False)
        return size

    def _say(self, file: BinaryIO, end: End) -> None:
        """Write what was found about the end, when nobody else is about to write."""
        if end.lost:
            self._add(file, end, end.lost, True)
            end.lost = []
        elif end.behind:
            self._sign_head(end, self.signer.key, durable=False)

    def introduce(self, signer: Signer, hand: Hand, reason: str) -> CustodyEntry:
        """Let another key sign from now on; the entry that says so is signed by the one before."""
        if signer.key.name != (name := self.signer.key.name):
            raise Conflict(f"A key of this ledger bears the name {name}.", "Make it with that.")
        with self._lock:
            details = {"key": signer.key.vkey, "fingerprint": signer.key.fingerprint}
            draft = Draft(hand, Verb.KEY_INTRODUCED, "", "", reason, details)
            (entry,) = self.append([draft])
            self._keep_key(signer.key)
            self.signer = signer
        return entry

    def explain(self, sequence: int, hand: Hand, reason: str) -> CustodyEntry:
        """Sign for how the entries came to be lost that entry `sequence` says are gone.

        Raises `Conflict` when that entry says no such thing, or nothing is given as reason.
        """
        self.index.catch_up()
        place = self.index.entry(sequence)
        said = next(self.read([place])) if place else None
        if said is None or said.verb not in (Verb.ENTRIES_LOST, Verb.HEAD_CHANGED):
            raise Conflict(
                f"Entry {sequence} does not say that others are gone, or the head was changed.",
                "`locard verify` names the entry that does, in the clause `losses`.",
            )
        if not reason.strip():
            raise Conflict("A loss is not explained without words.", "Say how it came about.")
        details = {"entry": str(sequence), "entries": said.details.get("entries", "")}
        draft = Draft(hand, Verb.LOSS_EXPLAINED, "", "", reason, details)
        return self.append([draft])[0]

    def _begin(self, end: End) -> list[Draft]:
        """The first entry of all: it introduces the key that signs it.

        There is a head before there are entries: a crash between the two would look like entries
        whose head was taken away. Raises `Tampered` when there was a ledger here before, as the
        pinned key says.
        """
        if self.pinned is not None and self.pinned.exists():
            raise Tampered(
                f"The custody ledger {self.folder} is gone: {self.pinned} is the key that it was "
                "begun with.",
                f"Restore it from a copy. To begin another vault here, move {self.pinned} away.",
            )
        if isinstance(self.signer, FileSigner) and not self.signer.exists():
            self.signer.make()
        key = self.signer.key
        self._keep_key(key)
        self._sign_head(end, key, durable=False)
        details = {"key": key.vkey, "fingerprint": key.fingerprint}
        return [Draft(ITSELF, Verb.KEY_INTRODUCED, "", "", "the ledger begins", details)]

    def _keep_key(self, key: Key) -> None:
        folder = self.folder / "keys"
        folder.mkdir(exist_ok=True, mode=0o700)
        durably(folder / f"{key.id.hex()}.vkey", key.vkey.encode() + b"\n")
        self._keys = ()

    def _signed(self, end: End, drafts: Sequence[Draft], key: Key) -> list[bytes]:
        """The lines of these drafts; their numbers and places are noted in `end`."""
        payloads: list[bytes] = []
        sequence = end.edge.size
        for draft in self._by_the_clock(end, drafts):
            sequence += 1
            at = end.time = max(now(), end.time + 1)
            number, previous, record = self._exhibit(end, draft, sequence)
            payloads.append(payload(draft, sequence, at, number, previous, record))
        signatures = self.signer.sign_many([dsse.pae(one) for one in payloads])
        pairs = zip(payloads, signatures, strict=True)
        return [dsse.line_of(one, key.keyid, signature) for one, signature in pairs]

    def _by_the_clock(self, end: End, drafts: Sequence[Draft]) -> list[Draft]:
        lag = end.time - now()
        if lag <= SET_BACK:
            return list(drafts)
        before = rfc3339(end.time)
        end.time = 0
        reason = f"the clock is {lag / SECOND:,.3f} s behind the entry before"
        details = {"before": before, "after": rfc3339(now())}
        return [Draft(ITSELF, Verb.CLOCK_SET_BACK, "", "", reason, details), *drafts]

    def _exhibit(self, end: End, draft: Draft, sequence: int) -> tuple[str, int, Exhibit | None]:
        """Number of the exhibit, the entry before about it, and its record when it is made now."""
        if not draft.evidence:
            return "", 0, None
        key = (draft.case, draft.evidence)
        known = end.exhibits.get(key) or self.known(*key)
        record = None
        if known is None:
            if draft.exhibit is None:
                return "", 0, None
            if draft.case not in end.counts:
                end.counts[draft.case] = self.index.count(draft.case)
            end.counts[draft.case] += 1
            number = f"{draft.case.upper()}-{end.counts[draft.case]:04d}"
            above = (draft.case, draft.parent)
            parent = end.exhibits.get(above) or self.known(*above) or ("", 0)
            record = draft.exhibit(number, parent[0])
            known = (number, 0)
        end.exhibits[key] = (known[0], sequence)
        return known[0], known[1], record

    def _write(self, file: BinaryIO, end: End, lines: Sequence[bytes], durable: bool) -> None:
        data = b"\n".join(lines) + b"\n"
        ending.append(file.fileno(), data, end.size, durable)
        end.size += len(data)

    def _follow(self, end: End, lines: Sequence[bytes], key: Key, durable: bool) -> None:
        """Write what follows from the entries: hashes, head, and now and then the index, for which
        there may be no room: it catches up when there is."""
        self.tree.extend(end.edge, [leaf_hash(line) for line in lines])
        self._sign_head(end, key, durable)
        end.unindexed += len(lines)
        if end.unindexed >= UNINDEXED:
            with suppress(Storage):
                self.index.catch_up()
                end.unindexed, end.exhibits = 0, {}

    def _pin(self, end: End, key: Key) -> None:
        """Keep the first key outside the vault, before a head says that there are entries."""
        if self.pinned is None or not end.edge.size or self.pinned.exists():
            return
        with suppress(Tampered):
            if self._named(self.head).size == 0:
                self.pinned.write_text(key.vkey + "\n")

    def _sign_head(self, end: End, key: Key, durable: bool) -> None:
        self._pin(end, key)
        text = Checkpoint(key.name, end.edge.size, end.edge.root()).text()
        note = signed_note(text, key, self.signer.sign_many([text])[0])
        overwrite(self.head, note)
        end.head, end.behind = note, False
        if durable:
            overwrite(self.durable, note)

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        self.require_form()
        try:
            if not self.path.exists():
                self.tree.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self.path.open("ab+", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise Storage(
                f"The custody ledger {self.folder} cannot be written: {error.strerror}.",
                "Free space or make the vault writable, then run the same command again.",
            ) from error

    def _end(self, file: BinaryIO) -> End:
        """The end of the ledger, read anew when another process or a crash moved it."""
        size = os.fstat(file.fileno()).st_size
        if size != self._known.size:
            size = whole(file.fileno(), size)
            count, line, last_time = self._healed(lambda: self._last(size))
            edge, lost = self._edge(count, line)
            self._known = End(size, last_time, edge, lost=lost)
            self._known.head = self._head_there()
            self._known.behind = bool(count) and not lost and self._named(self.head).size < count
        elif self._known.edge.size and (found := self._head_there()) != self._known.head:
            self._known.lost = [head_changed(found, self._known.edge.size)]
        return self._known

    def _head_there(self) -> bytes:
        """The beginning of what lies in the head's place, which may be anything."""
        try:
            with self.head.open("rb") as file:
                return file.read(len(self._known.head) + SHOWN)
        except OSError:
            return b""

    def _last(self, size: int) -> tuple[int, bytes, int]:
        """Number, line and time of the last entry, which ends the file's `size` bytes."""
        covered, count = self.index.catch_up()
        if covered != size:
            raise changed("the end of the entries is not a line")
        if not count:
            return 0, b"", 0
        place = self.index.entry(count)
        if place is None or place.start + place.length + 1 != size:
            raise changed(f"entry {count} does not stand at the end")
        (entry,) = self.read([place])
        return count, next(self._lines([place])), entry.time

    def _edge(self, count: int, last: bytes) -> tuple[Edge, list[Draft]]:
        """The tree's right edge, when head and entries agree; hashes are made anew if need be.

        An entry that was written without waiting for the disk may be gone when the machine stopped;
        then an entry has to say so. Any other one that is missing was cut off: writing on would
        hide that, so it raises `Tampered`.
        """
        head, lost = self._headed(count)
        if head.size > count:
            if not self.durable.exists() or self._named(self.durable).size > count:
                gone = cut_off(head.size - count)
                raise changed(f"{gone}: its head names {head.size:,} and there are {count:,}")
            lost = [gone_before(head.size, count, self.note())]
            head = self._named(self.durable)
        for again in (False, True):
            if again or not self.tree.reaches(count):
                with self.path.open("rb") as file:
                    hashes = b"".join(leaf_hash(line[:-1]) for line in file)
                self.tree.rebuild(hashes)
            fits = not count or self.tree.at(0, count - 1) == leaf_hash(last)
            if fits and (not head.size or root_of(head.size, self.tree.at) == head.root):
                return self.tree.edge(count), lost
        raise changed(f"the first {head.size:,} entries are not those that its head signs")

    def _headed(self, count: int) -> tuple[Checkpoint, list[Draft]]:
        """What the head says, or, when it is none any more, the last one that reached the disk."""
        try:
            return self._named(self.head), []
        except Tampered:
            head = self._named(self.durable)
            if not 0 < head.size <= count:
                raise
            return head, [head_changed(self._head_there(), count, head.size)]

    def _named(self, path: Path) -> Checkpoint:
        """What a head says; of a ledger without entries and head, that it is empty."""
        if not path.exists() and (path == self.durable or not self.index.catch_up()[1]):
            return Checkpoint("", 0, b"")
        try:
            return open_checkpoint(
                self.note() if path == self.head else path.read_bytes(), self.keys()
            )[0]
        except Malformed as error:
            raise changed(f"its {path.name}: {error}") from error

    def _read_durable(self) -> bytes:
        return self.durable.read_bytes() if self.durable.exists() else b""
