# SPDX-License-Identifier: Apache-2.0
"""Grants: a role for a user or a group, in one case or in all of them, and what follows from them.

`require_apart` refuses what would let one person both bring evidence in and remove it. It looks at
every person whom a change reaches and at every case, so that neither a group nor a role for all
cases is a way around it.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ForeignKey, Select, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.access import ROLES, TITLES, Access, Permission, Role, clash
from locard.model.errors import Conflict, Missing
from locard.state import groups, users
from locard.state.database import Table
from locard.state.groups import GroupRow, MemberRow
from locard.state.investigations import CaseRow
from locard.state.users import UserRow


class GrantRow(Table):
    """One role of one user or one group."""

    __tablename__ = "grants"

    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    group: Mapped[int | None] = mapped_column(ForeignKey("groups.id"), index=True)
    role: Mapped[str]
    case: Mapped[str | None] = mapped_column(ForeignKey("cases.name"), index=True)
    """Null for all cases, those still to be made included."""
    granted: Mapped[int]
    """UTC nanoseconds."""
    by: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant as the doors see one: `user` or `group` is named, the other is empty."""

    id: int
    user: str
    group: str
    role: Role
    case: str
    """Empty for all cases."""
    granted: int
    by: str
    reason: str

    @property
    def whom(self) -> str:
        """Whom it is for, in words."""
        return self.user or f"the group {self.group}"

    @property
    def where(self) -> str:
        """Where it holds, in words."""
        return f"in {self.case}" if self.case else "in all cases"


def add(
    session: Session,
    role: Role,
    *,
    user: str = "",
    group: str = "",
    case: str = "",
    by: str,
    reason: str = "",
) -> Grant:
    """Grant a role. Raises `Missing` for who or what does not exist, and `Conflict` for a grant
    that is there already or would let somebody both acquire and dispose."""
    if bool(user) == bool(group):
        raise Conflict("A role is granted to a user or to a group.", "Name one of the two.")
    if case and session.get(CaseRow, case) is None:
        raise Missing(f"There is no case called {case!r}.", "Make it first, then grant.")
    row = GrantRow(
        user=users.number(session, user) if user else None,
        group=groups.require(session, group).id if group else None,
        role=role.value,
        case=case or None,
        granted=time.time_ns(),
        by=by,
        reason=reason.strip()[:500],
    )
    same = select(GrantRow.id).where(
        GrantRow.user.is_(row.user) if row.user is None else GrantRow.user == row.user,
        GrantRow.group.is_(row.group) if row.group is None else GrantRow.group == row.group,
        GrantRow.role == row.role,
        GrantRow.case.is_(None) if row.case is None else GrantRow.case == row.case,
    )
    if session.scalar(same) is not None:
        raise Conflict(f"{user or group} is {TITLES[role].lower()} there already.")
    session.add(row)
    session.flush()
    require_apart(session, [user] if user else groups.find(session, group).members)
    return _one(session, row.id)


def remove(session: Session, grant: int) -> Grant:
    """Take a grant back. Raises `Missing`."""
    found = _one(session, grant)
    session.execute(delete(GrantRow).where(GrantRow.id == grant))
    session.flush()
    return found


def remove_of_group(session: Session, group: str) -> list[Grant]:
    """Take back every grant of a group."""
    return [remove(session, one.id) for one in every(session) if one.group == group]


def every(session: Session, case: str | None = None) -> list[Grant]:
    """All grants, or those that reach a case; the ones for all cases first."""
    wanted = _shown().order_by(GrantRow.case.is_not(None), GrantRow.case, GrantRow.id)
    if case is not None:
        wanted = wanted.where(or_(GrantRow.case.is_(None), GrantRow.case == case))
    return [_grant(row, user, group) for row, user, group in session.execute(wanted)]


def access(session: Session, username: str) -> Access:
    """What this person may do, through any grant and any group."""
    rows = session.execute(
        select(GrantRow.role, GrantRow.case)
        .outerjoin(MemberRow, MemberRow.group == GrantRow.group)
        .join(UserRow, or_(UserRow.id == GrantRow.user, UserRow.id == MemberRow.user))
        .where(UserRow.username == username)
    )
    everywhere: frozenset[Permission] = frozenset()
    cases: dict[str, frozenset[Permission]] = {}
    for role, case in rows:
        held = ROLES[Role(role)]
        if case is None:
            everywhere |= held
        else:
            cases[case] = cases.get(case, frozenset()) | held
    return Access(username, everywhere, cases)


def require_apart(session: Session, usernames: Iterable[str]) -> None:
    """Raise `Conflict` when one of these people could both acquire and dispose in some case."""
    for username in usernames:
        held = access(session, username)
        for case in ("", *held.cases):
            if clash(held.everywhere | held.cases.get(case, frozenset())):
                where = f"in the case {case}" if case else "in all cases"
                raise Conflict(
                    f"{username} could then both acquire evidence and dispose of it {where}.",
                    "Nobody may do both. Take the other role back first, or choose another person.",
                )


def administrators(session: Session, case: str = "") -> list[str]:
    """Who administers all cases, and this one when it is named: those to be asked for a role."""
    rows = session.scalars(
        select(UserRow.username)
        .distinct()
        .join(MemberRow, MemberRow.user == UserRow.id, isouter=True)
        .join(GrantRow, or_(GrantRow.user == UserRow.id, GrantRow.group == MemberRow.group))
        .where(
            GrantRow.role == Role.ADMINISTRATOR.value,
            or_(GrantRow.case.is_(None), GrantRow.case == case),
            ~UserRow.disabled,
        )
        .order_by(UserRow.username)
    )
    return list(rows)


@contextmanager
def administered(session: Session) -> Iterator[None]:
    """What is done inside leaves somebody who manages people, where there was somebody.

    Raises `Conflict` on leaving. Where nobody was, the owner of the files manages without.
    """
    before = administrators(session)
    yield
    if before and not administrators(session):
        raise Conflict(
            "Nobody would be left who administers this installation.",
            "Make somebody else administrator of all cases first.",
        )


def _shown() -> Select[GrantRow, str | None, str | None]:
    return (
        select(GrantRow, UserRow.username, GroupRow.name)
        .outerjoin(UserRow, UserRow.id == GrantRow.user)
        .outerjoin(GroupRow, GroupRow.id == GrantRow.group)
    )


def _one(session: Session, grant: int) -> Grant:
    found = session.execute(_shown().where(GrantRow.id == grant)).one_or_none()
    if found is None:
        raise Missing(f"There is no grant {grant}.", "List them: locard grant list")
    row, user, group = found
    return _grant(row, user, group)


def _grant(row: GrantRow, user: str | None, group: str | None) -> Grant:
    return Grant(
        id=row.id,
        user=user or "",
        group=group or "",
        role=Role(row.role),
        case=row.case or "",
        granted=row.granted,
        by=row.by,
        reason=row.reason,
    )
