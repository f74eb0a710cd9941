# SPDX-License-Identifier: Apache-2.0
"""Who people are at the single sign-on provider, and sign-ins that are under way there.

A person is known by issuer and subject, which never change; names and addresses may.
"""

import time
from dataclasses import dataclass

from sqlalchemy import CursorResult, ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.state import users
from locard.state.database import Table
from locard.state.sessions import digest
from locard.state.users import User, UserRow, shown

SECOND = 1_000_000_000
LIFE = 600 * SECOND
"""A sign-in at the provider has to come back within this time."""
MOST = 10_000
"""Sign-ins under way at once; the oldest make room, so strangers cannot fill the disk."""


class IdentityRow(Table):
    """One person as one provider knows them."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created: Mapped[int]
    """UTC nanoseconds."""


class LeavingRow(Table):
    """A browser that was sent to the provider and is expected back."""

    __tablename__ = "sign_on_attempts"

    state: Mapped[str] = mapped_column(primary_key=True)
    browser: Mapped[str]
    """SHA-256 of the cookie of the browser that was sent, like `state` of its own value."""
    nonce: Mapped[str]
    verifier: Mapped[str]
    back: Mapped[str]
    ends: Mapped[int] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is needed to judge the answer of the provider. `back` is where it sends the browser."""

    nonce: str
    verifier: str
    back: str


def person(session: Session, issuer: str, subject: str) -> User | None:
    """The user whom the provider knows by this subject."""
    row = session.scalar(
        select(UserRow)
        .join(IdentityRow, IdentityRow.user == UserRow.id)
        .where(IdentityRow.issuer == issuer, IdentityRow.subject == subject)
    )
    return None if row is None else shown(row)


def has_identity(session: Session, username: str, issuer: str) -> bool:
    """Whether the user is joined to somebody of this provider."""
    user = users.number(session, username)
    found = select(IdentityRow.user).where(IdentityRow.user == user, IdentityRow.issuer == issuer)
    return session.scalar(found) is not None


def link(session: Session, issuer: str, subject: str, username: str) -> None:
    """Join the provider's person to this user."""
    session.add(
        IdentityRow(
            issuer=issuer,
            subject=subject,
            user=users.number(session, username),
            created=time.time_ns(),
        )
    )
    session.flush()


def leave(session: Session, state: str, browser: str, leaving: Leaving) -> None:
    """Remember a browser that is sent to the provider."""
    now = time.time_ns()
    session.execute(delete(LeavingRow).where(LeavingRow.ends <= now))
    kept = select(LeavingRow.state).order_by(LeavingRow.ends.desc()).limit(MOST - 1)
    session.execute(delete(LeavingRow).where(LeavingRow.state.not_in(kept)))
    session.add(
        LeavingRow(
            state=digest(state),
            browser=digest(browser),
            nonce=leaving.nonce,
            verifier=leaving.verifier,
            back=leaving.back,
            ends=now + LIFE,
        )
    )
    session.flush()


def back(session: Session, state: str, browser: str, now: int | None = None) -> Leaving | None:
    """What was remembered, once, when it is the same browser that comes back in time."""
    now = time.time_ns() if now is None else now
    wanted = (LeavingRow.state == digest(state), LeavingRow.browser == digest(browser))
    row = session.scalar(select(LeavingRow).where(*wanted, LeavingRow.ends > now))
    if row is None:
        return None
    found = Leaving(row.nonce, row.verifier, row.back)
    taken = session.execute(delete(LeavingRow).where(*wanted))
    assert isinstance(taken, CursorResult)
    return found if taken.rowcount == 1 else None
