# SPDX-License-Identifier: Apache-2.0
"""The vault: evidence by the hash of its bytes, read-only, never changed and never overwritten.

objects/ab/cdef…   the bytes, mode 0444, named by their SHA-256
incoming/          bytes on their way in; what a crash left there is removed
ledger.jsonl       the custody ledger
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b, sha256
from itertools import count
from pathlib import Path
from typing import BinaryIO, Protocol

from locard.evidence.ledger import Draft, Ledger
from locard.model.custody import CustodyEntry, Hand, Verb
from locard.model.errors import Missing, Storage, Tampered, Unreadable
from locard.model.evidence import Evidence, Origin, printable

CHUNK = 1 << 20
_ZEROS = bytes(CHUNK)
_DURABLE_ALONE = 8 << 20
"""Files from this size on are flushed by themselves; smaller ones together in `settle`."""


class Readable(Protocol):
    """Anything bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, or none at the end."""


@dataclass(frozen=True, slots=True)
class Put:
    """What putting evidence into the vault gave."""

    evidence: Evidence
    new: bool
    """False when the vault held the same bytes already."""
    entry: CustodyEntry


class Vault:
    """One folder of evidence with its ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(folder)
        self._numbers = count()
        self._unsettled: list[Path] = []

    def prepare(self) -> None:
        """Make the folders and remove what a crashed process left half-way in.

        Raises `Storage` when the vault cannot be written.
        """
        try:
            for name in ("objects", "incoming"):
                (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
            for left in (self.folder / "incoming").iterdir():
                if not _alive(left.name.split("-")[0]):
                    left.unlink(missing_ok=True)
            probe = self.folder / "incoming" / f"{os.getpid()}-probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise _refused(self.folder, error) from error

    def put(
        self,
        stream: Readable,
        origin: Origin,
        *,
        case: str,
        actor: Hand | str,
        reason: str,
        watch: Callable[[int], None] = lambda _bytes: None,
    ) -> Put:
        """Take bytes in: one pass that hashes, stores and counts, then the custody entry.

        `watch` is told of every chunk's size. Runs of zeros become holes, so that sparse images
        stay sparse. Raises `Storage` when the disk is full or read-only and `Unreadable` when the
        source cannot be read to its end; in both cases nothing half-written stays.
        """
        path = self.folder / "incoming" / f"{os.getpid()}-{next(self._numbers)}"
        try:
            evidence = self._receive(stream, path, watch)
            new = self._place(path, evidence)
        except OSError as error:
            raise _refused(self.folder, error) from error
        finally:
            path.unlink(missing_ok=True)
        details = {
            "name": printable(origin.name),
            "size": str(evidence.size),
            "sha256": evidence.id,
            "blake2b-256": evidence.blake2b,
        }
        if origin.parent:
            details |= {"parent": origin.parent, "member": printable(origin.member)}
        if origin.modified is not None:
            details["modified"] = str(origin.modified)
        if not new:
            details["already held"] = "the vault held the same bytes; they were hashed again"
        verb = Verb.DERIVED if origin.parent else Verb.ACQUIRED
        draft = Draft(Hand.of(actor), verb, evidence.id, case, reason, details)
        return Put(evidence, new, self.ledger.append([draft], durable=False)[0])

    def settle(self) -> None:
        """Wait until everything that was put is on the disk, ledger included."""
        unsettled, self._unsettled = self._unsettled, []
        folders = {path.parent for path in unsettled}
        for path in [*unsettled, *folders, self.ledger.path]:
            if path.exists():
                fd = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)

    def open(self, evidence: str, *, case: str, actor: Hand | str, reason: str) -> BinaryIO:
        """The bytes of `evidence`, read-only, after the ledger has said who opened them and why.

        Raises `Missing` when the vault does not hold it.
        """
        path = self._path(evidence)
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            raise Missing(
                f"The vault holds no evidence {evidence[:16]}….",
                "List what a case holds with `locard evidence CASE`.",
            ) from error
        draft = Draft(Hand.of(actor), Verb.OPENED, evidence, case, reason, {})
        try:
            self.ledger.append([draft], durable=False)
        except BaseException:
            file.close()
            raise
        return file

    def verify(
        self,
        evidence: str,
        *,
        case: str,
        actor: Hand | str,
        reason: str,
        watch: Callable[[int], None] = lambda _bytes: None,
    ) -> Evidence:
        """Hash the stored bytes again and write the outcome into the ledger.

        Raises `Tampered` when they are not what they were when they were taken in.
        """
        with self.open(evidence, case=case, actor=actor, reason=reason) as file:
            found = _digest(file, watch)
        fault = "" if found.id == evidence else f"the bytes now hash to {found.id}"
        verb = Verb.VERIFIED if not fault else Verb.VERIFICATION_FAILED
        details = {"sha256": found.id, "size": str(found.size)}
        self.ledger.append([Draft(Hand.of(actor), verb, evidence, case, reason, details)])
        if fault:
            raise Tampered(
                f"The stored bytes of evidence {evidence[:16]}… were changed: {fault}.",
                "Restore the bytes from a copy; the ledger keeps this failure.",
            )
        return found

    def holds(self, evidence: str) -> bool:
        """Whether the bytes are there. Reads nothing of them."""
        return self._path(evidence).exists()

    def _path(self, evidence: str) -> Path:
        if len(evidence) != 64 or not set(evidence) <= set("0123456789abcdef"):
            raise Missing(f"{evidence[:80]!r} is not an evidence id.", "Ids are 64 hex digits.")
        return self.folder / "objects" / evidence[:2] / evidence[2:]

    def _receive(self, stream: Readable, path: Path, watch: Callable[[int], None]) -> Evidence:
        first, second, size, hole = sha256(), blake2b(digest_size=32), 0, False
        with path.open("xb", buffering=0) as file:
            while chunk := _read(stream):
                first.update(chunk)
                second.update(chunk)
                hole = len(chunk) == CHUNK and chunk == _ZEROS
                if hole:
                    file.seek(len(chunk), os.SEEK_CUR)
                else:
                    view = memoryview(chunk)
                    while view:
                        view = view[file.write(view) :]
                size += len(chunk)
                watch(len(chunk))
            if hole:
                file.truncate(size)
            os.fchmod(file.fileno(), 0o444)
            if size >= _DURABLE_ALONE:
                os.fsync(file.fileno())
        return Evidence(first.hexdigest(), size, second.hexdigest())

    def _place(self, path: Path, evidence: Evidence) -> bool:
        target = self._path(evidence.id)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        try:
            os.link(path, target)
        except FileExistsError:
            if target.stat().st_size == evidence.size:
                return False
            raise Tampered(
                f"The vault's copy of {evidence.id[:16]}… has another size than it was taken in.",
                "Restore it from a copy before adding the same evidence again.",
            ) from None
        if evidence.size < _DURABLE_ALONE:
            self._unsettled.append(target)
        return True


def _read(stream: Readable) -> bytes:
    try:
        return stream.read(CHUNK)
    except OSError as error:
        raise Unreadable(
            f"The source cannot be read to its end: {error.strerror or error}.",
            "Check the medium, then add it again; what was read so far was not kept.",
        ) from error


def _digest(file: Readable, watch: Callable[[int], None]) -> Evidence:
    first, second, size = sha256(), blake2b(digest_size=32), 0
    while chunk := file.read(CHUNK):
        first.update(chunk)
        second.update(chunk)
        size += len(chunk)
        watch(len(chunk))
    return Evidence(first.hexdigest(), size, second.hexdigest())


def _alive(pid: str) -> bool:
    return pid.isdigit() and Path(f"/proc/{pid}").exists()


def _refused(folder: Path, error: OSError) -> Storage:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Storage(
            f"The disk of the vault {folder} is full.",
            "Free some space and run the same command again; what was taken in so far is kept.",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Storage(
            f"The vault {folder} is read-only: {error.strerror}.",
            "Make it writable or set LOCARD_HOME to another folder. Nothing was changed.",
        )
    return Storage(f"The vault {folder} cannot be used: {error.strerror}.", "Check the disk.")
