# SPDX-License-Identifier: Apache-2.0
"""Collecting and isolating as people order it: the plans first, then runs that go on by themselves.

A run is carried out in a process of its own, whose progress stands with the case's other jobs; its
steps are in the state, so that a restart of the server loses nothing.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from locard.api.allowed import MayRespond
from locard.api.door import TheDoor
from locard.api.places import TheCase
from locard.cases.response.orders import Order, Proposal
from locard.model.action import Plan, Step, Target

router = APIRouter(prefix="/api/cases/{case}", tags=["response"])

Text = Annotated[str, Field(max_length=2000)]
Word = Annotated[str, Field(max_length=300)]


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
    from_copy: bool


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


@router.post("/plans")
def plan_order(
    case: TheCase, asked: Ordered, _who: MayRespond, door: TheDoor
) -> list[ProposalShown]:
    """What would be done to a target, the most volatile first. Reads, and changes nothing."""
    return [proposal_shown(one) for one in door.desk.response.orders.propose(_order(case, asked))]


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


def step_shown(one: Step) -> dict[str, Any]:
    """What is shown of a step."""
    return {
        "key": one.key,
        "title": one.title,
        "call": one.call,
        "arguments": dict(one.arguments),
        "changes": one.changes,
        "breaks": list(one.breaks),
        "undo_title": one.undo_title,
        "from_copy": one.from_copy,
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
        steps=[PlannedStep(**step_shown(each)) for each in plan.steps],
        refusals=list(plan.refusals),
        warnings=list(plan.warnings),
        missing=list(plan.missing),
        unknown=list(plan.unknown),
        volatility=plan.volatility,
        uncollected=list(one.uncollected),
        digest=one.digest,
    )
