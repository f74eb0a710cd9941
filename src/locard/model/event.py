# SPDX-License-Identifier: Apache-2.0
"""The event: one row of the timeline, and the names of its columns.

`COLUMNS` is the one description of a row. The Arrow schema of the parsers, the table of the store,
the fields of the query language, the API and the exports are all derived from it, so a column is
added here and nowhere else. Names follow OCSF where it has one that an analyst would also use.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How the values of a column behave."""

    TIME = "time"
    """UTC, nanoseconds since 1970 in a signed 64-bit number; null when the record has no time."""
    WORD = "word"
    """Text with few distinct values; gets facets."""
    TEXT = "text"
    """Text with many distinct values."""
    ADDRESS = "address"
    """An IPv4 or IPv6 address in its canonical text form, else empty."""
    PORT = "port"
    """0 to 65535; 0 means none."""
    BYTES = "bytes"
    """Bytes exactly as found; not always UTF-8."""
    MAP = "map"
    """Further names and values, both text."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the timeline."""

    name: str
    kind: Kind
    title: str
    """What it holds, in one phrase for a person."""
    facet: bool = False
    """Whether the page offers it as a facet from the start."""


COLUMNS: tuple[Column, ...] = (
    Column("id", Kind.TEXT, "identifier made from the record's content (32 hex digits)"),
    Column("time", Kind.TIME, "when, in UTC"),
    Column("time_meaning", Kind.WORD, "what the time means, such as 'event', 'modified', 'login'"),
    Column("source", Kind.WORD, "the parser that read the record", facet=True),
    Column("source_version", Kind.WORD, "version of that parser"),
    Column("provider", Kind.WORD, "aws, azure, gcp, linux, ...", facet=True),
    Column("account", Kind.WORD, "account, subscription or project", facet=True),
    Column("region", Kind.WORD, "region or zone", facet=True),
    Column("host", Kind.WORD, "host, instance or container", facet=True),
    Column("actor", Kind.WORD, "who did it: ARN, user name, service", facet=True),
    Column("actor_kind", Kind.WORD, "kind of actor, such as IAMUser, AssumedRole, user"),
    Column("session", Kind.WORD, "session, access key or credential id"),
    Column("action", Kind.WORD, "what was done", facet=True),
    Column("outcome", Kind.WORD, "success, failure, or empty when it is not said", facet=True),
    Column("error", Kind.WORD, "error code", facet=True),
    Column("resource", Kind.TEXT, "what it was done to", facet=True),
    Column("src_ip", Kind.ADDRESS, "address it came from", facet=True),
    Column("src_port", Kind.PORT, "port it came from"),
    Column("dst_ip", Kind.ADDRESS, "address it went to", facet=True),
    Column("dst_port", Kind.PORT, "port it went to"),
    Column("process", Kind.TEXT, "process name or path"),
    Column("file", Kind.TEXT, "file path"),
    Column("hash", Kind.TEXT, "hash of a file or object named by the record"),
    Column("domain", Kind.TEXT, "domain or service host name"),
    Column("url", Kind.TEXT, "address of a web resource"),
    Column("message", Kind.TEXT, "one line that a person reads"),
    Column("attributes", Kind.MAP, "further names and values of the record"),
    Column("raw", Kind.BYTES, "the record exactly as found"),
    Column("evidence", Kind.TEXT, "SHA-256 of the evidence that holds the record"),
    Column("locator", Kind.TEXT, "where in the evidence the record is"),
    Column("problem", Kind.TEXT, "why the record could not be read in full; empty when it could"),
)
"""All columns that a parser fills, in the order of the store. `case` is added on writing."""

QUERY_FIELDS: tuple[str, ...] = (
    "time", "source", "provider", "account", "region", "host", "actor", "action", "resource",
    "outcome", "src_ip", "dst_ip", "message", "raw", "tag", "case", "evidence", "id",
)  # fmt: skip
"""Fields that documentation and completion show first. Every other column can be queried too."""

FACETS: tuple[str, ...] = tuple(column.name for column in COLUMNS if column.facet)


@dataclass(frozen=True, slots=True)
class Event:
    """One event as the edges see it. Between parsers and store events travel as Arrow batches."""

    id: str
    case: str
    time: int | None
    """UTC nanoseconds since 1970; None when the record has no time."""
    values: dict[str, str | int]
    """The other columns by name, `raw`, `attributes` and `time` excepted."""
    attributes: dict[str, str]
    raw: bytes
    sightings: tuple[tuple[str, str], ...] = field(default=())
    """Further places that hold the same record: (evidence, locator)."""


class Format(StrEnum):
    """What an export can be."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """The media type for HTTP."""
        return {
            Format.CSV: "text/csv; charset=utf-8",
            Format.JSONL: "application/x-ndjson",
            Format.PARQUET: "application/vnd.apache.parquet",
        }[self]
