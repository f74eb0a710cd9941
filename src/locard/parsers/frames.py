# SPDX-License-Identifier: Apache-2.0
"""What a confined worker tells its parent, and how both sides say it over one socket.

A frame is one byte of kind, four bytes of length (little endian) and the payload: an Arrow record
batch, bytes of a member, or JSON. The parent believes nothing of it: a worker that met hostile
evidence may no longer be ours (`intake.py` judges every frame).
"""

import struct
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from locard.parsers.confinement import Confinement
from locard.parsers.contract import Limits

HEAD = struct.Struct("<cI")
JSON = b"J"
BATCH = b"B"
BYTES = b"D"

JSON_MOST = 16 << 20
"""Longest JSON frame; facts of a digest file are the longest known."""
BATCH_MOST = 256 << 20
BYTES_MOST = 4 << 20

ARCHIVE = "archive"
IMAGE = "image"
RECORDS = "records"
NOTHING = ""


class Recognised(msgspec.Struct, tag="recognised", frozen=True):
    """What the evidence is. Always the first frame of a run."""

    parser: str
    """Id of the parser, `archive.zip` and the like for an archive, or empty for nothing."""
    version: str
    kind: str
    """`records`, `image`, `archive`, or empty when nothing recognised it."""
    layers: tuple[str, ...]
    """Compression layers around the content, outermost first."""
    reason: str
    """Why, for a person: the parser's own words, or what an unparsed file looks like."""


class MemberBegin(msgspec.Struct, tag="member", frozen=True):
    """A member of an archive (or the image inside a compression layer) begins."""

    index: int
    """Position among the members, from 0: names may come twice."""
    path: str
    """Its name as text for people. Never opened, never joined to a folder."""
    size: int | None
    """What the archive claims; None when it does not say."""
    modified: int | None
    """UTC nanoseconds since 1970; None when the archive does not say."""
    note: str = ""
    """What is odd about the name, such as that it points outside the archive."""


class MemberEnd(msgspec.Struct, tag="member-end", frozen=True):
    """The member is over. `problem` says why its bytes are not all there, else it is empty."""

    index: int
    path: str
    problem: str = ""


class Progress(msgspec.Struct, tag="progress", frozen=True):
    """How far the run is: stored bytes read, of `total`, and records seen (or members)."""

    done: int
    total: int
    records: int


class Problem(msgspec.Struct, tag="problem", frozen=True):
    """Something that could not be read and is no row: an encrypted member, a broken layer."""

    text: str
    path: str = ""
    """The member it is about; empty when it is about the whole file."""


class Passed(msgspec.Struct, tag="passed", frozen=True):
    """An entry of an archive that has no bytes of its own, such as a link: nothing is lost."""

    text: str
    path: str
    target: str = ""
    """Where a link leads."""


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """The parser broke off for a reason that is not the evidence's. Rows so far stay."""

    reason: str
    trace: str = ""


class Done(msgspec.Struct, tag="done", frozen=True):
    """The last frame of every run.

    For records: `seen` = rows that are whole + `problems`, as counted by the parser; a problem is a
    row that has one, or a `Problem` frame. For an archive: `seen` = members that came out whole +
    `problems`; what was passed over is none of them. The parent counts what arrives and holds it
    against this.
    """

    seen: int
    written: int
    """Rows handed over in batches, those with a problem included."""
    problems: int
    facts: dict[str, str]
    decoded_bytes: int
    retire: bool = False
    """The worker wants to be replaced: it holds too much memory."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows with the schema `rows.SCHEMA`, validated."""

    batch: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class MemberBytes:
    """The next bytes of the member that began."""

    data: bytes


Told = Recognised | MemberBegin | MemberEnd | Progress | Problem | Passed | Failed | Done
"""The frames that travel as JSON."""

Frame = Told | Batch | MemberBytes


class Order(msgspec.Struct, frozen=True):
    """A task as it travels to the worker; the file descriptors travel beside it."""

    evidence: str
    name: str
    size: int
    siblings: tuple[str, ...] = ()
    parser: str | None = None
    version: str | None = None
    only: str | None = None
    modified: int | None = None
    zone: str = "UTC"
    host: str = ""
    learned: tuple[str, ...] = ()
    accounts: dict[str, str] = {}
    mapping: dict[str, object] | None = None
    limits: Limits = msgspec.field(default_factory=Limits)
    depth: int = 0
    identify: bool = False
    block: int = 0
    """Bytes of a block that has to be asked for, at the last of the descriptors (`asking.py`).

    0: all bytes are there."""
    onward: bool = False
    """Whether blocks come from the first to the last: the end is not to be waited for."""
    triage: bool = False


class Hello(msgspec.Struct, frozen=True):
    """First word of a worker: it is confined and ready."""

    confinement: Confinement
