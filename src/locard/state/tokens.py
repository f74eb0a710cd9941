# SPDX-License-Identifier: Apache-2.0
"""API tokens: what a script shows in place of a person. Kept hashed, with a scope and an end."""

import secrets
import time
from dataclasses import dataclass

from sqlalchemy import CursorResult, ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.access import Scope
from locard.model.errors import Error, Missing
from locard.state.database import Table
from locard.state.sessions import digest
from locard.state.users import User, UserRow, shown

PREFIX = "locard_"
DAY = 86400 * 1_000_000_000
LONGEST_DAYS = 366
_TOUCH = 60 * 1_000_000_000


class TokenRow(Table):
    """One token."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    created: Mapped[int]
    """UTC nanoseconds, like the other times."""
    ends: Mapped[int]
    used: Mapped[int | None] = mapped_column(default=None)
    scope: Mapped[str] = mapped_column(default=Scope.READ.value, server_default=Scope.WRITE.value)
    case: Mapped[str] = mapped_column(default="", server_default="")
    """The one case that it reaches; empty for all that its owner may see."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its owner sees it: never the secret. Times are UTC nanoseconds."""

    id: int
    name: str
    created: int
    ends: int
    used: int | None
    scope: Scope
    case: str


def make(
    session: Session,
    username: str,
    name: str,
    days: int,
    scope: Scope = Scope.READ,
    case: str = "",
) -> tuple[Token, str]:
    """A new token and its secret, which is shown once and not kept."""
    user = session.scalar(select(UserRow).where(UserRow.username == username))
    if user is None:
        raise Missing(f"There is no user {username}.")
    if not 1 <= days <= LONGEST_DAYS:
        raise Error(f"A token lives between 1 and {LONGEST_DAYS} days.")
    secret = PREFIX + secrets.token_urlsafe(32)
    now = time.time_ns()
    row = TokenRow(
        user=user.id,
        name=name.strip()[:100] or "token",
        hash=digest(secret),
        created=now,
        ends=now + days * DAY,
        scope=scope.value,
        case=case,
    )
    session.add(row)
    session.flush()
    return _shown(row), secret


def of(session: Session, username: str) -> list[Token]:
    """The tokens of this person, newest first, those that have ended included."""
    rows = session.scalars(
        select(TokenRow)
        .join(UserRow, UserRow.id == TokenRow.user)
        .where(UserRow.username == username)
        .order_by(TokenRow.id.desc())
    )
    return [_shown(row) for row in rows]


def revoke(session: Session, username: str, token: int) -> Token:
    """Remove this token of this person. Raises `Missing`, also when it is somebody else's."""
    row = session.get(TokenRow, token)
    ids = select(UserRow.id).where(UserRow.username == username).scalar_subquery()
    gone = session.execute(delete(TokenRow).where(TokenRow.id == token, TokenRow.user == ids))
    assert isinstance(gone, CursorResult)
    if row is None or gone.rowcount != 1:
        raise Missing(f"{username} has no token {token}.", "List them: locard token list USERNAME")
    return _shown(row)


def shown_by(session: Session, secret: str, now: int | None = None) -> tuple[User, Token] | None:
    """The token and whose it is, or None when it has ended or never was."""
    now = time.time_ns() if now is None else now
    found = session.execute(
        select(TokenRow, UserRow)
        .join(UserRow, UserRow.id == TokenRow.user)
        .where(TokenRow.hash == digest(secret))
    ).one_or_none()
    if found is None:
        return None
    row, user = found
    if user.disabled or now >= row.ends:
        return None
    if row.used is None or now > row.used + _TOUCH:
        row.used = now
    return shown(user), _shown(row)


def _shown(row: TokenRow) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        created=row.created,
        ends=row.ends,
        used=row.used,
        scope=Scope(row.scope),
        case=row.case,
    )
