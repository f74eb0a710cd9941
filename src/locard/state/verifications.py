# SPDX-License-Identifier: Apache-2.0
"""Verifications of the custody of a case: who asked for one, and its verdict, clause by clause."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import JSON, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.state.database import Table


class VerificationRow(Table):
    """One verification. Its verdict is what was found then; the ledger has an entry of it."""

    __tablename__ = "verifications"
    __table_args__ = (Index("verifications_by_case", "case"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    begun: Mapped[int]
    """UTC nanoseconds."""
    ended: Mapped[int]
    by: Mapped[str]
    passed: Mapped[bool]
    clauses: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    """name, state (pass, fail, not checked), detail, where."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One clause of a verdict."""

    name: str
    state: str
    detail: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """A verification that came to its end. Times are UTC nanoseconds."""

    begun: int
    ended: int
    by: str
    passed: bool
    clauses: tuple[Judged, ...]


def keep(session: Session, case: str, begun: int, by: str, clauses: Sequence[Judged]) -> None:
    """Keep a verdict."""
    session.add(
        VerificationRow(
            case=case,
            begun=begun,
            ended=time.time_ns(),
            by=by,
            passed=not any(one.state == "fail" for one in clauses),
            clauses=[
                {"name": one.name, "state": one.state, "detail": one.detail, "where": one.where}
                for one in clauses
            ],
        )
    )


def latest(session: Session, case: str) -> Verification | None:
    """The last verification of a case."""
    row = session.scalars(
        select(VerificationRow)
        .where(VerificationRow.case == case)
        .order_by(VerificationRow.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    clauses = tuple(Judged(**one) for one in row.clauses)
    return Verification(row.begun, row.ended, row.by, row.passed, clauses)
