# SPDX-License-Identifier: Apache-2.0
"""How long a case is kept, and who may end it: legal holds, retention, and disposals asked for.

A hold ends when a person releases it, a retention by its date; neither ends the other. A disposal
is asked for by one person and agreed to by another. Rows are never taken out of these tables.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.custody import same_person
from locard.model.errors import Conflict, Denied, Error, Missing
from locard.state.database import Table
from locard.state.investigations import Holding

_LONGEST = 2000


class HoldRow(Table):
    """A legal hold on a case."""

    __tablename__ = "holds"
    __table_args__ = (Index("holds_by_case", "case"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    reference: Mapped[str]
    """The matter, order or letter that asks for it."""
    reason: Mapped[str]
    placed: Mapped[int]
    """UTC nanoseconds."""
    placed_by: Mapped[str]
    released: Mapped[int | None]
    released_by: Mapped[str] = mapped_column(default="")
    released_reason: Mapped[str] = mapped_column(default="")


class RetentionRow(Table):
    """Until when a case is kept. A later date is a further row; the latest date counts."""

    __tablename__ = "retentions"
    __table_args__ = (Index("retentions_by_case", "case"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    until: Mapped[int]
    """UTC nanoseconds."""
    reason: Mapped[str]
    set: Mapped[int]
    set_by: Mapped[str]


class Standing(StrEnum):
    """How far a disposal has come."""

    ASKED = "asked"
    AGREED = "agreed"
    """By a second person: it is being carried out, or was cut off while it was."""
    DONE = "done"
    REFUSED = "refused"


class DisposalRow(Table):
    """A disposal of evidence of a case that somebody asked for."""

    __tablename__ = "disposals"
    __table_args__ = (Index("disposals_by_case", "case"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    evidence: Mapped[list[str]] = mapped_column(JSON)
    """Evidence ids, what was derived from them included."""
    reason: Mapped[str]
    asked: Mapped[int]
    asked_by: Mapped[str]
    standing: Mapped[str] = mapped_column(default=Standing.ASKED.value)
    decided: Mapped[int | None]
    decided_by: Mapped[str] = mapped_column(default="")
    decided_reason: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold; `released` is None while it stands."""

    id: int
    case: str
    reference: str
    reason: str
    placed: int
    placed_by: str
    released: int | None
    released_by: str
    released_reason: str


@dataclass(frozen=True, slots=True)
class Disposal:
    """A disposal that was asked for."""

    id: int
    case: str
    evidence: tuple[str, ...]
    reason: str
    asked: int
    asked_by: str
    standing: Standing
    decided: int | None
    decided_by: str
    decided_reason: str


def hold(session: Session, case: str, *, reference: str, reason: str, who: str) -> Hold:
    """Put a hold on the case. Raises `Error` without a reason."""
    row = HoldRow(
        case=case,
        reference=_text(reference, "reference", needed=False),
        reason=_text(reason, "reason"),
        placed=time.time_ns(),
        placed_by=who,
        released=None,
        released_by="",
        released_reason="",
    )
    session.add(row)
    session.flush()
    return _hold(row)


def release(session: Session, case: str, number: int, *, reason: str, who: str) -> Hold:
    """End one hold of the case. Raises `Missing`, and `Conflict` when it has ended already."""
    row = session.get(HoldRow, number)
    if row is None or row.case != case:
        standing = ", ".join(str(one.id) for one in holds(session, case) if one.released is None)
        raise Missing(
            f"The case {case} has no hold {number}.", f"Holds that stand: {standing or 'none'}."
        )
    if row.released is not None:
        raise Conflict(f"Hold {number} was released by {row.released_by} already.")
    row.released, row.released_by = time.time_ns(), who
    row.released_reason = _text(reason, "reason")
    return _hold(row)


def holds(session: Session, case: str) -> list[Hold]:
    """All holds that the case ever had, in the order in which they were placed."""
    rows = session.scalars(select(HoldRow).where(HoldRow.case == case).order_by(HoldRow.id))
    return [_hold(row) for row in rows]


def retain(session: Session, case: str, until: int, *, reason: str, who: str) -> None:
    """Keep the case until then. Raises `Conflict` for a date before the one that stands."""
    now = retained(session, case)
    if now is not None and until < now:
        raise Conflict(
            f"The case is kept until {day(now)}, and that cannot be shortened.",
            "Give a later date.",
        )
    session.add(
        RetentionRow(
            case=case,
            until=until,
            reason=_text(reason, "reason"),
            set=time.time_ns(),
            set_by=who,
        )
    )


def retained(session: Session, case: str) -> int | None:
    """Until when the case is kept, UTC nanoseconds; None when nobody said."""
    dates = session.scalars(select(RetentionRow.until).where(RetentionRow.case == case)).all()
    return max(dates, default=None)


def held_elsewhere(session: Session, case: str, evidence: str) -> bool:
    """Whether another case that holds the same bytes is under a legal hold."""
    found = (
        select(HoldRow.id)
        .join(Holding, Holding.case == HoldRow.case)
        .where(Holding.evidence == evidence, HoldRow.released.is_(None), HoldRow.case != case)
    )
    return session.scalar(found.limit(1)) is not None


def barred(session: Session, case: str, now: int) -> str:
    """What stands against disposing of evidence of the case, in one sentence; empty: nothing."""
    standing = [one for one in holds(session, case) if one.released is None]
    if standing:
        named = ", ".join(f"{one.id} ({one.reference or one.reason})" for one in standing[:3])
        return f"The case is under legal hold: {named}."
    until = retained(session, case)
    if until is None:
        return "Nobody has said how long the case is kept."
    if until > now:
        return f"The case is kept until {day(until)}."
    return ""


def ask(session: Session, case: str, evidence: Sequence[str], *, reason: str, who: str) -> Disposal:
    """Ask for a disposal. Raises `Denied` while hold or retention stand, and `Conflict`."""
    bar = barred(session, case, time.time_ns())
    if bar:
        raise Denied(bar, "Evidence can be disposed of after every hold and the retention ended.")
    wanted = set(evidence)
    for other in disposals(session, case):
        if other.standing in (Standing.ASKED, Standing.AGREED) and wanted & set(other.evidence):
            raise Conflict(f"{other.asked_by} asked for this already: disposal {other.id}.")
    row = DisposalRow(
        case=case,
        evidence=list(evidence),
        reason=_text(reason, "reason"),
        asked=time.time_ns(),
        asked_by=who,
        standing=Standing.ASKED.value,
        decided=None,
        decided_by="",
        decided_reason="",
    )
    session.add(row)
    session.flush()
    return _disposal(row)


def decide(
    session: Session, case: str, number: int, *, agreed: bool, reason: str, who: str
) -> Disposal:
    """Agree to a disposal or refuse it. Who asked can refuse (withdraw) it, never agree to it.

    A disposal that was agreed to and not finished can be agreed to again, which carries it on.
    """
    row = _find(session, case, number)
    standing = Standing(row.standing)
    if standing in (Standing.DONE, Standing.REFUSED) or (
        standing is Standing.AGREED and not agreed
    ):
        raise Conflict(f"Disposal {number} is {row.standing} already, by {row.decided_by}.")
    if not agreed:
        row.standing = Standing.REFUSED.value
    else:
        if same_person(who, row.asked_by):
            raise Denied(
                f"{who} asked for this disposal and cannot agree to it too.",
                "A second person has to agree.",
            )
        bar = barred(session, case, time.time_ns())
        if bar:
            raise Denied(bar, "Release the hold, or wait until the retention has ended.")
        row.standing = Standing.AGREED.value
    row.decided, row.decided_by = time.time_ns(), who
    row.decided_reason = _text(reason, "reason", needed=not agreed)
    return _disposal(row)


def done(session: Session, case: str, number: int) -> None:
    """A disposal that was agreed to has been carried out."""
    _find(session, case, number).standing = Standing.DONE.value


def disposals(session: Session, case: str) -> list[Disposal]:
    """All disposals that were ever asked for in the case."""
    rows = select(DisposalRow).where(DisposalRow.case == case).order_by(DisposalRow.id)
    return [_disposal(row) for row in session.scalars(rows)]


def disposal(session: Session, case: str, number: int) -> Disposal:
    """One of them. Raises `Missing`."""
    return _disposal(_find(session, case, number))


def day(nanoseconds: int) -> str:
    """A time to the minute, in UTC."""
    return f"{datetime.fromtimestamp(nanoseconds // 10**9, UTC):%Y-%m-%d %H:%M} UTC"


def _find(session: Session, case: str, number: int) -> DisposalRow:
    row = session.get(DisposalRow, number)
    if row is None or row.case != case:
        raise Missing(
            f"The case {case} has no disposal {number}.", f"See: locard case keeping {case}"
        )
    return row


def _text(text: str, what: str, *, needed: bool = True) -> str:
    text = " ".join(text.split())
    if needed and not text:
        raise Error(
            f"A {what} is needed.", "It goes into the custody ledger; one sentence is enough."
        )
    if len(text) > _LONGEST:
        raise Error(f"The {what} has {len(text):,} characters.", f"Keep it below {_LONGEST:,}.")
    return text


def _hold(row: HoldRow) -> Hold:
    return Hold(
        id=row.id,
        case=row.case,
        reference=row.reference,
        reason=row.reason,
        placed=row.placed,
        placed_by=row.placed_by,
        released=row.released,
        released_by=row.released_by,
        released_reason=row.released_reason,
    )


def _disposal(row: DisposalRow) -> Disposal:
    return Disposal(
        id=row.id,
        case=row.case,
        evidence=tuple(row.evidence),
        reason=row.reason,
        asked=row.asked,
        asked_by=row.asked_by,
        standing=Standing(row.standing),
        decided=row.decided,
        decided_by=row.decided_by,
        decided_reason=row.decided_reason,
    )
