# SPDX-License-Identifier: Apache-2.0
"""The people who may sign in: name, hashed password, preferences. What they may do is in `grants`.

Passwords are kept as argon2id only. Checking takes the same time whether or not the user exists,
so that guessing tells nothing about names.
"""

import re
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import JSON, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.errors import Conflict, Error, Missing
from locard.state.database import Table

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_hasher = PasswordHasher()


class UserRow(Table):
    """One person."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    password: Mapped[str] = mapped_column(default="")
    """argon2id in its encoded form; empty while the person signs in by link only."""
    disabled: Mapped[bool] = mapped_column(default=False)
    created: Mapped[int]
    """UTC nanoseconds."""
    preferences: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    single_sign_on: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether somebody whom the provider calls by this name may be joined to this user."""


@dataclass(frozen=True, slots=True)
class User:
    """A person as the doors see one."""

    username: str
    name: str
    disabled: bool
    created: int
    """UTC nanoseconds."""
    has_password: bool
    single_sign_on: bool


def create(
    session: Session,
    username: str,
    *,
    name: str = "",
    password: str = "",
    single_sign_on: bool = False,
) -> User:
    """Add a person, who may do nothing yet; without a password only a link lets them in.

    Raises `Error` for a name or password that will not do, `Conflict` when the name is taken.
    """
    username = username.strip().lower()
    if not _USERNAME.fullmatch(username):
        raise Error(
            f"{username!r} cannot be a user name.",
            "Use up to 64 of: small letters, digits, dot, dash, underscore, @.",
        )
    if _row(session, username) is not None:
        raise Conflict(f"The user {username} exists already.", "Choose another name.")
    row = UserRow(
        username=username,
        name=name.strip()[:200],
        password=hashed(password, username) if password else "",
        disabled=False,
        created=time.time_ns(),
        preferences={},
        single_sign_on=single_sign_on,
    )
    session.add(row)
    session.flush()
    return shown(row)


def verified(session: Session, username: str, password: str) -> User | None:
    """The person, when the password is theirs and they may sign in; None for any other reason."""
    username = username.strip().lower()
    row = _row(session, username) if _USERNAME.fullmatch(username) else None
    known = row is not None and row.password != ""
    encoded = row.password if row is not None and row.password else _nobody()
    given = _bytes(password)
    if len(given) > LONGEST_PASSWORD:
        given, known = b"", False
    try:
        _hasher.verify(encoded, given)
    except (VerificationError, InvalidHashError):
        return None
    if row is None or not known or row.disabled:
        return None
    if _hasher.check_needs_rehash(row.password):
        row.password = _hasher.hash(given)
    return shown(row)


def change_password(session: Session, username: str, password: str) -> None:
    """Set the password. Callers end the person's other sessions."""
    row = _require(session, username)
    row.password = hashed(password, username)


def alter(
    session: Session,
    username: str,
    *,
    name: str | None = None,
    disabled: bool | None = None,
    single_sign_on: bool | None = None,
) -> User:
    """Change a person's name or standing."""
    row = _require(session, username)
    if name is not None:
        row.name = name.strip()[:200]
    if disabled is not None:
        row.disabled = disabled
    if single_sign_on is not None:
        row.single_sign_on = single_sign_on
    session.flush()
    return shown(row)


def find(session: Session, username: str) -> User:
    """The person of this name. Raises `Missing`."""
    return shown(_require(session, username))


def every(session: Session) -> list[User]:
    """All people, by name."""
    return [shown(row) for row in session.scalars(select(UserRow).order_by(UserRow.username))]


def preferences(session: Session, username: str) -> dict[str, Any]:
    """What the person set in the page."""
    return _require(session, username).preferences


def set_preferences(session: Session, username: str, values: dict[str, Any]) -> None:
    """Replace what the person set in the page."""
    _require(session, username).preferences = values


def shown(row: UserRow) -> User:
    """The row as the doors see it: without the password."""
    return User(
        username=row.username,
        name=row.name,
        disabled=row.disabled,
        created=row.created,
        has_password=bool(row.password),
        single_sign_on=row.single_sign_on,
    )


def hashed(password: str, username: str) -> str:
    """The encoded argon2id hash. Raises `Error` for a password that is too weak or too long."""
    if len(password) < SHORTEST_PASSWORD:
        raise Error(
            f"A password has at least {SHORTEST_PASSWORD} characters.",
            "A few words in a row are easy to remember and hard to guess.",
        )
    if len(_bytes(password)) > LONGEST_PASSWORD:
        raise Error(f"A password has at most {LONGEST_PASSWORD} bytes.")
    if password.lower().strip() == username.lower() or len(set(password)) < 4:
        raise Error("This password is too easy to guess.", "Use a few words in a row.")
    return _hasher.hash(_bytes(password))


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


@cache
def _nobody() -> str:
    """A hash that no password has, checked for users who do not exist."""
    return _hasher.hash(f"nobody {time.time_ns()}")


def known(session: Session, username: str) -> User | None:
    """The person of this name, or None."""
    row = _row(session, username.strip().lower())
    return None if row is None else shown(row)


def number(session: Session, username: str) -> int:
    """The number of this person in the tables. Raises `Missing`."""
    return _require(session, username).id


def _row(session: Session, username: str) -> UserRow | None:
    return session.scalar(select(UserRow).where(UserRow.username == username))


def _require(session: Session, username: str) -> UserRow:
    row = _row(session, username)
    if row is None:
        raise Missing(f"There is no user {username}.")
    return row
