# SPDX-License-Identifier: Apache-2.0
"""Saved searches of a case: a query with its range, columns and facets, under a name."""

import time
from dataclasses import dataclass, field

from sqlalchemy import JSON, ForeignKey, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.errors import Conflict, Error, Missing
from locard.state.database import Table


class SearchRow(Table):
    """One saved search."""

    __tablename__ = "searches"
    __table_args__ = (UniqueConstraint("case", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    name: Mapped[str]
    query: Mapped[str]
    start: Mapped[str]
    end: Mapped[str]
    columns: Mapped[list[str]] = mapped_column(JSON, default=list)
    facets: Mapped[list[str]] = mapped_column(JSON, default=list)
    who: Mapped[str]
    at: Mapped[int]
    """UTC nanoseconds of the last change."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What is saved. `start` and `end` stay as the person gave them, so that `now-1d` moves on."""

    name: str
    query: str = ""
    start: str = ""
    end: str = ""
    columns: list[str] = field(default_factory=list)
    facets: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A saved search with its number and who saved it last; `at` is UTC nanoseconds."""

    id: int
    saved: Saved
    who: str
    at: int


def of(session: Session, case: str) -> list[SavedSearch]:
    """The saved searches of a case, by name."""
    rows = session.scalars(select(SearchRow).where(SearchRow.case == case).order_by(SearchRow.name))
    return [_shown(row) for row in rows]


def save(session: Session, case: str, saved: Saved, who: str) -> SavedSearch:
    """Keep a search. Raises `Conflict` when the case has one of this name."""
    row = SearchRow(case=case)
    _fill(row, saved, who)
    session.add(row)
    _flush(session, saved)
    return _shown(row)


def replace(session: Session, case: str, search: int, saved: Saved, who: str) -> SavedSearch:
    """Change a saved search. Raises `Missing`, or `Conflict` when the name is another one's."""
    row = _require(session, case, search)
    _fill(row, saved, who)
    _flush(session, saved)
    return _shown(row)


def remove(session: Session, case: str, search: int) -> None:
    """Forget a saved search. Raises `Missing`."""
    session.delete(_require(session, case, search))


def _fill(row: SearchRow, saved: Saved, who: str) -> None:
    name = saved.name.strip()
    if not 1 <= len(name) <= 200:
        raise Error("The name of a saved search has 1 to 200 characters.")
    row.name, row.query, row.start, row.end = name, saved.query, saved.start, saved.end
    row.columns, row.facets = list(saved.columns), list(saved.facets)
    row.who, row.at = who, time.time_ns()


def _flush(session: Session, saved: Saved) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(
            f"This case has a saved search named {saved.name.strip()!r}.", "Choose another name."
        ) from error


def _require(session: Session, case: str, search: int) -> SearchRow:
    row = session.get(SearchRow, search)
    if row is None or row.case != case:
        raise Missing(f"There is no saved search {search} in this case.")
    return row


def _shown(row: SearchRow) -> SavedSearch:
    saved = Saved(
        name=row.name,
        query=row.query,
        start=row.start,
        end=row.end,
        columns=list(row.columns),
        facets=list(row.facets),
    )
    return SavedSearch(id=row.id, saved=saved, who=row.who, at=row.at)
