# SPDX-License-Identifier: Apache-2.0
"""Runs of actions, their steps, and who holds which target.

A row is written before the deed that it speaks of. Rows are never taken out, but for locks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.action import Plan, Receipt, RunState, Step, StepState, Taken, Verdict
from locard.model.action import kept as kept_by
from locard.model.errors import Missing
from locard.state.database import Table
from locard.state.pages import Place, older


class RunRow(Table):
    """One plan that is or was carried out."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_by_case", "case"),
        Index("runs_by_target", "target"),
        Index("runs_by_start", "started", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    action: Mapped[str]
    account: Mapped[str]
    target: Mapped[str]
    """The key of the target."""
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(default=RunState.APPLYING.value)
    who: Mapped[str]
    door: Mapped[str] = mapped_column(default="")
    reason: Mapped[str]
    exception: Mapped[str] = mapped_column(default="")
    """Why it isolates before what would be lost was collected; empty when it does not."""
    rule: Mapped[str] = mapped_column(default="")
    """The playbook that asked for it, and the alert that set it off."""
    alert: Mapped[str] = mapped_column(default="")
    started: Mapped[int]
    """UTC nanoseconds."""
    ended: Mapped[int | None] = mapped_column(default=None)
    error: Mapped[str] = mapped_column(default="")
    receipt: Mapped[str] = mapped_column(default="")
    """The evidence id of its last receipt."""
    released: Mapped[int | None] = mapped_column(default=None)
    released_by: Mapped[str] = mapped_column(default="")
    released_reason: Mapped[str] = mapped_column(default="")
    foreign: Mapped[bool] = mapped_column(default=False)
    """Whether it was carried out elsewhere and came here as a receipt."""


class StepRow(Table):
    """One step of a run."""

    __tablename__ = "steps"

    run: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 0, in the order of the plan."""
    state: Mapped[str] = mapped_column(default=StepState.PLANNED.value)
    step: Mapped[dict[str, Any]] = mapped_column(JSON)
    prior: Mapped[Any] = mapped_column(JSON, nullable=True, default=None)
    outcome: Mapped[Any] = mapped_column(JSON, nullable=True, default=None)
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    error: Mapped[str] = mapped_column(default="")
    evidence: Mapped[list[str]] = mapped_column(JSON, default=list)
    started: Mapped[int | None] = mapped_column(default=None)
    ended: Mapped[int | None] = mapped_column(default=None)


class TargetLock(Table):
    """Who acts on a target: kept from the first change until all of it is put back."""

    __tablename__ = "target_locks"

    key: Mapped[str] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    who: Mapped[str]
    since: Mapped[int]
    pid: Mapped[int] = mapped_column(default=0)
    """The process that is at work for it; 0 when none is."""
    birth: Mapped[str] = mapped_column(default="")
    """Boot and start time of the process, so that a reused pid is not mistaken for it."""


def run(session: Session, name: str) -> RunRow:
    """The run of that id, or of an id that begins so. Raises `Missing`."""
    row = session.get(RunRow, name)
    if row is None and len(name) >= 4:
        like = RunRow.id.startswith(name, autoescape=True)
        near = session.scalars(select(RunRow).where(like).limit(2)).all()
        row = near[0] if len(near) == 1 else None
    if row is None:
        raise Missing(f"There is no run {name[:40]!r}.", "See: locard runs list")
    return row


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs of actions are asked for; what is empty narrows nothing."""

    case: str = ""
    states: Collection[RunState] = ()
    verb: str = ""
    """`collect` or `isolate`."""


def page(
    session: Session, wanted: Wanted, *, limit: int, before: Place | None = None
) -> Sequence[RunRow]:
    """Runs, the newest first, those after a place in the list."""
    found = older(select(RunRow), RunRow.started, RunRow.id, before).limit(limit)
    if wanted.case:
        found = found.where(RunRow.case == wanted.case)
    if wanted.states:
        found = found.where(RunRow.state.in_([one.value for one in wanted.states]))
    if wanted.verb:
        found = found.where(RunRow.action.startswith(f"{wanted.verb}.", autoescape=True))
    return session.scalars(found).all()


def held(session: Session, case: str) -> int:
    """How many targets of a case are isolated, and not just being isolated or released."""
    going = (RunState.APPLYING.value, RunState.RELEASING.value)
    found = select(func.count(TargetLock.key)).join(RunRow, RunRow.id == TargetLock.run)
    known = found.where(RunRow.case == case, RunRow.state.not_in(going))
    return session.scalar(known.where(RunRow.action.startswith("isolate."))) or 0


def steps(session: Session, name: str) -> Sequence[StepRow]:
    """The steps of a run in the order of its plan."""
    return session.scalars(
        select(StepRow).where(StepRow.run == name).order_by(StepRow.number)
    ).all()


def kept(session: Session, name: str) -> bool:
    """Whether isolating the target can take nothing any more from what a run collects."""
    return kept_by(_taken(one) for one in steps(session, name))


def agreed(session: Session, case: str) -> list[tuple[str, str]]:
    """Parts and wholes, by evidence id, that a step of a run of ours found to be the same."""
    wanted = (
        select(StepRow.outcome)
        .join(RunRow, RunRow.id == StepRow.run)
        .where(
            RunRow.case == case,
            RunRow.foreign.is_(False),
            StepRow.state == StepState.VERIFIED.value,
        )
        .order_by(RunRow.started, StepRow.number)
    )
    found = [one for one in session.scalars(wanted) if isinstance(one, dict)]
    return [(str(one["part"]), str(one["whole"])) for one in found if {"part", "whole"} <= {*one}]


def receipt(session: Session, name: str) -> Receipt:
    """The receipt of a run as it stands. Raises `Missing`."""
    row = run(session, name)
    return Receipt(
        run=row.id,
        case=row.case,
        account=row.account,
        who=row.who,
        reason=row.reason,
        state=RunState(row.state),
        plan=Plan.of(row.plan),
        steps=tuple(_taken(one) for one in steps(session, row.id)),
        started=row.started,
        ended=row.ended,
    )


def _taken(row: StepRow) -> Taken:
    return Taken(
        step=Step.of(row.step),
        state=StepState(row.state),
        prior=row.prior,
        outcome=row.outcome,
        verdict=Verdict(**row.verdict) if row.verdict else None,
        error=row.error,
        evidence=tuple(row.evidence),
        started=row.started,
        ended=row.ended,
    )
