# SPDX-License-Identifier: Apache-2.0
"""What every store behind a provider does alike: what it looks for, what it locks, what it says.

How bytes are sent, read and locked is the provider's own; that a lock is asked for, seen to stand
and never promised where there is none is the same for all of them.
"""

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import BinaryIO, ClassVar

from locard.evidence.local import absent
from locard.evidence.place import Place
from locard.evidence.store import Kept
from locard.model.errors import Denied, Storage, Tampered


class Remote(ABC):
    """A prefix of a bucket that keeps evidence below `objects/`, by its name."""

    LOCK: ClassVar[str]
    """What locks an object, as it stands in a sentence: `an immutability policy`."""
    ELSEWHERE: ClassVar[str]
    """What to do for a store with such a lock."""

    def __init__(self, place: Place) -> None:
        self.retain_for = place.retain
        self.lock = place.switched("lock", True)
        self._place = place
        self._prefix = f"{place.path}/objects/" if place.path else "objects/"

    @property
    def address(self) -> str:
        """Such as `s3://bucket/prefix`."""
        return self._place.address

    @property
    def spool(self) -> Path | None:
        """None: everything is sent."""
        return None

    def settle(self) -> None:  # noqa: B027 (there is nothing to do, for any of them)
        """Nothing waits: an answer of the provider means that it is durable."""

    def open(self, name: str) -> BinaryIO | None:
        """None: it has to be fetched."""
        return None

    @abstractmethod
    def stat(self, name: str) -> Kept | None:
        """What is kept under that name, or None."""

    @abstractmethod
    def retain(self, name: str, until: int) -> Kept:
        """Lengthen the lock; an earlier time changes nothing."""

    def there(self, name: str) -> Kept:
        """What is kept under that name. Raises `Missing`."""
        kept = self.stat(name)
        if kept is None:
            raise absent(name)
        return kept

    def renew(self, name: str) -> Kept:
        """Lengthen the lock to `retain` from now."""
        kept = self.there(name)
        if self.lock and self.retain_for:
            until = time.time_ns() + int(self.retain_for.total_seconds()) * 1_000_000_000
            kept = self.retain(name, until)
        self._assure(kept)
        return kept

    def _locks(self, kept: Kept) -> bool:
        """Whether what stands on it is the lock that was asked for."""
        return kept.until is not None

    def _assure(self, kept: Kept) -> None:
        if self.lock and not self._locks(kept):
            raise Storage(
                f"{kept.place} was stored, but the store did not lock it.",
                f"Do not rely on this store: {self.LOCK} does not work there.",
            )

    def _lockable(self, name: str) -> Kept:
        """What is kept under that name, to be locked. Raises `Denied` where nothing locks."""
        if not self.lock:
            raise Denied(f"{self.address} is used without {self.LOCK} (lock=off).", self.ELSEWHERE)
        return self.there(name)


def others(kept: Kept) -> Tampered:
    """The error of a name under which something else is kept."""
    return Tampered(
        f"{kept.place} holds other bytes than the evidence of that name.",
        "Find out who wrote there; the evidence was not taken in.",
    )


def altered(address: str) -> Storage:
    """The error of bytes that changed on the way."""
    return Storage(
        f"{address} got other bytes than were sent: the checksum does not fit.",
        "Nothing was stored. Run the same command again; when it happens again, suspect what "
        "stands between, such as a proxy.",
    )


def busy(address: str) -> Storage:
    """The error of a service that has no time."""
    return Storage(f"{address} is too busy to answer.", "Run the same command again later.")


def lost(address: str) -> Storage:
    """The error of a connection that ended, or never was."""
    return Storage(
        f"The connection to {address} was lost, or it cannot be reached.",
        "Nothing half-written is kept. Check the network, then run the same command again.",
    )


def refused(what: str, why: str) -> Storage:
    """The error of an answer that nobody has a better sentence for."""
    return Storage(f"{what}: {why}.", "Run the same command again; what was stored so far is kept.")
