# SPDX-License-Identifier: Apache-2.0
"""Evidence and its origin: what is held, and where it came from."""

from dataclasses import dataclass

from locard.model.custody import NOTHING_KNOWN, Acquisition


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
    acquisition: Acquisition = NOTHING_KNOWN
    """How it was got, as far as the caller knows; it becomes part of the exhibit's record."""


def printable(name: str) -> str:
    """A file name as text that any encoder takes: bytes that are not UTF-8 are shown escaped."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
