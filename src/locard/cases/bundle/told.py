# SPDX-License-Identifier: Apache-2.0
"""What a bundle tells about a case: exhibits, their lives, and what was verified before it left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from locard.model.custody import CustodyEntry, Exhibit, Hand


@dataclass(frozen=True, slots=True)
class Key:
    """A key that signed entries or checkpoints, as a person compares it."""

    name: str
    """The log's origin, as the key is named."""
    fingerprint: str
    since: str = ""
    """How it came to be trusted: the first key, or the entry that introduced it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement of the whole ledger at one size, and its time stamp or the lack of it."""

    size: int
    root: str
    """The root of the tree, base64 as the checkpoint has it."""
    stamped: str = ""
    """The time that the authority attests, RFC 3339 in UTC; empty without a token."""
    authority: str = ""
    gap: str = ""
    """Why there is no token."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One clause of the verification that was run before the export."""

    name: str
    state: str
    """pass, fail or not checked."""
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that report and case file are made of. Times are UTC nanoseconds."""

    case: str
    title: str
    created: int
    created_by: str
    simulated: bool
    only: str
    """The number of the one exhibit that is handed over; empty for the whole case."""
    prepared: int
    by: Hand
    reason: str
    version: str
    """Of Locard."""
    origin: str
    """The log's name, which no other installation has."""
    exhibits: Sequence[Exhibit]
    names: Mapping[str, str]
    """Evidence id to the name it had when it was taken in."""
    entries: Sequence[CustodyEntry]
    """In their order, those about the installation's keys included."""
    keys: Sequence[Key]
    checkpoints: Sequence[Checkpoint]
    verdict: Sequence[Checked]
    references: bool
    """Whether the bytes of the evidence are only referred to."""
