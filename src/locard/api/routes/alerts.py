# SPDX-License-Identifier: Apache-2.0
"""Alerts: the door that detectors knock at, and what came through it.

A message at the door shows no session; it proves itself by its signature, which is looked at before
anything else is.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from locard.api.allowed import MayManageSettings, MayView, Open, seen
from locard.api.door import Door, Person, TheDoor, address
from locard.api.routes.playbook_runs import PlaybookRunShown, playbook_run
from locard.api.routes.response import TargetShown, target_shown
from locard.api.times import iso
from locard.cases.alerts.sources import MOST_BYTES
from locard.model.alert import Alert
from locard.model.errors import Missing
from locard.state.pages import place_of, text_of
from locard.state.playbooks import Wanted

router = APIRouter(prefix="/api/alerts", tags=["alerts"])

AlertId = Annotated[str, Path(pattern=r"^a-[0-9a-f]{4,16}$")]
Source = Annotated[str, Path(pattern=r"^[a-z0-9._-]{1,60}$")]


class AlertShown(BaseModel):
    """An alert. `placed` says why it is in its case, `sightings` how often it was said, `playbooks`
    how many runs of playbooks it set off."""

    id: str
    source: str
    original: str
    kind: str
    severity: str
    title: str
    time: str
    account: str
    region: str
    targets: list[TargetShown]
    state: str
    link: str
    case: str
    placed: str
    sightings: int
    first: str
    last: str
    by: str
    door: str
    notes: list[str]
    playbooks: int


class AlertWhole(AlertShown):
    """An alert with all that the source said, the evidence that keeps it, and what it set off."""

    content: Any
    evidence: list[str]
    runs: list[PlaybookRunShown]


class AlertList(BaseModel):
    """A page of alerts, the last that came first. `next` is where the list goes on, null at its
    end. One that comes again meanwhile stands at the beginning of the list then."""

    alerts: list[AlertShown]
    next: str | None
    total: int


class Taken(BaseModel):
    """The alerts that a message said, recorded."""

    alerts: list[str]


class UnreadShown(BaseModel):
    """A message that no alert could be read from. Its bytes are kept."""

    number: int
    came: str
    door: str
    place: str
    problem: str
    size: int
    times: int


class UnreadList(BaseModel):
    """A page of such messages, the last that came first. `next` is null at the end of the list."""

    messages: list[UnreadShown]
    next: str | None
    total: int


@router.post("/in/{source}", status_code=202, dependencies=[Open], max_body_size=MOST_BYTES)
async def take_alert(source: Source, request: Request, door: TheDoor) -> Taken:
    """Take a message of a detector. Its signature says who sent it."""
    body, headers = await request.body(), dict(request.headers)

    def take() -> Sequence[Alert]:
        return door.desk.response.alerts.ingest(source, headers, body, address(request))

    found = await run_in_threadpool(take)
    door.desk.response.attending.look()
    return Taken(alerts=[one.id for one in found])


@router.get("")
def alerts(
    who: MayView,
    door: TheDoor,
    case: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    before: Annotated[str, Query(max_length=100)] = "",
) -> AlertList:
    """The alerts of the cases that whoever asks may see, the last that came first."""
    at, among, place = door.desk.response, seen(who), place_of(before) if before else None
    found = at.alerts.every(case, limit=limit + 1, before=place, among=among)
    shown = found[:limit]
    counts = at.playbooks.counted([one.id for one in shown])
    return AlertList(
        alerts=[AlertShown(**_alert(one), playbooks=counts.get(one.id, 0)) for one in shown],
        next=text_of((shown[-1].last, shown[-1].id)) if len(found) > limit else None,
        total=at.alerts.total(case, among),
    )


@router.get("/unread")
def unread_alerts(
    _who: MayManageSettings,
    door: TheDoor,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    before: Annotated[str, Query(max_length=100)] = "",
) -> UnreadList:
    """Messages that no alert could be read from, the last that came first."""
    at, place = door.desk.response.alerts, place_of(before) if before else None
    found = at.unread(limit=limit + 1, before=place)
    shown = found[:limit]
    return UnreadList(
        messages=[
            UnreadShown(
                number=one.id,
                came=iso(one.came),
                door=one.door,
                place=one.place,
                problem=one.problem,
                size=one.size,
                times=one.times,
            )
            for one in shown
        ],
        next=text_of((shown[-1].came, str(shown[-1].id))) if len(found) > limit else None,
        total=at.unread_total(),
    )


@router.get("/{alert}")
def alert(alert: AlertId, who: MayView, door: TheDoor) -> AlertWhole:
    """An alert with its original and with what it set off."""
    one = _seen(door, who, alert)
    runs = door.desk.response.playbooks.runs(Wanted(one.case, alert=one.id))
    return AlertWhole(
        **_alert(one),
        playbooks=len(runs),
        content=one.content,
        evidence=list(one.evidence),
        runs=[playbook_run(each, who) for each in runs],
    )


def _seen(door: Door, who: Person, name: str) -> Alert:
    found = door.desk.response.alerts.get(name)
    if not who.access.sees(found.case):
        raise Missing(f"There is no alert {name!r}.")
    return found


def _alert(one: Alert) -> dict[str, Any]:
    return {
        "id": one.id,
        "source": one.source,
        "original": one.original,
        "kind": one.kind,
        "severity": one.severity.value,
        "title": one.title,
        "time": iso(one.time),
        "account": one.account,
        "region": one.region,
        "targets": [target_shown(each) for each in one.targets],
        "state": one.state.value,
        "link": one.link,
        "case": one.case,
        "placed": one.placed,
        "sightings": one.sightings,
        "first": iso(one.first),
        "last": iso(one.last),
        "by": one.by,
        "door": one.door,
        "notes": list(one.notes),
    }
