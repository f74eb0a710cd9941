# SPDX-License-Identifier: Apache-2.0
"""Refusals that are alike, counted: the custody ledger gets the first of them and then a number.

Strangers may fail to sign in as often as they like. Each of it is told, but the ledger must not
grow at their pace: what is alike is one entry at once and one with the count when `WINDOW` is over,
and what comes in too many different forms goes into one further form.
"""

import time
from dataclasses import dataclass

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.state.database import Table
from locard.state.sessions import digest

SECOND = 1_000_000_000
WINDOW = 900 * SECOND
"""Refusals that are alike and come within this time of the first are counted with it."""
MOST_FORMS = 100
"""Different forms of one verb within one window; further ones are counted together."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused to whom, where from, and why. Refusals that are equal are alike."""

    verb: str
    actor: str
    door: str
    address: str
    case: str
    reason: str
    agent: str = ""
    """The program that asked, of the first of them."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Refusals that the ledger has not got yet: how many, from when to when (UTC nanoseconds)."""

    refusal: Refusal
    count: int
    first: int
    last: int


class RefusalRow(Table):
    """Refusals that are alike, within one window."""

    __tablename__ = "refusals"

    key: Mapped[str] = mapped_column(primary_key=True)
    verb: Mapped[str]
    actor: Mapped[str]
    door: Mapped[str]
    address: Mapped[str]
    case: Mapped[str]
    reason: Mapped[str]
    agent: Mapped[str]
    since: Mapped[int]
    """When the window began: the time of the first, which the ledger has. UTC nanoseconds."""
    first: Mapped[int] = mapped_column(default=0)
    last: Mapped[int] = mapped_column(default=0)
    counted: Mapped[int] = mapped_column(default=0)
    """Those after the first, which the ledger has not got yet."""


def note(session: Session, refusal: Refusal, now: int | None = None) -> Counted | None:
    """Count a refusal. What is given back is to be written at once; None when it is counted only.

    Call `due` first: this one begins a new window only where none is open.
    """
    now = time.time_ns() if now is None else now
    key = _key(refusal)
    if session.get(RefusalRow, key) is None and _forms(session, refusal.verb) >= MOST_FORMS:
        refusal = Refusal(refusal.verb, "several", refusal.door, "several", "", "of several kinds")
        key = _key(refusal)
    row = session.get(RefusalRow, key)
    if row is None:
        session.add(
            RefusalRow(
                key=key,
                verb=refusal.verb,
                actor=refusal.actor,
                door=refusal.door,
                address=refusal.address,
                case=refusal.case,
                reason=refusal.reason,
                agent=refusal.agent,
                since=now,
                first=0,
                last=0,
                counted=0,
            )
        )
        session.flush()
        return Counted(refusal, 1, now, now)
    session.execute(
        update(RefusalRow)
        .where(RefusalRow.key == key)
        .values(
            counted=RefusalRow.counted + 1,
            first=func.iif(RefusalRow.counted == 0, now, RefusalRow.first),
            last=now,
        )
    )
    return None


def due(session: Session, now: int | None = None, *, everything: bool = False) -> list[Counted]:
    """The counts whose window is over, or all of them; each is given out once."""
    now = time.time_ns() if now is None else now
    over = RefusalRow.since <= now - WINDOW
    wanted = select(RefusalRow).where(RefusalRow.counted > 0)
    rows = session.scalars(wanted if everything else wanted.where(over)).all()
    found = []
    for row in rows:
        taken = session.execute(
            update(RefusalRow)
            .where(RefusalRow.key == row.key, RefusalRow.counted == row.counted)
            .values(counted=0)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(taken, CursorResult)
        if taken.rowcount == 1:
            told = Refusal(
                row.verb, row.actor, row.door, row.address, row.case, row.reason, row.agent
            )
            found.append(Counted(told, row.counted, row.first, row.last))
    session.execute(delete(RefusalRow).where(over, RefusalRow.counted == 0))
    session.expire_all()
    return found


def _forms(session: Session, verb: str) -> int:
    return session.scalar(select(func.count()).where(RefusalRow.verb == verb)) or 0


def _key(refusal: Refusal) -> str:
    parts = (
        refusal.verb,
        refusal.actor,
        refusal.door,
        refusal.address,
        refusal.case,
        refusal.reason,
    )
    return digest("\0".join(parts))
