# SPDX-License-Identifier: Apache-2.0
"""Slows guessing of passwords: attempts are counted for each user at each address.

An attempt is counted before the password is looked at and forgotten when it was right, so that
guesses made at the same time cannot slip past. The count lives in the state file: a restart does
not give an attacker fresh attempts.
"""

import time
from typing import ClassVar

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.errors import Error
from locard.state.database import Table

SECOND = 1_000_000_000
WINDOW = 900 * SECOND
"""Attempts are forgotten this long after the last one."""
FREE = 5
"""Wrong attempts of one user at one address before the first wait."""
FREE_ADDRESS = 50
"""Attempts of one address, whoever the user, before the first wait."""
FIRST_WAIT = 15 * SECOND
"""The first wait; each further attempt doubles it, up to `WINDOW`."""


class TooMany(Error):
    """Too many attempts to sign in; `seconds` from now the next one is looked at."""

    http_status: ClassVar[int] = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "Too many attempts to sign in.", f"Wait {seconds} seconds, then try once more."
        )
        self.seconds = seconds


class AttemptRow(Table):
    """Attempts under one key."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last: Mapped[int]
    """UTC nanoseconds."""


def attempt(session: Session, username: str, address: str, now: int | None = None) -> None:
    """Count one attempt to sign in. Raises `TooMany` while this user or address has to wait."""
    now = time.time_ns() if now is None else now
    session.execute(delete(AttemptRow).where(AttemptRow.last < now - WINDOW))
    for key, free in _keys(username, address):
        row = session.scalar(select(AttemptRow).where(AttemptRow.key == key))
        if row is None or row.count < free:
            continue
        wait = min(FIRST_WAIT << min(row.count - free, 10), WINDOW)
        if now < row.last + wait:
            raise TooMany(-(-(row.last + wait - now) // SECOND))
    for key, _ in _keys(username, address):
        counted = insert(AttemptRow).values(key=key, count=1, last=now)
        session.execute(
            counted.on_conflict_do_update(
                index_elements=[AttemptRow.key],
                set_={"count": AttemptRow.count + 1, "last": now},
            )
        )


def succeeded(session: Session, username: str, address: str) -> None:
    """Forget the attempts of this user at this address."""
    (own, _), _ = _keys(username, address)
    session.execute(delete(AttemptRow).where(AttemptRow.key == own))


def _keys(username: str, address: str) -> tuple[tuple[str, int], tuple[str, int]]:
    name = username.strip().lower()[:64]
    return (f"user {name} at {address}", FREE), (f"address {address}", FREE_ADDRESS)
