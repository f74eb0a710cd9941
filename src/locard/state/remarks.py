# SPDX-License-Identifier: Apache-2.0
"""Stars, tags and comments with who made them and when: for what is handed on to others."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from locard.state.marks import CommentRow, StarRow, TagRow

_CHUNK = 5_000
"""Ids bound in one statement; SQLite takes 32,766."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What one person said about one event."""

    event: str
    kind: str
    """star, tag or comment."""
    text: str
    who: str
    at: int
    """UTC nanoseconds."""


def remarks(session: Session, case: str, events: Sequence[str]) -> list[Remark]:
    """What was said about these events, oldest first."""
    found: list[Remark] = []
    for start in range(0, len(events), _CHUNK):
        chunk = events[start : start + _CHUNK]
        stars = select(StarRow).where(StarRow.case == case, StarRow.event.in_(chunk))
        found += (Remark(one.event, "star", "", one.who, one.at) for one in session.scalars(stars))
        tags = select(TagRow).where(TagRow.case == case, TagRow.event.in_(chunk))
        found += (
            Remark(one.event, "tag", one.tag, one.who, one.at) for one in session.scalars(tags)
        )
        comments = select(CommentRow).where(CommentRow.case == case, CommentRow.event.in_(chunk))
        found += (
            Remark(one.event, "comment", one.text, one.who, one.at)
            for one in session.scalars(comments)
        )
    return sorted(found, key=lambda one: (one.at, one.event, one.kind, one.text))


def adopt(session: Session, case: str, said: Iterable[Remark]) -> Iterator[tuple[Remark, bool]]:
    """Keep what others said, with their names and times; each with whether it was new here.

    A star or a tag that an event has already stays the one of who made it first.
    """
    for one in said:
        place = {"case": case, "event": one.event}
        made = {"who": one.who, "at": one.at}
        row: StarRow | TagRow | CommentRow
        if one.kind == "comment":
            row = CommentRow(**place, **made, text=one.text)
            there = select(CommentRow.who).filter_by(**place, **made, text=one.text)
        elif one.kind == "tag":
            row = TagRow(**place, **made, tag=one.text)
            there = select(TagRow.who).filter_by(**place, tag=one.text)
        else:
            row = StarRow(**place, **made)
            there = select(StarRow.who).filter_by(**place)
        new = session.scalar(there.limit(1)) is None
        if new:
            session.add(row)
        yield one, new
