# SPDX-License-Identifier: Apache-2.0
"""Collecting, isolating and releasing: plans, the runs of a case, and putting back.

A run is carried out in a process of its own, whose progress stands with the case's other jobs; its
steps are in the state, so that a restart of the server loses nothing.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from locard.actions.catalogue import catalogue
from locard.api.allowed import MayDownload, MayRespond
from locard.api.door import Door, TheDoor
from locard.api.places import TheCase
from locard.api.routes.evidence import attachment
from locard.api.times import iso, iso_or_none
from locard.cases.response import receipts
from locard.cases.response.conductor import Going
from locard.cases.response.orders import Order, Proposal
from locard.model.action import Plan, Receipt, Step, Taken, Target

router = APIRouter(prefix="/api/cases/{case}", tags=["response"])

Text = Annotated[str, Field(max_length=2000)]
Word = Annotated[str, Field(max_length=300)]
RunId = Annotated[str, Path(pattern=r"^r[0-9a-f-]{4,40}$")]


class TargetShown(BaseModel):
    """One resource of one account. `region` is empty for what belongs to no region."""

    provider: str
    account: str
    region: str
    kind: str
    id: str


class PlannedStep(BaseModel):
    """One thing that a plan would do. `breaks` is what stops working; `undo_title` what a release
    does about it, empty when there is nothing to undo, or no way to."""

    key: str
    title: str
    call: str
    arguments: dict[str, Any]
    changes: bool
    breaks: list[str]
    undo_title: str


class ProposalShown(BaseModel):
    """A plan, as it has to be looked at before anything is done. `digest` tells it from one that
    would do something else; `missing` are permissions that the provider said we lack, `unknown`
    those that it does not tell before; `uncollected` has to be collected before."""

    action: str
    title: str
    verb: str
    harm: str
    account: str
    simulated: bool
    target: TargetShown
    options: dict[str, Any]
    steps: list[PlannedStep]
    refusals: list[str]
    warnings: list[str]
    missing: list[str]
    unknown: list[str]
    volatility: int
    uncollected: list[str]
    digest: str


class Ordered(BaseModel):
    """What is to be done to which target. `target` is an id or an ARN; `only` names actions."""

    verb: Literal["collect", "isolate"]
    target: Annotated[str, Field(min_length=1, max_length=300)]
    account: Word = ""
    region: Word = ""
    only: Annotated[list[Word], Field(max_length=50)] = []
    options: Annotated[dict[str, bool | Word], Field(max_length=50)] = {}


class NewRun(Ordered):
    """An order that is to be carried out. `seen` are the digests of the plans that were looked at;
    `collecting` collects what would be lost before, `exception` says why that is left out."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    seen: Annotated[list[Word], Field(min_length=1, max_length=50)]
    collecting: bool = False
    exception: Text = ""


class RunsBegun(BaseModel):
    """The runs that were begun, in their order."""

    runs: list[str]


class Judged(BaseModel):
    """Whether something holds by another signal than that the call succeeded; null: not known."""

    holds: bool | None
    signal: str
    detail: str


class KeptShown(BaseModel):
    """Evidence that a step took into the vault, under its name in the case."""

    id: str
    name: str


class StepTaken(PlannedStep):
    """A step as it went. `prior` is what was there before, `outcome` what came of it."""

    state: str
    prior: Any
    outcome: Any
    verdict: Judged | None
    error: str
    evidence: list[KeptShown]
    started: str | None
    ended: str | None


class RunShown(BaseModel):
    """A run. `working` says that a process is at it now; `standing` counts the changes that may
    stand in the cloud; `rule` and `alert` are what asked for it when nobody did by hand."""

    run: str
    action: str
    title: str
    verb: str
    target: TargetShown
    account: str
    simulated: bool
    state: str
    working: bool
    who: str
    reason: str
    exception: str
    rule: str
    alert: str
    error: str
    started: str
    ended: str | None
    released: str | None
    released_by: str
    released_reason: str
    foreign: bool
    steps: int
    done: int
    standing: int


class RunWhole(RunShown):
    """A run with its steps. `receipt` is the evidence id of its last receipt."""

    taken: list[StepTaken]
    warnings: list[str]
    options: dict[str, Any]
    receipt: str


class SignedReceipt(BaseModel):
    """The receipt of a run as text, the entry of the ledger that took it in, and its key."""

    format: str
    receipt: str
    entry: str
    key: str


class Undoing(BaseModel):
    """One thing that a release would put back, the newest first."""

    key: str
    title: str
    undo_title: str
    call: str
    prior: Any
    outcome: Any
    error: str


class Release(BaseModel):
    """Putting back. `leave` are steps that are let be as others have made them."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    leave: Annotated[list[Word], Field(max_length=500)] = []


@router.post("/plans")
def plan_order(
    case: TheCase, asked: Ordered, _who: MayRespond, door: TheDoor
) -> list[ProposalShown]:
    """What would be done to a target, the most volatile first. Reads, and changes nothing."""
    return [proposal_shown(one) for one in door.desk.response.orders.propose(_order(case, asked))]


@router.get("/runs")
def case_runs(case: TheCase, door: TheDoor) -> list[RunShown]:
    """The runs of the case, the newest first."""
    return [RunShown(**_run(one)) for one in door.desk.response.runs(case)]


@router.post("/runs", status_code=202)
def begin_run(case: TheCase, asked: NewRun, who: MayRespond, door: TheDoor) -> RunsBegun:
    """Begin to carry out the plans that were looked at. Each run goes on by itself."""
    begun = door.desk.response.begin(
        _order(case, asked),
        who.hand,
        asked.reason,
        exception=asked.exception,
        collecting=asked.collecting,
        seen=asked.seen,
    )
    return RunsBegun(runs=list(begun.runs))


@router.get("/runs/{run}")
def run(case: TheCase, run: RunId, door: TheDoor) -> RunWhole:
    """A run with its steps, evidence and receipt."""
    return _whole(door, door.desk.response.run(case, run))


@router.get("/runs/{run}/receipt")
def run_receipt(
    case: TheCase, run: RunId, who: MayDownload, door: TheDoor, response: Response
) -> SignedReceipt:
    """The last receipt with the signed entry that says who wrote it: `locard release --receipt`
    takes it, on another machine too."""
    at = door.desk
    known = at.response.run(case, run).row.id
    found = receipts.signed(at.state, at.vault, known, actor=who.hand)
    response.headers["content-disposition"] = attachment(f"receipt-{known}.json")
    return SignedReceipt(**found)


@router.post("/runs/{run}/resume", status_code=202)
def resume_run(case: TheCase, run: RunId, who: MayRespond, door: TheDoor) -> RunsBegun:
    """Carry a run on that was stopped or failed; nothing is done twice."""
    return RunsBegun(runs=[door.desk.response.resume(case, run, who.hand)])


@router.post("/runs/{run}/verify")
def verify_run(case: TheCase, run: RunId, who: MayRespond, door: TheDoor) -> RunWhole:
    """Look again whether every change of a run holds."""
    at = door.desk.response
    at.runner.verify(at.run(case, run).receipt.run, who.hand)
    return _whole(door, at.run(case, run))


@router.get("/runs/{run}/release")
def release_plan(case: TheCase, run: RunId, _who: MayRespond, door: TheDoor) -> list[Undoing]:
    """What a release of the run would put back, the newest first. Reads, and changes nothing."""
    at = door.desk.response
    return [
        Undoing(
            key=one.step.key,
            title=one.step.title,
            undo_title=one.step.undo_title,
            call=one.step.call,
            prior=one.prior,
            outcome=one.outcome,
            error=one.error,
        )
        for one in at.runner.standing(at.run(case, run).receipt.run)
    ]


@router.post("/runs/{run}/release", status_code=202)
def release_run(
    case: TheCase, run: RunId, asked: Release, who: MayRespond, door: TheDoor
) -> RunsBegun:
    """Begin to put back what a run changed; only what is ours is taken away."""
    began = door.desk.response.release_later(case, run, who.hand, asked.reason, asked.leave)
    return RunsBegun(runs=[began])


def _order(case: str, asked: Ordered) -> Order:
    return Order(
        case,
        asked.verb,
        asked.target.strip(),
        asked.account,
        asked.region,
        tuple(asked.only),
        asked.options,
    )


def target_shown(one: Target) -> TargetShown:
    """A target as it is shown."""
    return TargetShown(
        provider=one.provider, account=one.account, region=one.region, kind=one.kind, id=one.id
    )


def _step(one: Step) -> dict[str, Any]:
    return {
        "key": one.key,
        "title": one.title,
        "call": one.call,
        "arguments": dict(one.arguments),
        "changes": one.changes,
        "breaks": list(one.breaks),
        "undo_title": one.undo_title,
    }


def proposal_shown(one: Proposal) -> ProposalShown:
    """A plan as it is shown before anything is done."""
    plan: Plan = one.plan
    return ProposalShown(
        action=plan.action,
        title=one.action.title,
        verb=one.action.verb,
        harm=one.action.harm,
        account=one.account.name,
        simulated=bool(one.account.endpoint),
        target=target_shown(plan.target),
        options=dict(plan.options),
        steps=[PlannedStep(**_step(each)) for each in plan.steps],
        refusals=list(plan.refusals),
        warnings=list(plan.warnings),
        missing=list(plan.missing),
        unknown=list(plan.unknown),
        volatility=plan.volatility,
        uncollected=list(one.uncollected),
        digest=one.digest,
    )


def _run(one: Going) -> dict[str, Any]:
    row, receipt = one.row, one.receipt
    action = catalogue().actions.get(row.action)
    return {
        "run": row.id,
        "action": row.action,
        "title": action.title if action else row.action,
        "verb": row.action.partition(".")[0],
        "target": target_shown(receipt.plan.target),
        "account": row.account,
        "simulated": one.simulated,
        "state": row.state,
        "working": one.working,
        "who": row.who,
        "reason": row.reason,
        "exception": row.exception,
        "rule": row.rule,
        "alert": row.alert,
        "error": row.error,
        "started": iso(row.started),
        "ended": iso_or_none(row.ended),
        "released": iso_or_none(row.released),
        "released_by": row.released_by,
        "released_reason": row.released_reason,
        "foreign": row.foreign,
        "steps": len(receipt.steps),
        "done": one.done,
        "standing": one.standing,
    }


def _whole(door: Door, one: Going) -> RunWhole:
    receipt: Receipt = one.receipt
    found = {each for taken in receipt.steps for each in taken.evidence}
    names = door.desk.names(receipt.case, found)
    return RunWhole(
        **_run(one),
        taken=[_taken(each, names) for each in receipt.steps],
        warnings=list(receipt.plan.warnings),
        options=dict(receipt.plan.options),
        receipt=one.row.receipt,
    )


def _taken(one: Taken, names: dict[str, str]) -> StepTaken:
    verdict = one.verdict
    return StepTaken(
        **_step(one.step),
        state=one.state.value,
        prior=one.prior,
        outcome=one.outcome,
        verdict=Judged(holds=verdict.holds, signal=verdict.signal, detail=verdict.detail)
        if verdict
        else None,
        error=one.error,
        evidence=[KeptShown(id=each, name=names.get(each, each)) for each in one.evidence],
        started=iso_or_none(one.started),
        ended=iso_or_none(one.ended),
    )
