# SPDX-License-Identifier: Apache-2.0
"""What the timeline answers."""

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
"""A row by column names: `id` is hex text, `time` UTC nanoseconds or None, `raw` bytes,
`attributes` a dict, ports numbers, all else text. `case` is among them."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the rows of a batch: `new + known + sighted` is their number."""

    new: int
    """Rows that the timeline did not have."""
    known: int
    """Rows that it had from the same place."""
    sighted: int
    """Rows that it had from another place, which is now kept as a sighting."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows in the order that was asked for."""

    rows: list[Row]
    next: str | None
    """Cursor of the page after this one; None when there is none."""
    previous: str | None
    """Cursor of the page before this one; None when there is none."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Count:
    """How many events match."""

    rows: int
    undated: int
    """Those of them that have no time."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Events over time. Bucket `i` begins at `start + i * width`; all series have as many."""

    start: int
    """UTC nanoseconds of the first bucket."""
    width: int
    """Nanoseconds of a bucket."""
    series: dict[str, list[int]]
    """Counts by the value of the field, most frequent first; further values are under ''."""
    undated: int
    """Matching events that have no time and are in no bucket."""
    notes: list[str] = field(default_factory=list)
    before: int = 0
    """Outliers before the first bucket, where they were to be left out."""
    after: int = 0
    """Outliers after the last bucket."""


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values of a field among the events that match."""

    field: str
    values: list[tuple[str, int]]
    """Value and number of events, most frequent first; the empty value is one of them."""
    others: int
    """Events that have a further value."""
    distinct: int
    """Different values, the empty one included."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Facets of one search."""

    facets: list[Facet]
    rows: int
    """Events that match."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The events around one event, in order of time, across all sources."""

    rows: list[Row]
    position: int
    """Index of the event itself in `rows`."""
    before: bool
    """Whether further events of the span stand before the first row."""
    after: bool
    """Whether further events of the span stand after the last row."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A case in numbers; without any, one that has no rows."""

    rows: int = 0
    problems: int = 0
    undated: int = 0
    first: int | None = None
    """UTC nanoseconds of the first dated event."""
    last: int | None = None
    sources: dict[str, int] = field(default_factory=dict)
    """Rows by source, most frequent first."""
    sightings: int = 0
