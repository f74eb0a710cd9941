# SPDX-License-Identifier: Apache-2.0
"""Groups of people, so that a role is granted once and not to each of them.

A group may carry the name under which the single sign-on provider knows it: then its members are
those whom the provider names at sign-in, beside those who were put into it by hand.
"""

import re
import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.errors import Conflict, Error, Missing
from locard.state import users
from locard.state.database import Table
from locard.state.users import UserRow

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class GroupRow(Table):
    """One group."""

    __tablename__ = "groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str] = mapped_column(default="")
    claim: Mapped[str] = mapped_column(default="", index=True)
    """What the provider calls it; empty when the provider has no say."""
    created: Mapped[int]
    """UTC nanoseconds."""


class MemberRow(Table):
    """One person in one group."""

    __tablename__ = "members"

    group: Mapped[int] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    claimed: Mapped[bool] = mapped_column(default=False)
    """Whether the provider said so, and may take it back at the next sign-in."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group as the doors see one."""

    name: str
    title: str
    claim: str
    members: tuple[str, ...]


def create(session: Session, name: str, title: str = "", claim: str = "") -> Group:
    """Add a group. Raises `Error` for a name that will not do, `Conflict` when it is taken."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise Error(
            f"{name!r} cannot be the name of a group.",
            "Use up to 64 of: small letters, digits, dot, dash, underscore.",
        )
    if _row(session, name) is not None:
        raise Conflict(f"The group {name} exists already.", "Choose another name.")
    row = GroupRow(
        name=name, title=title.strip()[:200], claim=claim.strip()[:300], created=time.time_ns()
    )
    session.add(row)
    session.flush()
    return _shown(session, row)


def alter(
    session: Session, name: str, *, title: str | None = None, claim: str | None = None
) -> Group:
    """Change a group's title, or what the provider calls it."""
    row = require(session, name)
    if title is not None:
        row.title = title.strip()[:200]
    if claim is not None:
        row.claim = claim.strip()[:300]
    session.flush()
    return _shown(session, row)


def remove(session: Session, name: str) -> None:
    """Remove a group with its memberships. Its grants must be gone."""
    row = require(session, name)
    session.execute(delete(MemberRow).where(MemberRow.group == row.id))
    session.delete(row)
    session.flush()


def join(session: Session, name: str, username: str) -> None:
    """Put a person into a group by hand. Raises `Conflict` when they are in it that way."""
    group, user = require(session, name).id, users.number(session, username)
    row = session.get(MemberRow, (group, user))
    if row is not None and not row.claimed:
        raise Conflict(f"{username} is in the group {name} already.")
    if row is None:
        session.add(MemberRow(group=group, user=user, claimed=False))
    else:
        row.claimed = False
    session.flush()


def leave(session: Session, name: str, username: str) -> None:
    """Take a person out of a group. Raises `Missing` when they are not in it."""
    row = session.get(MemberRow, (require(session, name).id, users.number(session, username)))
    if row is None:
        raise Missing(f"{username} is not in the group {name}.")
    session.delete(row)
    session.flush()


def claimed(
    session: Session, username: str, claims: Collection[str]
) -> tuple[list[str], list[str]]:
    """Make the person a member of exactly the groups that the provider names.

    Membership by hand stays. The names of the groups that were joined, and of those that were left.
    """
    user = users.number(session, username)
    wanted = {
        row.id: row.name
        for row in session.scalars(select(GroupRow).where(GroupRow.claim.in_(set(claims) - {""})))
    }
    held = {
        member.group: (member, name)
        for member, name in session.execute(
            select(MemberRow, GroupRow.name)
            .join(GroupRow, GroupRow.id == MemberRow.group)
            .where(MemberRow.user == user)
        )
    }
    joined = [name for group, name in wanted.items() if group not in held]
    session.add_all(
        MemberRow(group=group, user=user, claimed=True) for group in wanted if group not in held
    )
    left = []
    for group, (member, name) in held.items():
        if member.claimed and group not in wanted:
            session.delete(member)
            left.append(name)
    session.flush()
    return sorted(joined), sorted(left)


def known_claims(session: Session, claims: Collection[str]) -> bool:
    """Whether a group here is called by one of these names at the provider."""
    found = select(GroupRow.id).where(GroupRow.claim.in_(set(claims) - {""})).limit(1)
    return session.scalar(found) is not None


def of(session: Session, username: str) -> list[str]:
    """The names of the groups that a person is in."""
    return list(
        session.scalars(
            select(GroupRow.name)
            .join(MemberRow, MemberRow.group == GroupRow.id)
            .join(UserRow, UserRow.id == MemberRow.user)
            .where(UserRow.username == username)
            .order_by(GroupRow.name)
        )
    )


def find(session: Session, name: str) -> Group:
    """The group of this name. Raises `Missing`."""
    return _shown(session, require(session, name))


def every(session: Session) -> list[Group]:
    """All groups, by name."""
    return [
        _shown(session, row) for row in session.scalars(select(GroupRow).order_by(GroupRow.name))
    ]


def require(session: Session, name: str) -> GroupRow:
    """The row of this group. Raises `Missing`."""
    row = _row(session, name)
    if row is None:
        raise Missing(f"There is no group {name}.", "List them: locard group list")
    return row


def _row(session: Session, name: str) -> GroupRow | None:
    return session.scalar(select(GroupRow).where(GroupRow.name == name))


def _shown(session: Session, row: GroupRow) -> Group:
    members = session.scalars(
        select(UserRow.username)
        .join(MemberRow, MemberRow.user == UserRow.id)
        .where(MemberRow.group == row.id)
        .order_by(UserRow.username)
    )
    return Group(name=row.name, title=row.title, claim=row.claim, members=tuple(members))
