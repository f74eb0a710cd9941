# SPDX-License-Identifier: Apache-2.0
"""Accounts of clouds that Locard may act in, by the name people call them here. No secrets."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.errors import Conflict, Missing
from locard.state.database import Table


class AccountRow(Table):
    """One account."""

    __tablename__ = "accounts"

    name: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    number: Mapped[str]
    """The provider's own id of it."""
    role: Mapped[str] = mapped_column(default="")
    """What is assumed there; empty: the credentials of this machine are used as they are."""
    external_id: Mapped[str] = mapped_column(default="")
    regions: Mapped[list[str]] = mapped_column(JSON, default=list)
    """The first is meant where none is named."""
    protected: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Targets that are never isolated, by their ids."""
    endpoint: Mapped[str] = mapped_column(default="")
    """Another address of the provider's API, for a simulated account; empty: the provider's own."""
    added: Mapped[int]
    """UTC nanoseconds."""
    added_by: Mapped[str]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a cloud."""

    name: str
    provider: str
    number: str
    role: str = ""
    external_id: str = ""
    regions: tuple[str, ...] = ()
    protected: tuple[str, ...] = field(default=())
    endpoint: str = ""
    added: int = 0
    added_by: str = ""


def add(session: Session, account: Account, *, who: str) -> Account:
    """Add an account. Raises `Conflict` when the name or the account is known already."""
    for row in session.scalars(select(AccountRow)):
        if row.name == account.name:
            raise Conflict(f"There is an account called {row.name} already.")
        if (row.provider, row.number) == (account.provider, account.number):
            raise Conflict(f"The account {row.number} is known already, as {row.name}.")
    row = AccountRow(
        name=account.name,
        provider=account.provider,
        number=account.number,
        role=account.role,
        external_id=account.external_id,
        regions=list(account.regions),
        protected=list(account.protected),
        endpoint=account.endpoint,
        added=time.time_ns(),
        added_by=who,
    )
    session.add(row)
    session.flush()
    return _account(row)


def get(session: Session, name: str) -> Account:
    """The account of that name. Raises `Missing`."""
    row = session.get(AccountRow, name)
    if row is None:
        raise Missing(f"There is no account called {name!r}.", "See: locard account list")
    return _account(row)


def every(session: Session) -> Sequence[Account]:
    """All accounts by name."""
    rows = session.scalars(select(AccountRow).order_by(AccountRow.name))
    return [_account(row) for row in rows]


def remove(session: Session, name: str) -> None:
    """Forget an account; what was done there stays recorded. Raises `Missing`."""
    get(session, name)
    session.delete(session.get(AccountRow, name))


def protect(session: Session, name: str, target: str, protected: bool) -> Account:
    """Say that a target may never be isolated, or that it may again."""
    get(session, name)
    row = session.get(AccountRow, name)
    assert row is not None
    others = [one for one in row.protected if one != target]
    row.protected = [*others, target] if protected else others
    session.flush()
    return _account(row)


def _account(row: AccountRow) -> Account:
    return Account(
        name=row.name,
        provider=row.provider,
        number=row.number,
        role=row.role,
        external_id=row.external_id,
        regions=tuple(row.regions),
        protected=tuple(row.protected),
        endpoint=row.endpoint,
        added=row.added,
        added_by=row.added_by,
    )
