# SPDX-License-Identifier: Apache-2.0
"""The second factor: one TOTP secret (RFC 6238) for each person who wants it, and recovery codes.

The secret is kept sealed, since a code can only be checked with it; recovery codes are kept as
SHA-256, like every secret of ours with enough randomness. A step of time is accepted once.
"""

import time
from dataclasses import dataclass

from sqlalchemy import CursorResult, ForeignKey, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.state import users
from locard.state.database import Table
from locard.state.sessions import digest


class TotpRow(Table):
    """The secret of one person."""

    __tablename__ = "totp"

    user: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    sealed: Mapped[str]
    confirmed: Mapped[bool] = mapped_column(default=False)
    """Whether a code was shown once, so that it is asked for from then on."""
    step: Mapped[int] = mapped_column(default=0)
    """The last step of time whose code was accepted: none at or before it is accepted again."""
    created: Mapped[int]
    """UTC nanoseconds."""


class RecoveryRow(Table):
    """One recovery code, good for one sign-in."""

    __tablename__ = "recovery_codes"

    hash: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)


@dataclass(frozen=True, slots=True)
class Factor:
    """What is kept of a person's second factor."""

    sealed: str
    confirmed: bool
    step: int
    recovery: int
    """Recovery codes that are left."""


def of(session: Session, username: str) -> Factor | None:
    """The second factor of this person, confirmed or not."""
    user = users.number(session, username)
    row = session.get(TotpRow, user)
    if row is None:
        return None
    left = session.scalar(select(func.count()).where(RecoveryRow.user == user)) or 0
    return Factor(row.sealed, row.confirmed, row.step, left)


def asked(session: Session) -> set[str]:
    """The names of all people who are asked for a code."""
    found = (
        select(users.UserRow.username)
        .join(TotpRow, TotpRow.user == users.UserRow.id)
        .where(TotpRow.confirmed)
    )
    return set(session.scalars(found))


def propose(session: Session, username: str, sealed: str) -> None:
    """Keep a new secret that is not asked for yet; one that was only proposed is replaced."""
    user = users.number(session, username)
    session.execute(delete(TotpRow).where(TotpRow.user == user, ~TotpRow.confirmed))
    session.add(TotpRow(user=user, sealed=sealed, confirmed=False, step=0, created=time.time_ns()))
    session.flush()


def confirm(session: Session, username: str, recovery: list[str]) -> None:
    """Ask for codes from now on, and keep the recovery codes in place of earlier ones."""
    user = users.number(session, username)
    session.execute(update(TotpRow).where(TotpRow.user == user).values(confirmed=True))
    session.execute(delete(RecoveryRow).where(RecoveryRow.user == user))
    session.add_all(RecoveryRow(hash=digest(code), user=user) for code in recovery)
    session.flush()


def remove(session: Session, username: str) -> bool:
    """Ask no more. Says whether there was anything to remove."""
    user = users.number(session, username)
    session.execute(delete(RecoveryRow).where(RecoveryRow.user == user))
    gone = session.execute(delete(TotpRow).where(TotpRow.user == user))
    assert isinstance(gone, CursorResult)
    return gone.rowcount == 1


def take_step(session: Session, username: str, step: int) -> bool:
    """Accept this step of time, unless it or a later one was accepted already.

    One statement, so two who show the same code at the same time cannot both get in.
    """
    user = users.number(session, username)
    taken = session.execute(
        update(TotpRow).where(TotpRow.user == user, TotpRow.step < step).values(step=step)
    )
    assert isinstance(taken, CursorResult)
    return taken.rowcount == 1


def take_recovery(session: Session, username: str, code: str) -> bool:
    """Accept this recovery code and forget it."""
    user = users.number(session, username)
    taken = session.execute(
        delete(RecoveryRow).where(RecoveryRow.user == user, RecoveryRow.hash == digest(code))
    )
    assert isinstance(taken, CursorResult)
    return taken.rowcount == 1
