# SPDX-License-Identifier: Apache-2.0
"""The custody ledger: an append-only file of lines, each bound to the one before by its hash.

A line is the canonical JSON of a `CustodyEntry`. `hash` is the SHA-256 over the canonical JSON of
all other fields, `previous` is the hash of the line before. So a changed, removed, added or swapped
line is noticed by anybody with the file alone; `ledger.head` names the last line, so that a cut
tail is noticed too. Whoever can rewrite both files can rewrite history: signed and time-stamped
checkpoints are what stands against that, and they are not part of this module.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import msgspec

from locard.model.custody import CustodyEntry, Hand, Verb
from locard.model.errors import Storage, Tampered

GENESIS = "0" * 64
"""`previous` of the first entry."""

_decoder = msgspec.json.Decoder(CustodyEntry)


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has its place in the chain."""

    hand: Hand
    verb: Verb
    evidence: str
    case: str
    reason: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Chain:
    """What checking the ledger found. `fault` is empty when the chain holds."""

    entries: int
    fault: str = ""


def canonical(entry: CustodyEntry) -> bytes:
    """What `entry.hash` covers: ASCII JSON with sorted keys and no spaces, without `hash`."""
    fields = asdict(entry)
    del fields["hash"]
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _line(entry: CustodyEntry) -> bytes:
    fields = asdict(entry)
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class Ledger:
    """The ledger of one vault. Appending is safe between threads and between processes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.jsonl"
        self.head = folder / "ledger.head"
        self._lock = Lock()
        self._known: tuple[int, int, str] = (0, -1, GENESIS)
        """Size of the file after our last append, its last sequence and hash."""

    def append(self, drafts: Sequence[Draft], *, durable: bool = True) -> list[CustodyEntry]:
        """Write entries to the end and return them. `durable` waits for the disk.

        Raises `Tampered` when the end of the ledger is not what it was left as, and `Storage` when
        it cannot be written; then nothing was written.
        """
        if not drafts:
            return []
        with self._lock, self._opened() as file:
            size, sequence, previous = self._end(file)
            synced, lost = self._before(sequence, previous)
            entries = []
            for draft in drafts:
                sequence += 1
                details, lost = {**draft.details, **lost}, {}
                entry = CustodyEntry(
                    sequence=sequence,
                    time=time.time_ns(),
                    actor=draft.hand.name,
                    door=draft.hand.door,
                    address=draft.hand.address,
                    agent=draft.hand.agent,
                    verb=draft.verb,
                    evidence=draft.evidence,
                    case=draft.case,
                    reason=draft.reason,
                    details=details,
                    previous=previous,
                )
                previous = sha256(canonical(entry)).hexdigest()
                entries.append(_with_hash(entry, previous))
            self._write(file, size, b"".join(_line(entry) for entry in entries), durable)
            end = os.fstat(file.fileno()).st_size
            self._known = (end, sequence, previous)
            self._write_head(sequence, previous, end, sequence if durable else synced)
            return entries

    def settle(self) -> None:
        """Wait until every entry is on the disk; from then on one that is missing was cut off."""
        with self._lock, self._opened() as file:
            size, sequence, previous = self._end(file)
            if sequence and self._before(sequence, previous)[0] < sequence:
                os.fsync(file.fileno())
                self._write_head(sequence, previous, size, sequence)

    def entries(
        self, *, evidence: str | None = None, case: str | None = None
    ) -> Iterator[CustodyEntry]:
        """Entries in their order, all or of one piece of evidence or case.

        Raises `Tampered` at a line that is not an entry.
        """
        wanted = evidence.encode() if evidence else None
        for number, line in enumerate(self._lines(), 1):
            if wanted is not None and wanted not in line:
                continue
            try:
                entry = _decoder.decode(line)
            except msgspec.DecodeError as error:
                raise Tampered(
                    f"Line {number} of the custody ledger is not an entry.",
                    "Compare the ledger with a copy taken earlier.",
                ) from error
            if (evidence is None or entry.evidence == evidence) and (
                case is None or entry.case == case
            ):
                yield entry

    def check(self) -> Chain:
        """Whether every entry is unchanged and in its place, from the first to the last."""
        previous, count = GENESIS, 0
        for number, line in enumerate(self._lines(), 1):
            try:
                entry = _decoder.decode(line)
            except msgspec.DecodeError:
                return Chain(count, f"line {number} is not a custody entry")
            if line + b"\n" != _line(entry):
                return Chain(count, f"entry {number} is not in its canonical form")
            if sha256(canonical(entry)).hexdigest() != entry.hash:
                return Chain(count, f"entry {number} was changed: its hash does not fit its text")
            if entry.sequence != number:
                return Chain(
                    count, f"entry {number} carries number {entry.sequence}: removed or swapped"
                )
            if entry.previous != previous:
                return Chain(count, f"entry {number} does not follow the entry before it")
            previous, count = entry.hash, number
        return Chain(count, self._tail_fault(count, previous))

    def _write_head(self, sequence: int, digest: str, size: int, synced: int) -> None:
        new = self.head.with_suffix(".new")
        new.write_text(f"{sequence} {digest} {size} {synced}\n")
        new.replace(self.head)

    def _read_head(self) -> tuple[int, str, int]:
        """Last entry, its hash, and the last one that is known to have reached the disk."""
        sequence, digest, _, *more = self.head.read_text().split()
        return int(sequence), digest, int(more[0]) if more else int(sequence)

    def _before(self, last: int, digest: str) -> tuple[int, dict[str, str]]:
        """What has reached the disk, and what the next entry says about entries that are gone.

        An entry that was written without waiting for the disk may be lost when the machine stops;
        the one that follows tells it, and work goes on. Any other entry that the head names and
        the file does not have was cut off: writing on would hide that, so it raises `Tampered`.
        """
        try:
            sequence, known, synced = self._read_head()
        except FileNotFoundError:
            if not last:
                self._write_head(0, GENESIS, 0, 0)
                return 0, {}
            fault = "the head file that names the last entry is missing"
        except (OSError, ValueError):
            fault = "the head file that names the last entry cannot be read"
        else:
            if last < synced:
                fault = f"the last {sequence - last} entries were cut off"
            elif last == sequence and digest != known:
                fault = f"entry {last} is not the one that was written last"
            elif last < sequence:
                gone = f"{last + 1} to {sequence}, which had not reached the disk"
                return min(synced, last), {"entries that are gone": gone}
            else:
                return synced, {}
        raise Tampered(
            f"The custody ledger was changed: {fault}. Nothing can follow it.",
            "Restore ledger.jsonl and ledger.head from a copy: `locard custody CASE --check`.",
        )

    def _tail_fault(self, count: int, last: str) -> str:
        try:
            sequence, digest, _ = self._read_head()
        except FileNotFoundError:
            return "" if count == 0 else "the head file that names the last entry is missing"
        except (OSError, ValueError):
            return "the head file that names the last entry cannot be read"
        if sequence > count:
            return f"the last {sequence - count} entries were cut off"
        if sequence == count and count and digest != last:
            return f"entry {count} is not the one that was written last"
        return ""

    def _lines(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                for line in file:
                    yield line.rstrip(b"\n")
        except FileNotFoundError:
            return

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            with self.path.open("ab+", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise Storage(
                f"The custody ledger {self.path} cannot be written: {error.strerror}.",
                "Free space or make the vault writable, then run the same command again.",
            ) from error

    def _end(self, file: BinaryIO) -> tuple[int, int, str]:
        """Size, last sequence and last hash, repairing a line that a crash left half-written."""
        size = os.fstat(file.fileno()).st_size
        if size == self._known[0]:
            return size, self._known[1] if size else 0, self._known[2]
        fd = file.fileno()
        window = min(size, 1 << 20)
        tail = os.pread(fd, window, size - window)
        if not tail.endswith(b"\n"):
            keep = tail.rfind(b"\n") + 1
            if keep == 0 and window < size:
                raise Tampered("The end of the custody ledger is not a line.", "Restore a copy.")
            size = size - window + keep
            os.ftruncate(fd, size)
            tail = tail[:keep]
        if not tail:
            return 0, 0, GENESIS
        try:
            last = _decoder.decode(tail[tail.rstrip(b"\n").rfind(b"\n") + 1 :])
        except msgspec.DecodeError as error:
            raise Tampered(
                "The last line of the custody ledger is not an entry, so nothing can follow it.",
                "Run `locard custody --check` and restore the ledger from a copy.",
            ) from error
        return size, last.sequence, last.hash

    @staticmethod
    def _write(file: BinaryIO, size: int, data: bytes, durable: bool) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file.fileno(), view) :]
            if durable:
                os.fsync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), size)
            raise


def _with_hash(entry: CustodyEntry, digest: str) -> CustodyEntry:
    return CustodyEntry(**{**asdict(entry), "hash": digest})
