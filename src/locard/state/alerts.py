# SPDX-License-Identifier: Apache-2.0
"""Alerts, the resources that they name, what came twice, and messages that no one could read."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.action import Target
from locard.model.alert import Alert, AlertState, Severity, Unread
from locard.model.errors import Error, Missing
from locard.state.database import Table
from locard.state.pages import Asked, Place, older


class AlertRow(Table):
    """One alert."""

    __tablename__ = "alerts"
    __table_args__ = (Index("alerts_by_case", "case"), Index("alerts_by_last", "last"),
                      Index("alerts_not_judged", "judged", "last"))  # fmt: skip

    id: Mapped[str] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    placed: Mapped[str]
    source: Mapped[str]
    original: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    title: Mapped[str]
    time: Mapped[int]
    account: Mapped[str]
    region: Mapped[str]
    targets: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    state: Mapped[str] = mapped_column(default=AlertState.OPEN.value)
    link: Mapped[str] = mapped_column(default="")
    content: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)
    evidence: Mapped[list[str]] = mapped_column(JSON, default=list)
    sightings: Mapped[int] = mapped_column(default=1)
    first: Mapped[int]
    last: Mapped[int]
    by: Mapped[str]
    door: Mapped[str] = mapped_column(default="")
    judged: Mapped[bool] = mapped_column(default=False)
    """Whether playbooks were held against it since it last said something new."""


class AlertTarget(Table):
    """A resource that an alert names, so that others that name it are found."""

    __tablename__ = "alert_targets"
    __table_args__ = (Index("alert_targets_by_key", "key"),)

    alert: Mapped[str] = mapped_column(ForeignKey("alerts.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    """Provider, account, kind and id: the region is left out, for sources differ in it."""


class Delivery(Table):
    """A signed message that was taken, so that one that is sent again is not counted again."""

    __tablename__ = "alert_deliveries"

    signature: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of source, signature and bytes."""
    alerts: Mapped[list[str]] = mapped_column(JSON, default=list)
    time: Mapped[int]


class UnreadRow(Table):
    """A message that no alert could be read from."""

    __tablename__ = "unread_alerts"
    __table_args__ = (Index("unread_alerts_by_digest", "digest", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    digest: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    came: Mapped[int]
    door: Mapped[str]
    place: Mapped[str]
    problem: Mapped[str]
    times: Mapped[int] = mapped_column(default=1)


class QueueRow(Table):
    """How the watching of a queue goes, whichever process does it."""

    __tablename__ = "alert_queues"

    address: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    messages: Mapped[int] = mapped_column(default=0)
    alerts: Mapped[int] = mapped_column(default=0)
    unread: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    last: Mapped[int | None] = mapped_column(default=None)


def place(target: Target) -> str:
    """What tells a resource from others, whichever region a source says it is in."""
    return "/".join((target.provider, target.account, target.kind, target.id))


def row(session: Session, name: str) -> AlertRow:
    """The alert of that id, or of an id that begins so. Raises `Missing`."""
    found = session.get(AlertRow, name)
    if found is None and len(name) >= 4:
        like = AlertRow.id.startswith(name, autoescape=True)
        near = session.scalars(select(AlertRow).where(like).limit(2)).all()
        found = near[0] if len(near) == 1 else None
    if found is None:
        raise Missing(f"There is no alert {name[:40]!r}.", "See: locard alert list")
    return found


def every(
    session: Session,
    case: str = "",
    *,
    limit: int | None = 200,
    before: Place | None = None,
    since: int | None = None,
    among: Collection[str] | None = None,
) -> list[Alert]:
    """Alerts of a case, of some, or of all, the last that came first, those after a place in that.

    `since` leaves out what came last before that time, in UTC nanoseconds.
    """
    wanted = _of(older(select(AlertRow), AlertRow.last, AlertRow.id, before), case, among)
    if since is not None:
        wanted = wanted.where(AlertRow.last >= since)
    return [alert(one) for one in session.scalars(wanted.limit(limit))]


def total(session: Session, case: str = "", among: Collection[str] | None = None) -> int:
    """How many alerts a case, some or all have."""
    wanted = _of(select(func.count()).select_from(AlertRow), case, among)
    return session.scalar(wanted) or 0


def _of(wanted: Asked, case: str, among: Collection[str] | None) -> Asked:
    if case:
        wanted = wanted.where(AlertRow.case == case)
    return wanted if among is None else wanted.where(AlertRow.case.in_(among))


def new(session: Session, since: int, among: Collection[str] | None) -> int:
    """How many alerts of these cases came first after a time, in UTC nanoseconds."""
    wanted = select(func.count()).select_from(AlertRow).where(AlertRow.first > since)
    return session.scalar(_of(wanted, "", among)) or 0


def unread(session: Session, *, limit: int = 200, before: Place | None = None) -> Sequence[Unread]:
    """Messages that no alert could be read from, the last that came first, after a place in that.

    Raises `Error` for a place that is none of this list.
    """
    if before is not None and not before[1].isdecimal():
        raise Error("This is no place in this list.", "Read the list from its beginning.")
    place = None if before is None else (before[0], int(before[1]))
    rows = session.scalars(
        older(select(UnreadRow), UnreadRow.came, UnreadRow.id, place).limit(limit)
    )
    return [
        Unread(one.id, one.came, one.door, one.place, one.problem, len(one.body), one.times)
        for one in rows
    ]


def unread_count(session: Session) -> int:
    """How many different messages no alert could be read from."""
    return session.scalar(select(func.count()).select_from(UnreadRow)) or 0


def alert(found: AlertRow) -> Alert:
    """The alert that a row says."""
    return Alert(
        id=found.id,
        source=found.source,
        original=found.original,
        kind=found.kind,
        severity=Severity(found.severity),
        title=found.title,
        time=found.time,
        account=found.account,
        region=found.region,
        targets=tuple(Target.of(one) for one in found.targets),
        state=AlertState(found.state),
        link=found.link,
        case=found.case,
        placed=found.placed,
        evidence=tuple(found.evidence),
        sightings=found.sightings,
        first=found.first,
        last=found.last,
        by=found.by,
        door=found.door,
        notes=tuple(found.notes),
        content=found.content,
    )
