# SPDX-License-Identifier: Apache-2.0
"""Evidence, exhibit and custody entry: what is held, its record, and what happened to it."""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Evidence:
    """Bytes that we hold and that never change. Its identity is the SHA-256 of the bytes."""

    id: str
    """SHA-256, 64 hex digits."""
    size: int
    """Bytes."""
    blake2b: str
    """A second digest (BLAKE2b-256) from the same pass, so that one broken hash is not the end."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where evidence came from, as it is written into the custody entry."""

    name: str
    """The path or name it had. A hint for people: nothing is opened by it."""
    parent: str = ""
    """Evidence id of the archive or image it was taken out of; empty for what was added itself."""
    member: str = ""
    """Its path inside `parent`."""
    modified: int | None = None
    """Modification time at the source, UTC nanoseconds."""


class Verb(StrEnum):
    """What can happen to evidence. The words of the custody ledger."""

    ACQUIRED = "acquired"
    DERIVED = "derived"
    OPENED = "opened"
    VERIFIED = "verified"
    VERIFICATION_FAILED = "verification-failed"
    EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class CustodyEntry:
    """One line of the ledger. `hash` covers all other fields, `previous` is the hash before it."""

    sequence: int
    time: int
    """UTC nanoseconds since 1970, by this machine's clock."""
    actor: str
    verb: Verb
    evidence: str
    case: str
    reason: str
    details: dict[str, str] = field(default_factory=dict)
    previous: str = ""
    hash: str = ""


def printable(name: str) -> str:
    """A file name as text that any encoder takes: bytes that are not UTF-8 are shown escaped."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
