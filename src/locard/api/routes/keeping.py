# SPDX-License-Identifier: Apache-2.0
"""How a case is kept: authority, legal holds, retention, and disposal by two people.

A disposal that was agreed to is carried out in a process of its own, as a job of the case.
"""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from locard.api.allowed import MayDispose, MayHold
from locard.api.door import TheDoor
from locard.api.places import TheCase
from locard.api.times import iso, iso_or_none
from locard.cases.keeping import Kept, Plan
from locard.model.custody import Authority
from locard.model.errors import Error
from locard.state.keeping import Disposal, Hold, Standing
from locard.timeline import bounds

router = APIRouter(prefix="/api/cases/{case}", tags=["keeping"])

MOST = 100_000
SHOWN = 200
"""Pieces of evidence that a plan names; it counts all of them."""

Text = Annotated[str, Field(max_length=2000)]
EvidenceId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class AuthorityShown(BaseModel):
    """An authority that evidence was taken in under; the last one is in force."""

    kind: str
    reference: str
    issued_by: str
    valid_from: str
    valid_to: str
    scope: str
    set: str
    set_by: str


class HoldShown(BaseModel):
    """A legal hold; `released` is null while it stands."""

    number: int
    reference: str
    reason: str
    placed: str
    placed_by: str
    released: str | None
    released_by: str
    released_reason: str


class DisposalShown(BaseModel):
    """A disposal that somebody asked for: asked, agreed (being carried out), done or refused."""

    number: int
    exhibits: int
    evidence: list[str]
    reason: str
    asked: str
    asked_by: str
    standing: Standing
    decided: str | None
    decided_by: str
    decided_reason: str


class KeepingShown(BaseModel):
    """How a case is kept. `barred` says what stands against disposal now, `lapsed` why the
    authority in force does not hold today; both are sentences, or empty."""

    held: bool
    until: str | None
    barred: str
    lapsed: str
    holds: list[HoldShown]
    disposals: list[DisposalShown]
    authorities: list[AuthorityShown]


class Planned(BaseModel):
    """A piece of evidence that a disposal would take."""

    evidence: str
    name: str
    size: int
    rows: int


class PlanShown(BaseModel):
    """What a disposal would take. The bytes of `shared` stay, because another case holds them;
    `again` further pieces would be read again; `takers` can neither ask nor agree."""

    exhibits: list[Planned]
    total: int
    bytes: int
    rows: int
    shared: int
    again: int
    takers: list[str]
    barred: str


class NewAuthority(BaseModel):
    """Under which authority evidence is taken in from now on. Days are like 2033-12-31."""

    kind: Literal["warrant", "consent", "policy", "contract"]
    reference: Text
    issued_by: Text = ""
    valid_from: Annotated[str, Field(max_length=40)] = ""
    valid_to: Annotated[str, Field(max_length=40)] = ""
    scope: Text = ""


class NewHold(BaseModel):
    """A legal hold to be placed; `reference` is the matter, order or letter behind it."""

    reference: Text = ""
    reason: Text


class Because(BaseModel):
    """Why; it goes into the ledger."""

    reason: Text = ""


class NewRetention(BaseModel):
    """Until when the case is kept: a day counts to its end. It can be lengthened only."""

    until: Annotated[str, Field(max_length=64)]
    reason: Text


class NewDisposal(BaseModel):
    """A disposal to be asked for: of this evidence with all that was derived from it, or of all."""

    evidence: Annotated[list[EvidenceId], Field(max_length=MOST)] = []
    reason: Text


@router.get("/keeping")
def keeping(case: TheCase, door: TheDoor) -> KeepingShown:
    """How the case is kept."""
    return _shown(door.desk.keeping.of(case))


@router.post("/authority", status_code=201)
def authorise(case: TheCase, new: NewAuthority, who: MayHold, door: TheDoor) -> KeepingShown:
    """Say under which authority evidence is taken in; every exhibit from then on carries it."""
    door.desk.keeping.authorise(case, Authority(**new.model_dump()), who=who.hand)
    return _shown(door.desk.keeping.of(case))


@router.post("/holds", status_code=201)
def hold(case: TheCase, new: NewHold, who: MayHold, door: TheDoor) -> KeepingShown:
    """Put a legal hold on the case."""
    door.desk.keeping.hold(case, reference=new.reference, reason=new.reason, who=who.hand)
    return _shown(door.desk.keeping.of(case))


@router.post("/holds/{number}/release")
def release(
    case: TheCase, number: int, because: Because, who: MayHold, door: TheDoor
) -> KeepingShown:
    """End one hold; others and the retention stand."""
    door.desk.keeping.release(case, number, reason=because.reason, who=who.hand)
    return _shown(door.desk.keeping.of(case))


@router.post("/retention", status_code=201)
def retain(case: TheCase, new: NewRetention, who: MayHold, door: TheDoor) -> KeepingShown:
    """Keep the case until then."""
    _, after = bounds("", new.until)
    if after is None:
        raise Error("Until when is it to be kept?", "Give a day such as 2033-12-31.")
    door.desk.keeping.retain(case, after - 1, reason=new.reason, who=who.hand)
    return _shown(door.desk.keeping.of(case))


@router.post("/disposals/plan")
def plan(case: TheCase, new: NewDisposal, _who: MayDispose, door: TheDoor) -> PlanShown:
    """What a disposal would take. Changes nothing."""
    return _planned(door.desk.keeping.plan(case, new.evidence))


@router.post("/disposals", status_code=201)
def dispose(case: TheCase, new: NewDisposal, who: MayDispose, door: TheDoor) -> KeepingShown:
    """Ask for a disposal. Nothing goes before a second person agrees."""
    door.desk.keeping.ask(case, new.evidence, reason=new.reason, who=who.hand)
    return _shown(door.desk.keeping.of(case))


@router.post("/disposals/{number}/agree", status_code=202)
def agree(
    case: TheCase, number: int, because: Because, who: MayDispose, door: TheDoor
) -> KeepingShown:
    """Agree to a disposal as the second person; it is carried out then, as a job of the case.

    By who agreed to one that was cut off, it is carried on.
    """
    desk = door.desk
    found = next((one for one in desk.keeping.of(case).disposals if one.id == number), None)
    unfinished = found is not None and found.standing is Standing.AGREED
    if found is None or not (unfinished and found.decided_by == who.name):
        desk.keeping.agree(case, number, reason=because.reason, who=who.hand)
    desk.begin_disposing(case, number, who=who.hand)
    return _shown(desk.keeping.of(case))


@router.post("/disposals/{number}/refuse")
def refuse(
    case: TheCase, number: int, because: Because, who: MayDispose, door: TheDoor
) -> KeepingShown:
    """Refuse a disposal, or take back what one asked for oneself."""
    door.desk.keeping.refuse(case, number, reason=because.reason, who=who.hand)
    return _shown(door.desk.keeping.of(case))


@router.get("/disposals/{number}/plan")
def planned(
    case: TheCase,
    number: int,
    door: TheDoor,
) -> PlanShown:
    """What a disposal that was asked for would take."""
    found = door.desk.keeping.asked(case, number)
    return _planned(door.desk.keeping.plan(case, found.evidence))


def _shown(kept: Kept) -> KeepingShown:
    return KeepingShown(
        held=kept.held,
        until=iso_or_none(kept.until),
        barred=kept.barred,
        lapsed=kept.lapsed,
        holds=[_hold(one) for one in kept.holds],
        disposals=[_disposal(one) for one in kept.disposals],
        authorities=[
            AuthorityShown(**asdict(one.authority), set=iso(one.set), set_by=one.set_by)
            for one in kept.authorities
        ],
    )


def _hold(one: Hold) -> HoldShown:
    return HoldShown(
        number=one.id,
        reference=one.reference,
        reason=one.reason,
        placed=iso(one.placed),
        placed_by=one.placed_by,
        released=iso_or_none(one.released),
        released_by=one.released_by,
        released_reason=one.released_reason,
    )


def _disposal(one: Disposal) -> DisposalShown:
    return DisposalShown(
        number=one.id,
        exhibits=len(one.evidence),
        evidence=list(one.evidence[:SHOWN]),
        reason=one.reason,
        asked=iso(one.asked),
        asked_by=one.asked_by,
        standing=one.standing,
        decided=iso_or_none(one.decided),
        decided_by=one.decided_by,
        decided_reason=one.decided_reason,
    )


def _planned(plan: Plan) -> PlanShown:
    return PlanShown(
        exhibits=[
            Planned(evidence=one.id, name=one.name, size=one.size, rows=one.rows + one.problems)
            for one in plan.items[:SHOWN]
        ],
        total=len(plan.items),
        bytes=plan.bytes,
        rows=plan.rows,
        shared=plan.shared,
        again=plan.again,
        takers=list(plan.takers),
        barred=plan.barred,
    )
