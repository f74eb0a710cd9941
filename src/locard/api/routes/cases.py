# SPDX-License-Identifier: Apache-2.0
"""Cases, their custody ledger and the progress of their jobs."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from locard.api.allowed import MayMakeCase, MayView, Who
from locard.api.door import Door, TheDoor, signed_in
from locard.api.places import TheCase
from locard.api.times import iso, iso_or_none
from locard.cases.desk import Case
from locard.cases.progress import Snapshot
from locard.model.access import Access, Permission
from locard.model.custody import CustodyEntry
from locard.model.errors import SignInNeeded
from locard.state import grants
from locard.state.investigations import Stage
from locard.timeline import Summary

router = APIRouter(prefix="/api/cases", tags=["cases"])

TICK = 0.5
"""Seconds between two looks at the progress while something runs."""
QUIET = 2.0
"""Seconds between two looks while nothing runs."""
HEARTBEAT = 15.0
"""Seconds after which a stream without news says that it is alive, and the session is checked."""


class SourceCount(BaseModel):
    """Events of one source."""

    source: str
    count: int


class FailedEvidence(BaseModel):
    """A piece of evidence that could not be parsed, and why."""

    id: str
    name: str
    reason: str


class CaseShown(BaseModel):
    """A case in numbers. `problems` are events that carry a problem; `first` and `last` are the
    ends of its dated events; `may` is what whoever asks may do in it, `ask` who grants more."""

    name: str
    title: str
    created: str
    created_by: str
    simulated: bool
    events: int
    evidence: int
    bytes: int
    problems: int
    undated: int
    sightings: int
    first: str | None
    last: str | None
    sources: list[SourceCount]
    stages: dict[str, int]
    jobs_running: int
    failed: list[FailedEvidence]
    may: list[Permission]
    ask: list[str]


class NewCase(BaseModel):
    """A case to be made."""

    name: Annotated[str, Field(max_length=64)]
    title: Annotated[str, Field(max_length=200)] = ""


class Entry(BaseModel):
    """An entry of the custody ledger; `name` is that of the evidence, as far as it is known.
    `door` and `address` say through which door and from where the actor came."""

    sequence: int
    time: str
    actor: str
    door: str
    address: str
    verb: str
    evidence: str
    name: str | None
    case: str
    reason: str
    details: dict[str, str]
    previous: int
    hash: str
    exhibit: str
    agent: str


class Progress(BaseModel):
    """The progress of a job: what, how far, how fast, how long still."""

    job: str
    what: str
    who: str
    stage: str
    done: int
    total: int | None
    unit: str
    rate: float
    left_seconds: float | None
    state: str
    started: str
    ended: str | None
    log: list[str]
    summary: dict[str, int]


@router.get("")
def cases(who: Who, door: TheDoor) -> list[CaseShown]:
    """The cases that whoever asks may see, the newest first."""
    known = door.desk.timeline.summaries()
    return [
        _case(door, case, known.get(case.name, Summary()), who.access)
        for case in door.desk.cases()
        if who.access.sees(case.name)
    ]


@router.post("", status_code=201)
def make_case(new: NewCase, who: MayMakeCase, request: Request, door: TheDoor) -> CaseShown:
    """Make a case, and be its administrator."""
    made = door.desk.create(new.name, new.title, who=who.hand)
    return _case(door, made, Summary(), signed_in(request).access)


@router.get("/{case}")
def case(case: TheCase, who: MayView, door: TheDoor) -> CaseShown:
    """A case in numbers."""
    return _case(door, door.desk.case(case), door.desk.timeline.summary(case), who.access)


@router.get("/{case}/custody")
def custody(
    case: TheCase,
    door: TheDoor,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    before: Annotated[int | None, Query()] = None,
) -> list[Entry]:
    """The entries of the ledger about this case, the newest first."""
    return shown_entries(door, case, door.desk.custody(case, limit=limit, before=before))


@router.get("/{case}/progress")
def progress(case: TheCase, door: TheDoor) -> list[Progress]:
    """The jobs of the case, the newest first."""
    return [shown_progress(one) for one in door.desk.progress(case)]


@router.get(
    "/{case}/progress/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events"}},
)
async def progress_stream(case: TheCase, request: Request, door: TheDoor) -> StreamingResponse:
    """The same, whenever it changed, as server-sent events."""
    return StreamingResponse(_watch(case, request, door), media_type="text/event-stream")


async def _watch(case: str, request: Request, door: Door) -> AsyncIterator[bytes]:
    last, said = b"", time.monotonic()
    while True:
        found = await run_in_threadpool(door.desk.progress, case)
        text = msgspec.json.encode([shown_progress(one).model_dump() for one in found])
        if text != last:
            yield b"data: " + text + b"\n\n"
            last, said = text, time.monotonic()
        elif time.monotonic() - said > HEARTBEAT:
            if not await run_in_threadpool(_still_sees, request, case):
                return
            yield b": still here\n\n"
            said = time.monotonic()
        running = any(one.state == "running" for one in found)
        await asyncio.sleep(TICK if running else QUIET)


def _still_sees(request: Request, case: str) -> bool:
    try:
        return signed_in(request).access.sees(case)
    except SignInNeeded:
        return False


def shown_entries(door: Door, case: str, entries: list[CustodyEntry]) -> list[Entry]:
    """Entries with the names of the evidence that they are about."""
    missing = {entry.evidence for entry in entries if entry.evidence and not _name(entry)}
    names = door.desk.names(case, missing)
    return [
        Entry(
            sequence=entry.sequence,
            time=iso(entry.time),
            actor=entry.actor,
            door=entry.door,
            address=entry.address,
            verb=entry.verb.value,
            evidence=entry.evidence,
            name=_name(entry) or names.get(entry.evidence),
            case=entry.case,
            reason=entry.reason,
            details=entry.details,
            previous=entry.previous,
            hash=entry.hash,
            exhibit=entry.exhibit,
            agent=entry.agent,
        )
        for entry in entries
    ]


def _name(entry: CustodyEntry) -> str:
    return entry.details.get("name", "")


def _case(door: Door, case: Case, summary: Summary, access: Access) -> CaseShown:
    failed: list[FailedEvidence] = []
    if case.totals.stages.get(Stage.FAILED.value):
        items, _ = door.desk.evidence(case.name, stage=Stage.FAILED.value, limit=20)
        failed = [FailedEvidence(id=one.id, name=one.name, reason=one.reason) for one in items]
    with door.state.session() as s:
        ask = grants.administrators(s, case.name)
    return CaseShown(
        name=case.name,
        title=case.title,
        created=iso(case.created),
        created_by=case.created_by,
        simulated=case.simulated,
        events=summary.rows,
        evidence=case.totals.evidence,
        bytes=case.totals.bytes,
        problems=summary.problems,
        undated=summary.undated,
        sightings=summary.sightings,
        first=iso_or_none(summary.first),
        last=iso_or_none(summary.last),
        sources=[SourceCount(source=name, count=n) for name, n in summary.sources.items()],
        stages=case.totals.stages,
        jobs_running=sum(job.state == "running" for job in door.desk.progress(case.name)),
        failed=failed,
        may=sorted(access.of(case.name)),
        ask=ask,
    )


def shown_progress(one: Snapshot) -> Progress:
    """The progress of a job as the API shows it."""
    return Progress(
        job=str(one.job),
        what=one.what,
        who=one.who,
        stage=one.stage,
        done=one.done,
        total=one.total or None,
        unit=one.unit,
        rate=one.rate,
        left_seconds=one.left_seconds,
        state=one.state,
        started=iso(one.started),
        ended=iso_or_none(one.ended),
        log=list(one.log),
        summary=one.summary,
    )
