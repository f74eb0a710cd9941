# SPDX-License-Identifier: Apache-2.0
"""Who gave which star and tag, and when: what an undo has to bring back exactly."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from locard.state.marks import StarRow, TagRow

STAR = ""
"""Stands where a tag would: no tag is empty."""
_CHUNK = 5_000


class Mark(NamedTuple):
    """A star or a tag of an event."""

    event: str
    tag: str


class Given(NamedTuple):
    """Who gave a mark, and when: UTC nanoseconds."""

    who: str
    at: int


def given(session: Session, case: str, marks: Iterable[Mark]) -> dict[Mark, Given]:
    """Those of the marks that are there."""
    found: dict[Mark, Given] = {}
    for tag, events in _by_tag(marks):
        table = StarRow if tag == STAR else TagRow
        columns = table.event, table.who, table.at
        rows = session.execute(select(*columns).where(*_these(case, tag, events)))
        found.update((Mark(event, tag), Given(who, at)) for event, who, at in rows)
    return found


def put(session: Session, case: str, marks: Mapping[Mark, Given | None]) -> None:
    """Make the marks what they are given as; those that nobody has given are taken away."""
    for tag, events in _by_tag(marks):
        table = StarRow if tag == STAR else TagRow
        session.execute(delete(table).where(*_these(case, tag, events)))
        named = {} if tag == STAR else {"tag": tag}
        rows = [
            {"case": case, "event": event, "who": by.who, "at": by.at, **named}
            for event in events
            if (by := marks[Mark(event, tag)]) is not None
        ]
        if rows:
            session.execute(insert(table), rows)


def _these(case: str, tag: str, events: list[str]) -> list[ColumnElement[bool]]:
    if tag == STAR:
        return [StarRow.case == case, StarRow.event.in_(events)]
    return [TagRow.case == case, TagRow.tag == tag, TagRow.event.in_(events)]


def _by_tag(marks: Iterable[Mark]) -> Iterator[tuple[str, list[str]]]:
    """The events of each tag, as many at a time as one statement takes."""
    found: dict[str, list[str]] = {}
    for mark in dict.fromkeys(marks):
        found.setdefault(mark.tag, []).append(mark.event)
    for tag, events in found.items():
        for start in range(0, len(events), _CHUNK):
            yield tag, events[start : start + _CHUNK]
