# SPDX-License-Identifier: Apache-2.0
"""What a vault asks of the place that keeps its bytes: place, open, protect, remove.

A store knows names and bytes, nothing of cases and custody: the vault checks every digest and
writes every entry itself, so that no back end can forget. The name of an object is the SHA-256 of
the plain evidence, 64 hex digits, and where bytes are kept in another form (encrypted) a suffix.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from locard.model import custody
from locard.model.errors import Denied

Watch = Callable[[int], None]
"""Told how many bytes were moved since it was told last."""


def unwatched(_bytes: int) -> None:
    """A `Watch` that looks away."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes that are to be placed, as they were measured when they were written."""

    sha256: str
    """Of these very bytes, 64 hex digits; of encrypted bytes it is not the evidence's."""
    size: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store says of an object that it keeps."""

    kind: str
    """What keeps it, in words: `folder`, `S3`, `Azure Blob`, `Google Cloud Storage`."""
    place: str
    """Its address, without credentials."""
    size: int
    version: str = ""
    """The store's own name of these bytes, which a later write of the same name does not change."""
    checksum: str = ""
    """The store's own, as it computed it: `SHA-256 44f8…`."""
    protection: str = ""
    """What stands against changing and deleting, in words: `read-only`, `COMPLIANCE`."""
    until: int | None = None
    """Until when the store refuses to delete it; UTC nanoseconds."""
    held: bool = False
    """Whether a legal hold is on it, which ends only when it is released."""

    def record(self) -> custody.Storage:
        """What an exhibit's record says of it."""
        until = f"until {moment(self.until)}" if self.until else ""
        return custody.Storage(
            kind=self.kind,
            place=self.place,
            version=self.version,
            checksum=self.checksum,
            retention=" ".join(word for word in (self.protection, until) if word),
            hold="on" if self.held else "",
        )

    def details(self) -> dict[str, str]:
        """The same for the details of a custody entry, what is empty left out."""
        return {f"storage {name}": text for name, text in asdict(self.record()).items() if text}


class Store(Protocol):
    """Where a vault keeps bytes. All functions are safe between threads.

    They raise `Storage` when the store is full, read-only, out of reach or lets nobody in,
    `Denied` when it refuses because of a hold or a retention, and `Missing` for a name it has not.
    """

    @property
    def address(self) -> str:
        """Where it is, without credentials: what ledger and people are told."""

    @property
    def spool(self) -> Path | None:
        """A folder from which `place` takes a file without copying it, if there is one."""

    def describe(self) -> str:
        """What stands against altering what it keeps, in one sentence for people."""

    def prepare(self) -> None:
        """Make sure that it can be used, before anything is placed."""

    def place(
        self, name: str, path: Path, content: Content, watch: Watch = unwatched
    ) -> tuple[Kept, bool]:
        """Keep the file at `path`, whole or not at all, checked against the store's checksum.

        The second value is False when it kept the same bytes already. Nothing is ever overwritten.
        Raises `Tampered` when it keeps other bytes under that name.
        """

    def settle(self) -> None:
        """Wait until everything that was placed is durable."""

    def open(self, name: str) -> BinaryIO | None:
        """A read-only file over the bytes where they lie; None when they must be fetched."""

    def read(self, name: str) -> Iterator[bytes]:
        """All bytes in their order, for whoever verifies or fetches them."""

    def stat(self, name: str) -> Kept | None:
        """What is kept under that name, or None. Reads nothing of the bytes."""

    def renew(self, name: str) -> Kept:
        """What placing the same bytes again does: a retention that counts from then grows."""

    def hold(self, name: str, held: bool) -> Kept:
        """Put a legal hold on, or take it off."""

    def retain(self, name: str, until: int) -> Kept:
        """Refuse to delete until then (UTC nanoseconds). It can be lengthened, never shortened."""

    def remove(self, name: str) -> None:
        """Delete for good. Raises `Denied` while a hold or a retention stands."""

    def names(self) -> Iterator[str]:
        """The names of everything that is kept, in no order."""


class Whereabouts(Protocol):
    """Which store a vault has; it is asked anew each time, because a vault can be moved."""

    def store(self) -> Store:
        """The store now."""

    def prepare(self) -> None:
        """Make sure that it can be used, before anything is placed."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The whereabouts of a vault that is never moved."""

    only: Store

    def store(self) -> Store:
        """The store."""
        return self.only

    def prepare(self) -> None:
        """Prepare it."""
        self.only.prepare()


def moment(nanoseconds: int) -> str:
    """A time as ISO 8601 in UTC, to the second."""
    return f"{datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def locked(kept: Kept, now: int) -> None:
    """Raise `Denied` when a hold or a retention stands against removing it."""
    if kept.held:
        raise Denied(
            f"{kept.place} is under a legal hold and cannot be removed.",
            "Release the hold first; who did so stays in the ledger.",
        )
    if kept.until and kept.until > now:
        raise Denied(
            f"{kept.place} is kept until {moment(kept.until)} and cannot be removed before.",
            "Nobody can shorten a retention. Try again after that time.",
        )
