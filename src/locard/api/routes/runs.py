# SPDX-License-Identifier: Apache-2.0
"""The runs of a case: how they stand, carrying them on, looking again, and putting back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from locard.actions.catalogue import catalogue
from locard.api.allowed import MayDownload, MayRespond
from locard.api.door import Door, TheDoor
from locard.api.places import TheCase
from locard.api.routes.evidence import attachment
from locard.api.routes.response import (
    PlannedStep,
    RunsBegun,
    TargetShown,
    Word,
    step_shown,
    target_shown,
)
from locard.api.times import iso, iso_or_none
from locard.cases.response import receipts
from locard.cases.response.conductor import Going
from locard.cases.response.orders import COLLECT
from locard.model.action import Receipt, RunState, Taken
from locard.state.pages import place_of, text_of
from locard.state.runs import Wanted

router = APIRouter(prefix="/api/cases/{case}", tags=["response"])

RunId = Annotated[str, Path(pattern=r"^r[0-9a-f-]{4,40}$")]


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
    stand in the cloud; `rule` and `alert` are what asked for it when nobody did by hand. `kept`:
    isolating the target takes nothing any more from what it collects, which may go on from copies.
    """

    run: str
    action: str
    title: str
    verb: str
    target: TargetShown
    account: str
    simulated: bool
    state: str
    working: bool
    kept: bool
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


class RunList(BaseModel):
    """Runs, the newest first. `next` is where the list goes on, null at its end; `isolated` counts
    the targets of the case that are isolated now, listed here or not."""

    runs: list[RunShown]
    next: str | None
    isolated: int


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


@router.get("/runs")
def case_runs(
    case: TheCase,
    door: TheDoor,
    state: Annotated[tuple[RunState, ...], Query(max_length=10)] = (),
    verb: Literal["", "collect", "isolate"] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[str, Query(max_length=100)] = "",
) -> RunList:
    """The runs of the case, the newest first."""
    at, place = door.desk.response, place_of(before) if before else None
    found = at.runs(Wanted(case, state, verb), limit=limit, before=place)
    last = found[-1].row if len(found) == limit else None
    return RunList(
        runs=[RunShown(**_run(one)) for one in found],
        next=text_of((last.started, last.id)) if last else None,
        isolated=at.held(case),
    )


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
        "kept": row.action.startswith(f"{COLLECT}.") and receipt.kept,
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
        **step_shown(one.step),
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
