# SPDX-License-Identifier: Apache-2.0
"""The timeline: pages, figures, one event with where it comes from, its proof, exports.

Pages are encoded at once and not validated field by field: a thousand rows are shown in
milliseconds that way. Their shape in `locard.api.answers` is what `openapi.json` tells the page,
and a test holds the answers against it.
"""

import time
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from locard.api.allowed import MayExport, MayView, Who
from locard.api.answers import (
    Check,
    Checked,
    Counted,
    Difference,
    EventPage,
    EventWhole,
    FacetShown,
    HistogramShown,
    Neighbours,
    Parent,
    ProofShown,
    Provenance,
    Sighting,
    StepShown,
    ValueCount,
)
from locard.api.asked import Asked, bounded, known_zone
from locard.api.door import Door, TheDoor
from locard.api.places import EventId, TheCase, TheEvent
from locard.api.problems import bad_query
from locard.api.rows import LISTED, listed, whole
from locard.api.times import iso
from locard.model.errors import BadQuery, Missing
from locard.model.event import FACETS, Event, Format
from locard.timeline import STILL_COMING

router = APIRouter(prefix="/api", tags=["events"])

MOST_ROWS = 1000
DEEPEST_PARENT = 32


@router.get("/cases/{case}/events", response_model=EventPage)
def events(
    search: Asked,
    door: TheDoor,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 200,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    offset: Annotated[int, Query(ge=0, lt=1 << 40)] = 0,
    order: Literal["asc", "desc"] = "asc",
) -> Response:
    """A page of the events that match, in order of time."""
    begun = time.perf_counter()
    page = door.desk.timeline.page(search, limit, cursor or None, offset, order, LISTED)
    if not page.rows:
        door.desk.require_rows(search.case)
    return _json(
        {
            "events": listed(door.state, search.case, page.rows),
            "next": page.next,
            "previous": page.previous,
            "notes": page.notes,
            "took_ms": _since(begun),
        }
    )


@router.get("/cases/{case}/events/count")
def count(search: Asked, door: TheDoor) -> Counted:
    """How many events match."""
    begun = time.perf_counter()
    found = door.desk.timeline.count(search)
    if not found.rows:
        door.desk.require_rows(search.case)
    return Counted(
        count=found.rows, undated=found.undated, took_ms=_since(begun), notes=found.notes
    )


@router.get("/cases/{case}/events/histogram")
def histogram(
    search: Asked,
    door: TheDoor,
    buckets: Annotated[int, Query(ge=1, le=2000)] = 120,
    by: Annotated[str, Query(max_length=64)] = "source",
    outliers: Annotated[
        bool, Query(description="whether few events far away in time have buckets too")
    ] = True,
) -> HistogramShown:
    """The events that match over time, by the values of a field."""
    begun = time.perf_counter()
    found = door.desk.timeline.histogram(search, buckets, by, outliers)
    number = max((len(counts) for counts in found.series.values()), default=0)
    starts = [(found.start + place * found.width) / 1e6 for place in range(number)]
    return HistogramShown(
        start=iso(found.start),
        width_ms=found.width / 1e6,
        buckets=starts,
        series=found.series,
        undated=found.undated,
        before=found.before,
        after=found.after,
        took_ms=_since(begun),
        notes=found.notes,
    )


@router.get("/cases/{case}/events/facets")
def facets(
    search: Asked,
    door: TheDoor,
    fields: Annotated[str, Query(max_length=2000, description="names with commas")] = "",
    size: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> dict[str, FacetShown]:
    """The most frequent values of each field among the events that match."""
    names = [name for name in fields.split(",") if name] or list(FACETS)
    found = door.desk.timeline.facets(search, names, size)
    return {one.field: _facet(one.values, one.others, size) for one in found.facets}


@router.get("/cases/{case}/values")
def values(
    case: TheCase,
    who: MayView,
    door: TheDoor,
    field: Annotated[str, Query(max_length=200)],
    prefix: Annotated[str, Query(max_length=500)] = "",
    size: Annotated[int, Query(ge=1, le=200)] = 20,
) -> list[ValueCount]:
    """The values of a field that begin like this, for completion."""
    found = door.desk.values(case, field, prefix, size, who=who.hand)
    return [ValueCount(value=value, count=n) for value, n in found]


@router.get(
    "/cases/{case}/events/export",
    response_class=StreamingResponse,
    responses={200: {"description": "The events", "content": {f.media_type: {} for f in Format}}},
)
def export(
    search: Asked,
    who: MayExport,
    door: TheDoor,
    form: Annotated[Format, Query(alias="format")] = Format.CSV,
    columns: Annotated[str, Query(max_length=2000, description="names with commas")] = "",
) -> StreamingResponse:
    """Everything that matches, as a stream without a limit of rows."""
    chosen = [name for name in columns.split(",") if name] or None
    chunks = door.desk.export(search, form, chosen, who=who.hand)
    headers = {"content-disposition": f'attachment; filename="{search.case}.{form.value}"'}
    return StreamingResponse(_begun(chunks), 200, headers, form.media_type)


@router.get("/cases/{case}/events/{event}", response_model=EventWhole)
def event(case: TheCase, event: EventId, who: MayView, door: TheDoor) -> Response:
    """One event with everything, and where it comes from."""
    found = door.desk.event(case, event, who=who.hand)
    return _json({**whole(door.state, found), "provenance": _provenance(door, found).model_dump()})


@router.get("/cases/{case}/events/{event}/context", response_model=Neighbours)
def context(
    case: TheCase,
    event: EventId,
    who: MayView,
    door: TheDoor,
    minutes: Annotated[float, Query(gt=0, le=100_000)] = 5,
    rows: Annotated[int, Query(ge=1, le=500, description="at most so many on each side")] = 500,
) -> Response:
    """The events around one event, across all sources."""
    found = door.desk.context(case, event, minutes, rows, who=who.hand)
    return _json(
        {
            "events": listed(door.state, case, found.rows),
            "index": found.position,
            "before": found.before,
            "after": found.after,
        }
    )


@router.post("/cases/{case}/events/{event}/prove")
def prove(case: TheCase, event: TheEvent, who: MayView, door: TheDoor) -> ProofShown:
    """Prove a row: from the row back to the bytes it came from, each step said."""
    proof = door.desk.prove(event, who=who.hand, case=case)
    steps = [
        StepShown(
            **{one: getattr(step, one) for one in ("name", "passed", "detail", "further")},
            differences=[
                Difference(column=c, row=row, evidence=said) for c, row, said in step.differences
            ],
        )
        for step in proof.steps
    ]
    return ProofShown(passed=proof.passed, steps=steps)


@router.post("/query/check")
def check(query: Check, _who: Who, door: TheDoor) -> Checked:
    """Whether a query can be understood; a mistake is pointed at."""
    known_zone(query.zone)
    try:
        door.desk.check(bounded(query.q), query.zone)
    except BadQuery as error:
        return Checked(ok=False, **bad_query(error))
    return Checked(ok=True)


def _provenance(door: Door, event: Event) -> Provenance:
    evidence = str(event.values["evidence"])
    sighted = {one for one, _ in event.sightings}
    names = door.desk.names(event.case, {evidence, *sighted})
    return Provenance(
        evidence=evidence,
        name=names.get(evidence, evidence if evidence == STILL_COMING else ""),
        parents=_parents(door, event.case, evidence),
        locator=str(event.values["locator"]),
        sha256=evidence,
        custody_sequence=door.desk.vault.ledger.made(event.case, evidence),
        sightings=[
            Sighting(evidence=one, name=names.get(one, ""), locator=locator)
            for one, locator in event.sightings
        ],
    )


def _parents(door: Door, case: str, evidence: str) -> list[Parent]:
    parents: list[Parent] = []
    try:
        above = door.desk.evidence_item(case, evidence).parent
        while above and len(parents) < DEEPEST_PARENT:
            item = door.desk.evidence_item(case, above)
            parents.append(Parent(id=item.id, name=item.name))
            above = item.parent
    except Missing:
        return parents
    return parents


def _facet(found: list[tuple[str, int]], others: int, size: int) -> FacetShown:
    empty = sum(n for value, n in found if not value)
    full = [(value, n) for value, n in found if value]
    others += sum(n for _, n in full[size:])
    shown = [ValueCount(value=value, count=n) for value, n in full[:size]]
    return FacetShown(values=shown, other=others, empty=empty)


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, the first one made already: a mistake is answered, not broken off."""
    first = next(chunks, b"")
    return chain((first,), chunks)


def _since(begun: float) -> float:
    return round((time.perf_counter() - begun) * 1000, 3)


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
