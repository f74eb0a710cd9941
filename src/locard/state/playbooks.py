# SPDX-License-Identifier: Apache-2.0
"""Which playbooks are switched on, their runs with every step and every word, and notices."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    and_,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.action import Plan, RunState, Target
from locard.model.errors import Missing
from locard.model.playbook import (
    Approval,
    Asking,
    Doing,
    Notice,
    Part,
    PartState,
    Planned,
    PlaybookRun,
    PlaybookState,
)
from locard.state import runs
from locard.state.database import Table
from locard.state.pages import Place, older
from locard.state.runs import RunRow


class SwitchRow(Table):
    """A playbook that is switched on, with the text that it was switched on with."""

    __tablename__ = "playbook_switches"

    playbook: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    who: Mapped[str]
    time: Mapped[int]


class PlaybookRunRow(Table):
    """One run of a playbook on one alert; there is never a second one."""

    __tablename__ = "playbook_runs"
    __table_args__ = (
        Index("playbook_runs_once", "playbook", "alert", unique=True),
        Index("playbook_runs_by_state", "state"),
        Index("playbook_runs_by_case", "case"),
        Index("playbook_runs_by_start", "started", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    playbook: Mapped[str]
    title: Mapped[str]
    digest: Mapped[str]
    text: Mapped[str]
    """The playbook as it was when this began."""
    alert: Mapped[str] = mapped_column(ForeignKey("alerts.id"))
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    asker: Mapped[str]
    state: Mapped[str] = mapped_column(default=PlaybookState.DUE.value)
    asking: Mapped[str]
    approvers: Mapped[int] = mapped_column(default=1)
    most: Mapped[int] = mapped_column(default=0)
    """How many targets the playbook may isolate within an hour."""
    error: Mapped[str] = mapped_column(default="")
    enabled_by: Mapped[str] = mapped_column(default="", server_default="")
    """Who had switched the playbook on."""
    within: Mapped[int] = mapped_column(default=0, server_default="0")
    """Seconds for which it waits for people each time that it asks; 0: as the installation says."""
    remind_after: Mapped[int] = mapped_column(default=0, server_default="0")
    """Seconds of waiting after which it reminds them; 0: as the installation says."""
    lapses: Mapped[int | None] = mapped_column(default=None)
    """Until when it waits, in UTC nanoseconds; None while it does not."""
    reminds: Mapped[int | None] = mapped_column(default=None)
    """When it reminds people; None when it did, or does not wait."""
    round: Mapped[int] = mapped_column(default=1, server_default="1")
    """The how manieth asking this is."""
    planned: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    """What people are asked about: number of the step, plan or error."""
    plan: Mapped[str] = mapped_column(default="", server_default="")
    """The digest of all of that."""
    changed: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    """What is different from what was asked before."""
    started: Mapped[int]
    ended: Mapped[int | None] = mapped_column(default=None)
    authorised: Mapped[bool] = mapped_column(default=False)
    """Whether the ledger says that it began, and on what ground."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How many processes the server began for it since it last got further."""
    pid: Mapped[int] = mapped_column(default=0)
    birth: Mapped[str] = mapped_column(default="")


class PartRow(Table):
    """One step of a run: a measure on one target."""

    __tablename__ = "playbook_steps"

    playbook_run: Mapped[str] = mapped_column(ForeignKey("playbook_runs.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    does: Mapped[str]
    what: Mapped[str]
    target: Mapped[dict[str, str] | None] = mapped_column(JSON, default=None)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    text: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=PartState.PENDING.value)
    run: Mapped[str] = mapped_column(default="")
    """The run of the action; chosen and written down before it is begun."""
    error: Mapped[str] = mapped_column(default="")
    started: Mapped[int | None] = mapped_column(default=None)
    ended: Mapped[int | None] = mapped_column(default=None)


class ApprovalRow(Table):
    """One person's word; nobody has two about the same asking of a run."""

    __tablename__ = "approvals"

    playbook_run: Mapped[str] = mapped_column(ForeignKey("playbook_runs.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, default=1, server_default="1")
    """At which asking: what was said before the plan changed, or in vain, counts no more."""
    who: Mapped[str] = mapped_column(primary_key=True)
    agrees: Mapped[bool]
    reason: Mapped[str]
    time: Mapped[int]
    door: Mapped[str] = mapped_column(default="")
    plan: Mapped[str] = mapped_column(default="", server_default="")
    """The digest of the plan that it was said about."""


class NoticeRow(Table):
    """One notice, written down before it is sent."""

    __tablename__ = "notices"
    __table_args__ = (Index("notices_by_case", "case"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    channel: Mapped[str]
    about: Mapped[str]
    subject: Mapped[str]
    case: Mapped[str] = mapped_column(default="")
    alert: Mapped[str] = mapped_column(default="")
    run: Mapped[str] = mapped_column(default="")
    time: Mapped[int]
    sent: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs of playbooks are asked for; what is empty narrows nothing."""

    case: str = ""
    among: Collection[str] | None = None
    """Cases; None: all of them."""
    states: Collection[PlaybookState] = ()
    alert: str = ""
    action: str = ""
    """The run of an action that is one of its steps."""


def page(
    session: Session, wanted: Wanted, *, limit: int = 200, before: Place | None = None
) -> list[PlaybookRun]:
    """Runs of playbooks, the newest first, those after a place in the list."""
    row = PlaybookRunRow
    found = older(select(row), row.started, row.id, before).limit(limit)
    if wanted.case:
        found = found.where(row.case == wanted.case)
    if wanted.among is not None:
        found = found.where(row.case.in_(wanted.among))
    if wanted.alert:
        found = found.where(row.alert == wanted.alert)
    if wanted.action:
        steps = select(PartRow.playbook_run).where(PartRow.run == wanted.action)
        found = found.where(row.id.in_(steps))
    if wanted.states:
        found = found.where(or_(*(_in_state(one) for one in wanted.states)))
    return [run(session, one) for one in session.scalars(found)]


def _in_state(state: PlaybookState) -> ColumnElement[bool]:
    """As `_state` says it: what waits beyond its time has lapsed."""
    row = PlaybookRunRow
    waits = row.state == PlaybookState.WAITING.value
    over = and_(waits, row.lapses.is_not(None), row.lapses <= time.time_ns())
    if state is PlaybookState.WAITING:
        return and_(waits, not_(over))
    if state is PlaybookState.LAPSED:
        return or_(row.state == state.value, over)
    return row.state == state.value


def counted(session: Session, alerts: Collection[str]) -> dict[str, int]:
    """How many runs each of these alerts set off."""
    row = PlaybookRunRow
    wanted = select(row.alert, func.count()).where(row.alert.in_(alerts)).group_by(row.alert)
    return {one[0]: one[1] for one in session.execute(wanted)}


def row(session: Session, name: str) -> PlaybookRunRow:
    """The run of that id, or of an id that begins so. Raises `Missing`."""
    found = session.get(PlaybookRunRow, name)
    if found is None and len(name) >= 4:
        like = PlaybookRunRow.id.startswith(name, autoescape=True)
        near = session.scalars(select(PlaybookRunRow).where(like).limit(2)).all()
        found = near[0] if len(near) == 1 else None
    if found is None:
        raise Missing(f"There is no run of a playbook {name[:40]!r}.", "See: locard runs list")
    return found


def parts(session: Session, name: str) -> Sequence[PartRow]:
    """The steps of a run in order."""
    return session.scalars(
        select(PartRow).where(PartRow.playbook_run == name).order_by(PartRow.number)
    ).all()


def approvals(session: Session, name: str) -> list[Approval]:
    """What people said about a run, the first first."""
    rows = session.scalars(
        select(ApprovalRow).where(ApprovalRow.playbook_run == name).order_by(ApprovalRow.time)
    )
    return [
        Approval(one.who, one.agrees, one.reason, one.time, one.door, one.round, one.plan)
        for one in rows
    ]


def run(session: Session, found: PlaybookRunRow) -> PlaybookRun:
    """The run that a row says, with its steps and approvals."""
    return PlaybookRun(
        id=found.id,
        playbook=found.playbook,
        title=found.title,
        digest=found.digest,
        alert=found.alert,
        case=found.case,
        asker=found.asker,
        state=_state(found),
        asking=Asking(found.asking),
        approvers=found.approvers,
        parts=tuple(_part(session, one) for one in parts(session, found.id)),
        approvals=tuple(approvals(session, found.id)),
        error=found.error,
        started=found.started,
        ended=found.ended,
        enabled_by=found.enabled_by,
        lapses=found.lapses,
        reminds=found.reminds,
        round=found.round,
        planned=tuple(
            Planned(one["number"], Plan.of(one["plan"]) if one["plan"] else None, one["error"])
            for one in found.planned
        ),
        plan=found.plan,
        changed=tuple(found.changed),
    )


def overdue(found: PlaybookRunRow) -> bool:
    """Whether it waits for people and its time is over, also before anybody wrote that down."""
    waits = found.state == PlaybookState.WAITING.value
    return waits and found.lapses is not None and found.lapses <= time.time_ns()


def _state(found: PlaybookRunRow) -> PlaybookState:
    return PlaybookState.LAPSED if overdue(found) else PlaybookState(found.state)


def _part(session: Session, one: PartRow) -> Part:
    state, error, ended, kept = _standing(session, one)
    return Part(
        number=one.number,
        does=Doing(one.does),
        what=one.what,
        target=Target.of(one.target) if one.target else None,
        options=one.options,
        text=one.text,
        state=state,
        run=one.run,
        error=error,
        started=one.started,
        ended=ended,
        kept=kept,
    )


def _standing(session: Session, one: PartRow) -> tuple[PartState, str, int | None, bool]:
    """How far a step has come, with its error, its end, and whether what it collects is kept.

    What reads copies is as its run stands now: another process carries that on, also after the run
    of the playbook has ended.
    """
    state = PartState(one.state)
    known = session.get(RunRow, one.run) if one.run else None
    if known is None or one.does != Doing.COLLECT.value:
        return state, one.error, one.ended, state is PartState.DONE
    if state is PartState.DONE or known.state == RunState.DONE.value:
        return PartState.DONE, one.error, one.ended or known.ended, True
    kept = runs.kept(session, one.run)
    if not kept or state not in (PartState.KEPT, PartState.FAILED):
        return state, one.error, one.ended, kept
    if known.state == RunState.FAILED.value:
        return PartState.FAILED, known.error, known.ended, True
    return PartState.KEPT, "", None, True


def settle(session: Session, found: PlaybookRun) -> None:
    """Write down how what read copies has ended, so that nobody is told of it again."""
    for row, one in zip(parts(session, found.id), found.parts, strict=True):
        if row.state == PartState.KEPT.value:
            row.state, row.error, row.ended = one.state.value, one.error, one.ended


def copying(session: Session) -> list[tuple[str, RunRow]]:
    """Runs that still read copies, each with the run of the playbook that set it off."""
    was = (PartState.KEPT.value, PartState.FAILED.value)
    wanted = (
        select(PartRow.playbook_run, RunRow)
        .join(RunRow, RunRow.id == PartRow.run)
        .where(PartRow.state.in_(was), RunRow.state == RunState.APPLYING.value)
        .order_by(RunRow.started)
    )
    found = [(one[0], one[1]) for one in session.execute(wanted)]
    return [(book, one) for book, one in found if runs.kept(session, one.id)]


def failed_copies(session: Session) -> list[tuple[str, int]]:
    """Steps whose copies failed to be read, which nobody has been told of yet."""
    wanted = (
        select(PartRow.playbook_run, PartRow.number)
        .join(RunRow, RunRow.id == PartRow.run)
        .join(PlaybookRunRow, PlaybookRunRow.id == PartRow.playbook_run)
        .where(
            PartRow.state == PartState.KEPT.value,
            RunRow.state == RunState.FAILED.value,
            PlaybookRunRow.state != PlaybookState.DUE.value,
        )
    )
    return [(one[0], one[1]) for one in session.execute(wanted)]


def notices(session: Session, case: str = "", *, limit: int = 200) -> list[Notice]:
    """Notices of a case, or all, the newest first."""
    wanted = select(NoticeRow).order_by(NoticeRow.id.desc()).limit(limit)
    if case:
        wanted = wanted.where(NoticeRow.case == case)
    return [
        Notice(
            id=one.id, channel=one.channel, about=one.about, subject=one.subject, case=one.case,
            time=one.time, sent=one.sent, error=one.error, alert=one.alert, run=one.run,
        )
        for one in session.scalars(wanted)
    ]  # fmt: skip
