# SPDX-License-Identifier: Apache-2.0
"""Playbooks: what they do, what they would have done, and switching them on and off."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from locard.api.allowed import MayManageSettings, MayRespond, seen
from locard.api.door import TheDoor
from locard.api.routes.playbook_runs import PartShown, part_shown
from locard.api.times import iso_or_none
from locard.model.playbook import Playbook, Trial

router = APIRouter(prefix="/api", tags=["playbooks"])

Name = Annotated[str, Path(max_length=100)]


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
        "parts": [part_shown(each) for each in one.parts],
        "errors": list(one.errors),
    }
