# SPDX-License-Identifier: Apache-2.0
"""What the API answers about the timeline: events, figures, proofs."""

from typing import Any

from pydantic import BaseModel, create_model

from locard.api.rows import LISTED
from locard.model.event import COLUMNS, Kind

_TYPES: dict[Kind, Any] = {Kind.TIME: str | None, Kind.PORT: int}
_COLUMNS: dict[str, Any] = {
    c.name: (_TYPES.get(c.kind, str), ...) for c in COLUMNS if c.name in LISTED
}


class Marked(BaseModel):
    """What people said about an event."""

    time_ns: str | None
    tags: list[str]
    starred: bool
    comments: int


EventRow = create_model("EventRow", __base__=Marked, __doc__="An event in a list.", **_COLUMNS)


class Sighting(BaseModel):
    """A further place that holds the same record."""

    evidence: str
    name: str
    locator: str


class Parent(BaseModel):
    """An archive or image that evidence was taken out of."""

    id: str
    name: str


class Provenance(BaseModel):
    """Where an event comes from. `parents` goes outwards, from the nearest archive or image."""

    evidence: str
    name: str
    parents: list[Parent]
    locator: str
    sha256: str
    custody_sequence: int | None
    sightings: list[Sighting]


class EventWhole(EventRow):  # type: ignore[misc, valid-type]
    """An event with everything; `raw_base64` is there when the record is not UTF-8 text."""

    attributes: dict[str, str]
    raw: str
    raw_base64: str | None
    provenance: Provenance


class EventPage(BaseModel):
    """A page of events; `next` and `previous` are cursors of the pages beside it."""

    events: list[EventRow]  # type: ignore[valid-type]
    next: str | None
    previous: str | None
    notes: list[str]
    took_ms: float


class Neighbours(BaseModel):
    """Events around one event, which stands at `index`; whether there are more on either side."""

    events: list[EventRow]  # type: ignore[valid-type]
    index: int
    before: bool
    after: bool


class Counted(BaseModel):
    """How many events match; `undated` of them have no time."""

    count: int
    undated: int
    took_ms: float
    notes: list[str]


class HistogramShown(BaseModel):
    """Events over time: `buckets` are the starts in milliseconds since 1970, each `width_ms` long.

    Counts are by value of the field, further values together under the empty name. `before` and
    `after` are outliers that no bucket counts, because the search asked for none.
    """

    start: str
    width_ms: float
    buckets: list[float]
    series: dict[str, list[int]]
    undated: int
    before: int
    after: int
    took_ms: float
    notes: list[str]


class ValueCount(BaseModel):
    """A value and how many events have it."""

    value: str
    count: int


class FacetShown(BaseModel):
    """The most frequent values of a field; `other` events have a further one, `empty` none."""

    values: list[ValueCount]
    other: int
    empty: int


class Difference(BaseModel):
    """A column in which the row is not what the evidence says."""

    column: str
    row: str
    evidence: str


class StepShown(BaseModel):
    """One step of a proof; it does not stand on a `further` one, about a copy."""

    name: str
    passed: bool
    detail: str
    further: bool
    differences: list[Difference]


class ProofShown(BaseModel):
    """All steps that were taken, up to the one that failed."""

    passed: bool
    steps: list[StepShown]


class Check(BaseModel):
    """A query to be checked."""

    q: str
    zone: str = "UTC"


class Checked(BaseModel):
    """Whether a query can be understood and, when not, where the mistake is."""

    ok: bool
    message: str = ""
    position: int = 0
    length: int = 0
    suggestion: str = ""
