# SPDX-License-Identifier: Apache-2.0
"""Runs of playbooks: what they did, what they wait for people about, and the word of people."""

import time
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from locard.actions.catalogue import catalogue
from locard.api.allowed import MayRespond, MayView, seen
from locard.api.door import Door, Person, TheDoor
from locard.api.places import TheCase
from locard.api.routes.response import (
    ProposalShown,
    TargetShown,
    proposal_shown,
    target_shown,
)
from locard.api.times import iso, iso_or_none, nanoseconds
from locard.cases.playbooks.approvals import barred, waits_for
from locard.cases.response.conductor import Response
from locard.model.access import Permission
from locard.model.errors import Missing
from locard.model.playbook import Approval, Part, PlaybookRun, PlaybookState
from locard.state.pages import place_of, text_of
from locard.state.playbooks import Wanted

router = APIRouter(prefix="/api", tags=["playbooks"])

DAY = 86_400_000_000_000
RunId = Annotated[str, Path(pattern=r"^[a-z][0-9a-f-]{4,40}$")]


class PartShown(BaseModel):
    """One step of a playbook: what it does to which target, and how far it has come. `title` is
    that of the action, `run` its run once it was begun. A collection is `kept` once isolating can
    take nothing any more from it, and what is left is read from copies while the others go on;
    `kept` says so also when that failed."""

    number: int
    does: str
    what: str
    title: str
    target: TargetShown | None
    options: dict[str, Any]
    text: str
    state: str
    kept: bool
    run: str
    error: str
    started: str | None
    ended: str | None


class ApprovalShown(BaseModel):
    """One person's word about a run of a playbook. What was said about an earlier plan, or before
    the run lapsed, does not count any more (`counts`)."""

    who: str
    agrees: bool
    reason: str
    time: str
    counts: bool


class PlaybookRunShown(BaseModel):
    """One run of a playbook on one alert. While it is `waiting`, people are asked: `approvers` of
    them have to agree until `lapses`, and `agreed` have. `asks_you` says that it waits for whoever
    asks, `barred` why they do not count; `changed` is why it asks again, the `round`-th time."""

    id: str
    playbook: str
    title: str
    alert: str
    case: str
    asker: str
    state: str
    asking: str
    approvers: int
    parts: list[PartShown]
    approvals: list[ApprovalShown]
    agreed: int
    enabled_by: str
    lapses: str | None
    reminds: str | None
    round: int
    changed: list[str]
    asks_you: bool
    barred: str
    error: str
    started: str
    ended: str | None


class PlaybookRunAsked(PlaybookRunShown):
    """A run with what people are asked about, as it would be done now: the `plans` of its steps
    ahead, and the digest of them (`plan`) by which somebody agrees. `changed` is what is different
    from what was asked before."""

    plan: str
    plans: list[ProposalShown]


class Word(BaseModel):
    """What somebody says about a run that waits, and why."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class Agreement(Word):
    """Somebody agrees to the plan of this digest, as it was shown to them, and to no other."""

    plan: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PlaybookRunList(BaseModel):
    """Runs of playbooks, the newest first. `next` is where the list goes on, null at its end."""

    runs: list[PlaybookRunShown]
    next: str | None


class Awaiting(BaseModel):
    """What is there for whoever asks: runs that wait for their word, and alerts that they have not
    seen."""

    approvals: int
    alerts: int


Limit = Annotated[int, Query(ge=1, le=500)]
Before = Annotated[str, Query(max_length=100)]
States = Annotated[tuple[PlaybookState, ...], Query(max_length=10)]


@router.get("/playbook-runs")
def playbook_runs(
    who: MayView, door: TheDoor, state: States = (), limit: Limit = 50, before: Before = ""
) -> PlaybookRunList:
    """Runs of playbooks in the cases that whoever asks may see, the newest first."""
    return _listed(door, who, Wanted(among=seen(who), states=state), limit, before)


@router.get("/cases/{case}/playbook-runs")
def case_playbook_runs(
    case: TheCase,
    who: MayView,
    door: TheDoor,
    state: States = (),
    action: Annotated[str, Query(max_length=50)] = "",
    limit: Limit = 50,
    before: Before = "",
) -> PlaybookRunList:
    """Runs of playbooks in the case, the newest first; `action` is the run of one of its steps."""
    return _listed(door, who, Wanted(case, states=state, action=action), limit, before)


@router.get("/awaiting")
def awaiting(
    who: MayView, door: TheDoor, since: Annotated[datetime | None, Query()] = None
) -> Awaiting:
    """How much waits for whoever asks: their word, and alerts that came after `since`; of the last
    day if that is left out."""
    at, among = door.desk.response, seen(who)
    after = time.time_ns() - DAY if since is None else nanoseconds(since) + 1_000
    waiting = at.playbooks.waiting_for(who.name, among)
    mine = [one for one in waiting if who.access.may(Permission.RESPOND, one.case)]
    return Awaiting(approvals=len(mine), alerts=at.alerts.new(after, among))


def _listed(door: Door, who: Person, wanted: Wanted, limit: int, before: str) -> PlaybookRunList:
    place = place_of(before) if before else None
    found = door.desk.response.playbooks.runs(wanted, limit=limit, before=place)
    last = found[-1] if len(found) == limit else None
    return PlaybookRunList(
        runs=[playbook_run(one, who) for one in found],
        next=text_of((last.started, last.id)) if last else None,
    )


@router.get("/cases/{case}/playbook-runs/{run}/plan")
def playbook_run_plan(
    case: TheCase, run: RunId, who: MayRespond, door: TheDoor
) -> PlaybookRunAsked:
    """A run with what people are asked about, as it would be done now. Reads, and changes nothing.

    Somebody agrees to the digest of exactly this."""
    at = door.desk.response
    found = at.playbooks.asked(_of(at, case, run))
    plans = [proposal_shown(one) for one in at.playbooks.plans.proposals(found)]
    return PlaybookRunAsked(**playbook_run(found, who).model_dump(), plan=found.plan, plans=plans)


@router.post("/cases/{case}/playbook-runs/{run}/approve")
def approve_run(
    case: TheCase, run: RunId, word: Agreement, who: MayRespond, door: TheDoor
) -> PlaybookRunShown:
    """Agree to what a playbook waits for. Nobody agrees to what they set off themselves, nor to
    what a playbook does that they switched on."""
    at = door.desk.response
    found = at.playbooks.approve(_of(at, case, run), who.hand, word.reason, word.plan)
    at.attending.look()
    return playbook_run(found, who)


@router.post("/cases/{case}/playbook-runs/{run}/refuse")
def refuse_run(
    case: TheCase, run: RunId, word: Word, who: MayRespond, door: TheDoor
) -> PlaybookRunShown:
    """Refuse it, for good: what it has not done yet is not done any more."""
    at = door.desk.response
    return playbook_run(at.playbooks.refuse(_of(at, case, run), who.hand, word.reason), who)


@router.post("/cases/{case}/playbook-runs/{run}/retry")
def retry_run(case: TheCase, run: RunId, who: MayRespond, door: TheDoor) -> PlaybookRunShown:
    """Let the steps that failed be tried again, or people be asked again about what lapsed."""
    at = door.desk.response
    found = at.playbooks.retry(_of(at, case, run), who.hand)
    at.attending.look()
    return playbook_run(found, who)


def playbook_run(one: PlaybookRun, who: Person) -> PlaybookRunShown:
    """A run of a playbook as it is shown to somebody."""
    may = who.access.may(Permission.RESPOND, one.case)
    return PlaybookRunShown(
        id=one.id,
        playbook=one.playbook,
        title=one.title,
        alert=one.alert,
        case=one.case,
        asker=one.asker,
        state=one.state.value,
        asking=one.asking.value,
        approvers=one.approvers,
        parts=[part_shown(each) for each in one.parts],
        approvals=[_approval(each, one.round) for each in one.approvals],
        agreed=one.agreed,
        enabled_by=one.enabled_by,
        lapses=iso_or_none(one.lapses),
        reminds=iso_or_none(one.reminds),
        round=one.round,
        changed=list(one.changed),
        asks_you=may and waits_for(one, who.name),
        barred=barred(one, who.name),
        error=one.error,
        started=iso(one.started),
        ended=iso_or_none(one.ended),
    )


def _approval(one: Approval, round_: int) -> ApprovalShown:
    counts = one.round == round_
    return ApprovalShown(
        who=one.who, agrees=one.agrees, reason=one.reason, time=iso(one.time), counts=counts
    )


def _of(at: Response, case: str, run: str) -> str:
    found = at.playbooks.run(run)
    if found.case != case:
        raise Missing(f"The case has no run of a playbook {run!r}.")
    return found.id


def part_shown(one: Part) -> PartShown:
    """A step of a playbook as it is shown."""
    return PartShown(
        number=one.number,
        does=one.does.value,
        what=one.what,
        title=action.title if (action := catalogue().actions.get(one.what)) else one.what,
        target=target_shown(one.target) if one.target else None,
        options=dict(one.options),
        text=one.text,
        state=one.state.value,
        kept=one.kept,
        run=one.run,
        error=one.error,
        started=iso_or_none(one.started),
        ended=iso_or_none(one.ended),
    )
