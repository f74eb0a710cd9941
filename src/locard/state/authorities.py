# SPDX-License-Identifier: Apache-2.0
"""Under which authority evidence of a case is taken in: the one in force, and those before it.

Rows are never taken out: what was acquired under an earlier authority carries that one.
"""

import time
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.custody import Authority
from locard.model.errors import Error
from locard.state.database import Table

KINDS = ("warrant", "consent", "policy", "contract")
"""What allows evidence to be taken."""
_LONGEST = {"reference": 300, "issued_by": 300, "scope": 2000}


class AuthorityRow(Table):
    """An authority that somebody entered for a case; the last one is in force."""

    __tablename__ = "authorities"
    __table_args__ = (Index("authorities_by_case", "case"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    kind: Mapped[str]
    reference: Mapped[str]
    issued_by: Mapped[str]
    valid_from: Mapped[str]
    """A day such as 2026-03-01, or empty."""
    valid_to: Mapped[str]
    """The last day on which it holds, or empty."""
    scope: Mapped[str]
    set: Mapped[int]
    """UTC nanoseconds."""
    set_by: Mapped[str]


@dataclass(frozen=True, slots=True)
class Entered:
    """An authority with who entered it, and when (UTC nanoseconds)."""

    authority: Authority
    set: int
    set_by: str

    def lapsed(self, today: str) -> str:
        """Why it does not hold on that day (2026-03-01), in a sentence; empty when it does."""
        if self.authority.valid_from > today:
            return f"It holds from {self.authority.valid_from} on."
        if self.authority.valid_to and self.authority.valid_to < today:
            return f"It ended on {self.authority.valid_to}."
        return ""


def authorise(session: Session, case: str, wanted: Authority, *, who: str) -> Entered:
    """Make this the authority of the case from now on. Raises `Error` for what says too little."""
    made = Entered(_judged(wanted), time.time_ns(), who)
    one = made.authority
    session.add(
        AuthorityRow(
            case=case,
            kind=one.kind,
            reference=one.reference,
            issued_by=one.issued_by,
            valid_from=one.valid_from,
            valid_to=one.valid_to,
            scope=one.scope,
            set=made.set,
            set_by=who,
        )
    )
    return made


def authorities(session: Session, case: str) -> list[Entered]:
    """Every authority that the case ever had, the one in force last."""
    rows = session.scalars(
        select(AuthorityRow).where(AuthorityRow.case == case).order_by(AuthorityRow.id)
    )
    return [
        Entered(
            Authority(
                row.kind, row.reference, row.issued_by, row.valid_from, row.valid_to, row.scope
            ),
            row.set,
            row.set_by,
        )
        for row in rows
    ]


def in_force(session: Session, case: str) -> Authority:
    """The authority that evidence is taken in under now; an empty one when nobody entered any."""
    found = authorities(session, case)
    return found[-1].authority if found else Authority()


def _judged(wanted: Authority) -> Authority:
    if wanted.kind not in KINDS:
        raise Error(
            f"An authority is a {', '.join(KINDS[:-1])} or {KINDS[-1]}, not {wanted.kind[:40]!r}.",
            "Choose the one that allows the evidence to be taken.",
        )
    texts = {name: " ".join(getattr(wanted, name).split()) for name in _LONGEST}
    if not texts["reference"]:
        raise Error(
            f"The {wanted.kind} needs a reference.",
            "Give the number, the letter or the page by which somebody else finds it.",
        )
    for name, text in texts.items():
        if len(text) > _LONGEST[name]:
            raise Error(
                f"The {name.replace('_', ' ')} has {len(text):,} characters.",
                f"Keep it below {_LONGEST[name]:,}.",
            )
    days = {name: _day(getattr(wanted, name)) for name in ("valid_from", "valid_to")}
    if days["valid_to"] and days["valid_from"] > days["valid_to"]:
        raise Error(f"It would end on {days['valid_to']}, before it begins.", "Check both days.")
    return replace(wanted, **texts, **days)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat() if text.strip() else ""
    except ValueError as error:
        raise Error(f"{text[:40]!r} is not a day.", "Write it like 2033-12-31.") from error
