# SPDX-License-Identifier: Apache-2.0
"""What a parser is given and what it gives: the whole surface between a parser and the rest.

A parser is a folder below `locard/parsers/`; its id is its path (`parsers/aws/cloudtrail` is
`aws.cloudtrail`). It holds

- `source.yaml`: title, version, how it is recognised and, where data suffices, the mapping;
- `parse.py`, only where data does not suffice, with `recognise(head)` and `parse(opened, rows,
  context)`;
- `samples/`: files written by this project, each with its expected rows beside it.

Parsers are pure: they read what they are handed, append rows, and touch nothing else. They run in
a confined process, because evidence is written by attackers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

HOME = "~"
"""In a context's `accounts`: whose home the file lies in."""


@dataclass(frozen=True, slots=True)
class Head:
    """What recognition may look at: never the name alone, never the whole file."""

    first: bytes
    """The first 64 KiB of the bytes after compression layers were taken off."""
    last: bytes
    """The last 4 KiB of the stored bytes (VHD and zip keep their signature there)."""
    size: int
    """Stored size in bytes."""
    name: str
    """The name it was found under: a hint to break ties, chosen by whoever wrote the evidence."""
    layers: tuple[str, ...] = ()
    """Compression layers that were taken off, outermost first, such as `("gzip",)`."""
    more: Callable[[], bytes] = bytes
    """Reads what follows `first`, up to the longest record: for one that is longer than `first`."""
    mapping: Mapping[str, object] | None = None
    """The mapping that the user gave: it may name a time that nobody would know as one."""


class Opened(Protocol):
    """One piece of evidence, read-only, as a parser sees it."""

    @property
    def name(self) -> str:
        """The name it was found under."""

    @property
    def size(self) -> int:
        """Stored size in bytes."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Compression layers around the content, outermost first."""

    @property
    def first(self) -> bytes:
        """The first 64 KiB of the decoded bytes, or as many as there are before damage."""

    def more(self) -> bytes:
        """What follows `first`, up to the longest record, or as much as there is before damage."""

    def stream(self) -> BinaryIO:
        """A new forward-only reader over the decoded bytes, bounded by the bomb limits.

        Raises `Unreadable` while reading when a layer is damaged or cut short.
        """

    def whole(self, limit: int) -> bytes | None:
        """All decoded bytes when they are at most `limit`, else None.

        Raises `Unreadable` when they break off, so that no one takes a part for the whole.
        """

    def seekable(self) -> BinaryIO:
        """A random-access reader over the stored bytes (no layers are taken off)."""

    def end(self, count: int) -> bytes:
        """The last `count` stored bytes, fewer where there are not so many.

        None while they are still on their way: what is found without them is found again with them
        before it counts.
        """

    def siblings(self) -> Mapping[str, BinaryIO]:
        """Random-access readers over files that belong to this one (segments of a split image)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for hostile evidence. All can be set by the user."""

    decoded_bytes: int = 256 << 30
    """Most bytes that decoding one file, or all members of one archive, may give."""
    ratio: int = 1000
    """Most decoded bytes for each stored byte (judged once 64 MiB were decoded)."""
    members: int = 1_000_000
    """Most members of one archive."""
    depth: int = 8
    """Most archives inside each other."""
    record_bytes: int = 4 << 20
    """A longer record becomes a problem row with its first 64 KiB and its length."""
    memory_bytes: int = 1536 << 20
    """Address space that a worker may grow by."""
    seconds: float = 3600.0
    """Wall time for one file."""
    idle_seconds: float = 300.0
    """Longest time in which a worker may show no progress."""


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of one parse."""

    evidence: str
    """SHA-256 of the stored bytes."""
    modified: int | None = None
    """Modification time of the file at its origin, UTC nanoseconds: the last resort for years."""
    zone: str = "UTC"
    """IANA zone for times that name none."""
    host: str = ""
    """Host that the evidence is of, when the person said so."""
    learned: tuple[str, ...] = ()
    """Which of `host` and `zone` files beside this one said, no person: an image knows better."""
    accounts: Mapping[str, str] = field(default_factory=dict)
    """What a passwd beside it says: names by user id, and by `HOME` who has it in his home."""
    only: str | None = None
    """Locator of the one row that is wanted (a proof). A parser may skip everything else."""
    mapping: Mapping[str, object] | None = None
    """Mapping saved by the user, for the generic parsers."""
    limits: Limits = field(default_factory=Limits)
    triage: bool = False
    """Give what a responder wants first and leave the rest unread: each byte has to be fetched."""
    scratch: Path | None = None
    """A folder of the worker's own, emptied afterwards."""


@dataclass(frozen=True, slots=True)
class Match:
    """A parser's claim on a file: `score` 0 (no) to 100 (certain), `reason` for a person."""

    score: int
    reason: str = ""


NO = Match(0)
