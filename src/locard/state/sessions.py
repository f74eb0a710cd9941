# SPDX-License-Identifier: Apache-2.0
"""Who is signed in: sessions of the page, and one-time links that start one.

Only SHA-256 of a secret is kept (the secrets are 256 random bits, so a fast hash suffices); a
copy of the state file lets nobody in.
"""

import secrets
import time
from hashlib import sha256

from sqlalchemy import CursorResult, ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.errors import Missing
from locard.state.database import Table
from locard.state.users import User, UserRow, shown

SECOND = 1_000_000_000
IDLE = 12 * 3600 * SECOND
"""A session that nobody used for this long has ended."""
LONGEST = 7 * 86400 * SECOND
"""A session ends after this time even when it is used."""
LINK_LIFE = 15 * 60 * SECOND
"""A sign-in link works for this long, once."""
_TOUCH = 60 * SECOND


class SessionRow(Table):
    """One sign-in of the page."""

    __tablename__ = "sessions"

    hash: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    address: Mapped[str]
    created: Mapped[int]
    """UTC nanoseconds, like the other times."""
    seen: Mapped[int]
    ends: Mapped[int]


class LinkRow(Table):
    """A link that signs one person in, once."""

    __tablename__ = "sign_in_links"

    hash: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.id"))
    ends: Mapped[int]
    used: Mapped[bool] = mapped_column(default=False)


def start(session: Session, username: str, address: str) -> str:
    """Start a session and give its secret, which is not kept. Raises `Missing`."""
    row = session.scalar(select(UserRow).where(UserRow.username == username))
    if row is None or row.disabled:
        raise Missing(f"There is no user {username}.")
    return _start(session, row.id, address)


def anybody(session: Session, now: int | None = None) -> bool:
    """Whether somebody is signed in."""
    now = time.time_ns() if now is None else now
    return session.scalar(select(SessionRow.hash).where(SessionRow.ends > now).limit(1)) is not None


def signed_in(session: Session, secret: str, now: int | None = None) -> User | None:
    """The person whose session this is, or None when it has ended or never was."""
    now = time.time_ns() if now is None else now
    found = session.execute(
        select(SessionRow, UserRow)
        .join(UserRow, UserRow.id == SessionRow.user)
        .where(SessionRow.hash == digest(secret))
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    if user.disabled or now >= row.ends or now >= row.seen + IDLE:
        return None
    if now > row.seen + _TOUCH:
        row.seen = now
    return shown(user)


def end(session: Session, secret: str) -> None:
    """End this session."""
    session.execute(delete(SessionRow).where(SessionRow.hash == digest(secret)))


def end_all(session: Session, username: str, keep: str = "") -> None:
    """End every session of this person, except the one whose secret is `keep`."""
    ids = select(UserRow.id).where(UserRow.username == username).scalar_subquery()
    session.execute(
        delete(SessionRow).where(SessionRow.user == ids, SessionRow.hash != digest(keep))
    )
    session.execute(delete(LinkRow).where(LinkRow.user == ids))


def make_link(session: Session, username: str, life: int = LINK_LIFE) -> str:
    """The secret of a new one-time link; the page's address for it is `/sign-in#SECRET`."""
    row = session.scalar(select(UserRow).where(UserRow.username == username))
    if row is None or row.disabled:
        raise Missing(f"There is no user {username}.")
    secret = secrets.token_urlsafe(32)
    session.add(LinkRow(hash=digest(secret), user=row.id, ends=time.time_ns() + life, used=False))
    session.flush()
    return secret


def invited(session: Session, link: str, now: int | None = None) -> User | None:
    """The person whom this link would sign in; None when it was used, is old, or never was."""
    now = time.time_ns() if now is None else now
    user = session.scalar(
        select(UserRow)
        .join(LinkRow, LinkRow.user == UserRow.id)
        .where(LinkRow.hash == digest(link), ~LinkRow.used, LinkRow.ends > now)
    )
    return None if user is None or user.disabled else shown(user)


def redeem(session: Session, link: str, address: str, now: int | None = None) -> str | None:
    """The secret of a session started by this link; None when it was used, is old, or never was.

    One statement marks the link as used, so two who come at the same time cannot both get in.
    """
    now = time.time_ns() if now is None else now
    hashed = digest(link)
    taken = session.execute(
        update(LinkRow)
        .where(LinkRow.hash == hashed, ~LinkRow.used, LinkRow.ends > now)
        .values(used=True)
    )
    assert isinstance(taken, CursorResult)
    if taken.rowcount != 1:
        return None
    user = session.scalar(
        select(UserRow).join(LinkRow, LinkRow.user == UserRow.id).where(LinkRow.hash == hashed)
    )
    if user is None or user.disabled:
        return None
    return _start(session, user.id, address)


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _start(session: Session, user: int, address: str) -> str:
    now = time.time_ns()
    session.execute(
        delete(SessionRow).where((SessionRow.ends <= now) | (SessionRow.seen <= now - IDLE))
    )
    session.execute(delete(LinkRow).where(LinkRow.ends <= now))
    secret = secrets.token_urlsafe(32)
    session.add(
        SessionRow(
            hash=digest(secret),
            user=user,
            address=address,
            created=now,
            seen=now,
            ends=now + LONGEST,
        )
    )
    session.flush()
    return secret
