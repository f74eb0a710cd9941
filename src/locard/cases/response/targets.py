# SPDX-License-Identifier: Apache-2.0
"""One at a time: who acts on a target, across processes, until all of it is put back."""

import os
import time
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from locard.actions.contract import Action
from locard.cases.progress import birth
from locard.evidence.entries import rfc3339
from locard.model.action import RunState, Target
from locard.model.errors import Conflict
from locard.state.runs import RunRow, TargetLock


def scope(action: Action, target: Target) -> str:
    """What is locked: isolating excludes all isolating of the target, collecting only its like."""
    return f"{'isolate' if action.contains else action.id}:{target.key}"


def take(session: Session, key: str, run: str, who: str) -> None:
    """Take the target for a run, or take it up again. Raises `Conflict` that says who has it."""
    row = session.get(TargetLock, key)
    if row is not None:
        alive = _alive(row)
        if alive and (row.run, row.pid) != (run, os.getpid()):
            raise _taken(session, row, alive)
        if row.run != run:
            other = session.get(RunRow, row.run)
            if key.startswith("isolate:") and other is not None:
                raise _taken(session, row, alive)
        session.delete(row)
        session.flush()
    pid = os.getpid()
    session.add(
        TargetLock(key=key, run=run, who=who, since=time.time_ns(), pid=pid, birth=birth(pid))
    )
    session.flush()


def rest(session: Session, key: str, run: str) -> None:
    """No process is at work any more, but the target stays the run's."""
    row = session.get(TargetLock, key)
    if row is not None and row.run == run:
        row.pid, row.birth = 0, ""


def free(session: Session, key: str, run: str) -> None:
    """The target is nobody's any more."""
    row = session.get(TargetLock, key)
    if row is not None and row.run == run:
        session.delete(row)


def stopped(session: Session) -> Sequence[RunRow]:
    """Runs that were at work and at which no process is now, the oldest first."""
    going = (RunState.APPLYING.value, RunState.RELEASING.value)
    rows = session.scalars(
        select(RunRow).where(RunRow.state.in_(going)).order_by(RunRow.started)
    ).all()
    held = {one.run for one in session.scalars(select(TargetLock)) if _alive(one)}
    return [one for one in rows if one.id not in held]


def at_work(session: Session, run: str) -> Conflict | None:
    """What whoever would carry a run on is told while another process is at it."""
    rows = session.scalars(select(TargetLock).where(TargetLock.run == run))
    held = next((one for one in rows if _alive(one) and one.pid != os.getpid()), None)
    return _taken(session, held, alive=True) if held is not None else None


def working(session: Session, run: str) -> bool:
    """Whether a process is at work for the run."""
    rows = session.scalars(select(TargetLock).where(TargetLock.run == run))
    return any(_alive(one) for one in rows)


def _alive(row: TargetLock) -> bool:
    return bool(row.pid) and birth(row.pid) == row.birth


def holder(session: Session, key: str) -> Conflict | None:
    """Who has the target, as the sentence that a second responder is told; None: nobody."""
    row = session.get(TargetLock, key)
    if row is None:
        return None
    return _taken(session, row, _alive(row))


def _taken(session: Session, row: TargetLock, alive: bool) -> Conflict:
    run = session.get(RunRow, row.run)
    name, since = row.key.rpartition("/")[2], f"{rfc3339(row.since)[:19]}Z"
    what = run.action if run is not None else "a run"
    state = run.state if run is not None else ""
    if alive:
        return Conflict(
            f"{row.who} is at work on {name} since {since}: {what}, run {row.run}.",
            f"Talk to {row.who}, or follow it: locard runs show {row.run}",
        )
    if state in (RunState.APPLYING, RunState.RELEASING):
        return Conflict(
            f"{row.who} began {what} on {name} at {since}, and nobody is at work on it now "
            f"(run {row.run}).",
            f"Carry it on: locard runs resume {row.run}; or put it back: locard release {row.run}",
        )
    return Conflict(
        f"{name} is held by {what} of {row.who} since {since} (run {row.run}, {state}).",
        f"See: locard runs show {row.run}; put it back first: locard release {row.run}",
    )
