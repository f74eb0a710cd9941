# SPDX-License-Identifier: Apache-2.0
"""Playbooks: what they would do, switching them on and off, and what they wait for people about."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from locard.actions.catalogue import catalogue
from locard.api.allowed import MayManageSettings, MayRespond, MayView, seen
from locard.api.door import Person, TheDoor
from locard.api.places import TheCase
from locard.api.routes.response import (
    ProposalShown,
    TargetShown,
    proposal_shown,
    target_shown,
)
from locard.api.times import iso, iso_or_none
from locard.cases.playbooks.approvals import barred, waits_for
from locard.cases.response.conductor import Response
from locard.model.access import Permission
from locard.model.errors import Missing
from locard.model.playbook import Part, Playbook, PlaybookRun, PlaybookState, Trial

router = APIRouter(prefix="/api", tags=["playbooks"])

Name = Annotated[str, Path(max_length=100)]
RunId = Annotated[str, Path(pattern=r"^[a-z][0-9a-f-]{4,40}$")]


class PartShown(BaseModel):
    """One step of a playbook: what it does to which target, and how far it has come. `title` is
    that of the action, `run` its run once it was begun."""

    number: int
    does: str
    what: str
    title: str
    target: TargetShown | None
    options: dict[str, Any]
    text: str
    state: str
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


class MeasureShown(BaseModel):
    """One thing that a playbook does."""

    does: str
    what: str
    text: str


class PlaybookShown(BaseModel):
    """A playbook. `changed` says that it was switched on with another text, and is off for that."""

    id: str
    title: str
    about: str
    text: str
    then: list[MeasureShown]
    asking: str
    approvers: int
    targets_per_hour: int
    shipped: bool
    enabled: bool
    enabled_by: str
    enabled_at: str | None
    changed: bool


class FaultyShown(BaseModel):
    """A file that is no playbook, and why."""

    id: str
    problem: str


class PlaybookList(BaseModel):
    """The playbooks there are, and the files that are none."""

    playbooks: list[PlaybookShown]
    faulty: list[FaultyShown]


class Switch(BaseModel):
    """Whether a playbook is to be on."""

    enabled: bool


class TrialShown(BaseModel):
    """What a playbook would have done about an alert of the past, and why, or why not."""

    alert: str
    title: str
    case: str
    severity: str
    matches: bool
    why: str
    parts: list[PartShown]
    errors: list[str]


class Word(BaseModel):
    """What somebody says about a run that waits, and why."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class Agreement(Word):
    """Somebody agrees to the plan of this digest, as it was shown to them, and to no other."""

    plan: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@router.get("/playbooks")
def playbooks(_who: MayRespond, door: TheDoor) -> PlaybookList:
    """The playbooks there are, on and off."""
    shelf = door.desk.response.shelf
    return PlaybookList(
        playbooks=[_playbook(one) for one in shelf.every()],
        faulty=[
            FaultyShown(id=name, problem=error.message) for name, error in shelf.faulty().items()
        ],
    )


@router.put("/playbooks/{name}")
def switch_playbook(
    name: Name, wanted: Switch, who: MayManageSettings, door: TheDoor
) -> PlaybookShown:
    """Switch a playbook on as it is now, or off."""
    at = door.desk.response
    if wanted.enabled:
        at.shelf.enable(name, who.hand)
        at.attending.look()
    else:
        at.shelf.disable(name, who.hand)
    return _playbook(at.shelf.get(name))


@router.get("/playbooks/{name}/trials")
def playbook_trials(
    name: Name,
    who: MayRespond,
    door: TheDoor,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[TrialShown]:
    """What a playbook, on or off, would have done about the last alerts. Changes nothing."""
    at = door.desk.response
    past = at.alerts.every(limit=limit, among=seen(who))
    known = {one.id: one for one in past}
    return [
        TrialShown(
            **_trial(one),
            title=known[one.alert].title,
            case=known[one.alert].case,
            severity=known[one.alert].severity.value,
        )
        for one in at.playbooks.trials.of(at.shelf.written(name), past)
    ]


@router.get("/playbook-runs")
def playbook_runs(
    who: MayView, door: TheDoor, state: PlaybookState | None = None
) -> list[PlaybookRunShown]:
    """Runs of playbooks in the cases that whoever asks may see, the newest first."""
    found = door.desk.response.playbooks.runs(state=state, among=seen(who))
    return [playbook_run(one, who) for one in found]


@router.get("/cases/{case}/playbook-runs")
def case_playbook_runs(case: TheCase, who: MayView, door: TheDoor) -> list[PlaybookRunShown]:
    """Runs of playbooks in the case, the newest first."""
    return [playbook_run(one, who) for one in door.desk.response.playbooks.runs(case)]


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
        parts=[_part(each) for each in one.parts],
        approvals=[
            ApprovalShown(
                who=each.who,
                agrees=each.agrees,
                reason=each.reason,
                time=iso(each.time),
                counts=each.round == one.round,
            )
            for each in one.approvals
        ],
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


def _of(at: Response, case: str, run: str) -> str:
    found = at.playbooks.run(run)
    if found.case != case:
        raise Missing(f"The case has no run of a playbook {run!r}.")
    return found.id


def _part(one: Part) -> PartShown:
    return PartShown(
        number=one.number,
        does=one.does.value,
        what=one.what,
        title=action.title if (action := catalogue().actions.get(one.what)) else one.what,
        target=target_shown(one.target) if one.target else None,
        options=dict(one.options),
        text=one.text,
        state=one.state.value,
        run=one.run,
        error=one.error,
        started=iso_or_none(one.started),
        ended=iso_or_none(one.ended),
    )


def _playbook(one: Playbook) -> PlaybookShown:
    return PlaybookShown(
        id=one.id,
        title=one.title,
        about=one.about,
        text=one.text,
        then=[
            MeasureShown(does=each.does.value, what=each.what, text=each.text) for each in one.then
        ],
        asking=one.asking.value,
        approvers=one.approvers,
        targets_per_hour=one.targets_per_hour,
        shipped=one.shipped,
        enabled=one.enabled,
        enabled_by=one.enabled_by,
        enabled_at=iso_or_none(one.enabled_at),
        changed=one.changed,
    )


def _trial(one: Trial) -> dict[str, Any]:
    return {
        "alert": one.alert,
        "matches": one.matches,
        "why": one.why,
        "parts": [_part(each) for each in one.parts],
        "errors": list(one.errors),
    }
